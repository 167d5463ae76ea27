/*
 * shared_logins.c - good logins remembered (H63), and the sweep of all that is kept for a time.
 *
 * Only a keyed hash of the password is kept.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "server/shared_state.h"

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
	table_init(&sh->users);
	table_init(&sh->rates);
	table_init(&sh->popped);
	table_init(&sh->people);
	table_init(&sh->sent);
	table_init(&sh->remembered);
	return OK;
}

void
shared_logins_fini(struct shared *sh)
{
	struct list *at, *following;

	attempts_fini(sh);
	rates_fini(sh);
	popped_fini(sh);
	sent_fini(sh);
	list_for_each(at, following, &sh->remembered.by_age) {
		struct remembered_row *row = LIST_ITEM(at, struct remembered_row, age);

		sodium_memzero(row, sizeof(*row));
		free(row);
	}
	sodium_free(sh->key);
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
	attempts_sweep(sh, now_ms);
	rates_sweep(sh, now_ms);
	popped_sweep(sh, now_ms);
	sent_sweep(sh, now_ms);
	list_for_each(at, following, &sh->remembered.by_age) {
		struct remembered_row *row = LIST_ITEM(at, struct remembered_row, age);

		if (now_ms < row->until_ms)
			break;
		remembered_drop(sh, row);
	}
	pthread_mutex_unlock(&sh->lock);
}
