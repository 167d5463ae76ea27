/*
 * screen_access.c - services and who may use them: listeners, access lines, sessions, blocked addresses.
 */
#include "tui/screen_rows.h"

static const struct form_class access_test = {
	.title = "Who may connect?",
	.fields = (const struct form_field[]){
		{ "Who may connect?", "address", "Address", FORM_TEXT, NULL, "where it comes from: 192.0.2.7, 2001:db8::7" },
		{ NULL, "user", "Logged in as", FORM_TEXT, NULL, "a user; empty: nobody" },
		{ 0 } },
};

#define TEST_KEY \
	{ 'X', "May ... connect?", "access.test", .form = &access_test, .open = &screen_access_test }

static const struct screen_class *const service_tabs[] = { &screen_services, &screen_access,
	&screen_sessions, &screen_blocked, NULL };

const struct screen_class screen_services = {
	.name = "services",
	.title = "Services",
	.method = "service.list",
	.columns = (const struct column[]){
		{ "Service", "name", 14 },
		{ "On", "on", 4 },
		{ "Sessions", "sessions", 8 },
		{ "Max", "max_connections", 6, 1 },
		{ "TLS", "tls", 10, 2 },
		{ "Listens on", "listen", 30, 0, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'E', "Start/stop", "service.stop", .other = { "on", "false", "service.start" } },
		TEST_KEY,
		{ 0 } },
	.tabs = service_tabs,
	.help = "What the server listens for.",
	.poll = true,
};

const struct screen_class screen_access = {
	.name = "access",
	.title = "Access",
	.method = "access.list",
	.columns = (const struct column[]){
		{ "Service", "service", 12 },
		{ "No", "no", 3 },
		{ "Line", "line", 26, 0, COLUMN_GROW },
		{ "Means", "meaning", 30, 1, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){ TEST_KEY, { 0 } },
	.detail = (const struct detail[]){
		{ "Service", "service" },
		{ "Line", "line", 2 },
		{ "Means", "meaning", 2 },
		{ 0 } },
	.tabs = service_tabs,
	.help = "Access lines in the order in which they are asked: the first that fits decides. X tries an address.",
	.poll = true,
};

/* Of an address that was asked for: what it may do at each service. */
const struct screen_class screen_access_test = {
	.name = "connect",
	.title = "Connect",
	.method = "access.test",
	.take = "user",
	.columns = (const struct column[]){
		{ "Service", "service", 12 },
		{ "Connect", "connect", 7 },
		{ "Log in", "login", 6 },
		{ "Send", "send", 5 },
		{ "Relay", "relay", 5 },
		{ "Line", "line", 20, 1, COLUMN_GROW },
		{ "Why", "why", 30, 2, COLUMN_GROW },
		{ 0 } },
	.detail = (const struct detail[]){
		{ "Line", "line" },
		{ "Why", "why", 4 },
		{ 0 } },
	.help = "Send: to users here; relay: to others.",
};

const struct screen_class screen_sessions = {
	.name = "sessions",
	.title = "Sessions",
	.method = "session.list",
	.columns = (const struct column[]){
		{ "ID", "id", 10 },
		{ "Service", "service", 11 },
		{ "User", "user", 14, 0, COLUMN_GROW },
		{ "Peer", "peer", 20, 0, COLUMN_GROW },
		{ "TLS", "tls", 8, 1 },
		{ "Age", "age", 7, 2 },
		{ "Doing", "doing", 16, 3, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'K', "End", "session.end" },
		TEST_KEY,
		{ 0 } },
	.tabs = service_tabs,
	.help = "Who is connected at this moment.",
	.poll = true,
};

const struct screen_class screen_blocked = {
	.name = "blocked",
	.title = "Blocked",
	.method = "block.list",
	.columns = (const struct column[]){
		{ "Address", "address", 18, 0, COLUMN_GROW },
		{ "User", "user", 12, 0, COLUMN_GROW },
		{ "Failures", "failures", 8, 2 },
		{ "Since", "since", 12, 3 },
		{ "Until", "until", 12, 1 },
		{ "Why", "why", 24, 0, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'K', "Unblock", "block.remove" },
		TEST_KEY,
		{ 0 } },
	.detail = (const struct detail[]){
		{ "Why", "why", 2 },
		{ "Since", "since" },
		{ "Until", "until" },
		{ 0 } },
	.tabs = service_tabs,
	.help = "Addresses and users that are locked or slowed after failed logins, or refused for connecting too often.",
	.poll = true,
};
