/*
 * outgoing.c - connections for the lanes, in turn; what deliveries ask and tell.
 */
#include "server/queue/outgoing.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/connect/connect.h"
#include "server/generation.h"
#include "server/net/tls.h"
#include "server/queue/outgoing_inside.h"
#include "conf/lan_threads.h"
#include "server/queue/routes.h"

#define IDLE_LOOK_MS 250

/* ---- connections ---- */

static unsigned
quietest_loop(const struct outgoing *all)
{
	unsigned best = 0;

	for (unsigned i = 1; i < host_count(all->host); i++)
		if (all->of_loop[i] < all->of_loop[best])
			best = i;
	return best;
}

/* "lan:HOST[:PORT]": a next hop that a rule or a forward names itself. */
static bool
route_of_hop(const struct conf *conf, struct delivery *d, struct span name)
{
	struct lan_target target;
	unsigned most = lan_route_take(name, &target) ? lan_threads_max(conf->lan_threads, &target) : 0;
	struct span *server = ARENA_NEW(&d->arena, struct span);

	*server = arena_copy(&d->arena, span_from(name, sizeof(OUTGOING_HOP_PREFIX) - 1));
	d->route = (struct conf_route){ .name = arena_copy(&d->arena, name),
		.kind = ROUTE_RELAY, .servers = { server, 1 }, .port = 25,
		.tls = ROUTE_TLS_OPPORTUNISTIC, .esmtp = true,
		.max_connections = most > 0 ? most : conf->lan_deliveries };
	return true;
}

static bool
find_route(struct outgoing *all, struct delivery *d, const struct lane *lane)
{
	const struct conf_route *route;

	if (span_starts_nocase(lane->route, SPAN(OUTGOING_HOP_PREFIX)))
		return route_of_hop(all->host->conf, d, lane->route);
	route = route_named(&all->host->conf->outgoing_routes, lane->route);
	if (route)
		d->route = *route;
	return route;
}

static bool
is_lan(const struct lane *lane)
{
	return span_starts_nocase(lane->route, SPAN(OUTGOING_HOP_PREFIX));
}

/* False: its route is gone from the file; what waits is read again later, for another one. */
static bool
connect_lane(struct outgoing *all, struct lane *lane)
{
	struct delivery *d = delivery_new();
	unsigned number = quietest_loop(all);

	if (!find_route(all, d, lane)) {
		delivery_free(&d);
		items_forget(&all->lanes, lane_take_any(lane, lane->waiting));
		return false;
	}
	d->all = all;
	d->lane = lane;
	d->front = all->host;
	d->host = host_of_loop(all->host, number);
	d->generation = generation_hold(all->host->generation);
	d->roots = tls_client_hold(all->roots);
	d->hop = arena_copy(&d->arena, lane->hop);
	if (lane->limit > d->route.max_connections)
		lane->limit = (unsigned)d->route.max_connections;
	list_append(&all->deliveries, &d->all_link);
	all->connections++;
	all->lan_connections += is_lan(lane);
	all->of_loop[number]++;
	lane->connections++;
	lane->connecting++;
	loop_post(d->host->loop, delivery_start, d);
	return true;
}

void
outgoing_answer(struct delivery *d, struct item *batch)
{
	list_remove(&d->link);
	list_init(&d->link);
	d->batch = batch;
	loop_post(d->host->loop, delivery_take, d);
}

static size_t
recipients_of(const struct delivery *d)
{
	size_t max = (size_t)d->route.max_recipients;

	return max > 0 && max < OUTGOING_RECIPIENTS ? max : OUTGOING_RECIPIENTS;
}

static void
feed_idle(struct lane *lane)
{
	while (lane->waiting > 0 && !list_is_empty(&lane->idle)) {
		struct delivery *d = LIST_ITEM(lane->idle.next, struct delivery, link);

		outgoing_answer(d, lane_take(lane, recipients_of(d)));
	}
}

static bool
wants_connection(const struct lane *lane)
{
	return lane->connections < lane->limit && lane->connecting < lane->waiting;
}

/* One turn of LANE; true: it may want another one. */
static bool
serve(struct outgoing *all, struct lane *lane)
{
	if (outgoing_rests(all, lane)) {
		outgoing_flush(all, lane);
		return false;
	}
	feed_idle(lane);
	if (!wants_connection(lane) || !connect_lane(all, lane))
		return false;
	return wants_connection(lane);
}

static bool
is_full(const struct outgoing *all)
{
	return all->connections >= (unsigned)all->host->conf->outgoing_max_connections;
}

/* Is there room for a connection of LANE? All LAN targets share lan.deliveries (LAN-05). */
static bool
has_room(const struct outgoing *all, const struct lane *lane)
{
	return !is_full(all) && !(is_lan(lane) &&
		all->lan_connections >= (unsigned)all->host->conf->lan_deliveries);
}

/* A connection to a lane that has none to do makes room for one that has. */
static void
free_an_idle(struct outgoing *all)
{
	struct list *at, *following;

	list_for_each(at, following, &all->lanes.lanes) {
		struct lane *lane = LIST_ITEM(at, struct lane, all);

		if (list_is_empty(&lane->idle) || (!is_full(all) && !is_lan(lane)))
			continue;
		outgoing_answer(LIST_ITEM(lane->idle.next, struct delivery, link), NULL);
		return;
	}
}

void
outgoing_pump(struct outgoing *all)
{
	struct list again, *at;

	list_init(&again);
	while (!all->ending && all->paused == 0 && (at = list_take_first(&all->lanes.ready))) {
		struct lane *lane = LIST_ITEM(at, struct lane, turn);

		list_init(&lane->turn);
		if (has_room(all, lane) || outgoing_rests(all, lane) || !list_is_empty(&lane->idle)) {
			if (serve(all, lane))
				lane_stand(&all->lanes, lane);
		} else if (wants_connection(lane)) {
			list_append(&again, &lane->turn); /* when one has ended */
		}
	}
	if (!list_is_empty(&again))
		free_an_idle(all);
	while ((at = list_take_first(&again)))
		list_append(&all->lanes.ready, at);
}

/* ---- what deliveries tell ---- */

static void
on_answered(struct delivery *d)
{
	struct lane *lane = d->lane;

	if (d->told_answered)
		return;
	d->told_answered = true;
	lane->connecting--;
	lane->failures = 0;
	lane->rests_until_ms = 0;
	lane->limit *= 2;
	if (lane->limit > d->route.max_connections)
		lane->limit = (unsigned)d->route.max_connections;
}

static bool
others_wait(const struct outgoing *all, const struct delivery *d)
{
	return !has_room(all, d->lane) && d->sent >= OUTGOING_TURN_MESSAGES &&
		!list_is_empty(&all->lanes.ready);
}

void
outgoing_on_ask(void *arg)
{
	struct delivery *d = arg;
	struct outgoing *all = d->all;
	struct lane *lane = d->lane;

	on_answered(d);
	if (all->ending || others_wait(all, d) || !outgoing_goes(all, lane->route, 0)) {
		outgoing_answer(d, NULL);
	} else if (lane->waiting > 0) {
		outgoing_answer(d, lane_take(lane, recipients_of(d)));
		if (lane->waiting > 0)
			lane_stand(&all->lanes, lane);
	} else {
		d->idle_since_ms = loop_now_ms(all->host->loop);
		list_append(&lane->idle, &d->link);
		if (!loop_timer_is_set(&all->idle))
			loop_timer_set(all->host->loop, &all->idle, IDLE_LOOK_MS);
	}
	outgoing_pump(all);
}

void
outgoing_on_end(void *arg)
{
	struct delivery *d = arg;
	struct outgoing *all = d->all;
	struct lane *lane = d->lane;

	if (!d->told_answered)
		lane->connecting--;
	lane->connections--;
	all->connections--;
	all->lan_connections -= is_lan(lane);
	all->of_loop[d->host->number]--;
	if (d->failed)
		outgoing_rest(all, lane, d);
	outgoing_tell(all, d);
	lane_stand(&all->lanes, lane);
	list_remove(&d->all_link);
	delivery_free(&d);
	outgoing_pump(all);
}

void
outgoing_on_settled(void *arg)
{
	struct outgoing_returned *r = arg;

	items_forget(&r->all->lanes, r->chain);
	outgoing_expect(r->all, r->next_try_ms);
	free(r);
}

/* ---- timers ---- */

void
outgoing_expect(struct outgoing *all, int64_t due_ms)
{
	int64_t wait_ms = due_ms - host_now_ms(all->host);
	int64_t at_ms = loop_now_ms(all->host->loop) + wait_ms;

	if (due_ms == 0 || all->ending)
		return;
	if (!loop_timer_is_set(&all->due) || all->due.due_ms > at_ms)
		loop_timer_set(all->host->loop, &all->due, wait_ms > 0 ? wait_ms : 1);
}

static void
on_idle(struct loop_timer *timer)
{
	struct outgoing *all = LIST_ITEM(timer, struct outgoing, idle);
	int64_t now_ms = loop_now_ms(all->host->loop);
	struct list *at, *following;
	bool left = false;

	list_for_each(at, following, &all->lanes.lanes) {
		struct lane *lane = LIST_ITEM(at, struct lane, all);

		while (!list_is_empty(&lane->idle)) {
			struct delivery *d = LIST_ITEM(lane->idle.next, struct delivery, link);

			if (d->idle_since_ms + OUTGOING_IDLE_MS > now_ms && !all->ending) {
				left = true;
				break;
			}
			outgoing_answer(d, NULL);
		}
	}
	if (left)
		loop_timer_set(all->host->loop, timer, IDLE_LOOK_MS);
}

static void
on_due(struct loop_timer *timer)
{
	outgoing_scan(LIST_ITEM(timer, struct outgoing, due));
}

static void
on_look(struct loop_timer *timer)
{
	struct outgoing *all = LIST_ITEM(timer, struct outgoing, look);

	lanes_sweep(&all->lanes, host_now_ms(all->host));
	outgoing_scan_all(all);
	loop_timer_set(all->host->loop, timer, OUTGOING_LOOK_MS);
}

/* ---- kicks, from any thread ---- */

static void
on_kick(void *arg)
{
	struct outgoing *all = arg;
	struct list *at, *following;

	all->kicked = false;
	if (!atomic_exchange(&all->look_again, false)) {
		outgoing_scan(all);
		return;
	}
	list_for_each(at, following, &all->lanes.lanes) {
		struct lane *lane = LIST_ITEM(at, struct lane, all);

		if (lane->rests_until_ms != INT64_MAX)
			lane->rests_until_ms = 0;
	}
	outgoing_scan_all(all);
}

void
outgoing_kick(struct host *host)
{
	struct outgoing *all = host->outgoing;

	if (all && !atomic_exchange(&all->kicked, true))
		loop_post(all->host->loop, on_kick, all);
}

void
outgoing_look_again(struct host *host)
{
	if (!host->outgoing)
		return;
	host->outgoing->look_again = true;
	outgoing_kick(host);
}

/* ---- life ---- */

void
outgoing_set_roots(struct outgoing *all, struct tls_client *roots)
{
	tls_client_release(&all->roots);
	all->roots = tls_client_hold(roots);
}

struct outgoing *
outgoing_start(struct host *front, struct tls_client *roots)
{
	struct outgoing *all = calloc(1, sizeof(*all));

	ENSURE(all);
	all->host = front;
	all->roots = tls_client_hold(roots);
	lanes_init(&all->lanes);
	all->records = route_records_new();
	list_init(&all->deliveries);
	loop_timer_init(&all->due, on_due);
	loop_timer_init(&all->idle, on_idle);
	loop_timer_init(&all->look, on_look);
	loop_timer_set(front->loop, &all->look, OUTGOING_LOOK_MS);
	outgoing_scan_all(all);
	return all;
}

void
outgoing_end(struct outgoing *all)
{
	all->ending = true;
	loop_timer_clear(&all->due);
	loop_timer_clear(&all->look);
	loop_timer_set(all->host->loop, &all->idle, 1);
}

bool
outgoing_is_over(const struct outgoing *all)
{
	return all->connections == 0;
}

void
outgoing_free(struct outgoing **allp)
{
	struct outgoing *all = *allp;

	struct list *at;

	*allp = NULL;
	if (!all)
		return;
	while ((at = list_take_first(&all->deliveries))) {
		struct delivery *d = LIST_ITEM(at, struct delivery, all_link);

		delivery_cut(d);
		delivery_free(&d);
	}
	lanes_fini(&all->lanes);
	route_records_free(&all->records);
	tls_client_release(&all->roots);
	free(all);
}
