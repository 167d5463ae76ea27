/*
 * app_passwords.h - passwords of one device or program each, made by us, revoked one by one.
 *
 * Only a hash is kept; a removed one comes back by undo, as it was. When one was last used is a row
 * of its own: that changes often and must neither count as an edit nor spoil an undo.
 *
 * Errors and spans as users.h says.
 */
#ifndef STORE_APP_PASSWORDS_H
#define STORE_APP_PASSWORDS_H

#include "store/users.h"

#define APP_PASSWORDS_MAX 20 /* of a user */
#define APP_LABEL_MAX 40     /* characters */
#define APP_HASH_SIZE 32     /* bytes */

struct app_password {
	uint64_t user_id, app_id; /* the key; app_ids are never given again */
	struct span label;	  /* "phone"; no two of a user are the same, letter case aside */
	struct span hash;	  /* SHA-256, see server/session/app_password.h */
	uint32_t protocols;	  /* bits as user.protocols */
	int64_t created_ms;
};
extern const struct field_table app_password_table;

struct app_use {
	int64_t last_ms; /* 0: never */
	uint8_t protocol; /* enum user_protocol */
};

/* The first of USER_ID behind APP_ID; 0 is the front. ERR_NOT_FOUND: no more. */
MUST_CHECK enum err app_password_next(
	struct snapshot *snap, uint64_t user_id, uint64_t app_id, struct app_password *out);
/* By its label, or the text of its number. */
MUST_CHECK enum err app_password_find(
	struct snapshot *snap, uint64_t user_id, struct span name, struct app_password *out);
MUST_CHECK enum err app_password_count(struct snapshot *snap, uint64_t user_id, size_t *out);
/* ERR_EXISTS: that label; ERR_LIMIT: the label, or too many; ERR_SYNTAX: the label. */
MUST_CHECK enum err app_password_add(struct txn *txn, const struct app_password *app,
	int64_t now_ms, uint64_t *app_id);
MUST_CHECK enum err app_password_remove(struct txn *txn, uint64_t user_id, uint64_t app_id);

/* All zero, and OK, where it was never used. */
MUST_CHECK enum err app_use_find(
	struct snapshot *snap, uint64_t user_id, uint64_t app_id, struct app_use *out);
/* Nothing, and OK, where there is no such app password any more. */
MUST_CHECK enum err app_use_note(
	struct txn *txn, uint64_t user_id, uint64_t app_id, const struct app_use *use);

/* With the user: all of them, for good. */
MUST_CHECK enum err app_passwords_purge(struct txn *txn, uint64_t user_id);

#endif
