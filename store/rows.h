/*
 * rows.h - rows of the directory: they are counted, and recorded while a change is open.
 *
 * Every table whose rows can be undone or are counted is written through here and nowhere else:
 * users, groups, names, mappings, mapping_find, maillists, list_members, queued, due. Undo writes
 * through here as well, so the counters follow it, and the rows of indexes.h.
 */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include "store/counts.h"
#include "store/fields.h"
#include "store/table.h"

#define ROW_VERSION 1 /* of the records that fields describe */

/* A record of fields. ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO. Spans point into the map. */
MUST_CHECK enum err row_get_fields(struct snapshot *snap, enum store_table table,
	const struct key *key, const struct field_table *fields, void *object);
/* The same from a row of a walk. */
MUST_CHECK enum err row_fields(struct snapshot *snap, enum store_table table,
	const struct row *row, const struct field_table *fields, void *object);
/* The same in silence: false for one that is damaged, which check says elsewhere. */
bool row_decode(enum store_table table, const struct row *row, const struct field_table *fields,
	void *object);
MUST_CHECK enum err row_put_fields(struct txn *txn, enum store_table table,
	const struct key *key, const struct field_table *fields, const void *object);

MUST_CHECK enum err row_put_record(
	struct txn *txn, enum store_table table, const struct key *key, struct record_out *out);
/* VALUE may be anything, also empty. It must not point into the map. */
MUST_CHECK enum err row_put(
	struct txn *txn, enum store_table table, const struct key *key, struct span value);
MUST_CHECK enum err row_delete(struct txn *txn, enum store_table table, const struct key *key);
/*
 * Delete rows whose key begins with PREFIX, MOST at once, for good: neither counted nor recorded. *more:
 * some are left.
 */
MUST_CHECK enum err rows_purge(struct txn *txn, enum store_table table, const struct key *prefix,
	unsigned most, bool *more);

/* What a row counts for; for check.c. Nothing in most tables. A damaged one counts for nothing. */
void row_tally(enum store_table table, struct span key, struct span value, struct counts *out);

#endif
