/*
 * imap_response.c - our errors in IMAP's words, and how values are put on the wire.
 */
#include "proto/imap/imap_response.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/base/utf8.h"
#include "proto/imap/imap_utf7.h"

#define REPLY_TEXT_MAX 900 /* bytes of a status line's text */
#define DATE_TIME_MAX 40
#define REPLY_CODE_MAX 65536 /* bytes of a code: UIDs of many messages */

/* ---- status ---- */

/* RFC 5530 has most of the codes. */
static const struct imap_reply replies[] = {
	[OK] = { IMAP_STATUS_OK, { "", 0 }, { "Done", 4 } },
	[ERR_SYNTAX] = { IMAP_STATUS_BAD, { "", 0 }, { "Arguments missing or malformed", 30 } },
	[ERR_LIMIT] = { IMAP_STATUS_NO, { "LIMIT", 5 }, { "Over a limit", 12 } },
	[ERR_NOT_FOUND] = { IMAP_STATUS_NO, { "NONEXISTENT", 11 }, { "No such folder", 14 } },
	[ERR_EXISTS] = { IMAP_STATUS_NO, { "ALREADYEXISTS", 13 }, { "It exists already", 17 } },
	[ERR_DENIED] = { IMAP_STATUS_NO, { "NOPERM", 6 }, { "Not permitted", 13 } },
	[ERR_BUSY] = { IMAP_STATUS_NO, { "INUSE", 5 }, { "Busy, please try again", 22 } },
	[ERR_FULL] = { IMAP_STATUS_NO, { "OVERQUOTA", 9 }, { "No room now", 11 } },
	[ERR_IO] = { IMAP_STATUS_NO, { "UNAVAILABLE", 11 }, { "Local trouble, please try again", 31 } },
	[ERR_CORRUPT] = { IMAP_STATUS_NO, { "CORRUPTION", 10 }, { "Damaged", 7 } },
};

struct imap_reply
imap_reply_for(enum err err)
{
	ENSURE((size_t)err < COUNT(replies));
	return replies[err];
}

static enum err
put_clean(struct buf *out, struct span text, size_t max)
{
	size_t len = text.len < max ? text.len : max;
	char *room = buf_reserve(out, len);

	if (!room)
		return ERR_LIMIT;
	buf_added(out, span_copy_clean(text, room, len));
	return OK;
}

static enum err
put_code(struct buf *out, struct span code)
{
	if (code.len == 0)
		return OK;
	return buf_put_char(out, '[') == OK && put_clean(out, code, REPLY_CODE_MAX) == OK &&
			buf_put(out, SPAN("] ")) == OK
		? OK
		: ERR_LIMIT;
}

enum err
imap_reply_put(struct buf *out, struct span tag, struct imap_reply reply)
{
	static const struct span words[] = { { " OK ", 4 }, { " NO ", 4 }, { " BAD ", 5 },
		{ " BYE ", 5 }, { " ", 1 } };
	struct span first = reply.status == IMAP_STATUS_GO_ON ? SPAN("+")
			    : tag.len > 0 && reply.status != IMAP_STATUS_BYE ? tag
									    : SPAN("*");

	return buf_put(out, first) == OK && buf_put(out, words[reply.status]) == OK &&
			put_code(out, reply.code) == OK &&
			put_clean(out, reply.text,
				reply.status == IMAP_STATUS_GO_ON ? REPLY_CODE_MAX
								  : REPLY_TEXT_MAX) == OK &&
			buf_put(out, SPAN("\r\n")) == OK
		? OK
		: ERR_LIMIT;
}

/* ---- strings ---- */

static bool
fits_quotes(struct span text)
{
	if (text.len > IMAP_QUOTED_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (ascii_is_control(text.ptr[i]) || ascii_is_8bit(text.ptr[i]))
			return false;
	return true;
}

static enum err
put_quoted(struct buf *out, struct span text)
{
	char *room = buf_reserve(out, 2 * text.len + 2);
	size_t len = 0;

	if (!room)
		return ERR_LIMIT;
	room[len++] = '"';
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			room[len++] = '\\';
		room[len++] = text.ptr[i];
	}
	room[len++] = '"';
	buf_added(out, len);
	return OK;
}

enum err
imap_put_literal_head(struct buf *out, uint64_t size, bool binary)
{
	return buf_put(out, binary ? SPAN("~{") : SPAN("{")) == OK && buf_put_u64(out, size) == OK &&
			buf_put(out, SPAN("}\r\n")) == OK
		? OK
		: ERR_LIMIT;
}

static enum err
put_literal(struct buf *out, struct span text)
{
	char *room;

	if (imap_put_literal_head(out, text.len, false) != OK)
		return ERR_LIMIT;
	room = buf_reserve(out, text.len);
	if (!room)
		return ERR_LIMIT;
	for (size_t i = 0; i < text.len; i++)
		room[i] = text.ptr[i] ? text.ptr[i] : '?';
	buf_added(out, text.len);
	return OK;
}

enum err
imap_put_string(struct buf *out, struct span text)
{
	return fits_quotes(text) ? put_quoted(out, text) : put_literal(out, text);
}

enum err
imap_put_nstring(struct buf *out, struct span text)
{
	return text.ptr ? imap_put_string(out, text) : buf_put(out, SPAN("NIL"));
}

enum err
imap_put_astring(struct buf *out, struct span text)
{
	size_t i = 0;

	while (i < text.len && (imap_is_atom_char(text.ptr[i]) || text.ptr[i] == ']'))
		i++;
	if (i < text.len || text.len == 0 || span_eq_nocase(text, SPAN("NIL")))
		return imap_put_string(out, text);
	return buf_put(out, text);
}

/* ---- names, flags, dates ---- */

/* UTF-8 may stand in quotes for who enabled it (RFC 6855, 3; RFC 9051, 9). */
static enum err
put_mailbox_utf8(struct buf *out, struct span name)
{
	return span_has_control(name, SPAN("")) || !utf8_is_valid(name) ? put_literal(out, name)
									: put_quoted(out, name);
}

enum err
imap_put_mailbox(struct buf *out, struct span name, bool utf8)
{
	char room[8 * IMAP_NAME_MAX];
	struct buf encoded = { .bytes = room, .size = sizeof(room), .max = sizeof(room) };
	size_t i = 0;

	while (i < name.len && !ascii_is_8bit(name.ptr[i]) && name.ptr[i] != '&')
		i++;
	if (i == name.len)
		return imap_put_astring(out, name);
	if (utf8)
		return put_mailbox_utf8(out, name);
	if (imap_utf7_encode(name, &encoded) != OK)
		return put_literal(out, name);
	return imap_put_astring(out, buf_span(&encoded));
}

enum err
imap_put_flags(struct buf *out, const struct imap_flags *flags)
{
	static const struct span names[] = { { "\\Seen", 5 }, { "\\Answered", 9 },
		{ "\\Flagged", 8 }, { "\\Deleted", 8 }, { "\\Draft", 6 }, { "\\Recent", 7 } };
	bool ok = buf_put_char(out, '(') == OK, first = true;

	for (size_t i = 0; i < COUNT(names) && ok; i++) {
		if (!(flags->flags & (1u << i)))
			continue;
		ok = (first || buf_put_char(out, ' ') == OK) && buf_put(out, names[i]) == OK;
		first = false;
	}
	for (size_t i = 0; i < flags->count && ok; i++) {
		ok = (first || buf_put_char(out, ' ') == OK) &&
			put_clean(out, flags->keywords[i], IMAP_FLAG_NAME_MAX) == OK;
		first = false;
	}
	return ok && buf_put_char(out, ')') == OK ? OK : ERR_LIMIT;
}

enum err
imap_put_date_time(struct buf *out, struct mail_date date)
{
	char room[DATE_TIME_MAX];
	struct buf text = { .bytes = room, .size = sizeof(room), .max = sizeof(room) };

	if (mail_date_put_dashed(&text, date) != OK)
		return ERR_LIMIT;
	return put_quoted(out, buf_span(&text));
}
