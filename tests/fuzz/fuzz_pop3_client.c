/* fuzz_pop3_client.c - a POP3 server that says anything: the first two bytes choose reads and settings. */
#include "proto/pop3/pop3_client.h"
#include "tests/fuzz/fuzz.h"

struct session {
	struct pop3_client machine;
	struct buf *out;
};

static void
ask_all(struct session *s)
{
	static const enum pop3_asked_kind kinds[] = { POP3_ASKED_LIST, POP3_ASKED_UIDL, POP3_ASKED_NOTHING, POP3_ASKED_ENV,
		POP3_ASKED_RETR, POP3_ASKED_TOP, POP3_ASKED_DELE, POP3_ASKED_RETR };

	for (size_t i = 0; i < COUNT(kinds); i++)
		ENSURE(pop3_client_ask(&s->machine, kinds[i], (uint32_t)i + 1, 40, s->out) == OK);
	pop3_client_quit(&s->machine, s->out);
}

static void
hold(struct session *s, const struct pop3_client_event *ev, bool all_used)
{
	struct pop3_client *m = &s->machine;

	if (ev->kind == POP3_CLIENT_STLS && all_used)
		pop3_client_tls_started(m, s->out);
	else if (ev->kind == POP3_CLIENT_TASK || ev->kind == POP3_CLIENT_APOP)
		pop3_client_prove(m, SPAN("0123456789abcdef"), SPAN_NONE, s->out);
	else if (ev->kind == POP3_CLIENT_READY)
		ask_all(s);
	else if (ev->kind == POP3_CLIENT_SIZE || ev->kind == POP3_CLIENT_UNIQUE)
		ENSURE(ev->number > 0);
}

static size_t
step(void *arg, struct span in)
{
	struct session *s = arg;
	struct pop3_client_event ev;
	char command[80];
	size_t total = 0;

	for (;;) {
		size_t used = pop3_client_next(&s->machine, span_from(in, total), s->out, &ev);

		ENSURE(used <= in.len - total);
		total += used;
		buf_clear(s->out);
		ENSURE(pop3_client_command(&s->machine, command, sizeof(command)).len < sizeof(command));
		if (ev.kind == POP3_CLIENT_OVER)
			return SIZE_MAX;
		if (ev.kind == POP3_CLIENT_NEED_BYTES || ev.kind == POP3_CLIENT_NEED_HOLDER)
			return total;
		hold(s, &ev, total == in.len);
	}
}

FUZZ(in, a, out)
{
	struct pop3_client_config config = { .account = { SPAN("anna"), SPAN("pass"), SPAN("x.test"), 110 } };
	struct session s = { .out = out };

	if (in.len < 2)
		return;
	config.auth = (unsigned char)in.ptr[1] % 5;
	config.stls = in.ptr[1] & 32;
	config.secure = in.ptr[1] & 64;
	config.secret_in_clear = !(in.ptr[1] & 128);
	pop3_client_init(&s.machine, &config);
	fuzz_in_pieces(span_from(in, 2), (unsigned char)in.ptr[0], step, &s);
	pop3_client_fini(&s.machine);
}
