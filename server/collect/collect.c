/*
 * collect.c - the collectors: which there are, on which loop each is fetched, which of them listen; from the start of
 * the server to its end.
 *
 *     collect_follow.c  which there are, as a new file says
 *     collect_turn.c    which is fetched when
 */
#include "server/collect/collect_inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/base/ascii.h"
#include "server/connect/connect.h"

/* ---- which ---- */

static size_t
chain_of(struct span name)
{
	size_t sum = 0;

	for (size_t i = 0; i < name.len; i++)
		sum = 31 * sum + (unsigned char)ascii_lower(name.ptr[i]);
	return sum % COLLECT_NAME_CHAINS;
}

void
collector_name(struct collector *c, struct span name)
{
	list_remove(&c->link_named);
	snprintf(c->name, sizeof(c->name), "%.*s", SPAN_FMT(name));
	list_append(&c->all->named[chain_of(span_of(c->name))], &c->link_named);
}

struct collector *
collect_named(const struct collect *all, struct span name)
{
	const struct list *chain = &all->named[chain_of(name)], *at;

	for (at = chain->next; at != chain; at = at->next) {
		struct collector *c = LIST_ITEM(at, struct collector, link_named);

		if (span_eq_nocase(span_of(c->name), name))
			return c;
	}
	return NULL;
}

const struct conf_collector *
collector_conf(const struct collector *c)
{
	const struct conf *conf = c->all->host->conf;

	if (c->place < conf->collectors.count &&
		span_eq_nocase(conf->collectors.items[c->place].name, span_of(c->name)))
		return &conf->collectors.items[c->place];
	return conf_collector(conf, span_of(c->name));
}

/* ---- what it does ---- */

bool
collector_waits(const struct collector *c)
{
	return !list_is_empty(&c->link_waits);
}

bool
collector_listens(const struct collector *c)
{
	return c->collection && collection_shown(c->collection)->state == COLLECT_LISTENS;
}

bool
collector_is_busy(const struct collector *c)
{
	return collector_waits(c) || (c->collection && !collector_listens(c));
}

/* ---- loops ---- */

struct host *
collect_take_loop(struct collect *all)
{
	unsigned best = 0, count = all->host->server ? host_count(all->host) : 1;

	for (unsigned i = 1; i < count; i++)
		if (all->of_loop[i] < all->of_loop[best])
			best = i;
	all->of_loop[best]++;
	all->unburied++;
	return best == 0 ? all->host : host_of_loop(all->host, best);
}

void
collect_leave_loop(struct collect *all, const struct host *host)
{
	all->of_loop[host->number]--;
	all->unburied--;
}

/* ---- who listens ---- */

/* Of a connection that is always there, and not told to stop. */
static bool
shall_listen(const struct collector *c, int64_t now_ms)
{
	const struct conf *conf = c->all->host->conf;
	const struct conf_collector *own = collector_conf(c);

	if (!own || !own->enabled || !own->idle || own->kind != COLLECTOR_IMAP ||
		c->held || c->collection || collector_waits(c) || now_ms < c->listen_ms)
		return false;
	for (size_t i = 0; i < connection_count(conf); i++)
		if (connection_at(conf, i)->kind == CONNECTION_LAN &&
			collector_is_of(conf, own, connection_at(conf, i)->name))
			return true;
	return false;
}

static void
on_look(struct loop_timer *timer)
{
	struct collect *all = LIST_ITEM(timer, struct collect, look);
	int64_t now_ms = host_steady_ms(all->host);
	struct list *at, *following;

	loop_timer_set(all->host->loop, &all->look, COLLECT_LOOK_MS);
	list_for_each(at, following, &all->collectors) {
		struct collector *c = LIST_ITEM(at, struct collector, link_all);

		if (shall_listen(c, now_ms))
			collector_start(c, "it listens for new mail");
	}
	collect_start_waiting(all); /* some may listen by now */
	if (now_ms >= all->sweep_ms)
		collect_sweep(all);
}

/* ---- in another turn of the loop ---- */

static void
next_turn(void *arg)
{
	struct collect *all = arg;

	all->posted = false;
	all->unburied--;
	all->begun = 0;
	if (all->ending)
		return;
	collect_follow_some(all);
	collect_start_waiting(all);
}

void
collect_next_turn(struct collect *all)
{
	if (all->posted)
		return;
	all->posted = true;
	all->unburied++;
	loop_post(all->host->loop, next_turn, all);
}

/* ---- life ---- */

struct collect *
collect_open(struct host *front)
{
	struct collect *all = calloc(1, sizeof(*all));

	ENSURE(all);
	all->host = front;
	list_init(&all->collectors);
	list_init(&all->waiting);
	list_init(&all->probings);
	for (size_t i = 0; i < COLLECT_NAME_CHAINS; i++)
		list_init(&all->named[i]);
	loop_timer_init(&all->look, on_look);
	front->collect = all;
	collect_follow(all);
	loop_timer_set(front->loop, &all->look, COLLECT_LOOK_MS);
	return all;
}

void
collector_free(struct collector *c)
{
	list_remove(&c->link_all);
	list_remove(&c->link_waits);
	list_remove(&c->link_named);
	free(c->result);
	free(c);
}

void
collect_end(struct collect *all)
{
	struct list *at, *following;

	all->ending = true;
	loop_timer_clear(&all->look);
	list_for_each(at, following, &all->collectors)
		collector_stop(LIST_ITEM(at, struct collector, link_all), COLLECT_END_MS);
	collect_end_probes(all);
}

bool
collect_is_over(const struct collect *all)
{
	return all->unburied == 0;
}

void
collect_close(struct collect **allp)
{
	struct collect *all = *allp;
	struct list *at, *following;

	*allp = NULL;
	if (!all)
		return;
	loop_timer_clear(&all->look);
	list_for_each(at, following, &all->collectors)
		collector_free(LIST_ITEM(at, struct collector, link_all));
	free(all);
}
