/*
 * secrets.c - rows of sealed bytes.
 */
#include "store/secrets.h"

#include <stdio.h>

#include "proto/base/ascii.h"
#include "store/rows.h"

#define SECRET_VERSION 1
#define ERASE_ROWS 500 /* a slice; a user has one row a mechanism */
#define SECRET_ROOM (RECORD_HEAD + 16 + SECRET_SEALED_MAX)

bool
secret_name_is_valid(struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!ascii_is_alnum(c) && c != '.' && c != '_' && c != '-')
			return false;
	}
	return name.len >= 1 && name.len <= SECRET_NAME_MAX;
}

struct span
user_secret_name(uint64_t user_id, const char *kind, char out[USER_SECRET_NAME_SIZE])
{
	int len = snprintf(out, USER_SECRET_NAME_SIZE, "user/%llu/%s",
		(unsigned long long)user_id, kind);

	ENSURE(len > 0 && len < USER_SECRET_NAME_SIZE);
	return (struct span){ out, (size_t)len };
}

struct span
forward_secret_name(uint64_t user_id, char out[USER_SECRET_NAME_SIZE])
{
	int len = snprintf(out, USER_SECRET_NAME_SIZE, FORWARD_SECRET_PREFIX "%llu",
		(unsigned long long)user_id);

	ENSURE(len > 0 && len < USER_SECRET_NAME_SIZE);
	return (struct span){ out, (size_t)len };
}

static bool
is_of_user(struct span name)
{
	return span_starts(name, SPAN("user/"));
}

/* ---- reading ---- */

static enum err
secret_take(struct record_in *in, struct sealed_secret *out)
{
	out->changed_ms = (int64_t)record_take_u64(in);
	out->sealed = record_take_span(in);
	return record_end(in);
}

enum err
secret_find(struct snapshot *snap, struct span name, struct sealed_secret *out)
{
	struct record_in in;
	struct key key;
	enum err err;

	if (name.len == 0 || name.len > SECRET_NAME_MAX)
		return ERR_NOT_FOUND;
	key_name(&key, name);
	*out = (struct sealed_secret){ .name = name };
	err = table_get_record(snap, TABLE_secrets, &key, SECRET_VERSION, &in);
	if (err != OK)
		return err;
	if (secret_take(&in, out) != OK)
		return table_damaged(snap, TABLE_secrets, key_span(&key), "fields");
	return OK;
}

enum err
secret_after(struct snapshot *snap, struct span name, struct sealed_secret *out)
{
	static const struct {
		struct span prefix, behind; /* '0' follows '/' */
	} passed[] = {
		{ { FORWARD_SECRET_PREFIX, 8 }, { "forward0", 8 } },
		{ { "user/", 5 }, { "user0", 5 } },
	};
	struct record_in in;
	struct key key;
	struct row row;
	enum err err;

	key_name(&key, name);
	if (name.len > 0)
		key_put_u8(&key, 0); /* behind NAME itself */
	err = table_seek(snap, TABLE_secrets, &key, &row);
	for (size_t i = 0; i < COUNT(passed) && err == OK; i++) {
		if (!span_starts(row.key, passed[i].prefix))
			continue;
		key_name(&key, passed[i].behind);
		err = table_seek(snap, TABLE_secrets, &key, &row);
	}
	if (err == OK)
		err = row_record(snap, TABLE_secrets, &row, SECRET_VERSION, &in);
	if (err != OK)
		return err;
	out->name = row.key;
	if (secret_take(&in, out) != OK)
		return table_damaged(snap, TABLE_secrets, row.key, "fields");
	return OK;
}

/* ---- writing ---- */

enum err
secret_put(struct txn *txn, struct span name, struct span sealed, int64_t now_ms)
{
	char room[SECRET_ROOM];
	struct record_out out;
	struct key key;

	if (name.len == 0 || name.len > SECRET_NAME_MAX || sealed.len > SECRET_SEALED_MAX)
		return ERR_LIMIT;
	key_name(&key, name);
	record_begin(&out, room, sizeof(room), SECRET_VERSION);
	record_put_u64(&out, (uint64_t)now_ms);
	record_put_span(&out, sealed);
	return is_of_user(name) ? table_put_record(txn, TABLE_secrets, &key, &out)
				: row_put_record(txn, TABLE_secrets, &key, &out);
}

enum err
secret_remove(struct txn *txn, struct span name)
{
	struct key key;

	if (name.len == 0 || name.len > SECRET_NAME_MAX)
		return ERR_NOT_FOUND;
	key_name(&key, name);
	return is_of_user(name) ? table_delete(txn, TABLE_secrets, &key)
				: row_delete(txn, TABLE_secrets, &key);
}

enum err
user_secrets_remove(struct txn *txn, uint64_t user_id)
{
	char text[USER_SECRET_NAME_SIZE];
	struct key prefix;
	bool more;
	enum err err;

	err = secret_remove(txn, forward_secret_name(user_id, text));
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	key_name(&prefix, user_secret_name(user_id, "", text));
	return rows_purge(txn, TABLE_secrets, &prefix, ERASE_ROWS, &more);
}

enum err
user_secrets_erase(struct txn *txn, bool *more)
{
	struct key prefix;

	key_name(&prefix, SPAN("user/"));
	return rows_purge(txn, TABLE_secrets, &prefix, ERASE_ROWS, more);
}
