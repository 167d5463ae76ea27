/*
 * control_collect_run.c - collectors at work: `collect now`, `collect stop`.
 *
 * Who waits looks ten times a second how the collections do that were asked for, by their numbers; one that has
 * gone to listen for more mail (IMAP IDLE) is done.
 */
#include <stdio.h>

#include "server/collect/collect.h"
#include "server/control/control_call.h"

#define WAIT_LOOK_MS 100
#define WAIT_LOOK_FEW_MS 3  /* for WAIT_FEW at most: who waits for one hears of its end at once */
#define WAIT_FEW 10

/* ---- now ---- */

/* One collector that was asked for. */
struct meant {
	struct span name;
	uint64_t number; /* of its collection */
	bool is_over;
	struct collect_counts counts;
	const char *errors[COLLECT_ERRORS_MAX];
	size_t error_count;
};

struct collecting {
	struct control_call *call;
	struct loop_timer timer;
	struct meant *items;
	size_t count;
	bool tells_errors; /* who ends a collection has what was asked for */
};

/* "isp", or "isp and 2 more". */
static struct span
names_text(const struct collecting *c)
{
	if (c->count == 1)
		return c->items[0].name;
	return arena_printf(&c->call->arena, "%.*s and %zu more", SPAN_FMT(c->items[0].name), c->count - 1);
}

static void
add(struct collecting *c, struct span name)
{
	c->items[c->count++].name = arena_copy(&c->call->arena, name);
}

struct taking {
	struct collecting *c;
	bool (*all)(const struct collect_view *v);
};

static void
take_one(void *arg, const struct collect_view *v)
{
	const struct taking *t = arg;

	if (v->conf && t->all(v))
		add(t->c, v->name);
}

/* Names of the request, or all of the file that ALL takes. False: the call has failed. */
static bool
take_names(struct collecting *c, bool (*all)(const struct collect_view *v))
{
	struct control_call *call = c->call;
	const struct rpc_value *names = rpc_value(call->request, "names");
	const struct conf_collectors *conf = &call->host->conf->collectors;
	bool wants_all = rpc_flag(call->request, "all");
	struct collect_view v;

	if ((names->count > 0) == wants_all)
		return control_fail(call, RPC_INVALID, "a collector's name or --all, one of them", NULL, "names");
	c->items = ARENA_ARRAY(&call->arena, struct meant, names->count + conf->count + 1);
	for (size_t i = 0; i < names->count; i++) {
		if (collect_view_named(call->host->collect, names->items[i], &v) != OK)
			return control_failf(call, RPC_NOT_FOUND, "names", "there is no collector %.*s",
				SPAN_FMT(names->items[i]));
		add(c, v.name);
	}
	if (wants_all)
		collect_each(call->host->collect, take_one, &(struct taking){ c, all });
	return true;
}

/* All are known; whoever cannot be collected from is told before any begins. */
static bool
may_collect(struct collecting *c)
{
	struct control_call *call = c->call;
	struct collect_view v;

	for (size_t i = 0; i < c->count; i++) {
		struct span name = c->items[i].name;
		bool known = collect_view_named(call->host->collect, name, &v) == OK;

		if (known && v.conf && v.conf->kind == COLLECTOR_SMTP)
			return control_failf(call, RPC_REFUSED, "names",
				"%.*s is of kind smtp: mail is brought to it, while its connection runs",
				SPAN_FMT(name));
		if (known && !v.enabled)
			return control_failf(call, RPC_REFUSED, "names",
				"%.*s is off: postroom collect on %.*s", SPAN_FMT(name), SPAN_FMT(name));
	}
	return true;
}

static bool
start_all(struct collecting *c)
{
	struct control_call *call = c->call;
	const char *because = arena_text(&call->arena, arena_printf(&call->arena, "by %s", call->who.name));

	for (size_t i = 0; i < c->count; i++) {
		enum err err = collect_now(
			call->host->collect, c->items[i].name, because, &c->items[i].number);

		if (!control_fail_err(call, err, "collector"))
			return false;
	}
	return true;
}

/* ---- while it goes on ---- */

static void
keep_errors(struct collecting *c, struct meant *m, const struct collect_view *v)
{
	struct arena *a = &c->call->arena;

	for (size_t i = m->error_count; i < v->error_count && i < COLLECT_ERRORS_MAX; i++)
		m->errors[m->error_count++] = arena_text(a, c->count == 1 ? span_of(v->errors[i]) :
			arena_printf(a, "%.*s: %s", SPAN_FMT(m->name), v->errors[i]));
}

/* A later collection has no say in what came of this one. */
static void
look_at(struct collecting *c, struct meant *m)
{
	struct collect_view v;

	if (m->is_over)
		return;
	if (collect_view_named(c->call->host->collect, m->name, &v) != OK) {
		m->is_over = true;
		m->errors[m->error_count < COLLECT_ERRORS_MAX ? m->error_count++ : COLLECT_ERRORS_MAX - 1] = arena_text(
			&c->call->arena, arena_printf(&c->call->arena,
				"%.*s was removed or renamed meanwhile: what more came is not counted here",
				SPAN_FMT(m->name)));
		return;
	}
	if (v.number > m->number) {
		m->is_over = true;
		return;
	}
	if (v.state == COLLECT_IDLE && (v.number < m->number || v.last_ms < c->call->now_ms)) {
		m->is_over = true; /* it was told to stop before its turn came */
		return;
	}
	if (v.number < m->number || v.state == COLLECT_WAITS)
		return; /* its turn comes */
	m->counts = v.counts;
	keep_errors(c, m, &v);
	m->is_over = v.state == COLLECT_IDLE || v.state == COLLECT_LISTENS;
	if (m->is_over && v.state == COLLECT_IDLE && v.failed && m->error_count == 0) {
		const char *error = v.error;

		v.errors = &error;
		v.error_count = 1;
		keep_errors(c, m, &v);
	}
}

static void
sum_up(const struct collecting *c, struct collect_counts *sum, bool *all_over)
{
	*sum = (struct collect_counts){ 0 };
	*all_over = true;
	for (size_t i = 0; i < c->count; i++) {
		const struct collect_counts *n = &c->items[i].counts;

		sum->fetched += n->fetched;
		sum->left += n->left;
		sum->deleted += n->deleted;
		sum->failed += n->failed;
		sum->bytes += n->bytes;
		sum->to_fetch += n->to_fetch;
		sum->to_fetch_bytes += n->to_fetch_bytes;
		*all_over = *all_over && c->items[i].is_over;
	}
}

static void
tell_progress(struct control_call *call, const struct collect_counts *sum)
{
	atomic_store(&call->progress_done, sum->fetched);
	atomic_store(&call->progress_total, sum->to_fetch);
	atomic_store(&call->progress_bytes, sum->bytes);
	atomic_store(&call->progress_bytes_total, sum->to_fetch_bytes);
}

static void
put_errors(struct collecting *c)
{
	struct arena *a = &c->call->arena;
	struct rpc_errors *errors = ARENA_NEW(a, struct rpc_errors);
	size_t count = 0;

	for (size_t i = 0; i < c->count; i++)
		count += c->items[i].error_count;
	errors->items = ARENA_ARRAY(a, const char *, count + 1);
	for (size_t i = 0; i < c->count; i++)
		for (size_t n = 0; n < c->items[i].error_count; n++)
			errors->items[errors->count++] = c->items[i].errors[n];
	c->call->errors = errors;
}

static void
put_results(struct collecting *c, const struct collect_counts *sum)
{
	struct control_call *call = c->call;
	struct rpc_collected *r = ARENA_NEW(&call->arena, struct rpc_collected);

	r->fetched = sum->fetched;
	r->left = sum->left;
	r->deleted = sum->deleted;
	r->failed = sum->failed;
	r->bytes = sum->bytes;
	call->collected = r;
	if (c->count > 0)
		call->note = arena_printf(&call->arena, "%.*s: %llu fetched, %llu left there, %llu removed there",
			SPAN_FMT(names_text(c)), (unsigned long long)r->fetched, (unsigned long long)r->left,
			(unsigned long long)r->deleted);
	if (c->tells_errors)
		put_errors(c);
}

static void
on_wait(struct loop_timer *timer)
{
	struct collecting *c = LIST_ITEM(timer, struct collecting, timer);
	struct collect_counts sum;
	bool all_over;

	for (size_t i = 0; i < c->count; i++)
		look_at(c, &c->items[i]);
	sum_up(c, &sum, &all_over);
	tell_progress(c->call, &sum);
	if (!all_over && !control_is_cancelled(c->call)) {
		loop_timer_set(c->call->host->loop, &c->timer,
			c->count <= WAIT_FEW ? WAIT_LOOK_FEW_MS : WAIT_LOOK_MS);
		return;
	}
	put_results(c, &sum);
	control_call_end(c->call);
}

static void
end(struct collecting *c, const char *did)
{
	struct control_call *call = c->call;

	if (!call->failed) {
		call->done = c->count;
		call->note = c->count == 0 ? SPAN("nothing: there is no collector, or all are off (see: postroom collect list)") :
			arena_printf(&call->arena, "%.*s %s", SPAN_FMT(names_text(c)), did);
	}
	if (!call->failed && c->count == 0 && rpc_flag(call->request, "wait"))
		put_results(c, &(struct collect_counts){ 0 }); /* scripts read the same keys always */
	if (call->failed || c->count == 0 || !rpc_flag(call->request, "wait")) {
		control_call_end(call);
		return;
	}
	loop_timer_init(&c->timer, on_wait);
	loop_timer_set(call->host->loop, &c->timer, 1);
}

static bool
may_be_collected(const struct collect_view *v)
{
	return v->enabled && v->conf->kind != COLLECTOR_SMTP;
}

static void
now_start(struct control_call *call)
{
	struct collecting *c = ARENA_NEW(&call->arena, struct collecting);

	c->call = call;
	c->tells_errors = true;
	if (take_names(c, may_be_collected) && may_collect(c))
		(void)start_all(c);
	end(c, c->count > 1 ? "are collected from" : "is collected from");
}

const struct control_handler control_do_collect_now = { .start = now_start };

/* ---- stop ---- */

static bool
is_under_way(const struct collect_view *v)
{
	return v->state != COLLECT_IDLE;
}

static void
stop_start(struct control_call *call)
{
	struct collecting *c = ARENA_NEW(&call->arena, struct collecting);
	struct collect_view v;
	size_t stopped = 0;

	c->call = call;
	if (take_names(c, is_under_way)) {
		for (size_t i = 0; i < c->count; i++) {
			struct meant *m = &c->items[i];

			if (collect_view_named(call->host->collect, m->name, &v) != OK ||
				collect_stop(call->host->collect, m->name) != OK) {
				control_skip(call, m->name, "nothing is being collected by it");
				continue;
			}
			m->number = v.number;
			c->items[stopped++] = *m;
		}
		c->count = stopped;
	}
	if (!call->failed && stopped == 0 && call->skipped_count > 0)
		control_fail(call, RPC_NOT_FOUND, "nothing is being collected by it", NULL, "names");
	end(c, c->count > 1 ? "are stopped" : "is stopped");
}

const struct control_handler control_do_collect_stop = { .start = stop_start };
