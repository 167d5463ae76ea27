/*
 * test_control_rpc.c - requests and replies of the control protocol.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/base/json.h"
#include "proto/control/rpc_request.h"
#include "tests/unit/test_control.h"

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
test_control_rpc(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(h59_requests_are_checked_against_their_row),
		cmocka_unit_test(values_come_out_as_their_types_want),
		cmocka_unit_test(h59_sizes_of_a_request_have_limits),
		cmocka_unit_test(h66_a_refused_line_leaves_no_password),
		cmocka_unit_test(replies_are_one_line_of_json),
		cmocka_unit_test(h59_a_reply_over_the_limit_is_an_error),
		cmocka_unit_test(hello_lists_every_method),
	};

	return cmocka_run_group_tests_name("control_rpc", tests, NULL, NULL);
}
