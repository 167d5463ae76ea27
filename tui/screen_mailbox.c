/*
 * screen_mailbox.c - the mailbox of a user, its bin, and one message of it.
 */
#include "tui/screen_rows.h"

const struct screen_class screen_mailbox = {
	.name = "mailbox",
	.title = "Mailbox",
	.method = "message.list",
	.subject = "user",
	.columns = (const struct column[]){
		{ "UID", "uid", 6 },
		{ "Date", "date", 12, 3 },
		{ "Size", "size", 6, 1 },
		{ "Held", "held", 4, 2 },
		{ "From", "from", 24, 0, COLUMN_GROW },
		{ "Subject", "subject", 30, 0, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Read", .open = &screen_letter_header },
		{ 'H', "Hold/release", "message.hold", .other = { "held", "true", "message.release" } },
		{ 'd', "Remove", "message.remove" },
		{ 0 } },
	.tabs = user_tabs,
	.help = "The INBOX of a user.",
};

static const struct screen_class *const letter_tabs[] = { &screen_letter_header,
	&screen_letter_body, &screen_letter_raw, NULL };

#define LETTER(NAME, TITLE, PARTS) \
	{ .name = NAME, .title = TITLE, .panel = &text_panel, .method = "message.show", \
		.subject = "uid", .subject_field = "uid", .parts = PARTS, .tabs = letter_tabs }

const struct screen_class screen_letter_header = LETTER("header", "Headers", MESSAGE_FACTS | MESSAGE_HEADER);
const struct screen_class screen_letter_body = LETTER("body", "Body", MESSAGE_BODY);
const struct screen_class screen_letter_raw = LETTER("raw", "Raw", MESSAGE_HEADER | MESSAGE_BODY);

const struct screen_class screen_mailbox_bin = {
	.name = "bin",
	.title = "Bin",
	.method = "message.bin",
	.subject = "user",
	.columns = (const struct column[]){
		{ "Removed", "removed", 12 },
		{ "Until", "until", 12, 2 },
		{ "Size", "size", 6, 1 },
		{ "From", "from", 24, 0, COLUMN_GROW },
		{ "Subject", "subject", 30, 0, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'E', "Restore", "message.restore" },
		{ 'D', "Purge", "message.purge" },
		{ 0 } },
	.tabs = user_tabs,
	.help = "What was removed from the mailbox and can still be put back.",
};
