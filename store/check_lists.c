/*
 * check_lists.c - lists, their members and sizes; and the rows that follow from others.
 */
#include "store/check_run.h"
#include "store/indexes.h"
#include "store/maillists.h"
#include "store/rows.h"

typedef unsigned long long ull;

/* ---- lists ---- */

static void
visit_list(struct check *c, const struct row *row)
{
	struct maillist list;

	if (row_fields(c->snap, TABLE_maillists, row, &maillist_table, &list) != OK) {
		check_say(c, false, "maillists %llu: damaged", (ull)check_id(row));
		return;
	}
	check_tally(c, TABLE_maillists, row);
	check_name(c, list.name, NAME_LIST, check_id(row));
}

/* ---- members ---- */

static enum err
fix_size(struct txn *txn, const struct check_fix *fix)
{
	return maillist_size_put(txn, fix->n[0], fix->n[1]);
}

/* The members of c->list_id are all counted. */
static void
list_ends(struct check *c)
{
	struct check_fix *fix;
	uint64_t members;
	enum err err;

	if (c->list_id == 0)
		return;
	err = maillist_size(c->snap, c->list_id, &members);
	if (err == OK && members == c->list_members)
		return;
	check_say(c, true, "list_sizes %llu: %s", (ull)c->list_id,
		err == OK ? "not the number of its members" : "damaged");
	fix = check_fix_add(c, fix_size, SPAN_NONE, SPAN_NONE);
	fix->n[0] = c->list_id;
	fix->n[1] = c->list_members;
}

/* What the row says stands in its key too, but for the case of its letters. */
static enum err
fix_member(struct txn *txn, const struct check_fix *fix)
{
	struct list_member member = { .member = span_from(fix->key, 8), .added_ms = 0 };
	struct key key;

	key_name(&key, fix->key);
	return row_put_fields(txn, TABLE_list_members, &key, &list_member_table, &member);
}

static enum err
fix_member_of_none(struct txn *txn, const struct check_fix *fix)
{
	struct key key;

	key_name(&key, fix->key);
	return row_delete(txn, TABLE_list_members, &key);
}

static void
visit_member(struct check *c, const struct row *row)
{
	struct span key = row->key;
	struct list_member member;
	struct maillist list;
	uint64_t list_id = 0;

	if (key_take_u64(&key, &list_id) != OK || key.len == 0 || key.len > MAILLIST_MEMBER_MAX ||
		maillist_find(c->snap, list_id, &list) == ERR_NOT_FOUND) {
		check_say(c, true, "list_members: a member of a list that is not there");
		check_fix_add(c, fix_member_of_none, row->key, SPAN_NONE);
		return;
	}
	if (list_id != c->list_id) {
		list_ends(c);
		c->list_id = list_id;
		c->list_members = 0;
	}
	c->list_members++;
	check_tally(c, TABLE_list_members, row);
	if (row_fields(c->snap, TABLE_list_members, row, &list_member_table, &member) == OK &&
		span_eq_nocase(member.member, key))
		return;
	check_say(c, true, "list_members %llu: a member is damaged", (ull)list_id);
	check_fix_add(c, fix_member, row->key, SPAN_NONE);
}

/* A list with members was looked at from them; here those that have a size and no member. */
static void
visit_size(struct check *c, const struct row *row)
{
	struct list_member member;
	struct key key;
	uint64_t list_id = check_id(row);

	key_u64(&key, list_id);
	if (span_eq(key_span(&key), row->key) &&
		maillist_member_after(c->snap, list_id, SPAN_NONE, &member) != ERR_NOT_FOUND)
		return;
	check_say(c, true, "list_sizes %llu: of a list without members", (ull)list_id);
	check_fix_delete(c, TABLE_list_sizes, row->key);
}

/* ---- what follows from other rows ---- */

static enum err
fix_index(struct txn *txn, const struct check_fix *fix)
{
	struct key key;

	key_name(&key, fix->key);
	return table_put(txn, fix->table, &key, SPAN_NONE);
}

static void
indexed(struct check *c, enum store_table of, const struct row *row)
{
	enum store_table index;
	struct span value;
	struct key key;

	if (!index_of_row(of, row, &index, &key) || table_is_absent(c->snap, index) ||
		table_get(c->snap, index, &key, &value) == OK)
		return;
	check_say(c, true, "%s %llu: is not in %s", store_table_name(of), (ull)check_id(row),
		store_table_name(index));
	check_fix_add(c, fix_index, key_span(&key), SPAN_NONE)->table = index;
}

static void
visit_user(struct check *c, const struct row *row)
{
	indexed(c, TABLE_users, row);
}

static void
visit_mapping(struct check *c, const struct row *row)
{
	indexed(c, TABLE_mappings, row);
}

static void
visit_indexed_member(struct check *c, const struct row *row)
{
	indexed(c, TABLE_list_members, row);
}

static void
visit_right(struct check *c, const struct row *row)
{
	indexed(c, TABLE_rights, row);
}

static void
visit_folder(struct check *c, const struct row *row)
{
	indexed(c, TABLE_folders, row);
}

static void
index_holds(struct check *c, enum store_table index, const struct row *row)
{
	if (index_row_holds(c->snap, index, row))
		return;
	check_say(c, true, "%s: a row follows from nothing", store_table_name(index));
	check_fix_delete(c, index, row->key);
}

static void
visit_group_member(struct check *c, const struct row *row)
{
	index_holds(c, TABLE_group_members, row);
}

static void
visit_target(struct check *c, const struct row *row)
{
	index_holds(c, TABLE_targets, row);
}

static void
visit_right_found(struct check *c, const struct row *row)
{
	index_holds(c, TABLE_rights_find, row);
}

static void
visit_folder_name(struct check *c, const struct row *row)
{
	index_holds(c, TABLE_folder_names, row);
}

void
check_lists(struct check *c)
{
	check_walk(c, TABLE_maillists, visit_list);
	check_walk(c, TABLE_list_members, visit_member);
	list_ends(c);
	check_walk(c, TABLE_list_sizes, visit_size);
	check_walk(c, TABLE_users, visit_user);
	check_walk(c, TABLE_mappings, visit_mapping);
	check_walk(c, TABLE_list_members, visit_indexed_member);
	check_walk(c, TABLE_group_members, visit_group_member);
	check_walk(c, TABLE_targets, visit_target);
	check_walk(c, TABLE_rights, visit_right);
	check_walk(c, TABLE_rights_find, visit_right_found);
	check_walk(c, TABLE_folders, visit_folder);
	check_walk(c, TABLE_folder_names, visit_folder_name);
}
