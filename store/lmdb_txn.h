/*
 * lmdb_txn.h - the inside of the store: what store.c, snapshot.c, table.c, txn.c, room.c, inbox.c
 * and commit.c share. The one header that shows LMDB; nothing outside store/ includes it.
 */
#ifndef STORE_LMDB_TXN_H
#define STORE_LMDB_TXN_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "proto/base/list.h"
#include "store/body_pins.h"
#include "store/commit.h"
#include "store/contents.h"
#include "store/ids.h"
#include "store/schema.h"
#include "store/store.h"
#include "store/table.h"

/* Keys of the table `meta`; the values are records, but for the seal. */
#define META_SEAL "seal"         /* u64, little-endian: the id of the last commit (H48) */
#define META_SCHEMA "schema"     /* what this is, and STORE_SCHEMA_VERSION */
#define META_COUNTERS "counters" /* see struct counters */

/* What `meta` keeps of numbers that only rise. */
struct counters {
	uint64_t last[COUNTER_COUNT];
	uint64_t message_no_mark; /* every number below may have been given out */
	size_t known; /* of them stand in the row; fewer in a store of an older server */
};

/* A read transaction with its walks; the writer's own is inside struct txn. */
struct snapshot {
	struct list link; /* in the pool */
	struct store *store;
	MDB_txn *txn;
	MDB_cursor *cursors[TABLE_COUNT];
	uint32_t cursor_turn[TABLE_COUNT]; /* a cursor of an older turn must be renewed */
	uint32_t turn;
	struct arena copies; /* what veil.c made readable; given back with the snapshot */
	bool broken; /* a read failed inside LMDB: the transaction is of no more use */
};

/* Ids that a commit tells about, with repeats. */
struct noted {
	uint64_t *ids;
	size_t count, room;
};

/* The one write transaction, on the writer's thread. */
struct txn {
	struct snapshot view;
	MDB_txn *group; /* the parent while a job runs in a child; else NULL */
	struct counters counters;
	struct content_pending pending;
	struct arena arena; /* scratch of the job that runs */
	struct change_recorder *recorder; /* of the job at work, or NULL; see changes.c */
	uint64_t writes; /* tried so far; tells a clean failure from one that must be undone */
	uint64_t now_ms;
	struct noted folders; /* changed ones */
	struct noted users;   /* whose mailbox grew or shrank */
};

/* What decides whether mail may come in, see room.c. */
struct room {
	pthread_mutex_t lock; /* of all but `full` */
	uint64_t max_size, message_size;
	uint64_t reserve;      /* bytes to keep behind the file: less on a small disk */
	uint64_t reserved_end; /* offset up to which the disk is ours */
	bool no_fallocate;
	uint64_t checked_ms;  /* monotonic */
	uint64_t checked_end; /* of the file */
	uint64_t disk_free;
	uint64_t wanted; /* bytes that must come free before mail may come in; 0: none */
	enum store_room state;
	atomic_bool full;
};

struct store {
	struct store_options options; /* path is our own copy */
	char *path;
	int server_lock, use_lock; /* -1 or flocked */
	bool lacks_key; /* see store_lacks_key() */
	MDB_env *env;
	MDB_dbi tables[TABLE_COUNT];
	bool absent[TABLE_COUNT]; /* STORE_CHECK: empty, for an older server's store has none */
	uint64_t map_size;

	pthread_mutex_t snap_lock;
	struct list snap_pool;

	struct body_pins pins;
	struct room room;

	/* written by the writer alone */
	uint64_t group_no; /* of the group at work, from 1 */
	struct counters counters;
	uint64_t last_now_ms;
	struct txn txn;

	/* message numbers, see ids.c */
	atomic_uint_fast64_t message_no_next;
	atomic_uint_fast64_t message_no_mark;

	/* the lists, see commit.c; `lock` covers all of this */
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_t writer;
	struct list urgent, patient;
	bool writer_runs, writer_sleeps, stopping;
	bool reserve_numbers; /* a commit is wanted for message_no_mark alone */
	bool running_urgent;
	struct store_stats stats;
	atomic_bool dead;
};

/* ---- store.c ---- */
void store_say(struct store *store, enum store_severity severity, const char *format, ...)
	PRINTF_LIKE(3, 4);
uint64_t store_monotonic_us(void);

/* ---- table.c ---- */
/* The house's name for a code of LMDB or errno; logs all but not-found, with WHAT and the key. */
enum err lmdb_failed(struct store *store, int rc, const char *what, struct span key);

/* ---- snapshot.c ---- */
enum err snapshots_begin(struct store *store);
void snapshots_end(struct store *store);
void snapshot_close_cursors(struct snapshot *snap);
/* BYTES in memory that lives as long as the snapshot. */
char *snapshot_copy(struct snapshot *snap, struct span bytes);

/* ---- txn.c ---- */
enum err counters_load(struct snapshot *snap, struct counters *out);
int txn_begin(struct store *store, struct txn *txn); /* gives LMDB's code */
void txn_abort(struct txn *txn);
/* Write counters and seal, then commit. Gives LMDB's code; the transaction is over in any case. */
int txn_commit(struct txn *txn);
int txn_child_begin(struct txn *txn);
int txn_child_commit(struct txn *txn);
void txn_child_abort(struct txn *txn);
void txn_fini(struct txn *txn);

/* ---- room.c ---- */
enum err room_init(struct store *store);
/* Look at disk and file, but not oftener than ROOM_CHECK_MS unless NOW; keeps the reserve. */
#define ROOM_CHECK_MS 100
void room_check(struct store *store, bool now);
void room_set_full(struct store *store);
uint64_t store_file_bytes(struct store *store);
uint64_t room_free_bytes(struct store *store); /* in pages of the file that are free */
uint64_t room_wanted(struct store *store); /* bytes that must come free; 0: none */

/* ---- inbox.c ---- */
/* Put finished jobs into their inboxes; clears JOBS. */
void inbox_hand_back(struct store_job **jobs, size_t count);

/* ---- commit.c ---- */
enum err writer_start(struct store *store);
void writer_stop(struct store *store);

#endif
