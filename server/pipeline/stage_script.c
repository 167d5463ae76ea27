/*
 * stage_script.c - AT_END, what the site's script rules.content said of the message: content rules (RTE-18).
 *
 *     reject, defer       the first of them: the sender is told so
 *     redirect            to these in place of all recipients; of targets that nobody knows nothing counts
 *     discard             kept nowhere, neither archived nor journalled
 *     keep                the recipients get it in spite of both
 *     copy                to these, too
 *
 * It comes behind the SMTP rules and before the mailboxes: whom it names decides in his mailbox as ever. Fields that
 * it sets are script_header.c's. A script that failed leaves a note and nothing else (RTE-13).
 */
#include "server/pipeline/stages.h"

#include "server/pipeline/names.h"
#include "server/pipeline/rule_targets.h"
#include "server/pipeline/script_answer.h"

#define SENDS_IT "the script rules.content sends it there"

void
script_answer_note(struct plan *plan, const struct script_answer *answer)
{
	if (answer->failed.len > 0)
		plan_note(plan, NOTE_SCRIPT_FAILED, answer->name, answer->failed);
	else
		plan_note(plan, NOTE_SCRIPT_SAYS, answer->name, script_answer_text(plan->arena, answer));
	for (size_t i = 0; i < answer->count; i++)
		if (answer->actions[i].kind == SCRIPT_LOG)
			plan_note(plan, NOTE_SCRIPT_LOG, answer->name, answer->actions[i].text);
}

static const struct script_action *
find_refusal(const struct script_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		if (answer->actions[i].kind == SCRIPT_REJECT || answer->actions[i].kind == SCRIPT_DEFER)
			return &answer->actions[i];
	return NULL;
}

static enum verdict
refuse(struct plan *plan, const struct script_action *action)
{
	bool rejects = action->kind == SCRIPT_REJECT;

	if (rejects)
		plan_refuse(plan, 550, "5.7.1", "Not accepted by the rules of this site");
	else
		plan_refuse(plan, 451, "4.7.1", "Not accepted at this time, please try later");
	if (action->text.len > 0)
		plan->reply.text = arena_copy(plan->arena, action->text);
	return rejects ? STAGE_REJECT : STAGE_DEFER;
}

static bool
sends(const struct script_action *action, bool instead)
{
	return action->kind == SCRIPT_REDIRECT || (!instead && action->kind == SCRIPT_COPY);
}

static bool
is_known(struct pipeline_ask *ask, const struct script_action *action)
{
	return rule_target_find(ask->conf, ask->snap, action->text) == OK;
}

/* Is there anybody whom it redirects to? */
static bool
leads_on(struct pipeline_ask *ask, const struct script_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		if (sends(&answer->actions[i], true) && is_known(ask, &answer->actions[i]))
			return true;
	return false;
}

static bool
is_delivery(const struct plan_copy *copy)
{
	return copy->role == COPY_DELIVERY;
}

static enum verdict
send_all(struct pipeline_ask *ask, const struct script_answer *answer, struct plan *plan)
{
	enum verdict verdict = STAGE_NEXT;

	for (size_t i = 0; i < answer->count && verdict == STAGE_NEXT; i++) {
		const struct script_action *action = &answer->actions[i];

		if (!sends(action, false))
			continue;
		if (is_known(ask, action)) {
			plan_note(plan, NOTE_SCRIPT_SENDS, answer->name, action->text);
			verdict = rules_place(ask, action->text, SENDS_IT, true, plan);
		} else {
			plan_note(plan, NOTE_SCRIPT_LOST, answer->name, action->text);
		}
	}
	return verdict;
}

static enum verdict
act(struct pipeline_ask *ask, const struct script_answer *answer, struct plan *plan)
{
	bool redirects = !answer->keeps && answer->redirects && leads_on(ask, answer);
	bool discards = !answer->keeps && answer->discards && !redirects;
	enum verdict verdict;

	if (redirects || discards) {
		plan_note(plan, NOTE_SCRIPT_DROPS, answer->name,
			discards ? SPAN("discard") : SPAN("redirect"));
		plan_copies_remove(plan, is_delivery);
	}
	verdict = send_all(ask, answer, plan);
	if (verdict != STAGE_NEXT || plan->copies || !(redirects || discards))
		return verdict;
	/* who it is redirected to takes no mail from outside: rather again later than lost */
	return discards ? rules_discard(ask, "the script rules.content discards it", plan) : stage_trouble(plan);
}

enum verdict
stage_script(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	const struct script_answer *answer = ask->mail->scripts ? ask->mail->scripts->site : NULL;
	const struct script_action *refusal;
	enum verdict verdict;

	(void)phase;
	if (!answer)
		return STAGE_NEXT;
	script_answer_note(plan, answer);
	refusal = find_refusal(answer);
	if (refusal)
		return refuse(plan, refusal);
	verdict = act(ask, answer, plan);
	ask->recipient = (struct address){ .text = SPAN_NONE };
	return verdict;
}
