/*
 * smtp_inside.h - one SMTP session, for smtp_session.c and smtp_transaction.c alone.
 */
#ifndef SERVER_SESSION_SMTP_INSIDE_H
#define SERVER_SESSION_SMTP_INSIDE_H

#include "conf/conf.h"
#include "proto/smtp/smtp_server.h"
#include "server/queue/intake.h"
#include "server/services.h"
#include "server/script/scripts.h"
#include "server/session/login.h"
#include "server/session/session.h"

struct lmtp_outcome;
struct smtp_lookups;
struct smtp_spf;

struct smtp_session {
	struct session session; /* first */
	struct smtp_server machine;
	struct intake *intake; /* from MAIL to the answer to the message */
	struct login *login;
	struct login_proven proven;
	struct span hostname; /* session arena */
	struct span helo;     /* into helo_text: a peer may say it as often as it likes */
	char helo_text[SMTP_HELO_MAX];
	uint64_t user_id;
	struct span user; /* session arena */
	size_t unknown_recipients;
	size_t sent_taken; /* of the user's hour, by the message under way */
	struct smtp_lookups *lookups; /* MAIL waits for them; NULL: it does not */
	struct smtp_spf *spf; /* under way; NULL: it is not, or is settled (mail.spf) */
	struct scripts_question scripts; /* what the message waits for */
	struct lmtp_outcome *outcomes; /* LMTP, after a change of mind: one a recipient; intake's arena */
	size_t outcome_count;
	unsigned decided_again;        /* how often, for this message */
	int64_t data_since_ms; /* when DATA began */
	uint64_t data_bytes;
	size_t held_at, held_len, held_used; /* text that waits for room, in the input */
	bool holds_text;
	bool popped; /* a POP3 login from there counts, for the whole session (SMT-05) */
	bool may_send; /* logged in, or MAIL was accepted without: the time for logging in is over */
};

/* The row of this service in the present configuration; NULL where it was taken out. */
static inline const struct conf_service *
smtp_service_conf(const struct session *s)
{
	return conf_service(s->conf, (enum service_name)s->service->number);
}

static inline bool
smtp_is_lmtp(const struct session *s)
{
	return s->service->number == SERVICE_lmtp;
}

void smtp_answer(struct smtp_session *smtp, struct smtp_reply reply);
/* LMTP, at the end of a message: one for each recipient accepted. */
void smtp_answer_each(struct smtp_session *smtp, const struct smtp_reply *replies);
void smtp_await_text(struct smtp_session *smtp); /* the deadline while a message comes */

/* ---- smtp_transaction.c: from MAIL to the answer to the message ---- */

void smtp_on_connect(struct smtp_session *smtp);
void smtp_on_mail(struct smtp_session *smtp, const struct smtp_command *command);
void smtp_on_rcpt(struct smtp_session *smtp, const struct smtp_command *command);
void smtp_on_data(struct smtp_session *smtp);
/* False: no room now; the text stays in the input, and smtp_retry_text() is for the next time. */
bool smtp_on_text(struct smtp_session *smtp, struct span in, struct span text, size_t used);
bool smtp_retry_text(struct smtp_session *smtp);
void smtp_on_message_end(struct smtp_session *smtp);
void smtp_on_message_refused(struct smtp_session *smtp, struct smtp_reply reply);
void smtp_end_transaction(struct smtp_session *smtp);
struct pipeline_ask smtp_ask(struct smtp_session *smtp);
void smtp_note_refusal(struct smtp_session *smtp, struct span recipient); /* the plan has the reply */

/* The pipeline AT_MAIL and its answer; again when the blocklists have answered. */
void smtp_decide_mail(struct smtp_session *smtp);

/* ---- smtp_blocklist.c: MAIL waits for name servers ---- */

void smtp_ask_blocklists(struct smtp_session *smtp); /* smtp_decide_mail() follows */
void smtp_cancel_lookups(struct smtp_session *smtp);

/* ---- smtp_spf.c: is the sender forged? ---- */

/* At DATA, so that the answers come while the text does. Does nothing where it is not asked (pipeline/forged.h). */
void smtp_spf_begin(struct smtp_session *smtp);
/* At the end of the text: true, and smtp_gather_end() follows. */
bool smtp_spf_wait(struct smtp_session *smtp);
void smtp_spf_cancel(struct smtp_session *smtp);

/* ---- smtp_scripts.c ---- */

/* At the end of the text: true, it waits for scripts, and smtp_gather_end() follows. */
bool smtp_scripts_wait(struct smtp_session *smtp);

/* At the end of the text: gather what is missing, then smtp_decide_end(). */
void smtp_gather_end(struct smtp_session *smtp);
/* The pipeline AT_END, and what it says; the text is there, and all answers. */
void smtp_decide_end(struct smtp_session *smtp);

/* ---- lmtp_outcome.c: a reply for each recipient ---- */

/*
 * What the plan took for granted was gone when it was written, and nothing of it is: decide anew, recipient
 * by recipient. True: submitted again; false: the outcomes are final.
 */
bool lmtp_decide_again(struct smtp_session *smtp);
/* After the commit, or without one: REPLY to all whose outcome is not settled otherwise. */
void lmtp_answer(struct smtp_session *smtp, struct smtp_reply reply);

#endif
