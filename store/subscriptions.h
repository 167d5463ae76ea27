/*
 * subscriptions.h - the folders that a user wants to see (RFC 9051, 6.3.7).
 *
 * They are names and no more: of his own folders ("Sent"), and with the prefix of their namespace
 * of others ("Other users/anna/Sent"). A name stays when its folder goes. A first level INBOX is
 * kept in capitals.
 */
#ifndef STORE_SUBSCRIPTIONS_H
#define STORE_SUBSCRIPTIONS_H

#include "store/table.h"

#define SUBSCRIPTION_NAME_MAX 400 /* bytes, a namespace's prefix and a user's name included */
#define SUBSCRIPTIONS_MAX 20000   /* a user */

/*
 * Subscribe or unsubscribe; OK where it was so already. ERR_LIMIT: the name is too long or empty, or
 * there are too many.
 */
MUST_CHECK enum err subscription_set(
	struct txn *txn, uint64_t user_id, struct span name, bool subscribed);
MUST_CHECK enum err subscription_has(
	struct snapshot *snap, uint64_t user_id, struct span name, bool *out);
/*
 * The first name behind AFTER (empty: the first of all), by bytes; points into the map. AFTER may
 * be what the call before gave. ERR_NOT_FOUND: no more.
 */
MUST_CHECK enum err subscription_next(
	struct snapshot *snap, uint64_t user_id, struct span after, struct span *name);
/* For user_purge.c: MOST of them. *more: some are left. */
MUST_CHECK enum err subscriptions_purge(
	struct txn *txn, uint64_t user_id, unsigned most, bool *more);

#endif
