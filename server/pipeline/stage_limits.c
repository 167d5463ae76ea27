/*
 * stage_limits.c - who may connect, how big, how many, how often around.
 */
#include "server/pipeline/stages.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "server/pipeline/blocklist.h"

/*
 * where the lines of the MX service decide who may relay, only a line with '!' refuses a
 * connection, or mail from outside could not come in.
 */
static bool
is_refused(const struct pipeline_ask *ask, struct access_decision decision)
{
	if (decision.answer != ACCESS_DENY)
		return false;
	if (ask->mail->via == MAIL_VIA_MX && ask->conf->smtp_relay_check == RELAY_CLIENT_IP)
		return decision.line != NULL;
	return true;
}

static enum verdict
refuse_access(struct plan *plan, struct span peer, struct span why)
{
	plan_note(plan, NOTE_ACCESS_REFUSED, peer, why);
	/* 421, for after 554 RFC 5321, 3.1 would have us wait for a QUIT (ACC-08) */
	plan_refuse(plan, 421, "4.7.1", "Access denied");
	return STAGE_DEFER;
}

/* Whoever speaks LMTP is believed to have checked the mail: no lines must not mean everybody. */
static enum verdict
lmtp_without_lines(const struct mail *mail, struct plan *plan)
{
	struct span peer = span_of(mail->peer.text);

	if (!peer_is_loopback(&mail->peer))
		return refuse_access(plan, peer, SPAN("LMTP without access lines"));
	plan_note(plan, NOTE_ACCESS_LOOPBACK, peer, span_of(mail->service));
	return STAGE_NEXT;
}

static enum verdict
at_connect(struct pipeline_ask *ask, struct plan *plan)
{
	const struct mail *mail = ask->mail;
	struct span peer = span_of(mail->peer.text);
	struct access_decision decision;
	struct in6_addr address;

	if (mail->via == MAIL_VIA_LOCAL || mail->peer.is_unix)
		return STAGE_NEXT;
	if (mail->via == MAIL_VIA_LMTP && mail->access.count == 0)
		return lmtp_without_lines(mail, plan);
	memcpy(&address, mail->peer.ip, sizeof(address));
	decision = access_decide(mail->access, &address, SPAN_NONE);
	if (is_refused(ask, decision))
		return refuse_access(plan, peer,
			decision.line ? decision.line->text : SPAN("no line fits"));
	if (decision.line)
		plan_note(plan, NOTE_ACCESS_ALLOWED, peer, decision.line->text);
	else
		plan_note(plan, NOTE_ACCESS_OPEN, peer, span_of(mail->service));
	return STAGE_NEXT;
}

/* SMT-10: at MAIL what the peer announced, at the end what came. */
static enum verdict
check_size(struct pipeline_ask *ask, struct plan *plan)
{
	uint64_t max = (uint64_t)ask->conf->limits_message_size;

	if (max == 0 || ask->mail->size <= max)
		return STAGE_NEXT;
	plan_note_number(plan, NOTE_SIZE_OVER, ask->mail->size, max);
	plan_refuse(plan, 552, "5.3.4", "Message too big");
	return STAGE_REJECT;
}

static enum verdict
at_mail(struct pipeline_ask *ask, struct plan *plan)
{
	if (blocklists_at_mail(ask, plan) == STAGE_WAIT)
		return STAGE_WAIT;
	if (ask->mail->helo.len > 0)
		plan_note(plan, NOTE_HELO_GIVEN, ask->mail->helo,
			ask->mail->tls.len > 0 ? ask->mail->tls : SPAN("none"));
	return check_size(ask, plan);
}

static enum verdict
at_rcpt(struct pipeline_ask *ask, struct plan *plan)
{
	char max[24];

	if (plan->recipients < (size_t)ask->conf->limits_recipients)
		return blocklists_at_rcpt(ask, plan);
	snprintf(max, sizeof(max), "%lld", (long long)ask->conf->limits_recipients);
	plan_note(plan, NOTE_RECIPIENTS_OVER, ask->recipient.text, span_of(max));
	plan_refuse(plan, 452, "4.5.3", "Too many recipients"); /* RFC 5321, 4.5.3.1.10 */
	return STAGE_DEFER;
}

static enum verdict
at_end(struct pipeline_ask *ask, struct plan *plan)
{
	const struct mail *mail = ask->mail;

	if (check_size(ask, plan) != STAGE_NEXT)
		return STAGE_REJECT;
	if (mail->header_is_over) { /* H7 */
		plan_note(plan, NOTE_HEADER_OVER, SPAN_NONE,
			SPAN("limits.header_size, header_fields, header_field_size"));
		plan_refuse(plan, 554, "5.6.0", "Header section over its limits");
		return STAGE_REJECT;
	}
	if (mail->facts.received > (size_t)ask->conf->limits_received_fields) { /* H16 */
		plan_note_number(plan, NOTE_LOOP_OVER, mail->facts.received,
			(uint64_t)ask->conf->limits_received_fields);
		plan_refuse(plan, 554, "5.4.6", "Too many hops: the message runs in a circle");
		return STAGE_REJECT;
	}
	return STAGE_NEXT;
}

enum verdict
stage_limits(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	switch (phase) {
	case AT_CONNECT:
		return at_connect(ask, plan);
	case AT_MAIL:
		return at_mail(ask, plan);
	case AT_RCPT:
		return at_rcpt(ask, plan);
	case AT_END:
		return at_end(ask, plan);
	}
	return STAGE_NEXT;
}
