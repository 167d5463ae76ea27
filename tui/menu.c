/*
 * menu.c - lists to choose from: the acts of a screen, the palette, help, screens, sort orders.
 *
 * All are made from the tables of keys, screens and methods; typing words narrows them, Enter does
 * the line. Only what a line does when it is chosen differs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/table_panel.h"

#define MENU_LINES_MAX 256
#define MENU_WIDTH 76

struct menu_line {
	char text[128], keys[24];
	bool off;                         /* a heading, or what one may not do */
	const struct key_action *action;  /* one of these */
	const struct screen_class *screen;
	enum act act;
	const char *sort;
	const char *help;
};

struct menu {
	struct modal modal;
	const char *title;
	struct line_edit edit;
	bool types; /* letters narrow the list; else they are keys */
	size_t at, top;
	struct menu_line *lines;
	size_t count;
	size_t shown[MENU_LINES_MAX];
	size_t shown_count;
};

static struct menu *
menu_of(struct modal *m)
{
	return LIST_ITEM(m, struct menu, modal);
}

static struct menu_line *
line_add(struct menu *m, const char *text)
{
	struct menu_line *line;

	if (m->count >= MENU_LINES_MAX)
		return &m->lines[MENU_LINES_MAX - 1];
	line = &m->lines[m->count++];
	snprintf(line->text, sizeof(line->text), "%s", text);
	return line;
}

/* Each word must be there, in any order. */
static bool
line_matches(const struct menu_line *line, struct span words, bool with_help)
{
	struct span text = span_of(line->text), help = span_of(line->help), word;

	while (words.len > 0) {
		(void)span_cut(words, ' ', &word, &words);
		if (span_find_span_nocase(text, word) >= text.len && word.len > 0 &&
			(!with_help || span_find_span_nocase(help, word) >= help.len))
			return false;
	}
	return true;
}

static void
narrow(struct menu *m)
{
	struct span words = line_edit_text(&m->edit);

	m->shown_count = 0;
	for (size_t i = 0; i < m->count; i++)
		if (line_matches(&m->lines[i], words, false))
			m->shown[m->shown_count++] = i;
	for (size_t i = 0; i < m->count; i++) /* then those that only their help finds */
		if (!line_matches(&m->lines[i], words, false) &&
			line_matches(&m->lines[i], words, true))
			m->shown[m->shown_count++] = i;
	m->at = m->top = 0;
	while (m->at + 1 < m->shown_count && m->lines[m->shown[m->at]].off)
		m->at++;
}

static void
menu_close(struct console *c, struct modal *modal)
{
	(void)c;
	line_edit_fini(&menu_of(modal)->edit);
	free(menu_of(modal)->lines);
}

static void
choose(struct console *c, struct menu *m)
{
	struct menu_line line;
	const struct act_row *row;

	if (m->at >= m->shown_count || m->lines[m->shown[m->at]].off)
		return;
	line = m->lines[m->shown[m->at]];
	console_pop_modal(c);
	row = line.act ? act_row_of(line.act) : NULL;
	if (line.action)
		console_do(console_screen(c), line.action);
	else if (line.screen)
		(void)console_go(c, line.screen);
	else if (line.sort)
		table_sort(console_screen(c), span_of(line.sort));
	else if (row)
		console_press(c, &(struct press){ .key = row->key });
}

static void
menu_step(struct menu *m, int step)
{
	size_t at = m->at;

	do {
		if ((step < 0 && at == 0) || (step > 0 && at + 1 >= m->shown_count))
			return;
		at = step < 0 ? at - 1 : at + 1;
	} while (m->lines[m->shown[at]].off);
	m->at = at;
}

static void
menu_press(struct console *c, struct modal *modal, const struct press *press)
{
	struct menu *m = menu_of(modal);

	switch (press->key) {
	case KEY_ESC:
	case KEY_CTRL_C:
	case KEY_FN(10): console_pop_modal(c); return;
	case KEY_RETURN: choose(c, m); return;
	case KEY_ARROW_DOWN:
	case KEY_TAB: menu_step(m, 1); return;
	case KEY_ARROW_UP:
	case KEY_BACK_TAB: menu_step(m, -1); return;
	case KEY_PAGE_DOWN:
		for (int i = 0; i < 10; i++)
			menu_step(m, 1);
		return;
	case KEY_PAGE_UP:
		for (int i = 0; i < 10; i++)
			menu_step(m, -1);
		return;
	default: break;
	}
	if (line_edit_press(&m->edit, press))
		narrow(m);
}

static void
menu_draw_lines(struct console *c, struct menu *m, struct rect at)
{
	if (m->at < m->top)
		m->top = m->at;
	if (m->at >= m->top + (size_t)at.rows)
		m->top = m->at - (size_t)at.rows + 1;
	for (size_t i = m->top; i < m->shown_count && at.rows > 0; i++, at.row++, at.rows--) {
		const struct menu_line *line = &m->lines[m->shown[i]];
		enum style style = i == m->at ? STYLE_CURSOR : line->off ? STYLE_DIM : STYLE_PLAIN;
		int keys = at.cols > 40 ? 14 : 0;

		cells_fill(&c->cells, (struct rect){ at.row, at.col, 1, at.cols }, style);
		cells_put(&c->cells, (struct rect){ at.row, at.col, 1, 1 },
			i == m->at ? SPAN(">") : SPAN(" "), style);
		cells_put(&c->cells, (struct rect){ at.row, at.col + 1, 1, keys },
			span_of(line->keys), i == m->at ? STYLE_CURSOR : STYLE_KEY);
		cells_put(&c->cells,
			(struct rect){ at.row, at.col + 1 + keys, 1, at.cols - 1 - keys },
			span_of(line->text), style);
	}
}

static void
menu_draw(struct console *c, struct modal *modal)
{
	struct menu *m = menu_of(modal);
	struct rect box = { 2, 0, (int)m->count + 5, MENU_WIDTH };
	const char *help = NULL;

	if (box.rows > c->cells.rows - 4)
		box.rows = c->cells.rows - 4;
	if (box.cols > c->cells.cols - 2)
		box.cols = c->cells.cols - 2;
	box.col = (c->cells.cols - box.cols) / 2;
	cells_box(&c->cells, box, STYLE_PLAIN);
	cells_put(&c->cells, (struct rect){ box.row, box.col + 2, 1, box.cols - 4 },
		span_of(m->title), STYLE_TITLE);
	cells_put(&c->cells, (struct rect){ box.row + 1, box.col + 2, 1, 2 }, SPAN(">"), STYLE_KEY);
	c->cells.cursor_row = box.row + 1;
	c->cells.cursor_col = line_edit_draw(&m->edit, &c->cells,
		(struct rect){ box.row + 1, box.col + 4, 1, box.cols - 6 }, STYLE_FIELD);
	menu_draw_lines(c, m,
		(struct rect){ box.row + 2, box.col + 1, box.rows - 4, box.cols - 2 });
	if (m->at < m->shown_count)
		help = m->lines[m->shown[m->at]].help;
	cells_put(&c->cells,
		(struct rect){ box.row + box.rows - 2, box.col + 2, 1, box.cols - 4 },
		span_of(help), STYLE_DIM);
}

static const struct modal_class menu_class = {
	.draw = menu_draw,
	.press = menu_press,
	.close = menu_close,
	.bar = "Esc Close   Enter Do it   Up/Down Choose   type words to find",
};

/* ---- the lists ---- */

static struct menu *
menu_new(const char *title)
{
	struct menu *m = calloc(1, sizeof(*m));

	ENSURE(m);
	m->title = title;
	m->lines = calloc(MENU_LINES_MAX, sizeof(*m->lines));
	ENSURE(m->lines);
	arena_init(&m->modal.arena, NULL);
	line_edit_init(&m->edit);
	return m;
}

static void
menu_show(struct console *c, struct menu *m)
{
	narrow(m);
	console_push_modal(c, &m->modal, &menu_class);
}

static void
add_heading(struct menu *m, const char *text)
{
	line_add(m, text)->off = true;
}

/* "Queue: Retry now (3)", or why not. */
static void
add_actions(struct console *c, struct menu *m)
{
	struct screen *s = console_screen(c);
	const struct key_action *action;
	struct selection sel = { 0 };
	char text[128], room[16];

	(void)table_selection(s, &sel);
	for (size_t i = 0; (action = console_action(s, i)) != NULL; i++) {
		const struct control_method *method =
			action->method ? control_method_find(span_of(action->method)) : NULL;
		bool may = console_action_allowed(c, action);
		struct menu_line *line;

		snprintf(text, sizeof(text), "%s: %s", s->class->title, action->label);
		if (method && control_method_changes(method) && sel.count > 1)
			snprintf(text, sizeof(text), "%s: %s (%llu)", s->class->title, action->label,
				(unsigned long long)sel.count);
		if (!may && method)
			snprintf(text, sizeof(text), "(%s: wants the right %s)", action->label,
				control_right_name(method->right));
		line = line_add(m, text);
		snprintf(line->keys, sizeof(line->keys), "%s", key_label(action->key, room));
		line->action = action;
		line->off = !may;
		line->help = action->help ? action->help : method ? method->help : NULL;
	}
}

static bool
knows(const struct screen *s, enum act act)
{
	const enum act *acts = screen_panel(s)->acts;

	for (; acts && *acts; acts++)
		if (*acts == act)
			return true;
	return act >= ACT_UNDO;
}

static void
add_acts(struct console *c, struct menu *m)
{
	for (size_t i = 0; i < act_row_count; i++) {
		struct menu_line *line;

		if (!knows(console_screen(c), act_rows[i].act))
			continue;
		line = line_add(m, act_rows[i].help);
		snprintf(line->keys, sizeof(line->keys), "%s", act_rows[i].keys);
		line->act = act_rows[i].act;
	}
}

static void
add_screens(struct menu *m, bool others)
{
	char text[128];

	for (size_t i = 0; screens[i]; i++) {
		struct menu_line *line;

		if (others && screens[i]->digit)
			continue;
		snprintf(text, sizeof(text), "Screen: %s", screens[i]->title);
		line = line_add(m, text);
		line->screen = screens[i];
		line->help = screens[i]->help;
		if (screens[i]->digit)
			snprintf(line->keys, sizeof(line->keys), "%c", screens[i]->digit);
	}
}

void
menu_open_actions(struct console *c)
{
	struct menu *m = menu_new(" Actions ");

	add_actions(c, m);
	add_acts(c, m);
	menu_show(c, m);
}

void
menu_open_palette(struct console *c)
{
	struct menu *m = menu_new(" Command ");

	add_actions(c, m);
	add_screens(m, false);
	add_acts(c, m);
	menu_show(c, m);
}

void
menu_open_screens(struct console *c)
{
	struct menu *m = menu_new(" More screens ");

	add_screens(m, true);
	menu_show(c, m);
}

void
menu_open_help(struct console *c)
{
	const struct screen_class *class = console_screen(c)->class;
	struct menu *m = menu_new(" Help ");
	char text[128];

	if (class->help)
		add_heading(m, class->help);
	snprintf(text, sizeof(text), "%s (this screen)", class->title);
	add_heading(m, text);
	add_actions(c, m);
	add_heading(m, "Everywhere");
	add_acts(c, m);
	add_heading(m, "Screens");
	add_screens(m, false);
	menu_show(c, m);
}

void
menu_open_sort(struct screen *s)
{
	struct menu *m = menu_new(" Sort by ");

	line_add(m, "the order of the list itself")->sort = "";
	for (const struct column *col = s->class->columns; col && col->title; col++)
		line_add(m, col->title)->sort = col->field;
	menu_show(s->console, m);
}
