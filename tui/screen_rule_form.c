/*
 * screen_rule_form.c - one SMTP rule as a form, with the text that it makes.
 *
 * The text is that of rules.smtp: "3+*Name", then a condition a line; the server reads and checks it.
 */
#include "tui/screen_rows.h"

static const char *const actions[][2] = { /* word, sign */
	{ "accept", "<" }, { "reject", "*" }, { "discard", "~" }, { "redirect", ">" }, { "copy", ">+" } };

static const char *
sign_of(struct span word)
{
	for (size_t i = 0; i < COUNT(actions); i++)
		if (span_eq(word, span_of(actions[i][0])))
			return actions[i][1];
	return "<";
}

/* ">+bill<" is "copy", ">bill<" redirect; the others are their sign. */
static const char *
action_of(struct span sign)
{
	size_t last = COUNT(actions);

	for (size_t i = 0; i < COUNT(actions); i++)
		if (span_starts(sign, span_of(actions[i][1])))
			last = i; /* the longest stands last */
	return last < COUNT(actions) ? actions[last][0] : "accept";
}

void
rule_put_line(struct buf *out, bool off, struct span text)
{
	if (text.len == 0)
		return;
	if (off)
		print_put(out, SPAN("#off "));
	print_put(out, text);
	print_put(out, SPAN("\n"));
}

void
rule_put_conditions(struct screen *form, struct buf *out)
{
	bool off = !span_eq(form_get(form, "enabled", 0), SPAN("yes"));

	for (size_t i = 0; i < RULE_CONDITIONS_MAX; i++)
		rule_put_line(out, off, form_get(form, "condition", i));
}

void
rule_begin_conditions(struct screen *form, const struct json *row)
{
	const struct json *conditions = json_find(row, SPAN("conditions"));
	size_t nth = 0;

	for (const struct json *at = conditions ? conditions->first : NULL; at; at = at->next, nth++)
		form_begin_with(form, nth < RULE_CONDITIONS_MAX ? "condition" : "more", nth < RULE_CONDITIONS_MAX ? nth : 0,
			at->text);
}

static bool
make(struct screen *form, struct buf *out)
{
	bool off = !span_eq(form_get(form, "enabled", 0), SPAN("yes"));
	const char *sign = sign_of(form_get(form, "action", 0));
	struct span target = sign[0] == '>' ? form_get(form, "target", 0) : SPAN("");
	struct span stage = form_get(form, "stage", 0);
	struct arena a;

	if (span_eq(stage, SPAN("auto")))
		stage = SPAN("");
	arena_init(&a, NULL);
	rule_put_line(out, off, arena_printf(&a, "%.*s%s%s%.*s%s%.*s", SPAN_FMT(stage),
		span_eq(form_get(form, "match", 0), SPAN("any")) ? "+" : "", sign, SPAN_FMT(target),
		sign[0] == '>' ? "<" : "", SPAN_FMT(form_get(form, "name", 0))));
	rule_put_conditions(form, out);
	arena_reset(&a);
	return !out->overflow && form_get(form, "more", 0).len == 0;
}

static void
begin(struct screen *form, const struct json *row)
{
	char stage[2] = { (char)('0' + json_number_or(json_find(row, SPAN("stage")), 0) % 10), '\0' };

	if (!row) {
		form_begin_with(form, "enabled", 0, SPAN("yes"));
		return;
	}
	form_begin_with(form, "action", 0, span_of(action_of(json_text(json_find(row, SPAN("action"))))));
	form_begin_with(form, "stage", 0,
		json_truth(json_find(row, SPAN("stage_given"))) ? span_of(stage) : SPAN("auto"));
	rule_begin_conditions(form, row);
}

#define NOTHING(NAME) NULL
#define OF_ROW(NAME) NAME
#define CONDITION { NULL, "condition", "and", FORM_LINE, NULL, "[!]Field: text; Size, TimeNow, DayNow, MailFrom, RcptTo, RcptCount, Any or a header field" }
#define CONDITIONS_4 CONDITION, CONDITION, CONDITION, CONDITION
#define RULE_FIELDS(TITLE, FROM) \
	{ TITLE, "name", "Name", FORM_TEXT, NULL, "stands in traces and in the log", FROM("name") }, \
	{ NULL, "enabled", "Enabled", FORM_FLAG, NULL, "off: its lines become comments", FROM("enabled") }, \
	{ NULL, "match", "Match", FORM_CHOICE, "all|any", "all of the conditions, or any of them", FROM("match") }, \
	{ NULL, "action", "Then", FORM_CHOICE, "accept|reject|discard|redirect|copy", "redirect: to the target instead; copy: to the target too; discard: taken and thrown away" }, \
	{ NULL, "target", "Target", FORM_TEXT, NULL, "of redirect and copy: a user, a list or an address; F4 lists them", FROM("target"), .pick = "user.list maillist.list" }, \
	{ NULL, "stage", "Stage", FORM_CHOICE, "auto|1|2|3", "1: at MAIL, 2: at RCPT, 3: when all of it is there; auto: as early as the conditions are known" }, \
	{ NULL, "condition", "When", FORM_LINE, NULL, "[!]Field: text; ! negates; text with * and ?: From: *@dest8.test, Size: >20M" }, \
	CONDITION, CONDITION, CONDITION, CONDITIONS_4, CONDITIONS_4, CONDITIONS_4, CONDITIONS_4, \
	{ NULL, "more", "... and more", FORM_SHOWN, NULL, "" }

const struct form_class form_rule_new = {
	.title = "New SMTP rule",
	.fields = (const struct form_field[]){
		RULE_FIELDS("New SMTP rule", NOTHING),
		{ 0 } },
	.made = "text",
	.cannot = "the rule has more conditions than the form holds: rule smtp edit opens all of them as text",
	.make = make,
	.begin = begin,
	.trial = &screen_rule_try,
	.trial_field = "rule",
};

const struct form_class form_rule = {
	.title = "SMTP rule",
	.fields = (const struct form_field[]){ RULE_FIELDS("SMTP rule", OF_ROW), { 0 } },
	.made = "text",
	.cannot = "the rule has more conditions than the form holds: rule smtp edit opens all of them as text",
	.make = make,
	.begin = begin,
	.trial = &screen_rule_try,
	.trial_field = "rule",
};
