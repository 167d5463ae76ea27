/*
 * screen_prune.c - prune rules: those of all, those of one user, and what would go now.
 */
#include "tui/screen_rows.h"

#define PRUNE_FIELDS(TITLE, FROM) \
	{ TITLE, "folder", "Folder", FORM_TEXT, NULL, "its full name, or * for every folder; empty: INBOX", FROM("folder"), .keyed = true }, \
	{ NULL, "age", "Age (days)", FORM_NUMBER, NULL, "since it came; 0: every message; empty: 365", FROM("age"), .keyed = true }, \
	{ NULL, "size", "Size", FORM_TEXT, NULL, "at least this: 50kB; empty or 0: any", FROM("size"), .keyed = true }, \
	{ NULL, "read", "Read", FORM_CHOICE, "any|read|unread", "whether it was read", FROM("read"), .keyed = true }, \
	{ NULL, "flagged", "Flagged", FORM_CHOICE, "any|flagged|unflagged", "whether it has a star", FROM("flagged"), .keyed = true }, \
	{ NULL, "deleted", "Deleted", FORM_FLAG, NULL, "only what a program marked as deleted", FROM("deleted"), .keyed = true }, \
	{ NULL, "spam", "Spam", FORM_FLAG, NULL, "only what is marked as spam", FROM("spam"), .keyed = true }
#define NOTHING(NAME) NULL
#define OF_ROW(NAME) NAME

static const struct form_class prune_add = {
	.title = "New prune rule",
	.fields = (const struct form_field[]){
		PRUNE_FIELDS("New prune rule", NOTHING),
		{ NULL, "user", "User", FORM_TEXT, NULL, "empty: for everybody" },
		{ 0 } },
};

static const struct form_class prune_add_own = {
	.title = "New prune rule of the user",
	.fields = (const struct form_field[]){ PRUNE_FIELDS("New prune rule", NOTHING), { 0 } },
};

static const struct form_class prune_edit = {
	.title = "Change prune rule",
	.fields = (const struct form_field[]){ PRUNE_FIELDS("Change prune rule", OF_ROW), { 0 } },
};

static const struct column going_columns[] = {
	{ "User", "user", 10, 0, COLUMN_GROW },
	{ "Folder", "folder", 8, 2, COLUMN_GROW },
	{ "Rule", "rule", 4, 4 },
	{ "Came", "received", 12, 1 },
	{ "Size", "size", 6, 3 },
	{ "From", "from", 20, 0, COLUMN_GROW },
	{ "Subject", "subject", 24, 0, COLUMN_GROW },
	{ 0 },
};

static const char going_help[] =
	"What prune rules would put into the bins if they ran now; from there it comes back for users.bin_keep.";

const struct screen_class screen_prune_preview = {
	.name = "prune-preview",
	.title = "Would go",
	.method = "rule.prune.preview",
	.columns = going_columns,
	.keys = (const struct key_action[]){ { 'R', "Prune now", "rule.prune.run" }, { 0 } },
	.help = going_help,
};

static const struct screen_class screen_user_prune_preview = {
	.name = "user-prune-preview",
	.title = "Would go",
	.method = "rule.prune.preview",
	.take = "user",
	.subject = "user",
	.columns = going_columns,
	.keys = (const struct key_action[]){ { 'R', "Prune now", "rule.prune.run", .take = "user" }, { 0 } },
	.help = going_help,
};

static const struct column prune_columns[] = {
	{ "Id", "id", 4 },
	{ "User", "user", 14, 0, COLUMN_GROW },
	{ "Folder", "folder", 18, 0, COLUMN_GROW },
	{ "Days", "age", 6 },
	{ "Size", "size", 7, 1 },
	{ "Read", "read", 6, 2 },
	{ "Flagged", "flagged", 9, 3 },
	{ "Deleted", "deleted", 7, 4 },
	{ "Spam", "spam", 5, 5 },
	{ 0 },
};

static const struct screen_class screen_prune_status = {
	.name = "prune-status",
	.title = "Next round",
	.panel = &text_panel,
	.method = "rule.prune.status",
};

const struct screen_class screen_prune = {
	.name = "prune",
	.title = "Prune",
	.method = "rule.prune.list",
	.columns = prune_columns,
	.keys = (const struct key_action[]){
		{ 'X', "What would go", .open = &screen_prune_preview },
		{ 'R', "Prune now", "rule.prune.run" },
		{ 'S', "Next round", .open = &screen_prune_status },
		{ 'c', "Create", "rule.prune.add", .form = &prune_add },
		{ 'e', "Edit", "rule.prune.set", .form = &prune_edit },
		{ 'd', "Remove", "rule.prune.remove" },
		{ 0 } },
	.tabs = rule_tabs,
	.help = "Messages that match a rule go to the bin of their user by themselves. Rules without a user are for all.",
};

const struct screen_class screen_user_prune = {
	.name = "user-prune",
	.title = "Prune",
	.method = "rule.prune.list",
	.subject = "user",
	.columns = prune_columns,
	.keys = (const struct key_action[]){
		{ 'X', "What would go", .open = &screen_user_prune_preview },
		{ 'R', "Prune now", "rule.prune.run", .take = "user" },
		{ 'c', "Create", "rule.prune.add", .form = &prune_add_own },
		{ 'e', "Edit", "rule.prune.set", .form = &prune_edit },
		{ 'd', "Remove", "rule.prune.remove" },
		{ 0 } },
	.tabs = user_tabs,
	.help = "The user's own rules; those for all are on the screen Rules. What they take goes to his bin.",
};
