/*
 * shared_logins.c - guessing made slow (H57), good logins remembered (H63).
 *
 * Rows are found by keyed hashes of address and user: neither name nor password is kept.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/ascii.h"
#include "server/shared_state.h"

#define ADDRESS_FAILURES_A_STEP 5 /* many people may sit behind one address */

struct attempt_row {
	struct list link, age;
	unsigned char id[LOGIN_ID_SIZE];
	unsigned char user[LOGIN_ID_SIZE]; /* for forgive; zero in an address's row */
	unsigned failures;
	int64_t last_ms;
};

struct remembered_row {
	struct list link, age;
	uint64_t user_id;
	unsigned char hash[REMEMBERED_HASH_SIZE];
	int64_t until_ms;
};

enum err
shared_logins_init(struct shared *sh)
{
	if (sodium_init() < 0)
		return ERR_IO;
	sh->key = sodium_malloc(crypto_generichash_KEYBYTES);
	if (!sh->key)
		return ERR_IO;
	randombytes_buf(sh->key, crypto_generichash_KEYBYTES);
	table_init(&sh->attempts);
	table_init(&sh->remembered);
	return OK;
}

void
shared_logins_fini(struct shared *sh)
{
	struct list *at, *following;

	list_for_each(at, following, &sh->attempts.by_age)
		free(LIST_ITEM(at, struct attempt_row, age));
	list_for_each(at, following, &sh->remembered.by_age) {
		struct remembered_row *row = LIST_ITEM(at, struct remembered_row, age);

		sodium_memzero(row, sizeof(*row));
		free(row);
	}
	sodium_free(sh->key);
}

/* ---- attempts ---- */

/* PEER NULL: of the user alone. Letter case of the user does not count. */
static void
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

static struct list *
attempt_bucket(struct shared *sh, const unsigned char id[LOGIN_ID_SIZE])
{
	return &sh->attempts.buckets[hash_bytes(id, LOGIN_ID_SIZE) % BUCKETS];
}

static struct attempt_row *
attempt_find(struct shared *sh, const unsigned char id[LOGIN_ID_SIZE])
{
	struct list *bucket = attempt_bucket(sh, id), *at, *following;

	list_for_each(at, following, bucket) {
		struct attempt_row *row = LIST_ITEM(at, struct attempt_row, link);

		if (memcmp(row->id, id, LOGIN_ID_SIZE) == 0)
			return row;
	}
	return NULL;
}

static void
attempt_drop(struct shared *sh, struct attempt_row *row)
{
	list_remove(&row->link);
	list_remove(&row->age);
	sh->attempts.count--;
	free(row);
}

static struct attempt_row *
attempt_take(struct shared *sh, const unsigned char id[LOGIN_ID_SIZE])
{
	struct attempt_row *row = attempt_find(sh, id);

	if (row)
		return row;
	if (sh->attempts.count >= SHARED_ATTEMPTS_MAX)
		attempt_drop(sh, LIST_ITEM(sh->attempts.by_age.next, struct attempt_row, age));
	row = calloc(1, sizeof(*row));
	ENSURE(row);
	memcpy(row->id, id, LOGIN_ID_SIZE);
	list_append(attempt_bucket(sh, id), &row->link);
	list_append(&sh->attempts.by_age, &row->age);
	sh->attempts.count++;
	return row;
}

static unsigned
attempt_count(struct shared *sh, const unsigned char id[LOGIN_ID_SIZE], int64_t now_ms)
{
	struct attempt_row *row = attempt_take(sh, id);

	if (now_ms - row->last_ms > SHARED_DELAY_FORGET_MS)
		row->failures = 0;
	row->failures++;
	row->last_ms = now_ms;
	list_remove(&row->age);
	list_append(&sh->attempts.by_age, &row->age);
	return row->failures;
}

/* 1 s, doubled with each step, 60 s at most. */
static int64_t
delay_after(unsigned failures, unsigned a_step)
{
	unsigned doublings = (failures - 1) / a_step;
	int64_t delay = doublings < 6 ? (int64_t)SHARED_DELAY_FIRST_MS << doublings :
					(int64_t)SHARED_DELAY_MAX_MS;

	return delay < SHARED_DELAY_MAX_MS ? delay : SHARED_DELAY_MAX_MS;
}

static int64_t
attempt_delay(struct shared *sh, const unsigned char id[LOGIN_ID_SIZE], unsigned a_step,
	int64_t now_ms)
{
	const struct attempt_row *row = attempt_find(sh, id);
	int64_t left;

	if (!row || row->failures == 0)
		return 0;
	left = row->last_ms + delay_after(row->failures, a_step) - now_ms;
	return left > 0 ? left : 0;
}

int64_t
shared_login_delay_ms(struct shared *sh, const struct peer *peer, struct span user, int64_t now_ms)
{
	unsigned char pair[LOGIN_ID_SIZE], address[LOGIN_ID_SIZE];
	int64_t of_pair, of_address;

	login_id(sh, peer, user, pair);
	login_id(sh, peer, SPAN_NONE, address);
	pthread_mutex_lock(&sh->lock);
	of_pair = attempt_delay(sh, pair, 1, now_ms);
	of_address = attempt_delay(sh, address, ADDRESS_FAILURES_A_STEP, now_ms);
	pthread_mutex_unlock(&sh->lock);
	return of_pair > of_address ? of_pair : of_address;
}

unsigned
shared_login_failed(struct shared *sh, const struct peer *peer, struct span user, int64_t now_ms)
{
	unsigned char pair[LOGIN_ID_SIZE], address[LOGIN_ID_SIZE], who[LOGIN_ID_SIZE];
	unsigned failures;

	login_id(sh, peer, user, pair);
	login_id(sh, peer, SPAN_NONE, address);
	login_id(sh, NULL, user, who);
	pthread_mutex_lock(&sh->lock);
	attempt_count(sh, address, now_ms);
	failures = attempt_count(sh, pair, now_ms);
	memcpy(attempt_find(sh, pair)->user, who, LOGIN_ID_SIZE);
	pthread_mutex_unlock(&sh->lock);
	return failures;
}

void
shared_login_good(struct shared *sh, const struct peer *peer, struct span user, int64_t now_ms)
{
	unsigned char pair[LOGIN_ID_SIZE], address[LOGIN_ID_SIZE];
	struct attempt_row *row;

	(void)now_ms;
	login_id(sh, peer, user, pair);
	login_id(sh, peer, SPAN_NONE, address);
	pthread_mutex_lock(&sh->lock);
	row = attempt_find(sh, pair);
	if (row)
		attempt_drop(sh, row);
	row = attempt_find(sh, address);
	if (row) /* one good account does not wash away a search through a thousand */
		row->failures /= 2;
	pthread_mutex_unlock(&sh->lock);
}

void
shared_login_forgive(struct shared *sh, struct span user)
{
	unsigned char who[LOGIN_ID_SIZE];
	struct list *at, *following;

	login_id(sh, NULL, user, who);
	pthread_mutex_lock(&sh->lock);
	list_for_each(at, following, &sh->attempts.by_age) {
		struct attempt_row *row = LIST_ITEM(at, struct attempt_row, age);

		if (memcmp(row->user, who, LOGIN_ID_SIZE) == 0)
			attempt_drop(sh, row);
	}
	pthread_mutex_unlock(&sh->lock);
}

/* ---- remembered logins ---- */

static void
password_hash(const struct shared *sh, uint64_t user_id, uint64_t revision, struct span password,
	unsigned char out[REMEMBERED_HASH_SIZE])
{
	crypto_generichash_state state;
	uint64_t head[2] = { user_id, revision };

	crypto_generichash_init(&state, sh->key, crypto_generichash_KEYBYTES,
		REMEMBERED_HASH_SIZE);
	crypto_generichash_update(&state, (const unsigned char *)head, sizeof(head));
	crypto_generichash_update(&state, (const unsigned char *)password.ptr, password.len);
	crypto_generichash_final(&state, out, REMEMBERED_HASH_SIZE);
	sodium_memzero(&state, sizeof(state));
}

static struct list *
remembered_bucket(struct shared *sh, uint64_t user_id)
{
	return &sh->remembered.buckets[hash_bytes(&user_id, sizeof(user_id)) % BUCKETS];
}

static struct remembered_row *
remembered_find(struct shared *sh, uint64_t user_id)
{
	struct list *at, *following;

	list_for_each(at, following, remembered_bucket(sh, user_id)) {
		struct remembered_row *row = LIST_ITEM(at, struct remembered_row, link);

		if (row->user_id == user_id)
			return row;
	}
	return NULL;
}

static void
remembered_drop(struct shared *sh, struct remembered_row *row)
{
	list_remove(&row->link);
	list_remove(&row->age);
	sh->remembered.count--;
	sodium_memzero(row, sizeof(*row));
	free(row);
}

bool
shared_login_is_remembered(struct shared *sh, uint64_t user_id, uint64_t revision,
	struct span password, int64_t now_ms)
{
	unsigned char hash[REMEMBERED_HASH_SIZE];
	const struct remembered_row *row;
	bool same;

	password_hash(sh, user_id, revision, password, hash);
	pthread_mutex_lock(&sh->lock);
	row = remembered_find(sh, user_id);
	same = row && now_ms < row->until_ms && sodium_memcmp(row->hash, hash, sizeof(hash)) == 0;
	pthread_mutex_unlock(&sh->lock);
	sodium_memzero(hash, sizeof(hash));
	return same;
}

void
shared_login_remember(struct shared *sh, uint64_t user_id, uint64_t revision,
	struct span password, int64_t until_ms)
{
	struct remembered_row *row = calloc(1, sizeof(*row)), *old;

	ENSURE(row);
	row->user_id = user_id;
	row->until_ms = until_ms;
	password_hash(sh, user_id, revision, password, row->hash);
	pthread_mutex_lock(&sh->lock);
	old = remembered_find(sh, user_id);
	if (!old && sh->remembered.count >= SHARED_REMEMBERED_MAX)
		old = LIST_ITEM(sh->remembered.by_age.next, struct remembered_row, age);
	if (old)
		remembered_drop(sh, old);
	list_append(remembered_bucket(sh, user_id), &row->link);
	list_append(&sh->remembered.by_age, &row->age);
	sh->remembered.count++;
	pthread_mutex_unlock(&sh->lock);
}

void
shared_login_drop(struct shared *sh, uint64_t user_id)
{
	struct remembered_row *row;

	pthread_mutex_lock(&sh->lock);
	row = remembered_find(sh, user_id);
	if (row)
		remembered_drop(sh, row);
	pthread_mutex_unlock(&sh->lock);
}

void
shared_sweep(struct shared *sh, int64_t now_ms)
{
	struct list *at, *following;

	pthread_mutex_lock(&sh->lock);
	list_for_each(at, following, &sh->attempts.by_age) {
		struct attempt_row *row = LIST_ITEM(at, struct attempt_row, age);

		if (now_ms - row->last_ms <= SHARED_DELAY_FORGET_MS)
			break; /* the rest is younger */
		attempt_drop(sh, row);
	}
	list_for_each(at, following, &sh->remembered.by_age) {
		struct remembered_row *row = LIST_ITEM(at, struct remembered_row, age);

		if (now_ms < row->until_ms)
			break;
		remembered_drop(sh, row);
	}
	pthread_mutex_unlock(&sh->lock);
}
