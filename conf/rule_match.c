/*
 * rule_match.c - which rule holds for a message.
 */
#include "conf/rule_match.h"

void
rule_header_init(struct rule_header *header, struct arena *a, const struct rule_set *set)
{
	header->by_name = ARENA_ARRAY(a, struct rule_header_field *, set->name_count);
	header->all = NULL;
}

bool
rule_header_wants(const struct rule_set *set, struct span name)
{
	return set->asks_any || rule_set_name(set, name) < set->name_count;
}

void
rule_header_add(struct rule_header *header, struct arena *a, const struct rule_set *set,
	struct span name, struct span value, struct span decoded)
{
	struct rule_header_field *field = ARENA_NEW(a, struct rule_header_field);
	size_t at = rule_set_name(set, name);

	rule_text_make(a, value, &field->raw);
	field->has_decoded = decoded.ptr != NULL;
	if (field->has_decoded)
		rule_text_make(a, decoded, &field->decoded);
	if (at < set->name_count) {
		field->next = header->by_name[at];
		header->by_name[at] = field;
	}
	field->next_any = header->all;
	header->all = field;
}

/* ---- one condition ---- */

static bool
field_fits(const struct rule_condition *c, const struct rule_header_field *field, uint64_t *steps)
{
	return c->exists || rule_pattern_fits(&c->pattern, &field->raw, steps) ||
		(field->has_decoded && rule_pattern_fits(&c->pattern, &field->decoded, steps));
}

/* Any one of several equal fields suffices. */
static bool
header_fits(const struct rule_condition *c, const struct rule_header *header, uint64_t *steps)
{
	const struct rule_header_field *field;

	if (c->field == RULE_BY_ANY) {
		for (field = header->all; field; field = field->next_any)
			if (field_fits(c, field, steps))
				return true;
		return false;
	}
	for (field = header->by_name[c->name]; field; field = field->next)
		if (field_fits(c, field, steps))
			return true;
	return false;
}

static bool
recipients_fit(const struct rule_condition *c, const struct rule_facts *facts, uint64_t *steps)
{
	if (c->exists)
		return facts->recipient_count > 0;
	if (!rule_pattern_may_fit(&c->pattern, &facts->recipient_pairs))
		return false;
	for (size_t i = 0; i < facts->recipient_count; i++)
		if (rule_pattern_fits(&c->pattern, &facts->recipients[i], steps))
			return true;
	return false;
}

static bool
hours_fit(const struct rule_condition *c, unsigned minute)
{
	if (c->from < c->to)
		return minute >= c->from && minute < c->to;
	return minute >= c->from || minute < c->to; /* over midnight */
}

static bool
ranges_fit(const struct rule_condition *c, unsigned number)
{
	for (uint32_t i = 0; i < c->range_count; i++)
		if (number >= c->ranges[i].from && number <= c->ranges[i].to)
			return true;
	return false;
}

static bool
number_fits(const struct rule_condition *c, uint64_t number)
{
	return c->equal ? number == c->number : number > c->number;
}

static bool
is_known(const struct rule_condition *c, const struct rule_facts *facts)
{
	switch (c->field) {
	case RULE_BY_SIZE:
		return facts->has_size;
	case RULE_BY_RECIPIENT:
	case RULE_BY_COUNT:
		return facts->stage >= 2;
	case RULE_BY_NAME: /* the header says who they are */
	case RULE_BY_REPT:
	case RULE_BY_ANY:
	case RULE_BY_HEADER:
		return facts->header != NULL;
	default:
		return true;
	}
}

static bool
fits(const struct rule_condition *c, const struct rule_facts *facts, uint64_t *steps)
{
	switch (c->field) {
	case RULE_BY_SIZE:
		return number_fits(c, facts->size);
	case RULE_BY_TIME:
		return hours_fit(c, facts->minute);
	case RULE_BY_DAY:
		return c->days >> facts->day & 1;
	case RULE_BY_SENDER:
		return c->exists ? facts->sender.lower.len > 0
				 : rule_pattern_fits(&c->pattern, &facts->sender, steps);
	case RULE_BY_RECIPIENT:
	case RULE_BY_NAME:
	case RULE_BY_REPT:
		return recipients_fit(c, facts, steps);
	case RULE_BY_COUNT:
		return number_fits(c, facts->count);
	case RULE_BY_IN_MAIL:
		return ranges_fit(c, facts->in_mail);
	case RULE_BY_ANY:
	case RULE_BY_HEADER:
	case RULE_FIELD_COUNT:
		break;
	}
	return header_fits(c, facts->header, steps);
}

enum rule_truth
rule_condition_holds(const struct rule_condition *c, const struct rule_facts *facts, uint64_t *steps)
{
	*steps += 1;
	if (!is_known(c, facts))
		return RULE_UNKNOWN;
	return fits(c, facts, steps) != c->negated ? RULE_TRUE : RULE_FALSE;
}

/* ---- rules ---- */

bool
rule_holds(const struct rule *rule, const struct rule_facts *facts, uint64_t *steps,
	enum rule_truth *truths)
{
	size_t held = 0;

	for (size_t i = 0; i < rule->condition_count; i++) {
		enum rule_truth truth = rule_condition_holds(&rule->conditions[i], facts, steps);

		held += truth == RULE_TRUE;
		if (truths)
			truths[i] = truth;
		else if ((truth == RULE_TRUE) == rule->any)
			return rule->any; /* settled */
	}
	if (rule->any && rule->condition_count > 0)
		return held > 0;
	return held == rule->condition_count;
}

bool
rule_is_asked(const struct rule *rule, const struct rule_facts *facts)
{
	return !rule->off && (rule->stage == facts->stage ||
		(facts->stage == RULE_STAGES && rule->asks_size && !rule->stage_given &&
			!facts->declared));
}

enum err
rule_set_ask(const struct rule_set *set, const struct rule_facts *facts, struct rule_answer *out)
{
	const uint32_t *at = set->at[facts->stage];
	uint64_t steps = 0;

	*out = (struct rule_answer){ .rule = NULL };
	for (size_t i = 0; i < set->at_count[facts->stage]; i++) {
		const struct rule *rule = &set->items[at[i]];

		bool holds;

		if (!rule_is_asked(rule, facts))
			continue;
		holds = rule_holds(rule, facts, &steps, NULL);
		if (steps > RULE_STEPS_MAX)
			return ERR_LIMIT;
		if (holds) {
			out->rule = rule;
			return OK;
		}
		out->first = out->asked++ == 0 ? rule->number : out->first;
		out->last = rule->number;
	}
	return OK;
}
