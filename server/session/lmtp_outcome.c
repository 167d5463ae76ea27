/*
 * lmtp_outcome.c - after the final dot of LMTP: what becomes of each recipient (RFC 2033, 4.2).
 *
 * One plan is one commit, so as a rule all recipients hear the same. Where a mailbox was gone when the
 * plan was written, nothing of it is written: the pipeline is asked again about each recipient, who is no
 * longer known hears so, and the rest is submitted as a plan of its own.
 */
#include "server/session/smtp_inside.h"

#define DECIDE_AGAIN_MAX 3 /* times a message; then all that is open is put off */

struct lmtp_outcome {
	struct recipient *recipient;
	struct smtp_reply reply;
	bool settled;
};

static void
settle(struct lmtp_outcome *outcome, const struct plan_reply *reply)
{
	outcome->reply = (struct smtp_reply){ reply->code, reply->enhanced, reply->text };
	outcome->settled = true;
}

static void
settle_rest(struct smtp_session *smtp, const struct plan_reply *reply)
{
	for (size_t i = 0; i < smtp->outcome_count; i++)
		if (!smtp->outcomes[i].settled)
			settle(&smtp->outcomes[i], reply);
}

static void
outcomes_open(struct smtp_session *smtp)
{
	struct envelope *envelope = &smtp->intake->mail.envelope;
	struct list *at, *following;
	size_t i = 0;

	ENSURE(envelope->recipient_count == smtp->machine.recipients_accepted);
	smtp->outcome_count = envelope->recipient_count;
	smtp->outcomes =
		ARENA_ARRAY(&smtp->intake->arena, struct lmtp_outcome, smtp->outcome_count);
	list_for_each(at, following, &envelope->recipients)
		smtp->outcomes[i++].recipient = LIST_ITEM(at, struct recipient, link);
}

/* One recipient that is still open, into the new plan or to his answer. */
static void
decide_recipient(struct smtp_session *smtp, struct pipeline_ask *ask, struct lmtp_outcome *outcome)
{
	struct intake *in = smtp->intake;

	list_remove(&outcome->recipient->link);
	in->mail.envelope.recipient_count--;
	ask->recipient = outcome->recipient->address;
	if (pipeline_run(ask, AT_RCPT, &in->plan) != STAGE_NEXT) {
		smtp_note_refusal(smtp, ask->recipient.text);
		settle(outcome, &in->plan.reply);
		return;
	}
	list_append(&in->mail.envelope.recipients, &outcome->recipient->link);
	in->mail.envelope.recipient_count++;
}

/* All phases once more. False: nobody is left, every outcome is settled. */
static bool
decide(struct smtp_session *smtp)
{
	struct pipeline_ask ask = smtp_ask(smtp);
	struct plan *plan = &smtp->intake->plan;

	plan_init(plan, &smtp->intake->arena);
	if (!ask.snap)
		return false;
	if (pipeline_run(&ask, AT_CONNECT, plan) != STAGE_NEXT ||
		pipeline_run(&ask, AT_MAIL, plan) != STAGE_NEXT) {
		settle_rest(smtp, &plan->reply);
		return false;
	}
	for (size_t i = 0; i < smtp->outcome_count; i++)
		if (!smtp->outcomes[i].settled)
			decide_recipient(smtp, &ask, &smtp->outcomes[i]);
	if (plan->recipients == 0)
		return false;
	ask.recipient = (struct address){ .text = SPAN_NONE };
	if (pipeline_run(&ask, AT_END, plan) == STAGE_NEXT)
		return true;
	smtp_note_refusal(smtp, SPAN_NONE);
	settle_rest(smtp, &plan->reply);
	return false;
}

bool
lmtp_decide_again(struct smtp_session *smtp)
{
	if (!smtp->outcomes)
		outcomes_open(smtp);
	if (++smtp->decided_again > DECIDE_AGAIN_MAX || !decide(smtp))
		return false;
	intake_submit(smtp->intake);
	return true;
}

void
lmtp_answer(struct smtp_session *smtp, struct smtp_reply reply)
{
	struct smtp_reply *replies;

	if (!smtp->outcomes) {
		smtp_answer(smtp, reply);
		return;
	}
	replies = ARENA_ARRAY(&smtp->intake->arena, struct smtp_reply, smtp->outcome_count);
	for (size_t i = 0; i < smtp->outcome_count; i++)
		replies[i] = smtp->outcomes[i].settled ? smtp->outcomes[i].reply : reply;
	smtp_answer_each(smtp, replies);
}
