/*
 * console_draw.c - the frame: status line, screen bar, title, message line, key bar.
 *
 *   0 status line   1 screen bar (from 24 rows on)   2 title   body ...   message line   key bar
 */
#include "tui/console.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROWS_WITH_BAR 20
#define WIDE_BAR_COLS 100 /* from here on there is room for two cells between screens */
#define TOAST_ROWS 3

static bool
has_bar(const struct console *c)
{
	return c->cells.rows >= ROWS_WITH_BAR;
}

struct rect
console_body(const struct console *c)
{
	int top = has_bar(c) ? 3 : 2;

	return (struct rect){ top, 0, c->cells.rows - top - 2, c->cells.cols };
}

/* Put TEXT at *col and move on. */
static void
put_on(struct console *c, struct rect *at, struct span text, enum style style)
{
	int used = cells_put(&c->cells, *at, text, style);

	at->col += used;
	at->cols -= used;
}

static uint64_t
status_number(const struct console *c, struct span part, struct span name)
{
	uint64_t number = 0;

	number = json_number_or(json_find(json_find(c->status, part), name), number);
	return number;
}

/* How much wants attention: what the Overview lists with a '!'. */
static size_t
alert_count(const struct console *c)
{
	const struct json *stopped = json_find(c->status, SPAN("stopped"));
	size_t count = stopped ? stopped->count : 0;

	count += json_truth(json_find(json_find(c->status, SPAN("store")), SPAN("full")));
	count += json_text(json_find(c->status, SPAN("reload_fault"))).len > 0;
	count += json_text(json_find(c->status, SPAN("rules_fault"))).len > 0;
	return count;
}

static void
draw_status(struct console *c)
{
	struct rect at = { 0, 0, 1, c->cells.cols };
	char text[2 * CONSOLE_TEXT_MAX], right[2 * CONSOLE_TEXT_MAX], clock[8] = "";
	char alerts[24] = "";
	time_t now = (time_t)c->style.now_s;
	struct tm tm;
	int width;

	cells_fill(&c->cells, at, STYLE_BAR);
	if (c->style.utc ? gmtime_r(&now, &tm) : localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%H:%M", &tm);
	snprintf(text, sizeof(text), " Postroom %s", c->host);
	put_on(c, &at, span_of(text), STYLE_BAR);
	if (c->status) {
		snprintf(text, sizeof(text), "  Q %llu Held %llu Sess %llu",
			(unsigned long long)status_number(c, SPAN("queue"), SPAN("count")),
			(unsigned long long)status_number(c, SPAN("queue"), SPAN("held")),
			(unsigned long long)status_number(c, SPAN("sessions"), SPAN("all")));
		put_on(c, &at, span_of(text), STYLE_BAR);
	}
	if (alert_count(c) > 0)
		snprintf(alerts, sizeof(alerts), "!%zu  ", alert_count(c));
	snprintf(right, sizeof(right), "%s%s%s%s %s ", alerts, c->user, c->role[0] ? ":" : "",
		c->role, clock);
	width = cells_width(&c->cells, span_of(right));
	if (width < at.cols)
		cells_put(&c->cells,
			(struct rect){ 0, c->cells.cols - width, 1, width + 1 }, span_of(right),
			STYLE_BAR);
}

/* A screen of the bar, behind one that is shown where AFTER_HERE; the narrow bar has one cell between two. */
static void
put_in_bar(struct console *c, struct rect *at, struct span text, bool here, bool after_here)
{
	bool narrow = c->cells.cols < WIDE_BAR_COLS;

	if (here)
		put_on(c, at, SPAN("["), STYLE_HERE);
	else if (narrow && after_here)
		put_on(c, at, SPAN("]"), STYLE_HERE);
	else if (!narrow || at->col > 0)
		put_on(c, at, SPAN(" "), STYLE_PLAIN);
	put_on(c, at, text, here ? STYLE_HERE : STYLE_PLAIN);
	if (!narrow)
		put_on(c, at, here ? SPAN("]") : SPAN(" "), here ? STYLE_HERE : STYLE_PLAIN);
}

static void
draw_bar(struct console *c)
{
	struct rect at = { 1, 0, 1, c->cells.cols };
	bool here = false, was_here = false;
	char text[64];

	for (unsigned i = 0; screens[i]; i++) {
		if (!screens[i]->digit)
			continue;
		was_here = here;
		here = i == c->root;
		snprintf(text, sizeof(text), "%c %s", screens[i]->digit, screens[i]->title);
		put_in_bar(c, &at, span_of(text), here, was_here);
	}
	was_here = here;
	here = !screens[c->root]->digit;
	snprintf(text, sizeof(text), "0 %s", here ? screens[c->root]->title : "More");
	put_in_bar(c, &at, span_of(text), here, was_here);
	if (here && c->cells.cols < WIDE_BAR_COLS)
		put_on(c, &at, SPAN("]"), STYLE_HERE);
}

static const char *
tab_title(const struct screen_class *class)
{
	return class->tab ? class->tab : class->title;
}

static int
tabs_width(const struct console *c, unsigned from, unsigned to)
{
	const struct place *p = console_place(c);
	int width = 0;

	for (unsigned i = from; i <= to; i++)
		width += cells_width(&c->cells, span_of(tab_title(p->class->tabs[i]))) + 3;
	return width;
}

/* In COLS columns; where they are too many the first ones leave, so that the one in front is seen. */
static void
draw_tabs(struct console *c, struct rect *at, int cols)
{
	const struct place *p = console_place(c);
	unsigned first = 0;

	while (first < p->tab && tabs_width(c, first, p->tab) + 2 > cols)
		first++;
	put_on(c, at, first > 0 ? SPAN("<") : SPAN(""), STYLE_DIM);
	for (unsigned i = first; i < p->tab_count && tabs_width(c, first, i) + 2 <= cols; i++) {
		bool here = i == p->tab;

		put_on(c, at, here ? SPAN("[") : SPAN(" "), STYLE_PLAIN);
		put_on(c, at, span_of(tab_title(p->class->tabs[i])), here ? STYLE_HERE : STYLE_PLAIN);
		put_on(c, at, here ? SPAN("] ") : SPAN("  "), STYLE_PLAIN);
	}
}

/* "Users > anna", and what the panel says of itself. */
static void
draw_title(struct console *c)
{
	struct rect at = { has_bar(c) ? 2 : 1, 1, 1, c->cells.cols - 1 };
	const struct place *path[4];
	const struct place *p = console_place(c);
	struct screen *s = console_screen(c);
	size_t depth = 0;
	struct buf text;
	int width;

	for (; p && depth < COUNT(path); p = p->back)
		path[depth++] = p;
	while (depth > 0) {
		p = path[--depth];
		if (p->back)
			put_on(c, &at, SPAN(" > "), STYLE_DIM);
		put_on(c, &at, p->key.len > 0 ? p->key : span_of(p->class->title), STYLE_TITLE);
	}
	put_on(c, &at, SPAN("   "), STYLE_PLAIN);
	buf_init(&text, PRINT_MAX);
	if (s->class->title_more)
		s->class->title_more(s, &text);
	if (screen_panel(s)->title)
		screen_panel(s)->title(s, &text);
	width = cells_width(&c->cells, buf_span(&text));
	if (console_place(c)->tab_count > 1)
		draw_tabs(c, &at, at.cols - (width < at.cols / 2 ? width : at.cols / 2));
	cells_put_field(&c->cells, at, buf_span(&text), STYLE_PLAIN, false);
	buf_fini(&text);
}

static void
draw_down(struct console *c, struct rect at)
{
	char text[CONSOLE_TEXT_MAX], clock[16] = "the start";
	time_t since = (time_t)c->lost_ms;
	struct tm tm;

	if (c->lost_ms && localtime_r(&since, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "! no server answers since %s on %s (r: try now)", clock,
		c->link.path);
	if (c->link.why == ERR_DENIED)
		snprintf(text, sizeof(text),
			"! you may not use %s; ask for membership in one of console.groups",
			c->link.path);
	cells_put_field(&c->cells, at, span_of(text), STYLE_ERROR, false);
}

/* What does not fit into the line goes over those above it. */
static void
draw_toast(struct console *c, struct rect at)
{
	struct span rest = span_of(c->toast);
	int rows = 0;

	while (rest.len > 0 && rows < TOAST_ROWS) {
		rest = span_trim(span_from(rest, cells_fitting(&c->cells, rest, at.cols)));
		rows++;
	}
	at.row -= rows - 1;
	at.rows = rows;
	if (rows > 1)
		cells_fill(&c->cells, (struct rect){ at.row, 0, rows, c->cells.cols }, STYLE_PLAIN);
	cells_put_wrapped(&c->cells, at, span_of(c->toast), c->toast_style);
}

static void
draw_message(struct console *c)
{
	struct rect at = { c->cells.rows - 2, 1, 1, c->cells.cols - 1 };
	struct prompt *p = &c->prompt;

	if (p->open) {
		put_on(c, &at, span_of(p->label), STYLE_KEY);
		put_on(c, &at, SPAN(": "), STYLE_KEY);
		c->cells.cursor_row = at.row;
		if (p->note[0] && at.cols > 40) {
			int width = cells_width(&c->cells, span_of(p->note));

			width = width < at.cols / 2 ? width : at.cols / 2;
			cells_put(&c->cells,
				(struct rect){ at.row, c->cells.cols - width - 1, 1, width + 1 },
				span_of(p->note), STYLE_DIM);
			at.cols -= width + 2;
		}
		c->cells.cursor_col = line_edit_draw(&p->edit, &c->cells, at, STYLE_FIELD);
	} else if (c->toast[0]) {
		draw_toast(c, at);
	} else if (c->state == CONSOLE_DOWN) {
		draw_down(c, at);
	} else if (c->state == CONSOLE_LOGIN) {
		cells_put(&c->cells, at, SPAN("not logged in: any key asks for a name, q leaves"),
			STYLE_WARNING);
	}
}

static bool
panel_has(const struct screen *s, enum act act)
{
	const enum act *acts = screen_panel(s)->acts;

	for (; acts && *acts != ACT_NONE; acts++)
		if (*acts == act)
			return true;
	return act == ACT_HELP || act == ACT_ACTIONS || act == ACT_COMMAND || act == ACT_BACK;
}

static void
put_key(struct console *c, struct rect *at, const char *key, const char *label)
{
	put_on(c, at, span_of(key), STYLE_KEY);
	put_on(c, at, SPAN(" "), STYLE_PLAIN);
	put_on(c, at, span_of(label), STYLE_PLAIN);
	put_on(c, at, SPAN("  "), STYLE_PLAIN);
}

/* The keys of the screen first, then the universal ones that it knows. */
static void
draw_keys(struct console *c)
{
	struct rect at = { c->cells.rows - 1, 1, 1, c->cells.cols - 1 };
	struct screen *s = console_screen(c);
	char room[16], name[32];

	if (c->modal || c->prompt.open) {
		cells_put(&c->cells, at, span_of(c->modal ? c->modal->class->bar : "Enter Do it  Esc Close"), STYLE_KEY);
		return;
	}
	if (screen_panel(s)->bar_text) {
		struct buf bar;

		buf_init(&bar, PRINT_MAX);
		screen_panel(s)->bar_text(s, &bar);
		cells_put(&c->cells, at, buf_span(&bar), STYLE_KEY);
		buf_fini(&bar);
		return;
	}
	for (size_t i = 0; i < act_row_count && at.cols > 12; i++) {
		const struct act_row *row = &act_rows[i];

		if (!row->label || !panel_has(s, row->act))
			continue;
		snprintf(name, sizeof(name), "F%u%s", row->function, key_label(row->key, room));
		put_key(c, &at, name, row->label);
	}
}

/* The line above the message line: the keys that only this screen has. */
static void
draw_own_keys(struct console *c, struct rect at)
{
	struct screen *s = console_screen(c);
	const struct key_action *action;
	char room[16];

	for (size_t i = 0; (action = console_action(s, i)) != NULL && at.cols > 8; i++)
		if (console_action_allowed(c, action))
			put_key(c, &at, key_label(action->key, room), action->label);
}

void
console_draw(struct console *c)
{
	struct rect all = { 0, 0, c->cells.rows, c->cells.cols }, body = console_body(c);
	struct screen *s = console_screen(c);

	cells_fill(&c->cells, all, STYLE_PLAIN);
	c->cells.cursor_row = c->cells.rows - 1;
	c->cells.cursor_col = 0;
	if (all.rows < CONSOLE_ROWS_MIN || all.cols < CONSOLE_COLS_MIN) {
		cells_put(&c->cells, all, SPAN("too small: 40x10"), STYLE_PLAIN);
		return;
	}
	draw_status(c);
	if (has_bar(c))
		draw_bar(c);
	draw_title(c);
	if (console_action(s, 0) && body.rows > 6 && (!screen_panel(s)->bar_text || screen_panel(s)->acts)) {
		body.rows--;
		draw_own_keys(c,
			(struct rect){ body.row + body.rows, 1, 1, c->cells.cols - 1 });
	}
	screen_panel(s)->draw(s, body);
	draw_message(c);
	draw_keys(c);
	if (c->modal)
		c->modal->class->draw(c, c->modal);
	c->dirty = c->is_stale = false;
}
