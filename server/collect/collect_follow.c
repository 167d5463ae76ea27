/*
 * collect_follow.c - the collectors as a new file says: who comes, who goes, who stays under another name
 * (collect_rename.c).
 */
#include "server/collect/collect_inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/collect/collect_account.h"
#include "server/generation.h"

static struct collector *
collector_new(struct collect *all, struct span name)
{
	struct collector *c = calloc(1, sizeof(*c));

	ENSURE(c);
	c->all = all;
	list_init(&c->link_all);
	list_init(&c->link_waits);
	list_init(&c->link_named);
	collector_name(c, name);
	collector_recall(c);
	return c;
}

/* All that CONF says of the collector NAME, as JSON; secrets by their names alone. False: it says nothing of it. */
static bool
put_conf(const struct conf *conf, struct span name, struct buf *out)
{
#define ROW_KEY(member, key, ...) key,
	static const char *const keys[] = { COLLECTOR_ROWS(ROW_KEY) };
#undef ROW_KEY
	const struct conf_collector *c = conf_collector(conf, name);
	struct conf_entry entry;
	char path[100];

	for (size_t k = 0; c && k < COUNT(keys); k++) {
		snprintf(path, sizeof(path), "collecting.collectors.%td.%s", c - conf->collectors.items, keys[k]);
		if (conf_find(conf, path, &entry) != OK || conf_put_json(&entry, out) != OK)
			return false;
	}
	return c != NULL;
}

/* Does the file say of it what it said when its collection began? */
static bool
is_as_it_was(const struct collector *c)
{
	const struct conf *old = generation_conf(collection_options(c->collection)->generation);
	struct buf before, now;
	bool same;

	buf_init(&before, COLLECTOR_TEXT_MAX);
	buf_init(&now, COLLECTOR_TEXT_MAX);
	same = put_conf(old, span_of(c->name), &before) &&
		put_conf(c->all->host->conf, span_of(c->name), &now) &&
		span_eq(buf_span(&before), buf_span(&now));
	buf_fini(&before);
	buf_fini(&now);
	return same;
}

/* It has left the file, or is disabled (INM-29). */
static void
let_go(struct collector *c, bool kept)
{
	bool under_way = c->collection != NULL;

	if (under_way || collector_waits(c))
		collector_stop(c, COLLECT_STOP_MS);
	c->held = false;
	if (!kept && !under_way)
		collector_free(c);
}

/* Who shall listen does so again, as the file says now. */
void
collect_follow_some(struct collect *all)
{
	struct list *at, *following;
	unsigned count = 0;

	list_for_each(at, following, &all->collectors) {
		struct collector *c = LIST_ITEM(at, struct collector, link_all);

		if (!c->doubtful || !c->kept)
			continue;
		if (count++ == COLLECT_FOLLOW_TURN) {
			collect_next_turn(all);
			return;
		}
		c->doubtful = false;
		if (collector_listens(c) && !is_as_it_was(c))
			let_go(c, true);
	}
}

void
collect_follow(void *arg)
{
	struct collect *all = arg;
	const struct conf_collectors *conf = &all->host->conf->collectors;
	struct list before, *at, *following;

	list_init(&before);
	list_move_all(&before, &all->collectors);
	collect_follow_names(all, &before);
	list_for_each(at, following, &before)
		LIST_ITEM(at, struct collector, link_all)->kept = false;
	for (size_t i = 0; i < conf->count; i++) {
		struct collector *c = collect_named(all, conf->items[i].name);

		if (!c)
			c = collector_new(all, conf->items[i].name);
		list_remove(&c->link_all);
		list_append(&all->collectors, &c->link_all);
		c->kept = true;
		c->place = i;
		c->account = collect_account_mark(&conf->items[i]);
		c->doubtful = conf->items[i].enabled && collector_listens(c);
		if (c->doubtful)
			collect_next_turn(all);
		if (!conf->items[i].enabled)
			let_go(c, true);
	}
	list_move_all(&all->collectors, &before);
	list_for_each(at, following, &all->collectors)
		if (!LIST_ITEM(at, struct collector, link_all)->kept)
			let_go(LIST_ITEM(at, struct collector, link_all), false);
	collect_sweep(all);
}
