/*
 * pop3_reply.h - POP3 replies (RFC 1939, 3) with response codes (RFC 2449, 8; RFC 3206).
 */
#ifndef PROTO_POP3_POP3_REPLY_H
#define PROTO_POP3_POP3_REPLY_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

#define POP3_REPLY_LINE_MAX 512 /* bytes with CRLF, RFC 2449, 4 */

struct pop3_reply {
	bool ok;
	const char *code; /* "IN-USE", "AUTH", "SYS/TEMP", "SYS/PERM", "LOGIN-DELAY"; NULL: none */
	struct span text; /* one line */
	bool challenge;   /* of SASL: "+ text" (RFC 5034, 4), nothing is decided yet */
	bool more;        /* lines follow that the session sends itself; see pop3_server_answer() */
};

#define POP3_OK(words) ((struct pop3_reply){ .ok = true, .text = SPAN(words) })
#define POP3_CHALLENGE(base64) \
	((struct pop3_reply){ .ok = true, .text = (base64), .challenge = true })
#define POP3_ERR(resp_code, words) ((struct pop3_reply){ .code = (resp_code), .text = SPAN(words) })

/* The default words for an error of ours. OK is +OK. */
struct pop3_reply pop3_reply_for(enum err err);

/* Append the status line; controls in the text become '?' (H11). ERR_LIMIT: OUT is full. */
MUST_CHECK enum err pop3_reply_put(struct buf *out, struct pop3_reply reply);

#endif
