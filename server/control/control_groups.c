/*
 * control_groups.c - groups: list, show, add, set, remove.
 */
#include <stdio.h>

#include "server/control/control_fields.h"
#include "server/control/control_referrers.h"
#include "store/groups.h"
#include "store/users.h"

#define MEMBERS_SHOWN 200 /* names in one row of the list */

struct group_walk {
	char name[USER_NAME_MAX + 1];
};

static enum err
group_members(struct control_call *call, struct snapshot *snap, uint64_t group_id,
	struct span *names, size_t *count)
{
	uint64_t after = 0;
	struct user user;
	enum err err = OK;

	for (*count = 0; *count < MEMBERS_SHOWN; after = user.user_id) {
		err = group_member_next(snap, group_id, after, &user);
		if (err != OK)
			break;
		names[(*count)++] = arena_copy(&call->arena, user.name);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
group_row(struct control_call *call, struct snapshot *snap, const struct group *g)
{
	struct span *names = ARENA_ARRAY(&call->arena, struct span, MEMBERS_SHOWN);
	size_t count;
	enum err err = group_members(call, snap, g->group_id, names, &count);

	if (err != OK)
		return err;
	control_row(&call->rows, g->name);
	control_put_text(&call->rows, g->name);
	control_put_list(&call->rows, names, count);
	control_put_text(&call->rows, g->admin == TRI_ON ? SPAN("administrator") : SPAN(""));
	control_put_number(&call->rows, g->enabled);
	control_put_text(&call->rows, g->comment.ptr ? g->comment : SPAN(""));
	return OK;
}

static enum step
group_list_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct group_walk *walk = call->state;
	struct group group;
	enum err err;

	if (!walk)
		walk = call->state = ARENA_NEW(&call->arena, struct group_walk);
	while ((err = group_after(snap, span_of(walk->name), &group)) == OK) {
		err = group_row(call, snap, &group);
		if (err != OK)
			break;
		snprintf(walk->name, sizeof(walk->name), "%.*s", SPAN_FMT(group.name));
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "group");
	return STEP_FAIL;
}

const struct control_handler control_do_group_list = {.read = group_list_read};

static enum step
group_show_read(struct control_call *call, struct snapshot *snap)
{
	struct span *names = ARENA_ARRAY(&call->arena, struct span, MEMBERS_SHOWN);
	struct json_writer *w = &call->json;
	struct group group;
	size_t count = 0;
	enum err err = group_find_by_name(snap, control_param(call, "name"), &group);

	if (err == OK)
		err = group_members(call, snap, group.group_id, names, &count);
	if (!control_fail_err(call, err, "group"))
		return STEP_FAIL;
	json_put_object(w);
	control_put_fields(w, &group_table, &group);
	json_put_name(w, SPAN("members"));
	json_put_array(w);
	for (size_t i = 0; i < count; i++)
		json_put_string(w, names[i]);
	json_put_close(w);
	json_put_close(w);
	return STEP_DONE;
}

const struct control_handler control_do_group_show = {.read = group_show_read};

static enum err
join(struct control_call *call, struct txn *txn, uint64_t group_id, struct span name)
{
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), name, &user);

	if (err == ERR_NOT_FOUND)
		control_failf(call, RPC_NOT_FOUND, "members", "no such user: %.*s", SPAN_FMT(name));
	if (err == OK)
		err = group_join(txn_view(txn), group_id, &user);
	return err == OK ? user_set(txn, &user, call->now_ms) : err;
}

static enum err
group_add_change(struct control_call *call, struct txn *txn)
{
	const struct rpc_value *members = rpc_value(call->request, "members");
	struct group group;
	uint64_t group_id;
	enum err err;

	group_init(&group);
	group.name = control_param(call, "name");
	err = group_add(txn, &group, call->now_ms, &group_id);
	if (err == ERR_SYNTAX)
		control_fail(call, RPC_INVALID,
			"the name is reserved, or not 1 to 32 letters, digits, "
			"'.', '_' or '-'",
			NULL, "name");
	if (err == ERR_EXISTS)
		control_fail(call, RPC_CLASH, "a user, group or list has this name already", NULL,
			"name");
	for (size_t i = 0; err == OK && i < members->count; i++)
		err = join(call, txn, group_id, members->items[i]);
	call->job_done = 1;
	return err;
}

const struct control_handler control_do_group_add = {
	.change = group_add_change,
	.object = "group",
};

static enum err
group_set_change(struct control_call *call, struct txn *txn)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	struct group group;
	enum err err = group_find_by_name(txn_view(txn), control_param(call, "name"), &group);

	if (!control_fail_err(call, err, "group"))
		return err;
	for (size_t i = 0; i < keys->count && err == OK; i++)
		err = control_set_field(call, &group_table, &group, &keys->pairs[i]);
	call->job_done = 1;
	return err == OK ? group_set(txn, &group, call->now_ms) : err;
}

const struct control_handler control_do_group_set = {
	.change = group_set_change,
	.object = "group",
};

static bool
group_remove_check(struct control_call *call)
{
	call->state = control_referrers_new(call);
	return true;
}

static enum step
group_remove_foresee(struct control_call *call, struct snapshot *snap)
{
	return control_referrers_foresee_all(call, snap, call->state);
}

static enum err
group_remove_each(struct control_call *call, struct txn *txn, struct span name)
{
	struct group group;
	enum err err = group_find_by_name(txn_view(txn), name, &group);

	if (err == OK)
		err = group_remove(txn, group.group_id, call->now_ms);
	return err == OK ? control_referrers_remove(call, txn, call->state, name) : err;
}

static void
group_remove_finish(struct control_call *call)
{
	control_referrers_note(call, call->state);
}

const struct control_handler control_do_group_remove = {
	.check = group_remove_check,
	.foresee = group_remove_foresee,
	.each = group_remove_each,
	.finish = group_remove_finish,
	.object = "group",
};
