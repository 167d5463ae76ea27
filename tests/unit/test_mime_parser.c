/*
 * test_mime_parser.c - messages in, ENVELOPE, BODYSTRUCTURE and parts out.
 */
#include "proto/mail/header.h"
#include "proto/mime/mime_parser.h"
#include "tests/unit/test_proto.h"

struct made {
	struct arena arena;
	struct buf record, text;
	struct span header;
	struct mime_derived d;
};

/* MESSAGE fed in pieces of PIECE bytes, and its record opened. */
static void
make(struct made *m, struct span message, size_t piece)
{
	struct mime_parser *p;
	struct header_end end = { 0 };
	struct span body = span_from(message, header_end_find(&end, message));

	arena_init(&m->arena, NULL);
	buf_init(&m->record, MIME_RECORD_MAX);
	buf_init(&m->text, 16 * MIME_RECORD_MAX);
	m->header = span_range(message, 0, message.len - body.len);
	p = ARENA_NEW(&m->arena, struct mime_parser);
	mime_parser_init(p, &m->arena);
	mime_parser_header(p, m->header);
	for (; body.len > 0; body = span_from(body, piece))
		mime_parser_feed(p, span_range(body, 0, piece));
	assert_int_equal(mime_parser_end(p, m->header, &m->record), OK);
	assert_int_equal(mime_derived_open(buf_span(&m->record), m->header, &m->d), OK);
}

static void
drop(struct made *m)
{
	buf_fini(&m->record);
	buf_fini(&m->text);
	arena_reset(&m->arena);
}

#define EVEN "\"us-ascii\") NIL NIL \"7bit\" "
#define PLAIN(rest) "(\"text\" \"plain\" (\"charset\" " EVEN rest ")"
#define PLAIN0 "(\"text\" \"plain\" (\"charset\" " EVEN

static const struct {
	const char *message, *body;
} structures[] = {
	{ "Subject: x\r\n\r\nhello\r\n", PLAIN("7 1") },
	{ "Subject: x\r\n\r\nhello", PLAIN("5 0") },
	{ "Subject: x", PLAIN("0 0") },
	{ "", PLAIN("0 0") },
	{ "\r\nbody\r\n", PLAIN("6 1") },
	{ "Content-Type: text/html; charset=utf-8\r\nContent-ID: <a@b>\r\n"
	  "Content-Transfer-Encoding: quoted-printable (x)\r\nContent-Description: d\r\n\r\nx\r\n",
		"(\"text\" \"html\" (\"charset\" \"utf-8\") \"<a@b>\" \"d\" "
		"\"quoted-printable\" 3 1)" },
	{ "Content-Type: text\r\n\r\n", PLAIN("0 0") },
	{ "Content-Type: image/png; name=\"x y.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==\r\n",
		"(\"image\" \"png\" (\"name\" \"x y.png\") NIL NIL \"base64\" 6)" },
	{ "Content-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n\r\none\r\n--b\r\n"
	  "Content-Type: text/x; a=b\r\n\r\ntwo\r\n\r\n--b--\r\nepi\r\n--b\r\n\r\nno\r\n",
		"(" PLAIN("3 0") "(\"text\" \"x\" (\"a\" \"b\") NIL NIL \"7bit\" 5 1) \"mixed\")" },
	/* H8: no boundary, an empty one, one of 71 bytes: text */
	{ "Content-Type: multipart/mixed\r\n\r\n--b\r\n", PLAIN("5 1") },
	{ "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\n----\r\n", PLAIN("12 3") },
	/* never opened, never closed, closed at once */
	{ "Content-Type: multipart/mixed; boundary=b\r\n\r\nx\r\n", "(" PLAIN("0 0") " \"mixed\")" },
	{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n",
		"(" PLAIN("0 0") " \"mixed\")" },
	{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n",
		"(" PLAIN("3 1") " \"mixed\")" },
	{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b",
		"(" PLAIN("1 0") PLAIN("0 0") " \"mixed\")" },
	/* lines that almost are one, and blanks behind one */
	{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b \t\r\n\r\n--bb\r\n--b-\r\n --b\r\n--b--\t",
		"(" PLAIN("16 2") " \"mixed\")" },
	{ "Content-Type: multipart/mixed; boundary=\"foo\r\n bar\"\r\n\r\n--foo bar\r\n\r\nx\r\n--foo bar--",
		"(" PLAIN("1 0") " \"mixed\")" },
	{ "Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\r\n\r\n--ab\r\n\r\nx\r\n--ab--",
		"(" PLAIN("1 0") " \"mixed\")" },
	/* the same inside and outside: the inner one takes it; an outer one ends what is open inside */
	{ "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n"
	  "Content-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\r\nx\r\n--o\r\n\r\ny\r\n--o--\r\n",
		"((" PLAIN("1 0") " \"alternative\")" PLAIN("1 0") " \"mixed\")" },
	{ "Content-Type: multipart/mixed; boundary=ab\r\n\r\n--ab\r\n"
	  "Content-Type: multipart/mixed; boundary=abc\r\n\r\n--abc\r\n\r\nx\r\n--abc--\r\n--ab--\r\n",
		"((" PLAIN("1 0") " \"mixed\") \"mixed\")" },
	/* a part whose header is cut off by a boundary */
	{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n--b--\r\n",
		"((\"text\" \"html\" NIL NIL NIL \"7bit\" 0 0) \"mixed\")" },
	/* digests (RFC 2046, 5.1.5), messages inside, LFs alone */
	{ "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: s\r\n\r\nx\r\n--b\r\n"
	  "Content-Type: text/plain\r\n\r\ny\r\n--b--",
		"((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 15 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL "
		"NIL) " PLAIN("1 0") " 2)" PLAIN("1 0") " \"digest\")" },
	{ "Content-Type: message/rfc822\r\n\r\nFrom: a@b\nSubject: \n\nx\n",
		"(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 23 (NIL \"\" ((NIL NIL \"a\" \"b\")) "
		"((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL) " PLAIN("2 1")
		" 4)" },
	{ "Content-Type: message/rfc822\r\n\r\n",
		"(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 0 (NIL NIL NIL NIL NIL NIL NIL NIL NIL "
		"NIL) " PLAIN("0 0") " 0)" },
	{ "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==\r\n",
		"(\"application\" \"octet-stream\" NIL NIL NIL \"base64\" 6)" },
};

/* What a piece's size is makes no difference. */
static void
test_structures(void **state)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 4096 };
	struct made m;

	(void)state;
	for (size_t i = 0; i < COUNT(structures); i++)
		for (size_t k = 0; k < COUNT(pieces); k++) {
			make(&m, at_page_edge(span_of(structures[i].message)), pieces[k]);
			check_row(i, mime_derived_put_body(&m.d, &m.text) == OK);
			check_span(i, buf_span(&m.text), span_of(structures[i].body));
			drop(&m);
		}
}

static void
test_bodystructure_extensions(void **state)
{
	static const char message[] =
		"Content-Type: multipart/mixed; boundary=b\r\nContent-Language: en, \"de\"\r\n\r\n--b\r\n"
		"Content-Type: text/plain; charset=x\r\nContent-MD5: abc\r\nContent-Location: (c) y\r\n"
		"Content-Language: fr\r\nContent-Disposition: attachment; filename*=utf-8''%C3%BC\r\n"
		"\r\nx\r\n--b\r\nContent-Disposition: inline\r\n\r\n--b--\r\n";
	struct made m;

	(void)state;
	make(&m, at_page_edge(span_of(message)), 4096);
	assert_int_equal(mime_derived_put_bodystructure(&m.d, &m.text), OK);
	check_span(0, buf_span(&m.text),
		SPAN("((\"text\" \"plain\" (\"charset\" \"x\") NIL NIL \"7bit\" 1 0 \"abc\" "
		     "(\"attachment\" (\"filename*\" \"utf-8''%C3%BC\")) (\"fr\") \"(c) y\")"
		     PLAIN0 "0 0 NIL (\"inline\" NIL) NIL NIL) \"mixed\" (\"boundary\" \"b\") NIL "
		     "(\"en\" \"de\") NIL)"));
	drop(&m);
}

static const struct {
	const char *header, *envelope;
} envelopes[] = {
	{ "From: From Real <fromuser@fromdomain.org>\r\nSender: s@d\r\nReply-To: r@d\r\n"
	  "Date: Thu, 15 Feb 2007 01:02:03 +0200\r\nSubject: a\r\n b\r\nMessage-ID: <m@id>\r\n"
	  "In-Reply-To: <r@id>\r\nTo: t@d\r\nCc: c@d\r\nBcc: b@d\r\n\r\n",
		"(\"Thu, 15 Feb 2007 01:02:03 +0200\" \"a b\" ((\"From Real\" NIL \"fromuser\" "
		"\"fromdomain.org\")) ((NIL NIL \"s\" \"d\")) ((NIL NIL \"r\" \"d\")) ((NIL NIL \"t\" "
		"\"d\")) ((NIL NIL \"c\" \"d\")) ((NIL NIL \"b\" \"d\")) \"<r@id>\" \"<m@id>\")" },
	{ "From: user@domain (Real Name)\r\nSender: \r\nReply-To:\r\nSubject:\r\n\r\n",
		"(NIL \"\" ((\"Real Name\" NIL \"user\" \"domain\")) ((\"Real Name\" NIL \"user\" "
		"\"domain\")) ((\"Real Name\" NIL \"user\" \"domain\")) NIL NIL NIL NIL NIL)" },
	{ "To: group: g1@d1.org, g2@d2.org;, group2: g3@d3.org;\r\nCc: undisclosed-recipients:;\r\n\r\n",
		"(NIL NIL NIL NIL NIL ((NIL NIL \"group\" NIL)(NIL NIL \"g1\" \"d1.org\")(NIL NIL "
		"\"g2\" \"d2.org\")(NIL NIL NIL NIL)(NIL NIL \"group2\" NIL)(NIL NIL \"g3\" "
		"\"d3.org\")(NIL NIL NIL NIL)) ((NIL NIL \"undisclosed-recipients\" NIL)(NIL NIL NIL "
		"NIL)) NIL NIL NIL)" },
	{ "To: <@route:user@domain>, \"a b\"@c, a . b @ c . d, \"x@y\" <\"q@r\"@s>, nobody\r\n\r\n",
		"(NIL NIL NIL NIL NIL ((NIL \"@route\" \"user\" \"domain\")(NIL NIL \"a b\" \"c\")(NIL "
		"NIL \"a.b\" \"c.d\")(\"x@y\" NIL \"q@r\" \"s\")(NIL NIL \"nobody\" \"\")) NIL NIL NIL "
		"NIL)" },
	{ "Subject: gr\xc3\xbc\r\nSubject: second\r\nFrom: =?utf-8?q?=C3=BC?= <a@b>\r\n\r\n",
		"(NIL {4}\r\ngr\xc3\xbc ((\"=?utf-8?q?=C3=BC?=\" NIL \"a\" \"b\")) "
		"((\"=?utf-8?q?=C3=BC?=\" NIL \"a\" \"b\")) ((\"=?utf-8?q?=C3=BC?=\" NIL \"a\" \"b\")) "
		"NIL NIL NIL NIL NIL)" },
	{ "Subject: {100}\r\nMessage-ID: \"\\\"\r\n\r\n",
		"(NIL \"{100}\" NIL NIL NIL NIL NIL NIL NIL \"\\\"\\\\\\\"\")" },
};

static void
test_envelopes(void **state)
{
	struct made m;

	(void)state;
	for (size_t i = 0; i < COUNT(envelopes); i++) {
		make(&m, at_page_edge(span_of(envelopes[i].header)), 4096);
		check_row(i, mime_derived_put_envelope(&m.d, &m.text) == OK);
		check_span(i, buf_span(&m.text), span_of(envelopes[i].envelope));
		drop(&m);
	}
}

static const char tree[] =
	"Subject: s\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\npre\r\n--o\r\n\r\nhello\r\n\r\n--o\r\n"
	"Content-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Type: multipart/mixed; boundary=i\r\n"
	"\r\n--i\r\nContent-Type: text/html\r\n\r\n<p>\r\n--i\r\nContent-Type: message/rfc822\r\n\r\n"
	"Subject: deep\r\n\r\nlast\r\n--i--\r\n--o\r\nContent-Type: image/png; name=x\r\n\r\nQ\r\n--o--\r\n";

/* BODY[...] and what is there (RFC 9051, 6.4.5.1). */
static void
test_parts(void **state)
{
	static const struct {
		uint32_t numbers[4];
		size_t count;
		const char *body, *mime, *text; /* NULL: ERR_NOT_FOUND */
	} rows[] = {
		{ { 1 }, 1, "hello\r\n", "\r\n", NULL },
		{ { 2, 1 }, 2, "<p>", "Content-Type: text/html\r\n\r\n", NULL },
		{ { 2, 2 }, 2, "Subject: deep\r\n\r\nlast", "Content-Type: message/rfc822\r\n\r\n", "last" },
		{ { 2, 2, 1 }, 3, "last", "Subject: deep\r\n\r\n", NULL },
		{ { 3 }, 1, "Q", "Content-Type: image/png; name=x\r\n\r\n", NULL },
		{ { 4 }, 1, NULL, NULL, NULL },
		{ { 0 }, 1, NULL, NULL, NULL },
		{ { 1, 1 }, 2, NULL, NULL, NULL },
		{ { 2, 2, 2 }, 3, NULL, NULL, NULL },
		{ { 2, 2, 1, 1 }, 4, NULL, NULL, NULL },
		{ { 2, 3 }, 2, NULL, NULL, NULL },
	};
	struct span all = at_page_edge(SPAN(tree));
	struct mime_part part, inner;
	struct made m;

	(void)state;
	make(&m, all, 3);
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum err err = mime_part_find(&m.d, rows[i].numbers, rows[i].count, &part);

		check_row(i, err == (rows[i].body ? OK : ERR_NOT_FOUND));
		if (err != OK)
			continue;
		check_span(i, span_range(all, part.body_offset, part.body_offset + part.body_size),
			span_of(rows[i].body));
		check_span(i,
			span_range(all, part.header_offset, part.header_offset + part.header_size),
			span_of(rows[i].mime));
		err = mime_part_inner(&m.d, &part, &inner);
		check_row(i, err == (rows[i].text ? OK : ERR_NOT_FOUND));
		if (err == OK)
			check_span(i,
				span_range(all, inner.body_offset,
					inner.body_offset + inner.body_size),
				span_of(rows[i].text));
	}
	drop(&m);
}

static void
test_part_numbers(void **state)
{
	struct mime_walk at = { 0 };
	struct mime_part part;
	struct made m;

	(void)state;
	make(&m, at_page_edge(SPAN(tree)), 4096);
	while (mime_part_next(&m.d, &at, &part)) {
		assert_int_equal(mime_part_put_number(&m.d, &part, &m.text), OK);
		assert_int_equal(buf_printf(&m.text, "%s;", part.is_attachment ? "a" : ""), OK);
	}
	check_span(0, buf_span(&m.text), SPAN(";1;2;;2.1;2.2;2.2.1;3a;"));
	drop(&m);
}

static void
test_fields(void **state)
{
	static const char header[] =
		"From: Anna \xc3\x84 <A@B.test>\r\nSubject: Re: =?utf-8?q?GR=C3=9CN?=\r\n folded\r\n"
		"To: Bo\r\n\t<Bo@X.test>\r\nDate: Thu, 15 Feb 2007 01:02:03 +0200\r\n"
		"References: <1@X>\r\n <2@X>\r\n"
		"Cc: <Carl (at\\) his (own) desk)@ (comment)\r\n X.test>, Dora (D) <dora@x.test>\r\n\r\n";
	struct made m;

	(void)state;
	make(&m, at_page_edge(SPAN(header)), 4096);
	assert_int_equal(mime_derived_put_text(&m.d, MIME_SUBJECT, &m.text), OK);
	check_span(0, buf_span(&m.text), SPAN("re: gr\xc3\xbcn folded"));
	buf_clear(&m.text);
	assert_int_equal(mime_derived_put_text(&m.d, MIME_TO, &m.text), OK);
	check_span(1, buf_span(&m.text), SPAN("bo\t<bo@x.test>"));
	assert_null(m.d.fields[MIME_TO].text.ptr); /* the header says it */
	assert_null(m.d.fields[MIME_BCC].raw.ptr);
	assert_true(mime_derived_holds(&m.d, MIME_FROM, SPAN("anna \xc3\xa4 <a@b")));
	assert_true(mime_derived_holds(&m.d, MIME_TO, SPAN("bo\t<bo@x")));
	assert_true(mime_derived_holds(&m.d, MIME_REFERENCES, SPAN("<1@x> <2@x>")));
	assert_true(mime_derived_holds(&m.d, MIME_SUBJECT, SPAN("")));
	assert_false(mime_derived_holds(&m.d, MIME_BCC, SPAN("")));
	assert_true(mime_derived_holds(&m.d, MIME_CC, SPAN("carl@x.test"))); /* RFC 5322, 3.4: comments in an address */
	assert_true(mime_derived_holds(&m.d, MIME_CC, SPAN("his (own) desk")));
	assert_true(mime_derived_holds(&m.d, MIME_CC, SPAN("dora (d)")));
	assert_false(mime_derived_holds(&m.d, MIME_CC, SPAN("carl@y.test")));
	assert_false(mime_derived_holds(&m.d, MIME_TO, SPAN("bo\t<bo@x.test>x")));
	assert_true(m.d.has_sent);
	assert_int_equal(m.d.sent_s, 1171494123);
	assert_int_equal(m.d.sent_offset_minutes, 120);
	drop(&m);
}

/* H8: deeper than MIME_DEPTH_MAX is one leaf, and so is what comes with part MIME_PARTS_MAX. */
static void
test_parser_h08_limits(void **state)
{
	struct made m;
	struct buf text;
	struct mime_walk at = { 0 };
	struct mime_part part;
	unsigned deepest = 0;

	(void)state;
	buf_init(&text, 1u << 20);
	for (int i = 0; i < 200; i++)
		assert_int_equal(buf_printf(&text,
					 "Content-Type: multipart/mixed; boundary=n%d\r\n\r\n--n%d\r\n", i, i),
			OK);
	make(&m, buf_span(&text), 4096);
	while (mime_part_next(&m.d, &at, &part))
		deepest = part.depth;
	assert_int_equal(deepest, MIME_DEPTH_MAX);
	assert_int_equal(part.kind, MIME_LEAF);
	assert_int_equal(part.body_offset + part.body_size, buf_span(&text).len);
	assert_int_equal(mime_derived_put_bodystructure(&m.d, &m.text), OK);
	drop(&m);

	buf_clear(&text);
	assert_int_equal(buf_put(&text, SPAN("Content-Type: multipart/mixed; boundary=p\r\n\r\n")), OK);
	for (int i = 0; i < 2 * MIME_PARTS_MAX; i++)
		assert_int_equal(buf_put(&text, SPAN("--p\r\n\r\nx\r\n")), OK);
	make(&m, buf_span(&text), 4096);
	assert_int_equal(m.d.part_count, MIME_PARTS_MAX);
	at = (struct mime_walk){ 0 };
	while (mime_part_next(&m.d, &at, &part))
		;
	assert_int_equal(part.body_offset + part.body_size, buf_span(&text).len);
	assert_true(buf_span(&m.record).len < MIME_RECORD_MAX / 4);
	drop(&m);
	buf_fini(&text);
}

static void
put_noise(struct buf *out, size_t size)
{
	static uint32_t noise = 1;

	for (size_t i = 0; i < size; i += 6) {
		noise = noise * 1103515245u + 12345u;
		assert_int_equal(buf_printf(out, "%06x", noise >> 8), OK);
	}
}

/* What no record can hold is one leaf; its fields are there all the same. */
static void
test_parser_h08_too_much(void **state)
{
	static const char *const names[] = { "From", "To", "Cc", "Bcc", "Subject", "References" };
	struct mime_part part;
	struct mime_walk at = { 0 };
	struct made m;
	struct buf text;

	(void)state;
	buf_init(&text, 8u << 20);
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_equal(buf_printf(&text, "%s: \xc3\x9c", names[i]), OK);
		put_noise(&text, 15000);
		assert_int_equal(buf_put(&text, SPAN("\r\n")), OK);
	}
	assert_int_equal(
		buf_put(&text, SPAN("Content-Type: multipart/mixed; boundary=p\r\n\r\n")), OK);
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(buf_put(&text, SPAN("--p\r\nContent-Type: a/b; c=")), OK);
		put_noise(&text, 600);
		assert_int_equal(buf_put(&text, SPAN("\r\n\r\nx\r\n")), OK);
	}
	make(&m, buf_span(&text), 4096);
	assert_int_equal(m.d.part_count, 1);
	assert_true(mime_part_next(&m.d, &at, &part));
	assert_int_equal(part.body_offset + part.body_size, buf_span(&text).len);
	assert_int_equal(mime_derived_put_bodystructure(&m.d, &m.text), OK);
	assert_true(span_starts(buf_span(&m.text), SPAN("(\"application\" \"octet-stream\"")));
	assert_true(mime_derived_holds(&m.d, MIME_SUBJECT, SPAN("\xc3\xbc")));
	drop(&m);
	buf_fini(&text);
}

/* A small record is what keeps a store small: less than a tenth of a usual message. */
static void
test_record_is_small(void **state)
{
	static const char message[] =
		"From: Bo Nilsson <bo.nilsson@example.net>\r\nTo: Anna Example <anna@example.org>\r\n"
		"Subject: The figures of the third quarter\r\nDate: Sat, 21 Nov 2026 22:36:38 +0000\r\n"
		"Message-ID: <20261121223638.4711.bo@mail.example.net>\r\nMIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nx\r\n";
	struct made m;

	(void)state;
	make(&m, at_page_edge(SPAN(message)), 4096);
	assert_int_equal(mime_derived_put_envelope(&m.d, &m.text), OK);
	assert_true(buf_span(&m.text).len > 300);
	print_message("# record of a usual message: %zu bytes\n", buf_span(&m.record).len);
	assert_true(buf_span(&m.record).len < 250);
	drop(&m);
}

/* A record that is damaged, or beside another header, is refused and never read beyond. */
static void
test_record_damaged(void **state)
{
	struct mime_derived d;
	struct mime_walk at;
	struct mime_part part;
	struct made m;

	(void)state;
	make(&m, at_page_edge(SPAN(tree)), 4096);
	assert_int_equal(mime_derived_open(SPAN_NONE, m.header, &d), ERR_NOT_FOUND);
	assert_int_equal(mime_derived_open(SPAN("\x7f"), m.header, &d), ERR_NOT_FOUND);
	assert_int_equal(mime_derived_open(buf_span(&m.record), SPAN("Subject: y\r\n\r\n"), &d),
		ERR_CORRUPT);
	for (size_t i = 0; i < buf_span(&m.record).len; i++) {
		struct span cut = at_page_edge(span_range(buf_span(&m.record), 0, i));

		check_row(i, mime_derived_open(cut, m.header, &d) != OK);
	}
	for (size_t i = 1; i < buf_span(&m.record).len; i++) {
		char *bytes = (char *)at_page_edge(buf_span(&m.record)).ptr;

		bytes[i] ^= 0x55;
		if (mime_derived_open((struct span){ bytes, buf_span(&m.record).len }, m.header, &d) != OK)
			continue;
		buf_clear(&m.text);
		(void)!mime_derived_put_envelope(&d, &m.text);
		(void)!mime_derived_put_bodystructure(&d, &m.text);
		at = (struct mime_walk){ 0 };
		while (mime_part_next(&d, &at, &part))
			;
	}
	drop(&m);
}

/* A header may get lines in front before it is stored: what follows moves on with it. */
static void
test_header_grows(void **state)
{
	static const char before[] = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
	static const char after[] = "Received: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
	struct span body = SPAN("--b\r\n\r\nx\r\n--b--\r\n");
	struct mime_part part;
	struct mime_parser *p;
	struct made m;

	(void)state;
	make(&m, SPAN(""), 1);
	p = ARENA_NEW(&m.arena, struct mime_parser);
	mime_parser_init(p, &m.arena);
	mime_parser_header(p, SPAN(before));
	mime_parser_feed(p, body);
	for (int twice = 0; twice < 2; twice++) { /* submitted once more */
		buf_clear(&m.record);
		assert_int_equal(mime_parser_end(p, SPAN(after), &m.record), OK);
		assert_int_equal(mime_derived_open(buf_span(&m.record), SPAN(after), &m.d), OK);
		assert_int_equal(mime_part_find(&m.d, (uint32_t[]){ 1 }, 1, &part), OK);
		assert_int_equal(part.body_offset, sizeof(after) - 1 + 7);
		assert_int_equal(part.body_size, 1);
	}
	drop(&m);
}

int
test_mime_parser(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structures),
		cmocka_unit_test(test_bodystructure_extensions),
		cmocka_unit_test(test_envelopes),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_part_numbers),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_parser_h08_limits),
		cmocka_unit_test(test_parser_h08_too_much),
		cmocka_unit_test(test_record_is_small),
		cmocka_unit_test(test_record_damaged),
		cmocka_unit_test(test_header_grows),
	};

	return cmocka_run_group_tests_name("mime parser", tests, NULL, NULL);
}
