/*
 * connect_when.c - what begins a run: schedules, people who checked mail, the file connect.now, urgent
 * mail, a link that others brought up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/connect/connect_inside.h"
#include "server/queue/outgoing.h"
#include "server/queue/routes.h"
#include "server/shared.h"
#include "store/queued.h"
#include "store/store.h"

#define JUMP_MS 2000 /* further apart, and the clock was set */
#define URGENT_RECIPIENTS 100 /* of one message that are looked at */

/* ---- schedules ---- */

void
connect_read_schedules(struct connect *all)
{
	const struct conf *conf = all->host->conf;
	struct timetable t;

	if (all->firings_of == conf)
		return;
	for (size_t i = 0; i < conf->schedules.count; i++) {
		timetable_read(&conf->schedules.items[i], &t);
		firing_start(&all->firings[i], &t, all->wall_ms, host_zone_minutes);
	}
	all->firings_of = conf;
}

/* SCH-05. */
static bool
was_just_connected(const struct connect *all, const struct conf_schedule *s)
{
	int64_t skip_ms = all->host->conf->scheduling_skip_ms;
	int64_t now_ms = host_now_ms(all->host);
	struct connect_view v;

	for (size_t i = 0; skip_ms > 0 && connect_view_at(all, i, &v); i++) {
		int64_t last_ms = v.ended_ms > v.last_ms ? v.ended_ms : v.last_ms;

		if (last_ms == 0 || (!v.runs && now_ms - last_ms > skip_ms) || now_ms < last_ms)
			continue;
		log_put(all->host->log,
			&(struct log_line){ .level = LEVEL_INFO, .area = "connect",
				.text = "skipped, there was a connection just before",
				.fields = { { "schedule", s->name, 0 }, { "connection", v.name, 0 } } });
		return true;
	}
	return false;
}

static void
start_of(struct connect *all, const struct conf_schedule *s, const char *because)
{
	const struct conf *conf = all->host->conf;

	for (size_t i = 0; i < connection_count(conf); i++) {
		struct connection *c = connect_named(all, connection_at(conf, i)->name);

		if (c && connection_is_of(s, connection_at(conf, i)))
			connection_start(c, because);
	}
}

static void
look_at_schedules(struct connect *all, bool jumped)
{
	const struct conf *conf = all->host->conf;
	int64_t now_ms = host_now_ms(all->host);
	char because[CONNECT_BECAUSE_SIZE];
	struct timetable t;

	connect_read_schedules(all);
	for (size_t i = 0; i < conf->schedules.count; i++) {
		const struct conf_schedule *s = &conf->schedules.items[i];

		timetable_read(s, &t);
		if (!firing_is_due(&all->firings[i], &t, now_ms, jumped,
			    conf->scheduling_clock_changes, host_zone_minutes) ||
			!s->enabled || was_just_connected(all, s))
			continue;
		snprintf(because, sizeof(because), "schedule %.*s", SPAN_FMT(s->name));
		start_of(all, s, because);
	}
}

/* ---- people (SCH-06) ---- */

static void
start_primary(struct connect *all, const char *because)
{
	const struct connect_wanted w = { .which = CONNECT_PRIMARY, .because = because };

	if (connect_now(all, &w) == 0)
		log_put(all->host->log,
			&(struct log_line){ .level = LEVEL_WARNING, .area = "connect",
				.text = "no connection is primary, none starts",
				.fields = { { "because", span_of(because), 0 } } });
}

static void
look_at_people(struct connect *all)
{
	const struct conf *conf = all->host->conf;
	size_t people = shared_people(all->host->shared);
	char because[CONNECT_BECAUSE_SIZE];

	if (conf->scheduling_people == 0 || people < (size_t)conf->scheduling_people) {
		all->people_due_ms = 0;
		return;
	}
	if (all->people_due_ms == 0)
		all->people_due_ms = host_steady_ms(all->host) + conf->scheduling_people_ms;
	if (host_steady_ms(all->host) < all->people_due_ms)
		return;
	snprintf(because, sizeof(because), "%zu people checked their mail", people);
	shared_people_forget(all->host->shared);
	all->people_due_ms = 0;
	start_primary(all, because);
}

/* ---- the file (CON-13) ---- */

static void
look_at_file(struct connect *all)
{
	struct span folder = all->host->conf->scheduling_drop;
	char path[4096 + sizeof(CONNECT_FILE)];

	if (folder.len == 0)
		return;
	snprintf(path, sizeof(path), "%.*s/" CONNECT_FILE, SPAN_FMT(folder));
	if (unlink(path) == 0) /* it was there, and is taken once */
		start_primary(all, "the file " CONNECT_FILE);
}

/* ---- links that others bring up (CON-08) ---- */

void
connection_seen(struct connection *c, bool up)
{
	const struct conf_connection *conf = connection_now(c);
	int64_t now_ms = host_steady_ms(c->all->host);
	bool was = c->seen_up;

	c->watch_at_ms = now_ms + CONNECT_WATCH_MS;
	c->seen_up = up;
	if (!up) {
		c->was_used = c->held = false;
		if (was) {
			connection_log(c, LEVEL_INFO, "the link has dropped");
			outgoing_drop(c->all->host->outgoing, connection_has_route, c);
		}
	} else if (conf && (!c->was_used || (!conf->autoconnect_once && now_ms >= c->use_at_ms))) {
		c->use_at_ms = now_ms + conf->autoconnect_every_ms;
		connection_use(c, "the link is up");
	} else if (!was) {
		outgoing_look_again(c->all->host);
	}
}

static void
look_at_links(struct connect *all)
{
	const struct conf *conf = all->host->conf;
	int64_t now_ms = host_steady_ms(all->host);

	for (size_t i = 0; i < connection_count(conf); i++) {
		const struct conf_connection *row = connection_at(conf, i);
		struct connection *c = connect_named(all, row->name);

		if (!c || c->runs || row->kind != CONNECTION_LINK || !row->autoconnect ||
			!connection_can_ask(row) || now_ms < c->watch_at_ms)
			continue;
		c->watch_at_ms = now_ms + CONNECT_WATCH_MS;
		(void)connection_watch(c, row);
	}
}

/* ---- urgent mail (HDR-03) ---- */

struct urgent {
	struct host *front;
	uint64_t queue_id;
};

static void
start_for(struct connect *all, struct snapshot *snap, const struct queued *q)
{
	const struct conf_routes *routes = &all->host->conf->outgoing_routes;
	struct queued_recipient r = { 0 };
	struct connection *started = NULL;

	for (unsigned n = 0; n < URGENT_RECIPIENTS &&
		queued_recipient_next(snap, q->queue_id, r.recipient_no, &r) == OK; n++) {
		const struct conf_route *route = r.route.len > 0 ? route_named(routes, r.route) :
								   route_choose(routes, q->sender, r.address);
		struct connection *c = route ?
			connect_named(all, connection_of_route(all->host->conf, route)->name) : NULL;

		if (!c || c == started)
			continue;
		connection_start(c, "an urgent message");
		started = c;
	}
}

static void
on_urgent(void *arg)
{
	struct urgent *u = arg;
	struct host *front = u->front;
	struct snapshot *snap;
	struct queued q;

	host_snapshot_close(front);
	snap = host_snapshot(front);
	if (front->connect && !front->connect->ending && snap &&
		queued_find(snap, u->queue_id, &q) == OK)
		start_for(front->connect, snap, &q);
	free(u);
}

void
connect_urgent(struct host *host, uint64_t queue_id)
{
	struct urgent *u = calloc(1, sizeof(*u));

	ENSURE(u);
	*u = (struct urgent){ host_of_loop(host, 0), queue_id };
	loop_post(u->front->loop, on_urgent, u);
}

/* ---- each second ---- */

static void
look_at_runs(struct connect *all)
{
	struct list *at, *following;

	list_for_each(at, following, &all->connections)
		connection_on_timer(&LIST_ITEM(at, struct connection, link_all)->timer);
}

void
connect_on_look(struct loop_timer *timer)
{
	struct connect *all = LIST_ITEM(timer, struct connect, look);
	int64_t wall_ms = host_now_ms(all->host), steady_ms = host_steady_ms(all->host);
	int64_t apart_ms = (wall_ms - all->wall_ms) - (steady_ms - all->steady_ms);

	if (all->ending)
		return;
	all->wall_ms = wall_ms;
	all->steady_ms = steady_ms;
	look_at_runs(all);
	look_at_schedules(all, apart_ms > JUMP_MS || apart_ms < -JUMP_MS);
	look_at_people(all);
	look_at_file(all);
	look_at_links(all);
	connect_look_at_collectors(all);
	loop_timer_set(all->host->loop, timer, CONNECT_LOOK_MS);
}
