/*
 * menu.c - a list to choose from: words narrow it, Enter does the line.
 *
 * What stands in the lists is made from the tables of keys, screens and methods (menu_lists.c); the
 * palette also asks the server (palette.c). Only what a line does when it is chosen differs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/menu_inside.h"

#define MENU_WIDTH 76

static struct menu *
menu_of(struct modal *m)
{
	return LIST_ITEM(m, struct menu, modal);
}

struct menu *
menu_new(const char *title)
{
	struct menu *m = calloc(1, sizeof(*m));

	ENSURE(m);
	m->title = title;
	m->lines = calloc(MENU_LINES_MAX, sizeof(*m->lines));
	ENSURE(m->lines);
	arena_init(&m->modal.arena, NULL);
	arena_init(&m->found, NULL);
	line_edit_init(&m->edit);
	return m;
}

struct menu_line *
menu_line_add(struct menu *m, const char *text)
{
	struct menu_line *line;

	if (m->count >= MENU_LINES_MAX)
		return &m->lines[MENU_LINES_MAX - 1];
	line = &m->lines[m->count++];
	*line = (struct menu_line){ 0 };
	snprintf(line->text, sizeof(line->text), "%s", text);
	return line;
}

static bool
has_word(const char *text, struct span word)
{
	struct span in = span_of(text);

	return span_find_span_nocase(in, word) < in.len;
}

/* Each word must be there, in any order. */
static bool
line_matches(const struct menu_line *line, struct span words, bool with_help)
{
	struct span word;

	while (words.len > 0) {
		(void)span_cut(words, ' ', &word, &words);
		if (word.len > 0 && !has_word(line->text, word) && !has_word(line->also, word) &&
			(!with_help || !has_word(line->help, word)))
			return false;
	}
	return true;
}

static bool
is_named(const struct menu_line *line, struct span words)
{
	return line->screen && !line->found && line->also && span_eq_nocase(span_trim(words), span_of(line->also));
}

void
menu_narrow(struct menu *m)
{
	struct span words = line_edit_text(&m->edit);

	m->shown_count = 0;
	for (size_t i = 0; i < m->count; i++) /* a screen that is named stands above acts with that word */
		if (is_named(&m->lines[i], words))
			m->shown[m->shown_count++] = i;
	for (size_t i = 0; i < m->count; i++)
		if (!is_named(&m->lines[i], words) && (m->lines[i].found || line_matches(&m->lines[i], words, false)))
			m->shown[m->shown_count++] = i;
	for (size_t i = 0; i < m->count; i++) /* then those that only their help finds */
		if (!m->lines[i].found && !line_matches(&m->lines[i], words, false) &&
			line_matches(&m->lines[i], words, true))
			m->shown[m->shown_count++] = i;
	if (m->at >= m->shown_count)
		m->at = 0;
	while (m->at + 1 < m->shown_count && m->lines[m->shown[m->at]].off)
		m->at++;
}

static void
menu_close(struct console *c, struct modal *modal)
{
	struct menu *m = menu_of(modal);

	(void)c;
	if (m->palette)
		palette_close(m);
	line_edit_fini(&m->edit);
	arena_reset(&m->found);
	free(m->lines);
}

static void
do_line(struct console *c, const struct menu_line *line)
{
	const struct act_row *row = line->act ? act_row_of(line->act) : NULL;

	if (line->action)
		console_do(console_screen(c), line->action);
	else if (line->screen)
		(void)console_go(c, line->screen);
	else if (line->sort)
		table_sort(console_screen(c), span_of(line->sort));
	else if (row)
		console_press(c, &(struct press){ .key = row->key });
}

static void
choose(struct console *c, struct menu *m)
{
	void (*chosen)(struct console *, const struct menu_line *) = m->chosen;
	struct menu_line line;

	if (m->at >= m->shown_count || m->lines[m->shown[m->at]].off)
		return;
	line = m->lines[m->shown[m->at]];
	if (m->palette && !palette_choose(c, m, &line))
		return;
	if (line.open) { /* on a row that goes with the menu */
		(void)console_go(c, line.screen);
		console_open(c, line.open, line.row, line.key);
	}
	console_pop_modal(c);
	if (chosen)
		chosen(c, &line);
	else if (!line.open)
		do_line(c, &line);
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
menu_tab(struct console *c, struct menu *m)
{
	if (m->palette)
		palette_complete(c, m);
	else
		menu_step(m, 1);
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
	case KEY_TAB: menu_tab(c, m); return;
	case KEY_ARROW_DOWN: menu_step(m, 1); return;
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
	if (!line_edit_press(&m->edit, press))
		return;
	m->at = m->top = 0;
	if (m->palette)
		palette_changed(c, m);
	menu_narrow(m);
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

/* What the line under the cursor is, and the same as a command. */
static void
menu_draw_help(struct console *c, const struct menu *m, struct rect at)
{
	const struct menu_line *line;
	char cli[MENU_TEXT_MAX + 16];
	int width;

	if (m->at >= m->shown_count)
		return;
	line = &m->lines[m->shown[m->at]];
	if (line->cli) {
		snprintf(cli, sizeof(cli), "  CLI: postroom %s", line->cli);
		width = cells_width(&c->cells, span_of(cli));
		cells_put_field(&c->cells, at, span_of(cli), STYLE_KEY, true);
		at.cols -= width;
	}
	cells_put(&c->cells, at, span_of(line->help), STYLE_DIM);
}

static void
menu_draw(struct console *c, struct modal *modal)
{
	struct menu *m = menu_of(modal);
	struct rect box = { 2, 0, (int)m->count + 5, MENU_WIDTH };

	if (box.rows > c->cells.rows - 4 || m->palette)
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
	menu_draw_help(c, m,
		(struct rect){ box.row + box.rows - 2, box.col + 2, 1, box.cols - 4 });
}

static const struct modal_class menu_class = {
	.draw = menu_draw,
	.press = menu_press,
	.close = menu_close,
	.bar = "Esc Close   Enter Do it   Up/Down Choose   type words to find",
};

static const struct modal_class palette_class = {
	.draw = menu_draw,
	.press = menu_press,
	.close = menu_close,
	.bar = "Esc Close   Enter Do it   Up/Down Choose   Tab Complete   or type a command",
};

void
menu_show(struct console *c, struct menu *m)
{
	menu_narrow(m);
	console_push_modal(c, &m->modal, m->palette ? &palette_class : &menu_class);
}
