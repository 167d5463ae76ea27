/*
 * intake_digest.c - which bytes, and hashing them slice by slice.
 */
#include "server/queue/intake_digest.h"

#include "server/net/work.h"
#include "server/queue/intake_body.h"
#include "store/bodies.h"
#include "store/store.h"

#define SLICE_BYTES (1024 * 1024) /* read in one snapshot: some ms */

/* Bytes of the body as it came. */
struct intake_hashing {
	struct work work;
	struct intake *in;
	void (*done)(struct intake *in);
	uint64_t at, to;
	enum err err;
};

static const struct plan_copy *
archive_copy(const struct plan *plan)
{
	const struct plan_copy *copy = plan->copies;

	while (copy && copy->kind != COPY_STORE)
		copy = copy->next;
	return copy;
}

/* The range that the archive keeps and nobody has hashed. */
static bool
find_range(const struct intake *in, struct intake_hashing *h)
{
	const struct plan_copy *copy = archive_copy(&in->plan);
	const struct plan_version *version = copy ? copy->version : NULL;

	if (!copy || in->failed != OK || in->flushed == 0)
		return false;
	h->to = in->body_size;
	if (!version || version->piece_count == 0)
		return !in->digest.begun || in->digest.fed != in->body_size;
	if (version->piece_count > 1 || version->pieces[0].text.len > 0 ||
		version->pieces[0].from > in->body_size ||
		version->pieces[0].size > in->body_size - version->pieces[0].from)
		return false;
	h->at = version->pieces[0].from;
	h->to = h->at + version->pieces[0].size;
	return true;
}

static void
feed(struct intake_hashing *h, struct span piece)
{
	if (piece.len > h->to - h->at)
		piece.len = (size_t)(h->to - h->at);
	archive_digest_feed(&h->in->kept, piece);
	h->at += piece.len;
}

/* What lies in the store: up to a slice of it. */
static enum err
hash_stored(struct intake_hashing *h)
{
	uint64_t end = h->at + SLICE_BYTES;
	struct snapshot *snap;
	struct span piece;
	enum err err = snapshot_open(h->in->host->store, &snap);

	if (err != OK)
		return err;
	while (err == OK && h->at < h->to && h->at < h->in->flushed && h->at < end) {
		err = body_read(snap, h->in->body_id, h->at, &piece);
		if (err == OK)
			feed(h, piece);
	}
	snapshot_close(&snap);
	return err;
}

/* What follows in memory; it is lent, as to the writer. */
static void
hash_held(struct intake_hashing *h)
{
	uint64_t at = h->in->flushed;

	for (size_t i = 0; i < h->in->span_count && h->at < h->to; i++) {
		struct span piece = h->in->spans[i];

		if (h->at < at + piece.len)
			feed(h, span_from(piece, (size_t)(h->at - at)));
		at += piece.len;
	}
}

static void
hash_run(struct work *work)
{
	struct intake_hashing *h = LIST_ITEM(work, struct intake_hashing, work);

	archive_digest_feed(&h->in->kept, SPAN(""));
	while (h->err == OK && h->at < h->to && h->at < h->in->flushed)
		h->err = hash_stored(h);
	if (h->err == OK)
		hash_held(h);
}

static void
hash_done(struct work *work, enum err result)
{
	struct intake_hashing *h = LIST_ITEM(work, struct intake_hashing, work);

	h->in->failed = result != OK ? result : h->err == OK ? OK : ERR_IO;
	h->done(h->in);
}

bool
intake_digest_begin(struct intake *in, void (*done)(struct intake *in))
{
	struct intake_hashing *h = ARENA_NEW(&in->arena, struct intake_hashing);

	in->kept = (struct archive_digest){ .begun = false };
	if (!find_range(in, h))
		return false;
	if (!in->mail.body.spans)
		intake_body_spans(in);
	h->in = in;
	h->done = done;
	h->work = (struct work){ .loop = in->host->loop, .kind = WORK_GENERAL, .run = hash_run,
		.done = hash_done };
	list_init(&h->work.link);
	in->failed = workers_submit(in->host->workers, &h->work);
	return in->failed == OK;
}
