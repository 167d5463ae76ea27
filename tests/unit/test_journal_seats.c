/*
 * test_journal_seats.c - seats of the journal: who has one, since when, how many; release and its undo (JRN-07,
 * JRN-12).
 */
#include "tests/unit/directory_fixture.h"

#include "store/changes.h"
#include "store/journal_seats.h"

struct arg {
	const char *address;
	enum seat_kind kind;
	int64_t now_ms;
	uint64_t change_id;
};

static enum err
note(struct txn *txn, void *arg)
{
	const struct arg *a = arg;

	return journal_seat_note(txn, span_of(a->address), a->kind, a->now_ms);
}

static enum err
release(struct txn *txn, void *arg)
{
	struct change_start start = { .who = SPAN("test"), .what = SPAN("journal.release"), .now_ms = 1 };
	struct change_recorder recorder;
	struct arg *a = arg;
	enum err err = change_begin(&recorder, txn, &start), ended;

	a->change_id = recorder.change_id;
	if (err == OK)
		err = journal_seat_remove(txn, span_of(a->address));
	ended = change_end(&recorder);
	return err == OK ? ended : err;
}

static enum err
undo(struct txn *txn, void *arg)
{
	struct change_start start = { .who = SPAN("test"), .what = SPAN("undo"), .now_ms = 2 };
	const struct arg *a = arg;
	uint64_t undo_id;

	return change_undo(txn, a->change_id, &start, NULL, &undo_id);
}

static void
take(struct fixture *f, const char *address, enum seat_kind kind, int64_t now_ms)
{
	struct arg a = { address, kind, now_ms, 0 };

	assert_int_equal(run(f, note, &a), OK);
}

static void
assert_used(struct fixture *f, uint64_t internal, uint64_t external)
{
	uint64_t used[SEAT_KINDS];

	assert_int_equal(journal_seat_count(look(f), used), OK);
	assert_int_equal(used[SEAT_INTERNAL], internal);
	assert_int_equal(used[SEAT_EXTERNAL], external);
}

/* JRN-07: once covered an address keeps its seat; the time of its last message is noted, but seldom. */
static void
test_jrn_07_seat_is_kept(void **state)
{
	struct fixture *f = *state;
	struct journal_seat seat;

	take(f, "anna@a.test", SEAT_INTERNAL, 1000);
	take(f, "bo@b.test", SEAT_EXTERNAL, 1000);
	take(f, "anna@a.test", SEAT_INTERNAL, 1000 + JOURNAL_LAST_STEP_MS - 1);
	assert_int_equal(journal_seat_find(look(f), SPAN("anna@a.test"), &seat), OK);
	assert_int_equal(seat.last_ms, 1000);
	take(f, "anna@a.test", SEAT_INTERNAL, 1000 + JOURNAL_LAST_STEP_MS);
	assert_int_equal(journal_seat_find(look(f), SPAN("anna@a.test"), &seat), OK);
	assert_int_equal(seat.since_ms, 1000);
	assert_int_equal(seat.last_ms, 1000 + JOURNAL_LAST_STEP_MS);
	assert_used(f, 1, 1);
	take(f, "bo@b.test", SEAT_INTERNAL, 2000); /* the list of internal addresses was changed */
	assert_used(f, 2, 0);
	assert_int_equal(journal_seat_find(look(f), SPAN("bo@b.test"), &seat), OK);
	assert_int_equal(seat.since_ms, 2000);
}

/* JRN-12: by address, each with its kind; a released one is free, until an undo. */
static void
test_jrn_12_release_and_undo(void **state)
{
	struct fixture *f = *state;
	struct arg a = { .address = "anna@a.test" };
	struct journal_seat seat = { .kind = 0 };
	struct snapshot *snap;
	unsigned lines;

	take(f, "carl@a.test", SEAT_INTERNAL, 1);
	take(f, "anna@a.test", SEAT_INTERNAL, 1);
	take(f, "bo@b.test", SEAT_EXTERNAL, 1);
	snap = look(f);
	assert_int_equal(journal_seat_next(snap, &seat), OK);
	assert_span_eq(seat.address, "anna@a.test");
	assert_int_equal(journal_seat_next(snap, &seat), OK);
	assert_span_eq(seat.address, "bo@b.test");
	assert_int_equal(seat.kind, SEAT_EXTERNAL);
	assert_int_equal(journal_seat_next(snap, &seat), OK);
	assert_int_equal(journal_seat_next(snap, &seat), ERR_NOT_FOUND);

	assert_int_equal(run(f, release, &a), OK);
	assert_used(f, 1, 1);
	assert_int_equal(journal_seat_find(look(f), SPAN("anna@a.test"), &seat), ERR_NOT_FOUND);
	assert_int_equal(run(f, undo, &a), OK);
	assert_used(f, 2, 1);
	assert_int_equal(run(f, release, &a), OK);
	take(f, "anna@a.test", SEAT_INTERNAL, 5); /* by a message, which is no change of the log */
	assert_int_equal(run(f, undo, &a), ERR_EXISTS);
	a.address = "nobody@a.test";
	assert_int_equal(run(f, release, &a), ERR_NOT_FOUND);
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
	fixture_open(f);
}

/* What no key can hold gets no row, and no message fails for it. */
static void
test_seat_of_a_long_address(void **state)
{
	static char text[JOURNAL_ADDRESS_MAX + 2];
	struct fixture *f = *state;

	memset(text, 'a', sizeof(text) - 1);
	take(f, text, SEAT_EXTERNAL, 1);
	take(f, "", SEAT_EXTERNAL, 1);
	assert_used(f, 0, 0);
}

int
test_journal_seats(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_jrn_07_seat_is_kept, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_jrn_12_release_and_undo, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_seat_of_a_long_address, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("journal seats", tests, NULL, NULL);
}
