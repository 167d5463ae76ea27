/*
 * graves.c - freeing what nobody owns, in slices, some time after the last owner left.
 *
 * Keys begin with the time, so what is due stands at the front. A slice deletes GRAVE_SLICE_ROWS
 * rows at most; its place is in the tables themselves, so a crash in between loses nothing.
 */
#include "store/graves.h"

#include "store/bodies.h"
#include "store/messages.h"

#define GRAVE_VERSION 1

/* What one slice may still do. */
struct slice {
	struct txn *txn;
	size_t rows;
};

static void
grave_key(struct key *key, uint64_t bury_ms, enum grave_kind kind, uint64_t id)
{
	key_u64(key, bury_ms);
	key_put_u8(key, (uint8_t)kind);
	key_put_u64(key, id);
}

enum err
grave_add(struct txn *txn, uint64_t bury_ms, enum grave_kind kind, uint64_t id)
{
	char room[RECORD_HEAD];
	struct record_out out;
	struct key key;

	grave_key(&key, bury_ms, kind, id);
	record_begin(&out, room, sizeof(room), GRAVE_VERSION);
	return table_append_record(txn, TABLE_graves, &key, &out);
}

/* ---- one grave; *gone: nothing is left to do for it ---- */

static enum err
free_copy(struct slice *s, uint64_t copy_id, bool *gone)
{
	struct copy copy;
	struct key key;
	enum err err = copy_get(txn_view(s->txn), copy_id, &copy);

	*gone = true;
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	txn_content_pending(s->txn)->waited = true;
	err = content_own(s->txn, copy.content_id, -1);
	key_u64(&key, copy_id);
	s->rows--;
	return err == OK ? table_delete(s->txn, TABLE_copies, &key) : err;
}

static enum err
free_pieces(struct slice *s, uint64_t body_id, bool *gone)
{
	return body_delete_some(s->txn, body_id, &s->rows, gone);
}

static enum err
free_content(struct slice *s, uint64_t content_id, bool *gone)
{
	struct content c;
	uint64_t extra = 0;
	enum err err = content_get(txn_view(s->txn), content_id, &c);

	*gone = true;
	if (err != OK || c.owners > 0) /* somebody copied it meanwhile, or it is gone already */
		return err == ERR_NOT_FOUND ? OK : err;
	if (c.body_id)
		err = body_extra_owners(txn_view(s->txn), c.body_id, &extra);
	if (err == OK && c.body_id && extra == 0)
		err = free_pieces(s, c.body_id, gone);
	if (err == OK && extra > 0) {
		bool was_last;

		err = body_unshare(s->txn, c.body_id, &was_last);
	}
	return err == OK && *gone ? content_delete(s->txn, content_id) : err;
}

static bool
is_pinned(struct slice *s, enum grave_kind kind, uint64_t id)
{
	struct content c;

	if (kind == GRAVE_BODY)
		return body_is_pinned(txn_store(s->txn), id);
	if (kind != GRAVE_CONTENT || content_get(txn_view(s->txn), id, &c) != OK)
		return false;
	return body_is_pinned(txn_store(s->txn), c.body_id);
}

static enum err
free_one(struct slice *s, enum grave_kind kind, uint64_t id, bool *gone)
{
	switch (kind) {
	case GRAVE_COPY:
		return free_copy(s, id, gone);
	case GRAVE_CONTENT:
		return free_content(s, id, gone);
	case GRAVE_BODY:
		return free_pieces(s, id, gone);
	}
	return ERR_CORRUPT;
}

/* A full store needs the room now: no grave waits its hour (H43). Pins still hold. */
static uint64_t
due_until_ms(struct slice *s)
{
	return txn_now_ms(s->txn) + (store_is_full(txn_store(s->txn)) ? GRAVE_DELAY_MS : 0);
}

/* Open the grave at ROW, which is due. */
static enum err
open_grave(struct slice *s, const struct row *row)
{
	struct span at = span_from(row->key, sizeof(uint64_t));
	struct key key;
	uint8_t kind;
	uint64_t id;
	bool gone = true;
	enum err err;

	key_name(&key, row->key);
	if (key_take_u8(&at, &kind) != OK || key_take_u64(&at, &id) != OK)
		err = table_damaged(txn_view(s->txn), TABLE_graves, row->key, "key");
	else if (is_pinned(s, kind, id))
		err = grave_add(s->txn, due_until_ms(s) + GRAVE_PINNED_MS, kind, id);
	else
		err = free_one(s, kind, id, &gone);
	if (err == ERR_CORRUPT) { /* logged; it is for check, and others wait behind it */
		gone = true;
		err = OK;
	}
	if (s->rows > 0)
		s->rows--;
	return err == OK && gone ? table_delete(s->txn, TABLE_graves, &key) : err;
}

static enum err
open_due_graves(struct slice *s)
{
	struct key first;
	struct row row;
	uint64_t bury_ms;
	enum err err = OK;

	key_begin(&first);
	while (s->rows > 0 && err == OK) {
		struct span at;

		err = table_seek(txn_view(s->txn), TABLE_graves, &first, &row);
		if (err != OK)
			break;
		at = row.key;
		if (key_take_u64(&at, &bury_ms) == OK && bury_ms > due_until_ms(s))
			break;
		err = open_grave(s, &row);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- bodies that never got an owner (Q1) ---- */

/* A damaged row is passed over: check sees to it, and others wait behind it. */
static enum err
sweep_one(struct slice *s, const struct row *row, bool *too_young)
{
	struct span at = row->key;
	uint64_t body_id, since_ms;
	enum err err = body_arrived_ms(txn_view(s->txn), row, &since_ms);

	*too_young = err == OK && since_ms + ARRIVING_MAX_MS > txn_now_ms(s->txn);
	if (err != OK || *too_young)
		return err == ERR_CORRUPT ? OK : err;
	if (key_take_u64(&at, &body_id) != OK)
		return OK;
	s->rows--;
	return body_abandon(s->txn, body_id);
}

/* Ids rise with time, so the first that is too young ends it. */
static enum err
sweep_arriving(struct slice *s)
{
	struct key at;
	struct row row;
	bool too_young = false;
	enum err err = OK;

	key_begin(&at);
	while (s->rows > 0 && err == OK && !too_young) {
		err = table_seek(txn_view(s->txn), TABLE_arriving, &at, &row);
		if (err != OK)
			break;
		key_name(&at, row.key);
		key_put_u8(&at, 0); /* the next key there can be */
		err = sweep_one(s, &row, &too_young);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
graves_free_some(struct txn *txn, bool *more)
{
	struct slice s = { .txn = txn, .rows = GRAVE_SLICE_ROWS };
	enum err err = sweep_arriving(&s);

	if (err == OK)
		err = open_due_graves(&s);
	*more = err == OK && s.rows == 0;
	return err;
}

static enum step
graves_apply(struct store_job *job, struct txn *txn)
{
	bool more;

	job->err = graves_free_some(txn, &more);
	if (job->err != OK)
		return STEP_FAIL;
	return more ? STEP_MORE : STEP_DONE;
}

void
graves_job_init(struct graves_job *job)
{
	*job = (struct graves_job){ .job = { .apply = graves_apply, .patient = true } };
}
