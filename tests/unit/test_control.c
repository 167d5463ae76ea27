/*
 * test_control.c - the control protocol without a socket: rows, schemas, units, filters.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/base/json.h"
#include "proto/control/control_filter.h"
#include "proto/control/control_mark.h"
#include "proto/control/control_method.h"
#include "tests/unit/test_control.h"

/* Every row: its words joined by dots are its method, its schemas parse, what selects can be named. */
static void
sts_06_rows_agree_with_themselves(void **state)
{
	struct control_schema schema;

	(void)state;
	for (size_t i = 0; i < CONTROL_METHOD_COUNT; i++) {
		const struct control_method *m = &control_methods[i];
		char joined[64];
		size_t len = strlen(m->words);

		check_row(i, len < sizeof(joined) && m->help[0]);
		memcpy(joined, m->words, len + 1);
		for (size_t j = 0; j < len; j++)
			joined[j] = joined[j] == ' ' ? '.' : joined[j];
		if (len > 0 && m->id != CONTROL_undo_apply && m->id != CONTROL_store_check &&
			m->id != CONTROL_folder_share && /* `folder rights` with two words more */
			m->id != CONTROL_user_script_set) /* `user script` with a file */
			check_row(i, strcmp(joined, m->method) == 0);
		check_row(i, control_method_find(span_of(m->method)) == m);
		control_schema_parse(m->params, &schema);
		control_schema_parse(m->columns, &schema);
		check_row(i, m->reply != CONTROL_REPLY_ROWS || schema.count > 0);
		check_row(i, m->right != CONTROL_RIGHT_NONE || !m->words[0]);
	}
	assert_null(control_method_find(SPAN("queue.lis")));
}

static void
sts_06_rights_grow_with_the_level(void **state)
{
	enum control_right right;
	enum control_level level;
	const struct control_method *set = control_method_find(SPAN("user.set"));
	const struct control_method *show = control_method_find(SPAN("message.show"));

	(void)state;
	assert_true(control_rights_have(control_rights_of(CONTROL_VIEWER), CONTROL_RIGHT_STATUS_VIEW));
	assert_false(control_rights_have(control_rights_of(CONTROL_VIEWER), CONTROL_RIGHT_QUEUE_VIEW));
	assert_true(control_rights_have(control_rights_of(CONTROL_OPERATOR), CONTROL_RIGHT_QUEUE_VIEW));
	assert_false(control_method_allowed(set, control_rights_of(CONTROL_OPERATOR), false));
	assert_true(control_method_allowed(set, control_rights_of(CONTROL_ADMINISTRATOR), false));
	assert_false(control_method_allowed(set, control_rights_of(CONTROL_ADMINISTRATOR), true));
	/* bodies are for those who were named only */
	assert_false(control_method_allowed(show, control_rights_of(CONTROL_ADMINISTRATOR), false));
	assert_int_equal(control_rights_of(CONTROL_NOBODY), 1);
	assert_int_equal(control_right_find(SPAN("log.view"), &right), OK);
	assert_int_equal(right, CONTROL_RIGHT_LOG_VIEW);
	assert_int_equal(control_right_find(SPAN(""), &right), ERR_NOT_FOUND);
	assert_int_equal(control_level_find(SPAN("operator"), &level), OK);
	assert_int_equal(level, CONTROL_OPERATOR);
	assert_int_equal(control_level_find(SPAN("by name"), &level), ERR_NOT_FOUND);
}

static void
units_are_read_as_typed(void **state)
{
	static const struct {
		struct span in;
		bool size;
		enum err want;
		uint64_t value;
	} rows[] = {
		{ SPAN("10"), true, OK, 10 },
		{ SPAN("10k"), true, OK, 10240 },
		{ SPAN("1MB"), true, OK, 1048576 },
		{ SPAN("2g"), true, OK, 2147483648u },
		{ SPAN("1x"), true, ERR_SYNTAX, 0 },
		{ SPAN("k"), true, ERR_SYNTAX, 0 },
		{ SPAN(""), true, ERR_SYNTAX, 0 },
		{ SPAN("99999999999999999999"), true, ERR_LIMIT, 0 },
		{ SPAN("4611686018427387904T"), true, ERR_LIMIT, 0 },
		{ SPAN("90s"), false, OK, 90 },
		{ SPAN("5m"), false, OK, 300 },
		{ SPAN("3d"), false, OK, 259200 },
		{ SPAN("1w"), false, OK, 604800 },
		{ SPAN("5mb"), false, ERR_SYNTAX, 0 },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span in = at_page_edge(rows[i].in);
		uint64_t value = 0;
		enum err err = rows[i].size ? control_parse_size(in, &value) :
					      control_parse_duration(in, &value);

		check_row(i, err == rows[i].want);
		check_row(i, err != OK || value == rows[i].value);
	}
	(void)state;
}

static void
times_are_read_as_typed(void **state)
{
	static const struct {
		struct span in;
		enum err want;
		int64_t from, to;
	} rows[] = {
		{ SPAN("1970-01-01"), OK, 0, 86399 },
		{ SPAN("2026-11-20"), OK, 1795132800, 1795219199 },
		{ SPAN("2026-11-20T14:00"), OK, 1795183200, 1795183259 },
		{ SPAN("2026-11-20T14:00:30Z"), OK, 1795183230, 1795183230 },
		{ SPAN("2026-11-20T14:00:30.123Z"), OK, 1795183230, 1795183230 },
		{ SPAN("2026-11-20T15:00:30+01:00"), OK, 1795183230, 1795183230 },
		{ SPAN("2024-02-29"), OK, 1709164800, 1709251199 },
		{ SPAN("2023-02-29"), ERR_SYNTAX, 0, 0 },
		{ SPAN("2026-13-01"), ERR_SYNTAX, 0, 0 },
		{ SPAN("2026-11-20T25:00"), ERR_SYNTAX, 0, 0 },
		{ SPAN("2026-11-20T14"), ERR_SYNTAX, 0, 0 },
		{ SPAN("2026-11-20x"), ERR_SYNTAX, 0, 0 },
		{ SPAN("2h"), OK, 1000000 - 7200, 1000000 - 7200 },
		{ SPAN("20"), ERR_SYNTAX, 0, 0 },
		{ SPAN(""), ERR_SYNTAX, 0, 0 },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t from = 0, to = 0;

		check_row(i, control_parse_time(at_page_edge(rows[i].in), 1000000, &from, &to) ==
			rows[i].want);
		check_row(i, rows[i].want != OK || (from == rows[i].from && to == rows[i].to));
	}
	(void)state;
}

/* Columns of queue.list, in order, of one row. */
static struct control_cell
queue_cell(const void *row, size_t column)
{
	static const struct control_cell cells[] = {
		{ { "4Kx0B2", 6 }, 0, true },                            /* id */
		{ { "deferred", 8 }, 0, true },                          /* state */
		{ { NULL, 0 }, 7300, true },                             /* age */
		{ { NULL, 0 }, 1795183230, true },                       /* next_try */
		{ { NULL, 0 }, 25165824, true },                         /* size */
		{ { "shop@example.com", 16 }, 0, true },                 /* sender */
		{ { "orders@dest3.test eve@dest1.test", 32 }, 0, true }, /* recipients */
		{ { "connection refused", 18 }, 0, true },               /* last_error */
		{ { NULL, 0 }, 5, true },                                /* tries */
	};

	(void)row;
	return column < COUNT(cells) ? cells[column] : (struct control_cell){ 0 };
}

static void
filter_words_choose_rows(void **state)
{
	static const struct {
		struct span in;
		bool match;
	} rows[] = {
		{ SPAN(""), true },
		{ SPAN("from:shop"), true },
		{ SPAN("from:SHOP@"), true },
		{ SPAN("from:bo"), false },
		{ SPAN("-from:bo"), true },
		{ SPAN("to:@dest3.test"), true },
		{ SPAN("to:bob|eve"), true },
		{ SPAN("to:bob|fay"), false },
		{ SPAN("reason:\"connection refused\""), true },
		{ SPAN("reason:connection refused"), true },
		{ SPAN("reason:refused state:held"), false },
		{ SPAN("refused"), true },
		{ SPAN("-refused"), false },
		{ SPAN("shop|nobody"), true },
		{ SPAN("text:orders"), true },
		{ SPAN("size>1M"), true },
		{ SPAN("size>24M"), false },
		{ SPAN("size>=24M"), true },
		{ SPAN("size<1M"), false },
		{ SPAN("size:1M..25M"), true },
		{ SPAN("age>2h"), true },
		{ SPAN("age>3h"), false },
		{ SPAN("age<3h try>3"), true },
		{ SPAN("try:5"), true },
		{ SPAN("try:1|5"), true },
		{ SPAN("try=6"), false },
		{ SPAN("state=DEFERRED"), true },
		{ SPAN("state:defer"), true },
		{ SPAN("state=defer"), false },
		{ SPAN("to=EVE@dest1.test|x"), true },
		{ SPAN("to=eve"), false },
		{ SPAN("date:2026-11-20"), true },
		{ SPAN("date:2026-11-20..21"), true },
		{ SPAN("date:2026-11-21..22"), false },
		{ SPAN("date<2026-11-20"), false },
		{ SPAN("sender:*@example.com"), true },
		{ SPAN("sender:*@example.org"), false },
		{ SPAN("id:4Kx0B2 -state:held"), true },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *columns = control_methods[CONTROL_queue_list].columns;
		struct control_filter filter;
		struct arena a;

		arena_init(&a, NULL);
		check_row(i, control_filter_parse(at_page_edge(rows[i].in), columns, 1795183230, &a,
				     &filter) == OK);
		check_row(i, control_filter_match(&filter, queue_cell, NULL) == rows[i].match);
		arena_reset(&a);
	}
	(void)state;
}

/* A wrong word is told with its place; the others still count. */
static void
filter_faults_have_their_place(void **state)
{
	static const struct {
		struct span in;
		size_t words, at, len;
	} rows[] = {
		{ SPAN("nosuch:x"), 0, 0, 8 },
		{ SPAN("from:a nosuch:x to:b"), 2, 7, 8 },
		{ SPAN("size>big"), 0, 0, 8 },
		{ SPAN("from>a"), 0, 0, 6 },
		{ SPAN("from:"), 0, 0, 5 },
		{ SPAN("a \"open"), 1, 2, 5 },
		{ SPAN("date:2026-11-22..20"), 0, 0, 19 },
		{ SPAN("try:a|5"), 0, 0, 7 },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct control_filter filter;
		struct arena a;

		arena_init(&a, NULL);
		check_row(i, control_filter_parse(at_page_edge(rows[i].in),
				     control_methods[CONTROL_queue_list].columns, 0, &a,
				     &filter) == ERR_SYNTAX);
		check_row(i, filter.fault_count == 1 && filter.word_count == rows[i].words);
		check_row(i, filter.faults[0].at == rows[i].at && filter.faults[0].len == rows[i].len);
		check_row(i, filter.faults[0].why[0]);
		arena_reset(&a);
	}
	(void)state;
}

static void
filter_limits_hold(void **state)
{
	static char text[CONTROL_FILTER_MAX + 2];
	struct control_filter filter;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	memset(text, 'a', sizeof(text));
	assert_int_equal(control_filter_parse((struct span){ text, CONTROL_FILTER_MAX + 1 },
				 "id:text", 0, &a, &filter), ERR_LIMIT);
	for (size_t i = 1; i < sizeof(text); i += 2)
		text[i] = ' ';
	assert_int_equal(control_filter_parse((struct span){ text, 2 * CONTROL_FILTER_WORDS_MAX },
				 "id:text", 0, &a, &filter), OK);
	assert_int_equal(control_filter_parse((struct span){ text, 2 * CONTROL_FILTER_WORDS_MAX + 1 },
				 "id:text", 0, &a, &filter), ERR_LIMIT);
	for (size_t i = 1; i < sizeof(text); i += 2)
		text[i] = '|';
	assert_int_equal(control_filter_parse((struct span){ text, 2 * CONTROL_FILTER_CHOICES_MAX + 1 },
				 "id:text", 0, &a, &filter), ERR_LIMIT);
	arena_reset(&a);
}

static void
a_mark_tells_texts_apart(void **state)
{
	char one[CONTROL_MARK_SIZE], two[CONTROL_MARK_SIZE];

	(void)state;
	control_mark(SPAN("loops: 1\n"), one);
	control_mark(SPAN("loops: 1\n"), two);
	assert_string_equal(one, two);
	assert_int_equal(strlen(one), CONTROL_MARK_SIZE - 1);
	control_mark(SPAN("loops: 2\n"), two);
	assert_string_not_equal(one, two);
	assert_memory_not_equal(one, one + 16, 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sts_06_rows_agree_with_themselves),
		cmocka_unit_test(sts_06_rights_grow_with_the_level),
		cmocka_unit_test(units_are_read_as_typed),
		cmocka_unit_test(times_are_read_as_typed),
		cmocka_unit_test(filter_words_choose_rows),
		cmocka_unit_test(filter_faults_have_their_place),
		cmocka_unit_test(filter_limits_hold),
		cmocka_unit_test(a_mark_tells_texts_apart),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL) + test_control_rpc() +
		test_mapping_lines() + test_user_lines();
}
