/*
 * test_smtp_server.c - conversations, each fed whole and byte by byte.
 */
#include <stdlib.h>

#include "proto/smtp/smtp_server.h"
#include "tests/unit/test_proto.h"

struct talk {
	struct smtp_server machine;
	struct arena arena;
	struct buf out, text;
	unsigned ended, refused, resets, logins;
	bool closed;
	enum smtp_close why;
	unsigned refuse_every; /* every n-th RCPT gets 550 */
	unsigned rcpts;
};

static const struct smtp_server_config config = {.hostname = {"mail.example.org", 16},
	.message_size = 1000,
	.command_line = 64,
	.line_length = 100,
	.recipients = 1000,
	.bad_commands = 10, .auth_failures = 3,
	.starttls = true,
	.mechanisms = SASL_SEND_PASSWORD,
	.auth_in_clear = true,
	.dsn = true};

static void
talk_init(struct talk *t, const struct smtp_server_config *c)
{
	memset(t, 0, sizeof(*t));
	arena_init(&t->arena, NULL);
	buf_init(&t->out, 65536);
	buf_init(&t->text, 65536);
	smtp_server_init(&t->machine, c, &t->arena, false);
}

static void
talk_fini(struct talk *t)
{
	smtp_server_fini(&t->machine);
	arena_reset(&t->arena);
	buf_fini(&t->out);
	buf_fini(&t->text);
}

static struct smtp_reply
judge(struct talk *t, const struct smtp_event *ev)
{
	switch (ev->kind) {
	case SMTP_SETTLED:
	case SMTP_MESSAGE_REFUSED:
		t->refused += ev->kind == SMTP_MESSAGE_REFUSED;
		return ev->reply;
	case SMTP_CONNECT:
	case SMTP_STARTTLS:
		return SMTP_REPLY(220, NULL, "ready");
	case SMTP_RCPT:
		t->rcpts++;
		if (t->refuse_every && t->rcpts % t->refuse_every == 0)
			return SMTP_REPLY(550, "5.1.1", "no");
		return SMTP_REPLY(250, "2.1.5", "OK");
	case SMTP_DATA:
		return SMTP_REPLY(354, NULL, "go on");
	case SMTP_MESSAGE_END:
		t->ended++;
		return SMTP_REPLY(250, "2.0.0", "kept");
	case SMTP_AUTH:
		t->logins++;
		if (!span_eq(ev->login.name, SPAN("anna")) ||
			!span_eq(ev->login.password, SPAN("secret")))
			return SMTP_REPLY(535, "5.7.8", "no");
		return SMTP_REPLY(235, "2.7.0", "welcome");
	case SMTP_QUIT:
		return SMTP_REPLY(221, "2.0.0", "bye");
	default:
		return SMTP_REPLY(250, "2.0.0", "OK");
	}
}

/* One read. What was used. */
static size_t
talk_read(struct talk *t, struct span in)
{
	struct smtp_event ev;
	size_t total = 0;

	for (;;) {
		size_t used = smtp_server_next(&t->machine, span_from(in, total), &ev);

		total += used;
		if (ev.kind == SMTP_NEED_BYTES && (used == 0 || total == in.len))
			return total;
		if (ev.kind == SMTP_CLOSE) {
			t->closed = true;
			t->why = ev.why;
			return in.len;
		}
		if (ev.kind == SMTP_TEXT)
			assert_int_equal(buf_put(&t->text, ev.text), OK);
		t->resets += ev.kind == SMTP_RESET;
		if (ev.kind == SMTP_NEED_BYTES || ev.kind == SMTP_TEXT || ev.kind == SMTP_RESET)
			continue;
		assert_int_not_equal(ev.kind, SMTP_NEED_REPLY);
		smtp_server_answer(&t->machine, judge(t, &ev), &t->out);
		arena_reset(&t->arena);
	}
}

/* A client: what it sends, one string a turn, NULL at the end. In pieces of SIZE bytes. */
static void
talk_all(struct talk *t, const char *const *turns, size_t size)
{
	for (; *turns && !t->closed; turns++) {
		struct span turn = span_of(*turns);
		size_t start = 0, end = 0;

		while (end < turn.len && !t->closed) {
			end = end + size < turn.len ? end + size : turn.len;
			start += talk_read(t, at_page_edge(span_range(turn, start, end)));
		}
		(void)talk_read(t, SPAN_NONE);
	}
}

/* The first digits of each reply line, final lines only: "220 250 354 ". */
static void
check_codes(size_t row, const struct talk *t, const char *want)
{
	struct span rest = buf_span(&t->out), line;
	char codes[2048];
	size_t len = 0;

	while (span_next_line(&rest, &line)) {
		check_row(row, line.len >= 4);
		if (line.ptr[3] != ' ')
			continue;
		memcpy(codes + len, line.ptr, 4);
		len += 4;
		check_row(row, len + 4 < sizeof(codes));
	}
	check_span(row, ((struct span){codes, len}), span_of(want));
}

#define X80 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define HELLO "EHLO client.example.net\r\n"
#define BEGIN "MAIL FROM:<bo@example.net>\r\n", "RCPT TO:<anna@example.org>\r\n", "DATA\r\n"

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
		struct talk t;

		talk_init(&t, &config);
		talk_all(&t, rows[row].turns, sizes[i % COUNT(sizes)]);
		check_codes(row, &t, rows[row].codes);
		check_row(row, t.ended == rows[row].ended && t.why == rows[row].why);
		if (rows[row].text)
			check_span(row, buf_span(&t.text), span_of(rows[row].text));
		talk_fini(&t);
	}
}

static void
test_smtp_server_smt01_ehlo_lists_them(void **state)
{
	static const char *const turns[] = {HELLO, NULL};
	struct talk t;

	(void)state;
	talk_init(&t, &config);
	talk_all(&t, turns, 100);
	check_span(0, buf_span(&t.out),
		SPAN("220 ready\r\n250-mail.example.org OK\r\n250-PIPELINING\r\n"
		     "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE 1000\r\n"
		     "250-DSN\r\n250-HELP\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"));
	talk_fini(&t);
}

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
	struct talk last;

	(void)state;
	for (size_t i = 0; i < COUNT(batches); i++) {
		struct talk t;

		talk_init(&t, &config);
		(void)talk_read(&t, at_page_edge(span_of(batches[i])));
		check_row(i, t.closed && t.why == SMTP_CLOSE_EARLY_BYTES);
		check_row(i, t.ended == 0 && buf_span(&t.text).len == 0 && t.logins == 0);
		check_row(i, span_find_span(buf_span(&t.out), SPAN("\r\n554 5.5.0 ")) <
				     buf_span(&t.out).len);
		talk_fini(&t);
	}
	talk_init(&last, &config);
	talk_all(&last, challenged, 100);
	assert_true(last.why == SMTP_CLOSE_EARLY_BYTES && last.logins == 0);
	talk_fini(&last);
}

static void
test_smtp_server_h67_auth_wants_tls(void **state)
{
	static const char *const turns[] = {
		HELLO, "AUTH PLAIN AGFubmEAc2VjcmV0\r\n", "STARTTLS\r\n", NULL};
	static const char *const after[] = {HELLO, "AUTH PLAIN AGFubmEAc2VjcmV0\r\n", NULL};
	struct smtp_server_config strict = config;
	struct talk t;

	(void)state;
	strict.auth_in_clear = false;
	talk_init(&t, &strict);
	talk_all(&t, turns, 100);
	check_codes(0, &t, "220 250 538 220 ");
	assert_true(span_find_span(buf_span(&t.out), SPAN("AUTH PLAIN")) == buf_span(&t.out).len);
	assert_int_equal(t.logins, 0);
	smtp_server_tls_started(&t.machine);
	buf_clear(&t.out);
	talk_all(&t, after, 100);
	check_codes(1, &t, "250 235 ");
	assert_true(span_find_span(buf_span(&t.out), SPAN("STARTTLS")) == buf_span(&t.out).len);
	assert_true(span_find_span(buf_span(&t.out), SPAN("AUTH PLAIN")) < buf_span(&t.out).len);
	talk_fini(&t);
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
	struct talk t;

	(void)state;
	talk_init(&t, &config);
	talk_all(&t, twice, 100);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(smtp_server_next(&t.machine, login, &ev), login.len);
		assert_int_equal(ev.kind, SMTP_AUTH);
		smtp_server_answer(&t.machine, SMTP_REPLY(454, "4.7.0", "not now"), &t.out);
	}
	talk_all(&t, starttls, 100);
	smtp_server_tls_started(&t.machine);
	talk_all(&t, twice, 100);
	assert_false(t.closed);
	talk_fini(&t);
}

static void
test_smtp_server_ends_of_transactions_are_told(void **state)
{
	static const char *const turns[] = {HELLO, "RSET\r\n", "MAIL FROM:<>\r\n", "RSET\r\n",
		"MAIL FROM:<>\r\n", HELLO, "RSET\r\n", NULL};
	struct talk t;

	(void)state;
	talk_init(&t, &config);
	talk_all(&t, turns, 100);
	assert_int_equal(t.resets, 2);
	talk_fini(&t);
}

static void
test_smtp_server_smt17_recipients_have_a_limit(void **state)
{
	static const char *const turns[] = {HELLO, "MAIL FROM:<>\r\n", "RCPT TO:<a@b.test>\r\n",
		"RCPT TO:<b@b.test>\r\n", "RCPT TO:<c@b.test>\r\n", NULL};
	struct smtp_server_config two = config;
	struct talk t;

	(void)state;
	two.recipients = 2;
	talk_init(&t, &two);
	talk_all(&t, turns, 100);
	check_codes(0, &t, "220 250 250 250 250 452 ");
	talk_fini(&t);
}

static void
test_smtp_server_421_is_the_last_word(void **state)
{
	struct smtp_event ev;
	struct talk t;

	(void)state;
	talk_init(&t, &config);
	(void)talk_read(&t, SPAN_NONE);
	(void)smtp_server_next(&t.machine, SPAN(HELLO), &ev);
	smtp_server_answer(&t.machine, SMTP_REPLY(421, "4.3.2", "Going down"), &t.out);
	(void)smtp_server_next(&t.machine, SPAN(HELLO), &ev);
	assert_true(ev.kind == SMTP_CLOSE && ev.why == SMTP_CLOSE_REFUSED);
	talk_fini(&t);
}

/* What was too big is forgotten with its message. */
static void
test_smtp_server_h06_small_after_too_big(void **state)
{
	static const char *const begin[] = {HELLO, BEGIN, NULL};
	static const char *const rest[] = {".\r\n", BEGIN, "x\r\n.\r\n", NULL};
	struct talk t;

	(void)state;
	talk_init(&t, &config);
	talk_all(&t, begin, 100);
	for (int i = 0; i < 13; i++)
		(void)talk_read(&t, SPAN(X80 "\r\n"));
	talk_all(&t, rest, 100);
	check_codes(0, &t, "220 250 250 250 354 552 250 250 354 250 ");
	assert_true(t.refused == 1 && t.ended == 1);
	talk_fini(&t);
}

static void
test_smtp_server_h04_bytes_while_it_waits(void **state)
{
	static const char *const turns[] = {
		HELLO, "MAIL FROM:<>\r\n", "RCPT TO:<a@b.test>\r\n", NULL};
	struct smtp_event ev;
	struct talk t;

	(void)state;
	talk_init(&t, &config);
	talk_all(&t, turns, 100);
	assert_int_equal(smtp_server_next(&t.machine, SPAN("DATA\r\n"), &ev), 6);
	assert_int_equal(ev.kind, SMTP_DATA);
	assert_int_equal(smtp_server_next(&t.machine, SPAN("text"), &ev), 0);
	assert_int_equal(ev.kind, SMTP_NEED_REPLY);
	smtp_server_answer(&t.machine, SMTP_REPLY(354, NULL, "go on"), &t.out);
	(void)smtp_server_next(&t.machine, SPAN("text"), &ev);
	assert_int_equal(ev.kind, SMTP_CLOSE);
	assert_int_equal(ev.why, SMTP_CLOSE_EARLY_BYTES);
	talk_fini(&t);
}

static void
test_smtp_server_h03_starttls_forgets(void **state)
{
	static const char *const turns[] = {
		HELLO, "AUTH PLAIN AGFubmEAc2VjcmV0\r\n", "STARTTLS\r\n", NULL};
	static const char *const after[] = {"MAIL FROM:<>\r\n", HELLO, "STARTTLS\r\n", NULL};
	struct talk t;

	(void)state;
	talk_init(&t, &config);
	talk_all(&t, turns, 3);
	assert_true(t.machine.authenticated);
	assert_int_equal(t.machine.state, SMTP_STATE_TLS);
	smtp_server_tls_started(&t.machine);
	assert_false(t.machine.authenticated);
	buf_clear(&t.out);
	talk_all(&t, after, 3);
	check_codes(0, &t, "503 250 503 ");
	talk_fini(&t);
	talk_init(&t, &config);
	talk_all(&t, turns, 100);
	(void)talk_read(&t, SPAN("RCPT")); /* in clear, before the handshake */
	assert_int_equal(t.why, SMTP_CLOSE_EARLY_BYTES);
	talk_fini(&t);
}

/* 100 pipelined RCPT, every third bad: replies in order. */
static void
test_smtp_server_h04_pipelined_recipients(void **state)
{
	char want[600] = "220 250 250 ";
	struct talk t;
	struct buf in;

	(void)state;
	buf_init(&in, 65536);
	assert_int_equal(buf_put(&in, SPAN(HELLO "MAIL FROM:<>\r\n")), OK);
	for (unsigned i = 1; i <= 100; i++) {
		assert_int_equal(buf_printf(&in, "RCPT TO:<a%u@b.test>\r\n", i), OK);
		memcpy(want + 8 + 4 * i, i % 3 ? "250 " : "550 ", 5);
	}
	talk_init(&t, &config);
	t.refuse_every = 3;
	(void)talk_read(&t, at_page_edge(buf_span(&in)));
	check_codes(0, &t, want);
	assert_int_equal(t.machine.recipients_accepted, 67);
	talk_fini(&t);
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
		struct talk t;

		snprintf(command, sizeof(command), "NOOP %0*d\r\n", 59 + extra, 0);
		snprintf(line, sizeof(line), "%0*d\r\n.\r\n", 100 + extra, 0);
		for (int i = 0; i < 19; i++)
			bodies += (size_t)snprintf(message + bodies, 100, "%050d\r\n", 0);
		snprintf(message + bodies, 100, "%0*d\r\n.\r\n", 10 + extra, 0); /* 988 before it */
		talk_init(&t, &config);
		talk_all(&t, turns, extra + 2 > 1 ? 1 : 65536);
		check_codes((size_t)(extra + 1), &t,
			extra > 0 ? "220 250 500 250 250 354 554 250 250 354 552 221 "
				  : "220 250 250 250 250 354 250 250 250 354 250 221 ");
		assert_int_equal(t.ended, extra > 0 ? 0 : 2);
		talk_fini(&t);
	}
}

static void
test_smtp_server_h24_nul(void **state)
{
	struct talk t;

	(void)state;
	talk_init(&t, &config);
	(void)talk_read(&t, at_page_edge(SPAN("EHLO a\0b\r\nNOOP\r\n")));
	assert_int_equal(t.why, SMTP_CLOSE_NUL);
	talk_fini(&t);
}

static void
test_smtp_server_bad_commands_close(void **state)
{
	struct talk t;

	(void)state;
	talk_init(&t, &config);
	for (int i = 0; i < 12 && !t.closed; i++)
		(void)talk_read(&t, SPAN("FOO\r\n"));
	assert_int_equal(t.why, SMTP_CLOSE_BAD_COMMANDS);
	assert_int_equal(t.machine.bad_commands, 11);
	talk_fini(&t);
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
		cmocka_unit_test(test_smtp_server_h03_h04_early_bytes),
		cmocka_unit_test(test_smtp_server_h67_auth_wants_tls),
		cmocka_unit_test(test_smtp_server_h67_what_counts_as_a_failure),
		cmocka_unit_test(test_smtp_server_ends_of_transactions_are_told),
		cmocka_unit_test(test_smtp_server_smt17_recipients_have_a_limit),
		cmocka_unit_test(test_smtp_server_421_is_the_last_word),
		cmocka_unit_test(test_smtp_server_h06_small_after_too_big),
		cmocka_unit_test(test_smtp_server_h04_bytes_while_it_waits),
		cmocka_unit_test(test_smtp_server_h03_starttls_forgets),
		cmocka_unit_test(test_smtp_server_h04_pipelined_recipients),
		cmocka_unit_test(test_smtp_server_h06_limits),
		cmocka_unit_test(test_smtp_server_h24_nul),
		cmocka_unit_test(test_smtp_server_bad_commands_close),
		cmocka_unit_test(test_smtp_reply_h11),
	};

	return cmocka_run_group_tests_name("smtp_server", tests, NULL, NULL);
}
