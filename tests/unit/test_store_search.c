/*
 * test_store_search.c - the index of words: runs, questions, merges; damage in test_store_search_damage.c.
 */
#include "tests/unit/index_site.h"

#include <stdio.h>
#include <string.h>

#include "store/search_ask.h"

static void
test_property(void **state)
{
	struct index_site *s = *state;

	index_site_check(s, 3); /* an empty one */
	for (unsigned run = 0; run < 6; run++) {
		index_site_add_run(s, 20 + index_site_chance(s, 300));
		index_site_check(s, 20);
	}
	index_site_close(s);
	index_site_open(s);
	assert_int_equal(search_cursor(s->index, SEARCH_CONTENTS), s->next_id);
	index_site_check(s, 30);
	assert_int_equal(s->said, 0);
}

/* ---- merges ---- */

static bool
give_up(void *arg)
{
	(void)arg;
	return false;
}

static uint64_t
rows_of(struct index_site *s)
{
	struct search_stats stats;

	search_stats(s->index, &stats);
	return stats.runs;
}

static void
test_merge(void **state)
{
	struct index_site *s = *state;
	struct search_merge_ask ask = index_site_merge(s);
	struct search_stats stats;
	bool merged;

	for (unsigned run = 0; run < SEARCH_RUNS; run++)
		index_site_add_run(s, run % 4 ? 10 : 150);
	assert_int_equal(search_merge(s->index, SEARCH_CONTENTS, SEARCH_RUNS, &ask, &merged), OK);
	assert_false(merged); /* not more than there may be */
	index_site_add_run(s, 10);
	for (uint64_t id = 1; id < s->next_id; id += 3)
		s->messages[id].gone = true;
	index_site_check(s, 5);
	assert_int_equal(search_merge(s->index, SEARCH_CONTENTS, SEARCH_RUNS, &ask, &merged), OK);
	assert_true(merged);
	assert_true(rows_of(s) <= SEARCH_RUNS);
	index_site_check(s, 20);

	assert_int_equal(search_merge(s->index, SEARCH_CONTENTS, 1, &ask, &merged), OK);
	search_stats(s->index, &stats);
	assert_int_equal(stats.runs, 1);
	assert_int_equal(stats.messages, (s->next_id - 1) - (s->next_id + 1) / 3); /* the gone are gone */
	index_site_check(s, 30);
	index_site_close(s);
	index_site_open(s);
	index_site_check(s, 10);
}

static void
test_merge_given_up(void **state)
{
	struct index_site *s = *state;
	struct search_merge_ask ask = index_site_merge(s);
	struct search_stats before, after;
	bool merged;

	for (unsigned run = 0; run < 5; run++)
		index_site_add_run(s, 100);
	search_stats(s->index, &before);
	ask.go_on = give_up;
	assert_int_equal(search_merge(s->index, SEARCH_CONTENTS, 1, &ask, &merged), ERR_BUSY);
	search_stats(s->index, &after);
	assert_int_equal(after.runs, before.runs);
	index_site_check(s, 10);
}

static void
test_all_gone(void **state)
{
	struct index_site *s = *state;
	struct search_merge_ask ask = index_site_merge(s);
	bool merged;

	index_site_add_run(s, 50);
	index_site_add_run(s, 50);
	for (uint64_t id = 1; id < s->next_id; id++)
		s->messages[id].gone = true;
	assert_int_equal(search_merge(s->index, SEARCH_CONTENTS, 1, &ask, &merged), OK);
	assert_int_equal(rows_of(s), 0);
	index_site_check(s, 5);
}

/* ---- many, large, long ---- */

/* A word that stands in so many messages that its postings take several rows; ids far apart. */
static void
test_large(void **state)
{
	struct index_site *s = *state;
	struct search_question q = { .space = SEARCH_CONTENTS, .pieces = { SPAN("ommo") }, .count = 1,
		.where = SEARCH_IN_BODY };
	struct search_answer answer;
	char word[SEARCH_WORD_MAX + 1];

	for (unsigned run = 0; run < 3; run++) {
		for (uint64_t i = 0; i < SEARCH_RUN_MESSAGES; i++) {
			uint64_t id = (run * SEARCH_RUN_MESSAGES + i + 1) * 1000003;

			assert_false(search_build_is_full(s->builder));
			search_build_message(s->builder, id, false);
			search_build_word(s->builder, SPAN("common"), SEARCH_IN_BODY);
			search_build_word(s->builder, SPAN("common"), SEARCH_IN_HEADER);
			memset(word, 'x', sizeof(word));
			snprintf(word, sizeof(word), "w%llu", (unsigned long long)id);
			search_build_word(s->builder,
				(struct span){ word, i % 7 ? strlen(word) : SEARCH_WORD_MAX },
				SEARCH_IN_HEADER);
		}
		assert_true(search_build_is_full(s->builder));
		assert_int_equal(search_build_write(s->builder, (run + 1) * UINT64_C(5000015001)), OK);
	}
	assert_int_equal(search_ask(s->index, &q, &answer), OK);
	assert_int_equal(answer.count, 3 * SEARCH_RUN_MESSAGES);
	assert_int_equal(answer.ids[0], 1000003);
	search_answer_free(&answer);
	q.pieces[0] = SPAN("w5000015");
	assert_int_equal(search_ask(s->index, &q, &answer), OK);
	assert_int_equal(answer.count, 0); /* in headers only */
	q.where = SEARCH_IN_HEADER | SEARCH_IN_BODY;
	assert_int_equal(search_ask(s->index, &q, &answer), OK);
	assert_true(answer.count >= 1 && answer.ids[0] == 5 * 1000003);
	search_answer_free(&answer);
}

/* More words than a message may add: it is unsure from then on. */
static void
test_too_many_words(void **state)
{
	struct index_site *s = *state;
	struct search_question q = { .space = SEARCH_CONTENTS, .pieces = { SPAN("nowhere") },
		.count = 1, .where = SEARCH_IN_BODY };
	struct search_answer answer;
	char word[16];

	search_build_message(s->builder, 1, false);
	for (unsigned i = 0; i <= SEARCH_MESSAGE_WORDS; i++) {
		snprintf(word, sizeof(word), "word%u", i);
		search_build_word(s->builder, span_of(word), SEARCH_IN_BODY);
	}
	assert_int_equal(search_build_write(s->builder, 2), OK);
	assert_int_equal(search_ask(s->index, &q, &answer), OK);
	assert_int_equal(answer.unsure_count, 1);
	assert_int_equal(answer.count, 0);
	search_answer_free(&answer);
}

static void
test_stop(void **state)
{
	struct index_site *s = *state;
	atomic_bool stop = true;
	struct search_question q = { .space = SEARCH_CONTENTS, .pieces = { SPAN("a") }, .count = 1,
		.where = SEARCH_IN_BODY, .stop = &stop };
	struct search_answer answer;

	index_site_add_run(s, 10);
	assert_int_equal(search_ask(s->index, &q, &answer), ERR_BUSY);
	assert_null(answer.ids);
}

int
test_store_search(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_property, index_site_setup, index_site_teardown),
		cmocka_unit_test_setup_teardown(test_merge, index_site_setup, index_site_teardown),
		cmocka_unit_test_setup_teardown(test_merge_given_up, index_site_setup, index_site_teardown),
		cmocka_unit_test_setup_teardown(test_all_gone, index_site_setup, index_site_teardown),
		cmocka_unit_test_setup_teardown(test_large, index_site_setup, index_site_teardown),
		cmocka_unit_test_setup_teardown(test_too_many_words, index_site_setup, index_site_teardown),
		cmocka_unit_test_setup_teardown(test_stop, index_site_setup, index_site_teardown),
	};

	return cmocka_run_group_tests_name("store_search", tests, NULL, NULL);
}
