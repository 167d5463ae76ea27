/*
 * connect_collect.c - what a run does besides sending: collectors of its connection (CON-02), and waiting for mail that
 * is brought (kind smtp, INM-26). And collectors that begin without a run (`every`).
 */
#include "server/collect/collect.h"

#include <stdio.h>

#include "server/connect/connect_inside.h"
#include "server/services.h"
#include "server/shared.h"

/* ---- which ---- */

/* COLLECTOR (may be NULL) where it is enabled and C starts it; else NULL. */
static const struct conf_collector *
own(const struct connection *c, const struct conf_collector *collector)
{
	const struct conf *conf = c->all->host->conf;

	return collector && collector->enabled && collector_is_of(conf, collector, span_of(c->name)) ?
		collector : NULL;
}

/* The Ith of the file. */
static const struct conf_collector *
own_at(const struct connection *c, size_t i)
{
	return own(c, &c->all->host->conf->collectors.items[i]);
}

static size_t
collectors(const struct connection *c)
{
	return c->all->host->conf->collectors.count;
}

/* ---- waiting for mail that is brought (INM-26) ---- */

static void
begin_waiting(struct connection *c)
{
	struct host *host = c->all->host;
	int64_t wait_ms = -1;

	for (size_t i = 0; i < collectors(c); i++) {
		const struct conf_collector *own = own_at(c, i);

		if (!own || own->kind != COLLECTOR_SMTP)
			continue;
		if (own->wait_ms > wait_ms)
			wait_ms = own->wait_ms;
		if (own->etrn.len > 0)
			connection_ask_for_mail(c, own);
	}
	if (wait_ms < 0)
		return;
	c->waits = true;
	c->brought = false;
	c->wait_until_ms = host_steady_ms(host) + wait_ms;
	c->sessions_before = shared_connections_begun(host->shared, SERVICE_smtp);
}

/* Until somebody comes or the time is over; then until nobody has been there for a moment. */
static bool
still_waits(struct connection *c)
{
	struct host *host = c->all->host;
	int64_t now_ms = host_steady_ms(host);

	if (!c->waits)
		return false;
	if (shared_connections_begun(host->shared, SERVICE_smtp) != c->sessions_before) {
		c->sessions_before = shared_connections_begun(host->shared, SERVICE_smtp);
		c->brought = true;
	}
	if (c->brought && shared_connections(host->shared, SERVICE_smtp) > 0)
		c->wait_until_ms = now_ms + CONNECT_BROUGHT_REST_MS;
	else if (c->brought && c->wait_until_ms > now_ms + CONNECT_BROUGHT_REST_MS)
		c->wait_until_ms = now_ms + CONNECT_BROUGHT_REST_MS;
	c->waits = now_ms < c->wait_until_ms || (c->brought && shared_connections(host->shared, SERVICE_smtp) > 0);
	if (!c->waits)
		connection_log(c, LEVEL_INFO, c->brought ? "no more mail is brought" : "no mail was brought");
	return c->waits;
}

bool
connect_waits_for(const struct connect *all, const struct conf_collector *collector)
{
	const struct list *at;

	for (at = all->connections.next; at != &all->connections; at = at->next) {
		const struct connection *c = LIST_ITEM(at, struct connection, link_all);

		if (c->runs && c->waits && collector->enabled &&
			collector_is_of(all->host->conf, collector, span_of(c->name)))
			return true;
	}
	return false;
}

/* ---- of a run ---- */

void
connection_collect(struct connection *c)
{
	size_t meant = collect_start_of(c->all->host->collect, span_of(c->name), c->because);

	c->collects |= meant > 0;
	begin_waiting(c);
}

bool
connection_collects(struct connection *c)
{
	return collect_busy_of(c->all->host->collect, span_of(c->name)) || still_waits(c);
}

void
connection_collect_stop(struct connection *c)
{
	c->waits = false;
	collect_stop_of(c->all->host->collect, span_of(c->name));
}

struct sum {
	const struct connection *c;
	unsigned long long fetched;
	char failed[CONNECT_RESULT_SIZE]; /* "; isp: no connection"; "" */
};

static void
add_up(void *arg, const struct collect_view *v)
{
	struct sum *sum = arg;

	if (v->last_ms < sum->c->began_ms || !own(sum->c, v->conf))
		return;
	sum->fetched += v->counts.fetched;
	if (v->failed)
		snprintf(sum->failed, sizeof(sum->failed), "; %.*s: %.120s", SPAN_FMT(v->name), v->error);
}

void
connection_say_collected(const struct connection *c, char *text, size_t size)
{
	struct sum sum = { .c = c };

	text[0] = '\0';
	if (!c->collects)
		return;
	collect_each(c->all->host->collect, add_up, &sum);
	snprintf(text, size, ", %llu collected%.200s", sum.fetched, sum.failed);
}

struct telling {
	const struct connection *c;
	int64_t since_ms;
	void (*tell)(void *arg, struct span collector, const char *error);
	void *arg;
};

static void
tell_errors(void *arg, const struct collect_view *v)
{
	const struct telling *t = arg;

	if (v->last_ms < t->since_ms || !own(t->c, v->conf))
		return;
	for (size_t i = 0; i < v->error_count; i++)
		t->tell(t->arg, v->name, v->errors[i]);
	if (v->failed && v->error_count == 0)
		t->tell(t->arg, v->name, v->error);
}

void
connect_each_collect_error(const struct connect *all, const struct connect_view *v,
	void (*tell)(void *arg, struct span collector, const char *error), void *arg)
{
	struct telling t = { .c = connect_named(all, v->name), .since_ms = v->last_ms, .tell = tell, .arg = arg };

	if (t.c)
		collect_each(all->host->collect, tell_errors, &t);
}

/* ---- without a run ---- */

/* Is a connection of C there to be used? */
static bool
can_be_reached(const struct connect *all, const struct conf_collector *collector)
{
	const struct list *at;

	for (at = all->connections.next; at != &all->connections; at = at->next) {
		const struct connection *c = LIST_ITEM(at, struct connection, link_all);

		if (collector_is_of(all->host->conf, collector, span_of(c->name)) && connection_is_online(c))
			return true;
	}
	return false;
}

static int64_t
every_next_ms(const struct connect *all, const struct conf_collector *collector, int64_t last_ms)
{
	int64_t now_ms = host_now_ms(all->host);

	if (collector->every_ms == 0 || collector->kind == COLLECTOR_SMTP || !can_be_reached(all, collector))
		return 0;
	if (last_ms == 0 || last_ms > now_ms || last_ms + collector->every_ms < now_ms)
		return now_ms;
	return last_ms + collector->every_ms;
}

int64_t
connect_collects_next_ms(
	const struct connect *all, const struct conf_collector *collector, int64_t last_ms)
{
	const struct conf *conf = all->host->conf;
	int64_t next_ms = every_next_ms(all, collector, last_ms);

	for (size_t i = 0; i < connection_count(conf); i++) {
		const struct conf_connection *c = connection_at(conf, i);
		int64_t at_ms = collector_is_of(conf, collector, c->name) ? connection_next_ms(all, c) : 0;

		if (at_ms > 0 && (next_ms == 0 || at_ms < next_ms))
			next_ms = at_ms;
	}
	return next_ms;
}

/* A link while it is collected by is online: mail that comes leaves at once (SCH-04). */
static void
look_at_link(struct connection *c)
{
	bool collects = !c->runs && collect_busy_of(c->all->host->collect, span_of(c->name));

	if (collects == c->is_collected)
		return;
	c->is_collected = collects;
	connection_online_changed(c);
}

struct due {
	struct connect *all;
	size_t at; /* in the file */
};

static void
start_due(void *arg, const struct collect_view *v)
{
	struct due *due = arg;
	struct connect *all = due->all;
	const struct conf_collectors *conf = &all->host->conf->collectors;
	const struct conf_collector *c = due->at < conf->count ? &conf->items[due->at++] : NULL;
	int64_t next_ms;

	if (!c || !c->enabled || c->every_ms == 0 || v->state != COLLECT_IDLE ||
		!span_eq_nocase(c->name, v->name)) /* a new file, which is taken in a moment */
		return;
	next_ms = every_next_ms(all, c, v->last_ms);
	if (next_ms == 0 || next_ms > host_now_ms(all->host))
		return;
	if (collect_now(all->host->collect, c->name, "its own interval (every)", NULL) != OK)
		log_put(all->host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "connect",
			.text = "a collector could not be started",
			.fields = { { "collector", c->name, 0 } } });
}

void
connect_look_at_collectors(struct connect *all)
{
	struct due due = { .all = all };
	struct list *at, *following;

	list_for_each(at, following, &all->connections) {
		struct connection *c = LIST_ITEM(at, struct connection, link_all);
		const struct conf_connection *own = connection_now(c);

		if (own && own->kind == CONNECTION_LINK)
			look_at_link(c);
	}
	collect_each(all->host->collect, start_due, &due);
}
