/*
 * week_draw.c - a schedule on the screen: how often it fires in each hour of the week, its times in words, the next runs.
 */
#include <stdio.h>
#include <string.h>

#include "tui/week_panel.h"

#define GRID_COLS 80
#define DAY_COLS 7   /* of a day's name and its mark */
#define CELL_COLS 3
#define BESIDE_COLS 110

static const char *const day_names[WEEK_DAYS] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };

void
week_put_days(unsigned days, struct buf *out)
{
	bool any = false;

	if (days == 0 || days == (1u << WEEK_DAYS) - 1) {
		print_put(out, days ? SPAN("every day") : SPAN("no day"));
		return;
	}
	for (int i = 0; i < WEEK_DAYS; i++) {
		int last = i;

		if (!(days >> i & 1))
			continue;
		while (last + 1 < WEEK_DAYS && days >> (last + 1) & 1)
			last++;
		out->overflow |= buf_printf(out, "%s%s", any ? " " : "", day_names[i]) != OK;
		if (last > i + 1) {
			out->overflow |= buf_printf(out, "-%s", day_names[last]) != OK;
			i = last;
		}
		any = true;
	}
}

/* How many runs: two figures at most. */
static void
cell_text(unsigned count, bool on, char text[4])
{
	if (count > 99)
		snprintf(text, 4, " **");
	else if (count > 0)
		snprintf(text, 4, "%3u", count);
	else
		snprintf(text, 4, "  %c", on ? '.' : ' ');
}

static void
draw_grid(struct week *w, struct rect at)
{
	struct cells *c = &w->screen->console->cells;
	int hours = (at.cols - DAY_COLS) / CELL_COLS, first = 0;
	int days = at.rows - 1 < WEEK_DAYS ? at.rows - 1 : WEEK_DAYS, first_day = 0;
	char text[16];

	hours = hours < WEEK_HOURS ? hours : WEEK_HOURS;
	if (w->hour >= hours)
		first = w->hour - hours + 1;
	if (w->day >= days)
		first_day = w->day - days + 1;
	cells_fill(c, (struct rect){ at.row, 0, 1, DAY_COLS + hours * CELL_COLS }, STYLE_HEAD);
	for (int h = 0; h < hours; h++) {
		snprintf(text, sizeof(text), "%3d", first + h);
		cells_put(c, (struct rect){ at.row, DAY_COLS + h * CELL_COLS, 1, CELL_COLS }, span_of(text), STYLE_HEAD);
	}
	for (int d = first_day; d < first_day + days; d++) {
		bool on = w->plan.days >> d & 1;
		int row = at.row + 1 + d - first_day;

		snprintf(text, sizeof(text), "%c%s %c", d == w->day ? '>' : ' ', day_names[d], on ? 'x' : '-');
		cells_put(c, (struct rect){ row, 0, 1, DAY_COLS }, span_of(text), d == w->day ? STYLE_TITLE : STYLE_PLAIN);
		for (int h = 0; h < hours; h++) {
			struct rect cell = { row, DAY_COLS + h * CELL_COLS, 1, CELL_COLS };
			bool here = d == w->day && first + h == w->hour;

			cell_text(w->counts[d][first + h], on, text);
			cells_put(c, cell, span_of(text), here ? STYLE_CURSOR : STYLE_PLAIN);
			if (here) {
				c->cursor_row = row;
				c->cursor_col = cell.col + CELL_COLS - 1;
			}
		}
	}
}

/* "on, Mon-Fri, 09:00 to 17:00 every 15m" */
static void
put_words(const struct week *w, struct buf *out)
{
	const struct week_plan *p = &w->plan;

	print_put(out, p->enabled ? SPAN(" ") : SPAN(" OFF, "));
	week_put_days(p->days, out);
	if (p->at[0]) {
		out->overflow |= buf_printf(out, ", at %s", p->at) != OK;
	} else if (p->every_s > 0) {
		out->overflow |= buf_printf(out, ", %02d:%02d to %02d:%02d, every ", p->from / 60, p->from % 60, p->to / 60,
					 p->to % 60) != OK;
		print_interval(out, (uint64_t)p->every_s);
	} else {
		print_put(out, SPAN(": never; I gives it an interval, A a fixed time"));
	}
	print_put(out, week_is_changed(w) ? SPAN("   * not saved") : SPAN(""));
}

static void
draw_runs(struct week *w, struct rect at, int columns)
{
	struct console *console = w->screen->console;
	const struct json *row = w->runs ? w->runs->first : NULL;
	int each = (WEEK_RUNS + columns - 1) / columns;
	struct buf text;

	cells_put(&console->cells, (struct rect){ at.row, at.col, 1, at.cols },
		week_is_changed(w) ? SPAN("NEXT RUNS, once this is saved") : SPAN("NEXT RUNS"), STYLE_TITLE);
	if (w->runs && !row)
		cells_put(&console->cells, (struct rect){ at.row + 1, at.col + 1, 1, at.cols - 1 }, SPAN("none"), STYLE_DIM);
	buf_init(&text, PRINT_MAX);
	for (int i = 0; row && i < WEEK_RUNS; i++, row = row->next) {
		struct rect to = { at.row + 1 + i % each, at.col + 1 + i / each * 26, 1, 25 };

		buf_clear(&text);
		print_weekday(&text, json_text(json_find(row, SPAN("time"))), &console->style);
		if (to.row < at.row + at.rows)
			cells_put(&console->cells, to, buf_span(&text), STYLE_PLAIN);
	}
	buf_fini(&text);
}

void
week_draw(struct screen *s, struct rect at)
{
	struct week *w = s->state;
	struct cells *c = &s->console->cells;
	bool beside = at.cols >= BESIDE_COLS;
	struct rect below = { at.row + WEEK_DAYS + 4, 1, at.rows - WEEK_DAYS - 4, at.cols - 1 };
	struct buf words;

	draw_grid(w, (struct rect){ at.row, 0, at.rows < WEEK_DAYS + 2 ? at.rows - 1 : WEEK_DAYS + 1, beside ? GRID_COLS : at.cols });
	buf_init(&words, PRINT_MAX);
	put_words(w, &words);
	cells_put(c, (struct rect){ at.row + (at.rows > WEEK_DAYS + 2 ? WEEK_DAYS + 2 : at.rows - 1), 0, 1, at.cols },
		buf_span(&words), STYLE_PLAIN);
	buf_fini(&words);
	if (beside)
		draw_runs(w, (struct rect){ at.row, GRID_COLS + 4, at.rows, at.cols - GRID_COLS - 4 }, 1);
	else if (below.rows > 1)
		draw_runs(w, below, at.cols >= 79 ? 3 : 1);
}
