/*
 * control_users.c - users: list, show, add, set, remove, rename, passwd, unlock.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "server/control/control_fields.h"
#include "server/control/control_groups.h"
#include "server/control/control_mailbox.h"
#include "server/control/control_maillists.h"
#include "server/control/control_password.h"
#include "store/app_passwords.h"
#include "store/folders.h"
#include "store/groups.h"
#include "store/logins.h"
#include "store/users.h"

#define MAIN_ADMIN_SIZE 256

/* ---- list, show ---- */

struct user_walk {
	char name[USER_NAME_MAX + 1];
	int64_t steady_ms; /* by which locks are counted, when the call began */
};

static bool
look_check(struct control_call *call)
{
	struct user_walk *walk = ARENA_NEW(&call->arena, struct user_walk);

	walk->steady_ms = host_steady_ms(call->host);
	call->state = walk;
	return true;
}

/* Wall clock; 0: not locked (USR-20). */
static int64_t
locked_until_ms(const struct control_call *call, struct span name)
{
	const struct user_walk *walk = call->state;
	int64_t until_ms = shared_user_locked_until(call->host->shared, name, walk->steady_ms);

	return until_ms ? call->now_ms + until_ms - walk->steady_ms : 0;
}

static void
user_flags(const struct user *u, bool locked, char out[8])
{
	char *at = out;

	if (u->admin)
		*at++ = 'a';
	if (u->forward && u->forward_to.len)
		*at++ = 'f';
	if (u->assistants.len)
		*at++ = 's';
	if (u->monitor)
		*at++ = 'm';
	if (locked)
		*at++ = 'L';
	if (!u->enabled)
		*at++ = '-';
	*at = '\0';
}

static enum err
user_row(struct control_call *call, struct snapshot *snap, const struct user *u)
{
	struct control_rows *rows = &call->rows;
	struct folder_totals totals = {0};
	struct folder inbox = {0};
	struct logins logins;
	struct group group = {0};
	char flags[8];
	enum err err;

	user_flags(u, locked_until_ms(call, u->name) != 0, flags);
	err = control_totals(snap, u->user_id, &totals);
	if (err == OK)
		err = folder_find(snap, u->user_id, SPAN("INBOX"), &inbox);
	if ((err == OK || err == ERR_NOT_FOUND) && u->group)
		err = group_find(snap, u->group, &group);
	if (err == OK || err == ERR_NOT_FOUND)
		err = logins_find(snap, u->user_id, &logins);
	if (err != OK)
		return err;
	control_row(rows, u->name);
	control_put_text(rows, span_of(flags));
	control_put_text(rows, u->name);
	control_put_text(rows, group.name.ptr ? group.name : SPAN(""));
	control_put_number(rows, inbox.messages);
	control_put_number(rows, (int64_t)totals.bytes);
	control_put_number(rows, (int64_t)u->quota_mb);
	control_put_time_ms(rows, logins_last_ms(&logins));
	control_put_text(rows, u->comment.ptr ? u->comment : SPAN(""));
	return OK;
}

static enum step
user_list_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct user_walk *walk = call->state;
	struct user user;
	enum err err;

	while ((err = user_after(snap, span_of(walk->name), &user)) == OK) {
		err = user_row(call, snap, &user);
		if (err != OK)
			break;
		snprintf(walk->name, sizeof(walk->name), "%.*s", SPAN_FMT(user.name));
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "user");
	return STEP_FAIL;
}

const struct control_handler control_do_user_list = {.check = look_check, .read = user_list_read};

static enum step
user_show_read(struct control_call *call, struct snapshot *snap)
{
	struct json_writer *w = &call->json;
	struct folder_totals totals;
	struct logins logins;
	struct group group;
	struct user user;
	enum err err = user_find_by_name(snap, control_param(call, "name"), &user);

	if (err == OK)
		err = control_totals(snap, user.user_id, &totals);
	if (err == OK)
		err = logins_find(snap, user.user_id, &logins);
	if (!control_fail_err(call, err, "user"))
		return STEP_FAIL;
	json_put_object(w);
	control_put_fields(w, &user_table, &user);
	json_put_name(w, SPAN("group"));
	if (user.group && group_find(snap, user.group, &group) == OK)
		json_put_string(w, group.name);
	else
		json_put_string(w, SPAN(""));
	control_put_forced(call, snap, &user);
	control_put_lists(call, snap, &user);
	json_put_member_bool(w, SPAN("has_password"), user.password_hash.len > 0);
	control_put_passwords(w, snap, &user);
	json_put_member_u64(w, SPAN("messages"), totals.messages);
	json_put_member_u64(w, SPAN("held"), totals.held);
	json_put_member_u64(w, SPAN("size"), totals.bytes);
	control_put_time(w, SPAN("last_login"), logins_last_ms(&logins));
	json_put_member_bool(w, SPAN("locked"), locked_until_ms(call, user.name) != 0);
	control_put_time(w, SPAN("locked_until"), locked_until_ms(call, user.name));
	json_put_close(w);
	return STEP_DONE;
}

const struct control_handler control_do_user_show = {.check = look_check, .read = user_show_read};

/* ---- changes ---- */

struct user_change {
	struct control_new_password password;
	size_t app_passwords; /* that stay */
	char main_admin[MAIN_ADMIN_SIZE]; /* as the configuration names it */
	uint64_t user_id;
	bool logins_end; /* remembered logins are to be forgotten (H63) */
	bool was_first;
};

static bool
change_check(struct control_call *call)
{
	struct user_change *c = ARENA_NEW(&call->arena, struct user_change);

	control_password_begin(call->host->conf, &c->password);
	snprintf(c->main_admin, sizeof(c->main_admin), "%.*s",
		SPAN_FMT(call->host->conf->main_administrator));
	call->state = c;
	return true;
}

/* The user whom errors, reports and undeliverable mail go to (ADM-01). */
static bool
is_main_admin(const struct user_change *c, struct span name)
{
	struct span local, domain;

	span_cut(span_of(c->main_admin), '@', &local, &domain);
	return span_eq_nocase(local, name);
}

static bool
password_check_rules(struct control_call *call)
{
	change_check(call);
	return control_password_rules(call, control_param(call, "password"), "password");
}

static bool
password_work(struct control_call *call)
{
	struct user_change *c = call->state;

	return control_password_hash(call, control_param(call, "password"), &c->password);
}

static bool
add_check(struct control_call *call)
{
	struct span name = control_param(call, "name");

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
	return password_check_rules(call);
}

static enum err
add_change(struct control_call *call, struct txn *txn)
{
	struct user_change *c = call->state;
	struct user_counts counts;
	struct group group;
	struct user user;
	enum err err;

	user_init(&user);
	user.name = control_param(call, "name");
	user.comment = control_param(call, "comment");
	user.admin = rpc_flag(call->request, "admin");
	user.quota_mb = rpc_number(call->request, "quota", 0);
	user.password_hash = span_of(c->password.hash);
	user.scram = (struct span){c->password.scram, c->password.scram_len};
	if (user.quota_mb > USER_MB_MAX) {
		control_failf(call, RPC_INVALID, "quota", "a quota is 0 (none) to %u MB",
			(unsigned)USER_MB_MAX);
		return ERR_LIMIT;
	}
	if (rpc_has(call->request, "group")) {
		err = group_find_by_name(txn_view(txn), control_param(call, "group"), &group);
		if (!control_fail_err(call, err, "group"))
			return err;
		err = group_join(txn_view(txn), group.group_id, &user);
		if (err != OK)
			return err;
	}
	err = user_count(txn_view(txn), &counts);
	c->was_first = err == OK && counts.live == 0;
	if (err == OK)
		err = user_add(txn, &user, call->now_ms, &c->user_id);
	if (err == ERR_EXISTS)
		control_fail(call, RPC_CLASH, "a user, group or list has this name already", NULL,
			"name");
	call->job_done = 1;
	return err;
}

static void
add_finish(struct control_call *call)
{
	struct user_change *c = call->state;
	struct span name = control_param(call, "name");

	if (c->was_first && is_main_admin(c, name) && rpc_flag(call->request, "admin"))
		call->note = arena_printf(
			&call->arena, "%.*s is the Main Administrator", SPAN_FMT(name));
}

const struct control_handler control_do_user_add = {
	.check = add_check,
	.work = password_work,
	.work_kind = WORK_HASH,
	.change = add_change,
	.finish = add_finish,
	.object = "user",
};

/* What must not be taken from the Main Administrator. */
static bool
main_admin_stays(struct control_call *call, const struct user *user)
{
	const struct user_change *c = call->state;

	if (!is_main_admin(c, user->name) || (user->admin && user->enabled))
		return true;
	return control_fail(call, RPC_REFUSED,
		"this is the Main Administrator: he stays an enabled administrator",
		"make another user the Main Administrator first: config set main_administrator "
		"NAME",
		NULL);
}

static enum err
set_group(struct control_call *call, struct txn *txn, struct span name, struct user *user)
{
	struct group group = {0};
	enum err err = OK;

	if (name.len > 0 && !span_eq(name, SPAN("none")))
		err = group_find_by_name(txn_view(txn), name, &group);
	if (!control_fail_err(call, err, "group"))
		return err;
	return group_join(txn_view(txn), group.group_id, user);
}

static enum err
set_change(struct control_call *call, struct txn *txn)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	struct user_change *c = call->state;
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), control_param(call, "name"), &user);
	bool was_admin;

	if (!control_fail_err(call, err, "user"))
		return err;
	was_admin = user.admin && user.enabled;
	for (size_t i = 0; i < keys->count; i++) {
		err = control_group_allows(call, txn_view(txn), &user, keys->pairs[i].key);
		if (err != OK)
			return err;
		if (span_eq(keys->pairs[i].key, SPAN("group")))
			err = set_group(call, txn, keys->pairs[i].value, &user);
		else
			err = control_set_field(call, &user_table, &user, &keys->pairs[i]);
		if (err != OK)
			return err;
	}
	if (was_admin && !main_admin_stays(call, &user))
		return ERR_DENIED;
	c->user_id = user.user_id;
	c->logins_end = true;
	err = user_set(txn, &user, call->now_ms);
	if (err == ERR_DENIED)
		control_fail(call, RPC_REFUSED, "this is the last administrator", NULL, NULL);
	call->job_done = 1;
	return err;
}

static void
forget_logins(struct control_call *call)
{
	struct user_change *c = call->state;

	if (c->user_id)
		shared_login_drop(call->host->shared, c->user_id);
}

const struct control_handler control_do_user_set = {
	.check = change_check,
	.change = set_change,
	.finish = forget_logins,
	.object = "user",
};

static enum err
passwd_change(struct control_call *call, struct txn *txn)
{
	struct user_change *c = call->state;
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), control_param(call, "name"), &user);

	if (!control_fail_err(call, err, "user"))
		return err;
	c->user_id = user.user_id;
	call->job_done = 1;
	err = app_password_count(txn_view(txn), user.user_id, &c->app_passwords);
	if (err != OK)
		return err;
	return user_set_password(txn, user.user_id, span_of(c->password.hash),
		(struct span){c->password.scram, c->password.scram_len}, call->now_ms);
}

static void
passwd_finish(struct control_call *call)
{
	const struct user_change *c = call->state;

	forget_logins(call);
	if (c->app_passwords > 0)
		call->note = arena_printf(&call->arena,
			"user %.*s given a new password; %zu app passwords stay valid (apppass list)",
			SPAN_FMT(control_param(call, "name")), c->app_passwords);
	log_put(call->host->log, &(struct log_line){.level = LEVEL_INFO,
					 .area = "security",
					 .text = "password changed",
					 .fields = {{"user", control_param(call, "name"), 0},
						 {"by", span_of(call->who.name), 0}}});
}

const struct control_handler control_do_user_passwd = {
	.check = password_check_rules,
	.work = password_work,
	.work_kind = WORK_HASH,
	.change = passwd_change,
	.finish = passwd_finish,
	.object = "user",
};

static enum err
remove_each(struct control_call *call, struct txn *txn, struct span name)
{
	struct user_change *c = call->state;
	struct user user;
	uint64_t session;
	enum err err = user_find_by_name(txn_view(txn), name, &user);

	if (err != OK)
		return err;
	session = shared_session_of_user(call->host->shared, user.user_id); /* USR-14 */
	if (session)
		call->skip_why = arena_printf(
			&call->arena, "has a session open: s%llu", (unsigned long long)session)
					 .ptr;
	else if (is_main_admin(c, user.name))
		call->skip_why = "is the Main Administrator";
	if (call->skip_why)
		return ERR_DENIED;
	err = user_remove(txn, user.user_id, call->now_ms);
	if (err == ERR_DENIED)
		call->skip_why = "is the last administrator";
	if (err == OK)
		shared_login_drop(call->host->shared, user.user_id);
	return err;
}

const struct control_handler control_do_user_remove = {
	.check = change_check,
	.each = remove_each,
	.object = "user",
};

static enum err
unlock_each(struct control_call *call, struct txn *txn, struct span name)
{
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), name, &user);

	if (err == OK)
		shared_login_forgive(call->host->shared, name);
	return err;
}

static void
unlock_finish(struct control_call *call)
{
	const struct rpc_value *names = rpc_value(call->request, "names");

	for (size_t i = 0; i < names->count; i++)
		log_put(call->host->log, &(struct log_line){.level = LEVEL_INFO,
						 .area = "security",
						 .text = "unlocked",
						 .fields = {{"user", names->items[i], 0},
							 {"by", span_of(call->who.name), 0}}});
}

const struct control_handler control_do_user_unlock = {
	.each = unlock_each,
	.finish = unlock_finish,
	.object = "user",
	.cannot = "failed logins are counted in memory only",
};
