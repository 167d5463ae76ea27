/*
 * test_mime_footer.c - a text at the foot of messages: which parts get it, in which bytes, and what is left alone.
 */
#include "tests/unit/test_proto.h"

#include <string.h>

#include "proto/mail/header.h"
#include "proto/mime/mime_decoder.h"
#include "proto/mime/mime_footer.h"
#include "proto/mime/mime_parser.h"

#define PLAIN "-- \r\nExample Ltd\r\n"
#define HTML "<p>Example Ltd</p>\r\n"

struct asked {
	struct span message;
	uint64_t bytes; /* that were read */
};

static enum err
read_bytes(void *arg, uint64_t offset, uint64_t size, struct span *out)
{
	struct asked *asked = arg;

	assert_true(offset + size <= asked->message.len);
	*out = span_range(asked->message, offset, offset + size);
	asked->bytes += size;
	return OK;
}

/* MESSAGE with the footer, in OUT; *why as it was said. */
static void
sign(struct arena *a, struct span message, struct span plain, struct span html, struct buf *out,
	struct mime_footer_result *r)
{
	struct asked asked = { message, 0 };
	struct header_end end = { 0 };
	struct mime_derived derived;
	struct span header = span_range(message, 0, header_end_find(&end, message));
	struct span body = span_from(message, header.len);
	struct mime_footer f = { a, &derived, plain, html, read_bytes, &asked };
	struct buf record;
	uint64_t at = 0;

	buf_init(&record, MIME_RECORD_MAX);
	assert_int_equal(mime_derive(a, header, &body, 1, &record), OK);
	assert_int_equal(mime_derived_open(buf_span(&record), header, &derived), OK);
	assert_int_equal(mime_footer_make(&f, r), OK);
	buf_clear(out);
	assert_int_equal(mime_footer_put_header(header, r->type, r->encoding, out), OK);
	for (size_t i = 0; i < r->count; i++) {
		assert_true(r->edits[i].at >= at);
		assert_int_equal(buf_put(out, span_range(body, at, r->edits[i].at)), OK);
		assert_int_equal(buf_put(out, r->edits[i].text), OK);
		at = r->edits[i].at + r->edits[i].size;
	}
	assert_int_equal(buf_put(out, span_from(body, at)), OK);
	buf_fini(&record);
}

#define MIXED "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
#define ALTERNATIVE "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
#define B "--b\r\n"
#define END "--b--\r\n"
#define QP "Content-Transfer-Encoding: quoted-printable\r\n"
#define T_HTML "Content-Type: text/html\r\n\r\n"

static const struct {
	const char *id, *in, *out; /* OUT NULL: it stays as it is */
	unsigned plain, html;
	const char *why;
} rows[] = {
	{ "SIG-04 no MIME at all", "Subject: a\r\n\r\nhi\r\n", "Subject: a\r\n\r\nhi\r\n" PLAIN, 1, 0, NULL },
	{ "an empty body", "Subject: a\r\n\r\n", "Subject: a\r\n\r\n-- \r\nExample Ltd\r\n", 1, 0, NULL },
	{ "no end of the last line", "Subject: a\r\n\r\nhi",
		"Subject: a\r\n\r\nhi\r\n-- \r\nExample Ltd", 1, 0, NULL },
	{ "SIG-05 before the body tag", T_HTML "<html><BODY>hi</BODY></html>\r\n",
		T_HTML "<html><BODY>hi\r\n" HTML "</BODY></html>\r\n", 0, 1, NULL },
	{ "SIG-05 the last body tag counts", T_HTML "<body>a </body> b</body>\r\n",
		T_HTML "<body>a </body> b\r\n" HTML "</body>\r\n", 0, 1, NULL },
	{ "HTML without a body", T_HTML "<b>hi</b></html>", T_HTML "<b>hi</b>\r\n" HTML "</html>", 0, 1, NULL },
	{ "sums and lengths of what it was", "Content-Length: 4\r\nSubject: a\r\nContent-MD5: x==\r\n\r\nhi\r\n",
		"Subject: a\r\n\r\nhi\r\n" PLAIN, 1, 0, NULL },
	{ "of a part too, and of none that stays", MIXED B "Content-MD5: x==\r\nX: y\r\n\r\nhi\r\n" B
		"Content-MD5: z==\r\n\r\nlist\r\n" END,
		MIXED B "X: y\r\n\r\nhi\r\n-- \r\nExample Ltd\r\n" B "Content-MD5: z==\r\n\r\nlist\r\n" END, 1, 0, NULL },
	{ "SIG-04 each form of one text",
		ALTERNATIVE B "\r\nhi\r\n" B T_HTML "<body>hi</body>\r\n" END,
		ALTERNATIVE B "\r\nhi\r\n-- \r\nExample Ltd\r\n" B T_HTML "<body>hi\r\n" HTML "</body>\r\n" END, 1,
		1, NULL },
	{ "the first text of several, no attachment",
		MIXED B "Content-Disposition: attachment\r\n\r\nfile\r\n" B "\r\nhi\r\n" B "\r\nlist\r\n" END,
		MIXED B "Content-Disposition: attachment\r\n\r\nfile\r\n" B
			"\r\nhi\r\n-- \r\nExample Ltd\r\n" B "\r\nlist\r\n" END, 1, 0, NULL },
	{ "SIG-09 quoted-printable", QP "\r\nh=C3=A9 =\r\nllo=20\r\nyou=\r\n",
		QP "\r\nh=C3=A9 llo=20\r\nyou\r\n--=20\r\nExample Ltd", 1, 0, NULL },
	{ "SIG-09 base64", "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8NCg==\r\n",
		"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8NCi0tIA0KRXhhbXBsZSBMdGQNCg==\r\n", 1, 0, NULL },
	{ "base64 that is none", "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8NCg\r\n", NULL, 0, 0,
		"its base64 is damaged" },
	{ "base64 behind its end", "Content-Transfer-Encoding: base64\r\n\r\naGVs\r\nbG8=\r\naGVs\r\n", NULL, 0,
		0, "its base64 is damaged" },
	{ "Q-21 signed", "Content-Type: multipart/signed; boundary=b\r\n\r\n" B "\r\nhi\r\n" B
		"Content-Type: application/pkcs7-signature\r\n\r\nx\r\n" END, NULL, 0, 0,
		"it is signed or encrypted" },
	{ "Q-21 encrypted", "Content-Type: multipart/encrypted; boundary=b\r\n\r\n" B "\r\nhi\r\n" END, NULL, 0,
		0, "it is signed or encrypted" },
	{ "Q-21 S/MIME", "Content-Type: application/pkcs7-mime\r\n\r\nx\r\n", NULL, 0, 0,
		"it is signed or encrypted" },
	{ "Q-21 signed inside", "Subject: a\r\n\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nhi\r\n", NULL, 0, 0,
		"it is signed or encrypted inside of its text" },
	{ "a picture alone", "Content-Type: image/png\r\n\r\nx\r\n", NULL, 0, 0, "it has no text of its own" },
	{ "a report", "Content-Type: multipart/report; boundary=b\r\n\r\n" B "\r\nhi\r\n" END, NULL, 0, 0,
		"it has no text of its own" },
	{ "an attached message is another's", MIXED B "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nhi\r\n"
		END, NULL, 0, 0, "it has no text of its own" },
	{ "so is one that is all there is", "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nhi\r\n", NULL, 0, 0,
		"it has no text of its own" },
	{ "an encoding nobody knows", "Content-Transfer-Encoding: x-uu\r\n\r\nhi\r\n", NULL, 0, 0,
		"its transfer encoding is unknown" },
	{ "a charset nobody knows", "Content-Type: text/plain; charset=x-none\r\n\r\nhi\r\n", NULL, 0, 0,
		"its charset is unknown" },
};

static void
test_footer_rows_sig_04_05_09(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mime_footer_result r;
		struct arena a;

		arena_init(&a, NULL);
		sign(&a, span_of(rows[i].in), SPAN(PLAIN), SPAN(HTML), &out, &r);
		check_row(i, r.plain == rows[i].plain && r.html == rows[i].html);
		check_row(i, !r.why == !rows[i].why && (!r.why || strcmp(r.why, rows[i].why) == 0));
		if (rows[i].out && !span_eq(buf_span(&out), span_of(rows[i].out)))
			fail_msg("%s: got\n%.*s", rows[i].id, SPAN_FMT(buf_span(&out)));
		if (!rows[i].out)
			check_row(i, r.count == 0 && r.type.len + r.encoding.len == 0);
		arena_reset(&a);
	}
	buf_fini(&out);
}

/* ---- charsets ---- */

#define NON_ASCII "-- \r\nM\xc3\xbcller \xe2\x82\xac\r\n"

static void
assert_signed(const char *in, const char *want)
{
	struct mime_footer_result r;
	struct arena a;
	struct buf out;

	arena_init(&a, NULL);
	buf_init(&out, 1 << 20);
	sign(&a, span_of(in), SPAN(NON_ASCII), SPAN_NONE, &out, &r);
	if (!span_eq(buf_span(&out), span_of(want)))
		fail_msg("got\n%.*s\nwant\n%s", SPAN_FMT(buf_span(&out)), want);
	assert_null(r.why);
	buf_fini(&out);
	arena_reset(&a);
}

#define TYPE(c) "Content-Type: text/plain; charset=" c "\r\n"
#define Q_SIG "--=20\r\nM=C3=BCller =E2=82=AC\r\n"

/* What the text cannot say in its charset makes it UTF-8; it stays readable, and 7bit stays 7bit. */
static void
test_footer_charsets_sig_09(void **state)
{
	(void)state;
	assert_signed("From: a@b\r\n\r\nhi = there\r\n",
		"From: a@b\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
		QP "\r\nhi =3D there\r\n" Q_SIG);
	assert_signed(TYPE("utf-8") "Content-Transfer-Encoding: 8bit\r\n\r\nh\xc3\xa9\r\n",
		TYPE("utf-8") "Content-Transfer-Encoding: 8bit\r\n\r\nh\xc3\xa9\r\n" NON_ASCII);
	assert_signed(TYPE("utf-8") "\r\nhi\r\n", TYPE("utf-8") QP "\r\nhi\r\n" Q_SIG);
	assert_signed("Content-Type: text/plain; charset=iso-8859-1; format=flowed\r\n"
		"Content-Transfer-Encoding: 8bit\r\nX: y\r\n\r\nh\xe9\r\n",
		"X: y\r\nContent-Type: text/plain; charset=utf-8; format=\"flowed\"\r\n"
		QP "\r\nh=C3=A9\r\n" Q_SIG);
	assert_signed(TYPE("ISO-8859-1") QP "\r\nh=E9\r\n",
		"Content-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"\r\nh=C3=A9\r\n" Q_SIG);
	assert_signed(MIXED B TYPE("us-ascii") "\r\nhi\r\n" END,
		MIXED B "Content-Type: text/plain; charset=utf-8\r\n" QP
			"\r\nhi\r\n--=20\r\nM=C3=BCller =E2=82=AC\r\n" END);
	assert_signed(TYPE("utf-16be") "Content-Transfer-Encoding: base64\r\n\r\nAGgAaQANAAo=\r\n",
		"Content-Transfer-Encoding: base64\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
		"aGkNCi0tIA0KTcO8bGxlciDigqwNCg==\r\n");
}

/* A text that is none in its charset is not guessed at. */
static void
test_footer_leaves_what_it_cannot_read(void **state)
{
	struct mime_footer_result r;
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, 1 << 20);
	sign(&a, SPAN(TYPE("euc-jp") "Content-Transfer-Encoding: 8bit\r\n\r\n\xff\xff\r\n"), SPAN(NON_ASCII),
		SPAN_NONE, &out, &r);
	assert_string_equal(r.why, "its text is none in its own charset");
	assert_int_equal(r.count, 0);
	buf_fini(&out);
	arena_reset(&a);
}

/* ---- large texts: only their end is read ---- */

static void
test_footer_large(void **state)
{
	static const char *const heads[] = { "\r\n", "Content-Transfer-Encoding: base64\r\n\r\n", QP "\r\n" };
	enum { LINES = 60000 };
	struct buf in, out, decoded;

	(void)state;
	buf_init(&in, 1 << 24);
	buf_init(&out, 1 << 24);
	buf_init(&decoded, 1 << 24);
	for (size_t i = 0; i < COUNT(heads); i++) {
		struct mime_footer_result r;
		struct mime_decoder d;
		struct arena a;
		size_t head;

		arena_init(&a, NULL);
		buf_clear(&in);
		assert_int_equal(buf_printf(&in, "Content-Type: text/html\r\n%s", heads[i]), OK);
		head = buf_span(&in).len;
		for (unsigned line = 0; line < LINES; line++)
			assert_int_equal(buf_put(&in, i == 1 ? SPAN("aGVsbG8gaGVsbG8NCg0K\r\n") :
							       SPAN("hello hello, =20\r\n")), OK);
		if (i != 1)
			assert_int_equal(buf_put(&in, SPAN("</body>\r\n")), OK);
		else /* </body> */
			assert_int_equal(buf_put(&in, SPAN("PC9ib2R5Pg==\r\n")), OK);
		sign(&a, buf_span(&in), SPAN(PLAIN), SPAN(HTML), &out, &r);
		assert_null(r.why);
		assert_int_equal(r.count, 1);
		assert_true(r.edits[0].at > buf_span(&in).len - head - 2 * MIME_FOOTER_TAIL);
		mime_decoder_init(&d, i == 0 ? MIME_7BIT : i == 1 ? MIME_BASE64 : MIME_QUOTED_PRINTABLE);
		buf_clear(&decoded);
		assert_int_equal(mime_decoder_put(&d, span_from(buf_span(&out), head), &decoded), OK);
		assert_int_equal(mime_decoder_end(&d, &decoded), OK);
		assert_true(span_find_span(buf_span(&decoded), SPAN("\n" HTML "</body>")) <
			buf_span(&decoded).len);
		arena_reset(&a);
	}
	buf_fini(&in);
	buf_fini(&out);
	buf_fini(&decoded);
}

/* Lines of LINE in IN, about SIZE bytes. */
static void
put_lines(struct buf *in, struct span line, size_t size)
{
	for (size_t done = 0; done + line.len <= size; done += line.len)
		assert_int_equal(buf_put(in, line), OK);
}

#define LATIN1 TYPE("iso-8859-1") "Content-Transfer-Encoding: 8bit\r\n\r\n"
#define KIB 1024u

/* What one turn of a loop cannot do is left alone (H36); the forms of a text share what it can. */
static void
test_footer_h36_costs_no_more_than_a_turn(void **state)
{
	static const struct {
		const char *head;
		size_t size, count; /* bytes of a text, and texts */
		unsigned plain;
	} costs[] = {
		{ LATIN1, 99 * KIB, 1, 1 },
		{ LATIN1, 101 * KIB, 1, 0 },
		{ LATIN1, 60 * KIB, 2, 1 },
		{ TYPE("utf-8") "\r\n", 560 * KIB, 1, 1 },
		{ TYPE("utf-8") "\r\n", 580 * KIB, 1, 0 },
		{ TYPE("utf-8") "\r\n", 280 * KIB, 2, 2 },
		{ TYPE("utf-8") "Content-Transfer-Encoding: base64\r\n\r\n", 3000 * KIB, 1, 1 },
		{ TYPE("utf-8") "Content-Transfer-Encoding: base64\r\n\r\n", 2000 * KIB, 2, 1 },
		{ TYPE("utf-8") "Content-Transfer-Encoding: 8bit\r\n\r\n", 6000 * KIB, 2, 2 },
	};
	struct buf in, out;

	(void)state;
	buf_init(&in, 1 << 24);
	buf_init(&out, 1 << 24);
	for (size_t i = 0; i < COUNT(costs); i++) {
		struct mime_footer_result r;
		struct arena a;

		arena_init(&a, NULL);
		buf_clear(&in);
		assert_int_equal(buf_put(&in, SPAN(ALTERNATIVE)), OK);
		for (size_t part = 0; part < costs[i].count; part++) {
			assert_int_equal(buf_printf(&in, B "%s", costs[i].head), OK);
			put_lines(&in, SPAN("aGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8NCg0K\r\n"), costs[i].size);
		}
		assert_int_equal(buf_put(&in, SPAN(END)), OK);
		sign(&a, buf_span(&in), SPAN(NON_ASCII), SPAN_NONE, &out, &r);
		check_row(i, r.plain == costs[i].plain);
		check_row(i, (r.plain == costs[i].count) == !r.why);
		check_row(i, !r.why || strcmp(r.why, "its text is too large to be encoded anew") == 0);
		arena_reset(&a);
	}
	buf_fini(&in);
	buf_fini(&out);
}

/* ---- forms ---- */

static void
test_footer_forms_sig_04(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	assert_true(span_eq(mime_footer_lines(&a, SPAN("a\nb\r\nc\x01")), SPAN("a\r\nb\r\nc\r\n")));
	assert_true(span_eq(mime_footer_html_of(&a, SPAN("A & <B>\r\nC\r\n")),
		SPAN("A &amp; &lt;B&gt;<br>\r\nC<br>\r\n")));
	assert_true(span_eq(mime_footer_plain_of(&a, SPAN("<p>A &amp; <b>B</b><br>C</p>")),
		SPAN("A & B\r\nC\r\n")));
	assert_true(span_eq(mime_footer_numbers(&a, SPAN("M\xc3\xbcller")), SPAN("M&#252;ller")));
	assert_true(span_eq(mime_footer_escape(&a, SPAN("\"a\"")), SPAN("&quot;a&quot;")));
	arena_reset(&a);
}

int
test_mime_footer(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_footer_rows_sig_04_05_09),
		cmocka_unit_test(test_footer_charsets_sig_09),
		cmocka_unit_test(test_footer_leaves_what_it_cannot_read),
		cmocka_unit_test(test_footer_large),
		cmocka_unit_test(test_footer_h36_costs_no_more_than_a_turn),
		cmocka_unit_test(test_footer_forms_sig_04),
	};

	return cmocka_run_group_tests_name("mime footer", tests, NULL, NULL);
}
