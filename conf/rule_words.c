/*
 * rule_words.c - the rows of rule_words.h, and rules as a person writes them.
 */
#include "conf/rule_text_inside.h"

const char *const rule_field_words[RULE_FIELD_COUNT] = {
#define X(id, language, word, stage, value) [RULE_BY_##id] = word,
	RULE_FIELDS(X)
#undef X
};

const uint8_t rule_field_stages[RULE_FIELD_COUNT] = {
#define X(id, language, word, stage, value) [RULE_BY_##id] = stage,
	RULE_FIELDS(X)
#undef X
};

const enum rule_value rule_field_values[RULE_FIELD_COUNT] = {
#define X(id, language, word, stage, value) [RULE_BY_##id] = value,
	RULE_FIELDS(X)
#undef X
};

static const struct {
	char sign;
	bool wants_target;
	const char *text;
} actions[RULE_ACTION_COUNT] = {
#define X(id, language, sign, wants_target, text) [RULE_##id] = { sign, wants_target, text },
	RULE_ACTIONS(X)
#undef X
};

struct span
rule_sign(struct arena *a, const struct rule *rule)
{
	char sign = actions[rule->action].sign;

	if (!actions[rule->action].wants_target)
		return arena_printf(a, "%c", sign);
	return arena_printf(a, ">%s%.*s%c", rule->also ? "+" : "", SPAN_FMT(rule->target), sign);
}

const char *
rule_action_text(const struct rule *rule)
{
	return rule->action == RULE_REDIRECT && rule->also ? "copy" : actions[rule->action].text;
}

struct span
rule_condition_text(struct arena *a, const struct rule_condition *c)
{
	return arena_printf(a, "%s%.*s:%s%.*s", c->negated ? "!" : "", SPAN_FMT(c->word),
		c->text.len > 0 ? " " : "", SPAN_FMT(c->text));
}

struct span
rule_definition_text(struct arena *a, const struct rule *rule)
{
	char stage[2] = { rule->stage_given ? (char)('0' + rule->stage) : '\0', '\0' };

	return arena_printf(a, "%s%s%.*s%.*s", stage, rule->any ? "+" : "",
		SPAN_FMT(rule_sign(a, rule)), SPAN_FMT(rule->name));
}
