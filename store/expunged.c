/*
 * expunged.c - see expunged.h; and the way to a message that left.
 */
#include "store/expunged.h"

#include "store/messages.h"

#define EXPUNGED_VERSION 2 /* 1 did not say where they went */
#define EXPUNGED_FORGET 64 /* rows dropped at once when there are too many */

static void
run_key(struct key *key, uint64_t folder_id, uint64_t modseq, uint32_t first_uid)
{
	key_u64_u64(key, folder_id, modseq);
	key_put_u32(key, first_uid);
}

static enum err
run_take(struct snapshot *snap, const struct row *row, struct expunged *out)
{
	struct span key = span_from(row->key, sizeof(uint64_t));
	struct record_in in;
	enum err err;

	if (key_take_u64(&key, &out->modseq) != OK || key_take_u32(&key, &out->first_uid) != OK) {
		out->modseq = UINT64_MAX; /* nobody gets past such a key */
		out->first_uid = UINT32_MAX;
		return table_damaged(snap, TABLE_expunged, row->key, "key");
	}
	err = row_record(snap, TABLE_expunged, row, EXPUNGED_VERSION, &in);
	if (err != OK)
		return err;
	out->last_uid = record_take_u32(&in);
	out->to_folder_id = in.version > 1 ? record_take_varint(&in) : 0;
	out->to_uid = in.version > 1 ? record_take_u32(&in) : 0;
	if (record_end(&in) == OK && out->last_uid >= out->first_uid)
		return OK;
	return table_damaged(snap, TABLE_expunged, row->key, "fields");
}

enum err
expunged_next(struct snapshot *snap, uint64_t folder_id, struct expunged *at)
{
	struct key key, prefix;
	struct row row;
	enum err err;

	/* the next key there can be: behind all of that modseq where no uid is named */
	run_key(&key, folder_id, at->modseq, at->first_uid ? at->first_uid : UINT32_MAX);
	key_put_u8(&key, 0);
	err = table_seek(snap, TABLE_expunged, &key, &row);
	if (err != OK)
		return err;
	key_u64(&prefix, folder_id);
	return row_has_prefix(&row, &prefix) ? run_take(snap, &row, at) : ERR_NOT_FOUND;
}

enum err
expunged_add(struct txn *txn, struct folder *folder, const struct expunged *run)
{
	char room[RECORD_HEAD + 4 + 10 + 4];
	struct record_out out;
	struct key key;

	if (folder_name_is_hidden(folder->name)) {
		folder->expunged_floor = run->modseq;
		return OK;
	}
	run_key(&key, folder->folder_id, run->modseq, run->first_uid);
	record_begin(&out, room, sizeof(room), EXPUNGED_VERSION);
	record_put_u32(&out, run->last_uid);
	record_put_varint(&out, run->to_folder_id);
	record_put_u32(&out, run->to_uid);
	folder->expunged_rows++;
	return table_put_record(txn, TABLE_expunged, &key, &out);
}

enum err
expunged_forget(struct txn *txn, uint64_t folder_id, size_t rows, uint64_t *last_modseq,
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

/* What is older is answered by comparing (RFC 7162, 3.2.7). */
enum err
expunged_keep_short(struct txn *txn, struct folder *f)
{
	uint64_t modseq = f->expunged_floor;
	size_t forgotten, over;
	enum err err;

	if (f->expunged_rows <= EXPUNGED_ROWS)
		return OK;
	over = (size_t)(f->expunged_rows - EXPUNGED_ROWS) + EXPUNGED_FORGET;
	err = expunged_forget(txn, f->folder_id, over, &modseq, &forgotten);
	f->expunged_rows -= forgotten;
	f->expunged_floor = modseq;
	return err;
}

bool
expunged_holds(struct snapshot *snap, const struct row *row)
{
	struct expunged run;

	return run_take(snap, row, &run) == OK;
}

/* ---- what left, but not every view ---- */

static enum err
run_of_uid(struct snapshot *snap, uint64_t folder_id, uint32_t uid, struct expunged *run)
{
	enum err err;

	while ((err = expunged_next(snap, folder_id, run)) == OK || err == ERR_CORRUPT)
		if (err == OK && run->first_uid <= uid && uid <= run->last_uid)
			return OK;
	return err;
}

enum err
message_find_gone(struct snapshot *snap, uint64_t folder_id, uint32_t uid, uint64_t since_modseq,
	struct message *out)
{
	struct expunged run = { .modseq = since_modseq };
	uint64_t modseq;
	enum err err = run_of_uid(snap, folder_id, uid, &run);

	if (err == OK && run.to_folder_id == 0)
		err = ERR_NOT_FOUND;
	if (err != OK)
		return err;
	modseq = run.modseq;
	err = message_find(snap, run.to_folder_id, run.to_uid + (uid - run.first_uid), out);
	if (err != OK)
		return err;
	out->entry.uid = uid;
	out->entry.modseq = modseq;
	out->entry.flags &= FLAGS_SYSTEM;
	return OK;
}
