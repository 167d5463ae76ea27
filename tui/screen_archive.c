/*
 * screen_archive.c - the archive: what goes into it, search, and its messages.
 */
#include "tui/screen_rows.h"

/* ---- what is archived ---- */

static const struct form_class archive_form = {
	.title = "Archive",
	.save = "archive.set",
	.fields = (const struct form_field[]){
		{ "Archive", "on", "Archive", FORM_FLAG, NULL, "one copy of every message is kept, with its envelope" },
		{ NULL, "incoming", "Incoming", FORM_FLAG, NULL, "what comes from elsewhere" },
		{ NULL, "outgoing", "Outgoing", FORM_FLAG, NULL, "what our users send elsewhere" },
		{ NULL, "internal", "Internal", FORM_FLAG, NULL, "what they send to each other" },
		{ NULL, "rules", "Kept by rules", FORM_LIST, NULL, "DAYS [from=PATTERN] [to=PATTERN]: the first that fits counts before what is below; 0: for ever" },
		{ NULL, "keep_days", "Keep (days)", FORM_NUMBER, NULL, "0: for ever; what is held stays" },
		{ NULL, "keep_incoming", "... incoming", FORM_NUMBER, NULL, "0: as above" },
		{ NULL, "keep_outgoing", "... outgoing", FORM_NUMBER, NULL, "0: as above" },
		{ NULL, "keep_internal", "... internal", FORM_NUMBER, NULL, "0: as above" },
		{ NULL, "max_size", "At most", FORM_TEXT, NULL, "the oldest go while the archive has more: 50GB; 0: any size" },
		{ NULL, "messages", "Messages", FORM_SHOWN, NULL, "" },
		{ NULL, "size", "Size", FORM_SHOWN, NULL, "" },
		{ NULL, "removed", "Taken by age", FORM_SHOWN, NULL, "" },
		{ 0 } },
};

const struct screen_class screen_archiving = {
	.name = "archiving",
	.title = "Archive",
	.panel = &form_panel,
	.method = "archive.settings",
	.form = &archive_form,
	.tabs = rule_tabs,
	.help = "What is archived, and for how long. Its messages are on the screen Archive search (:archive).",
};

/* ---- messages ---- */

static const struct screen_class *const archived_tabs[] = { &screen_archived_header,
	&screen_archived_body, &screen_archived_parts, &screen_archived_raw, NULL };

#define ARCHIVED(NAME, TITLE, PARTS) \
	{ .name = NAME, .title = TITLE, .panel = &text_panel, .method = "archive.show", \
		.subject = "id", .subject_field = "id", .parts = PARTS, .tabs = archived_tabs }

const struct screen_class screen_archived_header =
	ARCHIVED("archived-header", "Headers", MESSAGE_FACTS | MESSAGE_HEADER);
const struct screen_class screen_archived_body = ARCHIVED("archived-body", "Body", MESSAGE_TEXT);
const struct screen_class screen_archived_parts = ARCHIVED("archived-parts", "Parts", MESSAGE_PARTS);
const struct screen_class screen_archived_raw =
	ARCHIVED("archived-raw", "Raw", MESSAGE_HEADER | MESSAGE_BODY);

static const struct form_class archive_copy = {
	.title = "Copy to a mailbox",
	.fields = (const struct form_field[]){
		{ "Copy to a mailbox", "user", "User", FORM_TEXT, NULL, "whose mailbox" },
		{ NULL, "folder", "Folder", FORM_TEXT, NULL, "made where it is not there; empty: INBOX" },
		{ 0 } },
};

static const struct form_class archive_export = {
	.title = "Export messages",
	.fields = (const struct form_field[]){
		{ "Export messages", "out", "File", FORM_FILE, NULL, "a new file: ~/found.mbox; the marked messages, or the one under the cursor, go into it" },
		{ NULL, "format", "Form", FORM_CHOICE, "mbox|zip", "mbox: one file that mail programs read; zip: a file for each message" },
		{ 0 } },
};

static const struct form_class archive_hold = {
	.title = "Hold",
	.fields = (const struct form_field[]){
		{ "Hold", "why", "Why", FORM_TEXT, NULL, "the case, for the log of changes; may be empty" },
		{ 0 } },
};

static const struct form_class archive_prove = {
	.title = "Verify",
	.fields = (const struct form_field[]){
		{ "Verify", "against", "Against", FORM_TEXT, NULL, "ID:CHAIN as an earlier check printed it; empty: the archive by itself" },
		{ 0 } },
};

static const struct column archive_columns[] = {
	{ "Date", "time", 12 },
	{ "From", "from", 20, 0, COLUMN_GROW },
	{ "To", "to", 20, 0, COLUMN_GROW },
	{ "Subject", "subject", 20, 0, COLUMN_GROW },
	{ "Size", "size", 6, 2 },
	{ "Direction", "direction", 9, 1 },
	{ "Hold", "hold", 4, 3 },
	{ 0 },
};

static const struct detail archive_detail[] = {
	{ "To", "to", 3 },
	{ "Subject", "subject", 2 },
	{ "Logged in as", "user" },
	{ "By", "service" },
	{ "Message", "message" },
	{ 0 },
};

#define ARCHIVE_KEYS \
	{ KEY_RETURN, "Read", .open = &screen_archived_header, .help = "Show an archived message; each reading is audited." }, \
	{ 'X', "Export", "archive.export", .form = &archive_export }, \
	{ 'M', "Copy", "archive.copy", .form = &archive_copy }, \
	{ 'H', "Hold", "archive.hold", .form = &archive_hold }, \
	{ 'U', "Release", "archive.release" }, \
	{ 'Y', "Verify", "archive.verify", .form = &archive_prove }

/* ---- search ---- */

static const struct form_class archive_search = {
	.title = "Search the archive",
	.does = "Search",
	.fields = (const struct form_field[]){
		{ "Search the archive", "from", "From", FORM_TEXT, NULL, "an address or words of one; in full with * and ?" },
		{ NULL, "to", "To", FORM_TEXT, NULL, "of the envelope: it finds blind copies too" },
		{ NULL, "text", "Words", FORM_TEXT, NULL, "of subject, header and body; all of them" },
		{ NULL, "subject", "Subject", FORM_TEXT, NULL, "words of it" },
		{ NULL, "since", "Since", FORM_TEXT, NULL, "2026-11-20, 2026-11-20T14:00, or 30d: so long ago" },
		{ NULL, "until", "Until", FORM_TEXT, NULL, "the same; a day is meant with all of it" },
		{ NULL, "min_size", "At least", FORM_TEXT, NULL, "a size: 1MB" },
		{ NULL, "max_size", "At most", FORM_TEXT, NULL, "a size: 20MB" },
		{ NULL, "attachment", "Attachment", FORM_TEXT, NULL, "the name of a file: *.pdf" },
		{ NULL, "direction", "Direction", FORM_CHOICE, "|incoming|outgoing|internal", "empty: any" },
		{ NULL, "held", "Held only", FORM_FLAG, NULL, "what is kept from retention" },
		{ 0 } },
};

static const struct screen_class screen_archive_found = {
	.name = "archive-found",
	.title = "Found",
	.method = "archive.search",
	.take = "from to text subject since until min_size max_size attachment direction held",
	.columns = archive_columns,
	.keys = (const struct key_action[]){ ARCHIVE_KEYS, { 0 } },
	.detail = archive_detail,
	.still = true,
	.help = "What the archive has of what was asked; Esc goes back to the question.",
};

const struct screen_class screen_archive = {
	.name = "archive",
	.title = "Archive search",
	.method = "archive.search",
	.columns = archive_columns,
	.keys = (const struct key_action[]){
		{ 'S', "Search", "archive.search", .form = &archive_search, .open = &screen_archive_found },
		ARCHIVE_KEYS,
		{ 0 } },
	.detail = archive_detail,
	.still = true,
	.help = "Archived messages, the newest first; S asks for some of them. It looks again when r is pressed: each look is audited.",
};
