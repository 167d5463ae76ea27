/*
 * pop3_server.h - the server's side of a POP3 session (RFC 1939).
 *
 *     START --+OK--> AUTHORIZATION --login--> TRANSACTION --QUIT--> UPDATE --answer--> closed
 *                       |    ^
 *                       STLS, handshake
 *
 * Same shape as smtp_server.h: bytes in, one event at a time, answers when the session has them.
 * Which messages there are, which are marked deleted, is the session's. Multi-line answers: answer
 * with `more`, put the lines through struct smtp_stuffing, then call pop3_server_sent(); until then
 * the next command waits (SMTP-style dots, RFC 1939, 3).
 */
#ifndef PROTO_POP3_POP3_SERVER_H
#define PROTO_POP3_POP3_SERVER_H

#include "proto/base/arena.h"
#include "proto/pop3/pop3_command.h"
#include "proto/pop3/pop3_reply.h"
#include "proto/sasl/sasl.h"


enum pop3_event_kind {
	POP3_NEED_BYTES,
	POP3_NEED_REPLY,
	POP3_CONNECT, /* the first event: answer +OK with the greeting, or -ERR to close */
	POP3_LOGIN,   /* login: credentials or proof; +OK enters TRANSACTION; for SCRAM answer with
			 pop3_server_signature() in place of +OK */
	POP3_KEYS,    /* login.name: answer with pop3_server_keys() */
	POP3_CONFIRMED, /* SCRAM: the client saw our signature; +OK enters TRANSACTION */
	POP3_STAT,
	POP3_LIST,    /* command.number, 0: all (more) */
	POP3_UIDL,    /* command.number, 0: all (more) */
	POP3_RETR,    /* command.number */
	POP3_TOP,     /* command.number, command.lines */
	POP3_DELE,    /* command.number */
	POP3_RSET,
	POP3_UPDATE,  /* QUIT in TRANSACTION: apply the deletions, then answer (H28); closes */
	POP3_STLS,    /* answer +OK, send it, make the handshake, call pop3_server_tls_started */
	POP3_SETTLED, /* the machine has the answer itself: reply */
	POP3_CLOSE,   /* send what is written, then close; comes for ever */
};

enum pop3_close {
	POP3_CLOSE_NONE,
	POP3_CLOSE_QUIT,
	POP3_CLOSE_REFUSED,
	POP3_CLOSE_BAD_LINE,    /* bare CR or LF, NUL, or over-long */
	POP3_CLOSE_EARLY_BYTES, /* H3, H4 */
	POP3_CLOSE_BAD_COMMANDS,
	POP3_CLOSE_AUTH_FAILURES,
	POP3_CLOSE_OUTPUT,
};

struct pop3_event {
	enum pop3_event_kind kind;
	struct pop3_command command;
	struct sasl_login login; /* lives until the answer, which wipes it */
	struct pop3_reply reply;
	enum pop3_close why;
};

struct pop3_server_config {
	size_t command_line;      /* bytes of a line without its CRLF */
	unsigned bad_commands;    /* then -ERR and close */
	unsigned auth_failures;   /* so many close the connection (H67) */
	bool stls;                /* a certificate is there */
	unsigned mechanisms;      /* that are offered, SASL_BIT() each; USER is SASL_PLAIN */
	bool login_in_clear;      /* this peer's range allows all of them without TLS */
	struct span hostname;     /* for CRAM-MD5; must outlive the machine, as the next: */
	struct span timestamp;    /* APOP: the one of the greeting; empty: none */
	struct span implementation; /* for CAPA; empty: not said (SVC-05) */
};

enum pop3_state {
	POP3_STATE_START,
	POP3_STATE_AUTHORIZATION,
	POP3_STATE_AUTH, /* inside a SASL exchange */
	POP3_STATE_TLS,
	POP3_STATE_TRANSACTION,
	POP3_STATE_UPDATE,
	POP3_STATE_CLOSED,
};

struct pop3_server {
	struct pop3_server_config config;
	enum pop3_state state;
	enum pop3_event_kind pending; /* POP3_NEED_BYTES: nothing */
	enum pop3_verb pending_verb;
	bool sending;                 /* a `more` answer is under way */
	bool tls;
	bool go_ahead;                /* the peer must send nothing until the pending answer (H4) */
	bool early;                   /* it did */
	enum pop3_close why, close_after;
	unsigned bad_commands, auth_failures;
	struct sasl sasl;
	struct buf name; /* of USER */
	struct sasl_nonce nonce; /* with a mechanism that needs one: filled before each next() */
};

void pop3_server_init(struct pop3_server *m, const struct pop3_server_config *config, bool tls);
void pop3_server_fini(struct pop3_server *m);

/* One event from the front of IN; the bytes used up. *ev points into IN. */
size_t pop3_server_next(struct pop3_server *m, struct span in, struct pop3_event *ev);

/*
 * The answer to the pending event. With reply.more the lines follow from the session, which ends
 * them with smtp_stuffing_end() and pop3_server_sent().
 */
void pop3_server_answer(struct pop3_server *m, struct pop3_reply reply, struct buf *out);
void pop3_server_sent(struct pop3_server *m);

/* Answers to POP3_KEYS, and to POP3_LOGIN where a SCRAM proof was right. */
struct pop3_reply pop3_server_keys(struct pop3_server *m, struct span salt, unsigned iterations);
struct pop3_reply pop3_server_signature(struct pop3_server *m, struct span signature);

/* After +OK to STLS: the handshake is done. Forgets all that was said in clear (H3). */
void pop3_server_tls_started(struct pop3_server *m);

const char *pop3_close_name(enum pop3_close why);

#endif
