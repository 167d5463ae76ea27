/*
 * imap_resync.c - what changed since a client was here last.
 */
#include "server/imap/imap_resync.h"

#include "server/imap/imap_flags.h"
#include "server/imap/imap_sync.h"
#include "store/expunged.h"

#define RESYNC_BLOCKS 2000 /* that one look passes over */

/* The part of RANGE that KNOWN names. */
static void
add_known(struct imap_session *imap, struct imap_range range, const struct imap_seqset *known,
	struct uid_ranges *out)
{
	size_t low = 0, high = known ? known->count : 0;

	if (!known) {
		view_add_absent(imap->selected->view, range, imap_arena(imap), out);
		return;
	}
	while (low < high) { /* the first range that does not end before it */
		size_t middle = (low + high) / 2;

		if (known->ranges[middle].last < range.first)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < known->count && known->ranges[low].first <= range.last; low++) {
		struct imap_range part = known->ranges[low];

		if (part.first < range.first)
			part.first = range.first;
		if (part.last > range.last)
			part.last = range.last;
		view_add_absent(imap->selected->view, part, imap_arena(imap), out);
	}
}

enum err
imap_vanished_since(struct imap_session *imap, uint64_t modseq, const struct imap_seqset *known,
	struct uid_ranges *gone)
{
	const struct imap_selected *sel = imap->selected;
	struct snapshot *snap = imap_snapshot(imap);
	struct expunged at = { .modseq = modseq };
	struct uid_ranges all = { NULL, 0, 0 };
	struct folder folder;
	enum err err = folder_get(snap, sel->user_id, sel->folder_id, &folder);

	*gone = all;
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	if (modseq < folder.expunged_floor) {
		if (sel->uidnext > 1)
			uid_ranges_add(&all, imap_arena(imap), 1, sel->uidnext - 1);
	} else {
		while ((err = expunged_next(snap, sel->folder_id, &at)) == OK || err == ERR_CORRUPT)
			if (err == OK && at.modseq <= sel->gone_modseq)
				uid_ranges_add(
					&all, imap_arena(imap), at.first_uid, at.last_uid);
		if (err != ERR_NOT_FOUND)
			return err;
		uid_ranges_sort(&all);
	}
	for (size_t i = 0; i < all.count; i++)
		add_known(imap, all.items[i], known, gone);
	return OK;
}

/*
 * RFC 7162, 3.2.5.2: up to the highest uid whose number is still the same the client lost nothing. The
 * numbers are looked at from the end.
 */
static uint32_t
same_until(const struct imap_session *imap, const struct imap_resync *r)
{
	const struct imap_seqset *seqs = &r->match_seqs, *uids = &r->match_uids;
	uint32_t same = 0;
	size_t u = 0;
	uint32_t uid = uids->count > 0 ? uids->ranges[0].first : 0;

	for (size_t i = 0; i < seqs->count; i++) {
		for (uint32_t seq = seqs->ranges[i].first; seq <= seqs->ranges[i].last; seq++) {
			if (u == uids->count || view_uid(imap->selected->view, seq) != uid)
				return same;
			same = uid;
			if (uid++ == uids->ranges[u].last && ++u < uids->count)
				uid = uids->ranges[u].first;
		}
	}
	return same;
}

static void
begin(struct imap_session *imap, struct imap_resync *r)
{
	const struct folder_view *view = imap->selected->view;
	uint32_t same = 0;

	r->began = true;
	imap_seqset_resolve(imap_arena(imap), &r->known, view_uid(view, view->count));
	imap_seqset_resolve(imap_arena(imap), &r->match_seqs, view->count);
	imap_seqset_resolve(imap_arena(imap), &r->match_uids, view_uid(view, view->count));
	if (r->has_match)
		same = same_until(imap, r);
	r->err = imap_vanished_since(imap, r->modseq, r->has_known ? &r->known : NULL, &r->gone);
	for (size_t i = 0; i < r->gone.count && same > 0; i++) {
		struct imap_range *range = &r->gone.items[i];

		if (range->last <= same)
			r->gone_at = i + 1;
		else if (range->first <= same)
			range->first = same + 1;
	}
}

static bool
is_known(const struct imap_resync *r, uint32_t uid)
{
	return !r->has_known || imap_seqset_has(&r->known, uid);
}

static enum imap_turn
put_changes(struct imap_session *imap, struct imap_resync *r, struct snapshot *snap)
{
	struct imap_selected *sel = imap->selected;
	struct imap_flag_reader reader;
	struct entry_block block;
	enum err err = imap_flag_reader_begin(imap, snap, &reader);

	while (err == OK &&
		(err = entry_block_changed(snap, sel->folder_id, r->after_uid, r->modseq,
			 RESYNC_BLOCKS, &block, &r->after_uid)) == OK) {
		for (unsigned i = 0; i < block.count; i++) {
			const struct entry *e = &block.entries[i];
			uint32_t seq = e->modseq > r->modseq && is_known(r, e->uid)
				? view_seq(sel->view, e->uid)
				: 0;

			if (seq)
				imap_put_flags_line(imap, &reader, seq, e);
		}
		if (imap_must_yield(imap))
			return IMAP_MORE;
	}
	r->err = err == ERR_NOT_FOUND ? OK : err;
	return IMAP_DONE;
}

enum imap_turn
imap_resync(struct imap_session *imap, struct imap_resync *r)
{
	if (imap->selected->is_fake || r->uidvalidity != imap->selected->uidvalidity ||
		r->modseq >= imap->selected->modseq)
		return IMAP_DONE; /* RFC 7162, 3.2.5: then it is a SELECT like any */
	if (!r->began) {
		if (imap_load_view(imap) == IMAP_MORE)
			return IMAP_MORE;
		if (!imap->selected->view)
			r->err = ERR_IO;
		else
			begin(imap, r);
	}
	if (r->err != OK)
		return IMAP_DONE;
	if (imap_put_vanished(imap, SPAN("* VANISHED (EARLIER) "), &r->gone, &r->gone_at) ==
		IMAP_MORE)
		return IMAP_MORE;
	return put_changes(imap, r, imap_snapshot(imap));
}
