/*
 * folder_ways.c - see folder_ways.h.
 *
 * A row of a change:   key     user_id, folder_id
 *                      before  what was done, attributes of before and after, name of before and after
 */
#include "store/folder_ways.h"

#include "store/change_rows.h"

#define WAY_ROOM (RECORD_HEAD + 2 * FOLDER_NAME_MAX + 64)
#define FORGET_ROWS 5000 /* `expunged` rows of a folder that was made and is taken back */

enum way_kind { WAY_MADE, WAY_TAKEN, WAY_NAMED, WAY_USED };

struct way {
	uint64_t user_id, folder_id;
	enum way_kind kind;
	uint32_t old_bits, new_bits;
	struct span old_name, new_name;
};

static enum err
way_record(struct txn *txn, const struct way *w)
{
	char room[WAY_ROOM];
	struct record_out out;
	struct key key;

	record_begin(&out, room, sizeof(room), ROW_VERSION);
	record_put_varint(&out, w->kind);
	record_put_u32(&out, w->old_bits);
	record_put_u32(&out, w->new_bits);
	record_put_span(&out, w->old_name);
	record_put_span(&out, w->new_name);
	if (out.overflow)
		return ERR_LIMIT;
	key_u64_u64(&key, w->user_id, w->folder_id);
	return change_record_row(txn,
		&(struct change_row){ .table = SPAN(FOLDER_WAYS), .key = key_span(&key),
			.existed = true, .exists = true,
			.before = { room + RECORD_HEAD, out.len - RECORD_HEAD },
			.after = SPAN_NONE });
}

/* ROW taken apart; the names point into it. */
static enum err
way_take(const struct change_row *row, struct way *w)
{
	struct record_in in = { .at = row->before.ptr, .end = row->before.ptr + row->before.len };
	struct span key = row->key;
	enum err err;

	*w = (struct way){ .kind = (enum way_kind)record_take_varint(&in) };
	w->old_bits = record_take_u32(&in);
	w->new_bits = record_take_u32(&in);
	w->old_name = record_take_span(&in);
	w->new_name = record_take_span(&in);
	err = key_take_u64(&key, &w->user_id);
	if (err == OK)
		err = key_take_u64(&key, &w->folder_id);
	if (err == OK && w->kind > WAY_USED)
		err = ERR_CORRUPT;
	return err == OK ? record_end(&in) : err;
}

/* ---- doing ---- */

enum err
folder_way_make(struct txn *txn, uint64_t user_id, struct span name, uint64_t *folder_id)
{
	struct way w = { .user_id = user_id, .kind = WAY_MADE };
	enum err err;

	w.old_name = w.new_name = arena_copy(txn_arena(txn), name);
	err = folder_make(txn, user_id, w.new_name, folder_id);
	w.folder_id = *folder_id;
	return err == OK ? way_record(txn, &w) : err;
}

enum err
folder_way_rename(struct txn *txn, uint64_t user_id, uint64_t folder_id, struct span name)
{
	struct way w = { .user_id = user_id, .folder_id = folder_id, .kind = WAY_NAMED };
	struct folder f;
	enum err err = folder_get(txn_view(txn), user_id, folder_id, &f);

	if (err != OK)
		return err;
	w.old_name = arena_copy(txn_arena(txn), f.name);
	w.new_name = arena_copy(txn_arena(txn), name);
	err = folder_rename(txn, user_id, folder_id, w.new_name);
	return err == OK ? way_record(txn, &w) : err;
}

enum err
folder_way_attributes(
	struct txn *txn, uint64_t user_id, uint64_t folder_id, uint32_t add, uint32_t remove)
{
	struct way w = { .user_id = user_id, .folder_id = folder_id, .kind = WAY_USED };
	struct folder f;
	enum err err = folder_get(txn_view(txn), user_id, folder_id, &f);

	if (err != OK)
		return err;
	w.old_bits = f.attributes;
	w.new_bits = (f.attributes | add) & ~remove;
	w.old_name = w.new_name = arena_copy(txn_arena(txn), f.name);
	if (w.old_bits == w.new_bits)
		return OK;
	err = folder_set_attributes(txn, user_id, folder_id, add, remove);
	return err == OK ? way_record(txn, &w) : err;
}

/* ---- the way back ---- */

bool
folder_way_is(const struct change_row *row)
{
	return span_eq(row->table, SPAN(FOLDER_WAYS));
}

struct span
folder_way_name(const struct change_row *row)
{
	struct way w;

	return way_take(row, &w) == OK ? w.new_name : SPAN_NONE;
}

static enum err
way_check(struct snapshot *snap, const struct way *w)
{
	struct folder f;
	enum err err;

	if (w->kind == WAY_TAKEN) {
		err = folder_find(snap, w->user_id, w->old_name, &f);
		return err == OK ? ERR_EXISTS : err == ERR_NOT_FOUND ? OK : err;
	}
	err = folder_get(snap, w->user_id, w->folder_id, &f);
	if (err != OK)
		return err == ERR_NOT_FOUND ? ERR_EXISTS : err;
	if (w->kind == WAY_MADE && f.messages + f.held > 0)
		return ERR_EXISTS;
	if (w->kind == WAY_USED)
		return f.attributes == w->new_bits ? OK : ERR_EXISTS;
	return folder_name_eq(f.name, w->new_name) ? OK : ERR_EXISTS;
}

enum err
folder_way_check(struct snapshot *snap, const struct change_row *row)
{
	struct way w;
	enum err err = way_take(row, &w);

	return err == OK ? way_check(snap, &w) : err;
}

/* It was made by the change and is empty. */
static enum err
take_away(struct txn *txn, struct way *w)
{
	bool gone;
	enum err err = folder_remove(txn, w->user_id, w->folder_id, FORGET_ROWS, &gone);

	w->kind = WAY_TAKEN;
	if (err == OK && !gone)
		err = ERR_EXISTS; /* it has lived since */
	return err == OK ? way_record(txn, w) : err;
}

enum err
folder_way_back(struct txn *txn, const struct change_row *row)
{
	struct way w;
	uint64_t folder_id;
	enum err err = way_take(row, &w);

	if (err == OK)
		err = way_check(txn_view(txn), &w);
	if (err != OK)
		return err;
	w.old_name = arena_copy(txn_arena(txn), w.old_name);
	w.new_name = arena_copy(txn_arena(txn), w.new_name);
	switch (w.kind) {
	case WAY_MADE: return take_away(txn, &w);
	case WAY_TAKEN: return folder_way_make(txn, w.user_id, w.old_name, &folder_id);
	case WAY_NAMED: return folder_way_rename(txn, w.user_id, w.folder_id, w.old_name);
	default:
		return folder_way_attributes(txn, w.user_id, w.folder_id,
			w.old_bits & ~w.new_bits, w.new_bits & ~w.old_bits);
	}
}
