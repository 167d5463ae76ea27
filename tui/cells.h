/*
 * cells.h - the screen as a grid of characters; a terminal paints it, a test reads it as text.
 *
 * Nothing from outside reaches a terminal but through cells_put(): what is not printable becomes a
 * visible escape, and a cell holds one character with at most UTF8_MARKS_MAX marks (H70). Writing
 * outside the grid is clipped, not an error.
 */
#ifndef TUI_CELLS_H
#define TUI_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/span.h"
#include "proto/base/utf8.h"

#define CELL_BYTES (4 * (1 + UTF8_MARKS_MAX))
#define CELLS_ROWS_MAX 500
#define CELLS_COLS_MAX 1000

/* What a cell means; theme.c says how that looks. Each has its letter on the screen as well. */
enum style {
	STYLE_PLAIN,
	STYLE_TITLE,
	STYLE_BAR,    /* status line and key bar */
	STYLE_HERE,   /* the tab one is on */
	STYLE_HEAD,   /* heads of columns */
	STYLE_CURSOR, /* the row or field with the focus */
	STYLE_MARKED,
	STYLE_ERROR,
	STYLE_WARNING,
	STYLE_OK,
	STYLE_DIM,
	STYLE_KEY,
	STYLE_CHANGED,
	STYLE_MATCH,
	STYLE_FIELD,
	STYLE_COUNT,
};

struct cell {
	char text[CELL_BYTES]; /* not 0-terminated */
	uint8_t len;           /* 0: the right half of a wide character */
	uint8_t style;
};

struct cells {
	struct cell *grid; /* rows * cols */
	int rows, cols;
	int cursor_row, cursor_col;
	bool utf8; /* the terminal knows more than ASCII */
};

/* A part of the grid; a put uses row, col and cols. */
struct rect {
	int row, col, rows, cols;
};

void cells_init(struct cells *c, bool utf8);
void cells_resize(struct cells *c, int rows, int cols); /* all blank after it */
void cells_fini(struct cells *c);

/*
 * TEXT from AT on, cut at AT.cols columns with a '~'; the columns used. A line feed ends it.
 */
int cells_put(struct cells *c, struct rect at, struct span text, enum style style);
/* The same, and blanks up to AT.cols; RIGHT puts the blanks first. */
void cells_put_field(
	struct cells *c, struct rect at, struct span text, enum style style, bool right);
/* Columns that cells_put() would use. */
int cells_width(const struct cells *c, struct span text);
/* Bytes of LINE that fit into COLS columns, up to a blank where there is one. */
size_t cells_fitting(const struct cells *c, struct span line, int cols);
/* TEXT in up to AT.rows rows, cut only in the last; the rows used. */
int cells_put_wrapped(struct cells *c, struct rect at, struct span text, enum style style);
/* Blank all of AT. */
void cells_fill(struct cells *c, struct rect at, enum style style);
/* The style of what stands there. */
void cells_paint(struct cells *c, struct rect at, enum style style);
/* AT.cols of a horizontal, AT.rows of a vertical line; a box around AT. */
void cells_line(struct cells *c, struct rect at, enum style style);
void cells_upright(struct cells *c, struct rect at, enum style style);
void cells_box(struct cells *c, struct rect at, enum style style);

/* The characters row by row, blanks at the ends of rows left out. */
void cells_text(const struct cells *c, struct buf *out);

#endif
