/*
 * check_directory.c - users, names, groups, mappings, traces, changes, counters.
 */
#include "proto/base/ascii.h"
#include "store/changes.h"
#include "store/check_run.h"
#include "store/folder_names.h"
#include "store/groups.h"
#include "store/logins.h"
#include "store/maillists.h"
#include "store/mappings.h"
#include "store/names.h"
#include "store/quota_marks.h"
#include "store/rows.h"
#include "store/trace_hours.h"
#include "store/users.h"

typedef unsigned long long ull;

void
check_tally(struct check *c, enum store_table table, const struct row *row)
{
	struct counts counts;

	row_tally(table, row->key, row->value, &counts);
	for (size_t i = 0; i < COUNT_COUNT; i++)
		c->tally.at[i] += counts.at[i];
}

/* ---- users and groups ---- */

static enum err
fix_name(struct txn *txn, const struct check_fix *fix)
{
	return name_add(txn, fix->value, (enum name_kind)fix->n[0], fix->n[1]);
}

void
check_name(struct check *c, struct span name, enum name_kind kind, uint64_t id)
{
	static const char *const words[] = { "", "users", "groups", "lists" };
	struct check_fix *fix;
	struct name_row row;
	enum err err = name_find(c->snap, name, &row);

	if (err == OK && row.kind == kind && row.id == id)
		return;
	check_say(c, err == ERR_NOT_FOUND, "%s %llu: its name leads %s", words[kind], (ull)id,
		err == OK ? "to another" : "nowhere");
	if (err != ERR_NOT_FOUND)
		return;
	fix = check_fix_add(c, fix_name, SPAN_NONE, name);
	fix->n[0] = kind;
	fix->n[1] = id;
}

static enum err
fix_inbox(struct txn *txn, const struct check_fix *fix)
{
	uint64_t folder_id;

	return folder_make(txn, fix->n[0], SPAN("INBOX"), &folder_id);
}

static enum err
fix_group_of(struct txn *txn, const struct check_fix *fix)
{
	struct user user;
	struct key key;
	enum err err = user_find(txn_view(txn), fix->n[0], &user);

	if (err != OK)
		return err;
	user.group = 0;
	key_u64(&key, fix->n[0]);
	return row_put_fields(txn, TABLE_users, &key, &user_table, &user);
}

static void
visit_user(struct check *c, const struct row *row)
{
	uint64_t id = check_id(row);
	struct folder folder;
	struct group group;
	struct user user;

	if (row_fields(c->snap, TABLE_users, row, &user_table, &user) != OK) {
		check_say(c, false, "users %llu: damaged", (ull)id);
		return;
	}
	check_tally(c, TABLE_users, row);
	if (user.group != 0 && group_find(c->snap, user.group, &group) == ERR_NOT_FOUND) {
		check_say(c, true, "users %llu: is in a group that is not there", (ull)id);
		check_fix_add(c, fix_group_of, SPAN_NONE, SPAN_NONE)->n[0] = id;
	}
	if (user.removed_ms != 0)
		return;
	check_name(c, user.name, NAME_USER, id);
	if (folder_find_by_walk(c->snap, id, SPAN("INBOX"), &folder) == ERR_NOT_FOUND) {
		check_say(c, true, "users %llu: has no INBOX", (ull)id);
		check_fix_add(c, fix_inbox, SPAN_NONE, SPAN_NONE)->n[0] = id;
	}
}

static void
visit_group(struct check *c, const struct row *row)
{
	struct group group;

	if (row_fields(c->snap, TABLE_groups, row, &group_table, &group) != OK) {
		check_say(c, false, "groups %llu: damaged", (ull)check_id(row));
		return;
	}
	check_tally(c, TABLE_groups, row);
	check_name(c, group.name, NAME_GROUP, check_id(row));
}

/* Does the name lead to something that is called so? Of what is damaged that cannot be told. */
static bool
name_holds(struct check *c, const struct name_row *name, struct span text)
{
	struct maillist list = { 0 };
	struct group group = { 0 };
	struct user user = { 0 };
	struct span called = SPAN_NONE;
	enum err err = ERR_NOT_FOUND;

	switch ((enum name_kind)name->kind) {
	case NAME_USER:
		err = user_find(c->snap, name->id, &user);
		called = user.removed_ms == 0 ? user.name : SPAN_NONE;
		break;
	case NAME_GROUP:
		err = group_find(c->snap, name->id, &group);
		called = group.name;
		break;
	case NAME_LIST:
		err = maillist_find(c->snap, name->id, &list);
		called = list.name;
		break;
	default:
		break;
	}
	return err == ERR_CORRUPT || (err == OK && span_eq_nocase(called, text));
}

static void
visit_name(struct check *c, const struct row *row)
{
	struct name_row name = { .kind = NAME_NONE };
	enum err err = name_find(c->snap, row->key, &name);

	if (err == OK && name_holds(c, &name, row->key))
		return;
	check_say(c, true, "names %.*s: %s", SPAN_FMT(row->key),
		err == OK ? "leads to nothing of that name" : "damaged");
	check_fix_delete(c, TABLE_names, row->key);
}

static void
visit_login(struct check *c, const struct row *row)
{
	struct logins logins;
	struct user user;

	if (logins_find(c->snap, check_id(row), &logins) == OK &&
		user_find(c->snap, check_id(row), &user) != ERR_NOT_FOUND)
		return;
	check_say(c, true, "logins %llu: damaged, or of no user", (ull)check_id(row));
	check_fix_delete(c, TABLE_logins, row->key);
}

static void
visit_quota_marks(struct check *c, const struct row *row)
{
	struct user user;
	uint8_t bits;

	if (quota_marks_get(c->snap, check_id(row), &bits) == OK &&
		user_find(c->snap, check_id(row), &user) != ERR_NOT_FOUND)
		return;
	check_say(c, true, "quota_marks %llu: damaged, or of no user", (ull)check_id(row));
	check_fix_delete(c, TABLE_quota_marks, row->key);
}

/* ---- mappings ---- */

static enum err
fix_mapping(struct txn *txn, const struct check_fix *fix)
{
	return mapping_reindex(txn, fix->n[0]);
}

static void
visit_mapping(struct check *c, const struct row *row)
{
	struct mapping m;
	uint64_t id = check_id(row);

	if (row_fields(c->snap, TABLE_mappings, row, &mapping_table, &m) != OK) {
		check_say(c, false, "mappings %llu: damaged", (ull)id);
		return;
	}
	m.mapping_id = id;
	check_tally(c, TABLE_mappings, row);
	if (mapping_is_indexed(c->snap, &m))
		return;
	check_say(c, true, "mappings %llu: cannot be found by its pattern", (ull)id);
	check_fix_add(c, fix_mapping, SPAN_NONE, SPAN_NONE)->n[0] = id;
}

static void
visit_mapping_find(struct check *c, const struct row *row)
{
	if (mapping_index_holds(c->snap, row)) {
		check_tally(c, TABLE_mapping_find, row);
		return;
	}
	check_say(c, true, "mapping_find: a row leads to no mapping of that pattern");
	check_fix_delete(c, TABLE_mapping_find, row->key);
}

/* ---- traces and changes ---- */

static void
visit_trace(struct check *c, const struct row *row)
{
	struct trace trace;

	if (row_fields(c->snap, TABLE_traces, row, &trace_table, &trace) == OK)
		return;
	check_say(c, true, "traces %llu: damaged", (ull)check_id(row));
	check_fix_delete(c, TABLE_traces, row->key);
}

static void
visit_refusal(struct check *c, const struct row *row)
{
	struct refusal refusal;

	if (row_fields(c->snap, TABLE_refusals, row, &refusal_table, &refusal) == OK)
		return;
	check_say(c, true, "refusals: a row is damaged");
	check_fix_delete(c, TABLE_refusals, row->key);
}

static enum err
fix_trace_hour(struct txn *txn, const struct check_fix *fix)
{
	struct trace_hour hour;

	return trace_hour_mend(txn, (uint32_t)fix->n[0], &hour);
}

static void
visit_trace_hour(struct check *c, const struct row *row)
{
	struct span key = row->key;
	struct trace_hour hour;
	uint32_t number = 0;

	if (key_take_u32(&key, &number) == OK && trace_hour_get(c->snap, number, &hour) == OK) {
		c->tally.at[COUNT_trace_rows] += hour.rows;
		c->tally.at[COUNT_trace_bytes] += hour.bytes;
		return;
	}
	check_say(c, true, "trace_hours %lu: damaged", (unsigned long)number);
	check_fix_add(c, fix_trace_hour, SPAN_NONE, SPAN_NONE)->n[0] = number;
}

static void
visit_change(struct check *c, const struct row *row)
{
	struct change change;

	if (row_fields(c->snap, TABLE_changes, row, &change_table, &change) == OK)
		check_tally(c, TABLE_changes, row);
	else
		check_say(c, false, "changes %llu: damaged", (ull)check_id(row));
}

static void
visit_change_row(struct check *c, const struct row *row)
{
	struct span key = row->key;
	struct change_row change_row;
	uint64_t change_id = 0, row_no = 0;

	if (key_take_u64(&key, &change_id) == OK && key_take_u64(&key, &row_no) == OK &&
		change_row_find(c->snap, change_id, row_no, &change_row) == OK)
		return;
	check_say(c, false, "change_rows %llu: row %llu damaged", (ull)change_id, (ull)row_no);
}

/* ---- counters ---- */

static enum err
fix_counts(struct txn *txn, const struct check_fix *fix)
{
	struct counts counts;

	memcpy(&counts, fix->value.ptr, sizeof(counts));
	return counts_put(txn, &counts);
}

static void
check_counts(struct check *c)
{
	struct counts counts;
	enum err err = counts_get(c->snap, &counts);
	bool wrong = err != OK;

	if (err != OK)
		check_say(c, true, "counts: damaged");
	for (size_t i = 0; err == OK && i < COUNT_COUNT; i++) {
		if (counts.at[i] == c->tally.at[i])
			continue;
		wrong = true;
		check_say(c, true, "counts: %s is %llu, should be %llu",
			count_name((enum store_count)i), (ull)counts.at[i], (ull)c->tally.at[i]);
	}
	if (wrong)
		check_fix_add(c, fix_counts, SPAN_NONE,
			(struct span){ (const char *)&c->tally, sizeof(c->tally) });
}

void
check_directory(struct check *c)
{
	static const struct {
		enum store_table table;
		check_visit_fn *visit;
	} walks[] = {
		{ TABLE_users, visit_user },
		{ TABLE_groups, visit_group },
		{ TABLE_names, visit_name },
		{ TABLE_logins, visit_login }, { TABLE_quota_marks, visit_quota_marks },
		{ TABLE_mappings, visit_mapping },
		{ TABLE_mapping_find, visit_mapping_find },
		{ TABLE_traces, visit_trace },
		{ TABLE_refusals, visit_refusal },
		{ TABLE_trace_hours, visit_trace_hour },
		{ TABLE_changes, visit_change },
		{ TABLE_change_rows, visit_change_row },
	};

	for (size_t i = 0; i < COUNT(walks); i++)
		check_walk(c, walks[i].table, walks[i].visit);
	check_lists(c);
	check_counts(c); /* the queue's were tallied before */
}
