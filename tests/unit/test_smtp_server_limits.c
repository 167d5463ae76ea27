/*
 * test_smtp_server_limits.c - clients that say too much, too early, or nothing that is a command.
 */
#include "tests/unit/smtp_talk.h"

#include <stdlib.h>

/* Bytes behind DATA, AUTH, STARTTLS in the same read, or before the answer: 554, close. */
static void
test_smtp_server_h03_h04_early_bytes(void **state)
{
	static const char *const batches[] = {
		HELLO "STARTTLS\r\nMAIL FROM:<evil@b.test>\r\n",
		HELLO "AUTH LOGIN\r\nYW5uYQ==\r\n",
		HELLO "MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\ntext\r\n.\r\n",
	};
	static const char *const challenged[] = {
		HELLO, "AUTH LOGIN\r\n", "YW5uYQ==\r\nc2VjcmV0\r\n", NULL};
	struct smtp_talk last;

	(void)state;
	for (size_t i = 0; i < COUNT(batches); i++) {
		struct smtp_talk t;

		smtp_talk_init(&t, &smtp_talk_config);
		(void)smtp_talk_read(&t, at_page_edge(span_of(batches[i])));
		check_row(i, t.closed && t.why == SMTP_CLOSE_EARLY_BYTES);
		check_row(i, t.ended == 0 && buf_span(&t.text).len == 0 && t.logins == 0);
		check_row(i, span_find_span(buf_span(&t.out), SPAN("\r\n554 5.5.0 ")) <
				     buf_span(&t.out).len);
		smtp_talk_fini(&t);
	}
	smtp_talk_init(&last, &smtp_talk_config);
	smtp_talk_all(&last, challenged, 100);
	assert_true(last.why == SMTP_CLOSE_EARLY_BYTES && last.logins == 0);
	smtp_talk_fini(&last);
}

/* What was too big is forgotten with its message. */
static void
test_smtp_server_h06_small_after_too_big(void **state)
{
	static const char *const begin[] = {HELLO, BEGIN, NULL};
	static const char *const rest[] = {".\r\n", BEGIN, "x\r\n.\r\n", NULL};
	struct smtp_talk t;

	(void)state;
	smtp_talk_init(&t, &smtp_talk_config);
	smtp_talk_all(&t, begin, 100);
	for (int i = 0; i < 13; i++)
		(void)smtp_talk_read(&t, SPAN(X80 "\r\n"));
	smtp_talk_all(&t, rest, 100);
	smtp_talk_check(0, &t, "220 250 250 250 354 552 250 250 354 250 ");
	assert_true(t.refused == 1 && t.ended == 1);
	smtp_talk_fini(&t);
}

static void
test_smtp_server_h04_bytes_while_it_waits(void **state)
{
	static const char *const turns[] = {
		HELLO, "MAIL FROM:<>\r\n", "RCPT TO:<a@b.test>\r\n", NULL};
	struct smtp_event ev;
	struct smtp_talk t;

	(void)state;
	smtp_talk_init(&t, &smtp_talk_config);
	smtp_talk_all(&t, turns, 100);
	assert_int_equal(smtp_server_next(&t.machine, SPAN("DATA\r\n"), &ev), 6);
	assert_int_equal(ev.kind, SMTP_DATA);
	assert_int_equal(smtp_server_next(&t.machine, SPAN("text"), &ev), 0);
	assert_int_equal(ev.kind, SMTP_NEED_REPLY);
	smtp_server_answer(&t.machine, SMTP_REPLY(354, NULL, "go on"), &t.out);
	(void)smtp_server_next(&t.machine, SPAN("text"), &ev);
	assert_int_equal(ev.kind, SMTP_CLOSE);
	assert_int_equal(ev.why, SMTP_CLOSE_EARLY_BYTES);
	smtp_talk_fini(&t);
}

static void
test_smtp_server_h03_starttls_forgets(void **state)
{
	static const char *const turns[] = {
		HELLO, "AUTH PLAIN AGFubmEAc2VjcmV0\r\n", "STARTTLS\r\n", NULL};
	static const char *const after[] = {"MAIL FROM:<>\r\n", HELLO, "STARTTLS\r\n", NULL};
	struct smtp_talk t;

	(void)state;
	smtp_talk_init(&t, &smtp_talk_config);
	smtp_talk_all(&t, turns, 3);
	assert_true(t.machine.authenticated);
	assert_int_equal(t.machine.state, SMTP_STATE_TLS);
	smtp_server_tls_started(&t.machine);
	assert_false(t.machine.authenticated);
	buf_clear(&t.out);
	smtp_talk_all(&t, after, 3);
	smtp_talk_check(0, &t, "503 250 503 ");
	smtp_talk_fini(&t);
	smtp_talk_init(&t, &smtp_talk_config);
	smtp_talk_all(&t, turns, 100);
	(void)smtp_talk_read(&t, SPAN("RCPT")); /* in clear, before the handshake */
	assert_int_equal(t.why, SMTP_CLOSE_EARLY_BYTES);
	smtp_talk_fini(&t);
}

/* 100 pipelined RCPT, every third bad: replies in order. */
static void
test_smtp_server_h04_pipelined_recipients(void **state)
{
	char want[600] = "220 250 250 ";
	struct smtp_talk t;
	struct buf in;

	(void)state;
	buf_init(&in, 65536);
	assert_int_equal(buf_put(&in, SPAN(HELLO "MAIL FROM:<>\r\n")), OK);
	for (unsigned i = 1; i <= 100; i++) {
		assert_int_equal(buf_printf(&in, "RCPT TO:<a%u@b.test>\r\n", i), OK);
		memcpy(want + 8 + 4 * i, i % 3 ? "250 " : "550 ", 5);
	}
	smtp_talk_init(&t, &smtp_talk_config);
	t.refuse_every = 3;
	(void)smtp_talk_read(&t, at_page_edge(buf_span(&in)));
	smtp_talk_check(0, &t, want);
	assert_int_equal(t.machine.recipients_accepted, 67);
	smtp_talk_fini(&t);
	buf_fini(&in);
}

/* A command, a line, a message of n-1, n, n+1 bytes. */
static void
test_smtp_server_h06_limits(void **state)
{
	char command[80], line[200], message[2200];

	(void)state;
	for (int extra = -1; extra <= 1; extra++) {
		const char *turns[] = {
			HELLO, command, BEGIN, line, BEGIN, message, "QUIT\r\n", NULL};
		size_t bodies = 0;
		struct smtp_talk t;

		snprintf(command, sizeof(command), "NOOP %0*d\r\n", 59 + extra, 0);
		snprintf(line, sizeof(line), "%0*d\r\n.\r\n", 100 + extra, 0);
		for (int i = 0; i < 19; i++)
			bodies += (size_t)snprintf(message + bodies, 100, "%050d\r\n", 0);
		snprintf(message + bodies, 100, "%0*d\r\n.\r\n", 10 + extra, 0); /* 988 before it */
		smtp_talk_init(&t, &smtp_talk_config);
		smtp_talk_all(&t, turns, extra + 2 > 1 ? 1 : 65536);
		smtp_talk_check((size_t)(extra + 1), &t,
			extra > 0 ? "220 250 500 250 250 354 554 250 250 354 552 221 "
				  : "220 250 250 250 250 354 250 250 250 354 250 221 ");
		assert_int_equal(t.ended, extra > 0 ? 0 : 2);
		smtp_talk_fini(&t);
	}
}

static void
test_smtp_server_h24_nul(void **state)
{
	struct smtp_talk t;

	(void)state;
	smtp_talk_init(&t, &smtp_talk_config);
	(void)smtp_talk_read(&t, at_page_edge(SPAN("EHLO a\0b\r\nNOOP\r\n")));
	assert_int_equal(t.why, SMTP_CLOSE_NUL);
	smtp_talk_fini(&t);
}

static void
test_smtp_server_bad_commands_close(void **state)
{
	struct smtp_talk t;

	(void)state;
	smtp_talk_init(&t, &smtp_talk_config);
	for (int i = 0; i < 12 && !t.closed; i++)
		(void)smtp_talk_read(&t, SPAN("FOO\r\n"));
	assert_int_equal(t.why, SMTP_CLOSE_BAD_COMMANDS);
	assert_int_equal(t.machine.bad_commands, 11);
	smtp_talk_fini(&t);
}

int
test_smtp_server_limits(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smtp_server_h03_h04_early_bytes),
		cmocka_unit_test(test_smtp_server_h06_small_after_too_big),
		cmocka_unit_test(test_smtp_server_h04_bytes_while_it_waits),
		cmocka_unit_test(test_smtp_server_h03_starttls_forgets),
		cmocka_unit_test(test_smtp_server_h04_pipelined_recipients),
		cmocka_unit_test(test_smtp_server_h06_limits),
		cmocka_unit_test(test_smtp_server_h24_nul),
		cmocka_unit_test(test_smtp_server_bad_commands_close),
	};

	return cmocka_run_group_tests_name("smtp_server_limits", tests, NULL, NULL);
}
