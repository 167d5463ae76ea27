/*
 * message_pass.h - what the files of messages share: copies, counts, one pass over a folder.
 *
 *	messages.c          reading, placing, moving one
 *	message_flags.c     flags and keywords
 *	message_leave.c     leaving a folder: to the graves, or to the end of another folder
 *	message_transfer.c  copying and moving many in one step
 *	bin.c               the bin of a user
 *	expunged.c          what left a folder, and whereto
 */
#ifndef STORE_MESSAGE_PASS_H
#define STORE_MESSAGE_PASS_H

#include "store/keywords.h"
#include "store/messages.h"

/* A new copy comes behind all others; one that moved is written over. */
MUST_CHECK enum err copy_put(struct txn *txn, const struct copy *c, bool is_new);

/* Add (by = 1) or take away (by = -1) what an entry with FLAGS counts for. */
void folder_count_flags(struct folder *f, uint32_t flags, int by);

/*
 * A folder's row points into the map; its spans are kept in ROOM over the writes that follow.
 */
struct folder_room {
	char name[FOLDER_NAME_MAX];
	char extra[256];
};
MUST_CHECK enum err folder_load(struct txn *txn, uint64_t user_id, uint64_t folder_id,
	struct folder *f, struct folder_room *room);

/* One pass over the blocks that hold the uids of a list; list.uids NULL is the whole folder. */
struct pass {
	struct txn *txn;
	struct folder folder;
	struct folder_room room;
	struct uid_list list;
	size_t next; /* index of the first uid not looked at */
	uint32_t after_uid; /* the last of the block before; for a whole folder */
	unsigned blocks; /* loaded so far */
	struct entry_block block;
};
MUST_CHECK enum err pass_begin(
	struct pass *p, struct txn *txn, const struct folder *where, struct uid_list list);
/* Load the block that may hold the next uid of the list. ERR_NOT_FOUND: the list or folder ends. */
MUST_CHECK enum err pass_next_block(struct pass *p);
/* Is this entry of the block in the list? Both rise, so each is passed once. */
bool pass_has(struct pass *p, uint32_t uid);
/* After a block, whose last uid was LAST_UID: uids that would have been in it are passed over. */
void pass_end_block(struct pass *p, uint32_t last_uid);

#endif
