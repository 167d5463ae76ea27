/*
 * test_control_rows.c - rows that a method lists: filtered, sorted, cut, kept as numbers.
 */
#include "tests/unit/test_control_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "server/control/control_ids.h"
#include "server/control/control_lists.h"
#include "server/control/control_rows.h"
#include "server/net/work.h"

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

/* ---- long lists ---- */

#define LONG_LIST 30000

/* COUNT rows; those that are sorted by size come backwards. */
static void
fill_long(struct control_rows *rows, size_t count)
{
	static const char text[] = "somebody with a long name at a host with a long name <somebody@a-long-name.example.net>";
	struct span to = span_of(text);
	char key[24];

	for (size_t i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "K%06zu", i);
		control_row(rows, span_of(key));
		control_put_text(rows, span_of(key));
		control_put_text(rows, SPAN("held"));
		control_put_number(rows, 5);
		control_put_time_ms(rows, 0);
		control_put_number(rows, (int64_t)(count - i));
		control_put_text(rows, to);
		control_put_list(rows, &to, 1);
		control_put_text(rows, SPAN(""));
		control_put_number(rows, 0);
		for (int j = 0; j < 3; j++)
			control_put_text(rows, SPAN(""));
		control_put_list(rows, &to, 0);
	}
	control_rows_end(rows);
}

/* What one reply shows, from the row behind AFTER on; how many. *NEXT where it goes on; empty: nowhere. */
static size_t
look_at_page(const char *sort, const char *after, char next[16])
{
	struct rpc_error error;
	struct control_rows rows;
	struct json_writer w;
	struct arena a;
	struct buf out;
	struct span behind;
	char line[256];
	size_t from, count = 0;

	arena_init(&a, NULL);
	buf_init(&out, 1024 * 1024);
	json_writer_init(&w, &out);
	snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"queue.list\",\"params\":{"
		"\"limit\":100000%s%s%s%s%s}}", sort[0] ? ",\"sort\":\"" : "", sort, sort[0] ? "\"" : "",
		after[0] ? ",\"after\":\"" : "", after[0] ? arena_text(&a, arena_printf(&a, "%s\"", after)) : "");
	assert_true(control_rows_init(&rows, &a, request(&a, line), 0, &error));
	control_rows_keep(&rows, CONTROL_KEEP_PAGE, NULL);
	fill_long(&rows, LONG_LIST);
	assert_int_equal(rows.total, LONG_LIST);
	if (!sort[0])
		assert_true(rows.kept.total <= 4 * CONTROL_REPLY_BYTES); /* not the whole list */
	from = after[0] ? control_rows_find(&rows, span_of(after)) + 1 : 0;
	assert_true(from <= rows.count);
	json_put_array(&w);
	control_rows_put(&rows, from, rows.limit, &w, &behind);
	json_put_close(&w);
	assert_int_equal(json_writer_end(&w), OK);
	snprintf(next, 16, "%.*s", SPAN_FMT(behind));
	for (struct span rest = buf_span(&out); rest.len > 0; count++) {
		size_t at = span_find_span(rest, SPAN("\"id\":\"K"));

		if (at >= rest.len)
			break;
		rest = span_from(rest, at + 1);
	}
	control_rows_fini(&rows);
	buf_fini(&out);
	arena_reset(&a);
	return count;
}

/* H36: of a list that is not sorted no more is kept than a reply shows; page by page each row comes once. */
static void
a_page_keeps_no_more_than_it_shows_h36(void **state)
{
	static const char *const sorts[] = {"", "size", "-size"};

	(void)state;
	for (size_t i = 0; i < COUNT(sorts); i++) {
		char after[16] = "", next[16] = "";
		size_t count = 0, pages = 0;

		do {
			count += look_at_page(sorts[i], after, next);
			memcpy(after, next, sizeof(after));
			pages++;
		} while (next[0] && pages < 100);
		check_row(i, count == LONG_LIST);
		check_row(i, pages > 5 && pages < 50);
	}
}

/* Rows of many megabytes are freed by a worker, or at the end of the workers; their share of the limit is free at once. */
static void
many_rows_are_freed_by_a_worker_h36(void **state)
{
	struct workers *workers;

	(void)state;
	assert_int_equal(workers_open(1, &workers), OK);
	for (int i = 0; i < 12; i++) { /* far more than the limit of all lists together */
		struct rpc_error error;
		struct control_rows rows, moved;
		struct arena a, b;

		arena_init(&a, NULL);
		arena_init(&b, NULL);
		assert_true(control_rows_init(&rows, &a, request(&a, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"queue.list\"}"), 0, &error));
		control_rows_keep(&rows, CONTROL_KEEP_ALL, NULL);
		fill_long(&rows, i % 2 ? 10 : LONG_LIST);
		assert_false(rows.full);
		assert_int_equal(rows.counted_bytes > CONTROL_ROWS_AT_ONCE, i % 2 == 0);
		control_rows_move(&moved, &rows, &b);
		control_rows_drop(&rows, workers);
		control_rows_drop(&moved, workers);
		control_rows_drop(&moved, workers); /* nothing is left */
		arena_reset(&a);
		arena_reset(&b);
	}
	workers_close(&workers);
}

int
test_control_rows(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_filtered_sorted_and_cut),
		cmocka_unit_test(a_count_that_ends_early_is_an_estimate),
		cmocka_unit_test(rows_refuse_a_bad_sort_and_filter),
		cmocka_unit_test(rows_say_where_to_go_on),
		cmocka_unit_test(ids_stand_in_order_and_are_found),
		cmocka_unit_test(ids_have_a_limit),
		cmocka_unit_test(rows_are_kept_as_far_as_they_are_shown),
		cmocka_unit_test(a_page_keeps_no_more_than_it_shows_h36),
		cmocka_unit_test(many_rows_are_freed_by_a_worker_h36),
	};

	return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
