/*
 * changes.c - the audit and undo log: recording, reading, forgetting. The way back is in
 * change_undo.c.
 *
 *   changes       change_id           who, what, when, state
 *   change_rows   change_id row_no    table, key, image before, image after
 */
#include "store/changes.h"

#include <stdlib.h>

#include "store/change_rows.h"
#include "store/ids.h"

#define PRUNE_ROWS 400 /* images that one slice drops at most */

const char *const change_state_words[] = { "can undo", "undone", "too old", "cannot", NULL };

#define CHANGE_FIELDS(X)                                                                           \
	X(time_ms, 1, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                    \
	X(who, 2, FIELD_TEXT, CHANGE_TEXT_MAX, NULL, FIELD_SHOWN)                                  \
	X(via, 3, FIELD_TEXT, CHANGE_TEXT_MAX, NULL, FIELD_SHOWN)                                  \
	X(what, 4, FIELD_TEXT, CHANGE_TEXT_MAX, NULL, FIELD_SHOWN)                                 \
	X(object, 5, FIELD_TEXT, CHANGE_TEXT_MAX, NULL, FIELD_SHOWN)                               \
	X(state, 6, FIELD_WORD, 3, change_state_words, FIELD_SHOWN)                                \
	X(reason, 7, FIELD_TEXT, CHANGE_TEXT_MAX, NULL, FIELD_SHOWN)                               \
	X(rows, 8, FIELD_COUNT, UINT64_MAX, NULL, FIELD_SHOWN)                                     \
	X(bytes, 9, FIELD_COUNT, UINT64_MAX, NULL, FIELD_SHOWN)                                    \
	X(undo_of, 10, FIELD_ID, UINT64_MAX, NULL, FIELD_SHOWN)                                    \
	X(undone_by, 11, FIELD_ID, UINT64_MAX, NULL, FIELD_SHOWN)                                  \
	X(config_no, 12, FIELD_COUNT, UINT64_MAX, NULL, FIELD_SHOWN)

static const struct field fields[] = {
#define X(name, tag, kind, max, words, flags)                                                      \
	FIELD_ROW(change, name, tag, kind, max, words, flags)
	CHANGE_FIELDS(X)
#undef X
};

static const struct change defaults;

const struct field_table change_table = { fields, COUNT(fields), &defaults,
	sizeof(struct change) };

/* ---- the log ---- */

enum err
change_find(struct snapshot *snap, uint64_t change_id, struct change *out)
{
	struct key key;
	enum err err;

	key_u64(&key, change_id);
	err = row_get_fields(snap, TABLE_changes, &key, &change_table, out);
	out->change_id = change_id;
	return err;
}

enum err
change_prev(struct snapshot *snap, uint64_t change_id, struct change *out)
{
	struct key key;
	struct row row;
	struct span at;
	enum err err;

	key_u64(&key, change_id == 0 ? UINT64_MAX : change_id);
	err = table_seek_before(snap, TABLE_changes, &key, &row);
	if (err != OK)
		return err;
	at = row.key;
	err = row_fields(snap, TABLE_changes, &row, &change_table, out);
	return err == OK ? key_take_u64(&at, &out->change_id) : err;
}

enum err
change_last(struct snapshot *snap, struct change *out)
{
	uint64_t at = 0;

	for (unsigned looks = 0; looks < CHANGE_LAST_LOOKS; looks++) {
		enum err err = change_prev(snap, at, out);

		if (err != OK || (out->state == CHANGE_CAN_UNDO && out->undo_of == 0))
			return err;
		at = out->change_id;
	}
	return ERR_NOT_FOUND;
}

enum err
change_put(struct txn *txn, const struct change *change)
{
	struct key key;

	key_u64(&key, change->change_id);
	return row_put_fields(txn, TABLE_changes, &key, &change_table, change);
}

/* ---- recording ---- */

enum err
change_begin(struct change_recorder *recorder, struct txn *txn, const struct change_start *start)
{
	ENSURE(txn_recorder(txn) == NULL);
	*recorder = (struct change_recorder){ .txn = txn, .start = *start };
	recorder->change_id = id_next(txn, COUNTER_change);
	txn_set_recorder(txn, recorder);
	return OK;
}

enum err
change_continue(struct change_recorder *recorder, struct txn *txn, uint64_t change_id)
{
	struct change old;
	enum err err = change_find(txn_view(txn), change_id, &old);

	if (err != OK)
		return err;
	ENSURE(txn_recorder(txn) == NULL);
	*recorder = (struct change_recorder){ .txn = txn, .change_id = change_id };
	recorder->rows = old.rows;
	recorder->bytes = old.bytes;
	recorder->continued = true;
	txn_set_recorder(txn, recorder);
	return OK;
}

#define ROW_BEFORE 1 /* bits of the byte in front of the images */
#define ROW_AFTER 2

static enum err
image_put(struct change_recorder *recorder, struct txn *txn, const struct change_row *row)
{
	size_t max = RECORD_HEAD + 64 + row->key.len + row->before.len + row->after.len;
	char *room = malloc(max);
	struct record_out out;
	struct key key;
	enum err err;

	ENSURE(room != NULL);
	key_u64_u64(&key, recorder->change_id, recorder->rows);
	record_begin(&out, room, max, ROW_VERSION);
	record_put_u8(&out, (row->existed ? ROW_BEFORE : 0) | (row->exists ? ROW_AFTER : 0));
	record_put_span(&out, row->table);
	record_put_span(&out, row->key);
	record_put_span(&out, row->before);
	record_put_span(&out, row->after);
	recorder->rows++;
	recorder->bytes += out.len;
	err = table_append_record(txn, TABLE_change_rows, &key, &out);
	free(room);
	return err;
}

enum err
change_record_row(struct txn *txn, const struct change_row *row)
{
	struct change_recorder *recorder = txn_recorder(txn);

	if (recorder == NULL || recorder->too_large)
		return OK;
	if (recorder->rows >= CHANGE_ROWS_MAX ||
		recorder->bytes + row->before.len + row->after.len > CHANGE_BYTES_MAX) {
		recorder->too_large = true;
		return OK;
	}
	return image_put(recorder, txn, row);
}

enum err
change_record(struct txn *txn, enum store_table table, const struct key *key,
	const struct span *before, const struct span *after)
{
	if (table == TABLE_changes)
		return OK;
	return change_record_row(txn, &(struct change_row){
		.table = span_of(store_table_name(table)),
		.key = key_span(key),
		.existed = before != NULL,
		.exists = after != NULL,
		.before = before != NULL ? *before : SPAN_NONE,
		.after = after != NULL ? *after : SPAN_NONE,
	});
}

static struct span
cut(struct span text)
{
	return span_range(text, 0, CHANGE_TEXT_MAX);
}

static struct change
change_of(const struct change_recorder *recorder)
{
	const struct change_start *start = &recorder->start;

	return (struct change){
		.change_id = recorder->change_id,
		.time_ms = start->now_ms,
		.who = cut(start->who),
		.via = cut(start->via),
		.what = cut(start->what),
		.object = cut(start->object),
		.state = start->cannot.len > 0 ? CHANGE_CANNOT : CHANGE_CAN_UNDO,
		.reason = cut(start->cannot),
		.undo_of = start->undo_of,
		.config_no = start->config_no,
	};
}

enum err
change_end(struct change_recorder *recorder)
{
	struct txn *txn = recorder->txn;
	struct change change;
	enum err err = OK;

	txn_set_recorder(txn, NULL);
	if (recorder->continued)
		err = change_find(txn_view(txn), recorder->change_id, &change);
	else
		change = change_of(recorder);
	if (err != OK)
		return err;
	if (recorder->start.object.len > 0) /* more may be known of it than at the begin */
		change.object = cut(recorder->start.object);
	change.rows = recorder->rows;
	change.bytes = recorder->bytes;
	if (recorder->too_large) {
		change.state = CHANGE_CANNOT;
		change.reason = SPAN("too many rows to be kept");
	}
	return change_put(txn, &change);
}

enum err
change_set_undone(struct txn *txn, uint64_t change_id, uint64_t undo_id)
{
	struct change change;
	enum err err = change_find(txn_view(txn), change_id, &change);

	if (err != OK)
		return err;
	change.state = CHANGE_UNDONE;
	change.undone_by = undo_id;
	return change_put(txn, &change);
}

/* ---- images ---- */

enum err
change_row_find(
	struct snapshot *snap, uint64_t change_id, uint64_t row_no, struct change_row *out)
{
	struct record_in in;
	struct key key;
	uint8_t bits;
	enum err err;

	key_u64_u64(&key, change_id, row_no);
	err = table_get_record(snap, TABLE_change_rows, &key, ROW_VERSION, &in);
	if (err != OK)
		return err;
	bits = record_take_u8(&in);
	out->existed = bits & ROW_BEFORE;
	out->exists = bits & ROW_AFTER;
	out->table = record_take_span(&in);
	out->key = record_take_span(&in);
	out->before = record_take_span(&in);
	out->after = record_take_span(&in);
	return record_end(&in);
}

/* ---- forgetting ---- */

/* Delete images of CHANGE_ID, as many as *room allows; *gone: none is left. */
static enum err
images_drop(struct txn *txn, uint64_t change_id, unsigned *room, bool *gone)
{
	struct key prefix, key;
	struct row row;
	enum err err = OK;

	*gone = false;
	key_u64(&prefix, change_id);
	while (*room > 0 && err == OK) {
		err = table_seek(txn_view(txn), TABLE_change_rows, &prefix, &row);
		if (err == OK && !row_has_prefix(&row, &prefix))
			err = ERR_NOT_FOUND;
		*gone = err == ERR_NOT_FOUND;
		if (err != OK)
			break;
		key_name(&key, row.key); /* the row's own lies in the map */
		err = table_delete(txn, TABLE_change_rows, &key);
		--*room;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* The change whose images are the oldest kept. */
static enum err
oldest_with_images(struct snapshot *snap, uint64_t *change_id)
{
	struct key key;
	struct row row;
	enum err err;

	key_begin(&key);
	err = table_seek(snap, TABLE_change_rows, &key, &row);
	return err == OK ? key_take_u64(&row.key, change_id) : err;
}

/* CHANGE has no images any more: it counts for no bytes, and there is no way back. */
static enum err
change_grow_old(struct txn *txn, uint64_t change_id)
{
	struct change change;
	enum err err = change_find(txn_view(txn), change_id, &change);

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	change.bytes = 0;
	if (change.state == CHANGE_CAN_UNDO)
		change.state = CHANGE_TOO_OLD;
	return change_put(txn, &change);
}

static enum err
drop_oldest_images(struct txn *txn)
{
	unsigned room = PRUNE_ROWS;
	uint64_t change_id;
	bool gone;
	enum err err = oldest_with_images(txn_view(txn), &change_id);

	if (err == OK)
		err = change_grow_old(txn, change_id); /* first: half of the images are of no use */
	if (err == OK)
		err = images_drop(txn, change_id, &room, &gone);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
drop_oldest_change(struct txn *txn)
{
	unsigned room = PRUNE_ROWS;
	struct key key;
	struct row row;
	uint64_t change_id;
	bool gone;
	enum err err;

	key_begin(&key);
	err = table_seek(txn_view(txn), TABLE_changes, &key, &row);
	if (err == OK)
		err = key_take_u64(&row.key, &change_id);
	if (err == OK)
		err = images_drop(txn, change_id, &room, &gone);
	if (err != OK || !gone)
		return err;
	key_u64(&key, change_id);
	return row_delete(txn, TABLE_changes, &key);
}

enum err
changes_prune(struct txn *txn, bool *more)
{
	struct counts counts;
	enum err err = counts_get(txn_view(txn), &counts);

	*more = false;
	if (err != OK)
		return err;
	if (counts.at[COUNT_changes] > CHANGES_MAX) {
		*more = true;
		return drop_oldest_change(txn);
	}
	if (counts.at[COUNT_change_bytes] > CHANGES_UNDO_BYTES_MAX) {
		*more = true;
		return drop_oldest_images(txn);
	}
	return OK;
}
