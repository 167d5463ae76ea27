/*
 * screen_lists.c - lists (distribution, forwarding, mailing) and their members.
 */
#include "tui/screen_rows.h"

#define KINDS "distribution|forwarding|mailing"

static const struct form_class list_add = {
	.title = "New list",
	.fields = (const struct form_field[]){
		{ "New list", "name", "Name", FORM_TEXT, NULL, "the address is NAME@the default domain", .names_row = true },
		{ NULL, "kind", "Kind", FORM_CHOICE, KINDS, "forwarding: to one address" },
		{ NULL, "member", "Members", FORM_LIST, NULL, "users, groups, lists, addresses" },
		{ NULL, "comment", "Comment", FORM_TEXT, NULL, "for people" },
		{ 0 } },
};

static const struct form_class list_rename = {
	.title = "New name",
	.fields = (const struct form_field[]){
		{ "New name", "name", "New name", FORM_TEXT, NULL, "mail to the old name is refused from now on", "name", true, .keyed = true },
		{ 0 } },
};

static const struct form_class member_add = {
	.title = "New members",
	.fields = (const struct form_field[]){
		{ "New members", "members", "Members", FORM_LIST, NULL, "users, groups, lists, addresses; into a group: users" },
		{ 0 } },
};

const struct column member_columns[] = {
	{ "Member", "member", 32, 0, COLUMN_GROW },
	{ "Is", "kind", 10 },
	{ "Added", "added", 12, 1 },
	{ 0 },
};

const struct key_action member_keys[] = {
	{ 'c', "Add", "maillist.member", "\"act\":\"add\"", .form = &member_add,
		.help = "Add members to the list or group." },
	{ 'd', "Take out", "maillist.member", "\"act\":\"remove\"", .marked = "members",
		.help = "Take the marked members out of the list or group." },
	{ 0 },
};

static const struct form_class list_form = {
	.title = "List",
	.save = "maillist.set",
	.fields = (const struct form_field[]){
		{ "General", "name", "Name", FORM_SHOWN, NULL, "" },
		{ NULL, "kind", "Kind", FORM_CHOICE, KINDS, "distribution: to all members; forwarding: to one address" },
		{ NULL, "comment", "Comment", FORM_TEXT, NULL, "for people" },
		{ NULL, "member_count", "Members", FORM_SHOWN, NULL, "" },
		{ NULL, "builtin", "Built in", FORM_SHOWN, NULL, "" },
		{ NULL, "created", "Created", FORM_SHOWN, NULL, "" },
		{ NULL, "changed", "Changed", FORM_SHOWN, NULL, "" },
		{ 0 } },
};

static const struct screen_class *const list_tabs[] = { &screen_list_members, &screen_list, NULL };

const struct screen_class screen_list = {
	.name = "list",
	.title = "General",
	.panel = &form_panel,
	.method = "maillist.show",
	.subject = "name",
	.form = &list_form,
	.tabs = list_tabs,
};

const struct screen_class screen_list_members = {
	.name = "members",
	.title = "Members",
	.method = "maillist.members",
	.subject = "name",
	.columns = member_columns,
	.keys = member_keys,
	.tabs = list_tabs,
	.help = "To whom mail to the list goes.",
};

const struct screen_class screen_lists = {
	.name = "lists",
	.title = "Lists",
	.digit = '7',
	.method = "maillist.list",
	.columns = (const struct column[]){
		{ "Kind", "kind", 12, 2 },
		{ "Name", "name", 22, 0, COLUMN_GROW },
		{ "Members", "members", 7 },
		{ "Comment", "comment", 30, 1, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Members", .open = &screen_list_members },
		{ 'M', "Members", .open = &screen_list_members },
		{ 'e', "Edit", .open = &screen_list },
		{ 'c', "Create", "maillist.add", .form = &list_add },
		{ 'W', "Rename", "maillist.set", .form = &list_rename },
		{ 'd', "Remove", "maillist.remove" },
		{ 'T', "Write to", "message.send", .marked = "names", .form = &form_write_to },
		{ 0 } },
	.open = &screen_list_members,
	.help = "Lists, and the groups, which are lists too. What a group sets is on the screen Groups.",
};
