/*
 * test_search.c - what a message says, and its words; the index in test_search_index.c.
 */
#include "tests/unit/search_site.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/search/search_words.h"
#include "store/bodies.h"

static void
test_what_a_message_says(void **state)
{
	static const struct {
		const char *header, *body, *needle;
		unsigned where;
		bool want;
	} rows[] = {
		{ "Subject: hello\r\n\r\n", "body text\r\n", "hello", SEARCH_IN_HEADER, true },
		{ "Subject: hello\r\n\r\n", "body text\r\n", "hello", SEARCH_IN_BODY, false },
		{ "Subject: hello\r\n\r\n", "body text\r\n", "body text", SEARCH_IN_BODY, true },
		{ "Subject: hello\r\n\r\n", "body TEXT\r\n", "y text", SEARCH_IN_BODY, true },
		{ "Subject: hello\r\n\r\n", "body text\r\n", "subject: hel", SEARCH_IN_HEADER, true },
		{ "Subject: hel\r\n lo\r\n\r\n", "x", "hel lo", SEARCH_IN_HEADER, true },
		{ "Subject: a\r\nTo: b\r\n\r\n", "x", "ato", SEARCH_IN_HEADER, false },
		{ "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n", "x", "gr\xc3\xbc", SEARCH_IN_HEADER, true },
		{ "Subject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n\r\n", "x", "gr\xc3\xbc", SEARCH_IN_HEADER, true },
		/* transfer encodings and charsets */
		{ "Content-Transfer-Encoding: base64\r\n\r\n", "aGVsbG8gd29ybGQ=\r\n", "hello world",
			SEARCH_IN_BODY, true },
		{ "Content-Transfer-Encoding: base64\r\n\r\n", "aGVs\r\nbG8g\r\nd29ybGQ=\r\n",
			"hello world", SEARCH_IN_BODY, true },
		{ "Content-Transfer-Encoding: base64\r\n\r\n", "aGVsbG8gd29ybGQ=\r\n", "agvsbg8",
			SEARCH_IN_BODY, false },
		{ "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "hel=\r\nlo w=6Frld\r\n",
			"hello world", SEARCH_IN_BODY, true },
		{ "Content-Type: text/plain; charset=iso-8859-1\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "GR=DCN\r\n", "gr\xc3\xbcn",
			SEARCH_IN_BODY, true },
		{ "Content-Type: text/plain; charset=utf-8\r\n\r\n", "GR\xc3\x9cN\r\n", "gr\xc3\xbcn",
			SEARCH_IN_BODY, true },
		{ "Content-Type: text/plain; charset=koi8-r\r\n\r\n", "\xf0\xf2\xe9\r\n",
			"\xd0\xbf\xd1\x80\xd0\xb8", SEARCH_IN_BODY, true },
		{ "Content-Type: text/html\r\n\r\n", "<p>hello</p>\r\n", "<p>hello", SEARCH_IN_BODY, true },
		/* HTML as a reader sees it, too */
		{ "Content-Type: text/html\r\n\r\n", "in der K&uuml;che M&#246;hren\r\n",
			"der k\xc3\xbc" "che m\xc3\xb6hren", SEARCH_IN_BODY, true },
		{ "Content-Type: text/html\r\n\r\n", "<b>Kar</b>toffeln <a href=\"http://a.test/b\">\r\n",
			"kartoffeln", SEARCH_IN_BODY, true },
		{ "Content-Type: text/html; charset=iso-8859-1\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "<i>GR</i>=DC<i>N</i>\r\n",
			"gr\xc3\xbcn", SEARCH_IN_BODY, true },
		{ "Content-Type: text/plain\r\n\r\n", "<b>Kar</b>toffeln\r\n", "kartoffeln",
			SEARCH_IN_BODY, false },
		/* the name of a file in pieces (RFC 2231) */
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
			"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment;\r\n"
			" filename*0*=utf-8''Lohn%20M%C3%A4; filename*1*=rz.pdf\r\n\r\nx\r\n--b--\r\n",
			"lohn m\xc3\xa4rz.pdf", SEARCH_IN_HEADER, true },
		{ "Content-Type: application/pdf; name*=utf-8''M%C3%A4rz.pdf\r\n\r\n", "x",
			"m\xc3\xa4rz.pdf", SEARCH_IN_HEADER, true },
		/* what is no text is its header */
		{ "Content-Type: application/x-y\r\n\r\n", "hello\r\n", "hello", SEARCH_IN_BODY, false },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
			"--b\r\n\r\none\r\n--b\r\nContent-Type: application/pdf; name=\"Plan.pdf\"\r\n\r\n"
			"secret\r\n--b--\r\n", "plan.pdf", SEARCH_IN_HEADER, true },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
			"--b\r\n\r\none\r\n--b\r\nContent-Type: application/pdf\r\n\r\nsecret\r\n--b--\r\n",
			"secret", SEARCH_IN_BODY, false },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
			"--b\r\n\r\none\r\n--b\r\nContent-Type: text/plain\r\n\r\ntwo\r\n--b--\r\n", "two",
			SEARCH_IN_BODY, true },
		{ "Content-Type: message/rfc822\r\n\r\n", "Subject: inner\r\n\r\ndeep text\r\n", "deep text",
			SEARCH_IN_BODY, true },
		{ "Content-Type: message/rfc822\r\n\r\n", "Subject: inner\r\n\r\ndeep text\r\n", "inner",
			SEARCH_IN_HEADER, true },
		/* no text crosses from one part into the next */
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
			"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", "onetwo", SEARCH_IN_BODY, false },
	};
	struct search_site *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t id = search_site_put(f, rows[i].header, rows[i].body);
		bool got = search_site_holds(f, id, span_of(rows[i].needle), rows[i].where);

		if (got != rows[i].want)
			printf("row %zu: %s\n", i, rows[i].needle);
		assert_int_equal(got, rows[i].want);
	}
}

/* A needle over the border of two pieces of a body, wherever it stands. */
static void
test_borders(void **state)
{
	static const char needle[] = "a needle of some length";
	struct search_site *f = *state;
	char *body = malloc(3 * BODY_PIECE_DATA + 1);

	assert_non_null(body);
	for (size_t at = BODY_PIECE_DATA - 40; at < BODY_PIECE_DATA + 20; at += 3) {
		memset(body, 'x', 3 * BODY_PIECE_DATA);
		body[3 * BODY_PIECE_DATA] = '\0';
		memcpy(body + at, needle, sizeof(needle) - 1);
		assert_true(search_site_holds(f, search_site_put(f, "A: b\r\n\r\n", body), SPAN(needle),
			SEARCH_IN_BODY));
		body[at + 5] = '-';
		assert_false(search_site_holds(f, search_site_put(f, "A: b\r\n\r\n", body), SPAN(needle),
			SEARCH_IN_BODY));
	}
	free(body);
}

/* ---- needles ---- */

static void
test_questions(void **state)
{
	static const struct {
		const char *needle;
		size_t count;
		const char *first;
		bool exact;
	} rows[] = {
		{ "hello", 1, "hello", true },
		{ "", 0, "", false },
		{ " - ", 0, "", false },
		{ "hello ", 1, "hello", false },
		{ "-hello", 1, "hello", false },
		{ "hello world!", 2, "hello", false },
		{ "a longer needle of words", 3, "longer", false },
		{ "anna@example.org", 3, "example", false },
		{ "gr\xc3\xbc\xc3\x9f", 1, "gr\xc3\xbc\xc3\x9f", true },
		{ "\xe2\x80\x9cquoted\xe2\x80\x9d", 1, "quoted", false },
		{ "0123456789012345678901234567890123456789", 1, "01234567890123456789012345678901", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct search_question q;
		bool exact, any = search_words_question(span_of(rows[i].needle), &q, &exact);

		assert_int_equal(any, rows[i].count > 0);
		assert_int_equal(q.count, rows[i].count);
		if (!any)
			continue;
		assert_true(span_eq(q.pieces[0], span_of(rows[i].first)));
		assert_int_equal(exact, rows[i].exact);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_a_message_says, search_site_setup, search_site_teardown),
		cmocka_unit_test_setup_teardown(test_borders, search_site_setup, search_site_teardown),
		cmocka_unit_test(test_questions),
	};

	return cmocka_run_group_tests_name("search", tests, NULL, NULL) + test_search_index();
}
