/*
 * forwards.c - the rows of pairs. What happens to them: forward_acts.c.
 */
#include "store/forwards.h"

#include "store/entries.h"
#include "store/folders.h"
#include "store/forward_rows.h"

#define FORWARD_VERSION 1
#define FORWARD_ROOM (RECORD_HEAD + 40)

bool
forward_acts(const struct user *user)
{
	return user->removed_ms == 0 && user->store_forward_address.len > 0 &&
		user->store_forward_server.len > 0;
}

void
forward_copies_key(struct key *key, const struct forward *f)
{
	key_u64_u32(key, f->queue_id, f->recipient_no);
	key_put_u64(key, f->copy_id);
}

/* ---- reading ---- */

static enum err
record_take(struct record_in *in, struct forward *out)
{
	out->queue_id = record_take_varint(in);
	out->recipient_no = record_take_u32(in);
	out->folder_id = record_take_varint(in);
	out->uid = record_take_u32(in);
	return record_end(in);
}

bool
forward_decode(struct snapshot *snap, const struct row *row, struct forward *out)
{
	struct span key = row->key;
	struct record_in in;

	*out = (struct forward){ .user_id = 0 };
	return key_take_u64(&key, &out->user_id) == OK && key_take_u64(&key, &out->copy_id) == OK &&
		key.len == 0 && row_record(snap, TABLE_forwards, row, FORWARD_VERSION, &in) == OK &&
		record_take(&in, out) == OK;
}

enum err
forward_find(struct snapshot *snap, uint64_t user_id, uint64_t copy_id, struct forward *out)
{
	struct record_in in;
	struct key key;
	enum err err;

	key_u64_u64(&key, user_id, copy_id);
	*out = (struct forward){ .user_id = user_id, .copy_id = copy_id };
	err = table_get_record(snap, TABLE_forwards, &key, FORWARD_VERSION, &in);
	if (err != OK)
		return err;
	return record_take(&in, out) == OK
		? OK
		: table_damaged(snap, TABLE_forwards, key_span(&key), "fields");
}

enum err
forward_next(struct snapshot *snap, uint64_t user_id, uint64_t copy_id, struct forward *out)
{
	struct key key, prefix;
	struct row row;
	enum err err;

	if (copy_id == UINT64_MAX)
		return ERR_NOT_FOUND;
	key_u64(&prefix, user_id);
	key_u64_u64(&key, user_id, copy_id + 1);
	err = table_seek(snap, TABLE_forwards, &key, &row);
	if (err == OK && !row_has_prefix(&row, &prefix))
		err = ERR_NOT_FOUND;
	if (err != OK)
		return err;
	return forward_decode(snap, &row, out)
		? OK
		: table_damaged(snap, TABLE_forwards, row.key, "fields");
}

bool
forward_user_has(struct snapshot *snap, uint64_t user_id)
{
	struct key prefix;
	struct row row;

	key_u64(&prefix, user_id);
	return table_seek(snap, TABLE_forwards, &prefix, &row) == OK && row_has_prefix(&row, &prefix);
}

enum err
forward_count(struct snapshot *snap, uint64_t user_id, uint64_t most, uint64_t *count)
{
	struct forward f = { .copy_id = 0 }, tied;
	enum err err = OK;

	(void)forward_is_marked(snap, user_id, &f.copy_id); /* those up to that are cancelled */
	*count = 0;
	while (*count < most && (err = forward_next(snap, user_id, f.copy_id, &f)) == OK)
		*count += forward_tied(snap, f.queue_id, f.recipient_no, &tied) == OK &&
			tied.copy_id == f.copy_id; /* heirs are no recipients */
	return err == ERR_NOT_FOUND ? OK : err;
}

bool
forward_copy_decode(const struct row *row, struct forward *out)
{
	struct span key = row->key, value = row->value;

	*out = (struct forward){ .user_id = 0 };
	return key_take_u64(&key, &out->queue_id) == OK &&
		key_take_u32(&key, &out->recipient_no) == OK &&
		key_take_u64(&key, &out->copy_id) == OK && key.len == 0 &&
		key_take_u64(&value, &out->user_id) == OK && value.len == 0;
}

enum err
forward_row_first(struct snapshot *snap, uint64_t queue_id, uint32_t recipient_no,
	struct forward *out)
{
	struct key prefix;
	struct row row;
	enum err err;

	key_u64(&prefix, queue_id);
	if (recipient_no != 0)
		key_put_u32(&prefix, recipient_no);
	err = table_seek(snap, TABLE_forward_copies, &prefix, &row);
	if (err == OK && !row_has_prefix(&row, &prefix))
		err = ERR_NOT_FOUND;
	if (err != OK)
		return err;
	return forward_copy_decode(&row, out)
		? OK
		: table_damaged(snap, TABLE_forward_copies, row.key, "fields");
}

enum err
forward_tied(struct snapshot *snap, uint64_t queue_id, uint32_t recipient_no, struct forward *out)
{
	enum err err = forward_row_first(snap, queue_id, recipient_no, out);

	return err == OK ? forward_find(snap, out->user_id, out->copy_id, out) : err;
}

uint64_t
forward_mailbox(const struct folder *folder)
{
	if (folder->user_id == FOLDER_OWNER_SHARED || folder->user_id == FOLDER_OWNER_NOBODY ||
		folder_name_is_hidden(folder->name))
		return 0;
	return folder->user_id;
}

bool
forward_is_there(struct snapshot *snap, const struct forward *f)
{
	struct folder folder;
	struct entry entry;

	return folder_get(snap, f->user_id, f->folder_id, &folder) == OK &&
		forward_mailbox(&folder) == f->user_id &&
		entry_find(snap, f->folder_id, f->uid, &entry) == OK && entry.copy_id == f->copy_id;
}

/* ---- writing ---- */

static enum err
row_write(struct txn *txn, const struct forward *f)
{
	char room[FORWARD_ROOM];
	struct record_out out;
	struct key key;

	key_u64_u64(&key, f->user_id, f->copy_id);
	record_begin(&out, room, sizeof(room), FORWARD_VERSION);
	record_put_varint(&out, f->queue_id);
	record_put_u32(&out, f->recipient_no);
	record_put_varint(&out, f->folder_id);
	record_put_u32(&out, f->uid);
	return table_put_record(txn, TABLE_forwards, &key, &out);
}

enum err
forward_put(struct txn *txn, const struct forward *f)
{
	struct key key, user_id;
	enum err err;

	forward_copies_key(&key, f);
	key_u64(&user_id, f->user_id);
	err = table_put(txn, TABLE_forward_copies, &key, key_span(&user_id));
	return err == OK ? row_write(txn, f) : err;
}

enum err
forward_moved(
	struct txn *txn, uint64_t user_id, uint64_t copy_id, uint64_t folder_id, uint32_t uid)
{
	struct forward f;
	enum err err = forward_find(txn_view(txn), user_id, copy_id, &f);

	if (err != OK) /* a damaged one is for check (H49) */
		return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
	f.folder_id = folder_id;
	f.uid = uid;
	return row_write(txn, &f);
}

enum err
forward_copied(
	struct txn *txn, uint64_t user_id, uint64_t copy_id, const struct forward *heir)
{
	struct forward f;
	enum err err = forward_find(txn_view(txn), user_id, copy_id, &f);

	if (err != OK)
		return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
	f.copy_id = heir->copy_id;
	f.folder_id = heir->folder_id;
	f.uid = heir->uid;
	return forward_put(txn, &f);
}

enum err
forward_row_drop(struct txn *txn, const struct forward *f)
{
	struct key key;
	enum err err;

	forward_copies_key(&key, f);
	err = table_delete(txn, TABLE_forward_copies, &key);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	key_u64_u64(&key, f->user_id, f->copy_id);
	err = table_delete(txn, TABLE_forwards, &key);
	return err == ERR_NOT_FOUND ? OK : err;
}
