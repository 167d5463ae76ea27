/*
 * once.c - a hash table of numbers with open places.
 */
#include "server/pipeline/once.h"

#define FIRST_SIZE 16 /* slots; doubled when half full */

static uint64_t *
slot_of(const struct once *once, uint64_t number)
{
	size_t at = (size_t)(number * 0x9e3779b97f4a7c15u >> 32);

	for (;; at++) {
		uint64_t *slot = &once->slots[at & (once->size - 1)];

		if (*slot == 0 || *slot == number)
			return slot;
	}
}

static void
grow(struct once *once)
{
	uint64_t *old = once->slots;
	size_t old_size = once->size;

	if (old_size > 2 * once->count)
		return;
	once->size = old_size ? 2 * old_size : FIRST_SIZE;
	once->slots = ARENA_ARRAY(once->arena, uint64_t, once->size);
	for (size_t i = 0; i < old_size; i++)
		if (old[i] != 0)
			*slot_of(once, old[i]) = old[i];
}

bool
once_add(struct once *once, uint64_t number)
{
	uint64_t *slot;

	grow(once);
	slot = slot_of(once, number);
	if (*slot != 0)
		return false;
	*slot = number;
	once->count++;
	return true;
}
