/*
 * test_referrers.c - what points at a name, and the rows that follow others.
 */
#include "tests/unit/test_maillists.h"

#include <lmdb.h>
#include <stdio.h>

#include "store/folders.h"
#include "store/groups.h"
#include "store/mappings.h"
#include "store/referrers.h"
#include "store/rows.h"
#include "store/users.h"

/* ---- what points at a name ---- */

static enum err
add_mapping(struct txn *txn, void *arg)
{
	struct list_arg *a = arg;
	struct mapping m = { .pattern = span_of(a->name), .target = span_of(a->member) };

	return mapping_add(txn, &m, FIXTURE_NOW, &a->id);
}

static uint64_t
mapping_of(struct fixture *f, const char *pattern, const char *target)
{
	struct list_arg a = { .name = pattern, .member = target };

	assert_int_equal(run(f, add_mapping, &a), OK);
	return a.id;
}

static void
expect_referrers(struct fixture *f, const char *name, const char *want)
{
	struct referrer r;
	char got[300] = "";
	size_t len = 0;
	enum err err;

	referrer_begin(&r);
	look(f);
	while ((err = referrer_next(f->snap, span_of(name), &r)) == OK)
		len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%s:%.*s", len ? " " : "",
			r.kind == REFERRER_MAPPING ? "mapping" : "list", SPAN_FMT(r.target));
	assert_int_equal(err, ERR_NOT_FOUND);
	assert_string_equal(got, want);
}

static enum err
remove_referrers(struct txn *txn, void *arg)
{
	struct span name = span_of(((struct list_arg *)arg)->name);
	struct referrer r;
	enum err err;

	referrer_begin(&r);
	while ((err = referrer_next(txn_view(txn), name, &r)) == OK)
		if ((err = referrer_remove(txn, &r)) != OK)
			return err;
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
rename_referrers(struct txn *txn, void *arg)
{
	struct list_arg *a = arg;
	struct referrer r;
	enum err err;

	referrer_begin(&r);
	while ((err = referrer_next(txn_view(txn), span_of(a->name), &r)) == OK) {
		err = referrer_rename(
			txn, &r, span_of(a->name), span_of(a->member), FIXTURE_NOW);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static void
point_at_anna(struct fixture *f, uint64_t *team)
{
	mapping_of(f, "office", "Anna");
	mapping_of(f, "shop@example.org", "anna@example.org");
	mapping_of(f, "x", "anna-b");
	mapping_of(f, "y", "annabel");
	mapping_of(f, "z", "anna.c@example.org");
	*team = list_of(f, "team", "anna");
	assert_int_equal(member(f, add_member, *team, "ANNA@example.net"), OK);
	assert_int_equal(member(f, add_member, *team, "anna+x@example.net"), OK);
}

static void
test_referrers_q_04_found_and_removed(void **state)
{
	struct fixture *f = *state;
	struct list_arg a = { .name = "anna", .inner = remove_referrers };
	uint64_t team;

	point_at_anna(f, &team);
	expect_referrers(f, "ANNA",
		"mapping:anna list:anna list:anna@example.net mapping:anna@example.org");
	expect_referrers(f, "bert", "");
	expect_clean(f);
	assert_int_equal(run(f, recorded, &a), OK);
	expect_referrers(f, "anna", "");
	expect_referrers(f, "annabel", "mapping:annabel");
	expect_members(f, team, "anna+x@example.net");
	assert_int_equal(run(f, undo, &a), OK);
	expect_referrers(f, "anna",
		"mapping:anna list:anna list:anna@example.net mapping:anna@example.org");
	expect_clean(f);
}

static void
test_referrers_follow_a_rename(void **state)
{
	struct fixture *f = *state;
	struct list_arg a = { .name = "anna", .member = "annika" };
	uint64_t team;

	point_at_anna(f, &team);
	mapping_of(f, "office", "annika"); /* is there already: the old one goes */
	assert_int_equal(member(f, add_member, team, "annika"), OK);
	assert_int_equal(run(f, rename_referrers, &a), OK);
	expect_referrers(f, "anna", "");
	expect_referrers(f, "annika",
		"mapping:annika list:annika list:annika@example.net mapping:annika@example.org");
	expect_members(f, team, "anna+x@example.net annika annika@example.net");
	expect_clean(f);
}

/* ---- groups: who is in them costs no walk over all users ---- */

enum err
join(struct txn *txn, void *arg)
{
	struct list_arg *a = arg;
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), span_of(a->member), &user);

	if (err == OK)
		err = group_join(txn_view(txn), a->id, &user);
	return err == OK ? user_set(txn, &user, FIXTURE_NOW) : err;
}

enum err
leave(struct txn *txn, void *arg)
{
	struct list_arg *a = arg;
	uint64_t id = a->id;
	enum err err;

	a->id = 0;
	err = join(txn, arg);
	a->id = id;
	return err;
}

static enum err
remove_user(struct txn *txn, void *arg)
{
	struct user user;
	enum err err = user_find_by_name(
		txn_view(txn), span_of(((struct list_arg *)arg)->member), &user);

	return err == OK ? user_remove(txn, user.user_id, FIXTURE_NOW) : err;
}

static size_t
members_of_group(struct fixture *f, uint64_t group_id)
{
	struct user user = { .user_id = 0 };
	size_t n = 0;

	look(f);
	while (group_member_next(f->snap, group_id, user.user_id, &user) == OK)
		n++;
	return n;
}

static void
test_group_members_follow_users(void **state)
{
	struct fixture *f = *state;
	struct list_arg a = { .name = "staff", .member = "anna", .inner = join };

	fixture_user(f, "anna");
	fixture_user(f, "bert");
	assert_int_equal(run(f, add_group, &a), OK);
	assert_int_equal(members_of_group(f, a.id), 0);
	assert_int_equal(run(f, recorded, &a), OK);
	assert_int_equal(members_of_group(f, a.id), 1);
	assert_int_equal(run(f, undo, &a), OK);
	assert_int_equal(members_of_group(f, a.id), 0);
	assert_int_equal(run(f, join, &a), OK);
	a.member = "bert";
	assert_int_equal(run(f, join, &a), OK);
	assert_int_equal(members_of_group(f, a.id), 2);
	assert_int_equal(run(f, remove_user, &a), OK); /* in the bin: no member, yet in the index */
	assert_int_equal(members_of_group(f, a.id), 1);
	a.member = "anna";
	assert_int_equal(run(f, leave, &a), OK);
	assert_int_equal(members_of_group(f, a.id), 0);
	expect_clean(f);
}

/* ---- check and repair ---- */

struct spoil {
	enum store_table table;
	const char *what;
	size_t nth;      /* row of the table */
	bool remove;     /* the row; else its value is spoilt, or a stray row is added */
	bool stray;
};

static enum err
spoil(struct txn *txn, void *arg)
{
	struct spoil *s = arg;
	struct key key;
	struct row row;
	enum err err;

	key_begin(&key);
	err = table_seek(txn_view(txn), s->table, &key, &row);
	for (size_t i = 0; i < s->nth && err == OK; i++)
		err = table_next(txn_view(txn), s->table, &row);
	if (err != OK)
		return err;
	key_name(&key, row.key);
	if (s->remove)
		return table_delete(txn, s->table, &key);
	if (s->stray)
		key.bytes[key.len - 1] = '~';
	return table_put(txn, s->table, &key, s->stray ? SPAN_NONE : SPAN("spoilt by hand"));
}

static void
test_check_lists_finds_and_mends(void **state)
{
	struct spoil spoils[] = {
		{ TABLE_list_members, "damaged member", 1, false, false },
		{ TABLE_list_sizes, "size lost", 0, true, false },
		{ TABLE_list_sizes, "size damaged", 0, false, false },
		{ TABLE_targets, "target lost", 0, true, false },
		{ TABLE_targets, "target of a member lost", 1, true, false },
		{ TABLE_targets, "stray target", 0, false, true },
		{ TABLE_group_members, "member lost", 0, true, false },
		{ TABLE_group_members, "stray member", 0, false, true },
		{ TABLE_names, "name of the list lost", 3, true, false },
		{ TABLE_maillists, "list gone", 0, true, false },
	};
	struct fixture *f = *state;
	struct list_arg a = { .name = "staff", .member = "anna" };
	unsigned lines;
	uint64_t team;

	fixture_user(f, "anna");
	fixture_user(f, "bert");
	assert_int_equal(run(f, add_group, &a), OK);
	assert_int_equal(run(f, join, &a), OK);
	point_at_anna(f, &team);
	for (size_t i = 0; i < COUNT(spoils); i++) {
		if (run(f, spoil, &spoils[i]) != OK)
			fail_msg("%s: not spoilt", spoils[i].what);
		fixture_close(f);
		if (fixture_check(f, false, &lines) != 1 || lines == 0)
			fail_msg("%s: not found", spoils[i].what);
		if (fixture_check(f, true, &lines) != 0)
			fail_msg("%s: not mended", spoils[i].what);
		assert_int_equal(fixture_check(f, false, &lines), 0);
		fixture_open(f);
		if (spoils[i].table != TABLE_maillists)
			expect_members(f, team, "anna anna+x@example.net ANNA@example.net");
		assert_int_equal(members_of_group(f, a.id), 1);
	}
	expect_members(f, team, ""); /* with its list the members went */
}

/* ---- a store of before there were lists ---- */

/* The row of counters as it was: without the last ones. */
static void
drop_counters(MDB_txn *txn, MDB_dbi meta, size_t count)
{
	MDB_val key = { 8, (void *)(uintptr_t) "counters" }, value;
	struct span name = SPAN("counters"), sealed;
	char room[RECORD_HEAD + 8 * (COUNTER_COUNT + 1)];
	struct record_out out;
	struct record_in in;
	struct key at;

	key_name(&at, name);
	assert_int_equal(mdb_get(txn, meta, &key, &value), 0);
	assert_int_equal(record_open(&in, TABLE_meta, name,
		(struct span){ value.mv_data, value.mv_size }, 1), OK);
	record_begin(&out, room, sizeof(room), 1);
	for (size_t i = 0; i < 1 + COUNTER_COUNT - count; i++)
		record_put_u64(&out, record_take_u64(&in));
	assert_int_equal(record_seal(&out, TABLE_meta, &at, &sealed), OK);
	value = (MDB_val){ sealed.len, (void *)(uintptr_t)sealed.ptr };
	assert_int_equal(mdb_put(txn, meta, &key, &value, 0), 0);
}

/* The first COUNT of these, and the COUNTERS that came last. */
static void
drop_tables(const struct fixture *f, size_t count, size_t counters)
{
	static const char *const tables[] = { "folder_names", "maillists", "list_members",
		"list_sizes", "targets", "group_members" };
	MDB_val key = { 4, (void *)(uintptr_t) "seal" }, value;
	uint64_t id;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 64), 0);
	assert_int_equal(mdb_env_set_mapsize(env, (size_t)1 << 30), 0);
	assert_int_equal(mdb_env_open(env, f->dir, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	for (size_t i = 0; i < COUNT(tables) && i < count; i++)
		if (mdb_dbi_open(txn, tables[i], 0, &dbi) == 0)
			assert_int_equal(mdb_drop(txn, dbi, 1), 0);
	id = mdb_txn_id(txn); /* as every commit does (H48) */
	value = (MDB_val){ sizeof(id), &id };
	assert_int_equal(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
	if (counters > 0)
		drop_counters(txn, dbi, counters);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void
test_indexes_are_made_for_an_older_store(void **state)
{
	struct fixture *f = *state;
	struct list_arg a = { .name = "staff", .member = "anna" };
	unsigned lines;

	fixture_user(f, "anna");
	assert_int_equal(run(f, add_group, &a), OK);
	assert_int_equal(run(f, join, &a), OK);
	mapping_of(f, "office", "anna");
	fixture_close(f);
	drop_tables(f, SIZE_MAX, 0);
	assert_int_not_equal(fixture_check(f, false, &lines), 0); /* they should be there */
	drop_tables(f, SIZE_MAX, 2);
	assert_int_equal(fixture_check(f, false, &lines), 0); /* they cannot be there yet */
	assert_int_equal(lines, 0);
	fixture_open(f);
	assert_int_equal(members_of_group(f, a.id), 1);
	expect_referrers(f, "anna", "mapping:anna");
	list_of(f, "team", "anna");
	expect_clean(f);
}

/* An index alone is no loss, and check needs none. */
static void
test_folders_are_indexed_by_name_at_the_next_start(void **state)
{
	struct fixture *f = *state;
	uint64_t user_id = fixture_user(f, "anna");
	struct folder folder;
	unsigned lines;

	fixture_close(f);
	drop_tables(f, 1, 0);
	assert_int_equal(fixture_check(f, false, &lines), 0);
	assert_int_equal(lines, 0);
	fixture_open(f);
	assert_int_equal(folder_find(look(f), user_id, SPAN("inbox"), &folder), OK);
	assert_int_equal(folder_find(f->snap, user_id, SPAN("Sent"), &folder), OK);
	expect_clean(f);
}

int
test_referrers(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_referrers_q_04_found_and_removed),
		T(test_referrers_follow_a_rename),
		T(test_group_members_follow_users),
		T(test_check_lists_finds_and_mends),
		T(test_indexes_are_made_for_an_older_store),
		T(test_folders_are_indexed_by_name_at_the_next_start),
	};
#undef T
	return cmocka_run_group_tests_name("referrers", tests, NULL, NULL);
}
