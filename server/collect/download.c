/*
 * download.c - what becomes of one message of a mailbox elsewhere.
 */
#include "server/collect/download.h"

#include "proto/base/hash64.h"
#include "server/collect/source.h"
#include "server/pipeline/rule_facts.h"

#define DAY_MS INT64_C(86400000)

/* ---- what is in force ---- */

/* Kinds that are mailboxes: files that another Postroom wrote are for us, all of them. */
static bool
is_mailbox(const struct conf_collector *c)
{
	return c->kind == COLLECTOR_POP3 || c->kind == COLLECTOR_IMAP;
}

bool
download_is_on(const struct rule_set *rules, const struct conf_collector *c)
{
	return is_mailbox(c) && c->download_rules && rules->at_count[RULE_STAGES] > 0;
}

const char *
download_does_name(const struct download_answer *answer)
{
	static const char *const names[] = { [DOWNLOAD_FETCH] = "fetch", [DOWNLOAD_FETCH_REMOVE] = "fetch and remove",
		[DOWNLOAD_LEAVE] = "leave", [DOWNLOAD_REMOVE] = "remove" };

	return answer->asks ? "ask" : names[answer->does];
}

static bool
is_left(const struct conf_collector *c)
{
	return c->leave == LEAVE_ALWAYS || c->leave_days > 0;
}

uint64_t
download_limit(const struct conf_collector *c, bool *asks)
{
	*asks = c->download_rules || is_left(c);
	return is_mailbox(c) ? (uint64_t)c->max_kb * 1024 : 0;
}

uint64_t
download_limit_key(const struct conf_collector *c)
{
	return hash64((struct hash64_key){ 1, 1 }, c->name); /* 1, 0: those of rules (rule_text.c) */
}

bool
download_limit_rule(
	struct arena *a, const struct conf_collector *c, unsigned in_mail, struct rule *out)
{
	struct rule_condition *conditions = ARENA_ARRAY(a, struct rule_condition, 2);
	bool asks;
	uint64_t limit = download_limit(c, &asks);

	if (limit == 0 || !asks)
		return false;
	conditions[0] = (struct rule_condition){ .field = RULE_BY_SIZE, .number = limit,
		.word = SPAN("Size"), .text = arena_printf(a, "%llu", (unsigned long long)limit) };
	conditions[1] = (struct rule_condition){ .field = RULE_BY_IN_MAIL, .word = SPAN("InMail"),
		.text = arena_printf(a, "%u", in_mail) };
	*out = (struct rule){ .action = RULE_ASK, .stage = RULE_STAGES, .target = SPAN(""),
		.name = arena_printf(a, "%s of %.*s", DOWNLOAD_LIMIT_NAME, SPAN_FMT(c->name)),
		.key = download_limit_key(c),
		.conditions = conditions, .condition_count = 2 };
	return true;
}

static bool
is_over_limit(const struct download_ask *ask, bool *asks)
{
	uint64_t limit = download_limit(ask->collector, asks);

	return limit > 0 && ask->size != SOURCE_SIZE_UNKNOWN && ask->size > limit;
}

/* ---- asking the rules ---- */

void
download_facts(const struct download_ask *ask, const struct rule_set *set, struct arena *a,
	struct rule_facts *out)
{
	struct rule_text *names = ARENA_ARRAY(a, struct rule_text, ask->name_count);
	bool has_size = ask->size != SOURCE_SIZE_UNKNOWN;

	*out = (struct rule_facts){ .stage = RULE_STAGES, .has_size = has_size, .declared = has_size,
		.size = ask->size, .recipients = names, .recipient_count = ask->name_count,
		.in_mail = ask->in_mail };
	rule_facts_clock(out, ask->now_ms, ask->zone_minutes);
	for (size_t i = 0; i < ask->name_count; i++) {
		rule_text_make(a, ask->names[i], &names[i]);
		rule_text_join(&out->recipient_pairs, &names[i]);
	}
	if (ask->header.ptr)
		out->header = rule_facts_header(a, set, ask->header);
}

/* With the header it could hold: what is not known stands for anything. */
static bool
may_hold(const struct rule *rule, const struct rule_facts *facts, uint64_t *steps)
{
	for (size_t i = 0; i < rule->condition_count; i++) {
		bool may = rule_condition_holds(&rule->conditions[i], facts, steps) != RULE_FALSE;

		if (may == rule->any)
			return rule->any;
	}
	return !rule->any || rule->condition_count == 0;
}

static bool
any_may_hold(const struct download_ask *ask, struct arena *a)
{
	const struct rule_set *set = ask->rules;
	struct download_ask blind = *ask;
	struct rule_facts facts;
	uint64_t steps = 0;

	blind.header = SPAN_NONE;
	blind.name_count = 0;
	download_facts(&blind, set, a, &facts);
	for (size_t i = 0; i < set->at_count[RULE_STAGES]; i++)
		if (may_hold(&set->items[set->at[RULE_STAGES][i]], &facts, &steps) || steps > RULE_STEPS_MAX)
			return true;
	return false;
}

/* Is what is only for people elsewhere left there (contract 8)? */
static bool
leaves_elsewhere(const struct download_ask *ask)
{
	return is_mailbox(ask->collector) && ask->collector->download_rules &&
		ask->conf->collecting_unknown_do == UNKNOWN_REMOTE;
}

bool
download_wanted(const struct download_ask *ask, struct arena *a)
{
	bool asks;

	if (!ask->has_head || ask->asked_until_ms != 0)
		return false;
	return leaves_elsewhere(ask) || (is_over_limit(ask, &asks) && asks) ||
		(download_is_on(ask->rules, ask->collector) && any_may_hold(ask, a));
}

/* ---- deciding ---- */

static void
follow_question(const struct download_ask *ask, struct download_answer *out)
{
	static const enum download_does does[] = {
		[DOWNLOAD_ANSWER_FETCH] = DOWNLOAD_FETCH,
		[DOWNLOAD_ANSWER_REMOVE] = DOWNLOAD_REMOVE,
	};

	if (ask->given != DOWNLOAD_OPEN) {
		out->does = does[ask->given];
		out->because = DOWNLOAD_BY_ANSWER;
	} else {
		bool is_over = ask->now_ms >= ask->asked_until_ms;

		out->does = is_over ? DOWNLOAD_REMOVE : DOWNLOAD_LEAVE;
		out->because = is_over ? DOWNLOAD_BY_EXPIRY : DOWNLOAD_BY_WAITING;
	}
}

static void
follow_ask(const struct download_ask *ask, struct download_answer *out)
{
	if (!ask->has_unique || !ask->header.ptr)
		return; /* it is downloaded */
	out->does = DOWNLOAD_LEAVE;
	out->asks = true;
}

static void
follow_ignore(const struct download_ask *ask, struct download_answer *out)
{
	const struct conf_collector *c = ask->collector;

	out->does = DOWNLOAD_LEAVE;
	if (c->leave == LEAVE_ALWAYS || c->leave_days == 0 || ask->first_ms == 0 ||
		ask->now_ms - ask->first_ms < c->leave_days * DAY_MS)
		return;
	out->does = DOWNLOAD_REMOVE; /* contract 8 */
	out->because = DOWNLOAD_BY_IGNORE_END;
}

/* F-DLR-1. */
static const struct {
	enum download_does does;
	bool tells;
} by_action[RULE_ACTION_COUNT] = {
	[RULE_DELETE] = { DOWNLOAD_REMOVE, true },
	[RULE_DELETE_OTHER] = { DOWNLOAD_REMOVE, true },
	[RULE_DELETE_SILENTLY] = { DOWNLOAD_REMOVE, false },
	[RULE_FETCH] = { DOWNLOAD_FETCH, false },
	[RULE_FETCH_OTHER] = { DOWNLOAD_FETCH, false },
	[RULE_FETCH_DELETE] = { DOWNLOAD_FETCH_REMOVE, false },
	[RULE_FETCH_DELETE_OTHER] = { DOWNLOAD_FETCH_REMOVE, false },
};

static void
follow_rule(const struct download_ask *ask, const struct rule *rule, struct download_answer *out)
{
	out->because = DOWNLOAD_BY_RULE;
	out->rule = rule;
	out->name = rule->name;
	if (rule->also)
		out->also = rule->target;
	else
		out->instead = rule->target;
	if (rule->action == RULE_ASK || rule->action == RULE_ASK_OTHER) {
		follow_ask(ask, out);
	} else if (rule->action == RULE_IGNORE) {
		follow_ignore(ask, out);
	} else {
		out->does = by_action[rule->action].does;
		out->tells = by_action[rule->action].tells;
	}
}

/* Behind the rules. Who cannot ask leaves it there, whatever the reason (INM-04). */
static void
follow_limit(const struct download_ask *ask, bool asks, struct download_answer *out)
{
	out->because = DOWNLOAD_BY_LIMIT;
	out->does = DOWNLOAD_LEAVE;
	out->name = SPAN(DOWNLOAD_LIMIT_NAME);
	out->asks = asks && ask->has_unique && ask->header.ptr;
}

void
download_decide(const struct download_ask *ask, struct arena *a, struct download_answer *out)
{
	struct rule_answer answer = { .rule = NULL };
	struct rule_facts facts;
	enum err err = OK;
	bool asks;

	*out = (struct download_answer){ .does = DOWNLOAD_FETCH, .name = SPAN("") };
	if (ask->asked_until_ms != 0) {
		follow_question(ask, out);
		return;
	}
	if (leaves_elsewhere(ask) && ask->only_elsewhere) {
		*out = (struct download_answer){ .does = DOWNLOAD_LEAVE, .because = DOWNLOAD_BY_ELSEWHERE };
		return;
	}
	if (download_is_on(ask->rules, ask->collector)) {
		download_facts(ask, ask->rules, a, &facts);
		err = rule_set_ask(ask->rules, &facts, &answer);
	}
	if (answer.rule)
		follow_rule(ask, answer.rule, out);
	else if (is_over_limit(ask, &asks))
		follow_limit(ask, asks, out);
	else if (err != OK)
		out->because = DOWNLOAD_BY_COST;
}
