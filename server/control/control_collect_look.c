/*
 * control_collect_look.c - collectors as they are: `collect list`, `collect show`.
 *
 * Settings are in the file, what goes on in the memory of the front loop; both are read in one turn.
 */
#include <stdio.h>

#include "conf/conf_shapes.h"
#include "server/collect/collect.h"
#include "server/connect/connect.h"
#include "server/control/control_undo.h"

#define PATH_SIZE 100
#define VALUE_SIZE 128

/* A key of collector I as a person reads it, into TEXT. */
static struct span
word_of(const struct conf *conf, size_t i, const char *key, char text[VALUE_SIZE])
{
	struct conf_entry entry;
	char path[PATH_SIZE];
	struct buf out;

	text[0] = '\0';
	snprintf(path, sizeof(path), "collecting.collectors.%zu.%s", i, key);
	buf_init(&out, VALUE_SIZE);
	if (conf_find(conf, path, &entry) == OK && conf_put_text(&entry, &out) == OK)
		snprintf(text, VALUE_SIZE, "%.*s", SPAN_FMT(buf_span(&out)));
	buf_fini(&out);
	return span_of(text);
}

/* Of kind smtp a run waits for mail, and nothing is fetched (INM-26). */
static void
see(const struct control_call *call, size_t i, struct collect_view *v)
{
	const struct conf_collector *c = &call->host->conf->collectors.items[i];

	*v = (struct collect_view){ .name = c->name, .error = "", .because = "" };
	if (call->host->collect)
		(void)collect_view_at(call->host->collect, i, v);
}

static const char *
state_of(const struct control_call *call, const struct conf_collector *c, const struct collect_view *v)
{
	if (c->kind == COLLECTOR_SMTP && connect_waits_for(call->host->connect, c))
		return "waiting for mail";
	return c->enabled || v->state != COLLECT_IDLE ? collect_state_name(v->state) : "off";
}

static int64_t
next_ms(const struct control_call *call, const struct conf_collector *c, const struct collect_view *v)
{
	return c->enabled ? connect_collects_next_ms(call->host->connect, c, v->last_ms) : 0;
}

/* ---- list ---- */

static void
list_row(struct control_call *call, size_t i)
{
	const struct conf *conf = call->host->conf;
	const struct conf_collector *c = &conf->collectors.items[i];
	struct control_rows *rows = &call->rows;
	const struct collect_counts *n;
	char text[VALUE_SIZE];
	struct collect_view v;

	see(call, i, &v);
	n = &v.counts;
	control_row(rows, c->name);
	control_put_number(rows, (int64_t)i + 1);
	control_put_text(rows, c->name);
	control_put_text(rows, span_of(state_of(call, c, &v)));
	control_put_text(rows, c->kind == COLLECTOR_SPOOL ? c->path : c->server);
	control_put_text(rows, c->username);
	control_put_text(rows, word_of(conf, i, "route", text));
	control_put_number(rows, c->every_ms / 1000);
	control_put_number(rows, c->leave_days);
	control_put_time_ms(rows, v.last_ms);
	control_put_time_ms(rows, next_ms(call, c, &v));
	control_put_number(rows, (int64_t)n->fetched);
	control_put_text(rows, span_of(v.error));
	control_put_text(rows, word_of(conf, i, "kind", text));
	control_put_number(rows, c->enabled);
	control_put_text(rows, c->target);
	control_put_list(rows, c->connections.items, c->connections.count);
	control_put_time_ms(rows, v.began_ms);
	control_put_text(rows, span_of(v.because));
	control_put_number(rows, (int64_t)n->left);
	control_put_number(rows, (int64_t)n->deleted);
	control_put_number(rows, (int64_t)n->failed);
	control_put_number(rows, (int64_t)n->bytes);
	control_put_number(rows, (int64_t)n->to_fetch);
	control_put_number(rows, (int64_t)n->to_fetch_bytes);
}

static void
list_start(struct control_call *call)
{
	for (size_t i = 0; i < call->host->conf->collectors.count; i++)
		list_row(call, i);
	control_rows_end(&call->rows);
	control_call_end(call);
}

const struct control_handler control_do_collect_list = { .start = list_start };

/* ---- show ---- */

static void
put_keys(struct control_call *call, size_t i)
{
	const struct conf_shape *shape = conf_shape_of(SETTING_COLLECTORS);

	for (size_t k = 0; k < shape->count; k++) {
		struct conf_entry entry;
		char path[PATH_SIZE];

		snprintf(path, sizeof(path), "collecting.collectors.%zu.%s", i, shape->rows[k].key);
		if (conf_find(call->host->conf, path, &entry) == OK)
			control_put_setting(&call->json, span_of(shape->rows[k].key), &entry);
	}
}

static void
put_state(struct control_call *call, const struct conf_collector *c, const struct collect_view *v)
{
	struct json_writer *w = &call->json;

	json_put_member_string(w, SPAN("state"), span_of(state_of(call, c, v)));
	json_put_member_string(w, SPAN("because"), span_of(v->because));
	control_put_time(w, SPAN("began"), v->began_ms);
	control_put_time(w, SPAN("last"), v->last_ms);
	control_put_time(w, SPAN("next"), next_ms(call, c, v));
	json_put_member_u64(w, SPAN("fetched"), v->counts.fetched);
	json_put_member_u64(w, SPAN("left"), v->counts.left);
	json_put_member_u64(w, SPAN("deleted"), v->counts.deleted);
	json_put_member_u64(w, SPAN("failed"), v->counts.failed);
	json_put_member_u64(w, SPAN("bytes"), v->counts.bytes);
	json_put_member_u64(w, SPAN("to_fetch"), v->counts.to_fetch);
	json_put_member_u64(w, SPAN("to_fetch_bytes"), v->counts.to_fetch_bytes);
	json_put_member_string(w, SPAN("error"), span_of(v->error));
	json_put_name(w, SPAN("errors"));
	json_put_array(w);
	for (size_t n = 0; n < v->error_count; n++)
		json_put_string(w, span_of(v->errors[n]));
	json_put_close(w);
}

static void
show_start(struct control_call *call)
{
	const struct conf_collectors *all = &call->host->conf->collectors;
	struct span name = control_param(call, "name");
	struct collect_view v;
	size_t i = 0;

	while (i < all->count && !span_eq_nocase(all->items[i].name, name))
		i++;
	if (i == all->count) {
		control_failf(call, RPC_NOT_FOUND, "name", "there is no collector %.*s", SPAN_FMT(name));
		control_call_end(call);
		return;
	}
	see(call, i, &v);
	json_put_object(&call->json);
	json_put_member_u64(&call->json, SPAN("place"), i + 1);
	put_keys(call, i);
	put_state(call, &all->items[i], &v);
	json_put_close(&call->json);
	control_call_end(call);
}

const struct control_handler control_do_collect_show = { .start = show_start };
