/*
 * control_route_test.c - `route test`: which way an address goes, and whether that way can be gone.
 *
 * The way is asked of the pipeline and of the filters of the routes, as for a message; then a delivery
 * without one is made (delivery_probe.h), and each of its steps becomes a row.
 */
#include <stdio.h>

#include "conf/conf.h"
#include "server/connect/connect.h"
#include "server/control/control_explain.h"
#include "server/pipeline/names.h"
#include "server/queue/delivery_probe.h"
#include "server/queue/outgoing.h"
#include "server/queue/routes.h"

#define TESTS_MAX 10 /* that connect at one time */
#define WHY_SIZE 400

struct route_test {
	struct delivery_probe probe;
	struct control_call *call;
	struct span route, hop; /* that is dialled; empty: none */
	bool failed;		/* before anything is dialled */
	size_t rows;
};

static unsigned tests; /* that connect just now; front loop */

/* ---- rows ---- */

static void
put_row(struct route_test *t, const char *step, struct span result, enum probe_state state,
	struct span host, bool warning)
{
	static const char *const words[] = {"ok", "note", "failed"};
	struct control_rows *rows = &t->call->rows;

	control_row(rows, arena_printf(&t->call->arena, "%zu", ++t->rows));
	control_put_text(rows, span_of(step));
	control_put_text(rows, result);
	control_put_text(rows, span_of(words[state]));
	control_put_text(rows, host);
	control_put_text(rows, t->route.ptr ? t->route : SPAN(""));
	control_put_number(rows, warning);
}

static void
fail(struct route_test *t, struct span why)
{
	t->failed = true;
	put_row(t, "route", why, PROBE_FAILED, SPAN(""), false);
}

static void
end(struct route_test *t)
{
	control_rows_end(&t->call->rows);
	control_call_end(t->call);
}

/* ---- the way of an address ---- */

/* Who writes, where nobody is named: the Main Administrator. */
static struct span
usual_sender(struct control_call *call)
{
	const struct conf *conf = call->host->conf;
	struct snapshot *snap = host_snapshot(call->host);
	struct user user;

	if (!snap || names_main_administrator(conf, snap, &user) != OK)
		return SPAN("");
	return arena_printf(&call->arena, "%.*s@%.*s", SPAN_FMT(user.name),
		SPAN_FMT(conf_default_domain(conf)));
}

/* A copy for elsewhere: the first such one is what is dialled. */
static void
tell_outside(struct route_test *t, const struct plan_copy *copy, struct span from)
{
	struct arena *a = &t->call->arena;
	struct way way;
	const char *why;

	if (!outgoing_way(t->call->host->conf, from, copy->target, copy->route, &way, &why)) {
		fail(t, arena_printf(a, "%.*s: %s", SPAN_FMT(copy->target), why));
		return;
	}
	if (t->route.len == 0) {
		t->route = arena_copy(a, way.route);
		t->hop = arena_copy(a, way.hop);
	}
	put_row(t, "route", arena_printf(a, "%.*s leaves by %.*s%s%.*s", SPAN_FMT(copy->target),
		SPAN_FMT(way.route), way.hop.len ? ", to the MX of " : "", SPAN_FMT(way.hop)),
		PROBE_OK, SPAN(""), true);
}

static void
find_way(struct route_test *t, struct span to)
{
	struct control_call *call = t->call;
	struct span from = rpc_has(call->request, "from") ? control_param(call, "from") :
							     usual_sender(call);
	struct explain_ask ask = {MAIL_VIA_LOCAL, from, SPAN_NONE, SPAN_NONE, &to, 1, SPAN_NONE};
	struct explained *e = ARENA_NEW(&call->arena, struct explained);
	size_t shown = 0;

	e->header = EXPLAIN_HEADER;
	e->size = e->header.len;
	if (!explained_run(call, e, &ask)) {
		t->failed = true;
		return;
	}
	if (!e->plan.copies)
		fail(t, arena_printf(&call->arena, "nothing goes to %.*s: see explain --to", SPAN_FMT(to)));
	for (const struct plan_copy *c = e->plan.copies; c && shown++ < PROBE_STEPS_MAX; c = c->next) {
		if (c->role != COPY_DELIVERY) /* no copy of this address */
			continue;
		if (c->kind == COPY_REMOTE)
			tell_outside(t, c, from);
		else
			put_row(t, "route", arena_printf(&call->arena, "stays here: %.*s",
				SPAN_FMT(explained_target(call, c))), PROBE_NOTE, SPAN(""), true);
	}
}

/* ---- what is asked for ---- */

static bool
take_lan(struct route_test *t, struct span what)
{
	struct lan_target target;

	if (!lan_route_take(what, &target))
		return control_failf(t->call, RPC_INVALID, "what", "%.*s is no server, like lan:192.0.2.1:25",
			SPAN_FMT(what));
	t->route = what;
	return true;
}

static bool
take_route(struct route_test *t, struct span name, struct span to)
{
	const struct conf_route *route = route_named(&t->call->host->conf->outgoing_routes, name);
	char why[WHY_SIZE];

	if (!route)
		return control_failf(t->call, RPC_NOT_FOUND, "what", "there is no route %.*s", SPAN_FMT(name));
	t->route = arena_copy(&t->call->arena, route->name);
	if (route->kind == ROUTE_DIRECT && to.len == 0)
		return control_fail(t->call, RPC_INVALID,
			"a direct route goes to many hosts: name an address with --to", NULL, "to");
	t->hop = route->kind == ROUTE_DIRECT ? route_domain(to) : SPAN("");
	if (connect_why(t->call->host, route, why, sizeof(why)))
		put_row(t, "connection", arena_printf(&t->call->arena, "mail itself waits: %s", why),
			PROBE_NOTE, SPAN(""), true);
	return true;
}

/* False: the call has failed. */
static bool
take_params(struct route_test *t)
{
	struct span what = control_param(t->call, "what"), to = control_param(t->call, "to");

	if (what.len == 0 && to.len == 0)
		return control_fail(t->call, RPC_INVALID, "a route or an address is wanted", NULL, "what");
	if (to.len > 0 && route_domain(to).len == 0)
		return control_fail(t->call, RPC_INVALID, "--to wants an address", NULL, "to");
	if (span_starts_nocase(what, SPAN(LAN_ROUTE_PREFIX)))
		return take_lan(t, what);
	if (what.len > 0 && span_find(what, '@') == what.len)
		return take_route(t, what, to);
	find_way(t, what.len > 0 ? what : to);
	if (what.len == 0)
		t->route = SPAN(""); /* asked only which way it goes */
	return !t->call->failed;
}

/* ---- the test ---- */

static void
on_done(struct delivery_probe *p)
{
	struct route_test *t = p->arg;

	tests--;
	for (size_t i = 0; i < p->count; i++) {
		const struct probe_step *s = &p->steps[i];

		put_row(t, s->step, span_of(s->text), s->state, span_of(s->host),
			p->ok || s->state != PROBE_FAILED);
	}
	if (!p->ok && p->count == 0)
		fail(t, SPAN("no server could be used"));
	end(t);
}

static void
test_start(struct control_call *call)
{
	struct route_test *t = ARENA_NEW(&call->arena, struct route_test);

	t->call = call;
	if (!take_params(t) || t->route.len == 0 || t->failed || !call->host->outgoing) {
		end(t);
		return;
	}
	if (tests >= TESTS_MAX) {
		control_fail(call, RPC_BUSY, "too many tests at once", "try again in a moment", NULL);
		end(t);
		return;
	}
	t->probe.route = t->route;
	t->probe.hop = t->hop;
	t->probe.done = on_done;
	t->probe.arg = t;
	tests++;
	if (delivery_probe_start(call->host, &t->probe))
		return;
	tests--;
	fail(t, SPAN("the route of it is not configured"));
	end(t);
}

const struct control_handler control_do_route_test = {.start = test_start};
