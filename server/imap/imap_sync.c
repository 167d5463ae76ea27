/*
 * imap_sync.c - what became of the selected folder since the client last heard.
 *
 *     look   folder, new messages, what left: one snapshot
 *     scan   entries with a newer modseq: FETCH lines; only where something changed that look cannot explain
 *     gone   EXPUNGE lines, the highest number first; or VANISHED
 *     end    the view is changed, EXISTS
 */
#include "server/imap/imap_sync.h"

#include "proto/imap/imap_response.h"
#include "server/imap/imap_flags.h"
#include "server/imap/imap_numbers.h"
#include "server/imap/uid_ranges.h"
#include "store/entries.h"
#include "store/expunged.h"

#define SCAN_BLOCKS 2000      /* that one look passes over; some hundred us */
#define VANISHED_RANGES 1000  /* a line */

enum sync_phase { SYNC_LOOK, SYNC_SCAN, SYNC_GONE, SYNC_END };

struct imap_sync {
	enum sync_phase phase;
	bool with_expunge;
	bool scans;	 /* flags of old messages changed */
	bool compares;	 /* too much left: what is not there any more is gone */
	bool lost;	 /* the folder was removed */
	bool holds_back; /* one was hidden and may not be said yet */
	uint64_t target; /* modseq that M becomes */
	uint32_t uidnext;
	uint32_t after_uid;	     /* SCAN */
	struct uid_ranges fresh;     /* uids that came */
	struct uid_ranges gone;	     /* uids that left; in SYNC_GONE within the view */
	struct uid_ranges gone_seqs; /* their numbers */
	struct view_maker present;   /* compares */
	size_t gone_at;		     /* ranges that are still to be said */
	uint32_t gone_seq;	     /* of the last of these; 0: its end */
};

static uint64_t
count_told(const struct imap_session *imap, uint64_t over, uint64_t until)
{
	const struct imap_run *run = imap->run;
	uint64_t count = 0;

	for (size_t i = 0; run && i < run->told_count; i++)
		count += run->told[i] > over && run->told[i] <= until;
	return count;
}

static enum imap_turn
give_up(struct imap_session *imap)
{
	if (imap->sync)
		view_maker_fini(&imap->sync->present);
	imap->sync = NULL;
	return IMAP_DONE;
}

void
imap_sync_drop(struct imap_session *imap)
{
	(void)give_up(imap);
}

/* ---- look ---- */

/* What lies behind the client's uidnext. */
static enum err
look_at_fresh(struct imap_session *imap, struct snapshot *snap)
{
	const struct imap_selected *sel = imap->selected;
	struct imap_sync *sync = imap->sync;
	uint32_t after = sel->uidnext - 1;
	struct entry_block block;
	unsigned from;
	enum err err;

	while ((err = entry_block_next(snap, sel->folder_id, after, &block, &from)) == OK) {
		for (unsigned i = from; i < block.count; i++) {
			const struct entry *e = &block.entries[i];

			if (!(e->flags & FLAG_HELD))
				uid_ranges_add(&sync->fresh, imap_arena(imap), e->uid, e->uid);
		}
		after = block.entries[block.count - 1].uid;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* Each departure has a modseq that nothing else has: *modseqs counts them. */
static enum err
look_at_gone(struct imap_session *imap, struct snapshot *snap, uint64_t *modseqs)
{
	const struct imap_selected *sel = imap->selected;
	struct imap_sync *sync = imap->sync;
	struct expunged at = { .modseq = sel->gone_modseq };
	uint64_t last_modseq = sel->modseq;
	enum err err;

	while ((err = expunged_next(snap, sel->folder_id, &at)) == OK || err == ERR_CORRUPT) {
		if (err == ERR_CORRUPT) {
			sync->compares = true;
			continue;
		}
		*modseqs += at.modseq > last_modseq;
		if (at.modseq > last_modseq)
			last_modseq = at.modseq;
		if (at.first_uid < sel->uidnext && sync->with_expunge)
			uid_ranges_add(&sync->gone, imap_arena(imap), at.first_uid, at.last_uid);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static void
look_at_keywords(struct imap_session *imap, struct snapshot *snap)
{
	struct folder_keywords keywords;

	if (folder_keywords_get(snap, imap->selected->folder_id, &keywords) == OK)
		imap_put_new_keywords(imap, &keywords);
}

/* The folder is another now than the one that was opened. */
static enum err
look_at_folder(struct imap_session *imap, struct snapshot *snap, struct folder *folder)
{
	const struct imap_selected *sel = imap->selected;
	enum err err = folder_get(snap, sel->user_id, sel->folder_id, folder);

	if (err == OK && folder->uidvalidity != sel->uidvalidity) {
		stream_put(&imap->session.stream,
			SPAN("* BYE [UNAVAILABLE] The folder was restored, open it again\r\n"));
		session_close(&imap->session, CLOSE_TROUBLE);
		return ERR_DENIED;
	}
	return err;
}

/* ERR_EXISTS: there is nothing new. */
static enum err
look(struct imap_session *imap, struct snapshot *snap)
{
	struct imap_selected *sel = imap->selected;
	struct imap_sync *sync = imap->sync;
	struct folder folder;
	uint64_t explained = 0; /* modseqs that can be no change of flags the client has not heard of */
	enum err err = look_at_folder(imap, snap, &folder);

	if (err == ERR_NOT_FOUND && sync->with_expunge) { /* all that was in it left */
		sync->lost = sync->compares = true;
		sync->uidnext = sel->uidnext;
		sync->target = sel->modseq;
		return OK;
	}
	if (err != OK)
		return err;
	if (folder.highest_modseq == sel->modseq &&
		(sel->gone_modseq == sel->modseq || !sync->with_expunge))
		return ERR_EXISTS;
	sync->target = folder.highest_modseq;
	sync->uidnext = folder.uidnext;
	sync->compares = sync->with_expunge && folder.expunged_floor > sel->gone_modseq;
	look_at_keywords(imap, snap);
	err = look_at_fresh(imap, snap);
	if (err == OK)
		err = look_at_gone(imap, snap, &explained);
	explained += count_told(imap, sel->modseq, sync->target);
	sync->scans = sync->compares ||
		(folder.flags_modseq > sel->modseq && explained != sync->target - sel->modseq);
	return err;
}

/* ---- scan ---- */

static void
scan_entry(struct imap_session *imap, struct imap_flag_reader *reader, const struct entry *e)
{
	struct imap_selected *sel = imap->selected;
	struct imap_sync *sync = imap->sync;
	bool is_new = e->modseq > sel->modseq && e->modseq <= sync->target &&
		!imap_is_told(imap, e->modseq);
	uint32_t seq;

	if (sync->compares && !(e->flags & FLAG_HELD))
		view_maker_add(&sync->present, e->uid, e->uid);
	if (!is_new)
		return;
	seq = view_seq(sel->view, e->uid);
	if ((e->flags & FLAG_HELD) && seq && !sync->with_expunge)
		sync->holds_back = true;
	else if ((e->flags & FLAG_HELD) && seq)
		uid_ranges_add(&sync->gone, imap_arena(imap), e->uid, e->uid);
	else if (!(e->flags & FLAG_HELD) && seq)
		imap_put_flags_line(imap, reader, seq, e);
	else if (!(e->flags & FLAG_HELD) && e->uid > view_uid(sel->view, sel->view->count))
		uid_ranges_add(&sync->fresh, imap_arena(imap), e->uid, e->uid); /* let go, at the end */
}

static enum imap_turn
scan(struct imap_session *imap, struct snapshot *snap)
{
	struct imap_selected *sel = imap->selected;
	struct imap_sync *sync = imap->sync;
	struct imap_flag_reader reader;
	struct entry_block block;
	enum err err = imap_flag_reader_begin(imap, snap, &reader);

	if (err != OK)
		return IMAP_DONE;
	while ((err = entry_block_changed(snap, sel->folder_id, sync->after_uid,
			sync->compares ? 0 : sel->modseq, SCAN_BLOCKS, &block, &sync->after_uid)) ==
		OK) {
		for (unsigned i = 0; i < block.count; i++)
			if (block.entries[i].uid < sel->uidnext)
				scan_entry(imap, &reader, &block.entries[i]);
		if (sync->after_uid >= sel->uidnext - 1)
			return IMAP_DONE;
		if (imap_must_yield(imap))
			return IMAP_MORE;
	}
	return IMAP_DONE;
}

/* ---- gone ---- */

/* What the view has and the folder has not. */
static void
find_absent(struct imap_session *imap)
{
	const struct folder_view *view = imap->selected->view;
	struct imap_sync *sync = imap->sync;
	struct folder_view *present = view_maker_end(&sync->present, 1);
	uint32_t seq, uid;
	struct imap_range all = { 1, view->count };
	struct view_walk walk = { .view = view, .ranges = &all, .range_count = view->count > 0 };

	sync->gone.count = 0;
	while (view_walk_next(&walk, &seq, &uid))
		if (!view_seq(present, uid))
			uid_ranges_add(&sync->gone, imap_arena(imap), uid, uid);
	view_release(&present);
}

/* Uids become numbers; what the view has not, falls out. */
static void
number_gone(struct imap_session *imap)
{
	const struct folder_view *view = imap->selected->view;
	struct imap_sync *sync = imap->sync;

	if (sync->compares)
		find_absent(imap);
	uid_ranges_sort(&sync->gone);
	for (size_t i = 0; i < sync->gone.count; i++) {
		uint32_t first = view_seq_from(view, sync->gone.items[i].first);
		uint32_t behind = view_seq_from(view, sync->gone.items[i].last + 1);

		if (first < behind)
			uid_ranges_add(&sync->gone_seqs, imap_arena(imap), first, behind - 1);
	}
	sync->gone_at = sync->gone_seqs.count;
}

static enum imap_turn
put_expunges(struct imap_session *imap)
{
	struct imap_sync *sync = imap->sync;
	struct buf *out = imap_out(imap);

	for (; sync->gone_at > 0; sync->gone_at--) {
		struct imap_range range = sync->gone_seqs.items[sync->gone_at - 1];

		if (sync->gone_seq == 0)
			sync->gone_seq = range.last;
		for (; sync->gone_seq >= range.first; sync->gone_seq--) {
			if (imap_must_yield(imap))
				return IMAP_MORE;
			imap_put(buf_put(out, SPAN("* ")));
			imap_put(buf_put_u64(out, sync->gone_seq));
			imap_put(buf_put(out, SPAN(" EXPUNGE\r\n")));
		}
		sync->gone_seq = 0;
	}
	return IMAP_DONE;
}

enum imap_turn
imap_put_vanished(struct imap_session *imap, struct span words, const struct uid_ranges *uids,
	size_t *at)
{
	struct buf *out = imap_out(imap);

	for (size_t next; *at < uids->count; *at = next) {
		next = *at + VANISHED_RANGES < uids->count ? *at + VANISHED_RANGES : uids->count;
		if (imap_must_yield(imap))
			return IMAP_MORE;
		imap_put(buf_put(out, words));
		imap_put(imap_ranges_put(out, uids->items + *at, next - *at));
		imap_put(buf_put(out, SPAN("\r\n")));
	}
	return IMAP_DONE;
}

/* RFC 7162, 3.2.10: only uids that the client knows of. */
static enum imap_turn
put_vanished(struct imap_session *imap)
{
	struct imap_sync *sync = imap->sync;
	struct uid_ranges uids;

	imap_numbers_uids(imap, &sync->gone_seqs, &uids);
	return imap_put_vanished(imap, SPAN("* VANISHED "), &uids, &sync->gone_at);
}

/* ---- end ---- */

static void
sync_end(struct imap_session *imap)
{
	struct imap_selected *sel = imap->selected;
	struct imap_sync *sync = imap->sync;
	uint64_t came;

	uid_ranges_sort(&sync->fresh);
	came = uid_ranges_total(&sync->fresh);
	if (sel->view && (came > 0 || sync->gone.count > 0)) {
		struct folder_view *view = view_change(sel->view, sync->gone.items, sync->gone.count,
			sync->fresh.items, sync->fresh.count, sync->uidnext);

		view_release(&sel->view);
		sel->view = view;
		sel->count = view->count;
	} else {
		sel->count += (uint32_t)came;
	}
	if (came > 0)
		imap_put(buf_printf(imap_out(imap), "* %u EXISTS\r\n", sel->count));
	if (came > 0 || sync->gone.count > 0)
		imap_recent_news(imap, &sync->fresh, sync->uidnext);
	sel->uidnext = sync->uidnext;
	if (!sync->holds_back)
		sel->modseq = sync->target;
	if (sync->with_expunge)
		sel->gone_modseq = sync->target;
	sel->is_fake |= sync->lost;
	if (sel->view && sel->gone_modseq == sel->modseq && !sync->lost)
		folder_watch_share(sel->watcher.watch, sel->modseq, &sel->view);
}

/* ---- all of it ---- */

static enum imap_turn
sync_step(struct imap_session *imap, struct snapshot *snap)
{
	struct imap_sync *sync = imap->sync;
	bool wants_view = sync->scans || sync->compares || sync->gone.count > 0;

	if (sync->phase == SYNC_SCAN) {
		if (wants_view && !imap->selected->view && imap_load_view(imap) == IMAP_MORE)
			return IMAP_MORE;
		if (wants_view && !imap->selected->view)
			return give_up(imap);
		if (sync->scans && !sync->lost && scan(imap, snap) == IMAP_MORE)
			return IMAP_MORE;
		if (wants_view)
			number_gone(imap);
		if (imap->enabled & IMAP_ENABLED_QRESYNC)
			sync->gone_at = 0;
		sync->phase = SYNC_GONE;
	}
	if (sync->phase == SYNC_GONE) {
		enum imap_turn turn = imap->enabled & IMAP_ENABLED_QRESYNC ? put_vanished(imap)
									  : put_expunges(imap);
		if (turn == IMAP_MORE)
			return turn;
		sync->phase = SYNC_END;
	}
	sync_end(imap);
	return give_up(imap);
}

enum imap_turn
imap_sync(struct imap_session *imap, bool with_expunge)
{
	struct snapshot *snap = imap_snapshot(imap);
	struct imap_sync *sync = imap->sync;

	if (!snap || !imap->selected || imap->selected->is_fake)
		return give_up(imap);
	if (!sync) {
		sync = imap->sync = ARENA_NEW(imap_arena(imap), struct imap_sync);
		sync->with_expunge = with_expunge;
		if (look(imap, snap) != OK || session_is_closing(&imap->session))
			return give_up(imap);
		sync->phase = SYNC_SCAN;
	}
	return sync_step(imap, snap);
}
