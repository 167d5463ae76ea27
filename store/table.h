/*
 * table.h - rows of the store, by key, seen through a snapshot or changed in a transaction.
 *
 * What is built on it knows no LMDB. Reading takes a snapshot; inside a job txn_view() gives the
 * one that sees what the job and those before it in the group wrote.
 *
 * ERR_CORRUPT is one damaged row: a walk may go on behind it. ERR_IO is a tree that LMDB cannot
 * read: it may not. So is a snapshot that is NULL, which snapshot_open() could not give (H42): all
 * that reads through it gets ERR_IO, and has no table that is absent.
 *
 * Spans that reading gives point into the map: they live until the snapshot closes, in a job only
 * until its next write. ERR_IO and ERR_CORRUPT have been logged where they are returned.
 */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include "proto/base/arena.h"
#include "store/key.h"
#include "store/record.h"

struct snapshot;
struct store;
struct txn;

/* ---- reading ---- */

/* ERR_NOT_FOUND, ERR_IO. */
MUST_CHECK enum err table_get(
	struct snapshot *snap, enum store_table table, const struct key *key, struct span *value);
/* The same for a record, checked and open at its first field. Also ERR_CORRUPT. */
MUST_CHECK enum err table_get_record(struct snapshot *snap, enum store_table table,
	const struct key *key, uint8_t newest, struct record_in *in);

struct row {
	struct span key;
	struct span value;
};

/*
 * Walks. A snapshot has one position in each table: a second walk over the same table moves it,
 * then seek again with the last key; the same after a row of the table was deleted. Getting and
 * putting do not move it.
 * ERR_NOT_FOUND: no row there, the walk is over.
 */
MUST_CHECK enum err table_seek( /* the first row whose key is FROM or behind it */
	struct snapshot *snap, enum store_table table, const struct key *from, struct row *row);
MUST_CHECK enum err table_seek_after( /* the first row behind that of ID, in a table whose keys begin with a number */
	struct snapshot *snap, enum store_table table, uint64_t id, struct row *row);
MUST_CHECK enum err table_seek_before( /* the last row whose key is before KEY */
	struct snapshot *snap, enum store_table table, const struct key *key, struct row *row);
MUST_CHECK enum err table_next(struct snapshot *snap, enum store_table table, struct row *row);
MUST_CHECK enum err table_prev(struct snapshot *snap, enum store_table table, struct row *row);

bool row_has_prefix(const struct row *row, const struct key *prefix);
/* Open ROW's value as a record. ERR_CORRUPT is logged with its key. */
MUST_CHECK enum err row_record(struct snapshot *snap, enum store_table table,
	const struct row *row, uint8_t newest, struct record_in *in);

/* A store of an older server, looked at by a reader, has no such table: it counts as empty. */
bool table_is_absent(const struct snapshot *snap, enum store_table table);

MUST_CHECK enum err table_count(struct snapshot *snap, enum store_table table, uint64_t *rows);

/*
 * Log once that a value that passed its checksum makes no sense; gives ERR_CORRUPT, for `return`.
 */
enum err table_damaged(struct snapshot *snap, enum store_table table, struct span key,
	const char *what);

/* ---- changing, on the writer thread only ---- */

/* The snapshot that sees what this transaction wrote. */
struct snapshot *txn_view(struct txn *txn);
struct store *txn_store(struct txn *txn);
/* Scratch memory of one call of apply(). */
struct arena *txn_arena(struct txn *txn);
/* The wall clock when the group began, ms since 1970; never falls from one commit to the next. */
uint64_t txn_now_ms(const struct txn *txn);

/* Insert or replace. ERR_FULL, ERR_IO. */
MUST_CHECK enum err table_put(
	struct txn *txn, enum store_table table, const struct key *key, struct span value);
/* The same where KEY is nearly always behind all others: ids that rise. */
MUST_CHECK enum err table_append(
	struct txn *txn, enum store_table table, const struct key *key, struct span value);
/* Seal OUT and put it. Also ERR_LIMIT: the record did not fit its room. */
MUST_CHECK enum err table_put_record(
	struct txn *txn, enum store_table table, const struct key *key, struct record_out *out);
MUST_CHECK enum err table_append_record(
	struct txn *txn, enum store_table table, const struct key *key, struct record_out *out);
/* *room is SIZE bytes in the database to be filled before the next write. */
MUST_CHECK enum err table_reserve(
	struct txn *txn, enum store_table table, const struct key *key, size_t size, char **room);
/* The same for a key that is nearly always behind all others. */
MUST_CHECK enum err table_reserve_append(
	struct txn *txn, enum store_table table, const struct key *key, size_t size, char **room);
/* ERR_NOT_FOUND, ERR_FULL (deleting needs pages too, H43), ERR_IO. */
MUST_CHECK enum err table_delete(struct txn *txn, enum store_table table, const struct key *key);

/* What records the changes of the job at work; NULL when it begins. For changes.c. */
struct change_recorder;
struct change_recorder *txn_recorder(struct txn *txn);
void txn_set_recorder(struct txn *txn, struct change_recorder *recorder);

/* Folder FOLDER_ID changed: it is in the list that on_changes gets after the commit (IDLE). */
void txn_note_folder(struct txn *txn, uint64_t folder_id);
/* His mailbox has another size: he is in the list that on_sizes gets after the commit (QUO-03). */
void txn_note_user(struct txn *txn, uint64_t user_id);

#endif
