/*
 * derive_stored.c - one pass over what is stored, and a list of records to be written back.
 */
#include "server/queue/derive_stored.h"

#include <stdlib.h>
#include <string.h>

#include "proto/mime/mime_parser.h"
#include "store/bodies.h"
#include "store/commit.h"

#define BATCH_MAX 64 /* records of one job: far less than 4 ms */

struct kept {
	struct list link;
	uint64_t content_id;
	size_t len;
	char bytes[];
};

struct derive_keeper {
	struct host *host;
	struct list waiting, written;
	size_t count, bytes; /* of both */
	struct store_job job;
	bool running, closed;
};

/* ---- making ---- */

static enum err
feed_body(struct mime_parser *p, struct snapshot *snap, const struct content *c)
{
	uint64_t at = 0;
	struct span piece;
	enum err err = OK;

	while (at < c->body_size && (err = body_read(snap, c->body_id, at, &piece)) == OK) {
		mime_parser_feed(p, piece);
		at += piece.len;
	}
	return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

enum err
derive_content(struct snapshot *snap, const struct content *c, struct buf *record)
{
	struct mime_parser *p;
	struct arena arena;
	enum err body, err;

	arena_init(&arena, NULL);
	p = ARENA_NEW(&arena, struct mime_parser);
	mime_parser_init(p, &arena);
	mime_parser_header(p, c->header);
	body = feed_body(p, snap, c);
	err = mime_parser_end(p, c->header, record);
	arena_reset(&arena);
	if (err != OK)
		buf_clear(record);
	return err == OK ? body : ERR_CORRUPT;
}

static enum err
derive(struct snapshot *snap, const struct content *c, struct arena *a, struct span *made)
{
	struct buf record;
	enum err err;

	buf_init(&record, MIME_RECORD_MAX);
	err = derive_content(snap, c, &record);
	if (err == OK)
		*made = arena_copy(a, buf_span(&record));
	buf_fini(&record);
	return err;
}

enum err
derived_of(struct snapshot *snap, const struct content *c, uint64_t max, struct arena *a,
	struct mime_derived *out, struct span *made)
{
	enum err err;

	*made = SPAN_NONE;
	if (c->veiled)
		return ERR_DENIED;
	if (mime_derived_open(c->derived, c->header, out) == OK)
		return OK;
	if (c->body_size > max)
		return ERR_LIMIT;
	err = derive(snap, c, a, made);
	return err == OK ? mime_derived_open(*made, c->header, out) : err;
}

/* ---- keeping ---- */

static void start_job(struct derive_keeper *keeper);

static void
free_all(struct derive_keeper *keeper, struct list *all)
{
	struct list *link;

	while ((link = list_take_first(all))) {
		struct kept *kept = LIST_ITEM(link, struct kept, link);

		keeper->count--;
		keeper->bytes -= kept->len;
		free(kept);
	}
}

static enum err
keep_one(struct txn *txn, const struct kept *kept)
{
	enum err err = content_set_derived(
		txn, kept->content_id, (struct span){ kept->bytes, kept->len });

	/* gone, or damaged, or the key is: no loss, and no reason to lose the others */
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT || err == ERR_DENIED ? OK : err;
}

static enum step
keep_apply(struct store_job *job, struct txn *txn)
{
	struct derive_keeper *keeper = LIST_ITEM(job, struct derive_keeper, job);
	struct list *at, *following;
	enum err err = OK;

	list_for_each(at, following, &keeper->written)
		if (err == OK)
			err = keep_one(txn, LIST_ITEM(at, struct kept, link));
	return step_of(job, err);
}

static void
keep_done(struct store_job *job, enum err result)
{
	struct derive_keeper *keeper = LIST_ITEM(job, struct derive_keeper, job);

	(void)result; /* what is not kept is made again */
	keeper->running = false;
	free_all(keeper, &keeper->written);
	if (keeper->closed)
		free(keeper);
	else
		start_job(keeper);
}

static void
start_job(struct derive_keeper *keeper)
{
	struct list *link;

	if (keeper->running)
		return;
	for (size_t i = 0; i < BATCH_MAX && (link = list_take_first(&keeper->waiting)); i++)
		list_append(&keeper->written, link);
	if (list_is_empty(&keeper->written))
		return;
	keeper->job = (struct store_job){ .apply = keep_apply, .done = keep_done,
		.inbox = keeper->host->inbox, .patient = true };
	keeper->running = true;
	if (store_submit(keeper->host->store, &keeper->job) == OK)
		return;
	keeper->running = false;
	free_all(keeper, &keeper->written);
}

static struct derive_keeper *
keeper_of(struct host *host)
{
	struct derive_keeper *keeper = host->derive_keeper;

	if (keeper)
		return keeper;
	keeper = calloc(1, sizeof(*keeper));
	ENSURE(keeper);
	keeper->host = host;
	list_init(&keeper->waiting);
	list_init(&keeper->written);
	host->derive_keeper = keeper;
	return keeper;
}

void
derive_keep(struct host *host, uint64_t content_id, struct span record)
{
	struct derive_keeper *keeper = keeper_of(host);
	struct kept *kept;

	if (record.len == 0 || keeper->count >= DERIVE_KEPT_MAX ||
		keeper->bytes >= DERIVE_KEPT_BYTES)
		return;
	kept = malloc(sizeof(*kept) + record.len);
	ENSURE(kept);
	kept->content_id = content_id;
	kept->len = record.len;
	memcpy(kept->bytes, record.ptr, record.len);
	list_append(&keeper->waiting, &kept->link);
	keeper->count++;
	keeper->bytes += record.len;
	start_job(keeper);
}

void
derive_keeper_close(struct derive_keeper **at)
{
	struct derive_keeper *keeper = *at;

	*at = NULL;
	if (!keeper)
		return;
	free_all(keeper, &keeper->waiting);
	keeper->closed = true;
	if (!keeper->running)
		free(keeper);
}

/* ---- by a worker ---- */

static void
derive_run(struct work *work)
{
	struct derive_work *w = LIST_ITEM(work, struct derive_work, work);
	struct mime_derived found;
	struct snapshot *snap;
	struct content c;

	w->err = snapshot_open(w->host->store, &snap);
	if (w->err != OK)
		return;
	w->err = content_get(snap, w->content_id, &c);
	if (w->err == OK)
		w->err = derived_of(snap, &c, UINT64_MAX, &w->arena, &found, &w->record);
	snapshot_close(&snap);
}

static void
derive_done(struct work *work, enum err result)
{
	struct derive_work *w = LIST_ITEM(work, struct derive_work, work);
	struct arena arena;

	if (result != OK)
		w->err = result;
	if (w->err == OK)
		derive_keep(w->host, w->content_id, w->record);
	arena = w->arena; /* done may free W */
	w->done(w);
	arena_reset(&arena);
}

enum err
derive_submit(struct host *host, struct derive_work *w)
{
	w->host = host;
	w->record = SPAN_NONE;
	w->err = ERR_BUSY;
	arena_init(&w->arena, NULL);
	w->work = (struct work){ .loop = host->loop, .kind = WORK_GENERAL, .run = derive_run,
		.done = derive_done };
	list_init(&w->work.link);
	return workers_submit(host->workers, &w->work);
}
