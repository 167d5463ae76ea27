/*
 * control_rows.h - the rows of a list: gathered, filtered, sorted, cut, put as JSON.
 *
 * A handler of kind ROWS calls control_row() and then one control_put_* for each column of its row
 * in control_methods.h, in that order. What the filter leaves out costs its memory no longer than
 * until the next row. What is kept has a limit for all calls together; of a long list it is only what
 * control_rows_keep() says.
 */
#ifndef SERVER_CONTROL_CONTROL_ROWS_H
#define SERVER_CONTROL_CONTROL_ROWS_H

#include "proto/base/arena.h"
#include "proto/base/json.h"
#include "proto/control/control_filter.h"
#include "proto/control/rpc_request.h"
#include "server/control/control_ids.h"

#define CONTROL_ROWS_LIMIT 1000		       /* rows of a reply where no --limit is given */
#define CONTROL_SAMPLE 10	       /* rows of a preview that are shown */
#define CONTROL_REPLY_BYTES (900 * 1024)       /* rows that would go beyond it come with `next` */
#define CONTROL_ROWS_AT_ONCE (2 * 1024 * 1024) /* bytes of rows that a loop frees; more is left to a worker */

struct workers;

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

/* Of the rows that pass the filter; all of them are counted. */
enum control_keep {
	CONTROL_KEEP_PAGE,    /* what a reply of this request shows; all, where it is sorted */
	CONTROL_KEEP_ALL,     /* for a cursor */
	CONTROL_KEEP_IDS,     /* their numbers, for a cursor of a list of rows that can be read again */
	CONTROL_KEEP_TARGETS, /* all keys, the rows of a sample, and what they come to in bytes */
	CONTROL_KEEP_NONE,    /* they are counted */
};

struct control_rows {
	struct arena *arena;
	struct arena kept; /* the rows */
	const char *schema; /* the method's columns */
	struct control_schema columns;
	struct control_filter *filter; /* NULL: all rows pass */
	size_t sort_column;	       /* columns.count: as gathered */
	bool sort_down;
	uint64_t limit;
	struct span after;
	struct control_row *rows;
	size_t count, size; /* that are kept */
	uint64_t total;	    /* that pass the filter */
	uint64_t looked;    /* at, whether they pass or not */
	uint64_t expected;  /* about as many there are to look at; 0: not known */
	bool approx;	    /* `total` is an estimate */
	size_t keep_max;
	size_t reply_least; /* bytes of those that are kept, in a reply, at least */
	size_t reply_max;   /* then no more are kept; SIZE_MAX: all are wanted */
	size_t whole_max; /* rows that are kept with their cells, the others are a key */
	uint64_t bytes;	  /* of the column `size`, where they are only keys */
	bool skips;		 /* until the row `after` */
	bool unseen;		 /* rows are counted or numbered: nobody is shown one from here */
	uint64_t used;		 /* bits: columns that anybody looks at; the others stay empty */
	struct control_ids *ids; /* in place of `rows`, in the arena; NULL: none */
	bool (*id_of)(struct span key, uint64_t *id);
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
/* Rows that are read again, one by one: all are looked at and none is kept. False: a bad filter. */
bool control_rows_init_view(struct control_rows *rows, struct arena *a, const char *schema,
	struct span filter, int64_t now_s);
void control_rows_fini(struct control_rows *rows); /* gives back its share of the memory limit */
/* The same on a loop: where it is much, a worker frees it. */
void control_rows_drop(struct control_rows *rows, struct workers *workers);

/* Keep that much. ID_OF reads a key, for CONTROL_KEEP_IDS. Before the first row. */
void control_rows_keep(struct control_rows *rows, enum control_keep keep,
	bool (*id_of)(struct span key, uint64_t *id));
/* Does anybody look at this column? If not, what is put into it is left out. */
bool control_rows_want(const struct control_rows *rows, const char *column);
/* From here nobody does: it is text or a list, and stays empty. */
void control_rows_hide(struct control_rows *rows, const char *column);

/* FROM's rows become those of *to, which lives in A; FROM has none then. At once, however many. */
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

/* Does the row that is open pass the filter? */
bool control_rows_passes(const struct control_rows *rows);
/* After the last row: apply the filter to it, then sort. */
void control_rows_end(struct control_rows *rows);
/* ---- between control_rows.c and control_rows_keep.c ---- */

/* Bytes of ROW in a reply, at least. */
size_t control_row_least(const struct control_rows *rows, const struct control_row *row);

/* After the end: not all were looked at; `total` becomes what those let expect. */
void control_rows_estimate(struct control_rows *rows);

/* Put at most N rows from FROM into an open array; *next is the key to go on after, or empty. */
void control_rows_put(const struct control_rows *rows, size_t from, size_t n, struct json_writer *w,
	struct span *next);
bool control_type_is_number(enum control_type type);
size_t control_rows_find(const struct control_rows *rows, struct span key); /* count: none */
/* FOUND[i]: where KEYS[i] is, or rows->count; COUNT is CONTROL_KEYS_MAX at most. One pass. */
void control_rows_find_all(
	const struct control_rows *rows, const struct span *keys, size_t count, size_t *found);
void control_row_put(
	const struct control_rows *rows, const struct control_row *row, struct json_writer *w);

#endif
