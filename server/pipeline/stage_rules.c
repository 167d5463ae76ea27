/*
 * stage_rules.c - the SMTP rules (SMR): accept, reject, discard, redirect, copy; at MAIL, at each RCPT, and
 * when the message is here.
 *
 *     a rule that names recipients, at stage 2    is about the one who is asked for, and ends it for him
 *     any other                                   is about the message, and ends it for all
 *
 * What is about the message is carried out AT_END over the recipients who were accepted before it was
 * known; those after it are decided so at once. A redirect comes before the unknown-recipient check: who
 * it is for need not exist. Its target enters behind the mappings, as a mapping's does.
 */
#include "server/pipeline/stages.h"

#include "server/pipeline/names.h"
#include "server/pipeline/rule_facts.h"
#include "server/pipeline/rule_targets.h"

#define SENDS_IT "an SMTP rule sends it there"
#define DISCARDS_IT "an SMTP rule discards it"
#define COPIES_IT "an SMTP rule copies it there"

/* Received by SMTP, from users and from others alike (SMR-01); LMTP stands in its place. */
static bool
is_asked(const struct pipeline_ask *ask)
{
	enum mail_via via = ask->mail->via;

	return ask->conf->smtp_rules.count > 0 && !ask->mail->to_users &&
		(via == MAIL_VIA_MX || via == MAIL_VIA_SUBMISSION || via == MAIL_VIA_LMTP);
}

/* ---- asking ---- */

/* H88: one note for all that do not hold, once a stage. */
static void
note_none(struct plan *plan, const struct rule_answer *answer, unsigned stage)
{
	struct span range;

	if (answer->asked == 0 || (plan->rules.noted >> stage & 1))
		return;
	plan->rules.noted |= (uint8_t)(1u << stage);
	range = answer->first == answer->last
		? arena_printf(plan->arena, "%u", (unsigned)answer->first)
		: arena_printf(plan->arena, "%u to %u", (unsigned)answer->first, (unsigned)answer->last);
	plan_note(plan, NOTE_RULE_NONE, range, arena_printf(plan->arena, "%u", stage));
}

static void
note_fits(struct plan *plan, const struct rule *rule)
{
	plan_note(plan, NOTE_RULE_FITS,
		arena_printf(plan->arena, "%u \"%.*s\"", (unsigned)rule->number, SPAN_FMT(rule->name)),
		rule_sign(plan->arena, rule));
	plan_hit_add(plan, rule);
}

/* The target is checked when rules are taken over; a user may have gone since. */
static bool
target_is_known(struct pipeline_ask *ask, struct plan *plan, const struct rule *rule)
{
	if (rule->target.len == 0 || rule_target_find(ask->conf, ask->snap, rule->target) == OK)
		return true;
	plan_note(plan, NOTE_RULE_LOST, arena_printf(plan->arena, "%u", (unsigned)rule->number),
		rule->target);
	return false;
}

/* STAGE_NEXT: *out is the rule that holds and can be carried out, or NULL. */
static enum verdict
find_rule(struct pipeline_ask *ask, struct plan *plan, unsigned stage, const struct rule **out)
{
	const struct rule_set *set = &ask->conf->smtp_rules;
	struct rule_answer answer;
	struct rule_facts facts;
	struct arena scratch;
	enum err err;

	*out = NULL;
	if (set->at_count[stage] == 0)
		return STAGE_NEXT;
	arena_init(&scratch, NULL);
	rule_facts_fill(&facts, &scratch, set, ask->mail, stage, &ask->recipient);
	err = rule_set_ask(set, &facts, &answer);
	arena_reset(&scratch);
	if (err != OK) {
		plan_note_number(plan, NOTE_RULE_COST, RULE_STEPS_MAX, stage);
		plan_refuse(plan, 451, "4.3.2", "The header takes too long to look at");
		return STAGE_DEFER;
	}
	note_none(plan, &answer, stage);
	if (answer.rule)
		note_fits(plan, answer.rule);
	if (answer.rule && target_is_known(ask, plan, answer.rule))
		*out = answer.rule;
	return STAGE_NEXT;
}

/* SMR-08: for now where the rule looks at the clock; nobody outside is told which it was. */
static enum verdict
reject(struct plan *plan, const struct rule *rule)
{
	if (rule->timed) {
		plan_refuse(plan, 450, "4.7.1", "Not accepted at this time, please try later");
		return STAGE_DEFER;
	}
	plan_refuse(plan, 550, "5.7.1", "Not accepted by the rules of this site");
	return STAGE_REJECT;
}

/* The decision for the whole message; a plan outlives the generation of the rule. */
static void
decide(struct plan *plan, const struct rule *rule)
{
	plan->rules.over = true;
	plan->rules.action = rule->action;
	plan->rules.also = rule->also;
	plan->rules.target = arena_copy(plan->arena, rule->target);
	plan->rules.before = plan->recipients;
}

/* ---- a recipient ---- */

/* Whom TARGET means, into NAMES, as from step 2 of RTE-01 on. */
static enum err
resolve(struct pipeline_ask *ask, struct span target, const char *why, struct names *names,
	struct plan *plan)
{
	struct names *own = ask->names;
	struct name_wants *wants = ask->wants, one;
	enum err err;

	wants_init(&one, plan->arena);
	wants_add(&one, WANT_RULE, target, SPAN_NONE);
	names_init(names, plan->arena, (size_t)ask->conf->limits_expansion_recipients);
	ask->names = names;
	ask->wants = &one;
	err = wants_resolve(ask, plan);
	ask->names = own;
	ask->wants = wants;
	for (struct name *name = names->first; name && err == OK; name = name->next) {
		name->by_rule = true;
		name->why = name->why ? name->why : why;
	}
	return err;
}

static enum verdict
refuse_target(struct plan *plan, enum err err)
{
	if (err != ERR_LIMIT && err != ERR_NOT_FOUND && err != ERR_DENIED)
		return stage_trouble(plan);
	plan_refuse(plan, 550, "5.4.6", "Address expands to too many recipients");
	if (err != ERR_LIMIT)
		plan_refuse(plan, 550, "5.1.1", "No such user here");
	return STAGE_REJECT;
}

static enum verdict
redirect_one(struct pipeline_ask *ask, struct span target, struct plan *plan)
{
	enum err err = resolve(ask, target, SENDS_IT, ask->names, plan);

	return err == OK ? STAGE_NEXT : refuse_target(plan, err);
}

static enum verdict
discard_one(struct pipeline_ask *ask, const char *why, struct plan *plan)
{
	enum err err = names_add(ask->names, &(struct name){ .target = TARGET_NOONE,
		.by_rule = true, .why = why });

	return err == OK ? STAGE_NEXT : stage_trouble(plan);
}

static enum verdict
act_on_one(struct pipeline_ask *ask, enum rule_action action, bool also, struct span target,
	struct plan *plan)
{
	if (action == RULE_DISCARD)
		return discard_one(ask, DISCARDS_IT, plan);
	if (action == RULE_REDIRECT && !also)
		return redirect_one(ask, target, plan);
	if (action == RULE_REDIRECT)
		ask->rule_copy = target; /* once it is known that he gets it himself */
	return STAGE_NEXT;
}

static enum verdict
at_rcpt(struct pipeline_ask *ask, struct plan *plan)
{
	const struct rule *rule;
	enum verdict verdict;

	if (plan->rules.over)
		return act_on_one(ask, plan->rules.action, plan->rules.also, plan->rules.target, plan);
	verdict = find_rule(ask, plan, 2, &rule);
	if (verdict != STAGE_NEXT || !rule)
		return verdict;
	if (rule->action == RULE_REJECT)
		return reject(plan, rule);
	if (rule->names_recipient)
		ask->ruled = true;
	else
		decide(plan, rule);
	return act_on_one(ask, rule->action, rule->also, rule->target, plan);
}

/* Behind `unknown`: who gets a copy besides. */
enum verdict
stage_rule_copies(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	struct names names;
	enum err err;

	(void)phase;
	if (ask->rule_copy.len == 0)
		return STAGE_NEXT;
	err = resolve(ask, ask->rule_copy, COPIES_IT, &names, plan);
	for (const struct name *name = names.first; name && err == OK; name = name->next)
		err = names_add(ask->names, name);
	return err == OK || err == ERR_DENIED ? STAGE_NEXT : refuse_target(plan, err);
}

/* ---- the message ---- */

static bool
goes(const struct plan_copy *copy)
{
	return !copy->ruled && copy->role == COPY_DELIVERY;
}

/* AT_END: on behalf of the first recipient. */
static void
ask_for_all(struct pipeline_ask *ask, struct plan *plan)
{
	const struct envelope *envelope = &ask->mail->envelope;

	pipeline_ask_again(ask, plan);
	if (envelope->recipient_count > 0)
		ask->recipient = LIST_ITEM(envelope->recipients.next, struct recipient, link)->address;
}

enum verdict
rules_place(struct pipeline_ask *ask, struct span target, const char *why, bool also, struct plan *plan)
{
	enum verdict verdict = STAGE_NEXT;
	enum err err;

	ask_for_all(ask, plan);
	err = resolve(ask, target, why, ask->names, plan);
	if ((err == ERR_DENIED || err == ERR_NOT_FOUND) && also)
		return STAGE_NEXT; /* a copy that nobody may have is none */
	if (err != OK)
		verdict = refuse_target(plan, err);
	if (verdict == STAGE_NEXT)
		verdict = stage_lan_targets(ask, AT_RCPT, plan);
	if (verdict == STAGE_NEXT)
		verdict = stage_place(ask, AT_RCPT, plan);
	return verdict;
}

enum verdict
rules_discard(struct pipeline_ask *ask, const char *why, struct plan *plan)
{
	ask_for_all(ask, plan);
	if (discard_one(ask, why, plan) != STAGE_NEXT)
		return STAGE_DEFER;
	plan->discarded = true;
	return stage_place(ask, AT_RCPT, plan);
}

/* What was decided for the message, over those recipients who did not know it when they were asked. */
static enum verdict
act_on_all(struct pipeline_ask *ask, struct plan *plan)
{
	const struct plan_rules *rules = &plan->rules;

	if (rules->before == 0 || rules->action == RULE_ACCEPT)
		return STAGE_NEXT;
	if (rules->action == RULE_REDIRECT && rules->also)
		return rules_place(ask, rules->target, COPIES_IT, true, plan);
	plan_copies_remove(plan, goes);
	if (rules->action == RULE_REDIRECT)
		return rules_place(ask, rules->target, SENDS_IT, false, plan);
	return rules_discard(ask, DISCARDS_IT, plan);
}

/* Nothing of it is kept, because rules said so: it is not archived either. */
static bool
is_discarded(const struct plan *plan)
{
	bool by_rule = false;

	for (const struct plan_copy *copy = plan->copies; copy; copy = copy->next) {
		if (copy->kind != COPY_DISCARD || copy->why == NOTE_JOURNAL_ARRIVES)
			return false;
		by_rule |= copy->by_rule;
	}
	return by_rule;
}

static enum verdict
at_end(struct pipeline_ask *ask, struct plan *plan)
{
	const struct rule *rule = NULL;
	enum verdict verdict = STAGE_NEXT;

	if (!plan->rules.over && plan->ruled < plan->recipients)
		verdict = find_rule(ask, plan, RULE_STAGES, &rule);
	if (verdict == STAGE_NEXT && rule && rule->action == RULE_REJECT)
		verdict = reject(plan, rule);
	if (verdict == STAGE_NEXT && rule)
		decide(plan, rule);
	if (verdict == STAGE_NEXT && plan->rules.over)
		verdict = act_on_all(ask, plan);
	ask->recipient = (struct address){ .text = SPAN_NONE };
	plan->discarded = is_discarded(plan);
	return verdict;
}

static enum verdict
at_mail(struct pipeline_ask *ask, struct plan *plan)
{
	const struct rule *rule;
	enum verdict verdict = find_rule(ask, plan, 1, &rule);

	if (verdict != STAGE_NEXT || !rule)
		return verdict;
	if (rule->action == RULE_REJECT)
		return reject(plan, rule);
	decide(plan, rule);
	return STAGE_NEXT;
}

enum verdict
stage_rules(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	if (!is_asked(ask))
		return STAGE_NEXT;
	return phase == AT_MAIL ? at_mail(ask, plan) : phase == AT_RCPT ? at_rcpt(ask, plan) : at_end(ask, plan);
}
