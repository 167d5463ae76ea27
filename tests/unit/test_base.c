/*
 * test_base.c - base64, hex, hashes, checksums, UTF-8 and lines.
 */
#include "proto/base/arena.h"
#include "proto/base/base64.h"
#include "proto/base/crc32c.h"
#include "proto/base/hash64.h"
#include "proto/base/hex.h"
#include "proto/base/line.h"
#include "proto/base/utf8.h"
#include "tests/unit/test_proto.h"

static void
test_base64_h67_strict(void **state)
{
	static const struct {
		struct span text;
		enum err want;
		struct span bytes;
	} rows[] = {
		{{"", 0}, OK, {"", 0}},
		{{"QUJD", 4}, OK, {"ABC", 3}},
		{{"QUI=", 4}, OK, {"AB", 2}},
		{{"QQ==", 4}, OK, {"A", 1}},
		{{"AAAA", 4}, OK, {"\0\0\0", 3}},
		{{"QR==", 4}, ERR_SYNTAX, {"", 0}}, /* unused bits */
		{{"QUJ=", 4}, ERR_SYNTAX, {"", 0}},
		{{"QQ=", 3}, ERR_SYNTAX, {"", 0}},
		{{"QQ", 2}, ERR_SYNTAX, {"", 0}},
		{{"Q===", 4}, ERR_SYNTAX, {"", 0}},
		{{"====", 4}, ERR_SYNTAX, {"", 0}},
		{{"QQ==QUJD", 8}, ERR_SYNTAX, {"", 0}},
		{{"QUJ D", 5}, ERR_SYNTAX, {"", 0}},
		{{"QU\nD", 4}, ERR_SYNTAX, {"", 0}},
		{{"Q-_D", 4}, ERR_SYNTAX, {"", 0}},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 64);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&out);
		check_row(i, base64_decode(at_page_edge(rows[i].text), &out) == rows[i].want);
		check_span(i, buf_span(&out), rows[i].bytes);
		if (rows[i].want != OK)
			continue;
		buf_clear(&out);
		check_row(i, base64_put(&out, at_page_edge(rows[i].bytes)) == OK);
		check_span(i, buf_span(&out), rows[i].text);
	}
	buf_fini(&out);
}

static void
test_hex_both_ways(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 8);
	assert_int_equal(hex_put(&out, at_page_edge(SPAN("\x00\xff\x1a"))), OK);
	check_span(0, buf_span(&out), SPAN("00ff1a"));
	buf_clear(&out);
	assert_int_equal(hex_decode(at_page_edge(SPAN("00fF1A")), &out), OK);
	check_span(1, buf_span(&out), SPAN("\x00\xff\x1a"));
	assert_int_equal(hex_decode(SPAN("0"), &out), ERR_SYNTAX);
	assert_int_equal(hex_decode(SPAN("0g"), &out), ERR_SYNTAX);
	assert_int_equal(hex_decode(SPAN("000102030405"), &out), ERR_LIMIT);
	buf_fini(&out);
}

/* The vectors of the SipHash paper's reference: key 00..0f, input 00, 01, ... */
static void
test_hash64_vectors(void **state)
{
	static const uint64_t want[] = {0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a,
		0x85676696d7fb7e2d, 0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce,
		0xab0200f58b01d137, 0x93f5f5799a932462};
	const struct hash64_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	char input[COUNT(want)];

	(void)state;
	for (size_t i = 0; i < COUNT(want); i++) {
		input[i] = (char)i;
		check_row(i, hash64(key, at_page_edge((struct span){input, i})) == want[i]);
	}
}

static void
test_crc32c_vectors(void **state)
{
	char bytes[1700]; /* more than two rounds of three lanes */
	struct span all = {bytes, sizeof(bytes)};

	(void)state;
	assert_int_equal(crc32c(0, SPAN("123456789")), 0xe3069283);
	assert_int_equal(crc32c(0, SPAN_NONE), 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + i / 13);
	for (size_t i = 0; i <= sizeof(bytes); i++) {
		struct span head = at_page_edge(span_range(all, 0, i));

		check_row(i, crc32c(0, head) == crc32c_by_table(0, head));
		check_row(i, crc32c(crc32c(0, head), span_from(all, i)) == crc32c(0, all));
	}
}

static void
test_utf8_strict(void **state)
{
	static const struct {
		struct span s;
		bool valid;
	} rows[] = {
		{{"plain ascii text", 16}, true},
		{{"\xc3\xa9", 2}, true},
		{{"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", 10}, true},
		{{"\xc3", 1}, false},
		{{"\xe2\x82", 2}, false},
		{{"\xf0\x9f\x98", 3}, false},
		{{"\x80", 1}, false},
		{{"\xc0\x80", 2}, false},     /* overlong */
		{{"\xe0\x9f\xbf", 3}, false}, /* overlong */
		{{"\xf0\x8f\xbf\xbf", 4}, false},
		{{"\xed\xa0\x80", 3}, false}, /* a surrogate */
		{{"\xf4\x90\x80\x80", 4}, false},
		{{"\xf8\x88\x80\x80\x80", 5}, false},
		{{"12345678\xff", 9}, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(i, utf8_is_valid(at_page_edge(rows[i].s)) == rows[i].valid);
}

static void
test_utf8_h70_printable(void **state)
{
	static const struct {
		struct span text, want;
	} rows[] = {
#define ROW(text, want)                                                                            \
	{                                                                                          \
		{(text), sizeof(text) - 1},                                                        \
		{                                                                                  \
			(want), sizeof(want) - 1                                                   \
		}                                                                                  \
	}
		ROW("J\xc3\xb6rg", "J\xc3\xb6rg"),
		ROW("\x1b[2J", "\\x1B[2J"),
		ROW("a\r\nb\t\x7f\0", "a\\r\\nb\\t\\x7F\\x00"),
		ROW("\xc2\x85", "\\u{85}"), /* C1 */
		ROW("\xe2\x80\xae"
		    "evil",
			"\\u{202E}evil"), /* right to left override */
		ROW("\xe2\x81\xa6\xe2\x80\x8b", "\\u{2066}\\u{200B}"),
		ROW("\xf3\xa0\x81\x81", "\\u{E0041}"), /* a tag */
		ROW("\xff\xc3", "\\xFF\\xC3"),
		ROW("a\\n", "a\\\\n"),
		ROW("a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81",
			"a\xcc\x81\xcc\x81\xcc\x81\xcc\x81"),
		ROW("\xe0\xa3\xa2", "\\u{8E2}"), /* Arabic format */
		ROW("\xf0\x91\x82\xbd", "\\u{110BD}"), /* Kaithi format */
		ROW("\xe0\xb1\x8d\xe0\xb1\x8d\xe0\xb1\x8d\xe0\xb1\x8d\xe0\xb1\x8d",
			"\xe0\xb1\x8d\xe0\xb1\x8d\xe0\xb1\x8d\xe0\xb1\x8d"), /* Telugu viramas */
#undef ROW
	};
	struct buf out;

	(void)state;
	buf_init(&out, 256);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&out);
		check_row(i, utf8_put_printable(&out, at_page_edge(rows[i].text)) == OK);
		check_span(i, buf_span(&out), rows[i].want);
	}
	buf_fini(&out);
}

/* A reload may set a smaller limit than a buffer holds by then. */
static void
test_buf_holds_more_than_its_new_limit(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(buf_put(&out, SPAN("0123456789")), OK);
	out.max = 4;
	assert_int_equal(buf_put_char(&out, 'x'), ERR_LIMIT);
	assert_null(buf_reserve(&out, 1000));
	buf_consume(&out, 8);
	assert_int_equal(buf_put_char(&out, 'x'), OK);
	check_span(0, buf_span(&out), SPAN("89x"));
	buf_fini(&out);
}

static void
test_line_h01_take(void **state)
{
	static const struct {
		struct span in;
		enum parse want;
		size_t used;
		enum err why;
	} rows[] = {
#define ROW(in, want, used, why) {{(in), sizeof(in) - 1}, (want), (used), (why)}
		ROW("QUIT\r\n", PARSE_DONE, 6, OK),
		ROW("\r\n", PARSE_DONE, 2, OK),
		ROW("QUIT\r\nNOOP\r\n", PARSE_DONE, 6, OK),
		ROW("", PARSE_MORE, 0, OK),
		ROW("QUIT", PARSE_MORE, 0, OK),
		ROW("QUIT\r", PARSE_MORE, 0, OK),
		ROW("QU\rIT\r\n", PARSE_BAD, 0, ERR_SYNTAX),
		ROW("QU\rIT", PARSE_BAD, 0, ERR_SYNTAX),
		ROW("QUIT\n", PARSE_BAD, 0, ERR_SYNTAX),
		ROW("QUIT\r\r\n", PARSE_BAD, 0, ERR_SYNTAX),
		ROW("1234567\r\n", PARSE_DONE, 9, OK),
		ROW("12345678\r\n", PARSE_DONE, 10, OK),
		ROW("123456789\r\n", PARSE_BAD, 0, ERR_LIMIT),
		ROW("12345678\r", PARSE_MORE, 0, OK),
		ROW("123456789", PARSE_BAD, 0, ERR_LIMIT),
		ROW("12345678901234567890", PARSE_BAD, 0, ERR_LIMIT),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span line;
		size_t used;
		enum err why = OK;

		check_row(i,
			line_take(at_page_edge(rows[i].in), 8, &line, &used, &why) == rows[i].want);
		check_row(i, used == rows[i].used && why == rows[i].why);
		if (rows[i].want == PARSE_DONE)
			check_span(i, line, span_range(rows[i].in, 0, used - 2));
	}
}

static void
test_arena_of_no_bytes(void **state)
{
	char *first, *second;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	first = arena_alloc(&a, 0); /* of an arena that holds nothing yet */
	second = ARENA_ARRAY(&a, char, 0);
	assert_non_null(first);
	assert_ptr_not_equal(first, second);
	arena_reset(&a);
}

/* What a pool takes back has been overwritten; a chunk of the pool can be looked into. */
static void
test_arena_wipes_h66(void **state)
{
	struct chunk_pool pool;
	struct arena a;
	struct span small;

	(void)state;
	chunk_pool_init(&pool, 2);
	arena_init(&a, &pool);
	a.wipes = true;
	(void)arena_copy(&a, SPAN("another"));
	small = arena_copy(&a, SPAN("canary"));
	arena_reset(&a);
	assert_int_equal(pool.free_count, 1);
	check_span(0, small, SPAN("\0\0\0\0\0\0"));
	chunk_pool_fini(&pool);
}

int
test_base(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena_of_no_bytes),
		cmocka_unit_test(test_arena_wipes_h66),
		cmocka_unit_test(test_base64_h67_strict),
		cmocka_unit_test(test_hex_both_ways),
		cmocka_unit_test(test_hash64_vectors),
		cmocka_unit_test(test_crc32c_vectors),
		cmocka_unit_test(test_utf8_strict),
		cmocka_unit_test(test_utf8_h70_printable),
		cmocka_unit_test(test_buf_holds_more_than_its_new_limit),
		cmocka_unit_test(test_line_h01_take),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
