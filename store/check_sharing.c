/*
 * check_sharing.c - what hangs on folders: subscriptions, keywords, rights, \Seen of one user, what
 * left, what lies in bins. After the folders and users, for it asks which there are.
 */
#include "store/bin.h"
#include "store/check_run.h"
#include "store/expunged.h"
#include "store/keywords.h"
#include "store/rights.h"
#include "store/rows.h"
#include "store/seen.h"
#include "store/subscriptions.h"

typedef unsigned long long ull;

static bool
has_user(struct check *c, uint64_t user_id)
{
	struct user user;

	return user_id == FOLDER_OWNER_SHARED || user_find(c->snap, user_id, &user) != ERR_NOT_FOUND;
}

static bool
has_folder(struct check *c, uint64_t folder_id)
{
	return id_set_count(&c->folders_seen, folder_id) > 0;
}

/* The row goes. */
static void
drop(struct check *c, enum store_table table, const struct row *row, const char *why)
{
	check_say(c, true, "%s %llu: %s", store_table_name(table), (ull)check_id(row), why);
	check_fix_delete(c, table, row->key);
}

static void
visit_subscription(struct check *c, const struct row *row)
{
	size_t len = row->key.len;

	if (len > 8 && len <= 8 + SUBSCRIPTION_NAME_MAX && has_user(c, check_id(row)))
		return;
	drop(c, TABLE_subscriptions, row, "a subscription of no user, or without a name");
}

/* ---- keywords ---- */

static enum err
fix_keywords(struct txn *txn, const struct check_fix *fix)
{
	return folder_keywords_mend(txn, fix->n[0]);
}

static void
visit_keywords(struct check *c, const struct row *row)
{
	uint64_t folder_id = check_id(row);
	struct folder_keywords keywords;

	if (row->key.len != 8 || !has_folder(c, folder_id)) {
		drop(c, TABLE_keywords, row, "names of a folder that is not there");
		return;
	}
	if (folder_keywords_get(c->snap, folder_id, &keywords) == OK)
		return;
	check_say(c, true, "keywords %llu: damaged: their names are lost", (ull)folder_id);
	check_fix_add(c, fix_keywords, SPAN_NONE, SPAN_NONE)->n[0] = folder_id;
}

/* ---- rights ---- */

static enum err
fix_right(struct txn *txn, const struct check_fix *fix)
{
	struct key key;

	key_name(&key, fix->key);
	return row_delete(txn, TABLE_rights, &key);
}

static bool
right_holds(struct check *c, const struct row *row)
{
	struct span key = row->key;
	struct folder_right right;
	uint64_t folder_id, subject_id;
	uint8_t kind;

	if (key_take_u64(&key, &folder_id) != OK || key_take_u8(&key, &kind) != OK ||
		key_take_u64(&key, &subject_id) != OK || key.len > 0 ||
		kind < RIGHT_OF_USER || kind > RIGHT_OF_ANYONE)
		return false;
	return right_get(c->snap, folder_id, kind, subject_id, &right) == OK &&
	       has_folder(c, folder_id);
}

/* What is not sure is not given. A subject that is gone has no more of it than its name. */
static void
visit_right(struct check *c, const struct row *row)
{
	if (right_holds(c, row))
		return;
	check_say(c, true, "rights %llu: damaged, or of a folder that is not there",
		(ull)check_id(row));
	check_fix_add(c, fix_right, row->key, SPAN_NONE);
}

/* ---- \Seen ---- */

static void
visit_seen(struct check *c, const struct row *row)
{
	if (!seen_holds(c->snap, row) || !has_folder(c, check_id(row)))
		drop(c, TABLE_seen, row, "damaged, or of a folder that is not there");
}

/* ---- what left ---- */

/* Nobody knows any more what left with it: clients compare (RFC 7162, 3.2.5). */
static enum err
fix_expunged(struct txn *txn, const struct check_fix *fix)
{
	struct snapshot *snap = txn_view(txn);
	struct folder f;
	struct key key;
	enum err err;

	key_name(&key, fix->key);
	err = table_delete(txn, TABLE_expunged, &key);
	if (err == OK)
		err = folder_by_id(snap, fix->n[0], &f);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	f.name = arena_copy(txn_arena(txn), f.name);
	f.extra = arena_copy(txn_arena(txn), f.extra);
	if (f.expunged_rows > 0)
		f.expunged_rows--;
	if (f.expunged_floor < f.highest_modseq)
		f.expunged_floor = f.highest_modseq;
	return folder_put(txn, &f);
}

static void
visit_expunged(struct check *c, const struct row *row)
{
	if (!has_folder(c, check_id(row))) {
		drop(c, TABLE_expunged, row, "of a folder that is not there");
		return;
	}
	if (expunged_holds(c->snap, row))
		return;
	check_say(c, true, "expunged %llu: damaged", (ull)check_id(row));
	check_fix_add(c, fix_expunged, row->key, SPAN_NONE)->n[0] = check_id(row);
}

/* ---- bins ---- */

static enum err
fix_binned(struct txn *txn, const struct check_fix *fix)
{
	return bin_origin_mend(txn, fix->key);
}

static void
visit_binned(struct check *c, const struct row *row)
{
	if (bin_origin_holds(c->snap, row))
		return;
	check_say(c, true, "binned %llu: damaged, or of a bin that is not there",
		(ull)check_id(row));
	check_fix_add(c, fix_binned, row->key, SPAN_NONE);
}

void
check_sharing(struct check *c)
{
	check_walk(c, TABLE_subscriptions, visit_subscription);
	check_walk(c, TABLE_keywords, visit_keywords);
	check_walk(c, TABLE_rights, visit_right);
	check_walk(c, TABLE_seen, visit_seen);
	check_walk(c, TABLE_expunged, visit_expunged);
	check_walk(c, TABLE_binned, visit_binned);
}
