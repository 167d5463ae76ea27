/* fuzz_smtp_client.c - a server that says anything: the first two bytes choose reads and settings. */
#include "proto/smtp/smtp_client.h"
#include "tests/fuzz/fuzz.h"

#define TEXT SPAN(".\r\nx")

struct session {
	struct smtp_client machine;
	struct smtp_client_mail mail;
	struct buf *out;
	unsigned sent;
};

static void
hold(struct session *s, const struct smtp_client_event *ev, bool all_used)
{
	struct smtp_client *m = &s->machine;

	if (ev->kind == SMTP_CLIENT_STARTTLS && all_used)
		smtp_client_tls_started(m, s->out);
	else if (ev->kind == SMTP_CLIENT_TASK)
		smtp_client_prove(m, SPAN("0123456789abcdef"),
			SPAN("0123456789abcdef0123456789abcdef"), s->out);
	else if (ev->kind == SMTP_CLIENT_READY && s->sent++ < 20)
		smtp_client_send(m, &s->mail, s->out);
	else if (ev->kind == SMTP_CLIENT_READY)
		smtp_client_quit(m, s->out);
	else if (ev->kind == SMTP_CLIENT_GO)
		ENSURE(smtp_client_text(m, TEXT, s->out) == OK &&
			smtp_client_text_end(m, s->out) == OK);
	else if (ev->kind == SMTP_CLIENT_RECIPIENT)
		ENSURE(ev->recipient < s->mail.count);
}

static size_t
step(void *arg, struct span in)
{
	struct session *s = arg;
	struct smtp_client_event ev;
	size_t total = 0;

	for (;;) {
		size_t used = smtp_client_next(&s->machine, span_from(in, total), s->out, &ev);

		ENSURE(used <= in.len - total);
		total += used;
		buf_clear(s->out);
		if (ev.kind == SMTP_CLIENT_OVER)
			return SIZE_MAX;
		if (ev.kind == SMTP_CLIENT_NEED_BYTES || ev.kind == SMTP_CLIENT_NEED_HOLDER)
			return total;
		hold(s, &ev, total == in.len);
	}
}

FUZZ(in, a, out)
{
	static const struct smtp_client_recipient recipients[] = { { SPAN("a@x.test"), { 0 } },
		{ SPAN("b@x.test"), { 0 } }, { SPAN("c@x.test"), { 0 } } };
	struct smtp_client_config config = { .hostname = SPAN("me.test"), .nonce = { 4, "abcd" } };
	struct session s = { .out = out };

	if (in.len < 2)
		return;
	config.tls = (in.ptr[1] & 3) % 3;
	config.secret_in_clear = in.ptr[1] & 4;
	config.account_has_token = in.ptr[1] & 8;
	if (in.ptr[1] & 16)
		config.account = (struct sasl_account){ SPAN("anna"), SPAN("pass"), SPAN("x.test"), 25 };
	s.mail = (struct smtp_client_mail){ .reverse_path = SPAN("s@y.test"), .size = TEXT.len,
		.is_8bit = in.ptr[1] & 32, .recipients = recipients, .count = 1 + (in.ptr[1] & 64 ? 2 : 0) };
	smtp_client_init(&s.machine, &config);
	fuzz_in_pieces(span_from(in, 2), (unsigned char)in.ptr[0], step, &s);
	smtp_client_fini(&s.machine);
}
