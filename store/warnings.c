/*
 * warnings.c - a row an author and domain: the time of the last warning.
 *
 * The key is a hash of both, in lower case; two that have the same hash share a warning, which happens
 * to nobody. Each new row takes a few that are over a day old from behind it along.
 */
#include "store/warnings.h"

#define WARNING_VERSION 1
#define WARNING_ROOM 64
#define SWEPT 4 /* rows behind a new one that are looked at */

static void
warning_key(struct arena *a, struct span author, struct span domain, struct key *key)
{
	struct span both = arena_printf(a, "%.*s\n%.*s", SPAN_FMT(author), SPAN_FMT(domain));

	key_u64(key, key_hash(arena_lower(a, both)));
}

/* A damaged row says that nobody was warned: one warning too many is no harm. */
static enum err
time_of(struct snapshot *snap, const struct key *key, int64_t *at_ms)
{
	struct record_in in;
	enum err err = table_get_record(snap, TABLE_warnings, key, WARNING_VERSION, &in);

	*at_ms = 0;
	if (err == OK)
		*at_ms = (int64_t)record_take_u64(&in);
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
}

enum err
warning_was_sent(struct snapshot *snap, struct span author, struct span domain, int64_t now_ms,
	bool *was)
{
	struct arena arena;
	struct key key;
	int64_t at_ms;
	enum err err;

	arena_init(&arena, NULL);
	warning_key(&arena, author, domain, &key);
	arena_reset(&arena);
	err = time_of(snap, &key, &at_ms);
	*was = err == OK && at_ms != 0 && now_ms - at_ms < WARNINGS_DAY_MS;
	return err;
}

/* Those behind KEY that nobody asks for any more. */
static enum err
sweep(struct txn *txn, const struct key *key, int64_t now_ms)
{
	struct snapshot *view = txn_view(txn);
	struct key at = *key;
	enum err err = OK;

	for (unsigned i = 0; i < SWEPT && err == OK; i++) {
		struct span rest;
		struct row row;
		uint64_t hash;
		int64_t at_ms;

		key_put_u8(&at, 0); /* the next key there can be */
		err = table_seek(view, TABLE_warnings, &at, &row);
		if (err != OK)
			return err == ERR_NOT_FOUND ? OK : err;
		rest = row.key;
		if (key_take_u64(&rest, &hash) != OK)
			return OK;
		key_u64(&at, hash);
		err = time_of(view, &at, &at_ms);
		if (err == OK && now_ms - at_ms >= WARNINGS_DAY_MS)
			err = table_delete(txn, TABLE_warnings, &at);
	}
	return err;
}

enum err
warning_note(struct txn *txn, struct span author, struct span domain, int64_t now_ms)
{
	char room[WARNING_ROOM];
	struct record_out out;
	struct key key;
	enum err err;

	warning_key(txn_arena(txn), author, domain, &key);
	record_begin(&out, room, sizeof(room), WARNING_VERSION);
	record_put_u64(&out, (uint64_t)now_ms);
	err = table_put_record(txn, TABLE_warnings, &key, &out);
	return err == OK ? sweep(txn, &key, now_ms) : err;
}
