/*
 * screen_rule_try.c - what rules would do with messages: with those that are here, and with one that is pasted. And all of the
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

static const struct form_class try_download = {
	.title = "Test against",
	.does = "Test",
	.fields = (const struct form_field[]){
		{ "Test against", "against", "Against", FORM_TEXT, NULL, "last, or the id of a message as traces have it; P in the list takes a pasted one" },
		{ NULL, "last", "How many", FORM_NUMBER, NULL, "of the last ones: 500; empty: 100" },
		{ NULL, "now", "As of", FORM_TEXT, NULL, "0s: now; 2026-11-20T14:00; empty: when each message came" },
		{ NULL, "collect", "As met by", FORM_TEXT, NULL, "a collector: its InMail number and its limits count. F4 lists them", .pick = "collect.list" },
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
	console_open(s->console, s->class == &screen_download_try ? &screen_download_paste : &screen_rule_paste, NULL,
		SPAN("pasted"));
}

static void
try_title(struct screen *s, struct buf *out)
{
	print_put(out, console_place_get(s->place, "now").len > 0 ? SPAN("as of now  ") : SPAN("as of each message  "));
}

static const struct column try_columns[] = {
	{ "When", "time", 12 },
	{ "From", "from", 18, 0, COLUMN_GROW },
	{ "To", "to", 18, 0, COLUMN_GROW },
	{ "Size", "size", 6, 2 },
	{ "~", "changed", 3 },
	{ "Now", "action", 6 },
	{ "Rule", "rule", 12, 1, COLUMN_GROW },
	{ "Before", "before_action", 6 },
	{ "Rule", "before", 12, 3, COLUMN_GROW },
	{ 0 },
};

static const struct detail try_detail[] = {
	{ "Conditions", "told", 5 },
	{ "Subject", "subject" },
	{ 0 },
};

static const struct detail try_download_detail[] = {
	{ "Conditions", "told", 3 },
	{ "Subject", "subject" },
	{ "For whom", "who", 3 },
	{ 0 },
};

#define TRY_KEYS(METHOD, AGAINST, SELF) \
	(const struct key_action[]){ \
		{ 'T', "Against", METHOD, .form = AGAINST, .open = SELF }, \
		{ 'P', "A pasted one", METHOD, .run = paste, .help = "Ask the rules about a message that is pasted or typed." }, \
		{ 'A', "As of", METHOD, .run = as_of, .help = "As of now, or as of the time when each message came." }, \
		{ 'C', "Only ~", METHOD, .run = changed_only, .help = "Only messages that would be answered in another way, or all again." }, \
		{ 0 } }

const struct screen_class screen_rule_try = {
	.name = "rule-try",
	.title = "Test",
	.method = "rule.smtp.try",
	.take = "draft rule number against last now",
	.columns = try_columns,
	.keys = TRY_KEYS("rule.smtp.try", &try_against, &screen_rule_try),
	.detail = try_detail,
	.title_more = try_title,
	.still = true,
	.help = "What the rules, with the one that is edited, would do with messages that are here; ~: other than those in force. Nothing is done.",
};

const struct screen_class screen_download_try = {
	.name = "download-try",
	.title = "Test",
	.method = "rule.download.try",
	.take = "draft rule number against last now collect",
	.columns = try_columns,
	.keys = TRY_KEYS("rule.download.try", &try_download, &screen_download_try),
	.detail = try_download_detail,
	.title_more = try_title,
	.still = true,
	.help = "What the download rules, with the one that is edited, would do with messages that are here, had a collector met them. Nothing is done.",
};

static const char paste_help[] = "Paste or type a message, or its header alone; F2 asks the rules about it. Nothing is stored.";

const struct screen_class screen_rule_paste = {
	.name = "rule-paste",
	.title = "Pasted message",
	.panel = &edit_panel,
	.edit = &(const struct edit_class){ .trial = &screen_rule_try, .trial_field = "against", .help = paste_help },
};

const struct screen_class screen_download_paste = {
	.name = "download-paste",
	.title = "Pasted message",
	.panel = &edit_panel,
	.edit = &(const struct edit_class){ .trial = &screen_download_try, .trial_field = "against", .help = paste_help },
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

const struct screen_class screen_download_text = {
	.name = "download-text",
	.title = "Download rules",
	.panel = &edit_panel,
	.method = "rule.download.edit",
	.edit = &(const struct edit_class){
		.save = "rule.download.apply",
		.check = "rule.download.check",
		.trial = &screen_download_try,
		.trial_field = "draft",
		.help = "[+] < fetch * delete, tell @ delete ~ ignore % fetch, delete ? ask, or >NAME and >+NAME before < * % ?; then its name; conditions below: [!]Field: text",
	},
};
