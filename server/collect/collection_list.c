/*
 * collection_list.c - the list of a mailbox beside what is known: what is new, whose days are over, what has gone.
 *
 * Each row of what is known stands for one message of the list: a second one of the same unique id is another message,
 * then that unique id tells nothing, and the headers of both are looked at instead (RFC 1939, 7: copies may have the same).
 */
#include "server/collect/collection_inside.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/hash64.h"

#define DAY_S 86400
#define PLAN_STEP 16 /* between two looks at the clock */

uint32_t
collection_now_s(const struct collection *c)
{
	return (uint32_t)(host_now_ms(c->o.host) / 1000);
}

void
collection_go(struct collection *c)
{
	if (!c->ready || !c->has_known || c->source_is_over || c->closing)
		return;
	if (!collection_read_rules(c)) {
		collection_error(c, "the questions of download rules cannot be read from the store: see `postroom check`");
		collection_cut(c);
		return;
	}
	collection_enter(c, COLLECT_LISTS);
	c->listed_count = c->listed_bytes = 0;
	source_list(c->source);
}

/* ---- doubles among unique ids ---- */

#define MARK_TWICE 1 /* the lowest bit of a mark: its unique id came again */

static uint64_t *
mark_place(uint64_t *marks, size_t room, uint64_t mark)
{
	size_t at = (size_t)(mark >> 1) & (room - 1);

	while (marks[at] != 0 && (marks[at] | MARK_TWICE) != (mark | MARK_TWICE))
		at = (at + 1) & (room - 1);
	return &marks[at];
}

static void
marks_grow(struct collection *c)
{
	size_t room = c->mark_room > 0 ? 2 * c->mark_room : 256;
	uint64_t *marks = calloc(room, sizeof(*marks));

	ENSURE(marks);
	for (size_t i = 0; i < c->mark_room; i++)
		if (c->marks[i] != 0)
			*mark_place(marks, room, c->marks[i]) = c->marks[i];
	free(c->marks);
	c->marks = marks;
	c->mark_room = room;
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
	uint64_t *place;

	if (2 * (c->mark_count + 1) > c->mark_room)
		marks_grow(c);
	place = mark_place(c->marks, c->mark_room, mark_of(hash));
	if (*place != 0) {
		*place |= MARK_TWICE;
		return true;
	}
	*place = mark_of(hash);
	c->mark_count++;
	return false;
}

static bool
is_marked_twice(const struct collection *c, const unsigned char hash[FETCHED_HASH_SIZE])
{
	return c->mark_room > 0 && (*mark_place(c->marks, c->mark_room, mark_of(hash)) & MARK_TWICE);
}

void
collection_tell_apart(struct collection *c, unsigned char hash[FETCHED_HASH_SIZE])
{
	for (unsigned i = 1; i < COLLECTION_COPIES_MAX && mark(c, hash); i++)
		collect_like_again(hash);
}

/* ---- the list comes ---- */

static struct collection_item *
add_item(struct collection *c, uint32_t number, uint64_t size)
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
		known->unwanted = from->unwanted;
		known->number = from->number;
		known->size = from->size;
		if (known->row.state != FETCHED_STORED || !collection_leaves(c))
			keep_unique(c, from->unique, &known->unique_at, &known->unique_len);
		return;
	}
	if (from->unwanted)
		return;
	item = add_item(c, from->number, from->size);
	item->has_hash = from->unique.len > 0;
	memcpy(item->hash, hash, item->has_hash ? sizeof(hash) : 0);
	keep_unique(c, from->unique, &item->unique_at, &item->unique_len);
}

/* ---- the list is whole ---- */

static bool
tells_nothing(const struct collection *c, const unsigned char hash[FETCHED_HASH_SIZE])
{
	return c->all_by_header || is_marked_twice(c, hash);
}

/* Unique ids that tell nothing: what they named is looked at like what has none. */
static void
forget_unique(struct collection *c)
{
	for (size_t i = 0; i < c->item_count; i++) {
		struct collection_item *item = &c->items[i];

		item->by_header = !item->has_hash || tells_nothing(c, item->hash);
		item->has_hash = !item->by_header;
	}
	for (size_t i = 0; i < c->known_count; i++) {
		struct collection_known *known = &c->known[i];

		if (!known->listed || !tells_nothing(c, known->row.hash))
			continue;
		if (!known->unwanted)
			add_item(c, known->number, known->size)->by_header = true;
		known->listed = false;
	}
}

void
collection_remove(struct collection *c, const unsigned char *hash, uint32_t number)
{
	struct collection_removal *r;

	c->removals = collection_grow(c->removals, c->removal_count, &c->removal_room, sizeof(*c->removals));
	r = &c->removals[c->removal_count++];
	*r = (struct collection_removal){ .number = number, .order = SOURCE_REMOVE, .has_hash = hash != NULL };
	if (hash)
		memcpy(r->hash, hash, sizeof(r->hash));
}

void
collection_keep(struct collection *c, uint32_t number)
{
	collection_remove(c, NULL, number);
	c->removals[c->removal_count - 1].order = SOURCE_KEEP;
}

bool
collection_has_head_to_ask(struct collection *c)
{
	while (c->head_at < c->item_count && c->items[c->head_at].state != ITEM_NEW)
		c->head_at++;
	return !c->fetches_none && c->head_at < c->item_count;
}

void
collection_want(struct collection *c, size_t at)
{
	c->items[at].state = ITEM_WANTED;
	c->wanted = collection_grow(c->wanted, c->wanted_count, &c->wanted_room, sizeof(*c->wanted));
	c->wanted[c->wanted_count++] = (uint32_t)at;
	atomic_fetch_add(&c->shown.to_fetch, 1);
	if (c->items[at].size != SOURCE_SIZE_UNKNOWN)
		atomic_fetch_add(&c->shown.to_fetch_bytes, c->items[at].size);
}

/* INM-05: at once, after some days, or never. What was removed already, and is there again, has had its days. */
static bool
is_due(const struct collection *c, const struct fetched *row)
{
	const struct conf_collector *conf = c->o.conf;
	int64_t age_s = (int64_t)collection_now_s(c) - row->fetched_s;

	if (row->state == FETCHED_TO_GO)
		return true;
	return conf->leave != LEAVE_ALWAYS && (row->state == FETCHED_REMOVED || conf->leave_days == 0 ||
		age_s >= conf->leave_days * DAY_S);
}

bool
collection_settle_known(struct collection *c, const struct fetched *row, uint32_t number)
{
	if (!is_due(c, row))
		return false;
	c->came_again |= row->state == FETCHED_REMOVED;
	collection_remove(c, row->hash, number);
	return true;
}

static struct collection_item *
add_known(struct collection *c, const struct collection_known *known)
{
	struct collection_item *item = add_item(c, known->number, known->size);

	item->has_hash = true;
	item->unique_at = known->unique_at;
	item->unique_len = known->unique_len;
	memcpy(item->hash, known->row.hash, sizeof(item->hash));
	return item;
}

/* Its row says that it is here. Which one that is, is asked where it would go. */
static void
settle_here(struct collection *c, const struct collection_known *known)
{
	struct collection_item *item;

	if (!collection_doubts(c)) {
		collection_settle_known(c, &known->row, known->number);
	} else if (known->row.state == FETCHED_REMOVED || is_due(c, &known->row)) {
		item = add_known(c, known);
		item->doubtful = true;
		item->removes = known->row.mark == 0; /* of an older version: once more, and then it goes */
	}
}

static void
settle_row(struct collection *c, struct collection_known *known)
{

	if (known->row.gone_s != 0) {
		known->row.gone_s = 0;
		collection_change(c, &known->row, false);
	}
	if (fetched_is_here(&known->row)) {
		settle_here(c, known);
		return;
	}
	if (known->unwanted || (known->row.state == FETCHED_ASIDE &&
		collection_now_s(c) - known->row.fetched_s < COLLECTION_ASIDE_S))
		return;
	add_known(c, known)->first_s = known->row.first_s;
}

/*
 * The message is there no more. Where messages are left there for days, a list that lacks them for once must not make
 * all of them new: then the row goes with the next list after some days.
 */
static void
settle_gone(struct collection *c, struct collection_known *known)
{
	uint32_t now_s = collection_now_s(c);

	if (!collection_leaves(c) || known->row.state == FETCHED_REMOVED ||
		(known->row.gone_s != 0 && now_s - known->row.gone_s >= COLLECTION_GONE_S)) {
		collection_change(c, &known->row, true);
	} else if (known->row.gone_s == 0) {
		known->row.gone_s = now_s;
		collection_change(c, &known->row, false);
	}
}

void
collection_note_gone(struct collection *c)
{
	if (c->gone_noted)
		return;
	c->gone_noted = true;
	if (c->listed_count >= SOURCE_ITEMS_MAX)
		return; /* it was cut */
	for (size_t i = 0; i < c->known_count; i++)
		if (!c->known[i].listed)
			settle_gone(c, &c->known[i]);
	collection_write_changes(c);
}

static void
plan(struct collection *c)
{
	download_offer(c->rules, !c->all_by_header || c->end.offer.has_head, c->end.offer.has_head);
	c->plans = true;
	c->plan_at = 0;
}

static bool
is_looked_at_first(const struct collection *c, const struct collection_item *item, bool wants_heads)
{
	return (wants_heads && item->by_header) || (item->doubtful && c->end.offer.has_head);
}

bool
collection_plan_on(struct collection *c)
{
	size_t rows = c->known_count;
	bool wants_heads = collection_wants_heads(c);

	for (; c->plans && c->plan_at < rows; c->plan_at++) {
		if (c->plan_at % PLAN_STEP == 0 && collection_is_late(c))
			return false;
		if (c->known[c->plan_at].listed)
			settle_row(c, &c->known[c->plan_at]);
	}
	if (c->plans && !c->by_header)
		collection_note_gone(c);
	for (; c->plans && c->plan_at - rows < c->item_count; c->plan_at++) {
		if (c->plan_at % PLAN_STEP == 0 && collection_is_late(c))
			return false;
		if (!is_looked_at_first(c, &c->items[c->plan_at - rows], wants_heads))
			collection_judge_without_head(c, c->plan_at - rows);
	}
	c->plans = false;
	return true;
}

/* INM-05: what stays there must be known again. */
static bool
can_leave(struct collection *c)
{
	if (!c->all_by_header || !collection_leaves(c) || c->end.offer.has_head || c->item_count == 0)
		return true;
	collection_tell_cannot_leave(c);
	return false;
}

static uint64_t
known_and_not_stored(const struct collection *c)
{
	uint64_t count = 0;

	for (size_t i = 0; i < c->known_count; i++)
		count += c->known[i].listed && !fetched_is_here(&c->known[i].row);
	return count;
}

void
collection_on_listed(struct collection *c, bool has_unique)
{
	c->listed = true;
	c->all_by_header = !has_unique && c->listed_count > 0;
	c->by_header |= c->all_by_header;
	c->end.offer.has_unique = has_unique && !c->by_header;
	if (c->end.offer.count == SOURCE_SIZE_UNKNOWN)
		c->end.offer.count = c->listed_count;
	if (c->end.offer.bytes == SOURCE_SIZE_UNKNOWN)
		c->end.offer.bytes = c->listed_bytes;
	if (c->by_header)
		forget_unique(c);
	c->end.fresh = c->item_count + known_and_not_stored(c);
	collection_enter(c, COLLECT_FETCHES);
	if (c->o.looks || !can_leave(c))
		collection_stop_fetching(c);
	else
		plan(c);
	collection_pump(c);
}

void
collection_settle_counts(struct collection *c, bool removed)
{
	uint64_t count = 0;

	if (c->settled)
		return;
	c->settled = true;
	for (size_t i = 0; i < c->removal_count && removed; i++) {
		struct fetched row = { .state = FETCHED_REMOVED };

		if (!c->removals[i].done)
			continue;
		count++;
		memcpy(row.hash, c->removals[i].hash, sizeof(row.hash));
		if (c->removals[i].has_hash)
			collection_change(c, &row, !collection_doubts(c));
	}
	atomic_fetch_add(&c->shown.deleted, count);
	atomic_store(&c->shown.left, c->listed_count > count ? c->listed_count - count : 0);
}

void
collection_list_clear(struct collection *c)
{
	free(c->items);
	free(c->wanted);
	free(c->marks);
	free(c->removals);
	c->items = NULL;
	c->wanted = NULL;
	c->marks = NULL;
	c->removals = NULL;
	c->item_count = c->item_room = c->head_at = 0;
	c->wanted_count = c->wanted_room = c->wanted_at = 0;
	c->mark_count = c->mark_room = 0;
	c->removal_count = c->removal_room = c->removal_at = 0;
	c->known_count = 0;
	c->by_header = c->all_by_header = c->gone_noted = c->listed = c->settled = c->rules_told = false;
	c->plans = c->came_again = false;
	collection_forget_choices(c);
	buf_fini(&c->uniques);
	buf_init(&c->uniques, COLLECTION_UNIQUES_MAX);
	arena_reset(&c->arena);
}
