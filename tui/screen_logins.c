/*
 * screen_logins.c - by what a user logs in and which addresses lead to her: app passwords, mappings.
 */
#include "tui/screen_rows.h"

static const struct form_class app_add = {
	.title = "New app password",
	.fields = (const struct form_field[]){
		{ "New app password", "label", "Device", FORM_TEXT, NULL, "for people: phone, till 2; the password is shown once" },
		{ NULL, "protocols", "Protocols", FORM_WORDS, "pop3|imap|smtp|ldap", "with , between; empty: all of these" },
		{ 0 } },
};

const struct screen_class screen_logins = {
	.name = "logins",
	.title = "Logins",
	.method = "apppass.list",
	.subject = "user",
	.columns = (const struct column[]){
		{ "Device", "label", 20, 0, COLUMN_GROW },
		{ "Protocols", "protocols", 32, 1, COLUMN_GROW },
		{ "Created", "created", 12, 3 },
		{ "Last used", "last_used", 12 },
		{ "By", "last_by", 6, 2 },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'c', "Create", "apppass.add", .form = &app_add },
		{ 'd', "Revoke", "apppass.remove" },
		{ 0 } },
	.tabs = user_tabs,
	.help = "Passwords for one device each, for mail programs alone.",
};

const struct screen_class screen_mapped = {
	.name = "mapped",
	.title = "Mappings",
	.method = "mapping.list",
	.filter = "target:",
	.columns = mapping_columns,
	.keys = mapping_keys,
	.tabs = user_tabs,
	.help = "Address patterns that lead to the user.",
};
