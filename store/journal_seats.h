/*
 * journal_seats.h - the addresses that the journal covers (JRN-07): one row each, from the first message on
 * that was recorded for it.
 *
 * An address holds one seat, of one kind; where the list of internal addresses was changed meanwhile, a seat of
 * the other kind is none, and taking one of this kind gives the old one back. How many there are of each is kept
 * beside the rows (counts.h). A row that goes or comes while a change is open can be undone.
 *
 * Errors: ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO, for writes ERR_FULL. Spans live as users.h says.
 */
#ifndef STORE_JOURNAL_SEATS_H
#define STORE_JOURNAL_SEATS_H

#include "store/fields.h"

struct snapshot;
struct txn;

#define JOURNAL_ADDRESS_MAX 400	       /* bytes; longer ones get no seat */
#define JOURNAL_SEATS_MAX 1000000      /* of a kind that are noted; without a limit more are covered all the same */
#define JOURNAL_LAST_STEP_MS 3600000   /* `last_ms` is noted once in so long (a row less to write a message) */

enum seat_kind { SEAT_INTERNAL, SEAT_EXTERNAL, SEAT_KINDS };
extern const char *const seat_kind_words[]; /* internal external */

struct journal_seat {
	struct span address; /* the key: lower case, local-part@domain */
	uint8_t kind;	     /* enum seat_kind */
	int64_t since_ms, last_ms;
};
extern const struct field_table journal_seat_table;

MUST_CHECK enum err journal_seat_find(
	struct snapshot *snap, struct span address, struct journal_seat *out);
/* The first behind OUT's address, by address; an empty one is the front. */
MUST_CHECK enum err journal_seat_next(struct snapshot *snap, struct journal_seat *out);
/* How many of each kind, in O(1). */
MUST_CHECK enum err journal_seat_count(struct snapshot *snap, uint64_t used[SEAT_KINDS]);

/*
 * ADDRESS is covered from NOW_MS on, or was met again: then the time alone is noted, and that seldom. OK and no
 * row: the address is too long, or there are JOURNAL_SEATS_MAX. ADDRESS must not point into the map.
 */
MUST_CHECK enum err journal_seat_note(
	struct txn *txn, struct span address, enum seat_kind kind, int64_t now_ms);
MUST_CHECK enum err journal_seat_remove(struct txn *txn, struct span address);

#endif
