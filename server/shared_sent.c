/*
 * shared_sent.c - how many recipients elsewhere a user addressed within the last hour.
 *
 * Kept in twelve parts of five minutes each, so that the hour slides. In memory: a restart forgets,
 * which gives a thief one more hour's worth, and costs no commit a message.
 */
#include <stdlib.h>
#include <string.h>

#include "server/shared_state.h"

#define PARTS 12
#define SCRIPT_BIT (1ULL << 63)
#define PART_MS (SHARED_SENT_MS / PARTS)

struct sent_row {
	struct list link, age; /* by age: when it was last counted */
	uint64_t user_id;
	int64_t part_no; /* of the last part that holds something */
	int64_t told_ms; /* 0: nobody was told */
	uint64_t counts[PARTS];
};

static struct list *
sent_bucket(struct shared *sh, uint64_t user_id)
{
	return &sh->sent.buckets[hash_bytes(&user_id, sizeof(user_id)) % BUCKETS];
}

static struct sent_row *
sent_find(struct shared *sh, uint64_t user_id)
{
	struct list *at, *following;

	list_for_each(at, following, sent_bucket(sh, user_id)) {
		struct sent_row *row = LIST_ITEM(at, struct sent_row, link);

		if (row->user_id == user_id)
			return row;
	}
	return NULL;
}

static void
sent_drop(struct shared *sh, struct sent_row *row)
{
	list_remove(&row->link);
	list_remove(&row->age);
	sh->sent.count--;
	free(row);
}

static struct sent_row *
sent_new(struct shared *sh, uint64_t user_id, int64_t now_ms)
{
	struct sent_row *row = calloc(1, sizeof(*row));

	ENSURE(row);
	if (sh->sent.count >= SHARED_SENT_MAX)
		sent_drop(sh, LIST_ITEM(sh->sent.by_age.next, struct sent_row, age));
	row->user_id = user_id;
	row->part_no = now_ms / PART_MS;
	list_append(sent_bucket(sh, user_id), &row->link);
	list_append(&sh->sent.by_age, &row->age);
	sh->sent.count++;
	return row;
}

/* Forget the parts that are older than an hour. */
static void
sent_slide(struct sent_row *row, int64_t now_ms)
{
	int64_t part_no = now_ms / PART_MS;

	if (part_no - row->part_no >= PARTS)
		memset(row->counts, 0, sizeof(row->counts));
	else
		for (int64_t no = row->part_no + 1; no <= part_no; no++)
			row->counts[no % PARTS] = 0;
	if (part_no > row->part_no)
		row->part_no = part_no;
}

static uint64_t
sent_total(const struct sent_row *row)
{
	uint64_t total = 0;

	for (size_t i = 0; i < PARTS; i++)
		total += row->counts[i];
	return total;
}

uint64_t
shared_sent_take(struct shared *sh, uint64_t user_id, size_t count, int64_t now_ms)
{
	struct sent_row *row;
	uint64_t before;

	pthread_mutex_lock(&sh->lock);
	row = sent_find(sh, user_id);
	if (!row)
		row = sent_new(sh, user_id, now_ms);
	sent_slide(row, now_ms);
	before = sent_total(row);
	row->counts[row->part_no % PARTS] += count;
	list_remove(&row->age);
	list_append(&sh->sent.by_age, &row->age);
	pthread_mutex_unlock(&sh->lock);
	return before;
}

void
shared_sent_give_back(struct shared *sh, uint64_t user_id, size_t count)
{
	struct sent_row *row;

	pthread_mutex_lock(&sh->lock);
	row = sent_find(sh, user_id);
	for (size_t i = 0; row && i < PARTS && count > 0; i++) { /* the latest first */
		uint64_t *part = &row->counts[(row->part_no + PARTS - (int64_t)i) % PARTS];
		uint64_t less = *part < count ? *part : count;

		*part -= less;
		count -= less;
	}
	pthread_mutex_unlock(&sh->lock);
}

uint64_t
shared_sent(struct shared *sh, uint64_t user_id, int64_t now_ms)
{
	struct sent_row *row;
	uint64_t total = 0;

	pthread_mutex_lock(&sh->lock);
	row = sent_find(sh, user_id);
	if (row) {
		sent_slide(row, now_ms);
		total = sent_total(row);
	}
	pthread_mutex_unlock(&sh->lock);
	return total;
}

bool
shared_sent_tell(struct shared *sh, uint64_t user_id, int64_t now_ms)
{
	struct sent_row *row;
	bool tells;

	pthread_mutex_lock(&sh->lock);
	row = sent_find(sh, user_id);
	tells = row && (row->told_ms == 0 || now_ms - row->told_ms >= SHARED_SENT_MS);
	if (tells)
		row->told_ms = now_ms;
	pthread_mutex_unlock(&sh->lock);
	return tells;
}

/* Scripts stand in the same table, under numbers that no user has. */
bool
shared_script_tell(struct shared *sh, uint64_t user_id, int64_t now_ms)
{
	uint64_t number = user_id | SCRIPT_BIT;

	(void)shared_sent_take(sh, number, 0, now_ms);
	return shared_sent_tell(sh, number, now_ms);
}

void
sent_sweep(struct shared *sh, int64_t now_ms)
{
	struct list *at, *following;

	list_for_each(at, following, &sh->sent.by_age) {
		struct sent_row *row = LIST_ITEM(at, struct sent_row, age);

		if (now_ms / PART_MS - row->part_no < PARTS)
			break; /* the rest is younger */
		sent_drop(sh, row);
	}
}

void
sent_fini(struct shared *sh)
{
	struct list *link;

	while ((link = list_take_first(&sh->sent.by_age)))
		free(LIST_ITEM(link, struct sent_row, age));
}
