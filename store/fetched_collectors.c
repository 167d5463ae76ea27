/*
 * fetched_collectors.c - collectors by name: the number of each, its account, and since when the file has it no more.
 */
#include "store/fetched_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLLECTOR_VERSION 2 /* 2: its account */
#define COLLECTOR_ROOM (FETCHED_ERROR_MAX + FETCHED_LABEL_MAX + 80)

void
fetched_name_key(struct span name, struct key *key)
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

enum err
fetched_by_key(struct snapshot *snap, const struct key *key, struct fetched_collector *out)
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
	fetched_name_key(name, &key);
	return fetched_by_key(snap, &key, out);
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

enum err
fetched_put_collector(struct txn *txn, const struct key *key, const struct fetched_collector *c)
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

static struct span
hold_text(char *room, struct span text, size_t max)
{
	text = span_range(text, 0, max);
	memcpy(room, text.ptr, text.len);
	return (struct span){ room, text.len };
}

void
fetched_hold(struct fetched_held *held, struct fetched_collector *c)
{
	if (c->error.ptr)
		c->error = hold_text(held->error, c->error, sizeof(held->error));
	if (c->account.label.ptr)
		c->account.label = hold_text(held->label, c->account.label, sizeof(held->label));
}

enum err
fetched_collector_note(
	struct txn *txn, struct span name, int64_t last_ms, bool failed, struct span error)
{
	struct fetched_collector c;
	struct fetched_held held;
	struct key key;
	enum err err = fetched_collector_find(txn_view(txn), name, &c);

	if (err != OK)
		return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
	fetched_hold(&held, &c);
	c.last_ms = last_ms;
	c.failed = failed;
	c.error = error;
	fetched_name_key(name, &key);
	return fetched_put_collector(txn, &key, &c);
}

enum err
fetched_next(struct snapshot *snap, struct key *at, struct fetched_collector *c, bool *good)
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
fetched_collector_free(struct txn *txn, struct span name)
{
	struct fetched_collector c;
	struct key key;
	enum err err = fetched_collector_find(txn_view(txn), name, &c);

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	fetched_name_key(name, &key);
	c.account = (struct fetched_account){ 0 };
	return fetched_put_collector(txn, &key, &c);
}

/* Its rows have no name any more, and are swept. */
static enum err
give_up(struct txn *txn, struct fetched_collector c)
{
	char name[40];
	struct key key;
	int len = snprintf(name, sizeof(name), FETCHED_NO_NAME "%llu", (unsigned long long)c.id);

	key_name(&key, (struct span){ name, (size_t)len });
	c.left_ms = 1;
	c.error = SPAN_NONE;
	c.account = (struct fetched_account){ 0 };
	return fetched_put_collector(txn, &key, &c);
}

/* What was known by NAME, which another one gets: another account's is put away, as if NAME had been pointed elsewhere. */
static enum err
make_way(struct txn *txn, struct span name, uint64_t mark, struct fetched_collector c)
{
	struct fetched_collector before;
	struct fetched_held held;
	struct key key;
	enum err err;

	if (c.account.mark == 0 || c.account.mark == mark)
		return give_up(txn, c);
	fetched_hold(&held, &c);
	fetched_away_key(name, c.account.mark, &key);
	err = fetched_by_key(txn_view(txn), &key, &before);
	if (err == OK)
		err = give_up(txn, before);
	else if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
		err = OK;
	return err == OK ? fetched_put_collector(txn, &key, &c) : err;
}

enum err
fetched_rename(struct txn *txn, struct span from, struct span to)
{
	struct fetched_collector c, before;
	struct key from_key, to_key;
	struct fetched_held held;
	enum err err;

	if (to.len == 0 || to.len > FETCHED_NAME_MAX)
		return ERR_LIMIT;
	if (span_eq_nocase(from, to))
		return OK;
	err = fetched_collector_find(txn_view(txn), from, &c);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	fetched_hold(&held, &c);
	fetched_name_key(from, &from_key);
	fetched_name_key(to, &to_key);
	err = fetched_by_key(txn_view(txn), &to_key, &before);
	if (err == OK)
		err = make_way(txn, to, c.account.mark, before);
	else if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
		err = OK;
	if (err == OK)
		err = fetched_put_collector(txn, &to_key, &c);
	return err == OK ? table_delete(txn, TABLE_collectors, &from_key) : err;
}

/* ---- those that left the file ---- */

/* The names of a file, sorted: each row looks for its own. */
struct names {
	struct span *items;
	size_t count;
};

static int
compare_names(const void *a, const void *b)
{
	return span_cmp_nocase(*(const struct span *)a, *(const struct span *)b);
}

static struct names
names_of(struct txn *txn, const struct fetched_file *file)
{
	struct names names = { ARENA_ARRAY(txn_arena(txn), struct span, file->count + 1), file->count };

	for (size_t i = 0; i < file->count; i++)
		names.items[i] = file->name(file->of, i);
	qsort(names.items, names.count, sizeof(*names.items), compare_names);
	return names;
}

static bool
has(const struct names *names, struct span name)
{
	return bsearch(&name, names->items, names->count, sizeof(*names->items), compare_names) != NULL;
}

/* Nothing is known of the I-th of FILE: is there what is known of its account? */
static enum err
inherit(struct txn *txn, const struct fetched_file *file, size_t i, int64_t now_ms)
{
	struct fetched_ask ask = { file->name(file->of, i), { file->mark(file->of, i), SPAN_NONE }, now_ms, file };
	struct fetched_orphan orphan;
	struct fetched_held held;
	struct key key;
	enum err err;

	fetched_name_key(ask.name, &key);
	err = fetched_find_orphan(txn_view(txn), &ask, &key, &orphan);
	if (err != OK || !orphan.found)
		return err;
	fetched_hold(&held, &orphan.c);
	orphan.c.left_ms = 0;
	err = table_delete(txn, TABLE_collectors, &orphan.key);
	return err == OK ? fetched_put_collector(txn, &key, &orphan.c) : err;
}

/* A row of MARK has no name in the file: one that was renamed gets it at once, for it would be swept one day. */
static enum err
find_heir(struct txn *txn, const struct fetched_file *file, uint64_t mark, int64_t now_ms)
{
	struct fetched_collector c;

	for (size_t i = 0; i < file->count; i++) {
		if (file->mark(file->of, i) != mark)
			continue;
		enum err err = fetched_collector_find(txn_view(txn), file->name(file->of, i), &c);

		if (err == ERR_NOT_FOUND)
			return inherit(txn, file, i, now_ms);
		if (err == ERR_IO)
			return err;
	}
	return OK;
}

static enum err
follow_names(struct txn *txn, const struct fetched_file *file, const struct names *names, int64_t now_ms)
{
	struct fetched_collector c;
	struct key at;
	bool good;
	enum err err;

	key_begin(&at);
	while ((err = fetched_next(txn_view(txn), &at, &c, &good)) == OK) {
		if (good && c.account.mark != 0 && !has(names, key_span(&at)) &&
			(err = find_heir(txn, file, c.account.mark, now_ms)) != OK)
			return err;
		key_put_u8(&at, 0); /* the next key there can be */
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
fetched_follow(struct txn *txn, const struct fetched_file *file, int64_t now_ms)
{
	struct fetched_collector c;
	struct fetched_held held;
	struct key at;
	bool good;
	struct names names = names_of(txn, file);
	enum err err = follow_names(txn, file, &names, now_ms);

	if (err != OK)
		return err;
	key_begin(&at);
	while ((err = fetched_next(txn_view(txn), &at, &c, &good)) == OK) {
		bool kept = has(&names, key_span(&at));

		if (good && kept != (c.left_ms == 0)) {
			c.left_ms = kept ? 0 : now_ms;
			fetched_hold(&held, &c);
			if ((err = fetched_put_collector(txn, &at, &c)) != OK)
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
	while ((err = fetched_next(txn_view(txn), &at, &c, &good)) == OK) {
		if (good && fetched_is_swept(&c, now_ms)) {
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
