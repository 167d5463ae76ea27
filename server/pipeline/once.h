/*
 * once.h - a set of numbers, to do a thing once for each of them. Lives in an arena; O(1) a number.
 */
#ifndef SERVER_PIPELINE_ONCE_H
#define SERVER_PIPELINE_ONCE_H

#include "proto/base/arena.h"

struct once {
	struct arena *arena;
	uint64_t *slots; /* 0: free */
	size_t count, size;
};

/* False: NUMBER, which is not 0, is in it already. */
bool once_add(struct once *once, uint64_t number);

#endif
