/*
 * imap_server_append.c - APPEND, whose messages are passed on as they come (RFC 9051, 6.3.12; RFC 3502).
 *
 *     A1 APPEND box (\Seen) {310}CRLF ...310 bytes... CRLF
 *             BEGIN -> take                 TEXT    END
 *     A1 APPEND box {310}CRLF ...310 bytes...  (\Draft) {27+}CRLF ...27 bytes... CRLF
 *             BEGIN -> take       TEXT         NEXT -> take           TEXT       END
 */
#include <string.h>

#include "proto/imap/imap_server_inside.h"

bool
imap_server_is_append(const struct imap_server *m)
{
	struct span text = span_from(buf_span(&m->command), m->tag_len);

	return m->authenticated && m->tag_len > 0 && span_starts_nocase(text, SPAN(" APPEND "));
}

/* " (\Seen) \"17-Jul-1996 ...\" " up to the announcement, and "UTF8 (". */
static bool
take_options(struct imap_cursor *c, struct imap_append *out)
{
	if (!imap_take_space(c))
		return false;
	if (imap_next_is(c, '(') &&
		(!imap_take_flag_list(c, &out->flags) || !imap_take_space(c)))
		return false;
	out->has_date = imap_next_is(c, '"');
	if (out->has_date && (!imap_take_date_time(c, &out->date) || !imap_take_space(c)))
		return false;
	out->utf8 = imap_take_word(c, SPAN("UTF8"));
	if (out->utf8 && (!imap_take_space(c) || !imap_take_open(c)))
		return false;
	return imap_take_end(c);
}

/* What stands before a message is as it should be: judge its size, then ask. */
static void
announce_message(struct imap_server *m, struct imap_event *ev,
	const struct imap_announcement *literal, enum imap_event_kind kind)
{
	ev->append.size = literal->size;
	ev->append.binary = literal->binary;
	m->append_binary = literal->binary;
	m->append_utf8 = ev->append.utf8;
	if (m->append_nul)
		imap_server_refuse(m, ev, IMAP_NO("", "NUL in a message: send it as a binary literal"));
	else if (literal->size == 0) /* RFC 3502, 6.3.11 */
		imap_server_refuse(m, ev, IMAP_NO("", "An empty message is not kept"));
	else if (literal->size > m->config.message_size)
		imap_server_refuse(m, ev, IMAP_NO("TOOBIG", "Message too large"));
	else
		imap_server_raise(m, ev, kind);
}

void
imap_server_append_begin(struct imap_server *m, struct imap_event *ev, struct span text,
	const struct imap_announcement *literal)
{
	struct imap_cursor *c = &ev->args;

	imap_cursor_init(c, span_from(text, m->tag_len + SPAN(" APPEND").len), m->config.arena);
	m->append_nul = false;
	if (!imap_take_space(c) || !imap_take_astring(c, &ev->append.mailbox) ||
		!take_options(c, &ev->append))
		imap_server_refuse(m, ev, imap_reply_for(imap_cursor_err(c)));
	else
		announce_message(m, ev, literal, IMAP_APPEND_BEGIN);
}

static void
end_append(struct imap_server *m, struct imap_event *ev)
{
	if (m->append_nul)
		imap_server_refuse(m, ev, IMAP_NO("", "NUL in a message: send it as a binary literal"));
	else
		imap_server_raise(m, ev, IMAP_APPEND_END);
}

void
imap_server_append_tail(struct imap_server *m, struct imap_event *ev)
{
	struct span line = imap_server_command(m);
	struct imap_announcement literal;
	struct imap_cursor *c = &ev->args;
	bool more = imap_announcement_find(line, &literal);

	imap_cursor_init(c, span_range(line, 0, more ? literal.at : line.len), m->config.arena);
	m->announced = more && !literal.absurd;
	m->waits = more && literal.waits;
	m->literal_left = m->announced ? literal.size : 0;
	if (more && literal.absurd)
		m->close_after = IMAP_CLOSE_BAD_LINE;
	if (m->append_utf8 && !imap_take_char(c, ')'))
		imap_server_refuse(m, ev, imap_reply_for(ERR_SYNTAX));
	else if (!more && imap_take_end(c))
		end_append(m, ev);
	else if (!more || literal.absurd || !take_options(c, &ev->append))
		imap_server_refuse(m, ev, imap_reply_for(imap_cursor_err(c)));
	else
		announce_message(m, ev, &literal, IMAP_APPEND_NEXT);
}

size_t
imap_server_append_text(struct imap_server *m, struct span in, struct imap_event *ev)
{
	struct span piece = span_range(in, 0, m->literal_left < in.len ? (size_t)m->literal_left : in.len);

	if (!m->append_binary && span_find(piece, '\0') < piece.len)
		m->append_nul = true; /* H24: the rest is read, so that the answer is understood */
	m->literal_left -= piece.len;
	if (m->literal_left == 0)
		imap_server_enter(m, IMAP_STATE_TAIL);
	if (piece.len > 0 && !m->append_nul) {
		ev->kind = IMAP_APPEND_TEXT;
		ev->text = piece;
	}
	return piece.len;
}
