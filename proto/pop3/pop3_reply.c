/*
 * pop3_reply.c - our errors in POP3's words, and how a status line is put on the wire.
 */
#include "proto/pop3/pop3_reply.h"

#define CODE_MAX 64 /* bytes of a response code */
#define REPLY(resp_code, words) { .code = (resp_code), .text = { (words), sizeof(words) - 1 } }

/* RFC 3206: SYS/TEMP is our trouble for now, SYS/PERM one that somebody has to mend. */
static const struct pop3_reply replies[] = {
	[OK] = { .ok = true, .text = { "OK", 2 } },
	[ERR_SYNTAX] = REPLY(NULL, "Syntax error"),
	[ERR_LIMIT] = REPLY("SYS/TEMP", "Over a limit"),
	[ERR_NOT_FOUND] = REPLY(NULL, "No such message"),
	[ERR_EXISTS] = REPLY("SYS/TEMP", "Local trouble, please try again"),
	[ERR_DENIED] = REPLY("AUTH", "Not accepted"), /* POP-07: without a hint why */
	[ERR_BUSY] = REPLY("SYS/TEMP", "Busy, please try again"),
	[ERR_FULL] = REPLY("SYS/TEMP", "No room now"),
	[ERR_IO] = REPLY("SYS/TEMP", "Local trouble, please try again"),
	[ERR_CORRUPT] = REPLY("SYS/PERM", "Damaged"),
};

struct pop3_reply
pop3_reply_for(enum err err)
{
	ENSURE((size_t)err < COUNT(replies));
	return replies[err];
}

enum err
pop3_reply_put(struct buf *out, struct pop3_reply reply)
{
	struct span status = reply.challenge ? SPAN("+ ")
			     : reply.ok      ? SPAN("+OK ")
					     : SPAN("-ERR ");
	struct span code = span_range(span_of(reply.code), 0, CODE_MAX);
	char line[POP3_REPLY_LINE_MAX];
	size_t len = span_copy_clean(status, line, sizeof(line));

	if (code.len > 0) {
		line[len++] = '[';
		len += span_copy_clean(code, line + len, CODE_MAX);
		line[len++] = ']';
		line[len++] = ' ';
	}
	len += span_copy_clean(reply.text, line + len, sizeof(line) - 2 - len);
	line[len++] = '\r';
	line[len++] = '\n';
	return buf_put(out, (struct span){ line, len });
}
