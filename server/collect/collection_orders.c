/*
 * collection_orders.c - orders to the source, as many ahead as it takes, and their answers in the same order.
 *
 * First what is to be removed, for that is what a cut would leave undone; then headers; then messages, as long as
 * those that are not on disk yet are not too many (COLLECTION_STORING_MAX, COLLECTION_HELD_MAX) and the disk has room
 * (INM-25).
 */
#include "server/collect/collection_inside.h"

#include <stdio.h>

#include "server/collect/collect_inside.h"
#include "store/store.h"

/* ---- in another turn of the loop ---- */

static void
resume(void *arg)
{
	struct collection *c = arg;

	c->posts--;
	if (c->text_waits && c->source && !c->source_is_over) {
		c->text_waits = false;
		source_resume(c->source);
	}
	if (c->pump_waits) {
		c->pump_waits = false;
		if (c->passes_again)
			collection_pass_again(c);
		else
			collection_pump(c);
	}
	collection_look(c);
}

static void
post_resume(struct collection *c)
{
	if (c->posts > 0)
		return;
	c->posts++;
	loop_post(c->o.host->loop, resume, c);
}

void
collection_resume(struct collection *c)
{
	if (c->text_waits)
		post_resume(c);
}

void
collection_pump_later(struct collection *c)
{
	c->pump_waits = true;
	post_resume(c);
}

/* ---- orders ---- */

static struct collection_order *
give(struct collection *c, enum source_order order, uint32_t number, size_t at)
{
	size_t last = (c->order_first + c->order_count++) % SOURCE_AHEAD;

	c->orders[last] = (struct collection_order){ .order = order, .number = number, .at = at };
	source_order(c->source, order, number);
	return &c->orders[last];
}

static bool
has_room(const struct collection *c)
{
	size_t ahead = c->source->ahead < 1 ? 1 : c->source->ahead;

	return c->order_count < ahead && c->order_count < SOURCE_AHEAD;
}

static bool
has_message_to_fetch(const struct collection *c)
{
	return !c->fetches_none && c->wanted_at < c->wanted_count;
}

static size_t
share_of(const struct collection *c)
{
	unsigned all = atomic_load(&c->o.front->collect->under_way);
	size_t share = COLLECTION_STORING_ALL / (all > 0 ? all : 1);

	share = share < COLLECTION_STORING_MIN ? COLLECTION_STORING_MIN : share;
	return share < COLLECTION_STORING_MAX ? share : COLLECTION_STORING_MAX;
}

/* Of those under way one at least is always let in. */
static bool
may_fetch(struct collection *c)
{
	return c->fetch_count == 0 || (c->fetch_count < share_of(c) && c->held < COLLECTION_HELD_MAX);
}

/* SMT-10 for what is collected: it is not even begun. It is told each time, and fetched as soon as the limit allows. */
static bool
is_too_large(struct collection *c, struct collection_item *item)
{
	uint64_t max = (uint64_t)c->o.host->conf->limits_message_size;
	char why[160];

	if (max == 0 || item->size == SOURCE_SIZE_UNKNOWN || item->size <= max)
		return false;
	snprintf(why, sizeof(why),
		"its %llu bytes are more than limits.message_size, and it stays there: raise that, or remove it there",
		(unsigned long long)item->size);
	collection_item_error(c, item, why, SPAN_NONE);
	return true;
}

static void
fetch_next(struct collection *c)
{
	size_t at = c->wanted[c->wanted_at];
	struct collection_item *item = &c->items[at];
	struct collection_fetch *f;

	if (is_too_large(c, item) || collection_place_is_aside(c, item)) {
		item->state = ITEM_OVER;
		c->wanted_at++;
		return;
	}
	if (!collection_has_disk(c, item->size)) {
		collection_stop_fetching(c);
		return;
	}
	c->wanted_at++;
	item->state = ITEM_OVER;
	f = collection_fetch_new(c, item);
	give(c, SOURCE_FETCH, item->number, at)->fetch = f;
}

/* The server may have said meanwhile that it has no TOP. */
static void
order_head(struct collection *c, size_t at)
{
	if (!c->end.offer.has_head) {
		collection_judge_without_head(c, at);
		return;
	}
	c->undecided++;
	c->items[at].state = ITEM_ASKED;
	give(c, SOURCE_HEAD, c->items[at].number, at);
}

/* False: there is nothing that can be ordered now. */
static bool
order_next(struct collection *c)
{
	if (c->removal_at < c->removal_count) {
		struct collection_removal *r = &c->removals[c->removal_at++];

		give(c, (enum source_order)r->order, r->number, c->removal_at - 1);
	} else if (collection_has_head_to_ask(c)) {
		order_head(c, c->heads[c->head_at++]);
	} else if (has_message_to_fetch(c) && may_fetch(c)) {
		fetch_next(c);
	} else {
		return false;
	}
	return true;
}

/* ---- nothing is left ---- */

/* IMAP, where the file says so and the connection is always there. */
static bool
shall_listen(const struct collection *c)
{
	return c->o.conf->idle && c->o.conf->kind == COLLECTOR_IMAP && !c->stopping && !c->o.looks &&
		!c->fetches_none;
}

static void
finish(struct collection *c)
{
	if (c->came_again)
		collection_error(c, "messages that were removed are there again: the server says that it removes "
				    "them, and does not; they are not fetched again, only the provider can mend it");
	c->came_again = false;
	if ((c->by_header || c->anew.count > 0) && !c->fetches_none && !collection_note_gone(c)) {
		collection_pump_later(c);
		return;
	}
	if (c->rules && !c->fetches_none && !c->rules_told) {
		c->rules_told = true;
		download_listed(c->rules);
	}
	collection_write_changes(c);
	if (shall_listen(c)) {
		atomic_store(&c->shown.passed_ms, host_now_ms(c->o.host));
		collection_enter(c, COLLECT_LISTENS);
		loop_timer_clear(&c->lull);
		source_idle(c->source);
		return;
	}
	c->closing = true;
	collection_enter(c, COLLECT_CLOSES);
	source_close(c->source);
}

static bool
is_done(struct collection *c)
{
	return !c->plans && c->order_count == 0 && c->undecided == 0 && list_is_empty(&c->fetches) &&
		c->removal_at == c->removal_count && !collection_has_head_to_ask(c) && !has_message_to_fetch(c);
}

bool
collection_is_late(const struct collection *c)
{
	return loop_turn_us(c->o.host->loop) > COLLECTION_TURN_US;
}

/* What is given takes no time, but much may be passed over. */
static void
give_orders(struct collection *c)
{
	size_t before = c->order_count;

	while (has_room(c) && order_next(c)) {
		if (c->order_count == before && collection_is_late(c)) {
			collection_pump_later(c);
			return;
		}
		before = c->order_count;
	}
}

void
collection_pump(struct collection *c)
{
	if (!c->listed || c->source_is_over || c->closing || c->pumps)
		return;
	c->pumps = true; /* what is stored at once asks again */
	if (collection_plan_on(c))
		give_orders(c);
	else
		collection_pump_later(c);
	c->pumps = false;
	if (is_done(c) && (c->stopping || atomic_load(&c->shown.state) != COLLECT_LISTENS))
		finish(c);
}

/* ---- answers ---- */

static struct collection_order *
oldest(struct collection *c, uint32_t number)
{
	struct collection_order *order = &c->orders[c->order_first];

	return c->order_count > 0 && order->number == number ? order : NULL;
}

/* HEAD: what is beyond the limit of a header is left out, as long as there is an end. */
static bool
take_head(struct collection *c, const struct collection_order *order, struct span text)
{
	c->head_came += text.len;
	if (c->head_came > COLLECTION_EXCESS_MAX) {
		collection_item_error(c, &c->items[order->at], "its header does not come to an end: remove it there", SPAN_NONE);
		collection_cut(c);
	}
	if (buf_put(&c->head, text) != OK)
		c->head.overflow = false;
	return true;
}

bool
collection_on_text(struct collection *c, uint32_t number, struct span text)
{
	struct collection_order *order = oldest(c, number);

	if (!order)
		return true;
	if (order->order == SOURCE_HEAD)
		return take_head(c, order, text);
	if (!order->fetch)
		return true;
	c->text_waits = !collection_text_put(order->fetch, text);
	return !c->text_waits;
}

static void
on_removed(struct collection *c, size_t at, enum source_result result, struct span answer)
{
	struct collection_item item = { .number = c->removals[at].number };

	c->removals[at].done = result == SOURCE_DONE || result == SOURCE_GONE;
	if (!c->removals[at].done)
		collection_item_error(c, &item, "it could not be removed there, the next run tries again", answer);
}

void
collection_on_answered(struct collection *c, uint32_t number, enum source_order order,
	enum source_result result, struct span answer)
{
	struct collection_order *first = oldest(c, number), given;

	if (!first || first->order != order)
		return;
	given = *first;
	collection_went_on(c);
	c->order_first = (c->order_first + 1) % SOURCE_AHEAD;
	c->order_count--;
	if (order == SOURCE_HEAD)
		collection_on_head(c, given.at, result, answer);
	else if (order == SOURCE_FETCH)
		collection_fetch_end(given.fetch, result, answer);
	else if (order == SOURCE_REMOVE)
		on_removed(c, given.at, result, answer);
	collection_pump(c);
}
