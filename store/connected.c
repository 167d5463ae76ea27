/*
 * connected.c - a row a connection.
 */
#include "store/connected.h"

#define CONNECTED_VERSION 1
#define CONNECTED_ROOM (CONNECTED_RESULT_MAX + 64)

static void
connected_key(struct arena *a, struct span name, struct key *key)
{
	key_name(key, arena_lower(a, name));
}

enum err
connected_find(struct snapshot *snap, struct span name, struct connected *out)
{
	struct arena arena;
	struct record_in in;
	struct key key;
	enum err err;

	*out = (struct connected){ 0 };
	if (name.len == 0 || name.len > CONNECTED_NAME_MAX)
		return ERR_NOT_FOUND;
	arena_init(&arena, NULL);
	connected_key(&arena, name, &key);
	arena_reset(&arena);
	err = table_get_record(snap, TABLE_connected, &key, CONNECTED_VERSION, &in);
	if (err != OK)
		return err;
	out->began_ms = (int64_t)record_take_u64(&in);
	out->ended_ms = (int64_t)record_take_u64(&in);
	out->failed = record_take_u8(&in) != 0;
	out->result = record_take_span(&in);
	return record_end(&in);
}

enum err
connected_put(struct txn *txn, struct span name, const struct connected *c)
{
	char room[CONNECTED_ROOM];
	struct record_out out;
	struct key key;

	if (name.len == 0 || name.len > CONNECTED_NAME_MAX)
		return ERR_LIMIT;
	connected_key(txn_arena(txn), name, &key);
	record_begin(&out, room, sizeof(room), CONNECTED_VERSION);
	record_put_u64(&out, (uint64_t)c->began_ms);
	record_put_u64(&out, (uint64_t)c->ended_ms);
	record_put_u8(&out, c->failed);
	record_put_span(&out, span_range(c->result, 0, CONNECTED_RESULT_MAX));
	return table_put_record(txn, TABLE_connected, &key, &out);
}
