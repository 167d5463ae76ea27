/*
 * txn.c - the write transaction: the counters that go with it, the seal, and children that can be
 * undone.
 */
#include <endian.h>
#include <stdlib.h>

#include "store/lmdb_txn.h"

#define COUNTERS_VERSION 1
#define COUNTERS_ROOM (RECORD_HEAD + 8 * (COUNTER_COUNT + 2))

struct snapshot *
txn_view(struct txn *txn)
{
	return &txn->view;
}

uint64_t
txn_now_ms(const struct txn *txn)
{
	return txn->now_ms;
}

struct content_pending *
txn_content_pending(struct txn *txn)
{
	return &txn->pending;
}

struct change_recorder *
txn_recorder(struct txn *txn)
{
	return txn->recorder;
}

void
txn_set_recorder(struct txn *txn, struct change_recorder *recorder)
{
	txn->recorder = recorder;
}

struct arena *
txn_arena(struct txn *txn)
{
	return &txn->arena;
}

struct store *
txn_store(struct txn *txn)
{
	return txn->view.store;
}

static void
note_id(struct noted *noted, uint64_t id)
{
	if (noted->count && noted->ids[noted->count - 1] == id)
		return;
	if (noted->count == noted->room) {
		noted->room = noted->room ? 2 * noted->room : 256;
		noted->ids = realloc(noted->ids, noted->room * sizeof(*noted->ids));
		ENSURE(noted->ids); /* out of memory ends the process, see arena.h */
	}
	noted->ids[noted->count++] = id;
}

void
txn_note_folder(struct txn *txn, uint64_t folder_id)
{
	note_id(&txn->folders, folder_id);
}

void
txn_note_user(struct txn *txn, uint64_t user_id)
{
	note_id(&txn->users, user_id);
}

/* ---- counters ---- */

/* Counters that a newer schema.h added are not in an older row, and begin at 0. */
enum err
counters_load(struct snapshot *snap, struct counters *out)
{
	struct record_in in;
	struct key key;
	enum err err;

	*out = (struct counters){ .message_no_mark = MESSAGE_NO_FIRST };
	key_name(&key, SPAN(META_COUNTERS));
	err = table_get_record(snap, TABLE_meta, &key, COUNTERS_VERSION, &in);
	if (err != OK)
		return err;
	out->message_no_mark = record_take_u64(&in);
	for (; out->known < COUNTER_COUNT && record_left(&in); out->known++)
		out->last[out->known] = record_take_u64(&in);
	return record_end(&in) == OK ? OK
				     : table_damaged(snap, TABLE_meta, key_span(&key), "counters");
}

static enum err
counters_save(struct txn *txn)
{
	char room[COUNTERS_ROOM];
	struct record_out out;
	struct key key;

	record_begin(&out, room, sizeof(room), COUNTERS_VERSION);
	record_put_u64(&out, txn->counters.message_no_mark);
	for (size_t i = 0; i < COUNTER_COUNT; i++)
		record_put_u64(&out, txn->counters.last[i]);
	key_name(&key, SPAN(META_COUNTERS));
	return table_put_record(txn, TABLE_meta, &key, &out);
}

/* ---- the whole ---- */

int
txn_begin(struct store *store, struct txn *txn)
{
	uint64_t now = store_now_ms(store);

	if (now < store->last_now_ms) /* the clock was set back (H54) */
		now = store->last_now_ms;
	store->last_now_ms = now;
	txn->view = (struct snapshot){ .store = store };
	txn->group = NULL;
	txn->recorder = NULL;
	txn->counters = store->counters;
	content_pending_clear(&txn->pending);
	txn->writes = 0;
	txn->now_ms = now;
	txn->folders.count = txn->users.count = 0;
	return mdb_txn_begin(store->env, NULL, 0, &txn->view.txn);
}

void
txn_abort(struct txn *txn)
{
	snapshot_close_cursors(&txn->view);
	snapshot_forget_copies(&txn->view);
	mdb_txn_abort(txn->view.txn);
	txn->view.txn = NULL;
}

/* The id of this transaction under its key, so that a torn meta page shows (H48). */
static enum err
seal(struct txn *txn)
{
	uint64_t id = htole64(mdb_txn_id(txn->view.txn));
	struct key key;

	key_name(&key, SPAN(META_SEAL));
	return table_put(txn, TABLE_meta, &key, (struct span){ (const char *)&id, sizeof(id) });
}

int
txn_commit(struct txn *txn)
{
	enum err err = counters_save(txn);
	int rc;

	if (err == OK)
		err = seal(txn);
	if (err != OK) {
		txn_abort(txn);
		return err == ERR_FULL ? MDB_MAP_FULL : MDB_BAD_TXN;
	}
	snapshot_close_cursors(&txn->view);
	snapshot_forget_copies(&txn->view);
	rc = mdb_txn_commit(txn->view.txn); /* frees it, also where it fails */
	txn->view.txn = NULL;
	if (rc == 0)
		txn->view.store->counters = txn->counters;
	return rc;
}

int
txn_child_begin(struct txn *txn)
{
	MDB_txn *child;
	int rc = mdb_txn_begin(txn->view.store->env, txn->view.txn, 0, &child);

	if (rc != 0)
		return rc;
	txn->group = txn->view.txn;
	txn->view.txn = child;
	return 0;
}

static void
child_over(struct txn *txn)
{
	txn->view.txn = txn->group;
	txn->view.broken = false;
	txn->group = NULL;
}

int
txn_child_commit(struct txn *txn)
{
	int rc;

	snapshot_close_cursors(&txn->view);
	rc = mdb_txn_commit(txn->view.txn);
	child_over(txn);
	return rc;
}

void
txn_child_abort(struct txn *txn)
{
	snapshot_close_cursors(&txn->view);
	mdb_txn_abort(txn->view.txn);
	child_over(txn);
}

void
txn_fini(struct txn *txn)
{
	arena_reset(&txn->arena);
	free(txn->folders.ids);
	free(txn->users.ids);
	txn->folders = txn->users = (struct noted){ .ids = NULL };
}
