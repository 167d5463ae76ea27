/*
 * rights.c - one row for each folder and subject; rights_find turns the key around (indexes.h).
 */
#include "store/rights.h"

#include "store/rows.h"

#define RIGHT_ROOM (RECORD_HEAD + 10 + 4 + 4)

static void
right_key(struct key *key, uint64_t folder_id, uint8_t kind, uint64_t subject_id)
{
	key_u64(key, folder_id);
	key_put_u8(key, kind);
	key_put_u64(key, subject_id);
}

static enum err
right_take_key(struct span key, struct folder_right *out)
{
	enum err err = key_take_u64(&key, &out->folder_id);

	if (err == OK)
		err = key_take_u8(&key, &out->kind);
	return err == OK ? key_take_u64(&key, &out->subject_id) : err;
}

static enum err
right_take(struct snapshot *snap, struct record_in *in, struct span key, struct folder_right *out)
{
	out->owner_id = record_take_varint(in);
	out->given = record_take_u32(in);
	out->denied = record_take_u32(in);
	return record_end(in) == OK ? OK : table_damaged(snap, TABLE_rights, key, "fields");
}

enum err
right_get(struct snapshot *snap, uint64_t folder_id, enum right_kind kind, uint64_t subject_id,
	struct folder_right *out)
{
	struct record_in in;
	struct key key;
	enum err err;

	*out = (struct folder_right){
		.folder_id = folder_id, .kind = (uint8_t)kind, .subject_id = subject_id };
	right_key(&key, folder_id, out->kind, subject_id);
	err = table_get_record(snap, TABLE_rights, &key, ROW_VERSION, &in);
	return err == OK ? right_take(snap, &in, key_span(&key), out) : err;
}

enum err
right_next(struct snapshot *snap, struct folder_right *at)
{
	uint64_t folder_id = at->folder_id;
	struct record_in in;
	struct key key;
	struct row row;
	enum err err;

	right_key(&key, folder_id, at->kind, at->subject_id);
	key_put_u8(&key, 0); /* the next key there can be */
	err = table_seek(snap, TABLE_rights, &key, &row);
	if (err != OK)
		return err;
	key_u64(&key, folder_id);
	if (!row_has_prefix(&row, &key))
		return ERR_NOT_FOUND;
	*at = (struct folder_right){ .folder_id = folder_id };
	if (right_take_key(row.key, at) != OK) {
		at->kind = UINT8_MAX; /* nobody gets past such a key */
		return table_damaged(snap, TABLE_rights, row.key, "key");
	}
	err = row_record(snap, TABLE_rights, &row, ROW_VERSION, &in);
	return err == OK ? right_take(snap, &in, row.key, at) : err;
}

static enum err
room_for_one(struct snapshot *snap, uint64_t folder_id)
{
	struct folder_right at = { .folder_id = folder_id };
	unsigned count = 0;
	enum err err;

	while ((err = right_next(snap, &at)) == OK || err == ERR_CORRUPT)
		if (++count == RIGHTS_A_FOLDER)
			return ERR_LIMIT;
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
right_set(struct txn *txn, const struct folder_right *right)
{
	struct folder_right old;
	char room[RIGHT_ROOM];
	struct record_out out;
	struct key key;
	enum err err = right_get(txn_view(txn), right->folder_id, right->kind, right->subject_id,
		&old);

	right_key(&key, right->folder_id, right->kind, right->subject_id);
	if (right->given == 0 && right->denied == 0)
		return err == ERR_NOT_FOUND ? OK : row_delete(txn, TABLE_rights, &key);
	if (err == ERR_NOT_FOUND)
		err = room_for_one(txn_view(txn), right->folder_id);
	if (err != OK && err != ERR_CORRUPT)
		return err;
	record_begin(&out, room, sizeof(room), ROW_VERSION);
	record_put_varint(&out, right->owner_id);
	record_put_u32(&out, right->given);
	record_put_u32(&out, right->denied);
	return row_put_record(txn, TABLE_rights, &key, &out);
}

/* ---- what holds ---- */

static enum err
rights_add(struct snapshot *snap, uint64_t folder_id, enum right_kind kind, uint64_t subject_id,
	struct folder_right *sum)
{
	struct folder_right right;
	enum err err = right_get(snap, folder_id, kind, subject_id, &right);

	if (err == OK) {
		sum->given |= right.given;
		sum->denied |= right.denied;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
rights_of(struct snapshot *snap, const struct user *user, const struct folder *folder,
	uint32_t *out)
{
	struct folder_right sum = { .given = 0 };
	enum err err;

	*out = 0;
	if (user->removed_ms != 0)
		return OK;
	if (folder->user_id == user->user_id) {
		*out = RIGHTS_ALL;
		return OK;
	}
	err = rights_add(snap, folder->folder_id, RIGHT_OF_USER, user->user_id, &sum);
	if (err == OK && user->group != 0)
		err = rights_add(snap, folder->folder_id, RIGHT_OF_GROUP, user->group, &sum);
	if (err == OK)
		err = rights_add(snap, folder->folder_id, RIGHT_OF_ANYONE, 0, &sum);
	if (err == OK)
		*out = sum.given & ~sum.denied & RIGHTS_ALL;
	return err;
}

/* ---- what is shared with somebody ---- */

static void
find_key(struct key *key, uint8_t kind, uint64_t subject_id, uint64_t folder_id)
{
	key_begin(key);
	key_put_u8(key, kind);
	key_put_u64(key, subject_id);
	key_put_u64(key, folder_id);
}

static uint64_t
subject_of(const struct user *user, uint8_t kind)
{
	return kind == RIGHT_OF_USER ? user->user_id : kind == RIGHT_OF_GROUP ? user->group : 0;
}

/* The next folder that has a row for this subject. */
static enum err
folder_of_subject(struct snapshot *snap, uint8_t kind, uint64_t subject_id, uint64_t *folder_id)
{
	struct key key, prefix;
	struct row row;
	struct span at;
	enum err err;

	if (*folder_id == UINT64_MAX)
		return ERR_NOT_FOUND;
	find_key(&key, kind, subject_id, *folder_id + 1);
	prefix = key;
	prefix.len -= sizeof(uint64_t);
	err = table_seek(snap, TABLE_rights_find, &key, &row);
	if (err != OK)
		return err;
	at = span_from(row.key, prefix.len);
	if (!row_has_prefix(&row, &prefix) || key_take_u64(&at, folder_id) != OK)
		return ERR_NOT_FOUND;
	return OK;
}

/* Was the folder found already, under a kind before this one? */
static bool
was_found(struct snapshot *snap, const struct user *user, const struct folder_right *at)
{
	struct folder_right before;

	for (uint8_t kind = RIGHT_OF_USER; kind < at->kind; kind++)
		if (right_get(snap, at->folder_id, kind, subject_of(user, kind), &before) !=
			ERR_NOT_FOUND)
			return true;
	return false;
}

enum err
rights_shared_next(struct snapshot *snap, const struct user *user, struct folder_right *at)
{
	uint64_t folder_id = at->folder_id;
	uint8_t kind = at->kind ? at->kind : RIGHT_OF_USER;

	while (kind <= RIGHT_OF_ANYONE) {
		enum err err = folder_of_subject(snap, kind, subject_of(user, kind), &folder_id);

		if (err == ERR_NOT_FOUND) {
			kind++;
			folder_id = 0;
			continue;
		}
		if (err == OK)
			err = right_get(snap, folder_id, kind, subject_of(user, kind), at);
		if (err == OK && at->owner_id != user->user_id && !was_found(snap, user, at))
			return OK;
		if (err != OK && err != ERR_CORRUPT && err != ERR_NOT_FOUND)
			return err; /* else for check: others are behind it */
	}
	return ERR_NOT_FOUND;
}

/* ---- with folders and subjects ---- */

enum err
rights_inherit(struct txn *txn, uint64_t from_id, uint64_t to_id)
{
	struct folder_right at = { .folder_id = from_id };
	enum err err;

	while ((err = right_next(txn_view(txn), &at)) == OK || err == ERR_CORRUPT) {
		struct folder_right copy = at;

		if (err == ERR_CORRUPT)
			continue;
		copy.folder_id = to_id;
		err = right_set(txn, &copy);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
rights_forget_folder(struct txn *txn, uint64_t folder_id, unsigned most, bool *more)
{
	struct folder_right at = { .folder_id = folder_id };
	enum err err = OK;

	while (most-- > 0) {
		struct key key;

		err = right_next(txn_view(txn), &at);
		if (err != OK && err != ERR_CORRUPT)
			break;
		right_key(&key, folder_id, at.kind, at.subject_id);
		err = row_delete(txn, TABLE_rights, &key);
		if (err != OK)
			return err;
	}
	*more = err == OK;
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
rights_forget_subject(struct txn *txn, enum right_kind kind, uint64_t subject_id, unsigned most,
	bool *more)
{
	uint64_t folder_id = 0;
	enum err err = OK;

	while (most-- > 0) {
		struct key key;

		err = folder_of_subject(txn_view(txn), (uint8_t)kind, subject_id, &folder_id);
		if (err != OK)
			break;
		right_key(&key, folder_id, (uint8_t)kind, subject_id);
		err = row_delete(txn, TABLE_rights, &key);
		if (err == ERR_NOT_FOUND) /* it followed from nothing: for check */
			err = OK;
		if (err != OK)
			return err;
	}
	*more = err == OK;
	return err == ERR_NOT_FOUND ? OK : err;
}
