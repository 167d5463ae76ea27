/*
 * outgoing_turns.c - who gets a connection, and the next message: fair turns, shares and rates (H37).
 *
 * A lane without a connection comes before one that has some; each fourth of those turns goes to the lane that
 * came last. A connection that has done its turn, or is one of many, makes room where all are taken.
 */
#include "conf/lan_threads.h"
#include "server/generation.h"
#include "server/net/tls.h"
#include "server/queue/journal_route.h"
#include "server/queue/outgoing_inside.h"
#include "server/queue/routes.h"
#include "server/queue/spool_door.h"

/* ---- limits ---- */

static unsigned
max_connections(const struct outgoing *all)
{
	return (unsigned)all->host->conf->outgoing_max_connections;
}

/* The share of those that are slow, fail or say nothing; at least one. */
static unsigned
doubtful_share(const struct outgoing *all)
{
	unsigned share = max_connections(all) * OUTGOING_DOUBT_PERCENT / 100;

	return share > 0 ? share : 1;
}

bool
outgoing_is_full(const struct outgoing *all)
{
	unsigned share = doubtful_share(all), most = max_connections(all);
	unsigned beyond = all->stuck > share ? all->stuck - share : 0;

	return all->connections >= most + (beyond < most ? beyond : most);
}

bool
outgoing_lanes_wait(const struct outgoing *all)
{
	return !list_is_empty(&all->lanes.first) ||
		(!list_is_empty(&all->lanes.doubtful) && all->doubtful < doubtful_share(all));
}

static bool
is_doubtful(const struct lane *lane)
{
	return lane->slow || lane->failures > 0;
}

void
outgoing_group_limits(const struct outgoing *all, struct lane_group *group)
{
	const struct conf *conf = all->host->conf;
	const struct conf_route *route = route_named(&conf->outgoing_routes, group->name);

	group->limit = 0;
	group->rate = group->lane_rate = 0;
	if (span_eq(group->name, SPAN(OUTGOING_LAN_GROUP))) {
		group->limit = (unsigned)conf->lan_deliveries;
	} else if (route) {
		group->limit = (unsigned)route->total_connections;
		group->rate = route->total_rate;
		group->lane_rate = route->rate;
	}
}

void
outgoing_limits(struct outgoing *all)
{
	for (struct lane_group *group = all->lanes.groups; group; group = group->next) {
		outgoing_group_limits(all, group);
		outgoing_line_moves(all, group);
	}
}

static bool
group_is_full(const struct lane_group *group)
{
	return group->limit > 0 && group->connections >= group->limit;
}

static bool
may_send_now(const struct outgoing *all, struct lane *lane)
{
	int64_t now_ms = host_now_ms(all->host);

	return pace_allows(&lane->pace, lane->group->lane_rate, now_ms) &&
		pace_allows(&lane->group->pace, lane->group->rate, now_ms);
}

bool
outgoing_owes(const struct outgoing *all)
{
	return all->unsettled >= OUTGOING_UNSETTLED_MAX + all->connections;
}

/* ---- a connection ---- */

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

/* "snf:HOST:PORT": the other server of users of ours. */
static bool
route_of_forward(const struct outgoing *all, struct delivery *d, const struct lane *lane)
{
	const struct conf *conf = all->host->conf;
	struct span server = span_from(lane->route, sizeof(FORWARD_ROUTE_PREFIX) - 1);
	struct snapshot *snap = host_snapshot(all->host);
	struct lan_target target;
	unsigned most =
		lan_target_parse(server, &target) == OK ? lan_threads_max(conf->lan_threads, &target) : 0;

	if (!snap || !store_forward_route(snap, lane->route, lane->hop, &d->route, &d->arena))
		return false;
	d->route.max_connections = most > 0 ? most : conf->lan_deliveries;
	return true;
}

bool
outgoing_route(const struct outgoing *all, struct delivery *d, struct span name)
{
	const struct conf_route *route;

	if (route_is_journal(name))
		return journal_route(all->host->conf, &d->route, &d->arena);
	if (route_is_lan(name))
		return route_of_hop(all->host->conf, d, name);
	route = route_named(&all->host->conf->outgoing_routes, name);
	if (route)
		d->route = *route;
	return route;
}

/* False: its route is gone or its connection down. What waits is read again later: for another, or when it may. */
static bool
connect_lane(struct outgoing *all, struct lane *lane)
{
	struct delivery *d = delivery_new();
	unsigned number = quietest_loop(all);
	bool found = outgoing_goes(all, lane->route, 0) &&
		(forward_route_is(lane->route) ? route_of_forward(all, d, lane)
					       : outgoing_route(all, d, lane->route));

	if (!found) {
		delivery_free(&d);
		lane_forget(&all->lanes, lane);
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
	d->heard_ms = d->given_ms = loop_now_ms(all->host->loop);
	outgoing_doubt(all, d, is_doubtful(lane));
	all->connections++;
	lane->group->connections++;
	all->of_loop[number]++;
	lane->connections++;
	lane->connecting++;
	loop_post(d->host->loop, delivery_start, d);
	return true;
}

/* ---- the next message ---- */

void
outgoing_answer(struct outgoing *all, struct delivery *d, struct item *batch)
{
	list_remove(&d->link);
	list_remove(&d->idle_link);
	list_remove(&d->group_link);
	d->batch = batch;
	d->given_ms = loop_now_ms(all->host->loop);
	d->heard_ms = d->given_ms;
	for (struct item *item = batch; item; item = item->next)
		item->is_given = true;
	if (batch) {
		all->unsettled++;
		d->turn_messages++;
	} else if (!d->is_leaving) {
		d->is_leaving = true;
		all->leaving++;
	}
	loop_post(d->host->loop, delivery_take, d);
}

/* What is read half does not go yet, for its recipients go together (OUT-19). */
static bool
has_next(const struct outgoing *all, struct lane *lane)
{
	uint64_t queue_id = lane_next_entry(lane);

	return queue_id != 0 && queue_id != all->half_read;
}

static size_t
recipients_of(const struct delivery *d)
{
	size_t max = (size_t)d->route.max_recipients;
	size_t room = d->route.kind == ROUTE_SPOOL ? SPOOL_DOOR_RECIPIENTS : OUTGOING_RECIPIENTS;

	return max > 0 && max < room ? max : room;
}

static void
give(struct outgoing *all, struct delivery *d)
{
	struct lane *lane = d->lane;
	int64_t now_ms = host_now_ms(all->host);

	pace_note(&lane->pace, lane->group->lane_rate, now_ms);
	pace_note(&lane->group->pace, lane->group->rate, now_ms);
	outgoing_answer(all, d, lane_take(lane, recipients_of(d)));
	if (lane->left_out && lane->waiting <= lane_room(&all->lanes, OUTGOING_ITEMS_MAX) / 4)
		outgoing_scan_left(all, lane);
}

/* A connection that has done some work makes room for a lane that has none. */
static bool
turn_is_over(const struct outgoing *all, const struct delivery *d)
{
	const struct lane *next;
	bool done = d->turn_messages >= OUTGOING_TURN_MESSAGES ||
		loop_now_ms(all->host->loop) - d->turn_ms >= OUTGOING_TURN_MS;

	if (!outgoing_is_full(all))
		return false;
	if (!list_is_empty(&all->lanes.first))
		return d->lane->connections > 1 || (done && d->turn_messages > 0);
	if (list_is_empty(&all->lanes.more))
		return false;
	next = LIST_ITEM(all->lanes.more.next, struct lane, turn);
	return next->connections + 1 < d->lane->connections;
}

/* Its route may have another server, or another account, since it connected. */
static bool
is_of_old_settings(const struct outgoing *all, const struct delivery *d)
{
	return d->generation != all->host->generation;
}

void
outgoing_feed(struct outgoing *all, struct delivery *d)
{
	struct lane *lane = d->lane;

	if (all->ending || is_of_old_settings(all, d) || (lane->waiting > 0 && turn_is_over(all, d)) ||
		outgoing_rests(all, lane) || !outgoing_goes(all, lane->route, 0) ||
		!outgoing_disk_allows(all, true)) {
		outgoing_answer(all, d, NULL);
	} else if (lane->waiting > 0 && outgoing_owes(all)) {
		list_append(&all->asking, &d->link);
	} else if (has_next(all, lane) && may_send_now(all, lane)) {
		give(all, d);
	} else {
		d->idle_since_ms = loop_now_ms(all->host->loop);
		list_append(&lane->idle, &d->link);
		list_append(&all->idle_ones, &d->idle_link);
		list_append(&lane->group->idle, &d->group_link);
	}
}

void
outgoing_end_old(struct outgoing *all)
{
	struct list *at, *following;

	list_for_each (at, following, &all->idle_ones) {
		struct delivery *d = LIST_ITEM(at, struct delivery, idle_link);

		if (is_of_old_settings(all, d))
			outgoing_answer(all, d, NULL);
	}
}

static void
feed_idle(struct outgoing *all, struct lane *lane)
{
	while (has_next(all, lane) && !list_is_empty(&lane->idle) && may_send_now(all, lane) &&
		!outgoing_owes(all)) {
		struct delivery *d = LIST_ITEM(lane->idle.next, struct delivery, link);

		d->turn_ms = loop_now_ms(all->host->loop);
		d->turn_messages = 0;
		give(all, d);
	}
}

/* ---- lines ---- */

static bool
wants_connection(const struct lane *lane)
{
	return lane->connections < lane->limit && lane->connecting < lane->waiting;
}

/* One that has nothing to do makes room for the next one of its group. */
static void
end_idle_of(struct outgoing *all, struct lane_group *group)
{
	if (!list_is_empty(&group->idle))
		outgoing_answer(all, LIST_ITEM(group->idle.next, struct delivery, group_link), NULL);
}

static struct list *
line_of(struct outgoing *all, struct lane *lane)
{
	struct lanes *l = &all->lanes;

	if (outgoing_rests(all, lane))
		return &l->refused;
	feed_idle(all, lane);
	if (lane->waiting > 0 && !may_send_now(all, lane))
		return &l->paced;
	if (!wants_connection(lane))
		return NULL;
	if (group_is_full(lane->group)) {
		end_idle_of(all, lane->group);
		return &lane->group->line;
	}
	if (is_doubtful(lane))
		return &l->doubtful;
	return lane->connections > 0 ? &l->more : &l->first;
}

void
outgoing_stand(struct outgoing *all, struct lane *lane)
{
	struct list *line;

	if (all->ending || lane->waiting == 0 || !list_is_empty(&lane->turn))
		return;
	line = line_of(all, lane);
	if (line)
		lane_stand(&all->lanes, lane, line);
	if (line == &all->lanes.paced)
		outgoing_watch(all);
}

void
outgoing_filled(struct outgoing *all, struct lane *lane)
{
	if (!all->ending && !outgoing_rests(all, lane))
		feed_idle(all, lane); /* also where it stands in a line already */
	outgoing_stand(all, lane);
}

void
outgoing_line_moves(struct outgoing *all, struct lane_group *group)
{
	struct lane *lane;

	while (!group_is_full(group) && (lane = lane_next(&all->lanes, &group->line, false))) {
		outgoing_stand(all, lane);
		if (group->limit > 0)
			return; /* one connection has ended; serve() brings the others */
	}
}

/* Whose turn it is; NULL: nobody's. */
static struct lane *
next_lane(struct outgoing *all)
{
	struct lanes *l = &all->lanes;
	bool doubtful = !list_is_empty(&l->doubtful) && all->doubtful < doubtful_share(all);
	bool others = !list_is_empty(&l->first) || !list_is_empty(&l->more);

	if (outgoing_is_full(all) || (!doubtful && !others))
		return NULL;
	all->turns++;
	if (doubtful && (!others || all->turns % 2 == 0))
		return lane_next(l, &l->doubtful, false);
	if (!list_is_empty(&l->first))
		return lane_next(l, &l->first, all->turns % OUTGOING_NEWEST_TURN == 1);
	return lane_next(l, &l->more, false);
}

/* One turn of LANE, which may have changed since it stood there. */
static void
serve(struct outgoing *all, struct lane *lane)
{
	struct list *line = line_of(all, lane);

	if (line == &all->lanes.first || line == &all->lanes.more || line == &all->lanes.doubtful) {
		if (!connect_lane(all, lane))
			return;
	}
	outgoing_stand(all, lane);
	outgoing_line_moves(all, lane->group);
}

/* Connections that have nothing to do make room for lanes that have none. */
static void
make_room(struct outgoing *all)
{
	while (outgoing_is_full(all) && all->leaving < all->lanes.first_count &&
		!list_is_empty(&all->idle_ones))
		outgoing_answer(all, LIST_ITEM(all->idle_ones.next, struct delivery, idle_link), NULL);
}

void
outgoing_pump(struct outgoing *all)
{
	struct lane *lane;

	if (all->ending)
		return;
	while (all->flushes < OUTGOING_ALL_FLUSHES &&
		(lane = lane_next(&all->lanes, &all->lanes.refused, false))) {
		outgoing_flush(all, lane);
		if (!outgoing_rests(all, lane))
			outgoing_stand(all, lane);
	}
	while (all->paused == 0 && outgoing_disk_allows(all, false) && (lane = next_lane(all)))
		serve(all, lane);
	make_room(all);
	if (all->connections > 0)
		outgoing_watch(all);
}
