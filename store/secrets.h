/*
 * secrets.h - sealed values by name (H65): what must be recovered and is of no use without a key
 * that is not in the store.
 *
 * Three kinds of names share the table. Those of the configuration, `{sealed: NAME}`, and those of accounts
 * on other servers, "forward/17", are recorded, so that an undo brings the old sealed value back. Those of users,
 * "user/17/apop", are not: what was erased leaves no image in the log of changes (H64). Sealing itself is the
 * server's business.
 *
 * Errors: ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO, for writes ERR_FULL. Spans live as users.h says.
 */
#ifndef STORE_SECRETS_H
#define STORE_SECRETS_H

#include "proto/base/span.h"

struct snapshot;
struct txn;

#define SECRET_NAME_MAX 64	 /* bytes */
#define SECRET_SEALED_MAX 1024	 /* bytes of a sealed value */
#define USER_SECRET_NAME_SIZE 48 /* bytes, with its 0 */
#define FORWARD_SECRET_PREFIX "forward/" /* and a user_id: the account of his store and forward */

struct sealed_secret {
	struct span name, sealed;
	int64_t changed_ms;
};

/* A name of the configuration: 1 to 64 of letters, digits, . _ - */
bool secret_name_is_valid(struct span name);
/* "user/17/apop", 0-terminated; KIND is static text of at most 16 bytes. */
struct span user_secret_name(uint64_t user_id, const char *kind, char out[USER_SECRET_NAME_SIZE]);
/* "forward/17", 0-terminated. */
struct span forward_secret_name(uint64_t user_id, char out[USER_SECRET_NAME_SIZE]);

MUST_CHECK enum err secret_find(
	struct snapshot *snap, struct span name, struct sealed_secret *out);
/* In order of the names: the first of the configuration behind NAME; empty is the front. */
MUST_CHECK enum err secret_after(
	struct snapshot *snap, struct span name, struct sealed_secret *out);

/* ERR_LIMIT: too long. SEALED must not point into the map. */
MUST_CHECK enum err secret_put(
	struct txn *txn, struct span name, struct span sealed, int64_t now_ms);
MUST_CHECK enum err secret_remove(struct txn *txn, struct span name);
/* All that a user has; OK where that is nothing. */
MUST_CHECK enum err user_secrets_remove(struct txn *txn, uint64_t user_id);
/* All that all users have: one slice; *more: call again. */
MUST_CHECK enum err user_secrets_erase(struct txn *txn, bool *more);

#endif
