/*
 * imap_cmd_fetch.c - FETCH and UID FETCH (RFC 9051, 6.4.5; RFC 7162, 3.1.4, 3.2.6; RFC 3516).
 *
 *     set -> [VANISHED (EARLIER)] -> [a job sets \Seen] -> a line a message -> OK
 *
 * \Seen is on disk before the line says so. Lines are written straight into the output, a slice a turn.
 */
#include "server/imap/imap_fetch_inside.h"

#include "proto/imap/imap_response.h"
#include "server/imap/imap_resync.h"
#include "server/imap/imap_sync.h"
#include "store/bodies.h"
#include "store/rights.h"

#define TEXT_ITEMS (IMAP_FETCH_ENVELOPE | IMAP_FETCH_BODY | IMAP_FETCH_BODYSTRUCTURE)
#define COPY_ITEMS (IMAP_FETCH_EMAILID | IMAP_FETCH_SAVEDATE)

/* The command arena goes, wherever the command stood. */
static void
task_cleanup(void *arg)
{
	struct fetch_task *task = arg;

	if (task->pinned)
		body_unpin(task->session->session.host->store, task->pinned);
	arena_reset(&task->scratch);
}

static bool
needs_derived(const struct imap_fetch_bytes *b)
{
	return b->path_len > 0;
}

static struct fetch_task *
task_new(struct imap_session *imap)
{
	struct fetch_task *task = ARENA_NEW(imap_arena(imap), struct fetch_task);

	task->session = imap;
	arena_init(&task->scratch, &imap->session.host->pool);
	arena_on_reset(imap_arena(imap), task_cleanup, task);
	return task;
}

static void
plan_reading(struct fetch_task *task)
{
	task->items = task->fetch.items;
	task->wants_derived = (task->items & TEXT_ITEMS) != 0;
	for (size_t i = 0; i < task->fetch.count; i++)
		task->wants_derived |= needs_derived(&task->fetch.bytes[i]);
	task->wants_text = task->wants_derived || task->fetch.count > 0;
	task->wants_copy = task->wants_text || (task->items & COPY_ITEMS);
	if (task->fetch.count > 0)
		task->spans = ARENA_ARRAY(
			imap_arena(task->session), struct span, FETCH_SPANS_MAX);
}

/* ---- \Seen ---- */

static bool
may_mark(const struct fetch_task *task)
{
	const struct imap_selected *sel = task->session->selected;

	return task->fetch.sets_seen && !sel->read_only && (sel->rights & RIGHT_SEEN);
}

/* Which of them are unseen? IMAP_MORE: there are more to look at. */
static enum imap_turn
find_unseen(struct fetch_task *task)
{
	struct imap_session *imap = task->session;
	uint32_t seq, uid;

	while (view_walk_next(&task->walk, &seq, &uid)) {
		const struct entry *e = entry_reader_find(&task->entries, uid);

		if (e && !(imap_flags_of(&task->flags, e) & FLAG_SEEN))
			uid_ranges_add(&task->unseen, imap_arena(imap), seq, seq);
		if (imap_must_yield(imap))
			return IMAP_MORE;
	}
	if (task->unseen.count == 0)
		return IMAP_DONE;
	task->seen.order = (struct flag_order){ .op = FLAGS_ADD, .flags = FLAG_SEEN,
		.may = FLAG_SEEN, .unchanged_since = UINT64_MAX, .user_id = imap->user_id };
	imap_store_job_begin(imap, &task->seen, &task->unseen);
	task->marks = true;
	return IMAP_DONE;
}

/* ---- in turns ---- */

/* What the turn before left belongs to its snapshot. */
static enum err
begin_turn(struct fetch_task *task)
{
	struct imap_session *imap = task->session;
	struct snapshot *snap = imap_snapshot(imap);

	if (!snap)
		return ERR_IO;
	task->message.loaded = false;
	entry_reader_begin(&task->entries, snap, imap->selected->folder_id);
	return imap_flag_reader_begin(imap, snap, &task->flags);
}

static enum imap_turn
end_fetch(struct fetch_task *task)
{
	if (task->damaged)
		return imap_end(task->session, imap_reply_for(ERR_CORRUPT)); /* H49 */
	if (task->unknown_cte)
		return imap_end(task->session,
			IMAP_NO("UNKNOWN-CTE", "A part has an encoding that is not known"));
	if (task->missing > 0)
		return imap_end(task->session,
			IMAP_NO("EXPUNGEISSUED", "Some of the messages are gone")); /* RFC 5530, 3 */
	return imap_end(task->session, IMAP_OK("Fetched"));
}

/* Before the lines. IMAP_DONE: they may come. */
static enum imap_turn
prepare(struct fetch_task *task)
{
	struct imap_session *imap = task->session;
	enum err err;

	if (imap_put_vanished(imap, SPAN("* VANISHED (EARLIER) "), &task->vanished,
		    &task->vanished_at) == IMAP_MORE)
		return IMAP_MORE;
	if (!task->marks && may_mark(task) && find_unseen(task) == IMAP_MORE)
		return IMAP_MORE;
	if (task->marks) {
		if (imap_store_job_go_on(imap, &task->seen, &err))
			return IMAP_WAIT;
		if (err != OK) /* they are read all the same */
			session_log(&imap->session, LEVEL_WARNING, .text = "messages not marked as seen",
				.fields = { { "why", span_of(err_name(err)) } });
	}
	task->prepared = true;
	task->walk = imap_walk(imap, &task->seqs);
	return IMAP_DONE;
}

static enum imap_turn
put_messages(struct fetch_task *task)
{
	enum imap_turn turn;
	uint32_t seq, uid;

	if (task->in_message && (turn = fetch_message_go_on(task)) != IMAP_DONE)
		return turn;
	while (view_walk_next(&task->walk, &seq, &uid)) {
		turn = fetch_message_begin(task, seq, uid);
		if (turn != IMAP_DONE)
			return turn;
		if (imap_must_yield(task->session))
			return IMAP_MORE;
	}
	return end_fetch(task);
}

static enum imap_turn
go_on(struct fetch_task *task)
{
	enum imap_turn turn = IMAP_DONE;
	enum err err = begin_turn(task);

	if (err != OK)
		return imap_fail(task->session, err);
	if (!task->prepared) {
		turn = prepare(task);
		if (turn == IMAP_DONE && task->marks && (err = begin_turn(task)) != OK)
			return imap_fail(task->session, err);
	}
	return turn == IMAP_DONE ? put_messages(task) : turn;
}

/* RFC 7162, 3.1: who asks for it has it on. */
static void
take_condstore(struct fetch_task *task)
{
	if (!task->fetch.has_changed_since && !(task->fetch.items & IMAP_FETCH_MODSEQ))
		return;
	imap_use_condstore(task->session);
	if (task->fetch.has_changed_since)
		task->items |= IMAP_FETCH_MODSEQ;
}

enum imap_turn
imap_cmd_fetch(struct imap_session *imap, struct imap_cursor *args)
{
	struct fetch_task *task = imap->run->task;
	enum err err = OK;

	if (task)
		return go_on(task);
	task = task_new(imap);
	if (!imap_take_fetch(args, imap->run->by_uid, &task->fetch) ||
		imap_numbers(imap, &task->fetch.set, imap->run->by_uid, &task->seqs) != OK)
		return imap_bad_arguments(imap, args);
	if (task->fetch.vanished && !(imap->enabled & IMAP_ENABLED_QRESYNC))
		return imap_end(imap, IMAP_BAD("ENABLE QRESYNC first")); /* RFC 7162, 3.2.6 */
	plan_reading(task);
	take_condstore(task);
	task->walk = imap_walk(imap, &task->seqs);
	imap->run->task = task;
	if (task->fetch.vanished)
		err = imap_vanished_since(
			imap, task->fetch.changed_since, &task->fetch.set, &task->vanished);
	return err == OK ? go_on(task) : imap_fail(imap, err);
}
