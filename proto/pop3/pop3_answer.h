/*
 * pop3_answer.h - what a POP3 server says to a command: +OK or -ERR, with a response code (RFC 1939, 3; RFC 2449, 8).
 */
#ifndef PROTO_POP3_POP3_ANSWER_H
#define PROTO_POP3_POP3_ANSWER_H

#include "proto/base/span.h"

enum pop3_code {
	POP3_CODE_NONE, /* or one that is not known here */
	POP3_CODE_IN_USE,
	POP3_CODE_LOGIN_DELAY,
	POP3_CODE_AUTH,	    /* RFC 3206 */
	POP3_CODE_SYS_TEMP,
	POP3_CODE_SYS_PERM,
};

struct pop3_answer {
	enum pop3_answer_kind { POP3_ANSWER_OK, POP3_ANSWER_ERR, POP3_ANSWER_CHALLENGE } kind;
	enum pop3_code code;
	struct span text; /* behind the word, blanks taken off, with its code */
};

/* One line without its CRLF. ERR_SYNTAX: it is none of these. */
MUST_CHECK enum err pop3_answer_parse(struct span line, struct pop3_answer *out);
/*
 * Is a refusal at login that of a mailbox which somebody else has open (INM-30)? By its code, or, of a server without
 * codes, by its words.
 */
bool pop3_answer_is_locked(struct pop3_answer answer);
/* "1 1234", "1 unique-id": the number and what is behind it. ERR_SYNTAX. */
MUST_CHECK enum err pop3_line_parse(struct span line, uint32_t *number, struct span *rest);

#endif
