/*
 * outgoing_look.c - what is shown of outgoing mail, and the pause.
 */
#include <stdio.h>

#include "server/connect/connect.h"
#include "server/queue/outgoing_inside.h"
#include "server/queue/routes.h"

void
outgoing_pause(struct outgoing *all)
{
	all->paused++;
}

void
outgoing_resume(struct outgoing *all)
{
	all->paused--;
	outgoing_pump(all);
}

void
outgoing_record(const struct outgoing *all, struct span route, struct route_record *out)
{
	route_records_find(all->records, route, out);
}

void
outgoing_record_note(const struct outgoing *all, const struct outcome *o, int64_t now_ms)
{
	route_records_note(all->records, o, now_ms);
}

void
outgoing_each(const struct outgoing *all, void (*see)(const struct lane *lane, void *arg), void *arg)
{
	const struct lane *lane;

	lanes_for_each(lane, &all->lanes)
		see(lane, arg);
}

bool
outgoing_sends(const struct outgoing *all, uint64_t queue_id, uint32_t recipient_no)
{
	const struct item *item = item_find(&all->lanes, queue_id, recipient_no);

	return item && item->is_given;
}

struct outgoing_stats
outgoing_stats(const struct outgoing *all)
{
	struct outgoing_stats s = { .items = all->lanes.item_count,
		.lanes = all->lanes.lane_count, .connections = all->connections,
		.slow = all->doubtful };
	const struct lane *lane;

	lanes_for_each(lane, &all->lanes)
		s.resting += outgoing_rests(all, lane);
	return s;
}

static bool
pace_is_open(const struct outgoing *all, const struct lane *lane)
{
	struct pace own = lane->pace, shared = lane->group->pace;
	int64_t now_ms = host_now_ms(all->host);

	return pace_allows(&own, lane->group->lane_rate, now_ms) &&
		pace_allows(&shared, lane->group->rate, now_ms);
}

void
outgoing_why(const struct outgoing *all, struct span sender, struct span recipient,
	struct span route, char *text, size_t size)
{
	struct way_ask ask = { .sender = sender, .recipient = recipient, .route_name = route };
	const struct conf *conf = all->host->conf;
	const struct lane *lane;
	const char *why;
	struct way way;

	text[0] = '\0';
	if (conf->outgoing_routes.count == 0 && !route_is_lan(route)) {
		snprintf(text, size, "no route is configured: it waits (outgoing.routes)");
		return;
	}
	if (!outgoing_way_now(conf, host_snapshot(all->host), &ask, &way, &why)) {
		snprintf(text, size, "%s", why);
		return;
	}
	if (outgoing_disk_why(all, text, size))
		return;
	if (connect_why(all->host, route_named(&conf->outgoing_routes, way.route), text, size))
		return;
	lane = lane_find(&all->lanes, way.route, way.hop);
	if (lane && outgoing_rests(all, lane))
		snprintf(text, size, "the destination rests after: %s", lane_last_failure(lane)->why);
	else if (lane && lane->group->limit > 0 && lane->group->connections >= lane->group->limit)
		snprintf(text, size, "in line: all %u connections of %.*s are in use",
			lane->group->limit, SPAN_FMT(lane->group->name));
	else if (lane && !pace_is_open(all, lane))
		snprintf(text, size, "the rate of the route %.*s is reached", SPAN_FMT(way.route));
	else if (lane && lane->connecting > 0 && lane->connections == lane->connecting)
		snprintf(text, size, "a connection by the route %.*s is being made",
			SPAN_FMT(way.route));
	else if (lane && lane->connections > 0)
		snprintf(text, size, "in line for the route %.*s: %u wait, %u connections",
			SPAN_FMT(way.route), lane->waiting, lane->connections);
	else
		snprintf(text, size, "in line for the route %.*s", SPAN_FMT(way.route));
}
