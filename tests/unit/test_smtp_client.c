/*
 * test_smtp_client.c - conversations with a server: what it says, and all that the client does.
 *
 * A script's `says` is fed reply by reply and byte by byte; what goes out ("> ") and what happens ("! ")
 * must read as `does` both times. Or in pieces of its own, each of which ends with '\f'.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/smtp/smtp_client.h"
#include "tests/unit/test_proto.h"

#define TEXT SPAN("Subject: x\r\n\r\n.dot\r\n")
#define GREETING "220 hi\n"
#define HELLO "250 here\n"
#define HELLO_AHEAD "250-here\n250 PIPELINING\n"
#define ESMTP "250-here\n250-PIPELINING\n250-SIZE 1000\n250-8BITMIME\n250-DSN\n250 SMTPUTF8\n"

struct script {
	const char *name;
	enum smtp_client_tls tls;
	bool account, token, in_clear, helo_only, is_8bit;
	bool in_pieces; /* it is about what comes together */
	size_t recipients, mails;
	const char *says, *does;
};

struct run {
	struct smtp_client machine;
	struct smtp_client_mail mail;
	struct buf out, log;
	size_t sent, mails;
};

static const struct smtp_client_recipient recipients[] = {
	{ SPAN("a@x.test"), { .notify = DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY } },
	{ SPAN("b@x.test"), { .orcpt = SPAN("rfc822;b@x.test") } },
	{ SPAN("c@x.test"), { 0 } },
};

static void
log_put(struct run *r, const char *format, ...)
{
	char line[2000];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	assert_int_equal(buf_put(&r->log, span_of(line)), OK);
}

static void
log_output(struct run *r)
{
	struct span rest = buf_span(&r->out), line;

	while (rest.len > 0 && span_next_line(&rest, &line))
		log_put(r, "> %.*s\n", SPAN_FMT(line));
	buf_clear(&r->out);
}

static void
log_event(struct run *r, const struct smtp_client_event *ev)
{
	static const char *const names[] = {
		[SMTP_CLIENT_STARTTLS] = "tls", [SMTP_CLIENT_TASK] = "task",
		[SMTP_CLIENT_READY] = "ready", [SMTP_CLIENT_RECIPIENT] = "recipient",
		[SMTP_CLIENT_GO] = "go", [SMTP_CLIENT_SENT] = "sent", [SMTP_CLIENT_OVER] = "over",
	};

	log_output(r);
	if (ev->kind == SMTP_CLIENT_RECIPIENT)
		log_put(r, "! recipient %zu: %u %.*s\n", ev->recipient, ev->answer.code,
			SPAN_FMT(ev->answer.enhanced));
	else if (ev->kind == SMTP_CLIENT_SENT)
		log_put(r, "! sent: %s %u\n", smtp_stage_name(ev->stage), ev->answer.code);
	else if (ev->kind == SMTP_CLIENT_OVER)
		log_put(r, "! over: %s, %s %u\n", smtp_client_over_text(ev->why),
			smtp_stage_name(ev->stage), ev->answer.code);
	else
		log_put(r, "! %s\n", names[ev->kind]);
}

/* What a holder does. */
static void
hold(struct run *r, const struct smtp_client_event *ev)
{
	struct smtp_client *m = &r->machine;

	if (ev->kind == SMTP_CLIENT_STARTTLS)
		smtp_client_tls_started(m, &r->out);
	else if (ev->kind == SMTP_CLIENT_TASK)
		smtp_client_prove(m, SPAN("0123456789abcdef"), SPAN("0123456789abcdef0123456789abcdef"),
			&r->out);
	else if (ev->kind == SMTP_CLIENT_READY && r->sent++ < r->mails)
		smtp_client_send(m, &r->mail, &r->out);
	else if (ev->kind == SMTP_CLIENT_READY)
		smtp_client_quit(m, &r->out);
	else if (ev->kind == SMTP_CLIENT_GO) {
		assert_int_equal(smtp_client_text(m, TEXT, &r->out), OK);
		assert_int_equal(smtp_client_text_end(m, &r->out), OK);
	}
}

static size_t
feed(struct run *r, struct span in)
{
	struct smtp_client_event ev;
	size_t total = 0;

	do {
		total += smtp_client_next(&r->machine, span_from(in, total), &r->out, &ev);
		if (ev.kind == SMTP_CLIENT_NEED_BYTES || ev.kind == SMTP_CLIENT_NEED_HOLDER)
			break;
		log_event(r, &ev);
		hold(r, &ev);
		log_output(r);
	} while (ev.kind != SMTP_CLIENT_OVER);
	log_output(r);
	return ev.kind == SMTP_CLIENT_OVER ? in.len : total;
}

/* Where the piece at the front of SAYS ends. */
static size_t
piece_end(const struct script *s, struct span says, bool by_byte)
{
	size_t at = 0;

	if (by_byte)
		return 1;
	if (s->in_pieces)
		return span_find(says, '\f');
	while (at + 3 < says.len && says.ptr[at + 3] == '-')
		at += span_find(span_from(says, at), '\n') + 1;
	return at + span_find(span_from(says, at), '\n') + 1;
}

static void
talk_on(struct run *r, const struct script *s, bool by_byte)
{
	struct span says = span_of(s->says);
	size_t at = 0, end = 0;

	while (end < says.len) {
		end += piece_end(s, span_from(says, end), by_byte);
		at += feed(r, span_range(says, at, end));
		if (s->in_pieces) /* the mark itself */
			at = ++end;
	}
}

static void
talk(const struct script *s, bool by_byte)
{
	struct smtp_client_config config = {
		.hostname = SPAN("me.test"), .tls = s->tls, .helo_only = s->helo_only,
		.account_has_token = s->token, .secret_in_clear = s->in_clear,
		.nonce = { 4, "abcd" },
	};
	struct run r = { .mails = s->mails,
		.mail = { .reverse_path = SPAN("s@y.test"), .size = TEXT.len, .is_8bit = s->is_8bit,
			.envid = SPAN("id1"), .recipients = recipients, .count = s->recipients } };

	if (s->account)
		config.account = (struct sasl_account){ SPAN("anna"), SPAN("pass"), SPAN("mx.test"), 25 };
	buf_init(&r.out, 1 << 16);
	buf_init(&r.log, 1 << 16);
	smtp_client_init(&r.machine, &config);
	talk_on(&r, s, by_byte);
	if (strncmp((const char *)buf_span(&r.log).ptr, s->does, strlen(s->does)) != 0 ||
		buf_span(&r.log).len != strlen(s->does))
		fail_msg("%s (%s):\n%.*s", s->name, by_byte ? "by byte" : "by reply",
			SPAN_FMT(buf_span(&r.log)));
	smtp_client_fini(&r.machine);
	buf_fini(&r.out);
	buf_fini(&r.log);
}

#define QUIT "! ready\n> QUIT\n! over: quit, QUIT 221\n"
#define EHLO "> EHLO me.test\n"
#define MAILED "> MAIL FROM:<s@y.test>\n"

static const struct script scripts[] = {
	{ "one message, step by step", 0, .recipients = 2, .mails = 1,
		.says = GREETING HELLO "250 ok\n250 2.1.5 ok\n550 5.1.1 nobody\n354 go\n250 mine\n221 bye\n",
		.does = EHLO "! ready\n" MAILED "> RCPT TO:<a@x.test>\n> RCPT TO:<b@x.test>\n! recipient 0: 250 2.1.5\n"
			"> DATA\n! recipient 1: 550 5.1.1\n! go\n> Subject: x\n> \n> ..dot\n> .\n"
			"! sent: end of text 250\n" QUIT },
	{ "pipelined, with parameters", 0, .recipients = 2, .mails = 1, .is_8bit = true,
		.says = GREETING ESMTP "250 ok\n250 ok\n250 ok\n354 go\n250 mine\n221 bye\n",
		.does = EHLO "! ready\n> MAIL FROM:<s@y.test> SIZE=20 BODY=8BITMIME ENVID=id1\n"
			"> RCPT TO:<a@x.test> NOTIFY=FAILURE,DELAY\n> RCPT TO:<b@x.test> ORCPT=rfc822;b@x.test\n> DATA\n"
			"! recipient 0: 250 \n! recipient 1: 250 \n! go\n> Subject: x\n> \n> ..dot\n> .\n"
			"! sent: end of text 250\n" QUIT },
	{ "pipelined, nobody is taken, and 354 comes all the same", 0, .recipients = 1, .mails = 1,
		.says = GREETING "250-here\n250 PIPELINING\n250 ok\n450 later\n354 go\n554 no\n250 reset\n221 bye\n",
		.does = EHLO "! ready\n" MAILED "> RCPT TO:<a@x.test>\n> DATA\n! recipient 0: 450 \n> .\n"
			"! sent: RCPT TO 450\n> RSET\n" QUIT },
	{ "pipelined, MAIL is refused", 0, .recipients = 2, .mails = 1,
		.says = GREETING "250-here\n250 PIPELINING\n552 5.3.4 big\n503 no\n503 no\n503 no\n250 ok\n221 bye\n",
		.does = EHLO "! ready\n" MAILED "> RCPT TO:<a@x.test>\n> RCPT TO:<b@x.test>\n> DATA\n"
			"! sent: MAIL FROM 552\n> RSET\n" QUIT },
	{ "MAIL is refused", 0, .recipients = 2, .mails = 1,
		.says = GREETING HELLO "451 later\n250 ok\n221 bye\n",
		.does = EHLO "! ready\n" MAILED "! sent: MAIL FROM 451\n> RSET\n" QUIT },
	{ "nobody is taken", 0, .recipients = 2, .mails = 1,
		.says = GREETING HELLO "250 ok\n550 no\n551 no\n250 ok\n221 bye\n",
		.does = EHLO "! ready\n" MAILED "> RCPT TO:<a@x.test>\n> RCPT TO:<b@x.test>\n! recipient 0: 550 \n"
			"! recipient 1: 551 \n! sent: RCPT TO 551\n> RSET\n" QUIT },
	{ "DATA is refused", 0, .recipients = 1, .mails = 1,
		.says = GREETING HELLO "250 ok\n250 ok\n451 no\n250 ok\n221 bye\n",
		.does = EHLO "! ready\n" MAILED "> RCPT TO:<a@x.test>\n> DATA\n! recipient 0: 250 \n"
			"! sent: DATA 451\n> RSET\n" QUIT },
	{ "two messages, one connection, chunks", 0, .recipients = 1, .mails = 2,
		.says = GREETING "250-here\n250 CHUNKING\n250 ok\n250 ok\n250 mine\n250 ok\n250 ok\n221 mine?\n221 bye\n",
		.does = EHLO "! ready\n" MAILED "> RCPT TO:<a@x.test>\n> BDAT 20 LAST\n! recipient 0: 250 \n! go\n"
			"> Subject: x\n> \n> .dot\n! sent: end of text 250\n! ready\n" MAILED "> RCPT TO:<a@x.test>\n"
			"> BDAT 20 LAST\n! recipient 0: 250 \n! go\n> Subject: x\n> \n> .dot\n! sent: end of text 221\n" QUIT },
	{ "OUT-07: HELO where EHLO is unknown", 0, .recipients = 1, .mails = 0,
		.says = GREETING "500 what?\n250 ok\n221 bye\n",
		.does = EHLO "> HELO me.test\n" QUIT },
	{ "OUT-07: HELO only", 0, .helo_only = true, .recipients = 1, .mails = 0,
		.says = GREETING "250 ok\n221 bye\n", .does = "> HELO me.test\n" QUIT },
	{ "a greeting that is none", 0, .recipients = 1, .mails = 0, .says = "554 5.3.2 go away\n",
		.does = "! over: the server refused to talk, greeting 554\n" },
	{ "TLS, and all is asked again", SMTP_CLIENT_TLS_REQUIRED, .recipients = 1, .mails = 0,
		.says = GREETING "250-here\n250 STARTTLS\n220 go\n",
		.does = EHLO "> STARTTLS\n! tls\n> EHLO me.test\n" },
	{ "pipelined, answered in two pieces", 0, .in_pieces = true, .recipients = 2, .mails = 1,
		.says = GREETING "\f" HELLO_AHEAD "\f250 ok\n250 ok\n550 no\n\f354 go\n\f250 mine\n\f221 bye\n\f",
		.does = EHLO "! ready\n" MAILED "> RCPT TO:<a@x.test>\n> RCPT TO:<b@x.test>\n> DATA\n"
			"! recipient 0: 250 \n! recipient 1: 550 \n! go\n> Subject: x\n> \n> ..dot\n> .\n"
			"! sent: end of text 250\n" QUIT },
	{ "H19: the text is taken before it was sent", 0, .in_pieces = true, .recipients = 1, .mails = 1,
		.says = GREETING "\f" HELLO_AHEAD "\f250 ok\n250 ok\n354 go\n250 mine\n\f",
		.does = EHLO "! ready\n" MAILED "> RCPT TO:<a@x.test>\n> DATA\n! recipient 0: 250 \n"
			"! over: the server answered what it was not asked, text 0\n" },
	{ "H19: two answers to EHLO", 0, .in_pieces = true, .recipients = 1, .mails = 1,
		.says = GREETING "\f" HELLO HELLO "\f",
		.does = EHLO "! over: the server answered what it was not asked, idle 250\n" },
	{ "H19: two greetings", 0, .in_pieces = true, .recipients = 1, .mails = 1,
		.says = GREETING GREETING "\f",
		.does = EHLO "! over: the server answered what it was not asked, EHLO 0\n" },
	{ "H3: bytes in front of the handshake", SMTP_CLIENT_TLS_OPPORTUNISTIC, .in_pieces = true, .recipients = 1,
		.says = GREETING "\f250-here\n250 STARTTLS\n\f220 go\n250 evil\n\f",
		.does = EHLO "> STARTTLS\n! over: bytes came in clear before TLS began, STARTTLS 0\n" },
	{ "H68: TLS is required and not there", SMTP_CLIENT_TLS_REQUIRED, .recipients = 1, .mails = 1,
		.says = GREETING ESMTP,
		.does = EHLO "! over: the server offers no TLS, which this route requires, EHLO 0\n" },
	{ "H68: TLS is required and refused", SMTP_CLIENT_TLS_REQUIRED, .recipients = 1, .mails = 1,
		.says = GREETING "250 STARTTLS\n454 not now\n",
		.does = EHLO "> STARTTLS\n! over: the server offers no TLS, which this route requires, STARTTLS 454\n" },
	{ "TLS is refused where it may be", SMTP_CLIENT_TLS_OPPORTUNISTIC, .recipients = 1, .mails = 0,
		.says = GREETING "250 STARTTLS\n454 not now\n221 bye\n", .does = EHLO "> STARTTLS\n" QUIT },
	{ "OUT-06: AUTH PLAIN", 0, .account = true, .in_clear = true, .recipients = 1, .mails = 0,
		.says = GREETING "250 AUTH LOGIN PLAIN\n235 ok\n221 bye\n",
		.does = EHLO "> AUTH PLAIN AGFubmEAcGFzcw==\n" QUIT },
	{ "OUT-06: AUTH LOGIN", 0, .account = true, .in_clear = true, .recipients = 1, .mails = 0,
		.says = GREETING "250 AUTH=LOGIN\n334 VXNlcm5hbWU6\n334 UGFzc3dvcmQ6\n235 ok\n221 bye\n",
		.does = EHLO "> AUTH LOGIN\n> YW5uYQ==\n> cGFzcw==\n" QUIT },
	{ "OUT-06: AUTH CRAM-MD5", 0, .account = true, .recipients = 1, .mails = 0,
		.says = GREETING "250 AUTH PLAIN CRAM-MD5\n334 PDFAeD4=\n235 ok\n221 bye\n",
		.does = EHLO "> AUTH CRAM-MD5\n! task\n> YW5uYSAzMDMxMzIzMzM0MzUzNjM3MzgzOTYxNjI2MzY0NjU2Ng==\n" QUIT },
	{ "OUT-06: AUTH SCRAM-SHA-256", 0, .account = true, .recipients = 1, .mails = 0,
		.says = GREETING "250 AUTH CRAM-MD5 SCRAM-SHA-256\n334 cj1hYmNkWFksczVhPVFRPT0=\n",
		.does = EHLO "> AUTH SCRAM-SHA-256 biwsbj1hbm5hLHI9YWJjZA==\n"
			"! over: the login was refused, AUTH 0\n" },
	{ "OUT-06: SCRAM, and the server knows the password", 0, .account = true, .recipients = 1, .mails = 0,
		.says = GREETING "250 AUTH SCRAM-SHA-256\n334 cj1hYmNkWFkscz1RUT09LGk9NDA5Ng==\n"
			"334 dj1NREV5TXpRMU5qYzRPV0ZpWTJSbFpqQXhNak0wTlRZM09EbGhZbU5rWldZPQ==\n235 ok\n221 bye\n",
		.does = EHLO "> AUTH SCRAM-SHA-256 biwsbj1hbm5hLHI9YWJjZA==\n! task\n"
			"> Yz1iaXdzLHI9YWJjZFhZLHA9TURFeU16UTFOamM0T1dGaVkyUmxaZz09\n> \n" QUIT },
	{ "SCRAM, and the server does not know it", 0, .account = true, .recipients = 1, .mails = 0,
		.says = GREETING "250 AUTH SCRAM-SHA-256\n334 cj1hYmNkWFkscz1RUT09LGk9NDA5Ng==\n235 come in\n",
		.does = EHLO "> AUTH SCRAM-SHA-256 biwsbj1hbm5hLHI9YWJjZA==\n! task\n"
			"> Yz1iaXdzLHI9YWJjZFhZLHA9TURFeU16UTFOamM0T1dGaVkyUmxaZz09\n"
			"! over: the login was refused, AUTH 235\n" },
	{ "a token, and it has run out", 0, .account = true, .token = true, .in_clear = true, .recipients = 1,
		.says = GREETING "250 AUTH PLAIN XOAUTH2\n334 e30=\n535 5.7.8 no\n",
		.does = EHLO "> AUTH XOAUTH2 dXNlcj1hbm5hAWF1dGg9QmVhcmVyIHBhc3MBAQ==\n> \n"
			"! over: the login was refused, AUTH 535\n" },
	{ "H67: no password in clear", 0, .account = true, .recipients = 1, .mails = 1,
		.says = GREETING "250 AUTH PLAIN LOGIN\n",
		.does = EHLO "! over: the server offers no way to log in that may be used here, EHLO 0\n" },
	{ "too large for it", 0, .recipients = 1, .mails = 1,
		.says = GREETING "250 SIZE 19\n221 bye\n",
		.does = EHLO "! ready\n! sent: MAIL FROM 552\n" QUIT },
	{ "8-bit text that it cannot take", 0, .recipients = 1, .mails = 1, .is_8bit = true,
		.says = GREETING HELLO "221 bye\n", .does = EHLO "! ready\n! sent: MAIL FROM 554\n" QUIT },
	{ "421 in the middle", 0, .recipients = 2, .mails = 1,
		.says = GREETING HELLO "250 ok\n250 ok\n421 4.3.2 closing\n",
		.does = EHLO "! ready\n" MAILED "> RCPT TO:<a@x.test>\n> RCPT TO:<b@x.test>\n! recipient 0: 250 \n"
			"! over: the server refused to talk, RCPT TO 421\n" },
	{ "H19: what is no reply", 0, .recipients = 1, .mails = 0, .says = "hello\n",
		.does = "! over: the server does not speak SMTP, greeting 0\n" },
	{ "H19: a reply whose codes differ", 0, .recipients = 1, .mails = 0, .says = "220-a\n250 b\n",
		.does = "! over: the server does not speak SMTP, greeting 0\n" },
};

static void
conversations_go_as_they_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++) {
		talk(&scripts[i], false);
		if (!scripts[i].in_pieces)
			talk(&scripts[i], true);
	}
}

/* H19: the line and the number of lines have a limit, and no more is kept than that. */
static void
h19_an_endless_reply_ends(void **state)
{
	struct smtp_client_config config = { .hostname = SPAN("me.test") };
	struct smtp_client_event ev = { 0 };
	char line[SMTP_ANSWER_LINE + 100];
	struct smtp_client m;
	struct buf out;
	size_t lines = 0;

	(void)state;
	buf_init(&out, 4096);
	smtp_client_init(&m, &config);
	while (ev.kind != SMTP_CLIENT_OVER && lines++ < 2 * SMTP_ANSWER_LINES)
		(void)smtp_client_next(&m, SPAN("220-more\r\n"), &out, &ev);
	assert_int_equal(lines, SMTP_ANSWER_LINES + 1);
	smtp_client_init(&m, &config);
	memset(line, '2', sizeof(line));
	(void)smtp_client_next(&m, (struct span){ line, sizeof(line) }, &out, &ev);
	assert_int_equal(ev.kind, SMTP_CLIENT_OVER);
	assert_int_equal(ev.why, SMTP_OVER_NONSENSE);
	buf_fini(&out);
}

/* H11: an address with a control in it never becomes a command of its own. */
static void
h11_no_control_gets_out(void **state)
{
	static const struct smtp_client_recipient evil = { SPAN("a>\r\nDATA\r\n"), { 0 } };
	struct smtp_client_mail mail = { .reverse_path = SPAN(""), .recipients = &evil, .count = 1 };
	struct smtp_client_config config = { .hostname = SPAN("me.test") };
	struct smtp_client_event ev = { 0 };
	struct smtp_client m;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	smtp_client_init(&m, &config);
	(void)smtp_client_next(&m, SPAN("220 a\r\n"), &out, &ev);
	(void)smtp_client_next(&m, SPAN("250 a\r\n"), &out, &ev);
	assert_int_equal(ev.kind, SMTP_CLIENT_READY);
	smtp_client_send(&m, &mail, &out);
	(void)smtp_client_next(&m, SPAN("250 a\r\n"), &out, &ev);
	assert_int_equal(ev.kind, SMTP_CLIENT_OVER);
	assert_true(span_eq(buf_span(&out), SPAN("EHLO me.test\r\nMAIL FROM:<>\r\n")));
	smtp_client_fini(&m);
	buf_fini(&out);
}

int
test_smtp_client(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conversations_go_as_they_should),
		cmocka_unit_test(h19_an_endless_reply_ends),
		cmocka_unit_test(h11_no_control_gets_out),
	};

	return cmocka_run_group_tests_name("smtp_client", tests, NULL, NULL);
}
