/*
 * names.c - one name space for users, groups and lists.
 *
 * A row: the name in lower case -> kind, id. Only ASCII letters have a case here: names are ASCII
 * (USR-02).
 */
#include "store/names.h"

#include "proto/base/ascii.h"
#include "store/rows.h"

#define NAME_VERSION 1
#define NAME_ROOM (RECORD_HEAD + 16)

static enum err
name_key(struct key *key, struct span name)
{
	char lower[NAME_MAX_BYTES];

	if (name.len == 0)
		return ERR_SYNTAX;
	if (name.len > sizeof(lower))
		return ERR_LIMIT;
	for (size_t i = 0; i < name.len; i++)
		lower[i] = ascii_lower(name.ptr[i]);
	key_name(key, (struct span){ lower, name.len });
	return OK;
}

static enum err
name_take(struct record_in *in, struct span key, struct name_row *out)
{
	out->kind = record_take_u8(in);
	out->id = record_take_varint(in);
	out->key = key;
	return record_end(in);
}

enum err
name_find(struct snapshot *snap, struct span name, struct name_row *out)
{
	struct key key;
	struct record_in in;
	enum err err;

	if (name_key(&key, name) != OK)
		return ERR_NOT_FOUND;
	err = table_get_record(snap, TABLE_names, &key, NAME_VERSION, &in);
	if (err != OK)
		return err;
	return name_take(&in, SPAN_NONE, out);
}

/* From the row that the walk stands on, on to one of KIND. */
static enum err
name_scan(struct snapshot *snap, enum name_kind kind, struct row *row,
	enum err (*step)(struct snapshot *, enum store_table, struct row *), struct name_row *out)
{
	enum err err = OK;

	while (err == OK) {
		struct record_in in;

		err = row_record(snap, TABLE_names, row, NAME_VERSION, &in);
		if (err == OK)
			err = name_take(&in, row->key, out);
		if (err != OK || out->kind == kind)
			return err;
		err = step(snap, TABLE_names, row);
	}
	return err;
}

enum err
name_after(struct snapshot *snap, enum name_kind kind, struct span name, struct name_row *out)
{
	struct key key;
	struct row row;
	enum err err;

	key_begin(&key);
	if (name.len > 0) {
		err = name_key(&key, name);
		if (err != OK)
			return err;
	}
	key_put_u8(&key, 0); /* the next key there can be */
	err = table_seek(snap, TABLE_names, &key, &row);
	if (err != OK)
		return err;
	return name_scan(snap, kind, &row, table_next, out);
}

enum err
name_before(struct snapshot *snap, enum name_kind kind, struct span name, struct name_row *out)
{
	struct key key;
	struct row row;
	enum err err;

	key_begin(&key);
	if (name.len > 0)
		err = name_key(&key, name);
	else
		err = (key_put_u8(&key, 0xff), OK); /* behind every name */
	if (err != OK)
		return err;
	err = table_seek_before(snap, TABLE_names, &key, &row);
	if (err != OK)
		return err;
	return name_scan(snap, kind, &row, table_prev, out);
}

static const struct span robots[] = { { "_owner", 6 }, { "_digest", 7 } };

static bool
is_list(struct snapshot *snap, struct span name)
{
	struct name_row row;

	return name_find(snap, name, &row) == OK && row.kind == NAME_LIST;
}

/* a list has two more addresses, NAME_owner and NAME_digest. */
static bool
robot_is_taken(struct snapshot *snap, struct span name, enum name_kind kind)
{
	char room[NAME_MAX_BYTES + 8];
	struct name_row row;

	for (size_t i = 0; i < COUNT(robots); i++) {
		struct span long_name = { room, name.len + robots[i].len };

		if (span_ends_nocase(name, robots[i]) &&
			is_list(snap, span_range(name, 0, name.len - robots[i].len)))
			return true;
		memcpy(room, name.ptr, name.len); /* at most NAME_MAX_BYTES: name_key() saw it */
		memcpy(room + name.len, robots[i].ptr, robots[i].len);
		if (kind == NAME_LIST && name_find(snap, long_name, &row) == OK)
			return true;
	}
	return false;
}

enum err
name_add(struct txn *txn, struct span name, enum name_kind kind, uint64_t id)
{
	char room[NAME_ROOM];
	struct record_out out;
	struct name_row old;
	struct key key;
	enum err err = name_key(&key, name);

	if (err != OK)
		return err;
	err = name_find(txn_view(txn), name, &old);
	if (err != ERR_NOT_FOUND)
		return err == OK ? ERR_EXISTS : err;
	if (robot_is_taken(txn_view(txn), name, kind))
		return ERR_EXISTS;
	record_begin(&out, room, sizeof(room), NAME_VERSION);
	record_put_u8(&out, (uint8_t)kind);
	record_put_varint(&out, id);
	return row_put_record(txn, TABLE_names, &key, &out);
}

enum err
name_remove(struct txn *txn, struct span name)
{
	struct key key;
	enum err err = name_key(&key, name);

	if (err != OK)
		return err;
	return row_delete(txn, TABLE_names, &key);
}
