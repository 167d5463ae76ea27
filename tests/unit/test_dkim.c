/*
 * test_dkim.c - canonical forms by the examples of RFC 6376 and RFC 8463, whole and byte by byte; which fields a
 * signature covers; the field's own text (H11).
 */
#include "proto/auth/dkim.h"
#include "tests/unit/test_proto.h"

#define TEXT(text) { (text), sizeof(text) - 1 }

static void
gather(void *arg, struct span bytes)
{
	assert_int_equal(buf_put(arg, bytes), OK);
}

/* In pieces of STEP bytes; 0: whole. */
static void
canon_body(enum dkim_canon canon, struct span body, size_t step, struct buf *out)
{
	struct dkim_body b;

	dkim_body_init(&b, canon, gather, out);
	for (size_t at = 0; at < body.len; at += step ? step : body.len)
		dkim_body_feed(&b, step ? span_range(body, at, at + step) : body);
	dkim_body_end(&b);
}

/* RFC 6376, 3.4.3 to 3.4.5. */
static void
test_dkim_body(void **state)
{
	static const struct {
		struct span body, relaxed, simple;
	} rows[] = {
		{ TEXT(" C \r\nD \t E\r\n\r\n\r\n"), TEXT(" C\r\nD E\r\n"),
			TEXT(" C \r\nD \t E\r\n") },
		{ TEXT(""), TEXT(""), TEXT("\r\n") },
		{ TEXT("\r\n\r\n"), TEXT(""), TEXT("\r\n") },
		{ TEXT(" \t\r\n \r\n"), TEXT(""), TEXT(" \t\r\n \r\n") },
		{ TEXT("a"), TEXT("a\r\n"), TEXT("a\r\n") },
		{ TEXT("a "), TEXT("a\r\n"), TEXT("a \r\n") },
		{ TEXT("a\r\n\r\n \r\n\r\nb\t\r\n"), TEXT("a\r\n\r\n\r\n\r\nb\r\n"),
			TEXT("a\r\n\r\n \r\n\r\nb\t\r\n") },
		{ TEXT("\t a\r b\nc\r\n"), TEXT(" a\r b\nc\r\n"), TEXT("\t a\r b\nc\r\n") },
		{ TEXT("a\r\r\n"), TEXT("a\r\r\n"), TEXT("a\r\r\n") },
		{ TEXT("a\r\n\r"), TEXT("a\r\n\r\r\n"), TEXT("a\r\n\r\r\n") },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t step = 0; step < 4; step++) {
			struct span body = at_page_edge(rows[i].body);

			buf_clear(&out);
			canon_body(DKIM_RELAXED, body, step, &out);
			check_span(i, buf_span(&out), rows[i].relaxed);
			buf_clear(&out);
			canon_body(DKIM_SIMPLE, body, step, &out);
			check_span(i, buf_span(&out), rows[i].simple);
		}
	}
	buf_fini(&out);
}

/* RFC 6376, 3.4.5, and a fold in each place. */
static void
test_dkim_header_canon(void **state)
{
	static const struct {
		struct span raw, relaxed;
	} rows[] = {
		{ TEXT("A: X\r\n"), TEXT("a:X\r\n") },
		{ TEXT("B : Y\t\r\n\tZ  \r\n"), TEXT("b:Y Z\r\n") },
		{ TEXT("SUBJect:\r\n \t AbC\r\n\r\n"), TEXT("subject:AbC\r\n") },
		{ TEXT("To:\r\n"), TEXT("to:\r\n") },
		{ TEXT("To: a\r\n \r\n b\r\n"), TEXT("to:a b\r\n") },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&out);
		dkim_header_canon(DKIM_RELAXED, at_page_edge(rows[i].raw), gather, &out);
		check_span(i, buf_span(&out), rows[i].relaxed);
		buf_clear(&out);
		dkim_header_canon(DKIM_SIMPLE, rows[i].raw, gather, &out);
		check_span(i, buf_span(&out), rows[i].raw);
	}
	buf_fini(&out);
}

#define HEADER \
	"Received: from a\r\nTo: one@example.org\r\nFrom: Joe\r\n <joe@example.org>\r\n" \
	"To: two@example.org\r\nSubject: hi\r\n\r\n"

static const struct span names[] = { TEXT("to"), TEXT("Message-ID"), TEXT("List-Id"), TEXT("from") };
static const struct span oversigned[] = { TEXT("From"), TEXT("Subject"), TEXT("Date"),
	TEXT("SUBJECT") };

static struct dkim_signing
signing(enum dkim_algorithm algorithm)
{
	return (struct dkim_signing){ .algorithm = algorithm, .header_canon = DKIM_RELAXED,
		.body_canon = DKIM_RELAXED, .domain = SPAN("example.org"),
		.selector = SPAN("s1.mail"), .time_s = 1528637909, .expires_s = 1528637999,
		.sign = { names, oversigned, COUNT(names), COUNT(oversigned) } };
}

/* From the last to the first of a name, and once more those that may not be added (RFC 6376, 5.4.2, 8.15). */
static void
test_dkim_field(void **state)
{
	static const char want[] =
		"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org;\r\n"
		"\ts=s1.mail; t=1528637909; x=1528637999; h=From:From:Subject:Subject:Date:to:\r\n"
		"\tto; bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=;\r\n\tb=";
	static const char hashed[] =
		"from:Joe <joe@example.org>\r\nsubject:hi\r\nto:two@example.org\r\n"
		"to:one@example.org\r\n"
		"dkim-signature:v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org; s=s1.mail; "
		"t=1528637909; x=1528637999; h=From:From:Subject:Subject:Date:to: to; "
		"bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; b=";
	struct dkim_signing s = signing(DKIM_ED25519_SHA256);
	struct buf field, in;
	char signature[256];

	(void)state;
	buf_init(&field, DKIM_FIELD_MAX);
	buf_init(&in, DKIM_FIELD_MAX);
	assert_int_equal(dkim_field_begin(&s, at_page_edge(SPAN(HEADER)), &field, gather, &in), OK);
	check_span(0, buf_span(&field), span_of(want));
	check_span(1, buf_span(&in), span_of(hashed));
	memset(signature, 'x', sizeof(signature));
	assert_int_equal(dkim_field_end(&field, (struct span){ signature, sizeof(signature) }), OK);
	struct span rest = buf_span(&field), line;
	for (size_t i = 0; span_next_line(&rest, &line); i++)
		check_row(i, line.len <= DKIM_LINE_MAX && (i == 0 || line.ptr[0] == '\t'));
	assert_true(span_starts(span_from(buf_span(&field), sizeof(want) - 1), SPAN("eHh4eHh4")));
	buf_clear(&field);
	buf_clear(&in);
	s.header_canon = DKIM_SIMPLE;
	assert_int_equal(dkim_field_begin(&s, SPAN(HEADER), &field, gather, &in), OK);
	assert_true(span_starts(buf_span(&in), SPAN("From: Joe\r\n <joe@example.org>\r\nSub")));
	assert_true(span_ends_nocase(buf_span(&in), buf_span(&field))); /* as it is sent */
	buf_fini(&field);
	buf_fini(&in);
}

static void
test_dkim_h11_nothing_is_injected(void **state)
{
	static const struct {
		struct span domain, selector, name, header;
		enum err want;
	} rows[] = {
		{ TEXT("example.org"), TEXT("a"), TEXT("To"), TEXT("From: a@b\r\n"), OK },
		{ TEXT("example.org"), TEXT("a"), TEXT("To"), TEXT("To: a@b\r\n"), ERR_SYNTAX },
		{ TEXT("example.org"), TEXT("a"), TEXT("To"), TEXT(""), ERR_SYNTAX },
		{ TEXT("example.org;x"), TEXT("a"), TEXT("To"), TEXT("From: a@b\r\n"), ERR_SYNTAX },
		{ TEXT("example.org\r\n"), TEXT("a"), TEXT("To"), TEXT("From: a@b\r\n"), ERR_SYNTAX },
		{ TEXT("b\xc3\xbc.org"), TEXT("a"), TEXT("To"), TEXT("From: a@b\r\n"), ERR_SYNTAX },
		{ TEXT("example.org"), TEXT("a; d=x"), TEXT("To"), TEXT("From: a@b\r\n"), ERR_SYNTAX },
		{ TEXT("example.org"), TEXT(""), TEXT("To"), TEXT("From: a@b\r\n"), ERR_SYNTAX },
		{ TEXT("example.org"), TEXT("a..b"), TEXT("To"), TEXT("From: a@b\r\n"), ERR_SYNTAX },
		{ TEXT("example.org"), TEXT("-a"), TEXT("To"), TEXT("From: a@b\r\n"), ERR_SYNTAX },
		{ TEXT("example.org"), TEXT("a"), TEXT("T:o"), TEXT("From: a@b\r\n"), ERR_SYNTAX },
		{ TEXT("example.org"), TEXT("a"), TEXT("T\r\no"), TEXT("From: a@b\r\n"), ERR_SYNTAX },
		{ TEXT("example.org"), TEXT("a"), TEXT(""), TEXT("From: a@b\r\n"), ERR_SYNTAX },
	};
	struct buf field, in;

	(void)state;
	buf_init(&in, DKIM_FIELD_MAX);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dkim_signing s = signing(DKIM_RSA_SHA256);

		s.domain = rows[i].domain;
		s.selector = rows[i].selector;
		s.sign = (struct dkim_names){ .names = &rows[i].name, .name_count = 1 };
		buf_init(&field, DKIM_FIELD_MAX);
		check_row(i, dkim_field_begin(&s, rows[i].header, &field, gather, &in) ==
				     rows[i].want);
		buf_fini(&field);
	}
	buf_fini(&in);
}

/* A header of a thousand To fields is not signed, and costs no more than a look. */
static void
test_dkim_limits(void **state)
{
	struct dkim_signing s = signing(DKIM_RSA_SHA256);
	struct buf header, field, in;

	(void)state;
	buf_init(&header, 1 << 20);
	buf_init(&in, 1 << 20);
	buf_init(&field, 100);
	assert_int_equal(buf_put(&header, SPAN("From: a@b\r\n")), OK);
	assert_int_equal(dkim_field_begin(&s, buf_span(&header), &field, gather, &in), ERR_LIMIT);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(buf_put(&header, SPAN("To: a@b\r\n")), OK);
	buf_fini(&field);
	buf_init(&field, 1 << 20);
	assert_int_equal(dkim_field_begin(&s, buf_span(&header), &field, gather, &in), ERR_LIMIT);
	buf_fini(&field);
	buf_fini(&header);
	buf_fini(&in);
}

/* RFC 6376, 3.6.1; RFC 8463, 4. */
static void
test_dkim_record(void **state)
{
	static const struct {
		struct span record, tag, want;
	} rows[] = {
		{ TEXT("v=DKIM1; k=ed25519; p=AAEC"), TEXT("k"), TEXT("ed25519") },
		{ TEXT("v=DKIM1;p=AA=="), TEXT("p"), TEXT("AA==") },
		{ TEXT(" v = DMARC1 ;p= reject ;"), TEXT("p"), TEXT("reject") },
		{ TEXT("v=DKIM1; p="), TEXT("p"), TEXT("") },
		{ TEXT(";;="), TEXT("p"), { NULL, 0 } },
		{ TEXT(""), TEXT("p"), { NULL, 0 } },
	};
	struct buf out;

	(void)state;
	buf_init(&out, DKIM_RECORD_MAX);
	assert_int_equal(dkim_record_put(DKIM_ED25519_SHA256, SPAN("\0\1\2"), &out), OK);
	check_span(0, buf_span(&out), rows[0].record);
	buf_fini(&out);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span got = dkim_tag(at_page_edge(rows[i].record), rows[i].tag);

		check_span(i, got, rows[i].want);
		check_row(i, (got.ptr == NULL) == (rows[i].want.ptr == NULL));
	}
	assert_true(dkim_keys_are_same(SPAN("AB CD"), SPAN("A BCD ")));
	assert_false(dkim_keys_are_same(SPAN("ABCD"), SPAN("ABCE")));
	assert_false(dkim_keys_are_same(SPAN("ABCD"), SPAN("ABC")));
}

int
test_dkim(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dkim_body),
		cmocka_unit_test(test_dkim_header_canon),
		cmocka_unit_test(test_dkim_field),
		cmocka_unit_test(test_dkim_h11_nothing_is_injected),
		cmocka_unit_test(test_dkim_limits),
		cmocka_unit_test(test_dkim_record),
	};

	return cmocka_run_group_tests_name("dkim", tests, NULL, NULL);
}
