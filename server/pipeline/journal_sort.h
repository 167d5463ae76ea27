/*
 * journal_sort.h - is a message recorded by the journal, and which seats does that take? A pure function
 * (JRN-08 to JRN-11, Q-37).
 *
 *     From is       of whom a seat is asked                            recorded
 *     internal      the author; recipients are not looked at           he holds one, or one is free for him
 *     external      the author (an external seat), and every internal  all hold one, or enough are free of
 *                   address of To, Cc, Bcc and the envelope            each kind for all who do not
 *
 * All or nothing: who is not recorded takes no seat. The same function decides in the pipeline, by a snapshot, and
 * once more in the transaction that stores the copy, for another message may have taken the last seat.
 */
#ifndef SERVER_PIPELINE_JOURNAL_SORT_H
#define SERVER_PIPELINE_JOURNAL_SORT_H

#include "server/pipeline/pipeline.h"
#include "store/journal_seats.h"

#define JOURNAL_PARTIES_MAX 2000 /* addresses of one message that are looked at; those of the envelope first */

struct journal_party {
	struct span address; /* lower case */
	enum seat_kind kind;
	bool holds; /* a seat of its kind */
	bool takes; /* of the answer: it is given one */
};

struct journal_case {
	struct journal_party *parties; /* the author, then whom else a seat is asked of; each once */
	size_t count, room;
	int64_t seats[SEAT_KINDS];  /* how many there are; SEATS_UNLIMITED */
	uint64_t used[SEAT_KINDS];
	bool recorded;
	const struct journal_party *lacks; /* not recorded: the first for whom there is none */
};

/* Fills `recorded`, `lacks` and `takes` of every party from the rest. */
void journal_sort(struct journal_case *c);

/* The parties of a message and the seats there are, by its header, envelope and the configuration, in the plan's arena. */
struct journal_case *journal_case_of(const struct pipeline_ask *ask, const struct plan *plan);
/* Fills `holds` and `used` by what the store says now. ERR_CORRUPT, ERR_IO. */
MUST_CHECK enum err journal_case_look(struct snapshot *snap, struct journal_case *c);

/* At most so many addresses stand in To, Cc and Bcc of HEADER, as its length says. */
size_t journal_addresses_max(struct span header);
/* JRN-06: by journal.internal_list, or domains.local where that is empty. */
bool journal_is_internal(const struct conf *conf, const struct address *address);

#endif
