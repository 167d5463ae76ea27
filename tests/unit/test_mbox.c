/*
 * test_mbox.c - messages into an mbox and out of one: quoting, the line in front, where one ends (ARC-02, RFC 4155).
 */
#include "tests/unit/test_proto.h"

#include "proto/mail/mbox.h"

#include <string.h>

#define WHEN 1795356005 /* Sun, 22 Nov 2026 14:00:05 +0000 */

/* TEXT in pieces of SIZE bytes; without the "From " line. */
static struct span
written(struct arena *a, struct span text, size_t size)
{
	struct mbox_put m;
	struct buf out;
	struct span all, line;

	buf_init(&out, 1 << 20);
	assert_int_equal(mbox_begin(&m, SPAN("bo@far.test"), WHEN, &out), OK);
	for (size_t at = 0; at < text.len; at += size)
		assert_int_equal(mbox_text(&m, at_page_edge(span_range(text, at, at + size)), &out), OK);
	assert_int_equal(mbox_end(&m, &out), OK);
	all = arena_copy(a, buf_span(&out));
	buf_fini(&out);
	assert_true(span_next_line(&all, &line));
	assert_true(span_eq(line, SPAN("From bo@far.test Sun Nov 22 14:00:05 2026")));
	return all;
}

static void
test_arc_02_lines_are_quoted(void **state)
{
	static const struct {
		struct span text, want;
	} rows[] = {
		{ SPAN("a\r\nb\r\n"), SPAN("a\nb\n\n") },
		{ SPAN("a"), SPAN("a\n\n") },
		{ SPAN(""), SPAN("\n") },
		{ SPAN("From x\r\n"), SPAN(">From x\n\n") },
		{ SPAN(">From x\r\n"), SPAN(">>From x\n\n") },
		{ SPAN("a\r\nFrom "), SPAN("a\n>From \n\n") }, /* its line had no end: the next message was part of it */
		{ SPAN(">>>From "), SPAN(">>>>From \n\n") },
		{ SPAN("From\r\n"), SPAN("From\n\n") },
		{ SPAN(">Fro"), SPAN(">Fro\n\n") },
		{ SPAN(">"), SPAN(">\n\n") },
		{ SPAN("> From x\r\n"), SPAN("> From x\n\n") },
		{ SPAN("x From y\r\nFrom z"), SPAN("x From y\n>From z\n\n") },
		{ SPAN("\r\n\r\nFrom z\r\n"), SPAN("\n\n>From z\n\n") },
		{ SPAN("a\rb\r\r\nFrom c\r"), SPAN("a\rb\r\n>From c\r\n\n") },
		{ SPAN("a\nFrom b\n"), SPAN("a\n>From b\n\n") },
		{ SPAN("FFrom x\r\nFrFrom x\r\n"), SPAN("FFrom x\nFrFrom x\n\n") },
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t size = 1; size <= 8; size++)
			check_span(i, written(&a, rows[i].text, size), rows[i].want);
	arena_reset(&a);
}

static void
test_arc_02_a_full_file_is_said(void **state)
{
	struct mbox_put m;
	struct buf out;

	(void)state;
	for (size_t room = 0; room < 60; room++) { /* whatever the room, an error or all of it */
		enum err err;

		buf_init(&out, room);
		err = mbox_begin(&m, SPAN(""), WHEN, &out);
		if (err == OK)
			err = mbox_text(&m, SPAN("a\r\n>From b\r\nc"), &out);
		if (err == OK)
			err = mbox_end(&m, &out);
		assert_int_equal(err, room < 58 ? ERR_LIMIT : OK);
		if (err == OK)
			check_span(room, buf_span(&out),
				SPAN("From MAILER-DAEMON Sun Nov 22 14:00:05 2026\na\n>>From b\nc\n\n"));
		buf_fini(&out);
	}
}

static void
test_borders(void **state)
{
	static const struct {
		struct span text;
		size_t want;
	} rows[] = {
		{ SPAN("From a\nx\n\nFrom b\ny\n"), 10 },
		{ SPAN("From a\r\nx\r\n\r\nFrom b\r\n"), 13 },
		{ SPAN("From a\nx\nFrom here on\n"), 22 }, /* no empty line before it */
		{ SPAN("From a\nx\n\n>From b\n"), 18 },
		{ SPAN(""), 0 },
		{ SPAN("\n\nFrom"), 6 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(i, mbox_border(at_page_edge(rows[i].text), 0) == rows[i].want);
}

static void
test_separator_is_left_out(void **state)
{
	static const struct {
		struct span text, want;
	} rows[] = {
		{ SPAN("From a\nx\n\ny\n\n"), SPAN("From a\nx\n\ny\n") }, /* RFC 4155, appendix A */
		{ SPAN("From a\r\nx\r\n\r\ny\r\n\r\n"), SPAN("From a\r\nx\r\n\r\ny\r\n") },
		{ SPAN("From a\nx\n\ny\n\n\n"), SPAN("From a\nx\n\ny\n\n") }, /* its own empty line stays */
		{ SPAN("From a\nx\n\ny\n"), SPAN("From a\nx\n\ny\n") },       /* the last one of some files */
		{ SPAN("From a\nx\n\ny"), SPAN("From a\nx\n\ny") },
		{ SPAN("\n"), SPAN("\n") },
		{ SPAN(""), SPAN("") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_span(i, mbox_trim(at_page_edge(rows[i].text)), rows[i].want);
}

static void
test_quotes_come_off(void **state)
{
	static const struct {
		struct span text, want;
	} rows[] = {
		{ SPAN("From a\n>From b\n>>From c\n>x\n"), SPAN("From b\n>From c\n>x\n") },
		{ SPAN("From a\r\n>From b\r\n"), SPAN("From b\r\n") },
		{ SPAN("From a\nx\n>From"), SPAN("x\n>From") },
		{ SPAN("From a\n>From "), SPAN("From ") },
		{ SPAN("From a\n"), SPAN("") },
		{ SPAN("From a"), SPAN("") },
		{ SPAN(""), SPAN("") },
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++)
		check_span(i, mbox_unquote(&a, at_page_edge(rows[i].text)), rows[i].want);
	arena_reset(&a);
}

/* What was written reads back exactly, and the next begins where it does. */
static void
test_arc_02_there_and_back(void **state)
{
	static const struct span texts[] = {
		SPAN("a\nFrom b\n>From c\n\n\nFrom d\n"), SPAN("\n\n\n"), SPAN(">>>>\nFrom \n"), SPAN("x\r\n\n")
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct span one = arena_printf(&a, "From x\n%.*s", SPAN_FMT(written(&a, texts[i], 3)));
		struct span two = arena_printf(&a, "%.*s%.*s", SPAN_FMT(one), SPAN_FMT(one));
		size_t border = mbox_border(two, 0);

		assert_int_equal(border, one.len);
		if (i < 3) /* the last has a CR in front of an LF, which an mbox has not */
			check_span(i, mbox_unquote(&a, mbox_trim(span_range(two, 0, border))), texts[i]);
	}
	arena_reset(&a);
}

int
test_mbox(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arc_02_lines_are_quoted),
		cmocka_unit_test(test_arc_02_a_full_file_is_said),
		cmocka_unit_test(test_borders),
		cmocka_unit_test(test_separator_is_left_out),
		cmocka_unit_test(test_quotes_come_off),
		cmocka_unit_test(test_arc_02_there_and_back),
	};

	return cmocka_run_group_tests_name("mbox", tests, NULL, NULL);
}
