/*
 * test_smtp_data.c - where a message ends, however its bytes are cut.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proto/smtp/smtp_data.h"
#include "tests/unit/test_proto.h"

/* Feed IN; the answer, with the text in OUT and *end where the message ended. */
static enum parse
feed(struct smtp_data *d, struct span in, struct buf *out, size_t *end)
{
	size_t total = 0, used;
	struct span text;

	while (total < in.len) {
		enum parse parse = smtp_data_take(d, span_from(in, total), &text, &used);

		total += used;
		*end += used;
		assert_int_equal(buf_put(out, text), OK);
		if (parse != PARSE_MORE)
			return parse;
		assert_true(used > 0);
	}
	return PARSE_MORE;
}

/* In two reads, cut at SPLIT. */
static enum parse
feed_split(struct span in, size_t split, struct buf *out, size_t *end)
{
	struct smtp_data d;
	enum parse parse;

	smtp_data_init(&d, 998);
	buf_clear(out);
	*end = 0;
	parse = feed(&d, at_page_edge(span_range(in, 0, split)), out, end);
	if (parse != PARSE_MORE)
		return parse;
	return feed(&d, at_page_edge(span_from(in, split)), out, end);
}

static void
check_pair(const char *before, const char *after, size_t row)
{
	bool ends = strcmp(before, "\r\n") == 0 && strcmp(after, "\r\n") == 0;
	bool clean = (!*before || strcmp(before, "\r\n") == 0) &&
		     (!*after || strcmp(after, "\r\n") == 0);
	char bytes[128];
	size_t len, early, end;
	struct buf out;

	len = (size_t)snprintf(bytes, sizeof(bytes), "body%s.%s%s", before, after,
		"MAIL FROM:<evil@example.net>\r\n.\r\n");
	early = 4 + strlen(before) + 1 + strlen(after);
	buf_init(&out, 1024);
	for (size_t split = 0; split <= len; split++) {
		enum parse parse = feed_split((struct span){bytes, len}, split, &out, &end);

		check_row(row, parse == (clean ? PARSE_DONE : PARSE_BAD));
		if (clean)
			check_row(row, end == (ends ? early : len));
	}
	buf_fini(&out);
}

/* All 25 pairs around the dot, split at every byte: one message or a refusal, never two. */
static void
test_smtp_data_h01_smuggling(void **state)
{
	static const char *const ends[] = {"\r\n", "\n", "\r", "\r\r\n", ""};

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++)
		for (size_t j = 0; j < COUNT(ends); j++)
			check_pair(ends[i], ends[j], i * COUNT(ends) + j);
}

static size_t
random_body(char *to, size_t max)
{
	static const char *const pieces[] = {".", "..", "\r\n", "\r\n.", "\r\n..\r\n", "a", "bc"};
	size_t len = 0;

	while (len + 8 < max) {
		const char *piece = pieces[(size_t)random() % COUNT(pieces)];

		memcpy(to + len, piece, strlen(piece));
		len += strlen(piece);
	}
	memcpy(to + len, "\r\n", 2);
	return len + 2;
}

/* Random bodies of dots, stuffed in pieces and taken in 1-byte pieces, come back the same. */
static void
test_smtp_data_h02_dots(void **state)
{
	char bytes[300];
	struct buf wire, out;

	(void)state;
	srandom(2);
	buf_init(&wire, 4096);
	buf_init(&out, 4096);
	for (size_t round = 0; round < 300; round++) {
		struct span body = {bytes, random_body(bytes, 16 + round % 280)};
		struct smtp_stuffing stuffing = {.in_line = false};
		struct smtp_data d;
		enum parse parse = PARSE_MORE;
		size_t cut = (size_t)random() % body.len, end = 0;

		buf_clear(&wire);
		buf_clear(&out);
		assert_int_equal(
			smtp_stuffing_put(&stuffing, at_page_edge(span_range(body, 0, cut)), &wire),
			OK);
		assert_int_equal(
			smtp_stuffing_put(&stuffing, at_page_edge(span_from(body, cut)), &wire),
			OK);
		assert_int_equal(smtp_stuffing_end(&stuffing, &wire), OK);
		smtp_data_init(&d, 998);
		for (size_t i = 0; i < buf_span(&wire).len; i++) {
			check_row(round, parse == PARSE_MORE);
			parse = feed(&d, at_page_edge(span_range(buf_span(&wire), i, i + 1)), &out,
				&end);
		}
		check_row(round, parse == PARSE_DONE);
		check_span(round, buf_span(&out), body);
	}
	buf_fini(&wire);
	buf_fini(&out);
}

static void
test_smtp_data_stuffing_ends_a_line(void **state)
{
	static const struct {
		struct span body, want;
	} rows[] = {
		{{"", 0}, {".\r\n", 3}},
		{{"a", 1}, {"a\r\n.\r\n", 6}},
		{{"a\r", 2}, {"a\r\n.\r\n", 6}},
		{{"a\r\n", 3}, {"a\r\n.\r\n", 6}},
		{{".", 1}, {"..\r\n.\r\n", 7}},
		{{"\r\n.\r\n", 5}, {"\r\n..\r\n.\r\n", 9}},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 64);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct smtp_stuffing stuffing = {.in_line = false};

		buf_clear(&out);
		check_row(i, smtp_stuffing_put(&stuffing, at_page_edge(rows[i].body), &out) == OK);
		check_row(i, smtp_stuffing_end(&stuffing, &out) == OK);
		check_span(i, buf_span(&out), rows[i].want);
	}
	buf_fini(&out);
}

/* A line of n-1, n, n+1 bytes, a NUL: remembered, and the message still read to its end. */
static void
test_smtp_data_h06_limits(void **state)
{
	char bytes[64];
	struct buf out;

	(void)state;
	buf_init(&out, 256);
	for (size_t len = 9; len <= 11; len++) {
		size_t end = 0, total = (size_t)snprintf(bytes, sizeof(bytes), "..%.*s\r\n.\r\n",
					(int)len - 1, "xxxxxxxxxxxxxxx");
		struct smtp_data d;

		for (size_t split = 0; split <= total; split++) {
			smtp_data_init(&d, 10);
			end = 0;
			(void)!feed(&d, at_page_edge((struct span){bytes, split}), &out, &end);
			check_row(len,
				feed(&d, at_page_edge((struct span){bytes + split, total - split}),
					&out, &end) == PARSE_DONE ||
					split == total);
			check_row(len, d.long_line == (len > 10) && !d.has_nul && end == total);
			buf_clear(&out);
		}
	}
	buf_fini(&out);
}

static void
test_smtp_data_h06_nul(void **state)
{
	struct smtp_data d;
	struct buf out;
	size_t end = 0;

	(void)state;
	buf_init(&out, 256);
	smtp_data_init(&d, 10);
	assert_int_equal(feed(&d, at_page_edge(SPAN("a\0b\r\n.\r\n")), &out, &end), PARSE_DONE);
	assert_true(d.has_nul);
	buf_fini(&out);
}

int
test_smtp_data(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smtp_data_h01_smuggling),
		cmocka_unit_test(test_smtp_data_h02_dots),
		cmocka_unit_test(test_smtp_data_stuffing_ends_a_line),
		cmocka_unit_test(test_smtp_data_h06_limits),
		cmocka_unit_test(test_smtp_data_h06_nul),
	};

	return cmocka_run_group_tests_name("smtp_data", tests, NULL, NULL);
}
