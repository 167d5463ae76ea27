/*
 * test_json.c - what is a document, what it means, and how one is written.
 */
#include <stdlib.h>

#include "proto/base/json.h"
#include "tests/unit/test_proto.h"

static void
test_json_documents(void **state)
{
	static const struct {
		const char *text;
		enum err want;
	} rows[] = {
		{"{}", OK}, {" [ ] ", OK}, {"null", OK}, {"-0.5e+10", OK}, {"\"\\u00e9\"", OK},
		{"{\"a\":{\"b\":[1,2,{\"c\":null}]}}", OK}, {"\"\\ud83d\\ude00\"", OK},
		{"\"\\ud83d\"", ERR_SYNTAX}, {"\"\\ude00\"", ERR_SYNTAX},
		{"\"\\u0000\"", ERR_SYNTAX}, {"\"a\nb\"", ERR_SYNTAX}, {"\"\xff\"", ERR_SYNTAX},
		{"\"abc", ERR_SYNTAX}, {"\"abc\\", ERR_SYNTAX}, {"", ERR_SYNTAX},
		{"01", ERR_SYNTAX}, {"1.", ERR_SYNTAX}, {"+1", ERR_SYNTAX}, {".5", ERR_SYNTAX},
		{"1e", ERR_SYNTAX}, {"[1,]", ERR_SYNTAX}, {"[,1]", ERR_SYNTAX},
		{"{\"a\"}", ERR_SYNTAX}, {"{a:1}", ERR_SYNTAX}, {"{\"a\":1,}", ERR_SYNTAX},
		{"{\"a\":1,\"a\":2}", ERR_SYNTAX}, {"nul", ERR_SYNTAX}, {"[1] 2", ERR_SYNTAX},
		{"[1}", ERR_SYNTAX}, {"[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", OK}, /* 20 deep */
		{"[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]", ERR_LIMIT},	       /* 21 */
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span in = at_page_edge(span_of(rows[i].text));
		const struct json *value;
		size_t at;

		check_row(i, json_parse(&a, in, &value, &at) == rows[i].want);
		check_row(i, (value != NULL) == (rows[i].want == OK) && at <= in.len);
		arena_reset(&a);
	}
}

static void
test_json_h11_round_trip(void **state)
{
	struct span nasty = SPAN("\"\\\r\n\x01\xff\xe2\x82\xac\x7f");
	const struct json *value;
	struct json_writer w;
	struct arena a;
	struct buf out;
	uint64_t u;
	int64_t n;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, 1024);
	json_writer_init(&w, &out);
	json_put_object(&w);
	json_put_member_string(&w, SPAN("s"), at_page_edge(nasty));
	json_put_member_u64(&w, SPAN("u"), UINT64_MAX);
	json_put_member_i64(&w, SPAN("n"), INT64_MIN);
	json_put_member_bool(&w, SPAN("b"), true);
	json_put_name(&w, SPAN("l"));
	json_put_array(&w);
	json_put_null(&w);
	json_put_object(&w);
	json_put_close(&w);
	json_put_close(&w);
	json_put_close(&w);
	assert_int_equal(json_writer_end(&w), OK);
	check_span(0, buf_span(&out),
		SPAN("{\"s\":\"\\\"\\\\\\r\\n\\u0001\xef\xbf\xbd\xe2\x82\xac\\u007f\","
		     "\"u\":18446744073709551615,\"n\":-9223372036854775808,\"b\":true,"
		     "\"l\":[null,{}]}"));
	assert_int_equal(json_parse(&a, at_page_edge(buf_span(&out)), &value, NULL), OK);
	check_span(1, json_text(json_find(value, SPAN("s"))),
		SPAN("\"\\\r\n\x01\xef\xbf\xbd\xe2\x82\xac\x7f"));
	assert_int_equal(json_u64(json_find(value, SPAN("u")), UINT64_MAX, &u), OK);
	assert_true(u == UINT64_MAX);
	assert_int_equal(json_i64(json_find(value, SPAN("n")), &n), OK);
	assert_true(n == INT64_MIN);
	assert_int_equal(json_i64(json_find(value, SPAN("u")), &n), ERR_LIMIT);
	assert_int_equal(json_u64(json_find(value, SPAN("x")), 1, &u), ERR_NOT_FOUND);
	assert_true(json_truth(json_find(value, SPAN("b"))));
	assert_true(json_is(json_item(json_find(value, SPAN("l")), 1), JSON_OBJECT));
	assert_null(json_item(json_find(value, SPAN("l")), 2));
	arena_reset(&a);
	buf_fini(&out);
}

/* Whatever bytes are put in, our own reader takes what is written. */
static void
test_json_h70_reads_all_it_writes(void **state)
{
	const struct json *value;
	struct json_writer w;
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, 1024);
	for (unsigned first = 0; first < 256; first++) {
		for (unsigned second = 0; second < 256; second++) {
			const char text[] = { (char)first, (char)second, (char)0xa0, (char)0x80 };

			buf_clear(&out);
			arena_reset(&a);
			json_writer_init(&w, &out);
			json_put_object(&w);
			json_put_member_string(&w, SPAN("s"), (struct span){ text, sizeof(text) });
			json_put_close(&w);
			assert_int_equal(json_writer_end(&w), OK);
			check_row(first << 8 | second,
				json_parse(&a, buf_span(&out), &value, NULL) == OK);
		}
	}
	arena_reset(&a);
	buf_fini(&out);
}

static void
test_json_writer_limit(void **state)
{
	struct json_writer w;
	struct buf out;

	(void)state;
	buf_init(&out, 10);
	json_writer_init(&w, &out);
	json_put_array(&w);
	for (int i = 0; i < 100; i++)
		json_put_u64(&w, 12345);
	json_put_close(&w);
	assert_int_equal(json_writer_end(&w), ERR_LIMIT);
	assert_true(buf_span(&out).len <= 10);
	buf_fini(&out);
}

/* All of a tree lives in its arena: the text it was read from may go. */
static void
test_json_outlives_its_text(void **state)
{
	char text[] = "{\"n\":12345,\"s\":\"abc\"}";
	const struct json *value;
	struct arena a;
	uint64_t n;

	(void)state;
	arena_init(&a, NULL);
	assert_int_equal(json_parse(&a, span_of(text), &value, NULL), OK);
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(json_u64(json_find(value, SPAN("n")), UINT64_MAX, &n), OK);
	assert_int_equal(n, 12345);
	check_span(0, json_text(json_find(value, SPAN("s"))), SPAN("abc"));
	arena_reset(&a);
}

/* A string as written is longer than decoded: its end must not stay behind it. */
static void
test_json_escaped_secret_leaves_nothing_h66(void **state)
{
	struct span text = SPAN("\"\\u0041\\u0042secret\"");
	const struct json *value;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	assert_int_equal(json_parse(&a, at_page_edge(text), &value, NULL), OK);
	check_span(0, json_text(value), SPAN("ABsecret"));
	for (size_t i = value->text.len; i < text.len - 2; i++)
		check_row(i, value->text.ptr[i] == '\0');
	arena_reset(&a);
}

/* One item, one byte too many. */
static void
test_json_limits(void **state)
{
	size_t size = JSON_TEXT_MAX + 1;
	char *text = malloc(size);
	const struct json *value;
	struct arena a;

	(void)state;
	assert_non_null(text);
	arena_init(&a, NULL);
	for (size_t items = JSON_ITEMS_MAX; items <= JSON_ITEMS_MAX + 1; items++) {
		for (size_t i = 0; i < items; i++)
			memcpy(text + 2 * i, i ? ",1" : "[1", 2);
		text[2 * items] = ']';
		assert_int_equal(json_parse(&a, (struct span){text, 2 * items + 1}, &value, NULL),
			items <= JSON_ITEMS_MAX ? OK : ERR_LIMIT);
	}
	memset(text, ' ', size);
	text[0] = '1';
	assert_int_equal(json_parse(&a, (struct span){text, size - 1}, &value, NULL), OK);
	assert_int_equal(json_parse(&a, (struct span){text, size}, &value, NULL), ERR_LIMIT);
	arena_reset(&a);
	free(text);
}

int
test_json(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_escaped_secret_leaves_nothing_h66),
		cmocka_unit_test(test_json_limits),
		cmocka_unit_test(test_json_outlives_its_text),
		cmocka_unit_test(test_json_documents),
		cmocka_unit_test(test_json_h11_round_trip),
		cmocka_unit_test(test_json_h70_reads_all_it_writes),
		cmocka_unit_test(test_json_writer_limit),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
