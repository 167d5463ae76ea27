/*
 * imap_cmd_expunge.c - EXPUNGE, UID EXPUNGE, CLOSE (RFC 9051, 6.4.3, 6.4.9, 6.4.1): what is \Deleted goes
 * into the bin of the folder's owner (RCY-01).
 *
 * Which messages are \Deleted is looked at in the job itself, so none goes that somebody kept meanwhile.
 * A job a slice; when the last is on disk the news say what left.
 */
#include "server/imap/imap_numbers.h"
#include "server/imap/imap_sync.h"
#include "store/bin.h"
#include "store/rights.h"

#define EXPUNGE_SLICE 5000 /* uids */
#define EXPUNGE_LOOKS 2000 /* blocks that one slice passes over: some ms of the writer */

struct expunge_task {
	struct store_job job;
	struct imap_session *session;
	struct folder where;
	bool closes;	      /* CLOSE: nothing is told, the folder is let go */
	struct uid_ranges uids; /* UID EXPUNGE: of these alone; else all below `until` */
	uint32_t until;
	uint32_t after_uid; /* what is not behind it is done */
	uint32_t next_after; /* of the slice that ran */
	bool runs, all;
	uint64_t modseq; /* of the folder, since something left; 0: nothing did */
	enum err err;
};

static bool
is_meant(const struct expunge_task *task, uint32_t uid, size_t *at)
{
	if (task->uids.items == NULL)
		return true;
	while (*at < task->uids.count && task->uids.items[*at].last < uid)
		++*at;
	return *at < task->uids.count && task->uids.items[*at].first <= uid;
}

/* A slice of uids that are to go, as they are now. */
static enum err
find_deleted(struct expunge_task *task, struct txn *txn, struct uid_list *list)
{
	uint32_t *uids = ARENA_ARRAY(txn_arena(txn), uint32_t, EXPUNGE_SLICE);
	struct entry_block block;
	uint32_t after = task->after_uid;
	size_t at = 0;
	unsigned from, looks = 0;
	enum err err = OK;

	*list = (struct uid_list){ uids, 0 };
	while (list->count + ENTRY_BLOCK <= EXPUNGE_SLICE && looks++ < EXPUNGE_LOOKS &&
		(err = entry_block_next(txn_view(txn), task->where.folder_id, after, &block,
			 &from)) == OK) {
		for (unsigned i = from; i < block.count; i++) {
			const struct entry *e = &block.entries[i];

			if ((e->flags & FLAG_DELETED) && !(e->flags & FLAG_HELD) &&
				e->uid < task->until && is_meant(task, e->uid, &at))
				uids[list->count++] = e->uid;
		}
		after = block.entries[block.count - 1].uid;
		if (after >= task->until)
			break;
	}
	task->next_after = after;
	task->all = err == ERR_NOT_FOUND || after >= task->until;
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum step
expunge_apply(struct store_job *job, struct txn *txn)
{
	struct expunge_task *task = LIST_ITEM(job, struct expunge_task, job);
	struct bin_result result = { .all = true };
	struct uid_list list;
	enum err err = find_deleted(task, txn, &list);

	if (err == OK && list.count > 0)
		err = bin_take(txn, &task->where, list, BIN_BLOCKS, &result);
	if (err == OK && result.modseq > 0)
		task->modseq = result.modseq;
	if (err == OK && result.next < list.count && list.count > 0) {
		task->all = false;
		task->next_after = list.uids[result.next] - 1;
	}
	return step_of(job, err == ERR_NOT_FOUND ? OK : err); /* the folder is gone, and all in it */
}

static void
expunge_done(struct store_job *job, enum err result)
{
	struct expunge_task *task = LIST_ITEM(job, struct expunge_task, job);

	task->err = result;
	imap_resume(task->session);
}

static enum imap_turn
end_expunge(struct imap_session *imap, struct expunge_task *task)
{
	struct imap_reply reply = task->closes ? IMAP_OK("Closed") : IMAP_OK("Expunged");

	if ((imap->enabled & IMAP_ENABLED_QRESYNC) && task->modseq > 0)
		reply.code = arena_printf(imap_arena(imap), "HIGHESTMODSEQ %llu",
			(unsigned long long)task->modseq); /* RFC 7162, 3.2.7 to 3.2.9 */
	if (task->closes)
		imap_unselect(imap);
	return imap_end(imap, reply);
}

static enum imap_turn
go_on(struct imap_session *imap, struct expunge_task *task)
{
	enum err err;

	if (task->runs) {
		task->runs = false;
		if (task->err != OK)
			return imap_fail(imap, task->err);
		task->after_uid = task->next_after;
		if (task->all)
			return end_expunge(imap, task);
	}
	task->job = (struct store_job){ .apply = expunge_apply, .done = expunge_done,
		.size_bytes = 4096 };
	err = imap_submit(imap, &task->job);
	if (err != OK)
		return imap_fail(imap, err);
	task->runs = true;
	return IMAP_WAIT;
}

static struct expunge_task *
task_new(struct imap_session *imap)
{
	const struct imap_selected *sel = imap->selected;
	struct expunge_task *task = ARENA_NEW(imap_arena(imap), struct expunge_task);

	task->session = imap;
	task->where = (struct folder){ .user_id = sel->user_id, .folder_id = sel->folder_id };
	task->until = sel->uidnext;
	imap->run->task = task;
	return task;
}

enum imap_turn
imap_cmd_expunge(struct imap_session *imap, struct imap_cursor *args)
{
	struct expunge_task *task = imap->run->task;
	struct uid_ranges seqs;
	struct imap_seqset set;

	if (task)
		return go_on(imap, task);
	if (imap->run->by_uid && (!imap_take_space(args) || !imap_take_seqset(args, &set)))
		return imap_bad_arguments(imap, args);
	if (!imap_take_end(args))
		return imap_bad_arguments(imap, args);
	if (!(imap->selected->rights & RIGHT_EXPUNGE))
		return imap_fail(imap, ERR_DENIED);
	task = task_new(imap);
	if (imap->run->by_uid) {
		if (imap_numbers(imap, &set, true, &seqs) != OK)
			return imap_bad_arguments(imap, args);
		imap_numbers_uids(imap, &seqs, &task->uids);
		if (task->uids.count == 0)
			return end_expunge(imap, task);
	}
	return go_on(imap, task);
}

enum imap_turn
imap_cmd_close(struct imap_session *imap, struct imap_cursor *args)
{
	struct expunge_task *task = imap->run->task;
	const struct imap_selected *sel = imap->selected;

	if (task)
		return go_on(imap, task);
	if (!imap_take_end(args))
		return imap_bad_arguments(imap, args);
	task = task_new(imap);
	task->closes = true;
	if (sel->read_only || sel->is_fake || !(sel->rights & RIGHT_EXPUNGE))
		return end_expunge(imap, task); /* RFC 9051, 6.4.1; RFC 4314, 4 */
	return go_on(imap, task);
}
