/*
 * user_scripts.h - the routing script of a user, in Lua (RTE-12): one row a user, none where he has no script.
 *
 * Only text is kept here; whether it compiles was asked before (server/script/). An undo brings an older one back.
 * Errors and spans as users.h says.
 */
#ifndef STORE_USER_SCRIPTS_H
#define STORE_USER_SCRIPTS_H

#include "store/users.h"

#define USER_SCRIPT_MAX 65536 /* bytes */

struct user_script {
	uint64_t user_id; /* the key */
	struct span text; /* UTF-8 */
	int64_t changed_ms;
	struct span changed_by; /* who put it there */
};
extern const struct field_table user_script_table;

MUST_CHECK enum err user_script_find(
	struct snapshot *snap, uint64_t user_id, struct user_script *out);
/* The first behind USER_ID; 0 is the front. ERR_NOT_FOUND: no more, so at 0: nobody has one. */
MUST_CHECK enum err user_script_next(
	struct snapshot *snap, uint64_t user_id, struct user_script *out);
/* An empty text removes it. ERR_LIMIT: too long; ERR_SYNTAX: no UTF-8, or a NUL. */
MUST_CHECK enum err user_script_put(struct txn *txn, const struct user_script *script);
/* With the user, for good. */
MUST_CHECK enum err user_script_purge(struct txn *txn, uint64_t user_id);

#endif
