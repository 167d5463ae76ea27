/*
 * test_folder_removal.c - folders go, and their owners: nothing is left, whatever comes in between.
 */
#include "tests/unit/folder_fixture.h"

#include "store/bin.h"

static enum err
forget_user(struct txn *txn, void *arg)
{
	struct act *a = arg;
	bool more = true;
	enum err err = user_remove(txn, a->user_id, 1);

	a->folder_id = 0;
	while (err == OK && more)
		err = users_purge_bin(txn, FIXTURE_NOW, &a->folder_id, &more);
	return err;
}

static void
test_who_goes_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t anna = fixture_user(f, "anna"), bert = fixture_user(f, "bert");
	struct act a = { .user_id = bert, .right = { .folder_id = found(f, anna, "Sent").folder_id,
		.owner_id = anna, .kind = RIGHT_OF_USER, .subject_id = bert,
		.given = RIGHT_LOOKUP } };
	uint64_t rows;

	assert_int_equal(run(f, give, &a), OK);
	a.right = (struct folder_right){ .folder_id = found(f, bert, "Sent").folder_id,
		.owner_id = bert, .kind = RIGHT_OF_ANYONE, .given = RIGHT_LOOKUP };
	assert_int_equal(run(f, give, &a), OK);
	assert_int_equal(table_count(look(f), TABLE_rights_find, &rows), OK);
	assert_int_equal(rows, 2);
	assert_int_equal(run(f, forget_user, &a), OK);
	assert_int_equal(table_count(look(f), TABLE_rights, &rows), OK);
	assert_int_equal(rows, 0);
	assert_int_equal(table_count(f->snap, TABLE_rights_find, &rows), OK);
	assert_int_equal(rows, 0);
	assert_int_equal(table_count(f->snap, TABLE_subscriptions, &rows), OK);
	assert_int_equal(rows, 6);
	closes_clean(f);
}

/* RCY-01: what was in it lies in the bin; its children stay; it can come back by its name. */
static void
test_removed_folder_rcy_01_goes_to_the_bin(void **state)
{
	struct fixture *f = *state;
	uint64_t anna = fixture_user(f, "anna"), work = made(f, anna, "Work");
	struct fixture_message m = { .user_id = anna, .folder_id = work, .body_size = 50 };
	struct folder_totals before, after;
	struct folder_removal r;

	made(f, anna, "Work/child");
	for (m.seed = 0; m.seed < 200; m.seed++)
		assert_int_equal(run(f, fixture_place, &m), OK);
	folder_removal_init(&r);
	r.user_id = anna;
	r.folder_id = work;
	assert_int_equal(folder_totals(look(f), anna, &before), OK);
	assert_int_equal(store_run_job_now(f->store, &r.job), OK);
	assert_int_equal(folder_totals(look(f), anna, &after), OK);
	assert_int_equal(after.folders, before.folders - 1);
	assert_int_equal(after.bytes, 0); /* RCY-02: not in the quota */
	assert_false(is_there(f, anna, "Work"));
	assert_true(is_there(f, anna, "Work/child"));
	assert_int_equal(found(f, anna, "\001bin").held, 200);
	r.folder_id = found(f, anna, "INBOX").folder_id;
	assert_int_equal(store_run_job_now(f->store, &r.job), ERR_DENIED);
	closes_clean(f);
}

static enum err
hide_it(struct txn *txn, void *arg)
{
	struct act *a = arg;

	return folder_hide(txn, a->user_id, a->folder_id);
}

static enum err
leftovers(struct txn *txn, void *arg)
{
	return folder_leftovers(txn, arg);
}

/* A removal whose slices housekeeping carries out meanwhile. */
struct raced {
	struct folder_removal r; /* first */
	enum step (*apply)(struct store_job *job, struct txn *txn);
};

static enum step
removal_raced(struct store_job *job, struct txn *txn)
{
	struct raced *raced = (struct raced *)job;
	enum step step = raced->apply(job, txn);
	bool more = step == STEP_MORE;

	while (more)
		assert_int_equal(folder_leftovers(txn, &more), OK);
	return step;
}

static void
test_removal_is_done_where_housekeeping_was_faster(void **state)
{
	struct fixture *f = *state;
	struct fixture_message m = { .user_id = fixture_user(f, "anna"), .body_size = 50 };
	struct raced raced;

	m.folder_id = made(f, m.user_id, "Work");
	assert_int_equal(run(f, fixture_place, &m), OK);
	folder_removal_init(&raced.r);
	raced.r.user_id = m.user_id;
	raced.r.folder_id = m.folder_id;
	raced.apply = raced.r.job.apply;
	raced.r.job.apply = removal_raced;
	assert_int_equal(store_run_job_now(f->store, &raced.r.job), OK);
	assert_int_equal(found(f, m.user_id, "\001bin").held, 1);
	raced.r.hidden = false;
	assert_int_equal(store_run_job_now(f->store, &raced.r.job), ERR_NOT_FOUND);
}

/* A crash behind the first step: housekeeping ends it. */
static void
test_removal_is_finished_after_a_crash(void **state)
{
	struct fixture *f = *state;
	struct act a = { .user_id = fixture_user(f, "anna") };
	struct fixture_message m = { .user_id = a.user_id, .body_size = 50 };
	bool more = true;

	m.folder_id = a.folder_id = made(f, a.user_id, "Work");
	assert_int_equal(run(f, fixture_place, &m), OK);
	assert_int_equal(run(f, hide_it, &a), OK);
	closes_clean(f); /* what is half done is whole in itself */
	assert_false(is_there(f, a.user_id, "Work"));
	while (more)
		assert_int_equal(run(f, leftovers, &more), OK);
	assert_int_equal(found(f, a.user_id, "\001bin").held, 1);
	assert_int_equal(folder_next(look(f), FOLDER_OWNER_NOBODY, 0, &(struct folder){ 0 }),
		ERR_NOT_FOUND);
	closes_clean(f);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_folder_removal(void)
{
	const struct CMUnitTest tests[] = {
		T(test_who_goes_leaves_nothing),
		T(test_removed_folder_rcy_01_goes_to_the_bin),
		T(test_removal_is_done_where_housekeeping_was_faster),
		T(test_removal_is_finished_after_a_crash),
	};

	return cmocka_run_group_tests_name("folder removal", tests, NULL, NULL);
}
