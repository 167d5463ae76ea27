/*
 * imap_response.h - what the server says: values and status lines (RFC 9051, 7 and 9).
 *
 * Nothing from outside reaches the wire but through these (H11): a string is quoted where it can be,
 * else a literal; NUL, which IMAP cannot say, becomes '?'. Each says ERR_LIMIT where OUT is full, which
 * also sets out->overflow, so that a chain may be checked once.
 */
#ifndef PROTO_IMAP_IMAP_RESPONSE_H
#define PROTO_IMAP_IMAP_RESPONSE_H

#include "proto/base/buf.h"
#include "proto/imap/imap_args.h"
#include "proto/mail/mail_date.h"

#define IMAP_QUOTED_MAX 512 /* bytes; a longer string is a literal */

enum imap_status {
	IMAP_STATUS_OK,
	IMAP_STATUS_NO,
	IMAP_STATUS_BAD,
	IMAP_STATUS_BYE,   /* always untagged; closes */
	IMAP_STATUS_GO_ON, /* "+ text": a challenge, a go-ahead; nothing is decided yet */
};

struct imap_reply {
	enum imap_status status;
	struct span code; /* of our making, without brackets: "TRYCREATE", "APPENDUID 7 12"; empty: none */
	struct span text; /* one line */
};

#define IMAP_REPLY(word, code_text, words) \
	((struct imap_reply){ .status = IMAP_STATUS_##word, .code = SPAN(code_text), .text = SPAN(words) })
#define IMAP_OK(words) IMAP_REPLY(OK, "", words)
#define IMAP_NO(code_text, words) IMAP_REPLY(NO, code_text, words) /* RFC 5530's code, or "" */
#define IMAP_BAD(words) IMAP_REPLY(BAD, "", words)
#define IMAP_GO_ON(words) IMAP_REPLY(GO_ON, "", words)

/* The default words for an error of ours. */
struct imap_reply imap_reply_for(enum err err);

/* "TAG OK [CODE] text"; an empty TAG is '*'. Controls become '?'. */
MUST_CHECK enum err imap_reply_put(struct buf *out, struct span tag, struct imap_reply reply);

/* ---- values ---- */

MUST_CHECK enum err imap_put_string(struct buf *out, struct span text);  /* quoted, or literal */
MUST_CHECK enum err imap_put_nstring(struct buf *out, struct span text); /* NIL where ptr is NULL */
MUST_CHECK enum err imap_put_astring(struct buf *out, struct span text); /* as an atom if it can be */
/* "{123}CRLF", or "~{123}CRLF" where BINARY; the bytes follow. */
MUST_CHECK enum err imap_put_literal_head(struct buf *out, uint64_t size, bool binary);

/* A folder's name; UTF8: as it is, else in modified UTF-7. */
MUST_CHECK enum err imap_put_mailbox(struct buf *out, struct span name, bool utf8);

/* "(\Seen $Junk)". */
MUST_CHECK enum err imap_put_flags(struct buf *out, const struct imap_flags *flags);

/* "\"17-Jul-1996 02:44:25 -0700\"", two digits always. */
MUST_CHECK enum err imap_put_date_time(struct buf *out, struct mail_date date);

#endif
