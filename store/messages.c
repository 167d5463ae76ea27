/*
 * messages.c - what happens to messages in folders, with the counts that follow from it.
 */
#include "store/messages.h"

#include "store/graves.h"
#include "store/ids.h"

#define COPY_VERSION 1
#define COPY_ROOM (COPY_FRONT_MAX + COPY_KEYWORDS_MAX + 64) /* two spans and three numbers */
#define COPY_SMALL 1024 /* nearly all fit this, and the stack */
#define EXPUNGED_FORGET 64 /* rows dropped at once when there are too many */

/* ---- copies ---- */

static void
copy_encode(struct record_out *out, const struct copy *c)
{
	record_put_varint(out, c->content_id);
	record_put_varint(out, c->save_ms);
	record_put_span(out, c->front);
	record_put_span(out, c->keywords);
}

/* A new copy comes behind all others; one that moved is written over. */
static enum err
copy_put(struct txn *txn, const struct copy *c, bool is_new)
{
	size_t size = RECORD_HEAD + 40 + c->front.len + c->keywords.len; /* four varints at most */
	char small[COPY_SMALL];
	struct record_out out;
	struct key key;
	char *room = size <= sizeof(small) ? small : arena_alloc(txn_arena(txn), size);

	record_begin(&out, room, size, COPY_VERSION);
	copy_encode(&out, c);
	key_u64(&key, c->copy_id);
	return is_new ? table_append_record(txn, TABLE_copies, &key, &out)
		      : table_put_record(txn, TABLE_copies, &key, &out);
}

enum err
copy_get(struct snapshot *snap, uint64_t copy_id, struct copy *out)
{
	struct record_in in;
	struct key key;
	enum err err;

	key_u64(&key, copy_id);
	err = table_get_record(snap, TABLE_copies, &key, COPY_VERSION, &in);
	if (err != OK)
		return err;
	*out = (struct copy){ .copy_id = copy_id };
	out->content_id = record_take_varint(&in);
	out->save_ms = record_take_varint(&in);
	out->front = record_take_span(&in);
	out->keywords = record_take_span(&in);
	return record_end(&in) == OK
		? OK
		: table_damaged(snap, TABLE_copies, key_span(&key), "fields");
}

/* ---- reading ---- */

enum err
message_by_copy(
	struct snapshot *snap, uint64_t copy_id, struct copy *copy, struct content *content)
{
	enum err err = copy_get(snap, copy_id, copy);

	return err == OK ? content_get(snap, copy->content_id, content) : err;
}

enum err
message_find(struct snapshot *snap, uint64_t folder_id, uint32_t uid, struct message *out)
{
	enum err err = entry_find(snap, folder_id, uid, &out->entry);

	if (err == OK)
		err = message_by_copy(snap, out->entry.copy_id, &out->copy, &out->content);
	return err;
}

/* ---- counts ---- */

/* Add (by = 1) or take away (by = -1) what an entry with FLAGS counts for. */
static void
count_flags(struct folder *f, uint32_t flags, int by)
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

/* ---- placing ---- */

static enum err
check_place(const struct placement *p, const struct folder *f)
{
	uint64_t size = p->front.len + p->content->header.len + p->content->body_size;

	if (p->front.len > COPY_FRONT_MAX || p->keywords.len > COPY_KEYWORDS_MAX ||
		size > CONTENT_SIZE_MAX || f->uidnext == UINT32_MAX)
		return ERR_LIMIT;
	return OK;
}

static enum err
place_copy(struct txn *txn, struct placement *p)
{
	struct copy copy = {
		.copy_id = id_next(txn, COUNTER_copy),
		.content_id = p->content->content_id,
		.save_ms = txn_now_ms(txn),
		.front = p->front,
		.keywords = p->keywords,
	};
	enum err err = copy_put(txn, &copy, true);

	p->copy_id = copy.copy_id;
	return err == OK ? content_own(txn, copy.content_id, 1) : err;
}

static enum err
place_entry(struct txn *txn, struct placement *p, struct folder *f)
{
	struct entry e = {
		.uid = f->uidnext++,
		.flags = p->flags,
		.size = (uint32_t)(p->front.len + p->content->header.len + p->content->body_size),
		.received_s = p->received_s ? p->received_s : (uint32_t)(txn_now_ms(txn) / 1000),
		.modseq = ++f->highest_modseq,
		.copy_id = p->copy_id,
	};

	count_flags(f, e.flags, 1);
	f->bytes += e.size;
	p->uid = e.uid;
	p->modseq = e.modseq;
	p->uidvalidity = f->uidvalidity;
	return entry_append(txn, f->folder_id, &f->last_block_uid, &e);
}

/*
 * The folder's row points into the map; its spans are kept in ROOM over the writes that follow.
 */
struct folder_room {
	char name[FOLDER_NAME_MAX];
	char extra[256];
};

static enum err
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
message_place(struct txn *txn, struct placement *p)
{
	struct folder_room room;
	struct folder f;
	enum err err = folder_load(txn, p->user_id, p->folder_id, &f, &room);

	if (err == OK)
		err = check_place(p, &f);
	if (err == OK)
		err = place_copy(txn, p);
	if (err == OK)
		err = place_entry(txn, p, &f);
	if (err != OK)
		return err;
	txn_note_folder(txn, f.folder_id);
	return folder_put(txn, &f);
}

/* ---- changing many: block by block ---- */

/* One pass over the blocks that hold the uids of a list. */
struct pass {
	struct txn *txn;
	struct folder folder;
	struct folder_room room;
	struct uid_list list;
	size_t next; /* index of the first uid not looked at */
	bool keeps_copies; /* what leaves the folder lives on in another */
	struct entry_block block;
};

/* Load the block that may hold the next uid of the list. ERR_NOT_FOUND: the list or folder ends. */
static enum err
pass_next_block(struct pass *p)
{
	unsigned from;

	while (p->next < p->list.count && p->list.uids[p->next] == 0)
		p->next++;
	if (p->next == p->list.count)
		return ERR_NOT_FOUND;
	return entry_block_next(txn_view(p->txn), p->folder.folder_id, p->list.uids[p->next] - 1,
		&p->block, &from);
}

/* Is this entry of the block in the list? Both rise, so each is passed once. */
static bool
pass_has(struct pass *p, uint32_t uid)
{
	while (p->next < p->list.count && p->list.uids[p->next] < uid)
		p->next++;
	return p->next < p->list.count && p->list.uids[p->next] == uid;
}

/* After a block: the uids that would have been in it and are not there need no other block. */
static void
pass_end_block(struct pass *p, uint32_t last_uid)
{
	while (p->next < p->list.count && p->list.uids[p->next] <= last_uid)
		p->next++;
}

static enum err
pass_begin(struct pass *p, struct txn *txn, const struct folder *where, struct uid_list list)
{
	p->txn = txn;
	p->list = list;
	p->next = 0;
	return folder_load(txn, where->user_id, where->folder_id, &p->folder, &p->room);
}

/* ---- flags ---- */

static bool
flags_in_block(struct pass *p, struct flag_change change, uint64_t modseq)
{
	bool changed = false;

	for (unsigned i = 0; i < p->block.count; i++) {
		struct entry *e = &p->block.entries[i];
		uint32_t flags = (e->flags | change.add) & ~change.remove;

		if (!pass_has(p, e->uid) || flags == e->flags)
			continue;
		count_flags(&p->folder, e->flags, -1);
		count_flags(&p->folder, flags, 1);
		e->flags = flags;
		e->modseq = modseq;
		changed = true;
	}
	return changed;
}

enum err
message_set_flags(struct txn *txn, const struct folder *where, struct uid_list list,
	struct flag_change change, uint64_t *modseq)
{
	struct pass p;
	uint64_t next;
	enum err err = pass_begin(&p, txn, where, list);

	*modseq = 0;
	if (err != OK)
		return err;
	next = p.folder.highest_modseq + 1;
	while ((err = pass_next_block(&p)) == OK) {
		uint32_t last_uid = p.block.entries[p.block.count - 1].uid;

		if (flags_in_block(&p, change, next)) {
			*modseq = next;
			err = entry_block_put(txn, &p.block);
		}
		if (err != OK)
			return err;
		pass_end_block(&p, last_uid);
	}
	if (err != ERR_NOT_FOUND || *modseq == 0)
		return err == ERR_NOT_FOUND ? OK : err;
	p.folder.highest_modseq = next;
	txn_note_folder(txn, p.folder.folder_id);
	return folder_put(txn, &p.folder);
}

/* ---- expunging ---- */

/* A run of uids that leave together: one row of `expunged`. */
struct run {
	uint32_t first, last; /* 0: none open */
};

static enum err
run_put(struct pass *p, const struct run *run, uint64_t modseq)
{
	char room[RECORD_HEAD + 4];
	struct record_out out;
	struct key key;

	if (run->first == 0)
		return OK;
	key_u64_u64(&key, p->folder.folder_id, modseq);
	key_put_u32(&key, run->first);
	record_begin(&out, room, sizeof(room), 1);
	record_put_u32(&out, run->last);
	p->folder.expunged_rows++;
	return table_put_record(p->txn, TABLE_expunged, &key, &out);
}

static enum err
bury(struct pass *p, const struct entry *e, struct run *run, uint64_t bury_ms)
{
	enum err err = OK;

	if (run->last && e->uid != run->last + 1) {
		err = run_put(p, run, p->folder.highest_modseq);
		run->first = 0;
	}
	if (run->first == 0)
		run->first = e->uid;
	run->last = e->uid;
	count_flags(&p->folder, e->flags, -1);
	p->folder.bytes -= e->size;
	if (err != OK || p->keeps_copies)
		return err;
	return grave_add(p->txn, bury_ms, GRAVE_COPY, e->copy_id);
}

static enum err
expunge_block(struct pass *p, struct run *run, uint64_t bury_ms, size_t *count)
{
	unsigned kept = 0;
	enum err err = OK;

	for (unsigned i = 0; i < p->block.count && err == OK; i++) {
		if (pass_has(p, p->block.entries[i].uid)) {
			err = bury(p, &p->block.entries[i], run, bury_ms);
			++*count;
		} else {
			p->block.entries[kept++] = p->block.entries[i];
		}
	}
	if (err != OK || kept == p->block.count)
		return err;
	p->block.count = kept;
	return entry_block_put(p->txn, &p->block);
}

/*
 * Only so many rows are kept for VANISHED; what is older is answered by comparing (RFC 7162,
 * 3.2.7).
 */
static enum err
keep_expunged_short(struct pass *p)
{
	struct folder *f = &p->folder;
	uint64_t modseq = f->expunged_floor;
	size_t forgotten, over;
	enum err err;

	if (f->expunged_rows <= EXPUNGED_ROWS)
		return OK;
	over = (size_t)(f->expunged_rows - EXPUNGED_ROWS) + EXPUNGED_FORGET;
	err = folder_forget_expunged(p->txn, f->folder_id, over, &modseq, &forgotten);
	f->expunged_rows -= forgotten;
	f->expunged_floor = modseq;
	return err;
}

static enum err
take_out(struct pass *p, uint64_t bury_ms, size_t *count)
{
	struct run run = { 0, 0 };
	enum err err;

	*count = 0;
	p->folder.highest_modseq++;
	while ((err = pass_next_block(p)) == OK) {
		uint32_t last_uid = p->block.entries[p->block.count - 1].uid;

		err = expunge_block(p, &run, bury_ms, count);
		if (err != OK)
			return err;
		pass_end_block(p, last_uid);
	}
	if (err != ERR_NOT_FOUND || *count == 0)
		return err == ERR_NOT_FOUND ? OK : err;
	err = run_put(p, &run, p->folder.highest_modseq);
	if (err == OK)
		err = keep_expunged_short(p);
	if (err != OK)
		return err;
	txn_note_folder(p->txn, p->folder.folder_id);
	return folder_put(p->txn, &p->folder);
}

enum err
message_expunge(struct txn *txn, const struct folder *where, struct uid_list list,
	uint64_t delay_ms, size_t *count)
{
	struct pass p = { .keeps_copies = false };
	enum err err = pass_begin(&p, txn, where, list);

	*count = 0;
	return err == OK ? take_out(&p, txn_now_ms(txn) + delay_ms, count) : err;
}

/* ---- moving ---- */

static struct span
kept(struct txn *txn, struct span s)
{
	return arena_copy(txn_arena(txn), s);
}

/* What of the message stays as it is goes into P; the spans are kept over the writes. */
static enum err
move_load(struct txn *txn, uint64_t folder_id, uint32_t uid, struct placement *p,
	struct content *content, struct copy *copy)
{
	struct message m;
	enum err err = message_find(txn_view(txn), folder_id, uid, &m);

	if (err != OK)
		return err;
	*content = m.content; /* for its sizes */
	*copy = m.copy;
	copy->front = kept(txn, m.copy.front);
	copy->keywords = p->keywords = kept(txn, p->keywords);
	copy->save_ms = txn_now_ms(txn);
	p->content = content;
	p->front = copy->front;
	p->received_s = m.entry.received_s;
	p->copy_id = m.entry.copy_id;
	return OK;
}

enum err
message_move(struct txn *txn, const struct folder *where, uint32_t uid, struct placement *p)
{
	struct pass pass = { .keeps_copies = true };
	struct folder_room room;
	struct folder to;
	struct content content;
	struct copy copy;
	size_t count;
	enum err err = p->folder_id == where->folder_id ? ERR_EXISTS : OK;

	if (err == OK)
		err = move_load(txn, where->folder_id, uid, p, &content, &copy);
	if (err == OK)
		err = folder_load(txn, p->user_id, p->folder_id, &to, &room);
	if (err == OK)
		err = check_place(p, &to);
	if (err == OK)
		err = pass_begin(&pass, txn, where, (struct uid_list){ &uid, 1 });
	if (err == OK) /* from here on it is written */
		err = take_out(&pass, 0, &count);
	if (err == OK)
		err = copy_put(txn, &copy, false);
	if (err == OK)
		err = place_entry(txn, p, &to);
	p->content = NULL;
	if (err != OK)
		return err;
	txn_note_folder(txn, to.folder_id);
	return folder_put(txn, &to);
}
