/*
 * archive_inside.h - what the files of the archive share: rows as they are written.
 */
#ifndef STORE_ARCHIVE_INSIDE_H
#define STORE_ARCHIVE_INSIDE_H

#include "store/archive.h"

#define ARCHIVE_VERSION 1
#define ARCHIVE_TEXT_MAX 512 /* bytes of from, auth_user, source */
#define ARCHIVE_FIXED_ROOM (RECORD_HEAD + ARCHIVE_HASH_SIZE * 2 + 16 * 10 + 3 * (ARCHIVE_TEXT_MAX + 10))

struct archive_writing {
	char fixed[ARCHIVE_FIXED_ROOM];
	struct record_out out;
};

/* The front of a row into W->fixed: chain still empty, then kind and what every row has. */
void archive_begin(struct archive_writing *w, const struct archive_row *row);
/*
 * Write W and REST behind it as row ID; with HASH its chain is made from BEFORE, into CHAIN, else CHAIN is written.
 */
MUST_CHECK enum err archive_put(struct txn *txn, struct archive_writing *w, uint64_t id,
	struct span rest, archive_hash_fn *hash, const unsigned char before[ARCHIVE_HASH_SIZE],
	unsigned char chain[ARCHIVE_HASH_SIZE]);

/* Read a row of the table; out->archive_id is set also with ERR_CORRUPT. */
MUST_CHECK enum err archive_row_read(
	struct snapshot *snap, const struct row *row, struct archive_row *out);

/* archive_addresses.c: before the first entry; of one that is added; when words of a block went; rows before BLOCK. */
MUST_CHECK enum err archive_addresses_begin(struct txn *txn);
MUST_CHECK enum err archive_addresses_add(
	struct txn *txn, uint64_t id, const struct archive_message *m);
MUST_CHECK enum err archive_addresses_due(struct txn *txn);
MUST_CHECK enum err archive_addresses_sweep(
	struct txn *txn, uint32_t block, unsigned most, bool *more);

MUST_CHECK enum err archive_head_put(struct txn *txn, const struct archive_head *head);
/* The head; where it cannot be read, what the last row says of it. */
MUST_CHECK enum err archive_head_sure(struct snapshot *snap, struct archive_head *out);

#endif
