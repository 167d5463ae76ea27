/*
 * fetched_collectors.c - collectors by name: the number of each, its account, and since when the file has it no more.
 */
#include "store/fetched.h"

#include <stdio.h>
#include <string.h>

#include "proto/base/hash64.h"
#include "store/ids.h"
#include "store/rows.h"

#define COLLECTOR_VERSION 2 /* 2: its account */
#define COLLECTOR_ROOM (FETCHED_ERROR_MAX + FETCHED_LABEL_MAX + 80)
#define DOOMED "\001" /* in front of a number: the name of one that was given up; no file has such a name */

static void
name_key(struct span name, struct key *key)
{
	struct arena arena;

	arena_init(&arena, NULL);
	key_name(key, arena_lower(&arena, name));
	arena_reset(&arena);
}

static void
take_collector(struct record_in *in, struct fetched_collector *out)
{
	out->id = record_take_u64(in);
	out->left_ms = (int64_t)record_take_u64(in);
	out->last_ms = (int64_t)record_take_u64(in);
	out->failed = record_take_u8(in) != 0;
	out->error = record_take_span(in);
	if (record_left(in) == 0)
		return;
	out->account.mark = record_take_u64(in);
	out->account.label = record_take_span(in);
}

static enum err
find_by_key(struct snapshot *snap, const struct key *key, struct fetched_collector *out)
{
	struct record_in in;
	enum err err = table_get_record(snap, TABLE_collectors, key, COLLECTOR_VERSION, &in);

	*out = (struct fetched_collector){ 0 };
	if (err != OK)
		return err;
	take_collector(&in, out);
	return record_end(&in);
}

enum err
fetched_collector_find(struct snapshot *snap, struct span name, struct fetched_collector *out)
{
	struct key key;

	*out = (struct fetched_collector){ 0 };
	if (name.len == 0 || name.len > FETCHED_NAME_MAX)
		return ERR_NOT_FOUND;
	name_key(name, &key);
	return find_by_key(snap, &key, out);
}

static enum err
put_collector(struct txn *txn, const struct key *key, const struct fetched_collector *c)
{
	char room[COLLECTOR_ROOM];
	struct record_out out;

	record_begin(&out, room, sizeof(room), COLLECTOR_VERSION);
	record_put_u64(&out, c->id);
	record_put_u64(&out, (uint64_t)c->left_ms);
	record_put_u64(&out, (uint64_t)c->last_ms);
	record_put_u8(&out, c->failed);
	record_put_span(&out, span_range(c->error, 0, FETCHED_ERROR_MAX));
	record_put_u64(&out, c->account.mark);
	record_put_span(&out, span_range(c->account.label, 0, FETCHED_LABEL_MAX));
	return table_put_record(txn, TABLE_collectors, key, &out);
}

/* The row of NAME; a new one where there is none. */
static enum err
take(struct txn *txn, struct span name, struct key *key, struct fetched_collector *c)
{
	enum err err;

	if (name.len == 0 || name.len > FETCHED_NAME_MAX)
		return ERR_LIMIT;
	name_key(name, key);
	err = find_by_key(txn_view(txn), key, c);
	if (err != ERR_NOT_FOUND && err != ERR_CORRUPT)
		return err;
	*c = (struct fetched_collector){ .id = id_next(txn, COUNTER_collector) };
	return put_collector(txn, key, c);
}

enum err
fetched_collector_take(struct txn *txn, struct span name, uint64_t *id)
{
	struct fetched_collector c;
	struct key key;
	enum err err = take(txn, name, &key, &c);

	*id = c.id;
	return err;
}

enum err
fetched_collector_note(
	struct txn *txn, struct span name, int64_t last_ms, bool failed, struct span error)
{
	struct fetched_collector c;
	struct key key;
	enum err err = take(txn, name, &key, &c);

	if (err != OK)
		return err;
	c.last_ms = last_ms;
	c.failed = failed;
	c.error = error;
	return put_collector(txn, &key, &c);
}

/* Its texts lie in the map, and shall outlive a change. */
struct held {
	char error[FETCHED_ERROR_MAX], label[FETCHED_LABEL_MAX];
};

static struct span
hold_text(char *room, struct span text, size_t max)
{
	text = span_range(text, 0, max);
	memcpy(room, text.ptr, text.len);
	return (struct span){ room, text.len };
}

static void
hold(struct held *held, struct fetched_collector *c)
{
	if (c->error.ptr)
		c->error = hold_text(held->error, c->error, sizeof(held->error));
	if (c->account.label.ptr)
		c->account.label = hold_text(held->label, c->account.label, sizeof(held->label));
}

/* ---- their accounts ---- */

/* Where the rows of another account of NAME are: no file has such a name. */
static void
away_key(struct span name, uint64_t mark, struct key *key)
{
	char text[40];
	struct arena arena;
	int len;

	arena_init(&arena, NULL);
	len = snprintf(text, sizeof(text), DOOMED "%016llx",
		(unsigned long long)hash64((struct hash64_key){ mark, 0 }, arena_lower(&arena, name)));
	arena_reset(&arena);
	key_name(key, (struct span){ text, (size_t)len });
}

static void
note_before(struct fetched_entry *out, const struct fetched_collector *c)
{
	out->moved = true;
	snprintf(out->before, sizeof(out->before), "%.*s", SPAN_FMT(c->account.label));
}

/* C is put away as TO; its rows are those of FROM, where these were put away before, else there are none yet. */
static enum err
change_rows(struct txn *txn, struct fetched_collector *c, const struct key *to, const struct key *from)
{
	struct fetched_collector back;
	enum err err = put_collector(txn, to, c);

	if (err != OK)
		return err;
	err = find_by_key(txn_view(txn), from, &back);
	c->id = err == OK ? back.id : id_next(txn, COUNTER_collector);
	if (err == OK)
		return table_delete(txn, TABLE_collectors, from);
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
}

enum err
fetched_collector_enter(struct txn *txn, struct span name, const struct fetched_account *account,
	int64_t now_ms, struct fetched_entry *out)
{
	struct fetched_collector c;
	struct key key, to, from;
	struct held held;
	enum err err = take(txn, name, &key, &c);

	*out = (struct fetched_entry){ .id = c.id };
	if (err != OK || c.account.mark == account->mark)
		return err;
	hold(&held, &c);
	if (c.account.mark != 0) {
		note_before(out, &c);
		away_key(name, c.account.mark, &to);
		away_key(name, account->mark, &from);
		c.left_ms = now_ms;
		err = change_rows(txn, &c, &to, &from);
		out->id = c.id;
		c.left_ms = 0;
	}
	c.account = *account;
	return err == OK ? put_collector(txn, &key, &c) : err;
}

enum err
fetched_collector_look(struct snapshot *snap, struct span name, const struct fetched_account *account,
	struct fetched_entry *out)
{
	struct fetched_collector c;
	struct key from;
	enum err err = fetched_collector_find(snap, name, &c);

	*out = (struct fetched_entry){ .id = c.id };
	if (err != OK || c.account.mark == 0 || c.account.mark == account->mark)
		return err == ERR_NOT_FOUND ? OK : err;
	note_before(out, &c);
	away_key(name, account->mark, &from);
	err = find_by_key(snap, &from, &c);
	out->id = err == OK ? c.id : 0;
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
}

enum err
fetched_collector_free(struct txn *txn, struct span name)
{
	struct fetched_collector c;
	struct key key;
	enum err err = fetched_collector_find(txn_view(txn), name, &c);

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	name_key(name, &key);
	c.account = (struct fetched_account){ 0 };
	return put_collector(txn, &key, &c);
}

/* Its rows have no name any more, and are swept. */
static enum err
give_up(struct txn *txn, struct fetched_collector c)
{
	char name[40];
	struct key key;
	int len = snprintf(name, sizeof(name), DOOMED "%llu", (unsigned long long)c.id);

	key_name(&key, (struct span){ name, (size_t)len });
	c.left_ms = 1;
	c.error = c.account.label = SPAN_NONE;
	return put_collector(txn, &key, &c);
}

enum err
fetched_rename(struct txn *txn, struct span from, struct span to)
{
	struct fetched_collector c, before;
	struct key from_key, to_key;
	struct held held;
	enum err err;

	if (to.len == 0 || to.len > FETCHED_NAME_MAX)
		return ERR_LIMIT;
	if (span_eq_nocase(from, to))
		return OK;
	err = fetched_collector_find(txn_view(txn), from, &c);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	hold(&held, &c);
	name_key(from, &from_key);
	name_key(to, &to_key);
	err = find_by_key(txn_view(txn), &to_key, &before);
	if (err == OK)
		err = give_up(txn, before);
	else if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
		err = OK;
	if (err == OK)
		err = put_collector(txn, &to_key, &c);
	return err == OK ? table_delete(txn, TABLE_collectors, &from_key) : err;
}

bool
fetched_collector_decode(
	struct snapshot *snap, const struct row *row, struct fetched_collector *out)
{
	struct record_in in;

	if (row_record(snap, TABLE_collectors, row, COLLECTOR_VERSION, &in) != OK)
		return false;
	take_collector(&in, out);
	return record_end(&in) == OK && out->id != 0;
}

/* ---- those that left the file ---- */

static bool
is_among(struct span name, const struct span *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span_eq_nocase(name, names[i]))
			return true;
	return false;
}

/* Seek, and a key of its own that outlives writing. */
static enum err
next_collector(struct snapshot *snap, struct key *at, struct fetched_collector *c, bool *good)
{
	struct row row;
	enum err err = table_seek(snap, TABLE_collectors, at, &row);

	if (err != OK)
		return err;
	key_name(at, row.key);
	*good = fetched_collector_decode(snap, &row, c);
	return OK;
}

enum err
fetched_follow(struct txn *txn, const struct span *names, size_t count, int64_t now_ms)
{
	struct fetched_collector c;
	struct held held;
	struct key at;
	bool good;
	enum err err;

	key_begin(&at);
	while ((err = next_collector(txn_view(txn), &at, &c, &good)) == OK) {
		bool kept = is_among(key_span(&at), names, count);

		if (good && kept != (c.left_ms == 0)) {
			c.left_ms = kept ? 0 : now_ms;
			hold(&held, &c);
			if ((err = put_collector(txn, &at, &c)) != OK)
				return err;
		}
		key_put_u8(&at, 0); /* the next key there can be */
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
fetched_sweep(struct txn *txn, int64_t now_ms, bool *more)
{
	struct fetched_collector c;
	struct key at, prefix;
	bool good;
	enum err err;

	*more = false;
	key_begin(&at);
	while ((err = next_collector(txn_view(txn), &at, &c, &good)) == OK) {
		if (good && c.left_ms != 0 && now_ms - c.left_ms >= FETCHED_KEPT_MS) {
			key_u64(&prefix, c.id);
			err = rows_purge(txn, TABLE_fetched, &prefix, FETCHED_SLICE, more);
			if (err == OK && !*more)
				err = table_delete(txn, TABLE_collectors, &at);
			*more = true; /* others may be behind it */
			return err;
		}
		key_put_u8(&at, 0);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}
