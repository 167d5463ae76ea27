/*
 * test_archive_rules.c - the lines of archive.rules: what is read, and what is refused with which words (ARC-04, Q-35).
 */
#include "tests/harness/page_edge.h"
#include "tests/unit/test_conf.h"

#include <stdlib.h>

#include "conf/archive_rules.h"

static void
test_arc_04_lines_are_read(void **state)
{
	static const struct {
		struct span line;
		struct archive_rule want;
	} rows[] = {
		{ SPAN("3650 from=*@bank.test"), { 3650, SPAN("*@bank.test"), SPAN_NONE } },
		{ SPAN("0 to=board@example.org"), { 0, SPAN_NONE, SPAN("board@example.org") } },
		{ SPAN(" 7\tto=b@b.test  from=a@a.test "), { 7, SPAN("a@a.test"), SPAN("b@b.test") } },
		{ SPAN("36600 from=?"), { ARCHIVE_KEEP_DAYS_MAX, SPAN("?"), SPAN_NONE } },
		{ SPAN("1 from=from=x"), { 1, SPAN("from=x"), SPAN_NONE } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct archive_rule rule;
		const char *why = NULL;

		check_row(i, archive_rule_parse(at_page_edge(rows[i].line), &rule, &why) == OK);
		check_row(i, rule.days == rows[i].want.days);
		check_span(i, rule.from, rows[i].want.from);
		check_span(i, rule.to, rows[i].want.to);
	}
}

static void
test_arc_04_lines_are_refused(void **state)
{
	static const struct {
		struct span line, why;
	} rows[] = {
		{ SPAN(""), SPAN("begins with the days") },
		{ SPAN("from=a@a.test"), SPAN("begins with the days") },
		{ SPAN("-1 from=a@a.test"), SPAN("begins with the days") },
		{ SPAN("36601 from=a@a.test"), SPAN("begins with the days") },
		{ SPAN("99999999999999999999 from=a@a.test"), SPAN("begins with the days") },
		{ SPAN("7d from=a@a.test"), SPAN("begins with the days") },
		{ SPAN("7"), SPAN("names from=PATTERN") },
		{ SPAN("7 from="), SPAN("names from=PATTERN") },
		{ SPAN("7 a@a.test"), SPAN("a line is `DAYS") },
		{ SPAN("7 From=a@a.test"), SPAN("a line is `DAYS") },
		{ SPAN("7 from=a@a.test from=b@b.test"), SPAN("a line is `DAYS") },
		{ SPAN("7 from=a@a.test x"), SPAN("a line is `DAYS") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct archive_rule rule;
		const char *why = "";

		check_row(i, archive_rule_parse(at_page_edge(rows[i].line), &rule, &why) == ERR_SYNTAX);
		if (span_find_span(span_of(why), rows[i].why) == strlen(why))
			fail_msg("row %zu: %s", i, why);
	}
}

/* A text of them: comments, empty lines, tabs, CRLF and a byte order mark; what is wrong has its line. */
static void
test_q_35_a_text_of_rules(void **state)
{
	static const struct {
		struct span text, told; /* the lines that are left; else the faults, "LINE TEXT;" */
		enum err want;
	} rows[] = {
		{ SPAN(""), SPAN(""), OK },
		{ SPAN("\n  \n# 7 from=a\n"), SPAN(""), OK },
		{ SPAN("\xef\xbb\xbf" "7\tfrom=a@a.test\r\n 0 to=b \r\n8 from=c"), SPAN("7 from=a@a.test|0 to=b|8 from=c|"), OK },
		{ SPAN("7 from=a\n\nx\n9 to=b\n7"), SPAN("3 a line begins with the;5 a line names from=PATT;"), ERR_SYNTAX },
		{ SPAN("7 from=a\x01\n"), SPAN("1 control characters are;"), ERR_SYNTAX },
		/* what never counts */
		{ SPAN("7 from=a\n8 from=A to=c\n9 to=c"), SPAN("2 never counts: rule 1 f;7 from=a|8 from=A to=c|9 to=c|"), OK },
		{ SPAN("7 from=*@b.test\n8 from=x?@B.test"), SPAN("2 never counts: rule 1 f;7 from=*@b.test|8 from=x?@B.test|"), OK },
		{ SPAN("7 from=a\n8 from=*\n9 from=b"), SPAN("3 never counts: rule 2 f;7 from=a|8 from=*|9 from=b|"), OK },
		{ SPAN("7 from=*.?\n8 from=a.b\n9 to=*.?"), SPAN("7 from=*.?|8 from=a.b|9 to=*.?|"), OK },
		{ SPAN("7 from=a to=b\n8 from=a\n9 to=b"), SPAN("7 from=a to=b|8 from=a|9 to=b|"), OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf_faults *faults = calloc(1, sizeof(*faults));
		struct archive_rules rules;
		char told[400] = "";
		struct arena a;

		arena_init(&a, NULL);
		conf_faults_init(faults);
		check_row(i, archive_rules_parse(at_page_edge(rows[i].text), &a, &rules, faults) == rows[i].want);
		for (size_t n = 0; n < faults->count; n++)
			snprintf(told + strlen(told), sizeof(told) - strlen(told), "%u %.*s;", faults->items[n].line,
				SPAN_FMT(span_range(faults->items[n].text, 0, 22)));
		for (size_t n = 0; n < rules.count && rows[i].want == OK; n++)
			snprintf(told + strlen(told), sizeof(told) - strlen(told), "%.*s|", SPAN_FMT(rules.lines[n]));
		check_span(i, span_of(told), rows[i].told);
		conf_faults_fini(faults);
		free(faults);
		arena_reset(&a);
	}
}

static void
test_q_35_so_many_rules_and_no_more(void **state)
{
	struct conf_faults *faults = calloc(1, sizeof(*faults));
	struct archive_rules rules;
	struct buf text;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	conf_faults_init(faults);
	buf_init(&text, 1 << 20);
	for (unsigned i = 0; i < ARCHIVE_RULES_MAX; i++)
		assert_int_equal(buf_printf(&text, "7 from=%u@a.test\n", i), OK);
	assert_int_equal(archive_rules_parse(buf_span(&text), &a, &rules, faults), OK);
	assert_int_equal(rules.count, ARCHIVE_RULES_MAX);
	assert_int_equal(buf_put(&text, SPAN("# the end\n1 to=x\n")), OK);
	assert_int_equal(archive_rules_parse(buf_span(&text), &a, &rules, faults), ERR_LIMIT);
	assert_int_equal(faults->items[0].line, ARCHIVE_RULES_MAX + 2);
	buf_fini(&text);
	conf_faults_fini(faults);
	free(faults);
	arena_reset(&a);
}

int
test_archive_rules(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arc_04_lines_are_read),
		cmocka_unit_test(test_arc_04_lines_are_refused),
		cmocka_unit_test(test_q_35_a_text_of_rules),
		cmocka_unit_test(test_q_35_so_many_rules_and_no_more),
	};

	return cmocka_run_group_tests_name("archive rules", tests, NULL, NULL);
}
