/*
 * pipeline.c - asks the stages.
 */
#include "server/pipeline/pipeline.h"

#include "server/pipeline/names.h"
#include "server/pipeline/stages.h"

enum verdict
stage_trouble(struct plan *plan)
{
	plan_refuse(plan, 451, "4.3.0", "Local trouble, please try again");
	return STAGE_DEFER;
}

void
pipeline_read_header(const struct conf *conf, struct mail *mail)
{
	struct header_limits limits = { (size_t)conf->limits_header_size,
		(size_t)conf->limits_header_fields, (size_t)conf->limits_header_field_size };

	if (header_check(mail->header, &limits, &mail->facts) != OK)
		mail->header_is_over = true;
}

void
pipeline_ask_again(struct pipeline_ask *ask, struct plan *plan)
{
	ask->names = ARENA_NEW(plan->arena, struct names);
	names_init(ask->names, plan->arena, (size_t)ask->conf->limits_expansion_recipients);
	ask->wants = ARENA_NEW(plan->arena, struct name_wants);
	wants_init(ask->wants, plan->arena);
	ask->found = OK;
	ask->rule_copy = SPAN_NONE;
	ask->ruled = false;
	ask->recipient_no = 0;
}

enum verdict
pipeline_run(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	plan->reply.code = 0;
	ask->mail->body.snap = ask->snap;
	if (phase == AT_RCPT) {
		pipeline_ask_again(ask, plan);
		ask->recipient_no = plan->recipients;
	}
	for (size_t i = 0; i < stage_count; i++) {
		enum verdict verdict;

		if (!(stages[i].phases & phase))
			continue;
		verdict = stages[i].run(ask, phase, plan);
		if (verdict == STAGE_STOP)
			break;
		if (verdict != STAGE_NEXT)
			return verdict;
	}
	if (phase == AT_RCPT) {
		plan->recipients++;
		plan->ruled += ask->ruled;
	}
	return STAGE_NEXT;
}

/* One recipient of a message that is here as a whole. */
static enum verdict
ask_recipient(struct pipeline_ask *ask, const struct address *recipient, struct plan *plan)
{
	static const struct recipient_options none;
	enum verdict verdict;

	ask->recipient = *recipient;
	verdict = pipeline_run(ask, AT_RCPT, plan);
	if (verdict != STAGE_NEXT)
		return verdict;
	if (envelope_add_recipient(&ask->mail->envelope, &ask->recipient, &none, SIZE_MAX, NULL) != OK)
		return stage_trouble(plan);
	return STAGE_NEXT;
}

/* All recipients; the first refusal's verdict where none was accepted. */
static enum verdict
ask_recipients(struct pipeline_ask *ask, const struct address *recipients, size_t count,
	struct plan_reply *refused, struct plan *plan)
{
	enum verdict first = STAGE_NEXT, verdict;
	struct plan_reply reply = { 0 };
	size_t accepted = 0;

	for (size_t i = 0; i < count; i++) {
		verdict = ask_recipient(ask, &recipients[i], plan);
		if (refused)
			refused[i] = plan->reply;
		if (verdict == STAGE_NEXT) {
			accepted++;
		} else if (first == STAGE_NEXT) {
			first = verdict;
			reply = plan->reply;
		}
	}
	if (accepted > 0 || first == STAGE_NEXT)
		return STAGE_NEXT;
	if (ask->mail->via == MAIL_VIA_POP3 && first == STAGE_REJECT)
		return STAGE_NEXT; /* it is here already, and without recipients: stage_collected.c (LOC-04) */
	plan->reply = reply;
	return first;
}

enum verdict
pipeline_run_front(struct pipeline_ask *ask, const struct address *recipients, size_t count,
	struct plan_reply *refused, struct plan *plan, enum phase *at)
{
	enum verdict verdict;

	*at = AT_CONNECT;
	if ((verdict = pipeline_run(ask, AT_CONNECT, plan)) != STAGE_NEXT)
		return verdict;
	*at = AT_MAIL;
	if ((verdict = pipeline_run(ask, AT_MAIL, plan)) != STAGE_NEXT)
		return verdict;
	*at = AT_RCPT;
	return ask_recipients(ask, recipients, count, refused, plan);
}

enum verdict
pipeline_run_all(struct pipeline_ask *ask, const struct address *recipients, size_t count,
	struct plan_reply *refused, struct plan *plan, enum phase *at)
{
	enum verdict verdict = pipeline_run_front(ask, recipients, count, refused, plan, at);

	if (verdict != STAGE_NEXT)
		return verdict;
	*at = AT_END;
	return pipeline_run(ask, AT_END, plan);
}
