/*
 * test_imap_args.c - arguments, dates and responses: rows in, values out (H22 to H25).
 */
#include "proto/imap/imap_response.h"
#include "proto/imap/imap_utf7.h"
#include "tests/unit/test_proto.h"

static struct imap_cursor
cursor_at(struct arena *a, struct span text)
{
	struct imap_cursor c;

	imap_cursor_init(&c, at_page_edge(text), a);
	return c;
}

/* ---- words and strings ---- */

enum kind { ATOM, STRING, ASTRING, NSTRING, PATTERN };

static bool
take_kind(struct imap_cursor *c, enum kind kind, struct span *out)
{
	switch (kind) {
	case ATOM:
		return imap_take_atom(c, out);
	case STRING:
		return imap_take_string(c, out);
	case ASTRING:
		return imap_take_astring(c, out);
	case NSTRING:
		return imap_take_nstring(c, out);
	default:
		return imap_take_list_mailbox(c, out);
	}
}

static void
test_imap_strings(void **state)
{
	static const struct {
		const char *text;
		enum kind kind;
		const char *want; /* NULL: none is taken */
		const char *rest;
	} rows[] = {
		{"INBOX x", ATOM, "INBOX", " x"},
		{"a]b", ATOM, "a", "]b"},
		{"a]b", ASTRING, "a]b", ""},
		{"a%*b", ASTRING, "a", "%*b"},
		{"a%*b", PATTERN, "a%*b", ""},
		{"", ATOM, NULL, ""},
		{"(", ATOM, NULL, "("},
		{"\xc3\xa4", ATOM, NULL, "\xc3\xa4"},
		{"\x7f", ATOM, NULL, "\x7f"},
		{"\"\" x", STRING, "", " x"},
		{"\"a b\"", STRING, "a b", ""},
		{"\"a\\\"b\\\\\"c", STRING, "a\"b\\", "c"},
		{"\"a\\b\"", STRING, NULL, "\"a\\b\""},
		{"\"a", STRING, NULL, "\"a"},
		{"\"a\\", STRING, NULL, "\"a\\"},
		{"\"a\\\"", STRING, NULL, "\"a\\\""},
		{"\"a\r\nb\"", STRING, NULL, "\"a\r\nb\""},
		{"\"\xc3\xa4\"", STRING, "\xc3\xa4", ""},
		{"{0}\r\n", STRING, "", ""},
		{"{3}\r\nabc d", STRING, "abc", " d"},
		{"{3+}\r\nabc d", ASTRING, "abc", " d"},
		{"{30}\r\n123456789 123456789 123456789 x", STRING, "123456789 123456789 123456789 ", "x"},
		{"{3}\r\nab", STRING, NULL, "{3}\r\nab"},
		{"{3}abc", STRING, NULL, "{3}abc"},
		{"{3", STRING, NULL, "{3"},
		{"{-1}\r\na", STRING, NULL, "{-1}\r\na"},
		{"{}\r\na", STRING, NULL, "{}\r\na"},
		{"{18446744073709551617}\r\na", STRING, NULL, "{18446744073709551617}\r\na"},
		{"NIL", NSTRING, "", ""},
		{"NILS", NSTRING, NULL, "NILS"},
		{"\"NIL\"", NSTRING, "NIL", ""},
		{"NIL", ASTRING, "NIL", ""},
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_cursor c = cursor_at(&a, span_of(rows[i].text));
		struct span got = SPAN_NONE;

		check_row(i, take_kind(&c, rows[i].kind, &got) == (rows[i].want != NULL));
		check_row(i, imap_cursor_err(&c) == ERR_SYNTAX);
		check_span(i, c.rest, span_of(rows[i].rest));
		if (rows[i].want)
			check_span(i, got, span_of(rows[i].want));
	}
	arena_reset(&a);
}

static void
test_imap_secret(void **state)
{
	struct buf out;
	struct arena a;
	struct imap_cursor c;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, 12);
	c = cursor_at(&a, SPAN("ann]a \"s\\\"cret\" {6}\r\nlonger"));
	assert_true(imap_take_secret(&c, &out) && imap_take_space(&c));
	assert_true(imap_take_secret(&c, &out) && imap_take_space(&c));
	check_span(0, buf_span(&out), SPAN("ann]as\"cret"));
	assert_false(imap_take_secret(&c, &out)); /* no room */
	buf_wipe(&out);
	arena_reset(&a);
}

static void
test_imap_numbers(void **state)
{
	static const struct {
		const char *text;
		bool ok32, ok64, nz;
		uint64_t want;
	} rows[] = {
		{"0", true, true, false, 0},
		{"1", true, true, true, 1},
		{"007", true, true, false, 7},
		{"4294967295", true, true, true, 4294967295u},
		{"4294967296", false, true, false, 4294967296u},
		{"9223372036854775807", false, true, false, INT64_MAX},
		{"9223372036854775808", false, false, false, 0},
		{"99999999999999999999999", false, false, false, 0},
		{"-1", false, false, false, 0},
		{"", false, false, false, 0},
		{"x", false, false, false, 0},
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_cursor c = cursor_at(&a, span_of(rows[i].text));
		struct imap_cursor again = c, third = c;
		uint32_t narrow = 0;
		uint64_t wide = 0;

		check_row(i, imap_take_number64(&c, &wide) == rows[i].ok64);
		check_row(i, wide == rows[i].want || !rows[i].ok64);
		check_row(i, imap_take_number(&again, &narrow) == rows[i].ok32);
		check_row(i, narrow == rows[i].want || !rows[i].ok32);
		check_row(i, imap_take_nz_number(&third, &narrow) == rows[i].nz);
	}
	arena_reset(&a);
}

/* H23: depth and number of arguments are bounded, and what is skipped needs no stack. */
static void
test_imap_limits(void **state)
{
	static char many[4 * IMAP_ARGUMENTS_MAX];
	struct imap_cursor c;
	struct span word;
	struct arena a;
	unsigned n = 0;

	(void)state;
	arena_init(&a, NULL);
	memset(many, '(', sizeof(many));
	c = cursor_at(&a, (struct span){ many, sizeof(many) });
	while (imap_take_open(&c))
		n++;
	assert_int_equal(n, IMAP_DEPTH_MAX);
	assert_int_equal(imap_cursor_err(&c), ERR_LIMIT);
	assert_false(imap_take_end(&c));
	c = cursor_at(&a, (struct span){ many, sizeof(many) });
	assert_false(imap_skip_value(&c));
	assert_int_equal(imap_cursor_err(&c), ERR_LIMIT);
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = i % 2 ? ' ' : 'a';
	c = cursor_at(&a, (struct span){ many, sizeof(many) });
	for (n = 0; imap_take_atom(&c, &word) && imap_take_space(&c);)
		n++;
	assert_int_equal(n, IMAP_ARGUMENTS_MAX);
	assert_int_equal(imap_cursor_err(&c), ERR_LIMIT);
	arena_reset(&a);
}

static void
test_imap_skip(void **state)
{
	static const struct {
		const char *text, *rest;
		bool ok;
	} rows[] = {
		{"a b", " b", true},
		{"() b", " b", true},
		{"(a (b \"c d\" (\\Seen)) ()) e", " e", true},
		{"((a))", "", true},
		{"(a", "(a", false},
		{"(a ", "(a ", false},
		{"(a  b)", "(a  b)", false},
		{"(a )", "(a )", false},
		{"( a)", "( a)", false},
		{")", ")", false},
		{"", "", false},
		{"({2}\r\n)) x)", "", true},
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_cursor c = cursor_at(&a, span_of(rows[i].text));

		check_row(i, imap_skip_value(&c) == rows[i].ok);
		check_span(i, c.rest, span_of(rows[i].rest));
		check_row(i, c.depth == 0);
	}
	arena_reset(&a);
}

static void
test_imap_flags(void **state)
{
	static const struct {
		const char *text;
		bool list, any;
		const char *put;
	} rows[] = {
		{"()", true, true, "()"},
		{"(\\seen)", true, true, "(\\Seen)"},
		{"(\\Seen \\DELETED $Junk a b \\Seen)", true, true, "(\\Seen \\Deleted $Junk a b)"},
		{"\\Answered \\Flagged \\Draft x", false, true, "(\\Answered \\Flagged \\Draft x)"},
		{"\\Recent", false, true, "(\\Recent)"},
		{"(\\Foo)", false, false, NULL},
		{"(\\Seenx)", false, false, NULL},
		{"(\\*)", false, false, NULL},
		{"(a  b)", false, false, NULL},
		{"(a", false, false, NULL},
		{"", false, false, NULL},
		{"(a \"b\")", false, false, NULL},
	};
	struct buf out;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_cursor c = cursor_at(&a, span_of(rows[i].text)), again = c;
		struct imap_flags flags;

		check_row(i, imap_take_flag_list(&c, &flags) == rows[i].list);
		check_row(i, imap_take_flags(&again, &flags) == rows[i].any);
		if (!rows[i].any)
			continue;
		buf_clear(&out);
		check_row(i, imap_put_flags(&out, &flags) == OK);
		check_span(i, buf_span(&out), span_of(rows[i].put));
	}
	buf_fini(&out);
	arena_reset(&a);
}

static void
test_imap_dates(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t day;
	} rows[] = {
		{"1-Jan-1970", true, 0},
		{"\"1-Feb-1994\"", true, 8797},
		{"01-feb-1994", true, 8797},
		{"31-Dec-1969", true, -1},
		{"29-Feb-2024", true, 19782},
		{"29-Feb-2023", false, 0},
		{"1-Foo-1994", false, 0},
		{"1 Feb 1994", false, 0},
		{"1-Feb-94", false, 0},
		{"", false, 0},
	};
	struct mail_date date;
	struct imap_cursor c;
	struct buf out;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, 100);
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t day = 0;

		c = cursor_at(&a, span_of(rows[i].text));
		check_row(i, imap_take_date(&c, &day) == rows[i].ok);
		check_row(i, day == rows[i].day);
	}
	c = cursor_at(&a, SPAN("\"17-Jul-1996 02:44:25 -0700\""));
	assert_true(imap_take_date_time(&c, &date));
	assert_int_equal(date.seconds, 837596665);
	assert_int_equal(date.offset_minutes, -420);
	assert_int_equal(imap_put_date_time(&out, date), OK);
	check_span(0, buf_span(&out), SPAN("\"17-Jul-1996 02:44:25 -0700\""));
	c = cursor_at(&a, SPAN("\" 7-Jul-1996 02:44:25 +0000\""));
	assert_true(imap_take_date_time(&c, &date));
	c = cursor_at(&a, SPAN("\"7-Jul-1996 02:44:25 +0000\""));
	assert_false(imap_take_date_time(&c, &date));
	c = cursor_at(&a, SPAN("\"17-Jul-1996 25:44:25 +0000\""));
	assert_false(imap_take_date_time(&c, &date));
	buf_fini(&out);
	arena_reset(&a);
}

/* ---- responses (H11) ---- */

static void
test_imap_put(void **state)
{
	static const struct {
		const char *text, *string, *astring, *mailbox, *mailbox8;
	} rows[] = {
		{"abc", "\"abc\"", "abc", "abc", "abc"},
		{"", "\"\"", "\"\"", "\"\"", "\"\""},
		{"a b", "\"a b\"", "\"a b\"", "\"a b\"", "\"a b\""},
		{"nil", "\"nil\"", "\"nil\"", "\"nil\"", "\"nil\""},
		{"a\"\\", "\"a\\\"\\\\\"", "\"a\\\"\\\\\"", "\"a\\\"\\\\\"", "\"a\\\"\\\\\""},
		{"a\r\n* BYE", "{8}\r\na\r\n* BYE", "{8}\r\na\r\n* BYE", "{8}\r\na\r\n* BYE",
			"{8}\r\na\r\n* BYE"},
		{"\xc3\xa4", "{2}\r\n\xc3\xa4", "{2}\r\n\xc3\xa4", "&AOQ-", "\"\xc3\xa4\""},
		{"a&b", "\"a&b\"", "a&b", "a&-b", "\"a&b\""},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span text = at_page_edge(span_of(rows[i].text));

		buf_clear(&out);
		check_row(i, imap_put_string(&out, text) == OK);
		check_span(i, buf_span(&out), span_of(rows[i].string));
		buf_clear(&out);
		check_row(i, imap_put_astring(&out, text) == OK);
		check_span(i, buf_span(&out), span_of(rows[i].astring));
		buf_clear(&out);
		check_row(i, imap_put_mailbox(&out, text, false) == OK);
		check_span(i, buf_span(&out), span_of(rows[i].mailbox));
		buf_clear(&out);
		check_row(i, imap_put_mailbox(&out, text, true) == OK);
		check_span(i, buf_span(&out), span_of(rows[i].mailbox8));
	}
	buf_clear(&out);
	assert_int_equal(imap_put_nstring(&out, SPAN_NONE), OK);
	assert_int_equal(imap_put_string(&out, SPAN("a\0b")), OK);
	check_span(0, buf_span(&out), SPAN("NIL{3}\r\na?b"));
	buf_fini(&out);
}

static void
test_imap_status(void **state)
{
	struct buf out;
	struct imap_reply reply = IMAP_NO("TRYCREATE", "a\r\nb");

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(imap_reply_put(&out, SPAN("A1"), reply), OK);
	assert_int_equal(imap_reply_put(&out, SPAN_NONE, IMAP_OK("x")), OK);
	assert_int_equal(imap_reply_put(&out, SPAN("A1"), IMAP_GO_ON("")), OK);
	reply = (struct imap_reply){ .status = IMAP_STATUS_BYE, .text = SPAN("bye") };
	assert_int_equal(imap_reply_put(&out, SPAN("A1"), reply), OK);
	check_span(0, buf_span(&out),
		SPAN("A1 NO [TRYCREATE] a??b\r\n* OK x\r\n+ \r\n* BYE bye\r\n"));
	for (enum err err = OK; err <= ERR_CORRUPT; err++)
		assert_true(imap_reply_for(err).text.len > 0);
	buf_fini(&out);
	buf_init(&out, 5);
	assert_int_equal(imap_reply_put(&out, SPAN("A1"), IMAP_OK("x")), ERR_LIMIT);
	assert_true(out.overflow);
	buf_fini(&out);
}

int
test_imap_args(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_imap_strings),
		cmocka_unit_test(test_imap_secret),
		cmocka_unit_test(test_imap_numbers),
		cmocka_unit_test(test_imap_limits),
		cmocka_unit_test(test_imap_skip),
		cmocka_unit_test(test_imap_flags),
		cmocka_unit_test(test_imap_dates),
		cmocka_unit_test(test_imap_put),
		cmocka_unit_test(test_imap_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
