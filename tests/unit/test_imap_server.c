/*
 * test_imap_server.c - conversations with the IMAP machine, each fed whole and byte by byte.
 */
#include "proto/imap/imap_server.h"
#include "tests/unit/test_proto.h"

struct talk {
	struct imap_server machine;
	struct arena arena;
	struct buf out;
	enum imap_close why;
	bool closed;
};

/* What the machine raised is put before its answer, as an untagged line. */
static void
tell(struct talk *t, const char *what, struct span text)
{
	assert_int_equal(buf_printf(&t->out, "* %s ", what), OK);
	assert_int_equal(buf_put(&t->out, text), OK);
	assert_int_equal(buf_put(&t->out, SPAN("\r\n")), OK);
}

static struct imap_reply
judge_login(const struct imap_event *ev)
{
	if (span_eq(ev->login.name, SPAN("anna")) && span_eq(ev->login.password, SPAN("se cret")))
		return IMAP_OK("in");
	return IMAP_NO("AUTHENTICATIONFAILED", "no");
}

static void
on_append(struct talk *t, const struct imap_event *ev)
{
	struct span box = ev->kind == IMAP_APPEND_BEGIN ? ev->append.mailbox : SPAN("-");

	assert_int_equal(buf_printf(&t->out, "* MESSAGE %.*s %u %u %llu%s%s%s\r\n", SPAN_FMT(box),
				 ev->append.flags.flags, (unsigned)ev->append.flags.count,
				 (unsigned long long)ev->append.size, ev->append.has_date ? " date" : "",
				 ev->append.binary ? " binary" : "", ev->append.utf8 ? " utf8" : ""),
		OK);
	if (span_eq(box, SPAN("none")))
		imap_server_answer(&t->machine, IMAP_NO("TRYCREATE", "none"), &t->out);
	else
		imap_server_take(&t->machine, &t->out);
}

static void
on_command(struct talk *t, const struct imap_event *ev)
{
	if (ev->uid)
		tell(t, "UID", ev->name);
	if (span_eq_nocase(ev->name, SPAN("IDLE"))) {
		imap_server_idle(&t->machine, &t->out);
		return;
	}
	if (span_eq_nocase(ev->name, SPAN("LOGOUT")))
		imap_server_end(&t->machine, IMAP_CLOSE_LOGOUT);
	if (span_eq_nocase(ev->name, SPAN("WHAT"))) {
		imap_server_answer(&t->machine, IMAP_BAD("what"), &t->out);
		return;
	}
	tell(t, "ARGS", ev->args.rest);
	imap_server_answer(&t->machine, IMAP_OK("fine"), &t->out);
}

static void
on_event(struct talk *t, const struct imap_event *ev)
{
	switch (ev->kind) {
	case IMAP_APPEND_TEXT:
		assert_int_equal(buf_put(&t->out, ev->text), OK);
		break;
	case IMAP_APPEND_BEGIN:
	case IMAP_APPEND_NEXT:
		on_append(t, ev);
		break;
	case IMAP_COMMAND:
		on_command(t, ev);
		break;
	case IMAP_LOGIN:
		imap_server_answer(&t->machine, judge_login(ev), &t->out);
		break;
	case IMAP_APPEND_ABORT:
		tell(t, "ABORT", SPAN(""));
		imap_server_answer(&t->machine, ev->reply, &t->out);
		break;
	case IMAP_IDLE_DONE:
	case IMAP_SETTLED:
		imap_server_answer(&t->machine, ev->reply, &t->out);
		break;
	default:
		imap_server_answer(&t->machine, IMAP_OK("ok"), &t->out);
		break;
	}
	arena_reset(&t->arena);
}

static size_t
talk_read(struct talk *t, struct span in)
{
	struct imap_event ev;
	size_t total = 0;

	for (;;) {
		total += imap_server_next(&t->machine, span_from(in, total), &ev);
		if (ev.kind == IMAP_NEED_BYTES)
			return total;
		if (ev.kind == IMAP_CLOSE) {
			t->closed = true;
			t->why = ev.why;
			return in.len;
		}
		assert_int_not_equal(ev.kind, IMAP_NEED_REPLY);
		on_event(t, &ev);
		if (t->machine.state == IMAP_STATE_TLS && total == in.len)
			imap_server_tls_started(&t->machine);
	}
}

static void
talk_all(struct talk *t, const struct imap_server_config *config, const struct span *turns, size_t size)
{
	struct imap_server_config own = *config;

	memset(t, 0, sizeof(*t));
	buf_init(&t->out, 1 << 20);
	arena_init(&t->arena, NULL);
	own.arena = &t->arena;
	imap_server_init(&t->machine, &own, false);
	for (; turns->ptr && !t->closed; turns++) {
		size_t start = 0, end = 0;

		while (end < turns->len && !t->closed) {
			end = end + size < turns->len ? end + size : turns->len;
			start += talk_read(t, at_page_edge(span_range(*turns, start, end)));
		}
		(void)talk_read(t, SPAN_NONE);
	}
}

static void
talk_fini(struct talk *t)
{
	imap_server_fini(&t->machine);
	buf_fini(&t->out);
	arena_reset(&t->arena);
}

static const struct imap_server_config usual = { .message_size = 1000, .bad_commands = 3,
	.auth_failures = 2, .starttls = true, .mechanisms = SASL_SEND_PASSWORD | SASL_BIT(SASL_CRAM_MD5),
	.login_in_clear = true, .hostname = { "mail.example.org", 16 } };

#define T(text) { (text), sizeof(text) - 1 }
#define HELLO "* OK ok\r\n"
#define LOGIN T("a LOGIN anna \"se cret\"\r\n")
#define IN HELLO "a OK in\r\n"
#define TOO_LARGE "4 BAD [TOOBIG] Literal too large\r\n"
#define BAD_LINE "* BYE Malformed line\r\n* BAD Malformed line (CR LF ends one), or too many bytes\r\n"
#define EMPTY "4 NO An empty message is not kept\r\n"
#define NUL_SENT "NUL in a message: send it as a binary literal\r\n"
#define BAD_ARGS "BAD Arguments missing or malformed\r\n"
#define EARLY(tag) "* BYE Bytes before the go-ahead\r\n" tag " BAD Bytes came before our go-ahead\r\n"

static const struct {
	const struct span turns[8];
	const char *want;
	enum imap_close why;
} rows[] = {
	{{T("1 NOOP\r\n"), T("2 logout\r\n"), T("3 NOOP\r\n")},
		HELLO "* ARGS \r\n1 OK fine\r\n* ARGS \r\n* BYE Logging out\r\n2 OK fine\r\n",
		IMAP_CLOSE_LOGOUT},
	/* pipelined */
	{{T("1 a\r\n2 LOGIN anna \"se cret\"\r\n3 UID b c d\r\n4 uid\r\n")},
		HELLO "* ARGS \r\n1 OK fine\r\n2 OK in\r\n* UID b\r\n* ARGS  c d\r\n3 OK fine\r\n"
		      "4 BAD UID of what?\r\n", 0},
	/* tags */
	{{T("\r\n"), T("+1 NOOP\r\n"), T(" NOOP\r\n")},
		HELLO "* BAD Tag missing or malformed\r\n* BAD Tag missing or malformed\r\n"
		      "* BAD Tag missing or malformed\r\n", 0},
	{{T("A1\r\n"), T("A1 \r\n"), T("A]! NOOP\r\n")},
		HELLO "A1 BAD Command missing\r\nA1 BAD Command missing\r\n* ARGS \r\nA]! OK fine\r\n", 0},
	/* literals of both kinds, in a list and where the mailbox stands (H22) */
	{{T("1 LOGIN {4}\r\n"), T("anna {7}\r\n"), T("se cret\r\n"), T("2 x ({3+}\r\na)b c {0+}\r\n)\r\n")},
		HELLO "+ Send it\r\n+ Send it\r\n1 OK in\r\n"
		      "* ARGS  ({3+}\r\na)b c {0+}\r\n)\r\n2 OK fine\r\n", 0},
	{{T("1 LOGIN {4+}\r\nanna {7+}\r\nse cret\r\n2 x {0}\r\n"), T("\r\n")},
		HELLO "1 OK in\r\n+ Send it\r\n* ARGS  {0}\r\n\r\n2 OK fine\r\n", 0},
	{{T("1 LOGIN {1025}\r\n"), T("2 x {1024}\r\n")},
		HELLO "1 BAD [TOOBIG] Literal too large\r\n+ Send it\r\n", 0},
	{{T("1 x {4294967296}\r\n"), T("2 x {-1}\r\n"), T("3 x {18446744073709551617}\r\n")},
		HELLO "1 BAD [TOOBIG] Literal too large\r\n* ARGS  {-1}\r\n2 OK fine\r\n"
		      "* ARGS  {18446744073709551617}\r\n3 OK fine\r\n", 0},
	{{T("1 x {18446744073709551617+}\r\nabc")},
		HELLO "* BYE Malformed line\r\n1 BAD A literal of this size is not read\r\n",
		IMAP_CLOSE_BAD_LINE},
	{{T("1 x {1025+}\r\nabc")}, HELLO "* BYE More bytes than are taken\r\n1 BAD [TOOBIG] Literal too large\r\n",
		IMAP_CLOSE_TOO_LARGE},
	/* NUL, bare CR, bare LF (H24) */
	{{T("1 NO\0OP\r\n")}, HELLO BAD_LINE, IMAP_CLOSE_BAD_LINE},
	{{T("1 x {3}\r\n"), T("a\0b")}, HELLO "+ Send it\r\n" BAD_LINE, IMAP_CLOSE_BAD_LINE},
	{{T("1 NO\rOP\r\n")}, HELLO BAD_LINE, IMAP_CLOSE_BAD_LINE},
	{{T("1 NOOP\n")}, HELLO BAD_LINE, IMAP_CLOSE_BAD_LINE},
	/* logging in */
	{{T("1 LOGIN anna x\r\n"), T("2 LOGIN anna\r\n"), T("3 LOGIN anna {1}\r\n"), T("y\r\n")},
		HELLO "1 NO [AUTHENTICATIONFAILED] no\r\n2 BAD LOGIN wants a name and a password\r\n"
		      "+ Send it\r\n* BYE Too many failed logins\r\n3 NO [AUTHENTICATIONFAILED] no\r\n",
		IMAP_CLOSE_AUTH_FAILURES},
	{{T("1 LOGIN \"\" \"\"\r\n"), T("2 LOGIN \"\" a\r\n"), T("3 LOGIN {30}\r\n"),
		 T("123456789 123456789 123456789  b\r\n")},
		HELLO "1 BAD LOGIN wants a name and a password\r\n2 BAD LOGIN wants a name and a password\r\n"
		      "+ Send it\r\n3 NO [AUTHENTICATIONFAILED] no\r\n", 0},
	{{LOGIN, T("2 LOGIN a b\r\n"), T("3 STARTTLS\r\n"), T("4 AUTHENTICATE PLAIN\r\n")},
		IN "2 BAD Already logged in\r\n3 BAD Already logged in\r\n4 BAD Already logged in\r\n", 0},
	{{T("1 AUTHENTICATE PLAIN AGFubmEAc2UgY3JldA==\r\n")}, HELLO "1 OK in\r\n", 0},
	{{T("1 authenticate plain\r\n"), T("AGFubmEAc2UgY3JldA==\r\n")}, HELLO "+ \r\n1 OK in\r\n", 0},
	{{T("1 AUTHENTICATE LOGIN\r\n"), T("YW5uYQ==\r\n"), T("c2UgY3JldA==\r\n"), T("2 NOOP\r\n")},
		HELLO "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n1 OK in\r\n* ARGS \r\n2 OK fine\r\n", 0},
	{{T("1 AUTHENTICATE LOGIN\r\n"), T("*\r\n"), T("2 AUTHENTICATE FOO\r\n"),
		 T("3 AUTHENTICATE PLAIN =\r\n"), T("4 AUTHENTICATE\r\n")},
		HELLO "+ VXNlcm5hbWU6\r\n1 BAD Cancelled\r\n2 NO [CANNOT] Unknown mechanism\r\n"
		      "3 BAD Malformed credentials\r\n4 " BAD_ARGS, 0},
	/* H3, H4 */
	{{T("1 AUTHENTICATE PLAIN\r\n2 NOOP\r\n")}, HELLO EARLY("1"), IMAP_CLOSE_EARLY_BYTES},
	{{T("1 STARTTLS\r\n2 NOOP\r\n")}, HELLO EARLY("1"), IMAP_CLOSE_EARLY_BYTES},
	{{T("1 STARTTLS\r\n"), T("2 STARTTLS\r\n"), T("3 STARTTLS x\r\n")},
		HELLO "1 OK ok\r\n2 BAD Not offered now\r\n3 " BAD_ARGS, 0},
	/* IDLE */
	{{T("1 IDLE\r\n"), T("done\r\n"), T("2 NOOP\r\n")},
		HELLO "+ Idling\r\n1 OK Idle is over\r\n* ARGS \r\n2 OK fine\r\n", 0},
	{{T("1 IDLE\r\nDONE\r\n2 IDLE\r\n3 NOOP\r\n")},
		HELLO "+ Idling\r\n1 OK Idle is over\r\n+ Idling\r\n2 BAD DONE was expected\r\n", 0},
	/* so many in a row */
	{{T("1 WHAT\r\n2 WHAT\r\n3 WHAT\r\n4 x\r\n5 WHAT\r\n6 WHAT\r\n7 WHAT\r\n8 WHAT\r\n")},
		HELLO "1 BAD what\r\n2 BAD what\r\n3 BAD what\r\n* ARGS \r\n4 OK fine\r\n5 BAD what\r\n"
		      "6 BAD what\r\n7 BAD what\r\n* BYE Too many bad commands\r\n8 BAD what\r\n",
		IMAP_CLOSE_BAD_COMMANDS},
	/* APPEND */
	{{LOGIN, T("4 APPEND box {3}\r\n"), T("abc\r\n"), T("5 NOOP\r\n")},
		IN "* MESSAGE box 0 0 3\r\n+ Send it\r\nabc4 OK ok\r\n* ARGS \r\n5 OK fine\r\n", 0},
	{{LOGIN, T("4 append {3}\r\n"), T("box (\\Seen x) \" 1-Feb-1994 00:00:00 +0000\" {3+}\r\nabc\r\n")},
		IN "+ Send it\r\n* MESSAGE box 1 1 3 date\r\nabc4 OK ok\r\n", 0},
	/* MULTIAPPEND (RFC 3502) */
	{{LOGIN, T("4 APPEND box {1+}\r\na (\\Draft) {2+}\r\nbc {1}\r\n"), T("d\r\n")},
		IN "* MESSAGE box 0 0 1\r\na* MESSAGE - 16 0 2\r\nbc* MESSAGE - 0 0 1\r\n"
		   "+ Send it\r\nd4 OK ok\r\n", 0},
	{{LOGIN, T("4 APPEND box {1+}\r\na {0}\r\n"), T("5 NOOP\r\n")},
		IN "* MESSAGE box 0 0 1\r\na* ABORT \r\n" EMPTY "* ARGS \r\n5 OK fine\r\n", 0},
	{{LOGIN, T("4 APPEND box {1+}\r\na bogus {2+}\r\nxy z {1+}\r\nA\r\n5 NOOP\r\n")},
		IN "* MESSAGE box 0 0 1\r\na* ABORT \r\n4 " BAD_ARGS "* ARGS \r\n5 OK fine\r\n", 0},
	{{LOGIN, T("4 APPEND box {1+}\r\nax\r\n5 NOOP\r\n")},
		IN "* MESSAGE box 0 0 1\r\na* ABORT \r\n4 " BAD_ARGS "* ARGS \r\n5 OK fine\r\n", 0},
	/* refused, before and after a go-ahead */
	{{LOGIN, T("4 APPEND none {3}\r\n"), T("5 NOOP\r\n")},
		IN "* MESSAGE none 0 0 3\r\n4 NO [TRYCREATE] none\r\n* ARGS \r\n5 OK fine\r\n", 0},
	{{LOGIN, T("4 APPEND none {3+}\r\n{3} {6+}\r\n{9+}\r\n{2}\r\n5 NOOP\r\n")},
		IN "* MESSAGE none 0 0 3\r\n4 NO [TRYCREATE] none\r\n* ARGS \r\n5 OK fine\r\n", 0},
	{{LOGIN, T("4 APPEND box {1001}\r\n"), T("4 APPEND box {0}\r\n"), T("4 APPEND box {65537+}\r\n")},
		IN "4 NO [TOOBIG] Message too large\r\n" EMPTY
		   "* BYE More bytes than are taken\r\n4 NO [TOOBIG] Message too large\r\n", IMAP_CLOSE_TOO_LARGE},
	{{LOGIN, T("4 APPEND box\r\n"), T("4 APPEND box () {3\r\n"), T("4 APPEND (a) {3}\r\n")},
		IN "4 BAD APPEND needs a mailbox and a message as a literal\r\n"
		   "4 BAD APPEND needs a mailbox and a message as a literal\r\n4 " BAD_ARGS, 0},
	/* NUL in a message, and literal8 (H24; RFC 9051, 6.3.12) */
	{{LOGIN, T("4 APPEND box {3}\r\n"), T("\0bc\r\n"), T("5 NOOP\r\n")},
		IN "* MESSAGE box 0 0 3\r\n+ Send it\r\n* ABORT \r\n4 NO " NUL_SENT
		   "* ARGS \r\n5 OK fine\r\n", 0},
	{{LOGIN, T("4 APPEND box ~{3}\r\n"), T("abc\r\n")},
		IN "* MESSAGE box 0 0 3 binary\r\n+ Send it\r\nabc4 OK ok\r\n", 0},
	{{LOGIN, T("4 APPEND box UTF8 (~{3}\r\n"), T("abc)\r\n"), T("5 APPEND box UTF8 (~{3+}\r\nabc\r\n")},
		IN "* MESSAGE box 0 0 3 binary utf8\r\n+ Send it\r\nabc4 OK ok\r\n"
		   "* MESSAGE box 0 0 3 binary utf8\r\nabc* ABORT \r\n5 " BAD_ARGS, 0},
	{{LOGIN, T("4 x ~{3}\r\n"), T("5 x ~{3+}\r\nabc\r\n")},
		IN "4 BAD No binary literal here\r\n5 BAD No binary literal here\r\n", 0},
	/* nobody who has not logged in has a message taken */
	{{T("4 APPEND box {3+}\r\nabc\r\n")}, HELLO "* ARGS  box {3+}\r\nabc\r\n4 OK fine\r\n", 0},
};

static void
test_imap_server_rows(void **state)
{
	static const size_t sizes[] = { 65536, 1, 7 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t k = 0; k < COUNT(sizes); k++) {
			struct talk t;

			/* byte by byte nothing comes early */
			if (rows[i].why == IMAP_CLOSE_EARLY_BYTES && k > 0)
				continue;
			talk_all(&t, &usual, rows[i].turns, sizes[k]);
			check_span(i, buf_span(&t.out), span_of(rows[i].want));
			check_row(i, t.closed == (rows[i].why != 0) && t.why == rows[i].why);
			talk_fini(&t);
		}
	}
}

static struct span
filled(char *room, const char *front, size_t len, const char *end)
{
	size_t front_len = strlen(front), end_len = strlen(end);

	memcpy(room, front, front_len);
	memset(room + front_len, 'x', len);
	memcpy(room + front_len + len, end, end_len);
	return (struct span){ room, front_len + len + end_len };
}

/* Before login a command is 4 KiB; one over that is read to its end and refused (H23). */
static void
test_imap_server_long_line(void **state)
{
	static char room[2 * IMAP_COMMAND_STRANGER];
	static const struct {
		const char *front;
		size_t len;
		const char *end, *want;
	} cases[] = {
		{"1 ID (\"a\" \"", IMAP_COMMAND_STRANGER + 500, "\")\r\n2 NOOP\r\n",
			HELLO "* ARGS  NIL\r\n1 OK fine\r\n* ARGS \r\n2 OK fine\r\n"},
		{"1 ID (\"a\" \"", IMAP_COMMAND_STRANGER, " {3+}\r\nabc)\r\n2 NOOP\r\n",
			HELLO "* ARGS  NIL\r\n1 OK fine\r\n* ARGS \r\n2 OK fine\r\n"},
		{"1 ID (\"a\" \"", IMAP_COMMAND_STRANGER, " {3}\r\n2 NOOP\r\n",
			HELLO "1 BAD [TOOBIG] Command too long\r\n* ARGS \r\n2 OK fine\r\n"},
		{"1 ", IMAP_COMMAND_STRANGER - 4, "\r\n2 NOOP\r\n", "1 OK fine\r\n* ARGS \r\n2 OK fine\r\n"},
		{"1 ", IMAP_COMMAND_STRANGER - 3, "\r\n2 NOOP\r\n",
			HELLO "1 BAD [TOOBIG] Command too long\r\n* ARGS \r\n2 OK fine\r\n"},
		{"1 ", IMAP_COMMAND_STRANGER, " {3+}\r\nabc {4+}\r\nabcd x\r\n2 NOOP\r\n",
			HELLO "1 BAD [TOOBIG] Command too long\r\n* ARGS \r\n2 OK fine\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span text = filled(room, cases[i].front, cases[i].len, cases[i].end);
		const struct span turns[] = { text, SPAN_NONE };

		for (size_t size = 1; size < 65536; size = size * 5 + 1) {
			struct talk t;
			size_t tail = strlen(cases[i].want);

			talk_all(&t, &usual, turns, size);
			check_span(i, span_from(buf_span(&t.out), buf_span(&t.out).len - tail),
				span_of(cases[i].want));
			assert_false(t.closed);
			talk_fini(&t);
		}
	}
}

static void
test_imap_server_capabilities(void **state)
{
	struct imap_server_config config = usual;
	struct imap_server m;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	config.login_in_clear = false;
	imap_server_init(&m, &config, false);
	assert_int_equal(imap_server_put_capabilities(&m, &out), OK);
	check_span(0, buf_span(&out), SPAN(" LITERAL+ SASL-IR APPENDLIMIT=1000 STARTTLS LOGINDISABLED AUTH=CRAM-MD5"));
	imap_server_fini(&m);
	buf_clear(&out);
	imap_server_init(&m, &config, true);
	assert_int_equal(imap_server_put_capabilities(&m, &out), OK);
	check_span(0, buf_span(&out), SPAN(" LITERAL+ SASL-IR APPENDLIMIT=1000 AUTH=PLAIN AUTH=LOGIN AUTH=CRAM-MD5"));
	imap_server_fini(&m);
	buf_fini(&out);
}

/* LOGINDISABLED (RFC 9051, 6.2.3; H67): the password is refused, and CRAM-MD5 is not. */
static void
test_imap_server_clear(void **state)
{
	static const struct span turns[] = { T("1 LOGIN anna \"se cret\"\r\n"), T("2 AUTHENTICATE PLAIN\r\n"),
		T("3 STARTTLS\r\n"), T("4 LOGIN anna \"se cret\"\r\n"), { NULL, 0 } };
	struct imap_server_config config = usual;
	struct talk t;

	(void)state;
	config.login_in_clear = false;
	talk_all(&t, &config, turns, 65536);
	check_span(0, buf_span(&t.out),
		SPAN(HELLO "1 NO [PRIVACYREQUIRED] Only after STARTTLS\r\n"
			   "2 NO [PRIVACYREQUIRED] Only after STARTTLS\r\n3 OK ok\r\n4 OK in\r\n"));
	talk_fini(&t);
}

/* Half a command holds no more than came of it (H23), an idle machine nothing. */
static void
test_imap_server_memory(void **state)
{
	static const struct span turns[] = { T("1 NOOP ((((((((((\r\n2 NOOP (((("), { NULL, 0 } };
	struct talk t;

	(void)state;
	talk_all(&t, &usual, turns, 1);
	assert_true(t.machine.command.size <= 256);
	(void)talk_read(&t, SPAN("\r\n"));
	assert_int_equal(t.machine.command.size, 0);
	talk_fini(&t);
}

int
test_imap_server(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_imap_server_rows),
		cmocka_unit_test(test_imap_server_long_line),
		cmocka_unit_test(test_imap_server_capabilities),
		cmocka_unit_test(test_imap_server_clear),
		cmocka_unit_test(test_imap_server_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
