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

#define UNSEEN_BLOCKS 64 /* that are looked at for the first unseen message */

struct select_task {
	bool resyncs; /* what is left is imap_resync() */
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
	folder_watch_begin(imap->session.host, f->folder_id, &sel->watcher);
}

/*
 * The number of the first unseen message (RFC 3501, 6.3.1). 0: there is none, or it lies too deep: a
 * client that misses it asks by SEARCH.
 */
static uint32_t
first_unseen(struct imap_session *imap, struct snapshot *snap, const struct folder *folder)
{
	struct imap_flag_reader reader;
	struct entry_block block;
	uint32_t after = 0, seq = 0;
	unsigned from;

	if ((folder->unseen == 0 && !imap->selected->own_seen) ||
		imap_flag_reader_begin(imap, snap, &reader) != OK)
		return 0;
	for (unsigned looks = 0; looks < UNSEEN_BLOCKS &&
		entry_block_next(snap, folder->folder_id, after, &block, &from) == OK;
		looks++) {
		for (unsigned i = from; i < block.count; i++) {
			if (block.entries[i].flags & FLAG_HELD)
				continue;
			seq++;
			if (!(imap_flags_of(&reader, &block.entries[i]) & FLAG_SEEN))
				return seq;
		}
		after = block.entries[block.count - 1].uid;
	}
	return 0;
}

/* RFC 9051, 6.3.2: the folder as LIST would name it. */
static void
put_list(struct imap_session *imap, const struct imap_mailbox *box)
{
	struct buf *out = imap_out(imap);
	struct span name = imap_place_name(&box->place, imap_arena(imap));

	if (!(imap->enabled & IMAP_ENABLED_REV2))
		return;
	imap_put(buf_put(out, SPAN("* LIST () \"/\" ")));
	imap_put(imap_put_mailbox(out, name, true));
	imap_put(buf_put(out, SPAN("\r\n")));
}

static void
put_selected(struct imap_session *imap, struct snapshot *snap, const struct imap_mailbox *box)
{
	const struct imap_selected *sel = imap->selected;
	struct buf *out = imap_out(imap);
	struct folder_keywords keywords = { .count = 0 };
	uint32_t unseen;

	if (!sel->is_fake && folder_keywords_get(snap, sel->folder_id, &keywords) != OK)
		keywords.count = 0; /* logged; the messages serve */
	imap_put_folder_flags(imap, &keywords);
	imap_put(buf_printf(out, "* %u EXISTS\r\n", sel->count));
	if (!(imap->enabled & IMAP_ENABLED_REV2))
		imap_put(buf_put(out, SPAN("* 0 RECENT\r\n"))); /* RFC 3501, 7.3.2: nobody is told it */
	unseen = sel->is_fake ? 0 : first_unseen(imap, snap, &box->folder);
	if (unseen > 0 && !(imap->enabled & IMAP_ENABLED_REV2))
		imap_put(buf_printf(out, "* OK [UNSEEN %u] First unseen message\r\n", unseen));
	imap_put(buf_printf(out,
		"* OK [UIDVALIDITY %u] UIDs are valid\r\n* OK [UIDNEXT %u] Next UID\r\n"
		"* OK [HIGHESTMODSEQ %llu] Last change\r\n",
		sel->uidvalidity, sel->uidnext, (unsigned long long)sel->modseq));
	if (!sel->is_fake)
		imap_put(buf_printf(out, "* OK [MAILBOXID (F%llu)] Its id\r\n", /* RFC 8474, 4.2 */
			(unsigned long long)sel->folder_id));
	put_list(imap, box);
}

static enum imap_turn
go_on(struct imap_session *imap, struct select_task *task)
{
	if (task->resync.asked && imap_resync(imap, &task->resync) == IMAP_MORE)
		return IMAP_MORE;
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
	put_selected(imap, imap_snapshot(imap), &box);
	task->reply = imap->selected->read_only ? IMAP_OK("Selected, for reading only")
						: IMAP_OK("Selected");
	task->reply.code = imap->selected->read_only ? SPAN("READ-ONLY") : SPAN("READ-WRITE");
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
	task = imap->run->task = ARENA_NEW(imap_arena(imap), struct select_task);
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
