/*
 * fetched_inside.h - what fetched_collectors.c and fetched_accounts.c share: rows of collectors by their keys.
 */
#ifndef STORE_FETCHED_INSIDE_H
#define STORE_FETCHED_INSIDE_H

#include "store/fetched.h"
#include "store/rows.h"

#define FETCHED_NO_NAME "\001" /* in front of a number: rows that belong to no name; no file has such a name */

void fetched_name_key(struct span name, struct key *key);
/* ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO. */
MUST_CHECK enum err fetched_by_key(
	struct snapshot *snap, const struct key *key, struct fetched_collector *out);
MUST_CHECK enum err fetched_put_collector(
	struct txn *txn, const struct key *key, const struct fetched_collector *c);
/* Seek from AT on, which becomes the key that was found. ERR_NOT_FOUND: there are no more. *GOOD: it can be read. */
MUST_CHECK enum err fetched_next(
	struct snapshot *snap, struct key *at, struct fetched_collector *c, bool *good);

/* Its texts lie in the map, and shall outlive a change. */
struct fetched_held {
	char error[FETCHED_ERROR_MAX], label[FETCHED_LABEL_MAX];
};
void fetched_hold(struct fetched_held *held, struct fetched_collector *c);

/* Its days are over: it goes with the next slice of a sweep. */
static inline bool
fetched_is_swept(const struct fetched_collector *c, int64_t now_ms)
{
	return c->left_ms != 0 && now_ms - c->left_ms >= FETCHED_KEPT_MS;
}

/* ---- fetched_accounts.c ---- */

/* Where the rows of another account of NAME are: no file has such a name. */
void fetched_away_key(struct span name, uint64_t mark, struct key *key);
struct fetched_orphan {
	struct key key;
	struct fetched_collector c;
	bool found, has_rows;
};
/*
 * What is known of the account of ASK by a name that the file has no more, or has for another account now; not that of OWN.
 * Of several the last one that was collected; those without rows say nothing.
 */
MUST_CHECK enum err fetched_find_orphan(struct snapshot *snap, const struct fetched_ask *ask,
	const struct key *own, struct fetched_orphan *out);

#endif
