/*
 * uid_ranges.c - ranges in an arena.
 */
#include "server/imap/uid_ranges.h"

#include <string.h>

#define ROOM_FIRST 16 /* ranges */

void
uid_ranges_add(struct uid_ranges *r, struct arena *a, uint32_t first, uint32_t last)
{
	struct imap_range *items = r->items;

	if (r->count > 0 && items[r->count - 1].last + 1 == first) {
		items[r->count - 1].last = last;
		return;
	}
	if (r->count == r->room) {
		r->room = r->room ? 2 * r->room : ROOM_FIRST;
		items = ARENA_ARRAY(a, struct imap_range, r->room);
		if (r->count > 0)
			memcpy(items, r->items, r->count * sizeof(*items));
		r->items = items;
	}
	items[r->count++] = (struct imap_range){ first, last };
}

bool
uid_ranges_have(const struct uid_ranges *r, uint32_t number)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (number > r->items[middle].last)
			low = middle + 1;
		else if (number < r->items[middle].first)
			high = middle;
		else
			return true;
	}
	return false;
}

uint64_t
uid_ranges_total(const struct uid_ranges *r)
{
	uint64_t total = 0;

	for (size_t i = 0; i < r->count; i++)
		total += (uint64_t)r->items[i].last - r->items[i].first + 1;
	return total;
}
