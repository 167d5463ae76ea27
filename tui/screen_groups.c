/*
 * screen_groups.c - administrative groups: what they set for their members, and who is in them.
 */
#include "tui/screen_rows.h"

#define EITHER "unset|on|off"

static const struct form_class group_add = {
	.title = "New group",
	.fields = (const struct form_field[]){
		{ "New group", "name", "Name", FORM_TEXT, NULL, "mail to NAME@the default domain goes to all its members", .names_row = true },
		{ NULL, "members", "Members", FORM_LIST, NULL, "users; none is fine" },
		{ 0 } },
};

static const struct form_class group_rename = {
	.title = "New name",
	.fields = (const struct form_field[]){
		{ "New name", "name", "New name", FORM_TEXT, NULL, "mail to the old name is refused from now on", "name", true, .keyed = true },
		{ 0 } },
};

static const struct form_class group_form = {
	.title = "Group",
	.save = "group.set",
	.fields = (const struct form_field[]){
		{ "General", "name", "Name", FORM_SHOWN, NULL, "" },
		{ NULL, "comment", "Comment", FORM_TEXT, NULL, "for people; at most 80 characters" },
		{ NULL, "enabled", "Enabled", FORM_FLAG, NULL, "off: none of its members may log in" },
		{ NULL, "force", "Force", FORM_FLAG, NULL, "on: what is set below wins over the user; off: users who join later begin with it" },
		{ NULL, "admin", "Administrators", FORM_CHOICE, EITHER, "may do everything that this console can; unset: as each user has it" },
		{ NULL, "everyone", "In `everyone`", FORM_CHOICE, EITHER, "get mail to everyone; unset: as each user has it" },
		{ NULL, "send_internet", "Send outside", FORM_CHOICE, EITHER, "may send to the Internet; unset: as each user has it" },
		{ NULL, "receive_internet", "Receive outside", FORM_CHOICE, EITHER, "get mail from the Internet; unset: as each user has it" },
		{ NULL, "monitor", "Monitored", FORM_CHOICE, EITHER, "copies go where monitoring says; noted in the log of changes" },
		{ NULL, "reply_address", "Reply address", FORM_TEXT, NULL, "shown outside in place of a member's address where he has none; * is his name" },
		{ NULL, "max_out_kb", "Largest sent (kB)", FORM_NUMBER, NULL, "0: as each user has it" },
		{ NULL, "member_count", "Members", FORM_SHOWN, NULL, "" },
		{ NULL, "created", "Created", FORM_SHOWN, NULL, "" },
		{ NULL, "changed", "Changed", FORM_SHOWN, NULL, "" },
		{ 0 } },
};

static const struct screen_class *const group_tabs[] = { &screen_group, &screen_group_members, NULL };

const struct screen_class screen_group = {
	.name = "group",
	.title = "Group",
	.panel = &form_panel,
	.method = "group.show",
	.subject = "name",
	.form = &group_form,
	.tabs = group_tabs,
};

const struct screen_class screen_group_members = {
	.name = "members",
	.title = "Members",
	.method = "maillist.members",
	.subject = "name",
	.columns = member_columns,
	.keys = member_keys,
	.tabs = group_tabs,
	.help = "Who is in the group; what it forces holds for all of them.",
};

const struct screen_class screen_groups = {
	.name = "groups",
	.title = "Groups",
	.method = "group.list",
	.columns = (const struct column[]){
		{ "Name", "name", 18, 0, COLUMN_GROW },
		{ "Members", "members", 24, 1, COLUMN_GROW },
		{ "Role", "role", 13, 2 },
		{ "Enabled", "enabled", 7 },
		{ "Comment", "comment", 20, 3, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Open", .open = &screen_group },
		{ 'e', "Edit", .open = &screen_group },
		{ 'M', "Members", .open = &screen_group_members },
		{ 'c', "Create", "group.add", .form = &group_add },
		{ 'W', "Rename", "group.set", .form = &group_rename },
		{ 'd', "Remove", "group.remove" },
		{ 'T', "Write to", "message.send", .marked = "names", .form = &form_write_to },
		{ 0 } },
	.open = &screen_group,
	.help = "What a group sets is where its new members begin, or is forced on all; mail to it goes to all of them.",
};
