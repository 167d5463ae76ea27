/*
 * folder_names.c - see folder_names.h; and how a folder is found by its name.
 */
#include "store/folder_names.h"

void
folder_name_put(struct key *key, struct span name)
{
	struct span inbox = SPAN("INBOX");

	if (folder_name_is_under(name, inbox)) {
		key_put_bytes(key, inbox);
		name = span_from(name, inbox.len);
	}
	key_put_bytes(key, name);
}

static void
prefix_of(struct key *key, uint64_t user_id, struct span name)
{
	key_u64(key, user_id);
	folder_name_put(key, name);
	key_put_u8(key, 0);
}

enum err
folder_name_key(struct key *key, const struct folder *folder)
{
	if (folder->name.len > FOLDER_NAME_MAX)
		return ERR_LIMIT;
	prefix_of(key, folder->user_id, folder->name);
	key_put_u64(key, folder->folder_id);
	return OK;
}

enum err
folder_name_add(struct txn *txn, const struct folder *folder)
{
	struct key key;
	enum err err = folder_name_key(&key, folder);

	return err == OK ? table_put(txn, TABLE_folder_names, &key, SPAN_NONE) : err;
}

enum err
folder_name_drop(struct txn *txn, const struct key *key)
{
	enum err err = table_delete(txn, TABLE_folder_names, key);

	return err == ERR_NOT_FOUND ? OK : err; /* for check */
}

/* ---- finding ---- */

enum err
folder_find_by_walk(struct snapshot *snap, uint64_t user_id, struct span name, struct folder *out)
{
	bool damaged = false;
	enum err err = folder_next(snap, user_id, 0, out);

	while (err == ERR_CORRUPT || (err == OK && !folder_name_eq(out->name, name))) {
		damaged |= err == ERR_CORRUPT;
		err = folder_next(snap, user_id, out->folder_id, out);
	}
	return err == ERR_NOT_FOUND && damaged ? ERR_CORRUPT : err;
}

/* The folder that ROW of the index leads to; a row that leads astray is for check. */
static enum err
follow(struct snapshot *snap, uint64_t user_id, struct span name, const struct row *row,
	struct folder *out)
{
	struct span id = span_from(row->key, row->key.len - sizeof(uint64_t));
	uint64_t folder_id;
	enum err err = key_take_u64(&id, &folder_id);

	if (err == OK)
		err = folder_get(snap, user_id, folder_id, out);
	return err == OK && !folder_name_eq(out->name, name) ? ERR_NOT_FOUND : err;
}

enum err
folder_find(struct snapshot *snap, uint64_t user_id, struct span name, struct folder *out)
{
	bool damaged = false;
	struct key prefix;
	struct row row;
	enum err err;

	*out = (struct folder){ .user_id = 0 };
	if (table_is_absent(snap, TABLE_folder_names)) /* check, of a store of before */
		return folder_find_by_walk(snap, user_id, name, out);
	if (name.len > FOLDER_NAME_MAX)
		return ERR_NOT_FOUND;
	prefix_of(&prefix, user_id, name);
	err = table_seek(snap, TABLE_folder_names, &prefix, &row);
	while (err == OK && row_has_prefix(&row, &prefix) &&
		row.key.len == prefix.len + sizeof(uint64_t)) {
		err = follow(snap, user_id, name, &row, out);
		if (err != ERR_NOT_FOUND && err != ERR_CORRUPT)
			return err;
		damaged |= err == ERR_CORRUPT;
		err = table_next(snap, TABLE_folder_names, &row);
	}
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	return damaged ? ERR_CORRUPT : ERR_NOT_FOUND;
}
