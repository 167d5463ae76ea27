/*
 * screen_sending.c - how mail leaves: connections, routes, destinations, schedules, LAN forwarding, DKIM keys.
 */
#include "tui/screen_rows.h"

static const struct screen_class *const sending_tabs[] = { &screen_connections, &screen_routes,
	&screen_destinations, &screen_schedules, &screen_runs, &screen_lan_rules, &screen_dkim, NULL };

/* ---- connections ---- */

static const struct form_class connection_add = {
	.title = "New connection",
	.fields = (const struct form_field[]){
		{ "New connection", "name", "Name", FORM_TEXT, NULL, "its name in errors and the log", .names_row = true },
		{ NULL, "kind", "Kind", FORM_CHOICE, "lan|link", "lan: always online; link: made by the programs below", .keyed = true },
		{ NULL, "up", "Up", FORM_LIST, NULL, "program and arguments that bring the link up: /usr/sbin/pppd;call;isp", .keyed = true },
		{ NULL, "down", "Down", FORM_LIST, NULL, "and down", .keyed = true },
		{ NULL, "status", "Status", FORM_LIST, NULL, "and tell by exit status 0 that it is up", .keyed = true },
		{ 0 } },
};

static const struct form_class connection_primary = {
	.title = "Primary",
	.fields = (const struct form_field[]){
		{ "Primary", "primary", "Primary", FORM_FLAG, NULL, "schedules that name no connection start it", "primary", .keyed = true },
		{ 0 } },
};

const struct screen_class screen_connections = {
	.name = "connections",
	.title = "Conn",
	.digit = '9',
	.method = "connection.list",
	.columns = (const struct column[]){
		{ "Name", "name", 14, 0, COLUMN_GROW },
		{ "Kind", "kind", 4, 3 },
		{ "State", "state", 9 },
		{ "Last", "last", 12, 1 },
		{ "Next", "next", 12 },
		{ "Waiting", "waiting", 7 },
		{ "Primary", "primary", 7, 4 },
		{ "Last result", "result", 20, 2, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'C', "Connect now", "connection.now", .take = "name" },
		{ 'S', "Hang up", "connection.stop", .take = "name" },
		{ 'c', "Create", "connection.add", .form = &connection_add },
		{ 'P', "Primary", "connection.set", .form = &connection_primary },
		{ 'd', "Remove", "connection.remove" },
		{ 0 } },
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

const struct screen_class screen_routes = {
	.name = "routes",
	.title = "Routes",
	.method = "route.list",
	.columns = (const struct column[]){
		{ "No", "place", 3 },
		{ "Name", "name", 12, 0, COLUMN_GROW },
		{ "Kind", "kind", 6, 4 },
		{ "Servers", "servers", 20, 2, COLUMN_GROW },
		{ "TLS", "tls", 9, 5 },
		{ "Waiting", "waiting", 7 },
		{ "Conn", "connections", 4, 3 },
		{ "Sent", "sent", 6, 6 },
		{ "Rests until", "rests_until", 12, 1 },
		{ "Why", "why", 20, 0, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Open", .open = &screen_route },
		{ 'e', "Edit", .open = &screen_route },
		{ 'c', "Create", "route.add", .form = &route_add },
		{ 'd', "Remove", "route.remove" },
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

/* ---- schedules ---- */

#define WEEKDAYS "mon|tue|wed|thu|fri|sat|sun"

static const struct form_class schedule_add = {
	.title = "New schedule",
	.fields = (const struct form_field[]){
		{ "New schedule", "name", "Name", FORM_TEXT, NULL, "its name in the log", .names_row = true },
		{ NULL, "days", "Days", FORM_WORDS, WEEKDAYS, "none: every day", .keyed = true },
		{ NULL, "from", "From", FORM_TEXT, NULL, "begin of its window: 9:00", .keyed = true },
		{ NULL, "to", "To", FORM_TEXT, NULL, "end of its window, included: 17:00", .keyed = true },
		{ NULL, "every", "Every", FORM_TEXT, NULL, "15m, 1h; empty where it has fixed times", .keyed = true },
		{ NULL, "at", "At", FORM_LIST, NULL, "fixed times instead: 8:00;12:00", .keyed = true },
		{ NULL, "connections", "Connections", FORM_LIST, NULL, "empty: all primary ones", .keyed = true },
		{ 0 } },
};

static const struct form_class schedule_edit = {
	.title = "Change schedule",
	.fields = (const struct form_field[]){
		{ "Change", "enabled", "On", FORM_FLAG, NULL, "off: it never fires", "enabled", .keyed = true },
		{ NULL, "days", "Days", FORM_WORDS, WEEKDAYS, "days it counts on", "days", .keyed = true },
		{ NULL, "from", "From", FORM_TEXT, NULL, "begin of its window: 9:00", "from", .keyed = true },
		{ NULL, "to", "To", FORM_TEXT, NULL, "end of its window, included: 17:00", "to", .keyed = true },
		{ NULL, "at", "At", FORM_LIST, NULL, "fixed times: 8:00;12:00", "at", .keyed = true },
		{ NULL, "every", "Every", FORM_TEXT, NULL, "a new interval: 15m, 1h; empty: as it is", .keyed = true },
		{ NULL, "connections", "Connections", FORM_LIST, NULL, "empty: all primary ones", "connections", .keyed = true },
		{ 0 } },
};

const struct screen_class screen_schedules = {
	.name = "schedules",
	.title = "Schedule",
	.method = "schedule.list",
	.columns = (const struct column[]){
		{ "Name", "name", 14, 0, COLUMN_GROW },
		{ "On", "enabled", 4 },
		{ "Days", "days", 14, 1, COLUMN_GROW },
		{ "From", "from", 5, 2 },
		{ "To", "to", 5, 2 },
		{ "Every", "every", 7 },
		{ "At", "at", 12, 3, COLUMN_GROW },
		{ "Next", "next", 12 },
		{ "Connections", "connections", 14, 4, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'c', "Create", "schedule.add", .form = &schedule_add },
		{ 'e', "Edit", "schedule.set", .form = &schedule_edit },
		{ 'd', "Remove", "schedule.remove" },
		{ 0 } },
	.tabs = sending_tabs,
	.help = "When connections are made by the clock. No connections named: all primary ones.",
	.poll = true,
};

const struct screen_class screen_runs = {
	.name = "runs",
	.title = "Runs",
	.method = "schedule.next",
	.columns = (const struct column[]){
		{ "When", "time", 16 },
		{ "Schedule", "schedule", 20, 0, COLUMN_GROW },
		{ "Connections", "connections", 30, 0, COLUMN_GROW },
		{ 0 } },
	.tabs = sending_tabs,
	.help = "The next ten times at which schedules fire.",
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
		{ 'X', "Which rule?", "route.lan.test", .form = &lan_test },
		{ 0 } },
	.tabs = sending_tabs,
	.help = "LAN forwarding: the first line that fits hands mail to that server. The rules are a text: route lan apply FILE.",
	.poll = true,
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
