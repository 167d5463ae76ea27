/*
 * store.h - the database as a whole: opening, snapshots, limits, figures.
 *
 * Many readers, one writer. A snapshot is a read transaction: one turn of a loop or one slice of a
 * worker, never kept longer (an old one keeps freed pages from being used again and the file grows,
 * H44). Changes are jobs, see commit.h.
 *
 * In the directory (0700): data.mdb and lock.mdb of LMDB, and two files to lock:
 *	server.lock	exclusive for who writes: the server, repair, restore
 *	use.lock	shared for the server and for check, exclusive for repair and restore
 * so check runs beside the server and nothing runs beside repair (H45, H46).
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"

#define STORE_MAP_SIZE_MAX (UINT64_C(1) << 40) /* bytes of address space asked for first (H43) */
#define STORE_MAP_SIZE_MIN (UINT64_C(64) << 30) /* halved down to this where the system refuses */
#define STORE_RESERVE_SIZE (UINT64_C(64) << 20) /* bytes kept on disk behind the data file (H43) */
#define STORE_FULL_PERCENT 95                   /* of max_size: then incoming mail stops */

struct store;
struct snapshot;

enum store_mode {
	STORE_SERVE,     /* reads and writes; makes the store where there is none */
	STORE_CHECK,     /* reads only, beside a server */
	STORE_EXCLUSIVE, /* reads and writes, nobody else: repair, restore, tools */
};

enum store_severity { STORE_SAYS_INFO, STORE_SAYS_WARNING, STORE_SAYS_ERROR };

/*
 * Mixes LEN bytes in place with a stream that NONCE and the key of ARG determine, so that a second time
 * gives them back. See veil.h; `on` is whether what is written from now on is mixed (SEC-08).
 */
#define STORE_VEIL_NONCE 24 /* bytes */
struct store_veil {
	void (*mix)(void *arg, const unsigned char nonce[STORE_VEIL_NONCE], char *bytes, size_t len);
	void *arg;
	bool on;
};

/*
 * The callbacks may be NULL (now_ms then reads the system's clock). on_changes, on_sizes and on_fatal run on
 * the writer thread, on_log on any; they must not call the store and must not wait.
 */
struct store_options {
	const char *path; /* of the directory */
	enum store_mode mode;
	unsigned max_readers;   /* loops + workers + 16 (H45); 0 is 126 */
	uint64_t map_size;      /* bytes; 0 is STORE_MAP_SIZE_MAX and down; tests want little */
	uint64_t max_size;      /* bytes, `store.max_size`; 0 is no limit */
	uint64_t message_size;  /* bytes, `limits.message_size`: 1.5 times this must stay free */
	struct store_veil veil; /* mix may be NULL: nothing is veiled, what is cannot be read */
	bool allow_network_fs;  /* `store.allow_network_fs` (H53) */
	uint64_t (*now_ms)(void *arg); /* wall clock, ms since 1970 */
	void (*on_log)(void *arg, enum store_severity severity, const char *text);
	/* The folders that one commit changed, each once; FOLDER_IDS lives only during the call. */
	void (*on_changes)(void *arg, const uint64_t *folder_ids, size_t count);
	/* The users whose mailbox that commit made larger or smaller, likewise. */
	void (*on_sizes)(void *arg, const uint64_t *user_ids, size_t count);
	/*
	 * The disk failed and nobody knows what is on it: the process must stop with status 1
	 * (H42).
	 */
	void (*on_fatal)(void *arg, const char *text);
	void *arg; /* given to all of them */
};

/* Why a store did not open, as one clear line for a person. */
struct store_fault {
	enum err err;
	bool torn; /* the last commit is (H48): repair can go back to the one before */
	char text[320];
};

/*
 * Open, or make, the store at options->path and start its writer.
 * ERR_BUSY: another process serves it. ERR_CORRUPT: foreign, newer, torn (H48) or damaged.
 * ERR_DENIED: a network file system (H53). ERR_NOT_FOUND: none there, and the mode makes none.
 * ERR_IO: the system refused. `why` always has the text. The options are copied.
 */
MUST_CHECK enum err store_open(
	const struct store_options *options, struct store **out, struct store_fault *why);

/*
 * Commit what waits and stop the writer. Patient jobs that are not done come back with ERR_BUSY, what
 * is submitted from now on is refused: run the inboxes once more, then store_close().
 */
void store_stop(struct store *store);
/*
 * Commit what waits, stop the writer, close. All snapshots are closed and all inboxes run before.
 */
void store_close(struct store **store);

/* Limits that a reload may change. */
void store_set_limits(struct store *store, uint64_t max_size, uint64_t message_size);

/* Incoming mail is refused now (452 4.3.1); reads, deletes and flags go on. Any thread, cheap. */
bool store_is_full(struct store *store);
/* What keeps mail out: `max_size`, or the disk; HAS_ROOM also where a commit found none that should be there. */
enum store_room { STORE_HAS_ROOM, STORE_OVER_MAX_SIZE, STORE_DISK_LOW };
/* *wanted: bytes that must come free, or 0. As of the last look, at most a second ago. Any thread. */
enum store_room store_room(struct store *store, uint64_t *wanted);
/* Messages are encrypted in it (SEC-08), and whoever opened it gave no key: their text cannot be read. */
bool store_lacks_key(const struct store *store);
/* The disk failed (on_fatal was called); nothing is taken any more. */
bool store_is_dead(struct store *store);

uint64_t store_now_ms(struct store *store);
const char *store_path(const struct store *store); /* of the directory */

/* ERR_BUSY: all reader slots are taken. ERR_IO: logged. Any thread; use by one thread at a time. */
MUST_CHECK enum err snapshot_open(struct store *store, struct snapshot **out);
void snapshot_close(struct snapshot **snap);
/* What was copied for this snapshot (veil.h) is gone: for those that read much under one. */
void snapshot_forget_copies(struct snapshot *snap);
uint64_t snapshot_id(const struct snapshot *snap); /* rises with each commit */
struct store *snapshot_store(const struct snapshot *snap);

/* Free reader slots of processes that died (H45): at start and each minute. How many there were. */
unsigned store_reader_check(struct store *store);

/* Figures for `status`; the counts are since the store was opened. */
struct store_stats {
	uint64_t map_size;     /* bytes of address space */
	uint64_t file_size;    /* bytes in use by the data file */
	uint64_t free_bytes;   /* of these, in pages that are free to be used again */
	uint64_t disk_free;    /* bytes that the file system has left */
	uint64_t reserved;     /* bytes kept behind the data file */
	uint64_t commits;
	uint64_t jobs;         /* done, failed ones included */
	uint64_t jobs_failed;
	uint64_t jobs_refused; /* ERR_BUSY or ERR_FULL at submit */
	uint64_t jobs_waiting;
	uint64_t bytes_waiting;
	uint64_t reruns;       /* groups that ran again because a job failed halfway */
	uint64_t commit_us;      /* time in commits, in all */
	uint64_t commit_us_max;  /* the longest */
	unsigned readers;      /* slots in use */
	unsigned max_readers;
	bool full;
	uint64_t wanted;       /* bytes that must come free for that to end; 0: not known, or none */
};
MUST_CHECK enum err store_stats(struct store *store, struct store_stats *out);

/*
 * A copy of the whole store without its free pages, written to the descriptor (H52: a first
 * backup). Holds a snapshot until it is done. ERR_FULL, ERR_IO.
 */
MUST_CHECK enum err store_copy_to_fd(struct store *store, int fd);

/* The name of a file system that is not local ("nfs", "cifs", "fuse", ...), by its statfs magic;
 * NULL for all others. */
const char *store_network_fs(uint64_t magic);

#endif
