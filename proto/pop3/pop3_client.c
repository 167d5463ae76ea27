/*
 * pop3_client.c - which answer is for what, and when a session is over. How one begins is in pop3_client_begin.c.
 */
#include "proto/pop3/pop3_client.h"

#include <stdio.h>
#include <string.h>

#include "proto/base/line.h"
#include "proto/pop3/pop3_client_inside.h"

#define COMMAND_MAX 65536 /* bytes of a line of ours: a long token */

/* What follows +OK. */
enum body { BODY_NONE, BODY_LINES, BODY_TEXT };

static const struct {
	struct span word;
	bool is_secret; /* what stands behind the word is not to be shown */
	enum body body;
} commands[POP3_ASKED_KINDS] = {
	[POP3_ASKED_GREETING] = { SPAN(""), false, BODY_NONE },
	[POP3_ASKED_CAPA] = { SPAN("CAPA"), false, BODY_LINES },
	[POP3_ASKED_STLS] = { SPAN("STLS"), false, BODY_NONE },
	[POP3_ASKED_USER] = { SPAN("USER"), true, BODY_NONE },
	[POP3_ASKED_PASS] = { SPAN("PASS"), true, BODY_NONE },
	[POP3_ASKED_AUTH] = { SPAN("AUTH"), true, BODY_NONE },
	[POP3_ASKED_APOP] = { SPAN("APOP"), true, BODY_NONE },
	[POP3_ASKED_STAT] = { SPAN("STAT"), false, BODY_NONE },
	[POP3_ASKED_LIST] = { SPAN("LIST"), false, BODY_LINES },
	[POP3_ASKED_UIDL] = { SPAN("UIDL"), false, BODY_LINES },
	[POP3_ASKED_TOP] = { SPAN("TOP"), false, BODY_TEXT },
	[POP3_ASKED_RETR] = { SPAN("RETR"), false, BODY_TEXT },
	[POP3_ASKED_DELE] = { SPAN("DELE"), false, BODY_NONE },
	[POP3_ASKED_NOOP] = { SPAN("NOOP"), false, BODY_NONE },
	[POP3_ASKED_ENV] = { SPAN("*ENV"), false, BODY_LINES },
	[POP3_ASKED_NOTHING] = { SPAN(""), false, BODY_NONE },
	[POP3_ASKED_QUIT] = { SPAN("QUIT"), false, BODY_NONE },
};

const char *
pop3_client_over_text(enum pop3_client_over why)
{
	static const char *const texts[] = {
		[POP3_OVER_NO] = "",
		[POP3_OVER_QUIT] = "quit",
		[POP3_OVER_REFUSED] = "the server refused",
		[POP3_OVER_LOCKED] = "the mailbox is in use elsewhere",
		[POP3_OVER_TOO_SOON] = "the server wants more time between two logins",
		[POP3_OVER_NO_TLS] = "the server offers no STLS, which tls: starttls requires",
		[POP3_OVER_NO_AUTH] = "the server does not offer this way to log in (auth)",
		[POP3_OVER_AUTH] = "the login was refused",
		[POP3_OVER_NONSENSE] = "the server does not speak POP3",
		[POP3_OVER_LINE] = "the server sent a line too long, without CRLF, or too many of them",
		[POP3_OVER_BROKEN_END] =
			"text came behind the end of a message: the server does not double leading dots",
		[POP3_OVER_INJECTED] = "bytes came in clear before TLS began",
		[POP3_OVER_UNASKED] = "the server answered what it was not asked",
		[POP3_OVER_OUTPUT] = "a command cannot be sent (a name or a password with a control in it)",
	};

	ENSURE((size_t)why < COUNT(texts));
	return texts[why];
}

void
pop3_client_end(struct pop3_client *m, enum pop3_client_over why)
{
	if (m->over == POP3_OVER_NO)
		m->over = why;
}

void
pop3_client_wait(struct pop3_client *m, enum pop3_client_event_kind what)
{
	m->waits = what;
	m->told = false;
}

/* ---- commands ---- */

void
pop3_client_put(struct pop3_client *m, struct buf *out, const struct span *parts, size_t count)
{
	struct buf line;

	buf_init(&line, COMMAND_MAX);
	line.wipes = true;
	for (size_t i = 0; i < count; i++)
		if (buf_put(&line, parts[i]) != OK)
			break;
	if (line.overflow || span_has_control(buf_span(&line), SPAN("")) || /* H11 */
		!buf_reserve(out, buf_span(&line).len + 2) || buf_put(out, buf_span(&line)) != OK ||
		buf_put(out, SPAN("\r\n")) != OK)
		pop3_client_end(m, POP3_OVER_OUTPUT);
	buf_wipe(&line);
}

static struct pop3_asked *
asked_at(struct pop3_client *m, unsigned i)
{
	return &m->asked[(m->first + i) % POP3_CLIENT_AHEAD];
}

static void
put_asked(struct pop3_client *m, const struct pop3_asked *a, struct buf *out)
{
	char number[16] = "";

	if (a->kind == POP3_ASKED_NOTHING)
		return;
	if (commands[a->kind].is_secret) {
		pop3_client_put_login(m, a->kind, out);
		return;
	}
	if (a->number > 0)
		snprintf(number, sizeof(number), " %u", a->number);
	POP3_PUT(m, out, commands[a->kind].word, span_of(number),
		a->kind == POP3_ASKED_TOP ? SPAN(" 0") : SPAN(""));
}

/* As much as may go out now. */
static void
pump(struct pop3_client *m, struct buf *out)
{
	while (m->over == POP3_OVER_NO && m->sent < m->count && (m->sent == 0 || (m->ready && m->pipelining)))
		put_asked(m, asked_at(m, m->sent++), out);
}

void
pop3_client_push(struct pop3_client *m, struct pop3_asked asked, struct buf *out)
{
	ENSURE(m->count < POP3_CLIENT_AHEAD);
	*asked_at(m, m->count++) = asked;
	pump(m, out);
}

enum err
pop3_client_ask(
	struct pop3_client *m, enum pop3_asked_kind kind, uint32_t number, uint64_t size, struct buf *out)
{
	ENSURE(m->ready);
	if (m->count + 2 >= POP3_CLIENT_AHEAD) /* two are the machine's own */
		return ERR_LIMIT;
	pop3_client_push(m, (struct pop3_asked){ .kind = kind, .number = number, .size = size }, out);
	return OK;
}

void
pop3_client_quit(struct pop3_client *m, struct buf *out)
{
	if (m->over == POP3_OVER_NO)
		pop3_client_push(m, (struct pop3_asked){ .kind = POP3_ASKED_QUIT, .own = true }, out);
}

struct span
pop3_client_command(const struct pop3_client *m, char *text, size_t size)
{
	bool by_answer = m->over == POP3_OVER_REFUSED || m->over == POP3_OVER_LOCKED ||
		m->over == POP3_OVER_TOO_SOON ||
		m->over == POP3_OVER_NO_TLS || m->over == POP3_OVER_AUTH;
	const struct pop3_asked *a = m->sent > 0 && !by_answer ? &m->asked[m->first] : &m->last;
	int n = snprintf(text, size, "%.*s", SPAN_FMT(commands[a->kind].word));

	if (a->number > 0 && n >= 0 && (size_t)n < size)
		n += snprintf(text + n, size - (size_t)n, " %u%s", a->number,
			a->kind == POP3_ASKED_TOP ? " 0" : "");
	return (struct span){ text, n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1 };
}

struct span
pop3_client_said(const struct pop3_client *m)
{
	return (struct span){ m->said, m->said_len };
}

/* ---- answers ---- */

/* The oldest command has all of its answer: to the holder, or to the machine itself. */
static void
finish(struct pop3_client *m, struct pop3_answer answer, struct span rest, struct buf *out,
	struct pop3_client_event *ev)
{
	m->last = *asked_at(m, 0);
	m->first = (m->first + 1) % POP3_CLIENT_AHEAD;
	m->count--;
	m->sent--;
	if (m->last.kind == POP3_ASKED_STLS && answer.kind == POP3_ANSWER_OK && rest.len > 0) {
		pop3_client_end(m, POP3_OVER_INJECTED); /* H3 */
		return;
	}
	if (m->last.kind == POP3_ASKED_QUIT) {
		pop3_client_end(m, answer.kind == POP3_ANSWER_OK ? POP3_OVER_QUIT : POP3_OVER_REFUSED);
		return;
	}
	if (m->sent == 0 && rest.len > 0) { /* taken for an answer to what is asked next, each would be one too late */
		pop3_client_end(m, POP3_OVER_UNASKED);
		return;
	}
	if (!m->ready) {
		pop3_client_begin(m, m->last, answer, out);
		if (m->last.kind == POP3_ASKED_STAT && m->over == POP3_OVER_NO)
			ev->kind = POP3_CLIENT_READY;
	} else if (!m->last.own) {
		ev->kind = POP3_CLIENT_ANSWER;
	}
	m->ready |= ev->kind == POP3_CLIENT_READY;
	ev->asked = m->last.kind;
	ev->number = m->last.number;
	ev->answer = answer;
	pump(m, out);
}

/* "+OK 2 320" */
static void
read_stat(struct pop3_client_event *ev)
{
	struct span count, rest, size;

	ev->count = ev->size = POP3_SIZE_UNKNOWN;
	span_cut(ev->answer.text, ' ', &count, &rest);
	span_cut(span_trim(rest), ' ', &size, &rest);
	if (span_u64(count, UINT32_MAX, &ev->count) != OK || span_u64(size, UINT64_MAX - 1, &ev->size) != OK)
		ev->count = ev->size = POP3_SIZE_UNKNOWN;
}

static void
take_status(struct pop3_client *m, struct span line, struct span rest, struct buf *out,
	struct pop3_client_event *ev)
{
	struct pop3_asked *front = asked_at(m, 0);
	struct pop3_answer answer;

	m->said_len = sasl_client_copy_said(&m->sasl, line, m->said, sizeof(m->said));
	if (pop3_answer_parse(line, &answer) != OK ||
		(answer.kind == POP3_ANSWER_CHALLENGE && front->kind != POP3_ASKED_AUTH)) {
		pop3_client_end(m, POP3_OVER_NONSENSE);
		return;
	}
	if (answer.kind == POP3_ANSWER_CHALLENGE) {
		pop3_client_begin(m, *front, answer, out);
		return;
	}
	if (answer.kind == POP3_ANSWER_OK && commands[front->kind].body != BODY_NONE) {
		m->in_lines = commands[front->kind].body == BODY_LINES;
		m->in_text = !m->in_lines;
		m->lines = 0;
		m->text = (struct pop3_text){ 0 };
		return;
	}
	finish(m, answer, rest, out, ev);
	if (ev->kind == POP3_CLIENT_READY)
		read_stat(ev);
}

/* ---- what follows +OK ---- */

static const struct pop3_answer plain_ok = { .kind = POP3_ANSWER_OK };

static void
take_body_line(struct pop3_client *m, struct span line, struct span rest, struct buf *out,
	struct pop3_client_event *ev)
{
	const struct pop3_asked *front = asked_at(m, 0);

	if (span_eq(line, SPAN("."))) {
		m->in_lines = false;
		finish(m, plain_ok, rest, out, ev);
		return;
	}
	if (span_starts(line, SPAN(".")))
		line = span_from(line, 1);
	m->lines++;
	ev->text = line;
	ev->number = front->number;
	if (front->kind == POP3_ASKED_CAPA) {
		pop3_client_take_capa(m, line);
	} else if (front->kind == POP3_ASKED_ENV) {
		ev->kind = POP3_CLIENT_ENV;
		ev->count = m->lines;
	} else if (pop3_line_parse(line, &ev->number, &ev->text) == OK) {
		struct span size = ev->text, more;

		span_cut(ev->text, ' ', &size, &more);
		ev->kind = front->kind == POP3_ASKED_LIST ? POP3_CLIENT_SIZE : POP3_CLIENT_UNIQUE;
		if (span_u64(size, UINT64_MAX - 1, &ev->size) != OK)
			ev->size = POP3_SIZE_UNKNOWN;
	}
	if ((front->kind == POP3_ASKED_CAPA && m->lines > POP3_CLIENT_CAPA_LINES) ||
		(front->kind == POP3_ASKED_ENV && m->lines > POP3_CLIENT_ENV_LINES) ||
		m->lines > POP3_CLIENT_LIST_LINES)
		pop3_client_end(m, POP3_OVER_LINE);
}

/* A command behind the oldest, whose answer will come. */
static bool
has_behind(struct pop3_client *m)
{
	for (unsigned i = 1; i < m->sent; i++)
		if (asked_at(m, i)->kind != POP3_ASKED_NOTHING)
			return true;
	return false;
}

/*
 * A message has ended, as it seems. Where a command is under way behind it, what follows must begin like an answer;
 * where none is and it is shorter than LIST had said, one is sent to see that (a dot alone in it, not doubled).
 */
static void
on_text_end(struct pop3_client *m, struct span rest, struct buf *out)
{
	const struct pop3_asked *front = asked_at(m, 0);
	bool is_short = front->kind == POP3_ASKED_RETR && front->size != POP3_SIZE_UNKNOWN &&
		m->text.octets < front->size;

	m->in_text = false;
	m->confirms = true;
	if (!has_behind(m) && rest.len > 0) {
		pop3_client_end(m, POP3_OVER_BROKEN_END);
	} else if (!has_behind(m) && is_short) {
		for (unsigned i = m->count++; i > 1; i--)
			*asked_at(m, i) = *asked_at(m, i - 1);
		*asked_at(m, 1) = (struct pop3_asked){ .kind = POP3_ASKED_NOOP, .own = true };
		m->sent++;
		put_asked(m, asked_at(m, 1), out);
	}
}

/* False: more bytes are needed. */
static bool
confirm(struct pop3_client *m, struct span in, struct buf *out, struct pop3_client_event *ev)
{
	struct span begin = span_range(in, 0, 3);

	if (has_behind(m)) {
		if (!span_starts_nocase(SPAN("+OK"), begin) && !span_starts_nocase(SPAN("-ER"), begin)) {
			pop3_client_end(m, POP3_OVER_BROKEN_END);
			return true;
		}
		if (begin.len < 3)
			return false;
	}
	m->confirms = false;
	finish(m, plain_ok, in, out, ev);
	return true;
}

static bool
take_text(struct pop3_client *m, struct span in, struct buf *out, struct pop3_client_event *ev,
	size_t *used)
{
	enum parse parse = pop3_text_take(&m->text, in, &ev->text, used);

	if (parse == PARSE_DONE) {
		on_text_end(m, span_from(in, *used), out);
	} else if (ev->text.len > 0) {
		ev->kind = POP3_CLIENT_TEXT;
		ev->asked = asked_at(m, 0)->kind;
		ev->number = asked_at(m, 0)->number;
	}
	return parse == PARSE_DONE || *used > 0 || ev->text.len > 0 || in.len > 0;
}

/* One thing from the front of IN. False: more bytes are needed. */
static bool
step(struct pop3_client *m, struct span in, struct buf *out, struct pop3_client_event *ev, size_t *used)
{
	struct span line;
	enum err why = OK;
	enum parse parse;

	*used = 0;
	if (m->count == 0) {
		if (in.len > 0)
			pop3_client_end(m, POP3_OVER_UNASKED);
		return false;
	}
	if (asked_at(m, 0)->kind == POP3_ASKED_NOTHING) {
		finish(m, plain_ok, m->sent > 1 ? SPAN_NONE : in, out, ev);
		return true;
	}
	if (m->confirms)
		return confirm(m, in, out, ev);
	if (m->in_text)
		return take_text(m, in, out, ev, used);
	parse = line_take(in, POP3_CLIENT_LINE, &line, used, &why);
	if (parse == PARSE_BAD)
		pop3_client_end(m, POP3_OVER_LINE);
	if (parse != PARSE_DONE)
		return false;
	if (m->in_lines)
		take_body_line(m, line, span_from(in, *used), out, ev);
	else
		take_status(m, line, span_from(in, *used), out, ev);
	return true;
}

/* What the machine waits for the holder to do. */
static void
say_waits(struct pop3_client *m, struct pop3_client_event *ev)
{
	if (m->told) {
		ev->kind = POP3_CLIENT_NEED_HOLDER;
		return;
	}
	m->told = true;
	ev->kind = m->waits;
	ev->task = &m->sasl.task;
	ev->text = (struct span){ m->stamp, m->stamp_len };
}

size_t
pop3_client_next(struct pop3_client *m, struct span in, struct buf *out, struct pop3_client_event *ev)
{
	size_t used = 0, n;

	*ev = (struct pop3_client_event){ .kind = POP3_CLIENT_NEED_BYTES };
	while (m->over == POP3_OVER_NO && m->waits == POP3_CLIENT_NEED_BYTES &&
		ev->kind == POP3_CLIENT_NEED_BYTES) {
		bool more = step(m, span_from(in, used), out, ev, &n);

		used += n;
		if (!more)
			break;
	}
	if (m->over != POP3_OVER_NO) {
		struct pop3_answer answer = { .text = pop3_client_said(m) };

		*ev = (struct pop3_client_event){ .kind = POP3_CLIENT_OVER, .why = m->over,
			.asked = m->sent > 0 ? asked_at(m, 0)->kind : m->last.kind, .answer = answer };
	} else if (m->waits != POP3_CLIENT_NEED_BYTES && ev->kind == POP3_CLIENT_NEED_BYTES) {
		say_waits(m, ev);
	}
	return used;
}

/* ---- life ---- */

void
pop3_client_init(struct pop3_client *m, const struct pop3_client_config *config)
{
	*m = (struct pop3_client){ .config = *config, .tls = config->secure };
	m->asked[0] = (struct pop3_asked){ .kind = POP3_ASKED_GREETING, .own = true };
	m->count = m->sent = 1;
	sasl_client_init(&m->sasl, SASL_CLIENT_NONE, &config->account, NULL);
}

void
pop3_client_fini(struct pop3_client *m)
{
	sasl_client_fini(&m->sasl);
}
