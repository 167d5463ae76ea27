/*
 * smtp_server_auth.c - AUTH: one exchange at a time (RFC 4954, 4; H67).
 */
#include "proto/smtp/smtp_server_inside.h"

unsigned
smtp_server_mechanisms(const struct smtp_server *m)
{
	if (m->tls || m->config.auth_in_clear)
		return m->config.mechanisms;
	return m->config.mechanisms & SASL_ALSO_IN_CLEAR;
}

static void
raise_auth(struct smtp_server *m, struct smtp_event *ev, enum smtp_event_kind kind)
{
	smtp_server_raise(m, ev, kind);
	m->go_ahead = true;
}

/* RESPONSE has come, or SPAN_NONE where the mechanism has yet to ask. */
void
smtp_server_go_on_with_auth(struct smtp_server *m, struct smtp_event *ev, struct span response)
{
	struct span challenge;
	enum err why;

	smtp_server_enter(m, SMTP_STATE_AUTH);
	switch (sasl_take(&m->sasl, response, m->config.hostname, &challenge, &ev->login, &why)) {
	case SASL_TURN_LOGIN:
		raise_auth(m, ev, SMTP_AUTH);
		return;
	case SASL_TURN_KEYS:
		raise_auth(m, ev, SMTP_AUTH_KEYS);
		return;
	case SASL_TURN_CONFIRMED:
		raise_auth(m, ev, SMTP_AUTH_CONFIRMED);
		return;
	case SASL_TURN_CHALLENGE:
		smtp_server_settle(m, ev, (struct smtp_reply){ .code = 334, .text = challenge });
		m->go_ahead = true;
		return;
	case SASL_TURN_BAD:
		break;
	}
	sasl_fini(&m->sasl);
	smtp_server_enter(m, SMTP_STATE_GREETED);
	smtp_server_settle_bad(m, ev,
		why == ERR_DENIED ? SMTP_REPLY(501, "5.7.0", "Cancelled")
				  : SMTP_REPLY(501, "5.5.2", "Malformed credentials"));
}

struct smtp_reply
smtp_server_keys(struct smtp_server *m, struct span salt, unsigned iterations)
{
	return (struct smtp_reply){ .code = 334,
		.text = sasl_give_keys(&m->sasl, salt, iterations) };
}

struct smtp_reply
smtp_server_signature(struct smtp_server *m, struct span signature)
{
	return (struct smtp_reply){ .code = 334, .text = sasl_give_signature(&m->sasl, signature) };
}

/* RFC 4954, 4 */
void
smtp_server_do_auth(struct smtp_server *m, struct smtp_event *ev)
{
	enum sasl_mechanism mechanism = sasl_find(ev->command.argument);

	if (m->state != SMTP_STATE_GREETED || !m->esmtp || m->authenticated)
		smtp_server_settle_bad(m, ev, SMTP_REPLY(503, "5.5.1", "Not now"));
	else if (m->config.mechanisms == 0)
		smtp_server_settle_bad(m, ev, SMTP_REPLY(502, "5.5.1", "Not offered here"));
	else if (mechanism == SASL_NONE || !(m->config.mechanisms & SASL_BIT(mechanism)))
		smtp_server_settle_bad(m, ev, SMTP_REPLY(504, "5.5.4", "Unknown mechanism"));
	else if (!(smtp_server_mechanisms(m) & SASL_BIT(mechanism)))
		smtp_server_settle_bad(m, ev, SMTP_REPLY(538, "5.7.11", "Only after STARTTLS"));
	else {
		sasl_init(&m->sasl, mechanism, &m->nonce);
		smtp_server_go_on_with_auth(m, ev, ev->command.initial);
	}
}
