/*
 * message_hold.c - a message is hidden from clients, and shown again (USR-39).
 *
 * For a client what is held has left: its uid is among the expunged. What is shown again is a new
 * message to him, with a uid behind all that he knows (RFC 9051, 2.3.1.1); POP3's unique id stays.
 */
#include "store/expunged.h"
#include "store/forwards.h"
#include "store/message_pass.h"

/* The entry UID of where P stands; its index in the block. */
static enum err
entry_at(struct pass *p, unsigned *index)
{
	uint32_t uid = p->list.uids[0];
	enum err err = pass_next_block(p);

	for (unsigned i = 0; err == OK && i < p->block.count; i++) {
		*index = i;
		if (p->block.entries[i].uid == uid)
			return OK;
	}
	return err == OK ? ERR_NOT_FOUND : err;
}

static enum err
hold_entry(struct pass *p, unsigned index)
{
	struct entry *e = &p->block.entries[index];
	struct expunged run = { .first_uid = e->uid, .last_uid = e->uid };
	enum err err;

	run.modseq = ++p->folder.highest_modseq;
	folder_count_flags(&p->folder, e->flags, -1);
	e->flags |= FLAG_HELD;
	e->modseq = run.modseq;
	folder_count_flags(&p->folder, e->flags, 1);
	err = entry_block_put(p->txn, &p->block);
	if (err == OK)
		err = expunged_add(p->txn, &p->folder, &run);
	return err == OK ? expunged_keep_short(p->txn, &p->folder) : err;
}

static enum err
release_entry(struct pass *p, unsigned index, uint32_t *new_uid)
{
	struct entry e = p->block.entries[index];
	enum err err;

	if (p->folder.uidnext == UINT32_MAX)
		return ERR_LIMIT;
	memmove(&p->block.entries[index], &p->block.entries[index + 1],
		(--p->block.count - index) * sizeof(e));
	err = entry_block_put(p->txn, &p->block);
	folder_count_flags(&p->folder, e.flags, -1);
	e.flags &= ~FLAG_HELD;
	e.uid = *new_uid = p->folder.uidnext++;
	e.modseq = ++p->folder.highest_modseq;
	folder_count_flags(&p->folder, e.flags, 1);
	if (err == OK)
		err = entry_append(p->txn, p->folder.folder_id, &p->folder.last_block_uid, &e);
	return err == OK ? forward_moved(p->txn, p->folder.user_id, e.copy_id,
				   p->folder.folder_id, e.uid)
			 : err;
}

enum err
message_hold(struct txn *txn, const struct folder *where, uint32_t uid, bool hold, uint32_t *new_uid)
{
	unsigned index = 0;
	struct pass p;
	bool held;
	enum err err = pass_begin(&p, txn, where, (struct uid_list){ &uid, 1 });

	*new_uid = uid;
	if (err == OK)
		err = entry_at(&p, &index);
	if (err != OK)
		return err;
	held = p.block.entries[index].flags & FLAG_HELD;
	if (held == hold)
		return ERR_EXISTS;
	err = hold ? hold_entry(&p, index) : release_entry(&p, index, new_uid);
	if (err != OK)
		return err;
	txn_note_folder(txn, where->folder_id);
	return folder_put(txn, &p.folder);
}
