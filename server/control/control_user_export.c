/*
 * control_user_export.c - `user export`: JSON lines with every field (CFG-05), or one of the four CSV
 * layouts of F-USR-2 (USR-42). Passwords, where they are asked for, as their stored hashes.
 */
#include "proto/control/user_lines.h"
#include "server/control/control_fields.h"
#include "server/control/control_transfer.h"
#include "store/groups.h"
#include "store/users.h"

enum { LAYOUT_JSON = 8 }; /* beside the bits of enum user_layout */

static bool
export_check(struct control_call *call)
{
	const struct rpc_request *r = call->request;
	bool csv = rpc_flag(r, "csv") || rpc_flag(r, "titles") || rpc_flag(r, "verbose");
	struct transfer_out *t;

	if (!transfer_out_check(call))
		return false;
	t = call->state;
	t->layout = (rpc_flag(r, "verbose") ? USER_IN_VERBOSE : 0) |
		(rpc_flag(r, "passwords") ? USER_IN_PASSWORDS : 0) | (csv ? 0 : LAYOUT_JSON);
	if (rpc_flag(r, "titles") && user_titles_put(&t->text, t->layout) != OK)
		return control_fail_err(call, ERR_LIMIT, "the titles");
	if (t->layout & USER_IN_PASSWORDS)
		log_put(call->host->log,
			&(struct log_line){ .level = LEVEL_INFO, .area = "security",
				.text = "users exported with their hashed passwords",
				.fields = { { "by", span_of(call->who.name), 0 },
					{ "via", span_of(call->who.via), 0 } } });
	return true;
}

static enum err
json_out(struct transfer_out *t, struct snapshot *snap, const struct user *u)
{
	struct json_writer w;
	struct group group;

	json_writer_init(&w, &t->text);
	json_put_object(&w);
	control_put_fields(&w, &user_table, u, NULL);
	if (u->group && group_find(snap, u->group, &group) == OK)
		json_put_member_string(&w, SPAN("group"), group.name);
	if (t->layout & USER_IN_PASSWORDS)
		json_put_member_string(&w, SPAN("password_hash"), u->password_hash);
	json_put_close(&w);
	if (json_writer_end(&w) != OK)
		return ERR_LIMIT;
	return buf_put_char(&t->text, '\n');
}

static enum err
csv_out(struct transfer_out *t, const struct user *u)
{
	struct user_line line = { 0 };

	for (unsigned i = 0; i < USER_COLUMNS; i++) {
		const struct field *f = field_find(&user_table, span_of(user_column_member(i)));

		if (!f)
			line.cells[i].text = u->password_hash; /* the one that is no field of this name */
		else if (f->kind == FIELD_FLAG || f->kind == FIELD_COUNT)
			line.cells[i].number = field_number(f, u);
		else
			line.cells[i].text = field_span(f, u);
	}
	return user_line_put(&t->text, &line, t->layout);
}

static enum err
next_out(struct transfer_out *t, struct snapshot *snap)
{
	struct user user;
	enum err err = user_after(snap, t->name, &user);

	if (err != OK)
		return err;
	transfer_out_name(t, user.name);
	return t->layout & LAYOUT_JSON ? json_out(t, snap, &user) : csv_out(t, &user);
}

static enum step
export_read(struct control_call *call, struct snapshot *snap)
{
	return transfer_out_read(call, snap, next_out, "user");
}

const struct control_handler control_do_user_export = {
	.check = export_check,
	.read = export_read,
	.spill = transfer_out_spill,
};
