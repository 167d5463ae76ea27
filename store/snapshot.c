/*
 * snapshot.c - read transactions, kept in a pool so that opening one is a renewal.
 *
 * A pooled transaction keeps its reader slot, but pins no pages. MDB_NOTLS lets it move between
 * threads; the lock of the pool orders them.
 */
#include <errno.h>
#include <stdlib.h>

#include "store/lmdb_txn.h"

enum err
snapshots_begin(struct store *store)
{
	pthread_mutex_init(&store->snap_lock, NULL);
	list_init(&store->snap_pool);
	return OK;
}

void
snapshot_close_cursors(struct snapshot *snap)
{
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		if (snap->cursors[i])
			mdb_cursor_close(snap->cursors[i]);
		snap->cursors[i] = NULL;
	}
}

static void
snapshot_free(struct snapshot *snap)
{
	snapshot_close_cursors(snap);
	if (snap->txn)
		mdb_txn_abort(snap->txn);
	free(snap);
}

void
snapshots_end(struct store *store)
{
	struct list *link;

	while ((link = list_take_first(&store->snap_pool)))
		snapshot_free(LIST_ITEM(link, struct snapshot, link));
	pthread_mutex_destroy(&store->snap_lock);
}

char *
snapshot_copy(struct snapshot *snap, struct span bytes)
{
	char *room = arena_alloc(&snap->copies, bytes.len);

	memcpy(room, bytes.ptr, bytes.len);
	return room;
}

void
snapshot_forget_copies(struct snapshot *snap)
{
	arena_reset(&snap->copies);
}

static struct snapshot *
pool_take(struct store *store)
{
	struct list *link;

	pthread_mutex_lock(&store->snap_lock);
	link = list_take_first(&store->snap_pool);
	pthread_mutex_unlock(&store->snap_lock);
	return link ? LIST_ITEM(link, struct snapshot, link) : NULL;
}

enum err
snapshot_open(struct store *store, struct snapshot **out)
{
	struct snapshot *snap = pool_take(store);
	int rc;

	if (snap) {
		rc = mdb_txn_renew(snap->txn);
	} else {
		snap = calloc(1, sizeof(*snap));
		ENSURE(snap); /* out of memory ends the process, see arena.h */
		list_init(&snap->link);
		arena_init(&snap->copies, NULL);
		snap->store = store;
		rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &snap->txn);
	}
	if (rc != 0) {
		if (rc == MDB_READERS_FULL)
			rc = EAGAIN;
		snapshot_free(snap);
		return lmdb_failed(store, rc, "open a snapshot", SPAN_NONE);
	}
	snap->turn++;
	snap->broken = false;
	*out = snap;
	return OK;
}

void
snapshot_close(struct snapshot **snap)
{
	struct store *store;

	if (!*snap)
		return;
	store = (*snap)->store;
	arena_reset(&(*snap)->copies);
	mdb_txn_reset((*snap)->txn);
	pthread_mutex_lock(&store->snap_lock);
	list_prepend(&store->snap_pool, &(*snap)->link);
	pthread_mutex_unlock(&store->snap_lock);
	*snap = NULL;
}

uint64_t
snapshot_id(const struct snapshot *snap)
{
	return mdb_txn_id(snap->txn);
}

struct store *
snapshot_store(const struct snapshot *snap)
{
	return snap->store;
}
