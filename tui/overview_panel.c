/*
 * overview_panel.c - what needs attention, what flows, the last messages, what was logged.
 *
 * Each line is a link: Enter opens the screen behind it. The status comes by subscription, the
 * messages are asked for when the store changed.
 */
#include <stdio.h>
#include <string.h>

#include "tui/overview_inside.h"
#include "tui/screens.h"

#define MESSAGES 8
#define MESSAGES_EVERY_MS 900
#define CONNECTIONS_EVERY_MS 1900

/* ---- messages ---- */

static void
messages_came(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;
	struct overview *o = s->state;

	o->asked = false;
	if (!reply->result)
		return; /* a viewer may not see them */
	arena_reset(&o->arena);
	o->messages = json_find(reply->result, SPAN("rows"));
	link_reply_keep(reply, &o->arena);
	s->console->dirty = true;
}

static void
ask(struct screen *s)
{
	struct overview *o = s->state;
	char params[48];

	if (o->asked || !screen_may(s->console, "trace"))
		return;
	snprintf(params, sizeof(params), "{\"limit\":%d}", MESSAGES);
	o->asked = server_link_call(&s->console->link, "trace", span_of(params), messages_came,
			   s) != 0;
	o->asked_ms = s->console->now_ms;
	o->stale = false;
}

/* ---- the panel ---- */

static void
overview_open(struct screen *s)
{
	struct overview *o = s->state;

	arena_init(&o->arena, NULL);
	overview_connections_open(s);
}

static void
overview_close(struct screen *s)
{
	struct overview *o = s->state;

	arena_reset(&o->arena);
	overview_connections_close(s);
}

static void
overview_enter(struct screen *s)
{
	ask(s);
	overview_connections_ask(s);
}

static void
overview_changed(struct screen *s, bool store)
{
	struct overview *o = s->state;

	overview_take_flow(o, s->console);
	o->stale |= store;
	if (o->stale && s->console->now_ms - o->asked_ms >= MESSAGES_EVERY_MS)
		ask(s);
	if (s->console->now_ms - o->looked_ms >= CONNECTIONS_EVERY_MS)
		overview_connections_ask(s);
}

static void
step(struct overview *o, int by)
{
	size_t at = o->at;

	do {
		if ((by < 0 && at == 0) || (by > 0 && at + 1 >= o->count))
			return;
		at = by < 0 ? at - 1 : at + 1;
	} while (!o->lines[at].screen);
	o->at = at;
}

static bool
overview_act(struct screen *s, enum act act)
{
	struct overview *o = s->state;
	const struct screen_class *class = NULL;

	switch (act) {
	case ACT_DOWN: step(o, 1); return true;
	case ACT_UP: step(o, -1); return true;
	case ACT_FIRST: o->at = 0; step(o, 1); return true;
	case ACT_RELOAD:
		ask(s);
		overview_connections_ask(s);
		return true;
	case ACT_VIEW:
	case ACT_OPEN:
		if (o->at < o->count && o->lines[o->at].message[0]) {
			console_open(s->console, &screen_trace_steps, NULL,
				span_of(o->lines[o->at].message));
			return true;
		}
		if (o->at < o->count && o->lines[o->at].screen)
			class = console_find(span_of(o->lines[o->at].screen));
		return class && console_go(s->console, class);
	default: return false;
	}
}

static void
overview_draw(struct screen *s, struct rect at)
{
	struct overview *o = s->state;
	struct cells *c = &s->console->cells;

	if (!s->console->status) {
		cells_put(c, (struct rect){ at.row, 1, 1, at.cols - 1 },
			s->console->state == CONSOLE_UP ? SPAN("loading ...") : SPAN("no server"),
			STYLE_DIM);
		return;
	}
	overview_compose(s, at.rows);
	if (o->at >= o->count)
		o->at = o->count - 1;
	if (!o->lines[o->at].screen)
		step(o, 1);
	if (o->at < o->top)
		o->top = o->at;
	if (o->at >= o->top + (size_t)at.rows)
		o->top = o->at - (size_t)at.rows + 1;
	for (size_t i = o->top; i < o->count && i < o->top + (size_t)at.rows; i++) {
		const struct line *line = &o->lines[i];
		struct rect to = { at.row + (int)(i - o->top), 0, 1, at.cols };
		bool here = i == o->at && line->screen;

		cells_put_field(c, to, span_of(line->text),
			here                                ? STYLE_CURSOR :
			s->console->state == CONSOLE_UP ? line->style :
							    STYLE_DIM,
			false);
		if (i == o->at)
			c->cursor_row = to.row;
	}
}

static void
overview_title(struct screen *s, struct buf *out)
{
	const struct json *status = s->console->status;
	uint64_t up;

	if (!status)
		return;
	up = json_number_or(json_find(status, SPAN("uptime_s")), 0);
	print_put(out, up < 60 ? SPAN("up under 1m") : SPAN("up "));
	if (up >= 60)
		print_duration(out, up - up % 60); /* nothing ticks without need */
	print_put(out, SPAN(", version "));
	print_value(out, json_find(status, SPAN("version")), CONTROL_TYPE_TEXT,
		&s->console->style);
}

static const enum act overview_acts[] = { ACT_DOWN, ACT_UP, ACT_FIRST, ACT_RELOAD, ACT_OPEN,
	ACT_VIEW, ACT_NONE };

const struct panel_class overview_panel = {
	.size = sizeof(struct overview),
	.open = overview_open,
	.close = overview_close,
	.enter = overview_enter,
	.changed = overview_changed,
	.act = overview_act,
	.draw = overview_draw,
	.title = overview_title,
	.acts = overview_acts,
};
