/*
 * fuzz_lan_rules.c - any text of LAN rules is read or refused with a line; a rule that was kept fits an
 * address of its own and leads to a valid one (LAN-01, H10, H75).
 */
#include "proto/mail/forward_server.h"
#include "conf/lan_rules.h"
#include "tests/fuzz/fuzz.h"

#define RULES_LOOKED_AT 20

static void
check_rule(const struct lan_rule *rule, const struct lan_rules *rules, struct arena *a)
{
	struct lan_target target;
	struct address to, out;
	struct lan_query query = { .to = &to, .domain_is_valid = true, .pop3 = true, .smtp = true };
	const struct lan_rule *found;

	ENSURE(lan_target_parse(rule->target, &target) == OK);
	ENSURE(span_eq(lan_target_format(a, &target), rule->target));
	if (rule->is_rest || span_find_any(rule->local, SPAN("*?")) < rule->local.len ||
		span_find_any(rule->domain, SPAN("*?")) < rule->domain.len ||
		address_parse(a, arena_printf(a, "%.*s@%.*s", SPAN_FMT(rule->local),
			SPAN_FMT(rule->domain.len ? rule->domain : SPAN("x.test"))), &to) != OK)
		return;
	found = lan_rules_match(rules, &query, false);
	ENSURE(rule->source_count > 0 || (found && found <= rule));
	if (found && lan_rule_address(found, a, &to, &out) == OK)
		ENSURE(address_is_valid(&out) && out.domain.len > 0);
}

FUZZ(in, a, out)
{
	struct conf_faults faults;
	struct lan_rules rules;
	struct address to;
	struct forward_server server;
	struct lan_target target;
	enum err err;

	(void)out;
	conf_faults_init(&faults);
	err = lan_rules_parse(in, a, &rules, &faults);
	ENSURE((err == OK) == (faults.errors == 0));
	for (size_t i = 0; i < faults.count; i++)
		ENSURE(faults.items[i].line > 0 && faults.items[i].column > 0);
	for (size_t i = 0; err == OK && i < rules.count && i < RULES_LOOKED_AT; i++)
		check_rule(&rules.items[i], &rules, a);
	conf_faults_fini(&faults);
	if (forward_server_parse(in, &server) == OK) { /* what is shown reads the same again */
		struct span shown = forward_server_format(a, &server);
		struct forward_server again;

		ENSURE(forward_server_parse(shown, &again) == OK && again.password.ptr == NULL &&
			span_eq(again.account, server.account) &&
			again.target.port == server.target.port);
	}
	if (lan_forward_parse(a, in, &to, &target) == OK)
		ENSURE(address_is_valid(&to) && to.domain.len > 0);
}
