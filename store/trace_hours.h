/*
 * trace_hours.h - what traces.c, refusals.c and check_directory.c share: keys, and the account of
 * an hour.
 */
#ifndef STORE_TRACE_HOURS_H
#define STORE_TRACE_HOURS_H

#include "store/table.h"
#include "store/traces.h"

struct trace_hour {
	uint32_t hour;                /* since 1970 */
	uint64_t first_no, last_no;   /* message numbers that arrived in it; both 0: none */
	uint64_t rows, bytes;         /* of traces, trace_find and refusals */
	uint64_t refusals;            /* rows of that table */
};

#define TRACE_ROW_COST 32 /* bytes that a row takes beside its value: key, header of the node */

uint32_t trace_hour_of(int64_t ms); /* clipped to what a key holds */

enum trace_role { TRACE_FROM = 'f', TRACE_TO = 't', TRACE_ID = 'i', TRACE_REFUSAL = 'r' };
/* Of ROLE and TEXT in lower case, so that a sender is not found as a recipient. */
uint64_t trace_hash(enum trace_role role, struct span text);

void trace_find_key(struct key *key, uint32_t hour, uint64_t hash, uint64_t message_no);

/* ERR_NOT_FOUND: nothing arrived in that hour; OUT is then empty, with its hour. */
MUST_CHECK enum err trace_hour_get(
	struct snapshot *snap, uint32_t hour, struct trace_hour *out);
/*
 * The last hour at or before HOUR; the first one there is. ERR_NOT_FOUND. ERR_CORRUPT: out->hour is
 * set all the same.
 */
MUST_CHECK enum err trace_hour_prev(
	struct snapshot *snap, uint32_t hour, struct trace_hour *out);
MUST_CHECK enum err trace_hour_first(struct snapshot *snap, struct trace_hour *out);
MUST_CHECK enum err trace_hour_put(struct txn *txn, const struct trace_hour *hour);
/*
 * Add ROWS and BYTES to an hour and to the counters; MESSAGE_NO (or 0) belongs to it from now on.
 */
struct trace_cost {
	uint64_t rows, bytes, refusals;
};
MUST_CHECK enum err trace_hour_add(
	struct txn *txn, uint32_t hour, uint64_t message_no, struct trace_cost cost);
/*
 * Write the account of a damaged hour anew: the numbers between those of its neighbours, no rows
 * and bytes. ERR_FULL, ERR_IO.
 */
MUST_CHECK enum err trace_hour_mend(struct txn *txn, uint32_t hour, struct trace_hour *out);
/* Remove the row of an hour, and what it holds from the counters. */
MUST_CHECK enum err trace_hour_remove(struct txn *txn, const struct trace_hour *hour);

#endif
