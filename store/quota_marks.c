/*
 * quota_marks.c - a byte a user.
 */
#include "store/quota_marks.h"

#include "store/table.h"

#define MARKS_VERSION 1
#define MARKS_ROOM 32

enum err
quota_marks_get(struct snapshot *snap, uint64_t user_id, uint8_t *bits)
{
	struct record_in in;
	struct key key;
	enum err err;

	*bits = 0;
	key_u64(&key, user_id);
	err = table_get_record(snap, TABLE_quota_marks, &key, MARKS_VERSION, &in);
	if (err == OK)
		*bits = record_take_u8(&in);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
quota_marks_put(struct txn *txn, uint64_t user_id, uint8_t bits)
{
	char room[MARKS_ROOM];
	struct record_out out;
	struct key key;
	enum err err;

	key_u64(&key, user_id);
	if (bits == 0) {
		err = table_delete(txn, TABLE_quota_marks, &key);
		return err == ERR_NOT_FOUND ? OK : err;
	}
	record_begin(&out, room, sizeof(room), MARKS_VERSION);
	record_put_u8(&out, bits);
	return table_put_record(txn, TABLE_quota_marks, &key, &out);
}
