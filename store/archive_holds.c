/*
 * archive_holds.c - legal holds: rows beside the entries, which never change.
 */
#include "store/archive.h"
#include "store/rows.h"

#define HOLD_VERSION 1
#define HOLD_ROOM (RECORD_HEAD + 10 + 2 * (ARCHIVE_HOLD_TEXT_MAX + 10))

enum err
archive_hold_put(struct txn *txn, uint64_t archive_id, const struct archive_hold *hold)
{
	char room[HOLD_ROOM];
	struct record_out out;
	struct key key;

	key_u64(&key, archive_id);
	record_begin(&out, room, sizeof(room), HOLD_VERSION);
	record_put_varint(&out, hold->since_ms);
	record_put_span(&out, span_range(hold->who, 0, ARCHIVE_HOLD_TEXT_MAX));
	record_put_span(&out, span_range(hold->why, 0, ARCHIVE_HOLD_TEXT_MAX));
	return row_put_record(txn, TABLE_archive_holds, &key, &out);
}

enum err
archive_hold_remove(struct txn *txn, uint64_t archive_id)
{
	struct key key;

	key_u64(&key, archive_id);
	return row_delete(txn, TABLE_archive_holds, &key);
}

enum err
archive_hold_find(struct snapshot *snap, uint64_t archive_id, struct archive_hold *out)
{
	struct record_in in;
	struct key key;
	enum err err;

	key_u64(&key, archive_id);
	err = table_get_record(snap, TABLE_archive_holds, &key, HOLD_VERSION, &in);
	*out = (struct archive_hold){ 0 };
	if (err != OK)
		return err;
	out->since_ms = record_take_varint(&in);
	out->who = record_take_span(&in);
	out->why = record_take_span(&in);
	if (record_end(&in) != OK)
		return table_damaged(snap, TABLE_archive_holds, key_span(&key), "fields");
	return OK;
}
