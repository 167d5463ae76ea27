/*
 * entry_reader.h - entries of one folder by rising uids, a block at a time. For one turn: it lives as its
 * snapshot.
 */
#ifndef SERVER_IMAP_ENTRY_READER_H
#define SERVER_IMAP_ENTRY_READER_H

#include "store/entries.h"

struct entry_reader {
	struct snapshot *snap;
	uint64_t folder_id;
	unsigned at; /* in the block: entries before it have lower uids than those that are asked for */
	struct entry_block block;
};

static inline void
entry_reader_begin(struct entry_reader *r, struct snapshot *snap, uint64_t folder_id)
{
	r->snap = snap;
	r->folder_id = folder_id;
	r->at = r->block.count = 0;
}

/* The entry of UID; NULL: it is not there any more, is held, or cannot be read (logged). */
const struct entry *entry_reader_find(struct entry_reader *r, uint32_t uid);

#endif
