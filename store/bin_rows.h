/*
 * bin_rows.h - rows of `binned`: whence and when something came into a bin. For the files of the bin.
 *
 * They are by the folder_id of the bin and the uid from which on they hold, so what they say of a
 * message is found in one step, and one row serves all that one act removed.
 */
#ifndef STORE_BIN_ROWS_H
#define STORE_BIN_ROWS_H

#include "store/bin.h"
#include "store/keywords.h"

/* A row of `binned`. */
struct origin {
	uint64_t bin_id;
	uint32_t first_uid;
	uint64_t user_id;
	uint64_t folder_id;  /* 0: not known */
	uint64_t removed_ms; /* 0: by an older server, the copies tell all of it */
	struct span folder_name;
	struct folder_keywords keywords;
};

MUST_CHECK enum err origin_put(struct txn *txn, const struct origin *o);
/* ERR_CORRUPT: o->bin_id is that of the key, so that a walk can go on behind it. */
MUST_CHECK enum err origin_take(struct snapshot *snap, const struct row *row, struct origin *o);
/* What holds for UID of a bin: the last row at or before it. ERR_NOT_FOUND. */
MUST_CHECK enum err origin_of(
	struct snapshot *snap, uint64_t bin_id, uint32_t uid, struct origin *o);

#endif
