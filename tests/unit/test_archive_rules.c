/*
 * test_archive_rules.c - the lines of archive.rules: what is read, and what is refused with which words (ARC-04, Q-35).
 */
#include "tests/harness/page_edge.h"
#include "tests/unit/test_conf.h"

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

int
test_archive_rules(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arc_04_lines_are_read),
		cmocka_unit_test(test_arc_04_lines_are_refused),
	};

	return cmocka_run_group_tests_name("archive rules", tests, NULL, NULL);
}
