/*
 * imap_cmd_select.c - SELECT, EXAMINE, UNSELECT and CLOSE (RFC 9051, 6.3.2, 6.3.3, 6.4.1, 6.4.2), with the
 * parameters CONDSTORE and QRESYNC (RFC 7162).
 *
 * What a SELECT says comes from the folder's row: it costs the same for ten messages and a million.
 */
#include <stdlib.h>

#include "conf/conf.h"
#include "proto/imap/imap_requests.h"
#include "proto/imap/imap_response.h"
#include "server/imap/imap_flags.h"
#include "server/imap/imap_mailbox.h"
#include "server/imap/imap_numbers.h"
#include "server/imap/imap_resync.h"
#include "server/imap/imap_sync.h"

struct select_task {
	struct span name; /* of the folder, for LIST */
	bool wants_unseen;
	uint32_t unseen_after, unseen; /* uid and number of the last message looked at */
	bool told; /* what is left is imap_resync() */
	struct imap_reply reply;
	struct imap_resync resync;
};

/* ---- letting go ---- */

void
imap_unselect(struct imap_session *imap)
{
	struct imap_selected *sel = imap->selected;

	if (!sel)
		return;
	imap_sync_drop(imap);
	imap_load_drop(sel);
	imap_recent_end(imap);
	view_release(&sel->view);
	folder_watch_end(&sel->watcher);
	free(sel);
	imap->selected = NULL;
	imap_saved_drop(imap); /* RFC 9051, 6.4.4.1: it was of that folder */
}

enum imap_turn
imap_cmd_unselect(struct imap_session *imap, struct imap_cursor *args)
{
	if (!imap_take_end(args))
		return imap_bad_arguments(imap, args);
	imap_unselect(imap);
	return imap_end(imap, IMAP_OK("Let go"));
}

/* ---- selecting ---- */

static void
on_changed(struct folder_watcher *watcher)
{
	struct imap_selected *sel = LIST_ITEM(watcher, struct imap_selected, watcher);
	struct imap_session *imap = sel->session;

	sel->changed = true;
	if (imap->idling && !imap->sync)
		imap_go_on(imap);
}

static void
select_folder(struct imap_session *imap, const struct imap_mailbox *box, bool read_only)
{
	struct imap_selected *sel = calloc(1, sizeof(*sel));
	const struct folder *f = &box->folder;

	ENSURE(sel);
	imap->selected = sel;
	sel->session = imap;
	sel->rights = box->rights;
	sel->examined = read_only;
	sel->read_only = read_only || !imap_rights_write(box->rights);
	sel->is_fake = box->is_fake;
	sel->uidvalidity = sel->uidnext = 1;
	sel->modseq = sel->gone_modseq = 1;
	sel->watcher.changed = on_changed;
	list_init(&sel->watcher.link);
	if (box->is_fake)
		return;
	sel->user_id = f->user_id;
	sel->folder_id = f->folder_id;
	sel->own_seen = seen_is_own(f, imap->user_id);
	sel->uidvalidity = f->uidvalidity;
	sel->count = f->messages;
	sel->uidnext = f->uidnext;
	sel->modseq = sel->gone_modseq = f->highest_modseq;
	imap_recent_begin(imap, imap_snapshot(imap), f);
	folder_watch_begin(imap->session.host, f->folder_id, &sel->watcher);
}

/* Is one of BLOCK's unseen? Messages before it are counted. */
static bool
is_in_block(struct select_task *task, struct imap_flag_reader *reader,
	const struct entry_block *block, unsigned from)
{
	for (unsigned i = from; i < block->count; i++) {
		const struct entry *e = &block->entries[i];

		if (e->flags & FLAG_HELD)
			continue;
		task->unseen++;
		if (!(imap_flags_of(reader, e) & FLAG_SEEN))
			return true;
	}
	return false;
}

/*
 * The number of the first unseen message (RFC 3501, 6.3.1), which may lie deep. Where the folder
 * changed meanwhile it is left out: the number might be another by now.
 */
static enum imap_turn
put_unseen(struct imap_session *imap, struct select_task *task)
{
	const struct imap_selected *sel = imap->selected;
	struct snapshot *snap = imap_snapshot(imap);
	struct imap_flag_reader reader;
	struct entry_block block;
	struct folder now;
	unsigned from;

	if (!task->wants_unseen || !snap || imap_flag_reader_begin(imap, snap, &reader) != OK ||
		folder_get(snap, sel->user_id, sel->folder_id, &now) != OK ||
		now.highest_modseq != sel->modseq)
		return IMAP_DONE;
	while (entry_block_next(snap, sel->folder_id, task->unseen_after, &block, &from) == OK) {
		if (is_in_block(task, &reader, &block, from)) {
			imap_put(buf_printf(imap_out(imap),
				"* OK [UNSEEN %u] First unseen message\r\n", task->unseen));
			return IMAP_DONE;
		}
		task->unseen_after = block.entries[block.count - 1].uid;
		if (imap_must_yield(imap))
			return IMAP_MORE;
	}
	return IMAP_DONE;
}

static void
put_first(struct imap_session *imap, const struct imap_mailbox *box, struct select_task *task)
{
	const struct imap_selected *sel = imap->selected;
	struct folder_keywords keywords = { .count = 0 };
	bool rev2 = imap->enabled & IMAP_ENABLED_REV2;

	if (!sel->is_fake &&
		folder_keywords_get(imap_snapshot(imap), sel->folder_id, &keywords) != OK)
		keywords.count = 0; /* logged; the messages serve */
	imap_put_folder_flags(imap, &keywords);
	imap_put(buf_printf(imap_out(imap), "* %u EXISTS\r\n", sel->count));
	if (!rev2) /* RFC 3501, 7.3.2 */
		imap_put(buf_printf(imap_out(imap), "* %u RECENT\r\n", sel->recent.count));
	task->wants_unseen = !rev2 && !sel->is_fake && (box->folder.unseen > 0 || sel->own_seen);
	task->name = imap_place_name(&box->place, imap_arena(imap));
}

static void
put_rest(struct imap_session *imap, const struct select_task *task)
{
	const struct imap_selected *sel = imap->selected;
	struct buf *out = imap_out(imap);

	imap_put(buf_printf(out,
		"* OK [UIDVALIDITY %u] UIDs are valid\r\n* OK [UIDNEXT %u] Next UID\r\n"
		"* OK [HIGHESTMODSEQ %llu] Last change\r\n",
		sel->uidvalidity, sel->uidnext, (unsigned long long)sel->modseq));
	if (!sel->is_fake)
		imap_put(buf_printf(out, "* OK [MAILBOXID (F%llu)] Its id\r\n", /* RFC 8474, 4.2 */
			(unsigned long long)sel->folder_id));
	if (!(imap->enabled & IMAP_ENABLED_REV2))
		return;
	imap_put(buf_put(out, SPAN("* LIST () \"/\" "))); /* RFC 9051, 6.3.2: as LIST would name it */
	imap_put(imap_put_mailbox(out, task->name, true));
	imap_put(buf_put(out, SPAN("\r\n")));
}

static enum imap_turn
go_on(struct imap_session *imap, struct select_task *task)
{
	if (!task->told && put_unseen(imap, task) == IMAP_MORE)
		return IMAP_MORE;
	if (!task->told)
		put_rest(imap, task);
	task->told = true;
	if (task->resync.asked && imap_resync(imap, &task->resync) == IMAP_MORE)
		return IMAP_MORE;
	if (task->resync.err != OK) {
		imap_unselect(imap);
		return imap_fail(imap, task->resync.err);
	}
	return imap_end(imap, task->reply);
}

static enum imap_turn
open_mailbox(struct imap_session *imap, struct span name, bool examine, struct select_task *task)
{
	struct imap_mailbox box;
	enum err err = imap_mailbox_open(imap, name, &box);

	if (err != OK)
		return imap_mailbox_no(imap, err);
	select_folder(imap, &box, examine);
	put_first(imap, &box, task);
	task->reply = imap->selected->read_only ? IMAP_OK("Selected, for reading only")
						: IMAP_OK("Selected");
	task->reply.code = imap->selected->read_only ? SPAN("READ-ONLY") : SPAN("READ-WRITE");
	imap->run->task = task;
	return go_on(imap, task);
}

static struct imap_resync
resync_of(const struct imap_select *what)
{
	return (struct imap_resync){
		.asked = what->qresync,
		.uidvalidity = what->uidvalidity,
		.modseq = what->modseq,
		.has_known = what->has_known,
		.has_match = what->has_pairs,
		.known = what->known,
		.match_seqs = what->pair_numbers,
		.match_uids = what->pair_uids,
	};
}

static enum imap_turn
select_or_examine(struct imap_session *imap, struct imap_cursor *args, bool examine)
{
	struct select_task *task = imap->run->task;
	struct imap_select what;

	if (task)
		return go_on(imap, task);
	task = ARENA_NEW(imap_arena(imap), struct select_task);
	if (!imap_take_select(args, &what))
		return imap_bad_arguments(imap, args);
	if (what.condstore)
		imap->enabled |= IMAP_ENABLED_CONDSTORE; /* RFC 7162, 3.1.8 */
	task->resync = resync_of(&what);
	if (task->resync.asked && !(imap->enabled & IMAP_ENABLED_QRESYNC))
		return imap_end(imap, IMAP_BAD("ENABLE QRESYNC first")); /* RFC 7162, 3.2.5 */
	if (imap->selected)
		imap_put(buf_put(imap_out(imap),
			SPAN("* OK [CLOSED] The folder before is let go\r\n"))); /* RFC 9051, 7.1 */
	imap_unselect(imap); /* also where the new one cannot be opened (RFC 9051, 6.3.2) */
	return open_mailbox(imap, what.mailbox, examine, task);
}

enum imap_turn
imap_cmd_select(struct imap_session *imap, struct imap_cursor *args)
{
	return select_or_examine(imap, args, false);
}

enum imap_turn
imap_cmd_examine(struct imap_session *imap, struct imap_cursor *args)
{
	return select_or_examine(imap, args, true);
}
