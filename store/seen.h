/*
 * seen.h - \Seen of those who share a folder that has FOLDER_OWN_SEEN (SHF).
 *
 * The owner's own is the bit in the entries. Everybody else has a bit a uid here, in parts of
 * SEEN_PART uids, so a mark rewrites half a kilobyte. Who sets it lets the entry's modseq rise
 * (message_store), so that his other sessions find it in the way they find all flags.
 */
#ifndef STORE_SEEN_H
#define STORE_SEEN_H

#include "store/entries.h"
#include "store/folders.h"

#define SEEN_PART 4096 /* uids a row */

/* Reads them one after the other with one look-up for each part; by rising uids it is fast. */
struct seen_reader {
	uint64_t folder_id, user_id;
	bool loaded;
	uint32_t part;
	uint64_t bits[SEEN_PART / 64];
};
void seen_reader_init(struct seen_reader *r, uint64_t folder_id, uint64_t user_id);
/* A damaged part counts as unseen; it is logged. */
bool seen_is(struct snapshot *snap, struct seen_reader *r, uint32_t uid);

/* Does \Seen of USER_ID in FOLDER live here, and not in the entries? */
static inline bool
seen_is_own(const struct folder *folder, uint64_t user_id)
{
	return (folder->attributes & FOLDER_OWN_SEEN) && folder->user_id != user_id;
}

/* How many messages of the folder the user has not seen: 100,000 take a millisecond. */
MUST_CHECK enum err seen_count_unseen(
	struct snapshot *snap, uint64_t folder_id, uint64_t user_id, uint32_t *out);

/* Set or clear those of UIDS, which rise. */
MUST_CHECK enum err seen_set(struct txn *txn, uint64_t folder_id, uint64_t user_id,
	const uint32_t *uids, size_t count, bool seen);

/* For those that remove: MOST rows of a folder, or of a user in all folders. */
MUST_CHECK enum err seen_forget_folder(
	struct txn *txn, uint64_t folder_id, unsigned most, bool *more);
MUST_CHECK enum err seen_forget_user(
	struct txn *txn, uint64_t user_id, unsigned most, bool *more);

/* For check.c: can that row be read? */
bool seen_holds(struct snapshot *snap, const struct row *row);

#endif
