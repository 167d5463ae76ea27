/*
 * change_undo.c - the way back from a change.
 *
 * Rows are taken from the last to the first, so that a row that was written twice passes through
 * its states. A row may be put back only where it still is as the change left it. Revisions rise
 * all the same: two states of a row never have one number (H63).
 */
#include <stdlib.h>
#include <string.h>

#include "proto/mail/message_no.h"
#include "store/change_owner.h"
#include "store/change_rows.h"
#include "store/folder_ways.h"
#include "store/forwards.h"
#include "store/groups.h"
#include "store/indexes.h"
#include "store/maillists.h"
#include "store/message_ways.h"
#include "store/users.h"

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

/* Not a row of a table: a message that moved, what was done to a folder. */
static bool
is_way(const struct change_row *row)
{
	return span_eq(row->table, SPAN(MESSAGE_WAYS)) || folder_way_is(row);
}

/* The message in the queue; a row of `due` has a time in front. */
static enum err
name_queued(const struct change_row *row, struct buf *out)
{
	struct span key = row->key;
	uint64_t id = 0;
	enum err err = buf_put(out, SPAN("queue "));

	if (err == OK && span_eq(row->table, SPAN("due")))
		err = key_take_u64(&key, &id);
	if (err == OK)
		err = key_take_u64(&key, &id);
	return err == OK ? message_no_put(out, id) : err;
}

/* Words for a row: its table and its key, a number where it is one. */
static enum err
name_row(const struct change_row *row, struct buf *out)
{
	struct span key = row->key;
	uint64_t number;
	enum err err;

	if (span_eq(row->table, SPAN("queued")) || span_eq(row->table, SPAN("due")))
		return name_queued(row, out);
	err = buf_put(out, row->table);
	if (err == OK)
		err = buf_put_char(out, ' ');
	if (err != OK)
		return err;
	if (span_eq(row->table, SPAN("names")) || folder_way_is(row))
		return buf_put(out, folder_way_is(row) ? folder_way_name(row) : key);
	if (is_way(row)) {
		uint32_t uid = 0; /* behind the folder_id */

		key = span_from(key, 8);
		return key_take_u32(&key, &uid) == OK ? buf_put_u64(out, uid) : OK;
	}
	return key_take_u64(&key, &number) == OK ? buf_put_u64(out, number) : OK;
}

/* ---- rows with revisions ---- */

union revised_object {
	struct user user;
	struct group group;
	struct maillist maillist;
};

/* Tables whose rows count their changes, and the fields that count. */
static const struct revised {
	enum store_table table;
	const struct field_table *fields;
	const char *rising[2]; /* the second may be NULL */
} revised_tables[] = {
	{ TABLE_users, &user_table, { "revision", "password_revision" } },
	{ TABLE_groups, &group_table, { "revision", NULL } },
	{ TABLE_maillists, &maillist_table, { "revision", NULL } },
};

static const struct revised *
revised_of(enum store_table table)
{
	for (size_t i = 0; i < COUNT(revised_tables); i++) {
		if (revised_tables[i].table == table)
			return &revised_tables[i];
	}
	return NULL;
}

/* OBJECT's counting fields become those of NOW, and BY more. */
static void
revisions_follow(const struct revised *r, void *object, const void *now, uint64_t by)
{
	for (size_t i = 0; i < COUNT(r->rising) && r->rising[i] != NULL; i++) {
		const struct field *field = field_find(r->fields, span_of(r->rising[i]));
		uint64_t value = field_number(field, now) + by;

		memcpy((char *)object + field->offset, &value, sizeof(value));
	}
}

static enum err
revised_decode(const struct revised *r, struct span key, struct span value,
	union revised_object *out)
{
	struct record_in in;
	enum err err = record_open(&in, r->table, key, value, ROW_VERSION);

	return err == OK ? fields_decode(r->fields, &in, out) : err;
}

/* Do two objects have the same fields? Compared as they are stored. */
static bool
same_fields(const struct revised *r, const void *a, const void *b)
{
	size_t max_a = RECORD_HEAD + fields_size_max(r->fields, a);
	size_t max_b = RECORD_HEAD + fields_size_max(r->fields, b);
	char *room = malloc(max_a + max_b);
	struct record_out out_a, out_b;
	bool same;

	ENSURE(room != NULL);
	record_begin(&out_a, room, max_a, ROW_VERSION);
	record_begin(&out_b, room + max_a, max_b, ROW_VERSION);
	fields_encode(r->fields, a, &out_a);
	fields_encode(r->fields, b, &out_b);
	same = out_a.len == out_b.len &&
	       memcmp(room + RECORD_HEAD, room + max_a + RECORD_HEAD, out_a.len - RECORD_HEAD) == 0;
	free(room);
	return same;
}

/* Is NOW what AFTER was, but for revisions that an undo raised? */
static bool
same_but_for_revisions(enum store_table table, const struct change_row *row, struct span now)
{
	const struct revised *r = revised_of(table);
	union revised_object a, b;

	if (span_eq(now, row->after))
		return true;
	if (r == NULL || revised_decode(r, row->key, now, &a) != OK ||
		revised_decode(r, row->key, row->after, &b) != OK)
		return false;
	revisions_follow(r, &b, &a, 0);
	return same_fields(r, &a, &b);
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
	*untouched = (err == OK) == row->exists &&
		     (err != OK || same_but_for_revisions(table, row, now));
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
	return change->state == CHANGE_CAN_UNDO ? OK : ERR_DENIED;
}

/* ---- may it be undone? ---- */

/* The rows met so far, by a hash: open addressing, at most half full. */
struct met {
	uint64_t *hashes;
	size_t mask;
};

static void
met_init(struct met *met, uint64_t rows)
{
	size_t room = 16;

	while (room < 2 * rows)
		room *= 2;
	met->hashes = calloc(room, sizeof(*met->hashes));
	ENSURE(met->hashes != NULL);
	met->mask = room - 1;
}

/* True the first time that a row's table and key are met. */
static bool
met_add(struct met *met, const struct change_row *row)
{
	uint64_t hash = (key_hash(row->key) * 31 + key_hash(row->table)) | 1;
	size_t at = (size_t)(hash >> 8) & met->mask;

	for (; met->hashes[at] != 0; at = (at + 1) & met->mask) {
		if (met->hashes[at] == hash)
			return false;
	}
	met->hashes[at] = hash;
	return true;
}

/* Of several rows with one key the last is what the store must still hold. */
static enum err
rows_check(struct snapshot *snap, const struct change *change, struct met *met, struct buf *object)
{
	enum err err = OK;

	for (uint64_t i = change->rows; i > 0 && err == OK; i--) {
		struct change_row row;
		enum store_table table;
		bool untouched = true;

		err = change_row_find(snap, change->change_id, i - 1, &row);
		if (err == OK && is_way(&row)) {
			err = folder_way_is(&row) ? folder_way_check(snap, &row)
						  : message_way_check(snap, &row);
			err = err == ERR_EXISTS ? clash(&row, object) : err;
			continue;
		}
		if (err == OK && !table_of(row.table, &table))
			err = ERR_DENIED;
		if (err == OK && met_add(met, &row))
			err = row_is_untouched(snap, table, &row, &untouched);
		if (err == OK && !untouched)
			err = clash(&row, object);
	}
	return err;
}

enum err
change_undo_check(struct snapshot *snap, uint64_t change_id, struct buf *object)
{
	struct change change;
	struct met met;
	enum err err = undo_allowed(snap, change_id, &change);

	if (err != OK)
		return err;
	met_init(&met, change.rows);
	err = rows_check(snap, &change, &met, object);
	free(met.hashes);
	return err;
}

/* ---- carrying it out ---- */

/* What an undo looks at and needs again at its end. */
struct undoing {
	struct txn *txn;
	struct buf *object;
	int64_t now_ms;
	bool users_changed, had_admin;
};

/* Before the first user changes: was there an administrator? */
static enum err
note_admin(struct undoing *u, enum store_table table)
{
	if (table != TABLE_users || u->users_changed)
		return OK;
	u->users_changed = true;
	return user_other_admin(txn_view(u->txn), 0, &u->had_admin);
}

/*
 * The row as it was, with revisions beyond those of now. An added user goes to the bin: his folders
 * are there, and mail may be in them; the bin's end takes all of him.
 */
static enum err
revised_undo(struct undoing *u, const struct revised *r, const struct change_row *row,
	const struct key *key)
{
	enum forward_turn turn = FORWARD_STAYS;
	union revised_object now, old;
	struct span id = key_span(key); /* row->key lies in the map, which writing moves */
	uint64_t user_id;
	enum err err = row_get_fields(txn_view(u->txn), r->table, key, r->fields, &now);

	if (err == OK && row->existed)
		err = revised_decode(r, row->key, row->before, &old);
	if (err != OK)
		return err;
	if (!row->existed) {
		old = now;
		old.user.removed_ms = u->now_ms > 0 ? u->now_ms : 1; /* 0 would mean live */
	}
	revisions_follow(r, &old, &now, 1);
	if (r->table == TABLE_users)
		turn = forward_turn_of(&now.user, &old.user);
	err = row_put_fields(u->txn, r->table, key, r->fields, &old);
	return err == OK && key_take_u64(&id, &user_id) == OK
		? forwards_follow(u->txn, user_id, turn) : err;
}

/* The image from before as it is: it lies in the map, which writing moves, so a copy is written. */
static enum err
image_put_back(struct undoing *u, enum store_table table, const struct key *key, struct span before)
{
	char *copy = malloc(before.len + 1);
	enum err err;

	ENSURE(copy != NULL);
	if (before.len > 0)
		memcpy(copy, before.ptr, before.len);
	err = row_put(u->txn, table, key, (struct span){ copy, before.len });
	free(copy);
	return err;
}

/* The row came with the change, so it goes: not under members that came later. */
static enum err
row_take_away(struct undoing *u, enum store_table table, const struct change_row *row,
	const struct key *key)
{
	bool in_use;
	enum err err = index_has_members(txn_view(u->txn), table, row->key, &in_use);

	if (err != OK)
		return err;
	return in_use ? clash(row, u->object) : row_delete(u->txn, table, key);
}

/* As it was before, but not under a list, group or user that is gone meanwhile. */
static enum err
row_put_back(struct undoing *u, enum store_table table, const struct change_row *row,
	const struct key *key)
{
	bool revised = row->exists && revised_of(table) != NULL, stands;
	enum err err = revised ? revised_undo(u, revised_of(table), row, key)
			       : image_put_back(u, table, key, row->before);

	if (err == OK)
		err = change_row_stands(txn_view(u->txn), table, row->key, &stands);
	if (err != OK)
		return err;
	return stands ? OK : clash(row, u->object);
}

static enum err
row_undo(struct undoing *u, const struct change_row *row)
{
	enum store_table table;
	struct key key;
	bool untouched;
	enum err err;

	if (is_way(row)) {
		err = folder_way_is(row) ? folder_way_back(u->txn, row)
					 : message_way_back(u->txn, row);
		return err == ERR_EXISTS ? clash(row, u->object) : err;
	}
	if (!table_of(row->table, &table))
		return ERR_DENIED;
	err = row_is_untouched(txn_view(u->txn), table, row, &untouched);
	if (err != OK)
		return err;
	if (!untouched)
		return clash(row, u->object);
	err = note_admin(u, table);
	if (err != OK)
		return err;
	key_name(&key, row->key);
	if (row->existed || (row->exists && table == TABLE_users))
		return row_put_back(u, table, row, &key);
	return row->exists ? row_take_away(u, table, row, &key) : OK;
}

static enum err
rows_undo(struct undoing *u, uint64_t change_id, uint64_t rows)
{
	enum err err = OK;

	while (rows > 0 && err == OK) {
		struct change_row row;

		err = change_row_find(txn_view(u->txn), change_id, --rows, &row);
		if (err == OK)
			err = row_undo(u, &row);
	}
	return err;
}

/* USR-15: somebody must be left who can administer, unless nobody could before. */
static enum err
keep_an_admin(struct undoing *u)
{
	bool has_one = true;
	enum err err = OK;

	if (u->had_admin)
		err = user_other_admin(txn_view(u->txn), 0, &has_one);
	return err == OK && !has_one ? ERR_DENIED : err;
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
	struct undoing undoing = { .txn = txn, .object = object, .now_ms = start->now_ms };
	struct undo_words words;
	struct change change;
	enum err err = undo_allowed(txn_view(txn), change_id, &change);

	if (err == OK && (change.config_no != 0) != (start->config_no != 0))
		err = ERR_DENIED; /* a file is put back by the server, which says so */
	if (err != OK)
		return err;
	undo.what = copy_words(change.what, words.what);
	undo.object = copy_words(change.object, words.object);
	undo.undo_of = change_id;
	err = change_begin(&recorder, txn, &undo);
	if (err != OK)
		return err;
	*undo_id = recorder.change_id;
	err = rows_undo(&undoing, change_id, change.rows);
	if (err == OK)
		err = keep_an_admin(&undoing);
	if (err != OK) {
		txn_set_recorder(txn, NULL);
		return err;
	}
	err = change_end(&recorder);
	if (err == OK)
		err = change_set_undone(txn, change_id, recorder.change_id);
	return err;
}
