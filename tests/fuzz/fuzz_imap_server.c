/* fuzz_imap_server.c - a whole session: the first two bytes choose reads, answers and settings. */
#include "proto/imap/imap_server.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_nonce.h"

struct session {
	struct imap_server machine;
	struct buf *out;
	struct arena *arena;
	unsigned answers;
	uint64_t message; /* bytes of the message that comes, still to come */
	bool appending;
};

static unsigned
choose(struct session *s)
{
	s->answers = s->answers * 1103515245u + 12345u;
	return s->answers >> 28;
}

static struct imap_reply
answer_to(struct session *s, const struct imap_event *ev)
{
	unsigned choice = choose(s);

	if (ev->kind == IMAP_SETTLED || ev->kind == IMAP_APPEND_ABORT || ev->kind == IMAP_IDLE_DONE)
		return ev->reply;
	if (choice == 0)
		return IMAP_NO("AUTHENTICATIONFAILED", "No");
	return choice == 1 && ev->kind == IMAP_COMMAND ? IMAP_BAD("Bad") : IMAP_OK("Yes");
}

/* Texts come between BEGIN or NEXT and the end of it, so many bytes as were announced. */
static void
check_order(struct session *s, const struct imap_event *ev)
{
	switch (ev->kind) {
	case IMAP_APPEND_BEGIN:
		ENSURE(!s->appending && ev->append.size > 0 && ev->append.size <= 5000);
		break;
	case IMAP_APPEND_NEXT:
	case IMAP_APPEND_END:
		ENSURE(s->appending && s->message == 0);
		break;
	case IMAP_APPEND_TEXT:
		ENSURE(s->appending && ev->text.len <= s->message);
		s->message -= ev->text.len;
		break;
	case IMAP_APPEND_ABORT:
		ENSURE(s->appending);
		break;
	default:
		ENSURE(!s->appending || ev->kind == IMAP_NEED_BYTES || ev->kind == IMAP_CLOSE ||
			ev->why != IMAP_CLOSE_NONE);
	}
}

static void
answer(struct session *s, struct imap_event *ev)
{
	struct imap_server *m = &s->machine;
	bool append = ev->kind == IMAP_APPEND_BEGIN || ev->kind == IMAP_APPEND_NEXT;

	if (append && choose(s) != 0) {
		s->appending = true;
		s->message = ev->append.size;
		imap_server_take(m, s->out);
		return;
	}
	s->appending = false;
	if (ev->kind == IMAP_KEYS)
		imap_server_answer(m, imap_server_keys(m, SPAN("0123456789abcdef"), 4096), s->out);
	else if (ev->kind == IMAP_LOGIN && ev->login.mechanism == SASL_SCRAM_SHA_256 &&
		(s->answers & 8))
		imap_server_answer(m, imap_server_signature(m, ev->login.proof), s->out);
	else if (ev->kind == IMAP_COMMAND && span_eq_nocase(ev->name, SPAN("IDLE")))
		imap_server_idle(m, s->out);
	else
		imap_server_answer(m, answer_to(s, ev), s->out);
}

static size_t
step(void *arg, struct span in)
{
	struct session *s = arg;
	struct imap_event ev;
	size_t total = 0;

	for (;;) {
		size_t used = imap_server_next(&s->machine, span_from(in, total), &ev);

		ENSURE(used <= in.len - total);
		total += used;
		check_order(s, &ev);
		if (ev.kind == IMAP_CLOSE)
			return SIZE_MAX;
		if (ev.kind == IMAP_NEED_BYTES)
			return total;
		fuzz_nonce(&s->machine.nonce);
		if (ev.kind != IMAP_APPEND_TEXT)
			answer(s, &ev);
		arena_reset(s->arena);
		buf_clear(s->out);
		if (s->machine.state == IMAP_STATE_TLS && total == in.len)
			imap_server_tls_started(&s->machine);
	}
}

FUZZ(in, a, out)
{
	struct imap_server_config config = { .message_size = 5000, .bad_commands = 20,
		.auth_failures = 3, .starttls = true, .mechanisms = ALL_MECHANISMS,
		.hostname = SPAN("mail.example.org"), .arena = a };
	struct session s = { .out = out, .arena = a };

	if (in.len < 2)
		return;
	s.answers = (unsigned char)in.ptr[1];
	config.login_in_clear = in.ptr[1] & 1;
	imap_server_init(&s.machine, &config, in.ptr[1] & 4);
	fuzz_nonce(&s.machine.nonce);
	fuzz_in_pieces(span_from(in, 2), (unsigned char)in.ptr[0], step, &s);
	imap_server_fini(&s.machine);
}
