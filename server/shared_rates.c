/*
 * shared_rates.c - how fast one address connects: counted by the minute.
 *
 * A minute begins with the first connection after the last one ended. Nothing is kept of an address
 * for longer.
 */
#include <stdlib.h>
#include <string.h>

#include "server/shared_state.h"

static struct list *
rate_bucket(struct shared *sh, const struct peer_key *key)
{
	return &sh->rates.buckets[hash_bytes(key, sizeof(*key)) % BUCKETS];
}

static struct rate_row *
rate_find(struct shared *sh, const struct peer_key *key)
{
	struct list *at, *following;

	list_for_each(at, following, rate_bucket(sh, key)) {
		struct rate_row *row = LIST_ITEM(at, struct rate_row, link);

		if (memcmp(&row->key, key, sizeof(*key)) == 0)
			return row;
	}
	return NULL;
}

void
rate_drop(struct shared *sh, struct rate_row *row)
{
	list_remove(&row->link);
	list_remove(&row->age);
	sh->rates.count--;
	free(row);
}

static struct rate_row *
rate_new(struct shared *sh, const struct peer *peer, const struct peer_key *key, int64_t now_ms)
{
	struct rate_row *row = calloc(1, sizeof(*row));

	ENSURE(row);
	if (sh->rates.count >= SHARED_RATES_MAX)
		rate_drop(sh, LIST_ITEM(sh->rates.by_age.next, struct rate_row, age));
	row->key = *key;
	row->since_ms = now_ms;
	peer_range_text(peer, row->address);
	list_append(rate_bucket(sh, key), &row->link);
	list_append(&sh->rates.by_age, &row->age);
	sh->rates.count++;
	return row;
}

enum err
shared_connection_rate(struct shared *sh, const struct peer *peer, unsigned limit, int64_t now_ms)
{
	struct peer_key key = peer_key_of(peer);
	struct rate_row *row;
	bool fits;

	if (limit == 0 || peer_is_here(peer))
		return OK;
	pthread_mutex_lock(&sh->lock);
	row = rate_find(sh, &key);
	if (row && now_ms - row->since_ms >= SHARED_RATE_MS) {
		rate_drop(sh, row);
		row = NULL;
	}
	if (!row)
		row = rate_new(sh, peer, &key, now_ms);
	fits = row->count < limit;
	if (fits)
		row->count++;
	else
		row->refused++;
	pthread_mutex_unlock(&sh->lock);
	return fits ? OK : ERR_LIMIT;
}

void
rates_sweep(struct shared *sh, int64_t now_ms)
{
	struct list *at, *following;

	list_for_each(at, following, &sh->rates.by_age) {
		struct rate_row *row = LIST_ITEM(at, struct rate_row, age);

		if (now_ms - row->since_ms < SHARED_RATE_MS)
			break; /* the rest is younger */
		rate_drop(sh, row);
	}
}

void
rates_fini(struct shared *sh)
{
	struct list *link;

	while ((link = list_take_first(&sh->rates.by_age)))
		free(LIST_ITEM(link, struct rate_row, age));
}
