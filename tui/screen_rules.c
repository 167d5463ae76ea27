/*
 * screen_rules.c - what the SMTP rules do with mail, and whose mail is monitored. The other tabs of Rules are in
 * screen_download.c, screen_prune.c, screen_archive.c and screen_scripts.c.
 */
#include <string.h>

#include "tui/screen_rows.h"
#include "tui/table_panel.h"

const struct screen_class *const rule_tabs[] = { &screen_rules, &screen_download, &screen_prune, &screen_monitor,
	&screen_archiving, &screen_content, NULL };

/* ---- SMTP ---- */

const struct form_class form_rule_place = {
	.title = "Move",
	.fields = (const struct form_field[]){
		{ "Move", "place", "Place", FORM_NUMBER, NULL, "the first rule that holds wins: 1 is asked first", "number" },
		{ 0 } },
};

/* "rule.download.move" for a list of download rules. */
static const struct control_method *
move_method(const struct screen *s)
{
	struct span list = span_of(s->class->method);
	struct arena a;
	const struct control_method *method;

	arena_init(&a, NULL);
	method = control_method_find(arena_printf(&a, "%.*s.move", SPAN_FMT(span_range(list, 0, list.len - strlen(".list")))));
	arena_reset(&a);
	ENSURE(method);
	return method;
}

/* One place up or down; the cursor goes with the rule. */
static void
move_rule(struct screen *s, int by)
{
	const struct json *row = NULL;
	struct span key;
	uint64_t number;
	struct arena a;

	if (!screen_panel(s)->row(s, &row, &key))
		return;
	number = json_number_or(json_find(row, SPAN("number")), 0);
	if (by < 0 && number < 2) {
		console_say(s->console, STYLE_DIM, "it is the first");
		return;
	}
	arena_init(&a, NULL);
	console_do_params(s->console, move_method(s),
		arena_printf(&a, "{\"number\":%llu,\"place\":%lld}", (unsigned long long)number,
			(long long)number + by));
	table_go(s, arena_printf(&a, "%lld", (long long)number + by));
	arena_reset(&a);
}

void
rule_up(struct screen *s)
{
	move_rule(s, -1);
}

void
rule_down(struct screen *s)
{
	move_rule(s, 1);
}

/* All of them, to be edited. */
static void
as_text(struct screen *s)
{
	console_open(s->console, &screen_rules_text, NULL, SPAN("as text"));
}

/* With its comments. */
static const struct screen_class screen_rule = {
	.name = "rule",
	.title = "Rule",
	.panel = &text_panel,
	.method = "rule.smtp.show",
	.subject = "number",
	.subject_field = "number",
	.take = "number",
};

const struct screen_class screen_rules = {
	.name = "rules",
	.title = "Rules",
	.tab = "SMTP",
	.digit = '8',
	.method = "rule.smtp.list",
	.columns = (const struct column[]){
		{ "No", "number", 3 },
		{ "On", "enabled", 4 },
		{ "Name", "name", 16, 0, COLUMN_GROW },
		{ "Match", "match", 5, 1 },
		{ "Conditions", "conditions", 18, 5, COLUMN_GROW },
		{ "Action", "action", 8 },
		{ "Stage", "stage", 5, 2 },
		{ "24 h", "hits_24h", 6, 4 },
		{ "Last hit", "last_hit", 12, 3 },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Text", .open = &screen_rule },
		{ 'E', "On/off", "rule.smtp.off", .take = "number", .other = { "enabled", "false", "rule.smtp.on" } },
		{ 'K', "Move up", "rule.smtp.move", .run = rule_up },
		{ 'J', "Move down", "rule.smtp.move", .run = rule_down },
		{ 'c', "Create", "rule.smtp.add", .form = &form_rule_new },
		{ 'e', "Edit", "rule.smtp.set", .form = &form_rule },
		{ 'd', "Remove", "rule.smtp.remove" },
		{ 'T', "Test", "rule.smtp.try", .open = &screen_rule_try },
		{ 'M', "Move to", "rule.smtp.move", .form = &form_rule_place },
		{ 'X', "As text", "rule.smtp.apply", .run = as_text, .help = "Edit all SMTP rules as one text." },
		{ 0 } },
	.detail = (const struct detail[]){
		{ "Conditions", "conditions", 4 },
		{ "Action", "action" },
		{ "Target", "target", 2 },
		{ "Line", "line" },
		{ "Hits", "hits" },
		{ 0 } },
	.tabs = rule_tabs,
	.help = "Rules for all that comes by SMTP: the first that holds is what happens; without one mail is accepted.",
	.poll = true,
};

/* ---- monitoring ---- */

#define CLASSES "none|selected|all"

static const struct form_class monitor_add = {
	.title = "New profile",
	.fields = (const struct form_field[]){
		{ "New profile", "name", "Name", FORM_TEXT, NULL, "its name in traces", .names_row = true, .keyed = true },
		{ NULL, "incoming", "Incoming", FORM_CHOICE, CLASSES, "from the Internet; selected: of the users who have Monitored", .keyed = true },
		{ NULL, "outgoing", "Outgoing", FORM_CHOICE, CLASSES, "to the Internet", .keyed = true },
		{ NULL, "internal", "Internal", FORM_CHOICE, CLASSES, "between colleagues", .keyed = true },
		{ NULL, "target", "Copies to", FORM_TEXT, NULL, "a user or a list; F4 lists them", .pick = "user.list maillist.list", .keyed = true },
		{ 0 } },
};

static const struct form_class monitor_form = {
	.title = "Monitoring",
	.save = "rule.monitor.set",
	.fields = (const struct form_field[]){
		{ "Monitoring", "name", "Name", FORM_SHOWN, NULL, "", .keyed = true },
		{ NULL, "incoming", "Incoming", FORM_CHOICE, CLASSES, "from the Internet; selected: of the users below and of those who have Monitored" },
		{ NULL, "outgoing", "Outgoing", FORM_CHOICE, CLASSES, "to the Internet" },
		{ NULL, "internal", "Internal", FORM_CHOICE, CLASSES, "between colleagues" },
		{ NULL, "target", "Copies to", FORM_TEXT, NULL, "a user or a list; F4 lists them", .pick = "user.list maillist.list" },
		{ NULL, "users", "Users too", FORM_LIST, NULL, "of this profile, beside those who have Monitored" },
		{ NULL, "min_kb", "Larger than (kB)", FORM_NUMBER, NULL, "0: any size; attached files count" },
		{ NULL, "sample_percent", "Sample (%)", FORM_NUMBER, NULL, "of these messages, by chance; 0: none" },
		{ NULL, "sample_target", "Sample to", FORM_TEXT, NULL, "a user or a list; F4 lists them", .pick = "user.list maillist.list" },
		{ NULL, "flagged", "Monitored users", FORM_SHOWN, NULL, "" },
		{ NULL, "warnings", "Warnings", FORM_SHOWN, NULL, "" },
		{ 0 } },
};

static const struct screen_class screen_profile = {
	.name = "profile",
	.title = "Profile",
	.panel = &form_panel,
	.method = "rule.monitor.show",
	.subject = "name",
	.form = &monitor_form,
};

const struct screen_class screen_monitor = {
	.name = "monitor",
	.title = "Monitor",
	.method = "rule.monitor.list",
	.columns = (const struct column[]){
		{ "Name", "name", 12, 0, COLUMN_GROW },
		{ "Incoming", "incoming", 8 },
		{ "Outgoing", "outgoing", 8 },
		{ "Internal", "internal", 8 },
		{ "Copies to", "target", 18, 0, COLUMN_GROW },
		{ "Over kB", "min_kb", 7, 1 },
		{ "Sample", "sample_percent", 6, 2 },
		{ "Sample to", "sample_target", 14, 3, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Open", .open = &screen_profile },
		{ 'e', "Edit", .open = &screen_profile },
		{ 'c', "Create", "rule.monitor.set", .form = &monitor_add },
		{ 'd', "Remove", "rule.monitor.remove" },
		{ 0 } },
	.tabs = rule_tabs,
	.help = "Copies of mail for somebody who watches: nobody who wrote or got it sees that.",
};
