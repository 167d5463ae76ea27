/*
 * screen_trace.c - where each message went and why; explain: where one would go.
 */
#include "tui/screen_rows.h"

static const struct form_class explain = {
	.title = "Explain: what would happen",
	.fields = (const struct form_field[]){
		{ "Explain", "from", "From", FORM_TEXT, NULL, "the sender's address; empty: a report" },
		{ NULL, "to", "To", FORM_LIST, NULL, "addresses" },
		{ NULL, "auth", "Logged in as", FORM_TEXT, NULL, "a user; empty: a stranger" },
		{ NULL, "via", "Comes by", FORM_CHOICE, "|smtp|pop3|local", "empty: SMTP" },
		{ NULL, "size", "Size", FORM_TEXT, NULL, "12k, 20MB" },
		{ 0 } },
};

const struct screen_class screen_trace = {
	.name = "trace",
	.title = "Trace",
	.digit = '3',
	.method = "trace",
	.columns = (const struct column[]){
		{ "When", "time", 12 },
		{ "ID", "id", 10, 3 },
		{ "Result", "result", 22, 0, COLUMN_GROW },
		{ "From", "from", 20, 0, COLUMN_GROW },
		{ "To", "to", 22, 0, COLUMN_GROW },
		{ "Size", "size", 6, 2 },
		{ "Subject", "subject", 20, 1, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Steps", .open = &screen_trace_steps },
		{ 'T', "Steps", .open = &screen_trace_steps },
		{ 'X', "Explain", "explain", .form = &explain },
		{ 0 } },
	.detail = (const struct detail[]){
		{ "Subject", "subject" },
		{ "To", "to" },
		{ "Because", "because" },
		{ 0 } },
	.help = "Messages and refused recipients, the newest first; Enter shows each step and its reason.",
};
