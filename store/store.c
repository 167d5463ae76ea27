/*
 * store.c - opening and closing the database, and its figures.
 *
 * The order of opening: directory, locks, make it if there is none, environment, schema, seal,
 * tables, counters, one commit, writer. What fails undoes what came before.
 */
#include "store/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/bin.h"
#include "store/indexes.h"
#include "store/store_dir.h"
#include "store/store_make.h"
#include "store/veil.h"

void
store_say(struct store *store, enum store_severity severity, const char *format, ...)
{
	char text[512];
	va_list args;

	if (!store->options.on_log)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	store->options.on_log(store->options.arg, severity, text);
}

uint64_t
store_monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
store_now_ms(struct store *store)
{
	struct timespec now;

	if (store->options.now_ms)
		return store->options.now_ms(store->options.arg);
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

const char *
store_path(const struct store *store)
{
	return store->path;
}

struct body_pins *
store_body_pins(struct store *store)
{
	return &store->pins;
}

bool
store_is_dead(struct store *store)
{
	return atomic_load(&store->dead);
}

/* ---- opening ---- */

static struct store *
store_new(const struct store_options *options)
{
	struct store *store = calloc(1, sizeof(*store));

	ENSURE(store); /* out of memory ends the process, see arena.h */
	store->path = strdup(options->path);
	ENSURE(store->path);
	store->options = *options;
	store->options.path = store->path;
	store->counters.message_no_mark = MESSAGE_NO_FIRST;
	store->server_lock = store->use_lock = -1;
	pthread_mutex_init(&store->lock, NULL);
	body_pins_init(&store->pins);
	list_init(&store->urgent);
	list_init(&store->patient);
	(void)snapshots_begin(store);
	(void)room_init(store);
	return store;
}

static void
store_free(struct store **store)
{
	struct store *s = *store;

	txn_fini(&s->txn);
	snapshots_end(s);
	if (s->env)
		mdb_env_close(s->env);
	store_dir_unlock(&s->server_lock, &s->use_lock);
	pthread_mutex_destroy(&s->room.lock);
	pthread_mutex_destroy(&s->lock);
	body_pins_fini(&s->pins);
	free(s->path);
	free(s);
	*store = NULL;
}

/* Say in a person's words why LMDB would not. */
static enum err
env_fault(const char *path, int rc, struct store_fault *why)
{
	if (rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH || rc == MDB_CORRUPTED)
		return store_fault_set(why, ERR_CORRUPT, "%s: not a store that can be read: %s",
			path, mdb_strerror(rc));
	return store_fault_set(
		why, ERR_IO, "%s: cannot open the store: %s", path, mdb_strerror(rc));
}

/* The handles of the tables that are there; the rest is made by the first commit, if there is one. */
static enum err
find_tables(struct store *store, MDB_txn *txn, struct store_fault *why)
{
	for (int i = 0; i < TABLE_COUNT; i++) {
		int rc = mdb_dbi_open(txn, store_table_name(i), 0, &store->tables[i]);

		store->absent[i] = rc == MDB_NOTFOUND && i != TABLE_meta;
		if (rc != 0 && !store->absent[i])
			return store_fault_set(why, ERR_CORRUPT, "%s: table %s: %s", store->path,
				store_table_name(i), mdb_strerror(rc));
	}
	return OK;
}

/* A reader makes no tables: those of a newer schema.h may be absent where its counters are, too. */
static enum err
absent_check(const struct store *store, struct store_fault *why)
{
	if (store->options.mode != STORE_CHECK || store->counters.known < COUNTER_COUNT)
		return OK;
	for (int i = 0; i < TABLE_COUNT; i++)
		if (store->absent[i] && !index_is((enum store_table)i))
			return store_fault_set(why, ERR_CORRUPT, "%s: table %s is not there",
				store->path, store_table_name(i));
	return OK;
}

/* What a read transaction can tell before anything is written. */
static enum err
check_first(struct store *store, struct store_fault *why)
{
	struct snapshot snap = { .store = store };
	int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &snap.txn);
	enum err err;

	if (rc != 0)
		return env_fault(store->path, rc, why);
	err = find_tables(store, snap.txn, why);
	if (err == OK)
		err = store_schema_check(&snap, why);
	if (err == OK)
		err = store_seal_check(&snap, why);
	if (err == OK)
		err = veil_check(&snap, why);
	if (err == OK && counters_load(&snap, &store->counters) != OK)
		err = store_fault_set(why, ERR_CORRUPT,
			"%s: its counters are damaged (stop the server and run postroomd "
			"--check-store --repair)",
			store->path);
	if (err == OK)
		err = absent_check(store, why);
	snapshot_close_cursors(&snap);
	snapshot_forget_copies(&snap);
	if (err == OK)
		rc = mdb_txn_commit(snap.txn); /* keeps the handles of the tables */
	else
		mdb_txn_abort(snap.txn);
	return rc == 0 ? err : env_fault(store->path, rc, why);
}

/* Those that a newer schema.h added; an index of rows that are there already is filled at once. */
static int
make_tables(struct store *store, struct txn *txn)
{
	bool made[TABLE_COUNT];
	int rc = 0;

	for (int i = 0; i < TABLE_COUNT && rc == 0; i++) {
		const char *name = store_table_name(i);

		rc = mdb_dbi_open(txn->view.txn, name, 0, &store->tables[i]);
		made[i] = rc == MDB_NOTFOUND;
		if (made[i])
			rc = mdb_dbi_open(txn->view.txn, name, MDB_CREATE, &store->tables[i]);
		store->absent[i] = false;
	}
	if (rc == 0 && made[TABLE_binned] && bins_fill(txn) != OK)
		rc = MDB_BAD_TXN;
	if (rc == 0 && indexes_fill(txn, made) != OK)
		rc = MDB_BAD_TXN;
	return rc;
}

/* Make tables that a newer schema.h added, and reserve message numbers behind the last ones. */
static enum err
first_commit(struct store *store, struct store_fault *why)
{
	struct txn *txn = &store->txn;
	int rc = txn_begin(store, txn);

	if (rc != 0)
		return env_fault(store->path, rc, why);
	rc = make_tables(store, txn);
	if (rc == 0 && veil_mark(txn) != OK)
		rc = MDB_BAD_TXN;
	if (rc != 0) {
		txn_abort(txn);
		return env_fault(store->path, rc, why);
	}
	if (txn->counters.message_no_mark < MESSAGE_NO_FIRST) /* of a store that began at 1 */
		txn->counters.message_no_mark = MESSAGE_NO_FIRST;
	atomic_store(&store->message_no_next, txn->counters.message_no_mark);
	txn->counters.message_no_mark += MESSAGE_NO_BLOCK;
	rc = txn_commit(txn);
	if (rc != 0)
		return env_fault(store->path, rc, why);
	atomic_store(&store->message_no_mark, store->counters.message_no_mark);
	return OK;
}

static enum err
open_env(struct store *store, struct store_fault *why)
{
	bool reads_only = store->options.mode == STORE_CHECK;
	enum err err = store->options.mode == STORE_SERVE ? store_make(store, why) : OK;
	int rc;

	if (err == OK)
		err = store_look(store->path, why);
	if (err != OK)
		return err;
	rc = store_env_open(store, store->path, reads_only ? MDB_RDONLY : 0);
	return rc == 0 ? check_first(store, why) : env_fault(store->path, rc, why);
}

static enum err
open_all(struct store *store, struct store_fault *why)
{
	bool loose;
	enum err err = store_dir_prepare(&store->options, &loose, why);

	if (err == OK)
		err = store_dir_lock(&store->options, &store->server_lock, &store->use_lock, why);
	if (err == OK)
		err = open_env(store, why);
	if (err != OK || store->options.mode == STORE_CHECK)
		return err;
	if (loose)
		store_say(store, STORE_SAYS_WARNING,
			"%s could be read by others; its mode is 0700 now", store->path);
	store_reader_check(store);
	err = first_commit(store, why);
	if (err != OK)
		return err;
	room_check(store, true);
	if (writer_start(store) != OK)
		return store_fault_set(
			why, ERR_IO, "%s: cannot start a thread: %s", store->path, strerror(errno));
	return OK;
}

enum err
store_open(const struct store_options *options, struct store **out, struct store_fault *why)
{
	struct store *store = store_new(options);
	enum err err;

	*why = (struct store_fault){ .err = OK };
	err = open_all(store, why);
	if (err == OK)
		*out = store;
	else
		store_free(&store);
	return err;
}

void
store_stop(struct store *store)
{
	writer_stop(store);
}

void
store_close(struct store **store)
{
	if (!*store)
		return;
	writer_stop(*store);
	store_free(store);
}

/* ---- figures and care ---- */

unsigned
store_reader_check(struct store *store)
{
	int dead = 0;
	int rc = mdb_reader_check(store->env, &dead);

	if (rc != 0)
		(void)lmdb_failed(store, rc, "look for dead readers", SPAN_NONE);
	if (dead > 0)
		store_say(store, STORE_SAYS_INFO, "freed %d reader slots of ended processes", dead);
	return dead > 0 ? (unsigned)dead : 0;
}

enum err
store_stats(struct store *store, struct store_stats *out)
{
	MDB_envinfo info;
	uint64_t wanted;
	int rc = mdb_env_info(store->env, &info);

	if (rc != 0)
		return lmdb_failed(store, rc, "read the figures", SPAN_NONE);
	if (store->options.mode != STORE_CHECK)
		room_check(store, false);
	pthread_mutex_lock(&store->lock);
	*out = store->stats;
	pthread_mutex_unlock(&store->lock);
	out->map_size = store->map_size;
	out->file_size = store_file_bytes(store);
	out->readers = info.me_numreaders;
	out->max_readers = info.me_maxreaders;
	pthread_mutex_lock(&store->room.lock);
	out->free_bytes = room_free_bytes(store);
	out->disk_free = store->room.disk_free;
	wanted = store->room.wanted;
	if (store->room.reserved_end > out->file_size)
		out->reserved = store->room.reserved_end - out->file_size;
	pthread_mutex_unlock(&store->room.lock);
	out->full = store_is_full(store);
	out->wanted = out->full ? wanted : 0;
	return OK;
}

enum err
store_copy_to_fd(struct store *store, int fd)
{
	int rc = mdb_env_copyfd2(store->env, fd, MDB_CP_COMPACT);

	return rc == 0 ? OK : lmdb_failed(store, rc, "copy the store", SPAN_NONE);
}
