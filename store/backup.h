/*
 * backup.h - a copy of the running store, and the way back (H52).
 *
 * A backup is one compacted data file, written under a temporary name, synced, renamed, synced, and
 * then opened and checked. Damage that the check finds was copied from the store: the backup is kept
 * all the same, since the rest of the mail is in it, and what was found is told. It holds one snapshot for its whole length and gives up when that makes
 * the store grow by a quarter (H44).
 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include <stdatomic.h>

#include "proto/base/buf.h"

struct store;
struct store_options;

#define BACKUP_FILE "data.mdb"           /* in the folder of the backup */
#define BACKUP_TEMPORARY "data.mdb.part"
#define BACKUP_GROWTH_PERCENT 25         /* of the store while it runs; beyond it ERR_BUSY */

/* May be called from the backup's thread, at most ten times a second. */
typedef void backup_progress_fn(void *arg, uint64_t bytes_done, uint64_t bytes_total);

struct backup_job {
	struct store *store;
	int dir_fd; /* the folder; open for reading, stays the caller's */
	backup_progress_fn *progress; /* or NULL */
	void *arg;
	atomic_bool cancel; /* set it from any thread: ERR_DENIED follows */
	uint64_t bytes;     /* of the finished file */
	uint64_t findings;  /* lines that the check of the copy had to say */
	char first_finding[160];
};

/*
 * Write the backup; on a worker thread, it takes as long as the disk does. ERR_EXISTS: the folder
 * holds one already; ERR_BUSY: given up, the store grew too much; ERR_DENIED: cancelled; ERR_FULL;
 * ERR_IO; ERR_CORRUPT: the copy cannot be opened as a store. Nothing but the whole backup is left
 * behind.
 */
MUST_CHECK enum err backup_run(struct backup_job *job);

/*
 * Put the backup in folder FROM in the place of the store of OPTIONS. The old data file is kept
 * beside it under a dated name, which is written to SET_ASIDE (empty where there was none). Folders
 * get a new UIDVALIDITY (H27), queue entries are held. ERR_BUSY: a server holds the store;
 * ERR_NOT_FOUND: no backup there; ERR_CORRUPT: it is damaged or of another schema.
 */
MUST_CHECK enum err backup_restore(const char *from, const struct store_options *options,
	int64_t now_ms, struct buf *set_aside);

#endif
