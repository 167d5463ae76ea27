/*
 * test_forwards.c - pairs of store and forward: every way in which a message leaves a mailbox, and every end
 * of its recipient (SNF-04, SNF-05, Q-27).
 */
#include "tests/unit/forward_fixture.h"

#include "store/folder_jobs.h"
#include "store/forwards.h"
#include "store/ids.h"
#include "store/message_ways.h"
#include "store/queued.h"
#include "store/traces.h"

/* ---- SNF-04: the server took it ---- */

static void
test_snf_04_taken_leaves_the_mailbox(void **state)
{
	snf_init(state, 10);
	assert_int_equal(snf_pending(), 10);
	snf_taken(3);
	assert_int_equal(snf_messages(snf_box.inbox), 9);
	assert_int_equal(snf_pending(), 9);
	assert_int_equal(entry_find(look(snf_box.f), snf_box.inbox, 3, &(struct entry){ 0 }), ERR_NOT_FOUND);
	box_is_clean(&snf_box);
}

static void
test_snf_04_taken_wherever_it_was_moved_to(void **state)
{
	snf_init(state, 500);
	snf_transfer(snf_box.inbox, snf_box.other, 2, 5, true);       /* in one slice */
	snf_check_tied(3, snf_box.other, 2);
	snf_taken(3);
	assert_int_equal(snf_messages(snf_box.other), 3);
	snf_transfer(snf_box.inbox, snf_box.other, 10, 400, true); /* laid down first */
	snf_check_tied(399, snf_box.other, 5 + 389);
	snf_taken(399);
	assert_int_equal(snf_messages(snf_box.other), 3 + 390);
	snf_transfer(snf_box.other, snf_box.inbox, 1, 1, true); /* and back again */
	snf_check_tied(2, snf_box.inbox, 501);
	snf_taken(2);
	assert_int_equal(snf_messages(snf_box.inbox) + snf_messages(snf_box.other), 497);
	assert_int_equal(snf_pending(), 497);
	box_is_clean(&snf_box);
}

static enum err
hold_and_release(struct txn *txn, void *arg)
{
	struct folder folder;
	uint32_t uid = *(uint32_t *)arg;
	enum err err = folder_get(txn_view(txn), snf_box.user_id, snf_box.inbox, &folder);

	if (err == OK)
		err = message_hold(txn, &folder, uid, true, &uid);
	if (err == OK)
		err = message_hold(txn, &folder, uid, false, &uid);
	return err;
}

static void
test_snf_04_taken_after_a_hold(void **state)
{
	uint32_t uid = 4;

	snf_init(state, 10);
	assert_int_equal(run(snf_box.f, hold_and_release, &uid), OK);
	snf_check_tied(4, snf_box.inbox, 11);
	snf_taken(4);
	assert_int_equal(snf_messages(snf_box.inbox), 9);
	box_is_clean(&snf_box);
}

/* ---- SNF-05: it leaves the mailbox ---- */

static void
test_snf_05_bin_and_expunge_cancel(void **state)
{
	struct snf_pairing two = { 5, 6 };

	snf_init(state, 10);
	box_bin(&snf_box, snf_box.inbox, 1, 3);
	assert_int_equal(run(snf_box.f, snf_expunge, &two), OK);
	for (uint32_t uid = 1; uid <= 10; uid++)
		assert_int_equal(snf_waits(uid), uid == 4 || uid > 6);
	assert_int_equal(snf_pending(), 5);
	box_is_clean(&snf_box);
}

static enum err
restore_first(struct txn *txn, void *arg)
{
	struct folder to;
	uint32_t uid;

	(void)arg;
	return bin_restore(txn, snf_box.user_id, 1, &to, &uid);
}

/* What was cancelled stays so. */
static void
test_snf_05_restored_stays_here(void **state)
{
	snf_init(state, 3);
	box_bin(&snf_box, snf_box.inbox, 1, 1);
	assert_int_equal(run(snf_box.f, restore_first, NULL), OK);
	assert_int_equal(snf_messages(snf_box.inbox), 3);
	assert_false(snf_waits(1));
	assert_int_equal(snf_pending(), 2);
	box_is_clean(&snf_box);
}

struct removing {
	struct change_recorder recorder;
	uint64_t undo_id;
};

static enum err
remove_first(struct txn *txn, void *arg)
{
	struct removing *r = arg;
	struct change_start start = { .who = SPAN("anna"), .via = SPAN("cli"),
		.what = SPAN("message.remove"), .now_ms = FIXTURE_NOW };
	struct folder folder;
	uint32_t bin_uid;
	enum err err = change_begin(&r->recorder, txn, &start);

	if (err == OK)
		err = folder_get(txn_view(txn), snf_box.user_id, snf_box.inbox, &folder);
	if (err == OK)
		err = message_way_bin(txn, &folder, 1, &bin_uid);
	return err == OK ? change_end(&r->recorder) : err;
}

static enum err
undo_removal(struct txn *txn, void *arg)
{
	struct removing *r = arg;
	struct change_start start = { .who = SPAN("anna"), .via = SPAN("cli"), .now_ms = FIXTURE_NOW };

	return change_undo(txn, r->recorder.change_id, &start, NULL, &r->undo_id);
}

static void
test_snf_05_undo_brings_the_mail_back_alone(void **state)
{
	struct removing r;

	snf_init(state, 3);
	assert_int_equal(run(snf_box.f, remove_first, &r), OK);
	assert_false(snf_waits(1));
	assert_int_equal(run(snf_box.f, undo_removal, &r), OK);
	assert_int_equal(snf_messages(snf_box.inbox), 3);
	assert_false(snf_waits(1));
	box_is_clean(&snf_box);
}

static void
test_snf_05_move_to_another_user_cancels(void **state)
{
	struct message_transfer t;
	uint64_t bo;

	snf_init(state, 3);
	bo = fixture_user(snf_box.f, "bo");
	message_transfer_init(&t);
	t.from_user_id = t.user_id = snf_box.user_id;
	t.to_user_id = bo;
	t.from_folder_id = snf_box.inbox;
	t.to_folder_id = fixture_inbox(snf_box.f, bo);
	t.list = (struct uid_list){ snf_box.uids, 2 };
	t.keep_flags = FLAGS_SYSTEM;
	assert_int_equal(store_run_job_now(snf_box.f->store, &t.job), OK); /* a copy for bo changes nothing */
	assert_int_equal(snf_pending(), 3);
	t.move = true;
	t.count = 0;
	assert_int_equal(store_run_job_now(snf_box.f->store, &t.job), OK);
	assert_int_equal(t.count, 2);
	assert_int_equal(snf_pending(), 1);
	assert_false(snf_waits(2));
	box_is_clean(&snf_box);
}

static enum err
hide_other(struct txn *txn, void *arg)
{
	(void)arg;
	return folder_hide(txn, snf_box.user_id, snf_box.other);
}

static void
test_snf_05_folder_removal_cancels_at_once(void **state)
{
	snf_init(state, 10);
	snf_transfer(snf_box.inbox, snf_box.other, 1, 4, true);
	assert_int_equal(run(snf_box.f, hide_other, NULL), OK);
	assert_int_equal(snf_pending(), 6);
	assert_false(snf_waits(4));
	assert_true(snf_waits(5));
	box_is_clean(&snf_box);
}

static void
test_snf_05_user_removal_cancels(void **state)
{
	struct snf_setting s;

	snf_init(state, 5);
	fixture_user(snf_box.f, "bo");
	s = (struct snf_setting){ .user_id = snf_box.user_id, .removes = true };
	assert_int_equal(run(snf_box.f, snf_set_user, &s), OK);
	assert_int_equal(snf_pending(), 0);
	assert_false(snf_waits(1));
	assert_int_equal(run(snf_box.f, snf_undo_set, &s), OK);
	assert_false(snf_waits(1)); /* the mail is back, and stays */
	assert_int_equal(snf_messages(snf_box.inbox), 5);
	box_is_clean(&snf_box);
}

/* ---- copies: the pair is tied to one ---- */

static void
test_snf_copy_is_an_heir(void **state)
{
	snf_init(state, 10);
	snf_transfer(snf_box.inbox, snf_box.other, 1, 3, false);
	snf_check_tied(1, snf_box.inbox, 1); /* the original */
	box_bin(&snf_box, snf_box.inbox, 1, 1);
	snf_check_tied(1, snf_box.other, 1); /* a client that moves by COPY and EXPUNGE */
	assert_true(snf_waits(1));
	snf_taken(1);
	box_bin(&snf_box, snf_box.other, 2, 2); /* the copy goes first: nothing changes */
	snf_check_tied(2, snf_box.inbox, 2);
	snf_taken(3); /* both there: one goes */
	assert_int_equal(snf_messages(snf_box.other), 1);
	assert_int_equal(snf_messages(snf_box.inbox), 8);
	box_is_clean(&snf_box);
}

static void
test_snf_copy_and_both_deleted_cancels(void **state)
{
	static const struct snf_pairing halves[] = { { 1, 400 }, { 401, 700 } }; /* two jobs */

	box_init(&snf_box, *state, 700);
	snf_anna_forwards("anna@main.test", "main.test");
	for (size_t i = 0; i < COUNT(halves); i++)
		assert_int_equal(run(snf_box.f, snf_pair_all, (void *)&halves[i]), OK);
	snf_transfer(snf_box.inbox, snf_box.other, 1, 600, false); /* laid down first */
	box_bin(&snf_box, snf_box.inbox, 1, 600);
	assert_int_equal(snf_pending(), 700);
	snf_check_tied(600, snf_box.other, 600);
	box_bin(&snf_box, snf_box.other, 1, 600);
	assert_int_equal(snf_pending(), 100);
	box_is_clean(&snf_box);
}

/* ---- the queue's side ---- */

static enum err
purge(struct txn *txn, void *arg)
{
	uint64_t queue_id = SNF_FIRST_ID + *(uint32_t *)arg;
	enum err err = queued_remove(txn, queue_id, FIXTURE_NOW + 1);

	return err == OK ? queued_purge(txn, queue_id) : err;
}

static enum err
redirect(struct txn *txn, void *arg)
{
	struct queued_redirect to = { .route = SPAN("isp"), .now_ms = FIXTURE_NOW };

	return queued_redirect(txn, SNF_FIRST_ID + *(uint32_t *)arg, 0, &to);
}

static void
test_snf_removal_in_the_queue_keeps_the_mail(void **state)
{
	uint32_t uid = 1;

	snf_init(state, 3);
	assert_int_equal(run(snf_box.f, purge, &uid), OK);
	uid = 2;
	assert_int_equal(run(snf_box.f, redirect, &uid), OK);
	assert_int_equal(snf_pending(), 1);
	snf_taken(2); /* by another route: the copy stays */
	assert_int_equal(snf_messages(snf_box.inbox), 3);
	box_is_clean(&snf_box);
}

static enum err
remove_one(struct txn *txn, void *arg)
{
	return queued_remove(txn, SNF_FIRST_ID + *(uint32_t *)arg, FIXTURE_NOW + 600000);
}

/* In the bin of the queue it is still of its pair. */
static void
test_snf_delete_while_in_the_bin_of_the_queue(void **state)
{
	uint32_t uid = 1;

	snf_init(state, 3);
	assert_int_equal(run(snf_box.f, remove_one, &uid), OK);
	box_bin(&snf_box, snf_box.inbox, 1, 1);
	assert_false(snf_waits(1));
	box_is_clean(&snf_box);
}

/* ---- the user's fields ---- */

static void
test_snf_emptied_fields_cancel(void **state)
{
	struct snf_setting s;

	snf_init(state, 5);
	s = snf_anna_forwards("anna@main.test", "");
	assert_int_equal(snf_pending(), 0);
	assert_false(snf_waits(5));
	assert_int_equal(snf_messages(snf_box.inbox), 5);
	assert_int_equal(run(snf_box.f, snf_undo_set, &s), OK);
	assert_int_equal(snf_pending(), 0);
	box_is_clean(&snf_box);
}

static void
test_snf_another_target_takes_them_along(void **state)
{
	struct queued_recipient r;
	struct snf_setting s;

	snf_init(state, 3);
	s = snf_anna_forwards("a.nna@other.test", "other.test:2525");
	assert_int_equal(snf_pending(), 3);
	assert_int_equal(queued_recipient_find(look(snf_box.f), SNF_FIRST_ID + 2, 1, &r), OK);
	assert_span_eq(r.address, "a.nna@other.test");
	assert_int_equal(r.state, QUEUED_ACTIVE);
	assert_int_equal(run(snf_box.f, snf_undo_set, &s), OK);
	assert_int_equal(queued_recipient_find(look(snf_box.f), SNF_FIRST_ID + 2, 1, &r), OK);
	assert_span_eq(r.address, "anna@main.test");
	box_is_clean(&snf_box);
}

int
test_forwards(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		T(test_snf_04_taken_leaves_the_mailbox),
		T(test_snf_04_taken_wherever_it_was_moved_to),
		T(test_snf_04_taken_after_a_hold),
		T(test_snf_05_bin_and_expunge_cancel),
		T(test_snf_05_restored_stays_here),
		T(test_snf_05_undo_brings_the_mail_back_alone),
		T(test_snf_05_move_to_another_user_cancels),
		T(test_snf_05_folder_removal_cancels_at_once),
		T(test_snf_05_user_removal_cancels),
		T(test_snf_copy_is_an_heir),
		T(test_snf_copy_and_both_deleted_cancels),
		T(test_snf_removal_in_the_queue_keeps_the_mail),
		T(test_snf_delete_while_in_the_bin_of_the_queue),
		T(test_snf_emptied_fields_cancel),
		T(test_snf_another_target_takes_them_along),
	};

	return cmocka_run_group_tests_name("forwards", tests, NULL, NULL);
}
