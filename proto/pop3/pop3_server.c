/*
 * pop3_server.c - what may come when, and what is answered without asking anybody.
 *
 * Logging in is in pop3_server_auth.c.
 */
#include "proto/pop3/pop3_server.h"

#include "proto/base/line.h"
#include "proto/pop3/pop3_server_inside.h"

void
pop3_server_enter(struct pop3_server *m, enum pop3_state state)
{
	ENSURE(m->state != POP3_STATE_CLOSED);
	m->state = state;
}

void
pop3_server_init(struct pop3_server *m, const struct pop3_server_config *config, bool tls)
{
	*m = (struct pop3_server){ .config = *config, .tls = tls };
	sasl_init(&m->sasl, SASL_NONE, NULL);
	buf_init(&m->name, SASL_NAME_MAX);
}

void
pop3_server_fini(struct pop3_server *m)
{
	sasl_fini(&m->sasl);
	buf_wipe(&m->name);
}

void
pop3_server_tls_started(struct pop3_server *m)
{
	ENSURE(m->state == POP3_STATE_TLS);
	pop3_server_fini(m);
	m->tls = true;
	m->auth_failures = 0;
	pop3_server_enter(m, POP3_STATE_AUTHORIZATION); /* H3: as if nothing had been said */
}

const char *
pop3_close_name(enum pop3_close why)
{
	static const char *const names[] = {
		[POP3_CLOSE_NONE] = "none",
		[POP3_CLOSE_QUIT] = "quit",
		[POP3_CLOSE_REFUSED] = "refused",
		[POP3_CLOSE_BAD_LINE] = "malformed line",
		[POP3_CLOSE_EARLY_BYTES] = "bytes before the go-ahead",
		[POP3_CLOSE_BAD_COMMANDS] = "too many bad commands",
		[POP3_CLOSE_AUTH_FAILURES] = "too many failed logins",
		[POP3_CLOSE_OUTPUT] = "peer does not read",
	};

	ENSURE((size_t)why < COUNT(names));
	return names[why];
}

/* ---- events ---- */

void
pop3_server_raise(struct pop3_server *m, struct pop3_event *ev, enum pop3_event_kind kind)
{
	ev->kind = kind;
	m->pending = kind;
	m->pending_verb = ev->command.verb;
}

void
pop3_server_settle(struct pop3_server *m, struct pop3_event *ev, struct pop3_reply reply)
{
	pop3_server_raise(m, ev, POP3_SETTLED);
	ev->reply = reply;
}

static void
settle_and_close(struct pop3_server *m, struct pop3_event *ev, struct pop3_reply reply,
	enum pop3_close why)
{
	pop3_server_settle(m, ev, reply);
	ev->why = m->close_after = why;
}

void
pop3_server_settle_bad(struct pop3_server *m, struct pop3_event *ev, struct pop3_reply reply)
{
	m->bad_commands++;
	if (m->bad_commands > m->config.bad_commands)
		settle_and_close(m, ev, POP3_ERR(NULL, "Too many bad commands"),
			POP3_CLOSE_BAD_COMMANDS);
	else
		pop3_server_settle(m, ev, reply);
}

static struct pop3_reply
early_reply(void)
{
	return POP3_ERR(NULL, "Bytes came before our go-ahead");
}

/* ---- commands ---- */

static void
do_stls(struct pop3_server *m, struct pop3_event *ev)
{
	if (!m->config.stls || m->tls) {
		pop3_server_settle_bad(m, ev, POP3_ERR(NULL, "Not offered now"));
		return;
	}
	pop3_server_raise(m, ev, POP3_STLS);
	m->go_ahead = true;
}

static void
do_utf8(struct pop3_server *m, struct pop3_event *ev)
{
	pop3_server_settle(m, ev, POP3_OK("UTF8")); /* RFC 6856, 2.1: nothing changes, all goes as it came */
}

static void
do_capa(struct pop3_server *m, struct pop3_event *ev)
{
	pop3_server_settle(m, ev, POP3_OK("Capabilities follow")); /* they do: see put_answer() */
}

static void
do_noop(struct pop3_server *m, struct pop3_event *ev)
{
	pop3_server_settle(m, ev, POP3_OK("OK"));
}

static void
do_quit(struct pop3_server *m, struct pop3_event *ev)
{
	if (m->state == POP3_STATE_TRANSACTION) {
		pop3_server_enter(m, POP3_STATE_UPDATE);
		pop3_server_raise(m, ev, POP3_UPDATE);
	} else {
		settle_and_close(m, ev, POP3_OK("Bye"), POP3_CLOSE_QUIT);
	}
}

enum where { NOWHERE = 0, BEFORE = 1, AFTER = 2, EVERYWHERE = 3 }; /* login */

/* Without `run` the session gets `event`. */
static const struct {
	enum where where;
	void (*run)(struct pop3_server *, struct pop3_event *);
	enum pop3_event_kind event;
} commands[POP3_VERBS] = {
	[POP3_VERB_USER] = { BEFORE, pop3_server_do_user, 0 },
	[POP3_VERB_PASS] = { BEFORE, pop3_server_do_pass, 0 },
	[POP3_VERB_APOP] = { BEFORE, pop3_server_do_apop, 0 },
	[POP3_VERB_STAT] = { AFTER, NULL, POP3_STAT },
	[POP3_VERB_LIST] = { AFTER, NULL, POP3_LIST },
	[POP3_VERB_UIDL] = { AFTER, NULL, POP3_UIDL },
	[POP3_VERB_RETR] = { AFTER, NULL, POP3_RETR },
	[POP3_VERB_DELE] = { AFTER, NULL, POP3_DELE },
	[POP3_VERB_TOP] = { AFTER, NULL, POP3_TOP },
	[POP3_VERB_NOOP] = { AFTER, do_noop, 0 },
	[POP3_VERB_RSET] = { AFTER, NULL, POP3_RSET },
	[POP3_VERB_QUIT] = { EVERYWHERE, do_quit, 0 },
	[POP3_VERB_CAPA] = { EVERYWHERE, do_capa, 0 },
	[POP3_VERB_STLS] = { BEFORE, do_stls, 0 },
	[POP3_VERB_AUTH] = { BEFORE, pop3_server_do_auth, 0 },
	[POP3_VERB_UTF8] = { BEFORE, do_utf8, 0 },
};

static void
run_command(struct pop3_server *m, struct pop3_event *ev, struct span line, bool followed)
{
	enum err err = pop3_command_parse(line, &ev->command);
	enum pop3_verb verb = ev->command.verb;
	enum where here = m->state == POP3_STATE_TRANSACTION ? AFTER : BEFORE;

	if (followed && (verb == POP3_VERB_STLS || verb == POP3_VERB_AUTH))
		settle_and_close(m, ev, early_reply(), POP3_CLOSE_EARLY_BYTES); /* H3, H4 */
	else if (err == ERR_NOT_FOUND)
		pop3_server_settle_bad(m, ev, POP3_ERR(NULL, "No such command"));
	else if (err != OK)
		pop3_server_settle_bad(m, ev, POP3_ERR(NULL, "Arguments missing, malformed or not expected"));
	else if (!(commands[verb].where & here))
		pop3_server_settle_bad(m, ev, POP3_ERR(NULL, "Not now"));
	else if (commands[verb].run)
		commands[verb].run(m, ev);
	else
		pop3_server_raise(m, ev, commands[verb].event);
}

/* ---- input ---- */

static size_t
next_line(struct pop3_server *m, struct span in, struct pop3_event *ev)
{
	struct span line;
	size_t used;
	enum err why;
	enum parse parse = line_take(in, m->config.command_line, &line, &used, &why);

	if (parse == PARSE_MORE)
		return 0;
	if (parse == PARSE_BAD || span_find(line, '\0') < line.len) {
		settle_and_close(m, ev, POP3_ERR(NULL, "Malformed or over-long line"),
			POP3_CLOSE_BAD_LINE); /* H1, H6, H24 */
		return in.len;
	}
	if (m->state != POP3_STATE_AUTH)
		run_command(m, ev, line, used < in.len);
	else if (used < in.len)
		settle_and_close(m, ev, early_reply(), POP3_CLOSE_EARLY_BYTES);
	else
		pop3_server_go_on_with_auth(m, ev, line);
	return used;
}

static size_t
next_in_state(struct pop3_server *m, struct span in, struct pop3_event *ev)
{
	switch (m->state) {
	case POP3_STATE_START:
		pop3_server_raise(m, ev, POP3_CONNECT);
		return 0;
	case POP3_STATE_TLS:
		if (in.len == 0)
			return 0;
		m->why = POP3_CLOSE_EARLY_BYTES; /* H3 */
		pop3_server_enter(m, POP3_STATE_CLOSED);
		return in.len;
	case POP3_STATE_CLOSED:
		return 0;
	default:
		return next_line(m, in, ev);
	}
}

size_t
pop3_server_next(struct pop3_server *m, struct span in, struct pop3_event *ev)
{
	size_t used;

	*ev = (struct pop3_event){ .kind = POP3_NEED_BYTES };
	if (m->pending != POP3_NEED_BYTES || m->sending) {
		ev->kind = POP3_NEED_REPLY;
		m->early |= m->go_ahead && in.len > 0;
		return 0;
	}
	used = next_in_state(m, in, ev);
	if (m->state == POP3_STATE_CLOSED) {
		ev->kind = POP3_CLOSE;
		ev->why = m->why;
	}
	return used;
}

/* ---- answers ---- */

static void
end_login(struct pop3_server *m, struct pop3_reply reply)
{
	bool wrong = reply.code && span_eq(span_of(reply.code), SPAN("AUTH"));

	pop3_server_fini(m); /* name and password */
	pop3_server_enter(m, reply.ok ? POP3_STATE_TRANSACTION : POP3_STATE_AUTHORIZATION);
	m->auth_failures += wrong;
	if (m->auth_failures >= m->config.auth_failures && !m->close_after)
		m->close_after = POP3_CLOSE_AUTH_FAILURES;
}

static void
apply_answer(struct pop3_server *m, enum pop3_event_kind kind, struct pop3_reply reply)
{
	if (kind == POP3_CONNECT && reply.ok)
		pop3_server_enter(m, POP3_STATE_AUTHORIZATION);
	else if (kind == POP3_CONNECT)
		m->close_after = POP3_CLOSE_REFUSED;
	else if (kind == POP3_LOGIN || kind == POP3_KEYS || kind == POP3_CONFIRMED) {
		if (!reply.challenge)
			end_login(m, reply);
	} else if (kind == POP3_STLS && reply.ok)
		pop3_server_enter(m, POP3_STATE_TLS);
	else if (kind == POP3_UPDATE)
		m->close_after = POP3_CLOSE_QUIT;
	m->sending = reply.ok && reply.more;
}

/* RFC 2449, 5 */
static enum err
put_capabilities(const struct pop3_server *m, struct buf *out)
{
	bool ok = buf_put(out, SPAN("TOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\n"
				    "AUTH-RESP-CODE\r\nUTF8\r\n")) == OK;

	if (pop3_server_takes_password(m))
		ok = ok && buf_put(out, SPAN("USER\r\n")) == OK;
	if (pop3_server_mechanisms(m) & ~SASL_BIT(SASL_APOP)) /* which the greeting announces */
		ok = ok && buf_put(out, SPAN("SASL ")) == OK &&
			sasl_put_names(pop3_server_mechanisms(m), out) == OK &&
			buf_put(out, SPAN("\r\n")) == OK;
	if (m->config.stls && !m->tls)
		ok = ok && buf_put(out, SPAN("STLS\r\n")) == OK;
	if (m->config.implementation.len > 0)
		ok = ok &&
			buf_printf(out, "IMPLEMENTATION %.*s\r\n",
				SPAN_FMT(m->config.implementation)) == OK;
	return ok && buf_put(out, SPAN(".\r\n")) == OK ? OK : ERR_LIMIT;
}

static enum err
put_answer(const struct pop3_server *m, struct pop3_reply reply, struct buf *out)
{
	if (pop3_reply_put(out, reply) != OK)
		return ERR_LIMIT;
	if (m->pending_verb == POP3_VERB_CAPA && reply.ok)
		return put_capabilities(m, out);
	return OK;
}

void
pop3_server_answer(struct pop3_server *m, struct pop3_reply reply, struct buf *out)
{
	enum pop3_event_kind kind = m->pending;

	ENSURE(kind != POP3_NEED_BYTES);
	if (m->early) {
		reply = early_reply();
		m->close_after = POP3_CLOSE_EARLY_BYTES;
	}
	m->pending = POP3_NEED_BYTES;
	m->early = m->go_ahead = false;
	apply_answer(m, kind, reply);
	if (put_answer(m, reply, out) != OK)
		m->close_after = POP3_CLOSE_OUTPUT;
	if (!m->close_after)
		return;
	m->why = m->close_after;
	m->sending = false;
	pop3_server_fini(m);
	pop3_server_enter(m, POP3_STATE_CLOSED);
}

void
pop3_server_sent(struct pop3_server *m)
{
	ENSURE(m->sending);
	m->sending = false;
}
