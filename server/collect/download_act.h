/*
 * download_act.h - download rules of one collection: asked, and carried out: letters, questions, the log, hits.
 *
 *     download_begin --> download_read --> download_item --> DECIDED: obey ------------------------------+
 *                                             |                                                          v
 *                                             +--> HEAD: the header --> download_head --> obey   download_listed, _end
 *
 * Obey: DECISION.does; where DECISION.acts is set, download_carry() comes first, and only its `done(OK)` lets the
 * collection fetch or remove: a notice is on disk before the message goes, a question before it is waited for. On one
 * loop, all of it.
 */
#ifndef SERVER_COLLECT_DOWNLOAD_ACT_H
#define SERVER_COLLECT_DOWNLOAD_ACT_H

#include "server/collect/download.h"
#include "server/host.h"
#include "server/pipeline/collected_who.h"

#define DOWNLOAD_UNIQUE_MAX 512 /* bytes of a unique id: SOURCE_UNIQUE_MAX */

struct download; /* of one collection */
struct generation;

struct download_item {
	struct span unique; /* by which it is known again: its unique id, or what stands in for it; empty: nothing */
	uint64_t size;	    /* SOURCE_SIZE_UNKNOWN */
	int64_t first_ms;   /* when it was first seen, as the collection remembers it; 0: now */
};

/* Lives until download_free() or the next download_item() or _head() of the same message. */
struct download_decision {
	struct download_answer answer;
	bool acts; /* download_carry() has something to do */
	uint64_t question_no; /* it is about this one; 0: none */
};

/* One collection of COLLECTOR, which is of GENERATION (held); IN_MAIL from 1. */
struct download *download_new(struct host *host, struct generation *generation,
	const struct conf_collector *collector, unsigned in_mail);
void download_free(struct download **d); /* orders under way are left to themselves: their `done` does not come */
/*
 * The questions about its messages, which are of COLLECTOR_ID (fetched.h). At the start, and for each list. On a worker,
 * while nothing else is asked of D. ERR_IO.
 */
MUST_CHECK enum err download_read(struct download *d, uint64_t collector_id);
/* What the source can do, before the first item; has_unique by header hash counts as unique. */
void download_offer(struct download *d, bool has_unique, bool has_head);

/* Who would get a message with HEADER, or, of an answer TO (may be NULL), its letter. *OUT lives in A. ERR_IO. */
struct download_reader {
	const struct conf *conf;
	struct snapshot *snap;
	const struct conf_collector *collector;
	int64_t now_ms;
};
MUST_CHECK enum err download_names(const struct download_reader *r, struct arena *a, struct span header,
	const struct download_answer *to, struct collected_names *out);

/* True: decided. False: its header is wanted first. */
bool download_item(struct download *d, const struct download_item *item, struct download_decision *out);
/* With its header, whole, CRLF lines. ERR_IO, ERR_CORRUPT: the store could not be read; leave it there. */
MUST_CHECK enum err download_head(struct download *d, const struct download_item *item, struct span header,
	struct snapshot *snap, struct download_decision *out);

struct download_order {
	void (*done)(struct download_order *order, enum err result); /* later, on the loop; not OK: leave the message there */
	void *holder;
	struct download_acting *under_way; /* NULL before and after */
};
/* Carry DECISION out for ITEM. HEADER may have ptr NULL where it was not wanted. All is copied. */
void download_carry(struct download *d, const struct download_decision *decision,
	const struct download_item *item, struct span header, struct download_order *order);

/* Why it is fetched, for the trace of what is fetched; nothing where no rule and no answer said so. */
void download_note(const struct download *d, const struct download_decision *decision, struct plan *plan);

/*
 * The list is whole and each item that is not known as fetched was asked about: questions about others have lost their
 * message, or it was fetched; they go.
 */
void download_listed(struct download *d);

#endif
