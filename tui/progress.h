/*
 * progress.h - how far a collection is: meter, count, bytes, rate, what is left.
 */
#ifndef TUI_PROGRESS_H
#define TUI_PROGRESS_H

#include "proto/base/json.h"
#include "tui/print.h"

/* "[||||    ]", COLS wide; WHOLE 0: empty. */
void print_meter(struct buf *out, uint64_t part, uint64_t whole, unsigned cols);

/* Of a row of collect.list; false too of one that listens: it waits for mail, and there is nothing to measure. */
bool progress_is_under_way(const struct json *row);
/* BRIEF: "[|||   ]  43%" while it fetches, else how many came last. */
void progress_put_brief(const struct json *row, const struct print_style *style, struct buf *out);
/* "[|||||     ] 43%  860 of 2,000 messages, 17M of 40M, 12/s, 1m 35s left" */
void progress_put(const struct json *row, const struct print_style *style, struct buf *out);
/* "12 fetched, 340 left there, 2 removed there, 1 failed" */
void progress_put_counts(const struct json *row, const struct print_style *style, struct buf *out);

#endif
