/*
 * entry_reader.h - entries of one folder by uids that rise, a block at a time. For one turn: it lives as its
 * snapshot.
 */
#ifndef SERVER_IMAP_ENTRY_READER_H
#define SERVER_IMAP_ENTRY_READER_H

#include "store/entries.h"

struct entry_reader {
	struct snapshot *snap;
	uint64_t folder_id;
	unsigned at;	/* in the block: what is before it has lower uids than ASKED */
	uint32_t asked; /* the last time; a lower one is looked up anew */
	struct entry_block block;
};

static inline void
entry_reader_begin(struct entry_reader *r, struct snapshot *snap, uint64_t folder_id)
{
	r->snap = snap;
	r->folder_id = folder_id;
	r->at = r->block.count = r->asked = 0;
}

/* The entry of UID; NULL: it is not there any more, is held, or cannot be read (logged). */
const struct entry *entry_reader_find(struct entry_reader *r, uint32_t uid);

#endif
