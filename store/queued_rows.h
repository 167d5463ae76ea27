/*
 * queued_rows.h - what queued.c and queued_acts.c share: the rows of the queue, one by one.
 */
#ifndef STORE_QUEUED_ROWS_H
#define STORE_QUEUED_ROWS_H

#include "store/queued.h"
#include "store/rows.h"

/* Is it neither held nor in the bin, so that its open recipients have due rows? */
bool queued_is_waiting(const struct queued *q);

struct queued_due queued_due_of(const struct queued_recipient *r);
struct queued_due queued_due_of_bin(const struct queued *q); /* recipient_no is 0 */
void queued_due_key(struct key *key, const struct queued_due *due);
MUST_CHECK enum err queued_due_take(struct span key, struct queued_due *out);

MUST_CHECK enum err queued_entry_put(struct txn *txn, const struct queued *q);
MUST_CHECK enum err queued_recipient_put(struct txn *txn, const struct queued_recipient *r);
MUST_CHECK enum err queued_due_put(struct txn *txn, const struct queued_due *due);
/* OK also where there was none. */
MUST_CHECK enum err queued_due_delete(struct txn *txn, const struct queued_due *due);
/* Put, or delete, the due rows of all open recipients of an entry. */
MUST_CHECK enum err queued_due_all(struct txn *txn, uint64_t queue_id, bool put);

#endif
