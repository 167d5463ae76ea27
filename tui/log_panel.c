/*
 * log_panel.c - the log as it comes: level, one session or subsystem only, words to leave in.
 *
 * Scrolling up holds the view; what comes meanwhile is counted, and End goes on. What filters hide
 * is counted too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/log_inside.h"
#include "tui/screen_rows.h"

#define LOG_FIRST 200

const char *const log_levels[] = { "error", "warning", "info", "debug" };

/* ---- lines ---- */

static char
letter_of(struct span level)
{
	return span_eq(level, SPAN("error")) ? 'E' :
		span_eq(level, SPAN("warning")) ? 'W' :
		span_eq(level, SPAN("debug")) ? 'd' :
						'i';
}

static int64_t
time_of(struct span text)
{
	int64_t from = 0, to;

	return control_parse_time(text, 0, &from, &to) == OK ? from : 0;
}

static bool
is_hidden(const struct log_view *v, const struct log_entry *e)
{
	struct span row = span_of(e->row), words = buf_span(&v->words), word;

	while (words.len > 0) {
		(void)span_cut(words, ' ', &word, &words);
		if (word.len > 1 && word.ptr[0] == '-' &&
			span_find_span_nocase(row, span_from(word, 1)) < row.len)
			return true;
		if (word.len > 0 && word.ptr[0] != '-' &&
			span_find_span_nocase(row, word) >= row.len)
			return true;
	}
	return false;
}

static void
forget_first(struct log_view *v)
{
	v->hidden -= v->lines[0].hidden;
	free(v->lines[0].row);
	memmove(v->lines, v->lines + 1, sizeof(v->lines[0]) * (LOG_LINES - 1));
	v->count--;
	v->at -= v->at > 0;
	v->top -= v->top > 0;
}

static void
line_add(struct log_view *v, const struct json *row)
{
	struct log_entry *e;
	struct json_writer w;
	struct buf text;

	if (v->count == LOG_LINES)
		forget_first(v);
	buf_init(&text, JSON_TEXT_MAX);
	json_writer_init(&w, &text);
	json_put_json(&w, row);
	if (json_writer_end(&w) == OK) {
		e = &v->lines[v->count++];
		e->row = strndup(buf_span(&text).ptr, buf_span(&text).len);
		ENSURE(e->row);
		e->time_s = time_of(json_text(json_find(row, SPAN("time"))));
		e->level = letter_of(json_text(json_find(row, SPAN("level"))));
		e->hidden = is_hidden(v, e);
		v->hidden += e->hidden;
		v->missed += v->held && !e->hidden;
	}
	buf_fini(&text);
	if (!v->held)
		v->at = v->count - 1;
}

static void
lines_clear(struct log_view *v)
{
	while (v->count > 0)
		free(v->lines[--v->count].row);
	v->at = v->top = 0;
	v->hidden = v->missed = v->skipped = 0;
}

/* ---- the server ---- */

static void
put_params(const struct log_view *v, struct buf *out, bool tail)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_put_object(&w);
	if (tail)
		json_put_member_u64(&w, SPAN("lines"), LOG_FIRST);
	else
		json_put_member_string(&w, SPAN("topic"), SPAN("log"));
	json_put_member_string(&w, SPAN("level"), span_of(log_levels[v->level]));
	if (v->service[0])
		json_put_member_string(&w, SPAN("service"), span_of(v->service));
	if (v->session[0])
		json_put_member_string(&w, SPAN("session"), span_of(v->session));
	json_put_close(&w);
	if (json_writer_end(&w) != OK)
		buf_clear(out);
}

static void
tail_came(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;
	struct log_view *v = s->state;
	const struct json *rows = json_find(reply->result, SPAN("rows"));

	s->console->dirty = true;
	if (reply->error && s->console->state == CONSOLE_UP)
		console_say_error(s->console, reply->error);
	if (!rows)
		return;
	lines_clear(v);
	for (const struct json *at = rows->first; at; at = at->next)
		line_add(v, at);
}

static void
subscribed(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;
	struct log_view *v = s->state;

	if (json_u64(json_find(reply->result, SPAN("subscription")), UINT64_MAX, &v->subscription) !=
		OK)
		v->subscription = 0;
}

static void
unsubscribe(struct log_view *v)
{
	char params[64];

	snprintf(params, sizeof(params), "{\"subscription\":%llu}",
		(unsigned long long)v->subscription);
	if (v->subscription)
		(void)server_link_call(&v->screen->console->link, "unsubscribe", span_of(params),
			NULL, NULL);
	v->subscription = 0;
}

static void
begin(struct log_view *v)
{
	struct console *c = v->screen->console;
	struct buf params;

	if (c->state != CONSOLE_UP)
		return;
	unsubscribe(v);
	server_link_forget(&c->link, v->screen);
	buf_init(&params, CONSOLE_TEXT_MAX * 4);
	put_params(v, &params, true);
	(void)server_link_call(&c->link, "log.tail", buf_span(&params), tail_came, v->screen);
	buf_clear(&params);
	put_params(v, &params, false);
	(void)server_link_call(&c->link, "subscribe", buf_span(&params), subscribed, v->screen);
	buf_fini(&params);
	v->subscribed = true;
	v->since = c->lost_ms;
}

static void
take_lines(struct log_view *v, const struct json *data)
{
	const struct json *lines = json_find(data, SPAN("lines"));
	uint64_t skipped = 0;

	for (const struct json *at = lines ? lines->first : NULL; at; at = at->next)
		line_add(v, at);
	skipped = json_number_or(json_find(data, SPAN("skipped")), skipped);
	v->skipped += skipped;
}

void
log_panel_event(struct console *c, uint64_t subscription, const struct json *data)
{
	for (unsigned root = 0; root < CONSOLE_SCREENS_MAX; root++)
		for (struct place *p = c->roots[root]; p; p = p->back)
			for (unsigned i = 0; i < SCREEN_TABS_MAX; i++) {
				struct screen *s = p->screens[i];
				struct log_view *v = s ? s->state : NULL;

				if (v && screen_panel(s) == &log_panel &&
					v->subscription == subscription)
					take_lines(v, data);
			}
}

/* ---- life ---- */

static void
log_open(struct screen *s)
{
	struct log_view *v = s->state;

	v->screen = s;
	v->level = 2;
	v->lines = calloc(LOG_LINES, sizeof(*v->lines));
	ENSURE(v->lines);
	buf_init(&v->words, LINE_EDIT_MAX);
}

static void
log_close(struct screen *s)
{
	struct log_view *v = s->state;

	unsubscribe(v);
	lines_clear(v);
	free(v->lines);
	free(v->bookmark);
	buf_fini(&v->words);
}

static void
log_enter(struct screen *s)
{
	struct log_view *v = s->state;

	if (v->since != s->console->lost_ms)
		v->subscription = 0; /* it went with the server */
	if (!v->subscribed || v->since != s->console->lost_ms)
		begin(v);
}

/* ---- keys ---- */

static void
step(struct log_view *v, int by)
{
	size_t at = v->at;

	while ((by < 0 && at > 0) || (by > 0 && at + 1 < v->count)) {
		at = by < 0 ? at - 1 : at + 1;
		if (!v->lines[at].hidden) {
			v->at = at;
			break;
		}
	}
	if (by < 0)
		v->held = true;
}

static void
step_many(struct log_view *v, int by)
{
	for (int i = 0; i < (by < 0 ? -by : by); i++)
		step(v, by < 0 ? -1 : 1);
}

static void
trouble(struct log_view *v, int by)
{
	size_t at = v->at;

	while ((by < 0 && at > 0) || (by > 0 && at + 1 < v->count)) {
		at = by < 0 ? at - 1 : at + 1;
		if (!v->lines[at].hidden && (v->lines[at].level == 'E' || v->lines[at].level == 'W')) {
			v->at = at;
			v->held = true;
			return;
		}
	}
	console_say(v->screen->console, STYLE_DIM, "no more problems in these lines");
}

static void
go_live(struct log_view *v)
{
	v->held = false;
	v->missed = 0;
	v->at = v->count ? v->count - 1 : 0;
}

static void
words_done(struct screen *s, struct span text)
{
	struct log_view *v = s->state;

	buf_clear(&v->words);
	if (buf_put(&v->words, span_trim(text)) != OK)
		buf_clear(&v->words);
	v->hidden = 0;
	for (size_t i = 0; i < v->count; i++) {
		v->lines[i].hidden = is_hidden(v, &v->lines[i]);
		v->hidden += v->lines[i].hidden;
	}
	s->console->dirty = true;
}

static bool
log_act(struct screen *s, enum act act)
{
	struct log_view *v = s->state;

	switch (act) {
	case ACT_DOWN: step(v, 1); break;
	case ACT_UP: step(v, -1); break;
	case ACT_PAGE_DOWN: step_many(v, v->shown); break;
	case ACT_PAGE_UP: step_many(v, -v->shown); break;
	case ACT_HALF_DOWN: step_many(v, v->shown / 2); break;
	case ACT_HALF_UP: step_many(v, -(v->shown / 2)); break;
	case ACT_FIRST: v->at = 0; v->held = true; break;
	case ACT_LAST: go_live(v); break;
	case ACT_HOLD_VIEW:
		if (v->held)
			go_live(v);
		else
			v->held = true;
		break;
	case ACT_BOOKMARK: log_bookmark_set(v); break;
	case ACT_BOOKMARK_GO: log_bookmark_go(v); break;
	case ACT_TROUBLE_BACK: trouble(v, -1); break;
	case ACT_TROUBLE_NEXT: trouble(v, 1); break;
	case ACT_FILTER:
		console_ask(s->console, "words (-word: without)", buf_span(&v->words), NULL,
			words_done);
		break;
	case ACT_UNFILTER: words_done(s, SPAN("")); break;
	case ACT_RELOAD: begin(v); break;
	default: return false;
	}
	return true;
}

static const struct json *
row_here(const struct log_view *v, struct arena *a)
{
	const struct json *row = NULL;

	if (v->at >= v->count ||
		json_parse(a, span_of(v->lines[v->at].row), &row, NULL) != OK)
		return NULL;
	return row;
}

/* The session or the subsystem of the line alone; again: all. */
static void
only(struct log_view *v, char *what, size_t size, struct span name)
{
	struct arena a;
	struct span text;

	arena_init(&a, NULL);
	text = json_text(json_find(row_here(v, &a), name));
	if (what[0])
		what[0] = '\0';
	else if (text.len > 0 && text.len < size)
		snprintf(what, size, "%.*s", SPAN_FMT(text));
	else
		console_say(v->screen->console, STYLE_WARNING, "the line has none");
	arena_reset(&a);
	begin(v);
}

static void
only_session(struct screen *s)
{
	struct log_view *v = s->state;

	only(v, v->session, sizeof(v->session), SPAN("session"));
}

static void
only_service(struct screen *s)
{
	struct log_view *v = s->state;

	only(v, v->service, sizeof(v->service), SPAN("service"));
}

static void
next_level(struct screen *s)
{
	struct log_view *v = s->state;

	v->level = (v->level + 1) % COUNT(log_levels);
	begin(v);
}

static void
open_trace(struct screen *s)
{
	struct log_view *v = s->state;
	struct arena a;
	struct span id;

	arena_init(&a, NULL);
	id = json_text(json_find(row_here(v, &a), SPAN("message")));
	if (id.len > 0)
		console_open(s->console, &screen_trace_steps, NULL, id);
	else
		console_say(s->console, STYLE_DIM, "the line is about no message");
	arena_reset(&a);
}

static const enum act log_acts[] = { ACT_DOWN, ACT_UP, ACT_PAGE_DOWN, ACT_PAGE_UP, ACT_HALF_DOWN,
	ACT_HALF_UP, ACT_FIRST, ACT_LAST, ACT_FILTER, ACT_UNFILTER, ACT_RELOAD, ACT_HOLD_VIEW,
	ACT_TROUBLE_NEXT, ACT_TROUBLE_BACK, ACT_COPY, ACT_EXPORT, ACT_BOOKMARK, ACT_BOOKMARK_GO,
	ACT_NONE };

const struct panel_class log_panel = {
	.size = sizeof(struct log_view),
	.open = log_open,
	.close = log_close,
	.enter = log_enter,
	.act = log_act,
	.draw = log_draw,
	.title = log_title,
	.copy = log_copy,
	.whole = log_whole,
	.acts = log_acts,
};

const struct screen_class screen_logs = {
	.name = "logs",
	.title = "Logs",
	.digit = '4',
	.panel = &log_panel,
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Trace", .run = open_trace, .help = "The trace of the message the line is about." },
		{ 'L', "Level", .run = next_level, .help = "error, warning, info, debug in turn." },
		{ 'S', "This session", .run = only_session, .help = "Only lines of this session; again: all." },
		{ 'B', "This subsystem", .run = only_service, .help = "Only lines of this subsystem; again: all." },
		{ 0 } },
	.help = "The log as it comes. Going up holds the view, End goes on. Level letters: E error, W warning, i, d.",
};
