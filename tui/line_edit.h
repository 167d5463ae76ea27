/*
 * line_edit.h - a line of text that is typed: prompts and the fields of forms; or several lines (edit_panel.c).
 */
#ifndef TUI_LINE_EDIT_H
#define TUI_LINE_EDIT_H

#include "tui/cells.h"
#include "tui/keys.h"

#define LINE_EDIT_MAX 4096 /* bytes */

struct line_edit {
	struct buf text; /* wiped: it may be a password (H66) */
	size_t at;       /* the cursor, a byte */
	bool secret;     /* shown as stars */
	bool number;     /* takes digits only */
	bool lines;      /* takes line feeds; else one separates as ';' does */
	size_t max;      /* bytes */
};

void line_edit_init(struct line_edit *e);
/* One that holds several lines, MAX bytes of them. */
void line_edit_init_lines(struct line_edit *e, size_t max);
void line_edit_fini(struct line_edit *e);
void line_edit_set(struct line_edit *e, struct span text);
static inline struct span
line_edit_text(const struct line_edit *e)
{
	return buf_span(&e->text);
}
/* The begin and the end of the line with the byte AT: of the whole text where it takes no lines. */
size_t line_edit_begin(const struct line_edit *e, size_t at);
size_t line_edit_end(const struct line_edit *e, size_t at);
/* False: the key is none of editing. */
bool line_edit_press(struct line_edit *e, const struct press *press);
/* Draw into AT.cols; the column of the cursor. */
int line_edit_draw(const struct line_edit *e, struct cells *c, struct rect at, enum style style);

#endif
