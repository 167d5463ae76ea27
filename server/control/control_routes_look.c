/*
 * control_routes_look.c - ways out as they are: `route list`, `route show`, `route destinations`.
 *
 * Connections and rests are in the memory of the front loop, what waits in the store, settings in the
 * configuration: each is asked where it lives.
 */
#include <stdio.h>

#include "server/connect/connect.h"
#include "server/control/control_routes.h"
#include "server/queue/outgoing.h"
#include "server/queue/route_records.h"
#include "server/queue/routes.h"
#include "store/queued.h"

#define HELD_SIZE 400
#define VALUE_MAX (256 * 1024) /* bytes of a route's value as JSON */

/* ---- who waits for which ---- */

struct route_walk *
control_route_walk(struct control_call *call)
{
	struct route_walk *walk = ARENA_NEW(&call->arena, struct route_walk);

	walk->conf = &generation_conf(call->generation)->outgoing_routes;
	walk->routes = ARENA_ARRAY(&call->arena, struct route_waiting, walk->conf->count + 1);
	return walk;
}

static void
count_recipient(struct route_walk *walk, const struct queued *q, const struct queued_recipient *r)
{
	const struct conf_routes *routes = walk->conf;
	const struct conf_route *route = r->route.len > 0 ?
		route_named(routes, r->route) :
		route_choose(routes, q->sender, r->address);
	struct route_waiting *w;

	if (!route)
		return;
	w = &walk->routes[route - routes->items];
	w->count++;
	w->named += r->route.len > 0;
	if (w->oldest_ms == 0 || q->received_ms < w->oldest_ms)
		w->oldest_ms = q->received_ms;
}

static enum err
count_entry(struct route_walk *walk, struct snapshot *snap, const struct queued *q)
{
	struct queued_recipient r = {0};
	enum err err = OK;

	while (r.recipient_no < q->recipients &&
		(err = queued_recipient_next(snap, q->queue_id, r.recipient_no, &r)) == OK) {
		walk->looked++;
		if (r.state != QUEUED_GONE)
			count_recipient(walk, q, &r);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* Not all were looked at: counts become what those let expect. */
static enum step
estimate(struct route_walk *walk, struct snapshot *snap)
{
	struct queued_counts counts;
	double times;

	if (queued_count(snap, &counts) != OK)
		return STEP_DONE;
	times = (double)counts.recipients / (double)walk->looked;
	for (size_t i = 0; i < walk->conf->count && times > 1; i++) {
		walk->routes[i].count = (uint64_t)((double)walk->routes[i].count * times);
		walk->routes[i].named = (uint64_t)((double)walk->routes[i].named * times);
	}
	return STEP_DONE;
}

enum step
control_route_walk_on(struct control_call *call, struct route_walk *walk, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct queued q;
	enum err err;

	while ((err = queued_next(snap, walk->after, &q)) == OK) {
		walk->after = q.queue_id;
		if (q.bin_until_ms == 0)
			err = count_entry(walk, snap, &q);
		if (err != OK)
			break;
		if (walk->looked >= ROUTE_LOOKED_MAX)
			return estimate(walk, snap);
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "queued message");
	return STEP_FAIL;
}

/* ---- how each does ---- */

struct route_state {
	unsigned connections;
	size_t lanes, resting;
	int64_t rests_until_ms; /* the first that is tried again */
	struct span why, where; /* of the last one that rests */
	struct span held;	/* for a connection: why; empty: it is not */
	struct route_record record;
};

struct looking {
	struct control_call *call;
	struct route_walk *walk;
	struct route_state *states;
};

static void
see_lane(const struct lane *lane, void *arg)
{
	struct looking *look = arg;
	const struct conf_routes *routes = &look->call->host->conf->outgoing_routes;
	const struct conf_route *route = route_named(routes, lane->route);
	struct route_state *state;

	if (!route)
		return;
	state = &look->states[route - routes->items];
	state->lanes++;
	state->connections += lane->connections;
	if (!lane_rests(lane, look->call->now_ms))
		return;
	state->resting++;
	if (state->rests_until_ms == 0 || lane->rests_until_ms < state->rests_until_ms)
		state->rests_until_ms = lane->rests_until_ms;
	state->why = arena_copy(&look->call->arena, span_of(lane_last_failure(lane)->why));
	state->where = arena_copy(&look->call->arena, lane->hop);
}

/* Of a relay why it rests; of direct delivery how many domains do, with one of them. */
static struct span
why_of(struct arena *a, const struct route_state *state)
{
	if (state->resting == 0)
		return state->held.ptr ? state->held : SPAN("");
	if (state->where.len == 0)
		return state->why;
	return arena_printf(a, "%zu of %zu domains rest, %.*s: %.*s", state->resting, state->lanes,
		SPAN_FMT(state->where), SPAN_FMT(state->why));
}

static struct looking *
look(struct control_call *call)
{
	const struct conf_routes *routes = &call->host->conf->outgoing_routes;
	struct looking *look = ARENA_NEW(&call->arena, struct looking);

	look->call = call;
	look->walk = control_route_walk(call);
	look->states = ARENA_ARRAY(&call->arena, struct route_state, routes->count + 1);
	if (!call->host->outgoing)
		return look;
	outgoing_each(call->host->outgoing, see_lane, look);
	for (size_t i = 0; i < routes->count; i++) {
		const struct conf_route *route = &routes->items[i];
		char why[HELD_SIZE];

		outgoing_record(call->host->outgoing, route->name, &look->states[i].record);
		if (connect_why(call->host, route, why, sizeof(why)))
			look->states[i].held = arena_copy(&call->arena, span_of(why));
	}
	return look;
}

static bool
look_check(struct control_call *call)
{
	call->state = look(call);
	return true;
}

/* ---- list ---- */

/* A key of route number I as a person reads it. */
static struct span
route_text(struct arena *a, const struct conf *conf, size_t i, const char *key)
{
	struct conf_entry entry;
	struct span text = SPAN("");
	char path[64];
	struct buf out;

	snprintf(path, sizeof(path), "outgoing.routes.%zu.%s", i, key);
	buf_init(&out, VALUE_MAX);
	if (conf_find(conf, path, &entry) == OK && conf_put_text(&entry, &out) == OK)
		text = arena_copy(a, buf_span(&out));
	buf_fini(&out);
	return text;
}

static void
list_row(struct looking *look, const struct conf *conf, size_t i)
{
	const struct conf_route *route = &conf->outgoing_routes.items[i];
	const struct route_waiting *waiting = &look->walk->routes[i];
	const struct route_state *state = &look->states[i];
	struct control_rows *rows = &look->call->rows;
	struct arena *a = &look->call->arena;

	control_row(rows, route->name);
	control_put_number(rows, (int64_t)i + 1);
	control_put_text(rows, route->name);
	control_put_text(rows, route_text(a, conf, i, "kind"));
	control_put_list(rows, route->servers.items, route->servers.count);
	control_put_list(rows, route->domains.items, route->domains.count);
	control_put_text(rows, route_text(a, conf, i, "tls"));
	control_put_text(rows, route->username.ptr ? route->username : SPAN(""));
	control_put_number(rows, (int64_t)waiting->count);
	control_put_time_ms(rows, waiting->oldest_ms);
	control_put_number(rows, state->connections);
	control_put_number(rows, (int64_t)state->record.sent);
	control_put_time_ms(rows, state->rests_until_ms);
	control_put_text(rows, why_of(a, state));
	control_put_time_ms(rows, state->record.last_sent_ms);
	control_put_text(rows, span_of(state->record.last_error));
	control_put_time_ms(rows, state->record.last_error_ms);
}

static enum step
list_read(struct control_call *call, struct snapshot *snap)
{
	struct looking *look = call->state;
	const struct conf *conf = generation_conf(call->generation);
	enum step step = control_route_walk_on(call, look->walk, snap);

	for (size_t i = 0; step == STEP_DONE && i < conf->outgoing_routes.count; i++)
		list_row(look, conf, i);
	return step;
}

const struct control_handler control_do_route_list = {
	.check = look_check,
	.read = list_read,
};

/* ---- show ---- */

static bool
show_check(struct control_call *call)
{
	struct span name = control_param(call, "name");

	return route_named(&call->host->conf->outgoing_routes, name) ?
		look_check(call) :
		control_failf(call, RPC_NOT_FOUND, "name", "there is no route %.*s", SPAN_FMT(name));
}

static void
put_state(struct json_writer *w, struct arena *a, const struct route_waiting *waiting,
	const struct route_state *state)
{
	json_put_member_u64(w, SPAN("waiting"), waiting->count);
	json_put_member_u64(w, SPAN("waiting_by_name"), waiting->named);
	control_put_time(w, SPAN("oldest"), waiting->oldest_ms);
	json_put_member_u64(w, SPAN("connections"), state->connections);
	json_put_member_u64(w, SPAN("destinations"), state->lanes);
	json_put_member_u64(w, SPAN("resting"), state->resting);
	control_put_time(w, SPAN("rests_until"), state->rests_until_ms);
	json_put_member_string(w, SPAN("why"), why_of(a, state));
	json_put_member_u64(w, SPAN("sent"), state->record.sent);
	json_put_member_u64(w, SPAN("deferred"), state->record.deferred);
	json_put_member_u64(w, SPAN("failed"), state->record.failed);
	control_put_time(w, SPAN("last_sent"), state->record.last_sent_ms);
	json_put_member_string(w, SPAN("last_error"), span_of(state->record.last_error));
	control_put_time(w, SPAN("last_error_time"), state->record.last_error_ms);
}

static enum step
show_read(struct control_call *call, struct snapshot *snap)
{
	struct looking *look = call->state;
	const struct conf *conf = generation_conf(call->generation);
	const struct conf_route *route =
		route_named(&conf->outgoing_routes, control_param(call, "name"));
	enum step step = control_route_walk_on(call, look->walk, snap);
	size_t i = (size_t)(route - conf->outgoing_routes.items);

	if (step != STEP_DONE)
		return step;
	json_put_object(&call->json);
	json_put_member_u64(&call->json, SPAN("place"), i + 1);
	control_put_item(call, conf, SETTING_ROUTES, arena_printf(&call->arena, "outgoing.routes.%zu", i));
	put_state(&call->json, &call->arena, &look->walk->routes[i], &look->states[i]);
	json_put_close(&call->json);
	return STEP_DONE;
}

const struct control_handler control_do_route_show = {
	.check = show_check,
	.read = show_read,
};

/* ---- destinations ---- */

static void
destination_row(const struct lane *lane, void *arg)
{
	struct control_call *call = arg;
	struct control_rows *rows = &call->rows;
	struct span wanted = control_param(call, "route");
	bool rests = lane_rests(lane, call->now_ms);

	if (wanted.len > 0 && !span_eq_nocase(wanted, lane->route))
		return;
	control_row(rows, arena_printf(&call->arena, "%.*s %.*s", SPAN_FMT(lane->route),
		SPAN_FMT(lane->hop)));
	control_put_text(rows, lane->route);
	control_put_text(rows, lane->route.len > 0 ? lane->hop : SPAN(""));
	control_put_number(rows, lane->waiting);
	control_put_number(rows, lane->connections);
	control_put_number(rows, lane->limit);
	control_put_number(rows, lane->failures);
	control_put_time_ms(rows, rests && lane->rests_until_ms < INT64_MAX ? lane->rests_until_ms : 0);
	control_put_text(rows, rests ? span_of(lane_last_failure(lane)->why) : SPAN(""));
	control_put_text(rows, span_of(lane_last_failure(lane)->remote));
	control_put_text(rows, span_of(lane_last_failure(lane)->tls));
}

static void
destinations_start(struct control_call *call)
{
	if (call->host->outgoing)
		outgoing_each(call->host->outgoing, destination_row, call);
	control_rows_end(&call->rows);
	control_call_end(call);
}

const struct control_handler control_do_route_destinations = {.start = destinations_start};
