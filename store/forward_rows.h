/*
 * forward_rows.h - what forwards.c, forward_acts.c and forward_marks.c share.
 */
#ifndef STORE_FORWARD_ROWS_H
#define STORE_FORWARD_ROWS_H

#include "store/forwards.h"
#include "store/rows.h"

/* The oldest copy of a pair by its key alone: where it is is not filled in. RECIPIENT_NO 0: of any. */
MUST_CHECK enum err forward_row_first(struct snapshot *snap, uint64_t queue_id,
	uint32_t recipient_no, struct forward *out);
/* The user has store and forward no more: the pair ends, with all its copies. */
MUST_CHECK enum err forward_end(struct txn *txn, const struct forward *f);
/* The server is looked up when it is tried; the address stands in the queue. */
struct queued_redirect;
MUST_CHECK enum err forward_turn(
	struct txn *txn, const struct forward *f, const struct queued_redirect *to);

struct forward_mark {
	uint64_t user_id;
	uint64_t end_to, turn_at, turn_to; /* copy_ids; 0: nothing to do */
};
bool forward_mark_take(struct record_in *in, struct forward_mark *out);
bool forward_mark_decode(struct snapshot *snap, const struct row *row, struct forward_mark *out);

/* Both rows of a copy go. */
MUST_CHECK enum err forward_row_drop(struct txn *txn, const struct forward *f);

#endif
