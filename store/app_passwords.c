/*
 * app_passwords.c - rows of app passwords, and when each was last used.
 */
#include "store/app_passwords.h"

#include "proto/base/ascii.h"
#include "store/ids.h"
#include "store/rows.h"

#define USE_VERSION 1
#define PURGE_ROWS 100
#define USE_ROOM (RECORD_HEAD + 9)

#define APP_FIELDS(X)                                                                              \
	X(label, 1, FIELD_TEXT, 4 * APP_LABEL_MAX, NULL, FIELD_SHOWN)                              \
	X(hash, 2, FIELD_BYTES, APP_HASH_SIZE, NULL, FIELD_SECRET)                                 \
	X(protocols, 3, FIELD_BITS, UINT32_MAX, user_protocol_words, USER_EDIT)                    \
	X(created_ms, 4, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)

static const struct field fields[] = {
#define X(name, tag, kind, max, words, flags)                                                      \
	FIELD_ROW(app_password, name, tag, kind, max, words, flags)
	APP_FIELDS(X)
#undef X
};

static const struct app_password defaults;

const struct field_table app_password_table = { fields, COUNT(fields), &defaults,
	sizeof(struct app_password) };

/* ---- reading ---- */

enum err
app_password_next(
	struct snapshot *snap, uint64_t user_id, uint64_t app_id, struct app_password *out)
{
	struct key key, prefix;
	struct row row;
	enum err err;

	if (app_id == UINT64_MAX)
		return ERR_NOT_FOUND;
	key_u64(&prefix, user_id);
	key_u64_u64(&key, user_id, app_id + 1);
	err = table_seek(snap, TABLE_app_passwords, &key, &row);
	if (err == OK && !row_has_prefix(&row, &prefix))
		err = ERR_NOT_FOUND;
	if (err == OK)
		err = row_fields(snap, TABLE_app_passwords, &row, &app_password_table, out);
	if (err == OK && (key_take_u64(&row.key, &out->user_id) != OK ||
				 key_take_u64(&row.key, &out->app_id) != OK))
		err = ERR_CORRUPT;
	return err;
}

enum err
app_password_find(
	struct snapshot *snap, uint64_t user_id, struct span name, struct app_password *out)
{
	uint64_t number = 0;
	enum err err;

	if (span_u64(name, UINT64_MAX - 1, &number) != OK)
		number = 0;
	out->app_id = 0;
	while ((err = app_password_next(snap, user_id, out->app_id, out)) == OK) {
		if (span_eq_nocase(out->label, name) || out->app_id == number)
			return OK;
	}
	return err;
}

enum err
app_password_count(struct snapshot *snap, uint64_t user_id, size_t *out)
{
	struct app_password app = { .app_id = 0 };
	enum err err;

	*out = 0;
	while ((err = app_password_next(snap, user_id, app.app_id, &app)) == OK)
		(*out)++;
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- writing ---- */

/* A label is no number, or one could not tell it from the number of another. */
static enum err
label_check(struct span label)
{
	uint64_t number;

	if (label.len == 0 || span_u64(label, UINT64_MAX - 1, &number) == OK)
		return ERR_SYNTAX;
	return field_characters(label) > APP_LABEL_MAX ? ERR_LIMIT : OK;
}

enum err
app_password_add(
	struct txn *txn, const struct app_password *app, int64_t now_ms, uint64_t *app_id)
{
	struct app_password made = *app, other;
	struct key key;
	size_t count;
	enum err err = label_check(app->label);

	ENSURE(app->hash.len == APP_HASH_SIZE);
	made.created_ms = now_ms;
	if (err == OK)
		err = fields_check(&app_password_table, &made, NULL);
	if (err != OK)
		return err;
	err = app_password_find(txn_view(txn), app->user_id, app->label, &other);
	if (err != ERR_NOT_FOUND)
		return err == OK ? ERR_EXISTS : err;
	err = app_password_count(txn_view(txn), app->user_id, &count);
	if (err != OK || count >= APP_PASSWORDS_MAX)
		return err != OK ? err : ERR_LIMIT;
	*app_id = id_next(txn, COUNTER_app_password);
	key_u64_u64(&key, app->user_id, *app_id);
	return row_put_fields(txn, TABLE_app_passwords, &key, &app_password_table, &made);
}

enum err
app_password_remove(struct txn *txn, uint64_t user_id, uint64_t app_id)
{
	struct key key;

	key_u64_u64(&key, user_id, app_id);
	return row_delete(txn, TABLE_app_passwords, &key);
}

/* ---- uses ---- */

enum err
app_use_find(struct snapshot *snap, uint64_t user_id, uint64_t app_id, struct app_use *out)
{
	struct record_in in;
	struct key key;
	enum err err;

	*out = (struct app_use){ 0 };
	key_u64_u64(&key, user_id, app_id);
	err = table_get_record(snap, TABLE_app_uses, &key, USE_VERSION, &in);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	out->last_ms = (int64_t)record_take_u64(&in);
	out->protocol = record_take_u8(&in);
	if (record_end(&in) != OK || out->protocol >= USER_PROTOCOL_COUNT)
		return table_damaged(snap, TABLE_app_uses, key_span(&key), "fields");
	return OK;
}

enum err
app_use_note(struct txn *txn, uint64_t user_id, uint64_t app_id, const struct app_use *use)
{
	char room[USE_ROOM];
	struct record_out out;
	struct span value;
	struct key key;
	enum err err;

	key_u64_u64(&key, user_id, app_id);
	err = table_get(txn_view(txn), TABLE_app_passwords, &key, &value);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	record_begin(&out, room, sizeof(room), USE_VERSION);
	record_put_u64(&out, (uint64_t)use->last_ms);
	record_put_u8(&out, use->protocol);
	return table_put_record(txn, TABLE_app_uses, &key, &out);
}

/* ---- the end of a user ---- */

enum err
app_passwords_purge(struct txn *txn, uint64_t user_id)
{
	struct key prefix;
	bool more = true;
	enum err err = OK;

	key_u64(&prefix, user_id);
	while (err == OK && more)
		err = rows_purge(txn, TABLE_app_uses, &prefix, PURGE_ROWS, &more);
	return err == OK ? rows_purge(txn, TABLE_app_passwords, &prefix, PURGE_ROWS, &more) : err;
}
