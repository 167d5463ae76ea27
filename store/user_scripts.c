/*
 * user_scripts.c - rows of scripts.
 */
#include "store/user_scripts.h"

#include "proto/base/utf8.h"
#include "store/rows.h"

#define CHANGED_BY_MAX 256

#define SCRIPT_FIELDS(X)                                                                           \
	X(text, 1, FIELD_BYTES, USER_SCRIPT_MAX, NULL, 0)                                          \
	X(changed_ms, 2, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                 \
	X(changed_by, 3, FIELD_TEXT, CHANGED_BY_MAX, NULL, FIELD_SHOWN)

static const struct field fields[] = {
#define X(name, tag, kind, max, words, flags)                                                      \
	FIELD_ROW(user_script, name, tag, kind, max, words, flags)
	SCRIPT_FIELDS(X)
#undef X
};

static const struct user_script defaults;

const struct field_table user_script_table = { fields, COUNT(fields), &defaults,
	sizeof(struct user_script) };

enum err
user_script_find(struct snapshot *snap, uint64_t user_id, struct user_script *out)
{
	struct key key;
	enum err err;

	key_u64(&key, user_id);
	err = row_get_fields(snap, TABLE_user_scripts, &key, &user_script_table, out);
	out->user_id = user_id;
	return err;
}

enum err
user_script_next(struct snapshot *snap, uint64_t user_id, struct user_script *out)
{
	struct row row;
	enum err err = table_seek_after(snap, TABLE_user_scripts, user_id, &row);

	if (err == OK)
		err = row_fields(snap, TABLE_user_scripts, &row, &user_script_table, out);
	if (err == OK && key_take_u64(&row.key, &out->user_id) != OK)
		err = ERR_CORRUPT;
	return err;
}

enum err
user_script_put(struct txn *txn, const struct user_script *script)
{
	struct span text = script->text;
	struct key key;

	key_u64(&key, script->user_id);
	if (text.len == 0)
		return row_delete(txn, TABLE_user_scripts, &key);
	if (!utf8_is_valid(text) || span_find(text, '\0') < text.len)
		return ERR_SYNTAX;
	if (text.len > USER_SCRIPT_MAX)
		return ERR_LIMIT;
	return row_put_fields(txn, TABLE_user_scripts, &key, &user_script_table, script);
}

enum err
user_script_purge(struct txn *txn, uint64_t user_id)
{
	struct key key;
	bool more;

	key_u64(&key, user_id);
	return rows_purge(txn, TABLE_user_scripts, &key, 1, &more);
}
