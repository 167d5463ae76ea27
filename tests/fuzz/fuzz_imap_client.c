/* fuzz_imap_client.c - a server that says anything: the first two bytes choose reads and settings. */
#include "proto/imap/imap_client.h"
#include "tests/fuzz/fuzz.h"

struct session {
	struct imap_client machine;
	struct buf *out;
	unsigned turn;
	bool ready;
};

/* What comes next, once all has been answered. */
static void
go_on(struct session *s)
{
	struct imap_client *m = &s->machine;

	switch (s->turn++ % 6) {
	case 0:
		imap_client_list(m, s->out);
		break;
	case 1:
		for (unsigned i = 0; i < 5; i++)
			imap_client_order(m, IMAP_STAGE_HEAD + (enum imap_client_stage)i, 5 + i);
		break;
	case 2:
		imap_client_expunge(m, s->out);
		break;
	case 3:
		if (m->can & IMAP_CAN_IDLE)
			imap_client_idle(m, s->out);
		else
			imap_client_noop(m, s->out);
		break;
	case 4:
		imap_client_order(m, IMAP_STAGE_FETCH, 7);
		imap_client_order(m, IMAP_STAGE_FETCH, 9);
		imap_client_order(m, IMAP_STAGE_FETCH, 8);
		break;
	default:
		if (s->turn > 60)
			imap_client_logout(m, s->out);
		else
			imap_client_noop(m, s->out);
	}
}

static size_t
hold(struct session *s, const struct imap_client_event *ev, bool all_used)
{
	struct imap_client *m = &s->machine;
	size_t left = ev->text.len / 3;

	if (ev->kind == IMAP_CLIENT_TEXT && left > 0) {
		imap_client_again(m, left);
		return left;
	}
	if (ev->kind == IMAP_CLIENT_STARTTLS && all_used)
		imap_client_tls_started(m, s->out);
	else if (ev->kind == IMAP_CLIENT_TASK)
		imap_client_prove(m, SPAN("0123456789abcdef"),
			SPAN("0123456789abcdef0123456789abcdef"), s->out);
	else if (ev->kind == IMAP_CLIENT_NEWS)
		imap_client_idle_end(m, s->out);
	else if (ev->kind == IMAP_CLIENT_READY)
		s->ready = true;
	return 0;
}

static size_t
step(void *arg, struct span in)
{
	struct session *s = arg;
	struct imap_client_event ev;
	char command[60];
	size_t total = 0;

	for (;;) {
		size_t used = imap_client_next(&s->machine, span_from(in, total), s->out, &ev);

		ENSURE(used <= in.len - total);
		total += used;
		buf_clear(s->out);
		imap_client_command(&s->machine, command, sizeof(command));
		if (ev.kind == IMAP_CLIENT_OVER)
			return SIZE_MAX;
		if (ev.kind == IMAP_CLIENT_NEED_BYTES && s->ready && imap_client_is_quiet(&s->machine)) {
			go_on(s);
			continue;
		}
		if (ev.kind == IMAP_CLIENT_NEED_BYTES || ev.kind == IMAP_CLIENT_NEED_HOLDER)
			return total;
		total -= hold(s, &ev, total == in.len);
	}
}

FUZZ(in, a, out)
{
	struct imap_client_config config = { .nonce = { 4, "abcd" }, .folder = SPAN("INBOX"),
		.account = { SPAN("anna"), SPAN("pass"), SPAN("x.test"), 143 } };
	struct session s = { .out = out };

	if (in.len < 2)
		return;
	config.tls = in.ptr[1] & 1;
	config.secret_in_clear = in.ptr[1] & 2;
	config.secure = in.ptr[1] & 4;
	config.login = in.ptr[1] & 8;
	config.mechanisms = in.ptr[1] & 16 ? ~0u : 0;
	if (in.ptr[1] & 32)
		config.account.password = SPAN("gr\xc3\xbc\xc3\x9f");
	imap_client_init(&s.machine, &config);
	fuzz_in_pieces(span_from(in, 2), (unsigned char)in.ptr[0], step, &s);
	imap_client_fini(&s.machine);
}
