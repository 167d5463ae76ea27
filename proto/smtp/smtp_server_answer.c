/*
 * smtp_server_answer.c - what an answer means for the dialogue, and how it is written.
 */
#include "proto/smtp/smtp_server_inside.h"

#define EHLO_TEXT_MAX 1024 /* bytes of the answer to EHLO */

static void
begin_text(struct smtp_server *m)
{
	smtp_data_init(&m->data, m->config.line_length);
	m->message_bytes = 0;
	m->too_big = false;
	smtp_server_enter(m, SMTP_STATE_DATA);
}

static void
end_auth(struct smtp_server *m, struct smtp_reply reply)
{
	sasl_fini(&m->sasl);
	smtp_server_enter(m, SMTP_STATE_GREETED);
	m->authenticated = smtp_reply_is_positive(reply);
	if (!m->authenticated && reply.code >= 500)
		m->auth_failures++;
	if (m->auth_failures >= m->config.auth_failures && !m->close_after)
		m->close_after = SMTP_CLOSE_AUTH_FAILURES;
}

/* What the session's answer means for the dialogue. */
static void
apply_answer(struct smtp_server *m, enum smtp_event_kind kind, struct smtp_reply reply)
{
	bool positive = smtp_reply_is_positive(reply);

	if (kind == SMTP_CONNECT && positive)
		smtp_server_enter(m, SMTP_STATE_READY);
	else if (kind == SMTP_CONNECT)
		m->close_after = SMTP_CLOSE_REFUSED;
	else if (kind == SMTP_HELLO && positive) {
		m->esmtp = m->pending_verb != SMTP_VERB_HELO;
		smtp_server_enter(m, SMTP_STATE_GREETED);
	} else if (kind == SMTP_MAIL && positive)
		smtp_server_enter(m, SMTP_STATE_MAIL);
	else if (kind == SMTP_RCPT && positive) {
		m->recipients_accepted++;
		smtp_server_enter(m, SMTP_STATE_RCPT);
	} else if (kind == SMTP_RCPT)
		m->recipients_refused++;
	else if (kind == SMTP_DATA && reply.code == 354)
		begin_text(m);
	else if (kind == SMTP_MESSAGE_END || kind == SMTP_MESSAGE_REFUSED)
		smtp_server_end_transaction(m);
	else if (kind == SMTP_STARTTLS && positive)
		smtp_server_enter(m, SMTP_STATE_TLS);
	else if ((kind == SMTP_AUTH || kind == SMTP_AUTH_KEYS || kind == SMTP_AUTH_CONFIRMED) &&
		reply.code != 334)
		end_auth(m, reply);
	else if (kind == SMTP_QUIT)
		m->close_after = SMTP_CLOSE_QUIT;
}

/* RFC 5321, 4.1.1.1: our name, then an extension a line. */
static enum err
put_extensions(const struct smtp_server *m, struct smtp_reply reply, struct buf *out)
{
	char room[EHLO_TEXT_MAX];
	struct buf text = { .bytes = room, .size = sizeof(room), .max = sizeof(room) };
	bool ok = buf_printf(&text, "%.*s %.*s\nPIPELINING\nENHANCEDSTATUSCODES\n8BITMIME\n"
				     "SMTPUTF8",
			  SPAN_FMT(span_range(m->config.hostname, 0, 255)),
			  SPAN_FMT(span_range(reply.text, 0, 255))) == OK;

	if (m->config.message_size)
		ok = ok && buf_printf(&text, "\nSIZE %llu",
				    (unsigned long long)m->config.message_size) == OK;
	else
		ok = ok && buf_put(&text, SPAN("\nSIZE")) == OK;
	if (m->config.dsn)
		ok = ok && buf_put(&text, SPAN("\nDSN")) == OK;
	ok = ok && buf_put(&text, SPAN("\nHELP")) == OK;
	if (m->config.starttls && !m->tls)
		ok = ok && buf_put(&text, SPAN("\nSTARTTLS")) == OK;
	if (smtp_server_mechanisms(m))
		ok = ok && buf_put(&text, SPAN("\nAUTH ")) == OK &&
			sasl_put_names(smtp_server_mechanisms(m), &text) == OK;
	ENSURE(ok); /* all of it is ours and bounded */
	reply.enhanced = NULL; /* RFC 2034, 4 */
	reply.text = buf_span(&text);
	return smtp_reply_put(out, reply);
}

static enum err
put_answer(const struct smtp_server *m, enum smtp_event_kind kind, struct smtp_reply reply,
	struct buf *out)
{
	if (kind != SMTP_HELLO || !smtp_reply_is_positive(reply))
		return smtp_reply_put(out, reply);
	if (m->esmtp)
		return put_extensions(m, reply, out);
	return smtp_reply_put(
		out, (struct smtp_reply){ .code = reply.code, .text = m->config.hostname });
}

/* After the final dot of LMTP every recipient hears for himself (RFC 2033, 4.2). */
static unsigned
replies_wanted(const struct smtp_server *m, enum smtp_event_kind kind)
{
	bool ends = kind == SMTP_MESSAGE_END || kind == SMTP_MESSAGE_REFUSED;

	return m->config.lmtp && ends ? m->recipients_accepted : 1;
}

static void
close_where_due(struct smtp_server *m)
{
	if (!m->close_after)
		return;
	m->why = m->close_after;
	sasl_fini(&m->sasl);
	smtp_server_enter(m, SMTP_STATE_CLOSED);
}

void
smtp_server_answer(struct smtp_server *m, struct smtp_reply reply, struct buf *out)
{
	enum smtp_event_kind kind = m->pending;
	unsigned wanted = replies_wanted(m, kind);
	enum err err = OK;

	ENSURE(kind != SMTP_NEED_BYTES);
	if (m->early) {
		reply = smtp_server_early_reply();
		m->close_after = SMTP_CLOSE_EARLY_BYTES;
	}
	m->pending = SMTP_NEED_BYTES;
	m->early = m->go_ahead = false;
	apply_answer(m, kind, reply);
	for (unsigned i = 0; i < wanted && err == OK; i++)
		err = put_answer(m, kind, reply, out);
	if (err != OK)
		m->close_after = SMTP_CLOSE_OUTPUT;
	if (reply.code == 421 && !m->close_after)
		m->close_after = SMTP_CLOSE_REFUSED;
	close_where_due(m);
}

void
smtp_server_answer_each(struct smtp_server *m, const struct smtp_reply *replies, struct buf *out)
{
	unsigned wanted = m->recipients_accepted;
	enum err err = OK;

	ENSURE(m->config.lmtp && m->pending == SMTP_MESSAGE_END);
	m->pending = SMTP_NEED_BYTES;
	m->early = m->go_ahead = false;
	smtp_server_end_transaction(m);
	for (unsigned i = 0; i < wanted && err == OK; i++)
		err = smtp_reply_put(out, replies[i]);
	if (err != OK)
		m->close_after = SMTP_CLOSE_OUTPUT;
	close_where_due(m);
}
