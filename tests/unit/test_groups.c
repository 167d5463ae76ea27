/*
 * test_groups.c - groups and what they impose.
 */
#include "tests/unit/directory_fixture.h"

#include "store/groups.h"
#include "store/table.h"
#include "store/users.h"

struct group_arg {
	const char *name;
	uint64_t group_id, user_id;
	struct group group;
};

static enum err
add_group(struct txn *txn, void *arg)
{
	struct group_arg *a = arg;
	struct group group = a->group;

	group.name = span_of(a->name);
	return group_add(txn, &group, FIXTURE_NOW, &a->group_id);
}

static enum err
remove_group(struct txn *txn, void *arg)
{
	return group_remove(txn, ((struct group_arg *)arg)->group_id, FIXTURE_NOW);
}

static enum err
join_group(struct txn *txn, void *arg)
{
	struct group_arg *a = arg;
	struct user user;
	enum err err = user_find(txn_view(txn), a->user_id, &user);

	if (err == OK)
		err = group_join(txn_view(txn), a->group_id, &user);
	return err == OK ? user_set(txn, &user, FIXTURE_NOW) : err;
}

static void
test_groups_grp_01_one_name_space(void **state)
{
	struct fixture *f = *state;
	struct group_arg a = { .name = "sales" };
	struct group group;

	group_init(&a.group);
	assert_int_equal(run(f, add_group, &a), OK);
	a.name = "SALES";
	assert_int_equal(run(f, add_group, &a), ERR_EXISTS);
	fixture_user(f, "anna");
	a.name = "Anna";
	assert_int_equal(run(f, add_group, &a), ERR_EXISTS);
	a.name = "Everyone";
	assert_int_equal(run(f, add_group, &a), ERR_SYNTAX);
	fixture_reopen(f);
	assert_int_equal(group_find_by_name(look(f), SPAN("Sales"), &group), OK);
	assert_true(group.enabled && !group.force);
	assert_int_equal(group.monitor, TRI_UNSET);
	assert_int_equal(group_after(f->snap, SPAN_NONE, &group), OK);
	assert_int_equal(group_after(f->snap, group.name, &group), ERR_NOT_FOUND);
}

static void
test_groups_grp_09_remove_dismisses_members(void **state)
{
	struct fixture *f = *state;
	struct group_arg a = { .name = "sales", .user_id = fixture_user(f, "anna") };
	struct user user;

	group_init(&a.group);
	assert_int_equal(run(f, add_group, &a), OK);
	assert_int_equal(run(f, join_group, &a), OK);
	assert_int_equal(group_member_next(look(f), a.group_id, 0, &user), OK);
	assert_span_eq(user.name, "anna");
	assert_int_equal(
		group_member_next(f->snap, a.group_id, user.user_id, &user), ERR_NOT_FOUND);
	assert_int_equal(run(f, remove_group, &a), OK);
	assert_int_equal(user_find(look(f), a.user_id, &user), OK);
	assert_int_equal(user.group, 0);
	assert_int_equal(run(f, remove_group, &a), ERR_NOT_FOUND);
	assert_int_equal(run(f, add_group, &a), OK); /* the name is free again */
}

/* GRP-03 to 07: what holds for a member. */
static void
test_groups_grp_04_force_and_starting_values(void **state)
{
	struct fixture *f = *state;
	struct group_arg a = { .name = "sales", .user_id = fixture_user(f, "anna") };
	struct user user, out;

	group_init(&a.group);
	a.group.monitor = TRI_ON;
	a.group.everyone = TRI_OFF;
	a.group.max_out_kb = 500;
	a.group.reply_address = SPAN("*@example.org");
	assert_int_equal(run(f, add_group, &a), OK);
	assert_int_equal(run(f, join_group, &a), OK);
	assert_int_equal(user_find(look(f), a.user_id, &user), OK);
	assert_true(user.monitor && !user.everyone); /* starting values */
	user.monitor = false;
	group_apply(&a.group, &user, &out);
	assert_false(out.monitor); /* force is off: his own counts */
	assert_int_equal(out.max_out_kb, 500);
	assert_span_eq(out.reply_address, "*@example.org");
	user.max_out_kb = 900;
	a.group.force = true;
	a.group.enabled = false;
	group_apply(&a.group, &user, &out);
	assert_true(out.monitor);
	assert_int_equal(out.max_out_kb, 900);
	assert_false(out.enabled);
	group_apply(NULL, &user, &out);
	assert_true(out.enabled);
}

static void
test_groups_grp_06_reply_address(void **state)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{ "*@example.org", "helen@example.org" },
		{ "\"*\" <shop@example.org>", "\"helen\" <shop@example.org>" },
		{ "\"*\" <*.*@example.org>", "\"helen\" <helen.helen@example.org>" },
		{ "shop@example.org", "shop@example.org" },
		{ "*", "helen" },
		{ "", "" },
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_span_eq(group_reply_address(&a, span_of(rows[i].value), SPAN("helen")),
			rows[i].want);
	arena_reset(&a);
}

/* GRP-06, 07: the user's own value wins. */
static void
test_groups_grp_07_own_value_wins(void **state)
{
	struct group group;
	struct user user, out;

	(void)state;
	group_init(&group);
	user_init(&user);
	group.max_out_kb = 500;
	group.reply_address = SPAN("*@example.org");
	group_apply(&group, &user, &out);
	assert_int_equal(out.max_out_kb, 500);
	user.max_out_kb = 900;
	user.reply_address = SPAN("me@example.org");
	group_apply(&group, &user, &out);
	assert_int_equal(out.max_out_kb, 900);
	assert_span_eq(out.reply_address, "me@example.org");
}

static void
test_groups_grp_04_what_is_locked(void **state)
{
	struct group group;

	(void)state;
	group_init(&group);
	group.monitor = TRI_OFF;
	assert_false(group_locks(&group, SPAN("monitor")));
	group.force = true;
	assert_true(group_locks(&group, SPAN("monitor")));
	assert_false(group_locks(&group, SPAN("admin"))); /* unset */
	assert_false(group_locks(&group, SPAN("comment")));
	assert_false(group_locks(&group, SPAN("enabled")));
	assert_false(group_locks(&group, SPAN("group")));
}

static enum err
damage_user(struct txn *txn, void *arg)
{
	struct key key;

	key_u64(&key, ((struct group_arg *)arg)->user_id);
	return table_put(txn, TABLE_users, &key, SPAN("spoilt by hand"));
}

/* Expanding a group reads its members and nobody else. */
static void
test_groups_members_cost_no_walk_over_all(void **state)
{
	struct fixture *f = *state;
	struct group_arg a = { .name = "sales" }, other = { .user_id = fixture_user(f, "aaron") };
	struct user user = { .user_id = 0 };

	group_init(&a.group);
	assert_int_equal(run(f, add_group, &a), OK);
	for (unsigned i = 0; i < 3; i++) {
		a.user_id = fixture_user(f, (const char *[]){ "bert", "cleo", "dora" }[i]);
		if (i != 1)
			assert_int_equal(run(f, join_group, &a), OK);
	}
	assert_int_equal(run(f, damage_user, &other), OK);
	assert_int_equal(user_next(look(f), 0, &user), ERR_CORRUPT);
	user.user_id = 0;
	assert_int_equal(group_member_next(f->snap, a.group_id, 0, &user), OK);
	assert_span_eq(user.name, "bert");
	assert_int_equal(group_member_next(f->snap, a.group_id, user.user_id, &user), OK);
	assert_span_eq(user.name, "dora");
	assert_int_equal(
		group_member_next(f->snap, a.group_id, user.user_id, &user), ERR_NOT_FOUND);
	assert_int_equal(run(f, remove_group, &a), OK); /* nor does removing it */
}

int
test_groups(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_groups_grp_01_one_name_space),
		T(test_groups_grp_09_remove_dismisses_members),
		T(test_groups_grp_04_force_and_starting_values),
		T(test_groups_grp_06_reply_address),
		T(test_groups_grp_07_own_value_wins),
		T(test_groups_grp_04_what_is_locked),
		T(test_groups_members_cost_no_walk_over_all),
	};
#undef T
	return cmocka_run_group_tests_name("groups", tests, NULL, NULL);
}
