/*
 * screen_server.c - settings, and the log of changes.
 */
#include "tui/screen_rows.h"

static const struct form_class setting_form = {
	.title = "Setting",
	.save = "config.set",
	.fields = (const struct form_field[]){
		{ "Setting", "key", "Key", FORM_SHOWN, NULL, "" },
		{ NULL, "value", "Value", FORM_TEXT, NULL, "lists as [\"a\", \"b\"]; F2 shows what the file would become", "text" },
		{ NULL, "type", "Type", FORM_SHOWN, NULL, "" },
		{ NULL, "default", "Is the default", FORM_SHOWN, NULL, "" },
		{ NULL, "needs", "Needs", FORM_SHOWN, NULL, "" },
		{ NULL, "help", "What it does", FORM_SHOWN, NULL, "" },
		{ 0 } },
};

const struct screen_class screen_setting = {
	.name = "setting",
	.title = "Setting",
	.panel = &form_panel,
	.method = "config.get",
	.subject = "key",
	.form = &setting_form,
};

const struct screen_class screen_settings = {
	.name = "settings",
	.title = "Settings",
	.method = "config.show",
	.columns = (const struct column[]){
		{ "Key", "key", 30, 0, COLUMN_GROW },
		{ "Value", "value", 30, 0, COLUMN_GROW },
		{ "Default", "default", 7, 1 },
		{ "Needs", "needs", 8, 2 },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Edit", .open = &screen_setting },
		{ 'e', "Edit", .open = &screen_setting },
		{ 'E', "In place", .run = settings_pending_edit, .help = "Edit the value here; it waits with others to be changed in one step." },
		{ 'A', "Change waiting", .run = settings_pending_apply, .help = "What the file would become with all that waits; y changes it, as one step." },
		{ 'R', "Drop waiting", .run = settings_pending_drop, .help = "Forget what waits; nothing was changed." },
		{ 'd', "Default", "config.unset" },
		{ 'D', "Diff", "config.diff", .help = "How the file differs from what is in force." },
		{ 0 } },
	.open = &screen_setting,
	.detail = (const struct detail[]){
		{ "Help", "help", 3 },
		{ "Type", "type" },
		{ 0 } },
	.title_more = settings_pending_title,
	.help = "Every key of the configuration file with the value in force.",
};

#define AUDIT_KEYS \
	{ 'U', "Undo this", "undo.apply", .take = "id", .help = "Take this change back; it is shown first." }, \
	{ 'W', "What it would do", "undo.preview", .take = "id" }

const struct screen_class screen_history = {
	.name = "history",
	.title = "History",
	.method = "undo.list",
	.filter = "object:",
	.columns = (const struct column[]){
		{ "When", "time", 12 },
		{ "Who", "who", 14, 1 },
		{ "What", "what", 16 },
		{ "Object", "object", 24, 0, COLUMN_GROW },
		{ "State", "state", 10 },
		{ 0 } },
	.keys = (const struct key_action[]){ AUDIT_KEYS, { 0 } },
	.tabs = user_tabs,
	.help = "Who changed what about this user, the newest first.",
};

const struct screen_class screen_audit = {
	.name = "audit",
	.title = "Audit & undo",
	.method = "undo.list",
	.columns = (const struct column[]){
		{ "When", "time", 12 },
		{ "Who", "who", 14 },
		{ "What", "what", 16 },
		{ "Object", "object", 24, 0, COLUMN_GROW },
		{ "State", "state", 10 },
		{ "ID", "id", 6, 1 },
		{ 0 } },
	.keys = (const struct key_action[]){ AUDIT_KEYS, { 0 } },
	.help = "Who changed what. U takes a change back, whoever made it; what it would do is shown first.",
};
