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
	for (const struct list *at = all->lanes.lanes.next; at != &all->lanes.lanes; at = at->next)
		see(LIST_ITEM(at, struct lane, all), arg);
}

struct outgoing_stats
outgoing_stats(const struct outgoing *all)
{
	struct outgoing_stats s = { .items = all->lanes.item_count,
		.lanes = all->lanes.lane_count, .connections = all->connections };
	const struct list *at;

	for (at = all->lanes.lanes.next; at != &all->lanes.lanes; at = at->next)
		s.resting += outgoing_rests(all, LIST_ITEM(at, struct lane, all));
	return s;
}

void
outgoing_why(const struct outgoing *all, struct span sender, struct span recipient,
	struct span route, char *text, size_t size)
{
	const struct conf *conf = all->host->conf;
	const struct lane *lane;
	const char *why;
	struct way way;

	text[0] = '\0';
	if (conf->outgoing_routes.count == 0 && !span_starts_nocase(route, SPAN(OUTGOING_HOP_PREFIX))) {
		snprintf(text, size, "no route is configured: it waits (outgoing.routes)");
		return;
	}
	if (!outgoing_way(conf, sender, recipient, route, &way, &why)) {
		snprintf(text, size, "%s", why);
		return;
	}
	if (connect_why(all->host, route_named(&conf->outgoing_routes, way.route), text, size))
		return;
	lane = lane_find(&all->lanes, way.route, way.hop);
	if (lane && outgoing_rests(all, lane))
		snprintf(text, size, "the destination rests after: %s", lane->why);
	else if (lane && lane->connecting > 0 && lane->connections == lane->connecting)
		snprintf(text, size, "a connection by the route %.*s is being made",
			SPAN_FMT(way.route));
	else if (lane && lane->connections > 0)
		snprintf(text, size, "in line for the route %.*s: %zu wait, %u connections",
			SPAN_FMT(way.route), lane->waiting, lane->connections);
	else
		snprintf(text, size, "in line for the route %.*s", SPAN_FMT(way.route));
}
