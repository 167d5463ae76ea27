/*
 * renew.h - new numbers for a store that went back in time: one restored, or one whose last commit
 * was given up (H27, H48).
 */
#ifndef STORE_RENEW_H
#define STORE_RENEW_H

#include "store/store.h"

/*
 * Open the store of OPTIONS for itself alone: every counter jumps, every folder gets a new
 * UIDVALIDITY, and with HOLD_QUEUE each entry of the queue is held from NOW_MS on. Damaged rows are
 * left to check. ERR_* of store_open(), ERR_FULL, ERR_IO.
 */
MUST_CHECK enum err store_renew(
	const struct store_options *options, bool hold_queue, int64_t now_ms);

#endif
