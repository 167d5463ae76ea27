/*
 * imap_recent.c - see imap_recent.h.
 */
#include "server/imap/imap_recent.h"

#include <stdlib.h>
#include <string.h>

#include "server/imap/imap_session.h"
#include "server/shared.h"
#include "store/entries.h"

/* The mark on its way to the store. */
struct recent_write {
	struct store_job job;
	struct host *host;
	uint64_t user_id, folder_id;
	uint32_t uid;
};

static struct shared *
shared_of(struct imap_session *imap)
{
	return imap->session.host->shared;
}

bool
imap_recent_is_said(const struct imap_session *imap)
{
	return !(imap->enabled & IMAP_ENABLED_REV2);
}

/* ---- the uids of a session ---- */

static void
add(struct uid_ranges *r, uint32_t first, uint32_t last)
{
	if (r->count > 0 && r->items[r->count - 1].last + 1 == first) {
		r->items[r->count - 1].last = last;
		return;
	}
	if (r->count == IMAP_RECENT_RANGES)
		memmove(r->items, r->items + 1, --r->count * sizeof(r->items[0]));
	if (r->count == r->room) {
		r->room = r->room ? 2 * r->room : 1;
		r->items = realloc(r->items, r->room * sizeof(r->items[0]));
		ENSURE(r->items);
	}
	r->items[r->count++] = (struct imap_range){ first, last };
}

/* The first uid that is \Recent: not below KNOWN, and all are below UIDNEXT. */
static uint32_t
first_of(struct imap_session *imap, uint64_t folder_id, uint32_t known, uint32_t uidnext, bool take)
{
	uint32_t first = shared_recent_from(shared_of(imap), folder_id, known, uidnext, take);

	if (uidnext > IMAP_RECENT_UIDS && first < uidnext - IMAP_RECENT_UIDS)
		first = uidnext - IMAP_RECENT_UIDS;
	return first > 0 ? first : 1;
}

static enum err
count_from(struct snapshot *snap, const struct folder *folder, uint32_t first, uint32_t *out)
{
	uint32_t after = first - 1;
	struct entry_block block;
	unsigned from;
	enum err err = OK;

	*out = 0;
	while (after + 1 < folder->uidnext &&
		(err = entry_block_next(snap, folder->folder_id, after, &block, &from)) == OK) {
		for (unsigned i = from; i < block.count; i++)
			*out += !(block.entries[i].flags & FLAG_HELD);
		after = block.entries[block.count - 1].uid;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

void
imap_recent_begin(struct imap_session *imap, struct snapshot *snap, const struct folder *folder)
{
	struct imap_selected *sel = imap->selected;
	struct imap_recent *recent = &sel->recent;
	uint32_t first;

	recent->takes = !sel->read_only;
	if (recent->takes)
		shared_recent_begin(shared_of(imap), sel->folder_id, folder->recent_uid);
	first = first_of(
		imap, sel->folder_id, folder->recent_uid, sel->uidnext, recent->takes);
	if (first >= sel->uidnext)
		return;
	add(&recent->uids, first, sel->uidnext - 1);
	if (count_from(snap, folder, first, &recent->count) != OK)
		recent->count = 0; /* logged */
}

void
imap_recent_news(struct imap_session *imap, const struct uid_ranges *fresh, uint32_t uidnext)
{
	struct imap_selected *sel = imap->selected;
	struct imap_recent *recent = &sel->recent;
	uint32_t count = recent->count, first = uidnext;

	if (fresh->count > 0)
		first = first_of(imap, sel->folder_id, sel->uidnext, uidnext, recent->takes);
	if (first < uidnext)
		add(&recent->uids, first, uidnext - 1);
	if (sel->view) {
		const struct uid_ranges *r = &recent->uids;

		count = 0;
		for (size_t i = 0; i < r->count; i++)
			count += view_seq_from(sel->view, r->items[i].last + 1) -
				 view_seq_from(sel->view, r->items[i].first);
	} else {
		for (size_t i = 0; i < fresh->count; i++)
			if (fresh->items[i].last >= first)
				count += fresh->items[i].last + 1 -
					 (fresh->items[i].first > first ? fresh->items[i].first
									: first);
	}
	if (count != recent->count && imap_recent_is_said(imap))
		imap_put(buf_printf(imap_out(imap), "* %u RECENT\r\n", count));
	recent->count = count;
}

enum err
imap_recent_count(struct imap_session *imap, struct snapshot *snap, const struct folder *folder,
	uint64_t *out)
{
	uint32_t count, first = first_of(
		imap, folder->folder_id, folder->recent_uid, folder->uidnext, false);
	enum err err = count_from(snap, folder, first, &count);

	*out = count;
	return err;
}

/* ---- the mark ---- */

static void end_one(struct host *host, uint64_t user_id, uint64_t folder_id, uint32_t written);

static enum step
write_apply(struct store_job *job, struct txn *txn)
{
	struct recent_write *w = LIST_ITEM(job, struct recent_write, job);

	return step_of(job, folder_set_recent(txn, w->user_id, w->folder_id, w->uid));
}

static void
write_done(struct store_job *job, enum err result)
{
	struct recent_write *w = LIST_ITEM(job, struct recent_write, job);

	(void)result; /* the folder is gone, or these are told once more: no loss */
	end_one(w->host, w->user_id, w->folder_id, w->uid);
	free(w);
}

static void
end_one(struct host *host, uint64_t user_id, uint64_t folder_id, uint32_t written)
{
	uint32_t uid = shared_recent_end(host->shared, folder_id, written);
	struct recent_write *w;

	if (uid == 0)
		return;
	w = calloc(1, sizeof(*w));
	ENSURE(w);
	*w = (struct recent_write){ .host = host, .user_id = user_id, .folder_id = folder_id,
		.uid = uid,
		.job = { .apply = write_apply, .done = write_done, .inbox = host->inbox,
			.size_bytes = 512, .patient = true } };
	list_init(&w->job.link);
	if (store_submit(host->store, &w->job) != OK) {
		(void)shared_recent_end(host->shared, folder_id, uid);
		free(w);
	}
}

void
imap_recent_end(struct imap_session *imap)
{
	struct imap_selected *sel = imap->selected;

	if (sel->recent.takes)
		end_one(imap->session.host, sel->user_id, sel->folder_id, 0);
	free(sel->recent.uids.items);
	sel->recent = (struct imap_recent){ .takes = false };
}
