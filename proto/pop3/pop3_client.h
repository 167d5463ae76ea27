/*
 * pop3_client.h - the client's side of a POP3 session (RFC 1939, 2449, 2595, 5034).
 *
 *   greeting -> CAPA -> (STLS -> TLS -> CAPA) -> USER, PASS | AUTH | APOP -> STAT -> READY
 *   READY -> LIST, UIDL: SIZE..., UNIQUE...; TOP, RETR: TEXT...; each then ANSWER -> QUIT -> OVER
 *
 * Same shape as smtp_client.h: bytes in, one event at a time; commands are put into OUT. Where CAPA says PIPELINING
 * all that was asked goes out at once, else one command at a time; answers come in the order of asking.
 * No size that the server says is believed. That a message has ended is believed only where what follows begins like an
 * answer: servers that do not double dots end messages too early (contract 8).
 */
#ifndef PROTO_POP3_POP3_CLIENT_H
#define PROTO_POP3_POP3_CLIENT_H

#include "proto/base/buf.h"
#include "proto/pop3/pop3_answer.h"
#include "proto/pop3/pop3_text.h"
#include "proto/sasl/sasl_client.h"

#define POP3_CLIENT_AHEAD 160	  /* commands without an answer; a power of two is not needed */
#define POP3_CLIENT_LINE 4096	  /* bytes of one line, other than of a message's text (RFC 2449, 4: 512) */
#define POP3_CLIENT_CAPA_LINES 200
#define POP3_CLIENT_ENV_LINES 100
#define POP3_CLIENT_LIST_LINES 2000000 /* of LIST, of UIDL */
#define POP3_CLIENT_SAID_MAX 200 /* bytes of an answer that are kept */
#define POP3_CLIENT_STAMP 500	  /* bytes of the greeting's timestamp */
#define POP3_CLIENT_AUTH_LINE 255 /* bytes of AUTH with an initial response, CRLF too (RFC 5034, 4) */
#define POP3_SIZE_UNKNOWN UINT64_MAX

enum pop3_client_auth {
	POP3_AUTH_PLAIN, /* USER and PASS; AUTH PLAIN where only that is offered */
	POP3_AUTH_SASL_PLAIN,
	POP3_AUTH_APOP,
	POP3_AUTH_CRAM_MD5,
	POP3_AUTH_XOAUTH2,
};

enum pop3_asked_kind {
	POP3_ASKED_GREETING,
	POP3_ASKED_CAPA,
	POP3_ASKED_STLS,
	POP3_ASKED_USER,
	POP3_ASKED_PASS,
	POP3_ASKED_AUTH,
	POP3_ASKED_APOP,
	POP3_ASKED_STAT,
	POP3_ASKED_LIST,
	POP3_ASKED_UIDL,
	POP3_ASKED_TOP,	 /* the header alone */
	POP3_ASKED_RETR,
	POP3_ASKED_DELE,
	POP3_ASKED_NOOP,
	POP3_ASKED_ENV,	 /* Demon's *ENV (INM-18) */
	POP3_ASKED_NOTHING, /* no command: an answer in its turn */
	POP3_ASKED_QUIT,
	POP3_ASKED_KINDS
};

enum pop3_client_over {
	POP3_OVER_NO,
	POP3_OVER_QUIT,	    /* +OK to QUIT: what was deleted is gone */
	POP3_OVER_REFUSED,  /* an error answer that ends it */
	POP3_OVER_LOCKED,   /* somebody else is in the mailbox (INM-30) */
	POP3_OVER_TOO_SOON, /* [LOGIN-DELAY] (RFC 2449, 8.1.1) */
	POP3_OVER_NO_TLS,   /* asked for, and not to be had */
	POP3_OVER_NO_AUTH,  /* the method is not offered, or would show the password */
	POP3_OVER_AUTH,	    /* the login was refused */
	POP3_OVER_NONSENSE, /* what it says is no answer */
	POP3_OVER_LINE,	    /* a line over POP3_CLIENT_LINE, or not ended by CRLF, or too many of them */
	POP3_OVER_BROKEN_END, /* text behind the end of a message: its dots are not doubled */
	POP3_OVER_INJECTED, /* bytes before the handshake (H3) */
	POP3_OVER_UNASKED,  /* an answer to nothing */
	POP3_OVER_OUTPUT,   /* OUT is full, or a secret that no line can hold */
};
const char *pop3_client_over_text(enum pop3_client_over why);

enum pop3_client_event_kind {
	POP3_CLIENT_NEED_BYTES,
	POP3_CLIENT_NEED_HOLDER, /* an event still waits for what it asks */
	POP3_CLIENT_STLS,	 /* make the handshake, then pop3_client_tls_started() */
	POP3_CLIENT_TASK,	 /* *task: then pop3_client_prove() */
	POP3_CLIENT_APOP,	 /* `text` is the timestamp: then pop3_client_prove() with the digits */
	POP3_CLIENT_READY,	 /* logged in: `count`, `size` as STAT says */
	POP3_CLIENT_SIZE,	 /* a line of LIST: `number`, `size` */
	POP3_CLIENT_UNIQUE,	 /* a line of UIDL: `number`, `text` */
	POP3_CLIENT_ENV,	 /* a line of *ENV: `number`, `text`, `count`: from 1 */
	POP3_CLIENT_TEXT,	 /* of TOP or RETR: `number`, `text` */
	POP3_CLIENT_ANSWER,	 /* `asked` of `number` has its `answer`; where +OK, all of it has come */
	POP3_CLIENT_OVER,	 /* the session is: `why`, `asked`, `answer`. Comes for ever */
};

struct pop3_client_event {
	enum pop3_client_event_kind kind;
	enum pop3_asked_kind asked;
	uint32_t number;
	uint64_t size, count;
	struct span text; /* into IN, or until the next call */
	struct pop3_answer answer;
	const struct sasl_task *task;
	enum pop3_client_over why;
};

struct pop3_client_config {
	enum pop3_client_auth auth;
	bool stls;	      /* and nothing is said in clear but CAPA and STLS */
	bool secure;	      /* TLS from the first byte */
	bool secret_in_clear; /* a password may be sent without TLS: `tls: none` */
	struct sasl_account account;
};

struct pop3_asked {
	enum pop3_asked_kind kind;
	bool own; /* not by the holder */
	uint32_t number;
	uint64_t size; /* RETR: what LIST said */
};

struct pop3_client {
	struct pop3_client_config config;
	/* From READY on: what the holder may use. */
	bool has_capa, pipelining, has_top, has_uidl;
	/* For the machine. */
	bool offers_stls, offers_user, offers_sasl, tls, ready, in_lines, in_text, confirms;
	enum pop3_client_event_kind waits; /* STLS, TASK, APOP: for the holder; NEED_BYTES: it does not */
	bool told;			   /* and the holder knows */
	unsigned sasl_offered;		   /* SASL_CLIENT_BIT()s */
	enum pop3_client_over over;
	struct pop3_asked asked[POP3_CLIENT_AHEAD]; /* a ring: from `first` on `count`, of which `sent` went out */
	unsigned first, count, sent;
	struct pop3_asked last; /* that was answered */
	unsigned lines;
	struct pop3_text text;
	struct sasl_client sasl;
	size_t said_len;
	char said[POP3_CLIENT_SAID_MAX];
	size_t stamp_len;
	char stamp[POP3_CLIENT_STAMP];
};

/* CONFIG is copied; its spans must outlive M. */
void pop3_client_init(struct pop3_client *m, const struct pop3_client_config *config);
void pop3_client_fini(struct pop3_client *m); /* wipes what was made of the secret */

/* One event from the front of IN; the bytes used up. Commands are put into OUT. */
size_t pop3_client_next(struct pop3_client *m, struct span in, struct buf *out,
	struct pop3_client_event *ev);

/* After POP3_CLIENT_STLS: forgets all that was said in clear but the timestamp (H3), which a digest under TLS shows nobody. */
void pop3_client_tls_started(struct pop3_client *m, struct buf *out);
/* After POP3_CLIENT_TASK, see sasl_client_prove(), or _APOP: the hexadecimal digits. */
void pop3_client_prove(struct pop3_client *m, struct span proof, struct span signature, struct buf *out);

/*
 * After READY: LIST, UIDL, TOP, RETR, DELE, NOOP, ENV, NOTHING. NUMBER 0 where there is none; SIZE as LIST said, for RETR.
 * ERR_LIMIT: POP3_CLIENT_AHEAD wait already.
 */
MUST_CHECK enum err pop3_client_ask(
	struct pop3_client *m, enum pop3_asked_kind kind, uint32_t number, uint64_t size, struct buf *out);
/* Behind all that was asked. */
void pop3_client_quit(struct pop3_client *m, struct buf *out);

/* What is waited for; what was answered last, where nothing is, or where that answer ended it: "RETR 7"; of a login its word alone (H66, TRB-02). */
struct span pop3_client_command(const struct pop3_client *m, char *text, size_t size);
struct span pop3_client_said(const struct pop3_client *m); /* the last answer, cut and clean; "" */

#endif
