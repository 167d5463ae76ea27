/*
 * folders.h - the folders of a user: names, uidvalidity, counts.
 *
 * INBOX is made with the user and its name has no case (RFC 9051, 5.1); other names are bytes that
 * proto/ has checked (H24). folder_id is never given twice. The counts of a folder are kept right
 * by messages.c in the transaction that changes its entries.
 */
#ifndef STORE_FOLDERS_H
#define STORE_FOLDERS_H

#include "store/table.h"

#define FOLDER_NAME_MAX 200    /* bytes (H24) */
#define FOLDER_BIN SPAN("\001bin") /* no client can name it (H24) */
#define FOLDERS_A_USER 10000   /* more is ERR_LIMIT */

struct folder {
	uint64_t user_id;
	uint64_t folder_id;
	struct span name; /* points into the map */
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint64_t highest_modseq;
	uint64_t expunged_floor; /* what left until this modseq is not known one by one */
	uint64_t expunged_rows;
	uint64_t bytes;    /* of all messages, held ones included */
	uint32_t messages; /* held ones not included */
	uint32_t unseen;   /* of those */
	uint32_t deleted;  /* of those, flagged \Deleted */
	uint32_t held;
	uint32_t last_block_uid; /* for entries.c */
	uint32_t attributes;     /* special use and the like; 0 so far */
	struct span extra;       /* fields to come */
};

/* ERR_NOT_FOUND; ERR_CORRUPT: it, or where it is not found another that may be the one. */
MUST_CHECK enum err folder_get(
	struct snapshot *snap, uint64_t user_id, uint64_t folder_id, struct folder *out);
MUST_CHECK enum err folder_find(
	struct snapshot *snap, uint64_t user_id, struct span name, struct folder *out);
/* The first folder of USER_ID behind AFTER_ID (0: the first). ERR_NOT_FOUND: no more. */
MUST_CHECK enum err folder_next(
	struct snapshot *snap, uint64_t user_id, uint64_t after_id, struct folder *out);

struct folder_totals {
	uint64_t folders, messages, unseen, held, bytes;
};
/* All folders of USER_ID together (QUO-01). */
MUST_CHECK enum err folder_totals(
	struct snapshot *snap, uint64_t user_id, struct folder_totals *out);

/* Make a folder; *folder_id is its id. ERR_EXISTS, ERR_LIMIT: too many, or the name is too long. */
MUST_CHECK enum err folder_make(
	struct txn *txn, uint64_t user_id, struct span name, uint64_t *folder_id);
/* ERR_NOT_FOUND, ERR_EXISTS, ERR_LIMIT. INBOX: ERR_DENIED. */
MUST_CHECK enum err folder_rename(
	struct txn *txn, uint64_t user_id, uint64_t folder_id, struct span name);
/*
 * Remove a folder that holds no entries (expunge first); its `expunged` rows go in slices of ROWS a
 * call. *gone says that it is done. ERR_BUSY: it holds messages.
 */
MUST_CHECK enum err folder_remove(
	struct txn *txn, uint64_t user_id, uint64_t folder_id, size_t rows, bool *gone);
/* After restore and repair: a new UIDVALIDITY (H27). */
MUST_CHECK enum err folder_renew_uidvalidity(
	struct txn *txn, uint64_t user_id, uint64_t folder_id);

/*
 * Count the entries of all folders of USER_ID anew and write what was wrong (USR-10); *wrong is how many
 * folders were. 100,000 messages take a few ms.
 */
MUST_CHECK enum err folders_recount(struct txn *txn, uint64_t user_id, unsigned *wrong);

/*
 * For messages.c: drop up to ROWS of the oldest rows of `expunged`; *last_modseq is that of the
 * last.
 */
MUST_CHECK enum err folder_forget_expunged(struct txn *txn, uint64_t folder_id, size_t rows,
	uint64_t *last_modseq, size_t *forgotten);
/* For messages.c and check.c: write the row back. */
MUST_CHECK enum err folder_put(struct txn *txn, const struct folder *folder);

#endif
