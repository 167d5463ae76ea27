/* fuzz_smtp_server.c - a whole session: the first two bytes choose reads, answers and settings. */
#include "proto/smtp/smtp_server.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_nonce.h"

struct session {
	struct smtp_server machine;
	struct arena *arena;
	struct buf *out;
	unsigned answers;
};

static struct smtp_reply
answer_to(struct session *s, const struct smtp_event *ev)
{
	bool refuse = (s->answers = s->answers * 1103515245u + 12345u) >> 28 == 0;

	if (ev->kind == SMTP_SETTLED || ev->kind == SMTP_MESSAGE_REFUSED)
		return ev->reply;
	if (refuse)
		return SMTP_REPLY(550, "5.7.1", "No");
	if (ev->kind == SMTP_DATA)
		return SMTP_REPLY(354, NULL, "Go on");
	return SMTP_REPLY(250, "2.0.0", "OK");
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
		if (ev.kind == SMTP_RCPT)
			ENSURE(address_is_valid(&ev.command.path));
		if (ev.kind == SMTP_NEED_BYTES || ev.kind == SMTP_TEXT || ev.kind == SMTP_RESET)
			continue;
		fuzz_nonce(&s->machine.nonce);
		if (ev.kind == SMTP_AUTH_KEYS)
			smtp_server_answer(&s->machine,
				smtp_server_keys(&s->machine, SPAN("0123456789abcdef"), 4096), s->out);
		else if (ev.kind == SMTP_AUTH && ev.login.mechanism == SASL_SCRAM_SHA_256 &&
			(s->answers & 8))
			smtp_server_answer(&s->machine,
				smtp_server_signature(&s->machine, ev.login.proof), s->out);
		else
			smtp_server_answer(&s->machine, answer_to(s, &ev), s->out);
		arena_reset(s->arena);
		if (s->machine.state == SMTP_STATE_TLS && total == in.len)
			smtp_server_tls_started(&s->machine);
	}
}

FUZZ(in, a, out)
{
	struct smtp_server_config config = { .hostname = SPAN("mail.example.org"),
		.message_size = 2000, .command_line = 200, .line_length = 100, .recipients = 3,
		.bad_commands = 20, .auth_failures = 3, .starttls = true,
		.mechanisms = ALL_MECHANISMS };
	struct session s = { .arena = a, .out = out };

	if (in.len < 2)
		return;
	s.answers = (unsigned char)in.ptr[1];
	config.auth_in_clear = in.ptr[1] & 1;
	config.dsn = in.ptr[1] & 2;
	smtp_server_init(&s.machine, &config, a, in.ptr[1] & 4);
	fuzz_nonce(&s.machine.nonce);
	fuzz_in_pieces(span_from(in, 2), (unsigned char)in.ptr[0], step, &s);
	smtp_server_fini(&s.machine);
}
