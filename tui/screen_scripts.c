/*
 * screen_scripts.c - scripts in Lua: those of users, the content rules, and what they may call.
 */
#include "tui/edit_panel.h"
#include "tui/screen_rows.h"

static const struct form_class script_file = {
	.title = "Put a script in force",
	.fields = (const struct form_field[]){
		{ "Put a script in force", "file", "File", FORM_FILE, NULL, "its name: ~/anna.lua; one that does not compile changes nothing, an empty one removes the script" },
		{ 0 } },
};

static const char script_help[] =
	"Lua; H on the screen before lists what it may call and read. What does not compile changes nothing; an empty text takes the script away.";

static const struct screen_class screen_user_script_text = {
	.name = "script-text",
	.title = "Script",
	.panel = &edit_panel,
	.method = "user.script",
	.edit = &(const struct edit_class){ .save = "user.script.set", .help = script_help },
};

static const struct screen_class screen_content_text = {
	.name = "content-text",
	.title = "Content rules",
	.panel = &edit_panel,
	.method = "rule.content.show",
	.edit = &(const struct edit_class){ .save = "rule.content.apply", .check = "rule.content.check", .help = script_help },
};

static void
edit_user_script(struct screen *s)
{
	console_open(s->console, &screen_user_script_text, NULL, SPAN("as text"));
}

static void
edit_content(struct screen *s)
{
	console_open(s->console, &screen_content_text, NULL, SPAN("as text"));
}

const struct screen_class screen_functions = {
	.name = "functions",
	.title = "Functions",
	.method = "script.functions",
	.columns = (const struct column[]){
		{ "Name", "name", 30 },
		{ "In", "scripts", 8, 1 },
		{ "What it does", "help", 40, 0, COLUMN_GROW },
		{ 0 } },
	.detail = (const struct detail[]){ { "What it does", "help", 5 }, { 0 } },
	.help = "What a script may call and read. A script changes nothing by itself: it says what is to be done.",
};

const struct screen_class screen_scripts = {
	.name = "scripts",
	.title = "Scripts",
	.method = "script.list",
	.columns = (const struct column[]){
		{ "User", "user", 20, 0, COLUMN_GROW },
		{ "Bytes", "bytes", 7, 1 },
		{ "Changed", "changed", 12 },
		{ "By", "by", 16, 2, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Open", .open = &screen_user_script },
		{ 'H', "Functions", .open = &screen_functions },
		{ 0 } },
	.help = "Users whose mail is routed by a script of their own. A user's script is put in force on his tab Script.",
};

const struct screen_class screen_user_script = {
	.name = "script",
	.title = "Script",
	.panel = &text_panel,
	.method = "user.script",
	.subject = "user",
	.keys = (const struct key_action[]){
		{ 'e', "Edit", "user.script.set", .run = edit_user_script },
		{ 'U', "Put in force", "user.script.set", .form = &script_file },
		{ 'H', "Functions", .open = &screen_functions },
		{ 0 } },
	.tabs = user_tabs,
	.help = "The script that routes the user's mail; U puts a file in force, u takes that back.",
};

const struct screen_class screen_content = {
	.name = "content",
	.title = "Content",
	.panel = &text_panel,
	.method = "rule.content.show",
	.keys = (const struct key_action[]){
		{ 'e', "Edit", "rule.content.apply", .run = edit_content },
		{ 'U', "Put in force", "rule.content.apply", .form = &script_file },
		{ 'C', "Check", "rule.content.check" },
		{ 'H', "Functions", .open = &screen_functions },
		{ 0 } },
	.tabs = rule_tabs,
	.help = "The script that looks at header, text and attachments of all mail; U puts a file in force.",
};
