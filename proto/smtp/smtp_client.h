/*
 * smtp_client.h - the client's side of an SMTP session (RFC 5321), several messages one after the other.
 *
 *   GREETING -> HELLO --(STARTTLS -> TLS -> HELLO)--> (AUTH) --> READY --send()--> MAIL, RCPT, DATA
 *                 |                                                ^                     |
 *                HELO, where EHLO is unknown (OUT-07)              +---- RSET <----------+-> TEXT -> END
 *
 * Same shape as smtp_server.h: bytes in, one event at a time; commands are put into OUT. With PIPELINING
 * all of an envelope goes out at once, with CHUNKING the text follows without waiting. What the peer says
 * is a verdict on the mail only where it answers MAIL, RCPT, DATA or the text; everything else ends the
 * session, and what was not decided upon is tried again (contract 8).
 */
#ifndef PROTO_SMTP_SMTP_CLIENT_H
#define PROTO_SMTP_SMTP_CLIENT_H

#include "proto/mail/envelope.h"
#include "proto/sasl/sasl_client.h"
#include "proto/smtp/smtp_answer.h"
#include "proto/smtp/smtp_data.h"

#define SMTP_CLIENT_WINDOW 100 /* RCPT commands whose answers have not come */
#define SMTP_CLIENT_LINE 510   /* bytes of AUTH with an initial response; longer waits for 334 */

enum smtp_client_tls {
	SMTP_CLIENT_TLS_NONE,
	SMTP_CLIENT_TLS_OPPORTUNISTIC, /* STARTTLS where it is offered */
	SMTP_CLIENT_TLS_REQUIRED,      /* or nothing is sent (H68) */
};

/* What an answer was for; the holder's deadline follows from it (RFC 5321, 4.5.3.2). */
enum smtp_stage {
	SMTP_STAGE_CONNECT, /* the holder's own */
	SMTP_STAGE_GREETING,
	SMTP_STAGE_HELLO,
	SMTP_STAGE_STARTTLS,
	SMTP_STAGE_AUTH,
	SMTP_STAGE_IDLE, /* between messages */
	SMTP_STAGE_MAIL,
	SMTP_STAGE_RCPT,
	SMTP_STAGE_DATA,
	SMTP_STAGE_TEXT,
	SMTP_STAGE_END,
	SMTP_STAGE_RSET,
	SMTP_STAGE_ETRN,
	SMTP_STAGE_QUIT,
	SMTP_STAGES
};
const char *smtp_stage_name(enum smtp_stage stage); /* "RCPT TO"; for traces and reports */

enum smtp_client_over {
	SMTP_OVER_NO,
	SMTP_OVER_QUIT,
	SMTP_OVER_REFUSED,   /* by a greeting, EHLO and HELO, or RSET; 421 at any time */
	SMTP_OVER_NO_TLS,    /* required, and not to be had */
	SMTP_OVER_NO_AUTH,   /* asked for, and no mechanism is good enough */
	SMTP_OVER_AUTH,	     /* refused, or the server could not prove itself */
	SMTP_OVER_NONSENSE,  /* what it says is no reply, or over a limit (H19) */
	SMTP_OVER_INJECTED,  /* bytes before the handshake (H3) */
	SMTP_OVER_EARLY,     /* an answer to text that was still being sent */
	SMTP_OVER_UNASKED,   /* an answer to nothing: whose is the next one? */
	SMTP_OVER_SHORT,     /* the holder gave less or more text than it had said: our fault */
	SMTP_OVER_OUTPUT,    /* OUT is full */
};
const char *smtp_client_over_text(enum smtp_client_over why);

enum smtp_client_event_kind {
	SMTP_CLIENT_NEED_BYTES,
	SMTP_CLIENT_NEED_HOLDER, /* an event still waits for what it asks */
	SMTP_CLIENT_STARTTLS,	 /* make the handshake, then smtp_client_tls_started() */
	SMTP_CLIENT_TASK,	 /* *task: then smtp_client_prove() */
	SMTP_CLIENT_READY,	 /* smtp_client_send() or smtp_client_quit() */
	SMTP_CLIENT_RECIPIENT,	 /* `recipient` has its `answer` */
	SMTP_CLIENT_GO,		 /* smtp_client_text(), smtp_client_text_end() */
	SMTP_CLIENT_SENT,	 /* the transaction is over: `answer` is for all accepted recipients, of `stage` */
	SMTP_CLIENT_OVER,	 /* the session is: `why`, `stage`, `answer`. Comes for ever */
};

struct smtp_client_event {
	enum smtp_client_event_kind kind;
	enum smtp_stage stage;
	struct smtp_answer answer; /* lives until the next call of next() */
	size_t recipient;
	const struct sasl_task *task;
	enum smtp_client_over why;
};

struct smtp_client_config {
	struct span hostname;	  /* for EHLO */
	bool helo_only;		  /* OUT-07 */
	enum smtp_client_tls tls;
	bool secure;		  /* TLS from the first byte */
	struct sasl_account account; /* name empty: no AUTH */
	bool account_has_token;	  /* its password is an access token */
	bool secret_in_clear;	  /* PLAIN and the like also without TLS: the route says `tls: none` */
	struct sasl_nonce nonce;
};

struct smtp_client_recipient {
	struct span address;
	struct recipient_options options;
};
struct smtp_client_mail {
	struct span reverse_path; /* empty: <> */
	uint64_t size;		  /* bytes of text, exactly */
	bool is_8bit;		  /* only for a server with 8BITMIME */
	bool smtputf8;		  /* only for one with SMTPUTF8 */
	enum dsn_ret ret;
	struct span envid; /* xtext; ptr NULL where unsaid */
	const struct smtp_client_recipient *recipients;
	size_t count;
};

struct smtp_client {
	struct smtp_client_config config;
	struct smtp_extensions extensions; /* from READY on: what the holder may use */
	enum smtp_stage stage;		   /* what is waited for */
	enum smtp_client_event_kind pending; /* NEED_BYTES: nothing */
	enum smtp_client_over over;
	struct smtp_answer over_answer;
	bool ehlo, tls, authenticated, handshake;
	struct smtp_answer_reader reader;
	struct sasl_client sasl;
	/* The transaction. */
	const struct smtp_client_mail *mail;
	size_t asked, answered, accepted; /* recipients */
	bool mail_answered, mail_refused, data_asked, chunked, empty_end;
	bool settled, to_reset;
	enum smtp_stage settled_stage; /* and what with: */
	struct smtp_answer verdict;
	char verdict_text[SMTP_ANSWER_TEXT], over_text[SMTP_ANSWER_TEXT];
	uint64_t text_size;
	struct smtp_stuffing stuffing;
};

/* CONFIG is copied; its spans must outlive M. */
void smtp_client_init(struct smtp_client *m, const struct smtp_client_config *config);
void smtp_client_fini(struct smtp_client *m); /* wipes what was made of the secret */

/* One event from the front of IN; the bytes used up. Commands are put into OUT. */
size_t smtp_client_next(struct smtp_client *m, struct span in, struct buf *out,
	struct smtp_client_event *ev);

/* After SMTP_CLIENT_STARTTLS: forgets all that was said in clear (H3). */
void smtp_client_tls_started(struct smtp_client *m, struct buf *out);
/* After SMTP_CLIENT_TASK; see sasl_client_prove(). */
void smtp_client_prove(
	struct smtp_client *m, struct span proof, struct span signature, struct buf *out);

/* In READY: begin a transaction; MAIL must live until SMTP_CLIENT_SENT or _OVER. */
void smtp_client_send(struct smtp_client *m, const struct smtp_client_mail *mail, struct buf *out);
/* After SMTP_CLIENT_GO, pieces of any size. ERR_LIMIT: OUT is full and has none of it; again later. */
MUST_CHECK enum err smtp_client_text(struct smtp_client *m, struct span text, struct buf *out);
MUST_CHECK enum err smtp_client_text_end(struct smtp_client *m, struct buf *out);
/* In READY: ask for mail that waits there for DOMAIN (RFC 1985); SMTP_CLIENT_SENT tells the answer, of stage ETRN. */
void smtp_client_etrn(struct smtp_client *m, struct span domain, struct buf *out);
void smtp_client_quit(struct smtp_client *m, struct buf *out);

#endif
