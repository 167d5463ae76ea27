/*
 * collection_aside.c - messages that are set aside: they stay there, and are left alone for a day (TRB-06).
 *
 * Each by what it is known by. Where the server has no unique ids that is its header, which may not be had (TOP), or not tell;
 * so by its place besides: the sizes of all messages up to it, as LIST says them. They say little, but enough for a
 * day: a message that has taken its place, with the very same sizes, comes a day later, and nothing else is ever decided by them.
 */
#include "server/collect/collection_inside.h"

#include <string.h>

/* False: it has none. In the order of the list it costs nothing; a step back begins anew. */
static bool
place_of(const struct collection *c, const struct collection_item *item, struct collection_place *place,
	unsigned char hash[FETCHED_HASH_SIZE])
{
	if (!c->all_by_header || item->size == SOURCE_SIZE_UNKNOWN || item->size == 0)
		return false;
	if (place->at > 0 && c->items[place->at - 1].number > item->number)
		place->at = 0;
	for (; place->at < c->item_count; place->at++) {
		const struct collection_item *at = &c->items[place->at];

		if (at->number > item->number || at->tries > 0) /* tries: it stands in the list already */
			break;
		place->sizes = collect_like_sizes(place->at > 0 ? place->sizes : 0, at->size);
	}
	collect_like_place(item->number, place->sizes, hash);
	return true;
}

void
collection_set_aside(struct collection *c, const struct collection_item *item)
{
	uint32_t now_s = collection_now_s(c);
	struct fetched row = { .first_s = item->first_s ? item->first_s : now_s, .fetched_s = now_s, .state = FETCHED_ASIDE };

	memcpy(row.hash, item->hash, sizeof(row.hash));
	if (item->has_hash && !item->doubtful) /* else its row says that it is here */
		collection_change(c, &row, false);
	if (place_of(c, item, &c->aside_place, row.hash))
		collection_change(c, &row, false);
}

bool
collection_is_aside(const struct collection *c, const struct fetched *row)
{
	return row->state == FETCHED_ASIDE && collection_now_s(c) - row->fetched_s < COLLECTION_ASIDE_S;
}

bool
collection_place_is_aside(struct collection *c, const struct collection_item *item)
{
	unsigned char hash[FETCHED_HASH_SIZE];
	struct collection_known *known;

	if (!c->has_asides || item->has_hash || !place_of(c, item, &c->asked_place, hash))
		return false;
	known = collection_known_find(c, hash);
	if (!known || !collection_is_aside(c, &known->row))
		return false;
	known->listed = true;
	return true;
}
