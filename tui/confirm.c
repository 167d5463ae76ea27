/*
 * confirm.c - what an act would do, as the server pinned it, and the question whether to do it.
 *
 * The key that applies is never the key that started it, and Enter is no answer; what cannot be
 * undone wants its number typed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/console.h"

#define CONFIRM_WIDTH 78
#define CONFIRM_SAMPLE 6
#define CONFIRM_ROWS 30

struct confirm {
	struct modal modal;
	const struct control_method *method;
	const struct json *preview; /* in modal.arena */
	uint64_t count;
	link_done *done; /* told instead of the message line, or NULL */
	void *owner;
	bool typed; /* G3 */
	struct line_edit edit;
};

static struct confirm *
confirm_of(struct modal *m)
{
	return LIST_ITEM(m, struct confirm, modal);
}

static void
confirm_close(struct console *c, struct modal *m)
{
	(void)c;
	line_edit_fini(&confirm_of(m)->edit);
}

static void
apply(struct console *c, struct confirm *f)
{
	struct span word = f->typed ? line_edit_text(&f->edit) : SPAN("");
	char count[24];

	snprintf(count, sizeof(count), "%llu", (unsigned long long)f->count);
	if (f->typed && !span_eq(word, span_of(count))) {
		console_say(c, STYLE_WARNING, "type %s to do it", count);
		return;
	}
	console_apply(c, f->method, json_text(json_find(f->preview, SPAN("token"))), word, f->done,
		f->owner);
	console_pop_modal(c);
}

static void
confirm_press(struct console *c, struct modal *m, const struct press *press)
{
	struct confirm *f = confirm_of(m);

	if (f->typed && press->key == KEY_RETURN) {
		apply(c, f);
	} else if (f->typed && press->key != KEY_ESC && press->key != KEY_PASTED) {
		(void)line_edit_press(&f->edit, press);
	} else if (!f->typed && press->key == 'y') {
		apply(c, f);
	} else {
		console_pop_modal(c);
		console_say(c, STYLE_DIM, "nothing was done");
	}
}

/* ---- drawing ---- */

static void
put_row(struct console *c, struct rect *at, struct span text, enum style style)
{
	cells_put(&c->cells, *at, text, style);
	at->row++;
	at->rows--;
}

/* A sentence, over as many rows as it needs while two are left for what follows. */
static void
put_sentence(struct console *c, struct rect *at, struct span text, enum style style)
{
	struct rect to = { at->row, at->col, at->rows - 2, at->cols };
	int used = cells_put_wrapped(&c->cells, to, text, style);

	at->row += used;
	at->rows -= used;
}

/* A row of a list: its texts and sizes one after the other. */
static void
put_sample(struct console *c, struct rect *at, const struct json *row)
{
	struct buf text;
	size_t shown = 0;

	buf_init(&text, PRINT_MAX);
	print_put(&text, SPAN("  "));
	if (row->kind == JSON_STRING)
		print_clean(&text, row->text, &c->style);
	for (const struct json *cell = row->kind == JSON_OBJECT ? row->first : NULL;
		cell && shown < 6; cell = cell->next) {
		if (cell->kind == JSON_NULL || (cell->kind == JSON_STRING && cell->text.len == 0) ||
			cell->kind == JSON_BOOL)
			continue;
		print_value(&text, cell, print_type_of(cell->name, cell), &c->style);
		print_put(&text, SPAN("  "));
		shown++;
	}
	put_row(c, at, buf_span(&text), STYLE_PLAIN);
	buf_fini(&text);
}

static void
put_all(struct console *c, struct rect *at, const struct json *list, enum style style)
{
	for (const struct json *text = list ? list->first : NULL; text && at->rows > 2;
		text = text->next)
		put_sentence(c, at, json_text(text), style);
}

/* The same act as a command. */
static void
put_command(struct console *c, struct rect *at, const struct confirm *f)
{
	struct buf text;

	buf_init(&text, PRINT_MAX);
	print_put(&text, SPAN("CLI: "));
	print_clean(&text, json_text(json_find(f->preview, SPAN("cli"))), &c->style);
	put_row(c, at, buf_span(&text), STYLE_DIM);
	buf_fini(&text);
}

/* Rows that the sentences of LIST take. */
static size_t
sentence_rows(const struct console *c, const struct json *list, int cols)
{
	size_t rows = 0;

	for (const struct json *at = list ? list->first : NULL; at; at = at->next) {
		struct span text = json_text(at);

		do {
			text = span_trim(span_from(text, cells_fitting(&c->cells, text, cols)));
			rows++;
		} while (text.len > 0 && rows < CONFIRM_ROWS);
	}
	return rows;
}

static int
wanted_rows(const struct console *c, const struct confirm *f, int cols)
{
	const struct json *sample = json_find(f->preview, SPAN("sample"));
	size_t rows = 5;

	rows += sample ? (sample->count < CONFIRM_SAMPLE ? sample->count : CONFIRM_SAMPLE + 1) : 0;
	rows += sentence_rows(c, json_find(f->preview, SPAN("effects")), cols);
	rows += sentence_rows(c, json_find(f->preview, SPAN("warnings")), cols);
	return rows < CONFIRM_ROWS ? (int)rows : CONFIRM_ROWS;
}

static void
draw_question(struct console *c, struct confirm *f, struct rect at)
{
	char text[128];

	if (!f->typed) {
		cells_put_field(&c->cells, at, SPAN("y do it     any other key: no"), STYLE_KEY,
			true);
		c->cells.cursor_row = at.row;
		c->cells.cursor_col = at.col;
		return;
	}
	snprintf(text, sizeof(text), "this cannot be undone; type %llu and Enter: ",
		(unsigned long long)f->count);
	at.col += cells_put(&c->cells, at, span_of(text), STYLE_ERROR);
	at.cols = 12;
	c->cells.cursor_row = at.row;
	c->cells.cursor_col = line_edit_draw(&f->edit, &c->cells, at, STYLE_FIELD);
}

static void
confirm_draw(struct console *c, struct modal *m)
{
	struct confirm *f = confirm_of(m);
	const struct json *sample = json_find(f->preview, SPAN("sample"));
	struct rect box = { 0, 0, 0, CONFIRM_WIDTH }, at;
	char text[CONSOLE_TEXT_MAX];
	size_t shown = 0;

	if (box.cols > c->cells.cols - 2)
		box.cols = c->cells.cols - 2;
	box.rows = wanted_rows(c, f, box.cols - 4);
	if (box.rows > c->cells.rows - 4)
		box.rows = c->cells.rows - 4;
	box.row = (c->cells.rows - box.rows) / 2;
	box.col = (c->cells.cols - box.cols) / 2;
	cells_box(&c->cells, box, STYLE_PLAIN);
	snprintf(text, sizeof(text), " %s: %llu ", f->method->words, (unsigned long long)f->count);
	cells_put(&c->cells, (struct rect){ box.row, box.col + 2, 1, box.cols - 4 }, span_of(text),
		STYLE_TITLE);
	at = (struct rect){ box.row + 1, box.col + 2, box.rows - 2, box.cols - 4 };
	put_all(c, &at, json_find(f->preview, SPAN("effects")), STYLE_PLAIN);
	for (const struct json *row = sample ? sample->first : NULL;
		row && shown < CONFIRM_SAMPLE && at.rows > 3; row = row->next, shown++)
		put_sample(c, &at, row);
	if (sample && f->count > shown && shown > 0) {
		snprintf(text, sizeof(text), "  ... %llu more",
			(unsigned long long)(f->count - shown));
		put_row(c, &at, span_of(text), STYLE_DIM);
	}
	put_all(c, &at, json_find(f->preview, SPAN("warnings")), STYLE_WARNING);
	put_command(c, &at, f);
	draw_question(c, f, (struct rect){ box.row + box.rows - 2, box.col + 2, 1, box.cols - 4 });
}

static const struct modal_class confirm_class = {
	.draw = confirm_draw,
	.press = confirm_press,
	.close = confirm_close,
	.bar = "y Do it   Esc No",
};

void
confirm_open(struct console *c, const struct control_method *method, struct link_reply *preview,
	link_done *done, void *owner)
{
	struct confirm *f = calloc(1, sizeof(*f));

	ENSURE(f);
	link_reply_keep(preview, &f->modal.arena);
	f->preview = preview->result;
	f->method = method;
	f->done = done;
	f->owner = owner;
	f->typed = method->guard == CONTROL_G3;
	line_edit_init(&f->edit);
	f->count = json_number_or(json_find(f->preview, SPAN("count")), f->count);
	if (f->count == 0) {
		console_say(c, STYLE_WARNING, "there is nothing to do it with");
		line_edit_fini(&f->edit);
		arena_reset(&f->modal.arena);
		free(f);
		return;
	}
	console_push_modal(c, &f->modal, &confirm_class);
}
