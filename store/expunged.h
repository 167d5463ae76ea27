/*
 * expunged.h - what left a folder: runs of uids with the modseq of their going (RFC 7162, 3.2).
 *
 * A folder keeps EXPUNGED_ROWS of them; the oldest go, and folder.expunged_floor rises to what is
 * not known one by one any more: who asks for less gets "all that is not here". Each row also says
 * where its messages went, so that a view that still has them can read them (message_find_gone).
 */
#ifndef STORE_EXPUNGED_H
#define STORE_EXPUNGED_H

#include "store/folders.h"

#define EXPUNGED_ROWS 100000 /* a folder */

struct expunged {
	uint64_t modseq;
	uint32_t first_uid, last_uid;
	uint64_t to_folder_id; /* 0: to the graves, or not known */
	uint32_t to_uid;       /* of first_uid there; the others follow it one by one */
};

/*
 * The run behind *at (modseq and first_uid; zero but for modseq at the start: what left since then).
 * ERR_NOT_FOUND: no more. ERR_CORRUPT: that one is damaged, go on behind it.
 */
MUST_CHECK enum err expunged_next(
	struct snapshot *snap, uint64_t folder_id, struct expunged *at);

/* For message_leave.c: add a run to FOLDER, whose row the caller writes. Hidden folders keep none. */
MUST_CHECK enum err expunged_add(
	struct txn *txn, struct folder *folder, const struct expunged *run);
/* Drop the oldest rows where there are too many of them, and let the floor rise. */
MUST_CHECK enum err expunged_keep_short(struct txn *txn, struct folder *folder);
/* Drop up to ROWS of the oldest; *last_modseq is that of the last. */
MUST_CHECK enum err expunged_forget(struct txn *txn, uint64_t folder_id, size_t rows,
	uint64_t *last_modseq, size_t *forgotten);

/* For check.c: can that row be read? */
bool expunged_holds(struct snapshot *snap, const struct row *row);

#endif
