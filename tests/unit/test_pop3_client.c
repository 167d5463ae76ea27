/*
 * test_pop3_client.c - conversations with a POP3 server: what it says, and all that the client does.
 *
 * A script's `says` is in pieces that end with '\f', each is what the server answers when the client waits. It is fed piece
 * by piece and byte by byte; what goes out ("> ") and what happens ("! ") must read as `does` both times. '\n' is CRLF,
 * '\v' a bare LF.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/pop3/pop3_client.h"
#include "tests/unit/test_proto.h"

#define GREETING "+OK hi <1.2@pop.test>\n\f"
#define CAPA "+OK\nTOP\nUIDL\nPIPELINING\nUSER\nSASL PLAIN CRAM-MD5 XOAUTH2\n.\n\f"
#define NO_CAPA "-ERR what\n\f"
#define ENTER "+OK\n\f+OK\n\f+OK 2 30\n\f"
#define BEGIN GREETING CAPA ENTER
#define BEGIN_SLOW GREETING NO_CAPA ENTER
#define BEGUN "> CAPA\n> USER anna\n> PASS secret\n> STAT\n! ready 2 30\n"

struct script {
	const char *name;
	struct pop3_client_config config;
	const char *asks; /* "RETR 1 40;QUIT": with what LIST said */
	const char *says, *does;
};

struct run {
	struct pop3_client machine;
	struct buf out, log, text;
	const char *asks;
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

/* Text comes in runs as the input was cut: told as one. */
static void
log_text(struct run *r)
{
	struct span text = buf_span(&r->text);

	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '\r' || text.ptr[i] == '\n')
			log_put(r, "%s", text.ptr[i] == '\r' ? "\\r" : "\\n");
		else
			log_put(r, "%c", text.ptr[i]);
	if (text.len > 0)
		log_put(r, "\n");
	buf_clear(&r->text);
}

static const char *
named(enum pop3_asked_kind kind)
{
	static const char *const names[POP3_ASKED_KINDS] = { [POP3_ASKED_LIST] = "LIST", [POP3_ASKED_UIDL] = "UIDL",
		[POP3_ASKED_TOP] = "TOP", [POP3_ASKED_RETR] = "RETR", [POP3_ASKED_DELE] = "DELE",
		[POP3_ASKED_NOOP] = "NOOP", [POP3_ASKED_ENV] = "*ENV", [POP3_ASKED_NOTHING] = "nothing" };

	return names[kind] ? names[kind] : "?";
}

static void
log_event(struct run *r, const struct pop3_client_event *ev)
{
	char command[100];

	if (buf_span(&r->text).len == 0)
		log_output(r);
	if (ev->kind == POP3_CLIENT_TEXT) {
		assert_int_equal(buf_put(&r->text, ev->text), OK);
		return;
	}
	if (ev->kind == POP3_CLIENT_NEED_BYTES)
		return;
	log_text(r);
	log_output(r);
	if (ev->kind == POP3_CLIENT_STLS || ev->kind == POP3_CLIENT_TASK)
		log_put(r, "! %s\n", ev->kind == POP3_CLIENT_STLS ? "tls" : "task");
	else if (ev->kind == POP3_CLIENT_APOP)
		log_put(r, "! apop %.*s\n", SPAN_FMT(ev->text));
	else if (ev->kind == POP3_CLIENT_READY)
		log_put(r, "! ready %lld %lld\n", (long long)ev->count, (long long)ev->size);
	else if (ev->kind == POP3_CLIENT_SIZE)
		log_put(r, "! size %u %lld\n", ev->number, (long long)ev->size);
	else if (ev->kind == POP3_CLIENT_UNIQUE)
		log_put(r, "! unique %u %.*s\n", ev->number, SPAN_FMT(ev->text));
	else if (ev->kind == POP3_CLIENT_ENV)
		log_put(r, "! env %u.%llu %.*s\n", ev->number, (unsigned long long)ev->count, SPAN_FMT(ev->text));
	else if (ev->kind == POP3_CLIENT_ANSWER)
		log_put(r, "! %s %s %u\n", ev->answer.kind == POP3_ANSWER_OK ? "ok" : "no", named(ev->asked), ev->number);
	else if (ev->kind == POP3_CLIENT_OVER)
		log_put(r, "! over: %s | %.*s | %.*s\n", pop3_client_over_text(ev->why),
			SPAN_FMT(pop3_client_command(&r->machine, command, sizeof(command))),
			SPAN_FMT(pop3_client_said(&r->machine)));
}

static void
ask_all(struct run *r)
{
	struct span rest = span_of(r->asks), one;

	while (rest.len > 0) {
		unsigned number = 0, size = 0;
		char word[20] = "";
		bool known = false;

		span_cut(rest, ';', &one, &rest);
		assert_true(one.len < 60);
		sscanf(one.ptr, "%19[^ ;] %u %u", word, &number, &size);
		for (unsigned k = 0; k < POP3_ASKED_KINDS; k++) {
			if (strcmp(word, named(k)) != 0)
				continue;
			known = true;
			assert_int_equal(pop3_client_ask(&r->machine, k, number, size ? size : POP3_SIZE_UNKNOWN, &r->out), OK);
		}
		if (!known)
			pop3_client_quit(&r->machine, &r->out);
	}
}

static void
hold(struct run *r, const struct pop3_client_event *ev)
{
	struct pop3_client *m = &r->machine;

	if (ev->kind == POP3_CLIENT_STLS)
		pop3_client_tls_started(m, &r->out);
	else if (ev->kind == POP3_CLIENT_TASK)
		pop3_client_prove(m, SPAN("0123456789abcdef"), SPAN_NONE, &r->out);
	else if (ev->kind == POP3_CLIENT_APOP)
		pop3_client_prove(m, SPAN("c4c9334bac560ecc979e58001b3e22fb"), SPAN_NONE, &r->out);
	else if (ev->kind == POP3_CLIENT_READY)
		ask_all(r);
}

/* What is fed and not yet used. */
static bool
go_on(struct run *r, struct buf *in)
{
	struct pop3_client_event ev;

	for (;;) {
		size_t used = pop3_client_next(&r->machine, at_page_edge(buf_span(in)), &r->out, &ev);

		assert_true(used <= buf_span(in).len);
		log_event(r, &ev);
		buf_consume(in, used);
		if (ev.kind == POP3_CLIENT_OVER)
			return false;
		if (ev.kind == POP3_CLIENT_NEED_BYTES || ev.kind == POP3_CLIENT_NEED_HOLDER)
			return true;
		hold(r, &ev);
	}
}

static void
feed(struct run *r, const char *says, bool by_byte)
{
	struct buf in;
	bool more = go_on(r, &(struct buf){ .max = 10 });

	buf_init(&in, 100000);
	for (; *says && more; says++) {
		if (*says == '\n')
			assert_int_equal(buf_put(&in, SPAN("\r\n")), OK);
		else if (*says != '\f')
			assert_int_equal(buf_put_char(&in, *says == '\v' ? '\n' : *says == '\a' ? '\0' : *says), OK);
		if (by_byte || *says == '\f')
			more = go_on(r, &in);
	}
	buf_fini(&in);
}

static const struct script scripts[] = {
	{ "INM-02: USER and PASS, a mailbox, pipelined", { .secret_in_clear = true }, "LIST;UIDL;RETR 1;DELE 1;QUIT",
		BEGIN "+OK\n1 10\n2 20\n.\n+OK\n1 a\n2 b\n.\n+OK\nSubject: x\n\n..dot\n.\n+OK\n+OK bye\n\f",
		BEGUN "> LIST\n> UIDL\n> RETR 1\n> DELE 1\n> QUIT\n! size 1 10\n! size 2 20\n! ok LIST 0\n! unique 1 a\n"
		"! unique 2 b\n! ok UIDL 0\nSubject: x\\r\\n\\r\\n.dot\\r\\n\n! ok RETR 1\n! ok DELE 1\n! over: quit | QUIT | +OK bye\n" },
	{ "one command at a time without PIPELINING", { .secret_in_clear = true }, "LIST;UIDL;nothing 3;RETR 2;QUIT",
		BEGIN_SLOW "+OK\n.\n\f-ERR no\n\f+OK\nx\n.\n\f+OK\n\f",
		BEGUN "> LIST\n> UIDL\n! ok LIST 0\n! no UIDL 0\n> RETR 2\n! ok nothing 3\nx\\r\\n\n> QUIT\n! ok RETR 2\n! over: quit | QUIT | +OK\n" },
	{ "INM-02: SASL PLAIN", { .secret_in_clear = true, .auth = POP3_AUTH_SASL_PLAIN }, "QUIT",
		GREETING CAPA "+OK\n\f+OK 0 0\n\f+OK\n\f",
		"> CAPA\n> AUTH PLAIN AGFubmEAc2VjcmV0\n> STAT\n! ready 0 0\n> QUIT\n! over: quit | QUIT | +OK\n" },
	{ "INM-02: SASL PLAIN with a server that says nothing of SASL", { .secret_in_clear = true, .auth = POP3_AUTH_SASL_PLAIN }, "QUIT",
		GREETING NO_CAPA "+ \n\f+OK\n\f+OK 0 0\n\f+OK\n\f",
		"> CAPA\n> AUTH PLAIN\n> AGFubmEAc2VjcmV0\n> STAT\n! ready 0 0\n> QUIT\n! over: quit | QUIT | +OK\n" },
	{ "INM-02: CRAM-MD5, in clear", { .auth = POP3_AUTH_CRAM_MD5 }, "QUIT",
		GREETING CAPA "+ PDEuMkBwb3AudGVzdD4=\n\f+OK\n\f+OK 0 0\n\f+OK\n\f",
		"> CAPA\n> AUTH CRAM-MD5\n! task\n> YW5uYSAzMDMxMzIzMzM0MzUzNjM3MzgzOTYxNjI2MzY0NjU2Ng==\n> STAT\n! ready 0 0\n> QUIT\n"
		"! over: quit | QUIT | +OK\n" },
	{ "INM-02: APOP (RFC 1939, 7), in clear", { .auth = POP3_AUTH_APOP }, "QUIT",
		GREETING CAPA "+OK\n\f+OK 0 0\n\f+OK\n\f",
		"> CAPA\n! apop <1.2@pop.test>\n> APOP anna c4c9334bac560ecc979e58001b3e22fb\n> STAT\n! ready 0 0\n> QUIT\n"
		"! over: quit | QUIT | +OK\n" },
	{ "INM-02: XOAUTH2, refused in two steps", { .secure = true, .auth = POP3_AUTH_XOAUTH2 }, "QUIT",
		GREETING CAPA "+ eyJzdGF0dXMiOiI0MDEifQ==\n\f-ERR [AUTH] no\n\f",
		"> CAPA\n> AUTH XOAUTH2 dXNlcj1hbm5hAWF1dGg9QmVhcmVyIHNlY3JldAEB\n> \n! over: the login was refused | AUTH | -ERR [AUTH] no\n" },
	{ "no timestamp, no APOP", { .auth = POP3_AUTH_APOP }, "", "+OK hi\n\f" CAPA,
		"> CAPA\n! over: the server does not offer this way to log in (auth) | CAPA | +OK\n" },
	{ "no timestamp that is no msg-id (CVE-2007-1558)", { .auth = POP3_AUTH_APOP }, "", "+OK hi <a@b@c\x80>\n\f" CAPA,
		"> CAPA\n! over: the server does not offer this way to log in (auth) | CAPA | +OK\n" },
	{ "a mechanism that is not offered", { .auth = POP3_AUTH_CRAM_MD5 }, "", GREETING "+OK\nSASL PLAIN\n.\n\f",
		"> CAPA\n! over: the server does not offer this way to log in (auth) | CAPA | +OK\n" },
	{ "H67: no password in clear", { 0 }, "", GREETING CAPA,
		"> CAPA\n! over: the server does not offer this way to log in (auth) | CAPA | +OK\n" },
	{ "H67: nor by SASL", { .auth = POP3_AUTH_SASL_PLAIN }, "", GREETING CAPA,
		"> CAPA\n! over: the server does not offer this way to log in (auth) | CAPA | +OK\n" },
	{ "plain, where USER is not offered but SASL PLAIN", { .secret_in_clear = true }, "QUIT",
		GREETING "+OK\nSASL PLAIN\n.\n\f+OK\n\f+OK 0 0\n\f+OK\n\f",
		"> CAPA\n> AUTH PLAIN AGFubmEAc2VjcmV0\n> STAT\n! ready 0 0\n> QUIT\n! over: quit | QUIT | +OK\n" },
	{ "INM-02: STLS, and CAPA once more (RFC 2595, 4)", { .stls = true }, "RETR 1;RETR 2",
		GREETING "+OK\nSTLS\nPIPELINING\n.\n\f+OK\n\f+OK\nUSER\n.\n\f" ENTER "-ERR a\n\f-ERR b\n\f",
		"> CAPA\n> STLS\n! tls\n> CAPA\n> USER anna\n> PASS secret\n> STAT\n! ready 2 30\n> RETR 1\n> RETR 2\n! no RETR 1\n! no RETR 2\n" },
	{ "no STLS on offer", { .stls = true }, "", GREETING CAPA,
		"> CAPA\n! over: the server offers no STLS, which tls: starttls requires | CAPA | +OK\n" },
	{ "STLS refused", { .stls = true }, "", GREETING NO_CAPA "-ERR no\n\f",
		"> CAPA\n> STLS\n! over: the server offers no STLS, which tls: starttls requires | STLS | -ERR no\n" },
	{ "INM-30: [IN-USE]", { .secret_in_clear = true }, "", GREETING CAPA "+OK\n\f-ERR [IN-USE] x\n\f",
		"> CAPA\n> USER anna\n> PASS secret\n! over: the mailbox is in use elsewhere | PASS | -ERR [IN-USE] x\n" },
	{ "RFC 2449, 8.1.1: [LOGIN-DELAY]", { .secret_in_clear = true }, "", GREETING CAPA "+OK\n\f-ERR [LOGIN-DELAY] x\n\f",
		"> CAPA\n> USER anna\n> PASS secret\n! over: the server wants more time between two logins | PASS | -ERR [LOGIN-DELAY] x\n" },
	{ "INM-30: in words", { .secret_in_clear = true }, "", GREETING CAPA "+OK\n\f-ERR unable to lock mailbox\n\f",
		"> CAPA\n> USER anna\n> PASS secret\n! over: the mailbox is in use elsewhere | PASS | -ERR unable to lock mailbox\n" },
	{ "a locked account is no locked mailbox", { .secret_in_clear = true }, "", GREETING CAPA "+OK\n\f-ERR account locked\n\f",
		"> CAPA\n> USER anna\n> PASS secret\n! over: the login was refused | PASS | -ERR account locked\n" },
	{ "RFC 3206: [SYS/TEMP]", { .secret_in_clear = true }, "", GREETING CAPA "+OK\n\f-ERR [SYS/TEMP] x\n\f",
		"> CAPA\n> USER anna\n> PASS secret\n! over: the server refused | PASS | -ERR [SYS/TEMP] x\n" },
	{ "INM-18: an envelope", { .secret_in_clear = true }, "*ENV 2;RETR 2", BEGIN "+OK\na\nb\nfrom@x\nto@y\n.\n+OK\nx\n.\n\f",
		BEGUN "> *ENV 2\n> RETR 2\n! env 2.1 a\n! env 2.2 b\n! env 2.3 from@x\n! env 2.4 to@y\n! ok *ENV 2\nx\\r\\n\n! ok RETR 2\n" },
	{ "INM-18: no *ENV", { .secret_in_clear = true }, "*ENV 2;RETR 2", BEGIN "-ERR no\n\f", BEGUN "> *ENV 2\n> RETR 2\n! no *ENV 2\n" },
	{ "contract 8: no end at a bare LF", { .secret_in_clear = true }, "RETR 1", BEGIN "+OK\na\v.\nb\n.\vc\n.\n\f",
		BEGUN "> RETR 1\na\\r\\n.\\r\\nb\\r\\n.\\r\\nc\\r\\n\n! ok RETR 1\n" },
	{ "contract 8: bare CR, NUL, dots", { .secret_in_clear = true }, "TOP 1", BEGIN "+OK\na\rb\ac\n.\rx\n..\n.y\n.\n\f",
		BEGUN "> TOP 1 0\na\\r\\nb\x80" "c\\r\\n.\\r\\nx\\r\\n.\\r\\ny\\r\\n\n! ok TOP 1\n" },
	{ "a dot that is not doubled: not the end of a message", { .secret_in_clear = true }, "RETR 1;RETR 2",
		BEGIN "+OK\na\n.\nb\n.\n\f",
		BEGUN "> RETR 1\n> RETR 2\na\\r\\n\n! over: text came behind the end of a message: the server does not double leading dots | RETR 1 | +OK\n" },
	{ "the same, alone and shorter than LIST said", { .secret_in_clear = true }, "RETR 1 50",
		BEGIN "+OK\na\n.\n\f" "b\n.\n\f",
		BEGUN "> RETR 1\na\\r\\n\n> NOOP\n! over: text came behind the end of a message: the server does not double leading dots | RETR 1 | +OK\n" },
	{ "shorter than LIST said, and that is all", { .secret_in_clear = true }, "RETR 1 50", BEGIN "+OK\na\n.\n\f+OK\n\f",
		BEGUN "> RETR 1\na\\r\\n\n> NOOP\n! ok RETR 1\n" },
	{ "lists that lie", { .secret_in_clear = true }, "LIST;UIDL",
		BEGIN "+OK garbage\nhuh\n0 5\n7 -1\n99999999999 1\n1\n.\n+OK\n 1  a b\nx y\n2\n.\n\f",
		BEGUN "> LIST\n> UIDL\n! size 7 -1\n! size 1 -1\n! ok LIST 0\n! unique 1 a b\n! unique 2 \n! ok UIDL 0\n" },
	{ "STAT that says nothing", { .secret_in_clear = true }, "", GREETING CAPA "+OK\n\f+OK\n\f+OK garbage\n\f",
		"> CAPA\n> USER anna\n> PASS secret\n> STAT\n! ready -1 -1\n" },
	{ "no POP3", { .secret_in_clear = true }, "", "220 smtp.test\n\f", "! over: the server does not speak POP3 |  | 220 smtp.test\n" },
	{ "a refusing greeting", { .secret_in_clear = true }, "", "-ERR busy, later\n\f",
		"! over: the mailbox is in use elsewhere |  | -ERR busy, later\n" },
	{ "a line without its CR", { .secret_in_clear = true }, "DELE 1", BEGIN "+OK\v\f",
		BEGUN "> DELE 1\n! over: the server sent a line too long, without CRLF, or too many of them | DELE 1 | +OK 2 30\n" },
	{ "QUIT refused: nothing is sure", { .secret_in_clear = true }, "DELE 1;QUIT", BEGIN "+OK\n-ERR some not removed\n\f",
		BEGUN "> DELE 1\n> QUIT\n! ok DELE 1\n! over: the server refused | QUIT | -ERR some not removed\n" },
};

static void
run_script(const struct script *s, bool by_byte, struct buf *log)
{
	struct run r = { .asks = s->asks };
	struct pop3_client_config config = s->config;

	config.account = (struct sasl_account){ SPAN("anna"), SPAN("secret"), SPAN("pop.test"), 110 };
	buf_init(&r.out, 10000);
	buf_init(&r.log, 20000);
	buf_init(&r.text, 20000);
	pop3_client_init(&r.machine, &config);
	feed(&r, s->says, by_byte);
	log_text(&r);
	log_output(&r);
	pop3_client_fini(&r.machine);
	buf_fini(&r.out);
	buf_fini(&r.text);
	*log = r.log;
}

static void
test_inm_02_conversations(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++) {
		const struct script *s = &scripts[i];

		for (int by_byte = 0; by_byte < 2; by_byte++) {
			struct buf log;

			run_script(s, by_byte, &log);
			if (!span_eq(buf_span(&log), span_of(s->does)))
				fail_msg("%s%s:\n%.*s\nwanted:\n%s", s->name, by_byte ? ", byte by byte" : "",
					SPAN_FMT(buf_span(&log)), s->does);
			buf_fini(&log);
		}
	}
}

/* What comes in one piece behind the last answer that is owed ends it, whenever it is seen. */
static void
test_an_answer_to_nothing(void **state)
{
	static const struct script script = { "", { .secret_in_clear = true }, "DELE 1", BEGIN "+OK\n+OK\n\f", NULL };

	(void)state;
	for (int by_byte = 0; by_byte < 2; by_byte++) {
		struct buf log;
		struct span end = SPAN("! over: the server answered what it was not asked | DELE 1 | +OK\n");

		run_script(&script, by_byte, &log);
		assert_true(span_find_span(buf_span(&log), end) < buf_span(&log).len);
		buf_fini(&log);
	}
}

/* What came together with +OK was said in clear; what comes later the stream refuses. */
static void
test_h3_bytes_behind_ok_to_stls(void **state)
{
	static const struct script script = { "", { .stls = true }, "", GREETING NO_CAPA "+OK\n+OK\n\f", NULL };
	struct buf log;

	(void)state;
	run_script(&script, false, &log);
	assert_true(span_eq(buf_span(&log),
		SPAN("> CAPA\n> STLS\n! over: bytes came in clear before TLS began | STLS | +OK\n")));
	buf_fini(&log);
}

/* TRB-02: the last command is told, a name or a password never. */
static void
test_trb_02_no_secret_in_the_command(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++) {
		struct buf log;
		struct span rest, line;

		run_script(&scripts[i], false, &log);
		for (rest = buf_span(&log); span_next_line(&rest, &line);)
			if (span_starts(line, SPAN("! over"))) {
				assert_true(span_find_span(line, SPAN("secret")) == line.len);
				assert_true(span_find_span(line, SPAN("anna")) == line.len);
			}
		buf_fini(&log);
	}
}

/* A line may be of any length in a message, but not in an answer. */
static void
test_lines_of_any_length(void **state)
{
	static char text[300000];
	struct run r = { .asks = "RETR 1" };
	struct pop3_client_config config = { .secret_in_clear = true };
	struct buf in;

	(void)state;
	memset(text, 'x', sizeof(text));
	buf_init(&r.out, 10000);
	buf_init(&r.log, 2000);
	buf_init(&r.text, 400000);
	buf_init(&in, 400000);
	config.account = (struct sasl_account){ SPAN("anna"), SPAN("secret"), SPAN("pop.test"), 110 };
	pop3_client_init(&r.machine, &config);
	feed(&r, BEGIN "+OK\n\f", false);
	for (size_t i = 0; i < sizeof(text); i += 50000) {
		assert_int_equal(buf_put(&in, (struct span){ text + i, 50000 }), OK);
		assert_true(go_on(&r, &in));
		assert_int_equal(buf_span(&in).len, 0); /* nothing of it is kept */
	}
	assert_int_equal(buf_span(&r.text).len, sizeof(text));
	buf_clear(&r.text);
	feed(&r, "\n.\n\f", false);
	assert_int_equal(pop3_client_ask(&r.machine, POP3_ASKED_UIDL, 0, 0, &r.out), OK);
	assert_int_equal(buf_put(&in, (struct span){ text, POP3_CLIENT_LINE + 10 }), OK);
	assert_false(go_on(&r, &in));
	assert_int_equal(r.machine.over, POP3_OVER_LINE);
	pop3_client_fini(&r.machine);
	buf_fini(&r.out);
	buf_fini(&r.log);
	buf_fini(&r.text);
	buf_fini(&in);
}

/* INM-05: a list of 100,000 lines passes through, none is kept; orders have a limit by name. */
static void
test_inm_05_100000_lines(void **state)
{
	struct run r = { .asks = "UIDL" };
	struct pop3_client_config config = { .secret_in_clear = true };
	struct pop3_client_event ev;
	struct buf in;
	size_t lines = 0;

	(void)state;
	buf_init(&r.out, 10000);
	buf_init(&r.log, 2000);
	buf_init(&r.text, 10);
	buf_init(&in, 4000000);
	config.account = (struct sasl_account){ SPAN("anna"), SPAN("secret"), SPAN("pop.test"), 110 };
	pop3_client_init(&r.machine, &config);
	feed(&r, BEGIN "+OK\n\f", false);
	for (unsigned i = 1; i <= 100000; i++)
		assert_int_equal(buf_printf(&in, "%u %08x.%u\r\n", i, i * 2654435761u, i), OK);
	for (;;) {
		size_t used = pop3_client_next(&r.machine, buf_span(&in), &r.out, &ev);

		buf_consume(&in, used);
		if (ev.kind != POP3_CLIENT_UNIQUE)
			break;
		assert_int_equal(ev.number, ++lines);
	}
	assert_int_equal(lines, 100000);
	assert_int_equal(buf_span(&in).len, 0);
	for (unsigned i = 0; i < POP3_CLIENT_AHEAD; i++)
		if (pop3_client_ask(&r.machine, POP3_ASKED_NOOP, 0, 0, &r.out) != OK)
			lines = i;
	assert_true(lines < POP3_CLIENT_AHEAD);
	pop3_client_fini(&r.machine);
	buf_fini(&r.out);
	buf_fini(&r.log);
	buf_fini(&in);
}

/* H20: nobody waits for a list that never ends. */
static void
test_h20_a_list_without_an_end(void **state)
{
	static const struct span line = SPAN("1 a\r\n");
	struct run r = { .asks = "UIDL" };
	struct pop3_client_config config = { .secret_in_clear = true };
	struct pop3_client_event ev = { .kind = POP3_CLIENT_NEED_BYTES };

	(void)state;
	buf_init(&r.out, 10000);
	buf_init(&r.log, 2000);
	buf_init(&r.text, 10);
	config.account = (struct sasl_account){ SPAN("anna"), SPAN("secret"), SPAN("pop.test"), 110 };
	pop3_client_init(&r.machine, &config);
	feed(&r, BEGIN "+OK\n\f", false);
	for (unsigned i = 0; i < POP3_CLIENT_LIST_LINES; i++) {
		assert_int_equal(pop3_client_next(&r.machine, line, &r.out, &ev), line.len);
		assert_int_equal(ev.kind, POP3_CLIENT_UNIQUE);
	}
	pop3_client_next(&r.machine, line, &r.out, &ev);
	assert_int_equal(ev.kind, POP3_CLIENT_OVER);
	assert_int_equal(ev.why, POP3_OVER_LINE);
	pop3_client_fini(&r.machine);
	buf_fini(&r.out);
	buf_fini(&r.log);
}

int
test_pop3_client(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inm_02_conversations),
		cmocka_unit_test(test_an_answer_to_nothing),
		cmocka_unit_test(test_h3_bytes_behind_ok_to_stls),
		cmocka_unit_test(test_trb_02_no_secret_in_the_command),
		cmocka_unit_test(test_lines_of_any_length),
		cmocka_unit_test(test_inm_05_100000_lines),
		cmocka_unit_test(test_h20_a_list_without_an_end),
	};

	return cmocka_run_group_tests_name("pop3_client", tests, NULL, NULL);
}
