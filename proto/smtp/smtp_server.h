/*
 * smtp_server.h - the server's side of an SMTP session: what may come when (RFC 5321, 4.3).
 *
 * With config.lmtp it speaks LMTP (RFC 2033): LHLO instead of HELO and EHLO, and after the final dot a
 * reply for each recipient that was accepted, in their order.
 *
 *     START --220--> READY --HELO--> GREETED --MAIL--> MAIL --RCPT--> RCPT --DATA--> DATA
 *                      ^               |  ^  |                                        |
 *                      |           STARTTLS  |  +--AUTH--> AUTH                       |
 *                      +-- handshake --+  +-------------- end of message -------------+
 *
 * The session feeds bytes and answers events; it may answer late, so a slow commit, a password hash
 * or a DNS answer needs no state here:
 *
 *     used = smtp_server_next(m, input, &ev);
 *     ... consume `used` bytes; act on ev.kind ...
 *     smtp_server_answer(m, reply, out);
 *
 * Every event but NEED_BYTES, NEED_REPLY, TEXT, RESET and CLOSE is owed one answer. SETTLED and
 * MESSAGE_REFUSED bring their answer along in ev.reply: hand it to smtp_server_answer(), which also
 * keeps all replies in one order for the log.
 */
#ifndef PROTO_SMTP_SMTP_SERVER_H
#define PROTO_SMTP_SMTP_SERVER_H

#include "proto/sasl/sasl.h"
#include "proto/smtp/smtp_command.h"
#include "proto/smtp/smtp_data.h"
#include "proto/smtp/smtp_reply.h"

enum smtp_event_kind {
	SMTP_NEED_BYTES,      /* nothing whole in the input */
	SMTP_NEED_REPLY,      /* an event waits for its answer; call again after it */
	SMTP_CONNECT,         /* the first event: answer 220 with the greeting, or 421: it closes */
	SMTP_HELLO,           /* command.argument; a 250 is written with our name and extensions */
	SMTP_MAIL,            /* command.path, command.mail */
	SMTP_RCPT,            /* command.path, command.recipient */
	SMTP_DATA,            /* answer 354 to get the text, or refuse: the transaction stays */
	SMTP_TEXT,            /* text: bytes of the message, dots removed; no answer */
	SMTP_MESSAGE_END,     /* answer 250 when it is on disk; ends the transaction anyway */
	SMTP_MESSAGE_REFUSED, /* drop what was gathered; reply says why; the transaction is over */
	SMTP_RESET,           /* RSET, or HELO, ended a transaction: drop it; no answer is owed */
	SMTP_STARTTLS,        /* answer 220, send it, handshake, smtp_server_tls_started() */
	SMTP_AUTH,            /* login: credentials or proof; answer 235, 535, 454; for SCRAM 334
				 with smtp_server_signature() in place of 235 */
	SMTP_AUTH_KEYS,       /* login.name: answer smtp_server_keys() */
	SMTP_AUTH_CONFIRMED,  /* SCRAM: the client saw our signature; answer 235 */
	SMTP_VRFY,            /* command.argument (VRFY and EXPN; see command.verb) */
	SMTP_QUIT,            /* answer 221 */
	SMTP_SETTLED,         /* the machine has the answer itself: reply */
	SMTP_CLOSE,           /* send what is written, then close; see why; comes for ever */
};

enum smtp_close {
	SMTP_CLOSE_NONE,
	SMTP_CLOSE_QUIT,
	SMTP_CLOSE_REFUSED,       /* the session answered 421 */
	SMTP_CLOSE_BARE_LINE_END, /* H1 */
	SMTP_CLOSE_NUL,           /* H24 */
	SMTP_CLOSE_EARLY_BYTES,   /* H3, H4: bytes before our go-ahead */
	SMTP_CLOSE_BAD_COMMANDS,
	SMTP_CLOSE_AUTH_FAILURES, /* H67 */
	SMTP_CLOSE_OUTPUT,        /* the output buffer was full: the peer does not read */
};

struct smtp_event {
	enum smtp_event_kind kind;
	struct smtp_command command;
	struct span text;        /* points into the input */
	struct sasl_login login; /* lives until the answer, which wipes it */
	struct smtp_reply reply;
	enum smtp_close why;
};

/* Copied at init; a new generation may be set between commands by writing m->config. */
struct smtp_server_config {
	struct span hostname;  /* must outlive the machine */
	uint64_t message_size; /* bytes; 0: no limit (SMT-10) */
	size_t command_line;   /* bytes of a command without its CRLF (H6: 2,048) */
	size_t line_length;    /* bytes of a line of the message (H6) */
	unsigned recipients;   /* accepted in one transaction; more are 452 4.5.3 */
	unsigned bad_commands; /* then 421 and close */
	unsigned auth_failures; /* so many close the connection (H67) */
	bool starttls;         /* a certificate is there */
	unsigned mechanisms;   /* that are offered, SASL_BIT() each; 0: no AUTH */
	bool auth_in_clear;    /* this peer's range allows all of them without TLS */
	bool dsn;              /* SMT-11 */
	bool lmtp;             /* RFC 2033 instead of RFC 5321 */
};

enum smtp_state {
	SMTP_STATE_START,
	SMTP_STATE_READY,
	SMTP_STATE_GREETED,
	SMTP_STATE_MAIL,
	SMTP_STATE_RCPT,
	SMTP_STATE_DATA,
	SMTP_STATE_AUTH,
	SMTP_STATE_TLS,
	SMTP_STATE_CLOSED,
};

struct smtp_server {
	struct smtp_server_config config;
	struct arena *arena;
	enum smtp_state state;
	enum smtp_event_kind pending; /* what waits for its answer; SMTP_NEED_BYTES: nothing */
	enum smtp_verb pending_verb;
	bool tls;           /* active */
	bool esmtp;         /* EHLO or LHLO, not HELO */
	bool authenticated;
	bool smtputf8;      /* this transaction */
	bool go_ahead;      /* the peer must send nothing until the pending answer (H4) */
	bool early;         /* it did */
	bool skipping;      /* the rest of an over-long line is dropped */
	bool skipped_cr;    /* and its last byte so far was a CR */
	enum smtp_close why;
	enum smtp_close close_after; /* the reason why the next answer is the last */
	unsigned bad_commands;       /* in this session, for the log and limits */
	unsigned auth_failures;
	unsigned recipients_accepted, recipients_refused; /* in this transaction */
	uint64_t message_bytes;                           /* of this message so far */
	bool too_big;                                     /* the rest is dropped (H6) */
	struct smtp_data data;
	struct sasl sasl;
	struct sasl_nonce nonce; /* with a mechanism that needs one: filled before each next() */
};

/*
 * A is the command arena: commands are parsed into it. The session resets it after each answer;
 * what an event brought is copied before that where it must stay. TLS: active from the first byte.
 */
void smtp_server_init(struct smtp_server *m, const struct smtp_server_config *config,
	struct arena *a, bool tls);
void smtp_server_fini(struct smtp_server *m); /* wipes credentials */

/*
 * One event from the front of IN; the bytes used up. IN is all that has been read and not used; *ev
 * points into it. While nothing is pending and IN is not used up, call again.
 */
size_t smtp_server_next(struct smtp_server *m, struct span in, struct smtp_event *ev);

/*
 * The answer to the pending event, written to OUT. Nothing pending is a mistake of the caller. LMTP: to
 * the end of a message it is written once for each of m->recipients_accepted.
 */
void smtp_server_answer(struct smtp_server *m, struct smtp_reply reply, struct buf *out);

/*
 * LMTP, to SMTP_MESSAGE_END alone: REPLIES has one for each of m->recipients_accepted, in the order of
 * their RCPT (RFC 2033, 4.2). No reply may be 421.
 */
void smtp_server_answer_each(
	struct smtp_server *m, const struct smtp_reply *replies, struct buf *out);

/* Answers to SMTP_AUTH_KEYS, and to SMTP_AUTH where a SCRAM proof was right. */
struct smtp_reply smtp_server_keys(struct smtp_server *m, struct span salt, unsigned iterations);
struct smtp_reply smtp_server_signature(struct smtp_server *m, struct span signature);

/* After 220 to STARTTLS: the handshake is done. Forgets all that was said in clear (H3). */
void smtp_server_tls_started(struct smtp_server *m);

const char *smtp_close_name(enum smtp_close why); /* for the log; static text */

#endif
