/*
 * form_draw.c - a form on the screen: tabs, fields, what was changed, help of the field.
 */
#include <stdio.h>
#include <string.h>

#include "tui/form_inside.h"

#define LABEL_COLS 20
#define HELP_ROWS 3
#define MADE_ROWS 5 /* of what the fields make, with its head */
#define MADE_COL 72
#define FIELD_ROWS 2 /* at least, before there is room for what they make */
#define MADE_BESIDE_COLS 110

static void
draw_tabs(struct form *f, struct rect at)
{
	struct cells *c = &f->screen->console->cells;
	const char *tab = NULL, *now = f->values[f->at].tab;

	at.col = 1;
	for (size_t i = 0; i < f->count; i++) {
		bool here = f->values[i].tab == now;

		if (f->values[i].tab == tab)
			continue;
		tab = f->values[i].tab;
		at.col += cells_put(c, at, here ? SPAN("[") : SPAN(" "), STYLE_PLAIN);
		at.col += cells_put(c, at, span_of(tab), here ? STYLE_HERE : STYLE_PLAIN);
		at.col += cells_put(c, at, here ? SPAN("] ") : SPAN("  "), STYLE_PLAIN);
	}
}

static void
draw_value(struct form *f, struct form_value *v, struct rect at, bool here)
{
	struct console *console = f->screen->console;
	struct cells *c = &console->cells;
	struct span text = line_edit_text(&v->edit);
	bool on = span_eq(text, SPAN("yes"));
	struct line_edit shown = v->edit; /* from its begin where the cursor is elsewhere */
	int col;

	shown.at = here ? shown.at : 0;

	switch (v->field->kind) {
	case FORM_FLAG:
		cells_put(c, at, on ? SPAN("[x]") : SPAN("[ ]"), here ? STYLE_CURSOR : STYLE_FIELD);
		col = at.col + 1;
		break;
	case FORM_SHOWN:
		at.cols = c->cols - at.col;
		cells_put_wrapped(c, at, text.len > 0 ? text : SPAN("-"), STYLE_DIM);
		col = at.col;
		break;
	case FORM_CHOICE:
		cells_put(c, at, SPAN("<"), STYLE_PLAIN);
		cells_put_field(c, (struct rect){ at.row, at.col + 1, 1, at.cols - 3 }, text,
			here ? STYLE_CURSOR : STYLE_FIELD, false);
		cells_put(c, (struct rect){ at.row, at.col + at.cols - 2, 1, 2 }, SPAN("v>"),
			STYLE_PLAIN);
		col = at.col + 1;
		break;
	default:
		cells_put(c, at, SPAN("["), STYLE_PLAIN);
		col = line_edit_draw(&shown, c,
			(struct rect){ at.row, at.col + 1, 1, at.cols - 2 }, STYLE_FIELD);
		cells_put(c, (struct rect){ at.row, at.col + at.cols - 1, 1, 1 }, SPAN("]"),
			STYLE_PLAIN);
		break;
	}
	if (here) {
		c->cursor_row = at.row;
		c->cursor_col = col;
	}
}

static void
draw_field(struct form *f, size_t i, struct rect at)
{
	struct cells *c = &f->screen->console->cells;
	struct form_value *v = &f->values[i];
	bool changed = form_is_changed(v) && !f->action, here = i == f->at;
	int width = at.cols - LABEL_COLS - 2;
	char was[128];

	if (width > 46)
		width = 46;
	cells_put(c, (struct rect){ at.row, 0, 1, 1 },
		v->why[0]  ? SPAN("!") :
		changed    ? SPAN("*") :
		here       ? SPAN(">") :
			     SPAN(" "),
		v->why[0] ? STYLE_ERROR : STYLE_CHANGED);
	cells_put(c, (struct rect){ at.row, 1, 1, LABEL_COLS - 2 }, span_of(v->field->label),
		here ? STYLE_TITLE : STYLE_PLAIN);
	draw_value(f, v, (struct rect){ at.row, LABEL_COLS, at.rows, width }, here);
	if (v->why[0])
		snprintf(was, sizeof(was), "! %.100s", v->why);
	else if (changed && v->field->kind != FORM_SECRET)
		snprintf(was, sizeof(was), "was: %.*s",
			SPAN_FMT(span_range(buf_span(&v->base), 0, 100)));
	else
		return;
	cells_put(c,
		(struct rect){ at.row, LABEL_COLS + width + 2, 1,
			at.cols - LABEL_COLS - width - 2 },
		span_of(was), v->why[0] ? STYLE_ERROR : STYLE_CHANGED);
}

static void
draw_help(struct form *f, struct rect at)
{
	const struct form_value *v = &f->values[f->at];
	struct cells *c = &f->screen->console->cells;

	cells_line(c, (struct rect){ at.row, 0, 1, at.cols }, STYLE_DIM);
	cells_put(c, (struct rect){ at.row, 3, 1, at.cols - 6 }, span_of(v->field->label),
		STYLE_TITLE);
	cells_put(c, (struct rect){ at.row + 1, 1, 1, at.cols - 1 },
		v->why[0] ? span_of(v->why) : span_of(v->field->help),
		v->why[0] ? STYLE_ERROR : STYLE_PLAIN);
	cells_put(c, (struct rect){ at.row + 2, 1, 1, at.cols - 1 },
		v->field->kind == FORM_FLAG || v->field->kind == FORM_CHOICE ?
			SPAN("space or arrows choose") :
		v->field->kind == FORM_LIST && v->field->pick ? SPAN("several: with a ; between   F4: choose from a list") :
		v->field->pick ? SPAN("F4: choose from a list") :
		v->field->kind == FORM_LIST ? SPAN("several: with a ; between") :
					      span_of(v->field->choices),
		STYLE_DIM);
}

/* What the fields make, as it will be: at their right where there is room, else below where they leave any. The rows it takes. */
static int
draw_made(struct form *f, struct rect at)
{
	struct cells *c = &f->screen->console->cells;
	bool beside = at.cols >= MADE_BESIDE_COLS;
	struct rect to = beside ? (struct rect){ at.row + 2, MADE_COL, at.rows - HELP_ROWS - 2, at.cols - MADE_COL } :
				  (struct rect){ at.row + at.rows - HELP_ROWS - MADE_ROWS, 1, MADE_ROWS, at.cols - 1 };
	struct span rest, line;
	struct buf made;

	if (!f->class->make || to.rows < 2 || (!beside && at.rows < HELP_ROWS + 2 + MADE_ROWS + FIELD_ROWS))
		return 0; /* F3 shows it all the same */
	buf_init(&made, FORM_MADE_MAX);
	if (!beside)
		cells_line(c, (struct rect){ to.row, 0, 1, at.cols }, STYLE_DIM);
	cells_put(c, (struct rect){ to.row, beside ? to.col : 3, 1, to.cols }, SPAN("as text   F3: what would it do?"), STYLE_TITLE);
	if (f->class->make(f->screen, &made))
		for (rest = buf_span(&made); --to.rows > 0 && span_next_line(&rest, &line);)
			cells_put(c, (struct rect){ ++to.row, to.col, 1, to.cols }, line, STYLE_DIM);
	buf_fini(&made);
	return beside ? 0 : MADE_ROWS;
}

void
form_draw(struct screen *s, struct rect at)
{
	struct form *f = s->state;
	const char *tab = f->values[f->at].tab;
	size_t first = 0, rows;

	if (!f->known && !f->action) {
		cells_put(&s->console->cells, (struct rect){ at.row, 1, 1, at.cols - 1 },
			s->console->state == CONSOLE_UP ? SPAN("loading ...") : SPAN("no server"),
			STYLE_DIM);
		return;
	}
	draw_tabs(f, at);
	draw_help(f, (struct rect){ at.row + at.rows - HELP_ROWS, 0, HELP_ROWS, at.cols });
	rows = (size_t)(at.rows - HELP_ROWS - 2 - draw_made(f, at));
	while (f->values[first].tab != tab)
		first++;
	if (f->top < first || f->top > f->at)
		f->top = first;
	if (f->at >= f->top + rows)
		f->top = f->at - rows + 1;
	for (size_t i = f->top; i < f->count && f->values[i].tab == tab && i < f->top + rows; i++) {
		bool last = i + 1 == f->count || f->values[i + 1].tab != tab;
		int row = (int)(i - f->top);

		draw_field(f, i,
			(struct rect){ at.row + 2 + row, 0, last ? (int)rows - row : 1, at.cols });
	}
}

void
form_title(struct screen *s, struct buf *out)
{
	struct form *f = s->state;
	size_t changes = form_changes(f);

	if (changes > 0 && !f->action)
		out->overflow |= buf_printf(out, "%zu change%s not saved", changes,
					 changes == 1 ? "" : "s") != OK;
}

bool
form_saves(const struct form *f)
{
	return !f->action || f->action->key == 'e';
}

const char *
form_does(const struct form *f)
{
	if (f->class->does)
		return f->class->does;
	if (form_saves(f))
		return "Save";
	return f->action->open || form_method(f)->reply != CONTROL_REPLY_DONE ? "Ask" : f->action->label;
}

void
form_bar(struct screen *s, struct buf *out)
{
	const struct form *f = s->state;

	out->overflow |= buf_printf(out, "F2 %s%s  F5 Revert  PgUp PgDn Tabs  F9 Cmd  Esc Leave", form_does(f),
				 f->class->trial ? "  F3 Test" : "") != OK;
}
