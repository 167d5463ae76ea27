/*
 * pop3_client_begin.c - from the greeting until the mailbox is open: CAPA, STLS, a login.
 */
#include "proto/pop3/pop3_client_inside.h"

#include <string.h>

static void
ask(struct pop3_client *m, enum pop3_asked_kind kind, struct buf *out)
{
	pop3_client_push(m, (struct pop3_asked){ .kind = kind, .own = true }, out);
}

/* ---- the greeting ---- */

/*
 * RFC 1939, 7: a msg-id. One that could not be one is made by somebody who tries out passwords (CVE-2007-1558), so it
 * is not answered.
 */
static bool
is_stamp(struct span s)
{
	size_t at = span_find(s, '@');

	if (s.len < 5 || s.len > POP3_CLIENT_STAMP || at == s.len || at < 2 || at + 2 >= s.len)
		return false;
	for (size_t i = 1; i + 1 < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] >= 127 || strchr("<>\"\\", s.ptr[i]) || (s.ptr[i] == '@' && i != at))
			return false;
	return true;
}

static void
keep_stamp(struct pop3_client *m, struct span text)
{
	size_t from = span_find(text, '<'), to = span_find(text, '>');
	struct span stamp = span_range(text, from, to + 1);

	if (from < to && to < text.len && is_stamp(stamp)) {
		memcpy(m->stamp, stamp.ptr, stamp.len);
		m->stamp_len = stamp.len;
	}
}

/* ---- CAPA ---- */

static void
take_sasl(struct pop3_client *m, struct span rest)
{
	struct span word;

	m->offers_sasl = true;
	while (rest.len > 0) {
		enum sasl_client_mechanism mechanism;

		span_cut(span_trim(rest), ' ', &word, &rest);
		mechanism = sasl_client_find(word);
		if (mechanism != SASL_CLIENT_NONE)
			m->sasl_offered |= SASL_CLIENT_BIT(mechanism);
	}
}

void
pop3_client_take_capa(struct pop3_client *m, struct span line)
{
	struct span word, rest;

	span_cut(span_trim(line), ' ', &word, &rest);
	if (span_eq_nocase(word, SPAN("PIPELINING")))
		m->pipelining = true;
	else if (span_eq_nocase(word, SPAN("TOP")))
		m->has_top = true;
	else if (span_eq_nocase(word, SPAN("UIDL")))
		m->has_uidl = true;
	else if (span_eq_nocase(word, SPAN("STLS")))
		m->offers_stls = true;
	else if (span_eq_nocase(word, SPAN("USER")))
		m->offers_user = true;
	else if (span_eq_nocase(word, SPAN("SASL")))
		take_sasl(m, rest);
}

static void
ask_capa(struct pop3_client *m, struct buf *out)
{
	m->has_capa = m->pipelining = m->has_top = m->has_uidl = false;
	m->offers_stls = m->offers_user = m->offers_sasl = false;
	m->sasl_offered = m->lines = 0;
	ask(m, POP3_ASKED_CAPA, out);
}

/* ---- the login ---- */

/* AUTH needs a mechanism that is offered, where the server says which it has. */
static void
begin_sasl(struct pop3_client *m, enum sasl_client_mechanism mechanism, struct buf *out)
{
	bool shows = SASL_CLIENT_BIT(mechanism) & SASL_CLIENT_SHOWS_SECRET;

	if ((m->offers_sasl && !(m->sasl_offered & SASL_CLIENT_BIT(mechanism))) ||
		(shows && !m->tls && !m->config.secret_in_clear)) { /* H67 */
		pop3_client_end(m, POP3_OVER_NO_AUTH);
		return;
	}
	sasl_client_fini(&m->sasl);
	sasl_client_init(&m->sasl, mechanism, &m->config.account, NULL);
	ask(m, POP3_ASKED_AUTH, out);
}

static void
begin_plain(struct pop3_client *m, struct buf *out)
{
	if (m->has_capa && !m->offers_user && (m->sasl_offered & SASL_CLIENT_BIT(SASL_CLIENT_PLAIN)))
		begin_sasl(m, SASL_CLIENT_PLAIN, out);
	else if (!m->tls && !m->config.secret_in_clear)
		pop3_client_end(m, POP3_OVER_NO_AUTH);
	else
		ask(m, POP3_ASKED_USER, out);
}

static void
begin_login(struct pop3_client *m, struct buf *out)
{
	switch (m->config.auth) {
	case POP3_AUTH_PLAIN:
		begin_plain(m, out);
		break;
	case POP3_AUTH_SASL_PLAIN:
		begin_sasl(m, SASL_CLIENT_PLAIN, out);
		break;
	case POP3_AUTH_CRAM_MD5:
		begin_sasl(m, SASL_CLIENT_CRAM_MD5, out);
		break;
	case POP3_AUTH_XOAUTH2:
		begin_sasl(m, SASL_CLIENT_XOAUTH2, out);
		break;
	case POP3_AUTH_APOP:
		if (m->stamp_len > 0)
			pop3_client_wait(m, POP3_CLIENT_APOP);
		else
			pop3_client_end(m, POP3_OVER_NO_AUTH);
		break;
	}
}

/* A long initial response waits until it is asked for; so it does with servers that said nothing of SASL. */
static void
put_auth(struct pop3_client *m, struct buf *out)
{
	struct span name = span_of(sasl_client_name(m->sasl.mechanism)), initial;
	const char *why;

	if (sasl_client_next(&m->sasl, SPAN_NONE, &initial, &why) != SASL_CLIENT_RESPONSE) {
		pop3_client_end(m, POP3_OVER_OUTPUT);
	} else if (m->offers_sasl && initial.len > 0 &&
		sizeof("AUTH  \r\n") - 1 + name.len + initial.len <= POP3_CLIENT_AUTH_LINE) {
		POP3_PUT(m, out, SPAN("AUTH "), name, SPAN(" "), initial);
	} else {
		m->sasl.step = 0;
		POP3_PUT(m, out, SPAN("AUTH "), name);
	}
}

void
pop3_client_put_login(struct pop3_client *m, enum pop3_asked_kind kind, struct buf *out)
{
	const struct sasl_account *account = &m->config.account;

	if (kind == POP3_ASKED_USER)
		POP3_PUT(m, out, SPAN("USER "), account->name);
	else if (kind == POP3_ASKED_PASS)
		POP3_PUT(m, out, SPAN("PASS "), account->password);
	else if (kind == POP3_ASKED_AUTH)
		put_auth(m, out);
	/* APOP: pop3_client_prove() */
}

static void
respond(struct pop3_client *m, enum sasl_client_turn turn, struct span response, struct buf *out)
{
	if (turn == SASL_CLIENT_PROVE)
		pop3_client_wait(m, POP3_CLIENT_TASK);
	else if (turn == SASL_CLIENT_RESPONSE)
		POP3_PUT(m, out, response);
	else
		pop3_client_end(m, POP3_OVER_NONSENSE);
}

static void
on_challenge(struct pop3_client *m, struct span challenge, struct buf *out)
{
	struct span response;
	const char *why;

	if (!challenge.ptr)
		challenge = SPAN("");
	respond(m, sasl_client_next(&m->sasl, challenge, &response, &why), response, out);
}

void
pop3_client_prove(struct pop3_client *m, struct span proof, struct span signature, struct buf *out)
{
	enum pop3_client_event_kind what = m->waits;
	struct span response;
	const char *why;

	ENSURE(m->told && (what == POP3_CLIENT_TASK || what == POP3_CLIENT_APOP));
	pop3_client_wait(m, POP3_CLIENT_NEED_BYTES);
	if (what == POP3_CLIENT_TASK) {
		respond(m, sasl_client_prove(&m->sasl, proof, signature, &response, &why), response, out);
		return;
	}
	ask(m, POP3_ASKED_APOP, out);
	POP3_PUT(m, out, SPAN("APOP "), m->config.account.name, SPAN(" "), proof);
}

void
pop3_client_tls_started(struct pop3_client *m, struct buf *out)
{
	ENSURE(m->told && m->waits == POP3_CLIENT_STLS);
	pop3_client_wait(m, POP3_CLIENT_NEED_BYTES);
	m->tls = true;
	ask_capa(m, out);
}

/* ---- what follows what ---- */

static void
on_refusal(struct pop3_client *m, struct pop3_asked asked, struct pop3_answer answer, struct buf *out)
{
	bool is_system = answer.code == POP3_CODE_SYS_TEMP || answer.code == POP3_CODE_SYS_PERM;

	if (asked.kind == POP3_ASKED_CAPA) {
		pop3_client_begin(m, asked, (struct pop3_answer){ .kind = POP3_ANSWER_OK }, out);
		return;
	}
	if (answer.code == POP3_CODE_LOGIN_DELAY)
		pop3_client_end(m, POP3_OVER_TOO_SOON);
	else if (pop3_answer_is_locked(answer))
		pop3_client_end(m, POP3_OVER_LOCKED);
	else if (asked.kind == POP3_ASKED_STLS)
		pop3_client_end(m, POP3_OVER_NO_TLS);
	else if (asked.kind == POP3_ASKED_GREETING || asked.kind == POP3_ASKED_STAT || is_system)
		pop3_client_end(m, POP3_OVER_REFUSED);
	else
		pop3_client_end(m, POP3_OVER_AUTH);
}

/* CAPA was answered, one way or the other. */
static void
go_on(struct pop3_client *m, struct buf *out)
{
	if (!m->config.stls || m->tls)
		begin_login(m, out);
	else if (m->has_capa && !m->offers_stls)
		pop3_client_end(m, POP3_OVER_NO_TLS);
	else
		ask(m, POP3_ASKED_STLS, out);
}

void
pop3_client_begin(struct pop3_client *m, struct pop3_asked asked, struct pop3_answer answer,
	struct buf *out)
{
	if (answer.kind == POP3_ANSWER_CHALLENGE) {
		on_challenge(m, answer.text, out);
		return;
	}
	if (answer.kind == POP3_ANSWER_ERR) {
		on_refusal(m, asked, answer, out);
		return;
	}
	switch (asked.kind) {
	case POP3_ASKED_GREETING:
		keep_stamp(m, answer.text);
		ask_capa(m, out);
		break;
	case POP3_ASKED_CAPA:
		m->has_capa = m->lines > 0;
		go_on(m, out);
		break;
	case POP3_ASKED_STLS:
		pop3_client_wait(m, POP3_CLIENT_STLS);
		break;
	case POP3_ASKED_USER:
		ask(m, POP3_ASKED_PASS, out);
		break;
	case POP3_ASKED_STAT:
		break; /* READY */
	default:
		sasl_client_fini(&m->sasl);
		ask(m, POP3_ASKED_STAT, out);
		break;
	}
}
