/*
 * screen_server.c - services, open sessions, settings, and the log of changes.
 */
#include "tui/screen_rows.h"

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
		{ 0 } },
	.help = "What the server listens for.",
	.poll = true,
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
		{ 0 } },
	.help = "Who is connected at this moment.",
	.poll = true,
};

const struct screen_class screen_settings = {
	.name = "settings",
	.title = "Settings",
	.method = "config.show",
	.columns = (const struct column[]){
		{ "Key", "key", 30, 0, COLUMN_GROW },
		{ "Value", "value", 30, 0, COLUMN_GROW },
		{ "Default", "default", 7, 1 },
		{ "Needs", "needs", 8, 2 },
		{ 0 } },
	.detail = (const struct detail[]){
		{ "Help", "help" },
		{ "Type", "type" },
		{ 0 } },
	.help = "Every key of the configuration file with the value in force.",
};

const struct screen_class screen_audit = {
	.name = "audit",
	.title = "Audit & undo",
	.method = "undo.list",
	.columns = (const struct column[]){
		{ "When", "time", 12 },
		{ "Who", "who", 14 },
		{ "What", "what", 16 },
		{ "Object", "object", 24, 0, COLUMN_GROW },
		{ "State", "state", 10 },
		{ "ID", "id", 6, 1 },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ 'U', "Undo this", "undo.apply", .take = "id", .help = "Take this change back; it is shown first." },
		{ 'W', "What it would do", "undo.preview", .take = "id" },
		{ 0 } },
	.help = "Who changed what. U takes a change back, whoever made it; what it would do is shown first.",
};
