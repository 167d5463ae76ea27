/*
 * search_merge.h - several runs made into one, without the messages that are gone.
 */
#ifndef STORE_SEARCH_MERGE_H
#define STORE_SEARCH_MERGE_H

#include "store/search_index.h"

#define SEARCH_MERGE_MIN 4 /* runs that one merge takes at least */

/* Which of COUNT messages the store still has; ERR_IO: it cannot say. Then nothing is merged. */
typedef enum err search_alive_fn(void *arg, enum search_space space, const uint64_t *ids,
	size_t count, bool *alive);

struct search_merge_ask {
	search_alive_fn *alive;
	/* Called now and then; false ends the merge, which is then begun anew another time. May wait. */
	bool (*go_on)(void *arg);
	void *arg;
};

/*
 * Where SPACE has more than MOST runs (SEARCH_RUNS as a rule) merge neighbours; up to SEARCH_MERGE_MIN: all.
 * On the writer's thread; *merged says whether anything was. ERR_BUSY: ended by go_on(). ERR_FULL,
 * ERR_IO, ERR_CORRUPT.
 */
MUST_CHECK enum err search_merge(struct search_index *index, enum search_space space, unsigned most,
	const struct search_merge_ask *ask, bool *merged);

#endif
