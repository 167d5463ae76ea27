/*
 * guard.c - one row, or none.
 */
#include "store/guard.h"

#define GUARD_VERSION 1
#define GUARD_WHO_MAX 64
#define GUARD_ROOM (RECORD_HEAD + 10 + GUARD_HASH_MAX + 10 + GUARD_WHO_MAX + 10)

static void
guard_key(struct key *key)
{
	key_name(key, SPAN("messages"));
}

enum err
guard_get(struct snapshot *snap, struct guard *out)
{
	struct record_in in;
	struct key key;
	enum err err;

	guard_key(&key);
	*out = (struct guard){ .since_ms = 0 };
	err = table_get_record(snap, TABLE_guard, &key, GUARD_VERSION, &in);
	if (err != OK)
		return err;
	out->since_ms = (int64_t)record_take_varint(&in);
	out->hash = record_take_span(&in);
	out->who = record_take_span(&in);
	if (record_end(&in) != OK)
		return table_damaged(snap, TABLE_guard, key_span(&key), "fields");
	return OK;
}

enum err
guard_put(struct txn *txn, const struct guard *guard)
{
	char room[GUARD_ROOM];
	struct record_out out;
	struct key key;

	guard_key(&key);
	record_begin(&out, room, sizeof(room), GUARD_VERSION);
	record_put_varint(&out, (uint64_t)guard->since_ms);
	record_put_span(&out, guard->hash);
	record_put_span(&out, span_range(guard->who, 0, GUARD_WHO_MAX));
	return table_put_record(txn, TABLE_guard, &key, &out);
}

enum err
guard_remove(struct txn *txn)
{
	struct key key;

	guard_key(&key);
	return table_delete(txn, TABLE_guard, &key);
}
