/*
 * screen_sending.c - how mail leaves: routes, destinations, LAN forwarding, DKIM keys.
 */
#include "tui/edit_panel.h"
#include "tui/params.h"
#include "tui/screen_rows.h"
#include "tui/table_panel.h"

const struct screen_class *const sending_tabs[] = { &screen_collect, &screen_routes, &screen_schedules,
	&screen_lan_rules, &screen_forwards, &screen_connections, &screen_destinations, &screen_dkim, NULL };

/* ---- routes ---- */

#define ROUTE_TLS "opportunistic|none|required|verified|implicit"

static const struct form_class route_add = {
	.title = "New route",
	.fields = (const struct form_field[]){
		{ "New route", "name", "Name", FORM_TEXT, NULL, "its name in traces and commands: isp", .names_row = true },
		{ NULL, "kind", "Kind", FORM_CHOICE, "relay|direct", "relay: to the servers below; direct: to each domain's own (MX)", .keyed = true },
		{ NULL, "servers", "Servers", FORM_LIST, NULL, "of a relay, asked in this order: smtp.isp.test:587", .keyed = true },
		{ NULL, "tls", "TLS", FORM_CHOICE, ROUTE_TLS, "required never falls back; verified checks the certificate; implicit: port 465", .keyed = true },
		{ NULL, "username", "Log in as", FORM_TEXT, NULL, "empty: without", .keyed = true },
		{ NULL, "password", "Password", FORM_SECRET, NULL, "sealed in the store; the file gets its name only" },
		{ NULL, "domains", "Only for", FORM_LIST, NULL, "domain, !domain, From: address, !From: address; empty: all", .keyed = true },
		{ NULL, "place", "Place", FORM_TEXT, NULL, "the first that fits is taken; empty: behind the others", .keyed = true },
		{ 0 } },
};

static const struct form_class route_place = {
	.title = "Move",
	.fields = (const struct form_field[]){
		{ "Move", "place", "Place", FORM_TEXT, NULL, "the first that fits is taken: 1 is asked first", "place", .keyed = true },
		{ 0 } },
};

static const struct form_class route_password = {
	.title = "Password",
	.fields = (const struct form_field[]){
		{ "Password", "password", "Password", FORM_SECRET, NULL, "sealed in the store; the file gets its name only" },
		{ 0 } },
};

static const struct form_class route_form = {
	.title = "Route",
	.save = "route.set",
	.fields = (const struct form_field[]){
		{ "General", "name", "Name", FORM_SHOWN, NULL, "" },
		{ NULL, "kind", "Kind", FORM_CHOICE, "relay|direct", "relay: to the servers below; direct: to each domain's own (MX)" },
		{ NULL, "servers", "Servers", FORM_LIST, NULL, "of a relay, asked in this order: host:port" },
		{ NULL, "tls", "TLS", FORM_CHOICE, ROUTE_TLS, "required never falls back; verified checks the certificate; implicit: port 465" },
		{ NULL, "port", "Port", FORM_NUMBER, NULL, "of direct delivery" },
		{ NULL, "username", "Log in as", FORM_TEXT, NULL, "empty: without; the password is set by P on the list" },
		{ NULL, "token_command", "Token program", FORM_LIST, NULL, "program and arguments that print an access token (OAuth)" },
		{ NULL, "domains", "Only for", FORM_LIST, NULL, "domain, !domain, From: address, !From: address; empty: all" },
		{ NULL, "connection", "Connection", FORM_TEXT, NULL, "it sends while this one is online; empty: the first" },
		{ "Limits", "max_recipients", "Recipients", FORM_NUMBER, NULL, "of one transaction; 0: any" },
		{ NULL, "max_connections", "Connections", FORM_NUMBER, NULL, "to one destination at a time" },
		{ NULL, "rate", "A minute", FORM_NUMBER, NULL, "messages to one destination; 0: any" },
		{ NULL, "total_rate", "In all a minute", FORM_NUMBER, NULL, "messages to all its destinations together; 0: any" },
		{ NULL, "smaller_first", "Smaller first", FORM_FLAG, NULL, "small messages leave before large ones" },
		{ NULL, "waiting_only", "Only waiting", FORM_FLAG, NULL, "what arrives while it sends waits for the next connection" },
		{ NULL, "return_address", "Return address", FORM_TEXT, NULL, "keep, always ADDRESS, nonlocal ADDRESS" },
		{ NULL, "esmtp", "EHLO", FORM_FLAG, NULL, "off: HELO only, for very old servers" },
		{ NULL, "allow_loopback", "To this host", FORM_FLAG, NULL, "direct delivery may go to loopback addresses" },
		{ "State", "waiting", "Waiting", FORM_SHOWN, NULL, "" },
		{ NULL, "connections", "Connected", FORM_SHOWN, NULL, "" },
		{ NULL, "why", "Rests because", FORM_SHOWN, NULL, "" },
		{ NULL, "last_error", "Last error", FORM_SHOWN, NULL, "" },
		{ 0 } },
};

const struct screen_class screen_route = {
	.name = "route",
	.title = "Route",
	.panel = &form_panel,
	.method = "route.show",
	.subject = "name",
	.form = &route_form,
};

/* Connect, log in, leave again. */
static void
test_route(struct screen *s)
{
	const struct json *row = NULL;
	struct span key;
	struct params p;

	if (!screen_panel(s)->row(s, &row, &key))
		return;
	params_begin(&p);
	json_put_member_string(&p.w, SPAN("what"), key);
	params_do(&p, s->console, "route.test");
}

const struct screen_class screen_routes = {
	.name = "routes",
	.title = "Routes",
	.method = "route.list",
	.columns = (const struct column[]){
		{ "No", "place", 3 },
		{ "Name", "name", 12, 0, COLUMN_GROW },
		{ "Kind", "kind", 6, 4 },
		{ "Servers", "servers", 20, 8, COLUMN_GROW },
		{ "Only for", "domains", 16, 3, COLUMN_GROW },
		{ "TLS", "tls", 9, 5 },
		{ "Log in as", "username", 10, 1 },
		{ "Waiting", "waiting", 7 },
		{ "Conn", "connections", 4, 2 },
		{ "Sent", "sent", 6, 6 },
		{ "Rests until", "rests_until", 12, 1 },
		{ "Why", "why", 20, 0, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Open", .open = &screen_route },
		{ 'e', "Edit", .open = &screen_route },
		{ 'c', "Create", "route.add", .form = &route_add },
		{ 'd', "Remove", "route.remove" },
		{ 'T', "Test login", "route.test", .run = test_route },
		{ 'M', "Move", "route.set", .form = &route_place },
		{ 'P', "Password", "route.set", .form = &route_password },
		{ 0 } },
	.open = &screen_route,
	.detail = (const struct detail[]){
		{ "Servers", "servers" },
		{ "Only for", "domains" },
		{ "Rests", "why", 2 },
		{ "Last error", "last_error" },
		{ 0 } },
	.tabs = sending_tabs,
	.help = "Ways out: of those whose filters fit a recipient, the first is taken. Without one, mail for others waits.",
	.poll = true,
};

const struct screen_class screen_destinations = {
	.name = "destinations",
	.title = "Destinations",
	.method = "route.destinations",
	.columns = (const struct column[]){
		{ "Route", "route", 12, 2 },
		{ "Destination", "destination", 24, 0, COLUMN_GROW },
		{ "Waiting", "waiting", 7 },
		{ "Conn", "connections", 4 },
		{ "Failed", "failures", 6, 3 },
		{ "Rests until", "rests_until", 12, 1 },
		{ "Why", "why", 24, 0, COLUMN_GROW },
		{ 0 } },
	.detail = (const struct detail[]){
		{ "Why", "why", 3 },
		{ "Server", "server" },
		{ "TLS", "tls" },
		{ 0 } },
	.tabs = sending_tabs,
	.help = "Where mail is being sent to at this moment, or was within the hour: domains, relays, servers of the LAN.",
	.poll = true,
};

/* ---- hand-off ---- */

static const struct form_class lan_test = {
	.title = "Which rule takes it?",
	.fields = (const struct form_field[]){
		{ "Which rule takes it?", "address", "Address", FORM_TEXT, NULL, "an address; nothing is sent" },
		{ NULL, "from", "From", FORM_TEXT, NULL, "the sender; empty: somebody outside" },
		{ 0 } },
};

static const struct screen_class screen_lan_text = {
	.name = "lan-text",
	.title = "LAN rules",
	.panel = &edit_panel,
	.method = "route.lan.show",
	.edit = &(const struct edit_class){
		.save = "route.lan.apply",
		.check = "route.lan.check",
		.help = "A line a rule: pattern, server, and what the address becomes; the first that fits counts. docs/operators.md has all of it.",
	},
};

static void
edit_lan(struct screen *s)
{
	console_open(s->console, &screen_lan_text, NULL, SPAN("as text"));
}

const struct screen_class screen_lan_rules = {
	.name = "hand-off",
	.title = "Hand-off",
	.method = "route.lan.list",
	.columns = (const struct column[]){
		{ "Line", "line", 4 },
		{ "Address pattern", "pattern", 26, 0, COLUMN_GROW },
		{ "Server", "server", 22, 0, COLUMN_GROW },
		{ "Becomes", "rewrite", 22, 1, COLUMN_GROW },
		{ "Only from", "conditions", 14, 2 },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'e', "Edit", "route.lan.apply", .run = edit_lan },
		{ 'X', "Which rule?", "route.lan.test", .form = &lan_test },
		{ 0 } },
	.tabs = sending_tabs,
	.help = "LAN forwarding: the first line that fits hands mail to that server. The rules are a text; e edits it.",
	.poll = true,
};

static void
all_users(struct screen *s)
{
	table_filter(s, table_filter_now(s).len > 0 ? SPAN("") : span_of(s->class->filter));
}

static const struct form_class forward_to = {
	.title = "Store and forward",
	.fields = (const struct form_field[]){
		{ "Store and forward", "store_forward_address", "Address", FORM_TEXT, NULL, "mail is kept here and sent on to this address; empty: off", "store_forward_address", .keyed = true },
		{ NULL, "store_forward_server", "By server", FORM_TEXT, NULL, "[user@]host[:port]", "store_forward_server", .keyed = true },
		{ NULL, "password", "Password", FORM_SECRET, NULL, "of that account, where it has one: sealed in the store" },
		{ 0 } },
};

const struct screen_class screen_forwards = {
	.name = "store-forward",
	.title = "Store & forward",
	.method = "user.list",
	.filter = "store_forward_address:@",
	.columns = (const struct column[]){
		{ "User", "name", 14, 0, COLUMN_GROW },
		{ "Kept and sent to", "store_forward_address", 26, 0, COLUMN_GROW },
		{ "By server", "store_forward_server", 24, 0, COLUMN_GROW },
		{ "Inbox", "inbox", 6, 1 },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Open user", .open = &screen_user },
		{ 'e', "Edit", "user.set", .form = &forward_to },
		{ 'W', "All users", "user.list", .run = all_users, .help = "Users without it too, to give it to one; again: only those that have it." },
		{ 0 } },
	.tabs = sending_tabs,
	.help = "Users whose mail is kept here and handed on to another server as well. W shows all, e gives it to one.",
};

/* ---- DKIM ---- */

static const struct form_class dkim_add = {
	.title = "New DKIM key",
	.fields = (const struct form_field[]){
		{ "New DKIM key", "domain", "Domain", FORM_TEXT, NULL, "whose mail it signs; `setup dns` prints the record to publish" },
		{ 0 } },
};

/* With the record to publish. */
const struct screen_class screen_dkim_key = {
	.name = "dkim-key",
	.title = "Key",
	.panel = &text_panel,
	.method = "dkim.show",
	.subject = "selector",
	.subject_field = "selector",
};

const struct screen_class screen_dkim = {
	.name = "dkim",
	.title = "DKIM",
	.method = "dkim.list",
	.columns = (const struct column[]){
		{ "Domain", "domain", 24, 0, COLUMN_GROW },
		{ "Selector", "selector", 16, 0, COLUMN_GROW },
		{ "Algorithm", "algorithm", 14 },
		{ "Bits", "bits", 5, 1 },
		{ "State", "state", 8 },
		{ "Signs from", "from", 12, 2 },
		{ "Until", "until", 12, 3 },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'c', "Create", "dkim.add", .form = &dkim_add },
		{ KEY_RETURN, "Record", .open = &screen_dkim_key },
		{ 'U', "Use", "dkim.use", .take = "selector" },
		{ 'R', "Retire", "dkim.retire" },
		{ 'd', "Remove", "dkim.remove" },
		{ 0 } },
	.tabs = sending_tabs,
	.help = "Keys that sign mail of ours as it leaves. The record of each must stand in the DNS before it signs.",
};
