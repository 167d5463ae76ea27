/*
 * bin.h - the bin of a user: what left his folders can come back from there for a time (RCY).
 *
 * It is a hidden folder, FOLDER_BIN. What clients expunge, POP3 deletes, an administrator or a prune
 * rule removes, and what was in a folder that is removed, goes to its end, each entry as it was but
 * for FLAG_HELD; so the bin counts in no total. A row of `binned` says for all that came from its
 * uid on where they were and when they came. What is older than `users.bin_keep` is taken out by
 * bin_sweep(), but nothing within BIN_KEEP_MIN_MS, since views may still read it: so with 0 the bin
 * is off, and what is in it only waits for its grave.
 *
 * "Permanent" acts (message_expunge, the end of a user) pass it by (RCY-03).
 */
#ifndef STORE_BIN_H
#define STORE_BIN_H

#include "store/messages.h"

#define BIN_KEEP_MIN_MS (UINT64_C(3600) * 1000)

/* Of one slice. */
struct bin_result {
	size_t count;       /* so many were there and are in the bin now */
	size_t next;        /* so many of the list are done; all of them, or call again with the rest */
	bool all;           /* nothing is left to do */
	uint64_t modseq;    /* of the folder since; 0: nothing was there */
	uint64_t bin_id;    /* folder_id of the bin */
	uint32_t first_uid; /* of the first of them there, the others follow */
};
/*
 * Take them out of the folder, into the bin of its owner: EXPUNGE, DELE and the like. BLOCKS is how
 * many blocks a slice may change: BIN_BLOCKS for a slice of a job, 0 for all in this one commit
 * (H28; 100,000 messages take some 30 ms). uids NULL: all of the folder.
 * ERR_NOT_FOUND: the folder is gone. ERR_EXISTS: it is the bin.
 */
#define BIN_BLOCKS 300
MUST_CHECK enum err bin_take(struct txn *txn, const struct folder *where, struct uid_list list,
	unsigned blocks, struct bin_result *out);

/* What is known of an entry of a bin. The spans point into the map. */
struct bin_item {
	uint64_t folder_id;       /* where it was */
	struct span folder_name;  /* its name of then; may be empty for what an older server removed */
	uint64_t removed_ms;
	uint32_t flags;           /* of then, with FLAG_HELD */
	struct span keywords;     /* in A */
};
/* Of ENTRY of the bin BIN_ID. ERR_CORRUPT, ERR_NOT_FOUND: its copy is damaged or gone. */
MUST_CHECK enum err bin_item_get(struct snapshot *snap, uint64_t bin_id,
	const struct entry *entry, struct arena *a, struct bin_item *out);

/*
 * Put the message UID of the user's bin back: into the folder it was in, or one of that name, which
 * is made anew where there is none. With its flags, but not \Deleted, which would take it away again; for
 * prune rules its age begins anew, for the same reason.
 * *to and *new_uid are where it is. Kept in the log of changes. ERR_NOT_FOUND, ERR_LIMIT.
 */
MUST_CHECK enum err bin_restore(struct txn *txn, uint64_t user_id, uint32_t uid,
	struct folder *to, uint32_t *new_uid);

/*
 * Expunge what lies in the bins for longer than KEEP_MS (and BIN_KEEP_MIN_MS), oldest first in each:
 * one slice; *more: call again. While the store is full it goes on with what is younger, half the age
 * a round, until as much was freed as is wanted (H43).
 */
struct bin_sweep {
	uint64_t keep_ms;
	/* its own; zero to begin with */
	uint64_t at, freed_bytes;
	unsigned round;
};
MUST_CHECK enum err bin_sweep_some(struct txn *txn, struct bin_sweep *sweep, bool *more);

/* For check.c: can that row be read, and is its bin there? */
bool bin_origin_holds(struct snapshot *snap, const struct row *row);
/* Of a row that cannot: its messages came now, from nobody knows where. */
MUST_CHECK enum err bin_origin_mend(struct txn *txn, struct span key);

/* For store.c: rows of `binned` for the bins of a store that had none. */
MUST_CHECK enum err bins_fill(struct txn *txn);

#endif
