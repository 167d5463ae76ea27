/*
 * outgoing_hold.c - mail of some routes, on behalf of their connection: is there work, and let go of it.
 *
 * What waits for a connection is not in memory (H37): it is read from the store again when the connection
 * may be used.
 */
#include <stdio.h>

#include "server/connect/connect.h"
#include "server/queue/outgoing_inside.h"
#include "server/queue/routes.h"

bool
outgoing_goes(const struct outgoing *all, struct span route, int64_t arrived_ms)
{
	const struct conf_route *found = route_named(&all->host->conf->outgoing_routes, route);

	return !found || connect_takes(all->host, found, arrived_ms);
}

void
outgoing_tell(struct outgoing *all, const struct delivery *d)
{
	const struct conf_route *route =
		route_named(&all->host->conf->outgoing_routes, d->lane->route);
	char why[LANE_WHY_SIZE * 2];

	if (!route)
		return;
	connect_sent(all->host, route, d->sent);
	snprintf(why, sizeof(why), "%s%s%.*s", d->remote, d->remote[0] ? ": " : "",
		SPAN_FMT(d->why.text));
	if (d->cut)
		connect_server_failed(all->host, route, true, why);
	else if (d->failed && !d->for_good && route->kind == ROUTE_RELAY)
		connect_server_failed(all->host, route, false, why);
	else if (d->sent > 0)
		connect_server_answered(all->host, route);
}

static bool
has_work(const struct lane *lane)
{
	return lane->connections > 0 || lane->flushes > 0 ||
		(lane->waiting > 0 && lane->rests_until_ms != INT64_MAX);
}

enum outgoing_work
outgoing_work(const struct outgoing *all, outgoing_filter mine, void *arg)
{
	const struct lane *lane;

	lanes_for_each(lane, &all->lanes)
		if (has_work(lane) && mine(arg, lane->route))
			return OUTGOING_BUSY;
	return all->kicked || all->scans ? OUTGOING_READS : OUTGOING_IDLE;
}

void
outgoing_drop(struct outgoing *all, outgoing_filter mine, void *arg)
{
	struct lane *lane;

	if (!all)
		return;
	lanes_for_each(lane, &all->lanes) {
		if ((lane->waiting == 0 && list_is_empty(&lane->idle)) || !mine(arg, lane->route))
			continue;
		lane_forget(&all->lanes, lane);
		while (!list_is_empty(&lane->idle))
			outgoing_answer(all, LIST_ITEM(lane->idle.next, struct delivery, link), NULL);
	}
}
