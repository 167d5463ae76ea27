/*
 * prune_take.c - what a scan found is gathered, and goes to the bin in slices.
 */
#include "store/bin.h"
#include "store/prune.h"

bool
prune_batch_add(struct prune_batch *batch, const struct prune_found *found)
{
	struct prune_group *g = &batch->groups[batch->group_count];
	bool is_new = batch->group_count == 0 || g[-1].folder_id != found->folder->folder_id ||
		      g[-1].modseq != found->folder->highest_modseq;

	if (is_new) {
		*g = (struct prune_group){ found->folder->user_id, found->folder->folder_id,
			found->folder->highest_modseq, batch->count };
		batch->group_count++;
	}
	batch->uids[batch->count++] = found->entry->uid;
	return prune_batch_is_full(batch);
}

/* Those of the list that are as they were when they were found, into KEPT, which has room for all. */
static enum err
keep_untouched(struct txn *txn, const struct prune_group *g, struct uid_list list, uint32_t *kept,
	size_t *count)
{
	struct entry_block block;
	size_t at = 0;
	unsigned i;
	enum err err = OK;

	*count = 0;
	while (at < list.count && err == OK) {
		err = entry_block_next(
			txn_view(txn), g->folder_id, list.uids[at] - 1, &block, &i);
		for (; err == OK && i < block.count; i++) {
			const struct entry *e = &block.entries[i];

			while (at < list.count && list.uids[at] < e->uid)
				at++; /* it left */
			if (at == list.count || list.uids[at] != e->uid)
				continue;
			if (e->modseq <= g->modseq && !(e->flags & FLAG_HELD))
				kept[(*count)++] = e->uid;
			at++;
		}
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
take_group(struct txn *txn, const struct prune_group *g, struct uid_list list, size_t *count)
{
	struct bin_result result = { .count = 0 };
	struct uid_list still = { .count = 0 };
	uint32_t *kept = ARENA_ARRAY(txn_arena(txn), uint32_t, list.count);
	struct folder folder;
	enum err err = folder_get(txn_view(txn), g->user_id, g->folder_id, &folder);

	*count = 0;
	if (err == OK && folder_name_is_hidden(folder.name))
		err = ERR_NOT_FOUND; /* it is being removed */
	if (err == OK)
		err = keep_untouched(txn, g, list, kept, &still.count);
	still.uids = kept;
	if (err == OK && still.count > 0)
		err = bin_take(txn, &folder, still, 0, &result);
	*count = result.count;
	return err == ERR_NOT_FOUND ? OK : err;
}

static size_t
group_end(const struct prune_batch *batch, const struct prune_group *g)
{
	bool last = g + 1 == batch->groups + batch->group_count;

	return last ? batch->count : g[1].first;
}

enum err
prune_take_some(struct txn *txn, struct prune_batch *batch, bool *more)
{
	size_t at = (size_t)slice_begin(&batch->place, txn), end = at + PRUNE_SLICE, count;
	uint64_t taken = slice_begin(&batch->taken, txn);
	const struct prune_group *g = batch->groups;
	enum err err = OK;

	while (at < batch->count && group_end(batch, g) <= at)
		g++;
	for (size_t groups = 0; err == OK && at < batch->count && at < end &&
				groups < PRUNE_SLICE_GROUPS;
		groups++, g++) {
		size_t to = group_end(batch, g) < end ? group_end(batch, g) : end;

		err = take_group(txn, g, (struct uid_list){ batch->uids + at, to - at }, &count);
		taken += count;
		at = to;
	}
	*more = at < batch->count;
	batch->place.at = at;
	batch->taken.at = taken;
	return err;
}
