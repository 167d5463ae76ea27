/*
 * stage_lan.c - LAN forwarding: mail for a recipient that a rule names goes to that server instead of a
 * mailbox here (LAN-01).
 *
 *     a line fits the recipient       that server; mappings, lists and users are not asked (LAN-04)
 *     a mapping or list leads out     the lines are asked about the address it leads to
 *     nobody knows the recipient      the ~@ lines (stage_unknown.c); for an address elsewhere here
 *
 * A rule never makes a foreign domain relayable: of strangers' mail only recipients in valid domains
 * count (contract 8). What it sends away needs no right to reach the Internet, for it does not go there.
 */
#include "server/pipeline/stages.h"

#include "server/pipeline/names.h"

static bool
is_smtp(enum mail_via via)
{
	return via == MAIL_VIA_MX || via == MAIL_VIA_SUBMISSION || via == MAIL_VIA_LMTP;
}

static const struct lan_rule *
find_rule(const struct pipeline_ask *ask, const struct address *to, bool is_local, bool rest)
{
	const struct conf_collector *collector = names_collector(ask->conf, ask->mail);
	struct lan_query query = { .to = to, .domain_is_valid = is_local,
		.pop3 = ask->mail->via == MAIL_VIA_POP3, .smtp = is_smtp(ask->mail->via) };

	if (collector) {
		query.collector_no = (unsigned)(collector - ask->conf->collectors.items) + 1;
		query.collector = collector->name;
	}
	return lan_rules_match(&ask->conf->lan_rules, &query, rest);
}

/* NAME goes where RULE says. */
static enum err
forward(const struct lan_rule *rule, const struct address *to, struct name *name, struct plan *plan)
{
	struct address at_target;
	enum err err = lan_rule_address(rule, plan->arena, to, &at_target);
	struct span by = arena_printf(plan->arena, "%u", (unsigned)rule->line);

	if (err != OK)
		return err;
	plan_note(plan, rule->is_rest ? NOTE_LAN_REST : NOTE_LAN_FITS, to->text, by);
	*name = (struct name){ .next = name->next, .target = TARGET_ADDRESS, .address = at_target.text,
		.route = arena_printf(plan->arena, LAN_ROUTE_PREFIX "%.*s", SPAN_FMT(rule->target)),
		.why = arena_text(plan->arena, arena_printf(plan->arena, "for %.*s, by LAN rule %.*s",
			SPAN_FMT(rule->target), SPAN_FMT(by))) };
	return OK;
}

static bool
may_apply(const struct pipeline_ask *ask, const struct plan *plan)
{
	return !ask->mail->to_users && !names_target(ask->mail, &ask->recipient) &&
		(ask->is_local || (plan->may_relay && ask->mail->via != MAIL_VIA_POP3));
}

static enum err
ask_rules(struct pipeline_ask *ask, bool rest, struct plan *plan)
{
	const struct lan_rule *rule = NULL;
	struct name name = { .next = NULL };
	enum err err;

	if (may_apply(ask, plan))
		rule = find_rule(ask, &ask->recipient, ask->is_local, rest);
	if (!rule)
		return ERR_NOT_FOUND;
	err = forward(rule, &ask->recipient, &name, plan);
	return err == OK ? names_add(ask->names, &name) : err;
}

enum err
lan_rest(struct pipeline_ask *ask, struct plan *plan)
{
	return ask_rules(ask, true, plan);
}

/* It would have been rewritten to what is no address: nothing to be sent there. */
static enum verdict
too_long(struct plan *plan)
{
	plan_refuse(plan, 550, "5.1.3", "The address cannot be rewritten");
	return STAGE_REJECT;
}

enum verdict
stage_lan(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	enum err err = ask->names->count > 0 ? OK : ask_rules(ask, false, plan); /* else an SMTP rule decided */

	(void)phase;
	return err == OK || err == ERR_NOT_FOUND ? STAGE_NEXT : too_long(plan);
}

enum err
lan_look_again(struct pipeline_ask *ask, struct name *name, bool unknown, struct plan *plan)
{
	const struct lan_rule *rule;
	struct address to;
	bool is_local;

	if (name->target != TARGET_ADDRESS || name->route.len > 0 ||
		(name->needs_right && !plan->may_relay) ||
		address_parse(plan->arena, name->address, &to) != OK)
		return OK;
	is_local = conf_is_local(ask->conf, to.local_part, to.domain);
	rule = find_rule(ask, &to, is_local, false);
	if (!rule && (!is_local || unknown))
		rule = find_rule(ask, &to, false, true);
	return rule ? forward(rule, &to, name, plan) : OK;
}

enum verdict
stage_lan_targets(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	(void)phase;
	if (ask->conf->lan_rules.count == 0 || ask->mail->to_users)
		return STAGE_NEXT;
	for (struct name *name = ask->names->first; name; name = name->next)
		if (lan_look_again(ask, name, false, plan) != OK)
			return too_long(plan);
	return STAGE_NEXT;
}
