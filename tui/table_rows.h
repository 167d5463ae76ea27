/*
 * table_rows.h - the rows of a list behind a cursor of the server: as many as the view needs.
 *
 * A cursor of the server is a list that stands still, so a rank means the same row as long as it
 * lives. Three pages around the view are held. A fresh look at the list is taken by the cursor itself,
 * where its pages show rows as they are now, or else by a second one: it updates the rows that are held by their keys and does not move them; rows that left stay, as
 * gone, until the list is opened again.
 */
#ifndef TUI_TABLE_ROWS_H
#define TUI_TABLE_ROWS_H

#include "tui/console.h"

#define TABLE_PAGE 100       /* rows asked for at once */
#define TABLE_PAGES 3        /* pages held */
#define TABLE_FRESH_MS 1000  /* at least between two looks; five times as long as one takes */
#define TABLE_CURSOR_SIZE 32

struct table_row {
	struct span key;
	const struct json *cells;
	bool gone;
};

struct table_page {
	struct arena arena;
	uint64_t first;
	size_t count;
	struct table_row *rows;
};

struct table_rows {
	struct screen *screen;
	void (*changed)(struct screen *screen); /* rows came */
	char cursor[TABLE_CURSOR_SIZE], fresh[TABLE_CURSOR_SIZE]; /* empty: none */
	uint64_t total;
	uint64_t came; /* rows that are new since it was opened */
	bool known;    /* total is */
	struct table_page pages[TABLE_PAGES];
	size_t page_count;
	/* under way */
	bool opening, paging, looking;
	int64_t looked_ms, asked_ms, took_ms;
	uint64_t turned, asked_turned; /* pages that came so far, and when a look was asked for */
	int64_t opened_ms, open_ms; /* when it was opened, and how long that took */
	bool is_fresh;		    /* pages of the cursor show rows as they are now */
	/* what is asked for when it is opened */
	struct buf filter, sort, anchor;
	uint64_t anchor_rank; /* of the row with the key `anchor`, once it is there */
	bool anchored;        /* anchor_rank was found */
};

void table_rows_init(struct table_rows *r, struct screen *screen);
void table_rows_fini(struct table_rows *r);
/* Open the list anew, with the row of key ANCHOR among the first that come. */
void table_rows_open(struct table_rows *r, struct span anchor);
/* The row of that rank, or NULL where it is not held. */
const struct table_row *table_rows_at(const struct table_rows *r, uint64_t rank);
/* Ask for what is missing of these ranks. */
void table_rows_want(struct table_rows *r, uint64_t first, uint64_t last);
/* Look whether the rows that are held changed; not more often than is good for the server. */
void table_rows_look(struct table_rows *r);
/* Has enough time passed for one that nobody asked for to be opened anew? */
bool table_rows_may_open(const struct table_rows *r);
/* The connection broke: nothing is under way, and the server's cursors are gone. */
void table_rows_lost(struct table_rows *r);

/* {"method":M,"params":{...},"filter":F} as list.open, list.count and preview want it. */
void table_rows_put_list(struct table_rows *r, struct span filter, struct json_writer *w);

#endif
