/*
 * collection.h - one collection of one collector, on one loop: from the login to the last commit.
 *
 * The front loop owns it before collection_begin() and after `over`; while it is under way the front looks at
 * what is shown alone.
 */
#ifndef SERVER_COLLECT_COLLECTION_H
#define SERVER_COLLECT_COLLECTION_H

#include <stdatomic.h>

#include "server/collect/collect.h"
#include "server/collect/source.h"

struct collection;
struct source_kind;

struct collection_options {
	struct host *host, *front; /* of its loop; of the front loop */
	struct generation *generation;
	const struct conf_collector *conf; /* of that */
	const struct source_kind *kind;	   /* of a test; NULL: what CONF says */
	bool looks;			   /* it logs in and reads the list, nothing else */
	void (*over)(struct collection *c);   /* on the front loop */
	void (*buried)(struct collection *c); /* there too, the last of it: C is freed behind it */
	void *holder;
};

/* What it tells while it goes on; any thread. */
struct collection_shown {
	_Atomic int state; /* enum collect_state */
	_Atomic uint64_t fetched, left, deleted, failed, bytes, to_fetch, to_fetch_bytes;
	_Atomic int64_t passed_ms; /* wall clock: it began to listen, with all fetched; 0: not yet */
	_Atomic size_t error_count;
	char errors[COLLECT_ERRORS_MAX][COLLECT_ERROR_SIZE]; /* those below error_count are written and stay */
};

/* How it ended. */
struct collection_end {
	bool failed;			/* it could not be finished, or a message could not */
	bool stopped;			/* it was told to */
	char why[COLLECT_ERROR_SIZE];	/* one line; "" */
	struct source_problem problem;	/* fault SOURCE_FINE: what failed was ours, or one message's */
	struct source_offer offer;	/* its spans are gone */
	uint64_t fresh;			/* listed, and not fetched before */
	bool logged_in;
};

struct collection *collection_new(const struct collection_options *o);
void *collection_holder(const struct collection *c);
const struct collection_options *collection_options(const struct collection *c);
const struct collection_shown *collection_shown(const struct collection *c);
const struct collection_end *collection_end(const struct collection *c); /* from `over` on */

/* Posts to its loop. */
void collection_begin(struct collection *c);
/* What is being stored is finished, what was removed is settled, within MS; then it is cut. */
void collection_stop(struct collection *c, int64_t ms);
/* From `over` on; `buried` follows. */
void collection_bury(struct collection *c);

#endif
