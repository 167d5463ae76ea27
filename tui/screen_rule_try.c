/*
 * screen_rule_try.c - what SMTP rules would do with messages: with those that are here, and with one that is pasted. And all of the
 * rules as one text.
 */
#include "tui/edit_panel.h"
#include "tui/screen_rows.h"
#include "tui/table_panel.h"

static const struct form_class try_against = {
	.title = "Test against",
	.does = "Test",
	.fields = (const struct form_field[]){
		{ "Test against", "against", "Against", FORM_TEXT, NULL, "last, or the id of a message as traces have it; P in the list takes a pasted one" },
		{ NULL, "last", "How many", FORM_NUMBER, NULL, "of the last ones: 500; empty: 100" },
		{ NULL, "now", "As of", FORM_TEXT, NULL, "0s: now; 2026-11-20T14:00; empty: when each message came" },
		{ 0 } },
};

/* As of now, or of the time when each message came. */
static void
as_of(struct screen *s)
{
	bool now = console_place_get(s->place, "now").len > 0;

	console_place_set(s->place, "now", now ? NULL : "0s");
	console_say(s->console, STYLE_DIM, now ? "as of the time when each message came" : "as of now");
	table_renew(s);
}

/* Those only that would be answered in another way. */
static void
changed_only(struct screen *s)
{
	table_filter(s, table_filter_now(s).len > 0 ? SPAN("") : SPAN("changed:yes"));
}

static void
paste(struct screen *s)
{
	console_open(s->console, &screen_rule_paste, NULL, SPAN("pasted"));
}

static void
try_title(struct screen *s, struct buf *out)
{
	print_put(out, console_place_get(s->place, "now").len > 0 ? SPAN("as of now  ") : SPAN("as of each message  "));
}

const struct screen_class screen_rule_try = {
	.name = "rule-try",
	.title = "Test",
	.method = "rule.smtp.try",
	.take = "draft rule number against last now",
	.columns = (const struct column[]){
		{ "When", "time", 12 },
		{ "From", "from", 18, 0, COLUMN_GROW },
		{ "To", "to", 18, 0, COLUMN_GROW },
		{ "Size", "size", 6, 2 },
		{ "~", "changed", 3 },
		{ "Now", "action", 6 },
		{ "Rule", "rule", 12, 1, COLUMN_GROW },
		{ "Before", "before_action", 6 },
		{ "Rule", "before", 12, 3, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'T', "Against", "rule.smtp.try", .form = &try_against, .open = &screen_rule_try },
		{ 'P', "A pasted one", "rule.smtp.try", .run = paste, .help = "Ask the rules about a message that is pasted or typed." },
		{ 'A', "As of", "rule.smtp.try", .run = as_of, .help = "As of now, or as of the time when each message came." },
		{ 'C', "Only ~", "rule.smtp.try", .run = changed_only, .help = "Only messages that would be answered in another way, or all again." },
		{ 0 } },
	.detail = (const struct detail[]){
		{ "Conditions", "told", 5 },
		{ "Subject", "subject" },
		{ 0 } },
	.title_more = try_title,
	.still = true,
	.help = "What the rules, with the one that is edited, would do with messages that are here; ~: other than those in force. Nothing is done.",
};

const struct screen_class screen_rule_paste = {
	.name = "rule-paste",
	.title = "Pasted message",
	.panel = &edit_panel,
	.edit = &(const struct edit_class){
		.trial = &screen_rule_try,
		.trial_field = "against",
		.help = "Paste or type a message, or its header alone; F2 asks the rules about it. Nothing is stored.",
	},
};

const struct screen_class screen_rules_text = {
	.name = "rules-text",
	.title = "SMTP rules",
	.panel = &edit_panel,
	.method = "rule.smtp.edit",
	.edit = &(const struct edit_class){
		.save = "rule.smtp.apply",
		.check = "rule.smtp.check",
		.trial = &screen_rule_try,
		.trial_field = "draft",
		.help = "[1-3][+] < accept * reject ~ discard >NAME< redirect >+NAME< copy, then its name; below it a condition a line: [!]Field: text",
	},
};
