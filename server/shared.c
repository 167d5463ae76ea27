/*
 * shared.c - connections, POP3 locks and the register of sessions; one lock for all.
 */
#include "server/shared.h"

#include <stdlib.h>
#include <string.h>

#include "server/services.h"
#include "server/shared_state.h"

struct address_row {
	struct list link;
	struct peer_key key;
	unsigned count, before_login;
};

struct pop3_row {
	struct list link;
	uint64_t user_id;
};

/* FNV-1a; spreads rows over buckets, promises nothing against an enemy. */
uint64_t
hash_bytes(const void *bytes, size_t size)
{
	const unsigned char *at = bytes;
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * 0x100000001b3;
	return hash ^ hash >> 32;
}

void
table_init(struct table *t)
{
	for (size_t i = 0; i < BUCKETS; i++)
		list_init(&t->buckets[i]);
	list_init(&t->by_age);
	t->count = 0;
}

enum err
shared_open(struct shared **out)
{
	struct shared *sh = calloc(1, sizeof(*sh));

	ENSURE(sh);
	pthread_mutex_init(&sh->lock, NULL);
	for (size_t i = 0; i < BUCKETS; i++) {
		list_init(&sh->addresses[i]);
		list_init(&sh->pop3_locks[i]);
		list_init(&sh->user_sessions[i]);
	}
	list_init(&sh->sessions);
	recents_init(sh);
	rules_init(sh);
	if (shared_logins_init(sh) != OK) {
		free(sh);
		return ERR_IO;
	}
	*out = sh;
	return OK;
}

void
shared_close(struct shared **shp)
{
	struct shared *sh = *shp;
	struct list *link;

	if (!sh)
		return;
	*shp = NULL;
	shared_logins_fini(sh);
	recents_fini(sh);
	rules_fini(sh);
	for (size_t i = 0; i < BUCKETS; i++) {
		while ((link = list_take_first(&sh->addresses[i])))
			free(LIST_ITEM(link, struct address_row, link));
		while ((link = list_take_first(&sh->pop3_locks[i])))
			free(LIST_ITEM(link, struct pop3_row, link));
	}
	pthread_mutex_destroy(&sh->lock);
	free(sh);
}

/* ---- connections ---- */

static struct list *
address_bucket(struct shared *sh, const struct peer_key *key)
{
	return &sh->addresses[hash_bytes(key, sizeof(*key)) % BUCKETS];
}

static struct address_row *
address_find(struct shared *sh, const struct peer *peer)
{
	struct peer_key key = peer_key_of(peer);
	struct list *bucket = address_bucket(sh, &key), *at, *following;

	list_for_each(at, following, bucket) {
		struct address_row *row = LIST_ITEM(at, struct address_row, link);

		if (memcmp(&row->key, &key, sizeof(key)) == 0)
			return row;
	}
	return NULL;
}

static struct address_row *
address_take(struct shared *sh, const struct peer *peer)
{
	struct address_row *row = address_find(sh, peer);

	if (row)
		return row;
	row = calloc(1, sizeof(*row));
	ENSURE(row);
	row->key = peer_key_of(peer);
	list_append(address_bucket(sh, &row->key), &row->link);
	return row;
}

static bool
fits(const struct shared *sh, const struct service *service, const struct connection_limits *limits,
	const struct peer *peer, const struct address_row *row)
{
	if (sh->by_service[service->number] >= limits->max_connections)
		return false;
	if (!service->is_control && sh->total >= limits->max_total)
		return false;
	if (!row || peer_is_loopback(peer))
		return true;
	return row->count < limits->max_per_ip &&
		(!service->login_first || row->before_login < limits->max_before_login);
}

enum err
shared_connection_begin(struct shared *sh, const struct service *service, const struct peer *peer,
	const struct connection_limits *limits)
{
	enum err err = ERR_LIMIT;

	ENSURE(service->number < SHARED_SERVICES_MAX);
	pthread_mutex_lock(&sh->lock);
	if (fits(sh, service, limits, peer, address_find(sh, peer))) {
		struct address_row *row = address_take(sh, peer);

		row->count++;
		row->before_login += service->login_first;
		sh->by_service[service->number]++;
		sh->begun[service->number]++;
		sh->total += !service->is_control;
		err = OK;
	}
	pthread_mutex_unlock(&sh->lock);
	return err;
}

void
shared_connection_logged_in(struct shared *sh, const struct service *service,
	const struct peer *peer)
{
	struct address_row *row;

	if (!service->login_first)
		return;
	pthread_mutex_lock(&sh->lock);
	row = address_find(sh, peer);
	ENSURE(row && row->before_login > 0);
	row->before_login--;
	pthread_mutex_unlock(&sh->lock);
}

void
shared_connection_end(struct shared *sh, const struct service *service, const struct peer *peer,
	bool logged_in)
{
	struct address_row *row;

	pthread_mutex_lock(&sh->lock);
	row = address_find(sh, peer);
	ENSURE(row && sh->by_service[service->number] > 0);
	row->count--;
	row->before_login -= service->login_first && !logged_in;
	if (row->count == 0) {
		list_remove(&row->link);
		free(row);
	}
	sh->by_service[service->number]--;
	sh->total -= !service->is_control;
	pthread_mutex_unlock(&sh->lock);
}

unsigned
shared_connections(struct shared *sh, unsigned service)
{
	unsigned n;

	pthread_mutex_lock(&sh->lock);
	n = sh->by_service[service];
	pthread_mutex_unlock(&sh->lock);
	return n;
}

uint64_t
shared_connections_begun(struct shared *sh, unsigned service)
{
	uint64_t n;

	pthread_mutex_lock(&sh->lock);
	n = sh->begun[service];
	pthread_mutex_unlock(&sh->lock);
	return n;
}

/* ---- POP3 locks ---- */

static struct pop3_row *
pop3_find(struct shared *sh, uint64_t user_id)
{
	struct list *at, *following;

	list_for_each(at, following, &sh->pop3_locks[user_id % BUCKETS]) {
		struct pop3_row *row = LIST_ITEM(at, struct pop3_row, link);

		if (row->user_id == user_id)
			return row;
	}
	return NULL;
}

enum err
shared_pop3_lock(struct shared *sh, uint64_t user_id)
{
	struct pop3_row *row = calloc(1, sizeof(*row));
	bool taken;

	ENSURE(row);
	row->user_id = user_id;
	pthread_mutex_lock(&sh->lock);
	taken = pop3_find(sh, user_id) != NULL;
	if (!taken)
		list_append(&sh->pop3_locks[user_id % BUCKETS], &row->link);
	pthread_mutex_unlock(&sh->lock);
	if (taken)
		free(row);
	return taken ? ERR_BUSY : OK;
}

void
shared_pop3_unlock(struct shared *sh, uint64_t user_id)
{
	struct pop3_row *row;

	pthread_mutex_lock(&sh->lock);
	row = pop3_find(sh, user_id);
	if (row)
		list_remove(&row->link);
	pthread_mutex_unlock(&sh->lock);
	free(row);
}

/* ---- the register ---- */

void
shared_session_add(struct shared *sh, struct shared_session *row)
{
	pthread_mutex_lock(&sh->lock);
	row->id = ++sh->last_id;
	list_init(&row->of_user);
	list_append(&sh->sessions, &row->link);
	sh->session_count++;
	pthread_mutex_unlock(&sh->lock);
}

void
shared_session_remove(struct shared *sh, struct shared_session *row)
{
	pthread_mutex_lock(&sh->lock);
	list_remove(&row->link);
	list_remove(&row->of_user);
	sh->session_count--;
	pthread_mutex_unlock(&sh->lock);
}

/* How many sessions of this user there are besides ROW. */
static unsigned
sessions_of(struct shared *sh, uint64_t user_id, const struct shared_session *row)
{
	struct list *at, *following;
	unsigned n = 0;

	list_for_each(at, following, &sh->user_sessions[user_id % BUCKETS]) {
		const struct shared_session *other = LIST_ITEM(at, struct shared_session, of_user);

		n += other->user_id == user_id && other != row;
	}
	return n;
}

enum err
shared_session_take_user(struct shared *sh, struct shared_session *row, uint64_t user_id,
	struct span user, unsigned max)
{
	size_t len = user.len < sizeof(row->user) ? user.len : sizeof(row->user) - 1;
	enum err err = OK;

	pthread_mutex_lock(&sh->lock);
	if (user_id != 0 && max > 0 && sessions_of(sh, user_id, row) >= max) {
		err = ERR_LIMIT;
		goto unlock;
	}
	list_remove(&row->of_user);
	if (user_id != 0)
		list_append(&sh->user_sessions[user_id % BUCKETS], &row->of_user);
	row->user_id = user_id;
	if (len > 0)
		memcpy(row->user, user.ptr, len);
	row->user[len] = '\0';
unlock:
	pthread_mutex_unlock(&sh->lock);
	return err;
}

void
shared_session_set_user(struct shared *sh, struct shared_session *row, uint64_t user_id,
	struct span user)
{
	ENSURE(shared_session_take_user(sh, row, user_id, user, 0) == OK);
}

void
shared_session_set_doing(struct shared *sh, struct shared_session *row, const char *doing)
{
	pthread_mutex_lock(&sh->lock);
	row->doing = doing;
	pthread_mutex_unlock(&sh->lock);
}

void
shared_session_set_tls(struct shared *sh, struct shared_session *row, const char *version)
{
	pthread_mutex_lock(&sh->lock);
	row->tls = version;
	pthread_mutex_unlock(&sh->lock);
}

unsigned
shared_session_count(struct shared *sh)
{
	unsigned n;

	pthread_mutex_lock(&sh->lock);
	n = sh->session_count;
	pthread_mutex_unlock(&sh->lock);
	return n;
}

size_t
shared_session_list(struct shared *sh, uint64_t after_id, struct shared_session *rows, size_t max)
{
	struct list *at, *following;
	size_t n = 0;

	pthread_mutex_lock(&sh->lock);
	list_for_each(at, following, &sh->sessions) {
		const struct shared_session *row = LIST_ITEM(at, struct shared_session, link);

		if (row->id <= after_id)
			continue;
		if (n == max)
			break;
		rows[n] = *row;
		list_init(&rows[n].of_user);
		list_init(&rows[n++].link);
	}
	pthread_mutex_unlock(&sh->lock);
	return n;
}

uint64_t
shared_session_of_user(struct shared *sh, uint64_t user_id)
{
	struct list *at, *following;
	uint64_t id = 0;

	pthread_mutex_lock(&sh->lock);
	list_for_each(at, following, &sh->user_sessions[user_id % BUCKETS]) {
		const struct shared_session *row = LIST_ITEM(at, struct shared_session, of_user);

		if (row->user_id == user_id && (id == 0 || row->id < id))
			id = row->id;
	}
	pthread_mutex_unlock(&sh->lock);
	return id;
}

enum err
shared_session_find(struct shared *sh, uint64_t id, struct shared_session *out)
{
	return id > 0 && shared_session_list(sh, id - 1, out, 1) == 1 && out->id == id ?
		OK :
		ERR_NOT_FOUND;
}
