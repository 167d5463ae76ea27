/*
 * folders.c - one row a folder, and a row of the index by name where that changes (folder_names.h).
 */
#include "store/folders.h"

#include "store/expunged.h"
#include "store/folder_names.h"
#include "store/ids.h"
#include "store/rights.h"
#include "store/rows.h"
#include "store/subscriptions.h"

#define FOLDER_VERSION 3 /* 1 did not say what is \Recent, 2 when flags changed */
#define FOLDER_ROOM 512 /* bytes of a record: the name and seventeen numbers */

static enum err
take_key(struct span key, struct folder *f)
{
	enum err err;

	*f = (struct folder){ .user_id = 0 };
	err = key_take_u64(&key, &f->user_id);
	return err == OK ? key_take_u64(&key, &f->folder_id) : err;
}

static enum err
take_fields(struct record_in *in, struct folder *f)
{
	f->uidvalidity = record_take_u32(in);
	f->uidnext = record_take_u32(in);
	f->highest_modseq = record_take_varint(in);
	f->expunged_floor = record_take_varint(in);
	f->expunged_rows = record_take_varint(in);
	f->bytes = record_take_varint(in);
	f->messages = (uint32_t)record_take_varint(in);
	f->unseen = (uint32_t)record_take_varint(in);
	f->deleted = (uint32_t)record_take_varint(in);
	f->held = (uint32_t)record_take_varint(in);
	f->last_block_uid = (uint32_t)record_take_varint(in);
	f->attributes = (uint32_t)record_take_varint(in);
	f->recent_uid = in->version > 1 ? (uint32_t)record_take_varint(in) : f->uidnext;
	f->flags_modseq = in->version > 2 ? record_take_varint(in) : f->highest_modseq;
	f->name = record_take_span(in);
	f->extra = record_take_rest(in);
	return record_end(in);
}

static enum err
take_folder(struct snapshot *snap, const struct row *row, struct folder *f)
{
	struct record_in in;
	enum err err;

	if (take_key(row->key, f) != OK) {
		f->folder_id = UINT64_MAX; /* nobody gets past such a key */
		return table_damaged(snap, TABLE_folders, row->key, "key");
	}
	err = row_record(snap, TABLE_folders, row, FOLDER_VERSION, &in);
	if (err != OK)
		return err;
	return take_fields(&in, f) == OK ? OK
					 : table_damaged(snap, TABLE_folders, row->key, "fields");
}

bool
folder_decode(const struct row *row, struct folder *f)
{
	struct record_in in;

	return take_key(row->key, f) == OK &&
	       record_open(&in, TABLE_folders, row->key, row->value, FOLDER_VERSION) == OK &&
	       take_fields(&in, f) == OK;
}

/* Does its owner's mailbox change in size by what is written now? */
static bool
is_resized(struct txn *txn, const struct folder *f)
{
	struct folder was;
	enum err err;

	if (f->user_id == 0 || folder_name_is_hidden(f->name))
		return false;
	err = folder_get(txn_view(txn), f->user_id, f->folder_id, &was);
	return err != OK ? f->bytes > 0 : was.bytes != f->bytes;
}

enum err
folder_put(struct txn *txn, const struct folder *f)
{
	char room[FOLDER_ROOM];
	struct record_out out;
	struct key key;

	if (is_resized(txn, f))
		txn_note_user(txn, f->user_id);
	record_begin(&out, room, sizeof(room), FOLDER_VERSION);
	record_put_u32(&out, f->uidvalidity);
	record_put_u32(&out, f->uidnext);
	record_put_varint(&out, f->highest_modseq);
	record_put_varint(&out, f->expunged_floor);
	record_put_varint(&out, f->expunged_rows);
	record_put_varint(&out, f->bytes);
	record_put_varint(&out, f->messages);
	record_put_varint(&out, f->unseen);
	record_put_varint(&out, f->deleted);
	record_put_varint(&out, f->held);
	record_put_varint(&out, f->last_block_uid);
	record_put_varint(&out, f->attributes);
	record_put_varint(&out, f->recent_uid);
	record_put_varint(&out, f->flags_modseq);
	record_put_span(&out, f->name);
	record_put_raw(&out, f->extra);
	key_u64_u64(&key, f->user_id, f->folder_id);
	return table_put_record(txn, TABLE_folders, &key, &out);
}

/* ---- reading ---- */

enum err
folder_get(struct snapshot *snap, uint64_t user_id, uint64_t folder_id, struct folder *out)
{
	struct key key;
	struct row row;
	enum err err;

	key_u64_u64(&key, user_id, folder_id);
	row.key = key_span(&key);
	err = table_get(snap, TABLE_folders, &key, &row.value);
	return err == OK ? take_folder(snap, &row, out) : err;
}

enum err
folder_next(struct snapshot *snap, uint64_t user_id, uint64_t after_id, struct folder *out)
{
	struct key key;
	struct row row;
	enum err err;

	if (after_id == UINT64_MAX)
		return ERR_NOT_FOUND;
	key_u64_u64(&key, user_id, after_id + 1);
	err = table_seek(snap, TABLE_folders, &key, &row);
	if (err != OK)
		return err;
	key_u64(&key, user_id);
	return row_has_prefix(&row, &key) ? take_folder(snap, &row, out) : ERR_NOT_FOUND;
}

/* ---- names ---- */

static bool
begins_with_inbox(struct span name)
{
	struct span inbox = SPAN("INBOX");

	return span_starts_nocase(name, inbox) &&
	       (name.len == inbox.len || name.ptr[inbox.len] == '/');
}

bool
folder_name_is_hidden(struct span name)
{
	return name.len > 0 && (unsigned char)name.ptr[0] < ' ';
}

bool
folder_name_eq(struct span a, struct span b)
{
	size_t from = begins_with_inbox(a) && begins_with_inbox(b) ? 5 : 0; /* RFC 9051, 5.1 */

	return span_eq(span_from(a, from), span_from(b, from));
}

bool
folder_name_is_under(struct span name, struct span parent)
{
	if (name.len > parent.len && name.ptr[parent.len] != '/')
		return false;
	return folder_name_eq(span_range(name, 0, parent.len), parent);
}

enum err
folder_by_id(struct snapshot *snap, uint64_t folder_id, struct folder *out)
{
	struct key at;
	struct row row;
	enum err err;

	key_begin(&at);
	while ((err = table_seek(snap, TABLE_folders, &at, &row)) == OK) {
		uint64_t user_id, id;
		struct span key = row.key;

		key_name(&at, row.key);
		key_put_u8(&at, 0); /* the next key there can be */
		if (key_take_u64(&key, &user_id) == OK && key_take_u64(&key, &id) == OK &&
			id == folder_id)
			return take_folder(snap, &row, out);
	}
	return err;
}

enum err
folder_totals(struct snapshot *snap, uint64_t user_id, struct folder_totals *out)
{
	struct folder f = { .folder_id = 0 };
	enum err err;

	*out = (struct folder_totals){ .folders = 0 };
	while ((err = folder_next(snap, user_id, f.folder_id, &f)) == OK) {
		if (folder_name_is_hidden(f.name))
			continue;
		out->folders++;
		out->messages += f.messages;
		out->unseen += f.unseen;
		out->held += f.held;
		out->bytes += f.bytes;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- changing ---- */

enum err
folder_name_check(struct span name)
{
	size_t levels = 1;

	if (name.len == 0 || name.len > FOLDER_NAME_MAX)
		return ERR_LIMIT;
	for (size_t i = 0; i < name.len; i++)
		levels += name.ptr[i] == '/';
	return levels > FOLDER_LEVELS_MAX ? ERR_LIMIT : OK;
}

/* What is there when a folder is to be made. */
struct neighbours {
	size_t count;
	uint64_t parent_id; /* the nearest that is there, or 0 */
	size_t parent_len;
};

static enum err
neighbours_meet(struct neighbours *n, const struct folder *f, struct span name)
{
	if (folder_name_eq(f->name, name))
		return ERR_EXISTS;
	n->count += !folder_name_is_hidden(f->name);
	if (f->name.len > n->parent_len && folder_name_is_under(name, f->name)) {
		n->parent_len = f->name.len;
		n->parent_id = f->folder_id;
	}
	return OK;
}

static enum err
neighbours_find(struct snapshot *snap, uint64_t user_id, struct span name, struct neighbours *n)
{
	struct folder f = { .folder_id = 0 };
	enum err err;

	*n = (struct neighbours){ .count = 0 };
	while ((err = folder_next(snap, user_id, f.folder_id, &f)) == OK) {
		err = neighbours_meet(n, &f, name);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
folder_make(struct txn *txn, uint64_t user_id, struct span name, uint64_t *folder_id)
{
	struct folder f = { .user_id = user_id, .uidnext = 1, .highest_modseq = 1 };
	struct span inbox = SPAN("INBOX");
	char room[FOLDER_NAME_MAX];
	struct neighbours near;
	enum err err = folder_name_check(name);

	if (err == OK)
		err = neighbours_find(txn_view(txn), user_id, name, &near);
	if (err == OK && near.count >= FOLDERS_A_USER && !folder_name_is_hidden(name))
		err = ERR_LIMIT;
	if (err != OK)
		return err;
	f.folder_id = *folder_id = id_next(txn, COUNTER_folder);
	f.uidvalidity = id_next_uidvalidity(txn);
	memcpy(room, name.ptr, name.len); /* it may lie in the map */
	f.name = (struct span){ room, name.len };
	if (begins_with_inbox(name))
		memcpy(room, inbox.ptr, inbox.len);
	txn_note_folder(txn, f.folder_id);
	err = folder_put(txn, &f);
	if (err == OK)
		err = folder_name_add(txn, &f);
	return err == OK && near.parent_id ? rights_inherit(txn, near.parent_id, f.folder_id)
					   : err;
}

enum err
folder_set_attributes(
	struct txn *txn, uint64_t user_id, uint64_t folder_id, uint32_t add, uint32_t remove)
{
	struct folder f = { .folder_id = 0 };
	enum err err;

	while ((err = folder_next(txn_view(txn), user_id, f.folder_id, &f)) == OK)
		if (f.folder_id != folder_id && (f.attributes & add & FOLDER_USE_ALL))
			return ERR_EXISTS;
	if (err != ERR_NOT_FOUND)
		return err;
	err = folder_get(txn_view(txn), user_id, folder_id, &f);
	if (err != OK)
		return err;
	if ((add & FOLDER_USE_ALL) && folder_name_eq(f.name, SPAN("INBOX")))
		return ERR_DENIED;
	f.attributes = (f.attributes | add) & ~remove;
	txn_note_folder(txn, folder_id);
	return folder_put(txn, &f);
}

/* ---- what a new user has ---- */

static const struct {
	struct span name;
	uint32_t use;
} special[] = {
	{ { "Sent", 4 }, FOLDER_USE_SENT },
	{ { "Drafts", 6 }, FOLDER_USE_DRAFTS },
	{ { "Trash", 5 }, FOLDER_USE_TRASH },
	{ { "Junk", 4 }, FOLDER_USE_JUNK },
	{ { "Archive", 7 }, FOLDER_USE_ARCHIVE },
};

/* One that is there already is used; a use that another folder has stays there. */
static enum err
make_special(struct txn *txn, uint64_t user_id, struct span name, uint32_t use)
{
	struct folder f;
	uint64_t folder_id;
	enum err err = folder_find(txn_view(txn), user_id, name, &f);

	folder_id = f.folder_id;
	if (err == ERR_NOT_FOUND)
		err = folder_make(txn, user_id, name, &folder_id);
	if (err == OK)
		err = folder_set_attributes(txn, user_id, folder_id, use, 0);
	if (err == OK)
		err = subscription_set(txn, user_id, name, true);
	return err == ERR_EXISTS ? OK : err;
}

enum err
folders_are_special(struct snapshot *snap, uint64_t user_id, bool *out)
{
	struct folder inbox;
	enum err err = folder_find(snap, user_id, SPAN("INBOX"), &inbox);

	*out = err == OK && (inbox.attributes & FOLDER_SPECIAL_MADE);
	return err;
}

enum err
folders_make_special(struct txn *txn, uint64_t user_id, bool *made)
{
	struct span inbox = SPAN("INBOX");
	struct folder f;
	bool done;
	enum err err = folders_are_special(txn_view(txn), user_id, &done);

	if (made)
		*made = err == OK && !done;
	if (err != OK || done)
		return err;
	for (size_t i = 0; i < COUNT(special) && err == OK; i++)
		err = make_special(txn, user_id, special[i].name, special[i].use);
	if (err == OK)
		err = subscription_set(txn, user_id, inbox, true);
	if (err == OK)
		err = folder_find(txn_view(txn), user_id, inbox, &f);
	if (err != OK)
		return err;
	f.attributes |= FOLDER_SPECIAL_MADE;
	return folder_put(txn, &f);
}

enum err
folder_set_recent(struct txn *txn, uint64_t user_id, uint64_t folder_id, uint32_t uid)
{
	struct folder f;
	enum err err = folder_get(txn_view(txn), user_id, folder_id, &f);

	if (err != OK || uid <= f.recent_uid)
		return err;
	f.recent_uid = uid < f.uidnext ? uid : f.uidnext;
	return folder_put(txn, &f);
}

enum err
folder_renew_uidvalidity(struct txn *txn, uint64_t user_id, uint64_t folder_id)
{
	struct folder f;
	enum err err = folder_get(txn_view(txn), user_id, folder_id, &f);

	if (err != OK)
		return err;
	f.uidvalidity = id_next_uidvalidity(txn);
	txn_note_folder(txn, folder_id);
	return folder_put(txn, &f);
}

/* All that hangs on a folder but its entries: ROWS of it. */
static enum err
forget_rows(struct txn *txn, uint64_t folder_id, size_t rows, bool *more)
{
	static const enum store_table tables[] = { TABLE_seen, TABLE_keywords, TABLE_binned };
	struct key prefix;
	uint64_t modseq;
	size_t forgotten;
	enum err err = expunged_forget(txn, folder_id, rows, &modseq, &forgotten);

	*more = forgotten == rows;
	if (err == OK && !*more)
		err = rights_forget_folder(txn, folder_id, (unsigned)rows, more);
	key_u64(&prefix, folder_id);
	for (size_t i = 0; i < COUNT(tables) && err == OK && !*more; i++)
		err = rows_purge(txn, tables[i], &prefix, (unsigned)rows, more);
	return err;
}

enum err
folder_remove(struct txn *txn, uint64_t user_id, uint64_t folder_id, size_t rows, bool *gone)
{
	struct folder f;
	struct key key, name;
	bool more;
	enum err err = folder_get(txn_view(txn), user_id, folder_id, &f);

	*gone = false;
	if (err == OK)
		err = folder_name_key(&name, &f);
	if (err != OK)
		return err;
	if (f.messages + f.held > 0)
		return ERR_BUSY;
	txn_note_folder(txn, folder_id);
	err = forget_rows(txn, folder_id, rows, &more);
	if (err != OK || more)
		return err;
	*gone = true;
	key_u64_u64(&key, user_id, folder_id);
	err = table_delete(txn, TABLE_folders, &key);
	return err == OK ? folder_name_drop(txn, &name) : err;
}
