/*
 * shared_popped.c - where users collect mail by POP3 from, and how many different ones did.
 *
 * The addresses are for SMT-05, whole ones: a neighbour in the same /64 has not logged in. The users
 * are for "if so many people have checked their mail" (SCH-06).
 */
#include <stdlib.h>
#include <string.h>

#include "server/shared_state.h"

struct popped_row {
	struct list link, age; /* by age: the last login or logout */
	uint8_t ip[16];
	unsigned open;   /* sessions that are logged in */
	int64_t left_ms; /* the last logout */
};

struct person_row {
	struct list link, age;
	uint64_t user_id;
};

static struct list *
popped_bucket(struct shared *sh, const uint8_t ip[16])
{
	return &sh->popped.buckets[hash_bytes(ip, 16) % BUCKETS];
}

static struct popped_row *
popped_find(struct shared *sh, const struct peer *peer)
{
	struct list *at, *following;

	list_for_each(at, following, popped_bucket(sh, peer->ip)) {
		struct popped_row *row = LIST_ITEM(at, struct popped_row, link);

		if (memcmp(row->ip, peer->ip, sizeof(row->ip)) == 0)
			return row;
	}
	return NULL;
}

static void
popped_drop(struct shared *sh, struct popped_row *row)
{
	list_remove(&row->link);
	list_remove(&row->age);
	sh->popped.count--;
	free(row);
}

/* The row of PEER, now the youngest. */
static struct popped_row *
popped_take(struct shared *sh, const struct peer *peer)
{
	struct popped_row *row = popped_find(sh, peer);

	if (row) {
		list_remove(&row->age);
		list_append(&sh->popped.by_age, &row->age);
		return row;
	}
	if (sh->popped.count >= SHARED_POPPED_MAX)
		popped_drop(sh, LIST_ITEM(sh->popped.by_age.next, struct popped_row, age));
	row = calloc(1, sizeof(*row));
	ENSURE(row);
	memcpy(row->ip, peer->ip, sizeof(row->ip));
	list_append(popped_bucket(sh, row->ip), &row->link);
	list_append(&sh->popped.by_age, &row->age);
	sh->popped.count++;
	return row;
}

static void
person_add(struct shared *sh, uint64_t user_id)
{
	struct list *bucket = &sh->people.buckets[hash_bytes(&user_id, sizeof(user_id)) % BUCKETS];
	struct list *at, *following;
	struct person_row *row;

	list_for_each(at, following, bucket) {
		if (LIST_ITEM(at, struct person_row, link)->user_id == user_id)
			return;
	}
	if (sh->people.count >= SHARED_PEOPLE_MAX)
		return; /* enough for any timetable */
	row = calloc(1, sizeof(*row));
	ENSURE(row);
	row->user_id = user_id;
	list_append(bucket, &row->link);
	list_append(&sh->people.by_age, &row->age);
	sh->people.count++;
}

void
shared_pop3_came(struct shared *sh, const struct peer *peer, uint64_t user_id)
{
	pthread_mutex_lock(&sh->lock);
	popped_take(sh, peer)->open++;
	person_add(sh, user_id);
	pthread_mutex_unlock(&sh->lock);
}

void
shared_pop3_left(struct shared *sh, const struct peer *peer, int64_t now_ms)
{
	struct popped_row *row;

	pthread_mutex_lock(&sh->lock);
	row = popped_take(sh, peer);
	if (row->open > 0)
		row->open--;
	row->left_ms = now_ms;
	pthread_mutex_unlock(&sh->lock);
}

bool
shared_pop3_recent(struct shared *sh, const struct peer *peer, int64_t within_ms, int64_t now_ms)
{
	const struct popped_row *row;
	bool recent;

	if (peer->is_unix)
		return false; /* they have no address of their own */
	pthread_mutex_lock(&sh->lock);
	row = popped_find(sh, peer);
	recent = row && (row->open > 0 || now_ms - row->left_ms <= within_ms);
	pthread_mutex_unlock(&sh->lock);
	return recent;
}

void
shared_person_came(struct shared *sh, uint64_t user_id)
{
	pthread_mutex_lock(&sh->lock);
	person_add(sh, user_id);
	pthread_mutex_unlock(&sh->lock);
}

static void
people_fini(struct shared *sh)
{
	struct list *at;

	while ((at = list_take_first(&sh->people.by_age))) {
		struct person_row *row = LIST_ITEM(at, struct person_row, age);

		list_remove(&row->link);
		free(row);
	}
	sh->people.count = 0;
}

void
shared_people_forget(struct shared *sh)
{
	pthread_mutex_lock(&sh->lock);
	people_fini(sh);
	pthread_mutex_unlock(&sh->lock);
}

size_t
shared_people(struct shared *sh)
{
	size_t count;

	pthread_mutex_lock(&sh->lock);
	count = sh->people.count;
	pthread_mutex_unlock(&sh->lock);
	return count;
}

void
popped_sweep(struct shared *sh, int64_t now_ms)
{
	struct list *at, *following;

	list_for_each(at, following, &sh->popped.by_age) {
		struct popped_row *row = LIST_ITEM(at, struct popped_row, age);

		if (row->open == 0 && now_ms - row->left_ms > SHARED_POPPED_KEEP_MS)
			popped_drop(sh, row);
	}
}

void
popped_fini(struct shared *sh)
{
	struct list *link;

	while ((link = list_take_first(&sh->popped.by_age)))
		free(LIST_ITEM(link, struct popped_row, age));
	people_fini(sh);
}
