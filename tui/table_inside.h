/*
 * table_inside.h - the state of a table, shared by table_panel.c and table_draw.c.
 */
#ifndef TUI_TABLE_INSIDE_H
#define TUI_TABLE_INSIDE_H

#include "tui/keyset.h"
#include "tui/table_panel.h"
#include "tui/table_rows.h"

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
};

void table_mark_here(struct table *t);
void table_mark_range(struct table *t); /* twice: from where, to where */
void table_unmark(struct table *t);
void table_filter_complete(struct screen *screen, struct prompt *prompt);
void table_draw(struct screen *screen, struct rect at);
void table_title(struct screen *screen, struct buf *out);

#endif
