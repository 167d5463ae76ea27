/*
 * control_collect_look.c - collectors as they are: `collect list`, `collect show`.
 *
 * Settings are in the file; what goes on is in the memory of the front loop, and copied there in one turn.
 */
#include <stdio.h>

#include "server/collect/collect.h"
#include "server/connect/connect.h"
#include "server/control/control_undo.h"
#include "server/generation.h"

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

/* What the front loop knows of each, in the arena of the call: rows are made of it on a worker. */
struct looked {
	struct collect_view v;
	const char *state;
	int64_t next_ms;
};

struct looking {
	struct control_call *call;
	const struct conf_collectors *conf; /* of the call's generation */
	struct looked *items;		    /* as many */
	size_t at;
};

/* Of kind smtp a run waits for mail, and nothing is fetched (INM-26). */
static void
settle(const struct control_call *call, const struct conf_collector *c, struct looked *l)
{
	const struct connect *connect = call->host->connect;
	bool rests;

	if (c->kind == COLLECTOR_SMTP && connect_waits_for(connect, c))
		l->state = "waiting for mail";
	else if (c->enabled || l->v.state != COLLECT_IDLE)
		l->state = collect_state_name(l->v.state);
	else
		l->state = "off";
	/* the next is counted from the end of the one under way */
	rests = l->v.state == COLLECT_IDLE || l->v.state == COLLECT_LISTENS;
	l->next_ms = c->enabled && rests ? connect_collects_next_ms(connect, c, l->v.last_ms) : 0;
}

/* The order is that of the file, but for the moment in which a new one is taken. */
static void
see(void *arg, const struct collect_view *v)
{
	struct looking *looking = arg;
	size_t i = looking->at++;
	struct arena *a = &looking->call->arena;
	struct looked *l;

	if (i >= looking->conf->count || !span_eq_nocase(looking->conf->items[i].name, v->name))
		for (i = 0; i < looking->conf->count; i++)
			if (span_eq_nocase(looking->conf->items[i].name, v->name))
				break;
	if (i >= looking->conf->count)
		return;
	l = &looking->items[i];
	l->v = *v;
	l->v.error = arena_text(a, span_of(v->error));
	l->v.because = arena_text(a, span_of(v->because));
}

static struct looking *
look(struct control_call *call)
{
	struct looking *looking = ARENA_NEW(&call->arena, struct looking);

	looking->call = call;
	looking->conf = &generation_conf(call->generation)->collectors;
	looking->items = ARENA_ARRAY(&call->arena, struct looked, looking->conf->count + 1);
	for (size_t i = 0; i < looking->conf->count; i++)
		looking->items[i].v.error = looking->items[i].v.because = "";
	if (call->host->collect)
		collect_each(call->host->collect, see, looking);
	for (size_t i = 0; i < looking->conf->count; i++)
		settle(call, &looking->conf->items[i], &looking->items[i]);
	return looking;
}

/* ---- list ---- */

static void
list_row(struct control_call *call, const struct looking *looking, size_t i)
{
	const struct conf *conf = generation_conf(call->generation);
	const struct conf_collector *c = &looking->conf->items[i];
	const struct looked *l = &looking->items[i];
	const struct collect_counts *n = &l->v.counts;
	struct control_rows *rows = &call->rows;
	char text[VALUE_SIZE];

	control_row(rows, c->name);
	control_put_number(rows, (int64_t)i + 1);
	control_put_text(rows, c->name);
	control_put_text(rows, span_of(l->state));
	control_put_text(rows, c->kind == COLLECTOR_SPOOL ? c->path : c->server);
	control_put_text(rows, c->username);
	control_put_text(rows, word_of(conf, i, "route", text));
	control_put_number(rows, c->every_ms / 1000);
	control_put_number(rows, c->leave_days);
	control_put_time_ms(rows, l->v.last_ms);
	control_put_time_ms(rows, l->next_ms);
	control_put_number(rows, (int64_t)n->fetched);
	control_put_text(rows, span_of(l->v.error));
	control_put_text(rows, word_of(conf, i, "kind", text));
	control_put_number(rows, c->enabled);
	control_put_text(rows, c->target);
	control_put_list(rows, c->connections.items, c->connections.count);
	control_put_time_ms(rows, l->v.began_ms);
	control_put_text(rows, span_of(l->v.because));
	control_put_number(rows, (int64_t)n->left);
	control_put_number(rows, (int64_t)n->deleted);
	control_put_number(rows, (int64_t)n->failed);
	control_put_number(rows, (int64_t)n->bytes);
	control_put_number(rows, (int64_t)n->to_fetch);
	control_put_number(rows, (int64_t)n->to_fetch_bytes);
}

static bool
list_check(struct control_call *call)
{
	call->state = look(call);
	return true;
}

static enum step
list_read(struct control_call *call, struct snapshot *snap)
{
	const struct looking *looking = call->state;

	(void)snap;
	for (size_t i = 0; i < looking->conf->count; i++)
		list_row(call, looking, i);
	return STEP_DONE;
}

const struct control_handler control_do_collect_list = { .check = list_check, .read = list_read };

/* ---- show ---- */

static void
put_state(struct control_call *call, const struct looked *l)
{
	const struct collect_view *v = &l->v;
	struct json_writer *w = &call->json;

	json_put_member_string(w, SPAN("state"), span_of(l->state));
	json_put_member_string(w, SPAN("because"), span_of(v->because));
	control_put_time(w, SPAN("began"), v->began_ms);
	control_put_time(w, SPAN("last"), v->last_ms);
	control_put_time(w, SPAN("next"), l->next_ms);
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
	const struct conf *conf = call->host->conf;
	struct span name = control_param(call, "name");
	const struct conf_collector *c = conf_collector(conf, name);
	struct looked l = { .v = { .error = "", .because = "" } };
	size_t place;

	if (!c) {
		control_failf(call, RPC_NOT_FOUND, "name", "there is no collector %.*s", SPAN_FMT(name));
		control_call_end(call);
		return;
	}
	if (collect_view_named(call->host->collect, name, &l.v) != OK)
		l.v.error = l.v.because = ""; /* a new file, which is taken in a moment */
	settle(call, c, &l);
	place = (size_t)(c - conf->collectors.items);
	json_put_object(&call->json);
	json_put_member_u64(&call->json, SPAN("place"), place + 1);
	control_put_item(call, conf, SETTING_COLLECTORS,
		arena_printf(&call->arena, "collecting.collectors.%zu", place));
	put_state(call, &l);
	json_put_close(&call->json);
	control_call_end(call);
}

const struct control_handler control_do_collect_show = { .start = show_start };
