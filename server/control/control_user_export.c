/*
 * control_user_export.c - `user export`: JSON lines with every field but the password (CFG-05).
 */
#include "server/control/control_fields.h"
#include "server/control/control_transfer.h"
#include "store/groups.h"
#include "store/users.h"

static enum err
user_out(struct transfer_out *t, struct snapshot *snap)
{
	struct json_writer w;
	struct group group;
	struct user user;
	enum err err = user_after(snap, t->name, &user);

	if (err != OK)
		return err;
	transfer_out_name(t, user.name);
	json_writer_init(&w, &t->text);
	json_put_object(&w);
	control_put_fields(&w, &user_table, &user);
	if (user.group && group_find(snap, user.group, &group) == OK)
		json_put_member_string(&w, SPAN("group"), group.name);
	json_put_close(&w);
	if (json_writer_end(&w) != OK)
		return ERR_LIMIT;
	return buf_put_char(&t->text, '\n');
}

static enum step
export_read(struct control_call *call, struct snapshot *snap)
{
	return transfer_out_read(call, snap, user_out, "user");
}

const struct control_handler control_do_user_export = {
	.check = transfer_out_check,
	.read = export_read,
	.spill = transfer_out_spill,
};
