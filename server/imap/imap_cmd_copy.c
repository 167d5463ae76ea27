/*
 * imap_cmd_copy.c - COPY, MOVE and their UID forms (RFC 9051, 6.4.7, 6.4.8; RFC 4315; RFC 6851).
 *
 *     set -> uids -> one transfer, which is one step for who looks on -> COPYUID
 *
 * A copy keeps date and flags, or neither (imap.keep_date_and_flags, IMP-05); in any case only flags that
 * the user may set in the target (RFC 4314, 4). A move keeps both.
 */
#include "conf/conf.h"
#include "server/imap/imap_mailbox.h"
#include "server/imap/imap_numbers.h"
#include "server/imap/imap_quota.h"
#include "store/graves.h"
#include "store/message_transfer.h"

#define COPYUID_MAX (64 * 1024) /* bytes of the uids in it; with more of them it is left out */

struct copy_task {
	struct message_transfer transfer; /* its apply runs inside ours */
	enum step (*apply)(struct store_job *job, struct txn *txn);
	struct imap_session *imap;
	bool move, within; /* into the folder itself */
	bool may_read;	   /* the target: else its uids are not told (RFC 4315, 3) */
	enum err result;
};

/* ---- the job ---- */

/* A move into the folder itself: new uids, and those that were there are no more (RFC 6851, 3.2). */
static enum step
within_run(struct store_job *job, struct txn *txn)
{
	struct copy_task *task = LIST_ITEM(job, struct copy_task, transfer.job);
	const struct message_transfer *t = &task->transfer;
	enum step step = task->apply(job, txn);
	struct folder folder;
	size_t count;
	enum err err;

	if (step != STEP_DONE || t->count == 0)
		return step;
	err = folder_get(txn_view(txn), t->from_user_id, t->from_folder_id, &folder);
	if (err == OK)
		err = message_expunge(txn, &folder, (struct uid_list){ t->found, t->count },
			GRAVE_DELAY_MS, &count);
	return step_of(job, err);
}

static void
copy_done(struct store_job *job, enum err result)
{
	struct copy_task *task = LIST_ITEM(job, struct copy_task, transfer.job);

	task->result = result;
	imap_resume(task->imap);
}

/* ---- before it ---- */

/* RFC 4314, 4: what a message may bring along into a folder where the user has RIGHTS. */
static uint32_t
flags_kept(uint32_t rights)
{
	uint32_t flags = 0;

	if (rights & RIGHT_SEEN)
		flags |= FLAG_SEEN;
	if (rights & RIGHT_DELETED)
		flags |= FLAG_DELETED;
	if (rights & RIGHT_WRITE)
		flags |= (FLAGS_SYSTEM & ~(FLAG_SEEN | FLAG_DELETED)) | FLAGS_KEYWORDS;
	return flags;
}

static void
list_uids(struct imap_session *imap, const struct uid_ranges *seqs, struct message_transfer *t)
{
	struct view_walk walk = imap_walk(imap, seqs);
	size_t room = (size_t)uid_ranges_total(seqs);
	uint32_t *uids = ARENA_ARRAY(imap_arena(imap), uint32_t, room);
	uint32_t seq;

	t->list.uids = uids;
	t->found = ARENA_ARRAY(imap_arena(imap), uint32_t, room);
	while (t->list.count < room && view_walk_next(&walk, &seq, &uids[t->list.count]))
		t->list.count++;
}

static struct copy_task *
task_new(struct imap_session *imap, const struct imap_mailbox *target, bool move)
{
	struct copy_task *task = ARENA_NEW(imap_arena(imap), struct copy_task);
	struct message_transfer *t = &task->transfer;
	bool keep = move || imap->session.conf->imap_keep_date_and_flags;

	message_transfer_init(t);
	task->imap = imap;
	task->move = move;
	task->within = move && target->folder.folder_id == imap->selected->folder_id;
	task->may_read = target->rights & RIGHT_READ;
	task->apply = t->job.apply;
	if (task->within)
		t->job.apply = within_run;
	t->job.done = copy_done;
	t->from_user_id = imap->selected->user_id;
	t->from_folder_id = imap->selected->folder_id;
	t->to_user_id = target->user_id;
	t->to_folder_id = target->folder.folder_id;
	t->move = move && !task->within;
	t->keep_date = keep;
	t->keep_flags = keep ? flags_kept(target->rights) : 0;
	t->user_id = imap->user_id;
	return task;
}

/* ---- after it ---- */

static bool
put_set(struct buf *out, const uint32_t *uids, size_t count)
{
	for (size_t i = 0, last; i < count; i = last + 1) {
		for (last = i; last + 1 < count && uids[last + 1] == uids[last] + 1;)
			last++;
		if (buf_printf(out, i > 0 ? ",%u" : "%u", uids[i]) != OK ||
			(last > i && buf_printf(out, ":%u", uids[last]) != OK))
			return false;
	}
	return true;
}

/* "COPYUID 38505 304,319:320 3956:3958" (RFC 4315, 3); empty where it is not said. */
static struct span
copyuid_code(struct imap_session *imap, const struct copy_task *task)
{
	const struct message_transfer *t = &task->transfer;
	struct span code = SPAN_NONE;
	struct buf set;

	if (t->count == 0 || !task->may_read)
		return code;
	buf_init(&set, COPYUID_MAX);
	if (put_set(&set, t->found, t->count))
		code = arena_printf(imap_arena(imap), "COPYUID %u %.*s %u%s", t->uidvalidity,
			SPAN_FMT(buf_span(&set)), t->first_uid,
			t->count == 1 ? ""
				      : arena_printf(imap_arena(imap), ":%zu",
						t->first_uid + t->count - 1).ptr);
	buf_fini(&set);
	return code;
}

/* RFC 6851, 4.3: before the messages leave. */
static enum imap_turn
end_move(struct imap_session *imap, const struct copy_task *task, struct span copyuid)
{
	struct imap_reply reply = IMAP_OK("Moved");

	if (copyuid.len > 0)
		imap_put(imap_reply_put(imap_out(imap), SPAN_NONE,
			(struct imap_reply){ IMAP_STATUS_OK, copyuid, SPAN("Moved") }));
	if ((imap->enabled & IMAP_ENABLED_QRESYNC) && task->transfer.from_modseq > 0)
		reply.code = arena_printf(imap_arena(imap), "HIGHESTMODSEQ %llu",
			(unsigned long long)task->transfer.from_modseq); /* RFC 7162, 3.2.10 */
	return imap_end(imap, reply);
}

static enum imap_turn
copy_answer(struct imap_session *imap, const struct copy_task *task)
{
	struct imap_reply reply = IMAP_OK("Copied");
	struct span copyuid;

	switch (task->result) {
	case OK:
		break;
	case ERR_NOT_FOUND:
		return imap_end(imap, IMAP_NO("TRYCREATE", "The folder is gone"));
	case ERR_LIMIT:
		return imap_end(imap, IMAP_NO("LIMIT", "The folder takes no more messages"));
	default:
		return imap_fail(imap, task->result);
	}
	copyuid = copyuid_code(imap, task);
	imap_quota_warn(imap, task->transfer.to_user_id);
	if (task->move)
		return end_move(imap, task, copyuid);
	reply.code = copyuid;
	return imap_end(imap, reply);
}

/* ---- the commands ---- */

static enum imap_turn
copy_begin(struct imap_session *imap, struct imap_cursor *args, bool move)
{
	struct imap_mailbox target;
	struct imap_seqset set;
	struct uid_ranges seqs;
	struct copy_task *task;
	struct span name;
	enum err err;

	if (!imap_take_space(args) || !imap_take_seqset(args, &set) || !imap_take_space(args) ||
		!imap_take_astring(args, &name) || !imap_take_end(args))
		return imap_bad_arguments(imap, args);
	if (imap_numbers(imap, &set, imap->run->by_uid, &seqs) != OK)
		return imap_bad_arguments(imap, args);
	if (move && (~imap->selected->rights & (RIGHT_DELETED | RIGHT_EXPUNGE))) /* RFC 6851, 4.4 */
		return imap_mailbox_no(imap, ERR_DENIED);
	err = imap_mailbox_find(imap, name, RIGHT_INSERT, &target);
	if (err != OK)
		return imap_end(imap, imap_target_reply(&target, err));
	task = imap->run->task = task_new(imap, &target, move);
	list_uids(imap, &seqs, &task->transfer);
	if (task->transfer.list.count == 0)
		return imap_end(imap, IMAP_OK("There is no such message"));
	task->transfer.job.size_bytes = 64 * task->transfer.list.count;
	task->transfer.job.incoming = !task->transfer.move; /* H43: a move needs no room to keep */
	err = imap_submit(imap, &task->transfer.job);
	return err == OK ? IMAP_WAIT : imap_fail(imap, err);
}

enum imap_turn
imap_cmd_copy(struct imap_session *imap, struct imap_cursor *args)
{
	return imap->run->task ? copy_answer(imap, imap->run->task) : copy_begin(imap, args, false);
}

enum imap_turn
imap_cmd_move(struct imap_session *imap, struct imap_cursor *args)
{
	return imap->run->task ? copy_answer(imap, imap->run->task) : copy_begin(imap, args, true);
}
