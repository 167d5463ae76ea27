/*
 * smtp_client_begin.c - from the greeting until a message may be sent: EHLO, STARTTLS, AUTH.
 */
#include "proto/smtp/smtp_client_inside.h"

/* EHLO first; HELO where that is unknown (OUT-07). */
void
smtp_client_hello(struct smtp_client *m, struct buf *out)
{
	m->extensions = (struct smtp_extensions){ 0 };
	m->ehlo = !m->config.helo_only;
	smtp_client_enter(m, SMTP_STAGE_HELLO);
	SMTP_PUT(m, out, m->ehlo ? SPAN("EHLO ") : SPAN("HELO "), m->config.hostname);
}

void
smtp_client_on_greeting(struct smtp_client *m, struct smtp_answer a, struct buf *out)
{
	if (a.code == 220)
		smtp_client_hello(m, out);
	else
		smtp_client_end(m, SMTP_OVER_REFUSED, a);
}

/* ---- AUTH (RFC 4954) ---- */

/* H67: what shows the secret wants TLS, unless the route does without on purpose. */
static unsigned
usable(const struct smtp_client *m)
{
	unsigned set = m->extensions.mechanisms;

	set &= m->config.account_has_token ? SASL_CLIENT_WITH_TOKEN : ~SASL_CLIENT_WITH_TOKEN;
	if (!m->tls && !m->config.secret_in_clear)
		set &= ~SASL_CLIENT_SHOWS_SECRET;
	if (m->config.nonce.len == 0)
		set &= ~SASL_CLIENT_BIT(SASL_CLIENT_SCRAM_SHA_256);
	return set;
}

/* A long initial response waits until it is asked for: lines have a limit (RFC 4954, 4). */
static void
put_auth(struct smtp_client *m, struct span initial, struct buf *out)
{
	struct span name = span_of(sasl_client_name(m->sasl.mechanism));

	if (initial.len > 0 && sizeof("AUTH ") + name.len + initial.len <= SMTP_CLIENT_LINE) {
		SMTP_PUT(m, out, SPAN("AUTH "), name, SPAN(" "), initial);
	} else {
		m->sasl.step = 0; /* the response comes after 334 */
		SMTP_PUT(m, out, SPAN("AUTH "), name);
	}
}

static void
begin_auth(struct smtp_client *m, struct buf *out)
{
	enum sasl_client_mechanism mechanism = sasl_client_best(usable(m));
	struct span initial;
	const char *why;

	if (mechanism == SASL_CLIENT_NONE) {
		smtp_client_end(m, SMTP_OVER_NO_AUTH, (struct smtp_answer){ 0 });
		return;
	}
	sasl_client_fini(&m->sasl);
	sasl_client_init(&m->sasl, mechanism, &m->config.account, &m->config.nonce);
	smtp_client_enter(m, SMTP_STAGE_AUTH);
	if (sasl_client_next(&m->sasl, SPAN_NONE, &initial, &why) == SASL_CLIENT_RESPONSE)
		put_auth(m, initial, out);
	else
		smtp_client_end(m, SMTP_OVER_AUTH, (struct smtp_answer){ .text = span_of(why) });
}

static void
respond(struct smtp_client *m, enum sasl_client_turn turn, struct span response, const char *why,
	struct buf *out)
{
	if (turn == SASL_CLIENT_RESPONSE)
		SMTP_PUT(m, out, response);
	else
		smtp_client_end(m, SMTP_OVER_AUTH, (struct smtp_answer){ .text = span_of(why) });
}

void
smtp_client_prove(struct smtp_client *m, struct span proof, struct span signature, struct buf *out)
{
	const char *why = "";
	struct span response;
	enum sasl_client_turn turn;

	ENSURE(m->pending == SMTP_CLIENT_TASK);
	m->pending = SMTP_CLIENT_NEED_BYTES;
	turn = sasl_client_prove(&m->sasl, proof, signature, &response, &why);
	respond(m, turn, response, why, out);
}

static void
on_challenge(struct smtp_client *m, struct span challenge, struct buf *out,
	struct smtp_client_event *ev)
{
	const char *why = "";
	struct span response;
	enum sasl_client_turn turn =
		sasl_client_next(&m->sasl, span_trim(challenge), &response, &why);

	if (turn == SASL_CLIENT_PROVE) {
		smtp_client_raise(m, ev, SMTP_CLIENT_TASK);
		ev->task = &m->sasl.task;
	} else {
		respond(m, turn, response, why, out);
	}
}

void
smtp_client_on_auth(struct smtp_client *m, struct smtp_answer a, struct span challenge,
	struct buf *out, struct smtp_client_event *ev)
{
	if (a.code == 334) {
		on_challenge(m, challenge, out, ev);
	} else if (a.code == 235 && sasl_client_is_settled(&m->sasl)) {
		m->authenticated = true;
		sasl_client_fini(&m->sasl);
		smtp_client_enter(m, SMTP_STAGE_IDLE);
	} else {
		smtp_client_end(m, SMTP_OVER_AUTH, a);
	}
}

/* ---- EHLO and STARTTLS ---- */

/* As good as it gets: log in, or be ready. */
static void
go_on(struct smtp_client *m, struct buf *out)
{
	if (m->config.account.name.len > 0)
		begin_auth(m, out);
	else
		smtp_client_enter(m, SMTP_STAGE_IDLE);
}

void
smtp_client_on_hello(struct smtp_client *m, struct smtp_answer a, struct buf *out)
{
	if (!smtp_answer_is_good(a) && m->ehlo && smtp_answer_is_final(a)) {
		m->ehlo = false;
		m->extensions = (struct smtp_extensions){ 0 };
		SMTP_PUT(m, out, SPAN("HELO "), m->config.hostname);
		return;
	}
	if (!smtp_answer_is_good(a)) {
		smtp_client_end(m, SMTP_OVER_REFUSED, a);
		return;
	}
	if (!m->ehlo)
		m->extensions = (struct smtp_extensions){ 0 };
	if (m->tls || m->config.tls == SMTP_CLIENT_TLS_NONE) {
		go_on(m, out);
	} else if (m->extensions.offered & SMTP_EXT_STARTTLS) {
		smtp_client_enter(m, SMTP_STAGE_STARTTLS);
		SMTP_PUT(m, out, SPAN("STARTTLS"));
	} else if (m->config.tls == SMTP_CLIENT_TLS_REQUIRED) {
		smtp_client_end(m, SMTP_OVER_NO_TLS, (struct smtp_answer){ 0 });
	} else {
		go_on(m, out);
	}
}

void
smtp_client_on_starttls(struct smtp_client *m, struct smtp_answer a, struct buf *out)
{
	if (a.code == 220)
		m->handshake = true;
	else if (m->config.tls == SMTP_CLIENT_TLS_REQUIRED)
		smtp_client_end(m, SMTP_OVER_NO_TLS, a);
	else
		go_on(m, out);
}
