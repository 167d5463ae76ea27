/*
 * collection_head.c - messages whose header is wanted before they are fetched: where no unique id tells them apart, and
 * where a download rule turns on it.
 */
#include "server/collect/collection_inside.h"

#include <string.h>

/* Without unique ids: as soon as there is something to be known again, or to be left there. */
bool
collection_wants_heads(const struct collection *c)
{
	return c->by_header && c->end.offer.has_head && (c->known_count > 0 || collection_leaves(c));
}

void
collection_judge_without_head(struct collection *c, size_t at)
{
	struct collection_item *item = &c->items[at];

	if (item->unwanted) {
		item->state = ITEM_OVER;
		return;
	}
	if (!item->by_header || c->all_by_header || !collection_leaves(c)) {
		collection_judge(c, at);
		return;
	}
	item->state = ITEM_OVER; /* or it would be fetched each time */
	collection_item_error(c, item, "it cannot be left there (leave_days): another has the same unique id, and "
				       "the server has no TOP; only `collect set leave_days=0` fetches it", SPAN_NONE);
}

void
collection_tell_cannot_leave(struct collection *c)
{
	collection_error(c, "messages cannot be left there (leave_days): the server has neither UIDL nor TOP, by which they "
			    "would be known again; only `collect set leave_days=0` fetches them");
}

/* The server cannot do it after all: each message is fetched, and told by what came. */
static void
on_cannot(struct collection *c, size_t at)
{
	c->end.offer.has_head = false;
	if (c->all_by_header && collection_leaves(c)) {
		if (!c->fetches_none)
			collection_tell_cannot_leave(c);
		collection_stop_fetching(c);
		return;
	}
	download_offer(c->rules, !c->all_by_header, false);
	collection_judge_without_head(c, at); /* the others: order_head() */
}

/* It has a unique id that is not known. */
static void
on_header_of_new(struct collection *c, size_t at)
{
	struct collection_item *item = &c->items[at];
	struct fetched row;

	if (collection_anew_asks(c, item) &&
		collection_anew_settle(c, item, collection_header_mark(buf_span(&c->head)), &row)) {
		item->state = ITEM_OVER;
		collection_settle_known(c, &row, item->number);
	} else if (item->unwanted) {
		item->state = ITEM_OVER;
	} else {
		collection_judge_head(c, at, buf_span(&c->head));
	}
}

static void
on_header(struct collection *c, size_t at)
{
	struct collection_item *item = &c->items[at];
	struct collection_known *known;

	if (item->doubtful && (known = collection_known_find(c, item->hash)) &&
		collection_same_header(&known->row, buf_span(&c->head))) {
		item->state = ITEM_OVER;
		collection_settle_known(c, &known->row, item->number);
		return;
	}
	if (!item->by_header) {
		on_header_of_new(c, at);
		return;
	}
	item->has_hash = collect_like_header(buf_span(&c->head), item->hash);
	if (item->has_hash)
		collection_tell_apart(c, item->hash);
	known = item->has_hash ? collection_known_find(c, item->hash) : NULL;
	if (!known || known->listed) {
		collection_judge_head(c, at, buf_span(&c->head));
		return;
	}
	known->listed = true;
	item->first_s = known->row.first_s;
	if (known->row.gone_s != 0)
		collection_change_gone(c, known, 0);
	if (fetched_is_here(&known->row)) {
		item->state = ITEM_OVER;
		collection_settle_known(c, &known->row, item->number);
	} else if (collection_is_aside(c, &known->row)) {
		item->state = ITEM_OVER;
	} else {
		collection_judge_head(c, at, buf_span(&c->head));
	}
}

void
collection_on_head(struct collection *c, size_t at, enum source_result result, struct span answer)
{
	c->undecided--;
	switch (result) {
	case SOURCE_DONE:
		on_header(c, at);
		break;
	case SOURCE_CANNOT:
		on_cannot(c, at);
		break;
	case SOURCE_FAILED:
		collection_anew_unsure(c, &c->items[at]);
		collection_item_error(c, &c->items[at], "its header cannot be had", answer);
		break;
	case SOURCE_BROKEN:
		collection_anew_unsure(c, &c->items[at]);
		collection_set_aside(c, &c->items[at]);
		collection_item_error(c, &c->items[at], "it is no message, and stays there", answer);
		c->items[at].state = ITEM_OVER;
		break;
	case SOURCE_GONE:
		c->items[at].state = ITEM_OVER;
		break;
	}
	buf_clear(&c->head);
	c->head_came = 0;
}
