/*
 * screen_folders.c - the folders of a user, and those in Shared/: the tree, who else may what in one, its
 * messages.
 */
#include "tui/screen_rows.h"

#define USES "none|sent|drafts|trash|junk|archive"

static const struct form_class folder_add = {
	.title = "New folder",
	.fields = (const struct form_field[]){
		{ "New folder", "folder", "Name", FORM_TEXT, NULL, "with a / between levels: Work/2026; Shared/... is a folder of nobody", .names_row = true },
		{ 0 } },
};

static const struct form_class folder_rename = {
	.title = "New name",
	.fields = (const struct form_field[]){
		{ "New name", "new_name", "New name", FORM_TEXT, NULL, "what lies below it moves along; mail programs see it under the new name", "folder", true },
		{ 0 } },
};

static const struct form_class folder_set = {
	.title = "Use",
	.fields = (const struct form_field[]){
		{ "Use", "use", "Use", FORM_CHOICE, USES, "what mail programs take it for; one folder for each", .from = "use", .keyed = true },
		{ NULL, "own_seen", "Own \\Seen", FORM_FLAG, NULL, "each of those who share it has read his own messages", .from = "own_seen", .keyed = true },
		{ 0 } },
};

static const struct form_class right_add = {
	.title = "Give rights",
	.fields = (const struct form_field[]){
		{ "Give rights", "who", "Who", FORM_TEXT, NULL, "a user, group:NAME, anyone; with - in front: what is denied", .names_row = true },
		{ NULL, "rights", "Rights", FORM_TEXT, NULL, "lrs reads; i adds, w flags, te deletes, kx folders, a gives rights; all, none" },
		{ 0 } },
};

static const struct form_class right_set = {
	.title = "Change rights",
	.fields = (const struct form_field[]){
		{ "Change rights", "who", "Who", FORM_TEXT, NULL, "a user, group:NAME, anyone; with - in front: what is denied", "who", true },
		{ NULL, "rights", "Rights", FORM_TEXT, NULL, "letters; +i adds one, -i takes it; all, none", "rights" },
		{ 0 } },
};

const struct screen_class screen_folder_rights = {
	.name = "rights",
	.title = "Rights",
	.method = "folder.rights",
	.columns = (const struct column[]){
		{ "Who", "who", 20, 0, COLUMN_GROW },
		{ "Rights", "rights", 12 },
		{ "Meaning", "meaning", 40, 1, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'c', "Give", "folder.share", .form = &right_add },
		{ 'e', "Change", "folder.share", .form = &right_set },
		{ 'd', "Take away", "folder.share", .params = "\"rights\":\"none\"", .help = "Nothing is given to (or denied) this one any more." },
		{ 0 } },
	.help = "Who else may do what in the folder (RFC 4314). What is in front of a - is denied.",
};

const struct screen_class screen_folder_mail = {
	.name = "folder",
	.title = "Folder",
	.method = "message.list",
	.subject = "folder",
	.columns = mail_columns,
	.keys = mail_keys,
	.help = "The messages of a folder.",
};

/* PARAMS: of the one that makes a folder, where no row says whose it would be. */
#define FOLDER_KEYS(PARAMS) \
	{ KEY_RETURN, "Messages", .open = &screen_folder_mail }, \
	{ 'c', "Create", "folder.add", .params = PARAMS, .form = &folder_add }, \
	{ 'W', "Rename", "folder.rename", .form = &folder_rename }, \
	{ 'R', "Rights", .open = &screen_folder_rights }, \
	{ 'E', "Use", "folder.set", .form = &folder_set }, \
	{ 'd', "Remove", "folder.remove" }, \
	{ 'B', "From the bin", "folder.undelete", .take = "folder" }, \
	{ 'A', "Recount", "folder.recount" }

static const struct column folder_columns[] = {
	{ "Folder", "folder", 30, 0, COLUMN_GROW },
	{ "Use", "use", 8, 3 },
	{ "Messages", "messages", 8 },
	{ "Unseen", "unseen", 6, 4 },
	{ "Size", "size", 6, 2 },
	{ "Subs", "subscribed", 4, 1 },
	{ "Shared with", "shared", 22, 5, COLUMN_GROW },
	{ 0 }
};

const struct screen_class screen_folders = {
	.name = "folders",
	.title = "Folders",
	.method = "folder.list",
	.subject = "user",
	.columns = folder_columns,
	.keys = (const struct key_action[]){
		FOLDER_KEYS(NULL),
		{ 'S', "Subscribe", "folder.subscribe", .other = { "subscribed", "true", "folder.unsubscribe" } },
		{ 0 } },
	.open = &screen_folder_mail,
	.tabs = user_tabs,
	.help = "Folders of a user, INBOX first. Subs: his mail programs show it.",
};

const struct screen_class screen_shared = {
	.name = "shared",
	.title = "Shared",
	.method = "folder.list",
	.columns = folder_columns,
	.keys = (const struct key_action[]){
		FOLDER_KEYS("\"user\":\"Shared/\""),
		{ 0 } },
	.open = &screen_folder_mail,
	.help = "Folders that belong to nobody: an administrator makes them, R says who may do what in one.",
};
