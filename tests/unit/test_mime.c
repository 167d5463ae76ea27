/*
 * test_mime.c - encodings, charsets, encoded words and parameters.
 */
#include "proto/base/utf8.h"
#include "proto/mail/header.h"
#include "proto/mime/encoded_word.h"
#include "proto/mime/html_text.h"
#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_decoder.h"
#include "proto/mime/mime_entity.h"
#include "proto/mime/mime_reply.h"
#include "proto/mime/mime_value.h"
#include "tests/unit/test_proto.h"

static void
test_encoded_words(void **state)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{ "plain", "plain" },
		{ "a\r\n b", "a b" },
		{ "=?utf-8?q?J=C3=B6rg_x?= y", "J\xc3\xb6rg x y" },
		{ "=?UTF-8?B?w6k=?=\r\n =?iso-8859-1?Q?=E9?= z", "\xc3\xa9\xc3\xa9 z" },
		{ "=?utf-8*en?q?a?=", "a" },
		{ "=?koi8-r?q?=C1?= =?utf-8?q?a?=", "\xd0\xb0""a" },
		{ "=?iso-2022-jp?b?GyRCJUYlOSVIGyhC?=", "\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88" },
		{ "=?gb2312?b?suLK1A==?=", "\xe6\xb5\x8b\xe8\xaf\x95" },
		{ "=?utf-8?b?w?= =?utf-8?b?7w=?=", "\xc3\xaf" }, /* neither is whole */
		{ "=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "\xc3\xbc" }, /* a character cut in two */
		{ "=?utf-8?b?w7w?=", "\xc3\xbc" },            /* padding is wanting */
		{ "=?no-such?q?=C1?= b", "=?no-such?q?=C1?= b" },
		{ "=?utf-8?q?=?=", "=?utf-8?q?=?=" },
		{ "=?utf-8?q?=4?=", "=?utf-8?q?=4?=" },
		{ "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
		{ "=?utf-8?b?!!?=", "=?utf-8?b?!!?=" },
		{ "=?utf-8?q?a", "=?utf-8?q?a" },
		{ "=?=?=?", "=?=?=?" },
		{ "gr\xc3\xbc\xc3\x9f" "e", "gr\xc3\xbc\xc3\x9f" "e" }, /* RFC 6532 */
		{ "caf\xe9", "caf\xc3\xa9" },
		/* H70: a word that hides a control stays as it was written */
		{ "=?utf-8?Q?a=00b?=", "=?utf-8?Q?a=00b?=" },
		{ "=?utf-8?B?AA==?= =?utf-8?q?a?=", "=?utf-8?B?AA==?= a" },
		{ "=?utf-8?q?=1B[2J=0A?=", "=?utf-8?q?=1B[2J=0A?=" },
		{ "=?utf-8?q?=7F?=", "=?utf-8?q?=7F?=" },
		{ "=?utf-8?q?=C2=9B?=", "=?utf-8?q?=C2=9B?=" },
		{ "=?iso-8859-1?q?=9B?=", "\xe2\x80\xba" }, /* of windows-1252, no C1 */
		{ "=?iso-8859-1?q?=C2=E9?=", "\xc3\x82\xc3\xa9" },
		{ "=?utf-8?q?=C3=80?=", "\xc3\x80" },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&out);
		check_row(i,
			encoded_word_decode(&out, at_page_edge(span_of(rows[i].value))) == OK);
		check_span(i, buf_span(&out), span_of(rows[i].want));
		check_row(i, utf8_is_valid(buf_span(&out)));
	}
	buf_fini(&out);
}

static const struct {
	enum mime_encoding encoding;
	const char *text, *want;
} decoded[] = {
	{ MIME_7BIT, "a=20b", "a=20b" },
	{ MIME_BASE64, "QUJD", "ABC" },
	{ MIME_BASE64, "Q\r\nU\r\nJ\r\nD\r\n", "ABC" },
	{ MIME_BASE64, "!@#$\r\nQUJD\r\n", "ABC" },
	{ MIME_BASE64, "QQ==QUJD", "AABC" }, /* one text behind another */
	{ MIME_BASE64, "QUI=", "AB" },
	{ MIME_BASE64, "QUI", "AB" },
	{ MIME_BASE64, "Q", "" },
	{ MIME_BASE64, "====", "" },
	{ MIME_QUOTED_PRINTABLE, "=C3=BC=\r\n=c3=bc", "\xc3\xbc\xc3\xbc" },
	{ MIME_QUOTED_PRINTABLE, "a  \r\nb \t\r\nc ", "a\r\nb\r\nc" },
	{ MIME_QUOTED_PRINTABLE, "a= \t\r\nb", "ab" },
	{ MIME_QUOTED_PRINTABLE, "a=\nb", "ab" },
	{ MIME_QUOTED_PRINTABLE, "=ZZ=4\r\n==41=", "=ZZ=4\r\n=A=" },
	{ MIME_QUOTED_PRINTABLE, "a b  c =20\r\n", "a b  c  \r\n" },
};

/* Whole, and in pieces of each size. */
static void
test_decoders(void **state)
{
	struct mime_decoder d;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(decoded); i++)
		for (size_t piece = 1; piece < 8; piece++) {
			struct span in = at_page_edge(span_of(decoded[i].text));

			buf_clear(&out);
			mime_decoder_init(&d, decoded[i].encoding);
			for (; in.len > 0; in = span_from(in, piece))
				check_row(i, mime_decoder_put(&d, span_range(in, 0, piece),
						     &out) == OK);
			check_row(i, mime_decoder_end(&d, &out) == OK);
			check_span(i, buf_span(&out), span_of(decoded[i].want));
		}
	buf_fini(&out);
}

static void
test_charsets(void **state)
{
	static const struct {
		const char *charset, *text, *want;
	} rows[] = {
		{ "us-ascii", "abc", "abc" },
		{ "us-ascii", "\xc3\xbc", "\xc3\xbc" },
		{ "utf-8", "\xf0\x9f\x98\x80 \xc3\xbc \xe9", "\xf0\x9f\x98\x80 \xc3\xbc \xc3\xa9" },
		{ "UTF-8", "a\xc3", "a\xc3\x83" },
		{ "iso-8859-1", "\xe9\x80", "\xc3\xa9\xe2\x82\xac" },
		{ "windows-1252", "\x81", "\xef\xbf\xbd" },
		{ "iso-8859-15", "\xa4", "\xe2\x82\xac" },
		{ "koi8-r", "\xf4\xc5\xd3\xd4", "\xd0\xa2\xd0\xb5\xd1\x81\xd1\x82" },
		{ "utf-16le", "a\0b", "ab" },
		{ "shift_jis", "\x83\x65\x83\x58", "\xe3\x83\x86\xe3\x82\xb9" },
		{ "iso-2022-jp", "\x1b$B%F%9%H\x1b(B", "\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88" },
		{ "big5", "\xa4\xa4\xff", "\xe4\xb8\xad\xef\xbf\xbd" },
		{ "utf-7", "+AOk-", "\xc3\xa9" },
	};
	struct mime_charset c;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t piece = 1; piece < 6; piece++) {
			unsigned number = mime_charset_find(span_of(rows[i].charset));
			struct span in = span_of(rows[i].text);

			if (number == mime_charset_find(SPAN("utf-16le")))
				in.len = 4; /* it has NULs */
			in = at_page_edge(in);
			buf_clear(&out);
			check_row(i, number != MIME_CHARSET_NONE);
			check_row(i, mime_charset_open(&c, number) == OK);
			for (; in.len > 0; in = span_from(in, piece))
				check_row(i, mime_charset_put(&c, span_range(in, 0, piece),
						     &out) == OK);
			check_row(i, mime_charset_end(&c, &out) == OK);
			check_span(i, buf_span(&out), span_of(rows[i].want));
		}
	assert_int_equal(mime_charset_find(SPAN("utf-8//translit")), MIME_CHARSET_NONE);
	assert_int_equal(mime_charset_find(SPAN("iso-2022-cn-ext")), MIME_CHARSET_NONE);
	buf_fini(&out);
}

/* Each charset of the table can be opened here. */
static void
test_charset_table(void **state)
{
	struct mime_charset c;
	unsigned number = 1;

	(void)state;
	for (; mime_charset_name(number).len > 0; number++) {
		check_row(number, mime_charset_find(mime_charset_name(number)) == number);
		check_row(number, mime_charset_open(&c, number) == OK);
		mime_charset_close(&c);
	}
	assert_true(number > 40 && number < 256); /* a byte of the record */
}

static void
test_folding(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "Abc-XYZ", "abc-xyz" },
		{ "\xc3\x84\xc3\x96\xc3\x9c", "\xc3\xa4\xc3\xb6\xc3\xbc" },
		{ "\xd0\x9f\xd0\xa0", "\xd0\xbf\xd1\x80" },                 /* Cyrillic */
		{ "\xce\xa3\xcf\x82", "\xcf\x83\xcf\x83" },                 /* both sigmas */
		{ "\xc4\x80\xc4\x81\xc4\x82", "\xc4\x81\xc4\x81\xc4\x83" }, /* every other one */
		{ "\xf0\x90\x90\x80", "\xf0\x90\x90\xa8" },
		{ "\xc3\x9f\xe4\xb8\xad", "\xc3\x9f\xe4\xb8\xad" },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&out);
		check_row(i, utf8_put_folded(&out, at_page_edge(span_of(rows[i].text))) == OK);
		check_span(i, buf_span(&out), span_of(rows[i].want));
	}
	buf_fini(&out);
}

static void
test_parameters(void **state)
{
	static const struct {
		const char *value, *name, *plain, *text; /* "-": there is none */
	} rows[] = {
		{ "; name=a.txt", "name", "a.txt", "a.txt" },
		{ "; NAME = \"a \\\"b\\\" c\" (x)", "name", "a \"b\" c", "a \"b\" c" },
		{ " (c (d)) ; x=y;name=my file.pdf ; z=1", "name", "my file.pdf", "my file.pdf" },
		{ "; name=a (comment)", "name", "a", "a" },
		{ "; name=\"a\r\n b\"", "name", "a b", "a b" },
		{ "; name*=utf-8''%C3%BC.txt", "name", "-", "\xc3\xbc.txt" },
		{ "; name*0*=utf-8''%C3; name*1*=%BC.txt", "name", "-", "\xc3\xbc.txt" },
		{ "; name*1=b; name*0=a", "name", "-", "ab" },
		{ "; name*0=a; name*1=b; name*3=d", "name", "-", "ab" },
		{ "; name*0*=iso-8859-1'en'%E9; name*1=\"%41\"", "name", "-", "\xc3\xa9%41" },
		{ "; name=old; name*=utf-8''new", "name", "old", "new" },
		{ "; name*=x", "name", "-", "x" },
		{ "; name*=utf-8''%ZZ%", "name", "-", "%ZZ%" },
		{ "; name*999999999999999999=x; name*-1=y; name**=z", "name", "-", "-" },
		{ "; name==?utf-8?q?=C3=BC?=", "name", "=?utf-8?q?=C3=BC?=", "\xc3\xbc" },
		{ "; name=\"unclosed", "name", "unclosed", "unclosed" },
		{ ";;; =x; name; other=\"name=1;\"; name=2", "name", "2", "2" },
		{ "", "name", "-", "-" },
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mime_params params =
			mime_take_params(&a, at_page_edge(span_of(rows[i].value)));
		struct span plain = mime_param_find(&params, span_of(rows[i].name));
		struct span text = mime_param_text(&a, &params, span_of(rows[i].name));

		check_span(i, plain.ptr ? plain : SPAN("-"), span_of(rows[i].plain));
		check_span(i, text.ptr ? text : SPAN("-"), span_of(rows[i].text));
	}
	arena_reset(&a);
}

/* H8: 100 parameters and no more. */
static void
test_parameters_h08_limit(void **state)
{
	struct mime_params params;
	struct arena a;
	struct buf text;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&text, 65536);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(buf_printf(&text, "; name*%d=x", i), OK);
	params = mime_take_params(&a, buf_span(&text));
	assert_int_equal(params.count, MIME_PARAMS_MAX);
	assert_int_equal(mime_param_text(&a, &params, SPAN("name")).len, MIME_PIECES_MAX);
	buf_fini(&text);
	arena_reset(&a);
}

static void
test_reply_strings(void **state)
{
	static const struct {
		struct span text;
		const char *want;
	} rows[] = {
		{ { NULL, 0 }, "NIL" },
		{ { "", 0 }, "\"\"" },
		{ { "NIL", 3 }, "\"NIL\"" },
		{ { "a \"q\" \\ b", 9 }, "\"a \\\"q\\\" \\\\ b\"" },
		{ { "a\r\n b", 5 }, "\"a b\"" },
		{ { "a\0b", 3 }, "\"ab\"" },
		{ { "gr\xc3\xbcn", 5 }, "{5}\r\ngr\xc3\xbcn" },
		{ { "caf\xe9", 4 }, "{5}\r\ncaf\xc3\xa9" },
		{ { "a\x1b[2J", 5 }, "{5}\r\na\x1b[2J" },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&out);
		mime_put_nstring(&out, rows[i].text.len ? at_page_edge(rows[i].text)
							: rows[i].text);
		check_span(i, buf_span(&out), span_of(rows[i].want));
	}
	buf_fini(&out);
}

/* The groups of an address list (RFC 9051, 7.5.2). */
static void
test_address_elements(void **state)
{
	static const struct {
		const char *list, *want;
	} rows[] = {
		{ "a@b", "M|a@b;" },
		{ "g: a@b, c@d;, e@f", "G g;M|a@b;M|c@d;E;M|e@f;" },
		{ "g:;", "G g;E;" },
		{ "g: (foo) ;", "G g;E;" },
		{ "\"A B\" x: a@b", "G \"A B\" x;M|a@b;E;" },
		{ "g1: a@b, g2: c@d;, e@f;", "G g1;M|a@b;M|c@d;E;M|e@f;" },
		{ "N <@r:a@b>, x", "MN|@r:a@b;M|x;" },
		{ ";,;", "" },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span rest = at_page_edge(span_of(rows[i].list));
		struct header_mailbox m;
		enum header_element kind;
		bool in_group = false;

		buf_clear(&out);
		while ((kind = header_next_element(&rest, &in_group, &m)) != HEADER_END)
			if (kind == HEADER_MAILBOX)
				check_row(i, buf_printf(&out, "M%.*s|%.*s;", SPAN_FMT(m.display),
						     SPAN_FMT(m.address)) == OK);
			else if (kind == HEADER_GROUP)
				check_row(i, buf_printf(&out, "G %.*s;", SPAN_FMT(m.display)) == OK);
			else
				check_row(i, buf_put(&out, SPAN("E;")) == OK);
		check_span(i, buf_span(&out), span_of(rows[i].want));
	}
	buf_fini(&out);
}

/* H72: text and nothing else. */
static void
test_html_text(void **state)
{
	static const struct {
		const char *html, *want;
	} rows[] = {
		{ "", "" },
		{ "plain <b>bold</b>\r\n  text", "plain bold text\n" },
		{ "<p>a</p><p>b<br>c</p>", "a\n\nb\nc\n" },
		{ "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3\n" },
		{ "a<script>alert('x')</script>b<STYLE>p{}</style>c<!-- <p>no -->d", "abcd\n" },
		{ "&lt;b&gt; &amp;amp; &#65;&#x42;&nbsp;&euro;", "<b> &amp; AB \xe2\x82\xac\n" },
		{ "1 < 2 & 3 &nosuch; &#; &#x;", "1 < 2 & 3 &nosuch; &#; &#x;\n" },
		{ "&#27;[2J&#x202e;&#1114112;&#99999999;", "\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n" },
		{ "<a href=\"http://x.test/\">here</a><img src=y onerror=z>", "here\n" },
		{ "a<b", "a\n" },
		{ "<script>", "" },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&out);
		check_row(i, html_text_put(&out, at_page_edge(span_of(rows[i].html))) == OK);
		check_span(i, buf_span(&out), span_of(rows[i].want));
	}
	buf_fini(&out);
}

static void
test_file_names_h72(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{ "a b.pdf", "a b.pdf" },
		{ "../../etc/x", "x" },
		{ "..\\..\\windows\\y.exe", "y.exe" },
		{ "/", "_" },
		{ "..", "_" },
		{ "", "_" },
		{ ".bashrc", "bashrc" },
		{ "CON", "_CON" },
		{ "con.txt", "_con.txt" },
		{ "Lpt1", "_Lpt1" },
		{ "console", "console" },
		{ "a\x1b[2J\xe2\x80\xae" "gpj.exe", "a_[2J_gpj.exe" },
		{ "a:b*c?", "a_b_c_" },
		{ "gr\xc3\xbc\xe9", "gr\xc3\xbc_" },
	};
	static char longest[10000];
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++)
		check_span(i, mime_safe_file_name(&a, at_page_edge(span_of(rows[i].name))),
			span_of(rows[i].want));
	memset(longest, 'x', sizeof(longest));
	assert_true(mime_safe_file_name(&a, (struct span){ longest, sizeof(longest) }).len <=
		MIME_FILE_NAME_MAX);
	arena_reset(&a);
}

int
test_mime(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encoded_words),
		cmocka_unit_test(test_decoders),
		cmocka_unit_test(test_charsets),
		cmocka_unit_test(test_charset_table),
		cmocka_unit_test(test_folding),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_parameters_h08_limit),
		cmocka_unit_test(test_reply_strings),
		cmocka_unit_test(test_address_elements),
		cmocka_unit_test(test_html_text),
		cmocka_unit_test(test_file_names_h72),
	};

	return cmocka_run_group_tests_name("mime", tests, NULL, NULL);
}
