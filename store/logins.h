/*
 * logins.h - when and from where a user last logged in; a row beside the user's own, since it
 * changes often and must neither count as an edit nor spoil an undo.
 *
 * The places (H57: an address with a good login in the last 30 days is not locked out) are hashes
 * of addresses; the oldest falls out.
 */
#ifndef STORE_LOGINS_H
#define STORE_LOGINS_H

#include "store/users.h"

#define LOGIN_PLACES_MAX 16

struct login_place {
	uint64_t address_hash;
	int64_t last_ms;
};

struct logins {
	int64_t last_ms[USER_PROTOCOL_COUNT]; /* 0: never */
	struct login_place places[LOGIN_PLACES_MAX];
	size_t place_count;
};

/* All zero, and OK, for a user who never logged in. */
MUST_CHECK enum err logins_find(struct snapshot *snap, uint64_t user_id, struct logins *out);
/* Note one good login; ADDRESS is the peer's, as text. */
MUST_CHECK enum err logins_note(struct txn *txn, uint64_t user_id, enum user_protocol protocol,
	struct span address, int64_t now_ms);
/* The latest over all protocols; 0 is never. */
int64_t logins_last_ms(const struct logins *logins);
/* Was there a good login from ADDRESS at or after SINCE_MS? */
bool logins_knows(const struct logins *logins, struct span address, int64_t since_ms);

#endif
