/*
 * pop3_command.h - one POP3 command line to a value (RFC 1939, 2449, 2595, 5034, 6856).
 */
#ifndef PROTO_POP3_POP3_COMMAND_H
#define PROTO_POP3_POP3_COMMAND_H

#include "proto/base/span.h"

enum pop3_verb {
	POP3_VERB_UNKNOWN,
	POP3_VERB_USER,
	POP3_VERB_PASS,
	POP3_VERB_APOP,
	POP3_VERB_STAT,
	POP3_VERB_LIST,
	POP3_VERB_UIDL,
	POP3_VERB_RETR,
	POP3_VERB_DELE,
	POP3_VERB_TOP,
	POP3_VERB_NOOP,
	POP3_VERB_RSET,
	POP3_VERB_QUIT,
	POP3_VERB_CAPA,
	POP3_VERB_STLS,
	POP3_VERB_AUTH,
	POP3_VERB_UTF8,
	POP3_VERBS
};

struct pop3_command {
	enum pop3_verb verb;
	struct span argument; /* USER: the name; PASS: all that follows; AUTH: the mechanism */
	struct span initial;  /* AUTH: the initial response; ptr NULL where none */
	uint32_t number;      /* LIST, UIDL, RETR, DELE, TOP: the message, from 1; 0: none given */
	uint32_t lines;       /* TOP */
};

/* Parse LINE, without its CRLF. ERR_NOT_FOUND: no such command; ERR_SYNTAX: its arguments. */
MUST_CHECK enum err pop3_command_parse(struct span line, struct pop3_command *out);

struct span pop3_verb_name(enum pop3_verb verb);

#endif
