/*
 * message_pass.c - block by block through a folder, beside a list of uids that rise.
 */
#include "store/message_pass.h"

void
folder_count_flags(struct folder *f, uint32_t flags, int by)
{
	uint32_t step = (uint32_t)by;

	if (flags & FLAG_HELD) {
		f->held += step;
		return;
	}
	f->messages += step;
	if (!(flags & FLAG_SEEN))
		f->unseen += step;
	if (flags & FLAG_DELETED)
		f->deleted += step;
}

enum err
folder_load(struct txn *txn, uint64_t user_id, uint64_t folder_id, struct folder *f,
	struct folder_room *room)
{
	enum err err = folder_get(txn_view(txn), user_id, folder_id, f);

	if (err != OK)
		return err;
	if (f->name.len > sizeof(room->name) || f->extra.len > sizeof(room->extra))
		return ERR_LIMIT;
	memcpy(room->name, f->name.ptr, f->name.len);
	memcpy(room->extra, f->extra.ptr, f->extra.len);
	f->name.ptr = room->name;
	f->extra.ptr = room->extra;
	return OK;
}

enum err
pass_begin(struct pass *p, struct txn *txn, const struct folder *where, struct uid_list list)
{
	p->txn = txn;
	p->list = list;
	p->next = 0;
	p->after_uid = 0;
	p->blocks = 0;
	return folder_load(txn, where->user_id, where->folder_id, &p->folder, &p->room);
}

enum err
pass_next_block(struct pass *p)
{
	uint32_t after = p->after_uid;
	unsigned from;

	if (p->list.uids) {
		while (p->next < p->list.count && p->list.uids[p->next] == 0)
			p->next++;
		if (p->next == p->list.count)
			return ERR_NOT_FOUND;
		after = p->list.uids[p->next] - 1;
	}
	p->blocks++;
	return entry_block_next(txn_view(p->txn), p->folder.folder_id, after, &p->block, &from);
}

bool
pass_has(struct pass *p, uint32_t uid)
{
	if (!p->list.uids)
		return true;
	while (p->next < p->list.count && p->list.uids[p->next] < uid)
		p->next++;
	return p->next < p->list.count && p->list.uids[p->next] == uid;
}

void
pass_end_block(struct pass *p, uint32_t last_uid)
{
	p->after_uid = last_uid;
	while (p->list.uids && p->next < p->list.count && p->list.uids[p->next] <= last_uid)
		p->next++;
}
