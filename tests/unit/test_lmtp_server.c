/*
 * test_lmtp_server.c - the LMTP mode of the SMTP machine: one reply a recipient (RFC 2033, 4.2).
 */
#include "proto/smtp/smtp_server.h"
#include "tests/unit/test_proto.h"

struct talk {
	struct smtp_server machine;
	struct arena arena;
	struct buf out;
	bool each; /* the end of a message: every second recipient is told something else */
};

static struct smtp_reply
judge(const struct smtp_event *ev)
{
	switch (ev->kind) {
	case SMTP_SETTLED:
	case SMTP_MESSAGE_REFUSED:
		return ev->reply;
	case SMTP_CONNECT:
		return SMTP_REPLY(220, NULL, "ready");
	case SMTP_RCPT:
		if (span_starts(ev->command.path.text, SPAN("no")))
			return SMTP_REPLY(550, "5.1.1", "no");
		return SMTP_REPLY(250, "2.1.5", "OK");
	case SMTP_DATA:
		return SMTP_REPLY(354, NULL, "go on");
	case SMTP_QUIT:
		return SMTP_REPLY(221, "2.0.0", "bye");
	default:
		return SMTP_REPLY(250, "2.0.0", "OK");
	}
}

static void
answer(struct talk *t, const struct smtp_event *ev)
{
	static const struct smtp_reply replies[] = {
		{ 250, "2.0.0", { "kept", 4 } }, { 450, "4.2.0", { "gone", 4 } },
		{ 250, "2.0.0", { "kept", 4 } }, { 450, "4.2.0", { "gone", 4 } } };

	if (t->each && ev->kind == SMTP_MESSAGE_END)
		smtp_server_answer_each(&t->machine, replies, &t->out);
	else
		smtp_server_answer(&t->machine, judge(ev), &t->out);
	arena_reset(&t->arena);
}

/* One read; what was used. */
static size_t
talk_read(struct talk *t, struct span in)
{
	struct smtp_event ev;
	size_t total = 0;

	for (;;) {
		size_t used = smtp_server_next(&t->machine, span_from(in, total), &ev);

		total += used;
		if (ev.kind == SMTP_CLOSE)
			return in.len;
		if (ev.kind == SMTP_NEED_BYTES && (used == 0 || total == in.len))
			return total;
		if (ev.kind != SMTP_NEED_BYTES && ev.kind != SMTP_TEXT && ev.kind != SMTP_RESET)
			answer(t, &ev);
	}
}

/* The codes of the final lines of all replies: "220 250 ". */
static struct span
codes_of(struct span rest, char *codes)
{
	struct span line;
	size_t len = 0;

	while (span_next_line(&rest, &line)) {
		if (line.len < 4 || line.ptr[3] != ' ')
			continue;
		memcpy(codes + len, line.ptr, 4);
		len += 4;
	}
	return (struct span){ codes, len };
}

static void
check_talk(size_t row, const char *text, bool each, const char *want)
{
	static const struct smtp_server_config config = { .hostname = { "mail.example.org", 16 },
		.message_size = 100, .command_line = 64, .line_length = 100, .recipients = 4,
		.bad_commands = 10, .auth_failures = 3, .lmtp = true };

	for (size_t size = 1; size <= 4096; size *= 4096) {
		struct talk t = { .each = each };
		struct span all = span_of(text);
		size_t start = 0, end = 0;
		char codes[1024];

		arena_init(&t.arena, NULL);
		buf_init(&t.out, 65536);
		smtp_server_init(&t.machine, &config, &t.arena, false);
		talk_read(&t, SPAN_NONE);
		while (end < all.len) {
			/* the text of a message comes after its go-ahead (H4) */
			size_t data = span_find_span(span_from(all, end), SPAN("DATA\r\n")) + end + 6;
			size_t next = end + size;

			if (end < data && next > data)
				next = data;
			end = next < all.len ? next : all.len;
			start += talk_read(&t, at_page_edge(span_range(all, start, end)));
		}
		check_span(row, codes_of(buf_span(&t.out), codes), span_of(want));
		smtp_server_fini(&t.machine);
		arena_reset(&t.arena);
		buf_fini(&t.out);
	}
}

#define BEGIN "LHLO c\r\nMAIL FROM:<b@example.net>\r\n"
#define ANNA "RCPT TO:<anna@example.org>\r\n"
#define NOBODY "RCPT TO:<no@example.org>\r\n"
#define TEXT "DATA\r\nx: y\r\n\r\nhello\r\n.\r\n"

static void
test_conversations(void **state)
{
	static const struct {
		const char *text;
		bool each;
		const char *want;
	} rows[] = {
		/* RFC 2033, 4.1: no HELO, no EHLO */
		{ "HELO c\r\n", false, "220 500 " },
		{ "EHLO c\r\n", false, "220 500 " },
		{ "LHLO\r\n", false, "220 501 " },
		{ "MAIL FROM:<b@example.net>\r\n", false, "220 503 " },
		/* 4.2: a reply for each that was accepted, in order; the same address twice is two */
		{ BEGIN ANNA TEXT, false, "220 250 250 250 354 250 " },
		{ BEGIN ANNA ANNA TEXT, false, "220 250 250 250 250 354 250 250 " },
		{ BEGIN ANNA NOBODY ANNA TEXT "QUIT\r\n", false,
			"220 250 250 250 550 250 354 250 250 221 " },
		{ BEGIN ANNA ANNA ANNA TEXT "NOOP\r\n", true,
			"220 250 250 250 250 250 354 250 450 250 250 " },
		/* and not those of the transaction before */
		{ BEGIN ANNA ANNA TEXT "MAIL FROM:<>\r\n" ANNA TEXT, true,
			"220 250 250 250 250 354 250 450 250 250 354 250 " },
		{ BEGIN ANNA ANNA "RSET\r\nMAIL FROM:<>\r\n" ANNA TEXT, false,
			"220 250 250 250 250 250 250 250 354 250 " },
		/* 4.2: 503 where no RCPT was accepted */
		{ BEGIN NOBODY "DATA\r\n", false, "220 250 250 550 503 " },
		/* what the machine refuses by itself is refused to each */
		{ BEGIN ANNA ANNA "DATA\r\n"
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n.\r\n",
			false, "220 250 250 250 250 354 552 552 " },
		{ BEGIN ANNA ANNA "DATA\r\nx\ny\r\n.\r\n", false,
			"220 250 250 250 250 354 550 550 " }, /* H1 */
		{ BEGIN ANNA ANNA ANNA ANNA ANNA TEXT, false,
			"220 250 250 250 250 250 250 452 354 250 250 250 250 " },
		{ "LHLO c\r\nAUTH PLAIN\r\n", false, "220 250 502 " },
		{ "LHLO c\r\nSTARTTLS\r\n", false, "220 250 502 " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_talk(i, rows[i].text, rows[i].each, rows[i].want);
}

/* LHLO is no word of SMTP. */
static void
test_lhlo_in_smtp(void **state)
{
	static const struct smtp_server_config config = { .hostname = { "mail.example.org", 16 },
		.command_line = 64, .line_length = 100, .recipients = 4, .bad_commands = 10 };
	struct talk t = { 0 };
	char codes[64];

	(void)state;
	arena_init(&t.arena, NULL);
	buf_init(&t.out, 4096);
	smtp_server_init(&t.machine, &config, &t.arena, false);
	talk_read(&t, SPAN_NONE);
	talk_read(&t, SPAN("LHLO c\r\n"));
	check_span(0, codes_of(buf_span(&t.out), codes), SPAN("220 500 "));
	arena_reset(&t.arena);
	buf_fini(&t.out);
}

int
test_lmtp_server(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversations),
		cmocka_unit_test(test_lhlo_in_smtp),
	};

	return cmocka_run_group_tests_name("lmtp_server", tests, NULL, NULL);
}
