/*
 * control_groups.c - groups: list, show, add, set, remove.
 */
#include "server/control/control_groups.h"

#include <stdio.h>

#include "server/control/control_fields.h"
#include "server/control/control_guard.h"
#include "server/control/control_referrers.h"

struct group_walk {
	char name[USER_NAME_MAX + 1];
};

enum err
control_group_names(struct control_call *call, struct snapshot *snap, uint64_t group_id,
	struct span names[CONTROL_MEMBERS_SHOWN], size_t *total)
{
	struct user user = {.user_id = 0};
	enum err err;

	for (*total = 0;; ++*total) {
		err = group_member_next(snap, group_id, user.user_id, &user);
		if (err != OK)
			break;
		if (*total < CONTROL_MEMBERS_SHOWN)
			names[*total] = arena_copy(&call->arena, user.name);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static size_t
shown(size_t total)
{
	return total < CONTROL_MEMBERS_SHOWN ? total : CONTROL_MEMBERS_SHOWN;
}

static enum err
group_row(struct control_call *call, struct snapshot *snap, const struct group *g)
{
	struct span *names = ARENA_ARRAY(&call->arena, struct span, CONTROL_MEMBERS_SHOWN);
	size_t count;
	enum err err = control_group_names(call, snap, g->group_id, names, &count);

	if (err != OK)
		return err;
	control_row(&call->rows, g->name);
	control_put_text(&call->rows, g->name);
	control_put_list(&call->rows, names, shown(count));
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
	struct span *names = ARENA_ARRAY(&call->arena, struct span, CONTROL_MEMBERS_SHOWN);
	struct json_writer *w = &call->json;
	struct group group;
	size_t count = 0;
	enum err err = group_find_by_name(snap, control_param(call, "name"), &group);

	if (err == OK)
		err = control_group_names(call, snap, group.group_id, names, &count);
	if (!control_fail_err(call, err, "group"))
		return STEP_FAIL;
	json_put_object(w);
	control_put_fields(w, &group_table, &group, call->is_locked ? control_guard_has_field : NULL);
	json_put_name(w, SPAN("members"));
	json_put_array(w);
	for (size_t i = 0; i < shown(count); i++)
		json_put_string(w, names[i]);
	json_put_close(w);
	json_put_member_u64(w, SPAN("member_count"), count);
	json_put_close(w);
	return STEP_DONE;
}

const struct control_handler control_do_group_show = {.read = group_show_read};

/* ---- who is in it ---- */

enum err
control_group_join(
	struct control_call *call, struct txn *txn, uint64_t group_id, struct span name)
{
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), name, &user);

	if (err == ERR_NOT_FOUND)
		control_failf(call, RPC_NOT_FOUND, "members", "no such user: %.*s", SPAN_FMT(name));
	if (err == OK && user.group == group_id)
		return OK;
	if (err == OK)
		err = group_join(txn_view(txn), group_id, &user);
	if (err == OK)
		err = user_set(txn, &user, call->now_ms);
	if (err == ERR_DENIED)
		control_failf(call, RPC_REFUSED, "members", "%.*s is the last administrator",
			SPAN_FMT(name));
	return err;
}

static bool
is_named(struct span names, struct span name)
{
	struct span one;

	while (field_list_next(&names, &one))
		if (span_eq_nocase(one, name))
			return true;
	return false;
}

enum err
control_group_members(
	struct control_call *call, struct txn *txn, uint64_t group_id, struct span names)
{
	struct user user = {.user_id = 0};
	struct span rest = names, name;
	enum err err;

	while ((err = group_member_next(txn_view(txn), group_id, user.user_id, &user)) == OK) {
		if (is_named(names, user.name))
			continue;
		user.group = 0;
		err = user_set(txn, &user, call->now_ms);
		if (err != OK)
			return err;
	}
	if (err != ERR_NOT_FOUND)
		return err;
	for (err = OK; err == OK && field_list_next(&rest, &name);)
		err = control_group_join(call, txn, group_id, name);
	return err;
}

/* ---- what it locks ---- */

enum err
control_group_allows(struct control_call *call, struct snapshot *snap, const struct user *user,
	struct span key)
{
	struct group group;
	enum err err = OK;

	if (user->group == 0)
		return OK;
	err = group_find(snap, user->group, &group);
	if (err != OK || !group_locks(&group, key))
		return err == ERR_NOT_FOUND ? OK : err;
	control_failf(call, RPC_REFUSED, arena_text(&call->arena, key),
		"the group %.*s sets %.*s for its members", SPAN_FMT(group.name), SPAN_FMT(key));
	return ERR_DENIED;
}

void
control_put_forced(struct control_call *call, struct snapshot *snap, const struct user *user)
{
	struct json_writer *w = &call->json;
	struct group group;
	bool in_one = user->group != 0 && group_find(snap, user->group, &group) == OK;

	json_put_name(w, SPAN("forced"));
	json_put_array(w);
	for (size_t i = 0; in_one && i < group_table.count; i++) {
		const struct field *f = &group_table.fields[i];

		if (group_locks(&group, span_of(f->name)))
			json_put_string(w, arena_printf(&call->arena, "%s=%s (group %.*s)", f->name,
				field_number(f, &group) == TRI_ON ? "yes" : "no",
				SPAN_FMT(group.name)));
	}
	json_put_close(w);
}

/* ---- add, set, remove ---- */

static void
name_words(struct control_call *call, enum err err)
{
	if (err == ERR_SYNTAX)
		control_fail(call, RPC_INVALID,
			"the name is reserved, or not 1 to 32 letters, digits, "
			"'.', '_' or '-'",
			NULL, "name");
	if (err == ERR_EXISTS)
		control_fail(call, RPC_CLASH, "a user, group or list has this name already", NULL,
			"name");
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
	name_words(call, err);
	for (size_t i = 0; err == OK && i < members->count; i++)
		err = control_group_join(call, txn, group_id, members->items[i]);
	call->job_done = 1;
	return err;
}

const struct control_handler control_do_group_add = {
	.change = group_add_change,
	.object = "group",
	.tries = true,
};

/* What `remove` and a new name need: what points at the group. */
static bool
group_change_check(struct control_call *call)
{
	call->state = control_referrers_new(call);
	return true;
}

static void
group_change_finish(struct control_call *call)
{
	control_referrers_note(call, call->state);
}

static enum err
group_new_name(struct control_call *call, struct txn *txn, const struct group *group,
	struct span name)
{
	struct span old = arena_copy(&call->arena, group->name);
	enum err err = group_rename(txn, group->group_id, name, call->now_ms);

	name_words(call, err);
	return err == OK ? control_referrers_rename(call, txn, call->state, old, name) : err;
}

/* name= and members= are no fields of its row: they are done after these. */
static enum err
group_set_rest(struct control_call *call, struct txn *txn, const struct group *group)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	enum err err = OK;

	for (size_t i = 0; i < keys->count && err == OK; i++) {
		struct span value = keys->pairs[i].value;

		if (span_eq(keys->pairs[i].key, SPAN("members")))
			err = control_group_members(call, txn, group->group_id, value);
		else if (span_eq(keys->pairs[i].key, SPAN("name")))
			err = group_new_name(call, txn, group, value);
	}
	return err;
}

static enum err
group_set_change(struct control_call *call, struct txn *txn)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	struct group group;
	size_t fields = 0;
	enum err err = group_find_by_name(txn_view(txn), control_param(call, "name"), &group);

	if (!control_fail_err(call, err, "group"))
		return err;
	fields_copy(&group_table, &group, &call->arena);
	for (size_t i = 0; i < keys->count && err == OK; i++) {
		if (span_eq(keys->pairs[i].key, SPAN("members")) ||
			span_eq(keys->pairs[i].key, SPAN("name")))
			continue;
		fields++;
		err = control_set_field(call, &group_table, &group, &keys->pairs[i]);
	}
	call->job_done = 1;
	if (err == OK && fields > 0)
		err = group_set(txn, &group, call->now_ms);
	return err == OK ? group_set_rest(call, txn, &group) : err;
}

const struct control_handler control_do_group_set = {
	.check = group_change_check,
	.change = group_set_change,
	.finish = group_change_finish,
	.object = "group",
	.tries = true,
};

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

const struct control_handler control_do_group_remove = {
	.check = group_change_check,
	.foresee = group_remove_foresee,
	.each = group_remove_each,
	.finish = group_change_finish,
	.object = "group",
};
