/*
 * imap_load.c - the view of a selected folder, read when a number is needed for the first time.
 *
 * It must be what the client was told at SELECT, though the folder may have changed since. What is there
 * now and has a lower uid than the client's uidnext was there then; what left since stands in `expunged`.
 * So it may be read in slices, each in its own snapshot.
 */
#include <stdlib.h>

#include "server/imap/imap_session.h"
#include "server/imap/imap_sync.h"
#include "server/imap/uid_ranges.h"
#include "store/entries.h"
#include "store/expunged.h"

struct imap_load {
	uint32_t after_uid;
	struct view_maker maker;
	struct uid_ranges held; /* since then, or before they were seen: the count tells */
};

void
imap_load_drop(struct imap_selected *sel)
{
	if (!sel->load)
		return;
	view_maker_fini(&sel->load->maker);
	free(sel->load);
	sel->load = NULL;
}

/* A slice of the entries. ERR_NOT_FOUND: that was the last; OK: there is more. */
static enum err
read_entries(struct imap_session *imap, struct snapshot *snap)
{
	struct imap_selected *sel = imap->selected;
	struct imap_load *load = sel->load;
	struct entry_block block;
	unsigned from;
	enum err err;

	do {
		err = entry_block_next(snap, sel->folder_id, load->after_uid, &block, &from);
		for (unsigned i = from; err == OK && i < block.count; i++) {
			const struct entry *e = &block.entries[i];

			if (e->uid >= sel->uidnext)
				return ERR_NOT_FOUND;
			load->after_uid = e->uid;
			if (!(e->flags & FLAG_HELD))
				view_maker_add(&load->maker, e->uid, e->uid);
			else if (e->modseq > sel->gone_modseq)
				uid_ranges_add(&load->held, imap_arena(imap), e->uid, e->uid);
		}
	} while (err == OK && !imap_must_yield(imap));
	return err;
}

static enum err
read_gone(struct imap_session *imap, struct snapshot *snap, const struct folder_view *view,
	struct uid_ranges *out)
{
	const struct imap_selected *sel = imap->selected;
	struct expunged at = { .modseq = sel->gone_modseq };
	struct uid_ranges all = { NULL, 0, 0 };
	enum err err;

	while ((err = expunged_next(snap, sel->folder_id, &at)) == OK)
		if (at.first_uid < sel->uidnext)
			uid_ranges_add(&all, imap_arena(imap), at.first_uid, at.last_uid);
	uid_ranges_sort(&all);
	for (size_t i = 0; i < all.count; i++)
		view_add_absent(view, all.items[i], imap_arena(imap), out);
	return err == ERR_NOT_FOUND ? OK : err;
}

/*
 * It is not what the client was told: part of the store is damaged, or was repaired meanwhile. It
 * gets numbers that fit (H49).
 */
static void
put_right(struct imap_session *imap, uint32_t count)
{
	struct imap_selected *sel = imap->selected;
	struct buf *out = imap_out(imap);

	session_log(&imap->session, LEVEL_WARNING, .text = "a folder's count is not that of its messages",
		.fields = { { "folder", .number = (int64_t)sel->folder_id },
			{ "count", .number = sel->count }, { "messages", .number = count } });
	for (uint32_t seq = sel->count; seq > count && !(imap->enabled & IMAP_ENABLED_QRESYNC) &&
		!stream_is_full(&imap->session.stream);
		seq--)
		imap_put(buf_printf(out, "* %u EXPUNGE\r\n", seq));
	imap_put(buf_printf(out, "* %u EXISTS\r\n", count));
	sel->count = count;
}

static void
load_end(struct imap_session *imap, struct snapshot *snap)
{
	struct imap_selected *sel = imap->selected;
	struct folder_view *present = view_maker_end(&sel->load->maker, sel->uidnext);
	struct uid_ranges more = { NULL, 0, 0 };
	const struct uid_ranges *held = &sel->load->held;

	if (read_gone(imap, snap, present, &more) != OK)
		more.count = 0; /* logged */
	if (present->count + uid_ranges_total(&more) + uid_ranges_total(held) == sel->count)
		for (size_t i = 0; i < held->count; i++)
			view_add_absent(present, held->items[i], imap_arena(imap), &more);
	uid_ranges_sort(&more);
	sel->view = view_change(present, NULL, 0, more.items, more.count, sel->uidnext);
	view_release(&present);
	if (sel->view->count != sel->count)
		put_right(imap, sel->view->count);
	else if (sel->modseq == sel->gone_modseq)
		folder_watch_share(sel->watcher.watch, sel->modseq, &sel->view);
	imap_load_drop(sel);
}

/* Another session of the loop may have it already. */
static bool
take_shared(struct imap_selected *sel)
{
	const struct folder_watch *watch = sel->watcher.watch;

	if (!watch || !watch->view || watch->view_modseq != sel->modseq ||
		sel->gone_modseq != sel->modseq || watch->view->count != sel->count ||
		watch->view->uidnext != sel->uidnext)
		return false;
	sel->view = view_hold(watch->view);
	return true;
}

enum imap_turn
imap_load_view(struct imap_session *imap)
{
	struct imap_selected *sel = imap->selected;
	struct snapshot *snap = imap_snapshot(imap);
	enum err err;

	if (sel->is_fake && !sel->view)
		sel->view = view_empty(1);
	if (sel->view || take_shared(sel))
		return IMAP_DONE;
	if (!sel->load) {
		sel->load = calloc(1, sizeof(*sel->load));
		ENSURE(sel->load);
	}
	err = snap ? read_entries(imap, snap) : ERR_IO;
	if (err == OK)
		return IMAP_MORE;
	if (err == ERR_NOT_FOUND) {
		load_end(imap, snap);
		return IMAP_DONE;
	}
	stream_put(&imap->session.stream, /* it can be told no numbers */
		SPAN("* BYE [UNAVAILABLE] The folder cannot be read now\r\n"));
	session_close(&imap->session, CLOSE_TROUBLE);
	return IMAP_DONE;
}
