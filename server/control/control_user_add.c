/*
 * control_user_add.c - `user add` (USR-02 to USR-04, USR-11).
 */
#include "conf/conf.h"
#include "server/control/control_fields.h"
#include "server/control/control_password.h"
#include "server/control/control_users.h"
#include "store/groups.h"

struct addition {
	struct control_new_password password;
	struct span main_admin;
	struct span name;
	struct welcomes *welcomes; /* NULL: not wanted */
	bool was_first;
};

static bool
add_check(struct control_call *call)
{
	struct addition *a = ARENA_NEW(&call->arena, struct addition);
	struct span name = control_param(call, "name");

	call->state = a;
	a->name = name;
	control_password_begin(call->host->conf, &a->password);
	a->main_admin = control_main_admin(call);
	if (rpc_flag(call->request, "welcome") && !rpc_flag(call->request, "no_welcome"))
		a->welcomes = control_welcomes(call);
	if (user_name_is_reserved(name))
		return control_failf(
			call, RPC_INVALID, "name", "the name %.*s is reserved", SPAN_FMT(name));
	if (!user_name_is_valid(name))
		return control_fail(call, RPC_INVALID,
			"a user name is 1 to 32 letters, digits, '.', '_' or '-', "
			"with no '.' at an end or beside another",
			NULL, "name");
	if (control_characters(control_param(call, "comment")) > USER_COMMENT_MAX)
		return control_fail(
			call, RPC_INVALID, "a comment has at most 80 characters", NULL, "comment");
	return control_password_rules(call, control_param(call, "password"), "password");
}

static bool
add_work(struct control_call *call)
{
	struct addition *a = call->state;

	return control_password_hash(call, control_param(call, "password"), &a->password);
}

static enum err
add_to_group(struct control_call *call, struct txn *txn, struct user *user)
{
	struct group group;
	enum err err;

	if (!rpc_has(call->request, "group"))
		return OK;
	err = group_find_by_name(txn_view(txn), control_param(call, "group"), &group);
	if (!control_fail_err(call, err, "group"))
		return err;
	return group_join(txn_view(txn), group.group_id, user);
}

static enum err
add_change(struct control_call *call, struct txn *txn)
{
	struct addition *a = call->state;
	struct user_counts counts;
	struct user user;
	uint64_t id;
	enum err err;

	user_init(&user);
	user.name = a->name;
	user.comment = control_param(call, "comment");
	user.admin = rpc_flag(call->request, "admin");
	user.quota_mb = rpc_number(call->request, "quota", 0);
	user.password_hash = span_of(a->password.hash);
	user.scram = (struct span){ a->password.scram, a->password.scram_len };
	if (user.quota_mb > USER_MB_MAX) {
		control_failf(call, RPC_INVALID, "quota", "a quota is 0 (none) to %u MB",
			(unsigned)USER_MB_MAX);
		return ERR_LIMIT;
	}
	err = add_to_group(call, txn, &user);
	if (err == OK)
		err = user_count(txn_view(txn), &counts);
	a->was_first = err == OK && counts.live == 0;
	if (err == OK)
		err = user_add(txn, &user, call->now_ms, &id);
	if (err == ERR_EXISTS)
		control_fail(call, RPC_CLASH, "a user, group or list has this name already", NULL,
			"name");
	call->job_done = 1;
	return err;
}

static void
add_finish(struct control_call *call)
{
	const struct addition *a = call->state;

	if (a->was_first && span_eq_nocase(a->name, a->main_admin) &&
		rpc_flag(call->request, "admin"))
		call->note = arena_printf(
			&call->arena, "%.*s is the Main Administrator", SPAN_FMT(a->name));
}

static bool
add_wait(struct control_call *call)
{
	const struct addition *a = call->state;

	return a->welcomes && control_welcomes_send(a->welcomes, &a->name, 1);
}

const struct control_handler control_do_user_add = {
	.check = add_check,
	.work = add_work,
	.work_kind = WORK_HASH,
	.change = add_change,
	.finish = add_finish,
	.wait = add_wait,
	.object = "user",
};
