/*
 * screen_mappings.c - mappings of address patterns to targets, and where an address goes.
 */
#include "tui/screen_rows.h"

#define WHEN "always|pop3|smtp|sender"

static const struct form_class mapping_add = {
	.title = "New mapping",
	.fields = (const struct form_field[]){
		{ "New mapping", "address", "Address pattern", FORM_TEXT, NULL, "info@example.org, *@example.org, sales-*@example.org" },
		{ NULL, "target", "Target", FORM_TEXT, NULL, "a user, an address, a list, *REMOTE; F4 lists users and lists", ".", .pick = "user.list maillist.list" },
		{ NULL, "when", "When", FORM_CHOICE, WHEN, "always, or only for mail that came in so" },
		{ NULL, "collect", "Collector", FORM_TEXT, NULL, "only mail that this collector fetched; F4 lists them", .pick = "collect.list" },
		{ NULL, "comment", "Comment", FORM_TEXT, NULL, "for people" },
		{ 0 } },
};

static const struct form_class mapping_edit = {
	.title = "Change mapping",
	.fields = (const struct form_field[]){
		{ "Change", "when", "When", FORM_CHOICE, WHEN, "always, or only for mail that came in so", "when", .keyed = true },
		{ NULL, "collect", "Collector", FORM_TEXT, NULL, "only mail that this collector fetched; F4 lists them", "collect", .pick = "collect.list", .keyed = true },
		{ NULL, "comment", "Comment", FORM_TEXT, NULL, "for people", "comment", .keyed = true },
		{ 0 } },
};

static const struct form_class mapping_test = {
	.title = "Where does it go?",
	.fields = (const struct form_field[]){
		{ "Where does it go?", "address", "Address", FORM_TEXT, NULL, "an address; nothing is sent" },
		{ 0 } },
};

const struct column mapping_columns[] = {
	{ "Address pattern", "address", 28, 0, COLUMN_GROW },
	{ "Target", "target", 22, 0, COLUMN_GROW },
	{ "When", "when", 8, 2 },
	{ "Collector", "collect", 10, 1 },
	{ "Comment", "comment", 20, 3, COLUMN_GROW },
	{ 0 },
};

const struct key_action mapping_keys[] = {
	{ 'c', "Create", "mapping.add", .form = &mapping_add },
	{ 'e', "Edit", "mapping.set", .form = &mapping_edit },
	{ 'd', "Remove", "mapping.remove", .take = "target" },
	{ 'X', "Where does ... go?", "mapping.test", .form = &mapping_test },
	{ 0 },
};

const struct screen_class screen_mappings = {
	.name = "mappings",
	.title = "Maps",
	.digit = '6',
	.method = "mapping.list",
	.columns = mapping_columns,
	.keys = mapping_keys,
	.help = "Which address leads where. X answers where an address goes, and why.",
};
