/*
 * print.h - text for a terminal or a pipe, in which nothing from outside can move a cursor (H70).
 */
#ifndef TUI_PRINT_H
#define TUI_PRINT_H

#include "proto/base/buf.h"
#include "proto/base/json.h"
#include "proto/control/control_schema.h"

#define PRINT_MAX ((size_t)64 << 20) /* bytes of one answer as text */

struct print_style {
	bool utc;        /* times in UTC, else local time with its offset */
	bool ascii;      /* the locale knows ASCII only */
	bool no_titles;  /* a table goes on: its titles are there already */
	bool brief;      /* lines of the log begin with the clock, not with the date */
	unsigned width;  /* columns of the terminal; 0: no terminal, nothing is cut */
	int64_t now_s;   /* what ages are reckoned from */
};

/* From the locale, the terminal and the clock. */
struct print_style print_style_now(bool utc);

/* Write all of TEXT, whatever EINTR and short writes do. */
MUST_CHECK enum err print_to_fd(int fd, struct span text);
/* Copy FROM to TO line by line, each cleaned. */
MUST_CHECK enum err print_cleaned(int from, int to);

/* TEXT of our own as it is; a full OUT has its `overflow` set, which is looked at at the end. */
void print_put(struct buf *out, struct span text);
/* TEXT as it may be shown: see utf8_put_printable(); in an ASCII locale all else is escaped too. */
void print_clean(struct buf *out, struct span text, const struct print_style *style);
/* Columns that cleaned TEXT takes on a terminal. */
size_t print_width(struct span text);
/* TEXT in exactly WIDTH columns: filled with blanks, or cut before WIDTH with '~' at the end. */
void print_cell(struct buf *out, struct span text, size_t width, bool right);

/* "12k", "24M", "1.2G"; "6h 1m", "2d 4h", "15m", "12s"; for people, at most 7 columns. */
void print_size(struct buf *out, uint64_t bytes);
void print_duration(struct buf *out, uint64_t seconds);
/* All of it in one unit, as the file and KEY=VALUE take it: "90s", "15m", "0". */
void print_interval(struct buf *out, uint64_t seconds);
/* RFC 3339 text as local time with offset, or UTC; anything else is cleaned. */
void print_time(struct buf *out, struct span text, const struct print_style *style);

/* "12:30:01" */
void print_clock(struct buf *out, struct span text, const struct print_style *style);
/* The same for a cell of a table on a terminal: the clock of today, the day of others. */
void print_time_short(struct buf *out, const struct json *value, const struct print_style *style);
/* The same in at most 12 columns, for the console, whose status line has the clock: "12:30:01",
 * "Nov 21 12:30", "2025-11-21". */
void print_moment(struct buf *out, struct span text, const struct print_style *style);
/* "Mon Nov 23 09:00" */
void print_weekday(struct buf *out, struct span text, const struct print_style *style);

/* A value for people, as its type wants it: lists with a comma between, null as "-". */
void print_value(struct buf *out, const struct json *value, enum control_type type,
	const struct print_style *style);
/* How a value of that name is meant whose column nothing describes: a size, a time or a text. */
enum control_type print_type_of(struct span name, const struct json *value);
/* Member NAME of OBJECT so, as a text. */
void print_member(struct buf *out, const struct json *object, struct span name,
	const struct print_style *style);
/* A value as JSON on one line; in strings \u stands for whatever may not be shown. */
void print_json(struct buf *out, const struct json *value);

#endif
