/*
 * entries.c - blocks of entries: taken apart, searched, put back.
 *
 *	block: record head | 62 x entry at most
 *	entry: uid u32 | flags u32 | size u32 | received_s u32 | modseq u64 | copy_id u64
 */
#include "store/entries.h"

#include <endian.h>

#define ENTRIES_VERSION 1
#define BLOCK_ROOM (RECORD_HEAD + ENTRY_BLOCK * ENTRY_SIZE)

struct entry_bytes {
	uint32_t uid, flags, size, received_s;
	uint64_t modseq, copy_id;
};
_Static_assert(sizeof(struct entry_bytes) == ENTRY_SIZE, "an entry as it is stored");

static void
entry_take(const char *from, struct entry *e)
{
	struct entry_bytes b;

	memcpy(&b, from, sizeof(b));
	e->uid = le32toh(b.uid);
	e->flags = le32toh(b.flags);
	e->size = le32toh(b.size);
	e->received_s = le32toh(b.received_s);
	e->modseq = le64toh(b.modseq);
	e->copy_id = le64toh(b.copy_id);
}

static void
entry_put(struct record_out *out, const struct entry *e)
{
	struct entry_bytes b = {
		.uid = htole32(e->uid),
		.flags = htole32(e->flags),
		.size = htole32(e->size),
		.received_s = htole32(e->received_s),
		.modseq = htole64(e->modseq),
		.copy_id = htole64(e->copy_id),
	};

	record_put_raw(out, (struct span){ (const char *)&b, sizeof(b) });
}

static uint32_t
uid_at(struct span entries, size_t index)
{
	uint32_t uid;

	memcpy(&uid, entries.ptr + index * ENTRY_SIZE, sizeof(uid));
	return le32toh(uid);
}

/* A block that was found: its entries as bytes, checked. */
struct found {
	uint32_t first_uid; /* of the key */
	struct span entries;
	size_t count;
};

static enum err
open_block(struct snapshot *snap, const struct row *row, struct found *f)
{
	struct record_in in;
	struct span key = row->key;
	uint64_t folder_id;
	enum err err = row_record(snap, TABLE_entries, row, ENTRIES_VERSION, &in);

	if (err != OK)
		return err;
	f->entries = record_take_rest(&in);
	f->count = f->entries.len / ENTRY_SIZE;
	if (key_take_u64(&key, &folder_id) != OK || key_take_u32(&key, &f->first_uid) != OK ||
		f->entries.len % ENTRY_SIZE || f->count == 0 || f->count > ENTRY_BLOCK)
		return table_damaged(snap, TABLE_entries, row->key, "size of a block");
	return OK;
}

/* Index of the first entry whose uid is UID or more; f->count where there is none. */
static size_t
index_from(const struct found *f, uint32_t uid)
{
	size_t low = 0, high = f->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (uid_at(f->entries, middle) < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
of_folder(const struct row *row, uint64_t folder_id)
{
	struct span key = row->key;
	uint64_t id;

	return key_take_u64(&key, &id) == OK && id == folder_id;
}

/* The block whose key is UID or the nearest before it: the only one that can hold it. */
static enum err
block_at(struct snapshot *snap, uint64_t folder_id, uint32_t uid, struct row *row)
{
	struct key key;
	enum err err;

	key_u64_u32(&key, folder_id, uid);
	err = table_seek(snap, TABLE_entries, &key, row);
	if (err == OK && span_eq(row->key, key_span(&key)))
		return OK;
	if (err == OK)
		err = table_prev(snap, TABLE_entries, row);
	else if (err == ERR_NOT_FOUND)
		err = table_seek_before(snap, TABLE_entries, &key, row);
	if (err == OK && !of_folder(row, folder_id))
		err = ERR_NOT_FOUND;
	return err;
}

/* From ROW on: a damaged block is logged and passed over, the rest serves (H49). */
static enum err
first_readable(struct snapshot *snap, uint64_t folder_id, struct row *row, struct found *f)
{
	enum err err = ERR_CORRUPT;

	while (err == ERR_CORRUPT) {
		if (!of_folder(row, folder_id))
			return ERR_NOT_FOUND;
		err = open_block(snap, row, f);
		if (err == ERR_CORRUPT && table_next(snap, TABLE_entries, row) != OK)
			return ERR_NOT_FOUND;
	}
	return err;
}

/* The block that holds the first entry behind AFTER_UID, and that entry's index. */
static enum err
find_after(struct snapshot *snap, uint64_t folder_id, uint32_t after_uid, struct found *f,
	size_t *index)
{
	struct row row;
	struct key key;
	enum err err = block_at(snap, folder_id, after_uid, &row);

	if (err == OK) {
		err = open_block(snap, &row, f);
		if (err == OK) {
			*index = after_uid < UINT32_MAX ? index_from(f, after_uid + 1) : f->count;
			if (*index < f->count)
				return OK;
		}
		if (err == OK || err == ERR_CORRUPT)
			err = table_next(snap, TABLE_entries, &row);
	} else if (err == ERR_NOT_FOUND) {
		key_u64_u32(&key, folder_id, after_uid);
		err = table_seek(snap, TABLE_entries, &key, &row);
	}
	*index = 0;
	return err == OK ? first_readable(snap, folder_id, &row, f) : err;
}

enum err
entry_next(struct snapshot *snap, uint64_t folder_id, uint32_t after_uid, struct entry *out)
{
	struct found f;
	size_t index;
	enum err err = find_after(snap, folder_id, after_uid, &f, &index);

	if (err == OK)
		entry_take(f.entries.ptr + index * ENTRY_SIZE, out);
	return err;
}

enum err
entry_find(struct snapshot *snap, uint64_t folder_id, uint32_t uid, struct entry *out)
{
	struct found f;
	struct row row;
	size_t index;
	enum err err = block_at(snap, folder_id, uid, &row);

	if (err == OK)
		err = open_block(snap, &row, &f);
	if (err != OK)
		return err;
	index = index_from(&f, uid);
	if (index == f.count || uid_at(f.entries, index) != uid)
		return ERR_NOT_FOUND;
	entry_take(f.entries.ptr + index * ENTRY_SIZE, out);
	return OK;
}

static void
take_block(const struct found *f, uint64_t folder_id, struct entry_block *block)
{
	block->folder_id = folder_id;
	block->first_uid = f->first_uid;
	block->count = (unsigned)f->count;
	for (size_t i = 0; i < f->count; i++)
		entry_take(f->entries.ptr + i * ENTRY_SIZE, &block->entries[i]);
}

enum err
entry_block_next(struct snapshot *snap, uint64_t folder_id, uint32_t after_uid,
	struct entry_block *block, unsigned *from)
{
	struct found f;
	size_t index;
	enum err err = find_after(snap, folder_id, after_uid, &f, &index);

	if (err != OK)
		return err;
	take_block(&f, folder_id, block);
	*from = (unsigned)index;
	return OK;
}

enum err
entry_block_open(struct snapshot *snap, const struct row *row, struct entry_block *block)
{
	struct span key = row->key;
	uint64_t folder_id;
	struct found f;
	enum err err = open_block(snap, row, &f);

	if (err == OK)
		err = key_take_u64(&key, &folder_id);
	if (err == OK)
		take_block(&f, folder_id, block);
	return err;
}

enum err
entry_block_put(struct txn *txn, const struct entry_block *block)
{
	char room[BLOCK_ROOM];
	struct record_out out;
	struct key key;

	key_u64_u32(&key, block->folder_id, block->first_uid);
	if (block->count == 0)
		return table_delete(txn, TABLE_entries, &key);
	record_begin(&out, room, sizeof(room), ENTRIES_VERSION);
	for (unsigned i = 0; i < block->count; i++)
		entry_put(&out, &block->entries[i]);
	return table_put_record(txn, TABLE_entries, &key, &out);
}

/* The folder's last block, where it has room for one more; *out goes on behind its entries. */
static enum err
last_with_room(struct txn *txn, const struct key *key, struct record_out *out, char *room)
{
	struct snapshot *snap = txn_view(txn);
	struct row row = { .key = key_span(key) };
	struct found f;
	enum err err = table_get(snap, TABLE_entries, key, &row.value);

	if (err == OK)
		err = open_block(snap, &row, &f);
	if (err != OK)
		return err;
	if (f.count == ENTRY_BLOCK)
		return ERR_NOT_FOUND;
	record_begin(out, room, BLOCK_ROOM, ENTRIES_VERSION);
	record_put_raw(out, f.entries);
	return OK;
}

enum err
entry_append(struct txn *txn, uint64_t folder_id, uint32_t *last_block_uid,
	const struct entry *entry)
{
	char room[BLOCK_ROOM];
	struct record_out out;
	struct key key;
	enum err err = ERR_NOT_FOUND;

	if (*last_block_uid) {
		key_u64_u32(&key, folder_id, *last_block_uid);
		err = last_with_room(txn, &key, &out, room);
	}
	if (err == ERR_NOT_FOUND || err == ERR_CORRUPT) {
		/* none, full, expunged to nothing, or damaged: mail goes on behind it (H49) */
		*last_block_uid = entry->uid;
		key_u64_u32(&key, folder_id, entry->uid);
		record_begin(&out, room, sizeof(room), ENTRIES_VERSION);
		err = OK;
	}
	if (err != OK)
		return err;
	entry_put(&out, entry);
	return table_put_record(txn, TABLE_entries, &key, &out);
}

/* ---- appending many ---- */

enum err
entry_appender_begin(struct entry_appender *a, struct txn *txn, uint64_t folder_id,
	uint32_t *last_block_uid)
{
	struct snapshot *snap = txn_view(txn);
	struct row row;
	struct found f;
	struct key key;
	enum err err = ERR_NOT_FOUND;

	a->txn = txn;
	a->last_block_uid = last_block_uid;
	a->block.folder_id = folder_id;
	a->block.count = 0;
	if (*last_block_uid) {
		key_u64_u32(&key, folder_id, *last_block_uid);
		row.key = key_span(&key);
		err = table_get(snap, TABLE_entries, &key, &row.value);
		if (err == OK)
			err = open_block(snap, &row, &f);
	}
	if (err == OK && f.count < ENTRY_BLOCK)
		take_block(&f, folder_id, &a->block);
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err; /* as entry_append() */
}

enum err
entry_appender_end(struct entry_appender *a)
{
	if (a->block.count == 0)
		return OK;
	*a->last_block_uid = a->block.first_uid;
	return entry_block_put(a->txn, &a->block);
}

enum err
entry_appender_put(struct entry_appender *a, const struct entry *entry)
{
	enum err err = OK;

	if (a->block.count == ENTRY_BLOCK) {
		err = entry_appender_end(a);
		a->block.count = 0;
	}
	if (a->block.count == 0)
		a->block.first_uid = entry->uid;
	a->block.entries[a->block.count++] = *entry;
	return err;
}

/* ---- what changed ---- */

static uint64_t
highest_modseq(const struct found *f)
{
	uint64_t highest = 0;

	for (size_t i = 0; i < f->count; i++) {
		uint64_t modseq;

		memcpy(&modseq,
			f->entries.ptr + i * ENTRY_SIZE + offsetof(struct entry_bytes, modseq),
			sizeof(modseq));
		modseq = le64toh(modseq);
		highest = modseq > highest ? modseq : highest;
	}
	return highest;
}

enum err
entry_block_changed(struct snapshot *snap, uint64_t folder_id, uint32_t after_uid, uint64_t modseq,
	unsigned looks, struct entry_block *block, uint32_t *last_uid)
{
	struct found f;
	struct row row;
	size_t index;
	enum err err = find_after(snap, folder_id, after_uid, &f, &index);

	block->count = 0;
	while (err == OK) {
		*last_uid = uid_at(f.entries, f.count - 1);
		if (highest_modseq(&f) > modseq) {
			take_block(&f, folder_id, block);
			return OK;
		}
		if (--looks == 0)
			return OK;
		err = table_next(snap, TABLE_entries, &row);
		if (err == OK)
			err = first_readable(snap, folder_id, &row, &f);
	}
	return err;
}
