/*
 * once.h - a set of numbers, to do a thing once for each of them, each with what belongs to it. Lives in an
 * arena; O(1) a number.
 */
#ifndef SERVER_PIPELINE_ONCE_H
#define SERVER_PIPELINE_ONCE_H

#include "proto/base/arena.h"

struct once {
	struct arena *arena;
	struct once_slot {
		uint64_t number; /* 0: free */
		void *value;
	} *slots;
	size_t count, size;
};

/* False: NUMBER, which is not 0, is in it already. */
bool once_add(struct once *once, uint64_t number);
/* The same with a VALUE, which once_find() gives; NULL where the number is not in it. */
bool once_put(struct once *once, uint64_t number, void *value);
void *once_find(const struct once *once, uint64_t number);

#endif
