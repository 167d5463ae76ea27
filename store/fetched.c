/*
 * fetched.c - a row for each message that was seen or fetched.
 */
#include "store/fetched.h"

#include <string.h>

#include "store/rows.h"

#define FETCHED_VERSION 3 /* 2: its mark; 3: its epoch */
#define FETCHED_ROOM 64

static void
message_key(uint64_t id, const unsigned char *hash, struct key *key)
{
	key_u64(key, id);
	key_put_bytes(key, (struct span){ (const char *)hash, FETCHED_HASH_SIZE });
}

static enum err
take_message(struct record_in *in, struct fetched *out)
{
	out->first_s = record_take_u32(in);
	out->fetched_s = record_take_u32(in);
	out->gone_s = record_take_u32(in);
	out->state = record_take_u8(in);
	out->mark = record_left(in) > 0 ? record_take_u64(in) : 0;
	out->epoch = record_left(in) > 0 ? record_take_u32(in) : 0;
	return record_end(in);
}

enum err
fetched_find(struct snapshot *snap, uint64_t id, const unsigned char hash[FETCHED_HASH_SIZE],
	struct fetched *out)
{
	struct record_in in;
	struct key key;
	enum err err;

	*out = (struct fetched){ .state = 0 };
	memcpy(out->hash, hash, FETCHED_HASH_SIZE);
	message_key(id, hash, &key);
	err = table_get_record(snap, TABLE_fetched, &key, FETCHED_VERSION, &in);
	return err == OK ? take_message(&in, out) : err;
}

enum err
fetched_put(struct txn *txn, uint64_t id, const struct fetched *f)
{
	char room[FETCHED_ROOM];
	struct record_out out;
	struct key key;

	message_key(id, f->hash, &key);
	record_begin(&out, room, sizeof(room), FETCHED_VERSION);
	record_put_u32(&out, f->first_s);
	record_put_u32(&out, f->fetched_s);
	record_put_u32(&out, f->gone_s);
	record_put_u8(&out, f->state);
	record_put_u64(&out, f->mark);
	record_put_u32(&out, f->epoch);
	return table_put_record(txn, TABLE_fetched, &key, &out);
}

enum err
fetched_drop(struct txn *txn, uint64_t id, const unsigned char hash[FETCHED_HASH_SIZE])
{
	struct key key;
	enum err err;

	message_key(id, hash, &key);
	err = table_delete(txn, TABLE_fetched, &key);
	return err == ERR_NOT_FOUND ? OK : err;
}

bool
fetched_decode(struct snapshot *snap, const struct row *row, uint64_t *id, struct fetched *out)
{
	struct record_in in;
	struct span rest = row->key;

	if (key_take_u64(&rest, id) != OK || rest.len != FETCHED_HASH_SIZE ||
		row_record(snap, TABLE_fetched, row, FETCHED_VERSION, &in) != OK)
		return false;
	memcpy(out->hash, rest.ptr, FETCHED_HASH_SIZE);
	return take_message(&in, out) == OK && out->state >= FETCHED_SEEN && out->state <= FETCHED_TO_GO;
}

enum err
fetched_read(struct snapshot *snap, uint64_t id, const unsigned char *after, struct fetched *out,
	size_t *count)
{
	size_t max = *count;
	struct key prefix, at;
	struct row row;
	enum err err;

	*count = 0;
	key_u64(&prefix, id);
	at = prefix;
	if (after) {
		message_key(id, after, &at);
		key_put_u8(&at, 0); /* the next key there can be */
	}
	err = table_seek(snap, TABLE_fetched, &at, &row);
	while (err == OK && *count < max && row_has_prefix(&row, &prefix)) {
		uint64_t row_id;

		if (fetched_decode(snap, &row, &row_id, &out[*count]))
			(*count)++;
		err = table_next(snap, TABLE_fetched, &row);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}
