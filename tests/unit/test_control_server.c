/*
 * test_control_server.c - the pure parts of server/control: rows, credit, levels, imports, CSV.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "server/control/control_guard.h"
#include "server/control/control_import.h"
#include "server/control/control_lists.h"
#include "server/control/control_log.h"
#include "server/control/control_notes.h"
#include "server/control/control_rows.h"
#include "server/control/control_subscribe.h"
#include "server/control/control_transfer.h"
#include "store/entries.h"
#include "tests/harness/page_edge.h"

#define check_row(i, condition)                                                                    \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("row %zu: %s", (size_t)(i), #condition);                          \
	} while (0)

/* ---- rows ---- */

static const struct rpc_request *
request(struct arena *a, const char *line)
{
	struct rpc_request *r = ARENA_NEW(a, struct rpc_request);
	struct rpc_error error;

	assert_true(rpc_request_parse(span_of(line), a, r, &error));
	return r;
}

/* Three queue rows whose order by id, size and state all differ. */
static void
fill(struct control_rows *rows)
{
	static const struct {
		const char *id, *state;
		int64_t size;
	} given[] = {{"A", "held", 30}, {"B", "active", 10}, {"C", "held", 20}};

	for (size_t i = 0; i < COUNT(given); i++) {
		struct span to = SPAN("x@y.test");

		control_row(rows, span_of(given[i].id));
		control_put_text(rows, span_of(given[i].id));
		control_put_text(rows, span_of(given[i].state));
		control_put_number(rows, 5);
		control_put_time_ms(rows, 0);
		control_put_number(rows, given[i].size);
		control_put_text(rows, SPAN("s@y.test"));
		control_put_list(rows, &to, 1);
		control_put_text(rows, SPAN(""));
		control_put_number(rows, 0);
		control_put_text(rows, SPAN(""));
		control_put_text(rows, SPAN(""));
		control_put_text(rows, SPAN(""));
		control_put_list(rows, &to, 0);
	}
	control_rows_end(rows);
}

static void
rows_are_filtered_sorted_and_cut(void **state)
{
	static const struct {
		const char *params, *want;
	} given[] = {
		{"", "ABC"},
		{"\"sort\":\"size\"", "BCA"},
		{"\"sort\":\"-size\"", "ACB"},
		{"\"sort\":\"state\"", "BAC"},
		{"\"filter\":\"state:held\"", "AC"},
		{"\"filter\":\"size>15 size<25\"", "C"},
		{"\"filter\":\"to:x@y.test\",\"sort\":\"size:desc\"", "ACB"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(given); i++) {
		struct rpc_error error;
		struct control_rows rows;
		struct arena a;
		char line[256];

		arena_init(&a, NULL);
		snprintf(line, sizeof(line),
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"queue.list\",\"params\":{%s}}",
			given[i].params);
		check_row(i, control_rows_init(&rows, &a, request(&a, line), 0, &error));
		fill(&rows);
		check_row(i, rows.count == strlen(given[i].want));
		for (size_t j = 0; j < rows.count; j++)
			check_row(i, rows.rows[j].key.ptr[0] == given[i].want[j]);
		control_rows_fini(&rows);
		arena_reset(&a);
	}
}

/* Three of EXPECTED rows were looked at, and two passed. */
static void
a_count_that_ends_early_is_an_estimate(void **state)
{
	static const struct {
		uint64_t expected, want;
		bool approx;
	} given[] = {{0, 2, false}, {3, 2, false}, {6, 4, true}, {1500, 1000, true},
		{1999999, 1330000, true}};

	(void)state;
	for (size_t i = 0; i < COUNT(given); i++) {
		struct rpc_error error;
		struct control_rows rows;
		struct arena a;

		arena_init(&a, NULL);
		check_row(i, control_rows_init(&rows, &a, request(&a, "{\"jsonrpc\":\"2.0\",\"id\":1,"
			"\"method\":\"queue.list\",\"params\":{\"filter\":\"state:held\"}}"), 0, &error));
		control_rows_keep(&rows, CONTROL_KEEP_NONE, NULL);
		fill(&rows);
		rows.expected = given[i].expected;
		control_rows_estimate(&rows);
		check_row(i, rows.total == given[i].want);
		check_row(i, rows.approx == given[i].approx);
		control_rows_fini(&rows);
		arena_reset(&a);
	}
}

static void
rows_refuse_a_bad_sort_and_filter(void **state)
{
	static const char *const bad[] = {"\"sort\":\"nonsense\"", "\"filter\":\"size>many\""};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct rpc_error error = {0};
		struct control_rows rows;
		struct arena a;
		char line[256];

		arena_init(&a, NULL);
		snprintf(line, sizeof(line),
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"queue.list\",\"params\":{%s}}",
			bad[i]);
		check_row(i, !control_rows_init(&rows, &a, request(&a, line), 0, &error));
		check_row(i, error.code == RPC_INVALID && error.why.len > 0);
		control_rows_fini(&rows);
		arena_reset(&a);
	}
}

static void
rows_say_where_to_go_on(void **state)
{
	struct rpc_error error;
	struct control_rows rows, moved;
	struct json_writer w;
	struct span next;
	struct arena a, b;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	arena_init(&b, NULL);
	buf_init(&out, 65536);
	json_writer_init(&w, &out);
	assert_true(control_rows_init(&rows, &a,
		request(&a, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"queue.list\"}"), 0,
		&error));
	fill(&rows);
	control_rows_move(&moved, &rows, &b);
	control_rows_fini(&rows);
	arena_reset(&a); /* nothing of the moved rows lies in it */
	json_put_array(&w);
	control_rows_put(&moved, 0, 2, &w, &next);
	json_put_close(&w);
	assert_int_equal(json_writer_end(&w), OK);
	assert_true(span_eq(next, SPAN("B")));
	assert_true(span_find_span(buf_span(&out), SPAN("\"recipients\":[\"x@y.test\"]")) <
		    buf_span(&out).len);
	assert_true(span_find_span(buf_span(&out), SPAN("\"next_try\":null")) < buf_span(&out).len);
	assert_int_equal(control_rows_find(&moved, SPAN("C")), 2);
	assert_int_equal(control_rows_find(&moved, SPAN("D")), 3);
	control_rows_fini(&moved);
	arena_reset(&b);
	buf_fini(&out);
}

/* ---- lists that are kept as numbers ---- */

static void
ids_stand_in_order_and_are_found(void **state)
{
	static const struct {
		uint64_t id;
		int64_t number;
		const char *text;
	} given[] = {{7, 30, "Bob"}, {3, 10, "carl"}, {9, 10, "anna"}, {5, 20, "bob"}};
	static const struct {
		enum control_ids_order order;
		bool down;
		uint64_t want[4];
	} rows[] = {
		{IDS_AS_ADDED, false, {7, 3, 9, 5}},
		{IDS_BY_NUMBER, false, {3, 9, 5, 7}},
		{IDS_BY_NUMBER, true, {7, 5, 9, 3}},
		{IDS_BY_TEXT, false, {9, 5, 7, 3}},
		{IDS_BY_TEXT, true, {3, 7, 5, 9}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t wanted[] = {5, 4, 3};
		size_t found[3];
		struct control_ids ids;

		control_ids_init(&ids, rows[i].order, rows[i].down);
		for (size_t j = 0; j < COUNT(given); j++)
			check_row(i, control_ids_add(&ids, given[j].id, given[j].number,
					     span_of(given[j].text)));
		control_ids_end(&ids);
		for (size_t j = 0; j < COUNT(given); j++) {
			check_row(i, ids.ids[j] == rows[i].want[j]);
			check_row(i, control_ids_find(&ids, rows[i].want[j]) == j);
		}
		control_ids_find_all(&ids, wanted, COUNT(wanted), found);
		check_row(i, ids.ids[found[0]] == 5 && found[1] == 4 && ids.ids[found[2]] == 3);
		control_ids_fini(&ids);
	}
}

/* A list that would take more memory than all lists may have is refused, and gives all back. */
static void
ids_have_a_limit(void **state)
{
	struct control_ids ids;
	uint64_t id = 1;

	(void)state;
	for (int round = 0; round < 2; round++) {
		control_ids_init(&ids, IDS_BY_NUMBER, false);
		while (id < 10000000 && control_ids_add(&ids, id, 0, SPAN_NONE))
			id++;
		assert_true(id > 2000000 && id < 10000000);
		assert_true(ids.counted_bytes <= CONTROL_ROWS_MEMORY);
		control_ids_fini(&ids);
		id = 1;
	}
	assert_true(control_rows_memory_take(CONTROL_ROWS_MEMORY));
	assert_false(control_rows_memory_take(1));
	control_rows_memory_give(CONTROL_ROWS_MEMORY);
}

/* A reply that shows two rows keeps no more than it needs, and counts them all. */
static void
rows_are_kept_as_far_as_they_are_shown(void **state)
{
	static const struct {
		const char *params;
		enum control_keep keep;
		size_t count;
	} given[] = {
		{"\"limit\":0", CONTROL_KEEP_PAGE, 2},
		{"\"limit\":1,\"after\":\"B\"", CONTROL_KEEP_PAGE, 2},
		{"\"limit\":1,\"sort\":\"size\"", CONTROL_KEEP_PAGE, 3},
		{"\"limit\":1", CONTROL_KEEP_ALL, 3},
		{"", CONTROL_KEEP_NONE, 0},
		{"", CONTROL_KEEP_TARGETS, 3},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(given); i++) {
		struct rpc_error error;
		struct control_rows rows;
		struct arena a;
		char line[256];

		arena_init(&a, NULL);
		snprintf(line, sizeof(line),
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"queue.list\",\"params\":{%s}}",
			given[i].params);
		check_row(i, control_rows_init(&rows, &a, request(&a, line), 0, &error));
		control_rows_keep(&rows, given[i].keep, NULL);
		fill(&rows);
		check_row(i, rows.count == given[i].count && rows.total == 3);
		control_rows_fini(&rows);
		arena_reset(&a);
	}
}

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
		cmocka_unit_test(rows_are_filtered_sorted_and_cut),
		cmocka_unit_test(a_count_that_ends_early_is_an_estimate),
		cmocka_unit_test(rows_refuse_a_bad_sort_and_filter),
		cmocka_unit_test(rows_say_where_to_go_on),
		cmocka_unit_test(rows_are_kept_as_far_as_they_are_shown),
		cmocka_unit_test(ids_stand_in_order_and_are_found),
		cmocka_unit_test(ids_have_a_limit),
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

	return cmocka_run_group_tests(tests, NULL, NULL);
}
