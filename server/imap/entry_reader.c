/*
 * entry_reader.c - entries by rising uids.
 */
#include "server/imap/entry_reader.h"

const struct entry *
entry_reader_find(struct entry_reader *r, uint32_t uid)
{
	const struct entry *e;

	if (uid < r->asked)
		r->block.count = 0;
	r->asked = uid;
	if (r->block.count == 0 || r->block.entries[r->block.count - 1].uid < uid) {
		if (entry_block_next(r->snap, r->folder_id, uid - 1, &r->block, &r->at) != OK) {
			r->block.count = 0;
			return NULL;
		}
	}
	while (r->block.entries[r->at].uid < uid)
		r->at++;
	e = &r->block.entries[r->at];
	return e->uid == uid && !(e->flags & FLAG_HELD) ? e : NULL;
}
