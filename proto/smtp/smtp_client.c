/*
 * smtp_client.c - which answer is for what, and when a session is over.
 *
 * How a session begins is in smtp_client_begin.c, a transaction in smtp_client_mail.c.
 */
#include "proto/smtp/smtp_client.h"

#include <string.h>

#include "proto/smtp/smtp_client_inside.h"
#include "proto/smtp/smtp_reply.h"

#define COMMAND_MAX 65536 /* bytes of one command line: an AUTH with a long token */

const char *
smtp_stage_name(enum smtp_stage stage)
{
	static const char *const names[] = {
		[SMTP_STAGE_CONNECT] = "connect",
		[SMTP_STAGE_GREETING] = "greeting",
		[SMTP_STAGE_HELLO] = "EHLO",
		[SMTP_STAGE_STARTTLS] = "STARTTLS",
		[SMTP_STAGE_AUTH] = "AUTH",
		[SMTP_STAGE_IDLE] = "idle",
		[SMTP_STAGE_MAIL] = "MAIL FROM",
		[SMTP_STAGE_RCPT] = "RCPT TO",
		[SMTP_STAGE_DATA] = "DATA",
		[SMTP_STAGE_TEXT] = "text",
		[SMTP_STAGE_END] = "end of text",
		[SMTP_STAGE_RSET] = "RSET",
		[SMTP_STAGE_ETRN] = "ETRN",
		[SMTP_STAGE_QUIT] = "QUIT",
	};

	ENSURE((size_t)stage < COUNT(names));
	return names[stage];
}

const char *
smtp_client_over_text(enum smtp_client_over why)
{
	static const char *const texts[] = {
		[SMTP_OVER_NO] = "",
		[SMTP_OVER_QUIT] = "quit",
		[SMTP_OVER_REFUSED] = "the server refused to talk",
		[SMTP_OVER_NO_TLS] = "the server offers no TLS, which this route requires",
		[SMTP_OVER_NO_AUTH] = "the server offers no way to log in that may be used here",
		[SMTP_OVER_AUTH] = "the login was refused",
		[SMTP_OVER_NONSENSE] = "the server does not speak SMTP",
		[SMTP_OVER_INJECTED] = "bytes came in clear before TLS began",
		[SMTP_OVER_EARLY] = "the server answered before the text had ended",
		[SMTP_OVER_UNASKED] = "the server answered what it was not asked",
		[SMTP_OVER_SHORT] = "the text is not as long as was said",
		[SMTP_OVER_OUTPUT] = "the server does not read",
	};

	ENSURE((size_t)why < COUNT(texts));
	return texts[why];
}

void
smtp_client_enter(struct smtp_client *m, enum smtp_stage stage)
{
	ENSURE(m->over == SMTP_OVER_NO);
	m->stage = stage;
}

/* ANSWER with its text in TEXT, which outlives the reader. */
static struct smtp_answer
answer_keep(const struct smtp_client *m, struct smtp_answer answer, char text[SMTP_ANSWER_TEXT])
{
	struct smtp_answer kept = { .code = answer.code };
	size_t at = answer.enhanced.len > 0 ? (size_t)(answer.enhanced.ptr - answer.text.ptr) : 0;

	kept.text = (struct span){ text, sasl_client_copy_said(&m->sasl, answer.text, text, SMTP_ANSWER_TEXT) };
	kept.enhanced = span_range(kept.text, at, at + answer.enhanced.len);
	if (!span_eq(kept.enhanced, answer.enhanced))
		kept.enhanced = SPAN(""); /* it was hidden */
	return kept;
}

/* The first reason stays. */
void
smtp_client_end(struct smtp_client *m, enum smtp_client_over why, struct smtp_answer answer)
{
	if (m->over != SMTP_OVER_NO)
		return;
	m->over = why;
	m->over_answer = answer_keep(m, answer, m->over_text);
}

void
smtp_client_settle(struct smtp_client *m, enum smtp_stage stage, struct smtp_answer answer)
{
	m->settled = true;
	m->settled_stage = stage;
	m->verdict = answer_keep(m, answer, m->verdict_text);
}

void
smtp_client_raise(
	struct smtp_client *m, struct smtp_client_event *ev, enum smtp_client_event_kind kind)
{
	ev->kind = kind;
	ev->stage = m->stage;
	if (kind != SMTP_CLIENT_RECIPIENT)
		m->pending = kind; /* it wants something of the holder */
}

void
smtp_client_put(struct smtp_client *m, struct buf *out, const struct span *parts, size_t count)
{
	struct buf line;

	buf_init(&line, COMMAND_MAX);
	line.wipes = true;
	for (size_t i = 0; i < count; i++)
		if (buf_put(&line, parts[i]) != OK)
			break;
	if (line.overflow || smtp_put(out, buf_span(&line)) != OK) /* H11: no control gets through */
		smtp_client_end(m, SMTP_OVER_OUTPUT, (struct smtp_answer){ 0 });
	buf_wipe(&line);
}

void
smtp_client_init(struct smtp_client *m, const struct smtp_client_config *config)
{
	*m = (struct smtp_client){ .config = *config,
		.tls = config->secure,
		.stage = SMTP_STAGE_GREETING };
	sasl_client_init(&m->sasl, SASL_CLIENT_NONE, &config->account, NULL);
}

void
smtp_client_fini(struct smtp_client *m)
{
	sasl_client_fini(&m->sasl);
	explicit_bzero(&m->reader, sizeof(m->reader));
}

void
smtp_client_tls_started(struct smtp_client *m, struct buf *out)
{
	ENSURE(m->pending == SMTP_CLIENT_STARTTLS);
	m->pending = SMTP_CLIENT_NEED_BYTES;
	m->handshake = false;
	m->tls = true;
	m->reader = (struct smtp_answer_reader){ 0 };
	smtp_client_hello(m, out);
}

void
smtp_client_quit(struct smtp_client *m, struct buf *out)
{
	ENSURE(m->pending == SMTP_CLIENT_READY);
	m->pending = SMTP_CLIENT_NEED_BYTES;
	smtp_client_enter(m, SMTP_STAGE_QUIT);
	SMTP_PUT(m, out, SPAN("QUIT"));
}

void
smtp_client_etrn(struct smtp_client *m, struct span domain, struct buf *out)
{
	ENSURE(m->pending == SMTP_CLIENT_READY);
	m->pending = SMTP_CLIENT_NEED_BYTES;
	smtp_client_enter(m, SMTP_STAGE_ETRN);
	SMTP_PUT(m, out, SPAN("ETRN "), domain);
}

/* RSET was answered, or nothing had to be taken back: the next message. */
static void
on_reset(struct smtp_client *m, struct smtp_answer a)
{
	if (!smtp_answer_is_good(a))
		smtp_client_end(m, SMTP_OVER_REFUSED, a);
	else
		smtp_client_enter(m, SMTP_STAGE_IDLE);
}

/* A whole reply, for what is waited for. */
static void
take_answer(struct smtp_client *m, struct smtp_answer a, struct span line, struct buf *out,
	struct smtp_client_event *ev)
{
	ev->answer = a;
	if (a.code == 421 && m->stage != SMTP_STAGE_QUIT) { /* it says so, and closes */
		smtp_client_end(m, SMTP_OVER_REFUSED, a);
		return;
	}
	switch (m->stage) {
	case SMTP_STAGE_GREETING:
		smtp_client_on_greeting(m, a, out);
		break;
	case SMTP_STAGE_HELLO:
		smtp_client_on_hello(m, a, out);
		break;
	case SMTP_STAGE_STARTTLS:
		smtp_client_on_starttls(m, a, out);
		break;
	case SMTP_STAGE_AUTH:
		smtp_client_on_auth(m, a, line, out, ev);
		break;
	case SMTP_STAGE_MAIL:
	case SMTP_STAGE_RCPT:
	case SMTP_STAGE_DATA:
		smtp_client_on_mail(m, a, out, ev);
		break;
	case SMTP_STAGE_END:
		smtp_client_on_end(m, a);
		break;
	case SMTP_STAGE_RSET:
		on_reset(m, a);
		break;
	case SMTP_STAGE_ETRN:
		smtp_client_settle(m, SMTP_STAGE_ETRN, a);
		smtp_client_enter(m, SMTP_STAGE_IDLE);
		break;
	case SMTP_STAGE_QUIT:
		smtp_client_end(m, SMTP_OVER_QUIT, a);
		break;
	case SMTP_STAGE_TEXT:
		smtp_client_end(m, SMTP_OVER_EARLY, a);
		break;
	case SMTP_STAGE_IDLE:
	case SMTP_STAGE_CONNECT:
	case SMTP_STAGES:
		smtp_client_end(m, SMTP_OVER_UNASKED, a);
		break;
	}
}

/* Between messages, and while it is sent a text, the peer should be silent: what it says ends the session. */
static bool
listens(const struct smtp_client *m, const struct smtp_client_event *ev)
{
	if (m->over != SMTP_OVER_NO || m->settled || m->handshake || ev->kind != SMTP_CLIENT_NEED_BYTES)
		return false;
	return m->pending == SMTP_CLIENT_NEED_BYTES ||
		(m->stage == SMTP_STAGE_IDLE && m->pending == SMTP_CLIENT_READY) ||
		(m->stage == SMTP_STAGE_TEXT && m->pending == SMTP_CLIENT_GO);
}

/* Answers that are still to come. */
static size_t
owed(const struct smtp_client *m)
{
	switch (m->stage) {
	case SMTP_STAGE_MAIL:
	case SMTP_STAGE_RCPT:
	case SMTP_STAGE_DATA:
		return !m->mail_answered + (m->asked - m->answered) + (m->data_asked && !m->chunked);
	default:
		return 1;
	}
}

/*
 * What came together with the last answer that was owed is no answer to what is asked only now: taken
 * for one, each reply would count for the command behind its own, and a 250 for a text never read.
 */
static void
refuse_unasked(struct smtp_client *m)
{
	if (!m->settled && !m->handshake && m->over == SMTP_OVER_NO)
		smtp_client_end(m, SMTP_OVER_UNASKED, (struct smtp_answer){ 0 });
}

/* Lines of replies, until one is an event; the bytes used up. */
static size_t
take_lines(struct smtp_client *m, struct span in, struct buf *out, struct smtp_client_event *ev)
{
	size_t used = 0, line_used = 0;
	enum err why;

	while (listens(m, ev)) {
		struct smtp_answer answer;
		struct span line;
		enum parse parse = smtp_answer_take(
			&m->reader, span_from(in, used), &line_used, &line, &answer, &why);

		if (parse == PARSE_BAD)
			smtp_client_end(m, SMTP_OVER_NONSENSE, (struct smtp_answer){ 0 });
		if (line_used == 0)
			break;
		used += line_used;
		if (m->stage == SMTP_STAGE_HELLO)
			smtp_extensions_take(&m->extensions, line);
		if (parse == PARSE_DONE) {
			bool last = owed(m) == 1;

			take_answer(m, answer, line, out, ev);
			if (last && used < in.len && m->stage != SMTP_STAGE_IDLE)
				refuse_unasked(m);
		}
	}
	return used;
}

/* What the state itself has to say, where no answer did. */
static void
say_state(struct smtp_client *m, struct smtp_client_event *ev)
{
	if (m->settled) {
		m->settled = false;
		m->mail = NULL;
		*ev = (struct smtp_client_event){ .kind = SMTP_CLIENT_SENT,
			.stage = m->settled_stage, .answer = m->verdict };
	} else if (m->pending != SMTP_CLIENT_NEED_BYTES) {
		ev->kind = SMTP_CLIENT_NEED_HOLDER;
	} else if (m->handshake) {
		smtp_client_raise(m, ev, SMTP_CLIENT_STARTTLS);
	} else if (m->stage == SMTP_STAGE_IDLE) {
		smtp_client_raise(m, ev, SMTP_CLIENT_READY);
	} else if (m->stage == SMTP_STAGE_TEXT) {
		smtp_client_raise(m, ev, SMTP_CLIENT_GO);
	}
}

size_t
smtp_client_next(struct smtp_client *m, struct span in, struct buf *out,
	struct smtp_client_event *ev)
{
	size_t used = 0;

	*ev = (struct smtp_client_event){ .kind = SMTP_CLIENT_NEED_BYTES, .stage = m->stage };
	if (m->over == SMTP_OVER_NO && m->to_reset && !m->settled) {
		m->to_reset = false;
		smtp_client_enter(m, SMTP_STAGE_RSET);
		SMTP_PUT(m, out, SPAN("RSET"));
		if (in.len > 0)
			refuse_unasked(m);
	}
	used = take_lines(m, in, out, ev);
	if (m->stage == SMTP_STAGE_IDLE && used < in.len)
		refuse_unasked(m);
	if (m->handshake && used < in.len) /* H3 */
		smtp_client_end(m, SMTP_OVER_INJECTED, (struct smtp_answer){ 0 });
	if (m->over != SMTP_OVER_NO)
		*ev = (struct smtp_client_event){ .kind = SMTP_CLIENT_OVER,
			.stage = m->stage, .answer = m->over_answer, .why = m->over };
	else if (ev->kind == SMTP_CLIENT_NEED_BYTES)
		say_state(m, ev);
	return used;
}
