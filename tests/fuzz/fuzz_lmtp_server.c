/*
 * fuzz_lmtp_server.c - a session of LMTP: the first two bytes choose reads and answers, and after every
 * message there are as many replies as recipients were accepted (RFC 2033, 4.2).
 */
#include "proto/smtp/smtp_server.h"
#include "tests/fuzz/fuzz.h"

#define RECIPIENTS_MAX 5

struct session {
	struct smtp_server machine;
	struct arena *arena;
	struct buf *out;
	unsigned answers;
};

static unsigned
dice(struct session *s)
{
	s->answers = s->answers * 1103515245u + 12345u;
	return s->answers >> 28;
}

static size_t
lines_in(struct span text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == '\n';
	return count;
}

static struct smtp_reply
answer_to(struct session *s, const struct smtp_event *ev)
{
	if (ev->kind == SMTP_SETTLED || ev->kind == SMTP_MESSAGE_REFUSED)
		return ev->reply;
	if (ev->kind != SMTP_CONNECT && dice(s) < 3)
		return SMTP_REPLY(450, "4.2.0", "No");
	if (ev->kind == SMTP_DATA)
		return SMTP_REPLY(354, NULL, "Go on");
	return SMTP_REPLY(250, "2.0.0", "OK");
}

static void
end_message(struct session *s, const struct smtp_event *ev)
{
	unsigned accepted = s->machine.recipients_accepted;
	size_t before = lines_in(buf_span(s->out));
	struct smtp_reply replies[RECIPIENTS_MAX];

	ENSURE(accepted > 0 && accepted <= RECIPIENTS_MAX);
	for (unsigned i = 0; i < accepted; i++)
		replies[i] = answer_to(s, ev);
	if (ev->kind == SMTP_MESSAGE_END && dice(s) % 2)
		smtp_server_answer_each(&s->machine, replies, s->out);
	else
		smtp_server_answer(&s->machine, answer_to(s, ev), s->out);
	ENSURE(lines_in(buf_span(s->out)) == before + accepted);
	ENSURE(s->machine.state == SMTP_STATE_CLOSED || s->machine.recipients_accepted == 0);
}

static size_t
step(void *arg, struct span in)
{
	struct session *s = arg;
	struct smtp_event ev;
	size_t total = 0;

	for (;;) {
		size_t used = smtp_server_next(&s->machine, span_from(in, total), &ev);

		ENSURE(used <= in.len - total);
		total += used;
		if (ev.kind == SMTP_CLOSE)
			return SIZE_MAX;
		if (ev.kind == SMTP_NEED_BYTES && (used == 0 || total == in.len))
			return total;
		ENSURE(ev.kind != SMTP_AUTH && ev.kind != SMTP_STARTTLS);
		if (ev.kind == SMTP_NEED_BYTES || ev.kind == SMTP_TEXT || ev.kind == SMTP_RESET)
			continue;
		if (ev.kind == SMTP_MESSAGE_END || ev.kind == SMTP_MESSAGE_REFUSED)
			end_message(s, &ev);
		else
			smtp_server_answer(&s->machine, answer_to(s, &ev), s->out);
		arena_reset(s->arena);
	}
}

FUZZ(in, a, out)
{
	struct smtp_server_config config = { .hostname = SPAN("mail.example.org"),
		.message_size = 2000, .command_line = 200, .line_length = 100,
		.recipients = RECIPIENTS_MAX, .bad_commands = 20, .auth_failures = 3,
		.dsn = true, .lmtp = true };
	struct session s = { .arena = a, .out = out };

	if (in.len < 2)
		return;
	s.answers = (unsigned char)in.ptr[1];
	smtp_server_init(&s.machine, &config, a, false);
	fuzz_in_pieces(span_from(in, 2), (unsigned char)in.ptr[0], step, &s);
	smtp_server_fini(&s.machine);
}
