/*
 * imap_server.h - the server's side of an IMAP connection (RFC 9051, RFC 3501).
 *
 *     START --+OK--> COMMAND <--------------------- answer -----------------------+
 *                      | line, literals ... the whole command gathered -> event --+
 *                      |--APPEND: its message is not gathered but passed on --> TEXT pieces, TAIL
 *                      |--AUTHENTICATE: AUTH        --STARTTLS: TLS        --IDLE: IDLE
 *
 * Same shape as pop3_server.h: bytes in, one event at a time, answers when the session has them; what
 * is pipelined waits. Which commands there are and when they are allowed is the session's: the machine
 * itself knows only those that change how bytes are read. While a command is pending the session may
 * put untagged responses into its output; imap_server_answer() puts the tagged one.
 *
 * Limits before memory (H22, H23): a command is IMAP_COMMAND_MAX bytes with its literals, each literal
 * IMAP_LITERAL_MAX; before login IMAP_COMMAND_STRANGER and IMAP_LITERAL_STRANGER. A literal that is
 * refused and comes all the same ({n+}) is dropped as it comes, over `message_size` it is BYE.
 */
#ifndef PROTO_IMAP_IMAP_SERVER_H
#define PROTO_IMAP_IMAP_SERVER_H

#include "proto/base/arena.h"
#include "proto/imap/imap_args.h"
#include "proto/imap/imap_response.h"
#include "proto/sasl/sasl.h"

#define IMAP_COMMAND_MAX (256 * 1024)     /* bytes of a command with its literals (H23) */
#define IMAP_LITERAL_MAX (64 * 1024)      /* bytes of a literal that is no message (H22) */
#define IMAP_COMMAND_STRANGER (4 * 1024)  /* the same before login */
#define IMAP_LITERAL_STRANGER 1024
#define IMAP_TAG_MAX 64

enum imap_event_kind {
	IMAP_NEED_BYTES,
	IMAP_NEED_REPLY,
	IMAP_CONNECT,      /* the first event: answer OK with the greeting, or BYE to close */
	IMAP_LOGIN,        /* login: credentials or proof; OK logs in; for SCRAM answer with
			      imap_server_signature() in place of OK */
	IMAP_KEYS,         /* login.name: answer with imap_server_keys() */
	IMAP_CONFIRMED,    /* SCRAM: the client saw our signature; OK logs in */
	IMAP_COMMAND,      /* name, uid, args; for IDLE see imap_server_idle() */
	IMAP_STARTTLS,     /* answer OK, send it, make the handshake, call imap_server_tls_started */
	IMAP_APPEND_BEGIN, /* append: imap_server_take() it, or answer NO */
	IMAP_APPEND_TEXT,  /* text: bytes of the message; no answer */
	IMAP_APPEND_NEXT,  /* that one is whole, append: another one follows; take it, or answer NO */
	IMAP_APPEND_END,   /* the last one is whole: answer */
	IMAP_APPEND_ABORT, /* forget all that came, answer with reply */
	IMAP_IDLE_DONE,    /* answer with reply */
	IMAP_SETTLED,      /* the machine has the answer itself: reply */
	IMAP_CLOSE,        /* send what is written, then close; comes for ever */
};

enum imap_close {
	IMAP_CLOSE_NONE,
	IMAP_CLOSE_LOGOUT,
	IMAP_CLOSE_REFUSED,
	IMAP_CLOSE_BAD_LINE,    /* bare CR or LF, NUL, or a size that is none */
	IMAP_CLOSE_TOO_LARGE,   /* a literal too large to drop */
	IMAP_CLOSE_EARLY_BYTES, /* H3, H4 */
	IMAP_CLOSE_BAD_COMMANDS,
	IMAP_CLOSE_AUTH_FAILURES,
	IMAP_CLOSE_OUTPUT,
};

/* One message of APPEND. Spans live until the answer. */
struct imap_append {
	struct span mailbox; /* as it came, see imap_name_of(); the same for all of a command */
	struct imap_flags flags;
	bool has_date;
	struct mail_date date;
	uint64_t size;
	bool binary; /* a literal8 (RFC 9051, 6.3.12): NUL may come */
	bool utf8;   /* "UTF8 (...)" (RFC 6855, 4) */
};

struct imap_event {
	enum imap_event_kind kind;
	struct span tag;
	struct span name;        /* IMAP_COMMAND: any letter case; of UID x it is x */
	bool uid;                /* it was UID x */
	struct imap_cursor args; /* what follows the name, its first space included */
	struct sasl_login login; /* lives until the answer, which wipes it */
	struct imap_append append;
	struct span text;
	struct imap_reply reply;
	enum imap_close why;
};

struct imap_server_config {
	uint64_t message_size;    /* bytes of an appended message */
	unsigned bad_commands;    /* so many BAD in a row, then BYE */
	unsigned auth_failures;   /* so many close the connection (H67) */
	bool starttls;            /* a certificate is there */
	unsigned mechanisms;      /* that are offered, SASL_BIT() each; LOGIN is SASL_PLAIN */
	bool login_in_clear;      /* this peer's range allows all of them without TLS */
	struct span hostname;     /* for CRAM-MD5; must outlive the machine, as the next: */
	struct arena *arena;      /* of a command: the session resets it after each answer */
};

enum imap_server_state {
	IMAP_STATE_START,
	IMAP_STATE_COMMAND,
	IMAP_STATE_LITERAL, /* bytes of one that is gathered */
	IMAP_STATE_DROP,    /* bytes of one that was refused */
	IMAP_STATE_TEXT,    /* bytes of an appended message */
	IMAP_STATE_TAIL,    /* of APPEND, after a message */
	IMAP_STATE_AUTH,    /* inside a SASL exchange */
	IMAP_STATE_IDLE,
	IMAP_STATE_TLS,
	IMAP_STATE_CLOSED,
};

struct imap_server {
	struct imap_server_config config;
	enum imap_server_state state;
	enum imap_event_kind pending; /* IMAP_NEED_BYTES: nothing */
	bool tls, authenticated;
	bool go_ahead;         /* the peer must send nothing until the pending answer (H4) */
	bool early;            /* it did */
	bool dropping;         /* what still comes of this command is not wanted */
	bool passes_id;        /* it is ID, which is answered all the same */
	bool announced;        /* a literal of literal_left bytes, which nobody has taken yet */
	bool waits;            /* it comes after "+ " only */
	bool append_binary, append_utf8; /* the message that is read; the latter wants a ')' after it */
	bool append_nul;       /* a message that is no literal8 had one (H24) */
	enum imap_close why, close_after;
	unsigned bad_commands, auth_failures;
	uint64_t literal_left; /* bytes */
	uint64_t dropped;      /* bytes of this command */
	size_t line_at;        /* where in `command` the line that is read began */
	size_t tag_len;
	char tag[IMAP_TAG_MAX];
	struct buf command;    /* gathered; freed with the answer */
	struct sasl sasl;
	struct sasl_nonce nonce; /* with a mechanism that needs one: filled before each next() */
};

void imap_server_init(struct imap_server *m, const struct imap_server_config *config, bool tls);
void imap_server_fini(struct imap_server *m);

/* One event from the front of IN; the bytes used up. Of *ev only `text` points into IN. */
size_t imap_server_next(struct imap_server *m, struct span in, struct imap_event *ev);

/*
 * The answer to the pending event. A reply with AUTHENTICATIONFAILED counts as a failed login; so many
 * BAD in a row as the configuration says end the connection.
 */
void imap_server_answer(struct imap_server *m, struct imap_reply reply, struct buf *out);

/* IMAP_APPEND_BEGIN, _NEXT: the message is wanted. */
void imap_server_take(struct imap_server *m, struct buf *out);
/* IMAP_COMMAND of IDLE (RFC 9051, 6.3.13): goes on until IMAP_IDLE_DONE; untagged responses may be put. */
void imap_server_idle(struct imap_server *m, struct buf *out);
/* With the pending answer the connection ends, after "* BYE": LOGOUT. */
void imap_server_end(struct imap_server *m, enum imap_close why);

/* Answers to IMAP_KEYS, and to IMAP_LOGIN where a SCRAM proof was right. */
struct imap_reply imap_server_keys(struct imap_server *m, struct span salt, unsigned iterations);
struct imap_reply imap_server_signature(struct imap_server *m, struct span signature);

/* After OK to STARTTLS: the handshake is done. Forgets all that was said in clear (H3). */
void imap_server_tls_started(struct imap_server *m);

/*
 * What of CAPABILITY is the machine's, each with a blank in front: " LITERAL+ SASL-IR APPENDLIMIT=n", and before
 * login STARTTLS, LOGINDISABLED, AUTH=x.
 */
MUST_CHECK enum err imap_server_put_capabilities(const struct imap_server *m, struct buf *out);

/* Is what is being read part of a password: a SASL exchange? For the log (H66). */
bool imap_server_in_secret(const struct imap_server *m);

const char *imap_close_name(enum imap_close why);

#endif
