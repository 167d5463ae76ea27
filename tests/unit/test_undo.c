/*
 * test_undo.c - undo of lists and their members.
 */
#include "tests/unit/test_maillists.h"

#include "store/changes.h"

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

int
test_undo(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_maillists_undo),
	};
#undef T
	return cmocka_run_group_tests_name("undo", tests, NULL, NULL);
}
