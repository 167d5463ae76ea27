/* fuzz_pop3_server.c - a whole session: the first two bytes choose reads, answers and settings. */
#include "proto/pop3/pop3_server.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_nonce.h"

struct session {
	struct pop3_server machine;
	struct buf *out;
	unsigned answers;
};

static struct pop3_reply
answer_to(struct session *s, const struct pop3_event *ev)
{
	struct pop3_reply yes = POP3_OK("OK");

	s->answers = s->answers * 1103515245u + 12345u;
	if (ev->kind == POP3_SETTLED)
		return ev->reply;
	if (s->answers >> 28 == 0)
		return POP3_ERR("AUTH", "No");
	yes.more = ev->kind == POP3_RETR || ev->kind == POP3_TOP;
	return yes;
}

static size_t
step(void *arg, struct span in)
{
	struct session *s = arg;
	struct pop3_event ev;
	size_t total = 0;

	for (;;) {
		size_t used = pop3_server_next(&s->machine, span_from(in, total), &ev);

		ENSURE(used <= in.len - total);
		total += used;
		if (ev.kind == POP3_CLOSE)
			return SIZE_MAX;
		if (ev.kind == POP3_NEED_BYTES)
			return total;
		fuzz_nonce(&s->machine.nonce);
		if (ev.kind == POP3_KEYS)
			pop3_server_answer(&s->machine,
				pop3_server_keys(&s->machine, SPAN("0123456789abcdef"), 4096), s->out);
		else if (ev.kind == POP3_LOGIN && ev.login.mechanism == SASL_SCRAM_SHA_256 &&
			(s->answers & 8))
			pop3_server_answer(&s->machine,
				pop3_server_signature(&s->machine, ev.login.proof), s->out);
		else
			pop3_server_answer(&s->machine, answer_to(s, &ev), s->out);
		if (s->machine.sending)
			pop3_server_sent(&s->machine);
		if (s->machine.state == POP3_STATE_TLS && total == in.len)
			pop3_server_tls_started(&s->machine);
	}
}

FUZZ(in, a, out)
{
	struct pop3_server_config config = {.command_line = 200, .bad_commands = 20,
		.auth_failures = 3, .stls = true, .mechanisms = ALL_MECHANISMS,
		.hostname = SPAN("mail.example.org"), .timestamp = SPAN("<1.2@mail.example.org>")};
	struct session s = {.out = out};

	if (in.len < 2)
		return;
	s.answers = (unsigned char)in.ptr[1];
	config.login_in_clear = in.ptr[1] & 1;
	pop3_server_init(&s.machine, &config, in.ptr[1] & 4);
	fuzz_nonce(&s.machine.nonce);
	fuzz_in_pieces(span_from(in, 2), (unsigned char)in.ptr[0], step, &s);
	pop3_server_fini(&s.machine);
}
