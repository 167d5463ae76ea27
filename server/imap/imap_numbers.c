/*
 * imap_numbers.c - sets against the view: both are ranges in order.
 */
#include "server/imap/imap_numbers.h"

#include <stdlib.h>
#include <string.h>

struct imap_saved {
	size_t count;
	struct imap_range uids[];
};

static void
add_uids(struct imap_session *imap, const struct imap_range *uids, size_t count,
	struct uid_ranges *seqs)
{
	const struct folder_view *view = imap->selected->view;

	for (size_t i = 0; i < count; i++) {
		uint32_t first = view_seq_from(view, uids[i].first);
		uint32_t behind = uids[i].last == UINT32_MAX
			? view->count + 1
			: view_seq_from(view, uids[i].last + 1);

		if (first < behind)
			uid_ranges_add(seqs, imap_arena(imap), first, behind - 1);
	}
}

enum err
imap_numbers(struct imap_session *imap, struct imap_seqset *set, bool by_uid,
	struct uid_ranges *seqs)
{
	const struct folder_view *view = imap->selected->view;

	*seqs = (struct uid_ranges){ NULL, 0, 0 };
	if (set->saved) {
		if (imap->saved)
			add_uids(imap, imap->saved->uids, imap->saved->count, seqs);
		return OK;
	}
	imap_seqset_resolve(
		imap_arena(imap), set, by_uid ? view_uid(view, view->count) : view->count);
	if (by_uid) {
		add_uids(imap, set->ranges, set->count, seqs);
		return OK;
	}
	if (imap_seqset_last(set) > view->count)
		return ERR_SYNTAX;
	for (size_t i = 0; i < set->count; i++)
		uid_ranges_add(
			seqs, imap_arena(imap), set->ranges[i].first, set->ranges[i].last);
	return OK;
}

void
imap_numbers_uids(struct imap_session *imap, const struct uid_ranges *seqs, struct uid_ranges *uids)
{
	const struct folder_view *view = imap->selected->view;

	*uids = (struct uid_ranges){ NULL, 0, 0 };
	for (size_t i = 0; i < seqs->count; i++)
		view_add_uids(view, seqs->items[i], imap_arena(imap), uids);
}

void
imap_saved_set(struct imap_session *imap, const struct uid_ranges *uids)
{
	size_t size = uids->count * sizeof(uids->items[0]);

	imap_saved_drop(imap);
	imap->saved = malloc(sizeof(*imap->saved) + size);
	ENSURE(imap->saved);
	imap->saved->count = uids->count;
	if (size > 0)
		memcpy(imap->saved->uids, uids->items, size);
}

void
imap_saved_drop(struct imap_session *imap)
{
	free(imap->saved);
	imap->saved = NULL;
}
