/*
 * forward_rows.h - what forwards.c and forward_acts.c share.
 */
#ifndef STORE_FORWARD_ROWS_H
#define STORE_FORWARD_ROWS_H

#include "store/forwards.h"
#include "store/rows.h"

/* The oldest copy of a pair by its key alone: where it is is not filled in. RECIPIENT_NO 0: of any. */
MUST_CHECK enum err forward_row_first(struct snapshot *snap, uint64_t queue_id,
	uint32_t recipient_no, struct forward *out);
/* Both rows of a copy go. */
MUST_CHECK enum err forward_row_drop(struct txn *txn, const struct forward *f);

#endif
