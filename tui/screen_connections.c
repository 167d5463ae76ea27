/*
 * screen_connections.c - ways onto the Internet: what each does, all its keys, connect and hang up.
 */
#include "tui/screen_rows.h"

#define KINDS "lan|link"

static const char kind_help[] = "lan: always online; link: brought up by programs, or by others and seen";
static const char up_help[] = "program and arguments that bring the link up: /usr/sbin/pppd;call;isp";
static const char password_help[] = "sealed in the store; the file gets its name only";

static const struct form_class connection_add = {
	.title = "New connection",
	.fields = (const struct form_field[]){
		{ "New connection", "name", "Name", FORM_TEXT, NULL, "its name in errors and the log", .names_row = true },
		{ NULL, "kind", "Kind", FORM_CHOICE, KINDS, kind_help, .keyed = true },
		{ NULL, "up", "Up", FORM_LIST, NULL, up_help, .keyed = true },
		{ NULL, "down", "Down", FORM_LIST, NULL, "and down", .keyed = true },
		{ NULL, "status", "Status", FORM_LIST, NULL, "and tell by exit status 0 that it is up", .keyed = true },
		{ NULL, "interfaces", "Interfaces", FORM_LIST, NULL, "in place of Status: it is up while one of them is: ppp0;wlan0", .keyed = true },
		{ NULL, "username", "User name", FORM_TEXT, NULL, "for the link, where its programs want one", .keyed = true },
		{ NULL, "password", "Password", FORM_SECRET, NULL, password_help },
		{ 0 } },
};

static const struct form_class connection_form = {
	.title = "Connection",
	.save = "connection.set",
	.fields = (const struct form_field[]){
		{ "Link", "name", "Name", FORM_SHOWN, NULL, "" },
		{ NULL, "kind", "Kind", FORM_CHOICE, KINDS, kind_help },
		{ NULL, "primary", "Primary", FORM_FLAG, NULL, "schedules that name no connection start it" },
		{ NULL, "up", "Up", FORM_LIST, NULL, up_help },
		{ NULL, "down", "Down", FORM_LIST, NULL, "program and arguments that take it down" },
		{ NULL, "status", "Status", FORM_LIST, NULL, "program that tells by exit status 0 that it is up" },
		{ NULL, "interfaces", "Interfaces", FORM_LIST, NULL, "in place of Status: it is up while one of them is: ppp0;wlan0" },
		{ NULL, "username", "User name", FORM_TEXT, NULL, "the programs see it as POSTROOM_USER; the password is set by P on the list" },
		{ NULL, "numbers", "Numbers", FORM_LIST, NULL, "one at random for each try, as POSTROOM_NUMBER" },
		{ NULL, "multilink", "Multilink", FORM_FLAG, NULL, "the programs see it as POSTROOM_MULTILINK, 1 or 0" },
		{ "Tries", "retries", "Retries", FORM_NUMBER, NULL, "so often Up is tried again in one attempt" },
		{ NULL, "retry_wait", "Wait between", FORM_TIME, NULL, "so long before the next try: 1m" },
		{ NULL, "link_timeout", "Link timeout", FORM_TIME, NULL, "so long each program has, and the link to come up: 1m" },
		{ NULL, "autoconnect", "Autoconnect", FORM_FLAG, NULL, "the link is used whenever others have brought it up" },
		{ NULL, "autoconnect_once", "... once", FORM_FLAG, NULL, "then not again until it drops; off: at the interval below" },
		{ NULL, "autoconnect_every", "... every", FORM_TIME, NULL, "5m, 1h" },
		{ "Run", "pop3_then_smtp", "Collect first", FORM_FLAG, NULL, "mail is sent once all is collected: POP before SMTP" },
		{ NULL, "socks", "By SOCKS", FORM_FLAG, NULL, "its routes and collectors go through the server of socks.server" },
		{ NULL, "post_connect", "Once it is up", FORM_LIST, NULL, "program and arguments, run before mail moves" },
		{ NULL, "pre_disconnect", "Before its end", FORM_LIST, NULL, "program and arguments, run right before the run ends" },
		{ NULL, "program_timeout", "Program timeout", FORM_TIME, NULL, "those two are ended after this: 30s" },
		{ "State", "state", "State", FORM_SHOWN, NULL, "" },
		{ NULL, "why", "Sends when", FORM_SHOWN, NULL, "" },
		{ NULL, "last", "Last", FORM_SHOWN, NULL, "" },
		{ NULL, "next", "Next", FORM_SHOWN, NULL, "" },
		{ NULL, "because", "Last run", FORM_SHOWN, NULL, "" },
		{ NULL, "result", "Result", FORM_SHOWN, NULL, "" },
		{ 0 } },
};

static const struct form_class connection_primary = {
	.title = "Primary",
	.fields = (const struct form_field[]){
		{ "Primary", "primary", "Primary", FORM_FLAG, NULL, "schedules that name no connection start it", "primary", .keyed = true },
		{ 0 } },
};

static const struct form_class connection_password = {
	.title = "Password",
	.fields = (const struct form_field[]){
		{ "Password", "password", "Password", FORM_SECRET, NULL, password_help },
		{ 0 } },
};

const struct screen_class screen_connection = {
	.name = "connection",
	.title = "Connection",
	.panel = &form_panel,
	.method = "connection.show",
	.subject = "name",
	.form = &connection_form,
};

const struct screen_class screen_connections = {
	.name = "connections",
	.title = "Connections",
	.method = "connection.list",
	.columns = (const struct column[]){
		{ "Name", "name", 14, 0, COLUMN_GROW },
		{ "Kind", "kind", 4, 3 },
		{ "State", "state", 9 },
		{ "Last", "last", 12, 1 },
		{ "Next", "next", 12 },
		{ "Waiting", "waiting", 7, 5 },
		{ "Primary", "primary", 7, 4 },
		{ "Last result", "result", 20, 2, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'C', "Connect now", "connection.now", .take = "name" },
		{ 'S', "Hang up", "connection.stop", .take = "name" },
		{ KEY_RETURN, "Open", .open = &screen_connection },
		{ 'e', "Edit", .open = &screen_connection },
		{ 'c', "Create", "connection.add", .form = &connection_add },
		{ 'd', "Remove", "connection.remove" },
		{ 'M', "Primary", "connection.set", .form = &connection_primary },
		{ 'P', "Password", "connection.set", .form = &connection_password },
		{ 0 } },
	.open = &screen_connection,
	.detail = (const struct detail[]){
		{ "Sends when", "why", 2 },
		{ "Last run", "because", 2 },
		{ "Result", "result", 2 },
		{ "Routes", "routes" },
		{ 0 } },
	.tabs = sending_tabs,
	.help = "Ways onto the Internet. Without one in the file the server is always online. C connects at once.",
	.poll = true,
};
