/*
 * test_smtp_server.c - conversations, each fed whole and byte by byte; what is out of order in test_smtp_server_limits.c.
 */
#include "tests/unit/smtp_talk.h"

static const struct {
	const char *const turns[12];
	const char *codes;
	unsigned ended;
	const char *text;
	enum smtp_close why;
} rows[] = {
	{{HELLO, BEGIN, "Hi\r\n..dot\r\n.\r\n", "QUIT\r\n"}, "220 250 250 250 354 250 221 ", 1,
		"Hi\r\n.dot\r\n", SMTP_CLOSE_QUIT},
	{{HELLO, BEGIN, ".\r\n", BEGIN, "x\r\n.\r\n"}, "220 250 250 250 354 250 250 250 354 250 ",
		2, "x\r\n", 0},
	/* pipelined up to DATA (RFC 2920) */
	{{HELLO, "MAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n", "x\r\n.\r\nQUIT\r\n"},
		"220 250 250 250 354 250 221 ", 1, "x\r\n", SMTP_CLOSE_QUIT},
	/* wrong order */
	{{"MAIL FROM:<>\r\n", "RCPT TO:<a@b.test>\r\n", "DATA\r\n"}, "220 503 503 503 ", 0, "", 0},
	{{HELLO, "RCPT TO:<a@b.test>\r\n", "MAIL FROM:<>\r\n", "MAIL FROM:<>\r\n", "DATA\r\n"},
		"220 250 503 250 503 554 ", 0, "", 0},
	/* RSET and EHLO end a transaction */
	{{HELLO, "MAIL FROM:<>\r\n", "RSET\r\n", "RCPT TO:<a@b.test>\r\n", "MAIL FROM:<>\r\n",
		 HELLO, "DATA\r\n"},
		"220 250 250 250 503 250 250 503 ", 0, "", 0},
	/* bad syntax */
	{{HELLO, "FOO\r\n", "MAIL FROM:a@b\r\n", "MAIL FROM:<a@b> X=1\r\n", "NOOP\r\n", "HELP\r\n",
		 "VRFY x\r\n"},
		"220 250 500 501 555 250 214 250 ", 0, "", 0},
	/* SMT-10 */
	{{HELLO, "MAIL FROM:<> SIZE=1000\r\n", "RSET\r\n", "MAIL FROM:<> SIZE=1001\r\n"},
		"220 250 250 250 552 ", 0, "", 0},
	/* an address beyond ASCII wants SMTPUTF8 */
	{{HELLO, "MAIL FROM:<\xc3\xb6@b.test>\r\n", "MAIL FROM:<>\r\n",
		 "RCPT TO:<\xc3\xb6@b.test>\r\n"},
		"220 250 553 250 553 ", 0, "", 0},
	/* H1 */
	{{HELLO, "NOOP\nNOOP\r\n"}, "220 250 550 ", 0, "", SMTP_CLOSE_BARE_LINE_END},
	{{HELLO, "NO\rOP\r\n"}, "220 250 550 ", 0, "", SMTP_CLOSE_BARE_LINE_END},
	{{HELLO, BEGIN, "x\r\n.\nMAIL FROM:<evil@b.test>\r\n.\r\n"}, "220 250 250 250 354 550 ", 0,
		NULL, SMTP_CLOSE_BARE_LINE_END},
	/* AUTH */
	{{HELLO, "AUTH PLAIN AGFubmEAc2VjcmV0\r\n", "AUTH PLAIN AGFubmEAc2VjcmV0\r\n"},
		"220 250 235 503 ", 0, "", 0},
	{{HELLO, "AUTH PLAIN\r\n", "AGFubmEAc2VjcmV0\r\n"}, "220 250 334 235 ", 0, "", 0},
	{{HELLO, "AUTH LOGIN\r\n", "YW5uYQ==\r\n", "c2VjcmV0\r\n"}, "220 250 334 334 235 ", 0, "",
		0},
	{{HELLO, "AUTH LOGIN YW5uYQ==\r\n", "c2VjcmV0\r\n"}, "220 250 334 235 ", 0, "", 0},
	{{HELLO, "AUTH PLAIN\r\n", "*\r\n", "NOOP\r\n"}, "220 250 334 501 250 ", 0, "", 0},
	{{HELLO, "AUTH PLAIN !!!!\r\n", "AUTH FOO\r\n", "HELO x\r\n", "AUTH PLAIN\r\n"},
		"220 250 501 504 250 503 ", 0, "", 0},
	/* an over-long answer ends the exchange */
	{{HELLO, "AUTH LOGIN\r\n", X80 "\r\n", "YW5uYQ==\r\n", "NOOP\r\n"},
		"220 250 334 500 500 250 ", 0, "", 0},
	{{HELLO, "MAIL FROM:<>\r\n", "STARTTLS\r\n"}, "220 250 250 503 ", 0, "", 0},
	/* H1, behind the limit of a line, too */
	{{HELLO, X80 "\nNOOP\r\n"}, "220 250 550 ", 0, "", SMTP_CLOSE_BARE_LINE_END},
	/* H67: three failures */
	{{HELLO, "AUTH PLAIN AGFubmEAeA==\r\n", "AUTH PLAIN AGFubmEAeA==\r\n",
		 "AUTH PLAIN AGFubmEAeA==\r\n", "NOOP\r\n"},
		"220 250 535 535 535 ", 0, "", SMTP_CLOSE_AUTH_FAILURES},
};

static void
test_smtp_server_smt01_conversations(void **state)
{
	static const size_t sizes[] = {1, 2, 7, 65536};

	(void)state;
	for (size_t i = 0; i < COUNT(rows) * COUNT(sizes); i++) {
		size_t row = i / COUNT(sizes);
		struct smtp_talk t;

		smtp_talk_init(&t, &smtp_talk_config);
		smtp_talk_all(&t, rows[row].turns, sizes[i % COUNT(sizes)]);
		smtp_talk_check(row, &t, rows[row].codes);
		check_row(row, t.ended == rows[row].ended && t.why == rows[row].why);
		if (rows[row].text)
			check_span(row, buf_span(&t.text), span_of(rows[row].text));
		smtp_talk_fini(&t);
	}
}

static void
test_smtp_server_smt01_ehlo_lists_them(void **state)
{
	static const char *const turns[] = {HELLO, NULL};
	struct smtp_talk t;

	(void)state;
	smtp_talk_init(&t, &smtp_talk_config);
	smtp_talk_all(&t, turns, 100);
	check_span(0, buf_span(&t.out),
		SPAN("220 ready\r\n250-mail.example.org OK\r\n250-PIPELINING\r\n"
		     "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE 1000\r\n"
		     "250-DSN\r\n250-HELP\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"));
	smtp_talk_fini(&t);
}

static void
test_smtp_server_h67_auth_wants_tls(void **state)
{
	static const char *const turns[] = {
		HELLO, "AUTH PLAIN AGFubmEAc2VjcmV0\r\n", "STARTTLS\r\n", NULL};
	static const char *const after[] = {HELLO, "AUTH PLAIN AGFubmEAc2VjcmV0\r\n", NULL};
	struct smtp_server_config strict = smtp_talk_config;
	struct smtp_talk t;

	(void)state;
	strict.auth_in_clear = false;
	smtp_talk_init(&t, &strict);
	smtp_talk_all(&t, turns, 100);
	smtp_talk_check(0, &t, "220 250 538 220 ");
	assert_true(span_find_span(buf_span(&t.out), SPAN("AUTH PLAIN")) == buf_span(&t.out).len);
	assert_int_equal(t.logins, 0);
	smtp_server_tls_started(&t.machine);
	buf_clear(&t.out);
	smtp_talk_all(&t, after, 100);
	smtp_talk_check(1, &t, "250 235 ");
	assert_true(span_find_span(buf_span(&t.out), SPAN("STARTTLS")) == buf_span(&t.out).len);
	assert_true(span_find_span(buf_span(&t.out), SPAN("AUTH PLAIN")) < buf_span(&t.out).len);
	smtp_talk_fini(&t);
}

/* Our own trouble is no failed login, and those in clear do not count under TLS. */
static void
test_smtp_server_h67_what_counts_as_a_failure(void **state)
{
	static const char *const twice[] = {HELLO, "AUTH PLAIN AGFubmEAeA==\r\n",
		"AUTH PLAIN AGFubmEAeA==\r\n", NULL};
	static const char *const starttls[] = {"STARTTLS\r\n", NULL};
	struct span login = SPAN("AUTH PLAIN AGFubmEAc2VjcmV0\r\n");
	struct smtp_event ev;
	struct smtp_talk t;

	(void)state;
	smtp_talk_init(&t, &smtp_talk_config);
	smtp_talk_all(&t, twice, 100);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(smtp_server_next(&t.machine, login, &ev), login.len);
		assert_int_equal(ev.kind, SMTP_AUTH);
		smtp_server_answer(&t.machine, SMTP_REPLY(454, "4.7.0", "not now"), &t.out);
	}
	smtp_talk_all(&t, starttls, 100);
	smtp_server_tls_started(&t.machine);
	smtp_talk_all(&t, twice, 100);
	assert_false(t.closed);
	smtp_talk_fini(&t);
}

static void
test_smtp_server_ends_of_transactions_are_told(void **state)
{
	static const char *const turns[] = {HELLO, "RSET\r\n", "MAIL FROM:<>\r\n", "RSET\r\n",
		"MAIL FROM:<>\r\n", HELLO, "RSET\r\n", NULL};
	struct smtp_talk t;

	(void)state;
	smtp_talk_init(&t, &smtp_talk_config);
	smtp_talk_all(&t, turns, 100);
	assert_int_equal(t.resets, 2);
	smtp_talk_fini(&t);
}

static void
test_smtp_server_smt17_recipients_have_a_limit(void **state)
{
	static const char *const turns[] = {HELLO, "MAIL FROM:<>\r\n", "RCPT TO:<a@b.test>\r\n",
		"RCPT TO:<b@b.test>\r\n", "RCPT TO:<c@b.test>\r\n", NULL};
	struct smtp_server_config two = smtp_talk_config;
	struct smtp_talk t;

	(void)state;
	two.recipients = 2;
	smtp_talk_init(&t, &two);
	smtp_talk_all(&t, turns, 100);
	smtp_talk_check(0, &t, "220 250 250 250 250 452 ");
	smtp_talk_fini(&t);
}

static void
test_smtp_server_421_is_the_last_word(void **state)
{
	struct smtp_event ev;
	struct smtp_talk t;

	(void)state;
	smtp_talk_init(&t, &smtp_talk_config);
	(void)smtp_talk_read(&t, SPAN_NONE);
	(void)smtp_server_next(&t.machine, SPAN(HELLO), &ev);
	smtp_server_answer(&t.machine, SMTP_REPLY(421, "4.3.2", "Going down"), &t.out);
	(void)smtp_server_next(&t.machine, SPAN(HELLO), &ev);
	assert_true(ev.kind == SMTP_CLOSE && ev.why == SMTP_CLOSE_REFUSED);
	smtp_talk_fini(&t);
}

/* H11: a reply's text cannot begin a line of its own making. */
static void
test_smtp_reply_h11(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 2048);
	assert_int_equal(smtp_reply_put(&out, SMTP_REPLY(550, "5.1.1", "a\r\n250 b\x1b")), OK);
	check_span(0, buf_span(&out), SPAN("550-5.1.1 a?\r\n550 5.1.1 250 b?\r\n"));
	buf_clear(&out);
	assert_int_equal(smtp_put(&out, SPAN("RCPT TO:<a@b>\r\nDATA")), ERR_SYNTAX);
	assert_int_equal(smtp_put(&out, SPAN("NOOP")), OK);
	check_span(1, buf_span(&out), SPAN("NOOP\r\n"));
	buf_fini(&out);
	buf_init(&out, 10);
	assert_int_equal(smtp_reply_put(&out, SMTP_REPLY(250, NULL, "a\nbbbbb")), ERR_LIMIT);
	assert_int_equal(buf_span(&out).len, 0);
	buf_fini(&out);
}

int
test_smtp_server(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smtp_server_smt01_conversations),
		cmocka_unit_test(test_smtp_server_smt01_ehlo_lists_them),
		cmocka_unit_test(test_smtp_server_h67_auth_wants_tls),
		cmocka_unit_test(test_smtp_server_h67_what_counts_as_a_failure),
		cmocka_unit_test(test_smtp_server_ends_of_transactions_are_told),
		cmocka_unit_test(test_smtp_server_smt17_recipients_have_a_limit),
		cmocka_unit_test(test_smtp_server_421_is_the_last_word),
		cmocka_unit_test(test_smtp_reply_h11),
	};

	return cmocka_run_group_tests_name("smtp_server", tests, NULL, NULL);
}
