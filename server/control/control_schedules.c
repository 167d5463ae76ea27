/*
 * control_schedules.c - schedules: when each fires next, what holds for all, and the runs that follow, also of one that is only thought of.
 */
#include <stdio.h>

#include "conf/conf_shapes.h"
#include "conf/conf_value.h"
#include "server/connect/connect.h"
#include "server/connect/timetable.h"
#include "server/control/control_undo.h"
#include "server/generation.h"
#include "server/queue/routes.h"

#define CONNECTIONS_MAX 11 /* ten of the file, or the one of its own */
#define NEXT_RUNS 10
#define NEXT_RUNS_MAX 1000
#define DRAFT_ITEMS_MAX 100 /* of a list of a schedule */

static void
put_clock(struct control_call *call, int64_t minutes)
{
	control_put_text(&call->rows, arena_printf(&call->arena, "%02d:%02d", (int)(minutes / 60),
					      (int)(minutes % 60)));
}

static int64_t
next_of(const struct conf_schedule *s, int64_t after_ms)
{
	struct timetable t;

	timetable_read(s, &t);
	return s->enabled ? timetable_next_ms(&t, after_ms, host_zone_minutes) : 0;
}

static void
schedule_row(struct control_call *call, const struct conf_schedule *s)
{
	control_row(&call->rows, s->name);
	control_put_text(&call->rows, s->name);
	control_put_number(&call->rows, s->enabled);
	control_put_list(&call->rows, s->days.items, s->days.count);
	put_clock(call, s->from);
	put_clock(call, s->to);
	control_put_number(&call->rows, s->every_ms / 1000);
	control_put_list(&call->rows, s->at.items, s->at.count);
	control_put_list(&call->rows, s->connections.items, s->connections.count);
	control_put_time_ms(&call->rows, next_of(s, call->now_ms));
}

static void
schedule_list(struct control_call *call)
{
	const struct conf_schedules *all = &call->host->conf->schedules;

	for (size_t i = 0; i < all->count; i++)
		schedule_row(call, &all->items[i]);
	control_rows_end(&call->rows);
	control_call_end(call);
}

const struct control_handler control_do_schedule_list = { .start = schedule_list };

/* ---- schedule modifiers ---- */

static void
modifiers_start(struct control_call *call)
{
	json_put_object(&call->json);
	control_put_settings(call, SPAN("scheduling."));
	json_put_close(&call->json);
	control_call_end(call);
}

const struct control_handler control_do_schedule_modifiers = { .start = modifiers_start };

/* ---- schedule next ---- */

struct runs {
	const struct conf *conf;
	struct conf_schedule draft; /* the one that is asked for, with what was changed of it */
	const struct conf_schedule *items;
	size_t count;
	int64_t *next_ms; /* by item; 0: never */
};

static bool
draft_list(struct control_call *call, const struct setting *row, struct span text, struct conf_list *out)
{
	struct span *items = ARENA_ARRAY(&call->arena, struct span, DRAFT_ITEMS_MAX), one;
	size_t count = 0;

	for (; text.len > 0; text = span_from(text, one.len + 1)) {
		int64_t minutes;

		one = span_range(text, 0, span_find_any(text, SPAN(";,")));
		if (span_trim(one).len == 0)
			continue;
		items[count] = span_trim(one);
		if (count + 1 == DRAFT_ITEMS_MAX ||
			(row->type == SETTING_WORDS && conf_word_find(row->unit, items[count]) < 0) ||
			(row->type == SETTING_CLOCKS && conf_clock_parse(items[count], &minutes) != OK))
			return control_failf(call, RPC_INVALID, row->key, "%.*s is none of %s", SPAN_FMT(one),
				row->unit);
		count++;
	}
	*out = (struct conf_list){ items, count };
	return true;
}

static bool
draft_key(struct control_call *call, const struct rpc_pair *pair, struct conf_schedule *draft)
{
	const struct conf_shape *shape = conf_shape_of(SETTING_SCHEDULES);
	const struct setting *row = setting_find(shape->rows, shape->count, pair->key);
	void *out = row ? (char *)draft + row->offset : NULL;
	struct span why, text = pair->value;

	if (!row)
		return control_failf(call, RPC_INVALID, "keys", "a schedule has no %.*s", SPAN_FMT(pair->key));
	if (text.len == 0)
		text = span_of(row->fallback);
	if (setting_is_list(row->type)) {
		if (text.len > 1 && text.ptr[0] == '[')
			text = span_range(text, 1, text.len - 1);
		return draft_list(call, row, text, out);
	}
	return conf_value_parse(row, text, &call->arena, out, &why) == OK ||
		control_failf(call, RPC_INVALID, row->key, "%.*s: %.*s", SPAN_FMT(pair->key), SPAN_FMT(why));
}

/* Of one alone where it is named, as it would be with the keys; of one that is new where the keys alone are given. */
static bool
next_draft(struct control_call *call, struct runs *r)
{
	struct span name = rpc_text(call->request, "name");
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	const struct conf_shape *shape = conf_shape_of(SETTING_SCHEDULES);

	for (size_t i = 0; i < r->count && name.len > 0; i++)
		if (span_eq_nocase(r->items[i].name, name)) {
			r->draft = r->items[i];
			r->count = 0;
		}
	if (name.len > 0 && r->count > 0 && keys->count == 0)
		return control_failf(call, RPC_NOT_FOUND, "name", "there is no schedule %.*s", SPAN_FMT(name));
	if (name.len == 0 && keys->count == 0)
		return true;
	if (!r->draft.name.ptr)
		for (size_t i = 1; i < shape->count; i++)
			if (!draft_key(call, &(struct rpc_pair){ span_of(shape->rows[i].key), SPAN("") }, &r->draft))
				return false;
	for (size_t i = 0; i < keys->count; i++)
		if (!draft_key(call, &keys->pairs[i], &r->draft))
			return false;
	if (!r->draft.name.ptr)
		r->draft.name = name.len > 0 ? name : SPAN("new");
	r->items = &r->draft;
	r->count = 1;
	return true;
}

static bool
next_check(struct control_call *call)
{
	struct runs *r = ARENA_NEW(&call->arena, struct runs);

	call->state = r;
	r->conf = generation_conf(call->generation);
	r->items = r->conf->schedules.items;
	r->count = r->conf->schedules.count;
	if (rpc_number(call->request, "count", NEXT_RUNS) > NEXT_RUNS_MAX)
		return control_failf(call, RPC_TOO_LARGE, "count", "at most %d runs", NEXT_RUNS_MAX);
	return next_draft(call, r);
}

static void
put_run(struct control_call *call, const struct runs *r, size_t schedule)
{
	const struct conf_schedule *s = &r->items[schedule];
	struct span names[CONNECTIONS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < connection_count(r->conf) && count < CONNECTIONS_MAX; i++)
		if (connection_is_of(s, connection_at(r->conf, i)))
			names[count++] = connection_at(r->conf, i)->name;
	control_row(&call->rows, arena_printf(&call->arena, "%lld.%zu",
					 (long long)r->next_ms[schedule], schedule));
	control_put_time_ms(&call->rows, r->next_ms[schedule]);
	control_put_text(&call->rows, s->name);
	control_put_list(&call->rows, names, count);
}

static enum step
next_read(struct control_call *call, struct snapshot *snap)
{
	uint64_t count = rpc_number(call->request, "count", NEXT_RUNS);
	struct runs *r = call->state;

	(void)snap;
	r->next_ms = ARENA_ARRAY(&call->arena, int64_t, r->count + 1);
	for (size_t i = 0; i < r->count; i++)
		r->next_ms[i] = next_of(&r->items[i], call->now_ms);
	for (size_t n = 0; n < count; n++) {
		size_t first = r->count;

		for (size_t i = 0; i < r->count; i++)
			if (r->next_ms[i] > 0 && (first == r->count || r->next_ms[i] < r->next_ms[first]))
				first = i;
		if (first == r->count)
			break;
		put_run(call, r, first);
		r->next_ms[first] = next_of(&r->items[first], r->next_ms[first]);
	}
	return STEP_DONE;
}

const struct control_handler control_do_schedule_next = { .check = next_check, .read = next_read };
