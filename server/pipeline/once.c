/*
 * once.c - a hash table of numbers with open places.
 */
#include "server/pipeline/once.h"

#define FIRST_SIZE 16 /* slots; doubled when half full */

static struct once_slot *
slot_of(const struct once *once, uint64_t number)
{
	size_t at = (size_t)(number * 0x9e3779b97f4a7c15u >> 32);

	for (;; at++) {
		struct once_slot *slot = &once->slots[at & (once->size - 1)];

		if (slot->number == 0 || slot->number == number)
			return slot;
	}
}

static void
grow(struct once *once)
{
	struct once_slot *old = once->slots;
	size_t old_size = once->size;

	if (old_size > 2 * once->count)
		return;
	once->size = old_size ? 2 * old_size : FIRST_SIZE;
	once->slots = ARENA_ARRAY(once->arena, struct once_slot, once->size);
	for (size_t i = 0; i < old_size; i++)
		if (old[i].number != 0)
			*slot_of(once, old[i].number) = old[i];
}

bool
once_put(struct once *once, uint64_t number, void *value)
{
	struct once_slot *slot;

	grow(once);
	slot = slot_of(once, number);
	if (slot->number != 0)
		return false;
	*slot = (struct once_slot){ number, value };
	once->count++;
	return true;
}

bool
once_add(struct once *once, uint64_t number)
{
	return once_put(once, number, NULL);
}

void *
once_find(const struct once *once, uint64_t number)
{
	return once->size > 0 ? slot_of(once, number)->value : NULL;
}
