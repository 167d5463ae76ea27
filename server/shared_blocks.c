/*
 * shared_blocks.c - what is slowed, locked or refused now, for `block list`, and its removal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/shared_state.h"

/* ---- list ---- */

static bool
put_attempt(const struct attempt_row *row, int64_t now_ms, struct shared_block *out)
{
	int64_t delay = attempt_delay(row, now_ms);
	bool locked = row->locked_until_ms > now_ms;

	if (!locked && delay == 0)
		return false;
	*out = (struct shared_block){ .why = locked ? "locked" : "slowed",
		.failures = row->failures, .since_ms = row->since_ms,
		.until_ms = locked ? row->locked_until_ms : now_ms + delay };
	snprintf(out->address, sizeof(out->address), "%s", row->address);
	snprintf(out->user, sizeof(out->user), "%s", row->user);
	return true;
}

static bool
put_rate(const struct rate_row *row, int64_t now_ms, struct shared_block *out)
{
	if (row->refused == 0 || now_ms - row->since_ms >= SHARED_RATE_MS)
		return false;
	*out = (struct shared_block){ .why = "connects too often", .is_rate = true, .user = "*",
		.failures = row->refused, .since_ms = row->since_ms,
		.until_ms = row->since_ms + SHARED_RATE_MS };
	snprintf(out->address, sizeof(out->address), "%s", row->address);
	return true;
}

static size_t
put_attempts(const struct table *t, int64_t now_ms, struct shared_block *out)
{
	size_t n = 0;

	for (const struct list *at = t->by_age.next; at != &t->by_age; at = at->next)
		n += put_attempt(LIST_ITEM(at, struct attempt_row, age), now_ms, &out[n]);
	return n;
}

size_t
shared_block_list(struct shared *sh, int64_t now_ms, struct shared_block **out)
{
	const struct list *rates = &sh->rates.by_age;
	struct shared_block *rows;
	size_t n;

	pthread_mutex_lock(&sh->lock);
	rows = calloc(sh->attempts.count + sh->users.count + sh->rates.count + 1, sizeof(*rows));
	ENSURE(rows);
	n = put_attempts(&sh->attempts, now_ms, rows);
	n += put_attempts(&sh->users, now_ms, rows + n);
	for (const struct list *at = rates->next; at != rates; at = at->next)
		n += put_rate(LIST_ITEM(at, struct rate_row, age), now_ms, &rows[n]);
	pthread_mutex_unlock(&sh->lock);
	*out = rows;
	return n;
}

/* ---- remove ---- */

static bool
is_meant(const struct attempt_row *row, const struct peer_key *address,
	const unsigned char who[LOGIN_ID_SIZE])
{
	if (address && (row->kind == ATTEMPT_USER || memcmp(&row->key, address, sizeof(*address)) != 0))
		return false;
	return !who || memcmp(row->who, who, LOGIN_ID_SIZE) == 0;
}

static bool
remove_attempts(struct shared *sh, struct table *t, const struct peer_key *address,
	const unsigned char *who)
{
	struct list *at, *following;
	bool found = false;

	list_for_each(at, following, &t->by_age) {
		struct attempt_row *row = LIST_ITEM(at, struct attempt_row, age);

		if (!is_meant(row, address, who))
			continue;
		found = true;
		attempt_drop(sh, row);
	}
	return found;
}

static bool
remove_rates(struct shared *sh, const struct peer_key *address)
{
	struct list *at, *following;
	bool found = false;

	list_for_each(at, following, &sh->rates.by_age) {
		struct rate_row *row = LIST_ITEM(at, struct rate_row, age);

		if (address && memcmp(&row->key, address, sizeof(*address)) != 0)
			continue;
		found = true;
		rate_drop(sh, row);
	}
	return found;
}

bool
shared_block_remove(struct shared *sh, const struct peer_key *address, struct span user)
{
	unsigned char who[LOGIN_ID_SIZE];
	bool found;

	login_id(sh, NULL, user, who);
	pthread_mutex_lock(&sh->lock);
	found = remove_attempts(sh, &sh->attempts, address, user.len > 0 ? who : NULL);
	if (!address)
		found |= remove_attempts(sh, &sh->users, NULL, user.len > 0 ? who : NULL);
	attempts_show_users(sh);
	if (user.len == 0)
		found |= remove_rates(sh, address);
	pthread_mutex_unlock(&sh->lock);
	return found;
}
