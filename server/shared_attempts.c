/*
 * shared_attempts.c - guessing made slow (H57) and locked (SEC-02).
 *
 *     a failure --> the row of the address      a delay that grows by each 5
 *               --> the row of (user, address)  a delay that grows by each; the lock, scope source
 *               --> the row of the user         the lock, scope user; what `user list` shows
 *
 * Rows are found by keyed hashes. In memory only: a restart forgives all (SEC-03). A user that nobody
 * is has rows as others do (H58).
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/ascii.h"
#include "server/shared_state.h"

#define ADDRESS_FAILURES_A_STEP 5 /* many people may sit behind one address */

void
login_id(const struct shared *sh, const struct peer *peer, struct span user,
	unsigned char out[LOGIN_ID_SIZE])
{
	crypto_generichash_state state;
	struct peer_key key = { { 0 } };
	char lower[64];

	if (peer)
		key = peer_key_of(peer);
	crypto_generichash_init(&state, sh->key, crypto_generichash_KEYBYTES, LOGIN_ID_SIZE);
	crypto_generichash_update(&state, key.bytes, sizeof(key.bytes));
	while (user.len > 0) {
		size_t n = user.len < sizeof(lower) ? user.len : sizeof(lower);

		for (size_t i = 0; i < n; i++)
			lower[i] = ascii_lower(user.ptr[i]);
		crypto_generichash_update(&state, (const unsigned char *)lower, n);
		user = span_from(user, n);
	}
	crypto_generichash_final(&state, out, LOGIN_ID_SIZE);
}

/* ---- rows ---- */

static struct table *
table_of(struct shared *sh, enum attempt_kind kind)
{
	return kind == ATTEMPT_USER ? &sh->users : &sh->attempts;
}

static struct list *
attempt_bucket(struct table *t, const unsigned char id[LOGIN_ID_SIZE])
{
	return &t->buckets[hash_bytes(id, LOGIN_ID_SIZE) % BUCKETS];
}

static struct attempt_row *
attempt_find(struct shared *sh, enum attempt_kind kind, const unsigned char id[LOGIN_ID_SIZE])
{
	struct list *at, *following;

	list_for_each(at, following, attempt_bucket(table_of(sh, kind), id)) {
		struct attempt_row *row = LIST_ITEM(at, struct attempt_row, link);

		/* an address and an empty name have one id */
		if (row->kind == kind && memcmp(row->id, id, LOGIN_ID_SIZE) == 0)
			return row;
	}
	return NULL;
}

void
attempt_drop(struct shared *sh, struct attempt_row *row)
{
	list_remove(&row->link);
	list_remove(&row->age);
	table_of(sh, row->kind)->count--;
	free(row);
}

static struct attempt_row *
attempt_new(struct shared *sh, enum attempt_kind kind, const unsigned char id[LOGIN_ID_SIZE])
{
	struct table *t = table_of(sh, kind);
	struct attempt_row *row;

	if (t->count >= SHARED_ATTEMPTS_MAX)
		attempt_drop(sh, LIST_ITEM(t->by_age.next, struct attempt_row, age));
	row = calloc(1, sizeof(*row));
	ENSURE(row);
	row->kind = kind;
	memcpy(row->id, id, LOGIN_ID_SIZE);
	list_append(attempt_bucket(t, id), &row->link);
	list_append(&t->by_age, &row->age);
	t->count++;
	return row;
}

/* One try: the hashes by which its rows are found. */
struct attempt_ids {
	unsigned char address[LOGIN_ID_SIZE], pair[LOGIN_ID_SIZE], user[LOGIN_ID_SIZE];
};

static struct attempt_ids
ids_of(const struct shared *sh, const struct peer *peer, struct span user)
{
	struct attempt_ids ids;

	login_id(sh, peer, SPAN_NONE, ids.address);
	login_id(sh, peer, user, ids.pair);
	login_id(sh, NULL, user, ids.user);
	return ids;
}

/* Count one more. A quiet time forgives what was counted before; a lock stays. */
static void
attempt_count(struct shared *sh, struct attempt_row *row, int64_t now_ms)
{
	if (row->failures == 0 || now_ms - row->last_ms > SHARED_DELAY_FORGET_MS) {
		row->failures = row->in_a_row = 0;
		row->since_ms = now_ms;
	}
	row->failures++;
	row->in_a_row += now_ms >= row->locked_until_ms; /* a lock is not made longer */
	row->last_ms = now_ms;
	list_remove(&row->age);
	list_append(&table_of(sh, row->kind)->by_age, &row->age);
}

static struct attempt_row *
attempt_take(struct shared *sh, enum attempt_kind kind, const unsigned char id[LOGIN_ID_SIZE])
{
	struct attempt_row *row = attempt_find(sh, kind, id);

	return row ? row : attempt_new(sh, kind, id);
}

static void
name_row(struct attempt_row *row, const struct peer *peer, struct span user,
	const struct attempt_ids *ids)
{
	size_t len = user.len < sizeof(row->user) ? user.len : sizeof(row->user) - 1;

	snprintf(row->address, sizeof(row->address), "*");
	snprintf(row->user, sizeof(row->user), "*");
	if (row->kind != ATTEMPT_USER) {
		row->key = peer_key_of(peer);
		peer_range_text(peer, row->address);
	}
	if (row->kind == ATTEMPT_ADDRESS)
		return;
	memcpy(row->who, ids->user, LOGIN_ID_SIZE);
	if (len > 0)
		memcpy(row->user, user.ptr, len);
	row->user[len] = '\0';
}

/* ---- delays ---- */

/* 1 s, doubled with each step, 60 s at most. */
static int64_t
delay_after(const struct attempt_row *row)
{
	unsigned a_step = row->kind == ATTEMPT_ADDRESS ? ADDRESS_FAILURES_A_STEP : 1;
	unsigned doublings = (row->failures - 1) / a_step;
	int64_t delay = doublings < 6 ? (int64_t)SHARED_DELAY_FIRST_MS << doublings :
					(int64_t)SHARED_DELAY_MAX_MS;

	return delay < SHARED_DELAY_MAX_MS ? delay : SHARED_DELAY_MAX_MS;
}

int64_t
attempt_delay(const struct attempt_row *row, int64_t now_ms)
{
	int64_t from_ms, left;

	if (!row || row->failures == 0 || row->kind == ATTEMPT_USER)
		return 0;
	from_ms = row->last_ms > row->booked_ms ? row->last_ms : row->booked_ms;
	left = from_ms + delay_after(row) - now_ms;
	return left > SHARED_DELAY_MAX_MS ? SHARED_DELAY_MAX_MS : left > 0 ? left : 0;
}

static int64_t
delay_of(struct shared *sh, const struct attempt_ids *ids, int64_t now_ms, bool books)
{
	struct attempt_row *pair = attempt_find(sh, ATTEMPT_PAIR, ids->pair);
	int64_t of_pair = attempt_delay(pair, now_ms);
	int64_t of_address =
		attempt_delay(attempt_find(sh, ATTEMPT_ADDRESS, ids->address), now_ms);
	int64_t delay = of_pair > of_address ? of_pair : of_address;

	if (books && pair && pair->failures > 0)
		pair->booked_ms = now_ms + delay;
	return delay;
}

int64_t
shared_login_delay_ms(struct shared *sh, const struct peer *peer, struct span user, int64_t now_ms)
{
	struct attempt_ids ids = ids_of(sh, peer, user);
	int64_t delay;

	pthread_mutex_lock(&sh->lock);
	delay = delay_of(sh, &ids, now_ms, false);
	pthread_mutex_unlock(&sh->lock);
	return delay;
}

int64_t
shared_login_begin(struct shared *sh, const struct peer *peer, struct span user, int64_t now_ms)
{
	struct attempt_ids ids = ids_of(sh, peer, user);
	int64_t delay;

	pthread_mutex_lock(&sh->lock);
	delay = delay_of(sh, &ids, now_ms, true);
	pthread_mutex_unlock(&sh->lock);
	return delay;
}

/* ---- locks ---- */

bool
shared_login_is_locked(struct shared *sh, const struct peer *peer, struct span user,
	const struct lockout *lockout, int64_t now_ms)
{
	struct attempt_ids ids = ids_of(sh, peer, user);
	const struct attempt_row *row;
	bool locked;

	pthread_mutex_lock(&sh->lock);
	row = lockout->of_user ? attempt_find(sh, ATTEMPT_USER, ids.user) :
				 attempt_find(sh, ATTEMPT_PAIR, ids.pair);
	locked = row && now_ms < row->locked_until_ms && lockout->attempts > 0 &&
		!lockout->exempt;
	pthread_mutex_unlock(&sh->lock);
	return locked;
}

/* Does the failure that was just counted lock? The user's row shows it. */
static bool
lock_if_due(struct attempt_row *row, struct attempt_row *user, const struct lockout *lockout,
	int64_t now_ms)
{
	/* who is held by no lock of a source gets none; one of the user holds others too */
	bool counts = lockout->attempts > 0 && (lockout->of_user || !lockout->exempt);

	if (!counts || now_ms < row->locked_until_ms || row->in_a_row < lockout->attempts)
		return false;
	row->locked_until_ms = now_ms + lockout->lock_ms;
	row->in_a_row = 0;
	if (user->shown_until_ms < row->locked_until_ms)
		user->shown_until_ms = row->locked_until_ms;
	return true;
}

struct login_failure
shared_login_failed(struct shared *sh, const struct peer *peer, struct span user,
	const struct lockout *lockout, int64_t now_ms)
{
	struct attempt_ids ids = ids_of(sh, peer, user);
	struct attempt_row *address, *pair, *of_user;
	struct login_failure failure;

	pthread_mutex_lock(&sh->lock);
	address = attempt_take(sh, ATTEMPT_ADDRESS, ids.address);
	name_row(address, peer, SPAN_NONE, &ids);
	attempt_count(sh, address, now_ms); /* before the next row, which may drop the oldest */
	pair = attempt_take(sh, ATTEMPT_PAIR, ids.pair);
	name_row(pair, peer, user, &ids);
	attempt_count(sh, pair, now_ms);
	of_user = attempt_take(sh, ATTEMPT_USER, ids.user);
	name_row(of_user, peer, user, &ids);
	attempt_count(sh, of_user, now_ms);
	failure.in_a_row = pair->failures;
	failure.locks = lock_if_due(lockout->of_user ? of_user : pair, of_user, lockout, now_ms);
	pthread_mutex_unlock(&sh->lock);
	return failure;
}

void
shared_login_good(struct shared *sh, const struct peer *peer, struct span user, int64_t now_ms)
{
	struct attempt_ids ids = ids_of(sh, peer, user);
	struct attempt_row *row;

	pthread_mutex_lock(&sh->lock);
	row = attempt_find(sh, ATTEMPT_PAIR, ids.pair);
	if (row && now_ms >= row->locked_until_ms)
		attempt_drop(sh, row);
	else if (row)
		row->failures = row->in_a_row = 0;
	row = attempt_find(sh, ATTEMPT_ADDRESS, ids.address);
	if (row) /* one good account does not wash away a search through a thousand */
		row->failures /= 2;
	row = attempt_find(sh, ATTEMPT_USER, ids.user);
	if (row)
		row->failures = row->in_a_row = 0;
	pthread_mutex_unlock(&sh->lock);
}

void
shared_login_forgive(struct shared *sh, struct span user)
{
	(void)shared_block_remove(sh, NULL, user);
}

int64_t
shared_user_locked_until(struct shared *sh, struct span user, int64_t now_ms)
{
	unsigned char who[LOGIN_ID_SIZE];
	const struct attempt_row *row;
	int64_t until_ms = 0;

	login_id(sh, NULL, user, who);
	pthread_mutex_lock(&sh->lock);
	row = attempt_find(sh, ATTEMPT_USER, who);
	if (row && row->shown_until_ms > now_ms)
		until_ms = row->shown_until_ms;
	pthread_mutex_unlock(&sh->lock);
	return until_ms;
}

void
attempts_show_users(struct shared *sh)
{
	struct list *at, *following;

	list_for_each(at, following, &sh->users.by_age) {
		struct attempt_row *user = LIST_ITEM(at, struct attempt_row, age);

		user->shown_until_ms = user->locked_until_ms;
	}
	list_for_each(at, following, &sh->attempts.by_age) {
		const struct attempt_row *row = LIST_ITEM(at, struct attempt_row, age);
		struct attempt_row *user =
			row->locked_until_ms > 0 ? attempt_find(sh, ATTEMPT_USER, row->who) : NULL;

		if (user && user->shown_until_ms < row->locked_until_ms)
			user->shown_until_ms = row->locked_until_ms;
	}
}

/* ---- the end of rows ---- */

static bool
is_over(const struct attempt_row *row, int64_t now_ms)
{
	return now_ms - row->last_ms > SHARED_DELAY_FORGET_MS && now_ms >= row->locked_until_ms &&
		now_ms >= row->shown_until_ms;
}

static void
sweep_table(struct shared *sh, struct table *t, int64_t now_ms)
{
	struct list *at, *following;

	list_for_each(at, following, &t->by_age) {
		struct attempt_row *row = LIST_ITEM(at, struct attempt_row, age);

		if (is_over(row, now_ms))
			attempt_drop(sh, row);
	}
}

void
attempts_sweep(struct shared *sh, int64_t now_ms)
{
	sweep_table(sh, &sh->attempts, now_ms);
	sweep_table(sh, &sh->users, now_ms);
}

void
attempts_fini(struct shared *sh)
{
	struct list *link;

	while ((link = list_take_first(&sh->attempts.by_age)))
		free(LIST_ITEM(link, struct attempt_row, age));
	while ((link = list_take_first(&sh->users.by_age)))
		free(LIST_ITEM(link, struct attempt_row, age));
}
