/*
 * fuzz_rule_text.c - any text of rules is read or refused with a line, in both languages; what was read
 * says itself again, is asked without harm, and keeps its rules where one is moved or switched (SMR-02, H75).
 */
#include "conf/rule_edit.h"
#include "conf/rule_match.h"
#include "tests/fuzz/fuzz.h"

#define RULES_LOOKED_AT 10

static void
read_again(struct span text, const struct rule_set *set, struct arena *a)
{
	struct conf_faults faults;
	struct rule_set again;

	conf_faults_init(&faults);
	ENSURE(rule_text_parse(text, set->language, a, &again, &faults) == OK);
	ENSURE(again.count == set->count);
	conf_faults_fini(&faults);
}

static void
check_rule(const struct rule_set *set, const struct rule *rule, struct arena *a, struct buf *out)
{
	struct span block;

	ENSURE(rule->stage >= 1 && rule->stage <= RULE_STAGES && rule->line > 0);
	ENSURE(rule_block(set, rule->number, &block) == OK && block.len > 0);
	buf_clear(out);
	if (rule_edit_switch(set, rule->number, rule->off, out) == OK)
		read_again(buf_span(out), set, a);
	buf_clear(out);
	if (rule_edit_move(set, rule->number, (unsigned)set->count, out) == OK)
		read_again(buf_span(out), set, a);
}

static void
ask(const struct rule_set *set, struct span header, struct arena *a)
{
	struct rule_facts facts = { .has_size = true, .size = header.len, .day = 3, .minute = 700, .count = 2,
		.in_mail = 1 };
	struct rule_header fields;
	struct rule_answer answer;

	rule_header_init(&fields, a, set);
	rule_header_add(&fields, a, set, SPAN("Subject"), header, header);
	rule_text_make(a, span_range(header, 0, 20), &facts.sender);
	facts.recipients = &facts.sender;
	facts.recipient_count = 1;
	facts.recipient_pairs = facts.sender;
	for (facts.stage = 1; facts.stage <= RULE_STAGES; facts.stage++) {
		facts.header = facts.stage == RULE_STAGES ? &fields : NULL;
		if (rule_set_ask(set, &facts, &answer) == OK && answer.rule)
			ENSURE(!answer.rule->off);
	}
}

FUZZ(in, a, out)
{
	for (unsigned language = RULES_OF_SMTP; language <= RULES_OF_DOWNLOAD; language++) {
		struct conf_faults faults;
		struct rule_set set;
		enum err err;

		conf_faults_init(&faults);
		err = rule_text_parse(in, language, a, &set, &faults);
		ENSURE((err == OK) == (faults.errors == 0));
		for (size_t i = 0; i < faults.count; i++)
			ENSURE(faults.items[i].line > 0 && faults.items[i].column > 0);
		for (size_t i = 0; err == OK && i < set.count && i < RULES_LOOKED_AT; i++)
			check_rule(&set, &set.items[i], a, out);
		if (err == OK)
			ask(&set, in, a);
		conf_faults_fini(&faults);
	}
}
