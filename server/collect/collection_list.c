/*
 * collection_list.c - the list of a mailbox as it comes: each message finds its row, or is new.
 *
 * Each row of what is known stands for one message of the list: a second one of the same unique id is another message,
 * then that unique id tells nothing, and the headers of both are looked at instead (RFC 1939, 7: copies may have the same).
 */
#include "server/collect/collection_inside.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/hash64.h"

#define MARKS_MOVED 8 /* places of an old table with each unique id: it is empty long before the new one is full */

void
collection_go(struct collection *c)
{
	if (!c->ready || !c->has_known || c->source_is_over || c->closing)
		return;
	if (c->questions != OK) {
		collection_error(c, "the questions of download rules cannot be read from the store: see `postroom check`");
		collection_cut(c);
		return;
	}
	collection_enter(c, COLLECT_LISTS);
	c->listed_count = c->listed_bytes = c->listed_here = c->end.fresh = 0;
	source_list(c->source);
}

/* ---- doubles among unique ids ---- */

#define MARK_TWICE 1 /* the lowest bit of a mark: its unique id came again */

static uint64_t *
mark_place(uint64_t *places, size_t room, uint64_t mark)
{
	size_t at = (size_t)(mark >> 1) & (room - 1);

	while (places[at] != 0 && (places[at] | MARK_TWICE) != (mark | MARK_TWICE))
		at = (at + 1) & (room - 1);
	return &places[at];
}

/* Where it is, or in the new table a free place for it. */
static uint64_t *
mark_find(const struct collection_marks *m, uint64_t mark)
{
	uint64_t *place = mark_place(m->places, m->room, mark), *old;

	if (*place != 0 || !m->old)
		return place;
	old = mark_place(m->old, m->old_room, mark);
	return *old != 0 ? old : place;
}

static void
marks_move(struct collection *c, size_t count)
{
	struct collection_marks *m = &c->marks;

	for (; count > 0 && m->old_at < m->old_room; count--) {
		uint64_t mark = m->old[m->old_at++];

		if (mark != 0)
			*mark_place(m->places, m->room, mark) = mark;
	}
	if (m->old_at < m->old_room)
		return;
	collection_give_back(c, m->old);
	m->old = NULL;
	m->old_at = m->old_room = 0;
}

static void
marks_grow(struct collection *c)
{
	struct collection_marks *m = &c->marks;
	size_t room = m->room > 0 ? 2 * m->room : 256;

	marks_move(c, m->old_room);
	m->old = m->places;
	m->old_room = m->room;
	m->places = calloc(room, sizeof(*m->places));
	ENSURE(m->places);
	m->room = room;
}

static uint64_t
mark_of(const unsigned char hash[FETCHED_HASH_SIZE])
{
	uint64_t value;

	memcpy(&value, hash, sizeof(value));
	value &= ~(uint64_t)MARK_TWICE;
	return value ? value : MARK_TWICE + 1;
}

/* Was it there already? 64 bits of the hash are enough: a mistake costs time. */
static bool
mark(struct collection *c, const unsigned char hash[FETCHED_HASH_SIZE])
{
	struct collection_marks *m = &c->marks;
	uint64_t *place;

	if (2 * (m->count + 1) > m->room)
		marks_grow(c);
	if (m->old)
		marks_move(c, MARKS_MOVED);
	place = mark_find(m, mark_of(hash));
	if (*place != 0) {
		*place |= MARK_TWICE;
		return true;
	}
	*place = mark_of(hash);
	m->count++;
	return false;
}

bool
collection_is_marked_twice(const struct collection *c, const unsigned char hash[FETCHED_HASH_SIZE])
{
	return c->marks.room > 0 && (*mark_find(&c->marks, mark_of(hash)) & MARK_TWICE);
}

void
collection_tell_apart(struct collection *c, unsigned char hash[FETCHED_HASH_SIZE])
{
	for (unsigned i = 1; i < COLLECTION_COPIES_MAX && mark(c, hash); i++)
		collect_like_again(hash);
}

/* ---- the list comes ---- */

struct collection_item *
collection_add_item(struct collection *c, uint32_t number, uint64_t size)
{
	c->items = collection_grow(c->items, c->item_count, &c->item_room, sizeof(*c->items));
	c->items[c->item_count] = (struct collection_item){ .number = number, .size = size };
	return &c->items[c->item_count++];
}

static void
keep_unique(struct collection *c, struct span unique, uint32_t *unique_at, uint16_t *unique_len)
{
	size_t at = buf_span(&c->uniques).len;

	unique = span_range(unique, 0, SOURCE_UNIQUE_MAX);
	if (buf_put(&c->uniques, unique) != OK)
		return; /* a trace without it */
	*unique_at = (uint32_t)at;
	*unique_len = (uint16_t)unique.len;
}

void
collection_on_item(struct collection *c, const struct source_item *from)
{
	unsigned char hash[FETCHED_HASH_SIZE];
	struct collection_known *known = NULL;
	struct collection_item *item;

	if (c->listed_count >= SOURCE_ITEMS_MAX)
		return;
	c->listed_count++;
	if (from->size != SOURCE_SIZE_UNKNOWN)
		c->listed_bytes += from->size;
	if (from->unique.len == 0) {
		c->by_header = true;
	} else {
		collect_like_unique(span_range(from->unique, 0, SOURCE_UNIQUE_MAX), hash);
		c->by_header |= mark(c, hash);
		known = collection_known_find(c, hash);
	}
	if (known && !known->listed) {
		known->listed = true;
		c->listed_here += fetched_is_here(&known->row);
		known->unwanted = from->unwanted;
		known->number = from->number;
		known->size = from->size;
		c->end.fresh += !fetched_is_here(&known->row);
		if (known->row.state != FETCHED_STORED || !collection_leaves(c))
			keep_unique(c, from->unique, &known->unique_at, &known->unique_len);
		return;
	}
	if (from->unwanted && !collection_is_anew(c))
		return;
	item = collection_add_item(c, from->number, from->size);
	item->unwanted = from->unwanted;
	c->end.fresh += !from->unwanted;
	item->has_hash = from->unique.len > 0;
	memcpy(item->hash, hash, item->has_hash ? sizeof(hash) : 0);
	keep_unique(c, from->unique, &item->unique_at, &item->unique_len);
}

/* ---- the end of it ---- */

void
collection_list_clear(struct collection *c)
{
	collection_give_back(c, c->items);
	collection_give_back(c, c->heads);
	collection_give_back(c, c->wanted);
	collection_give_back(c, c->marks.places);
	collection_give_back(c, c->marks.old);
	collection_give_back(c, c->removals);
	collection_give_back(c, c->anew.slots);
	c->items = NULL;
	c->heads = NULL;
	c->wanted = NULL;
	c->marks = (struct collection_marks){ 0 };
	c->anew = (struct collection_anew){ 0 };
	c->removals = NULL;
	c->item_count = c->item_room = 0;
	c->head_count = c->head_room = c->head_at = 0;
	c->wanted_count = c->wanted_room = c->wanted_at = 0;
	c->removal_count = c->removal_room = c->removal_at = 0;
	c->settle_at = c->settled_count = c->plan_at = c->gone_at = 0;
	c->asked_place = c->aside_place = (struct collection_place){ 0 };
	c->plan_part = 0;
	c->known_count = 0;
	c->by_header = c->all_by_header = c->gone_noted = c->listed = c->settled = c->rules_told = false;
	c->plans = c->came_again = false;
	collection_forget_choices(c);
	buf_fini(&c->uniques);
	buf_init(&c->uniques, COLLECTION_UNIQUES_MAX);
	arena_reset(&c->arena);
}
