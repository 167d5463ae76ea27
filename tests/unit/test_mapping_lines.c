/*
 * test_mapping_lines.c - mappings and forwardings on lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/control/mapping_lines.h"
#include "tests/unit/test_control.h"

#define check_row(i, condition)                                                                    \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("row %zu: %s", (size_t)(i), #condition);                          \
	} while (0)

static void
map_15_lines(void **state)
{
	static const struct {
		const char *line, *address, *target, *when, *collect, *comment;
	} rows[] = {
		{ "sales@x.test,anna", "sales@x.test", "anna", "", "", "" },
		{ " sales , anna ", "sales", "anna", "", "", "" },
		{ "\"sales\",\"anna\"", "sales", "anna", "", "", "" },
		{ "~@x.test,anna,pop3,isp,\"a, \"\"b\"\"\"", "~@x.test", "anna", "pop3", "isp", "a, \"b\"" },
		{ "s,anna,always,,", "s", "anna", "always", "", "" },
		{ "s,*REMOTE", "s", "*REMOTE", "", "", "" },
		{ "sales", NULL, NULL, NULL, NULL, NULL },
		{ "", NULL, NULL, NULL, NULL, NULL },
		{ "sales,", NULL, NULL, NULL, NULL, NULL },
		{ ",anna", NULL, NULL, NULL, NULL, NULL },
		{ "\"sales,anna", NULL, NULL, NULL, NULL, NULL },
		{ "a,b,always,,c,d", NULL, NULL, NULL, NULL, NULL },
		{ "a,b\x01", NULL, NULL, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mapping_line line;
		const char *why = NULL;
		struct arena a;
		enum err err;

		arena_init(&a, NULL);
		err = mapping_line_parse(&a, at_page_edge(span_of(rows[i].line)), &line, &why);
		check_row(i, err == (rows[i].address ? OK : ERR_SYNTAX));
		check_row(i, (why == NULL) == (err == OK));
		if (err == OK) {
			check_row(i, span_eq(line.address, span_of(rows[i].address)));
			check_row(i, span_eq(line.target, span_of(rows[i].target)));
			check_row(i, span_eq(line.when, span_of(rows[i].when)));
			check_row(i, span_eq(line.collect, span_of(rows[i].collect)));
			check_row(i, span_eq(line.comment, span_of(rows[i].comment)));
		}
		arena_reset(&a);
	}
}

static void
map_16_two_fields_or_all(void **state)
{
	const struct mapping_line line = { SPAN("=x,y@x.test"), SPAN("anna"), SPAN("pop3"), SPAN(""),
		SPAN("+1") };
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(mapping_line_put(&out, &line, false), OK);
	assert_int_equal(mapping_line_put(&out, &line, true), OK);
	assert_true(span_eq(buf_span(&out),
		SPAN("\"'=x,y@x.test\",anna\n\"'=x,y@x.test\",anna,pop3,,\"'+1\"\n"))); /* H70 */
	buf_fini(&out);
}

static void
lst_10_lines(void **state)
{
	static const struct {
		const char *line, *name, *address;
	} rows[] = {
		{ "anna anna@x.test", "anna", "anna@x.test" },
		{ "anna\tanna@x.test", "anna", "anna@x.test" },
		{ "  anna \t \t anna@X.Test.  ", "anna", "anna@x.test" },
		{ "anna \"a b\"@x.test", "anna", "\"a b\"@x.test" },
		{ "anna", NULL, NULL },
		{ "anna ", NULL, NULL },
		{ "anna bert", "anna", "bert" },
		{ "anna bert cleo", NULL, NULL },
		{ "anna a@x.test b@x.test", NULL, NULL },
		{ "anna a@@x.test", NULL, NULL },
		{ "", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct forwarding_line line;
		const char *why = NULL;
		struct arena a;
		enum err err;

		arena_init(&a, NULL);
		err = forwarding_line_parse(
			&a, at_page_edge(span_of(rows[i].line)), &line, &why);
		check_row(i, err == (rows[i].name ? OK : ERR_SYNTAX));
		check_row(i, (why == NULL) == (err == OK));
		check_row(i, err != OK || (span_eq(line.name, span_of(rows[i].name)) &&
						  span_eq(line.address, span_of(rows[i].address))));
		arena_reset(&a);
	}
}

static void
lst_11_where_it_leads(void **state)
{
	(void)state;
	assert_true(forwarding_leads_to(SPAN("anna@x.test"), SPAN("X.test")));
	assert_true(forwarding_leads_to(SPAN("anna@x.test"), SPAN("ANNA@x.test")));
	assert_true(forwarding_leads_to(SPAN("\"a@b\"@x.test"), SPAN("x.test")));
	assert_false(forwarding_leads_to(SPAN("anna@x.test"), SPAN("bert@x.test")));
	assert_false(forwarding_leads_to(SPAN("anna@mail.x.test"), SPAN("x.test")));
	assert_false(forwarding_leads_to(SPAN("x.test"), SPAN("x.test")));
}

int
test_mapping_lines(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_15_lines),
		cmocka_unit_test(map_16_two_fields_or_all),
		cmocka_unit_test(lst_10_lines),
		cmocka_unit_test(lst_11_where_it_leads),
	};

	return cmocka_run_group_tests_name("mapping_lines", tests, NULL, NULL);
}
