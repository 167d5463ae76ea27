/*
 * screen_collect.c - mailboxes elsewhere that are fetched: what each does, all its keys, a login that only tries.
 */
#include "tui/edit_panel.h"
#include "tui/order_panel.h"
#include "tui/progress.h"
#include "tui/screen_rows.h"
#include "tui/table_panel.h"

#define KINDS "pop3|imap|spool|smtp"
#define TLS_MODES "implicit|starttls|none"
#define LOGINS "plain|sasl-plain|apop|cram-md5|xoauth2"
#define ROUTES "recipient|all|lan|single|subject"
#define READINGS "forwards|reversed|all"

static const char route_help[] =
	"recipient: whom the header names; all: the target; lan: the target's server; single: a name in To; subject: the marker";

static const struct form_class collector_add = {
	.title = "New collector",
	.fields = (const struct form_field[]){
		{ "New collector", "name", "Name", FORM_TEXT, NULL, "its name in commands, errors and the log: isp", .names_row = true },
		{ NULL, "kind", "Kind", FORM_CHOICE, KINDS, "pop3, imap: a mailbox there; spool: files of another Postroom; smtp: a run waits for mail that is brought", .keyed = true },
		{ NULL, "server", "Server", FORM_TEXT, NULL, "host", .keyed = true },
		{ NULL, "port", "Port", FORM_NUMBER, NULL, "empty: the protocol's own", .keyed = true },
		{ NULL, "tls", "TLS", FORM_CHOICE, TLS_MODES, "implicit: from the first byte (995, 993); starttls: after a word; none: readable on the way", .keyed = true },
		{ NULL, "username", "Log in as", FORM_TEXT, NULL, "the account there", .keyed = true },
		{ NULL, "password", "Password", FORM_SECRET, NULL, "sealed in the store; the file gets its name only" },
		{ NULL, "accepted", "Accepted", FORM_LIST, NULL, "domains and addresses that are ours: example.org;info@example.net;*.site@example.com", .keyed = true },
		{ NULL, "route", "For whom", FORM_CHOICE, ROUTES, route_help, .keyed = true },
		{ NULL, "target", "Target", FORM_TEXT, NULL, "of all and lan: a user, a list or an address. F4 lists users and lists", .keyed = true, .pick = "user.list maillist.list" },
		{ NULL, "leave_days", "Leave days", FORM_NUMBER, NULL, "it stays there so long; 0: removed once it is stored here", .keyed = true },
		{ NULL, "every", "Every", FORM_TIME, NULL, "15m, 1h: also without a run of a connection; empty: never", .keyed = true },
		{ NULL, "connections", "Connections", FORM_LIST, NULL, "whose runs collect; empty where the file has none. F4 lists them", .keyed = true, .pick = "connection.list" },
		{ NULL, "path", "Folder of files", FORM_TEXT, NULL, "of kind spool", .keyed = true },
		{ 0 } },
};

static const struct form_class collector_form = {
	.title = "Collector",
	.save = "collect.set",
	.fields = (const struct form_field[]){
		{ "Server", "name", "Name", FORM_SHOWN, NULL, "" },
		{ NULL, "enabled", "Enabled", FORM_FLAG, NULL, "off: never contacted" },
		{ NULL, "kind", "Kind", FORM_CHOICE, KINDS, "pop3, imap: a mailbox there; spool: files of another Postroom; smtp: a run waits for mail that is brought" },
		{ NULL, "server", "Server", FORM_TEXT, NULL, "host" },
		{ NULL, "port", "Port", FORM_NUMBER, NULL, "0: the protocol's own" },
		{ NULL, "tls", "TLS", FORM_CHOICE, TLS_MODES, "implicit: from the first byte (995, 993); starttls: after a word; none: readable on the way" },
		{ NULL, "tls_ca", "Its roots", FORM_TEXT, NULL, "a file of certificates for this server alone; empty: those of the system" },
		{ NULL, "auth", "Login by", FORM_CHOICE, LOGINS, "plain: USER and PASS, LOGIN; xoauth2: a token of the program below" },
		{ NULL, "username", "Log in as", FORM_TEXT, NULL, "the account there; the password is set by P on the list" },
		{ NULL, "token_command", "Token program", FORM_LIST, NULL, "program and arguments that print an access token (OAuth)" },
		{ NULL, "connections", "Connections", FORM_LIST, NULL, "whose runs collect; empty where the file has none. F4 lists them", .pick = "connection.list" },
		{ NULL, "every", "Every", FORM_TIME, NULL, "15m, 1h: also without a run of a connection; 0: never" },
		{ NULL, "timeout", "Timeout", FORM_TIME, NULL, "so long without a word from the server: 300s" },
		{ "For whom", "accepted", "Accepted", FORM_LIST, NULL, "domains and addresses that are ours: example.org;info@example.net;*.site@example.com" },
		{ NULL, "route", "For whom", FORM_CHOICE, ROUTES, route_help },
		{ NULL, "target", "Target", FORM_TEXT, NULL, "of all and lan: a user, a list or an address. F4 lists users and lists", .pick = "user.list maillist.list" },
		{ NULL, "target_server", "... its server", FORM_TEXT, NULL, "of lan: host:port" },
		{ NULL, "marker", "Marker", FORM_TEXT, NULL, "of subject: {*} finds {anna}" },
		{ NULL, "special_headers", "Special fields", FORM_LIST, NULL, "that name who it is for: X-Envelope-To;DeliveredTo: account-*" },
		{ NULL, "read_special", "Read special", FORM_CHOICE, READINGS, "forwards: the first of ours; reversed: the last; all of them" },
		{ NULL, "read_received", "Read Received", FORM_CHOICE, READINGS, "reversed: the last of ours, which is what the world wrote" },
		{ NULL, "order", "Order", FORM_WORDS, "special|standard|received|stop-if-any|stop", "in which the header is read; R on the list edits it step by step" },
		{ NULL, "ignore_resent", "Without Resent-", FORM_FLAG, NULL, "for providers that add such fields when they forward" },
		{ NULL, "ignore_bare_received", "Only with @", FORM_FLAG, NULL, "`for anna` in Received names nobody" },
		{ NULL, "default_mappings", "Users' names", FORM_FLAG, NULL, "anna@ one of Accepted is the user anna; off: mappings alone" },
		{ "What stays", "leave_days", "Leave days", FORM_NUMBER, NULL, "it stays there so long; 0: removed once it is stored here" },
		{ NULL, "leave", "Leave", FORM_CHOICE, "days|always", "always: nothing is ever removed there" },
		{ NULL, "max_kb", "Larger (kB)", FORM_NUMBER, NULL, "is not fetched; 0: all is" },
		{ NULL, "folder", "Folder", FORM_TEXT, NULL, "of kind imap" },
		{ NULL, "unseen_only", "Unseen only", FORM_FLAG, NULL, "of kind imap: what is marked as seen there is not fetched" },
		{ NULL, "mark_seen", "Mark as seen", FORM_FLAG, NULL, "of kind imap: what was fetched and stays there" },
		{ NULL, "idle", "Stay connected", FORM_FLAG, NULL, "of kind imap: new mail is fetched as it comes" },
		{ "Rules", "download_rules", "Download rules", FORM_FLAG, NULL, "those of screen 8, tab Download, decide before a message is fetched" },
		{ NULL, "duplicates", "Without doubles", FORM_FLAG, NULL, "equal messages of one session are stored once" },
		{ NULL, "keep_received", "Time of arrival", FORM_FLAG, NULL, "as the provider wrote it; off: when it was fetched" },
		{ NULL, "ignore_from_line", "Cut From line", FORM_FLAG, NULL, "a first line `From ...` that is no header field" },
		{ NULL, "demon_env", "*ENV", FORM_FLAG, NULL, "of Demon's servers: they are asked for the envelope" },
		{ NULL, "path", "Folder of files", FORM_TEXT, NULL, "of kind spool" },
		{ NULL, "users", "Users of it", FORM_LIST, NULL, "of kind spool. F4 lists users", .pick = "user.list" },
		{ NULL, "wait", "Wait", FORM_TIME, NULL, "of kind smtp: so long for an incoming connection: 60s" },
		{ NULL, "etrn", "ETRN", FORM_TEXT, NULL, "of kind smtp: the domain whose mail is asked for" },
		{ NULL, "etrn_server", "... of", FORM_TEXT, NULL, "host:port; empty: the first server of the connection's route" },
		{ "State", "state", "State", FORM_SHOWN, NULL, "" },
		{ NULL, "last", "Last", FORM_SHOWN, NULL, "" },
		{ NULL, "next", "Next", FORM_SHOWN, NULL, "" },
		{ NULL, "fetched", "Fetched then", FORM_SHOWN, NULL, "" },
		{ NULL, "left", "Left there", FORM_SHOWN, NULL, "" },
		{ NULL, "error", "Error", FORM_SHOWN, NULL, "" },
		{ 0 } },
};

static const struct form_class collector_password = {
	.title = "Password",
	.fields = (const struct form_field[]){
		{ "Password", "password", "Password", FORM_SECRET, NULL, "sealed in the store; the file gets its name only" },
		{ 0 } },
};

static const struct form_class collector_rename = {
	.title = "New name",
	.fields = (const struct form_field[]){
		{ "New name", "name", "New name", FORM_TEXT, NULL, "what was fetched stays known", .from = "name", .names_row = true, .keyed = true },
		{ 0 } },
};

const struct screen_class screen_collector = {
	.name = "collector",
	.title = "Collector",
	.panel = &form_panel,
	.method = "collect.show",
	.subject = "name",
	.form = &collector_form,
};

static const struct screen_class screen_for_whom = {
	.name = "for-whom",
	.title = "For whom?",
	.panel = &edit_panel,
	.subject = "name",
	.edit = &(const struct edit_class){
		.ask = "collect.test",
		.help = "Paste or type the header of a message of this mailbox; F2 says for whom it would be, and which field named whom. Nothing is stored.",
	},
};

const struct screen_class screen_collect = {
	.name = "collect",
	.title = "Conn",
	.tab = "Collect",
	.digit = '9',
	.method = "collect.list",
	.columns = (const struct column[]){
		{ "No", "place", 3, 2 },
		{ "Name", "name", 12, 0, COLUMN_GROW },
		{ "State", "state", 10 },
		{ "Server", "server", 18, 8, COLUMN_GROW },
		{ "User", "user", 12, 6, COLUMN_GROW },
		{ "For whom", "route", 9, 4 },
		{ "Every", "every", 7, 3 },
		{ "Days", "leave_days", 4, 1 },
		{ "Last", "last", 12, 7 },
		{ "Next", "next", 12, 5 },
		{ "Messages", "fetched", 13, .put = progress_put_brief },
		{ "Error", "error", 18, 9, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'C', "Collect now", "collect.now" },
		{ 'S', "Stop", "collect.stop" },
		{ 'T', "Test login", "collect.test", .take = "name" },
		{ 'E', "On/off", "collect.off", .other = { "enabled", "false", "collect.on" } },
		{ KEY_RETURN, "Open", .open = &screen_collector },
		{ 'e', "Edit", .open = &screen_collector },
		{ 'c', "Create", "collect.add", .form = &collector_add },
		{ 'd', "Remove", "collect.remove" },
		{ 'R', "Reading order", .open = &screen_order },
		{ 'X', "For whom?", "collect.test", .open = &screen_for_whom, .help = "For whom a pasted message of this mailbox would be." },
		{ 'P', "Password", "collect.set", .form = &collector_password },
		{ 'W', "Rename", "collect.set", .form = &collector_rename },
		{ 0 } },
	.open = &screen_collector,
	.detail = (const struct detail[]){
		{ "Progress", "fetched", 2, progress_put },
		{ "Error", "error", 2 },
		{ "Server", "server" },
		{ "Because", "because" },
		{ "Runs of", "connections" },
		{ 0 } },
	.tabs = sending_tabs,
	.help = "Mailboxes elsewhere that are fetched, in the order of their InMail numbers. T logs in and leaves again, nothing is fetched.",
	.poll = true,
};
