/*
 * shared_rules.c - the counters of rules; see rule_hits.h.
 */
#include <stdlib.h>

#include "server/log.h"
#include "server/host.h"
#include "server/rule_hits.h"
#include "server/pipeline/mail.h"
#include "server/shared_state.h"
#include "store/rule_hits.h"

#define HOUR_MS INT64_C(3600000)

struct rule_row {
	struct list link, dirty; /* DIRTY: in shared.rules_dirty, or empty */
	struct rule_hits hits;
};

void
rules_init(struct shared *sh)
{
	table_init(&sh->rules);
	list_init(&sh->rules_dirty);
}

void
rules_fini(struct shared *sh)
{
	struct list *link;

	for (size_t i = 0; i < BUCKETS; i++)
		while ((link = list_take_first(&sh->rules.buckets[i])))
			free(LIST_ITEM(link, struct rule_row, link));
}

static struct list *
bucket_of(struct shared *sh, uint64_t key)
{
	return &sh->rules.buckets[key % BUCKETS];
}

static struct rule_row *
row_find(struct shared *sh, uint64_t key)
{
	struct list *at, *following;

	list_for_each(at, following, bucket_of(sh, key)) {
		struct rule_row *row = LIST_ITEM(at, struct rule_row, link);

		if (row->hits.key == key)
			return row;
	}
	return NULL;
}

/* NULL: there are too many. */
static struct rule_row *
row_add(struct shared *sh, uint64_t key)
{
	struct rule_row *row;

	if (sh->rules.count >= RULE_HIT_ROWS_MAX)
		return NULL;
	row = calloc(1, sizeof(*row));
	ENSURE(row);
	row->hits.key = key;
	list_init(&row->dirty);
	list_append(bucket_of(sh, key), &row->link);
	sh->rules.count++;
	return row;
}

/* Hours that went by since begin at nothing. */
static void
turn_hours(struct rule_hits *hits, uint64_t hour)
{
	uint64_t gone = hour > hits->hour ? hour - hits->hour : 0;

	for (uint64_t i = 1; i <= gone && i <= RULE_HIT_HOURS; i++)
		hits->hours[(hits->hour + i) % RULE_HIT_HOURS] = 0;
	hits->hour += gone;
}

static void
row_count(struct shared *sh, uint64_t key, unsigned times, int64_t now_ms)
{
	struct rule_row *row = row_find(sh, key);

	if (!row && !(row = row_add(sh, key)))
		return;
	turn_hours(&row->hits, (uint64_t)(now_ms / HOUR_MS));
	row->hits.hours[row->hits.hour % RULE_HIT_HOURS] += times;
	row->hits.total += times;
	row->hits.last_ms = now_ms;
	if (list_is_empty(&row->dirty))
		list_append(&sh->rules_dirty, &row->dirty);
}

static void
log_hit(struct host *host, const struct mail *mail, const char *session, const struct plan_hit *hit)
{
	log_put(host->log, &(struct log_line){ .level = LEVEL_INFO, .area = "rules",
				   .session = session, .message = mail->id,
				   .text = "an SMTP rule holds",
				   .fields = { { "rule", .number = hit->number }, { "name", hit->name },
					   { "action", hit->sign },
					   { "from", mail->envelope.reverse_path.text },
					   { "times", .number = hit->times } } });
}

void
rule_hits_count(struct host *host, const struct mail *mail, struct plan *plan)
{
	const char *session = arena_text(plan->arena, mail->session);
	int64_t now_ms = host_now_ms(host);

	for (const struct plan_hit *hit = plan->hits; hit; hit = hit->next) {
		log_hit(host, mail, session, hit);
		pthread_mutex_lock(&host->shared->lock);
		row_count(host->shared, hit->key, hit->times, now_ms);
		pthread_mutex_unlock(&host->shared->lock);
	}
	plan->hits = NULL;
}

void
rule_hits_add(struct host *host, uint64_t key)
{
	int64_t now_ms = host_now_ms(host);

	pthread_mutex_lock(&host->shared->lock);
	row_count(host->shared, key, 1, now_ms);
	pthread_mutex_unlock(&host->shared->lock);
}

struct rule_hit_counts
rule_hits_of(struct shared *sh, uint64_t key, int64_t now_ms)
{
	struct rule_hit_counts out = { 0 };
	struct rule_row *row;

	pthread_mutex_lock(&sh->lock);
	row = row_find(sh, key);
	if (row) {
		turn_hours(&row->hits, (uint64_t)(now_ms / HOUR_MS));
		out.total = row->hits.total;
		out.last_ms = row->hits.last_ms;
		for (size_t i = 0; i < RULE_HIT_HOURS; i++)
			out.day += row->hits.hours[i];
	}
	pthread_mutex_unlock(&sh->lock);
	return out;
}

/* ---- the store ---- */

void
rule_hits_load(struct host *front)
{
	struct snapshot *snap = host_snapshot(front);
	struct shared *sh = front->shared;
	struct rule_hits hits = { .key = 0 };
	struct rule_row *row;

	pthread_mutex_lock(&sh->lock);
	while (snap && rule_hits_next(snap, hits.key, &hits) == OK && (row = row_add(sh, hits.key)))
		row->hits = hits;
	pthread_mutex_unlock(&sh->lock);
}

/* A slice, taken out at once: the lock is not held over the store. */
static size_t
take_dirty(struct shared *sh, struct rule_hits *out, bool *more)
{
	struct list *link;
	size_t count = 0;

	pthread_mutex_lock(&sh->lock);
	while (count < RULE_HITS_SLICE && (link = list_take_first(&sh->rules_dirty))) {
		list_init(link);
		out[count++] = LIST_ITEM(link, struct rule_row, dirty)->hits;
	}
	*more = !list_is_empty(&sh->rules_dirty);
	pthread_mutex_unlock(&sh->lock);
	return count;
}

enum err
rule_hits_write(struct shared *sh, struct txn *txn, bool *more)
{
	struct rule_hits *slice = ARENA_ARRAY(txn_arena(txn), struct rule_hits, RULE_HITS_SLICE);
	size_t count = take_dirty(sh, slice, more);
	enum err err = OK;

	for (size_t i = 0; i < count && err == OK; i++)
		err = rule_hits_put(txn, &slice[i]);
	return err;
}
