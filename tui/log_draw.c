/*
 * log_draw.c - lines of the log on the screen.
 */
#include <stdio.h>
#include <string.h>

#include "tui/log_inside.h"

#define STRIP_MINUTES 30
#define STRIP_FROM 14 /* rows from which on there is room for it */

static void
draw_line(struct log_view *v, size_t i, struct rect at)
{
	struct console *console = v->screen->console;
	struct cells *c = &console->cells;
	const struct log_entry *e = &v->lines[i];
	const struct json *row;
	enum style style = i == v->at  ? STYLE_CURSOR :
		e->level == 'E'        ? STYLE_ERROR :
		e->level == 'W'        ? STYLE_WARNING :
					 STYLE_PLAIN;
	struct buf time;
	struct arena a;

	arena_init(&a, NULL);
	buf_init(&time, 64);
	cells_fill(c, (struct rect){ at.row, at.col, 1, at.cols }, style);
	if (json_parse(&a, span_of(e->row), &row, NULL) == OK) {
		char letter[2] = { e->level, 0 };

		print_clock(&time, json_text(json_find(row, SPAN("time"))), &console->style);
		cells_put(c, (struct rect){ at.row, 0, 1, 1 }, i == v->at ? SPAN(">") : SPAN(" "),
			style);
		cells_put(c, (struct rect){ at.row, 1, 1, 8 }, buf_span(&time), style);
		cells_put(c, (struct rect){ at.row, 10, 1, 1 }, span_of(letter), style);
		cells_put(c, (struct rect){ at.row, 12, 1, 8 },
			json_text(json_find(row, SPAN("service"))), style);
		cells_put(c, (struct rect){ at.row, 21, 1, 8 },
			json_text(json_find(row, SPAN("session"))), style);
		cells_put(c, (struct rect){ at.row, 30, 1, at.cols - 30 },
			json_text(json_find(row, SPAN("text"))), style);
	}
	buf_fini(&time);
	arena_reset(&a);
}

/* The first line to draw, so that the cursor is the last row where the view is live. */
static size_t
first_shown(struct log_view *v, int rows)
{
	size_t first = v->at;
	int fit = 1;

	if (v->held && v->top <= v->at) {
		for (size_t i = v->top; i < v->at; i++)
			fit += !v->lines[i].hidden;
		if (fit <= rows)
			return v->top;
		fit = 1;
	}
	if (v->held && v->at < v->top)
		return v->at;
	while (first > 0 && fit < rows) {
		first--;
		fit += !v->lines[first].hidden;
	}
	return first;
}

/* The worst of each of the last 30 minutes, as far as lines are held: E, W, or '.' for others. */
static void
draw_strip(struct log_view *v, struct rect at)
{
	struct console *console = v->screen->console;
	char strip[STRIP_MINUTES + 1];
	unsigned errors = 0, warnings = 0;
	char text[CONSOLE_TEXT_MAX];

	memset(strip, ' ', STRIP_MINUTES);
	strip[STRIP_MINUTES] = '\0';
	for (size_t i = v->count; i > 0; i--) {
		const struct log_entry *e = &v->lines[i - 1];
		int64_t ago = (console->style.now_s - e->time_s) / 60;
		char *minute;

		if (ago < 0 || ago >= STRIP_MINUTES)
			continue;
		errors += e->level == 'E';
		warnings += e->level == 'W';
		minute = &strip[STRIP_MINUTES - 1 - ago];
		if (e->level == 'E' || (e->level == 'W' && *minute != 'E'))
			*minute = e->level;
		else if (*minute == ' ')
			*minute = '.';
	}
	snprintf(text, sizeof(text), " 30 min [%s] now   E %u  W %u   { } go there", strip,
		errors, warnings);
	cells_put(&console->cells, at, span_of(text),
		errors     ? STYLE_ERROR :
		warnings   ? STYLE_WARNING :
			     STYLE_DIM);
}

void
log_draw(struct screen *s, struct rect at)
{
	struct log_view *v = s->state;
	struct cells *c = &s->console->cells;
	int row = 1;

	if (at.rows >= STRIP_FROM) {
		draw_strip(v, (struct rect){ at.row, 0, 1, at.cols });
		at.row++;
		at.rows--;
	}
	v->shown = at.rows - 1;
	cells_fill(c, (struct rect){ at.row, 0, 1, at.cols }, STYLE_HEAD);
	cells_put(c, (struct rect){ at.row, 0, 1, at.cols },
		SPAN(" Time     L Subsys   Session  Text"), STYLE_HEAD);
	if (v->count == 0) {
		cells_put(c, (struct rect){ at.row + 1, 3, 1, at.cols - 3 }, SPAN("no lines yet"),
			STYLE_DIM);
		return;
	}
	v->top = first_shown(v, at.rows - 1);
	for (size_t i = v->top; i < v->count && row < at.rows; i++) {
		if (v->lines[i].hidden)
			continue;
		if (i == v->at)
			c->cursor_row = at.row + row;
		draw_line(v, i, (struct rect){ at.row + row++, 0, 1, at.cols });
	}
}

void
log_title(struct screen *s, struct buf *out)
{
	const struct log_view *v = s->state;

	out->overflow |= buf_printf(out, "level >= %s   %s%s%s%s", log_levels[v->level],
				 v->service[0] ? "only " : "all subsystems",
				 v->service, v->session[0] ? "   session " : "", v->session) != OK;
	if (buf_span(&v->words).len > 0)
		out->overflow |= buf_printf(out, "   words: %.*s (%llu hidden)",
					 SPAN_FMT(buf_span(&v->words)),
					 (unsigned long long)v->hidden) != OK;
	if (v->skipped > 0)
		out->overflow |= buf_printf(out, "   %llu lines skipped",
					 (unsigned long long)v->skipped) != OK;
	if (v->held)
		out->overflow |= buf_printf(out, "   HELD, %llu new (G: live)",
					 (unsigned long long)v->missed) != OK;
	else
		print_put(out, SPAN("   LIVE"));
}
