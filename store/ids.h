/*
 * ids.h - numbers that are given once and never again, whatever a crash or the clock does (H27,
 * H54).
 *
 * A counter rises inside a transaction and is written with its commit: what was not committed was
 * never seen by anybody. A job that fails may leave a gap.
 */
#ifndef STORE_IDS_H
#define STORE_IDS_H

#include <stdint.h>

#include "proto/base/err.h"
#include "store/schema.h"

struct snapshot;
struct store;
struct txn;

/* The next number of a counter; the first is 1. */
uint64_t id_next(struct txn *txn, enum store_counter counter);
/* The highest number that was given out until SNAP. ERR_IO, ERR_CORRUPT. */
MUST_CHECK enum err id_last(struct snapshot *snap, enum store_counter counter, uint64_t *out);

/*
 * After a restore: let every counter and the message numbers rise by ID_JUMP, so that what was
 * given out after the backup was made is not given again (H27).
 */
#define ID_JUMP (UINT64_C(1) << 28)
void id_jump(struct txn *txn);

/*
 * A UIDVALIDITY (RFC 9051, 2.3.1.1): the time in seconds, or one more than the last where that is
 * more.
 */
uint32_t id_next_uidvalidity(struct txn *txn);

/*
 * A number for a message in logs, Received lines, traces and the queue; from any thread, before any
 * commit. Numbers are reserved on disk in blocks of MESSAGE_NO_BLOCK; what a crash leaves of a
 * block is skipped. ERR_BUSY: the block is used up and the writer could not yet reserve another.
 */
#define MESSAGE_NO_BLOCK (UINT64_C(1) << 20)
#define MESSAGE_NO_FIRST (UINT64_C(1) << 25) /* so that each has six letters, and none is "1" */
MUST_CHECK enum err message_no_next(struct store *store, uint64_t *out);

#endif
