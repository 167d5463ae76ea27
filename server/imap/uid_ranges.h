/*
 * uid_ranges.h - a list of ranges that grows in an arena: uids that came, that left, that were asked for.
 */
#ifndef SERVER_IMAP_UID_RANGES_H
#define SERVER_IMAP_UID_RANGES_H

#include <stdbool.h>

#include "proto/imap/imap_seqset.h"

struct uid_ranges {
	struct imap_range *items;
	size_t count, room;
};

/* Where FIRST follows the last range at once, that one grows. */
void uid_ranges_add(struct uid_ranges *r, struct arena *a, uint32_t first, uint32_t last);
static inline void
uid_ranges_sort(struct uid_ranges *r)
{
	r->count = imap_ranges_merge(r->items, r->count);
}
bool uid_ranges_have(const struct uid_ranges *r, uint32_t number); /* sorted ones */
uint64_t uid_ranges_total(const struct uid_ranges *r); /* numbers in them */

#endif
