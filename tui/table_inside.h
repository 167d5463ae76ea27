/*
 * table_inside.h - the state of a table, shared by table_panel.c and table_draw.c.
 */
#ifndef TUI_TABLE_INSIDE_H
#define TUI_TABLE_INSIDE_H

#include "tui/keyset.h"
#include "tui/table_panel.h"
#include "tui/table_rows.h"

#define ABOVE_ROWS_LEAST 6 /* of the panel: below there is no room for that line */

struct table_above {
	struct screen *screen;
	struct arena arena; /* of the answer */
	const struct json *answer; /* NULL: not known */
	bool asked;
};

struct table {
	struct screen *screen;
	struct table_rows rows;
	uint64_t top, at; /* ranks: of the first row in view, of the cursor */
	struct buf key;   /* of the row under the cursor */
	int shown;        /* rows in view when it was drawn last */
	int left;         /* columns scrolled away */
	struct keyset marks;
	bool mark_all, ranging, hold, moved, no_detail, stale, lost_key;
	uint64_t range_from;
	struct buf search, bookmark; /* bookmark: the key of a row; empty: none */
	bool searching;
	int search_step;
	uint64_t search_at, search_left; /* rows that are still to be looked at */
	char epoch[32]; /* of the server that the rows came from */
	int64_t lost;
	struct table_above above;
};

void table_above_ask(struct table *t);
void table_above_close(struct table *t);
/* False: there is none, or no room for it. */
bool table_above_draw(struct table *t, struct rect at);

void table_mark_here(struct table *t);
void table_mark_range(struct table *t); /* twice: from where, to where */
void table_unmark(struct table *t);
void table_filter_complete(struct screen *screen, struct prompt *prompt);
void table_draw(struct screen *screen, struct rect at);
void table_title(struct screen *screen, struct buf *out);

#endif
