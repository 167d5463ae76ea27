/*
 * connect.c - connections as the file has them, and what the queue asks of them.
 */
#include "server/collect/collect.h"
#include "server/connect/connect_inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/generation.h"
#include "server/queue/outgoing.h"
#include "server/queue/routes.h"
#include "server/shared.h"
#include "store/store.h"

/* ---- which ---- */

struct connection *
connect_named(const struct connect *all, struct span name)
{
	const struct list *at;

	for (at = all->connections.next; at != &all->connections; at = at->next) {
		struct connection *c = LIST_ITEM(at, struct connection, link_all);

		if (span_eq_nocase(span_of(c->name), name))
			return c;
	}
	return NULL;
}

const struct conf_connection *
connection_now(const struct connection *c)
{
	return connection_named(c->all->host->conf, span_of(c->name));
}

static struct connection *
of_route(const struct host *front, const struct conf_route *route)
{
	const struct conf_connection *conf = connection_of_route(front->conf, route);

	return connect_named(front->connect, conf->name);
}

bool
connection_has_route(void *arg, struct span route)
{
	const struct connection *c = arg;
	const struct conf *conf = c->all->host->conf;
	const struct conf_route *found = route_named(&conf->outgoing_routes, route);

	return found && span_eq_nocase(connection_of_route(conf, found)->name, span_of(c->name));
}

int64_t
connect_day(const struct connect *all)
{
	int64_t now_ms = host_now_ms(all->host);

	return (now_ms + host_zone_minutes(now_ms) * INT64_C(60000)) / INT64_C(86400000);
}

/* ---- what the queue asks ---- */

bool
connection_is_online(const struct connection *c)
{
	const struct conf_connection *conf = connection_now(c);

	return conf && !c->held && (conf->kind == CONNECTION_LAN ||
		(c->seen_up && conf->autoconnect) || c->is_collected);
}

void
connection_online_changed(struct connection *c)
{
	if (connection_is_online(c))
		outgoing_look_again(c->all->host);
	else
		outgoing_drop(c->all->host->outgoing, connection_has_route, c);
}

/* Its mail leaves at once (SCH-03). */
static bool
is_open(const struct connection *c)
{
	return !c->collects_first && c->all->host->conf->scheduling_immediately && connection_is_online(c);
}

bool
connect_may_send(const struct host *front, const struct conf_route *route)
{
	const struct connection *c = front->connect ? of_route(front, route) : NULL;

	return !c || (c->runs ? c->sends || (!c->hung_up && is_open(c)) : is_open(c));
}

bool
connect_takes(const struct host *front, const struct conf_route *route, int64_t arrived_ms)
{
	const struct connection *c;

	if (!connect_may_send(front, route))
		return false;
	if (!route->waiting_only || !front->connect)
		return true;
	c = of_route(front, route);
	return !c || is_open(c) || arrived_ms <= c->cycle_ms;
}

static void
put_time(int64_t at_ms, char *text, size_t size)
{
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm local;

	if (!localtime_r(&seconds, &local) || strftime(text, size, "%a %H:%M", &local) == 0)
		snprintf(text, size, "?");
}

int64_t
connection_next_ms(const struct connect *all, const struct conf_connection *conf)
{
	const struct conf_schedules *schedules = &all->host->conf->schedules;
	int64_t next_ms = 0;

	if (all->firings_of != all->host->conf)
		return 0; /* a new file is read at once */
	for (size_t i = 0; i < schedules->count; i++) {
		int64_t at_ms = all->firings[i].next_ms;

		if (at_ms > 0 && schedules->items[i].enabled &&
			(!conf || connection_is_of(&schedules->items[i], conf)) &&
			(next_ms == 0 || at_ms < next_ms))
			next_ms = at_ms;
	}
	return next_ms;
}

bool
connect_why(const struct host *front, const struct conf_route *route, char *text, size_t size)
{
	const struct connection *c = front->connect && route ? of_route(front, route) : NULL;
	char next[60] = "nothing is scheduled: postroom connection now";
	int64_t next_ms;

	if (!c || (connect_may_send(front, route) && !(c->runs && route->waiting_only)))
		return false;
	next_ms = connection_next_ms(c->all, connection_now(c));
	if (next_ms > 0)
		put_time(next_ms, next, sizeof(next));
	if (c->runs && !c->hung_up && c->sends)
		snprintf(text, size, "it came after the run of connection %s began, and goes with the next one "
				     "(waiting_only)", c->name);
	else if (c->runs && !c->hung_up && c->collects_first)
		snprintf(text, size, "connection %s collects first (pop3_then_smtp)", c->name);
	else if (c->runs && !c->hung_up && c->stage != RUN_BEGINS)
		snprintf(text, size, "connection %s runs a program", c->name);
	else if (c->runs && !c->hung_up)
		snprintf(text, size, "connection %s: the link is %s", c->name,
			link_state_words[c->link.state]);
	else
		snprintf(text, size, "waits for connection %s%s, %s%s", c->name,
			c->held ? ", which was told to stop" : "",
			next_ms > 0 ? "next at " : "", next);
	return true;
}

void
connect_sent(const struct host *front, const struct conf_route *route, unsigned count)
{
	struct connection *c = front->connect ? of_route(front, route) : NULL;

	if (c)
		c->sent += count;
}

/* ---- runs ---- */

static bool
is_wanted(const struct connection *c, const struct connect_wanted *w)
{
	const struct conf_connection *conf = connection_now(c);

	if (w->which == CONNECT_ONE)
		return span_eq_nocase(span_of(c->name), w->name);
	return conf && (w->which == CONNECT_ALL || conf->primary);
}

static size_t
for_wanted(const struct connect *all, const struct connect_wanted *w,
	bool (*act)(struct connection *c, const struct connect_wanted *w))
{
	struct list *at, *following;
	size_t count = 0;

	list_for_each(at, following, &all->connections) {
		struct connection *c = LIST_ITEM(at, struct connection, link_all);

		if (is_wanted(c, w))
			count += act(c, w);
	}
	return count;
}

static bool
start(struct connection *c, const struct connect_wanted *w)
{
	if (!c->kept || c->all->ending)
		return false;
	connection_start(c, w->because);
	return true;
}

static bool
stop(struct connection *c, const struct connect_wanted *w)
{
	(void)w;
	connection_hang_up(c);
	return true;
}

static bool
runs(struct connection *c, const struct connect_wanted *w)
{
	(void)w;
	return c->runs;
}

size_t
connect_now(struct connect *all, const struct connect_wanted *wanted)
{
	return for_wanted(all, wanted, start);
}

size_t
connect_hang_up(struct connect *all, const struct connect_wanted *wanted)
{
	return for_wanted(all, wanted, stop);
}

size_t
connect_runs(const struct connect *all, const struct connect_wanted *wanted)
{
	return for_wanted(all, wanted, runs);
}

/* ---- what is shown ---- */

static const char *
work_of(const struct connection *c)
{
	bool collects = collect_busy_of(c->all->host->collect, span_of(c->name));

	if (c->stage != RUN_WORKS)
		return c->stage == RUN_GREETS ? "runs post_connect" : "runs pre_disconnect";
	if (c->waits && !collects)
		return "waiting for mail";
	return !collects ? "sending" : c->sends ? "sending, collecting" : "collecting";
}

static const char *
state_of(const struct connection *c, const struct conf_connection *conf)
{
	if (c->runs && c->hung_up)
		return conf->kind == CONNECTION_LAN || c->link.state == LINK_UP ? "hanging up" : "going down";
	if (c->runs && c->stage != RUN_BEGINS)
		return work_of(c);
	if (c->runs)
		return link_state_words[c->link.state];
	if (c->held)
		return "stopped";
	return conf->kind == CONNECTION_LAN ? "online" : connection_is_online(c) ? "up" : "down";
}

bool
connect_view_at(const struct connect *all, size_t i, struct connect_view *out)
{
	const struct conf *conf = all->host->conf;
	const struct conf_connection *row;
	const struct connection *c;

	if (i >= connection_count(conf))
		return false;
	row = connection_at(conf, i);
	c = connect_named(all, row->name);
	*out = (struct connect_view){ .name = row->name, .primary = row->primary,
		.kind = row->kind == CONNECTION_LAN ? "lan" : "link", .state = "down",
		.next_ms = connection_next_ms(all, row) };
	if (!c)
		return true; /* a new file, which is taken in a moment */
	out->state = state_of(c, row);
	out->online = connection_is_online(c);
	out->runs = c->runs;
	out->failed = c->last.failed;
	out->began_ms = c->runs ? c->began_ms : 0;
	out->last_ms = c->runs ? c->began_ms : c->last.began_ms;
	out->ended_ms = c->last.ended_ms;
	out->result = span_of(c->result);
	out->because = span_of(c->because);
	return true;
}

int64_t
connect_last_ms(const struct connect *all)
{
	struct connect_view view;
	int64_t last_ms = 0;

	for (size_t i = 0; connect_view_at(all, i, &view); i++)
		if (view.last_ms > last_ms)
			last_ms = view.last_ms;
	return last_ms;
}

int64_t
connect_next_ms(const struct connect *all)
{
	return connection_next_ms(all, NULL);
}

size_t
connect_people(const struct connect *all)
{
	return shared_people(all->host->shared);
}

/* ---- life ---- */

static void
recall(struct connection *c)
{
	struct snapshot *snap = host_snapshot(c->all->host);

	if (!snap || connected_find(snap, span_of(c->name), &c->last) != OK)
		return;
	snprintf(c->result, sizeof(c->result), "%.*s", SPAN_FMT(c->last.result));
	c->last.result = SPAN("");
}

static void
add(struct connect *all, const struct conf_connection *conf)
{
	struct connection *c = calloc(1, sizeof(*c));

	ENSURE(c);
	c->all = all;
	c->kept = true;
	snprintf(c->name, sizeof(c->name), "%.*s", SPAN_FMT(conf->name));
	loop_timer_init(&c->timer, connection_on_timer);
	list_append(&all->connections, &c->link_all);
	recall(c);
}

void
connection_free(struct connection *c)
{
	loop_timer_clear(&c->timer);
	runner_cancel(&c->program);
	generation_release(&c->generation);
	list_remove(&c->link_all);
	free(c);
}

void
connect_follow(void *arg)
{
	struct connect *all = arg;
	const struct conf *conf = all->host->conf;
	struct list *at, *following;

	if (all->ending)
		return;
	list_for_each(at, following, &all->connections) {
		struct connection *c = LIST_ITEM(at, struct connection, link_all);

		c->kept = connection_now(c);
		if (!c->kept && c->runs)
			connection_hang_up(c); /* it goes when that is over */
		else if (!c->kept)
			connection_free(c);
	}
	for (size_t i = 0; i < connection_count(conf); i++)
		if (!connect_named(all, connection_at(conf, i)->name))
			add(all, connection_at(conf, i));
	all->firings_of = NULL;
	connect_read_schedules(all);
	outgoing_look_again(all->host);
}

void
connect_look(struct connect *all)
{
	connect_on_look(&all->look);
}

struct connect *
connect_open(struct host *front)
{
	struct connect *all = calloc(1, sizeof(*all));

	ENSURE(all);
	all->host = front;
	all->wall_ms = host_now_ms(front);
	all->steady_ms = host_steady_ms(front);
	list_init(&all->connections);
	list_init(&all->asks);
	loop_timer_init(&all->look, connect_on_look);
	front->connect = all;
	connect_follow(all);
	loop_timer_set(front->loop, &all->look, CONNECT_LOOK_MS);
	return all;
}

void
connect_end(struct connect *all)
{
	struct list *at, *following;

	all->ending = true;
	loop_timer_clear(&all->look);
	list_for_each(at, following, &all->connections) {
		struct connection *c = LIST_ITEM(at, struct connection, link_all);

		if (c->runs)
			connection_hang_up(c);
	}
}

bool
connect_is_over(const struct connect *all)
{
	const struct list *at;

	for (at = all->connections.next; at != &all->connections; at = at->next)
		if (LIST_ITEM(at, struct connection, link_all)->runs)
			return false;
	return true;
}

void
connect_close(struct connect **allp)
{
	struct connect *all = *allp;
	struct list *at, *following;

	*allp = NULL;
	if (!all)
		return;
	list_for_each(at, following, &all->connections)
		connection_free(LIST_ITEM(at, struct connection, link_all));
	connect_free_asks(all);
	free(all);
}
