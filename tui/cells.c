/*
 * cells.c - see cells.h. Widths are those of the C library, as curses has them.
 */
#include "tui/cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define ESCAPE_SIZE 16

/* One character with its marks, or an escape, ready to be put. */
struct glyph {
	char text[CELL_BYTES];
	size_t len;
	int width;
	bool escape; /* several characters, each a column */
};

void
cells_init(struct cells *c, bool utf8)
{
	*c = (struct cells){ .utf8 = utf8 };
}

void
cells_fini(struct cells *c)
{
	free(c->grid);
	c->grid = NULL;
	c->rows = c->cols = 0;
}

void
cells_resize(struct cells *c, int rows, int cols)
{
	rows = rows < 1 ? 1 : rows > CELLS_ROWS_MAX ? CELLS_ROWS_MAX : rows;
	cols = cols < 1 ? 1 : cols > CELLS_COLS_MAX ? CELLS_COLS_MAX : cols;
	free(c->grid);
	c->grid = calloc((size_t)rows * (size_t)cols, sizeof(*c->grid));
	ENSURE(c->grid);
	c->rows = rows;
	c->cols = cols;
	c->cursor_row = c->cursor_col = 0;
	cells_fill(c, (struct rect){ 0, 0, rows, cols }, STYLE_PLAIN);
}

static struct cell *
cell_at(struct cells *c, int row, int col)
{
	if (row < 0 || col < 0 || row >= c->rows || col >= c->cols)
		return NULL;
	return &c->grid[row * c->cols + col];
}

static void
cell_blank(struct cell *cell, enum style style)
{
	cell->text[0] = ' ';
	cell->len = 1;
	cell->style = (uint8_t)style;
}

/* Half of a wide character that is overwritten leaves a blank where the other half was. */
static void
cell_part(struct cells *c, int row, int col)
{
	struct cell *cell = cell_at(c, row, col), *next = cell_at(c, row, col + 1);

	if (cell && cell->len == 0 && col > 0)
		cell_blank(cell - 1, (enum style)cell[-1].style);
	if (next && next->len == 0)
		cell_blank(next, (enum style)next->style);
}

static void
cell_set(struct cells *c, struct rect at, const struct glyph *g, enum style style)
{
	struct cell *cell = cell_at(c, at.row, at.col);

	if (!cell || at.col + g->width > c->cols)
		return;
	for (int i = 0; i < g->width; i++)
		cell_part(c, at.row, at.col + i);
	memcpy(cell->text, g->text, g->len);
	cell->len = (uint8_t)g->len;
	cell->style = (uint8_t)style;
	if (g->width == 2) {
		cell[1].len = 0;
		cell[1].style = (uint8_t)style;
	}
}

static void
glyph_escape(struct glyph *g, uint32_t code, bool valid, unsigned char byte)
{
	char text[ESCAPE_SIZE];
	int len;

	if (!valid || code < 0x100)
		len = snprintf(text, sizeof(text), "\\x%02X", valid ? (unsigned)code : byte);
	else
		len = snprintf(text, sizeof(text), "\\u{%X}", (unsigned)code);
	memcpy(g->text, text, (size_t)len);
	g->len = (size_t)len;
	g->width = len;
	g->escape = true;
}

static bool
may_show(const struct cells *c, uint32_t code)
{
	if (code < 0x80)
		return code >= 0x20 && code != 0x7f;
	return c->utf8 && utf8_is_printable(code) && wcwidth((wchar_t)code) >= 0;
}

/* Marks that follow, as many as may be; the others are passed over. */
static void
glyph_marks(const struct cells *c, struct glyph *g, struct span *rest)
{
	unsigned marks = 0;

	while (rest->len > 0 && c->utf8) {
		struct span before = *rest, after = *rest;
		uint32_t code;

		if (!utf8_next(&after, &code) || code < 0x80 || wcwidth((wchar_t)code) != 0 ||
			!may_show(c, code))
			return;
		*rest = after;
		if (++marks > UTF8_MARKS_MAX)
			continue;
		memcpy(g->text + g->len, before.ptr, before.len - after.len);
		g->len += before.len - after.len;
	}
}

static void
glyph_next(const struct cells *c, struct span *rest, struct glyph *g)
{
	struct span before = *rest;
	uint32_t code;
	bool valid = utf8_next(rest, &code);

	*g = (struct glyph){ .width = 1 };
	if (!valid || !may_show(c, code) || (code >= 0x80 && wcwidth((wchar_t)code) == 0)) {
		glyph_escape(g, code, valid, (unsigned char)before.ptr[0]);
		return;
	}
	g->len = before.len - rest->len;
	memcpy(g->text, before.ptr, g->len);
	g->width = code < 0x80 ? 1 : wcwidth((wchar_t)code);
	glyph_marks(c, g, rest);
}

static void
glyph_put(struct cells *c, struct rect at, const struct glyph *g, enum style style)
{
	if (!g->escape) {
		cell_set(c, at, g, style);
		return;
	}
	for (size_t i = 0; i < g->len; i++) {
		struct glyph one = { .text = { g->text[i] }, .len = 1, .width = 1 };

		cell_set(c, (struct rect){ at.row, at.col + (int)i, 1, 1 }, &one, style);
	}
}

int
cells_put(struct cells *c, struct rect at, struct span text, enum style style)
{
	static const struct glyph cut = { .text = "~", .len = 1, .width = 1 };
	struct rect last = at; /* where the cut mark would stand */
	struct glyph g;
	int used = 0;

	text = span_range(text, 0, span_find(text, '\n'));
	while (text.len > 0 && used < at.cols) {
		glyph_next(c, &text, &g);
		if (used < at.cols)
			last.col = at.col + used;
		if (used + g.width > at.cols || (used + g.width == at.cols && text.len > 0)) {
			cell_set(c, last, &cut, style);
			return last.col - at.col + 1;
		}
		glyph_put(c, (struct rect){ at.row, at.col + used, 1, g.width }, &g, style);
		used += g.width;
	}
	return used;
}

int
cells_width(const struct cells *c, struct span text)
{
	struct glyph g;
	int width = 0;

	text = span_range(text, 0, span_find(text, '\n'));
	while (text.len > 0 && width < CELLS_COLS_MAX) {
		glyph_next(c, &text, &g);
		width += g.width;
	}
	return width;
}

void
cells_put_field(struct cells *c, struct rect at, struct span text, enum style style, bool right)
{
	int width = right ? cells_width(c, text) : 0;

	cells_fill(c, (struct rect){ at.row, at.col, 1, at.cols }, style);
	if (right && width < at.cols) {
		at.col += at.cols - width;
		at.cols = width;
	}
	cells_put(c, at, text, style);
}

void
cells_fill(struct cells *c, struct rect at, enum style style)
{
	struct glyph blank = { .text = " ", .len = 1, .width = 1 };

	for (int row = at.row; row < at.row + at.rows; row++)
		for (int col = at.col; col < at.col + at.cols; col++)
			cell_set(c, (struct rect){ row, col, 1, 1 }, &blank, style);
}

void
cells_paint(struct cells *c, struct rect at, enum style style)
{
	for (int row = at.row; row < at.row + (at.rows > 0 ? at.rows : 1); row++)
		for (int col = at.col; col < at.col + at.cols; col++)
			if (cell_at(c, row, col))
				cell_at(c, row, col)->style = (uint8_t)style;
}

static void
put_line_char(struct cells *c, struct rect at, const char *utf8, const char *ascii,
	enum style style)
{
	const char *text = c->utf8 ? utf8 : ascii;
	struct glyph g = { .len = strlen(text), .width = 1 };

	memcpy(g.text, text, g.len);
	cell_set(c, at, &g, style);
}

void
cells_line(struct cells *c, struct rect at, enum style style)
{
	for (int i = 0; i < at.cols; i++)
		put_line_char(c, (struct rect){ at.row, at.col + i, 1, 1 }, "─", "-", style);
}

void
cells_upright(struct cells *c, struct rect at, enum style style)
{
	for (int i = 0; i < at.rows; i++)
		put_line_char(c, (struct rect){ at.row + i, at.col, 1, 1 }, "│", "|", style);
}

void
cells_box(struct cells *c, struct rect at, enum style style)
{
	int low = at.row + at.rows - 1, right = at.col + at.cols - 1;

	cells_fill(c, at, STYLE_PLAIN);
	cells_line(c, (struct rect){ at.row, at.col, 1, at.cols }, style);
	cells_line(c, (struct rect){ low, at.col, 1, at.cols }, style);
	cells_upright(c, (struct rect){ at.row, at.col, at.rows, 1 }, style);
	cells_upright(c, (struct rect){ at.row, right, at.rows, 1 }, style);
	put_line_char(c, (struct rect){ at.row, at.col, 1, 1 }, "┌", "+", style);
	put_line_char(c, (struct rect){ at.row, right, 1, 1 }, "┐", "+", style);
	put_line_char(c, (struct rect){ low, at.col, 1, 1 }, "└", "+", style);
	put_line_char(c, (struct rect){ low, right, 1, 1 }, "┘", "+", style);
}

void
cells_text(const struct cells *c, struct buf *out)
{
	for (int row = 0; row < c->rows; row++) {
		const struct cell *cells = &c->grid[row * c->cols];
		int end = c->cols;

		while (end > 0 && cells[end - 1].len == 1 && cells[end - 1].text[0] == ' ')
			end--;
		for (int col = 0; col < end; col++)
			if (buf_put(out, (struct span){ cells[col].text, cells[col].len }) != OK)
				return;
		if (buf_put_char(out, '\n') != OK)
			return;
	}
}

size_t
cells_fitting(const struct cells *c, struct span line, int cols)
{
	size_t end = 0, blank = 0;

	while (end < line.len) {
		size_t next = end + 1;

		while (next < line.len && ((unsigned char)line.ptr[next] & 0xc0) == 0x80)
			next++;
		if (cells_width(c, span_range(line, 0, next)) > cols)
			break;
		end = next;
		if (line.ptr[end - 1] == ' ')
			blank = end;
	}
	return end < line.len && blank > end / 2 ? blank : end > 0 ? end : line.len;
}

int
cells_put_wrapped(struct cells *c, struct rect at, struct span text, enum style style)
{
	int used = 0;

	while (text.len > 0 && used < at.rows) {
		bool last = used + 1 == at.rows;
		size_t end = last ? text.len : cells_fitting(c, text, at.cols);

		cells_put(c, (struct rect){ at.row + used, at.col, 1, at.cols },
			span_range(text, 0, end), style);
		text = span_trim(span_from(text, end));
		used++;
	}
	return used;
}
