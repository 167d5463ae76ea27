/*
 * route_records.c - records in a row behind a lock that is held for a microsecond.
 */
#include "server/queue/route_records.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/queue/outcome.h"

struct record {
	char name[QUEUED_ROUTE_MAX];
	size_t name_len;
	int64_t used_ms;
	struct route_record record;
};

struct route_records {
	pthread_mutex_t lock;
	struct record *items[ROUTE_RECORDS_MAX];
	size_t count;
};

struct route_records *
route_records_new(void)
{
	struct route_records *r = calloc(1, sizeof(*r));

	ENSURE(r && pthread_mutex_init(&r->lock, NULL) == 0);
	return r;
}

void
route_records_free(struct route_records **rp)
{
	struct route_records *r = *rp;

	*rp = NULL;
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++)
		free(r->items[i]);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static struct record *
find(const struct route_records *r, struct span name)
{
	for (size_t i = 0; i < r->count; i++)
		if (span_eq_nocase((struct span){ r->items[i]->name, r->items[i]->name_len }, name))
			return r->items[i];
	return NULL;
}

/* A new one, or the place of the one that was used least lately. */
static struct record *
make_room(struct route_records *r)
{
	struct record *oldest = NULL;

	if (r->count < ROUTE_RECORDS_MAX) {
		oldest = r->items[r->count++] = calloc(1, sizeof(*oldest));
		ENSURE(oldest);
		return oldest;
	}
	for (size_t i = 0; i < r->count; i++)
		if (!oldest || r->items[i]->used_ms < oldest->used_ms)
			oldest = r->items[i];
	return oldest;
}

static struct record *
record_of(struct route_records *r, struct span name)
{
	struct record *record;

	name = span_range(name, 0, QUEUED_ROUTE_MAX);
	record = find(r, name);
	if (record)
		return record;
	record = make_room(r);
	*record = (struct record){ .name_len = name.len };
	memcpy(record->name, name.ptr, name.len);
	return record;
}

static void
count_row(struct route_record *record, const struct outcome *o, const struct outcome_row *row,
	int64_t now_ms)
{
	record->sent += row->kind == OUTCOME_SENT;
	record->deferred += row->kind == OUTCOME_DEFERRED;
	record->failed += row->kind == OUTCOME_FAILED;
	if (row->kind == OUTCOME_SENT) {
		record->last_sent_ms = now_ms;
		return;
	}
	record->last_error_ms = now_ms;
	outcome_text(o, row, record->last_error, sizeof(record->last_error));
}

void
route_records_note(struct route_records *r, const struct outcome *o, int64_t now_ms)
{
	struct record *record;

	if (o->route.len == 0)
		return;
	pthread_mutex_lock(&r->lock);
	record = record_of(r, o->route);
	record->used_ms = now_ms;
	for (size_t i = 0; i < o->count; i++)
		count_row(&record->record, o, &o->rows[i], now_ms);
	pthread_mutex_unlock(&r->lock);
}

void
route_records_find(struct route_records *r, struct span route, struct route_record *out)
{
	const struct record *record;

	*out = (struct route_record){ 0 };
	pthread_mutex_lock(&r->lock);
	record = find(r, span_range(route, 0, QUEUED_ROUTE_MAX));
	if (record)
		*out = record->record;
	pthread_mutex_unlock(&r->lock);
}
