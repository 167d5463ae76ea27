/*
 * test_pop3.c - command lines and conversations, each fed whole and byte by byte.
 */
#include "proto/pop3/pop3_server.h"
#include "proto/smtp/smtp_data.h"
#include "tests/unit/test_proto.h"

static void
test_pop3_command_rows(void **state)
{
	static const struct {
		const char *line;
		enum err want;
		uint32_t number, lines;
	} rows[] = {
		{"USER anna", OK, 0, 0},
		{"USER", ERR_SYNTAX, 0, 0},
		{"PASS a b ", OK, 0, 0},
		{"list", OK, 0, 0},
		{"LIST 3", OK, 3, 0},
		{"LIST 0", ERR_SYNTAX, 0, 0},
		{"LIST x", ERR_SYNTAX, 0, 0},
		{"LIST 1 2", ERR_SYNTAX, 1, 0},
		{"RETR", ERR_SYNTAX, 0, 0},
		{"RETR 4294967295", OK, 4294967295u, 0},
		{"RETR 4294967296", ERR_SYNTAX, 0, 0},
		{"RETR -1", ERR_SYNTAX, 0, 0},
		{"TOP 1 0", OK, 1, 0},
		{"TOP 2 10", OK, 2, 10},
		{"TOP 1", ERR_SYNTAX, 0, 0},
		{"STAT x", ERR_SYNTAX, 0, 0},
		{"FOO", ERR_NOT_FOUND, 0, 0},
		{"", ERR_NOT_FOUND, 0, 0},
		{"AUTH", ERR_SYNTAX, 0, 0},
		{"USER a\x1b", ERR_SYNTAX, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pop3_command c;

		check_row(i, pop3_command_parse(at_page_edge(span_of(rows[i].line)), &c) ==
				     rows[i].want);
		if (rows[i].want == OK)
			check_row(i, c.number == rows[i].number && c.lines == rows[i].lines);
	}
}

struct talk {
	struct pop3_server machine;
	struct buf out;
	enum pop3_close why;
	bool closed, updated;
};

static struct pop3_reply
judge(struct talk *t, const struct pop3_event *ev)
{
	struct pop3_reply list = {.ok = true, .text = SPAN("here"), .more = true};

	t->updated |= ev->kind == POP3_UPDATE;
	if (ev->kind == POP3_SETTLED)
		return ev->reply;
	if (ev->kind == POP3_LOGIN && !(span_eq(ev->login.name, SPAN("anna")) &&
					      span_eq(ev->login.password, SPAN("se cret"))))
		return pop3_reply_for(ERR_DENIED);
	return ev->kind == POP3_RETR ? list : POP3_OK("fine");
}

static size_t
talk_read(struct talk *t, struct span in)
{
	struct smtp_stuffing stuffing = {.in_line = false};
	struct pop3_event ev;
	size_t total = 0;

	for (;;) {
		total += pop3_server_next(&t->machine, span_from(in, total), &ev);
		if (ev.kind == POP3_NEED_BYTES)
			return total;
		if (ev.kind == POP3_CLOSE) {
			t->closed = true;
			t->why = ev.why;
			return in.len;
		}
		assert_int_not_equal(ev.kind, POP3_NEED_REPLY);
		pop3_server_answer(&t->machine, judge(t, &ev), &t->out);
		if (!t->machine.sending)
			continue;
		(void)pop3_server_next(&t->machine, SPAN("NOOP\r\n"), &ev);
		assert_int_equal(ev.kind, POP3_NEED_REPLY); /* until all is sent */
		assert_int_equal(smtp_stuffing_put(&stuffing, SPAN("a\r\n.b\r\n"), &t->out), OK);
		assert_int_equal(smtp_stuffing_end(&stuffing, &t->out), OK);
		pop3_server_sent(&t->machine);
	}
}

static void
talk_all(struct talk *t, const struct pop3_server_config *config, const char *const *turns,
	size_t size)
{
	memset(t, 0, sizeof(*t));
	buf_init(&t->out, 65536);
	pop3_server_init(&t->machine, config, false);
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

static void
talk_fini(struct talk *t)
{
	pop3_server_fini(&t->machine);
	buf_fini(&t->out);
}

#define LOGIN "USER anna\r\n", "PASS se cret\r\n"
#define WELCOME "+OK fine\r\n+OK Password please\r\n+OK fine\r\n"
#define DENIED "-ERR [AUTH] Not accepted\r\n"

static const struct {
	const char *const turns[8];
	const char *want;
	enum pop3_close why;
	bool updated;
} rows[] = {
	{{LOGIN, "STAT\r\n", "QUIT\r\n"}, WELCOME "+OK fine\r\n+OK fine\r\n", POP3_CLOSE_QUIT,
		true},
	/* pipelined (RFC 2449, 6.6) */
	{{"USER anna\r\nPASS se cret\r\nSTAT\r\nDELE 1\r\nQUIT\r\n"},
		WELCOME "+OK fine\r\n+OK fine\r\n+OK fine\r\n", POP3_CLOSE_QUIT, true},
	{{LOGIN, "RETR 1\r\n"}, WELCOME "+OK here\r\na\r\n..b\r\n.\r\n", 0, false},
	{{"STAT\r\n", "PASS x\r\n", "APOP a b\r\n", "QUIT\r\n"},
		"+OK fine\r\n-ERR Not now\r\n-ERR Say USER first\r\n-ERR Not offered here\r\n+OK "
		"Bye\r\n",
		POP3_CLOSE_QUIT, false},
	{{LOGIN, "USER x\r\n", "STLS\r\n", "LIST 0\r\n"},
		WELCOME "-ERR Not now\r\n-ERR Not now\r\n-ERR Arguments missing, malformed or not "
			"expected\r\n",
		0, false},
	{{"AUTH PLAIN AGFubmEAc2UgY3JldA==\r\n"}, "+OK fine\r\n+OK fine\r\n", 0, false},
	{{"AUTH PLAIN\r\n", "AGFubmEAc2UgY3JldA==\r\n"}, "+OK fine\r\n+ \r\n+OK fine\r\n", 0,
		false},
	{{"AUTH LOGIN\r\n", "YW5uYQ==\r\n", "c2UgY3JldA==\r\n"},
		"+OK fine\r\n+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n+OK fine\r\n", 0, false},
	{{"AUTH PLAIN\r\n", "*\r\n", "UTF8\r\n"},
		"+OK fine\r\n+ \r\n-ERR Cancelled\r\n+OK UTF8\r\n", 0, false},
	/* H67, POP-07 */
	{{"USER bo\r\nPASS x\r\n", "USER bo\r\nPASS x\r\n", "USER bo\r\nPASS x\r\n", "NOOP\r\n"},
		"+OK fine\r\n+OK Password please\r\n" DENIED "+OK Password please\r\n" DENIED
		"+OK Password please\r\n" DENIED,
		POP3_CLOSE_AUTH_FAILURES, false},
	{{LOGIN, "UTF8\r\n"}, WELCOME "-ERR Not now\r\n", 0, false},
	/* a name is good for one password */
	{{"USER anna\r\n", "PASS x\r\n", "PASS se cret\r\n"},
		"+OK fine\r\n+OK Password please\r\n" DENIED "-ERR Say USER first\r\n", 0, false},
	/* H1 */
	{{"USER a\nPASS b\r\n"}, "+OK fine\r\n-ERR Malformed or over-long line\r\n",
		POP3_CLOSE_BAD_LINE, false},
};

static const struct pop3_server_config config = {
	.command_line = 64, .bad_commands = 10, .auth_failures = 3, .stls = true,
	.mechanisms = SASL_SEND_PASSWORD, .login_in_clear = true};

static void
test_pop3_server_pop01_conversations(void **state)
{
	static const size_t sizes[] = {1, 3, 65536};

	(void)state;
	for (size_t i = 0; i < COUNT(rows) * COUNT(sizes); i++) {
		size_t row = i / COUNT(sizes);
		struct talk t;

		talk_all(&t, &config, rows[row].turns, sizes[i % COUNT(sizes)]);
		check_span(row, buf_span(&t.out), span_of(rows[row].want));
		check_row(row, t.why == rows[row].why && t.updated == rows[row].updated);
		talk_fini(&t);
	}
}

static void
test_pop3_server_pop01_capa(void **state)
{
	static const char *const turns[] = {"CAPA\r\n", NULL};
	struct pop3_server_config strict = config;
	struct talk t;

	(void)state;
	talk_all(&t, &config, turns, 100);
	check_span(0, buf_span(&t.out),
		SPAN("+OK fine\r\n+OK Capabilities "
		     "follow\r\nTOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\n"
		     "AUTH-RESP-CODE\r\nUTF8\r\nUSER\r\nSASL PLAIN LOGIN\r\nSTLS\r\n.\r\n"));
	talk_fini(&t);
	strict.login_in_clear = false;
	talk_all(&t, &strict, turns, 100);
	check_span(1, buf_span(&t.out),
		SPAN("+OK fine\r\n+OK Capabilities "
		     "follow\r\nTOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\n"
		     "AUTH-RESP-CODE\r\nUTF8\r\nSTLS\r\n.\r\n"));
	talk_fini(&t);
}

static void
test_pop3_server_h03_stls(void **state)
{
	static const char *const early[] = {"STLS\r\nUSER anna\r\n", NULL};
	static const char *const auth[] = {"AUTH PLAIN\r\nAGFubmEAc2UgY3JldA==\r\n", NULL};
	static const char *const turns[] = {"USER anna\r\n", "STLS\r\n", NULL};
	struct talk t;

	(void)state;
	talk_all(&t, &config, early, 100);
	assert_int_equal(t.why, POP3_CLOSE_EARLY_BYTES);
	talk_fini(&t);
	talk_all(&t, &config, auth, 100);
	assert_int_equal(t.why, POP3_CLOSE_EARLY_BYTES);
	talk_fini(&t);
	talk_all(&t, &config, turns, 1);
	assert_int_equal(t.machine.state, POP3_STATE_TLS);
	pop3_server_tls_started(&t.machine);
	buf_clear(&t.out);
	(void)talk_read(&t, SPAN("PASS se cret\r\nSTLS\r\n"));
	check_span(0, buf_span(&t.out), SPAN("-ERR Say USER first\r\n-ERR Not offered now\r\n"));
	talk_fini(&t);
}

/* Bytes that come while the password is looked at are behind AUTH as much as those in one read. */
static void
test_pop3_server_h04_bytes_while_it_waits(void **state)
{
	struct span line = SPAN("AUTH PLAIN AGFubmEAc2UgY3JldA==\r\n");
	struct pop3_event ev;
	struct talk t;

	(void)state;
	memset(&t, 0, sizeof(t));
	buf_init(&t.out, 65536);
	pop3_server_init(&t.machine, &config, false);
	(void)talk_read(&t, SPAN_NONE);
	assert_int_equal(pop3_server_next(&t.machine, line, &ev), line.len);
	assert_int_equal(ev.kind, POP3_LOGIN);
	assert_int_equal(pop3_server_next(&t.machine, SPAN("STAT\r\n"), &ev), 0);
	assert_int_equal(ev.kind, POP3_NEED_REPLY);
	pop3_server_answer(&t.machine, POP3_OK("in"), &t.out);
	(void)pop3_server_next(&t.machine, SPAN("STAT\r\n"), &ev);
	assert_int_equal(ev.kind, POP3_CLOSE);
	assert_int_equal(ev.why, POP3_CLOSE_EARLY_BYTES);
	talk_fini(&t);
}

static void
test_pop3_server_h24_nul(void **state)
{
	static const char *const none[] = {NULL};
	struct talk t;

	(void)state;
	talk_all(&t, &config, none, 1);
	(void)talk_read(&t, SPAN("USER an\0na\r\n"));
	assert_int_equal(t.why, POP3_CLOSE_BAD_LINE);
	talk_fini(&t);
}

/* Passwords of 256 bytes are taken, longer ones are not asked about. */
static void
test_pop3_server_password_has_a_limit(void **state)
{
	char line[300] = "PASS ";
	const char *turns[] = {"USER anna\r\n", line, NULL};
	struct pop3_server_config wide = config;

	(void)state;
	wide.command_line = 1000;
	for (size_t len = SASL_PASSWORD_MAX; len <= SASL_PASSWORD_MAX + 1; len++) {
		bool fits = len <= SASL_PASSWORD_MAX;
		struct talk t;

		memset(line + 5, 'x', len);
		memcpy(line + 5 + len, "\r\n", 3);
		talk_all(&t, &wide, turns, 1000);
		check_row(len, fits == (span_find_span(buf_span(&t.out), SPAN("[AUTH]")) <
					       buf_span(&t.out).len));
		talk_fini(&t);
	}
}

/* A refusal has no lines behind it, whatever the session says. */
static void
test_pop3_server_refusal_sends_nothing(void **state)
{
	static const char *const login[] = {LOGIN, NULL};
	struct pop3_reply no = {.text = SPAN("no"), .more = true};
	struct pop3_event ev;
	struct talk t;

	(void)state;
	talk_all(&t, &config, login, 100);
	(void)pop3_server_next(&t.machine, SPAN("RETR 1\r\n"), &ev);
	pop3_server_answer(&t.machine, no, &t.out);
	assert_false(t.machine.sending);
	talk_fini(&t);
}

static void
test_pop3_server_h06_line_limit(void **state)
{
	char line[100];
	const char *turns[] = {line, NULL};

	(void)state;
	for (int extra = -1; extra <= 1; extra++) {
		struct talk t;

		snprintf(line, sizeof(line), "USER %0*d\r\n", 59 + extra, 0);
		talk_all(&t, &config, turns, 1);
		assert_int_equal(t.why, extra > 0 ? POP3_CLOSE_BAD_LINE : POP3_CLOSE_NONE);
		talk_fini(&t);
	}
}

static void
test_pop3_reply_pop07_in_use_is_no_trouble_of_ours(void **state)
{
	(void)state;
	for (int err = OK + 1; err <= ERR_CORRUPT; err++)
		check_row((size_t)err, !span_eq(span_of(pop3_reply_for(err).code), SPAN("IN-USE")));
	check_span(0, span_of(pop3_reply_for(ERR_BUSY).code), SPAN("SYS/TEMP")); /* RFC 3206, 4 */
}

int
test_pop3(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pop3_command_rows),
		cmocka_unit_test(test_pop3_server_pop01_conversations),
		cmocka_unit_test(test_pop3_server_pop01_capa),
		cmocka_unit_test(test_pop3_server_h03_stls),
		cmocka_unit_test(test_pop3_server_h04_bytes_while_it_waits),
		cmocka_unit_test(test_pop3_server_h24_nul),
		cmocka_unit_test(test_pop3_reply_pop07_in_use_is_no_trouble_of_ours),
		cmocka_unit_test(test_pop3_server_password_has_a_limit),
		cmocka_unit_test(test_pop3_server_refusal_sends_nothing),
		cmocka_unit_test(test_pop3_server_h06_line_limit),
	};

	return cmocka_run_group_tests_name("pop3", tests, NULL, NULL);
}
