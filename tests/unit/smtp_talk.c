/*
 * smtp_talk.c - see smtp_talk.h.
 */
#include "tests/unit/smtp_talk.h"

const struct smtp_server_config smtp_talk_config = {.hostname = {"mail.example.org", 16},
	.message_size = 1000,
	.command_line = 64,
	.line_length = 100,
	.recipients = 1000,
	.bad_commands = 10, .auth_failures = 3,
	.starttls = true,
	.mechanisms = SASL_SEND_PASSWORD,
	.auth_in_clear = true,
	.dsn = true};

void
smtp_talk_init(struct smtp_talk *t, const struct smtp_server_config *c)
{
	memset(t, 0, sizeof(*t));
	arena_init(&t->arena, NULL);
	buf_init(&t->out, 65536);
	buf_init(&t->text, 65536);
	smtp_server_init(&t->machine, c, &t->arena, false);
}

void
smtp_talk_fini(struct smtp_talk *t)
{
	smtp_server_fini(&t->machine);
	arena_reset(&t->arena);
	buf_fini(&t->out);
	buf_fini(&t->text);
}

static struct smtp_reply
judge(struct smtp_talk *t, const struct smtp_event *ev)
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

size_t
smtp_talk_read(struct smtp_talk *t, struct span in)
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

void
smtp_talk_all(struct smtp_talk *t, const char *const *turns, size_t size)
{
	for (; *turns && !t->closed; turns++) {
		struct span turn = span_of(*turns);
		size_t start = 0, end = 0;

		while (end < turn.len && !t->closed) {
			end = end + size < turn.len ? end + size : turn.len;
			start += smtp_talk_read(t, at_page_edge(span_range(turn, start, end)));
		}
		(void)smtp_talk_read(t, SPAN_NONE);
	}
}

void
smtp_talk_check(size_t row, const struct smtp_talk *t, const char *want)
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
