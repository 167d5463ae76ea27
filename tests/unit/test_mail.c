/*
 * test_mail.c - dates, trace fields and message numbers.
 */
#include "proto/mail/mail_date.h"
#include "proto/mail/mail_lines.h"
#include "proto/mail/message_no.h"
#include "proto/mail/received.h"
#include "tests/unit/test_proto.h"

static void
test_mail_date_parse(void **state)
{
	static const struct {
		const char *text;
		enum err want;
		int64_t seconds;
		int offset;
	} rows[] = {
		{"Thu, 01 Jan 1970 00:00:00 +0000", OK, 0, 0},
		{"Sat, 21 Nov 2026 22:36:39 +0000", OK, 1795300599, 0},
		{"Sat, 21 Nov 2026 23:36:39 +0100", OK, 1795300599, 60},
		{"21 Nov 2026 17:36:39 EST", OK, 1795300599, -300},
		{" sat , 21 nov 26 22:36:39 (a (b)) UT (c)", OK, 1795300599, 0},
		{"1 Jan 70 00:00 GMT", OK, 0, 0},
		{"1 Jan 49 00:00 Z", OK, 2493072000, 0},
		{"29 Feb 2000 00:00:00 -0000", OK, 951782400, 0},
		{"29 Feb 1900 00:00:00 +0000", ERR_SYNTAX, 0, 0},
		{"31 Apr 2024 00:00:00 +0000", ERR_SYNTAX, 0, 0},
		{"0 Apr 2024 00:00:00 +0000", ERR_SYNTAX, 0, 0},
		{"1 Foo 2024 00:00:00 +0000", ERR_SYNTAX, 0, 0},
		{"1 Apr 2024 24:00:00 +0000", ERR_SYNTAX, 0, 0},
		{"1 Apr 2024 00:60:00 +0000", ERR_SYNTAX, 0, 0},
		{"1 Apr 2024 00:00:00 +0060", ERR_SYNTAX, 0, 0},
		{"1 Apr 2024 00:00:00 +0000 x", ERR_SYNTAX, 0, 0},
		{"1 Apr 20245 00:00", ERR_SYNTAX, 0, 0},
		{"1 Apr 2024", ERR_SYNTAX, 0, 0},
		{"(((", ERR_SYNTAX, 0, 0},
		{"", ERR_SYNTAX, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mail_date got;

		check_row(i,
			mail_date_parse(at_page_edge(span_of(rows[i].text)), &got) == rows[i].want);
		if (rows[i].want == OK)
			check_row(i, got.seconds == rows[i].seconds &&
					     got.offset_minutes == rows[i].offset);
	}
}

static void
test_mail_date_put(void **state)
{
	static const struct {
		struct mail_date date;
		const char *mail, *rfc3339;
	} rows[] = {
		{{0, 0}, "Thu, 1 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00Z"},
		{{-1, 0}, "Wed, 31 Dec 1969 23:59:59 +0000", "1969-12-31T23:59:59Z"},
		{{1795300599, 0}, "Sat, 21 Nov 2026 22:36:39 +0000", "2026-11-21T22:36:39Z"},
		{{1795300599, -90}, "Sat, 21 Nov 2026 21:06:39 -0130", "2026-11-21T21:06:39-01:30"},
		{{951782400, 60}, "Tue, 29 Feb 2000 01:00:00 +0100", "2000-02-29T01:00:00+01:00"},
		{{253402300799, 0}, "Fri, 31 Dec 9999 23:59:59 +0000", "9999-12-31T23:59:59Z"},
		{{253402300800, 0}, NULL, NULL},
		{{INT64_MAX, 0}, NULL, NULL},
		{{0, 1440}, NULL, NULL},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 64);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&out);
		check_row(i, mail_date_put(&out, rows[i].date) == (rows[i].mail ? OK : ERR_LIMIT));
		check_span(i, buf_span(&out), span_of(rows[i].mail));
		buf_clear(&out);
		check_row(i, mail_date_put_rfc3339(&out, rows[i].date) ==
				     (rows[i].mail ? OK : ERR_LIMIT));
		check_span(i, buf_span(&out), span_of(rows[i].rfc3339));
	}
	buf_fini(&out);
}

static void
test_received_smt17_line(void **state)
{
	struct received r = {.helo = SPAN("client.example.net"),
		.client_name = SPAN("host.example.net"),
		.client_address = SPAN("2001:db8::1"),
		.by = SPAN("mail.example.org"),
		.id = SPAN("1Z"),
		.for_address = SPAN("anna@example.org"),
		.tls = SPAN("TLSv1.2 (x)"),
		.esmtp = true,
		.encrypted = true,
		.authenticated = true};
	struct buf out;

	(void)state;
	buf_init(&out, 2048);
	assert_int_equal(received_put(&out, &r), OK);
	check_span(0, buf_span(&out),
		SPAN("Received: from client.example.net (host.example.net [IPv6:2001:db8::1])\r\n"
		     "\tby mail.example.org with ESMTPSA\r\n\t(using TLSv1.2 ?x?)\r\n\tid 1Z\r\n"
		     "\tfor <anna@example.org>;\r\n\tThu, 1 Jan 1970 00:00:00 +0000\r\n"));
	buf_clear(&out);
	r = (struct received){.helo = SPAN("a\r\nBcc: (x)"),
		.by = SPAN("mail.example.org"),
		.client_address = SPAN("192.0.2.1")};
	assert_int_equal(received_put(&out, &r), OK);
	check_span(1, buf_span(&out),
		SPAN("Received: from a??Bcc:??x? ([192.0.2.1])\r\n\tby mail.example.org with "
		     "SMTP;\r\n"
		     "\tThu, 1 Jan 1970 00:00:00 +0000\r\n"));
	buf_fini(&out);
}

static void
test_received_svc05_hides(void **state)
{
	struct received r = {.helo = SPAN("[192.0.2.1]"),
		.client_address = SPAN("192.0.2.1"),
		.by = SPAN("[192.0.2.2]"),
		.esmtp = true,
		.hide_addresses = true};
	struct buf out;

	(void)state;
	buf_init(&out, 2048);
	assert_int_equal(received_put(&out, &r), OK);
	check_span(0, buf_span(&out),
		SPAN("Received: by localhost with ESMTP;\r\n\tThu, 1 Jan 1970 00:00:00 +0000\r\n"));
	buf_fini(&out);
}

static void
test_message_no_both_ways(void **state)
{
	static const struct {
		const char *text;
		enum err want;
		uint64_t number;
	} rows[] = {
		{"0", OK, 0},
		{"Z", OK, 31},
		{"10", OK, 32},
		{"oiL", OK, 33 + 0 * 1024},
		{"fzzzzzzzzzzzz", OK, UINT64_MAX},
		{"G000000000000", ERR_LIMIT, 0},
		{"00000000000000001", OK, 1},
		{"", ERR_SYNTAX, 0},
		{"U", ERR_SYNTAX, 0},
		{"1-2", ERR_SYNTAX, 0},
		{" 1", ERR_SYNTAX, 0},
	};
	char text[MESSAGE_NO_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t number = 0, again;

		check_row(i, message_no_parse(at_page_edge(span_of(rows[i].text)), &number) ==
				     rows[i].want);
		check_row(i, number == rows[i].number);
		check_row(i, message_no_parse(message_no_format(number, text), &again) == OK);
		check_row(i, again == number && strlen(text) < MESSAGE_NO_SIZE);
	}
	check_span(99, message_no_format(UINT64_MAX, text), SPAN("FZZZZZZZZZZZZ"));
}

/* What is fed whole, and byte by byte, must read the same. */
static void
test_mail_lines_are_mended(void **state)
{
	static const struct {
		struct span in, want;
	} rows[] = {
		{ SPAN(""), SPAN("") },
		{ SPAN("a\r\nb\r\n"), SPAN("a\r\nb\r\n") },
		{ SPAN("a\nb\n\n"), SPAN("a\r\nb\r\n\r\n") },
		{ SPAN("\na"), SPAN("\r\na\r\n") },
		{ SPAN("a\rb"), SPAN("a\r\nb\r\n") },
		{ SPAN("a\r"), SPAN("a\r\n") },
		{ SPAN("a\r\r\nb\r\n"), SPAN("a\r\n\r\nb\r\n") },
		{ SPAN("a\0\0b\n.\n"), SPAN("a\x80\x80" "b\r\n.\r\n") },
		{ SPAN("\r\0"), SPAN("\r\n\x80\r\n") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t step = 1; step < 9; step++) {
			struct mail_lines t = { 0 };
			char got[40];
			size_t len = 0, used;
			struct span piece;

			for (size_t at = 0; at < rows[i].in.len; at += step) {
				struct span in = at_page_edge(span_range(rows[i].in, at, at + step));

				do {
					piece = mail_lines_next(&t, in, &used);
					memcpy(got + len, piece.ptr ? piece.ptr : "", piece.len);
					len += piece.len;
					in = span_from(in, used);
				} while (used > 0 || piece.len > 0);
			}
			piece = mail_lines_end(&t);
			memcpy(got + len, piece.ptr ? piece.ptr : "", piece.len);
			len += piece.len;
			check_span(i, ((struct span){ got, len }), rows[i].want);
		}
}

int
test_mail(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail_date_parse),
		cmocka_unit_test(test_mail_date_put),
		cmocka_unit_test(test_received_smt17_line),
		cmocka_unit_test(test_received_svc05_hides),
		cmocka_unit_test(test_message_no_both_ways),
		cmocka_unit_test(test_mail_lines_are_mended),
	};

	return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
