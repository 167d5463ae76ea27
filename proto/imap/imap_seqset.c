/*
 * imap_seqset.c - sets of numbers as merged ranges.
 */
#include "proto/imap/imap_seqset.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/ascii.h"

#define RANGES_FIRST 16
#define RANGES_UNMERGED_MAX (2 * IMAP_RANGES_MAX)

static int
by_first(const void *a, const void *b)
{
	const struct imap_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* They touch or overlap; B does not begin before A. */
static bool
is_continued(struct imap_range a, struct imap_range b)
{
	return b.first <= a.last || b.first - 1 == a.last;
}

size_t
imap_ranges_merge(struct imap_range *ranges, size_t count)
{
	size_t kept = 0;

	if (count == 0)
		return 0;
	qsort(ranges, count, sizeof(ranges[0]), by_first);
	for (size_t i = 1; i < count; i++) {
		if (!is_continued(ranges[kept], ranges[i]))
			ranges[++kept] = ranges[i];
		else if (ranges[i].last > ranges[kept].last)
			ranges[kept].last = ranges[i].last;
	}
	return kept + 1;
}

bool
imap_range_add(struct imap_range *ranges, size_t *count, size_t room, uint32_t number)
{
	if (*count > 0 && ranges[*count - 1].last == number - 1) {
		ranges[*count - 1].last = number;
		return true;
	}
	if (*count == room)
		return false;
	ranges[(*count)++] = (struct imap_range){ number, number };
	return true;
}

/* ---- parsing ---- */

struct growing {
	struct arena *arena;
	struct imap_range *ranges;
	size_t count, size;
};

/* Room for one more. At the limit what came is merged, which frees half of it or is the end. */
static enum err
make_room(struct growing *g)
{
	struct imap_range *larger;

	if (g->count < g->size)
		return OK;
	if (g->size == RANGES_UNMERGED_MAX) {
		g->count = imap_ranges_merge(g->ranges, g->count);
		return g->count <= IMAP_RANGES_MAX ? OK : ERR_LIMIT;
	}
	g->size = g->size ? 4 * g->size : RANGES_FIRST;
	if (g->size > RANGES_UNMERGED_MAX)
		g->size = RANGES_UNMERGED_MAX;
	larger = ARENA_ARRAY(g->arena, struct imap_range, g->size);
	if (g->count > 0)
		memcpy(larger, g->ranges, g->count * sizeof(larger[0]));
	g->ranges = larger;
	return OK;
}

static enum err
add_range(struct growing *g, struct imap_range range)
{
	struct imap_range *last;

	if (g->count > 0) { /* the common case: in order, and what touches is one */
		last = &g->ranges[g->count - 1];
		if (range.first >= last->first && is_continued(*last, range)) {
			if (range.last > last->last)
				last->last = range.last;
			return OK;
		}
	}
	if (make_room(g) != OK)
		return ERR_LIMIT;
	g->ranges[g->count++] = range;
	return OK;
}

/* A number that is not 0, or `*`, which is 0 here. */
static bool
take_number(struct span *rest, uint32_t *out)
{
	size_t len = 0;
	uint64_t value = 0;

	if (rest->len > 0 && rest->ptr[0] == '*') {
		*out = 0;
		*rest = span_from(*rest, 1);
		return true;
	}
	for (; len < rest->len && ascii_is_digit(rest->ptr[len]) && value <= UINT32_MAX; len++)
		value = 10 * value + (uint64_t)(rest->ptr[len] - '0');
	*rest = span_from(*rest, len);
	*out = (uint32_t)value;
	return value > 0 && value <= UINT32_MAX;
}

static bool
take_char(struct span *rest, char want)
{
	if (rest->len == 0 || rest->ptr[0] != want)
		return false;
	*rest = span_from(*rest, 1);
	return true;
}

static void
add_star(struct imap_seqset *set, uint32_t from)
{
	if (set->star == 0 || from < set->star)
		set->star = from;
}

static enum err
take_element(struct span *rest, struct growing *g, struct imap_seqset *set)
{
	uint32_t a, b;

	if (!take_number(rest, &a))
		return ERR_SYNTAX;
	b = a;
	if (take_char(rest, ':') && !take_number(rest, &b))
		return ERR_SYNTAX;
	if (a == 0 || b == 0) {
		add_star(set, a + b > 0 ? a + b : UINT32_MAX);
		return OK;
	}
	return add_range(g, a <= b ? (struct imap_range){ a, b } : (struct imap_range){ b, a });
}

enum err
imap_seqset_parse(struct arena *a, struct span text, struct imap_seqset *out)
{
	struct growing g = { .arena = a };
	enum err err;

	*out = (struct imap_seqset){ .saved = span_eq(text, SPAN("$")) };
	if (out->saved)
		return OK;
	do {
		err = take_element(&text, &g, out);
	} while (err == OK && take_char(&text, ','));
	if (err == OK && text.len > 0)
		err = ERR_SYNTAX;
	out->ranges = g.ranges;
	out->count = imap_ranges_merge(g.ranges, g.count);
	if (err == OK && out->count > IMAP_RANGES_MAX)
		err = ERR_LIMIT;
	return err;
}

/* ---- using ---- */

void
imap_seqset_resolve(struct arena *a, struct imap_seqset *set, uint32_t max)
{
	struct imap_range *larger;

	if (set->star != 0 && max != 0) {
		larger = ARENA_ARRAY(a, struct imap_range, set->count + 1);
		if (set->count > 0)
			memcpy(larger, set->ranges, set->count * sizeof(larger[0]));
		larger[set->count] = (struct imap_range){ set->star < max ? set->star : max, max };
		set->count = imap_ranges_merge(larger, set->count + 1);
		set->ranges = larger;
	}
	set->star = 0;
}

bool
imap_seqset_has(const struct imap_seqset *set, uint32_t number)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->ranges[middle].last < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < set->count && set->ranges[low].first <= number;
}

uint32_t
imap_seqset_last(const struct imap_seqset *set)
{
	return set->count > 0 ? set->ranges[set->count - 1].last : 0;
}

enum err
imap_ranges_put(struct buf *out, const struct imap_range *ranges, size_t count)
{
	bool ok = true;

	for (size_t i = 0; i < count && ok; i++) {
		if (i > 0)
			ok = buf_put_char(out, ',') == OK;
		ok = ok && buf_put_u64(out, ranges[i].first) == OK;
		if (ranges[i].last != ranges[i].first)
			ok = ok && buf_put_char(out, ':') == OK &&
				buf_put_u64(out, ranges[i].last) == OK;
	}
	return ok ? OK : ERR_LIMIT;
}
