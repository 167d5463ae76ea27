/*
 * screen_users.c - users: the list, the form of one. Its other tabs are in screen_mailbox.c and
 * screen_logins.c.
 */
#include "tui/screen_rows.h"

static const struct form_class user_add = {
	.title = "New user",
	.fields = (const struct form_field[]){
		{ "New user", "name", "Name", FORM_TEXT, NULL, "1 to 32 characters without blanks; the address is NAME@the default domain", .names_row = true },
		{ NULL, "password", "Password", FORM_SECRET, NULL, "at least auth.min_length characters" },
		{ NULL, "comment", "Comment", FORM_TEXT, NULL, "for people; at most 80 characters" },
		{ NULL, "quota", "Quota (MB)", FORM_NUMBER, NULL, "empty or 0: no limit" },
		{ NULL, "group", "Group", FORM_TEXT, NULL, "an administrative group: he begins with its settings, or is held to them" },
		{ NULL, "admin", "Administrator", FORM_FLAG, NULL, "may do everything that this console can" },
		{ 0 } },
};

const struct form_class form_write_to = {
	.title = "Write to the marked",
	.fields = (const struct form_field[]){
		{ "Message", "subject", "Subject", FORM_TEXT, NULL, "from the Main Administrator, who gets the answers" },
		{ NULL, "text", "Text", FORM_TEXT, NULL, "one line here; longer ones: postroom message send NAMES --subject TEXT --message FILE" },
		{ 0 } },
};

static const struct form_class user_passwd = {
	.title = "New password",
	.fields = (const struct form_field[]){
		{ "New password", "password", "Password", FORM_SECRET, NULL, "at least auth.min_length characters; never shown" },
		{ 0 } },
};

static const struct form_class user_rename = {
	.title = "New name",
	.fields = (const struct form_field[]){
		{ "New name", "new_name", "New name", FORM_TEXT, NULL, "addresses of the old name stop working; add a mapping if they must go on", "name", true },
		{ 0 } },
};

static const struct form_class user_form = {
	.title = "User",
	.save = "user.set",
	.fields = (const struct form_field[]){
		{ "General", "name", "Name", FORM_SHOWN, NULL, "to rename: F9, rename" },
		{ NULL, "full_name", "Full name", FORM_TEXT, NULL, "as the user signs" },
		{ NULL, "group", "Group", FORM_TEXT, NULL, "he begins with the settings of a group, or is held to them" },
		{ NULL, "enabled", "Enabled", FORM_FLAG, NULL, "may log in and receive mail" },
		{ NULL, "admin", "Administrator", FORM_FLAG, NULL, "may do everything that this console can" },
		{ NULL, "quota_mb", "Quota (MB)", FORM_NUMBER, NULL, "0: no limit" },
		{ NULL, "comment", "Comment", FORM_TEXT, NULL, "for people; at most 80 characters" },
		{ NULL, "messages", "Messages", FORM_SHOWN, NULL, "" },
		{ NULL, "last_login", "Last login", FORM_SHOWN, NULL, "" },
		{ NULL, "created", "Created", FORM_SHOWN, NULL, "" },
		{ NULL, "changed", "Changed", FORM_SHOWN, NULL, "" },
		{ "Forwarding", "forward", "Forward", FORM_FLAG, NULL, "mail goes to the addresses below" },
		{ NULL, "forward_to", "Forward to", FORM_LIST, NULL, "addresses; SMTP:user@domain@host[:port]: straight to that server" },
		{ NULL, "assistants", "Assistants", FORM_LIST, NULL, "get a copy of each message" },
		{ NULL, "assistant_redirect", "Assistants only", FORM_FLAG, NULL, "the user gets no copy" },
		{ NULL, "size_over_kb", "Over (kB)", FORM_NUMBER, NULL, "larger messages get another treatment; 0: none" },
		{ NULL, "size_over_action", "Over: do", FORM_TEXT, NULL, "what is done with them" },
		{ NULL, "size_over_to", "Over: to", FORM_LIST, NULL, "addresses" },
		{ NULL, "size_under_kb", "Under (kB)", FORM_NUMBER, NULL, "smaller messages get another treatment; 0: none" },
		{ NULL, "size_under_action", "Under: do", FORM_TEXT, NULL, "what is done with them" },
		{ NULL, "size_under_to", "Under: to", FORM_LIST, NULL, "addresses" },
		{ NULL, "store_forward_address", "Store and forward", FORM_TEXT, NULL, "kept here and sent on to this address; empty: off" },
		{ NULL, "store_forward_server", "... by server", FORM_TEXT, NULL, "[user@]host[:port]; for a password too: F9, other server" },
		{ NULL, "store_forward_pending", "... waiting", FORM_SHOWN, NULL, "messages that the server has not yet" },
		{ NULL, "warnings", "Warnings", FORM_SHOWN, NULL, "what stands in the way of forwarding" },
		{ "Access & protocols", "protocols", "Protocols", FORM_WORDS, "pop3|imap|smtp|ldap|finger|password|console", "what the user may log in to; all and none too" },
		{ NULL, "locked", "Locked out", FORM_SHOWN, NULL, "after failed logins; to unlock: F9, unlock" },
		{ NULL, "locked_until", "Locked until", FORM_SHOWN, NULL, "" },
		{ NULL, "password_changed", "Password set", FORM_SHOWN, NULL, "" },
		{ NULL, "app_passwords", "App passwords", FORM_SHOWN, NULL, "on the tab Logins: one a device" },
		{ NULL, "legacy", "APOP, CRAM-MD5", FORM_SHOWN, NULL, "passwords of their own; to make one: F9, legacy" },
		{ NULL, "forced", "Forced by group", FORM_SHOWN, NULL, "" },
		{ NULL, "send_internet", "Send outside", FORM_FLAG, NULL, "may send to the Internet" },
		{ NULL, "receive_internet", "Receive outside", FORM_FLAG, NULL, "gets mail from the Internet" },
		{ NULL, "max_out_kb", "Largest sent (kB)", FORM_NUMBER, NULL, "0: no limit" },
		{ NULL, "monitor", "Monitored", FORM_FLAG, NULL, "copies go where monitoring says; noted in the log of changes" },
		{ NULL, "everyone", "In `everyone`", FORM_FLAG, NULL, "gets mail to everyone" },
		{ "Addresses", "identities", "May send as", FORM_LIST, NULL, "other addresses than the user's own" },
		{ NULL, "reply_address", "Reply address", FORM_TEXT, NULL, "what is written into Reply-To" },
		{ NULL, "lists", "Lists", FORM_SHOWN, NULL, "" },
		{ NULL, "no_signature", "No signature", FORM_FLAG, NULL, "the signature of the house is not added" },
		{ 0 } },
};

static const struct form_class user_legacy = {
	.title = "APOP or CRAM-MD5",
	.fields = (const struct form_field[]){
		{ "A password for old mail programs", "mechanism", "Mechanism", FORM_CHOICE, "apop|cram-md5", "a password of our own making, for this alone" },
		{ NULL, "state", "State", FORM_CHOICE, "on|off", "on: made and shown once; off: erased" },
		{ 0 } },
};

static const struct form_class user_server = {
	.title = "Store and forward",
	.fields = (const struct form_field[]){
		{ "Other server with an account", "store_forward_server", "Server", FORM_TEXT, NULL, "user@host[:port]", .keyed = true },
		{ NULL, "password", "Password", FORM_SECRET, NULL, "of that account: sealed in the store, never shown" },
		{ 0 } },
};

static const struct key_action user_keys[] = {
	{ 'P', "Password", "user.passwd", .form = &user_passwd },
	{ 'K', "Unlock", "user.unlock" },
	{ 'W', "Rename", "user.rename", .form = &user_rename },
	{ 'L', "Legacy password", "user.legacy", .form = &user_legacy },
	{ 'O', "Other server", "user.set", .form = &user_server },
	{ 'd', "Remove", "user.remove" },
	{ 0 },
};

const struct screen_class *const user_tabs[] = { &screen_user, &screen_logins, &screen_mapped,
	&screen_mailbox, &screen_folders, &screen_mailbox_bin, &screen_user_prune, &screen_user_script, &screen_history, NULL };

const struct screen_class screen_user = {
	.name = "user",
	.title = "User",
	.panel = &form_panel,
	.method = "user.show",
	.subject = "name",
	.form = &user_form,
	.keys = user_keys,
	.tabs = user_tabs,
};

const struct screen_class screen_signature = {
	.name = "signature",
	.title = "Signature",
	.panel = &text_panel,
	.method = "signature.preview",
	.subject = "user",
	.help = "What is written under mail that goes to the Internet; of a user (S on the list) with his own fields in it.",
};

const struct screen_class screen_users = {
	.name = "users",
	.title = "Users",
	.digit = '5',
	.method = "user.list",
	.columns = (const struct column[]){
		{ "Flags", "flags", 7, 2 },
		{ "Name", "name", 18, 0, COLUMN_GROW },
		{ "Group", "group", 12, 3 },
		{ "Inbox", "inbox", 6, 5 },
		{ "Size", "size", 7, 6 },
		{ "Quota", "quota_mb", 6, 1 },
		{ "Last login", "last_login", 12, 4 },
		{ "Comment", "comment", 20, 7, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Open", .open = &screen_user },
		{ 'e', "Edit", .open = &screen_user },
		{ 'c', "Create", "user.add", .form = &user_add },
		{ 'd', "Remove", "user.remove" },
		{ 'P', "Password", "user.passwd", .form = &user_passwd },
		{ 'K', "Unlock", "user.unlock" },
		{ 'W', "Rename", "user.rename", .form = &user_rename },
		{ 'M', "Mailbox", .open = &screen_mailbox },
		{ 'A', "Addresses", .open = &screen_mapped },
		{ 'I', "Logins", .open = &screen_logins },
		{ 'L', "Legacy password", "user.legacy", .form = &user_legacy },
		{ 'S', "Signature", .open = &screen_signature },
		{ 'T', "Write to", "message.send", .marked = "names", .form = &form_write_to },
		{ 0 } },
	.open = &screen_user,
	.help = "Flags: a admin, r autoreply, f forward, s assistant, m monitored, L locked, - off.",
};
