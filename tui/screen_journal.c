/*
 * screen_journal.c - the journal: where its copies go, and the seats that say whose mail it covers.
 */
#include "tui/screen_rows.h"

static const struct screen_class *const journal_tabs[] = { &screen_seats, &screen_journal, NULL };

static const struct form_class journal_form = {
	.title = "Journal",
	.save = "journal.set",
	.fields = (const struct form_field[]){
		{ "Journal", "internal", "Mailbox here", FORM_TEXT, NULL, "a user; whoever collects the journal logs in as him; empty: none" },
		{ NULL, "external", "Address elsewhere", FORM_TEXT, NULL, "of the server below; empty: none" },
		{ NULL, "server", "Its server", FORM_TEXT, NULL, "host:port" },
		{ NULL, "tls", "TLS", FORM_CHOICE, "none|starttls|implicit", "starttls and implicit never fall back" },
		{ NULL, "username", "Log in as", FORM_TEXT, NULL, "empty: without; the password is set by P on the seats" },
		{ NULL, "format", "Form", FORM_CHOICE, "report|plain", "report: a message around the original; plain: lines in front of it" },
		{ NULL, "internal_list", "Internal", FORM_LIST, NULL, "domains and addresses; empty: domains.local" },
		{ NULL, "seats_internal", "Internal seats", FORM_TEXT, NULL, "a number, or unlimited" },
		{ NULL, "seats_external", "External seats", FORM_TEXT, NULL, "a number, or unlimited" },
		{ NULL, "used_internal", "Internal used", FORM_SHOWN, NULL, "" },
		{ NULL, "free_internal", "Internal free", FORM_SHOWN, NULL, "" },
		{ NULL, "used_external", "External used", FORM_SHOWN, NULL, "" },
		{ NULL, "free_external", "External free", FORM_SHOWN, NULL, "" },
		{ "Journal of another server", "receive", "Arrives at", FORM_LIST, NULL, "addresses whose mail goes into the archive" },
		{ NULL, "receive_from", "Only from", FORM_LIST, NULL, "addresses of hosts that may send there" },
		{ 0 } },
};

const struct screen_class screen_journal = {
	.name = "journal-to",
	.title = "Where to",
	.panel = &form_panel,
	.method = "journal.show",
	.form = &journal_form,
	.tabs = journal_tabs,
	.help = "Where copies for the journal go, and how many seats there are. Seats without a number free: unlimited.",
};

static const struct form_class journal_password = {
	.title = "Password",
	.fields = (const struct form_field[]){
		{ "Password of the journal's server", "password", "Password", FORM_SECRET, NULL, "sealed in the store; the file gets its name only" },
		{ 0 } },
};

/* Used and free, in a place of its own for a look. */
static const struct screen_class screen_journal_state = {
	.name = "journal-state",
	.title = "Used and free",
	.panel = &text_panel,
	.method = "journal.show",
};

const struct screen_class screen_seats = {
	.name = "journal",
	.title = "Journal",
	.method = "journal.seats",
	.columns = (const struct column[]){
		{ "Address", "address", 36, 0, COLUMN_GROW },
		{ "Kind", "kind", 9 },
		{ "Since", "since", 12 },
		{ "Last message", "last", 12, 1 },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'd', "Release", "journal.release" },
		{ 'S', "Used and free", .open = &screen_journal_state },
		{ 'P', "Password", "journal.set", .form = &journal_password },
		{ 0 } },
	.tabs = journal_tabs,
	.help = "Addresses whose mail the journal records. One that is released takes a seat again if one is free.",
};
