/*
 * pop3_inside.h - one POP3 session, for pop3_session.c and pop3_answers.c alone.
 */
#ifndef SERVER_SESSION_POP3_INSIDE_H
#define SERVER_SESSION_POP3_INSIDE_H

#include "proto/pop3/pop3_server.h"
#include "proto/smtp/smtp_data.h"
#include "server/session/login.h"
#include "server/session/pop3_drop.h"
#include "server/session/session.h"

/* What a long answer is sending. */
enum pop3_sending { SENDING_NOTHING, SENDING_LIST, SENDING_UIDL, SENDING_BODY };

struct pop3_session {
	struct session session; /* first */
	struct pop3_server machine;
	struct login *login;
	struct login_proven proven;
	struct span hostname, timestamp; /* session arena; the timestamp may be empty */
	struct pop3_drop drop;
	bool locked; /* the user's POP3 lock is ours (POP-05) */
	bool trimming; /* a worker looks for blank lines: the login is not answered yet */
	bool came;   /* counted by shared_pop3_came() */
	enum pop3_sending sending;
	size_t next; /* SENDING_LIST, SENDING_UIDL: index of the next message */
	uint64_t body_id, offset; /* SENDING_BODY: pinned */
	struct pop3_message *asks; /* SENDING_BODY: the message, where it asks for a receipt (HDR-05) */
	uint64_t body_end;	  /* and how far it is sent */
	uint64_t warm_until;	  /* offset up to which a worker has read ahead */
	bool is_top;
	uint64_t lines; /* TOP: of the body still to be sent */
	struct smtp_stuffing stuffing;
};

static inline struct pop3_session *
pop3_of(struct session *s)
{
	return LIST_ITEM(s, struct pop3_session, session);
}

void pop3_answer(struct pop3_session *pop3, struct pop3_reply reply);
void pop3_welcome(struct pop3_session *pop3); /* the +OK of a login */

/* ---- pop3_answers.c: what is read from the maildrop ---- */

void pop3_on_stat(struct pop3_session *pop3);
/* LIST and UIDL: of one message, or (number 0) of all. */
void pop3_on_list(struct pop3_session *pop3, enum pop3_sending kind, uint32_t number);
void pop3_on_dele(struct pop3_session *pop3, uint32_t number);
void pop3_on_retr(struct pop3_session *pop3, const struct pop3_command *command, bool is_top);

/* As much of a long answer as the peer takes now; call again when there is room. */
void pop3_go_on_sending(struct pop3_session *pop3);
void pop3_stop_sending(struct pop3_session *pop3); /* the session closes in the middle of it */

/* ---- pop3_trim.c ---- */

/* The maildrop is open: the session waits, and pop3_welcome() follows. False: no worker is free. */
bool pop3_trim(struct pop3_session *pop3);

#endif
