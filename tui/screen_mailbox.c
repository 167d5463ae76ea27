/*
 * screen_mailbox.c - the INBOX of a user, what is done with messages of any folder, the bin, one message.
 */
#include "tui/screen_rows.h"

static const struct form_field where_to[] = {
	{ "Where to", "to_folder", "Folder", FORM_TEXT, NULL, "made where it is not there; empty: INBOX" },
	{ NULL, "to_user", "Of user", FORM_TEXT, NULL, "empty: the same user" },
	{ NULL, "routed", "As new mail", FORM_FLAG, NULL, "to that user as if it came now: his assistants, forwarding and script act" },
	{ 0 } };
static const struct form_class move_to = { .title = "Move", .fields = where_to };
static const struct form_class copy_to = { .title = "Copy", .fields = where_to };

#define MAIL_KEYS(PARAMS) \
	{ KEY_RETURN, "Read", .open = &screen_letter_header }, \
	{ 'H', "Hold/release", "message.hold", .params = PARAMS, .take = "folder", .other = { "held", "true", "message.release" } }, \
	{ 'M', "Move", "message.move", .params = PARAMS, .take = "folder", .form = &move_to }, \
	{ 'C', "Copy", "message.copy", .params = PARAMS, .take = "folder", .form = &copy_to }, \
	{ 'd', "Remove", "message.remove", .params = PARAMS, .take = "folder" }, \
	{ 'P', "Purge", "message.purge", .params = PARAMS, .take = "folder", .help = "Remove messages for good, past the bin." }

const struct column mail_columns[] = {
	{ "UID", "uid", 6 },
	{ "Date", "date", 12, 3 },
	{ "Size", "size", 6, 1 },
	{ "Held", "held", 4, 2 },
	{ "From", "from", 24, 0, COLUMN_GROW },
	{ "Subject", "subject", 30, 0, COLUMN_GROW },
	{ 0 }
};

const struct key_action mail_keys[] = { MAIL_KEYS(NULL), { 0 } };

const struct screen_class screen_mailbox = {
	.name = "mailbox",
	.title = "Mailbox",
	.method = "message.list",
	.subject = "user",
	.columns = mail_columns,
	.keys = (const struct key_action[]){ MAIL_KEYS("\"folder\":\"INBOX\""), { 0 } },
	.tabs = user_tabs,
	.help = "The INBOX of a user; his other folders are on the tab Folders.",
};

static const struct screen_class *const letter_tabs[] = { &screen_letter_header,
	&screen_letter_body, &screen_letter_parts, &screen_letter_raw, NULL };

#define LETTER(NAME, TITLE, PARTS) \
	{ .name = NAME, .title = TITLE, .panel = &text_panel, .method = "message.show", \
		.subject = "uid", .subject_field = "uid", .take = "folder", .parts = PARTS, .tabs = letter_tabs }

const struct screen_class screen_letter_header = LETTER("header", "Headers", MESSAGE_FACTS | MESSAGE_HEADER);
const struct screen_class screen_letter_body = LETTER("body", "Body", MESSAGE_TEXT);
const struct screen_class screen_letter_parts = LETTER("parts", "Parts", MESSAGE_PARTS);
const struct screen_class screen_letter_raw = LETTER("raw", "Raw", MESSAGE_HEADER | MESSAGE_BODY);

const struct screen_class screen_mailbox_bin = {
	.name = "bin",
	.title = "Bin",
	.method = "message.bin",
	.subject = "user",
	.columns = (const struct column[]){
		{ "Removed", "removed", 12 },
		{ "Until", "until", 12, 3 },
		{ "Folder", "folder", 10, 2 },
		{ "Size", "size", 6, 1 },
		{ "From", "from", 24, 0, COLUMN_GROW },
		{ "Subject", "subject", 30, 0, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'E', "Restore", "message.restore" },
		{ 'R', "All of its folder", "folder.undelete", .take = "folder" },
		{ 'D', "Purge", "message.purge" },
		{ 0 } },
	.tabs = user_tabs,
	.help = "What was removed from the mailbox and can still be put back.",
};

const struct screen_class screen_bins = {
	.name = "bins",
	.title = "Bins",
	.method = "message.bins",
	.columns = (const struct column[]){
		{ "User", "user", 24, 0, COLUMN_GROW },
		{ "Messages", "messages", 8 },
		{ "Size", "size", 6 },
		{ "Oldest", "oldest", 12, 1 },
		{ "Goes for good", "until", 13 },
		{ 0 } },
	.keys = (const struct key_action[]){ { KEY_RETURN, "Open", .open = &screen_mailbox_bin }, { 0 } },
	.help = "The recycle bins that hold anything. What was removed or pruned is put back from there.",
};
