/*
 * outgoing_scan.c - from the due index into lanes, a slice in each turn of the loop (H36, H37).
 *
 * The place of reading moves on; what is known already is passed over, so that it may be set back at any
 * time: by a minute whenever something was added, for commits do not follow the order of their times, and to
 * the begin each minute, and when an operator releases or retries.
 */
#include <string.h>

#include "server/queue/outgoing_inside.h"
#include "server/queue/routes.h"
#include "store/store.h"

#define NO_ROUTE "no route fits: see outgoing.routes and their domains"
#define NO_FORWARD "the user has no store and forward server (user set)"
#define NO_JOURNAL "the journal has no server (journal set server=HOST:PORT)"
#define LOST_ROUTE "the route of the recipient is not configured"

bool
outgoing_way(const struct conf *conf, struct span sender, struct span recipient,
	struct span route_name, struct way *way, const char **why)
{
	const struct conf_route *route;

	*why = "";
	*way = (struct way){ route_name, SPAN("") };
	if (route_is_journal(route_name) && conf->journal_server.len == 0) {
		*why = NO_JOURNAL;
		return false;
	}
	if (route_is_lan(route_name))
		return true;
	route = route_name.len > 0 ? route_named(&conf->outgoing_routes, route_name) :
				     route_choose(&conf->outgoing_routes, sender, recipient);
	if (!route) {
		*why = route_name.len > 0 ? LOST_ROUTE : NO_ROUTE;
		return false;
	}
	way->route = route->name;
	if (route->kind == ROUTE_DIRECT)
		way->hop = route_domain(recipient);
	return true;
}

bool
outgoing_way_now(const struct conf *conf, struct snapshot *snap, struct way_ask *ask,
	struct way *way, const char **why)
{
	if (!forward_route_is(ask->route_name))
		return outgoing_way(conf, ask->sender, ask->recipient, ask->route_name, way, why);
	*why = NO_FORWARD;
	if (!snap || store_forward_way(snap, ask->route_name, &ask->room) != OK)
		return false;
	*way = (struct way){ span_of(ask->room.route), span_of(ask->room.hop) };
	return true;
}

/* ---- one row ---- */

static enum err
see_entry(struct outgoing *all, struct snapshot *snap, uint64_t queue_id)
{
	enum err err;

	if (all->seen.queue_id == queue_id)
		return OK;
	all->seen.queue_id = 0;
	err = queued_find(snap, queue_id, &all->seen);
	if (err != OK)
		return err;
	memcpy(all->sender, all->seen.sender.len > 0 ? all->seen.sender.ptr : "",
		all->seen.sender.len);
	all->seen.sender = (struct span){ all->sender, all->seen.sender.len };
	all->seen.queue_id = queue_id;
	return OK;
}

/* Without any route in the file mail for elsewhere is not even tried. */
static bool
may_leave(const struct conf *conf, struct span route_name)
{
	return conf->outgoing_routes.count > 0 || route_is_lan(route_name);
}

/* NULL: its connection may not be used now. */
static struct lane *
lane_of_recipient(struct outgoing *all, struct snapshot *snap, const struct queued_recipient *r)
{
	struct way_ask ask = {
		.sender = all->seen.sender, .recipient = r->address, .route_name = r->route };
	struct lanes *l = &all->lanes;
	const char *why;
	struct way way;
	struct lane *lane;

	if (store_forward_waits(snap, r->route))
		return NULL; /* read again when it is done */
	if (outgoing_way_now(all->host->conf, snap, &ask, &way, &why)) {
		size_t known = l->lane_count;

		if (!outgoing_goes(all, way.route, all->seen.received_ms))
			return NULL; /* read again when it may */
		lane = lane_of(l, route_is_lan(way.route) ? SPAN(OUTGOING_LAN_GROUP) : way.route,
			way.route, way.hop);
		if (l->lane_count > known)
			outgoing_group_limits(all, lane->group);
		return lane;
	}
	lane = lane_of(l, SPAN(""), SPAN(""), span_of(why)); /* of those that have none: it rests for ever */
	lane->rests_until_ms = INT64_MAX;
	memcpy(lane_failure(lane)->why, why, strlen(why) + 1);
	return lane;
}

/* OUT-03. */
static bool
smaller_first(const struct outgoing *all, const struct lane *lane)
{
	const struct conf_route *route = route_named(&all->host->conf->outgoing_routes, lane->route);

	return route && route->smaller_first;
}

static bool
is_before(const struct queued_due *a, const struct queued_due *b)
{
	if (a->due_ms != b->due_ms)
		return a->due_ms < b->due_ms;
	return a->queue_id != b->queue_id ? a->queue_id < b->queue_id :
					    a->recipient_no < b->recipient_no;
}

/* No room in its lane: read again from BEFORE on when there is some. */
static void
leave_out(struct outgoing *all, struct lane *lane, const struct queued_due *before)
{
	lane->left_out = true;
	if (!all->left || is_before(before, &all->left_at))
		all->left_at = *before;
	all->left = true;
}

/* The row DUE, which follows BEFORE. */
static void
add_row(struct outgoing *all, struct snapshot *snap, const struct queued_due *due,
	const struct queued_due *before)
{
	struct queued_recipient r;
	struct lane *lane;

	if (item_find(&all->lanes, due->queue_id, due->recipient_no) ||
		see_entry(all, snap, due->queue_id) != OK ||
		queued_recipient_find(snap, due->queue_id, due->recipient_no, &r) != OK ||
		r.state == QUEUED_GONE || !may_leave(all->host->conf, r.route))
		return;
	lane = lane_of_recipient(all, snap, &r);
	if (!lane)
		return;
	if (lane->waiting >= lane_room(&all->lanes, OUTGOING_ITEMS_MAX)) {
		leave_out(all, lane, before);
		return;
	}
	if (smaller_first(all, lane))
		item_add_by_size(&all->lanes, lane,
			(struct item_name){ due->queue_id, due->recipient_no }, all->seen.size_bytes);
	else
		item_add(&all->lanes, lane, due->queue_id, due->recipient_no);
}

static bool
has_room(const struct outgoing *all)
{
	return all->lanes.item_count < OUTGOING_ITEMS_MAX && all->lanes.lane_count < LANES_MAX;
}

/* ---- slices ---- */

static void
on_slice(void *arg);

static void
post_slice(struct outgoing *all)
{
	if (all->scans || all->ending)
		return;
	all->scans = true;
	loop_post(all->host->loop, on_slice, all);
}

/*
 * True: there may be more that is due now. An entry is read to its end where that is near, for the next slice
 * may begin elsewhere (outgoing_scan()).
 */
static bool
read_slice(struct outgoing *all, struct snapshot *snap)
{
	int64_t now_ms = host_now_ms(all->host);
	enum err err = OK;

	for (unsigned i = 0; i < 2 * OUTGOING_SCAN_ROWS; i++) {
		struct queued_due next = all->at;

		all->stopped = !has_room(all);
		if (all->stopped) { /* outgoing_scan_on() goes on */
			outgoing_watch(all);
			return false;
		}
		err = queued_due_next(snap, &next);
		if (err != OK) /* ERR_CORRUPT too: nobody gets past such a key until it is mended */
			return false;
		if (next.due_ms > now_ms) {
			outgoing_expect(all, next.due_ms);
			return false;
		}
		if (i >= OUTGOING_SCAN_ROWS && next.queue_id != all->at.queue_id)
			return true;
		add_row(all, snap, &next, &all->at);
		all->at = next;
	}
	return true;
}

/* What was added goes, but for the entry at which the slice ended. */
static void
tell_filled(struct outgoing *all)
{
	struct list *at, *following;

	list_for_each(at, following, &all->lanes.filled) {
		struct lane *lane = LIST_ITEM(at, struct lane, filled_link);

		if (lane->newest_id != all->half_read)
			list_remove(&lane->filled_link);
		outgoing_filled(all, lane);
	}
}

static void
on_slice(void *arg)
{
	struct outgoing *all = arg;
	struct snapshot *snap;
	bool more = false;

	all->scans = false;
	all->seen.queue_id = 0;
	if (all->ending)
		return;
	host_snapshot_close(all->host); /* nobody holds it here; what was just committed is seen */
	snap = host_snapshot(all->host);
	if (snap)
		more = read_slice(all, snap);
	all->half_read = more ? all->at.queue_id : 0;
	tell_filled(all);
	outgoing_pump(all);
	if (more)
		post_slice(all);
}

void
outgoing_scan(struct outgoing *all)
{
	int64_t behind_ms = host_now_ms(all->host) - OUTGOING_BEHIND_MS;

	if (all->at.due_ms > behind_ms)
		all->at = (struct queued_due){ .due_ms = behind_ms };
	post_slice(all);
}

void
outgoing_scan_all(struct outgoing *all)
{
	all->at = (struct queued_due){ .due_ms = 0 };
	post_slice(all);
}

void
outgoing_scan_left(struct outgoing *all, struct lane *lane)
{
	lane->left_out = false;
	if (all->left && is_before(&all->left_at, &all->at))
		all->at = all->left_at;
	all->left = false;
	post_slice(all);
}

void
outgoing_scan_on(struct outgoing *all)
{
	if (all->stopped && all->lanes.item_count < OUTGOING_ITEMS_MAX / 4 * 3 &&
		all->lanes.lane_count < LANES_MAX / 8 * 7)
		post_slice(all);
}
