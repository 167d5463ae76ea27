/*
 * table.c - rows by key over LMDB, and LMDB's codes as the errors of the house.
 */
#include "store/table.h"

#include <errno.h>
#include <stdio.h>

#include "store/lmdb_txn.h"

#define KEY_SHOWN 24 /* bytes of a key that a log line shows, in hex */

static const struct {
	int rc;
	enum err err;
} errors[] = {
	{ MDB_NOTFOUND, ERR_NOT_FOUND },
	{ MDB_MAP_FULL, ERR_FULL },
	{ ENOSPC, ERR_FULL },
	{ EDQUOT, ERR_FULL },
	{ EAGAIN, ERR_BUSY },
};

static enum err
err_of(int rc)
{
	for (size_t i = 0; i < COUNT(errors); i++)
		if (errors[i].rc == rc)
			return errors[i].err;
	return rc == 0 ? OK : ERR_IO;
}

static const char *
key_text(struct span key, char text[2 * KEY_SHOWN + 1])
{
	size_t shown = key.len < KEY_SHOWN ? key.len : KEY_SHOWN;

	text[0] = '\0';
	for (size_t i = 0; i < shown; i++)
		snprintf(text + 2 * i, 3, "%02x", (unsigned char)key.ptr[i]);
	return text;
}

enum err
lmdb_failed(struct store *store, int rc, const char *what, struct span key)
{
	char text[2 * KEY_SHOWN + 1];
	enum err err = err_of(rc);

	if (err != OK && err != ERR_NOT_FOUND)
		store_say(store, STORE_SAYS_ERROR, "cannot %s (key %s): %s", what,
			key_text(key, text), mdb_strerror(rc));
	return err;
}

enum err
table_damaged(struct snapshot *snap, enum store_table table, struct span key, const char *what)
{
	char text[2 * KEY_SHOWN + 1];

	store_say(snap->store, STORE_SAYS_ERROR, "damaged: row %s of %s: %s", key_text(key, text),
		store_table_name(table), what);
	return ERR_CORRUPT;
}

/*
 * After a read: not-found is an answer, all else leaves the transaction in doubt. A page that LMDB
 * cannot read is ERR_IO: ERR_CORRUPT is one row, which a walk may pass over; here it would stand
 * still.
 */
static enum err
read_result(struct snapshot *snap, int rc, enum store_table table, struct span key)
{
	if (rc == 0)
		return OK;
	if (rc == MDB_NOTFOUND)
		return ERR_NOT_FOUND;
	snap->broken = true;
	return lmdb_failed(snap->store, rc, store_table_name(table), key);
}

static inline MDB_val
val_of(struct span s)
{
	return (MDB_val){ s.len, (void *)(uintptr_t)s.ptr };
}

static inline struct span
span_of_val(MDB_val val)
{
	return (struct span){ val.mv_data, val.mv_size };
}

bool
table_is_absent(const struct snapshot *snap, enum store_table table)
{
	return snap && snap->store->absent[table];
}

enum err
table_get(struct snapshot *snap, enum store_table table, const struct key *key, struct span *value)
{
	MDB_val k = val_of(key_span(key)), v;
	int rc = MDB_NOTFOUND;

	if (!snap)
		return ERR_IO;
	if (!table_is_absent(snap, table))
		rc = mdb_get(snap->txn, snap->store->tables[table], &k, &v);
	if (rc != 0)
		return read_result(snap, rc, table, key_span(key));
	*value = span_of_val(v);
	return OK;
}

static enum err
open_record(struct snapshot *snap, enum store_table table, const struct row *row, uint8_t newest,
	struct record_in *in)
{
	if (record_open(in, table, row->key, row->value, newest) == OK)
		return OK;
	return table_damaged(snap, table, row->key, "checksum or version is wrong");
}

enum err
table_get_record(struct snapshot *snap, enum store_table table, const struct key *key,
	uint8_t newest, struct record_in *in)
{
	struct row row = { .key = key_span(key) };
	enum err err = table_get(snap, table, key, &row.value);

	return err == OK ? open_record(snap, table, &row, newest, in) : err;
}

enum err
row_record(struct snapshot *snap, enum store_table table, const struct row *row, uint8_t newest,
	struct record_in *in)
{
	return open_record(snap, table, row, newest, in);
}

bool
row_has_prefix(const struct row *row, const struct key *prefix)
{
	return span_starts(row->key, key_span(prefix));
}

/* The walk of a table in this snapshot: opened once, renewed in each turn. */
static enum err
cursor_of(struct snapshot *snap, enum store_table table, MDB_cursor **out)
{
	MDB_cursor **cursor;
	int rc = 0;

	if (!snap)
		return ERR_IO;
	if (table_is_absent(snap, table))
		return ERR_NOT_FOUND;
	cursor = &snap->cursors[table];
	if (!*cursor)
		rc = mdb_cursor_open(snap->txn, snap->store->tables[table], cursor);
	else if (snap->cursor_turn[table] != snap->turn)
		rc = mdb_cursor_renew(snap->txn, *cursor);
	snap->cursor_turn[table] = snap->turn;
	*out = *cursor;
	return read_result(snap, rc, table, SPAN_NONE);
}

static enum err
cursor_step(struct snapshot *snap, enum store_table table, MDB_cursor_op op, struct row *row)
{
	MDB_cursor *cursor;
	MDB_val k = val_of(row->key), v = { 0, NULL };
	enum err err = cursor_of(snap, table, &cursor);

	if (err == OK)
		err = read_result(snap, mdb_cursor_get(cursor, &k, &v, op), table, row->key);
	if (err == OK)
		*row = (struct row){ span_of_val(k), span_of_val(v) };
	return err;
}

enum err
table_seek(struct snapshot *snap, enum store_table table, const struct key *from, struct row *row)
{
	enum err err;

	row->key = key_span(from);
	err = cursor_step(snap, table, from->len ? MDB_SET_RANGE : MDB_FIRST, row);
	if (err != OK || span_cmp(row->key, key_span(from)) >= 0)
		return err;
	(void)table_damaged(snap, table, row->key, "its page is not in order");
	return ERR_IO; /* whoever walks would stand still here, see read_result() */
}

enum err
table_seek_after(struct snapshot *snap, enum store_table table, uint64_t id, struct row *row)
{
	struct key key;

	if (id == UINT64_MAX)
		return ERR_NOT_FOUND;
	key_u64(&key, id + 1);
	return table_seek(snap, table, &key, row);
}

enum err
table_seek_before(
	struct snapshot *snap, enum store_table table, const struct key *key, struct row *row)
{
	enum err err = table_seek(snap, table, key, row);

	if (err == OK)
		return cursor_step(snap, table, MDB_PREV, row);
	return err == ERR_NOT_FOUND ? cursor_step(snap, table, MDB_LAST, row) : err;
}

enum err
table_next(struct snapshot *snap, enum store_table table, struct row *row)
{
	return cursor_step(snap, table, MDB_NEXT, row);
}

enum err
table_prev(struct snapshot *snap, enum store_table table, struct row *row)
{
	return cursor_step(snap, table, MDB_PREV, row);
}

enum err
table_count(struct snapshot *snap, enum store_table table, uint64_t *rows)
{
	MDB_stat stat = { 0 };
	int rc = 0;

	if (!snap)
		return ERR_IO;
	if (!table_is_absent(snap, table))
		rc = mdb_stat(snap->txn, snap->store->tables[table], &stat);
	if (rc == 0)
		*rows = stat.ms_entries;
	return read_result(snap, rc, table, SPAN_NONE);
}

/* ---- changing ---- */

static enum err
put(struct txn *txn, enum store_table table, const struct key *key, MDB_val *value, unsigned flags)
{
	struct store *store = txn->view.store;
	MDB_val k = val_of(key_span(key));
	int rc;

	txn->writes++;
	rc = mdb_put(txn->view.txn, store->tables[table], &k, value, flags);
	if (rc == MDB_KEYEXIST && flags & MDB_APPEND) /* not behind all others: an ordinary place */
		rc = mdb_put(txn->view.txn, store->tables[table], &k, value, flags & ~MDB_APPEND);
	return rc == 0 ? OK : lmdb_failed(store, rc, store_table_name(table), key_span(key));
}

enum err
table_put(struct txn *txn, enum store_table table, const struct key *key, struct span value)
{
	MDB_val v = val_of(value);

	return put(txn, table, key, &v, 0);
}

enum err
table_append(struct txn *txn, enum store_table table, const struct key *key, struct span value)
{
	MDB_val v = val_of(value);

	return put(txn, table, key, &v, MDB_APPEND);
}

enum err
table_put_record(struct txn *txn, enum store_table table, const struct key *key,
	struct record_out *out)
{
	struct span value;

	if (record_seal(out, table, key, &value) != OK)
		return ERR_LIMIT;
	return table_put(txn, table, key, value);
}

enum err
table_append_record(struct txn *txn, enum store_table table, const struct key *key,
	struct record_out *out)
{
	struct span value;

	if (record_seal(out, table, key, &value) != OK)
		return ERR_LIMIT;
	return table_append(txn, table, key, value);
}

static enum err
reserve(struct txn *txn, enum store_table table, const struct key *key, MDB_val *value,
	unsigned flags)
{
	return put(txn, table, key, value, MDB_RESERVE | flags);
}

enum err
table_reserve(struct txn *txn, enum store_table table, const struct key *key, size_t size,
	char **room)
{
	MDB_val value = { size, NULL };
	enum err err = reserve(txn, table, key, &value, 0);

	*room = value.mv_data;
	return err;
}

enum err
table_reserve_append(struct txn *txn, enum store_table table, const struct key *key, size_t size,
	char **room)
{
	MDB_val value = { size, NULL };
	enum err err = reserve(txn, table, key, &value, MDB_APPEND);

	*room = value.mv_data;
	return err;
}

enum err
table_delete(struct txn *txn, enum store_table table, const struct key *key)
{
	struct store *store = txn->view.store;
	MDB_val k = val_of(key_span(key));
	int rc = mdb_del(txn->view.txn, store->tables[table], &k, NULL);

	if (rc == MDB_NOTFOUND)
		return ERR_NOT_FOUND;
	txn->writes++;
	return rc == 0 ? OK : lmdb_failed(store, rc, store_table_name(table), key_span(key));
}
