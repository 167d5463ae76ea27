/*
 * screen_download.c - what is decided of a message before it is fetched: the list of rules, one as a form.
 *
 * The text of a rule is that of rules.download: "+>fred?Name", then a condition a line; the server reads and checks it.
 */
#include "tui/screen_rows.h"
#include "tui/table_panel.h"

static const struct {
	const char *word, *sign;
	bool names; /* a target may stand before it */
} actions[] = {
	{ "fetch", "<", true }, { "fetch-and-delete", "%", true }, { "ask", "?", true }, { "delete", "*", true },
	{ "delete-silently", "@", false }, { "ignore", "~", false },
};
#define ACTIONS "fetch|fetch-and-delete|ask|delete|delete-silently|ignore"

static bool
make(struct screen *form, struct buf *out)
{
	bool off = !span_eq(form_get(form, "enabled", 0), SPAN("yes"));
	struct span word = form_get(form, "action", 0), target = span_trim(form_get(form, "target", 0));
	const char *any = span_eq(form_get(form, "match", 0), SPAN("any")) ? "+" : "";
	const char *also = span_eq(form_get(form, "also", 0), SPAN("yes")) ? "+" : "";
	size_t i = 0;
	struct arena a;

	while (i + 1 < COUNT(actions) && !span_eq(word, span_of(actions[i].word)))
		i++;
	arena_init(&a, NULL);
	if (target.len > 0 && actions[i].names)
		rule_put_line(out, off, arena_printf(&a, "%s>%s%.*s%s%.*s", any, also, SPAN_FMT(target), actions[i].sign,
			SPAN_FMT(form_get(form, "name", 0))));
	else
		rule_put_line(out, off, arena_printf(&a, "%s%s%.*s", any, actions[i].sign, SPAN_FMT(form_get(form, "name", 0))));
	rule_put_conditions(form, out);
	arena_reset(&a);
	return !out->overflow && form_get(form, "more", 0).len == 0;
}

/* ">+fred?" ends with the sign of what is done. */
static void
begin(struct screen *form, const struct json *row)
{
	struct span sign = json_text(json_find(row, SPAN("action")));

	if (!row) {
		form_begin_with(form, "enabled", 0, SPAN("yes"));
		return;
	}
	for (size_t i = 0; i < COUNT(actions) && sign.len > 0; i++)
		if (sign.ptr[sign.len - 1] == actions[i].sign[0])
			form_begin_with(form, "action", 0, span_of(actions[i].word));
	rule_begin_conditions(form, row);
}

#define NOTHING(NAME) NULL
#define OF_ROW(NAME) NAME
#define CONDITION { NULL, "condition", "and", FORM_LINE, NULL, "[!]Field: text; Size, Rcpt, Any, TimeNow, DayNow, InMail or a header field" }
#define CONDITIONS_4 CONDITION, CONDITION, CONDITION, CONDITION
#define RULE_FIELDS(TITLE, FROM) \
	{ TITLE, "name", "Name", FORM_TEXT, NULL, "stands in notices and in the log", FROM("name") }, \
	{ NULL, "enabled", "Enabled", FORM_FLAG, NULL, "off: its lines become comments", FROM("enabled") }, \
	{ NULL, "match", "Match", FORM_CHOICE, "all|any", "all of the conditions, or any of them", FROM("match") }, \
	{ NULL, "action", "Then", FORM_CHOICE, ACTIONS, "ask: who gets it is asked by mail; delete: at the provider, and somebody is told; ignore: it stays there" }, \
	{ NULL, "target", "Whom", FORM_TEXT, NULL, "is given, told or asked it instead: a user or a list; empty: who it is for. F4 lists them", FROM("target"), .pick = "user.list maillist.list" }, \
	{ NULL, "also", "... as well", FORM_FLAG, NULL, "besides those it is for, not instead", FROM("also") }, \
	{ NULL, "condition", "When", FORM_LINE, NULL, "[!]Field: text; ! negates; found anywhere, \"all of it\"; Size: 20000, From: @dest8.test, InMail: 1,3-7" }, \
	CONDITION, CONDITION, CONDITION, CONDITIONS_4, CONDITIONS_4, CONDITIONS_4, CONDITIONS_4, \
	{ NULL, "more", "... and more", FORM_SHOWN, NULL, "" }

static const char cannot[] = "the rule has more conditions than the form holds: X on the list edits all of them as text";

static const struct form_class download_new = {
	.title = "New download rule",
	.fields = (const struct form_field[]){ RULE_FIELDS("New download rule", NOTHING), { 0 } },
	.made = "text",
	.cannot = cannot,
	.make = make,
	.begin = begin,
	.trial = &screen_download_try,
	.trial_field = "rule",
};

static const struct form_class download_form = {
	.title = "Download rule",
	.fields = (const struct form_field[]){ RULE_FIELDS("Download rule", OF_ROW), { 0 } },
	.made = "text",
	.cannot = cannot,
	.make = make,
	.begin = begin,
	.trial = &screen_download_try,
	.trial_field = "rule",
};

static void
as_text(struct screen *s)
{
	console_open(s->console, &screen_download_text, NULL, SPAN("as text"));
}

/* With its comments. */
static const struct screen_class screen_download_rule = {
	.name = "download-rule",
	.title = "Rule",
	.panel = &text_panel,
	.method = "rule.download.show",
	.subject = "number",
	.subject_field = "number",
	.take = "number",
};

static void
open_asked(struct screen *s)
{
	(void)console_go(s->console, &screen_asked);
}

#define NOT_AUTOMATIC .never = { "automatic", "this one is the limit of a collector: change its max_kb there (9)" }

const struct screen_class screen_download = {
	.name = "download",
	.title = "Download",
	.method = "rule.download.list",
	.columns = (const struct column[]){
		{ "No", "number", 3 },
		{ "On", "enabled", 4 },
		{ "Name", "name", 16, 0, COLUMN_GROW },
		{ "Match", "match", 5, 1 },
		{ "Conditions", "conditions", 18, 5, COLUMN_GROW },
		{ "Action", "action", 8 },
		{ "Auto", "automatic", 4, 2 },
		{ "24 h", "hits_24h", 6, 4 },
		{ "Last hit", "last_hit", 12, 3 },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Text", .open = &screen_download_rule, NOT_AUTOMATIC },
		{ 'E', "On/off", "rule.download.off", .take = "number", .other = { "enabled", "false", "rule.download.on" }, NOT_AUTOMATIC },
		{ 'K', "Move up", "rule.download.move", .run = rule_up, NOT_AUTOMATIC },
		{ 'J', "Move down", "rule.download.move", .run = rule_down, NOT_AUTOMATIC },
		{ 'c', "Create", "rule.download.add", .form = &download_new },
		{ 'e', "Edit", "rule.download.set", .form = &download_form, NOT_AUTOMATIC },
		{ 'd', "Remove", "rule.download.remove", NOT_AUTOMATIC },
		{ 'T', "Test", "rule.download.try", .open = &screen_download_try },
		{ 'M', "Move to", "rule.download.move", .form = &form_rule_place, NOT_AUTOMATIC },
		{ 'Q', "Questions", "rule.download.ask.list", .run = open_asked, .help = "Messages about which somebody was asked, and what was answered." },
		{ 'X', "As text", "rule.download.apply", .run = as_text, .help = "Edit all download rules as one text." },
		{ 0 } },
	.detail = (const struct detail[]){
		{ "Conditions", "conditions", 4 },
		{ "Action", "action" },
		{ "Target", "target", 2 },
		{ "Line", "line" },
		{ "Hits", "hits" },
		{ 0 } },
	.tabs = rule_tabs,
	.help = "What becomes of mail at a provider before it is fetched: the first rule that holds. Without one it is fetched. Automatic ones are limits of collectors.",
	.poll = true,
};

const struct screen_class screen_asked = {
	.name = "asked",
	.title = "Questions",
	.method = "rule.download.ask.list",
	.columns = (const struct column[]){
		{ "Since", "since", 12, 3 },
		{ "Collector", "collector", 10, 2 },
		{ "From", "from", 18, 0, COLUMN_GROW },
		{ "Subject", "subject", 20, 0, COLUMN_GROW },
		{ "Size", "size", 6, 1 },
		{ "Asked", "asked", 14, 0, COLUMN_GROW },
		{ "Until", "until", 12, 4 },
		{ "Answer", "answer", 7 },
		{ "By", "by", 10, 5 },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'C', "Fetch it", "rule.download.ask.fetch" },
		{ 'd', "Remove there", "rule.download.ask.remove" },
		{ 0 } },
	.detail = (const struct detail[]){
		{ "From", "from" },
		{ "Subject", "subject", 2 },
		{ "Asked", "asked", 2 },
		{ "Rule", "rule" },
		{ "Answer by", "by" },
		{ 0 } },
	.help = "Messages that wait at a provider until somebody says whether they are fetched (Ask). An answer is carried out by the next collection.",
	.poll = true,
};
