/*
 * test_forwards_many.c - pairs of store and forward: very many, damaged, and acts in any order
 * (SNF-04, SNF-05).
 */
#include "tests/unit/forward_fixture.h"

#include "store/forwards.h"
#include "store/queued.h"

/* ---- very many ---- */

#define MANY 1200

static void
init_many(void **state)
{
	box_init(&snf_box, *state, MANY);
	snf_anna_forwards("anna@main.test", "main.test");
	for (uint32_t uid = 1; uid <= MANY; uid += 300)
		assert_int_equal(run(snf_box.f, snf_pair_all, &(struct snf_pairing){ uid, uid + 299 }), OK);
}

static enum err
slice(struct txn *txn, void *more)
{
	return forwards_follow_some(txn, more);
}

static uint64_t
waiting(void)
{
	uint64_t count = 0;

	for (uint32_t uid = 1; uid <= MANY; uid++)
		count += snf_waits(uid);
	return count;
}

/* The writer is held up for one slice at a time, and what is cancelled is so from the first on. */
static void
test_snf_very_many_end_in_slices(void **state)
{
	unsigned slices = 0;
	uint64_t before, end_to;
	struct snf_setting s;
	bool more = true;

	init_many(state);
	s = snf_anna_forwards("anna@main.test", "");
	assert_int_equal(waiting(), MANY - FORWARDS_SLICE);
	assert_int_equal(snf_pending(), 0);
	assert_true(forward_is_marked(look(snf_box.f), snf_box.user_id, &end_to));
	box_is_clean(&snf_box); /* a crash here */
	assert_int_equal(run(snf_box.f, snf_undo_set, &s), OK); /* the fields are back, not what was cancelled */
	for (before = waiting(); more; before = waiting(), slices++) {
		assert_int_equal(run(snf_box.f, slice, &more), OK);
		assert_true(before - waiting() <= FORWARDS_SLICE);
	}
	assert_int_equal(waiting(), 0);
	assert_true(slices >= MANY / FORWARDS_SLICE - 1);
	assert_false(forwards_have_marks(look(snf_box.f)));
	assert_int_equal(snf_messages(snf_box.inbox), MANY);
	box_is_clean(&snf_box);
}

static uint64_t
turned(const char *address)
{
	struct queued_recipient r;
	uint64_t count = 0;

	for (uint32_t uid = 1; uid <= MANY; uid++)
		count += queued_recipient_find(look(snf_box.f), SNF_FIRST_ID + uid, 1, &r) == OK &&
			span_eq(r.address, span_of(address));
	return count;
}

/* Turned twice, then ended and set again: the last word counts, for each as it was then. */
static void
test_snf_very_many_turn_and_end_in_slices(void **state)
{
	struct snf_pairing late = { 1, 2 };
	bool more = true;

	init_many(state);
	snf_anna_forwards("a@other.test", "other.test");
	snf_anna_forwards("b@other.test", "other.test");
	assert_int_equal(turned("b@other.test"), FORWARDS_SLICE);
	while (more)
		assert_int_equal(run(snf_box.f, slice, &more), OK);
	assert_int_equal(turned("b@other.test"), MANY);
	snf_anna_forwards("", "");
	snf_anna_forwards("c@other.test", "other.test");
	assert_int_equal(waiting(), MANY - FORWARDS_SLICE);
	snf_transfer(snf_box.inbox, snf_box.other, 1, 2, false); /* their copies are of nothing */
	box_bin(&snf_box, snf_box.inbox, MANY, MANY);	 /* one that is cancelled, and not yet gone */
	for (more = true; more;)
		assert_int_equal(run(snf_box.f, slice, &more), OK);
	assert_int_equal(waiting(), 0);
	snf_box.inbox = snf_box.other; /* what comes then is forwarded */
	assert_int_equal(run(snf_box.f, snf_pair_all, &late), OK);
	assert_int_equal(snf_pending(), 2);
	box_is_clean(&snf_box);
}

/* ---- check ---- */

static enum err
spoil(struct txn *txn, void *arg)
{
	struct forward f;
	struct key key;
	enum err err;

	(void)arg;
	err = forward_tied(txn_view(txn), SNF_FIRST_ID + 1, 1, &f); /* its recipient's way to it */
	forward_copies_key(&key, &f);
	if (err == OK)
		err = table_delete(txn, TABLE_forward_copies, &key);
	if (err == OK)
		err = forward_tied(txn_view(txn), SNF_FIRST_ID + 2, 1, &f);
	f.uid = 99; /* it is not there */
	if (err == OK)
		err = forward_put(txn, &f);
	f.copy_id += 1000; /* of nothing */
	f.queue_id = 5;
	return err == OK ? forward_put(txn, &f) : err;
}

static void
test_snf_check_mends_pairs(void **state)
{
	unsigned lines = 0;

	snf_init(state, 4);
	assert_int_equal(run(snf_box.f, spoil, NULL), OK);
	fixture_close(snf_box.f);
	assert_int_not_equal(fixture_check(snf_box.f, false, &lines), 0);
	assert_int_equal(lines, 3);
	assert_int_equal(fixture_check(snf_box.f, true, &lines), 0);
	fixture_open(snf_box.f);
	snf_check_tied(1, snf_box.inbox, 1);
	assert_false(snf_waits(2)); /* as if it had been deleted */
	assert_int_equal(snf_pending(), 3);
	assert_int_equal(snf_messages(snf_box.inbox), 4);
	box_is_clean(&snf_box);
}

/* ---- any acts in any order ---- */

#define LIVES 60

/* Each message is here or taken, never both and never neither, but for what was deleted. */
static void
test_snf_random_acts_agree_with_the_rule(void **state)
{
	unsigned seed = 7, expect_waiting = LIVES;
	bool gone[LIVES + 1] = { false };

	snf_init(state, LIVES);
	for (unsigned step = 0; step < 400; step++) {
		struct forward f;
		uint32_t uid = 1 + (seed = seed * 1103515245 + 12345) / 65536 % LIVES;
		unsigned act = (seed = seed * 1103515245 + 12345) / 65536 % 8;

		if (forward_tied(look(snf_box.f), SNF_FIRST_ID + uid, 1, &f) != OK) {
			assert_true(gone[uid]);
			continue;
		}
		snf_box.uids[0] = f.uid;
		if (act < 4) {
			snf_transfer(f.folder_id, f.folder_id == snf_box.inbox ? snf_box.other : snf_box.inbox, 1, 1,
				act < 2);
		} else if (act < 7 && step % 3 == 0) {
			box_bin(&snf_box, f.folder_id, 1, 1);
		} else if (step % 3 == 0) {
			size_t before = snf_messages(snf_box.inbox) + snf_messages(snf_box.other);

			snf_taken(uid);
			assert_int_equal(snf_messages(snf_box.inbox) + snf_messages(snf_box.other), before - 1);
		}
		gone[uid] = !snf_waits(uid);
		expect_waiting -= gone[uid];
		assert_int_equal(snf_pending(), expect_waiting);
	}
	box_is_clean(&snf_box);
}

int
test_forwards_many(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		T(test_snf_very_many_end_in_slices),
		T(test_snf_very_many_turn_and_end_in_slices),
		T(test_snf_check_mends_pairs),
		T(test_snf_random_acts_agree_with_the_rule),
	};

	return cmocka_run_group_tests_name("forwards: many", tests, NULL, NULL);
}
