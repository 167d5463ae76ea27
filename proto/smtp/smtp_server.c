/*
 * smtp_server.c - what may come when, and what is answered without asking anybody.
 *
 * AUTH is in smtp_server_auth.c, what the answers of the session do in smtp_server_answer.c.
 */
#include "proto/smtp/smtp_server.h"

#include "proto/base/line.h"
#include "proto/smtp/smtp_server_inside.h"

/* ---- states ---- */

void
smtp_server_enter(struct smtp_server *m, enum smtp_state state)
{
	ENSURE(m->state != SMTP_STATE_CLOSED || state == SMTP_STATE_CLOSED);
	m->state = state;
}

static bool
in_transaction(const struct smtp_server *m)
{
	return m->state == SMTP_STATE_MAIL || m->state == SMTP_STATE_RCPT;
}

void
smtp_server_end_transaction(struct smtp_server *m)
{
	m->smtputf8 = false;
	m->recipients_accepted = m->recipients_refused = 0;
	smtp_server_enter(m, SMTP_STATE_GREETED);
}

void
smtp_server_init(struct smtp_server *m, const struct smtp_server_config *config, struct arena *a,
	bool tls)
{
	*m = (struct smtp_server){ .config = *config, .arena = a, .tls = tls };
	sasl_init(&m->sasl, SASL_NONE, NULL);
}

void
smtp_server_fini(struct smtp_server *m)
{
	sasl_fini(&m->sasl);
}

void
smtp_server_tls_started(struct smtp_server *m)
{
	ENSURE(m->state == SMTP_STATE_TLS);
	sasl_fini(&m->sasl);
	m->tls = true;
	m->esmtp = m->authenticated = false;
	m->auth_failures = 0;
	smtp_server_end_transaction(m);
	smtp_server_enter(m, SMTP_STATE_READY); /* H3: as if nothing had been said */
}

const char *
smtp_close_name(enum smtp_close why)
{
	static const char *const names[] = {
		[SMTP_CLOSE_NONE] = "none",
		[SMTP_CLOSE_QUIT] = "quit",
		[SMTP_CLOSE_REFUSED] = "refused",
		[SMTP_CLOSE_BARE_LINE_END] = "bare line end",
		[SMTP_CLOSE_NUL] = "NUL in a command",
		[SMTP_CLOSE_EARLY_BYTES] = "bytes before the go-ahead",
		[SMTP_CLOSE_BAD_COMMANDS] = "too many bad commands",
		[SMTP_CLOSE_AUTH_FAILURES] = "too many failed logins",
		[SMTP_CLOSE_OUTPUT] = "peer does not read",
	};

	ENSURE((size_t)why < COUNT(names));
	return names[why];
}

/* ---- events ---- */

void
smtp_server_raise(struct smtp_server *m, struct smtp_event *ev, enum smtp_event_kind kind)
{
	ev->kind = kind;
	m->pending = kind;
	m->pending_verb = ev->command.verb;
}

void
smtp_server_settle(struct smtp_server *m, struct smtp_event *ev, struct smtp_reply reply)
{
	smtp_server_raise(m, ev, SMTP_SETTLED);
	ev->reply = reply;
}

static void
settle_and_close(struct smtp_server *m, struct smtp_event *ev, struct smtp_reply reply,
	enum smtp_close why)
{
	smtp_server_settle(m, ev, reply);
	ev->why = m->close_after = why;
}

void
smtp_server_settle_bad(struct smtp_server *m, struct smtp_event *ev, struct smtp_reply reply)
{
	m->bad_commands++;
	if (m->bad_commands > m->config.bad_commands)
		settle_and_close(m, ev, SMTP_REPLY(421, "4.7.0", "Too many bad commands"),
			SMTP_CLOSE_BAD_COMMANDS);
	else
		smtp_server_settle(m, ev, reply);
}

static void
settle_bare_line_end(struct smtp_server *m, struct smtp_event *ev)
{
	settle_and_close(m, ev, SMTP_REPLY(550, "5.6.11", "Bare CR or LF"),
		SMTP_CLOSE_BARE_LINE_END); /* H1 */
}

struct smtp_reply
smtp_server_early_reply(void)
{
	return SMTP_REPLY(554, "5.5.0", "Bytes came before our go-ahead");
}

/* ---- commands ---- */

static void
do_hello(struct smtp_server *m, struct smtp_event *ev)
{
	smtp_server_raise(m, ev, SMTP_HELLO);
}

static bool
has_dsn_options(const struct smtp_command *c)
{
	return c->mail.ret != DSN_RET_UNSAID || c->mail.envid.ptr || c->recipient.notify ||
		c->recipient.orcpt.ptr;
}

static void
do_mail(struct smtp_server *m, struct smtp_event *ev)
{
	const struct mail_options *options = &ev->command.mail;

	if (m->state == SMTP_STATE_READY)
		smtp_server_settle_bad(m, ev,
			m->config.lmtp ? SMTP_REPLY(503, "5.5.1", "Say LHLO first")
				       : SMTP_REPLY(503, "5.5.1", "Say EHLO first"));
	else if (m->state != SMTP_STATE_GREETED)
		smtp_server_settle_bad(m, ev, SMTP_REPLY(503, "5.5.1", "There is a sender already"));
	else if (!m->config.dsn && has_dsn_options(&ev->command))
		smtp_server_settle_bad(m, ev, smtp_reply_for_fault(SMTP_FAULT_PARAMETER)); /* SMT-11 */
	else if (m->config.message_size && options->size > m->config.message_size)
		smtp_server_settle(m, ev, smtp_reply_for(ERR_LIMIT)); /* SMT-10 */
	else {
		m->smtputf8 = options->smtputf8;
		smtp_server_raise(m, ev, SMTP_MAIL);
	}
}

static void
do_rcpt(struct smtp_server *m, struct smtp_event *ev)
{
	if (!in_transaction(m))
		smtp_server_settle_bad(m, ev, SMTP_REPLY(503, "5.5.1", "Say MAIL first"));
	else if (!m->config.dsn && has_dsn_options(&ev->command))
		smtp_server_settle_bad(m, ev, smtp_reply_for_fault(SMTP_FAULT_PARAMETER)); /* SMT-11 */
	else if ((ev->command.path.flags & ADDRESS_UTF8) && !m->smtputf8)
		smtp_server_settle(m, ev, smtp_reply_for_fault(SMTP_FAULT_UTF8_NEEDED));
	else if (m->recipients_accepted >= m->config.recipients)
		smtp_server_settle(m, ev, SMTP_REPLY(452, "4.5.3", "Too many recipients"));
	else
		smtp_server_raise(m, ev, SMTP_RCPT);
}

static void
do_data(struct smtp_server *m, struct smtp_event *ev)
{
	if (m->state == SMTP_STATE_RCPT) {
		smtp_server_raise(m, ev, SMTP_DATA);
		m->go_ahead = true;
	} else if (m->state == SMTP_STATE_MAIL) {
		smtp_server_settle(m, ev,
			m->config.lmtp ? SMTP_REPLY(503, "5.5.1", "No valid recipients") /* RFC 2033, 4.2 */
				       : SMTP_REPLY(554, "5.5.1", "No valid recipients"));
	} else {
		smtp_server_settle_bad(m, ev, SMTP_REPLY(503, "5.5.1", "Say MAIL and RCPT first"));
	}
}

static void
do_starttls(struct smtp_server *m, struct smtp_event *ev)
{
	if (!m->config.starttls)
		smtp_server_settle_bad(m, ev, SMTP_REPLY(502, "5.5.1", "Not offered here"));
	else if (m->tls || in_transaction(m))
		smtp_server_settle_bad(m, ev, SMTP_REPLY(503, "5.5.1", "Not now"));
	else {
		smtp_server_raise(m, ev, SMTP_STARTTLS);
		m->go_ahead = true;
	}
}

static void
do_ok(struct smtp_server *m, struct smtp_event *ev)
{
	smtp_server_settle(m, ev, smtp_reply_for(OK));
}

static void
do_help(struct smtp_server *m, struct smtp_event *ev)
{
	smtp_server_settle(m, ev, SMTP_REPLY(214, "2.0.0", "See RFC 5321"));
}

static void
do_vrfy(struct smtp_server *m, struct smtp_event *ev)
{
	smtp_server_raise(m, ev, SMTP_VRFY);
}

static void
do_quit(struct smtp_server *m, struct smtp_event *ev)
{
	smtp_server_raise(m, ev, SMTP_QUIT);
}

enum { IN_SMTP = 1, IN_LMTP = 2, IN_BOTH = 3 };

static const struct {
	void (*run)(struct smtp_server *, struct smtp_event *);
	unsigned spoken;  /* in which of the two */
	bool resets;      /* ends a transaction; SMTP_RESET comes first */
	bool ends_batch;  /* nothing may follow it before our go-ahead (RFC 2920, 3.1) */
} commands[SMTP_VERBS] = {
	[SMTP_VERB_HELO] = { do_hello, IN_SMTP, true, false },
	[SMTP_VERB_EHLO] = { do_hello, IN_SMTP, true, false },
	[SMTP_VERB_LHLO] = { do_hello, IN_LMTP, true, false },
	[SMTP_VERB_MAIL] = { do_mail, IN_BOTH, false, false },
	[SMTP_VERB_RCPT] = { do_rcpt, IN_BOTH, false, false },
	[SMTP_VERB_DATA] = { do_data, IN_BOTH, false, true },
	[SMTP_VERB_RSET] = { do_ok, IN_BOTH, true, false },
	[SMTP_VERB_NOOP] = { do_ok, IN_BOTH, false, false },
	[SMTP_VERB_QUIT] = { do_quit, IN_BOTH, false, false },
	[SMTP_VERB_VRFY] = { do_vrfy, IN_BOTH, false, false },
	[SMTP_VERB_EXPN] = { do_vrfy, IN_BOTH, false, false },
	[SMTP_VERB_HELP] = { do_help, IN_BOTH, false, false },
	[SMTP_VERB_STARTTLS] = { do_starttls, IN_BOTH, false, true },
	[SMTP_VERB_AUTH] = { smtp_server_do_auth, IN_BOTH, false, true },
};

/* RFC 2033, 4.1: HELO and EHLO do not exist in LMTP, nor LHLO in SMTP. */
static void
forget_foreign(const struct smtp_server *m, struct smtp_command *command)
{
	if (commands[command->verb].spoken & (m->config.lmtp ? IN_LMTP : IN_SMTP))
		return;
	command->verb = SMTP_VERB_UNKNOWN;
	command->fault = SMTP_FAULT_UNKNOWN;
}

/* FOLLOWED: there are bytes behind the line. False: SMTP_RESET comes first, the line stays. */
static bool
run_command(struct smtp_server *m, struct smtp_event *ev, struct span line, bool followed)
{
	enum smtp_verb verb;

	smtp_command_parse(m->arena, line, &ev->command);
	forget_foreign(m, &ev->command);
	verb = ev->command.verb;
	if (commands[verb].ends_batch && followed) {
		settle_and_close(m, ev, smtp_server_early_reply(),
			SMTP_CLOSE_EARLY_BYTES); /* H3, H4 */
	} else if (ev->command.fault != SMTP_FAULT_NONE) {
		smtp_server_settle_bad(m, ev, smtp_reply_for_fault(ev->command.fault));
	} else if (commands[verb].resets && in_transaction(m)) {
		smtp_server_end_transaction(m);
		ev->kind = SMTP_RESET;
		return false;
	} else {
		commands[verb].run(m, ev);
	}
	return true;
}

/* ---- input ---- */

/* Drop what is left of an over-long line, then refuse it. */
static size_t
skip_line(struct smtp_server *m, struct span in, struct smtp_event *ev)
{
	size_t lf = span_find(in, '\n');
	bool after_cr = lf > 0 ? in.ptr[lf - 1] == '\r' : m->skipped_cr;

	if (lf == in.len) {
		if (in.len > 0)
			m->skipped_cr = after_cr;
		return in.len;
	}
	m->skipping = m->skipped_cr = false;
	if (!after_cr) {
		settle_bare_line_end(m, ev);
	} else if (m->state == SMTP_STATE_AUTH) {
		sasl_fini(&m->sasl);
		smtp_server_enter(m, SMTP_STATE_GREETED);
		smtp_server_settle_bad(m, ev, SMTP_REPLY(500, "5.5.6", "Line too long")); /* RFC 4954, 4 */
	} else {
		smtp_server_settle_bad(m, ev, SMTP_REPLY(500, "5.5.2", "Line too long"));
	}
	return lf + 1;
}

static size_t
next_line(struct smtp_server *m, struct span in, struct smtp_event *ev)
{
	struct span line;
	size_t used;
	enum err why;
	enum parse parse = line_take(in, m->config.command_line, &line, &used, &why);

	if (parse == PARSE_MORE)
		return 0;
	if (parse == PARSE_BAD && why == ERR_LIMIT) {
		m->skipping = true;
		return skip_line(m, in, ev);
	}
	if (parse == PARSE_BAD) {
		settle_bare_line_end(m, ev);
		return in.len;
	}
	if (span_find(line, '\0') < line.len) {
		settle_and_close(m, ev, SMTP_REPLY(500, "5.5.2", "NUL in a command"),
			SMTP_CLOSE_NUL); /* H24 */
		return used;
	}
	if (m->state != SMTP_STATE_AUTH)
		return run_command(m, ev, line, used < in.len) ? used : 0;
	if (used < in.len)
		settle_and_close(m, ev, smtp_server_early_reply(), SMTP_CLOSE_EARLY_BYTES);
	else
		smtp_server_go_on_with_auth(m, ev, line);
	return used;
}

static void
refuse_message(struct smtp_server *m, struct smtp_event *ev, struct smtp_reply reply)
{
	smtp_server_raise(m, ev, SMTP_MESSAGE_REFUSED);
	ev->reply = reply;
}

static void
end_message(struct smtp_server *m, struct smtp_event *ev)
{
	if (m->too_big)
		refuse_message(m, ev, smtp_reply_for(ERR_LIMIT));
	else if (m->data.long_line)
		refuse_message(m, ev, SMTP_REPLY(554, "5.6.0", "Line too long in the message"));
	else if (m->data.has_nul)
		refuse_message(m, ev, SMTP_REPLY(554, "5.6.0", "NUL in the message"));
	else
		smtp_server_raise(m, ev, SMTP_MESSAGE_END);
}

static bool
count_text(struct smtp_server *m, struct span text)
{
	m->message_bytes += text.len;
	if (m->config.message_size && m->message_bytes > m->config.message_size)
		m->too_big = true;
	return text.len > 0 && !m->too_big && !m->data.long_line && !m->data.has_nul;
}

static size_t
next_text(struct smtp_server *m, struct span in, struct smtp_event *ev)
{
	size_t total = 0, used;

	while (total < in.len) {
		enum parse parse = smtp_data_take(&m->data, span_from(in, total), &ev->text, &used);

		total += used;
		if (parse == PARSE_BAD) {
			ev->text = SPAN_NONE;
			refuse_message(m, ev, SMTP_REPLY(550, "5.6.11", "Bare CR or LF"));
			ev->why = m->close_after = SMTP_CLOSE_BARE_LINE_END; /* H1 */
			return in.len;
		}
		if (parse == PARSE_DONE) {
			end_message(m, ev);
			return total;
		}
		if (count_text(m, ev->text)) {
			ev->kind = SMTP_TEXT;
			return total;
		}
	}
	return total;
}

static size_t
next_in_state(struct smtp_server *m, struct span in, struct smtp_event *ev)
{
	switch (m->state) {
	case SMTP_STATE_START:
		smtp_server_raise(m, ev, SMTP_CONNECT);
		return 0;
	case SMTP_STATE_DATA:
		return next_text(m, in, ev);
	case SMTP_STATE_TLS:
		if (in.len == 0)
			return 0;
		m->why = SMTP_CLOSE_EARLY_BYTES; /* H3 */
		smtp_server_enter(m, SMTP_STATE_CLOSED);
		return in.len;
	case SMTP_STATE_CLOSED:
		return 0;
	default:
		return m->skipping ? skip_line(m, in, ev) : next_line(m, in, ev);
	}
}

size_t
smtp_server_next(struct smtp_server *m, struct span in, struct smtp_event *ev)
{
	size_t used;

	*ev = (struct smtp_event){ .kind = SMTP_NEED_BYTES };
	if (m->pending != SMTP_NEED_BYTES) {
		ev->kind = SMTP_NEED_REPLY;
		m->early |= m->go_ahead && in.len > 0;
		return 0;
	}
	used = next_in_state(m, in, ev);
	if (m->state == SMTP_STATE_CLOSED) {
		ev->kind = SMTP_CLOSE;
		ev->why = m->why;
	}
	return used;
}
