/*
 * imap_server.c - what may come when, and the answers.
 *
 * How a command is gathered is in imap_server_gather.c, APPEND in imap_server_append.c, logging in in
 * imap_server_auth.c.
 */
#include "proto/imap/imap_server.h"

#include <string.h>

#include "proto/base/line.h"
#include "proto/imap/imap_server_inside.h"

#define IDLE_LINE_MAX 64 /* bytes of what ends IDLE */
#define AUTH_LINE_MAX 4096

void
imap_server_enter(struct imap_server *m, enum imap_server_state state)
{
	ENSURE(m->state != IMAP_STATE_CLOSED);
	m->state = state;
}

/* H66: before login a command may hold a password. */
static void
limit_command(struct imap_server *m)
{
	m->command.max = m->authenticated ? IMAP_COMMAND_MAX : IMAP_COMMAND_STRANGER;
	m->command.wipes = !m->authenticated;
}

void
imap_server_init(struct imap_server *m, const struct imap_server_config *config, bool tls)
{
	*m = (struct imap_server){ .config = *config, .tls = tls };
	sasl_init(&m->sasl, SASL_NONE, NULL);
	limit_command(m);
}

void
imap_server_fini(struct imap_server *m)
{
	sasl_fini(&m->sasl);
	buf_fini(&m->command);
}

void
imap_server_tls_started(struct imap_server *m)
{
	ENSURE(m->state == IMAP_STATE_TLS);
	imap_server_fini(m);
	m->tls = true;
	m->auth_failures = 0;
	imap_server_enter(m, IMAP_STATE_COMMAND); /* H3: as if nothing had been said */
}

/* What BYE says. */
static const struct span close_texts[] = {
	[IMAP_CLOSE_NONE] = { "none", 4 },
	[IMAP_CLOSE_LOGOUT] = { "Logging out", 11 },
	[IMAP_CLOSE_REFUSED] = { "Not now", 7 },
	[IMAP_CLOSE_BAD_LINE] = { "Malformed line", 14 },
	[IMAP_CLOSE_TOO_LARGE] = { "More bytes than are taken", 25 },
	[IMAP_CLOSE_EARLY_BYTES] = { "Bytes before the go-ahead", 25 },
	[IMAP_CLOSE_BAD_COMMANDS] = { "Too many bad commands", 21 },
	[IMAP_CLOSE_AUTH_FAILURES] = { "Too many failed logins", 22 },
	[IMAP_CLOSE_OUTPUT] = { "Peer does not read", 18 },
};

const char *
imap_close_name(enum imap_close why)
{
	ENSURE((size_t)why < COUNT(close_texts));
	return close_texts[why].ptr;
}

bool
imap_server_in_secret(const struct imap_server *m)
{
	return m->state == IMAP_STATE_AUTH;
}

/* ---- events ---- */

void
imap_server_raise(struct imap_server *m, struct imap_event *ev, enum imap_event_kind kind)
{
	ev->kind = kind;
	ev->tag = (struct span){ m->tag, m->tag_len };
	m->pending = kind;
}

void
imap_server_settle(struct imap_server *m, struct imap_event *ev, struct imap_reply reply)
{
	imap_server_raise(m, ev, IMAP_SETTLED);
	ev->reply = reply;
}

void
imap_server_settle_and_close(struct imap_server *m, struct imap_event *ev,
	struct imap_reply reply, enum imap_close why)
{
	imap_server_settle(m, ev, reply);
	ev->why = m->close_after = why;
}

struct imap_reply
imap_server_early_reply(void)
{
	return IMAP_BAD("Bytes came before our go-ahead");
}

void
imap_server_end(struct imap_server *m, enum imap_close why)
{
	ENSURE(m->pending != IMAP_NEED_BYTES);
	m->close_after = why;
}

/* ---- commands ---- */

static void
do_starttls(struct imap_server *m, struct imap_event *ev)
{
	if (!imap_take_end(&ev->args)) {
		imap_server_settle(m, ev, imap_reply_for(ERR_SYNTAX));
	} else if (!m->config.starttls || m->tls) {
		imap_server_settle(m, ev, IMAP_BAD("Not offered now"));
	} else {
		imap_server_raise(m, ev, IMAP_STARTTLS);
		m->go_ahead = true;
	}
}

/* Of those that need a login only what reads its message otherwise: it came without one. */
static void
do_append(struct imap_server *m, struct imap_event *ev)
{
	imap_server_settle(m, ev, IMAP_BAD("APPEND needs a mailbox and a message as a literal"));
}

/* What changes how bytes are read; all others are the session's. */
static const struct {
	struct span name;
	bool after_login;
	bool alone; /* nothing may follow before the answer (H3, H4) */
	void (*run)(struct imap_server *, struct imap_event *);
} commands[] = {
	{ { "LOGIN", 5 }, false, false, imap_server_do_login },
	{ { "AUTHENTICATE", 12 }, false, true, imap_server_do_authenticate },
	{ { "STARTTLS", 8 }, false, true, do_starttls },
	{ { "APPEND", 6 }, true, false, do_append },
};

static void
run_named(struct imap_server *m, struct imap_event *ev, bool followed)
{
	for (size_t i = 0; i < COUNT(commands) && !ev->uid; i++) {
		if (!span_eq_nocase(ev->name, commands[i].name))
			continue;
		if (commands[i].after_login && !m->authenticated)
			break; /* the session says so of all of them */
		if (!commands[i].after_login && m->authenticated)
			imap_server_settle(m, ev, IMAP_BAD("Already logged in"));
		else if (commands[i].alone && followed)
			imap_server_settle_and_close(
				m, ev, imap_server_early_reply(), IMAP_CLOSE_EARLY_BYTES);
		else
			commands[i].run(m, ev);
		return;
	}
	imap_server_raise(m, ev, IMAP_COMMAND);
}

void
imap_server_run(struct imap_server *m, struct imap_event *ev, bool followed)
{
	struct span text = imap_server_command(m);

	imap_cursor_init(&ev->args, span_from(text, m->tag_len), m->config.arena);
	if (m->tag_len == 0) {
		imap_server_settle(m, ev, IMAP_BAD("Tag missing or malformed"));
		return;
	}
	if (!imap_take_space(&ev->args) || !imap_take_atom(&ev->args, &ev->name)) {
		imap_server_settle(m, ev, IMAP_BAD("Command missing"));
		return;
	}
	ev->uid = span_eq_nocase(ev->name, SPAN("UID"));
	if (ev->uid && (!imap_take_space(&ev->args) || !imap_take_atom(&ev->args, &ev->name)))
		imap_server_settle(m, ev, IMAP_BAD("UID of what?"));
	else
		run_named(m, ev, followed);
}

/* ---- input ---- */

static size_t
next_answer_line(struct imap_server *m, struct span in, struct imap_event *ev)
{
	bool idle = m->state == IMAP_STATE_IDLE;
	struct span line;
	size_t used;
	enum err why;
	enum parse parse = line_take(in, idle ? IDLE_LINE_MAX : AUTH_LINE_MAX, &line, &used, &why);

	if (parse == PARSE_MORE)
		return 0;
	if (parse == PARSE_BAD || span_find(line, '\0') < line.len) {
		imap_server_settle_and_close(
			m, ev, IMAP_BAD("Malformed or over-long line"), IMAP_CLOSE_BAD_LINE);
		return in.len;
	}
	if (idle) {
		imap_server_raise(m, ev, IMAP_IDLE_DONE);
		ev->reply = span_eq_nocase(line, SPAN("DONE")) ? IMAP_OK("Idle is over")
							      : IMAP_BAD("DONE was expected");
	} else if (used < in.len) {
		imap_server_settle_and_close(
			m, ev, imap_server_early_reply(), IMAP_CLOSE_EARLY_BYTES);
	} else {
		imap_server_go_on_with_auth(m, ev, line);
	}
	return used;
}

static size_t
next_in_state(struct imap_server *m, struct span in, struct imap_event *ev)
{
	switch (m->state) {
	case IMAP_STATE_START:
		imap_server_raise(m, ev, IMAP_CONNECT);
		return 0;
	case IMAP_STATE_COMMAND:
	case IMAP_STATE_TAIL:
		return imap_server_gather(m, in, ev);
	case IMAP_STATE_LITERAL:
		return imap_server_literal(m, in, ev);
	case IMAP_STATE_DROP:
		return imap_server_drop(m, in);
	case IMAP_STATE_TEXT:
		return imap_server_append_text(m, in, ev);
	case IMAP_STATE_AUTH:
	case IMAP_STATE_IDLE:
		return next_answer_line(m, in, ev);
	case IMAP_STATE_TLS:
		if (in.len == 0)
			return 0;
		m->why = IMAP_CLOSE_EARLY_BYTES; /* H3 */
		imap_server_enter(m, IMAP_STATE_CLOSED);
		return in.len;
	case IMAP_STATE_CLOSED:
		break;
	}
	return 0;
}

size_t
imap_server_next(struct imap_server *m, struct span in, struct imap_event *ev)
{
	size_t total = 0, used;

	*ev = (struct imap_event){ .kind = IMAP_NEED_BYTES };
	if (m->pending != IMAP_NEED_BYTES) {
		ev->kind = IMAP_NEED_REPLY;
		m->early |= m->go_ahead && in.len > 0;
		return 0;
	}
	do {
		used = next_in_state(m, span_from(in, total), ev);
		total += used;
	} while (ev->kind == IMAP_NEED_BYTES && used > 0 && total < in.len);
	if (m->state == IMAP_STATE_CLOSED) {
		ev->kind = IMAP_CLOSE;
		ev->why = m->why;
	}
	return total;
}

/* ---- answers ---- */

static void
end_login(struct imap_server *m, struct imap_reply reply)
{
	bool wrong = span_eq(reply.code, SPAN("AUTHENTICATIONFAILED")); /* RFC 5530, 3 */

	sasl_fini(&m->sasl);
	m->authenticated = reply.status == IMAP_STATUS_OK;
	m->auth_failures += wrong;
	if (m->auth_failures >= m->config.auth_failures && !m->close_after && !m->authenticated)
		m->close_after = IMAP_CLOSE_AUTH_FAILURES;
}

/* The command is over; what was announced of it may still come. */
static void
end_command(struct imap_server *m)
{
	m->dropping |= m->announced && !m->waits;
	if (m->dropping && m->literal_left > m->config.message_size && !m->close_after)
		m->close_after = IMAP_CLOSE_TOO_LARGE; /* H22 */
	if (!m->dropping)
		m->literal_left = 0;
	if (m->announced || !m->dropping) /* else the end of its line is still to come */
		buf_fini(&m->command);
	m->announced = m->append_nul = m->passes_id = false;
	m->tag_len = m->line_at = 0;
	limit_command(m);
	imap_server_enter(m, m->literal_left > 0 ? IMAP_STATE_DROP : IMAP_STATE_COMMAND);
}

static void
apply_answer(struct imap_server *m, enum imap_event_kind kind, struct imap_reply reply)
{
	bool ok = reply.status == IMAP_STATUS_OK;

	if (kind == IMAP_CONNECT && !ok)
		m->close_after = IMAP_CLOSE_REFUSED;
	if (kind == IMAP_LOGIN || kind == IMAP_KEYS || kind == IMAP_CONFIRMED)
		end_login(m, reply);
	end_command(m);
	if (kind == IMAP_STARTTLS && ok)
		imap_server_enter(m, IMAP_STATE_TLS);
	m->bad_commands = reply.status == IMAP_STATUS_BAD ? m->bad_commands + 1 : 0;
	if (m->bad_commands > m->config.bad_commands && !m->close_after)
		m->close_after = IMAP_CLOSE_BAD_COMMANDS;
}

static enum err
put_answer(const struct imap_server *m, struct span tag, struct imap_reply reply, struct buf *out)
{
	struct imap_reply bye = { .status = IMAP_STATUS_BYE };

	if (m->close_after && reply.status != IMAP_STATUS_BYE) {
		bye.text = close_texts[m->close_after];
		if (imap_reply_put(out, SPAN_NONE, bye) != OK)
			return ERR_LIMIT;
	}
	return imap_reply_put(out, tag, reply);
}

static void
close_now(struct imap_server *m)
{
	m->why = m->close_after;
	imap_server_fini(m);
	imap_server_enter(m, IMAP_STATE_CLOSED);
}

/* "+ text": it goes on. */
static void
go_on(struct imap_server *m, struct imap_reply reply, struct buf *out)
{
	m->pending = IMAP_NEED_BYTES;
	m->go_ahead = m->announced = false;
	if (imap_reply_put(out, SPAN_NONE, reply) != OK) {
		m->close_after = IMAP_CLOSE_OUTPUT;
		close_now(m);
	}
}

void
imap_server_answer(struct imap_server *m, struct imap_reply reply, struct buf *out)
{
	enum imap_event_kind kind = m->pending;
	char tag[IMAP_TAG_MAX];
	struct span tag_span = { tag, m->tag_len };

	ENSURE(kind != IMAP_NEED_BYTES);
	if (m->early) {
		reply = imap_server_early_reply();
		m->close_after = IMAP_CLOSE_EARLY_BYTES;
	}
	m->early = false;
	if (reply.status == IMAP_STATUS_GO_ON) {
		go_on(m, reply, out);
		return;
	}
	memcpy(tag, m->tag, m->tag_len);
	m->pending = IMAP_NEED_BYTES;
	m->go_ahead = false;
	apply_answer(m, kind, reply);
	if (put_answer(m, tag_span, reply, out) != OK)
		m->close_after = IMAP_CLOSE_OUTPUT;
	if (m->close_after)
		close_now(m);
}

void
imap_server_take(struct imap_server *m, struct buf *out)
{
	ENSURE(m->pending == IMAP_APPEND_BEGIN || m->pending == IMAP_APPEND_NEXT);
	buf_fini(&m->command);
	m->line_at = 0;
	imap_server_enter(m, IMAP_STATE_TEXT);
	if (m->waits) {
		go_on(m, IMAP_GO_ON("Send it"), out);
	} else {
		m->pending = IMAP_NEED_BYTES;
		m->announced = false;
	}
}

void
imap_server_idle(struct imap_server *m, struct buf *out)
{
	ENSURE(m->pending == IMAP_COMMAND);
	buf_fini(&m->command);
	imap_server_enter(m, IMAP_STATE_IDLE);
	go_on(m, IMAP_GO_ON("Idling"), out);
}
