/*
 * pop3_server_auth.c - USER and PASS, APOP, AUTH: one exchange at a time (H67).
 */
#include "proto/base/hex.h"
#include "proto/pop3/pop3_server_inside.h"

#define APOP_PROOF_SIZE 16 /* bytes of an MD5 */

/* The mechanisms that may be used now. */
unsigned
pop3_server_mechanisms(const struct pop3_server *m)
{
	if (m->tls || m->config.login_in_clear)
		return m->config.mechanisms;
	return m->config.mechanisms & SASL_ALSO_IN_CLEAR;
}

bool
pop3_server_takes_password(const struct pop3_server *m)
{
	return pop3_server_mechanisms(m) & SASL_BIT(SASL_PLAIN);
}

static void
settle_not_so(struct pop3_server *m, struct pop3_event *ev, enum sasl_mechanism mechanism)
{
	bool after_tls = m->config.mechanisms & SASL_BIT(mechanism);

	pop3_server_settle_bad(m, ev, after_tls ? POP3_ERR(NULL, "Only after STLS")
				    : POP3_ERR(NULL, "Not offered here"));
}

void
pop3_server_do_user(struct pop3_server *m, struct pop3_event *ev)
{
	if (!pop3_server_takes_password(m)) {
		settle_not_so(m, ev, SASL_PLAIN);
		return;
	}
	buf_wipe(&m->name);
	if (buf_put(&m->name, ev->command.argument) != OK) {
		buf_wipe(&m->name);
		pop3_server_settle_bad(m, ev, POP3_ERR(NULL, "Name too long"));
	} else {
		pop3_server_settle(m, ev, POP3_OK("Password please")); /* whoever it is: no hint (POP-07) */
	}
}

/* The password is kept where it will be wiped, as one that came by AUTH. */
static void
raise_login(struct pop3_server *m, struct pop3_event *ev)
{
	sasl_init(&m->sasl, SASL_PLAIN, NULL);
	if (buf_put(&m->sasl.secret, ev->command.argument) != OK) {
		pop3_server_settle_bad(m, ev, POP3_ERR(NULL, "Password too long"));
		return;
	}
	ev->login = (struct sasl_login){ .mechanism = SASL_PLAIN, .name = buf_span(&m->name),
		.password = buf_span(&m->sasl.secret) };
	pop3_server_raise(m, ev, POP3_LOGIN);
}

void
pop3_server_do_pass(struct pop3_server *m, struct pop3_event *ev)
{
	if (!pop3_server_takes_password(m))
		settle_not_so(m, ev, SASL_PLAIN);
	else if (buf_span(&m->name).len == 0)
		pop3_server_settle_bad(m, ev, POP3_ERR(NULL, "Say USER first"));
	else if (ev->command.argument.len > SASL_PASSWORD_MAX)
		pop3_server_settle_bad(m, ev, POP3_ERR(NULL, "Password too long"));
	else
		raise_login(m, ev);
}

static void
raise_auth(struct pop3_server *m, struct pop3_event *ev, enum pop3_event_kind kind)
{
	pop3_server_raise(m, ev, kind);
	m->go_ahead = true;
}

/* RESPONSE has come, or SPAN_NONE where the mechanism has yet to ask (RFC 5034, 4). */
void
pop3_server_go_on_with_auth(struct pop3_server *m, struct pop3_event *ev, struct span response)
{
	struct span challenge;
	enum err why;

	pop3_server_enter(m, POP3_STATE_AUTH);
	switch (sasl_take(&m->sasl, response, m->config.hostname, &challenge, &ev->login, &why)) {
	case SASL_TURN_LOGIN:
		raise_auth(m, ev, POP3_LOGIN);
		return;
	case SASL_TURN_KEYS:
		raise_auth(m, ev, POP3_KEYS);
		return;
	case SASL_TURN_CONFIRMED:
		raise_auth(m, ev, POP3_CONFIRMED);
		return;
	case SASL_TURN_CHALLENGE:
		pop3_server_settle(m, ev, POP3_CHALLENGE(challenge));
		m->go_ahead = true;
		return;
	case SASL_TURN_BAD:
		break;
	}
	sasl_fini(&m->sasl);
	pop3_server_enter(m, POP3_STATE_AUTHORIZATION);
	pop3_server_settle_bad(m, ev,
		why == ERR_DENIED ? POP3_ERR(NULL, "Cancelled")
				  : POP3_ERR(NULL, "Malformed credentials"));
}

struct pop3_reply
pop3_server_keys(struct pop3_server *m, struct span salt, unsigned iterations)
{
	return POP3_CHALLENGE(sasl_give_keys(&m->sasl, salt, iterations));
}

struct pop3_reply
pop3_server_signature(struct pop3_server *m, struct span signature)
{
	return POP3_CHALLENGE(sasl_give_signature(&m->sasl, signature));
}

void
pop3_server_do_auth(struct pop3_server *m, struct pop3_event *ev)
{
	enum sasl_mechanism mechanism = sasl_find(ev->command.argument);

	if (mechanism == SASL_NONE) {
		pop3_server_settle_bad(m, ev, POP3_ERR(NULL, "Unknown mechanism"));
	} else if (!(pop3_server_mechanisms(m) & SASL_BIT(mechanism))) {
		settle_not_so(m, ev, mechanism);
	} else {
		sasl_init(&m->sasl, mechanism, &m->nonce);
		pop3_server_go_on_with_auth(m, ev, ev->command.initial);
	}
}

/* RFC 1939, 7: a name, and the MD5 of the timestamp and a secret. */
void
pop3_server_do_apop(struct pop3_server *m, struct pop3_event *ev)
{
	struct buf proof;

	if (!(m->config.mechanisms & SASL_BIT(SASL_APOP)) || m->config.timestamp.len == 0) {
		pop3_server_settle_bad(m, ev, POP3_ERR(NULL, "Not offered here"));
		return;
	}
	sasl_init(&m->sasl, SASL_APOP, NULL);
	proof = (struct buf){ .bytes = m->sasl.proof, .size = APOP_PROOF_SIZE,
		.max = APOP_PROOF_SIZE };
	if (ev->command.argument.len > SASL_NAME_MAX ||
		ev->command.initial.len != 2 * APOP_PROOF_SIZE ||
		hex_decode(ev->command.initial, &proof) != OK) {
		pop3_server_settle_bad(m, ev, POP3_ERR(NULL, "Malformed credentials"));
		return;
	}
	ev->login = (struct sasl_login){ .mechanism = SASL_APOP, .name = ev->command.argument,
		.asked = m->config.timestamp, .proof = { m->sasl.proof, APOP_PROOF_SIZE } };
	pop3_server_raise(m, ev, POP3_LOGIN);
}
