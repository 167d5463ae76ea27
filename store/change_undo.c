/*
 * change_undo.c - the way back from a change.
 *
 * Rows are taken from the last to the first, so that a row that was written twice passes through
 * its states. A row may be put back only where it still is as the change left it.
 */
#include <stdlib.h>
#include <string.h>

#include "store/change_rows.h"

/* The table of that name; false where this server has none. */
static bool
table_of(struct span name, enum store_table *out)
{
	for (int i = 0; i < TABLE_COUNT; i++) {
		if (span_eq(span_of(store_table_name((enum store_table)i)), name)) {
			*out = (enum store_table)i;
			return true;
		}
	}
	return false;
}

/* Words for a row: its table and its key, a number where it is one. */
static enum err
name_row(const struct change_row *row, struct buf *out)
{
	struct span key = row->key;
	uint64_t number;
	enum err err = buf_put(out, row->table);

	if (err == OK)
		err = buf_put_char(out, ' ');
	if (err != OK)
		return err;
	if (span_eq(row->table, SPAN("names")))
		return buf_put(out, key);
	return key_take_u64(&key, &number) == OK ? buf_put_u64(out, number) : OK;
}

/* Is the row as the change left it? */
static enum err
row_is_untouched(struct snapshot *snap, enum store_table table, const struct change_row *row,
	bool *untouched)
{
	struct span now = SPAN_NONE;
	struct key key;
	enum err err;

	key_name(&key, row->key);
	err = table_get(snap, table, &key, &now);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	*untouched = (err == OK) == row->exists && (err != OK || span_eq(now, row->after));
	return OK;
}

static enum err
clash(const struct change_row *row, struct buf *object)
{
	if (object != NULL && name_row(row, object) != OK)
		buf_clear(object); /* no room for the words: the error says enough */
	return ERR_EXISTS;
}

/* May the change be undone at all? */
static enum err
undo_allowed(struct snapshot *snap, uint64_t change_id, struct change *change)
{
	enum err err = change_find(snap, change_id, change);

	if (err != OK)
		return err;
	if (change->state != CHANGE_CAN_UNDO || change->config_no != 0)
		return ERR_DENIED;
	return OK;
}

/* A later row of this change on the same key: then that one is held against the store. */
static bool
row_is_superseded(
	struct snapshot *snap, uint64_t change_id, uint64_t row_no, const struct change_row *row)
{
	struct change_row later;

	while (change_row_find(snap, change_id, ++row_no, &later) == OK) {
		if (span_eq(later.key, row->key) && span_eq(later.table, row->table))
			return true;
	}
	return false;
}

enum err
change_undo_check(struct snapshot *snap, uint64_t change_id, struct buf *object)
{
	struct change change;
	struct change_row row;
	enum store_table table;
	bool untouched;
	enum err err = undo_allowed(snap, change_id, &change);

	for (uint64_t i = 0; err == OK && i < change.rows; i++) {
		err = change_row_find(snap, change_id, i, &row);
		if (err == OK && !table_of(row.table, &table))
			err = ERR_DENIED;
		if (err == OK)
			err = row_is_untouched(snap, table, &row, &untouched);
		if (err == OK && !untouched && !row_is_superseded(snap, change_id, i, &row))
			err = clash(&row, object);
	}
	return err;
}

/* Put one row back. Its images lie in the map, which writing moves: a copy is written. */
static enum err
row_undo(struct txn *txn, const struct change_row *row, struct buf *object)
{
	enum store_table table;
	struct key key;
	bool untouched;
	char *copy;
	enum err err;

	if (!table_of(row->table, &table))
		return ERR_DENIED;
	err = row_is_untouched(txn_view(txn), table, row, &untouched);
	if (err != OK)
		return err;
	if (!untouched)
		return clash(row, object);
	key_name(&key, row->key);
	if (!row->existed)
		return row->exists ? row_delete(txn, table, &key) : OK;
	copy = malloc(row->before.len + 1);
	ENSURE(copy != NULL);
	if (row->before.len > 0)
		memcpy(copy, row->before.ptr, row->before.len);
	err = row_put(txn, table, &key, (struct span){ copy, row->before.len });
	free(copy);
	return err;
}

static enum err
rows_undo(struct txn *txn, uint64_t change_id, uint64_t rows, struct buf *object)
{
	enum err err = OK;

	while (rows > 0 && err == OK) {
		struct change_row row;

		err = change_row_find(txn_view(txn), change_id, --rows, &row);
		if (err == OK)
			err = row_undo(txn, &row, object);
	}
	return err;
}

/* What the undone change was called, for the row of the undo. */
struct undo_words {
	char what[CHANGE_TEXT_MAX], object[CHANGE_TEXT_MAX];
};

static struct span
copy_words(struct span text, char *room)
{
	size_t len = text.len < CHANGE_TEXT_MAX ? text.len : CHANGE_TEXT_MAX;

	if (len > 0)
		memcpy(room, text.ptr, len);
	return (struct span){ room, len };
}

enum err
change_undo(struct txn *txn, uint64_t change_id, const struct change_start *start,
	struct buf *object, uint64_t *undo_id)
{
	struct change_recorder recorder;
	struct change_start undo = *start;
	struct undo_words words;
	struct change change;
	enum err err = undo_allowed(txn_view(txn), change_id, &change);

	if (err != OK)
		return err;
	undo.what = copy_words(change.what, words.what);
	undo.object = copy_words(change.object, words.object);
	undo.undo_of = change_id;
	err = change_begin(&recorder, txn, &undo);
	if (err != OK)
		return err;
	*undo_id = recorder.change_id;
	err = rows_undo(txn, change_id, change.rows, object);
	if (err != OK) {
		txn_set_recorder(txn, NULL);
		return err;
	}
	err = change_end(&recorder);
	if (err == OK)
		err = change_set_undone(txn, change_id, recorder.change_id);
	return err;
}
