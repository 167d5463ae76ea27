/*
 * downgrade.c - the worker's way through a stored message, and its new body for who signs it.
 */
#include "server/queue/downgrade.h"

#include <stdlib.h>

#include "server/queue/derive_stored.h"
#include "store/bodies.h"
#include "store/store.h"

struct downgrade *
downgrade_hold(struct downgrade *d)
{
	d->holders++;
	return d;
}

void
downgrade_release(struct downgrade **dp)
{
	struct downgrade *d = *dp;

	*dp = NULL;
	if (!d || --d->holders > 0)
		return;
	arena_reset(&d->arena);
	free(d);
}

/* ---- on a worker ---- */

struct looking {
	struct store *store;
	struct content content; /* its spans are the arena's */
	struct mime_derived derived;
	struct mime_downgrade_look look;
	uint64_t at; /* of the body */
};

static enum err
open_content(struct looking *l, uint64_t content_id, struct arena *a)
{
	struct mime_derived derived;
	struct snapshot *snap;
	struct span made;
	enum err err = snapshot_open(l->store, &snap);

	if (err != OK)
		return err;
	err = content_get(snap, content_id, &l->content);
	if (err == OK)
		err = derived_of(snap, &l->content, UINT64_MAX, a, &derived, &made);
	if (err == OK) {
		l->content.header = arena_copy(a, l->content.header);
		l->content.derived = made.len > 0 ? made : arena_copy(a, l->content.derived);
		err = mime_derived_open(l->content.derived, l->content.header, &l->derived);
	}
	snapshot_close(&snap);
	return err;
}

/* Under one snapshot, for a while. */
static enum err
look_slice(struct looking *l)
{
	int64_t end_ms = work_clock_ms() + DOWNGRADE_SLICE_MS;
	struct snapshot *snap;
	struct span piece;
	enum err err = snapshot_open(l->store, &snap);

	if (err != OK)
		return err;
	while (err == OK && l->at < l->content.body_size && work_clock_ms() < end_ms) {
		err = body_read(snap, l->content.body_id, l->at, &piece);
		if (err != OK)
			break;
		mime_downgrade_look(&l->look, piece);
		l->at += piece.len;
	}
	snapshot_close(&snap);
	return err;
}

static void
downgrading_run(struct work *work)
{
	struct downgrading *g = LIST_ITEM(work, struct downgrading, work);
	struct arena *a = &g->made->arena;
	struct looking *l = ARENA_NEW(a, struct looking);

	l->store = g->store;
	g->err = open_content(l, g->content_id, a);
	if (g->err != OK)
		return;
	mime_downgrade_init(&l->look, a, &l->derived);
	mime_downgrade_look(&l->look, l->content.header);
	while (g->err == OK && l->at < l->content.body_size)
		g->err = look_slice(l);
	if (g->err == OK)
		g->err = mime_downgrade_end(&l->look, &g->made->plan);
}

/* ---- on the loop ---- */

static void
downgrading_done(struct work *work, enum err result)
{
	struct downgrading *g = LIST_ITEM(work, struct downgrading, work);

	if (result != OK)
		g->err = result;
	g->lent = false;
	if (g->body_id != 0)
		body_unpin(g->store, g->body_id);
	if (g->err != OK)
		downgrade_release(&g->made);
	g->done(g);
}

void
downgrading_begin(struct downgrading *g, struct host *host, uint64_t content_id, uint64_t body_id)
{
	struct downgrade *made = calloc(1, sizeof(*made));

	ENSURE(made && !g->lent);
	arena_init(&made->arena, NULL);
	made->holders = 1;
	g->made = made;
	g->store = host->store;
	g->content_id = content_id;
	g->body_id = body_id;
	if (body_id != 0)
		body_pin(g->store, body_id);
	g->lent = true;
	g->work = (struct work){ .loop = host->loop, .kind = WORK_GENERAL, .run = downgrading_run,
		.done = downgrading_done };
	list_init(&g->work.link);
	if (workers_submit(host->workers, &g->work) != OK)
		downgrading_done(&g->work, ERR_BUSY);
}

/* ---- for who signs it ---- */

struct reader {
	struct downgrade *held;
	struct mime_downgrade_run run;
	uint64_t body_id, at;
	struct buf out;
};

static enum err
reader_next(void *arg, struct snapshot *snap, struct span *piece)
{
	struct reader *r = arg;
	enum err err = OK;

	buf_clear(&r->out);
	while (err == OK && buf_span(&r->out).len == 0) {
		struct span stored;

		err = body_read(snap, r->body_id, r->at, &stored);
		if (err != OK)
			break;
		r->at += stored.len;
		err = mime_downgrade_run_put(&r->run, stored, &r->out);
	}
	*piece = buf_span(&r->out);
	return err == ERR_NOT_FOUND ? OK : err;
}

static void
reader_release(void *arg)
{
	struct reader *r = arg;

	buf_fini(&r->out);
	downgrade_release(&r->held);
	free(r);
}

struct signing_body
downgrade_signing_body(struct downgrade *d, uint64_t body_id)
{
	struct reader *r = calloc(1, sizeof(*r));

	ENSURE(r);
	r->held = downgrade_hold(d);
	r->body_id = body_id;
	mime_downgrade_run_init(&r->run, &d->plan);
	buf_init(&r->out, MIME_DOWNGRADE_OUT_MAX);
	return (struct signing_body){ reader_next, reader_release, r };
}
