/*
 * control_rows.h - the rows of a list: gathered, filtered, sorted, cut, put as JSON.
 *
 * A handler of kind ROWS calls control_row() and then one control_put_* for each column of its row
 * in control_methods.h, in that order. What the filter leaves out costs its memory no longer than
 * until the next row. Everything lives in the arena of the call, with a limit for all calls
 * together.
 */
#ifndef SERVER_CONTROL_CONTROL_ROWS_H
#define SERVER_CONTROL_CONTROL_ROWS_H

#include "proto/base/arena.h"
#include "proto/base/json.h"
#include "proto/control/control_filter.h"
#include "proto/control/rpc_request.h"

#define CONTROL_ROWS_MEMORY (64 * 1024 * 1024) /* bytes of all lists and cursors together */
#define CONTROL_ROWS_LIMIT 1000		       /* rows of a reply where no --limit is given */
#define CONTROL_REPLY_BYTES (900 * 1024)       /* rows that would go beyond it come with `next` */

struct control_value {
	struct span text; /* of a list: the JSON array */
	struct span list; /* of a list: the values with blanks between, for the filter */
	int64_t number;
	bool present;
};

struct control_row {
	struct span key;
	uint64_t revision;
	struct control_value *cells;
};

struct control_rows {
	struct arena *arena;
	const char *schema; /* the method's columns */
	struct control_schema columns;
	struct control_filter *filter; /* NULL: all rows pass */
	size_t sort_column;	       /* columns.count: as gathered */
	bool sort_down;
	uint64_t limit;
	struct span after;
	struct control_row *rows;
	size_t count, size;
	struct control_row pinned; /* above all others; key.ptr NULL: none */
	bool pins;		   /* the open row is that one */
	struct control_row open;   /* being filled, in the scratch arena */
	size_t next_cell;
	bool is_open;
	struct chunk_pool pool;
	struct arena scratch;
	bool full; /* the limit of memory: what follows is left out */
	size_t counted_bytes;
};

/* Read filter, sort, limit, after of REQUEST. False with *error set. */
bool control_rows_init(struct control_rows *rows, struct arena *a,
	const struct rpc_request *request, int64_t now_s, struct rpc_error *error);
void control_rows_fini(struct control_rows *rows); /* gives back its share of the memory limit */

/* FROM's rows become those of *to, copied into A; FROM has none then. */
void control_rows_move(struct control_rows *to, struct control_rows *from, struct arena *a);

/* Begin a row; KEY is copied. Ends the one before. */
void control_row(struct control_rows *rows, struct span key);
/* Begin the one row that stands above the list, whatever its filter and order; no `total` counts it. */
void control_row_pin(struct control_rows *rows, struct span key);
void control_put_text(struct control_rows *rows, struct span text); /* copied; ptr NULL: null */
void control_put_number(struct control_rows *rows, int64_t number); /* flags too */
void control_put_null(struct control_rows *rows);
void control_put_time_ms(struct control_rows *rows, int64_t ms); /* 0: null */
void control_put_time_text(struct control_rows *rows, struct span text, int64_t seconds);
void control_put_list(struct control_rows *rows, const struct span *items, size_t count);

/* After the last row: apply the filter to it, then sort. */
void control_rows_end(struct control_rows *rows);

/* Put at most N rows from FROM into an open array; *next is the key to go on after, or empty. */
void control_rows_put(const struct control_rows *rows, size_t from, size_t n, struct json_writer *w,
	struct span *next);
size_t control_rows_find(const struct control_rows *rows, struct span key); /* count: none */
void control_row_put(
	const struct control_rows *rows, const struct control_row *row, struct json_writer *w);

#endif
