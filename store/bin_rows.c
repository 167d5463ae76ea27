/*
 * bin_rows.c - see bin_rows.h.
 */
#include "store/bin_rows.h"

#define BINNED_VERSION 1
#define BINNED_ROOM (RECORD_HEAD + 40 + FOLDER_NAME_MAX + FOLDER_KEYWORDS * (KEYWORD_MAX + 2))

enum err
origin_put(struct txn *txn, const struct origin *o)
{
	char room[BINNED_ROOM];
	struct record_out out;
	struct key key;

	record_begin(&out, room, sizeof(room), BINNED_VERSION);
	record_put_varint(&out, o->user_id);
	record_put_varint(&out, o->folder_id);
	record_put_u64(&out, o->removed_ms);
	record_put_span(&out, o->folder_name);
	record_put_u8(&out, (uint8_t)o->keywords.count);
	for (unsigned i = 0; i < o->keywords.count; i++)
		record_put_span(&out, o->keywords.names[i]);
	key_u64_u32(&key, o->bin_id, o->first_uid);
	return table_put_record(txn, TABLE_binned, &key, &out);
}

enum err
origin_take(struct snapshot *snap, const struct row *row, struct origin *o)
{
	struct span key = row->key;
	struct record_in in;
	enum err err;

	*o = (struct origin){ .bin_id = 0 };
	if (key_take_u64(&key, &o->bin_id) != OK || key_take_u32(&key, &o->first_uid) != OK) {
		o->bin_id = UINT64_MAX; /* nobody gets past such a key */
		return table_damaged(snap, TABLE_binned, row->key, "key");
	}
	err = row_record(snap, TABLE_binned, row, BINNED_VERSION, &in);
	if (err != OK)
		return err;
	o->user_id = record_take_varint(&in);
	o->folder_id = record_take_varint(&in);
	o->removed_ms = record_take_u64(&in);
	o->folder_name = record_take_span(&in);
	o->keywords.count = record_take_u8(&in);
	for (unsigned i = 0; i < o->keywords.count && i < FOLDER_KEYWORDS; i++)
		o->keywords.names[i] = record_take_span(&in);
	if (record_end(&in) == OK && o->keywords.count <= FOLDER_KEYWORDS)
		return OK;
	return table_damaged(snap, TABLE_binned, row->key, "fields");
}

enum err
origin_of(struct snapshot *snap, uint64_t bin_id, uint32_t uid, struct origin *o)
{
	struct key key, prefix;
	struct row row;
	enum err err;

	key_u64_u32(&key, bin_id, uid);
	key_put_u8(&key, 0); /* the next key there can be */
	err = table_seek_before(snap, TABLE_binned, &key, &row);
	key_u64(&prefix, bin_id);
	if (err == OK && !row_has_prefix(&row, &prefix))
		err = ERR_NOT_FOUND;
	return err == OK ? origin_take(snap, &row, o) : err;
}

/* ---- a store of before ---- */

enum err
bins_fill(struct txn *txn)
{
	struct key at;
	struct row row;
	enum err err;

	key_begin(&at);
	while ((err = table_seek(txn_view(txn), TABLE_folders, &at, &row)) == OK) {
		struct span key = row.key;
		struct origin o = { .first_uid = 1 };
		struct folder f;

		key_name(&at, row.key);
		key_put_u8(&at, 0); /* the next key there can be */
		if (key_take_u64(&key, &o.user_id) != OK || key_take_u64(&key, &o.bin_id) != OK ||
			folder_get(txn_view(txn), o.user_id, o.bin_id, &f) != OK ||
			!span_eq(f.name, FOLDER_BIN))
			continue;
		err = origin_put(txn, &o);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- for check ---- */

bool
bin_origin_holds(struct snapshot *snap, const struct row *row)
{
	struct folder bin;
	struct origin o;

	return origin_take(snap, row, &o) == OK &&
	       folder_get(snap, o.user_id, o.bin_id, &bin) != ERR_NOT_FOUND;
}

enum err
bin_origin_mend(struct txn *txn, struct span key)
{
	struct origin o = { .removed_ms = txn_now_ms(txn) };
	struct folder bin;
	struct key row;
	enum err err = OK;

	key_name(&row, key);
	if (key_take_u64(&key, &o.bin_id) != OK || key_take_u32(&key, &o.first_uid) != OK)
		err = ERR_NOT_FOUND;
	if (err == OK)
		err = folder_by_id(txn_view(txn), o.bin_id, &bin);
	if (err == ERR_NOT_FOUND)
		return table_delete(txn, TABLE_binned, &row);
	o.user_id = bin.user_id;
	return err == OK ? origin_put(txn, &o) : err;
}
