/*
 * overview_lines.c - what the Overview says, line by line; each is a link to the screen behind it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tui/overview_inside.h"

#define TREND 30
#define TLS_DAYS_SOON 14

static const struct {
	const char *label;
	struct span counter;
} flow_rows[CONSOLE_FLOWS] = {
	{ "received", { "received", 8 } },
	{ "delivered", { "delivered", 9 } },
	{ "sent out", { "sent", 4 } },
	{ "deferred", { "deferred", 8 } },
	{ "rejected", { "rejected", 8 } },
	{ "collected", { "collected", 9 } },
};

/* ---- lines ---- */

struct line *
overview_line_add(struct overview *o, enum style style, const char *screen, const char *format, ...)
{
	struct line *line = &o->lines[o->count < LINES_MAX - 1 ? o->count++ : o->count];
	va_list args;

	va_start(args, format);
	vsnprintf(line->text, sizeof(line->text), format, args);
	va_end(args);
	line->style = style;
	line->screen = screen;
	line->message[0] = line->object[0] = '\0';
	return line;
}

static uint64_t
number(const struct json *object, struct span part, struct span name)
{
	uint64_t n = 0;

	n = json_number_or(json_find(json_find(object, part), name), n);
	return n;
}

/* The newest warnings and errors among the lines that are kept. */
static void
add_trouble(struct overview *o, struct console *c)
{
	size_t shown = 0;
	struct arena a;

	arena_init(&a, NULL);
	for (size_t i = 0; i < c->recent.count && shown < 3; i++) {
		const struct json *row = console_recent(c, i, &a);
		struct span level = json_text(json_find(row, SPAN("level")));
		struct buf text;

		if (!span_eq(level, SPAN("warning")) && !span_eq(level, SPAN("error")))
			continue;
		buf_init(&text, PRINT_MAX);
		print_log_line(&text, row, &c->style);
		overview_line_add(o, span_eq(level, SPAN("error")) ? STYLE_ERROR : STYLE_WARNING, "logs",
			" %c %.*s", span_eq(level, SPAN("error")) ? '!' : '~',
			SPAN_FMT(span_range(buf_span(&text), 0, 400)));
		buf_fini(&text);
		shown++;
	}
	arena_reset(&a);
}

static void
add_attention(struct overview *o, struct console *c, bool heads)
{
	const struct json *s = c->status;
	const struct json *stopped = json_find(s, SPAN("stopped"));
	const struct json *tls = json_find(s, SPAN("tls"));
	struct span fault = json_text(json_find(s, SPAN("reload_fault")));
	struct span rules = json_text(json_find(s, SPAN("rules_fault")));
	struct span clock = json_text(json_find(s, SPAN("clock")));
	size_t before = o->count;
	uint64_t resting;

	for (const struct json *at = stopped ? stopped->first : NULL; at; at = at->next)
		overview_line_add(o, STYLE_ERROR, "services", " ! service %.*s is stopped",
			SPAN_FMT(json_text(at)));
	if (json_truth(json_find(json_find(s, SPAN("store")), SPAN("full"))))
		overview_line_add(o, STYLE_ERROR, NULL, " ! the store is full, incoming mail waits");
	if (fault.len > 0)
		overview_line_add(o, STYLE_ERROR, NULL, " ! the file is not in force: %.*s",
			SPAN_FMT(fault));
	if (rules.len > 0)
		overview_line_add(o, STYLE_ERROR, NULL, " ! the rules in their file are not in force: %.*s",
			SPAN_FMT(rules));
	if (json_truth(json_find(tls, SPAN("certificate"))) &&
		number(s, SPAN("tls"), SPAN("days")) <= TLS_DAYS_SOON)
		overview_line_add(o, STYLE_WARNING, NULL, " ~ the certificate ends in %llu days",
			(unsigned long long)number(s, SPAN("tls"), SPAN("days")));
	if (clock.len > 0)
		overview_line_add(o, STYLE_WARNING, NULL, " ~ %.*s", SPAN_FMT(clock));
	if (number(s, SPAN("queue"), SPAN("held")) > 0)
		overview_line_add(o, STYLE_WARNING, "queue", " ~ %llu messages are held in the queue",
			(unsigned long long)number(s, SPAN("queue"), SPAN("held")));
	resting = number(s, SPAN("outgoing"), SPAN("resting"));
	if (resting > 0)
		overview_line_add(o, STYLE_WARNING, "destinations",
			" ~ %llu destination%s cannot be reached, and rest%s",
			(unsigned long long)resting, resting == 1 ? "" : "s",
			resting == 1 ? "s" : "");
	if (number(s, SPAN("queue"), SPAN("count")) > 0 &&
		number(s, SPAN("outgoing"), SPAN("routes")) == 0 &&
		number(s, SPAN("outgoing"), SPAN("destinations")) == 0)
		overview_line_add(o, STYLE_WARNING, "routes",
			" ~ mail waits, and there is no route by which it could leave");
	add_trouble(o, c);
	if (o->count == before)
		overview_line_add(o, STYLE_OK, NULL, heads ? "   nothing" : " ATTENTION  nothing");
}

/* ---- flow ---- */

static void
flow_sample(struct flow *f, uint64_t now, bool next_minute)
{
	if (f->first == 0 && f->last == 0)
		f->first = f->last = now;
	if (next_minute || now < f->last) {
		memmove(f->now, f->now + 1, sizeof(f->now) - sizeof(f->now[0]));
		f->now[CONSOLE_FLOW_MINUTES - 1] = 0;
	}
	if (now > f->last)
		f->now[CONSOLE_FLOW_MINUTES - 1] += now - f->last;
	f->last = now;
}

static void
trend_text(const struct flow *f, char text[TREND + 1])
{
	static const char ramp[] = " .:-=+*#";
	uint64_t most = 1;

	for (size_t i = CONSOLE_FLOW_MINUTES - TREND; i < CONSOLE_FLOW_MINUTES; i++)
		most = f->now[i] > most ? f->now[i] : most;
	for (size_t i = 0; i < TREND; i++) {
		uint64_t n = f->now[CONSOLE_FLOW_MINUTES - TREND + i];

		text[i] = ramp[n ? 1 + (n * (sizeof(ramp) - 3)) / most : 0];
	}
	text[TREND] = '\0';
}

void
overview_take_flow(struct overview *o, const struct console *c)
{
	int64_t minute = c->style.now_s / 60;

	for (size_t i = 0; i < CONSOLE_FLOWS; i++)
		flow_sample(&o->flows[i], number(c->status, SPAN("counters"), flow_rows[i].counter),
			o->minute && minute != o->minute);
	o->minute = minute;
}

static void
queue_text(const struct json *s, size_t i, char *out, size_t size)
{
	static const struct {
		const char *label;
		struct span part, name;
	} rows[CONSOLE_FLOWS] = {
		{ "waiting", { "queue", 5 }, { "count", 5 } },
		{ "held", { "queue", 5 }, { "held", 4 } },
		{ "bin (undo)", { "queue", 5 }, { "bin", 3 } },
		{ "recipients", { "queue", 5 }, { "recipients", 10 } },
		{ "connections", { "outgoing", 8 }, { "connections", 11 } },
		{ "resting", { "outgoing", 8 }, { "resting", 7 } },
	};

	snprintf(out, size, "%-12s %9llu", rows[i].label,
		(unsigned long long)number(s, rows[i].part, rows[i].name));
}

static void
add_flow(struct overview *o, struct console *c)
{
	char trend[TREND + 1], queue[64];

	overview_line_add(o, STYLE_HEAD, NULL, " FLOW        per min  last 30 min                     | QUEUE");
	for (size_t i = 0; i < CONSOLE_FLOWS; i++) {
		const struct flow *f = &o->flows[i];

		trend_text(f, trend);
		queue_text(c->status, i, queue, sizeof(queue));
		overview_line_add(o, STYLE_PLAIN, "queue", " %-11s %7llu  %-30s  | %s", flow_rows[i].label,
			(unsigned long long)(f->now[CONSOLE_FLOW_MINUTES - 1] +
				f->now[CONSOLE_FLOW_MINUTES - 2]) / 2,
			trend, queue);
	}
}

static void
add_sessions(struct overview *o, const struct json *s)
{
	const struct json *sessions = json_find(s, SPAN("sessions"));
	struct line *line = overview_line_add(o, STYLE_PLAIN, "sessions", " SESSIONS ");

	for (const struct json *at = sessions ? sessions->first : NULL; at; at = at->next) {
		size_t len = strlen(line->text);

		if (!span_eq(at->name, SPAN("all")))
			snprintf(line->text + len, sizeof(line->text) - len, " %.*s %.*s ",
				SPAN_FMT(at->name), SPAN_FMT(at->text));
	}
}

static void
add_resources(struct overview *o, const struct json *s)
{
	struct buf used, free_room, mail;

	buf_init(&used, 64);
	buf_init(&free_room, 64);
	buf_init(&mail, 64);
	print_size(&used, number(s, SPAN("store"), SPAN("used")));
	print_size(&free_room, number(s, SPAN("store"), SPAN("free")));
	print_size(&mail, number(s, SPAN("mailboxes"), SPAN("bytes")));
	overview_line_add(o, STYLE_PLAIN, "users",
		" STORE    %.*s used, disk free %.*s; %llu users, %llu messages, %.*s",
		SPAN_FMT(buf_span(&used)), SPAN_FMT(buf_span(&free_room)),
		(unsigned long long)number(s, SPAN("mailboxes"), SPAN("users")),
		(unsigned long long)number(s, SPAN("mailboxes"), SPAN("messages")),
		SPAN_FMT(buf_span(&mail)));
	buf_fini(&used);
	buf_fini(&free_room);
	buf_fini(&mail);
}

static void
add_messages(struct overview *o, struct console *c)
{
	struct buf time, to;

	overview_line_add(o, STYLE_HEAD, NULL, " LAST MESSAGES                                     3: where each went, and why");
	if (!o->messages || !o->messages->first)
		overview_line_add(o, STYLE_DIM, NULL, "   none yet");
	buf_init(&time, 64);
	buf_init(&to, PRINT_MAX);
	for (const struct json *row = o->messages ? o->messages->first : NULL; row;
		row = row->next) {
		struct span result = json_text(json_find(row, SPAN("result")));
		bool good = result.len > 0 && result.ptr[0] == '2';
		struct line *line;

		buf_clear(&time);
		buf_clear(&to);
		print_clock(&time, json_text(json_find(row, SPAN("time"))), &c->style);
		print_value(&to, json_find(row, SPAN("to")), CONTROL_TYPE_LIST, &c->style);
		line = overview_line_add(o, good ? STYLE_PLAIN : STYLE_WARNING, "trace", " %.*s %.*s  %.*s -> %.*s",
			SPAN_FMT(buf_span(&time)), SPAN_FMT(span_range(result, 0, 40)),
			SPAN_FMT(span_range(json_text(json_find(row, SPAN("from"))), 0, 60)),
			SPAN_FMT(span_range(buf_span(&to), 0, 200)));
		snprintf(line->message, sizeof(line->message), "%.*s",
			SPAN_FMT(span_range(json_text(json_find(row, SPAN("id"))), 0, 63)));
	}
	buf_fini(&time);
	buf_fini(&to);
}

static void
add_recent(struct overview *o, struct console *c, size_t room)
{
	size_t count = c->recent.count < room ? c->recent.count : room;
	struct arena a;
	struct buf text;

	overview_line_add(o, STYLE_HEAD, NULL, " RECENT                                                            4: full log");
	arena_init(&a, NULL);
	buf_init(&text, PRINT_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct json *row = console_recent(c, i, &a);

		buf_clear(&text);
		print_log_line(&text, row, &c->style);
		overview_line_add(o, STYLE_PLAIN, "logs", " %.*s",
			SPAN_FMT(span_range(buf_span(&text), 0, 400)));
	}
	buf_fini(&text);
	arena_reset(&a);
}

void
overview_compose(struct screen *s, int rows)
{
	struct overview *o = s->state;
	struct console *c = s->console;

	bool heads = rows >= 9; /* below, each line is for what matters now */

	o->count = 0;
	if (heads)
		overview_line_add(o, STYLE_HEAD, NULL, " ATTENTION");
	add_attention(o, c, heads);
	if (heads)
		add_flow(o, c);
	if (rows >= 14) {
		add_sessions(o, c->status);
		add_resources(o, c->status);
	}
	if (rows >= 16)
		overview_connections_add(s, rows >= 28 ? 8 : 3);
	else
		overview_connections_brief(s, heads ? 3 : 2);
	add_messages(o, c);
	if ((size_t)rows > o->count + 2 &&
		control_rights_have(c->rights, CONTROL_RIGHT_LOG_VIEW))
		add_recent(o, c, (size_t)rows - o->count - 1);
}
