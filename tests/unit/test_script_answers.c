/*
 * test_script_answers.c - the answers of scripts, which are read like a peer's (H74), and the
 * fields they may set.
 */
#include "tests/unit/test_scripts.h"

#include <stdio.h>
#include <string.h>

#include "server/pipeline/mail.h"
#include "server/pipeline/script_answer.h"
#include "server/pipeline/script_fields.h"
#include "server/script/script_wire.h"
#include "tests/harness/page_edge.h"

static void
test_h74_answers_are_checked(void **state)
{
	static const struct {
		struct span bytes;
		enum err want;
		size_t count;
	} rows[] = {
		{ { "", 0 }, ERR_SYNTAX, 0 },
		{ { "X", 1 }, ERR_SYNTAX, 0 },
		{ { "D", 1 }, OK, 0 },
		{ { "Eoh", 3 }, OK, 0 },
		{ { "D\3\0\0\0\0", 6 }, OK, 1 },
		{ { "D\3\0\0\0", 5 }, ERR_SYNTAX, 0 },
		{ { "D\1\0\1a\0\0", 7 }, OK, 1 },
		{ { "D\1\0\2a\0\0", 7 }, ERR_SYNTAX, 0 },
		{ { "D\1\0\0\0\0", 6 }, ERR_SYNTAX, 0 },                 /* no address */
		{ { "D\1\0\3a\nb\0\0", 9 }, ERR_SYNTAX, 0 },
		{ { "D\5\0\1X\0\3a\nb", 10 }, ERR_SYNTAX, 0 },          /* H11 */
		{ { "D\5\0\3Bcc\0\1a", 10 }, ERR_SYNTAX, 0 },
		{ { "D\5\0\1X\0\1a", 8 }, OK, 1 },
		{ { "D\7\0\1a\0\0", 7 }, ERR_SYNTAX, 0 },               /* reject, by a user */
		{ { "D\11\0\0\0\0", 6 }, ERR_SYNTAX, 0 },
		{ { "D\0\0\0\0\0", 6 }, ERR_SYNTAX, 0 },
		{ { "D\377\0\0\0\0", 6 }, ERR_SYNTAX, 0 },
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct script_answer out = { .user_id = 7 };

		if (script_answer_read(&a, at_page_edge(rows[i].bytes), &out) != rows[i].want ||
			out.count != rows[i].count)
			fail_msg("row %zu", i);
	}
	arena_reset(&a);
}

static void
test_h74_twenty_messages_at_most(void **state)
{
	struct script_answer out = { .user_id = 7 };
	struct arena a;
	struct buf b;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&b, SCRIPT_ANSWER_MAX);
	assert_int_equal(buf_put_char(&b, 'D'), OK);
	for (int i = 0; i < SCRIPT_SENDS_MAX; i++)
		assert_int_equal(buf_put(&b, (struct span){ "\2\0\1a\0\0", 6 }), OK);
	assert_int_equal(script_answer_read(&a, buf_span(&b), &out), OK);
	assert_int_equal(out.count, SCRIPT_SENDS_MAX);
	assert_int_equal(buf_put(&b, (struct span){ "\1\0\1a\0\0", 6 }), OK);
	assert_int_equal(script_answer_read(&a, buf_span(&b), &out), ERR_SYNTAX);
	assert_int_equal(out.count, 0);
	assert_false(out.redirects);
	buf_fini(&b);
	arena_reset(&a);
}

static void
test_fields_that_scripts_may_set(void **state)
{
	(void)state;
	assert_true(script_field_may_be_set(SPAN("Subject")));
	assert_true(script_field_may_be_set(SPAN("X-Mark")));
	assert_false(script_field_may_be_set(SPAN("received")));
	assert_false(script_field_may_be_set(SPAN("X-Spam-Flag")));
	assert_false(script_field_may_be_set(SPAN("X A")));
	assert_false(script_field_may_be_set(SPAN("X:")));
	assert_false(script_field_may_be_set(SPAN("")));
}

int
test_script_answers(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_h74_answers_are_checked),
		cmocka_unit_test(test_h74_twenty_messages_at_most),
		cmocka_unit_test(test_fields_that_scripts_may_set),
	};

	return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
