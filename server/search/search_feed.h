/*
 * search_feed.h - contents and copies of the store, in order of their ids, into builders. For search.c.
 */
#ifndef SERVER_SEARCH_SEARCH_FEED_H
#define SERVER_SEARCH_SEARCH_FEED_H

#include "store/search_build.h"

struct store;

struct search_feed {
	struct store *store;
	struct search_index *index;
	struct search_builder *builders[SEARCH_SPACES];
	uint64_t next[SEARCH_SPACES]; /* ids below are in the index or in the builder */
};

void search_feed_init(struct search_feed *f, struct store *store, struct search_index *index);
void search_feed_fini(struct search_feed *f);
/* Forget what was gathered: go on where the index stands. */
void search_feed_restart(struct search_feed *f);

/*
 * Gather for SEARCH_SLICE_US under one snapshot. *more: there are more to read now; *found: how many
 * were. ERR_BUSY: no snapshot now; ERR_IO. A builder that is full is not read for.
 */
MUST_CHECK enum err search_feed_some(struct search_feed *f, bool *more, uint64_t *found);
bool search_feed_is_full(const struct search_feed *f);
bool search_feed_is_empty(const struct search_feed *f);
/* Write what was gathered; then it is empty. */
MUST_CHECK enum err search_feed_write(struct search_feed *f);

/* How many contents the store has from CURSOR on; about, for ids have gaps. 0 also where it cannot say. */
uint64_t search_behind(struct store *store, uint64_t cursor);
/* Which of COUNT contents or copies the store still has. ERR_BUSY, ERR_IO. */
MUST_CHECK enum err search_still_there(struct store *store, enum search_space space, const uint64_t *ids, size_t count,
	bool *alive);

#endif
