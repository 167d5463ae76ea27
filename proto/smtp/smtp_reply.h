/*
 * smtp_reply.h - SMTP replies (RFC 5321, 4.2; RFC 2034) and how they are written.
 */
#ifndef PROTO_SMTP_SMTP_REPLY_H
#define PROTO_SMTP_SMTP_REPLY_H

#include "proto/base/buf.h"
#include "proto/smtp/smtp_command.h"

#define SMTP_REPLY_LINE_MAX 512 /* bytes of a reply line with its CRLF, RFC 5321, 4.5.3.1.5 */

struct smtp_reply {
	unsigned code;        /* 250 */
	const char *enhanced; /* "2.1.0"; NULL or "": none */
	struct span text;     /* one line, or several divided by LF */
};

#define SMTP_REPLY(code, enhanced, text) ((struct smtp_reply){ (code), (enhanced), SPAN(text) })

/* The default words for an error of ours (house, section 8). OK is 250 2.0.0. */
struct smtp_reply smtp_reply_for(enum err err);
/* The answer to a command that smtp_command_parse() found fault with. */
struct smtp_reply smtp_reply_for_fault(enum smtp_fault fault);

bool smtp_reply_is_positive(struct smtp_reply reply); /* 2xx or 3xx */

/*
 * Append REPLY as one or more lines. H11: nothing in its text can begin a line of its own making;
 * controls become '?', a line too long is cut. ERR_LIMIT: OUT is full, and holds none of it.
 */
MUST_CHECK enum err smtp_reply_put(struct buf *out, struct smtp_reply reply);

/*
 * Append a command line for a peer: BYTES, then CRLF. ERR_SYNTAX where BYTES holds a control
 * (H11): then nothing is written.
 */
MUST_CHECK enum err smtp_put(struct buf *out, struct span bytes);

#endif
