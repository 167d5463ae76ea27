/*
 * rule_text.c - the text of rules: lines, definitions, and the tables by which they are asked.
 */
#include "conf/rule_text_inside.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/base/ascii.h"
#include "proto/base/hash64.h"
#include "proto/base/utf8.h"

static const struct {
	enum rule_action action;
	unsigned language;
	char sign;
	bool wants_target;
} actions[] = {
#define X(id, language, sign, wants_target, text) { RULE_##id, language, sign, wants_target },
	RULE_ACTIONS(X)
#undef X
};

bool
rule_fault(struct rule_reading *r, struct span at, const char *format, ...)
{
	bool inside = at.ptr >= r->line.ptr && at.ptr <= r->line.ptr + r->line.len;
	unsigned column = at.ptr && inside ? (unsigned)(at.ptr - r->line.ptr) + 1 : 1;
	char text[CONF_FAULT_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	r->bad = true;
	conf_fault_add(r->faults, (struct yaml_place){ .line = r->number, .column = column },
		SPAN_NONE, "%s", text);
	return false;
}

/* ---- definitions ---- */

static bool
is_sign(unsigned language, char c)
{
	if (c == '>')
		return true;
	for (size_t i = 0; i < COUNT(actions); i++)
		if ((actions[i].language & language) && actions[i].sign == c)
			return true;
	return false;
}

/* Behind a digit and '+' there is an action: else it is a condition. */
static bool
is_definition(unsigned language, struct span line)
{
	size_t at = 0;

	at += at < line.len && ascii_is_digit(line.ptr[at]);
	at += at < line.len && line.ptr[at] == '+';
	return at < line.len && is_sign(language, line.ptr[at]);
}

/* The digit in front, if there is one. */
static bool
read_stage(struct rule_reading *r, struct span *line, struct rule *rule)
{
	char c = line->ptr[0];

	if (!ascii_is_digit(c))
		return true;
	if (r->out->language != RULES_OF_SMTP)
		return rule_fault(r, *line, "download rules have no stages: no digit stands in front");
	if (c < '1' || c > '0' + RULE_STAGES)
		return rule_fault(r, *line, "a stage is 1, 2 or 3");
	rule->stage = (uint8_t)(c - '0');
	rule->stage_given = true;
	*line = span_from(*line, 1);
	return true;
}

/* ">bill<name", ">+bill<name": REST is what follows the '>'. */
static bool
read_target(struct rule_reading *r, struct span rest, struct rule *rule)
{
	size_t end = 0;

	rule->also = span_starts(rest, SPAN("+"));
	rest = span_from(rest, rule->also);
	while (end < rest.len && (!is_sign(r->out->language, rest.ptr[end]) || rest.ptr[end] == '>' ||
					 (r->out->language == RULES_OF_SMTP && rest.ptr[end] != '<')))
		end++;
	if (end == rest.len)
		return rule_fault(r, rest, "the target is not ended, as in >bill<name");
	rule->target = span_trim(span_range(rest, 0, end));
	rule->name = span_trim(span_from(rest, end + 1));
	if (rule->target.len == 0)
		return rule_fault(r, rest, "nobody is named between > and %c", rest.ptr[end]);
	for (size_t i = 0; i < COUNT(actions); i++)
		if (actions[i].wants_target && (actions[i].language & r->out->language) &&
			actions[i].sign == rest.ptr[end]) {
			rule->action = actions[i].action;
			return true;
		}
	return rule_fault(r, span_from(rest, end), "no action ends a target so");
}

static bool
read_action(struct rule_reading *r, struct span line, struct rule *rule)
{
	if (line.ptr[0] == '>')
		return read_target(r, span_from(line, 1), rule);
	for (size_t i = 0; i < COUNT(actions); i++)
		if (!actions[i].wants_target && (actions[i].language & r->out->language) &&
			actions[i].sign == line.ptr[0])
			rule->action = actions[i].action;
	rule->name = span_trim(span_from(line, 1));
	return true;
}

static void
begin_rule(struct rule_reading *r, struct span line, bool off)
{
	struct rule rule = { .line = r->number, .off = off,
		.key = hash64((struct hash64_key){ r->out->language == RULES_OF_DOWNLOAD, 0 }, line),
		.offset = (size_t)(r->line.ptr - r->out->text.ptr) };
	struct span rest = line;

	if (r->out->count == RULES_MAX) {
		r->full = true;
		rule_fault(r, SPAN_NONE, "more than %d rules", RULES_MAX);
		return;
	}
	rule.conditions = r->conditions + r->condition_count;
	rule.number = (uint32_t)r->out->count + 1;
	if (read_stage(r, &rest, &rule)) {
		rule.any = span_starts(rest, SPAN("+"));
		if (read_action(r, span_from(rest, rule.any), &rule) && rule.name.len == 0)
			conf_warning_add(r->faults, (struct yaml_place){ .line = r->number, .column = 1 },
				SPAN_NONE, "the rule has no name for the log");
	}
	r->items[r->out->count++] = rule;
}

/* ---- conditions ---- */

/* SMR-04. */
static void
note_stage(struct rule_reading *r, struct rule *rule, const struct rule_condition *c)
{
	uint8_t wanted = rule_field_stages[c->field];

	rule->timed |= c->field == RULE_BY_TIME || c->field == RULE_BY_DAY;
	rule->names_recipient |= c->field == RULE_BY_RECIPIENT;
	rule->asks_size |= c->field == RULE_BY_SIZE;
	if (!rule->stage_given && rule->stage < wanted)
		rule->stage = wanted;
	if (rule->stage_given && rule->stage < wanted)
		rule_fault(r, SPAN_NONE, "%.*s is known at stage %u only, and the rule of line %u is for "
			"stage %u", SPAN_FMT(c->word), (unsigned)wanted,
			(unsigned)rule->line, (unsigned)rule->stage);
}

static void
add_condition(struct rule_reading *r, struct span line, bool off)
{
	struct rule *rule = r->out->count > 0 ? &r->items[r->out->count - 1] : NULL;
	struct rule_condition condition;

	if (!rule) {
		rule_fault(r, line, "stands before the first rule: a rule begins with its action");
		return;
	}
	if (rule->off != off) {
		rule_fault(r, line, "belongs to the rule of line %u, which is off: put \"#off\" in front",
			(unsigned)rule->line);
		return;
	}
	if (!rule_condition_read(r, line, &condition))
		return;
	if (r->condition_count == RULE_CONDITIONS_MAX) {
		r->full = true;
		rule_fault(r, SPAN_NONE, "more than %d conditions", RULE_CONDITIONS_MAX);
		return;
	}
	r->conditions[r->condition_count++] = condition;
	rule->condition_count++;
	r->out->asks_any |= condition.field == RULE_BY_ANY && !off;
	note_stage(r, rule, &condition);
}

/* ---- lines ---- */

/* Is it a line of a rule that is off? What follows the mark is left in *line; else any comment. */
static bool
take_off(const struct rule_reading *r, struct span *line)
{
	struct span rest;

	if (!span_starts(*line, SPAN(RULE_OFF)))
		return false;
	rest = span_trim(span_from(*line, sizeof(RULE_OFF) - 1));
	if (rest.len == 0 || rest.ptr[0] == '#')
		return false;
	if (!is_definition(r->out->language, rest) &&
		(r->out->count == 0 || !r->items[r->out->count - 1].off))
		return false; /* about a rule that is on: a comment */
	*line = rest;
	return true;
}

static void
read_line(struct rule_reading *r)
{
	struct span line = span_trim(r->line);
	bool off = take_off(r, &line);

	if (r->line.len > RULE_LINE_MAX) {
		rule_fault(r, SPAN_NONE, "the line is over %d bytes", RULE_LINE_MAX);
		return;
	}
	if (span_has_control(r->line, SPAN("\t")) || !utf8_is_valid(r->line)) {
		rule_fault(r, SPAN_NONE, "holds control characters, or is not UTF-8");
		return;
	}
	if (line.len == 0 || line.ptr[0] == '#')
		return;
	if (is_definition(r->out->language, line))
		begin_rule(r, line, off);
	else
		add_condition(r, line, off);
}

/* ---- tables ---- */

/* Those that may be asked at STAGE: of that stage, and at the last those that lacked the size. */
static bool
is_asked_at(const struct rule *rule, unsigned stage)
{
	return !rule->off && (rule->stage == stage || (stage == RULE_STAGES && rule->asks_size &&
		!rule->stage_given));
}

static void
list_stages(struct rule_reading *r)
{
	struct rule_set *set = r->out;

	for (size_t i = 0; i < set->count; i++)
		if (set->language != RULES_OF_SMTP)
			r->items[i].stage = RULE_STAGES; /* all is known when they are asked */
		else if (r->items[i].stage == 0)
			r->items[i].stage = 1; /* without conditions (SMR-09) */
	for (unsigned stage = 1; stage <= RULE_STAGES; stage++) {
		uint32_t *at = ARENA_ARRAY(r->arena, uint32_t, set->count);

		for (size_t i = 0; i < set->count; i++)
			if (is_asked_at(&r->items[i], stage))
				at[set->at_count[stage]++] = (uint32_t)i;
		set->at[stage] = at;
	}
}

static size_t
count_lines(struct span text, size_t max)
{
	size_t lines = 1;

	while (text.len > 0 && lines < max) {
		text = span_from(text, span_find(text, '\n') + 1);
		lines++;
	}
	return lines;
}

static void
make_room(struct rule_reading *r, struct span text)
{
	size_t lines = count_lines(text, RULE_CONDITIONS_MAX + 1), slots = 16;

	while (slots < 2 * lines)
		slots *= 2;
	r->items = ARENA_ARRAY(r->arena, struct rule, lines < RULES_MAX ? lines : RULES_MAX);
	r->conditions = ARENA_ARRAY(r->arena, struct rule_condition, lines);
	r->names = ARENA_ARRAY(r->arena, struct span, lines);
	r->name_slots = ARENA_ARRAY(r->arena, uint32_t, slots);
	r->out->items = r->items;
	r->out->names = r->names;
	r->out->name_slots = r->name_slots;
	r->out->name_mask = slots - 1;
}

enum err
rule_text_parse(struct span text, unsigned language, struct arena *a, struct rule_set *out,
	struct conf_faults *faults)
{
	struct rule_reading r = { .arena = a, .faults = faults, .out = out };
	struct span rest;

	*out = (struct rule_set){ .language = language };
	if (text.len > RULE_TEXT_MAX) {
		rule_fault(&r, SPAN_NONE, "the text is over 10 MiB");
		return ERR_LIMIT;
	}
	rest = out->text = arena_copy(a, text);
	if (span_starts(rest, SPAN("\xef\xbb\xbf"))) /* a byte order mark of an editor */
		rest = span_from(rest, 3);
	make_room(&r, rest);
	while (!r.full && span_next_line(&rest, &r.line)) {
		r.number++;
		read_line(&r);
	}
	list_stages(&r);
	return r.full ? ERR_LIMIT : r.bad ? ERR_SYNTAX : OK;
}
