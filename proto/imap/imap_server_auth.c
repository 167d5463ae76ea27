/*
 * imap_server_auth.c - LOGIN and AUTHENTICATE: one exchange at a time (H67), and CAPABILITY's part of it.
 */
#include "proto/imap/imap_server_inside.h"

/* The mechanisms that may be used now. */
unsigned
imap_server_mechanisms(const struct imap_server *m)
{
	if (m->tls || m->config.login_in_clear)
		return m->config.mechanisms;
	return m->config.mechanisms & SASL_ALSO_IN_CLEAR;
}

bool
imap_server_takes_password(const struct imap_server *m)
{
	return imap_server_mechanisms(m) & SASL_BIT(SASL_PLAIN);
}

static void
settle_not_so(struct imap_server *m, struct imap_event *ev, enum sasl_mechanism mechanism)
{
	bool after_tls = m->config.mechanisms & SASL_BIT(mechanism);

	imap_server_settle(m, ev, after_tls ? IMAP_NO("PRIVACYREQUIRED", "Only after STARTTLS")
					    : IMAP_NO("", "Not offered here"));
}

/* The password is kept where it will be wiped, behind the name, as one that came by AUTHENTICATE. */
void
imap_server_do_login(struct imap_server *m, struct imap_event *ev)
{
	struct imap_cursor *c = &ev->args;
	struct span both;
	size_t name_len = 0;
	bool ok;

	if (!imap_server_takes_password(m)) {
		settle_not_so(m, ev, SASL_PLAIN);
		return;
	}
	sasl_fini(&m->sasl);
	sasl_init(&m->sasl, SASL_PLAIN, NULL);
	ok = imap_take_space(c) && imap_take_secret(c, &m->sasl.secret);
	name_len = buf_span(&m->sasl.secret).len;
	ok = ok && imap_take_space(c) && imap_take_secret(c, &m->sasl.secret) && imap_take_end(c);
	both = buf_span(&m->sasl.secret);
	if (!ok || name_len == 0 || name_len > SASL_NAME_MAX ||
		both.len - name_len > SASL_PASSWORD_MAX) {
		sasl_fini(&m->sasl);
		imap_server_settle(m, ev, IMAP_BAD("LOGIN wants a name and a password"));
		return;
	}
	ev->login = (struct sasl_login){ .mechanism = SASL_PLAIN,
		.name = span_range(both, 0, name_len), .password = span_from(both, name_len) };
	imap_server_raise(m, ev, IMAP_LOGIN);
}

static void
raise_auth(struct imap_server *m, struct imap_event *ev, enum imap_event_kind kind)
{
	imap_server_raise(m, ev, kind);
	m->go_ahead = true;
}

/* RESPONSE has come, or SPAN_NONE where the mechanism has yet to ask (RFC 9051, 6.2.2). */
void
imap_server_go_on_with_auth(struct imap_server *m, struct imap_event *ev, struct span response)
{
	struct span challenge;
	enum err why;

	imap_server_enter(m, IMAP_STATE_AUTH);
	switch (sasl_take(&m->sasl, response, m->config.hostname, &challenge, &ev->login, &why)) {
	case SASL_TURN_LOGIN:
		raise_auth(m, ev, IMAP_LOGIN);
		return;
	case SASL_TURN_KEYS:
		raise_auth(m, ev, IMAP_KEYS);
		return;
	case SASL_TURN_CONFIRMED:
		raise_auth(m, ev, IMAP_CONFIRMED);
		return;
	case SASL_TURN_CHALLENGE:
		imap_server_settle(m, ev,
			(struct imap_reply){ .status = IMAP_STATUS_GO_ON, .text = challenge });
		m->go_ahead = true;
		return;
	case SASL_TURN_BAD:
		break;
	}
	sasl_fini(&m->sasl);
	imap_server_settle(m, ev,
		why == ERR_DENIED ? IMAP_BAD("Cancelled") : IMAP_BAD("Malformed credentials"));
}

struct imap_reply
imap_server_keys(struct imap_server *m, struct span salt, unsigned iterations)
{
	return (struct imap_reply){ .status = IMAP_STATUS_GO_ON,
		.text = sasl_give_keys(&m->sasl, salt, iterations) };
}

struct imap_reply
imap_server_signature(struct imap_server *m, struct span signature)
{
	return (struct imap_reply){ .status = IMAP_STATUS_GO_ON,
		.text = sasl_give_signature(&m->sasl, signature) };
}

void
imap_server_do_authenticate(struct imap_server *m, struct imap_event *ev)
{
	struct imap_cursor *c = &ev->args;
	enum sasl_mechanism mechanism;
	struct span name, initial = SPAN_NONE;

	if (!imap_take_space(c) || !imap_take_atom(c, &name)) {
		imap_server_settle(m, ev, imap_reply_for(ERR_SYNTAX));
		return;
	}
	if (imap_take_space(c))
		initial = c->rest; /* base64, or "=" (RFC 9051, 6.2.2) */
	else if (!imap_take_end(c))
		name = SPAN("");
	mechanism = sasl_find(name);
	if (mechanism == SASL_NONE) {
		imap_server_settle(m, ev, IMAP_NO("CANNOT", "Unknown mechanism"));
	} else if (!(imap_server_mechanisms(m) & SASL_BIT(mechanism))) {
		settle_not_so(m, ev, mechanism);
	} else {
		sasl_fini(&m->sasl);
		sasl_init(&m->sasl, mechanism, &m->nonce);
		imap_server_go_on_with_auth(m, ev, initial);
	}
}

enum err
imap_server_put_capabilities(const struct imap_server *m, struct buf *out)
{
	unsigned mechanisms = imap_server_mechanisms(m) & ~SASL_BIT(SASL_APOP);
	bool ok = buf_put(out, SPAN(" LITERAL+ SASL-IR APPENDLIMIT=")) == OK &&
		buf_put_u64(out, m->config.message_size) == OK; /* RFC 7889, 3 */

	if (m->authenticated)
		return ok ? OK : ERR_LIMIT;
	if (m->config.starttls && !m->tls)
		ok = ok && buf_put(out, SPAN(" STARTTLS")) == OK;
	if (!imap_server_takes_password(m))
		ok = ok && buf_put(out, SPAN(" LOGINDISABLED")) == OK;
	for (unsigned i = 0; i < SASL_MECHANISMS; i++)
		if (mechanisms & SASL_BIT(i))
			ok = ok && buf_put(out, SPAN(" AUTH=")) == OK &&
				sasl_put_names(SASL_BIT(i), out) == OK;
	return ok ? OK : ERR_LIMIT;
}
