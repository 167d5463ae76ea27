/*
 * counts.h - figures of the directory, kept beside the rows that they count, read in O(1).
 *
 * Each is a sum over rows: rows.c adds what a row counts for when it comes and takes it off when it
 * goes, so no path that writes rows can forget them, undo included. They are one record.
 */
#ifndef STORE_COUNTS_H
#define STORE_COUNTS_H

#include <stdint.h>

#include "proto/base/err.h"

struct snapshot;
struct txn;

/* The place of a name in the list is its place in the record: add at the end. */
#define STORE_COUNTS(X)                                                                            \
	X(users_live) X(users_bin) X(groups) X(mappings) X(mapping_wildcards)                      \
	X(queue_entries) X(queue_bytes) X(queue_held) X(queue_bin) X(queue_recipients)             \
	X(trace_rows) X(trace_bytes) X(changes) X(change_bytes) X(maillists) X(list_members)         \
	X(seats_internal) X(seats_external) X(prune_rules)

enum store_count {
#define X(name) COUNT_##name,
	STORE_COUNTS(X)
#undef X
	COUNT_COUNT
};

struct counts {
	uint64_t at[COUNT_COUNT];
};

/* All zero in a new store. ERR_CORRUPT, ERR_IO. */
MUST_CHECK enum err counts_get(struct snapshot *snap, struct counts *out);
MUST_CHECK enum err counts_put(struct txn *txn, const struct counts *counts);
/*
 * Add ADD and take off REMOVE, by wrapping arithmetic; writes nothing where the two are equal, or
 * where the record is damaged: what counts goes on, the figures wait for repair.
 */
MUST_CHECK enum err counts_change(
	struct txn *txn, const struct counts *add, const struct counts *remove);
const char *count_name(enum store_count count);

#endif
