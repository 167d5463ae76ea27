/*
 * imap_client.c - bytes into lines and literals, commands and whose answer is awaited, and the end.
 *
 * What a line says is imap_client_say.c, how a session begins imap_client_begin.c, what is done in the
 * folder imap_client_folder.c.
 */
#include "proto/imap/imap_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/imap/imap_client_inside.h"

#define TAG_SIZE 16

const char *
imap_client_over_text(enum imap_client_over why)
{
	static const char *const texts[] = {
		[IMAP_OVER_NO] = "",
		[IMAP_OVER_LOGOUT] = "logged out",
		[IMAP_OVER_BYE] = "the server said goodbye",
		[IMAP_OVER_REFUSED] = "the server refused",
		[IMAP_OVER_BUSY] = "the folder is in use",
		[IMAP_OVER_NO_TLS] = "the server offers no TLS, which this collector requires",
		[IMAP_OVER_NO_AUTH] = "the server offers no way to log in that may be used here",
		[IMAP_OVER_AUTH] = "the login was refused",
		[IMAP_OVER_NONSENSE] = "the server does not speak IMAP",
		[IMAP_OVER_LIMIT] = "the server says more than is read",
		[IMAP_OVER_INJECTED] = "bytes came in clear before TLS began",
		[IMAP_OVER_UNASKED] = "the server answered what it was not asked",
		[IMAP_OVER_OUTPUT] = "the server does not read",
	};

	ENSURE((size_t)why < COUNT(texts));
	return texts[why];
}

void
imap_client_end(struct imap_client *m, enum imap_client_over why, struct span answer)
{
	if (m->over != IMAP_OVER_NO)
		return;
	m->over_stage = imap_client_stage(m);
	m->over = why;
	m->answer_len = sasl_client_copy_said(&m->sasl, answer, m->answer, sizeof(m->answer));
}

void
imap_client_init(struct imap_client *m, const struct imap_client_config *config)
{
	*m = (struct imap_client){ .config = *config, .tls = config->secure };
	sasl_client_init(&m->sasl, SASL_CLIENT_NONE, &config->account, NULL);
}

void
imap_client_fini(struct imap_client *m)
{
	sasl_client_fini(&m->sasl);
	free(m->removed);
	m->removed = NULL;
	m->removed_count = m->removed_size = 0;
}

/* ---- what is asked ---- */

enum imap_client_stage
imap_client_stage(const struct imap_client *m)
{
	if (m->over != IMAP_OVER_NO)
		return m->over_stage;
	if (!m->greeted)
		return IMAP_STAGE_GREETING;
	if (m->handshake)
		return IMAP_STAGE_STARTTLS;
	return m->asked;
}

void
imap_client_put(struct imap_client *m, struct buf *out, struct span line)
{
	char *room = buf_reserve(out, line.len + 2); /* whole or not at all */

	if (!room || buf_put(out, line) != OK || buf_put(out, SPAN("\r\n")) != OK)
		imap_client_end(m, IMAP_OVER_OUTPUT, SPAN_NONE);
}

void
imap_client_ask(
	struct imap_client *m, struct buf *out, enum imap_client_stage stage, struct span line)
{
	char tag[TAG_SIZE];

	ENSURE(m->asked == IMAP_STAGE_READY && m->over == IMAP_OVER_NO);
	m->asked = stage;
	snprintf(tag, sizeof(tag), "P%u ", (unsigned)++m->tag);
	if (buf_put(out, span_of(tag)) != OK)
		imap_client_end(m, IMAP_OVER_OUTPUT, SPAN_NONE);
	else
		imap_client_put(m, out, line);
}

const char *
imap_client_command(const struct imap_client *m, char *text, size_t size)
{
	static const char *const words[] = {
		[IMAP_STAGE_READY] = "",
		[IMAP_STAGE_GREETING] = "(greeting)",
		[IMAP_STAGE_CAPABILITY] = "CAPABILITY",
		[IMAP_STAGE_STARTTLS] = "STARTTLS",
		[IMAP_STAGE_LOGIN] = "LOGIN",
		[IMAP_STAGE_AUTHENTICATE] = "AUTHENTICATE",
		[IMAP_STAGE_CAPABILITY_AGAIN] = "CAPABILITY",
		[IMAP_STAGE_SELECT] = "SELECT",
		[IMAP_STAGE_LIST] = "UID FETCH 1:* (UID RFC822.SIZE FLAGS)",
		[IMAP_STAGE_HEAD] = "UID FETCH %u (UID BODY.PEEK[HEADER])",
		[IMAP_STAGE_FETCH] = "UID FETCH %u (UID BODY.PEEK[])",
		[IMAP_STAGE_DELETE] = "UID STORE %u +FLAGS.SILENT (\\Deleted)",
		[IMAP_STAGE_SEEN] = "UID STORE %u +FLAGS.SILENT (\\Seen)",
		[IMAP_STAGE_KEEP] = "",
		[IMAP_STAGE_SEARCH] = "UID SEARCH",
		[IMAP_STAGE_EXPUNGE] = "EXPUNGE",
		[IMAP_STAGE_IDLE] = "IDLE",
		[IMAP_STAGE_NOOP] = "NOOP",
		[IMAP_STAGE_LOGOUT] = "LOGOUT",
	};
	enum imap_client_stage stage = imap_client_stage(m);
	const char *word = words[stage];
	const char *uid = strstr(word, "%u");

	if (uid)
		snprintf(text, size, "%.*s%u%s", (int)(uid - word), word,
			(unsigned)m->asked_uid, uid + 2);
	else
		snprintf(text, size, "%s", word);
	return text;
}

/* ---- what is said ---- */

/* The text of an order, as much of it as is here. */
static size_t
take_text(struct imap_client *m, struct span in, struct imap_client_event *ev)
{
	size_t size = in.len < m->literal_left ? in.len : (size_t)m->literal_left;

	m->literal_left -= size;
	if (m->literal == IMAP_LITERAL_TEXT && size > 0) {
		m->text_bytes += size;
		*ev = (struct imap_client_event){ .kind = IMAP_CLIENT_TEXT, .stage = m->asked,
			.uid = imap_client_current(m)->uid, .text = span_range(in, 0, size) };
	}
	return size;
}

void
imap_client_again(struct imap_client *m, size_t len)
{
	ENSURE(m->literal == IMAP_LITERAL_TEXT && len <= m->text_bytes);
	m->literal_left += len;
	m->text_bytes -= len;
}

/* A whole line from the front of IN; 0: there is none yet. */
static size_t
take_line(struct imap_client *m, struct span in, struct span *line)
{
	size_t end = m->scanned + span_find(span_from(in, m->scanned), '\n');

	if (end >= in.len) {
		m->scanned = in.len;
		if (in.len > IMAP_CLIENT_LINE_MAX)
			imap_client_end(m, IMAP_OVER_LIMIT, SPAN("a line without an end"));
		return 0;
	}
	m->scanned = 0;
	*line = span_range(in, 0, end);
	if (end > 0 && in.ptr[end - 1] == '\r')
		line->len--;
	if (line->len > IMAP_CLIENT_LINE_MAX)
		imap_client_end(m, IMAP_OVER_LIMIT, SPAN("a line that is too long"));
	return end + 1;
}

static bool
listens(const struct imap_client *m, const struct imap_client_event *ev)
{
	return m->over == IMAP_OVER_NO && !m->handshake &&
	       m->pending == IMAP_CLIENT_NEED_BYTES && ev->kind == IMAP_CLIENT_NEED_BYTES;
}

/* One thing that the state itself has to tell, before more is read. */
static void
say_state(struct imap_client *m, struct imap_client_event *ev)
{
	bool *told = m->ready	     ? &m->ready
		     : m->listed     ? &m->listed
		     : m->expunged   ? &m->expunged
		     : m->idled	     ? &m->idled
				     : NULL;

	if (m->pending != IMAP_CLIENT_NEED_BYTES) {
		ev->kind = IMAP_CLIENT_NEED_HOLDER;
	} else if (m->handshake) {
		ev->kind = m->pending = IMAP_CLIENT_STARTTLS;
	} else if (imap_client_tell_order(m, ev)) {
		m->unasked = 0;
	} else if (m->news && imap_client_stage(m) == IMAP_STAGE_IDLE && m->idle_going) {
		m->news = false;
		ev->kind = IMAP_CLIENT_NEWS;
	} else if (told == &m->idled && m->news) {
		m->news = false;
		ev->kind = IMAP_CLIENT_NEWS;
	} else if (told) {
		ev->kind = told == &m->ready	  ? IMAP_CLIENT_READY
			   : told == &m->listed	  ? IMAP_CLIENT_LISTED
			   : told == &m->expunged ? IMAP_CLIENT_EXPUNGED
						  : IMAP_CLIENT_IDLED;
		ev->result = m->expunged_all ? IMAP_RESULT_OK : IMAP_RESULT_NO;
		*told = false;
	}
}

/* A literal, or a line: the bytes used up; 0: more are needed. */
static size_t
take_piece(struct imap_client *m, struct span in, struct buf *out, struct imap_client_event *ev)
{
	struct span line;
	size_t used;

	if (m->literal != IMAP_LITERAL_NONE && m->literal_left > 0)
		return take_text(m, in, ev);
	used = take_line(m, in, &line);
	m->literal = used > 0 ? IMAP_LITERAL_NONE : m->literal;
	if (used > 0 && m->over == IMAP_OVER_NO)
		imap_client_line(m, line, out, ev);
	return used;
}

size_t
imap_client_next(struct imap_client *m, struct span in, struct buf *out, struct imap_client_event *ev)
{
	size_t used = 0, piece = 1;

	*ev = (struct imap_client_event){ .kind = IMAP_CLIENT_NEED_BYTES,
		.stage = imap_client_stage(m) };
	if (m->over == IMAP_OVER_NO)
		say_state(m, ev);
	while (piece > 0 && used < in.len && listens(m, ev)) {
		piece = take_piece(m, span_from(in, used), out, ev);
		used += piece;
		if (listens(m, ev))
			say_state(m, ev);
	}
	if (listens(m, ev) && m->asked == IMAP_STAGE_READY)
		imap_client_send_orders(m, out);
	if (m->handshake && used < in.len) /* H3 */
		imap_client_end(m, IMAP_OVER_INJECTED, SPAN_NONE);
	else if (m->handshake && ev->kind == IMAP_CLIENT_NEED_BYTES)
		say_state(m, ev);
	if (m->over != IMAP_OVER_NO)
		*ev = (struct imap_client_event){ .kind = IMAP_CLIENT_OVER, .stage = m->over_stage,
			.answer = { m->answer, m->answer_len }, .why = m->over };
	return used;
}
