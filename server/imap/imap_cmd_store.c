/*
 * imap_cmd_store.c - STORE and UID STORE (RFC 9051, 6.4.6; RFC 7162, 3.1.3).
 *
 *     set -> uids -> jobs, a slice each -> FETCH lines, or not -> OK [MODIFIED]
 */
#include "proto/imap/imap_requests.h"
#include "proto/imap/imap_response.h"
#include "server/imap/entry_reader.h"
#include "server/imap/imap_flags.h"
#include "server/imap/imap_numbers.h"
#include "server/imap/imap_store_job.h"
#include "store/rights.h"

#define MODIFIED_RANGES 1000 /* a line */

struct store_task {
	struct uid_ranges seqs;
	struct imap_store_job job;
	bool silent;
	bool stored, told; /* it is on disk; its FETCH lines are out */
	struct view_walk walk;
	unsigned missing;
	struct uid_ranges modified; /* what was left, as the client counts */
	size_t numbered;	    /* of job.failed */
	size_t modified_at;	    /* ranges before it are said */
};

static bool
take_arguments(struct imap_session *imap, struct imap_cursor *args, struct store_task *task,
	struct imap_seqset *set)
{
	static const enum flag_op ops[] = {
		[IMAP_STORE_REPLACE] = FLAGS_REPLACE,
		[IMAP_STORE_ADD] = FLAGS_ADD,
		[IMAP_STORE_REMOVE] = FLAGS_REMOVE,
	};
	struct flag_order *order = &task->job.order;
	struct imap_store store;

	if (!imap_take_store(args, &store))
		return false;
	if (store.has_unchanged_since)
		imap_use_condstore(imap);
	*set = store.set;
	task->silent = task->job.silent = store.silent;
	order->op = ops[store.op];
	order->unchanged_since = store.has_unchanged_since ? store.unchanged_since : UINT64_MAX;
	order->flags = store.flags.flags;
	order->keywords = store.flags.keywords;
	order->keyword_count = store.flags.count;
	order->user_id = imap->user_id;
	return true;
}

/* RFC 4314, 4: what he may not set is passed over, unless nothing is left. */
static bool
may_store(struct imap_session *imap, struct flag_order *order)
{
	bool keywords;
	uint32_t may = imap_flags_allowed(imap->selected, &keywords);

	order->may = may | (keywords ? FLAGS_KEYWORDS : 0);
	if (order->op == FLAGS_REPLACE)
		return order->may != 0;
	return (order->flags & may) || (order->keyword_count > 0 && keywords) ||
		(order->flags == 0 && order->keyword_count == 0);
}

/* "* 5 FETCH (UID 7 MODSEQ (12))": of a silent one all the same (RFC 7162, 3.1.3). */
static void
put_modseq(struct imap_session *imap, uint32_t seq, const struct entry *e)
{
	struct buf *out = imap_out(imap);

	imap_put(buf_printf(out, "* %u FETCH (", seq));
	if (imap->run->by_uid || (imap->enabled & (IMAP_ENABLED_QRESYNC | IMAP_ENABLED_REV2)))
		imap_put(buf_printf(out, "UID %u ", e->uid));
	imap_put(buf_printf(out, "MODSEQ (%llu))\r\n", (unsigned long long)e->modseq));
}

static enum imap_turn
put_results(struct imap_session *imap, struct store_task *task)
{
	struct snapshot *snap = imap_snapshot(imap);
	struct entry_reader *reader = ARENA_NEW(imap_arena(imap), struct entry_reader);
	struct imap_flag_reader flags;
	uint32_t seq, uid;
	enum err err = snap ? imap_flag_reader_begin(imap, snap, &flags) : ERR_IO;

	if (err != OK)
		return imap_fail(imap, err);
	entry_reader_begin(reader, snap, imap->selected->folder_id);
	while (view_walk_next(&task->walk, &seq, &uid)) {
		const struct entry *e = entry_reader_find(reader, uid);

		if (!e)
			task->missing++;
		else if (!task->silent)
			imap_put_flags_line(imap, &flags, seq, e);
		else if (imap_is_told(imap, e->modseq))
			put_modseq(imap, seq, e);
		if (imap_must_yield(imap))
			return IMAP_MORE;
	}
	return IMAP_DONE;
}

/* The messages that were left: numbers, or uids of UID STORE. */
static enum imap_turn
number_modified(struct imap_session *imap, struct store_task *task)
{
	const struct imap_store_job *job = &task->job;

	while (task->numbered < job->failed_count) {
		uint32_t uid = job->failed[task->numbered++];
		uint32_t number = imap->run->by_uid ? uid : view_seq(imap->selected->view, uid);

		if (number > 0)
			uid_ranges_add(&task->modified, imap_arena(imap), number, number);
		if (imap_must_yield(imap))
			return IMAP_MORE;
	}
	return IMAP_DONE;
}

/* "MODIFIED 7,9" with some of the ranges. */
static struct span
modified_code(struct imap_session *imap, struct store_task *task)
{
	size_t left = task->modified.count - task->modified_at;
	size_t some = left < MODIFIED_RANGES ? left : MODIFIED_RANGES;
	struct span code = SPAN_NONE;
	struct buf out;

	buf_init(&out, 32 * MODIFIED_RANGES);
	if (some > 0 && buf_put(&out, SPAN("MODIFIED ")) == OK &&
		imap_ranges_put(&out, task->modified.items + task->modified_at, some) == OK)
		code = arena_copy(imap_arena(imap), buf_span(&out));
	buf_fini(&out);
	task->modified_at += some;
	return code;
}

/* RFC 7162, 3.1.3. More than fits into one line goes before it, in lines of the same kind. */
static enum imap_turn
end_modified(struct imap_session *imap, struct store_task *task)
{
	struct imap_reply reply = IMAP_OK("Some were changed by others meanwhile");

	if (number_modified(imap, task) == IMAP_MORE)
		return IMAP_MORE;
	while (task->modified.count - task->modified_at > MODIFIED_RANGES) {
		reply.code = modified_code(imap, task);
		imap_put(imap_reply_put(imap_out(imap), SPAN_NONE, reply));
		if (imap_must_yield(imap))
			return IMAP_MORE;
	}
	reply.code = modified_code(imap, task);
	return imap_end(imap, reply);
}

static enum imap_turn
end_store(struct imap_session *imap, struct store_task *task)
{
	if (task->job.failed_count > 0)
		return end_modified(imap, task);
	if (task->missing > 0) /* RFC 5530, 3 */
		return imap_end(imap, IMAP_REPLY(OK, "EXPUNGEISSUED", "Some of the messages are gone"));
	return imap_end(imap, IMAP_OK("Stored"));
}

static enum imap_turn
go_on(struct imap_session *imap, struct store_task *task)
{
	enum imap_turn turn;

	if (!task->stored) {
		enum err err;

		if (imap_store_job_go_on(imap, &task->job, &err))
			return IMAP_WAIT;
		if (err != OK)
			return imap_fail(imap, err);
		task->stored = true;
		task->walk = imap_walk(imap, &task->seqs);
	}
	if (!task->told && (!task->silent || (imap->enabled & IMAP_ENABLED_CONDSTORE))) {
		turn = put_results(imap, task);
		if (turn == IMAP_MORE || imap->run->reply.text.len > 0)
			return turn;
	}
	task->told = true;
	return end_store(imap, task);
}

enum imap_turn
imap_cmd_store(struct imap_session *imap, struct imap_cursor *args)
{
	struct store_task *task = imap->run->task;
	struct imap_seqset set;

	if (task)
		return go_on(imap, task);
	task = ARENA_NEW(imap_arena(imap), struct store_task);
	if (!take_arguments(imap, args, task, &set) ||
		imap_numbers(imap, &set, imap->run->by_uid, &task->seqs) != OK)
		return imap_bad_arguments(imap, args);
	if (!may_store(imap, &task->job.order))
		return imap_fail(imap, ERR_DENIED);
	imap_store_job_begin(imap, &task->job, &task->seqs);
	imap->run->task = task;
	return go_on(imap, task);
}
