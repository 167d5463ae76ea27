/*
 * test_questions.c - questions of Ask in the store: who may answer, answers and their undo, how many there are, and when
 * they go (DLR-07, DLR-08).
 */
#include "tests/unit/directory_fixture.h"

#include "store/changes.h"
#include "store/questions.h"

struct arg {
	struct question q;
	enum question_answer answer;
	const char *by;
	int64_t now_ms;
	uint64_t change_id;
	size_t max;
	bool more;
};

static enum err
put(struct txn *txn, void *arg)
{
	const struct arg *a = arg;

	return question_put(txn, &a->q);
}

static enum err
answer(struct txn *txn, void *arg)
{
	struct change_start start = { .who = SPAN("test"), .what = SPAN("rule.download.ask.fetch"), .now_ms = 1 };
	struct change_recorder recorder;
	struct arg *a = arg;
	enum err err = change_begin(&recorder, txn, &start), ended;

	a->change_id = recorder.change_id;
	if (err == OK)
		err = question_answer_put(txn, a->q.question_no, a->answer, span_of(a->by));
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

static enum err
sweep(struct txn *txn, void *arg)
{
	struct arg *a = arg;

	return questions_sweep(txn, a->now_ms, a->max, &a->more);
}

static enum err
remove_one(struct txn *txn, void *arg)
{
	const struct arg *a = arg;

	return question_remove(txn, a->q.question_no);
}

static void
ask(struct fixture *f, uint64_t no, int64_t until_ms)
{
	struct arg a = { .q = { .question_no = no, .collector_id = 7, .known = SPAN("u-1"), .sender = SPAN("Bob"),
		.subject = SPAN("Holiday"), .rule = SPAN("big"), .size = 5, .asked = SPAN("3;15"), .since_ms = 1,
		.until_ms = until_ms } };

	assert_int_equal(run(f, put, &a), OK);
}

/* Contract 8: numbers are compared, not their digits. */
static void
test_dlr_08_who_was_asked(void **state)
{
	struct fixture *f = *state;
	struct question q;

	ask(f, UINT64_C(0xfedcba9876543211), 100);
	assert_int_equal(question_find(look(f), UINT64_C(0xfedcba9876543211), &q), OK);
	assert_true(question_was_asked(&q, 3) && question_was_asked(&q, 15));
	assert_false(question_was_asked(&q, 1) || question_was_asked(&q, 5) || question_was_asked(&q, 0));
	assert_span_eq(q.known, "u-1");
	assert_int_equal(q.answer, QUESTION_OPEN);
	assert_int_equal(question_find(look(f), 5, &q), ERR_NOT_FOUND);
}

static void
test_dlr_07_answer_and_undo(void **state)
{
	struct fixture *f = *state;
	struct arg a = { .q = { .question_no = 9 }, .answer = QUESTION_REMOVE, .by = "fred" };
	struct question q;
	unsigned lines;

	assert_int_equal(run(f, answer, &a), ERR_NOT_FOUND);
	ask(f, 9, 100);
	assert_int_equal(run(f, answer, &a), OK);
	assert_int_equal(question_find(look(f), 9, &q), OK);
	assert_int_equal(q.answer, QUESTION_REMOVE);
	assert_span_eq(q.by, "fred");
	assert_span_eq(q.subject, "Holiday");
	assert_int_equal(run(f, undo, &a), OK);
	assert_int_equal(question_find(look(f), 9, &q), OK);
	assert_int_equal(q.answer, QUESTION_OPEN);
	assert_int_equal(run(f, remove_one, &a), OK);
	assert_int_equal(run(f, remove_one, &a), OK); /* there is none any more */
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
	fixture_open(f);
}

/* Long after their end they go, a few at a time. */
static void
test_questions_are_swept(void **state)
{
	struct fixture *f = *state;
	struct arg a = { .now_ms = 50 + QUESTION_KEPT_MS, .max = 2 };
	struct question q = { .question_no = 0 };
	uint64_t count;

	ask(f, 1, 10);
	ask(f, 2, 51);
	ask(f, 3, 20);
	ask(f, 4, 30);
	assert_int_equal(run(f, sweep, &a), OK);
	assert_true(a.more);
	assert_int_equal(run(f, sweep, &a), OK);
	assert_false(a.more);
	assert_int_equal(question_count(look(f), &count), OK);
	assert_int_equal(count, 1);
	assert_int_equal(question_next(look(f), 0, &q), OK);
	assert_int_equal(q.question_no, 2);
	assert_int_equal(question_next(look(f), q.question_no, &q), ERR_NOT_FOUND);
}

static enum err
put_too_many(struct txn *txn, void *arg)
{
	struct arg *a = arg;
	enum err err = OK;

	for (a->q.question_no = 1; a->q.question_no <= QUESTIONS_MAX + 1 && err == OK; a->q.question_no++)
		err = question_put(txn, &a->q);
	return err == ERR_LIMIT && a->q.question_no == QUESTIONS_MAX + 2 ? OK : ERR_SYNTAX;
}

static void
test_questions_have_a_limit(void **state)
{
	struct fixture *f = *state;
	struct arg a = { .q = { .until_ms = 1 } };

	assert_int_equal(run(f, put_too_many, &a), OK);
}

int
test_questions(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_dlr_08_who_was_asked, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_dlr_07_answer_and_undo, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_questions_are_swept, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_questions_have_a_limit, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("questions", tests, NULL, NULL);
}
