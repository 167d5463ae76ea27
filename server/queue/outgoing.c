/*
 * outgoing.c - the life of outgoing mail: what deliveries ask and tell, timers, kicks.
 */
#include "server/queue/outgoing.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "server/net/tls.h"
#include "server/queue/outgoing_inside.h"

/* ---- what deliveries tell ---- */

static void
on_answered(struct outgoing *all, struct delivery *d)
{
	struct lane *lane = d->lane;
	unsigned most = (unsigned)d->route.max_connections;

	if (d->told_answered)
		return;
	d->told_answered = true;
	lane->connecting--;
	lane->failures = 0;
	lane->rests_until_ms = 0;
	if (lane->ceiling_until_ms > host_now_ms(all->host) && lane->ceiling < most)
		most = lane->ceiling;
	lane->limit = lane->limit * 2 > most ? most : lane->limit * 2;
}

/* How long the message, or the connection, took: who is slow shall not have all connections. */
static void
judge_pace(struct outgoing *all, struct delivery *d)
{
	int64_t now_ms = loop_now_ms(all->host->loop);

	d->lane->slow = now_ms - d->given_ms > OUTGOING_SLOW_MS;
	outgoing_doubt(all, d, d->lane->slow);
	if (d->turn_messages == 0 && d->turn_ms == 0)
		d->turn_ms = now_ms;
}

void
outgoing_on_ask(void *arg)
{
	struct delivery *d = arg;
	struct outgoing *all = d->all;

	on_answered(all, d);
	judge_pace(all, d);
	outgoing_feed(all, d);
	outgoing_stand(all, d->lane);
	outgoing_pump(all);
}

static void
forget_delivery(struct delivery *d)
{
	list_remove(&d->link);
	list_remove(&d->idle_link);
	list_remove(&d->group_link);
	list_remove(&d->all_link);
	delivery_free(&d);
}

void
outgoing_on_end(void *arg)
{
	struct delivery *d = arg;
	struct outgoing *all = d->all;
	struct lane *lane = d->lane;

	outgoing_doubt(all, d, false);
	if (!d->told_answered)
		lane->connecting--;
	lane->connections--;
	lane->group->connections--;
	all->connections--;
	all->leaving -= d->is_leaving;
	all->of_loop[d->host->number]--;
	if (d->failed)
		outgoing_rest(all, lane, d);
	outgoing_tell(all, d);
	outgoing_stand(all, lane);
	outgoing_line_moves(all, lane->group);
	d->is_over = true;
	if (!d->is_cut)
		forget_delivery(d);
	outgoing_pump(all);
}

void
outgoing_on_given_up(void *arg)
{
	struct delivery *d = arg;

	d->is_cut = false;
	if (d->is_over)
		forget_delivery(d);
}

void
outgoing_on_settled(void *arg)
{
	struct outgoing_returned *r = arg;
	struct outgoing *all = r->all;

	if (r->lane)
		lane_give_back(r->lane, r->chain);
	else
		items_forget(&all->lanes, r->chain);
	all->unsettled--;
	outgoing_expect(all, r->next_try_ms);
	free(r);
	outgoing_scan_on(all);
	while (!list_is_empty(&all->asking) && !outgoing_owes(all))
		outgoing_feed(all, LIST_ITEM(list_take_first(&all->asking), struct delivery, link));
	outgoing_pump(all);
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
on_due(struct loop_timer *timer)
{
	outgoing_scan(LIST_ITEM(timer, struct outgoing, due));
}

static void
on_look(struct loop_timer *timer)
{
	struct outgoing *all = LIST_ITEM(timer, struct outgoing, look);

	outgoing_scan_all(all);
	loop_timer_set(all->host->loop, timer, OUTGOING_LOOK_MS);
}

/* ---- kicks, from any thread ---- */

static bool
is_forward(void *arg, struct span route)
{
	(void)arg;
	return forward_route_is(route);
}

static void
on_kick(void *arg)
{
	struct outgoing *all = arg;

	all->kicked = false;
	if (!atomic_exchange(&all->look_again, false)) {
		outgoing_scan(all);
		return;
	}
	all->lanes.epoch++; /* nobody rests any more */
	outgoing_end_old(all);
	outgoing_drop(all, is_forward, NULL); /* a user may have another server by now */
	outgoing_limits(all);
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

struct tls_client *
outgoing_roots(const struct outgoing *all)
{
	return tls_client_hold(all->roots);
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
	list_init(&all->probes);
	list_init(&all->idle_ones);
	list_init(&all->asking);
	loop_timer_init(&all->due, on_due);
	loop_timer_init(&all->watch, outgoing_on_watch);
	loop_timer_init(&all->look, on_look);
	outgoing_disk_init(all);
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
	loop_timer_clear(&all->watch);
	loop_timer_clear(&all->disk_look);
	while (!list_is_empty(&all->asking))
		outgoing_answer(all, LIST_ITEM(all->asking.next, struct delivery, link), NULL);
	outgoing_end_idle(all);
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
	while ((at = list_take_first(&all->probes)) || (at = list_take_first(&all->deliveries))) {
		struct delivery *d = LIST_ITEM(at, struct delivery, all_link);

		delivery_cut(d);
		delivery_free(&d);
	}
	lanes_fini(&all->lanes);
	route_records_free(&all->records);
	tls_client_release(&all->roots);
	free(all);
}
