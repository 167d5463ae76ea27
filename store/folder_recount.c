/*
 * folder_recount.c - the figures of a user's folders, taken from their entries again (USR-10).
 */
#include "store/folders.h"

#include "store/entries.h"

static void
count_block(const struct entry_block *block, struct folder *f)
{
	for (unsigned i = 0; i < block->count; i++) {
		const struct entry *e = &block->entries[i];

		f->bytes += e->size;
		f->held += (e->flags & FLAG_HELD) != 0;
		if (e->flags & FLAG_HELD)
			continue;
		f->messages++;
		f->unseen += !(e->flags & FLAG_SEEN);
		f->deleted += (e->flags & FLAG_DELETED) != 0;
	}
}

static enum err
count_entries(struct snapshot *snap, struct folder *f)
{
	struct entry_block block;
	uint32_t uid = 0;
	unsigned from;
	enum err err;

	f->bytes = 0;
	f->messages = f->unseen = f->deleted = f->held = 0;
	while ((err = entry_block_next(snap, f->folder_id, uid, &block, &from)) == OK) {
		count_block(&block, f);
		uid = block.entries[block.count - 1].uid;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static bool
same_figures(const struct folder *a, const struct folder *b)
{
	return a->bytes == b->bytes && a->messages == b->messages && a->unseen == b->unseen &&
		a->deleted == b->deleted && a->held == b->held;
}

enum err
folders_recount(struct txn *txn, uint64_t user_id, unsigned *wrong)
{
	struct folder f = { .folder_id = 0 }, counted;
	enum err err;

	*wrong = 0;
	while ((err = folder_next(txn_view(txn), user_id, f.folder_id, &f)) == OK) {
		counted = f;
		err = count_entries(txn_view(txn), &counted);
		if (err == OK && !same_figures(&f, &counted)) {
			err = folder_put(txn, &counted);
			++*wrong;
		}
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}
