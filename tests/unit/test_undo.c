/*
 * test_undo.c - undo of what hangs on other rows: members, groups of users, app passwords.
 */
#include "tests/unit/test_maillists.h"

#include "store/app_passwords.h"
#include "store/changes.h"
#include "store/groups.h"
#include "store/users.h"

enum err
recorded(struct txn *txn, void *arg)
{
	static const struct change_start start = { .who = { "anna", 4 }, .via = { "cli", 3 },
		.what = { "maillist.set", 12 }, .object = { "team", 4 }, .now_ms = FIXTURE_NOW };
	struct change_recorder recorder;
	struct list_arg *a = arg;
	enum err err = change_begin(&recorder, txn, &start);

	if (err == OK)
		err = a->inner(txn, arg);
	a->change_id = recorder.change_id;
	return err == OK ? change_end(&recorder) : err;
}

enum err
undo(struct txn *txn, void *arg)
{
	static const struct change_start start = { .who = { "anna", 4 }, .now_ms = FIXTURE_NOW };
	struct list_arg *a = arg;
	uint64_t undo_id;

	return change_undo(txn, a->change_id, &start, NULL, &undo_id);
}

static void
test_maillists_undo(void **state)
{
	struct fixture *f = *state;
	struct list_arg first = { .member = "anna", .inner = add_member }, second, removal;
	struct maillist list;

	first.id = list_of(f, "team", "cleo");
	second = removal = first;
	assert_int_equal(run(f, recorded, &first), OK);
	second.member = "bert";
	assert_int_equal(run(f, recorded, &second), OK);
	expect_members(f, first.id, "anna bert cleo");
	assert_int_equal(run(f, undo, &first), OK); /* the later one does not stand in its way */
	expect_members(f, first.id, "bert cleo");
	removal.inner = remove_list;
	assert_int_equal(run(f, recorded, &removal), OK);
	expect_members(f, first.id, "");
	assert_int_equal(run(f, undo, &removal), OK);
	expect_members(f, first.id, "bert cleo");
	assert_int_equal(maillist_find_by_name(look(f), SPAN("team"), &list), OK);
	expect_clean(f);
}

/* ---- what hung on rows that are gone ---- */

static enum err
remove_member(struct txn *txn, void *arg)
{
	struct list_arg *a = arg;

	return maillist_member_remove(txn, a->id, span_of(a->member));
}

/* A member that left comes back to the list that he left, not to one that is gone. */
static void
test_undo_of_a_member_wants_the_list(void **state)
{
	struct fixture *f = *state;
	struct list_arg a = { .member = "anna", .inner = remove_member }, removal;

	a.id = list_of(f, "team", "anna");
	assert_int_equal(run(f, recorded, &a), OK);
	removal = a;
	removal.inner = remove_list;
	assert_int_equal(run(f, recorded, &removal), OK);
	assert_int_equal(run(f, undo, &a), ERR_EXISTS);
	expect_clean(f);
	assert_int_equal(run(f, undo, &removal), OK);
	assert_int_equal(run(f, undo, &a), OK);
	expect_members(f, a.id, "anna");
	expect_clean(f);
}

/* LST-09: a forwarding has one member, whichever way it came. */
static void
test_undo_lst_09_leaves_a_forwarding_its_one_member(void **state)
{
	struct fixture *f = *state;
	struct list_arg a = { .member = "anna", .inner = remove_member }, kind;

	a.id = list_of(f, "team", "anna");
	kind = a;
	kind.inner = set_list;
	kind.list = (struct maillist){ .list_id = a.id, .revision = 1, .kind = MAILLIST_FORWARDING };
	assert_int_equal(run(f, set_list, &kind), OK);
	assert_int_equal(run(f, recorded, &a), OK);
	assert_int_equal(member(f, add_member, a.id, "bert"), OK);
	assert_int_equal(run(f, undo, &a), ERR_EXISTS);
	expect_members(f, a.id, "bert");
	kind.list = (struct maillist){ .list_id = a.id, .revision = 2, .kind = MAILLIST_DISTRIBUTION };
	assert_int_equal(run(f, recorded, &kind), OK);
	assert_int_equal(run(f, undo, &a), OK);
	expect_members(f, a.id, "anna bert");
	assert_int_equal(run(f, undo, &kind), ERR_EXISTS);
}

static enum err
remove_group(struct txn *txn, void *arg)
{
	return group_remove(txn, ((struct list_arg *)arg)->id, FIXTURE_NOW);
}

static void
test_undo_grp_09_of_a_user_wants_his_group(void **state)
{
	struct fixture *f = *state;
	struct list_arg a = { .name = "staff", .member = "anna", .inner = leave }, removal;

	fixture_user(f, "anna");
	fixture_user(f, "bert");
	assert_int_equal(run(f, add_group, &a), OK);
	a.member = "bert"; /* stays in it, and comes back with it */
	assert_int_equal(run(f, join, &a), OK);
	a.member = "anna";
	assert_int_equal(run(f, join, &a), OK);
	assert_int_equal(run(f, recorded, &a), OK);
	removal = a;
	removal.inner = remove_group;
	assert_int_equal(run(f, recorded, &removal), OK);
	assert_int_equal(run(f, undo, &a), ERR_EXISTS);
	expect_clean(f);
	assert_int_equal(run(f, undo, &removal), OK);
	assert_int_equal(run(f, undo, &a), OK);
	expect_clean(f);
}

static enum err
add_app(struct txn *txn, void *arg)
{
	struct list_arg *a = arg;
	struct app_password app = { .user_id = a->id, .label = SPAN("phone"),
		.hash = SPAN("0123456789abcdef0123456789abcdef"), .protocols = 1 };

	return app_password_add(txn, &app, FIXTURE_NOW, &a->list.list_id);
}

static enum err
remove_app(struct txn *txn, void *arg)
{
	struct list_arg *a = arg;

	return app_password_remove(txn, a->id, a->list.list_id);
}

static enum err
remove_and_purge(struct txn *txn, void *arg)
{
	struct list_arg *a = arg;
	uint64_t at = 0;
	bool more = true;
	enum err err = user_remove(txn, a->id, FIXTURE_NOW);

	while (err == OK && more)
		err = users_purge_bin(txn, FIXTURE_NOW + 1, &at, &more);
	return err;
}

static void
test_undo_of_an_app_password_wants_the_user(void **state)
{
	struct fixture *f = *state;
	struct list_arg a = { .inner = remove_app };

	fixture_user(f, "boss");
	a.id = fixture_user(f, "anna");
	assert_int_equal(run(f, add_app, &a), OK);
	assert_int_equal(run(f, recorded, &a), OK);
	assert_int_equal(run(f, remove_and_purge, &a), OK);
	assert_int_equal(run(f, undo, &a), ERR_EXISTS);
	expect_clean(f);
}

int
test_undo(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_maillists_undo),
		T(test_undo_of_a_member_wants_the_list),
		T(test_undo_lst_09_leaves_a_forwarding_its_one_member),
		T(test_undo_grp_09_of_a_user_wants_his_group),
		T(test_undo_of_an_app_password_wants_the_user),
	};
#undef T
	return cmocka_run_group_tests_name("undo", tests, NULL, NULL);
}
