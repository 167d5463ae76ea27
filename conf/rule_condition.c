/*
 * rule_condition.c - one condition of a rule: "[!]Field: text".
 */
#include "conf/rule_text_inside.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/base/hash64.h"

#define NUMBER_MAX (UINT64_C(1) << 50)
#define IN_MAIL_MAX 10000
#define DAY_MINUTES (24 * 60)

static const struct {
	enum rule_field field;
	unsigned language;
	const char *word;
} words[] = {
#define X(id, language, word, stage, value) { RULE_BY_##id, language, word },
	RULE_FIELDS(X)
#undef X
};

/* ---- names of header fields ---- */

static size_t
name_slot(const struct rule_set *set, struct span lower)
{
	static const struct hash64_key fixed; /* the table is the administrator's own */
	size_t at = hash64(fixed, lower) & set->name_mask;

	while (set->name_slots[at] > 0 && !span_eq(set->names[set->name_slots[at] - 1], lower))
		at = (at + 1) & set->name_mask;
	return at;
}

size_t
rule_set_name(const struct rule_set *set, struct span name)
{
	char lower[256];
	uint32_t found;

	if (set->name_count == 0 || name.len > sizeof(lower))
		return set->name_count;
	for (size_t i = 0; i < name.len; i++)
		lower[i] = ascii_lower(name.ptr[i]);
	found = set->name_slots[name_slot(set, (struct span){ lower, name.len })];
	return found > 0 ? found - 1 : set->name_count;
}

static uint32_t
keep_name(struct rule_reading *r, struct span name)
{
	struct span lower = arena_lower(r->arena, name);
	size_t slot = name_slot(r->out, lower);

	if (r->name_slots[slot] == 0) {
		r->names[r->out->name_count++] = lower;
		r->name_slots[slot] = (uint32_t)r->out->name_count;
	}
	return r->name_slots[slot] - 1;
}

/* RFC 5322, 2.2: printable ASCII without the colon. */
static bool
is_field_name(struct span word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.ptr[i] <= ' ' || word.ptr[i] > '~')
			return false;
	return word.len > 0 && word.len <= 200;
}

static bool
read_field(struct rule_reading *r, struct span word, struct rule_condition *out)
{
	if (!is_field_name(word))
		return rule_fault(r, word, "is no rule and no condition: a rule begins with its action, a "
			"condition is \"Field: text\"");
	out->field = RULE_BY_HEADER;
	for (size_t i = 0; i < COUNT(words); i++)
		if (words[i].word[0] && span_eq_nocase(word, span_of(words[i].word)) &&
			(words[i].language & r->out->language))
			out->field = words[i].field;
	if (out->field == RULE_BY_REPT)
		out->field = RULE_BY_NAME;
	if (out->field == RULE_BY_HEADER)
		out->name = keep_name(r, word);
	if (out->field == RULE_BY_ANY && ++r->any_count > RULE_ANY_MAX)
		return rule_fault(r, word, "more than %d conditions of Any", RULE_ANY_MAX);
	return true;
}

/* ---- values ---- */

/* "10000", "20M", "50kB"; a unit is 1024 of the one before. */
static bool
read_number(struct span text, struct rule_condition *out)
{
	static const struct { const char *word; unsigned shift; } units[] = {
		{ "", 0 }, { "b", 0 }, { "k", 10 }, { "kb", 10 }, { "m", 20 }, { "mb", 20 },
		{ "g", 30 }, { "gb", 30 } };
	size_t digits = 0;
	uint64_t number;

	if (span_starts(text, SPAN("="))) {
		out->equal = true;
		text = span_trim(span_from(text, 1));
	}
	while (digits < text.len && ascii_is_digit(text.ptr[digits]))
		digits++;
	if (span_u64(span_range(text, 0, digits), NUMBER_MAX, &number) != OK)
		return false;
	for (size_t i = 0; i < COUNT(units); i++)
		if (span_eq_nocase(span_trim(span_from(text, digits)), span_of(units[i].word)) &&
			number <= NUMBER_MAX >> units[i].shift) {
			out->number = number << units[i].shift;
			return true;
		}
	return false;
}

/* "8:00", "8"; 24:00 is the end of the day. */
static bool
read_minute(struct span text, uint16_t *out)
{
	struct span hour, minute;
	uint64_t h, m = 0;

	if (span_cut(text, ':', &hour, &minute) &&
		(minute.len != 2 || span_u64(minute, 59, &m) != OK))
		return false;
	if (hour.len > 2 || span_u64(hour, 24, &h) != OK || h * 60 + m > DAY_MINUTES)
		return false;
	*out = (uint16_t)(h * 60 + m);
	return true;
}

static bool
read_hours(struct span text, struct rule_condition *out)
{
	struct span from, to;

	return span_cut(text, '-', &from, &to) && read_minute(span_trim(from), &out->from) &&
		read_minute(span_trim(to), &out->to) && out->from != out->to;
}

static bool
read_days(struct span text, struct rule_condition *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c >= '1' && c <= '7')
			out->days |= (uint8_t)(1u << (c - '0'));
		else if (!ascii_is_blank(c) && c != ',')
			return false;
	}
	return out->days != 0;
}

static bool
read_range(struct span word, struct rule_range *out)
{
	struct span first, last;
	uint64_t from, to;

	if (!span_cut(word, '-', &first, &last))
		last = first;
	if (span_u64(span_trim(first), IN_MAIL_MAX, &from) != OK ||
		span_u64(span_trim(last), IN_MAIL_MAX, &to) != OK)
		return false;
	*out = (struct rule_range){ (unsigned)from, (unsigned)to };
	return from > 0 && to >= from;
}

static bool
read_ranges(struct rule_reading *r, struct span text, struct rule_condition *out)
{
	struct rule_range ranges[RULE_RANGES_MAX], *kept;
	struct span word;
	bool more = true;

	while (more) {
		more = span_cut(text, ',', &word, &text);
		if (out->range_count == RULE_RANGES_MAX ||
			!read_range(span_trim(word), &ranges[out->range_count++]))
			return false;
	}
	kept = ARENA_ARRAY(r->arena, struct rule_range, out->range_count);
	memcpy(kept, ranges, out->range_count * sizeof(*kept));
	out->ranges = kept;
	return true;
}

/* A reverse-path may be written with its brackets; "<>" is the empty one. */
static struct span
without_brackets(struct span text)
{
	if (text.len >= 2 && text.ptr[0] == '<' && text.ptr[text.len - 1] == '>')
		return span_range(text, 1, text.len - 1);
	return text;
}

static bool
read_text(struct rule_reading *r, struct span text, struct rule_condition *out)
{
	bool inside = r->out->language == RULES_OF_DOWNLOAD && out->field != RULE_BY_NAME;

	if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"') {
		text = span_range(text, 1, text.len - 1);
		inside = false;
	} else if (rule_field_values[out->field] == RULE_ADDRESS) {
		text = without_brackets(text);
	}
	rule_pattern_make(r->arena, text, inside, &out->pattern);
	return true;
}

static bool
read_value(struct rule_reading *r, struct span text, struct rule_condition *out)
{
	switch (rule_field_values[out->field]) {
	case RULE_NUMBER:
		return read_number(text, out) ||
			rule_fault(r, text, "is no number: \"Size: 10000\" is over 10000, \"=5\" is 5");
	case RULE_HOURS:
		return read_hours(text, out) ||
			rule_fault(r, text, "is no time of the day: it is like 8:00-14:00");
	case RULE_DAYS:
		return read_days(text, out) ||
			rule_fault(r, text, "are no days: they are like 23456, 1 is Sunday");
	case RULE_NUMBERS:
		return read_ranges(r, text, out) ||
			rule_fault(r, text, "are no numbers of collectors: they are like 1,3-7,9");
	case RULE_ADDRESS:
	case RULE_TEXT:
		break;
	}
	return read_text(r, text, out);
}

bool
rule_condition_read(struct rule_reading *r, struct span line, struct rule_condition *out)
{
	struct span field, text;

	*out = (struct rule_condition){ .line = r->number, .negated = span_starts(line, SPAN("!")) };
	line = span_trim(span_from(line, out->negated));
	if (!span_cut(line, ':', &field, &text))
		return rule_fault(r, line, "is no rule and no condition: a rule begins with its action, a "
			"condition is \"Field: text\"");
	if (!read_field(r, span_trim(field), out))
		return false;
	out->word = span_trim(field);
	out->text = span_trim(text);
	out->exists = out->text.len == 0 && (rule_field_values[out->field] == RULE_TEXT ||
		rule_field_values[out->field] == RULE_ADDRESS);
	return out->exists || read_value(r, out->text, out);
}
