/*
 * smtp_transaction.c - one message: MAIL, RCPT, DATA, the answer; asks the pipeline at each step.
 *
 * One transaction is one intake; between transactions a session holds none. What is decided about
 * the mail is the pipeline's.
 */
#include <string.h>

#include "server/metrics.h"
#include "server/queue/refusals.h"
#include "server/queue/user_sent.h"
#include "server/rule_hits.h"
#include "server/session/lan.h"
#include "server/session/smtp_inside.h"
#include "store/store.h"

static bool
is_submission(const struct session *s)
{
	return s->service->number == SERVICE_submission ||
		s->service->number == SERVICE_submissions;
}

static struct smtp_reply
reply_of(const struct plan_reply *reply)
{
	return (struct smtp_reply){ reply->code, reply->enhanced, reply->text };
}

void
smtp_end_transaction(struct smtp_session *smtp)
{
	smtp_cancel_lookups(smtp);
	smtp_spf_cancel(smtp);
	scripts_cancel(&smtp->scripts);
	intake_drop(&smtp->intake);
	smtp->holds_text = false;
	smtp->outcomes = NULL;
	smtp->outcome_count = smtp->decided_again = 0;
}

/* SMT-05: a session that has begun in time is not cut. */
static bool
has_popped(struct smtp_session *smtp)
{
	struct session *s = &smtp->session;
	int64_t minutes = s->conf->smtp_pop_before_smtp;

	if (minutes > 0 && !smtp->popped)
		smtp->popped = shared_pop3_recent(s->host->shared, &s->peer, minutes * 60 * 1000,
			loop_now_ms(s->host->loop));
	return minutes > 0 && smtp->popped;
}

/*
 * The facts of this connection, for the pipeline. Those that the writer stores are copied: the session
 * may be gone before its message is written.
 */
static void
fill_mail(struct smtp_session *smtp, struct mail *mail)
{
	struct session *s = &smtp->session;
	const struct conf_service *service = smtp_service_conf(s);

	mail->via = smtp_is_lmtp(s) ? MAIL_VIA_LMTP :
		is_submission(s)    ? MAIL_VIA_SUBMISSION :
				      MAIL_VIA_MX;
	mail->service = s->service->name;
	if (service)
		mail->access = service->access;
	mail->session = arena_copy(mail->arena, span_of(s->name));
	mail->hostname = smtp->hostname;
	mail->peer = s->peer;
	mail->peer_is_lan =
		(s->conf->smtp_relay_check == RELAY_LAN || s->conf->smtp_blocklists.count > 0) &&
		lan_has_address(&s->peer);
	mail->popped = mail->via == MAIL_VIA_MX && has_popped(smtp);
	mail->helo = smtp->helo;
	if (stream_is_secure(&s->stream))
		mail->tls = arena_printf(mail->arena, "%s with cipher %s",
			stream_tls_version(&s->stream), stream_tls_cipher(&s->stream));
	mail->esmtp = smtp->machine.esmtp;
	mail->now_ms = host_now_ms(s->host);
	mail->zone_minutes = host_zone_minutes(mail->now_ms);
	mail->user_id = smtp->user_id;
	mail->user = arena_copy(mail->arena, smtp->user);
}

struct pipeline_ask
smtp_ask(struct smtp_session *smtp)
{
	return (struct pipeline_ask){ .conf = smtp->session.conf,
		.snap = host_snapshot(smtp->session.host),
		.mail = &smtp->intake->mail };
}

static void
log_refusal(struct smtp_session *smtp, const struct plan_reply *reply, struct span recipient)
{
	metric_add(smtp->session.host->metrics, rejected, 1);
	session_log(&smtp->session, LEVEL_INFO, .text = "refused",
		.fields = { { "code", SPAN_NONE, reply->code }, { "reason", reply->text, 0 },
			{ "peer", span_of(smtp->session.peer.text), 0 },
			{ "from", smtp->intake->mail.envelope.reverse_path.text, 0 },
			{ "to", recipient, 0 } });
}

void
smtp_note_refusal(struct smtp_session *smtp, struct span recipient)
{
	struct plan *plan = &smtp->intake->plan;

	refusals_note(smtp->session.host, &smtp->intake->mail, plan, recipient);
	rule_hits_count(smtp->session.host, &smtp->intake->mail, plan);
	log_refusal(smtp, &plan->reply, recipient);
}

/* Ask one phase; false where the answer has been given, a refusal, or has to wait for blocklists. */
static bool
ask_pipeline(struct smtp_session *smtp, enum phase phase, struct pipeline_ask *ask)
{
	struct plan *plan = &smtp->intake->plan;
	enum verdict verdict;

	if (!ask->snap) {
		smtp_answer(smtp, smtp_reply_for(ERR_BUSY));
		return false;
	}
	verdict = pipeline_run(ask, phase, plan);
	if (verdict == STAGE_NEXT)
		return true;
	if (verdict == STAGE_WAIT) {
		smtp_ask_blocklists(smtp);
		return false;
	}
	smtp_note_refusal(smtp, ask->recipient.text);
	smtp_answer(smtp, reply_of(&plan->reply));
	return false;
}

static const struct intake_events intake_events;

static void
begin_intake(struct smtp_session *smtp)
{
	smtp_end_transaction(smtp);
	smtp->intake = intake_open(smtp->session.host, &intake_events, smtp);
	fill_mail(smtp, &smtp->intake->mail);
}

void
smtp_on_connect(struct smtp_session *smtp)
{
	const char *what = smtp->session.conf->privacy_anonymise ? "" : " Postroom"; /* SVC-05 */

	if (smtp->session.service->number == SERVICE_smtp)
		has_popped(smtp);
	smtp_answer(smtp, (struct smtp_reply){ 220, "",
			      arena_printf(&smtp->session.command, "%.*s %s%s",
				      SPAN_FMT(smtp->hostname),
				      smtp_is_lmtp(&smtp->session) ? "LMTP" : "ESMTP", what) });
}

void
smtp_decide_mail(struct smtp_session *smtp)
{
	struct pipeline_ask ask = smtp_ask(smtp);

	if (ask_pipeline(smtp, AT_MAIL, &ask)) {
		smtp->may_send = true;
		smtp_answer(smtp, SMTP_REPLY(250, "2.1.0", "Sender OK"));
	} else if (!smtp->lookups) {
		smtp_end_transaction(smtp);
	}
}

void
smtp_on_mail(struct smtp_session *smtp, const struct smtp_command *command)
{
	struct pipeline_ask ask;
	struct mail *mail;

	if (store_is_full(smtp->session.host->store)) {
		smtp_answer(smtp, smtp_reply_for(ERR_FULL)); /* H43 */
		return;
	}
	begin_intake(smtp);
	mail = &smtp->intake->mail;
	envelope_init(&mail->envelope, mail->arena, &command->path, &command->mail);
	mail->size = command->mail.has_size ? command->mail.size : 0;
	ask = smtp_ask(smtp);
	if (ask_pipeline(smtp, AT_CONNECT, &ask))
		smtp_decide_mail(smtp);
	else
		smtp_end_transaction(smtp);
}

/* H58: who tries names goes away after some. */
static bool
guesses_too_much(struct smtp_session *smtp)
{
	return !smtp_is_lmtp(&smtp->session) &&
		smtp->unknown_recipients >=
		(size_t)smtp->session.conf->limits_unknown_recipients;
}

void
smtp_on_rcpt(struct smtp_session *smtp, const struct smtp_command *command)
{
	struct intake *in = smtp->intake;
	struct pipeline_ask ask = smtp_ask(smtp);
	size_t unknown = in->plan.unknown;

	if (guesses_too_much(smtp)) {
		smtp_answer(smtp, SMTP_REPLY(421, "4.7.0", "Too many unknown recipients"));
		return;
	}
	ask.recipient = address_copy(&in->arena, &command->path);
	if ((ask.recipient.flags & ADDRESS_LITERAL) && in->mail.own.count == 0)
		lan_own_addresses(&in->mail.own);
	if (!ask_pipeline(smtp, AT_RCPT, &ask)) {
		smtp->unknown_recipients += in->plan.unknown - unknown;
		return;
	}
	if (envelope_add_recipient(&in->mail.envelope, &ask.recipient, &command->recipient,
		    (size_t)smtp->session.conf->limits_recipients, NULL) != OK) {
		smtp_answer(smtp, SMTP_REPLY(452, "4.5.3", "Too many recipients"));
		return;
	}
	smtp_answer(smtp, SMTP_REPLY(250, "2.1.5", "Recipient OK"));
}

void
smtp_on_data(struct smtp_session *smtp)
{
	session_set_doing(&smtp->session, "DATA");
	smtp_answer(smtp, SMTP_REPLY(354, "", "End with a dot on a line of its own"));
	smtp->data_since_ms = loop_now_ms(smtp->session.host->loop);
	smtp->data_bytes = 0;
	smtp_await_text(smtp);
	smtp_spf_begin(smtp);
}

/* False: no room now; the text stays in the input until there is. */
bool
smtp_on_text(struct smtp_session *smtp, struct span in, struct span text, size_t used)
{
	if (intake_text(smtp->intake, text) != OK) {
		smtp->holds_text = true;
		smtp->held_at = (size_t)(text.ptr - in.ptr);
		smtp->held_len = text.len;
		smtp->held_used = used;
		session_wait(&smtp->session);
		return false;
	}
	smtp->data_bytes += text.len;
	return true;
}

static void
on_room(struct intake *in)
{
	struct smtp_session *smtp = in->holder;

	session_resume(&smtp->session);
}

void
smtp_on_message_end(struct smtp_session *smtp)
{
	if (intake_text_end(smtp->intake) != OK) {
		smtp_answer(smtp, smtp_reply_for(ERR_BUSY));
		smtp_end_transaction(smtp);
		return;
	}
	smtp_gather_end(smtp);
}

/* What AT_END needs, one after the other: all of the text at hand, and what name servers say. */
void
smtp_gather_end(struct smtp_session *smtp)
{
	if (!intake_gather(smtp->intake)) {
		session_set_doing(&smtp->session, "writing");
		session_set_deadline(&smtp->session, 0, CLOSE_NONE);
		session_wait(&smtp->session);
	} else if (!smtp_spf_wait(smtp) && !smtp_scripts_wait(smtp)) {
		smtp_decide_end(smtp);
	}
}

static void
on_gathered(struct intake *in)
{
	struct smtp_session *smtp = in->holder;

	if (session_is_closing(&smtp->session))
		return;
	smtp_gather_end(smtp);
	if (!smtp->intake) /* refused; else it is resumed when it is on disk */
		session_resume(&smtp->session);
}

void
smtp_decide_end(struct smtp_session *smtp)
{
	struct intake *in = smtp->intake;
	struct pipeline_ask ask;
	bool goes_on;

	session_set_doing(&smtp->session, "commit");
	smtp->sent_taken = user_sent_take(smtp->session.host, &in->mail, &in->plan);
	ask = smtp_ask(smtp);
	goes_on = ask_pipeline(smtp, AT_END, &ask);
	if (!goes_on) {
		user_sent_give_back(smtp->session.host, &in->mail, smtp->sent_taken);
		smtp_end_transaction(smtp);
		return;
	}
	session_set_deadline(&smtp->session, 0, CLOSE_NONE);
	session_wait(&smtp->session);
	intake_submit(in);
}

static void
log_accepted(struct smtp_session *smtp, const struct intake *in)
{
	session_log(&smtp->session, LEVEL_INFO, .message = in->mail.id, .text = "accepted",
		.fields = { { "from", in->mail.envelope.reverse_path.text, 0 },
			{ "recipients", SPAN_NONE,
				(int64_t)in->mail.envelope.recipient_count },
			{ "size", SPAN_NONE, (int64_t)in->mail.size },
			{ "copies", SPAN_NONE, (int64_t)in->plan.copy_count },
			{ "user", in->mail.user, 0 } });
}

/* H40: only here, after the commit, does the peer get his 250. */
static void
on_done(struct intake *in, enum err result)
{
	struct smtp_session *smtp = in->holder;
	struct smtp_reply reply = smtp_reply_for(result == ERR_NOT_FOUND ? ERR_BUSY : result);

	if (result == ERR_NOT_FOUND && smtp_is_lmtp(&smtp->session) && lmtp_decide_again(smtp))
		return;
	if (result == OK) {
		metric_add(smtp->session.host->metrics, received, 1);
		metric_add(smtp->session.host->metrics, received_bytes, in->mail.size);
		metric_add(smtp->session.host->metrics, delivered, in->placed_count);
		metric_add(smtp->session.host->metrics, queued, in->queued_count);
		reply.text = arena_printf(&in->arena, "queued as %.*s", SPAN_FMT(in->mail.id));
		log_accepted(smtp, in);
		rule_hits_count(smtp->session.host, &in->mail, &in->plan);
	} else {
		user_sent_give_back(smtp->session.host, &in->mail, smtp->sent_taken);
		session_log(&smtp->session, LEVEL_WARNING, .message = in->mail.id,
			.text = "not taken", .fields = { { "why", span_of(err_name(result)), 0 } });
	}
	session_set_doing(&smtp->session, "");
	lmtp_answer(smtp, reply);
	smtp_end_transaction(smtp);
	session_resume(&smtp->session);
}

static const struct intake_events intake_events = { .done = on_done, .room = on_room,
	.gathered = on_gathered };

/* The machine refused it by itself: too big, a line too long, a NUL, a bare line end. */
void
smtp_on_message_refused(struct smtp_session *smtp, struct smtp_reply reply)
{
	if (smtp->intake) {
		struct plan *plan = &smtp->intake->plan;

		plan_refuse(plan, reply.code, reply.enhanced, "");
		plan->reply.text = reply.text;
		smtp->intake->mail.size = smtp->data_bytes;
		smtp_note_refusal(smtp, SPAN_NONE);
	}
	smtp_end_transaction(smtp);
	smtp_answer(smtp, reply);
}

/* Text that had to wait: once more. False: it still has to. */
bool
smtp_retry_text(struct smtp_session *smtp)
{
	struct span in = stream_peek(&smtp->session.stream);
	struct span text = span_range(in, smtp->held_at, smtp->held_at + smtp->held_len);

	smtp->holds_text = false;
	if (!smtp_on_text(smtp, in, text, smtp->held_used))
		return false;
	stream_consume(&smtp->session.stream, smtp->held_used);
	return true;
}
