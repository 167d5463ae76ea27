/*
 * smtp_reply.c - our errors in SMTP's words, and how a reply is put on the wire.
 */
#include "proto/smtp/smtp_reply.h"

#define REPLY(code, enhanced, words) { (code), (enhanced), { (words), sizeof(words) - 1 } }

/* 4xx for our own faults: a server that is not sure must not say 5xx, for that loses mail. */
static const struct smtp_reply replies[] = {
	[OK] = REPLY(250, "2.0.0", "OK"),
	[ERR_SYNTAX] = REPLY(501, "5.5.2", "Syntax error"),
	[ERR_LIMIT] = REPLY(552, "5.3.4", "Message too big"),
	[ERR_NOT_FOUND] = REPLY(550, "5.1.1", "No such recipient here"),
	[ERR_EXISTS] = REPLY(451, "4.3.0", "Local trouble, please try again"),
	[ERR_DENIED] = REPLY(550, "5.7.1", "Not allowed"),
	[ERR_BUSY] = REPLY(451, "4.3.2", "Busy, please try again"),
	[ERR_FULL] = REPLY(452, "4.3.1", "No room for this message now"),
	[ERR_IO] = REPLY(451, "4.3.0", "Local trouble, please try again"),
	[ERR_CORRUPT] = REPLY(451, "4.3.0", "Local trouble, please try again"),
};

static const struct smtp_reply fault_replies[] = {
	[SMTP_FAULT_NONE] = REPLY(250, "2.0.0", "OK"),
	[SMTP_FAULT_UNKNOWN] = REPLY(500, "5.5.1", "No such command"),
	[SMTP_FAULT_ARGUMENT] = REPLY(501, "5.5.4", "Argument missing, malformed or not expected"),
	[SMTP_FAULT_ADDRESS] = REPLY(501, "5.1.3", "Malformed address"),
	[SMTP_FAULT_PARAMETER] = REPLY(555, "5.5.4", "Unknown parameter"),
	[SMTP_FAULT_VALUE] = REPLY(501, "5.5.4", "Malformed or repeated parameter"),
	[SMTP_FAULT_UTF8_NEEDED] = REPLY(553, "5.6.7", "This address needs SMTPUTF8"),
};

struct smtp_reply
smtp_reply_for(enum err err)
{
	ENSURE((size_t)err < COUNT(replies));
	return replies[err];
}

struct smtp_reply
smtp_reply_for_fault(enum smtp_fault fault)
{
	ENSURE((size_t)fault < COUNT(fault_replies));
	return fault_replies[fault];
}

bool
smtp_reply_is_positive(struct smtp_reply reply)
{
	return reply.code >= 200 && reply.code < 400;
}

/* "250-2.1.0 text" CRLF */
static enum err
put_line(struct buf *out, const struct smtp_reply *reply, struct span text, bool last)
{
	struct span enhanced = span_of(reply->enhanced);
	char line[SMTP_REPLY_LINE_MAX];
	size_t len = 0;

	line[len++] = (char)('0' + reply->code / 100 % 10);
	line[len++] = (char)('0' + reply->code / 10 % 10);
	line[len++] = (char)('0' + reply->code % 10);
	line[len++] = last ? ' ' : '-';
	if (enhanced.len > 0) {
		len += span_copy_clean(enhanced, line + len, 16);
		line[len++] = ' ';
	}
	len += span_copy_clean(text, line + len, sizeof(line) - 2 - len);
	line[len++] = '\r';
	line[len++] = '\n';
	return buf_put(out, (struct span){ line, len });
}

enum err
smtp_reply_put(struct buf *out, struct smtp_reply reply)
{
	size_t before = out->len - out->start;
	struct span line, rest = reply.text;
	bool more = true;

	while (more) {
		more = span_cut(rest, '\n', &line, &rest);
		if (put_line(out, &reply, line, !more) != OK) {
			out->len = out->start + before; /* all of it or nothing */
			return ERR_LIMIT;
		}
	}
	return OK;
}

enum err
smtp_put(struct buf *out, struct span bytes)
{
	char *room;

	if (span_has_control(bytes, SPAN("")))
		return ERR_SYNTAX;
	room = buf_reserve(out, bytes.len + 2); /* whole or not at all */
	if (!room || buf_put(out, bytes) != OK || buf_put(out, SPAN("\r\n")) != OK)
		return ERR_LIMIT;
	return OK;
}
