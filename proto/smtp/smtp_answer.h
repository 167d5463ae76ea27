/*
 * smtp_answer.h - what a server says to us: replies of one or more lines, and the list of EHLO.
 *
 * A peer may be hostile (H19): a reply has SMTP_ANSWER_LINES lines at most, each of SMTP_ANSWER_LINE
 * bytes; more, or what is no reply at all, is a broken server, never a verdict on the mail.
 */
#ifndef PROTO_SMTP_SMTP_ANSWER_H
#define PROTO_SMTP_SMTP_ANSWER_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

#define SMTP_ANSWER_LINES 100
#define SMTP_ANSWER_LINE 1024 /* bytes without CRLF */
#define SMTP_ANSWER_TEXT 1000 /* bytes that are kept of a reply, for people */

/* One line, "250-text". */
struct smtp_answer_line {
	unsigned code;
	bool is_last;
	struct span text;
};
MUST_CHECK enum err smtp_answer_line_parse(struct span line, struct smtp_answer_line *out);

/* A reply as a whole. */
struct smtp_answer {
	unsigned code;	  /* 0: none, the connection ended or made no sense */
	struct span text; /* all lines, a blank between them; controls are '?' */
	struct span enhanced; /* "5.1.1", of the front of the text; empty: none (RFC 2034) */
};

static inline bool
smtp_answer_is_good(struct smtp_answer a)
{
	return a.code / 100 == 2;
}
static inline bool
smtp_answer_is_final(struct smtp_answer a) /* a refusal for good */
{
	return a.code / 100 == 5;
}

/* What a server offers: bits. */
enum smtp_extension {
	SMTP_EXT_PIPELINING = 1 << 0,
	SMTP_EXT_SIZE = 1 << 1,
	SMTP_EXT_8BITMIME = 1 << 2,
	SMTP_EXT_SMTPUTF8 = 1 << 3,
	SMTP_EXT_CHUNKING = 1 << 4,
	SMTP_EXT_DSN = 1 << 5,
	SMTP_EXT_STARTTLS = 1 << 6,
	SMTP_EXT_ENHANCED = 1 << 7,
};

struct smtp_extensions {
	unsigned offered;    /* enum smtp_extension */
	unsigned mechanisms; /* SASL_CLIENT_BIT() of those we know */
	bool auth;	     /* there was an AUTH line, whatever it offers */
	uint64_t size;	     /* with SIZE; 0: not said, or any */
};
/* One line of the answer to EHLO, behind its code; what we do not know is passed over. */
void smtp_extensions_take(struct smtp_extensions *e, struct span line);

/* Gathers a reply line by line. */
struct smtp_answer_reader {
	unsigned code, lines;
	size_t len;
	char text[SMTP_ANSWER_TEXT];
};
/*
 * Take one line from the front of IN. PARSE_DONE: it was the last, *out is the reply and lives until the
 * next call. PARSE_MORE with *used > 0: a line, *line is its text, there are more; with *used 0: more
 * bytes are needed. PARSE_BAD: no reply (ERR_SYNTAX), or over a limit (ERR_LIMIT). A bare LF ends a line
 * as CRLF does: a reply carries no mail, and such servers exist.
 */
MUST_CHECK enum parse smtp_answer_take(struct smtp_answer_reader *r, struct span in, size_t *used,
	struct span *line, struct smtp_answer *out, enum err *why);

#endif
