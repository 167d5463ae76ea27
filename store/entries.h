/*
 * entries.h - which messages a folder holds: 32 bytes each, in blocks of at most 62.
 *
 * A block fits a leaf of LMDB, so a flag rewrites one page. Its key has the folder and a uid that
 * is at most its first; blocks do not overlap. This file reads them and keeps the blocks; counts
 * and modseq of the folder are messages.c's and folders.c's.
 */
#ifndef STORE_ENTRIES_H
#define STORE_ENTRIES_H

#include "store/table.h"

#define ENTRY_BLOCK 62 /* entries */
#define ENTRY_SIZE 32  /* bytes */

/* Bits of entry.flags: RFC 9051, 2.3.2, then our own; the upper 16 are keywords of the folder. */
#define FLAG_SEEN (1u << 0)
#define FLAG_ANSWERED (1u << 1)
#define FLAG_FLAGGED (1u << 2)
#define FLAG_DELETED (1u << 3)
#define FLAG_DRAFT (1u << 4)
#define FLAGS_SYSTEM 0x1fu /* all of these */
#define FLAG_HELD (1u << 8) /* an administrator holds it: no client sees it */
#define FLAG_MORE_KEYWORDS (1u << 9) /* its copy has keywords beyond those of the folder */
#define FLAG_WAS_HELD (1u << 10)     /* in a bin: it was held where it came from */
#define FLAG_KEYWORD(n) (1u << (16 + (n)))
#define FLAGS_KEYWORDS 0xffff0000u

struct entry {
	uint32_t uid;
	uint32_t flags;
	uint32_t size;       /* bytes, lines in front included: RFC822.SIZE */
	uint32_t received_s; /* seconds since 1970: INTERNALDATE */
	uint64_t modseq;
	uint64_t copy_id; /* the POP3 unique-id (H27) */
};

/* ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_CHECK enum err entry_find(
	struct snapshot *snap, uint64_t folder_id, uint32_t uid, struct entry *out);

/*
 * The first entry behind AFTER_UID (0: the first of all). ERR_NOT_FOUND: none. For single steps.
 * Here and in the next a damaged block is logged and passed over (H49).
 */
MUST_CHECK enum err entry_next(
	struct snapshot *snap, uint64_t folder_id, uint32_t after_uid, struct entry *out);

/* A block taken apart; the fast way to read many. */
struct entry_block {
	uint64_t folder_id;
	uint32_t first_uid; /* of its key */
	unsigned count;
	struct entry entries[ENTRY_BLOCK];
};

/*
 * The block that holds the first entry behind AFTER_UID; *from is that entry's index in it.
 * Go on with the uid of the block's last entry. 100,000 entries take a few ms. ERR_NOT_FOUND: none.
 */
MUST_CHECK enum err entry_block_next(struct snapshot *snap, uint64_t folder_id, uint32_t after_uid,
	struct entry_block *block, unsigned *from);

/* The block that is ROW of the table, for a walk of one's own. ERR_CORRUPT. */
MUST_CHECK enum err entry_block_open(
	struct snapshot *snap, const struct row *row, struct entry_block *block);

/* Write BLOCK back under its key, or delete the row where it has no entries. */
MUST_CHECK enum err entry_block_put(struct txn *txn, const struct entry_block *block);

/*
 * Put ENTRY behind all others. *last_block_uid: key of the folder's last block (0: none), kept up.
 */
MUST_CHECK enum err entry_append(struct txn *txn, uint64_t folder_id, uint32_t *last_block_uid,
	const struct entry *entry);

/*
 * Put many behind all others, a block at a time. The last block is written by entry_appender_end(),
 * which must follow; in between no other may append to that folder.
 */
struct entry_appender {
	struct txn *txn;
	uint32_t *last_block_uid;
	struct entry_block block; /* being filled */
};
MUST_CHECK enum err entry_appender_begin(struct entry_appender *a, struct txn *txn,
	uint64_t folder_id, uint32_t *last_block_uid);
MUST_CHECK enum err entry_appender_put(struct entry_appender *a, const struct entry *entry);
MUST_CHECK enum err entry_appender_end(struct entry_appender *a);

/*
 * The next block behind AFTER_UID with an entry whose modseq is over MODSEQ: what a session reads
 * that was there before (RFC 7162). 500,000 entries in which nothing changed take 3 ms. Go on with
 * *last_uid, the block's last, which is also set, for a pause, where nothing is found in LOOKS
 * blocks: then block->count is 0. ERR_NOT_FOUND: no more.
 */
MUST_CHECK enum err entry_block_changed(struct snapshot *snap, uint64_t folder_id,
	uint32_t after_uid, uint64_t modseq, unsigned looks, struct entry_block *block,
	uint32_t *last_uid);

#endif
