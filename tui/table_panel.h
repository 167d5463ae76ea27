/*
 * table_panel.h - what others may ask a table: which rows an act is for.
 */
#ifndef TUI_TABLE_PANEL_H
#define TUI_TABLE_PANEL_H

#include "tui/console.h"

/* Marked rows, all that the filter leaves, or the row under the cursor. */
struct selection {
	const struct json *row; /* under the cursor; NULL: none */
	struct span key;        /* of it */
	uint64_t count;         /* of what an act is for; 0: nothing */
	bool all;               /* all that the filter leaves */
	struct span filter;
};

/* False: the screen is no table. */
bool table_selection(struct screen *screen, struct selection *out);
/* The keys of a selection that is not `all`, as a JSON array. */
void table_put_keys(struct screen *screen, struct json_writer *w);
/* The cells of a row as a line with tabs between; no line end. */
void table_put_row(struct screen *screen, const struct json *cells, struct buf *out);
/* The params of the method for these rows in this order, up to before its last brace: {"filter":F, */
bool table_put_call(struct screen *screen, struct buf *out);
/* An act has changed rows: no marks, and the list as it is now. */
void table_renew(struct screen *screen);
/* As table_renew(), and the cursor goes to the row of that key. */
void table_go(struct screen *screen, struct span key);
/* Another filter; what it is now. */
void table_filter(struct screen *screen, struct span filter);
struct span table_filter_now(struct screen *screen);
/* Sort by this column, or its own order where it is empty. */
void table_sort(struct screen *screen, struct span field);

#endif
