/*
 * folders.c - one row a folder; names are found by walking the user's rows, which are few.
 */
#include "store/folders.h"

#include "store/ids.h"

#define FOLDER_VERSION 1
#define FOLDER_ROOM 512 /* bytes of a record: the name and fifteen numbers */

static enum err
take_folder(struct snapshot *snap, const struct row *row, struct folder *f)
{
	struct span key = row->key;
	struct record_in in;
	enum err err;

	*f = (struct folder){ .user_id = 0 };
	if (key_take_u64(&key, &f->user_id) != OK || key_take_u64(&key, &f->folder_id) != OK) {
		f->folder_id = UINT64_MAX; /* nobody gets past such a key */
		return table_damaged(snap, TABLE_folders, row->key, "key");
	}
	err = row_record(snap, TABLE_folders, row, FOLDER_VERSION, &in);
	if (err != OK)
		return err;
	f->uidvalidity = record_take_u32(&in);
	f->uidnext = record_take_u32(&in);
	f->highest_modseq = record_take_varint(&in);
	f->expunged_floor = record_take_varint(&in);
	f->expunged_rows = record_take_varint(&in);
	f->bytes = record_take_varint(&in);
	f->messages = (uint32_t)record_take_varint(&in);
	f->unseen = (uint32_t)record_take_varint(&in);
	f->deleted = (uint32_t)record_take_varint(&in);
	f->held = (uint32_t)record_take_varint(&in);
	f->last_block_uid = (uint32_t)record_take_varint(&in);
	f->attributes = (uint32_t)record_take_varint(&in);
	f->name = record_take_span(&in);
	f->extra = record_take_rest(&in);
	return record_end(&in) == OK ? OK
				     : table_damaged(snap, TABLE_folders, row->key, "fields");
}

enum err
folder_put(struct txn *txn, const struct folder *f)
{
	char room[FOLDER_ROOM];
	struct record_out out;
	struct key key;

	record_begin(&out, room, sizeof(room), FOLDER_VERSION);
	record_put_u32(&out, f->uidvalidity);
	record_put_u32(&out, f->uidnext);
	record_put_varint(&out, f->highest_modseq);
	record_put_varint(&out, f->expunged_floor);
	record_put_varint(&out, f->expunged_rows);
	record_put_varint(&out, f->bytes);
	record_put_varint(&out, f->messages);
	record_put_varint(&out, f->unseen);
	record_put_varint(&out, f->deleted);
	record_put_varint(&out, f->held);
	record_put_varint(&out, f->last_block_uid);
	record_put_varint(&out, f->attributes);
	record_put_span(&out, f->name);
	record_put_raw(&out, f->extra);
	key_u64_u64(&key, f->user_id, f->folder_id);
	return table_put_record(txn, TABLE_folders, &key, &out);
}

/* ---- reading ---- */

enum err
folder_get(struct snapshot *snap, uint64_t user_id, uint64_t folder_id, struct folder *out)
{
	struct key key;
	struct row row;
	enum err err;

	key_u64_u64(&key, user_id, folder_id);
	row.key = key_span(&key);
	err = table_get(snap, TABLE_folders, &key, &row.value);
	return err == OK ? take_folder(snap, &row, out) : err;
}

enum err
folder_next(struct snapshot *snap, uint64_t user_id, uint64_t after_id, struct folder *out)
{
	struct key key;
	struct row row;
	enum err err;

	if (after_id == UINT64_MAX)
		return ERR_NOT_FOUND;
	key_u64_u64(&key, user_id, after_id + 1);
	err = table_seek(snap, TABLE_folders, &key, &row);
	if (err != OK)
		return err;
	key_u64(&key, user_id);
	return row_has_prefix(&row, &key) ? take_folder(snap, &row, out) : ERR_NOT_FOUND;
}

static bool
is_inbox(struct span name)
{
	return span_eq_nocase(name, SPAN("INBOX"));
}

static bool
same_name(struct span a, struct span b)
{
	return span_eq(a, b) || (is_inbox(a) && is_inbox(b)); /* RFC 9051, 5.1 */
}

enum err
folder_find(struct snapshot *snap, uint64_t user_id, struct span name, struct folder *out)
{
	bool damaged = false;
	enum err err = folder_next(snap, user_id, 0, out);

	while (err == ERR_CORRUPT || (err == OK && !same_name(out->name, name))) {
		damaged |= err == ERR_CORRUPT;
		err = folder_next(snap, user_id, out->folder_id, out);
	}
	return err == ERR_NOT_FOUND && damaged ? ERR_CORRUPT : err;
}

enum err
folder_totals(struct snapshot *snap, uint64_t user_id, struct folder_totals *out)
{
	struct folder f = { .folder_id = 0 };
	enum err err;

	*out = (struct folder_totals){ .folders = 0 };
	while ((err = folder_next(snap, user_id, f.folder_id, &f)) == OK) {
		out->folders++;
		out->messages += f.messages;
		out->unseen += f.unseen;
		out->held += f.held;
		out->bytes += f.bytes;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- changing ---- */

/* May NAME be given? FOLDER_ID is the one that may have it already, or 0. */
static enum err
name_is_free(struct snapshot *snap, uint64_t user_id, struct span name, uint64_t folder_id)
{
	struct folder f = { .folder_id = 0 };
	size_t count = 0;
	enum err err;

	if (name.len == 0 || name.len > FOLDER_NAME_MAX)
		return ERR_LIMIT;
	while ((err = folder_next(snap, user_id, f.folder_id, &f)) == OK) {
		if (f.folder_id != folder_id && same_name(f.name, name))
			return ERR_EXISTS;
		count++;
	}
	if (err != ERR_NOT_FOUND)
		return err;
	return folder_id == 0 && count >= FOLDERS_A_USER ? ERR_LIMIT : OK;
}

enum err
folder_make(struct txn *txn, uint64_t user_id, struct span name, uint64_t *folder_id)
{
	struct folder f = { .user_id = user_id, .uidnext = 1, .highest_modseq = 1 };
	enum err err = name_is_free(txn_view(txn), user_id, name, 0);

	if (err != OK)
		return err;
	f.folder_id = *folder_id = id_next(txn, COUNTER_folder);
	f.uidvalidity = id_next_uidvalidity(txn);
	f.name = is_inbox(name) ? SPAN("INBOX") : name;
	txn_note_folder(txn, f.folder_id);
	return folder_put(txn, &f);
}

enum err
folder_rename(struct txn *txn, uint64_t user_id, uint64_t folder_id, struct span name)
{
	struct folder f;
	enum err err = folder_get(txn_view(txn), user_id, folder_id, &f);

	if (err != OK)
		return err;
	if (is_inbox(f.name))
		return ERR_DENIED;
	err = name_is_free(txn_view(txn), user_id, name, folder_id);
	if (err != OK)
		return err;
	f.name = name;
	txn_note_folder(txn, folder_id);
	return folder_put(txn, &f);
}

enum err
folder_renew_uidvalidity(struct txn *txn, uint64_t user_id, uint64_t folder_id)
{
	struct folder f;
	enum err err = folder_get(txn_view(txn), user_id, folder_id, &f);

	if (err != OK)
		return err;
	f.uidvalidity = id_next_uidvalidity(txn);
	txn_note_folder(txn, folder_id);
	return folder_put(txn, &f);
}

enum err
folder_forget_expunged(struct txn *txn, uint64_t folder_id, size_t rows, uint64_t *last_modseq,
	size_t *forgotten)
{
	struct key prefix;
	struct row row;
	enum err err = OK;

	*forgotten = 0;
	key_u64(&prefix, folder_id);
	while (*forgotten < rows) {
		struct span at;
		struct key key;

		err = table_seek(txn_view(txn), TABLE_expunged, &prefix, &row);
		if (err != OK || !row_has_prefix(&row, &prefix))
			break;
		at = span_from(row.key, prefix.len);
		if (key_take_u64(&at, last_modseq) != OK)
			return table_damaged(txn_view(txn), TABLE_expunged, row.key, "key");
		key_name(&key, row.key);
		err = table_delete(txn, TABLE_expunged, &key);
		if (err != OK)
			return err;
		++*forgotten;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
folder_remove(struct txn *txn, uint64_t user_id, uint64_t folder_id, size_t rows, bool *gone)
{
	struct folder f;
	struct key key;
	uint64_t modseq;
	size_t forgotten;
	enum err err = folder_get(txn_view(txn), user_id, folder_id, &f);

	*gone = false;
	if (err != OK)
		return err;
	if (f.messages + f.held > 0)
		return ERR_BUSY;
	txn_note_folder(txn, folder_id);
	err = folder_forget_expunged(txn, folder_id, rows, &modseq, &forgotten);
	if (err != OK || forgotten == rows)
		return err;
	*gone = true;
	key_u64_u64(&key, user_id, folder_id);
	return table_delete(txn, TABLE_folders, &key);
}
