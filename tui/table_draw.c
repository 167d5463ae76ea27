/*
 * table_draw.c - a table on the screen: heads, rows, details of the row under the cursor.
 */
#include <stdio.h>
#include <string.h>

#include "proto/base/ascii.h"
#include "tui/table_inside.h"

#define COLUMNS_MAX 24
#define GROW_LEAST 10  /* columns that a growing one keeps */
#define GUTTER 3       /* cursor, mark, blank */
#define DETAIL_FROM 12 /* rows from which on there is room for details */
#define SIDE_FROM 110  /* columns from which on they stand at the right */
#define SIDE_COLS 48

struct layout {
	struct {
		const struct column *column;
		enum control_type type;
		int width;
	} cols[COLUMNS_MAX];
	size_t count;
};

/* A column that grows may also shrink, before another has to leave. */
static int
least(const struct column *column)
{
	if (!(column->flags & COLUMN_GROW) || column->width <= GROW_LEAST)
		return column->width;
	return column->width * 2 / 3 > GROW_LEAST ? column->width * 2 / 3 : GROW_LEAST;
}

static int
layout_width(const struct layout *l, bool at_least)
{
	int width = GUTTER;

	for (size_t i = 0; i < l->count; i++)
		width += (at_least ? least(l->cols[i].column) : l->cols[i].width) + (i > 0);
	return width;
}

/* The column whose turn it is to leave; count: none may. */
static size_t
next_to_leave(const struct layout *l)
{
	size_t best = l->count;

	for (size_t i = 0; i < l->count; i++)
		if (l->cols[i].column->leave > 0 &&
			(best == l->count ||
				l->cols[i].column->leave < l->cols[best].column->leave))
			best = i;
	return best;
}

static void
share_rest(struct layout *l, int rest)
{
	int growing = 0;

	for (size_t i = 0; i < l->count; i++)
		growing += (l->cols[i].column->flags & COLUMN_GROW) != 0;
	for (size_t i = 0; i < l->count && growing > 0; i++) {
		int part = rest / growing;

		if (!(l->cols[i].column->flags & COLUMN_GROW))
			continue;
		if (l->cols[i].width + part < 4)
			part = 4 - l->cols[i].width;
		l->cols[i].width += part;
		rest -= part;
		growing--;
	}
}

static void
lay_out(const struct table *t, int width, struct layout *l)
{
	const struct column *columns = t->screen->class->columns;
	size_t gone;

	l->count = 0;
	for (size_t i = (size_t)t->left; columns[i].title && l->count < COLUMNS_MAX; i++) {
		l->cols[l->count].column = &columns[i];
		l->cols[l->count].type = screen_column_type(t->screen, columns[i].field);
		l->cols[l->count++].width = columns[i].width;
	}
	while (layout_width(l, true) > width && (gone = next_to_leave(l)) < l->count) {
		memmove(&l->cols[gone], &l->cols[gone + 1],
			(l->count - gone - 1) * sizeof(l->cols[0]));
		l->count--;
	}
	share_rest(l, width - layout_width(l, false));
}

static bool
is_right(enum control_type type)
{
	return type == CONTROL_TYPE_NUMBER || type == CONTROL_TYPE_SIZE ||
		type == CONTROL_TYPE_COUNT || type == CONTROL_TYPE_DURATION ||
		type == CONTROL_TYPE_TIME;
}

static void
cell_text(const struct table *t, const struct json *cells, const struct column *col, struct buf *out)
{
	const struct json *value = json_find(cells, span_of(col->field));
	enum control_type type = screen_column_type(t->screen, col->field);
	const struct print_style *style = &t->screen->console->style;

	buf_clear(out);
	if (col->put)
		col->put(cells, style, out);
	else if (type == CONTROL_TYPE_TIME && json_text(value).len > 0)
		print_moment(out, json_text(value), style);
	else if (col->flags & COLUMN_LETTER) {
		struct span text = json_text(value);
		char letter = text.len > 0 ? ascii_upper(text.ptr[0]) : '-';

		print_put(out, (struct span){ &letter, 1 });
	} else if (json_is(value, JSON_ARRAY) && value->count > 1 && col->width < 30) {
		print_value(out, value->first, CONTROL_TYPE_TEXT, style);
		if (buf_printf(out, " +%zu", value->count - 1) != OK)
			buf_clear(out);
	} else if (value && value->kind != JSON_NULL &&
		!(json_is(value, JSON_STRING) && value->text.len == 0)) {
		print_value(out, value, type, style);
	} else {
		print_put(out, SPAN("-"));
	}
}

static void
draw_heads(struct table *t, struct rect at, const struct layout *l)
{
	struct cells *c = &t->screen->console->cells;
	int col = at.col + GUTTER;

	cells_fill(c, (struct rect){ at.row, at.col, 1, at.cols }, STYLE_HEAD);
	for (size_t i = 0; i < l->count; i++) {
		struct rect to = { at.row, col, 1, l->cols[i].width };

		if (to.cols > at.col + at.cols - col)
			to.cols = at.col + at.cols - col;
		cells_put_field(c, to, span_of(l->cols[i].column->title), STYLE_HEAD,
			is_right(l->cols[i].type));
		col += l->cols[i].width + 1;
	}
}

static enum style
row_style(const struct table *t, const struct table_row *row, bool here, bool marked)
{
	const struct json *state = json_find(row->cells, SPAN("state"));

	if (here)
		return STYLE_CURSOR;
	if (marked)
		return STYLE_MARKED;
	if (row->gone || t->screen->console->state != CONSOLE_UP)
		return STYLE_DIM;
	return span_eq(json_text(state), SPAN("held")) ? STYLE_WARNING : STYLE_PLAIN;
}

static void
draw_row(struct table *t, struct rect at, uint64_t rank, const struct layout *l)
{
	const struct table_row *row = table_rows_at(&t->rows, rank);
	struct cells *c = &t->screen->console->cells;
	bool here = rank == t->at, marked;
	enum style style;
	int col = at.col + GUTTER;
	struct buf text;

	if (!row) {
		cells_put(c, at, here ? SPAN(">  ...") : SPAN("   ..."), STYLE_DIM);
		return;
	}
	marked = t->mark_all || keyset_has(&t->marks, row->key);
	style = row_style(t, row, here, marked);
	buf_init(&text, PRINT_MAX);
	cells_fill(c, (struct rect){ at.row, at.col, 1, at.cols }, style);
	cells_put(c, (struct rect){ at.row, at.col, 1, 1 }, here ? SPAN(">") : SPAN(" "), style);
	cells_put(c, (struct rect){ at.row, at.col + 1, 1, 1 },
		row->gone ? SPAN("x") : marked ? SPAN("*") : SPAN(" "), style);
	for (size_t i = 0; i < l->count && col < at.col + at.cols; i++) {
		struct rect to = { at.row, col, 1, l->cols[i].width };

		if (to.cols > at.col + at.cols - col)
			to.cols = at.col + at.cols - col;
		cell_text(t, row->cells, l->cols[i].column, &text);
		cells_put_field(c, to, buf_span(&text), style, is_right(l->cols[i].type));
		col += l->cols[i].width + 1;
	}
	buf_fini(&text);
}

/* ---- details ---- */

static int
detail_rows(const struct table *t, struct rect at)
{
	int rows = 1;

	if (!t->screen->class->detail || t->no_detail || t->rows.total == 0 || at.rows < DETAIL_FROM)
		return 0;
	for (const struct detail *d = t->screen->class->detail; d->label; d++)
		rows += d->rows ? d->rows : 1;
	return rows < at.rows / 2 ? rows : 0;
}

static void
put_detail(const struct table *t, const struct table_row *row, const struct detail *d, struct buf *out)
{
	const struct print_style *style = &t->screen->console->style;

	if (d->put)
		d->put(row->cells, style, out);
	else
		print_value(out, json_find(row->cells, span_of(d->field)), screen_column_type(t->screen, d->field), style);
}

static void
draw_detail(struct table *t, struct rect at)
{
	const struct table_row *row = table_rows_at(&t->rows, t->at);
	struct console *console = t->screen->console;
	struct cells *c = &console->cells;
	struct buf text;

	cells_line(c, (struct rect){ at.row, 0, 1, at.cols }, STYLE_DIM);
	if (!row)
		return;
	cells_put(c, (struct rect){ at.row, 3, 1, at.cols - 6 }, row->key, STYLE_TITLE);
	buf_init(&text, PRINT_MAX);
	at.row++;
	for (const struct detail *d = t->screen->class->detail; d->label; d++) {
		cells_put(c, (struct rect){ at.row, 1, 1, 10 }, span_of(d->label), STYLE_DIM);
		buf_clear(&text);
		put_detail(t, row, d, &text);
		cells_put_wrapped(c,
			(struct rect){ at.row, 12, d->rows ? d->rows : 1, at.cols - 13 },
			buf_span(&text), STYLE_PLAIN);
		at.row += d->rows ? d->rows : 1;
	}
	buf_fini(&text);
}

/*
 * Columns of the pane at the right; 0: there is none, the details stand below, since the screen is narrow or
 * a column of the table would have to leave for it.
 */
static int
side_cols(const struct table *t, struct rect at)
{
	int side = at.cols / 3 < SIDE_COLS ? at.cols / 3 : SIDE_COLS;
	struct layout all;

	if (!t->screen->class->detail || t->no_detail || t->rows.total == 0 || at.cols < SIDE_FROM)
		return 0;
	lay_out(t, CELLS_COLS_MAX, &all);
	return layout_width(&all, true) < at.cols - side ? side : 0;
}

/* All that the row says of itself, each in as many rows as it needs. */
static void
draw_side(struct table *t, struct rect at)
{
	const struct table_row *row = table_rows_at(&t->rows, t->at);
	struct console *console = t->screen->console;
	struct cells *c = &console->cells;
	struct buf text;

	cells_upright(c, (struct rect){ at.row, at.col, at.rows, 1 }, STYLE_DIM);
	at.col += 2;
	at.cols -= 2;
	if (!row)
		return;
	cells_put(c, (struct rect){ at.row, at.col, 1, at.cols }, row->key, STYLE_TITLE);
	buf_init(&text, PRINT_MAX);
	at.row++;
	at.rows--;
	for (const struct detail *d = t->screen->class->detail; d->label && at.rows > 1; d++) {
		int used;

		cells_put(c, (struct rect){ at.row, at.col, 1, at.cols }, span_of(d->label), STYLE_DIM);
		buf_clear(&text);
		put_detail(t, row, d, &text);
		used = 1 + cells_put_wrapped(c,
				   (struct rect){ at.row + 1, at.col + 2, at.rows - 1, at.cols - 2 },
				   buf_span(&text), STYLE_PLAIN);
		at.row += used;
		at.rows -= used;
	}
	buf_fini(&text);
}

/* "+12 new, order kept (r: sort again)", "row 3 of 1,183" */
static void
draw_foot(struct table *t, struct rect at)
{
	struct cells *c = &t->screen->console->cells;
	char text[CONSOLE_TEXT_MAX] = "";

	if (t->rows.came > 0)
		snprintf(text, sizeof(text), "+%llu new, order kept (r: load)",
			(unsigned long long)t->rows.came);
	else if (t->hold)
		snprintf(text, sizeof(text), "held (z: go on)");
	cells_put(c, (struct rect){ at.row, 1, 1, at.cols / 2 }, span_of(text), STYLE_WARNING);
	if (t->rows.total == 0)
		return;
	snprintf(text, sizeof(text), "row %llu of %llu ", (unsigned long long)t->at + 1,
		(unsigned long long)t->rows.total);
	cells_put_field(c, (struct rect){ at.row, at.cols / 2, 1, at.cols - at.cols / 2 },
		span_of(text), STYLE_DIM, true);
}

static void
draw_empty(struct table *t, struct rect at)
{
	struct console *c = t->screen->console;
	const char *text = "nothing here";

	if (!screen_may(c, t->screen->class->method) && c->state == CONSOLE_UP)
		text = "your rights do not show this";
	else if (!t->rows.known)
		text = c->state == CONSOLE_UP ? "loading ..." : "no server";
	else if (buf_span(&t->rows.filter).len > 0 &&
		!(t->screen->class->filter && span_eq(buf_span(&t->rows.filter), span_of(t->screen->class->filter))))
		text = "nothing matches the filter (F: no filter)";
	cells_put(&c->cells, (struct rect){ at.row, GUTTER, 1, at.cols - GUTTER }, span_of(text),
		STYLE_DIM);
}

void
table_draw(struct screen *s, struct rect at)
{
	struct table *t = s->state;
	struct console *c = s->console;
	int side = side_cols(t, at), all = at.cols;
	int detail = side > 0 ? 0 : detail_rows(t, at);
	struct layout layout;

	if (table_above_draw(t, at)) {
		at.row++;
		at.rows--;
	}
	if (side > 0)
		draw_side(t, (struct rect){ at.row, at.cols - side, at.rows - 1, side });
	at.cols -= side > 0 ? side + 1 : 0;
	t->shown = at.rows - 2 - detail;
	if (t->shown < 1)
		t->shown = 1;
	if (t->at >= t->top + (uint64_t)t->shown)
		t->top = t->at - (uint64_t)t->shown + 1;
	lay_out(t, at.cols, &layout);
	draw_heads(t, at, &layout);
	at.row++;
	if (t->rows.total == 0)
		draw_empty(t, at);
	for (int i = 0; i < t->shown && t->top + (uint64_t)i < t->rows.total; i++)
		draw_row(t, (struct rect){ at.row + i, at.col, 1, at.cols }, t->top + (uint64_t)i,
			&layout);
	table_rows_want(&t->rows, t->top, t->top + (uint64_t)t->shown);
	c->cells.cursor_row = at.row + (int)(t->at - t->top);
	c->cells.cursor_col = 0;
	at.row += t->shown;
	if (detail > 0)
		draw_detail(t, at);
	draw_foot(t, (struct rect){ at.row + detail, 0, 1, all });
}

void
table_title(struct screen *s, struct buf *out)
{
	struct table *t = s->state;
	struct span filter = buf_span(&t->rows.filter), sort = buf_span(&t->rows.sort);
	bool own = s->class->filter && span_eq(filter, span_of(s->class->filter)); /* what the screen is about */

	if (filter.len > 0 && !own)
		out->overflow |= buf_printf(out, "filter: %.*s   ", SPAN_FMT(filter)) != OK;
	if (t->rows.known)
		out->overflow |= buf_printf(out, "%llu row%s   ", (unsigned long long)t->rows.total,
					 t->rows.total == 1 ? "" : "s") != OK;
	if (t->mark_all)
		print_put(out, SPAN("all marked   "));
	else if (t->marks.count > 0)
		out->overflow |= buf_printf(out, "%zu marked   ", t->marks.count) != OK;
	if (sort.len > 0)
		out->overflow |= buf_printf(out, "sort: %.*s %c",
					 SPAN_FMT(sort.ptr[0] == '-' ? span_from(sort, 1) : sort),
					 sort.ptr[0] == '-' ? 'v' : '^') != OK;
}
