/*
 * guard.h - message security: is it on, and the hash of its password (SEC-09).
 *
 * It is no secret of the configuration and not recorded: no undo switches it off, or brings an older password back.
 */
#ifndef STORE_GUARD_H
#define STORE_GUARD_H

#include "store/table.h"

#define GUARD_HASH_MAX 200 /* bytes */

struct guard {
	struct span hash; /* as password_hash() writes it */
	int64_t since_ms;
	struct span who;  /* switched it on */
};

/* ERR_NOT_FOUND: it is off. ERR_CORRUPT, ERR_IO: not known, which counts as on. */
MUST_CHECK enum err guard_get(struct snapshot *snap, struct guard *out);
MUST_CHECK enum err guard_put(struct txn *txn, const struct guard *guard);
MUST_CHECK enum err guard_remove(struct txn *txn);

#endif
