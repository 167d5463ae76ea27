/*
 * logins.c - when and from where a user last logged in.
 */
#include "store/logins.h"

#include <string.h>

#include "store/table.h"

#define LOGINS_VERSION 1
#define LOGINS_ROOM (RECORD_HEAD + 2 + 8 * USER_PROTOCOL_COUNT + 16 * LOGIN_PLACES_MAX)

static enum err
logins_take(struct record_in *in, struct logins *out)
{
	size_t protocols = record_take_u8(in);

	if (protocols > USER_PROTOCOL_COUNT)
		return ERR_CORRUPT;
	for (size_t i = 0; i < protocols; i++)
		out->last_ms[i] = (int64_t)record_take_u64(in);
	out->place_count = record_take_u8(in);
	if (out->place_count > LOGIN_PLACES_MAX)
		return ERR_CORRUPT;
	for (size_t i = 0; i < out->place_count; i++) {
		out->places[i].address_hash = record_take_u64(in);
		out->places[i].last_ms = (int64_t)record_take_u64(in);
	}
	return record_end(in);
}

enum err
logins_find(struct snapshot *snap, uint64_t user_id, struct logins *out)
{
	struct key key;
	struct record_in in;
	enum err err;

	memset(out, 0, sizeof(*out));
	key_u64(&key, user_id);
	err = table_get_record(snap, TABLE_logins, &key, LOGINS_VERSION, &in);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	if (logins_take(&in, out) != OK)
		return table_damaged(snap, TABLE_logins, key_span(&key), "fields");
	return OK;
}

/* The place of ADDRESS: its own, a new one, or that of the one longest away. */
static struct login_place *
place_for(struct logins *logins, uint64_t address_hash)
{
	struct login_place *oldest = &logins->places[0];

	for (size_t i = 0; i < logins->place_count; i++) {
		struct login_place *place = &logins->places[i];

		if (place->address_hash == address_hash)
			return place;
		if (place->last_ms < oldest->last_ms)
			oldest = place;
	}
	if (logins->place_count < LOGIN_PLACES_MAX)
		return &logins->places[logins->place_count++];
	return oldest;
}

static enum err
logins_put(struct txn *txn, uint64_t user_id, const struct logins *logins)
{
	char room[LOGINS_ROOM];
	struct record_out out;
	struct key key;

	key_u64(&key, user_id);
	record_begin(&out, room, sizeof(room), LOGINS_VERSION);
	record_put_u8(&out, USER_PROTOCOL_COUNT);
	for (size_t i = 0; i < USER_PROTOCOL_COUNT; i++)
		record_put_u64(&out, (uint64_t)logins->last_ms[i]);
	record_put_u8(&out, (uint8_t)logins->place_count);
	for (size_t i = 0; i < logins->place_count; i++) {
		record_put_u64(&out, logins->places[i].address_hash);
		record_put_u64(&out, (uint64_t)logins->places[i].last_ms);
	}
	return table_put_record(txn, TABLE_logins, &key, &out);
}

enum err
logins_note(struct txn *txn, uint64_t user_id, enum user_protocol protocol, struct span address,
	int64_t now_ms)
{
	struct login_place *place;
	struct logins logins;
	enum err err = logins_find(txn_view(txn), user_id, &logins);

	if (err != OK && err != ERR_CORRUPT) /* a damaged one is written anew */
		return err;
	logins.last_ms[protocol] = now_ms;
	place = place_for(&logins, key_hash(address));
	*place = (struct login_place){ key_hash(address), now_ms };
	return logins_put(txn, user_id, &logins);
}

int64_t
logins_last_ms(const struct logins *logins)
{
	int64_t last = 0;

	for (size_t i = 0; i < USER_PROTOCOL_COUNT; i++) {
		if (logins->last_ms[i] > last)
			last = logins->last_ms[i];
	}
	return last;
}

bool
logins_knows(const struct logins *logins, struct span address, int64_t since_ms)
{
	uint64_t hash = key_hash(address);

	for (size_t i = 0; i < logins->place_count; i++) {
		if (logins->places[i].address_hash == hash)
			return logins->places[i].last_ms >= since_ms;
	}
	return false;
}
