/*
 * smtp_command.h - one SMTP command line to a value (RFC 5321, 4.1.1, and the extensions we offer).
 */
#ifndef PROTO_SMTP_SMTP_COMMAND_H
#define PROTO_SMTP_SMTP_COMMAND_H

#include "proto/base/arena.h"
#include "proto/mail/envelope.h"

#define SMTP_HELO_MAX 255 /* bytes of a HELO, EHLO or LHLO argument */

enum smtp_verb {
	SMTP_VERB_UNKNOWN,
	SMTP_VERB_HELO,
	SMTP_VERB_EHLO,
	SMTP_VERB_LHLO, /* RFC 2033, 4.1 */
	SMTP_VERB_MAIL,
	SMTP_VERB_RCPT,
	SMTP_VERB_DATA,
	SMTP_VERB_RSET,
	SMTP_VERB_NOOP,
	SMTP_VERB_QUIT,
	SMTP_VERB_VRFY,
	SMTP_VERB_EXPN,
	SMTP_VERB_HELP,
	SMTP_VERB_STARTTLS,
	SMTP_VERB_AUTH,
	SMTP_VERBS
};

/* What is wrong with a line; smtp_reply.h has the answer to each. */
enum smtp_fault {
	SMTP_FAULT_NONE,
	SMTP_FAULT_UNKNOWN,     /* 500 no such command */
	SMTP_FAULT_ARGUMENT,    /* 501 an argument is missing, or there may be none */
	SMTP_FAULT_ADDRESS,     /* 501 the address is malformed */
	SMTP_FAULT_PARAMETER,   /* 555 a parameter that we do not know */
	SMTP_FAULT_VALUE,       /* 501 a parameter is malformed, double or too long */
	SMTP_FAULT_UTF8_NEEDED, /* 553 an address beyond ASCII without SMTPUTF8 */
};

struct smtp_command {
	enum smtp_verb verb;
	enum smtp_fault fault;
	struct span argument;               /* HELO, EHLO, LHLO, VRFY, EXPN, HELP; AUTH: the mechanism */
	struct span initial;                /* AUTH: the initial response; ptr NULL where none */
	struct address path;                /* MAIL: reverse-path; RCPT: forward-path */
	struct mail_options mail;           /* MAIL */
	struct recipient_options recipient; /* RCPT */
};

/*
 * Parse LINE, without its CRLF. Always fills *out; out->fault says what is wrong. Spans point into
 * LINE, the address into A. <postmaster> without a domain passes as ADDRESS_NO_DOMAIN. A NUL or
 * another control in the line never gets through.
 */
void smtp_command_parse(struct arena *a, struct span line, struct smtp_command *out);

struct span smtp_verb_name(enum smtp_verb verb); /* "MAIL"; for logs */

#endif
