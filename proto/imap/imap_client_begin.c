/*
 * imap_client_begin.c - from the greeting until the folder is open: CAPABILITY, STARTTLS, login, SELECT.
 */
#include <string.h>

#include "proto/base/ascii.h"
#include "proto/imap/imap_client_inside.h"
#include "proto/imap/imap_response.h"

#define COMMAND_MAX 65536	/* bytes of a command: a long token */
#define INITIAL_RESPONSE_MAX 7000 /* bytes that go with AUTHENTICATE; a longer one waits for "+" (RFC 7162, 4) */

static void
ask_capabilities(struct imap_client *m, enum imap_client_stage stage, struct buf *out)
{
	m->can_said = false;
	imap_client_ask(m, out, stage, SPAN("CAPABILITY"));
}

static void
select_folder(struct imap_client *m, struct buf *out)
{
	struct buf line;

	buf_init(&line, COMMAND_MAX);
	m->folder = (struct imap_client_folder){ 0 };
	m->news = false;
	if (buf_put(&line, SPAN("SELECT ")) == OK &&
		imap_put_mailbox(&line, m->config.folder, false) == OK &&
		!span_has_control(buf_span(&line), SPAN("")))
		imap_client_ask(m, out, IMAP_STAGE_SELECT, buf_span(&line));
	else
		imap_client_end(m, IMAP_OVER_REFUSED, SPAN("no folder can be called so"));
	buf_fini(&line);
}

/* ---- the login ---- */

/* H67: what shows the secret wants TLS, unless the collector does without on purpose. */
static unsigned
usable(const struct imap_client *m)
{
	unsigned set = m->mechanisms & m->config.mechanisms;

	if (!m->tls && !m->config.secret_in_clear)
		set &= ~SASL_CLIENT_SHOWS_SECRET;
	if (m->config.nonce.len == 0)
		set &= ~SASL_CLIENT_BIT(SASL_CLIENT_SCRAM_SHA_256);
	return set & ~SASL_CLIENT_BIT(SASL_CLIENT_NONE);
}

static bool
fits_quotes(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (ascii_is_8bit(text.ptr[i]))
			return false;
	return text.len <= IMAP_QUOTED_MAX && !span_has_control(text, SPAN(""));
}

/* Name and password as strings; where one cannot stand in quotes both are literals, and wait for "+" in turn. */
static void
begin_login(struct imap_client *m, struct buf *out)
{
	const struct sasl_account *account = &m->config.account;
	bool quoted = fits_quotes(account->name) && fits_quotes(account->password);
	struct buf line;
	enum err err;

	buf_init(&line, COMMAND_MAX);
	line.wipes = true;
	err = buf_put(&line, SPAN("LOGIN "));
	if (err == OK && quoted)
		err = imap_put_string(&line, account->name) == OK &&
				      buf_put_char(&line, ' ') == OK &&
				      imap_put_string(&line, account->password) == OK
			      ? OK
			      : ERR_LIMIT;
	else if (err == OK)
		err = buf_printf(&line, "{%zu}", account->name.len);
	m->login_step = quoted ? 2 : 0;
	if (err == OK)
		imap_client_ask(m, out, IMAP_STAGE_LOGIN, buf_span(&line));
	else
		imap_client_end(m, IMAP_OVER_AUTH, SPAN("name and password are too long"));
	buf_wipe(&line);
}

/* "+" to a LOGIN: the next of its literals (RFC 3501, 4.3). */
static void
go_on_login(struct imap_client *m, struct buf *out)
{
	const struct sasl_account *account = &m->config.account;
	struct buf line;
	enum err err;

	if (m->login_step > 1) {
		imap_client_end(m, IMAP_OVER_UNASKED, SPAN("+ to a whole command"));
		return;
	}
	buf_init(&line, COMMAND_MAX);
	line.wipes = true;
	err = m->login_step == 0 ? buf_put(&line, account->name) : buf_put(&line, account->password);
	if (err == OK && m->login_step == 0)
		err = buf_printf(&line, " {%zu}", account->password.len);
	m->login_step++;
	if (err == OK)
		imap_client_put(m, out, buf_span(&line));
	else
		imap_client_end(m, IMAP_OVER_AUTH, SPAN("name and password are too long"));
	buf_wipe(&line);
}

/* RFC 4959: the first response with the command, where it is short and the server knows that. */
static void
begin_authenticate(struct imap_client *m, enum sasl_client_mechanism mechanism, struct buf *out)
{
	struct span initial, name = span_of(sasl_client_name(mechanism));
	const char *why = "";
	struct buf line;
	enum err err;

	sasl_client_fini(&m->sasl);
	sasl_client_init(&m->sasl, mechanism, &m->config.account, &m->config.nonce);
	if (sasl_client_next(&m->sasl, SPAN_NONE, &initial, &why) != SASL_CLIENT_RESPONSE) {
		imap_client_end(m, IMAP_OVER_AUTH, span_of(why));
		return;
	}
	buf_init(&line, COMMAND_MAX);
	line.wipes = true;
	err = buf_put(&line, SPAN("AUTHENTICATE ")) == OK ? buf_put(&line, name) : ERR_LIMIT;
	if (err == OK && initial.len > 0 && initial.len <= INITIAL_RESPONSE_MAX &&
		(m->can & IMAP_CAN_SASL_IR))
		err = buf_put_char(&line, ' ') == OK ? buf_put(&line, initial) : ERR_LIMIT;
	else
		m->sasl.step = 0; /* the response comes after "+" */
	if (err == OK)
		imap_client_ask(m, out, IMAP_STAGE_AUTHENTICATE, buf_span(&line));
	else
		imap_client_end(m, IMAP_OVER_OUTPUT, SPAN_NONE);
	buf_wipe(&line);
}

/* LOGIN where it is allowed on both sides; else the best mechanism that is. */
static void
log_in(struct imap_client *m, struct buf *out)
{
	enum sasl_client_mechanism mechanism = sasl_client_best(usable(m));
	bool login = m->config.login && !(m->can & IMAP_CAN_NO_LOGIN) &&
		     (m->tls || m->config.secret_in_clear);

	if (login)
		begin_login(m, out);
	else if (mechanism != SASL_CLIENT_NONE)
		begin_authenticate(m, mechanism, out);
	else
		imap_client_end(m, IMAP_OVER_NO_AUTH, SPAN_NONE);
}

static void
respond(struct imap_client *m, enum sasl_client_turn turn, struct span response, const char *why,
	struct buf *out)
{
	if (turn == SASL_CLIENT_RESPONSE)
		imap_client_put(m, out, response);
	else
		imap_client_end(m, IMAP_OVER_AUTH, span_of(why));
}

void
imap_client_prove(struct imap_client *m, struct span proof, struct span signature, struct buf *out)
{
	const char *why = "";
	struct span response;
	enum sasl_client_turn turn;

	ENSURE(m->pending == IMAP_CLIENT_TASK);
	m->pending = IMAP_CLIENT_NEED_BYTES;
	turn = sasl_client_prove(&m->sasl, proof, signature, &response, &why);
	respond(m, turn, response, why, out);
}

static void
on_challenge(struct imap_client *m, struct span challenge, struct buf *out,
	struct imap_client_event *ev)
{
	const char *why = "";
	struct span response;
	enum sasl_client_turn turn = sasl_client_next(
		&m->sasl, challenge.ptr ? challenge : SPAN(""), &response, &why);

	if (turn == SASL_CLIENT_PROVE) {
		m->pending = ev->kind = IMAP_CLIENT_TASK;
		ev->task = &m->sasl.task;
	} else {
		respond(m, turn, response, why, out);
	}
}

void
imap_client_on_go_on(struct imap_client *m, struct span challenge, struct buf *out,
	struct imap_client_event *ev)
{
	enum imap_client_stage stage = imap_client_stage(m);

	if (stage == IMAP_STAGE_LOGIN)
		go_on_login(m, out);
	else if (stage == IMAP_STAGE_AUTHENTICATE)
		on_challenge(m, challenge, out, ev);
	else if (stage == IMAP_STAGE_IDLE)
		imap_client_on_idling(m, out);
	else
		imap_client_end(m, IMAP_OVER_UNASKED, SPAN("+"));
}

/* ---- greeting, CAPABILITY, STARTTLS ---- */

/* What it offers is known. */
static void
go_on(struct imap_client *m, struct buf *out)
{
	if (m->tls || m->config.tls == IMAP_CLIENT_TLS_NONE) {
		log_in(m, out);
	} else if (m->can & IMAP_CAN_STARTTLS) {
		imap_client_ask(m, out, IMAP_STAGE_STARTTLS, SPAN("STARTTLS"));
	} else {
		imap_client_end(m, IMAP_OVER_NO_TLS, SPAN_NONE);
	}
}

void
imap_client_on_greeting(struct imap_client *m, struct imap_client_status s, struct buf *out)
{
	bool preauth = s.word == IMAP_WORD_PREAUTH;

	if (preauth && !m->tls && m->config.tls == IMAP_CLIENT_TLS_REQUIRED)
		imap_client_end(m, IMAP_OVER_NO_TLS, s.text); /* H3: STARTTLS is not allowed any more */
	else if (!preauth && s.word != IMAP_WORD_OK)
		imap_client_end(m, IMAP_OVER_BYE, s.text);
	m->greeted = true;
	if (m->over != IMAP_OVER_NO)
		return;
	if (preauth)
		ask_capabilities(m, IMAP_STAGE_CAPABILITY_AGAIN, out);
	else if (m->can_said)
		go_on(m, out);
	else
		ask_capabilities(m, IMAP_STAGE_CAPABILITY, out);
}

void
imap_client_tls_started(struct imap_client *m, struct buf *out)
{
	ENSURE(m->pending == IMAP_CLIENT_STARTTLS);
	m->pending = IMAP_CLIENT_NEED_BYTES;
	m->handshake = false;
	m->tls = true;
	m->can = m->mechanisms = 0;
	m->folder = (struct imap_client_folder){ 0 };
	m->scanned = 0;
	ask_capabilities(m, IMAP_STAGE_CAPABILITY, out);
}

/* A NO or BAD that is the end. */
static void
refused(struct imap_client *m, enum imap_client_over why, struct imap_client_status s)
{
	if (span_eq_nocase(s.code, SPAN("INUSE")) || span_eq_nocase(s.code, SPAN("IN-USE")))
		why = IMAP_OVER_BUSY;
	else if (span_eq_nocase(s.code, SPAN("UNAVAILABLE")) || span_eq_nocase(s.code, SPAN("LIMIT")))
		why = IMAP_OVER_REFUSED; /* RFC 5530: not the fault of name and password */
	imap_client_end(m, why, s.text);
}

static void
logged_in(struct imap_client *m, struct imap_client_status s, struct buf *out)
{
	if (!sasl_client_is_settled(&m->sasl)) {
		imap_client_end(m, IMAP_OVER_AUTH, s.text);
		return;
	}
	sasl_client_fini(&m->sasl);
	if (span_starts_nocase(s.code, SPAN("CAPABILITY")))
		select_folder(m, out);
	else
		ask_capabilities(m, IMAP_STAGE_CAPABILITY_AGAIN, out);
}

static void
opened(struct imap_client *m)
{
	m->ready = true;
	m->news = false; /* what is there now is no news */
}

void
imap_client_on_begin(struct imap_client *m, enum imap_client_stage stage,
	struct imap_client_status s, struct buf *out)
{
	bool is_login = stage == IMAP_STAGE_LOGIN || stage == IMAP_STAGE_AUTHENTICATE;

	if (s.word != IMAP_WORD_OK) {
		refused(m, is_login ? IMAP_OVER_AUTH
			   : stage == IMAP_STAGE_STARTTLS ? IMAP_OVER_NO_TLS
							  : IMAP_OVER_REFUSED, s);
		return;
	}
	m->asked = IMAP_STAGE_READY;
	if (stage == IMAP_STAGE_STARTTLS)
		m->handshake = true;
	else if (is_login)
		logged_in(m, s, out);
	else if (stage == IMAP_STAGE_CAPABILITY)
		go_on(m, out);
	else if (stage == IMAP_STAGE_CAPABILITY_AGAIN)
		select_folder(m, out);
	else
		opened(m);
}
