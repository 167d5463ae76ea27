/*
 * password.h - hashing passwords and checking them (H63); the one file that knows how.
 *
 * Argon2id at 19 MiB and two passes costs about 30 ms, so both run on a worker, never on a loop.
 */
#ifndef SERVER_SESSION_PASSWORD_H
#define SERVER_SESSION_PASSWORD_H

#include "proto/base/span.h"

#define PASSWORD_MAX        256 /* bytes (contract 7) */
#define PASSWORD_HASH_SIZE  128 /* bytes of a stored hash, with its 0 */

/* What one hash costs: auth.hash_memory in bytes, auth.hash_passes. */
struct password_cost {
	size_t memory;
	unsigned passes;
};

/*
 * The stored form of PASSWORD, 0-terminated text. ERR_LIMIT: longer than PASSWORD_MAX, or empty;
 * ERR_IO: no memory or no random bytes for it now.
 */
MUST_CHECK enum err password_hash(
	struct span password, const struct password_cost *cost, char out[PASSWORD_HASH_SIZE]);

/*
 * Does PASSWORD belong to HASH? OK or ERR_DENIED; ERR_CORRUPT where HASH is in no form known.
 * An empty HASH means "nobody logs in with this": the work of COST is done all the same, and the
 * answer is ERR_DENIED (H58).
 */
MUST_CHECK enum err password_check(
	struct span hash, struct span password, const struct password_cost *cost);

/* Could TEXT be such a hash, made elsewhere at a cost that is no attack on our memory? */
bool password_is_hash(struct span text);

/* Made at less than COST: to be hashed anew at the next good login (H63). */
bool password_is_weak(struct span hash, const struct password_cost *cost);

#endif
