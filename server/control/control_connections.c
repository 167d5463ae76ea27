/*
 * control_connections.c - connections: what they do, when, and why, all keys of one; connect and hang up.
 */
#include <stdio.h>

#include "server/connect/connect.h"
#include "server/control/control_routes.h"
#include "server/generation.h"
#include "server/queue/routes.h"

#define CONNECTIONS_MAX 11 /* ten of the file, or the one of its own */
#define WAIT_MS (10 * 60 * 1000)
#define WAIT_LOOK_MS 100
#define ERRORS_MAX 1000 /* of all runs that were asked for */

/* ---- connection list ---- */

/* SCH-09: why does it connect on each message, or why not? */
static const char *
why(const struct conf *conf, const struct connect_view *v)
{
	if (v->online && conf->scheduling_immediately)
		return "online, and mail is sent as it comes (scheduling.send_immediately)";
	if (v->online)
		return "online, but mail waits for the next run (scheduling.send_immediately)";
	if (v->next_ms == 0)
		return "Manual: nothing is scheduled";
	return conf->scheduling_priority ? "mail waits for the next run, urgent mail connects at once" :
					   "mail waits for the next run";
}

struct seen {
	struct connect_view views[CONNECTIONS_MAX];
	size_t count;
	struct route_walk *walk; /* who waits for which route */
};

/* The routes that go by a connection, into NAMES; *waiting is how many recipients wait for them. */
static size_t
routes_of(struct control_call *call, const struct seen *seen, struct span name, struct span *names,
	uint64_t *waiting)
{
	const struct conf *conf = generation_conf(call->generation);
	const struct conf_routes *routes = &conf->outgoing_routes;
	size_t count = 0;

	*waiting = 0;
	for (size_t i = 0; i < routes->count; i++)
		if (span_eq_nocase(connection_of_route(conf, &routes->items[i])->name, name)) {
			names[count++] = routes->items[i].name;
			*waiting += seen->walk->routes[i].count;
		}
	return count;
}

static void
connection_row(struct control_call *call, const struct seen *seen, size_t i)
{
	const struct connect_view *v = &seen->views[i];
	const struct conf *conf = generation_conf(call->generation);
	struct span names[ROUTES_MAX];
	uint64_t waiting;
	size_t count = routes_of(call, seen, v->name, names, &waiting);
	struct control_rows *rows = &call->rows;

	control_row(rows, v->name);
	control_put_text(rows, v->name);
	control_put_text(rows, span_of(v->kind));
	control_put_text(rows, span_of(v->state));
	control_put_number(rows, v->primary);
	control_put_time_ms(rows, v->last_ms);
	control_put_time_ms(rows, v->next_ms);
	control_put_number(rows, (int64_t)waiting);
	control_put_text(rows, v->result.len > 0 ? v->result : SPAN(""));
	control_put_text(rows, v->because.len > 0 ? v->because : SPAN(""));
	control_put_text(rows, span_of(why(conf, v)));
	control_put_list(rows, names, count);
	control_put_number(rows, v->online);
	control_put_time_ms(rows, v->began_ms);
	control_put_number(rows, v->failed);
}

/* What the front loop knows of each, its spans in the call's arena. */
static bool
list_check(struct control_call *call)
{
	struct seen *seen = ARENA_NEW(&call->arena, struct seen);
	struct connect_view *v = seen->views;

	call->state = seen;
	for (; seen->count < CONNECTIONS_MAX && connect_view_at(call->host->connect, seen->count, v);
		seen->count++, v++) {
		v->name = arena_copy(&call->arena, v->name);
		v->result = arena_copy(&call->arena, v->result);
		v->because = arena_copy(&call->arena, v->because);
	}
	seen->walk = control_route_walk(call);
	return true;
}

static enum step
list_read(struct control_call *call, struct snapshot *snap)
{
	const struct seen *seen = call->state;
	enum step step = control_route_walk_on(call, seen->walk, snap);

	for (size_t i = 0; step == STEP_DONE && i < seen->count; i++)
		connection_row(call, seen, i);
	return step;
}

const struct control_handler control_do_connection_list = { .check = list_check, .read = list_read };

/* ---- connection show ---- */

static void
put_state(struct control_call *call, const struct connect_view *v)
{
	struct json_writer *w = &call->json;

	json_put_member_string(w, SPAN("state"), span_of(v->state));
	json_put_member_string(w, SPAN("why"), span_of(why(call->host->conf, v)));
	json_put_member_string(w, SPAN("because"), v->because);
	json_put_member_string(w, SPAN("result"), v->result);
	control_put_time(w, SPAN("last"), v->last_ms);
	control_put_time(w, SPAN("next"), v->next_ms);
}

static void
show_start(struct control_call *call)
{
	const struct conf_connections *all = &call->host->conf->connections;
	struct span name = control_param(call, "name");
	struct connect_view v;
	size_t i = 0;

	while (i < all->count && !span_eq_nocase(all->items[i].name, name))
		i++;
	if (i == all->count) {
		control_failf(call, RPC_NOT_FOUND, "name", "there is no connection %.*s in the file%s", SPAN_FMT(name),
			all->count > 0 ? "" : ", which has none: see connection add");
		control_call_end(call);
		return;
	}
	json_put_object(&call->json);
	json_put_member_u64(&call->json, SPAN("place"), i + 1);
	control_put_item(call, call->host->conf, SETTING_CONNECTIONS,
		arena_printf(&call->arena, "connections.%zu", i));
	for (size_t n = 0; connect_view_at(call->host->connect, n, &v); n++)
		if (span_eq_nocase(v.name, name))
			put_state(call, &v);
	json_put_close(&call->json);
	control_call_end(call);
}

const struct control_handler control_do_connection_show = { .start = show_start };

/* ---- now, stop ---- */

struct connection_act {
	struct connect_wanted wanted;
	struct loop_timer timer;
	struct control_call *call;
	int64_t until_ms; /* of the loop's clock */
	struct rpc_errors *errors; /* NULL: who hangs up has what was asked for */
};

/* One of the three ways to say which. */
static struct connection_act *
begin(struct control_call *call, enum connect_which otherwise)
{
	struct connection_act *act = ARENA_NEW(&call->arena, struct connection_act);
	bool named = rpc_has(call->request, "name"), all = rpc_flag(call->request, "all");
	bool primary = rpc_flag(call->request, "primary");

	if (named + all + primary > 1) {
		control_fail(call, RPC_INVALID, "a name, --all or --primary, one of them", NULL, "name");
		control_call_end(call);
		return NULL;
	}
	act->call = call;
	act->wanted = (struct connect_wanted){ .name = control_param(call, "name"),
		.which = named ? CONNECT_ONE : all ? CONNECT_ALL : primary ? CONNECT_PRIMARY : otherwise,
		.because = arena_text(&call->arena,
			arena_printf(&call->arena, "by %s", call->who.name)) };
	return act;
}

static bool
is_meant(const struct connect_wanted *wanted, const struct connect_view *v)
{
	return wanted->which == CONNECT_ONE ? span_eq_nocase(wanted->name, v->name)
		: wanted->which == CONNECT_ALL || v->primary;
}

static void
add_error(struct connection_act *act, struct span of, const char *error)
{
	struct rpc_errors *errors = act->errors;

	if (errors->count < ERRORS_MAX)
		errors->items[errors->count++] = arena_text(&act->call->arena,
			arena_printf(&act->call->arena, "%.*s%s%s", SPAN_FMT(of), of.len > 0 ? ": " : "", error));
}

static void
add_collect_error(void *arg, struct span collector, const char *error)
{
	add_error(arg, collector, error);
}

/* A link that did not come up, and what its collectors say. */
static void
add_errors(struct connection_act *act, const struct connect_view *v)
{
	if (v->failed)
		add_error(act, act->wanted.which == CONNECT_ONE ? SPAN("") : v->name, arena_text(&act->call->arena, v->result));
	else
		connect_each_collect_error(act->call->host->connect, v, add_collect_error, act);
}

/* Who waited for the end of runs hears how they ended. */
static void
tell_results(struct connection_act *act)
{
	struct control_call *call = act->call;
	struct connect_view v;

	for (size_t i = 0; i < CONNECTIONS_MAX && connect_view_at(call->host->connect, i, &v); i++) {
		if (!is_meant(&act->wanted, &v))
			continue;
		if (v.result.len > 0)
			call->note = arena_printf(&call->arena, "%.*s; %.*s: %.*s", SPAN_FMT(call->note),
				SPAN_FMT(v.name), SPAN_FMT(v.result));
		if (act->errors)
			add_errors(act, &v);
	}
	call->errors = act->errors;
}

static void
on_wait(struct loop_timer *timer)
{
	struct connection_act *act = LIST_ITEM(timer, struct connection_act, timer);
	struct host *host = act->call->host;
	bool runs = connect_runs(host->connect, &act->wanted) > 0;

	if (!control_is_cancelled(act->call) && loop_now_ms(host->loop) < act->until_ms &&
		runs) {
		loop_timer_set(host->loop, &act->timer, WAIT_LOOK_MS);
		return;
	}
	if (!runs)
		tell_results(act);
	control_call_end(act->call);
}

static void
end(struct connection_act *act, size_t count, const char *did)
{
	struct control_call *call = act->call;

	if (count == 0) {
		control_fail(call, RPC_NOT_FOUND,
			act->wanted.which == CONNECT_ONE ? "there is no such connection" :
							   "no connection is meant by that",
			"see: postroom connection list", "name");
		control_call_end(call);
		return;
	}
	call->done = count;
	call->note = arena_printf(&call->arena, "%zu connection%s %s", count, count > 1 ? "s" : "", did);
	if (!rpc_flag(call->request, "wait")) {
		control_call_end(call);
		return;
	}
	act->until_ms = loop_now_ms(call->host->loop) + WAIT_MS;
	loop_timer_init(&act->timer, on_wait);
	loop_timer_set(call->host->loop, &act->timer, 1);
}

static void
connection_now(struct control_call *call)
{
	struct connection_act *act = begin(call, CONNECT_PRIMARY);

	if (!act)
		return;
	act->errors = ARENA_NEW(&call->arena, struct rpc_errors);
	act->errors->items = ARENA_ARRAY(&call->arena, const char *, ERRORS_MAX);
	end(act, connect_now(call->host->connect, &act->wanted), "started");
}

static void
connection_stop(struct control_call *call)
{
	struct connection_act *act = begin(call, CONNECT_ALL);

	if (act)
		end(act, connect_hang_up(call->host->connect, &act->wanted), "hung up");
}

const struct control_handler control_do_connection_now = { .start = connection_now };
const struct control_handler control_do_connection_stop = { .start = connection_stop };
