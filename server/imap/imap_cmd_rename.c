/*
 * imap_cmd_rename.c - RENAME (RFC 9051, 6.3.6).
 *
 * INBOX stays where it is: its messages go to a new folder, in a second job.
 */
#include "server/imap/imap_job.h"
#include "server/imap/imap_target.h"
#include "store/message_transfer.h"

struct rename {
	struct imap_job job; /* first */
	struct imap_target from, to;
	bool is_inbox;
	/* of INBOX: */
	uint64_t inbox_id, folder_id;
	bool moves;
	struct message_transfer transfer;
	enum err moved;
};

static enum step
rename_run(struct store_job *job, struct txn *txn)
{
	struct rename *task = LIST_ITEM(imap_job_of(job), struct rename, job);
	struct folder folder;
	enum err err = imap_target_find(
		txn_view(txn), task->job.asker_id, &task->from, RIGHT_DELETE, &folder);

	if (err == OK)
		err = imap_target_may_make(txn_view(txn), task->job.asker_id, &task->to);
	if (err == OK)
		err = imap_target_make_parents(txn, &task->to);
	if (err == OK && !task->is_inbox)
		err = folder_rename(txn, task->from.owner_id, folder.folder_id, task->to.name);
	else if (err == OK)
		err = folder_make(txn, task->to.owner_id, task->to.name, &task->folder_id);
	task->inbox_id = folder.folder_id;
	return step_of(job, err);
}

/* ---- INBOX (RFC 9051, 6.3.6) ---- */

static void
inbox_done(struct store_job *job, enum err result)
{
	struct rename *task = LIST_ITEM(job, struct rename, transfer.job);

	task->moved = result;
	imap_resume(task->job.imap);
}

/* The new folder is there: all that is in INBOX goes into it. */
static enum imap_turn
move_inbox(struct imap_session *imap, struct rename *task)
{
	struct message_transfer *t = &task->transfer;
	enum err err;

	message_transfer_init(t);
	t->from_user_id = t->to_user_id = t->user_id = imap->user_id;
	t->from_folder_id = task->inbox_id;
	t->to_folder_id = task->folder_id;
	t->move = true;
	t->keep_flags = FLAGS_SYSTEM | FLAGS_KEYWORDS;
	t->job.done = inbox_done;
	task->moves = true;
	err = imap_submit(imap, &t->job);
	return err == OK ? IMAP_WAIT : imap_fail(imap, err);
}

/* ---- the command ---- */

static enum imap_turn
rename_go_on(struct imap_session *imap, struct rename *task)
{
	if (task->job.result != OK)
		return imap_folder_no(imap, task->job.result);
	if (task->is_inbox && !task->moves)
		return move_inbox(imap, task);
	return task->moved == OK ? imap_end(imap, IMAP_OK("Renamed"))
				 : imap_folder_no(imap, task->moved);
}

static enum imap_turn
rename_begin(struct imap_session *imap, struct rename *task, struct span name,
	struct span new_name)
{
	struct imap_place from, to;
	enum err err = imap_target_take(imap, name, &from, &task->from);

	if (err == OK)
		err = imap_target_take(imap, new_name, &to, &task->to);
	if (err != OK)
		return imap_folder_no(imap, err);
	if (task->from.owner_id != task->to.owner_id)
		return imap_end(imap,
			IMAP_NO("CANNOT", "A folder stays with its owner: copy its messages"));
	task->is_inbox = imap_place_is_inbox(&from) && task->from.owner_id == imap->user_id;
	if (!task->is_inbox && !folder_name_eq(task->to.name, task->from.name) &&
		folder_name_is_under(task->to.name, task->from.name))
		return imap_end(imap, IMAP_NO("CANNOT", "A folder cannot be below itself"));
	return imap_job_submit(imap, &task->job, rename_run);
}

enum imap_turn
imap_cmd_rename(struct imap_session *imap, struct imap_cursor *args)
{
	struct rename *task = imap->run->task;
	struct span name, new_name;

	if (task)
		return rename_go_on(imap, task);
	if (!imap_take_space(args) || !imap_take_astring(args, &name) || !imap_take_space(args) ||
		!imap_take_astring(args, &new_name) || !imap_take_end(args))
		return imap_bad_arguments(imap, args);
	return rename_begin(imap, imap_task(imap, sizeof(*task)), name, new_name);
}
