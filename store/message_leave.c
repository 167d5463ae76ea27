/*
 * message_leave.c - see message_leave.h.
 */
#include "store/message_leave.h"

#include "store/folder_jobs.h"
#include "store/forwards.h"
#include "store/graves.h"

#define EXPUNGE_BLOCKS 40 /* of a whole folder, a slice; each entry is a grave */

/* ---- arriving ---- */

enum err
arrival_begin(struct arrival *a, struct txn *txn, uint64_t user_id, uint64_t folder_id)
{
	enum err err = folder_load(txn, user_id, folder_id, &a->folder, &a->room);

	if (err != OK)
		return err;
	a->modseq = ++a->folder.highest_modseq;
	return entry_appender_begin(&a->out, txn, folder_id, &a->folder.last_block_uid);
}

enum err
arrival_put(struct arrival *a, struct entry *e)
{
	if (a->folder.uidnext == UINT32_MAX)
		return ERR_LIMIT;
	e->uid = a->folder.uidnext++;
	e->modseq = a->modseq;
	folder_count_flags(&a->folder, e->flags, 1);
	a->folder.bytes += e->size;
	return entry_appender_put(&a->out, e);
}

enum err
arrival_end(struct arrival *a)
{
	enum err err = entry_appender_end(&a->out);

	if (err != OK)
		return err;
	txn_note_folder(a->out.txn, a->folder.folder_id);
	return folder_put(a->out.txn, &a->folder);
}

/* ---- leaving ---- */

static enum err
run_end(struct leaving *l)
{
	struct expunged run = l->run;

	l->run.first_uid = 0;
	return run.first_uid ? expunged_add(l->p.txn, &l->p.folder, &run) : OK;
}

/* UID left; it is NEW_UID where it is now. */
static enum err
run_add(struct leaving *l, uint32_t uid, uint32_t new_uid)
{
	enum err err = OK;

	if (l->run.first_uid && uid != l->run.last_uid + 1)
		err = run_end(l);
	if (l->run.first_uid == 0)
		l->run = (struct expunged){ .modseq = l->p.folder.highest_modseq,
			.first_uid = uid,
			.to_folder_id = l->to ? l->to->folder.folder_id : 0,
			.to_uid = new_uid };
	l->run.last_uid = uid;
	return err;
}

/* Store and forward: a pair goes along inside the mailbox, and ends with it. */
static enum err
tell_forwards(struct leaving *l, const struct entry *e)
{
	if (l->forwards == 0)
		return OK;
	if (!l->to || forward_mailbox(&l->to->folder) != l->forwards)
		return forward_left(l->p.txn, l->forwards, e->copy_id);
	return forward_moved(
		l->p.txn, l->forwards, e->copy_id, l->to->folder.folder_id, e->uid);
}

/* Whose mailbox they leave: of a copy that was laid down (folder_jobs.h), whose it becomes. */
static uint64_t
forwards_of(const struct leaving *l, struct txn *txn)
{
	uint64_t user_id = folder_bin_owner(&l->p.folder);

	if (user_id == FOLDER_OWNER_NOBODY)
		user_id = l->to ? forward_mailbox(&l->to->folder) : 0;
	return forward_user_has(txn_view(txn), user_id) ? user_id : 0;
}

static enum err
let_go(struct leaving *l, struct entry e)
{
	uint32_t uid = e.uid;
	enum err err = OK;

	folder_count_flags(&l->p.folder, e.flags, -1);
	l->p.folder.bytes -= e.size;
	if (l->change)
		err = l->change(l, &e);
	if (err != OK)
		return err;
	err = l->to ? arrival_put(l->to, &e)
		    : grave_add(l->p.txn, l->bury_ms, GRAVE_COPY, e.copy_id);
	if (err == OK)
		err = tell_forwards(l, &e);
	l->count++;
	return err == OK ? run_add(l, uid, l->to ? e.uid : 0) : err;
}

static enum err
leave_block(struct leaving *l)
{
	struct entry_block *block = &l->p.block;
	unsigned kept = 0;
	enum err err = OK;

	for (unsigned i = 0; i < block->count && err == OK; i++) {
		if (pass_has(&l->p, block->entries[i].uid) && !(block->entries[i].flags & l->skip))
			err = let_go(l, block->entries[i]);
		else
			block->entries[kept++] = block->entries[i];
	}
	if (err != OK || kept == block->count)
		return err;
	block->count = kept;
	return entry_block_put(l->p.txn, block);
}

static enum err
leave_blocks(struct leaving *l)
{
	enum err err = OK;

	while (err == OK && (l->blocks == 0 || l->p.blocks < l->blocks)) {
		uint32_t last_uid;

		err = pass_next_block(&l->p);
		if (err != OK)
			break;
		last_uid = l->p.block.entries[l->p.block.count - 1].uid;
		err = leave_block(l);
		pass_end_block(&l->p, last_uid);
	}
	l->all = err == ERR_NOT_FOUND;
	return l->all ? OK : err;
}

enum err
leaving_run(struct leaving *l, struct txn *txn, const struct folder *where, struct uid_list list)
{
	enum err err = pass_begin(&l->p, txn, where, list);

	if (err != OK)
		return err;
	l->run.first_uid = 0;
	l->count = 0;
	l->forwards = forwards_of(l, txn);
	l->p.folder.highest_modseq++;
	err = leave_blocks(l);
	if (err != OK || l->count == 0)
		return err;
	err = run_end(l);
	if (err == OK)
		err = expunged_keep_short(txn, &l->p.folder);
	if (err != OK)
		return err;
	txn_note_folder(txn, where->folder_id);
	return folder_put(txn, &l->p.folder);
}

/* ---- to the graves ---- */

enum err
message_expunge(struct txn *txn, const struct folder *where, struct uid_list list,
	uint64_t delay_ms, size_t *count)
{
	struct leaving l = { .bury_ms = txn_now_ms(txn) + delay_ms,
		.blocks = list.uids ? 0 : EXPUNGE_BLOCKS };
	enum err err = leaving_run(&l, txn, where, list);

	*count = l.count;
	return err;
}
