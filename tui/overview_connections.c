/*
 * overview_connections.c - collectors and connections on the Overview: what each does, how far it is, how it ended.
 */
#include <stdio.h>

#include "tui/overview_inside.h"
#include "tui/params.h"
#include "tui/progress.h"

#define ROWS_MAX 50
#define RESULT_MAX 300
#define WIDE_COLS 110 /* from here on there is room for all of the progress */

static void
came(void *owner, struct link_reply *reply)
{
	struct overview_list *list = owner;

	list->asked = false;
	if (!reply->result)
		return; /* a viewer may not see them */
	arena_reset(&list->arena);
	list->rows = json_find(reply->result, SPAN("rows"));
	link_reply_keep(reply, &list->arena);
	list->screen->console->is_stale = true;
}

static void
ask(struct overview_list *list, const char *method)
{
	struct console *c = list->screen->console;
	char params[32];

	if (list->asked || !screen_may(c, method) || c->state != CONSOLE_UP)
		return;
	snprintf(params, sizeof(params), "{\"limit\":%d}", ROWS_MAX);
	list->asked = server_link_call(&c->link, method, span_of(params), came, list) != 0;
}

void
overview_connections_ask(struct screen *s)
{
	struct overview *o = s->state;

	o->looked_ms = s->console->now_ms;
	ask(&o->collectors, "collect.list");
	ask(&o->connections, "connection.list");
}

void
overview_connections_open(struct screen *s)
{
	struct overview *o = s->state;

	arena_init(&o->collectors.arena, NULL);
	arena_init(&o->connections.arena, NULL);
	o->collectors.screen = o->connections.screen = s;
}

void
overview_connections_close(struct screen *s)
{
	struct overview *o = s->state;

	server_link_forget(&s->console->link, &o->collectors);
	server_link_forget(&s->console->link, &o->connections);
	arena_reset(&o->collectors.arena);
	arena_reset(&o->connections.arena);
}

/* ---- lines ---- */

static struct span
text_of(const struct json *row, const char *field)
{
	return json_text(json_find(row, span_of(field)));
}

static void
put_moment(const struct json *row, const char *field, const struct print_style *style, char *out, size_t size)
{
	struct buf text;

	buf_init(&text, PRINT_MAX);
	print_moment(&text, text_of(row, field), style);
	snprintf(out, size, "%.*s", SPAN_FMT(buf_span(&text)));
	buf_fini(&text);
	if (!out[0])
		snprintf(out, size, "-");
}

/* A run that failed, and one that is under way, want to be seen before the others. */
static int
weight(const struct json *row, bool collects)
{
	if (collects ? progress_is_under_way(row) : text_of(row, "began").len > 0)
		return 0;
	if (collects ? text_of(row, "error").len > 0 : json_truth(json_find(row, SPAN("failed"))))
		return 1;
	return 2;
}

/* How far it is, or how it ended. */
static void
put_result(struct screen *s, const struct json *row, bool collects, struct buf *out)
{
	const struct print_style *style = &s->console->style;
	int state = weight(row, collects);

	if (state == 1)
		print_put(out, SPAN("! "));
	if (collects && state == 0 && s->console->cells.cols < WIDE_COLS)
		progress_put_brief(row, style, out);
	else if (collects && state != 1)
		progress_put(row, style, out);
	else
		print_put(out, text_of(row, collects ? "error" : "result"));
}

/* TEXT as one that is acted upon. */
static void
add_line(struct overview *o, const struct json *row, bool collects, struct span text)
{
	struct line *line = overview_line_add(o, weight(row, collects) == 1 ? STYLE_ERROR : STYLE_PLAIN,
		collects ? "collect" : "connections", "%.*s", SPAN_FMT(text));

	snprintf(line->object, sizeof(line->object), "%.*s", SPAN_FMT(span_range(text_of(row, "name"), 0, 63)));
	line->collects = collects;
}

static void
add_row(struct screen *s, const struct json *row, bool collects)
{
	const struct print_style *style = &s->console->style;
	char last[16], next[16], text[512];
	struct buf result;

	put_moment(row, "last", style, last, sizeof(last));
	put_moment(row, "next", style, next, sizeof(next));
	buf_init(&result, PRINT_MAX);
	put_result(s, row, collects, &result);
	snprintf(text, sizeof(text), " %-12.*s %-10.*s %-12s %-12s %.*s", SPAN_FMT(span_range(text_of(row, "name"), 0, 12)),
		SPAN_FMT(span_range(text_of(row, "state"), 0, 10)), last, next,
		SPAN_FMT(span_range(buf_span(&result), 0, RESULT_MAX)));
	add_line(s->state, row, collects, span_of(text));
	buf_fini(&result);
}

/* "isp        fetching   [||    ]  42%", "old        ! login: -ERR locked" */
static void
add_brief_row(struct screen *s, const struct json *row, bool collects)
{
	bool failed = weight(row, collects) == 1;
	struct span state = text_of(row, "state");
	struct buf result;
	char text[512];

	buf_init(&result, PRINT_MAX);
	put_result(s, row, collects, &result);
	snprintf(text, sizeof(text), " %-10.*s %-*.*s%.*s", SPAN_FMT(span_range(text_of(row, "name"), 0, 10)),
		failed ? 0 : 11, failed ? 0 : (int)(state.len < 10 ? state.len : 10), state.ptr ? state.ptr : "",
		SPAN_FMT(span_range(buf_span(&result), 0, RESULT_MAX)));
	add_line(s->state, row, collects, span_of(text));
	buf_fini(&result);
}

static size_t
add_list(struct screen *s, const struct overview_list *list, bool collects, int wanted, size_t room)
{
	size_t added = 0;

	for (const struct json *row = list->rows ? list->rows->first : NULL; row && added < room; row = row->next)
		if (weight(row, collects) == wanted) {
			add_row(s, row, collects);
			added++;
		}
	return added;
}

void
overview_connections_add(struct screen *s, size_t rows)
{
	struct overview *o = s->state;
	size_t all = (o->collectors.rows ? o->collectors.rows->count : 0) + (o->connections.rows ? o->connections.rows->count : 0);
	size_t added = 0;

	if (all == 0)
		return;
	overview_line_add(o, STYLE_HEAD, NULL, " CONNECTION   state      last         next         last result");
	for (int wanted = 0; wanted < 3; wanted++) {
		added += add_list(s, &o->collectors, true, wanted, rows - added);
		added += add_list(s, &o->connections, false, wanted, rows - added);
	}
	if (added < all)
		overview_line_add(o, STYLE_DIM, "collect", "   and %zu more (9)", all - added);
}

/* Adds those in trouble or under way while there is ROOM; counts them all. */
static size_t
add_brief(struct screen *s, const struct overview_list *list, bool collects, int wanted, size_t *room)
{
	size_t count = 0;

	for (const struct json *row = list->rows ? list->rows->first : NULL; row; row = row->next) {
		if (weight(row, collects) != wanted)
			continue;
		count++;
		if (*room == 0)
			continue;
		add_brief_row(s, row, collects);
		--*room;
	}
	return count;
}

/* The moment that comes first. */
static const struct json *
next_of(const struct overview_list *list, const struct json *next)
{
	for (const struct json *row = list->rows ? list->rows->first : NULL; row; row = row->next)
		if (text_of(row, "next").len > 0 &&
			(!next || span_cmp(text_of(row, "next"), text_of(next, "next")) < 0))
			next = row;
	return next;
}

void
overview_connections_brief(struct screen *s, size_t rows)
{
	struct overview *o = s->state;
	size_t all = (o->collectors.rows ? o->collectors.rows->count : 0) + (o->connections.rows ? o->connections.rows->count : 0);
	const struct json *next = next_of(&o->connections, next_of(&o->collectors, NULL));
	size_t room = rows, count = 0;
	char moment[16] = "-";

	for (int wanted = 1; wanted >= 0; wanted--) { /* trouble first: there is little room */
		count += add_brief(s, &o->collectors, true, wanted, &room);
		count += add_brief(s, &o->connections, false, wanted, &room);
	}
	if (next)
		put_moment(next, "next", &s->console->style, moment, sizeof(moment));
	if (count > rows)
		overview_line_add(o, STYLE_DIM, "collect", "   and %zu more (9)", count - rows);
	else if (count == 0 && all > 0)
		overview_line_add(o, STYLE_PLAIN, "collect", " CONNECTION  all at rest, next %s", moment);
}

/* ---- keys ---- */

static void
act(struct screen *s, const char *collect, const char *connect)
{
	struct overview *o = s->state;
	const struct line *line = o->at < o->count ? &o->lines[o->at] : NULL;
	struct params p;
	const char *method = line && line->object[0] && !line->collects ? connect : collect;

	params_begin(&p);
	if (!line || !line->object[0]) {
		json_put_member_bool(&p.w, SPAN("all"), true);
	} else if (line->collects) {
		json_put_name(&p.w, SPAN("names"));
		json_put_array(&p.w);
		json_put_string(&p.w, span_of(line->object));
		json_put_close(&p.w);
	} else {
		json_put_member_string(&p.w, SPAN("name"), span_of(line->object));
	}
	params_do(&p, s->console, method);
	overview_connections_ask(s);
}

void
overview_start(struct screen *s)
{
	act(s, "collect.now", "connection.now");
}

void
overview_stop(struct screen *s)
{
	act(s, "collect.stop", "connection.stop");
}
