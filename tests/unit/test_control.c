/*
 * test_control.c - the control protocol without a socket: rows, schemas, units, filters, requests,
 * replies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/json.h"
#include "proto/control/control_filter.h"
#include "proto/control/rpc_request.h"
#include "tests/harness/page_edge.h"

#define check_row(i, condition) \
	do { \
		if (!(condition)) \
			fail_msg("row %zu: %s", (size_t)(i), #condition); \
	} while (0)

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
		if (len > 0 && m->id != CONTROL_undo_apply && m->id != CONTROL_store_check)
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
		{ { NULL, 0 }, 5, true },                                /* tries */
		{ { NULL, 0 }, 25165824, true },                         /* size */
		{ { "shop@example.com", 16 }, 0, true },                 /* sender */
		{ { "orders@dest3.test eve@dest1.test", 32 }, 0, true }, /* recipients */
		{ { "connection refused", 18 }, 0, true },               /* last_error */
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

#define ID64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define CALL(method, params) \
	SPAN("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"" method "\",\"params\":" params "}")

static void
h59_requests_are_checked_against_their_row(void **state)
{
	static const struct {
		struct span in;
		bool ok;
		enum rpc_code code;
		const char *field;
	} rows[] = {
		{ CALL("queue.list", "{}"), true, 0, "" },
		{ SPAN("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"queue.list\"}"), true, 0, "" },
		{ CALL("queue.list", "{\"limit\":5,\"filter\":\"a\"}"), true, 0, "" },
		{ CALL("queue.list", "{\"limit\":null}"), true, 0, "" },
		{ CALL("queue.list", "{\"limit\":\"5\"}"), false, RPC_INVALID, "limit" },
		{ CALL("queue.list", "{\"limit\":-1}"), false, RPC_INVALID, "limit" },
		{ CALL("queue.list", "{\"limits\":5}"), false, RPC_INVALID, "limits" },
		{ CALL("queue.list", "[]"), false, RPC_INVALID, "params" },
		{ CALL("queue.hold", "{}"), false, RPC_INVALID, "ids" },
		{ CALL("queue.hold", "{\"ids\":[]}"), false, RPC_INVALID, "ids" },
		{ CALL("queue.hold", "{\"ids\":[1]}"), false, RPC_INVALID, "ids" },
		{ CALL("queue.hold", "{\"ids\":[\"a\",\"b\"]}"), true, 0, "" },
		{ CALL("user.set", "{\"name\":\"anna\",\"keys\":{}}"), false, RPC_INVALID, "keys" },
		{ CALL("user.set", "{\"name\":\"anna\",\"keys\":{\"quota_mb\":5}}"), false, RPC_INVALID,
			"quota_mb" },
		{ CALL("user.set", "{\"name\":\"anna\",\"keys\":{\"quota_mb\":\"5\"}}"), true, 0, "" },
		{ CALL("user.set", "{\"name\":\"an na\",\"keys\":{\"a\":\"5\"}}"), false, RPC_INVALID, "name" },
		{ CALL("explain", "{\"from\":\"\",\"to\":[\"a@b.test\"],\"via\":\"uucp\"}"), false,
			RPC_INVALID, "via" },
		{ CALL("explain", "{\"from\":\"\",\"to\":[\"a@b.test\"],\"via\":\"smtp\",\"size\":\"5k\"}"),
			true, 0, "" },
		{ CALL("backup", "{\"dir\":0}"), true, 0, "" },
		{ CALL("backup", "{\"dir\":4}"), false, RPC_INVALID, "dir" },
		{ CALL("clock.advance", "{\"by\":\"3d\"}"), true, 0, "" },
		{ CALL("clock.advance", "{\"by\":\"soon\"}"), false, RPC_INVALID, "by" },
		{ CALL("log.show", "{\"since\":\"yesterday\"}"), false, RPC_INVALID, "since" },
		{ CALL("user.add", "{\"name\":\"a\",\"password\":\"x\",\"admin\":1}"), false, RPC_INVALID,
			"admin" },
		{ CALL("nosuch", "{}"), false, RPC_METHOD, "nosuch" },
		{ SPAN("{"), false, RPC_PARSE, "" },
		{ SPAN("[]"), false, RPC_REQUEST, "" },
		{ SPAN("{\"id\":7,\"method\":\"hello\"}"), false, RPC_REQUEST, "jsonrpc" },
		{ SPAN("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"hello\"}"), false, RPC_REQUEST, "id" },
		{ SPAN("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":8}"), false, RPC_REQUEST, "method" },
		{ SPAN("{\"jsonrpc\":\"2.0\",\"id\":\"" ID64 "x\",\"method\":\"status\"}"), false,
			RPC_REQUEST, "id" },
		{ CALL("user.show", "{\"name\":\"a\",\"name\":\"b\"}"), false, RPC_PARSE, "" },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct rpc_request r;
		struct rpc_error error = { 0 };
		struct arena a;
		bool ok;

		arena_init(&a, NULL);
		ok = rpc_request_parse(at_page_edge(rows[i].in), &a, &r, &error);
		check_row(i, ok == rows[i].ok);
		check_row(i, ok || error.code == rows[i].code);
		check_row(i, ok || span_eq(error.field, span_of(rows[i].field)));
		check_row(i, ok || error.why.len > 0);
		check_row(i, !ok || span_eq(r.id, SPAN("7")));
		arena_reset(&a);
	}
	(void)state;
}

static void
values_come_out_as_their_types_want(void **state)
{
	struct rpc_request r, inner;
	struct rpc_error error;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	assert_true(rpc_request_parse(
		CALL("user.add", "{\"name\":\"anna\",\"admin\":true,\"quota\":50,\"password\":\"a b\"}"), &a,
		&r, &error));
	assert_int_equal(r.method->id, CONTROL_user_add);
	assert_true(span_eq(rpc_text(&r, "name"), SPAN("anna")));
	assert_true(span_eq(rpc_text(&r, "password"), SPAN("a b")));
	assert_true(rpc_flag(&r, "admin"));
	assert_int_equal(rpc_number(&r, "quota", 0), 50);
	assert_false(rpc_has(&r, "comment"));
	assert_true(rpc_request_parse(
		CALL("preview", "{\"method\":\"queue.remove\",\"filter\":\"to:x\",\"params\":{}}"), &a, &r,
		&error));
	assert_true(rpc_request_inner(&r, true, &a, &inner, &error));
	assert_int_equal(inner.method->id, CONTROL_queue_remove);
	assert_false(rpc_request_inner(&r, false, &a, &inner, &error));
	assert_true(span_eq(error.field, SPAN("ids")));
	arena_reset(&a);
}

/* One target too many, and a line that is too long. */
static void
h59_sizes_of_a_request_have_limits(void **state)
{
	static const char begin[] =
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"queue.hold\",\"params\":{\"ids\":[";
	size_t at = sizeof(begin) - 1;
	char *line = malloc(CONTROL_LINE_MAX);
	struct rpc_request r;
	struct rpc_error error = { 0 };
	struct arena a;

	(void)state;
	assert_non_null(line);
	arena_init(&a, NULL);
	memcpy(line, begin, at);
	for (size_t i = 0; i < CONTROL_TARGETS_MAX; i++, at += 4)
		memcpy(line + at, i ? ",\"a\"" : " \"a\"", 4);
	memcpy(line + at, "]}}", 3);
	assert_true(rpc_request_parse((struct span){ line, at + 3 }, &a, &r, &error));
	memcpy(line + at, ",\"a\"]}}", 7);
	assert_false(rpc_request_parse((struct span){ line, at + 7 }, &a, &r, &error));
	assert_int_equal(error.code, RPC_TOO_LARGE);
	memset(line, ' ', CONTROL_LINE_MAX);
	error.code = RPC_INTERNAL;
	assert_false(rpc_request_parse((struct span){ line, CONTROL_LINE_MAX }, &a, &r, &error));
	assert_int_equal(error.code, RPC_TOO_LARGE);
	arena_reset(&a);
	free(line);
}

/* Refused before anybody looked at the password, which the arena holds all the same. */
static void
h66_a_refused_line_leaves_no_password(void **state)
{
	struct chunk_pool pool;
	struct rpc_request r;
	struct rpc_error error;
	struct arena a;

	(void)state;
	chunk_pool_init(&pool, 8);
	arena_init(&a, &pool);
	assert_false(rpc_request_parse(
		CALL("user.add", "{\"nome\":\"anna\",\"password\":\"canary\"}"), &a, &r, &error));
	arena_reset(&a);
	assert_true(pool.free_count > 0);
	for (void **chunk = (void **)pool.free; chunk; chunk = *chunk)
		assert_null(memmem(chunk, ARENA_CHUNK_SIZE, "canary", 6));
	chunk_pool_fini(&pool);
}

static void
replies_are_one_line_of_json(void **state)
{
	static const struct rpc_error error = {
		.code = RPC_NOT_FOUND, .what = SPAN("queue hold"), .why = SPAN("no \"such\"\nid"),
		.retry_after_s = 3,
	};
	static const struct rpc_skipped skipped[] = { { SPAN("a"), SPAN("gone") } };
	struct json_writer w;
	struct buf out;

	(void)state;
	buf_init(&out, CONTROL_LINE_MAX);
	rpc_put_error(&out, SPAN("7"), &error);
	assert_true(span_eq(buf_span(&out),
		SPAN("{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32001,\"message\":\"no \\\"such\\\"\\nid\","
		     "\"data\":{\"code\":\"not_found\",\"what\":\"queue hold\",\"why\":\"no \\\"such\\\"\\nid\","
		     "\"retry_after\":3}}}\n")));
	buf_clear(&out);
	rpc_begin_rows(&w, &out, SPAN("7"));
	json_put_object(&w);
	json_put_member_u64(&w, SPAN("uid"), 1);
	json_put_close(&w);
	assert_int_equal(rpc_end_rows(&w, SPAN_NONE, 1), OK);
	assert_true(span_eq(buf_span(&out),
		SPAN("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"rows\":[{\"uid\":1}],\"next\":null,\"total\":1}}\n")));
	buf_clear(&out);
	assert_int_equal(rpc_put_done(&out, SPAN("7"),
				 &(struct rpc_done){ .done = 2, .skipped = skipped, .skipped_count = 1,
					 .undo = SPAN("17") }), OK);
	assert_true(span_eq(buf_span(&out),
		SPAN("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"done\":2,\"skipped\":[{\"key\":\"a\",\"why\":\"gone\"}],"
		     "\"undo\":\"17\",\"undo_until\":null,\"note\":\"\"}}\n")));
	buf_clear(&out);
	rpc_begin_event(&w, &out, 1, SPAN("log"), 9);
	json_put_bool(&w, true);
	assert_int_equal(rpc_end_event(&w), OK);
	assert_true(span_eq(buf_span(&out),
		SPAN("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"subscription\":1,\"topic\":\"log\","
		     "\"seq\":9,\"data\":true}}\n")));
	buf_fini(&out);
}

/* A reply over the limit is cut to an error, whatever stood in the buffer before. */
static void
h59_a_reply_over_the_limit_is_an_error(void **state)
{
	struct json_writer w;
	struct buf out;
	size_t mark;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(rpc_put_text(&out, SPAN("1"), SPAN("first")), OK);
	mark = buf_span(&out).len;
	rpc_begin_rows(&w, &out, SPAN("2"));
	for (int i = 0; i < 500; i++)
		json_put_u64(&w, 123456);
	assert_int_equal(rpc_end_rows(&w, SPAN_NONE, 500), ERR_LIMIT);
	rpc_reply_cut(&out, mark, SPAN("2"));
	assert_true(span_find_span(buf_span(&out), SPAN("too_large")) < buf_span(&out).len);
	assert_true(span_find_span(buf_span(&out), SPAN("first")) < mark);
	assert_int_equal(buf_span(&out).ptr[buf_span(&out).len - 1], '\n');
	buf_fini(&out);
}

static void
hello_lists_every_method(void **state)
{
	const struct json *json;
	struct json_writer w;
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, CONTROL_LINE_MAX);
	json_writer_init(&w, &out);
	rpc_put_methods(&w);
	assert_int_equal(json_writer_end(&w), OK);
	assert_int_equal(json_parse(&a, buf_span(&out), &json, NULL), OK);
	assert_int_equal(json->count, CONTROL_METHOD_COUNT);
	buf_fini(&out);
	arena_reset(&a);
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
		cmocka_unit_test(h59_requests_are_checked_against_their_row),
		cmocka_unit_test(values_come_out_as_their_types_want),
		cmocka_unit_test(h59_sizes_of_a_request_have_limits),
		cmocka_unit_test(h66_a_refused_line_leaves_no_password),
		cmocka_unit_test(replies_are_one_line_of_json),
		cmocka_unit_test(h59_a_reply_over_the_limit_is_an_error),
		cmocka_unit_test(hello_lists_every_method),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
