/*
 * collection_settle.c - the list of a mailbox beside what is known: what is new, whose days are over, what has gone.
 *
 *     the list is whole --> unique ids that came twice tell nothing --> rows of what is listed, then of what has gone
 *                       --> messages that are new: a rule judges them, or their header is wanted first
 */
#include "server/collect/collection_inside.h"

#include <string.h>

#define DAY_S 86400
#define PLAN_STEP 16 /* between two looks at the clock */

uint32_t
collection_now_s(const struct collection *c)
{
	return (uint32_t)(host_now_ms(c->o.host) / 1000);
}

static bool
tells_nothing(const struct collection *c, const unsigned char hash[FETCHED_HASH_SIZE])
{
	return c->all_by_header || collection_is_marked_twice(c, hash);
}

/* Unique ids that tell nothing: what they named is looked at like what has none. */
static void
forget_unique(struct collection *c, size_t at)
{
	struct collection_item *item = &c->items[at];

	item->by_header = !item->has_hash || tells_nothing(c, item->hash);
	item->has_hash = !item->by_header;
}

static void
forget_row(struct collection *c, size_t at)
{
	struct collection_known *known = &c->known[at];

	if (!known->listed || !tells_nothing(c, known->row.hash))
		return;
	c->end.fresh -= !fetched_is_here(&known->row);
	if (!known->unwanted) {
		collection_add_item(c, known->number, known->size)->by_header = true;
		c->end.fresh++;
	}
	known->listed = false;
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
	while (c->head_at < c->head_count && c->items[c->heads[c->head_at]].state != ITEM_NEW)
		c->head_at++;
	return !c->fetches_none && c->head_at < c->head_count;
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
	struct collection_item *item = collection_add_item(c, known->number, known->size);

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
settle_row(struct collection *c, size_t at)
{
	struct collection_known *known = &c->known[at];
	struct collection_item *item;

	if (!known->listed) {
		collection_anew_add(c, at);
		return;
	}
	if (known->row.gone_s != 0)
		collection_change_gone(c, known, 0);
	if (fetched_is_here(&known->row)) {
		settle_here(c, known);
		return;
	}
	if (known->unwanted)
		return;
	if (collection_is_aside(c, &known->row)) {
		c->gone_noted |= collection_is_anew(c); /* it may be one of those rows */
		return;
	}
	item = add_known(c, known);
	item->first_s = known->row.first_s;
	item->was_aside = known->row.state == FETCHED_ASIDE;
}

/*
 * The message is there no more. Where messages are left there for days, a list that lacks them for once must not make
 * all of them new: then the row goes with the next list after some days.
 */
static void
settle_gone(struct collection *c, size_t at)
{
	struct collection_known *known = &c->known[at];
	uint32_t now_s = collection_now_s(c);

	if (known->listed)
		return;
	if (!collection_leaves(c) || known->row.state == FETCHED_REMOVED ||
		(known->row.gone_s != 0 && now_s - known->row.gone_s >= COLLECTION_GONE_S)) {
		collection_change(c, &known->row, true);
	} else if (known->row.gone_s == 0) {
		collection_change_gone(c, known, now_s);
	}
}

static bool
is_looked_at_first(const struct collection *c, const struct collection_item *item)
{
	return (collection_wants_heads(c) && item->by_header) ||
		((item->doubtful || collection_anew_asks(c, item)) && c->end.offer.has_head);
}

static void
judge(struct collection *c, size_t at)
{
	if (!is_looked_at_first(c, &c->items[at]))
		collection_judge_without_head(c, at);
	if (c->items[at].state != ITEM_NEW)
		return;
	c->heads = collection_grow(c->heads, c->head_count, &c->head_room, sizeof(*c->heads));
	c->heads[c->head_count++] = (uint32_t)at;
}

/* ---- in slices: a mailbox has a million messages, and as many rows may be left of what it had ---- */

static bool
tells_by_header(const struct collection *c)
{
	return c->by_header;
}

static bool
fetches(const struct collection *c)
{
	return !c->fetches_none;
}

static bool
is_cut(const struct collection *c)
{
	return c->listed_count >= SOURCE_ITEMS_MAX;
}

/* By unique id: the list says it, where all rows have the ids that are there now. */
static bool
knows_gone(const struct collection *c)
{
	return fetches(c) && !c->by_header && c->anew.count == 0 && !is_cut(c);
}

static size_t
rows(const struct collection *c)
{
	return c->known_count;
}

static size_t
items(const struct collection *c)
{
	return c->item_count;
}

static const struct plan_part {
	bool (*is_wanted)(const struct collection *c);
	size_t (*count)(const struct collection *c);
	void (*look)(struct collection *c, size_t at);
} parts[] = {
	{ tells_by_header, items, forget_unique },
	{ tells_by_header, rows, forget_row },
	{ fetches, rows, settle_row },
	{ knows_gone, rows, settle_gone },
	{ fetches, items, judge },
};

/* LOOKED counts what this turn has looked at. Some are looked at each time, however late it is. */
static bool
has_time(const struct collection *c, size_t *looked)
{
	size_t n = (*looked)++;

	return n < COLLECTION_PLAN_TURN && (n == 0 || n % PLAN_STEP != 0 || !collection_is_late(c));
}

bool
collection_plan_on(struct collection *c)
{
	size_t looked = 0;

	for (; c->plans && c->plan_part < COUNT(parts); c->plan_part++, c->plan_at = 0) {
		const struct plan_part *part = &parts[c->plan_part];

		for (; part->is_wanted(c) && c->plan_at < part->count(c); c->plan_at++) {
			if (!has_time(c, &looked))
				return false;
			part->look(c, c->plan_at);
		}
	}
	if (c->plans)
		collection_write_changes(c); /* what has gone, while messages come */
	c->plans = false;
	return true;
}

bool
collection_note_gone(struct collection *c)
{
	size_t looked = 0;

	for (; !c->gone_noted && !is_cut(c) && c->gone_at < c->known_count; c->gone_at++) {
		if (!has_time(c, &looked))
			return false;
		settle_gone(c, c->gone_at);
	}
	c->gone_noted = true;
	return true;
}

static void
settle_removal(struct collection *c, const struct collection_removal *r)
{
	struct fetched row = { .state = FETCHED_REMOVED };

	if (!r->done)
		return;
	c->settled_count++;
	memcpy(row.hash, r->hash, sizeof(row.hash));
	if (r->has_hash)
		collection_change(c, &row, !collection_doubts(c));
}

bool
collection_settle_counts(struct collection *c, bool removed)
{
	size_t looked = 0;

	for (; !c->settled && removed && c->settle_at < c->removal_count; c->settle_at++) {
		if (!has_time(c, &looked))
			return false;
		settle_removal(c, &c->removals[c->settle_at]);
	}
	if (!c->settled) {
		atomic_fetch_add(&c->shown.deleted, c->settled_count);
		atomic_store(&c->shown.left,
			c->listed_count > c->settled_count ? c->listed_count - c->settled_count : 0);
	}
	c->settled = true;
	return true;
}

/* ---- the list is whole ---- */

/* INM-05: what stays there must be known again. */
static bool
can_leave(struct collection *c)
{
	if (!c->all_by_header || !collection_leaves(c) || c->end.offer.has_head || c->item_count == 0)
		return true;
	collection_tell_cannot_leave(c);
	return false;
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
	collection_anew_count(c);
	collection_enter(c, COLLECT_FETCHES);
	if (c->o.looks || !can_leave(c))
		collection_stop_fetching(c);
	else
		download_offer(c->rules, !c->all_by_header || c->end.offer.has_head, c->end.offer.has_head);
	c->plans = true;
	collection_pump(c);
}
