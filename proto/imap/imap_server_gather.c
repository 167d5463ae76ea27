/*
 * imap_server_gather.c - a command, line by line, its literals in place, in one run of bytes.
 *
 *     A1 LOGIN {4}CRLF anna {6}CRLF secret CRLF
 *             ^ announced: judged before "+ " is sent (H22)
 */
#include <string.h>

#include "proto/base/ascii.h"
#include "proto/imap/imap_server_inside.h"

#define DIGITS_MAX 10 /* of a literal's size (H22) */
#define KEPT_OF_DROPPED 32 /* bytes at the end of a line: its announcement */

struct span
imap_server_command(const struct imap_server *m)
{
	struct span all = buf_span(&m->command);

	return span_range(all, 0, all.len >= 2 ? all.len - 2 : 0);
}

/* RFC 9051, tag: characters of an astring without '+'. */
static void
find_tag(struct imap_server *m)
{
	struct span text = buf_span(&m->command);
	size_t len = 0;

	while (len < text.len && len <= IMAP_TAG_MAX && text.ptr[len] != '+' &&
		(imap_is_atom_char(text.ptr[len]) || text.ptr[len] == ']'))
		len++;
	m->tag_len = len <= IMAP_TAG_MAX && (len == text.len || text.ptr[len] == ' ' ||
				text.ptr[len] == '\r') ? len : 0;
	if (m->tag_len > 0)
		memcpy(m->tag, text.ptr, m->tag_len);
}

/* ---- announcements ---- */

static size_t
count_digits(struct span s)
{
	size_t n = 0;

	while (n < s.len && ascii_is_digit(s.ptr[n]))
		n++;
	return n;
}

bool
imap_announcement_find(struct span line, struct imap_announcement *out)
{
	struct span tail = span_from(line, line.len > KEPT_OF_DROPPED ? line.len - KEPT_OF_DROPPED : 0);
	size_t open = span_find_last(tail, '{'), digits;
	struct span head = span_from(tail, open + 1);

	*out = (struct imap_announcement){ .waits = true };
	if (open == tail.len || head.len < 2 || head.ptr[head.len - 1] != '}')
		return false;
	head.len--;
	digits = count_digits(head);
	if (digits > 0 && digits + 1 == head.len && head.ptr[digits] == '+')
		out->waits = false; /* RFC 7888 */
	else if (digits == 0 || digits != head.len)
		return false;
	out->absurd = !out->waits && digits > DIGITS_MAX;
	if (digits > DIGITS_MAX)
		return out->absurd;
	out->binary = open > 0 && tail.ptr[open - 1] == '~';
	out->at = line.len - tail.len + open - out->binary;
	return span_u64(span_range(head, 0, digits), UINT64_MAX, &out->size) == OK;
}

/* What comes all the same is dropped: see end_command(). */
void
imap_server_refuse(struct imap_server *m, struct imap_event *ev, struct imap_reply reply)
{
	imap_server_raise(m, ev, m->state == IMAP_STATE_TAIL ? IMAP_APPEND_ABORT : IMAP_SETTLED);
	ev->reply = reply;
}

static struct imap_reply
too_long(void)
{
	return IMAP_REPLY(BAD, "TOOBIG", "Command too long");
}

static void
settle_absurd(struct imap_server *m, struct imap_event *ev)
{
	imap_server_settle_and_close(
		m, ev, IMAP_BAD("A literal of this size is not read"), IMAP_CLOSE_BAD_LINE);
}

/* The literal is one to be gathered. */
static void
begin_literal(struct imap_server *m, struct imap_event *ev, const struct imap_announcement *literal)
{
	size_t held = buf_span(&m->command).len;
	uint64_t max = m->authenticated ? IMAP_LITERAL_MAX : IMAP_LITERAL_STRANGER;

	if (literal->size > max || literal->size > m->command.max - held) {
		imap_server_refuse(m, ev, IMAP_REPLY(BAD, "TOOBIG", "Literal too large"));
		return;
	}
	if (literal->binary) { /* only in APPEND (RFC 9051, 4.3) */
		imap_server_refuse(m, ev, IMAP_BAD("No binary literal here"));
		return;
	}
	m->line_at = held;
	imap_server_enter(m, literal->size > 0 ? IMAP_STATE_LITERAL : IMAP_STATE_COMMAND);
	if (literal->waits)
		imap_server_settle(m, ev, IMAP_GO_ON("Send it"));
	else
		m->announced = false;
}

static void
on_announcement(struct imap_server *m, struct imap_event *ev, struct span line,
	const struct imap_announcement *literal)
{
	struct span text = buf_span(&m->command);

	find_tag(m);
	if (literal->absurd) {
		settle_absurd(m, ev);
		return;
	}
	m->announced = true;
	m->waits = literal->waits;
	m->literal_left = literal->size;
	text = span_range(text, 0, (size_t)(line.ptr - text.ptr) + literal->at);
	if (imap_server_is_append(m) && !span_eq_nocase(span_from(text, m->tag_len), SPAN(" APPEND ")))
		imap_server_append_begin(m, ev, text, literal);
	else
		begin_literal(m, ev, literal);
}

/* ---- lines ---- */

/* An ID that was too long to be kept is over: it is answered as one that said nothing. */
static void
run_id(struct imap_server *m, struct imap_event *ev, bool followed)
{
	struct span tag = { m->tag, m->tag_len };

	m->line_at = 0;
	ENSURE(buf_put(&m->command, tag) == OK && buf_put(&m->command, SPAN(" ID NIL\r\n")) == OK);
	imap_server_run(m, ev, followed);
}

/* Of a command that is not wanted a line is over. */
static void
end_dropped_line(struct imap_server *m, struct imap_event *ev, struct span line, bool followed)
{
	struct imap_announcement literal;
	bool found = imap_announcement_find(line, &literal), passes_id = m->passes_id;

	buf_clear(&m->command);
	if (found && literal.absurd) {
		settle_absurd(m, ev);
	} else if (found && !literal.waits) {
		m->literal_left = literal.size;
		imap_server_enter(m, IMAP_STATE_DROP);
	} else {
		m->dropping = m->passes_id = false;
		m->dropped = 0;
		buf_fini(&m->command);
		if (passes_id && found)
			imap_server_refuse(m, ev, too_long());
		else if (passes_id)
			run_id(m, ev, followed);
	}
}

static void
end_line(struct imap_server *m, struct imap_event *ev, bool followed)
{
	struct span line = span_from(imap_server_command(m), m->line_at);
	struct imap_announcement literal;

	if (m->dropping)
		end_dropped_line(m, ev, line, followed);
	else if (m->state == IMAP_STATE_TAIL)
		imap_server_append_tail(m, ev);
	else if (imap_announcement_find(line, &literal))
		on_announcement(m, ev, line, &literal);
	else {
		find_tag(m);
		imap_server_run(m, ev, followed);
	}
}

/* H1, H24: nothing but CRLF ends a line, and no CR or NUL is in it. */
static bool
is_clean_line(struct span line)
{
	if (line.len < 2 || line.ptr[line.len - 2] != '\r')
		return false;
	line.len -= 2;
	return line.len == 0 || (!memchr(line.ptr, '\r', line.len) && !memchr(line.ptr, '\0', line.len));
}

/* Keep the end of what is dropped: it may announce a literal. ERR_LIMIT: enough of it. */
static enum err
drop_line_bytes(struct imap_server *m, struct span bytes)
{
	struct span old = buf_span(&m->command);
	char kept[KEPT_OF_DROPPED];
	size_t len = old.len < sizeof(kept) ? old.len : sizeof(kept);

	m->dropped += bytes.len;
	if (m->dropped > m->config.message_size + IMAP_COMMAND_MAX)
		return ERR_LIMIT;
	if (len > 0)
		memcpy(kept, old.ptr + old.len - len, len);
	buf_fini(&m->command);
	m->line_at = 0;
	if (bytes.len > KEPT_OF_DROPPED + 2) /* what announces, and CRLF */
		bytes = span_from(bytes, bytes.len - KEPT_OF_DROPPED - 2);
	return buf_put(&m->command, (struct span){ kept, len }) == OK ? buf_put(&m->command, bytes)
								     : ERR_LIMIT;
}

static void
settle_bad_line(struct imap_server *m, struct imap_event *ev)
{
	m->tag_len = 0;
	imap_server_settle_and_close(
		m, ev, IMAP_BAD("Malformed line (CR LF ends one), or too many bytes"), IMAP_CLOSE_BAD_LINE);
}

/* The tag, and is it ID? BYTES do not fit behind what is gathered, but their beginning may. */
static void
find_beginning(struct imap_server *m, struct span bytes)
{
	size_t held = buf_span(&m->command).len;
	struct span text;

	(void)!buf_put(&m->command, span_range(bytes, 0, m->command.max - held));
	find_tag(m);
	text = span_from(buf_span(&m->command), m->tag_len);
	m->passes_id = m->tag_len > 0 && span_starts_nocase(text, SPAN(" ID "));
	m->command.len = m->command.start + held;
}

/*
 * The command is over its limit: what comes of it is not wanted. Of ID alone nothing is said: thirty pairs
 * of 1,024 bytes (RFC 2971, 3.3) are more than a stranger may have us hold, and nobody needs them. False:
 * that is too much, too.
 */
static bool
begin_to_drop(struct imap_server *m, struct imap_event *ev, struct span bytes)
{
	find_beginning(m, bytes);
	if (!m->passes_id)
		imap_server_refuse(m, ev, too_long());
	m->dropping = true;
	return drop_line_bytes(m, bytes) == OK;
}

size_t
imap_server_gather(struct imap_server *m, struct span in, struct imap_event *ev)
{
	size_t end = span_find(in, '\n');
	struct span bytes = span_range(in, 0, end + 1);
	bool ok = true;

	if (in.len == 0)
		return 0;
	if (m->dropping)
		ok = drop_line_bytes(m, bytes) == OK;
	else if (buf_put(&m->command, bytes) != OK)
		ok = begin_to_drop(m, ev, bytes);
	if (end < in.len)
		ok = ok && is_clean_line(span_from(buf_span(&m->command), m->line_at));
	if (!ok)
		settle_bad_line(m, ev);
	else if (end < in.len)
		end_line(m, ev, bytes.len < in.len);
	return bytes.len;
}

/* ---- literals ---- */

size_t
imap_server_literal(struct imap_server *m, struct span in, struct imap_event *ev)
{
	struct span piece = span_range(in, 0, m->literal_left < in.len ? (size_t)m->literal_left : in.len);

	if (span_find(piece, '\0') < piece.len) {
		settle_bad_line(m, ev); /* H24 */
		return in.len;
	}
	ENSURE(buf_put(&m->command, piece) == OK); /* there was room when it was announced */
	m->literal_left -= piece.len;
	if (m->literal_left == 0) {
		m->line_at = buf_span(&m->command).len;
		imap_server_enter(m, IMAP_STATE_COMMAND);
	}
	return piece.len;
}

size_t
imap_server_drop(struct imap_server *m, struct span in)
{
	size_t used = m->literal_left < in.len ? (size_t)m->literal_left : in.len;

	m->literal_left -= used;
	m->dropped += used;
	if (m->literal_left == 0)
		imap_server_enter(m, IMAP_STATE_COMMAND);
	return used;
}
