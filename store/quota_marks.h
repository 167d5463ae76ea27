/*
 * quota_marks.h - which thresholds of his quota a mailbox has passed, so that each is told of once (QUO-03).
 *
 * A bit for each threshold, 1 the first. They are written after the warning is on disk: a crash between the two
 * doubles one warning and loses none.
 */
#ifndef STORE_QUOTA_MARKS_H
#define STORE_QUOTA_MARKS_H

#include <stdint.h>

#include "proto/base/err.h"

struct snapshot;
struct txn;

/* 0 without a row. ERR_CORRUPT (*bits is 0), ERR_IO. */
MUST_CHECK enum err quota_marks_get(struct snapshot *snap, uint64_t user_id, uint8_t *bits);
/* 0 removes the row. ERR_FULL, ERR_IO. */
MUST_CHECK enum err quota_marks_put(struct txn *txn, uint64_t user_id, uint8_t bits);

#endif
