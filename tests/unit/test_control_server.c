/*
 * test_control_server.c - the pure parts of server/control: credit, levels, imports, CSV.
 */
#include "tests/unit/test_control_server.h"

#include <string.h>

#include "conf/conf.h"
#include "server/control/control_guard.h"
#include "server/control/control_import.h"
#include "server/control/control_lists.h"
#include "server/control/control_log.h"
#include "server/control/control_notes.h"
#include "server/control/control_subscribe.h"
#include "server/control/control_transfer.h"
#include "store/entries.h"
#include "tests/harness/page_edge.h"

/* ---- subscriptions ---- */

static void
h59_events_stop_without_credit(void **state)
{
	struct control_credit c = {0};

	(void)state;
	for (int i = 0; i < CONTROL_EVENTS_MAX; i++) {
		assert_true(control_credit_has(&c));
		control_credit_spend(&c, 100);
	}
	assert_false(control_credit_has(&c));
	control_credit_ack(&c, 1);
	assert_true(control_credit_has(&c));
	control_credit_ack(&c, 1000000); /* more than was sent */
	assert_int_equal(c.acked, c.sent);
	assert_int_equal(c.waiting, 0);
	control_credit_spend(&c, CONTROL_EVENT_BYTES);
	assert_false(control_credit_has(&c));
	control_credit_ack(&c, 0); /* an old one gives nothing back */
	assert_false(control_credit_has(&c));
}

/* ---- who may ---- */

static void
h59_credentials_decide(void **state)
{
	static const struct span root_group[] = {{"root", 4}};
	static const struct conf viewers = {.console_viewer = {root_group, 1}};
	static const struct conf admins = {
		.console_administrator = {root_group, 1}, .console_viewer = {root_group, 1}};
	static const struct conf none;
	struct host no_groups = {.conf = &none}, some = {.conf = &viewers}, two = {.conf = &admins};
	gid_t zero[] = {0}, other[] = {4242};

	(void)state;
	assert_int_equal(control_level_of(&no_groups, 0, 99, other, 1), CONTROL_ADMINISTRATOR);
	assert_int_equal(control_level_of(&no_groups, 99, 99, other, 1), CONTROL_ADMINISTRATOR);
	assert_int_equal(control_level_of(&no_groups, 1000, 99, zero, 1), CONTROL_NOBODY);
	assert_int_equal(control_level_of(&some, 1000, 99, zero, 1), CONTROL_VIEWER);
	assert_int_equal(control_level_of(&some, 1000, 99, other, 1), CONTROL_NOBODY);
	assert_int_equal(control_level_of(&two, 1000, 99, zero, 1), CONTROL_ADMINISTRATOR);
}

static void
preview_knows_the_list_behind_a_change(void **state)
{
	static const struct {
		const char *method, *list;
	} given[] = {
		{"queue.hold", "queue.list"},
		{"user.remove", "user.list"},
		{"message.remove", "message.list"},
		{"message.purge", "message.bin"},
		{"message.restore", "message.bin"},
		{"session.end", "session.list"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(given); i++) {
		const struct control_method *m = control_method_find(span_of(given[i].method));
		const struct control_method *list = m ? control_list_of(m) : NULL;

		check_row(i, list && strcmp(list->method, given[i].list) == 0);
	}
}

/* ---- imports ---- */

/* What people wrote, in a row or an object. */
static bool
shows_mail(const struct control_method *m, const char **column)
{
	static const char *const columns[] = {"subject", "header", "body", "text"};
	struct control_schema schema;
	bool found = m->right == CONTROL_RIGHT_MESSAGE_READ;

	*column = NULL;
	control_schema_parse(m->columns, &schema);
	for (size_t i = 0; i < schema.count; i++)
		for (size_t n = 0; n < COUNT(columns); n++)
			if (span_eq(schema.items[i].name, span_of(columns[n])) &&
				(n < 3 || control_schema_find(&schema, SPAN("parts")))) {
				*column = columns[n];
				found = true;
			}
	return found;
}

/* A method that shows what people wrote is locked, or the column that does is (SEC-09, walked over the table). */
static void
message_security_guards_each_method_that_shows_mail_sec_09(void **state)
{
	unsigned shown = 0;

	(void)state;
	for (size_t i = 0; i < CONTROL_METHOD_COUNT; i++) {
		const struct control_method *m = &control_methods[i];
		struct control_rows rows = {0};
		const char *column;

		if (!shows_mail(m, &column))
			continue;
		shown++;
		control_schema_parse(m->columns, &rows.columns);
		rows.used = UINT64_MAX;
		control_guard_hide(m, &rows);
		if (!control_guard_has_method(m) && (!column || control_rows_want(&rows, column)))
			fail_msg("%s shows mail and is not in control_guarded.h", m->method);
	}
	assert_true(shown >= 10);
}

static void
import_reads_flags(void **state)
{
	(void)state;
	assert_int_equal(import_maildir_flags(at_page_edge(SPAN("1.M1.host:2,FS"))),
		FLAG_FLAGGED | FLAG_SEEN);
	assert_int_equal(import_maildir_flags(at_page_edge(SPAN("1.M1.host:2,"))), 0);
	assert_int_equal(import_maildir_flags(at_page_edge(SPAN("RSTFD"))), 0);
	assert_int_equal(
		import_status_flags(at_page_edge(SPAN("Status: RO\r\nX-Status: AF\r\n\r\n"))),
		FLAG_SEEN | FLAG_ANSWERED | FLAG_FLAGGED);
	assert_int_equal(import_status_flags(at_page_edge(SPAN("Subject: R\r\n\r\n"))), 0);
}

static void
h1_import_leaves_no_bare_line_feed(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	assert_true(span_eq(
		control_crlf(&a, at_page_edge(SPAN("a\nb\r\n\nc"))), SPAN("a\r\nb\r\n\r\nc")));
	assert_true(span_eq(control_crlf(&a, at_page_edge(SPAN("a\r\n"))), SPAN("a\r\n")));
	assert_true(span_eq(control_crlf(&a, SPAN("")), SPAN("")));
	arena_reset(&a);
}

/* ---- CSV ---- */

static void
map_15_csv_lines_are_read(void **state)
{
	static const struct {
		struct span line;
		enum err want;
		size_t count;
		const char *first, *last;
	} given[] = {
		{SPAN("office,anna"), OK, 2, "office", "anna"},
		{SPAN(" office , anna "), OK, 2, "office", "anna"},
		{SPAN("\"a,b\",\"c\"\"d\""), OK, 2, "a,b", "c\"d"},
		{SPAN("a,,"), OK, 3, "a", ""},
		{SPAN("\"a\" ,b"), OK, 2, "a", "b"},
		{SPAN("\"open"), ERR_SYNTAX, 0, "", ""},
		{SPAN("\"anna\"bert,c"), ERR_SYNTAX, 0, "", ""}, /* who of the two? */
		{SPAN("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"), ERR_LIMIT, 0, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(given); i++) {
		struct span fields[CSV_FIELDS_MAX];
		struct arena a;
		size_t count;

		arena_init(&a, NULL);
		check_row(i, csv_parse(&a, at_page_edge(given[i].line), fields, &count) ==
				     given[i].want);
		if (given[i].want == OK) {
			check_row(i, count == given[i].count);
			check_row(i, span_eq(fields[0], span_of(given[i].first)));
			check_row(i, span_eq(fields[count - 1], span_of(given[i].last)));
		}
		arena_reset(&a);
	}
}

/* What is put is read back, and no cell begins as a formula (H70). */
static void
h70_csv_cells_are_no_formulas(void **state)
{
	static const char *const cells[] = {"=1+1", "+x", "-x", "@x", "a,b", "a\"b", "'x", "plain"};

	(void)state;
	for (size_t i = 0; i < COUNT(cells); i++) {
		struct span fields[CSV_FIELDS_MAX];
		struct arena a;
		struct buf out;
		size_t count;

		arena_init(&a, NULL);
		buf_init(&out, 256);
		check_row(i, csv_put(&out, span_of(cells[i]), false) == OK);
		check_row(i, !memchr("=+-@", buf_span(&out).ptr[0], 4));
		check_row(i,
			buf_span(&out).ptr[0] != '"' || !memchr("=+-@", buf_span(&out).ptr[1], 4));
		check_row(i, csv_parse(&a, buf_span(&out), fields, &count) == OK && count == 1);
		check_row(i, span_eq(fields[0], span_of(cells[i])));
		buf_fini(&out);
		arena_reset(&a);
	}
}

/* ---- the log ---- */

static void
log_14_lines_are_taken_apart(void **state)
{
	struct span cells[CONTROL_LOG_CELLS];

	(void)state;
	control_log_split(
		at_page_edge(SPAN("2026-03-01T12:00:00.123+01:00 info smtp s17 - hello a=b c")),
		cells);
	assert_true(span_eq(cells[1], SPAN("info")));
	assert_true(span_eq(cells[3], SPAN("s17")));
	assert_int_equal(cells[4].len, 0);
	assert_true(span_eq(cells[5], SPAN("hello a=b c")));
	control_log_split(at_page_edge(SPAN("short")), cells);
	assert_int_equal(cells[5].len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(h59_events_stop_without_credit),
		cmocka_unit_test(h59_credentials_decide),
		cmocka_unit_test(preview_knows_the_list_behind_a_change),
		cmocka_unit_test(message_security_guards_each_method_that_shows_mail_sec_09),
		cmocka_unit_test(import_reads_flags),
		cmocka_unit_test(h1_import_leaves_no_bare_line_feed),
		cmocka_unit_test(map_15_csv_lines_are_read),
		cmocka_unit_test(h70_csv_cells_are_no_formulas),
		cmocka_unit_test(log_14_lines_are_taken_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) + test_control_rows();
}
