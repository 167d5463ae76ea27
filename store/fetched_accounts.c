/*
 * fetched_accounts.c - a collection of an account begins: under which number are its rows? By its name, if they are of that
 * account; else where they were put away, or under a name that the file has no more.
 */
#include "store/fetched_inside.h"

#include <stdio.h>
#include <string.h>

#include "proto/base/hash64.h"
#include "store/ids.h"

void
fetched_away_key(struct span name, uint64_t mark, struct key *key)
{
	char text[40];
	struct arena arena;
	int len;

	arena_init(&arena, NULL);
	len = snprintf(text, sizeof(text), FETCHED_NO_NAME "%016llx",
		(unsigned long long)hash64((struct hash64_key){ mark, 0 }, arena_lower(&arena, name)));
	arena_reset(&arena);
	key_name(key, (struct span){ text, (size_t)len });
}

/* ---- rows whose name the file has no more ---- */

/* Rows of an account under KEY belong to a collector of the file that has this account, or has it again. */
static bool
is_owned(const struct fetched_file *file, const struct key *key, uint64_t mark)
{
	struct key away;

	for (size_t i = 0; i < file->count; i++) {
		if (file->mark(file->of, i) != mark)
			continue;
		fetched_away_key(file->name(file->of, i), mark, &away);
		if (span_eq_nocase(key_span(key), file->name(file->of, i)) ||
			span_eq(key_span(key), key_span(&away)))
			return true;
	}
	return false;
}

static enum err
has_rows(struct snapshot *snap, uint64_t id, bool *has)
{
	struct fetched row;
	size_t count = id != 0;
	enum err err = id != 0 ? fetched_read(snap, id, NULL, &row, &count) : OK;

	*has = count > 0;
	return err;
}

enum err
fetched_find_orphan(struct snapshot *snap, const struct fetched_ask *ask, const struct key *own,
	struct fetched_orphan *out)
{
	struct fetched_collector c;
	struct key at;
	bool good, has = false;
	enum err err;

	out->found = out->has_rows = false;
	key_begin(&at);
	while ((err = fetched_next(snap, &at, &c, &good)) == OK) {
		if (good && c.account.mark == ask->account.mark && !span_eq(key_span(&at), key_span(own)) &&
			!fetched_is_swept(&c, ask->now_ms) && !is_owned(ask->file, &at, c.account.mark)) {
			if ((err = has_rows(snap, c.id, &has)) != OK)
				return err;
			if (!out->found || has > out->has_rows ||
				(has == out->has_rows && c.last_ms > out->c.last_ms))
				*out = (struct fetched_orphan){ at, c, true, has };
		}
		key_put_u8(&at, 0); /* the next key there can be */
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- a collection of an account begins ---- */

/* What is to be done. */
struct entering {
	struct fetched_collector c; /* with the number that it has from now on; 0: a new one */
	struct fetched_collector before; /* which is put away, where it was another's */
	struct key key, away, back;
	bool moves, comes_back; /* as before: rows that were put away */
	bool changes;
	struct fetched_orphan orphan;
};

/* Of another account: its rows are put away, and those of this one come back, if there are any. */
static enum err
look_for_moved(struct snapshot *snap, const struct fetched_ask *ask, struct entering *e)
{
	struct fetched_collector back;
	enum err err;

	e->moves = e->c.account.mark != 0 && e->c.account.mark != ask->account.mark;
	e->changes = e->c.account.mark != ask->account.mark;
	if (!e->moves)
		return OK;
	e->before = e->c;
	fetched_away_key(ask->name, e->c.account.mark, &e->away);
	fetched_away_key(ask->name, ask->account.mark, &e->back);
	err = fetched_by_key(snap, &e->back, &back);
	e->comes_back = err == OK;
	e->c.id = e->comes_back ? back.id : 0;
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
}

/* Nothing is known of it by this name: by another one? */
static enum err
look_for_orphan(struct snapshot *snap, const struct fetched_ask *ask, struct entering *e)
{
	bool has = false;
	enum err err = has_rows(snap, e->c.id, &has);

	e->orphan.found = false;
	if (err != OK || has)
		return err;
	err = fetched_find_orphan(snap, ask, &e->key, &e->orphan);
	e->orphan.found = e->orphan.found && (e->orphan.has_rows || e->c.id == 0);
	if (err != OK || !e->orphan.found)
		return err;
	e->changes = true;
	e->comes_back = false;
	e->c.id = e->orphan.c.id;
	if (e->orphan.c.last_ms > e->c.last_ms) {
		e->c.last_ms = e->orphan.c.last_ms;
		e->c.failed = e->orphan.c.failed;
		e->c.error = e->orphan.c.error;
	}
	return OK;
}

static enum err
look_up(struct snapshot *snap, const struct fetched_ask *ask, struct entering *e)
{
	enum err err;

	*e = (struct entering){ .changes = false };
	if (ask->name.len == 0 || ask->name.len > FETCHED_NAME_MAX)
		return ERR_LIMIT;
	fetched_name_key(ask->name, &e->key);
	err = fetched_by_key(snap, &e->key, &e->c);
	if (err == ERR_CORRUPT) /* it is made anew */
		e->c = (struct fetched_collector){ 0 };
	else if (err != OK && err != ERR_NOT_FOUND)
		return err;
	err = look_for_moved(snap, ask, e);
	return err == OK ? look_for_orphan(snap, ask, e) : err;
}

static struct fetched_entry
entry_of(const struct entering *e)
{
	struct fetched_entry out = { .id = e->c.id, .moved = e->moves };

	if (e->moves)
		snprintf(out.before, sizeof(out.before), "%.*s", SPAN_FMT(e->before.account.label));
	return out;
}

enum err
fetched_collector_enter(struct txn *txn, const struct fetched_ask *ask, struct fetched_entry *out)
{
	struct entering e;
	struct fetched_held held, held_before;
	enum err err = look_up(txn_view(txn), ask, &e);

	*out = entry_of(&e);
	if (err != OK || !e.changes)
		return err;
	fetched_hold(&held, &e.c);
	fetched_hold(&held_before, &e.before);
	if (e.moves) {
		e.before.left_ms = ask->now_ms;
		err = fetched_put_collector(txn, &e.away, &e.before);
	}
	if (err == OK)
		err = e.comes_back ? table_delete(txn, TABLE_collectors, &e.back) : OK;
	if (err == OK)
		err = e.orphan.found ? table_delete(txn, TABLE_collectors, &e.orphan.key) : OK;
	if (err != OK)
		return err;
	if (e.c.id == 0)
		e.c.id = out->id = id_next(txn, COUNTER_collector);
	e.c.left_ms = 0;
	e.c.account = ask->account;
	return fetched_put_collector(txn, &e.key, &e.c);
}

enum err
fetched_collector_look(struct snapshot *snap, const struct fetched_ask *ask, struct fetched_entry *out)
{
	struct entering e;
	enum err err = look_up(snap, ask, &e);

	*out = entry_of(&e);
	return err;
}
