/*
 * control_users.c - users: list, show, set, passwd, unlock, recount. Others: control_user_*.c.
 */
#include <stdio.h>

#include "conf/conf.h"
#include "server/control/control_fields.h"
#include "server/control/control_groups.h"
#include "server/control/control_guard.h"
#include "server/control/control_mailbox.h"
#include "server/control/control_maillists.h"
#include "server/control/control_password.h"
#include "server/control/control_store_forward.h"
#include "server/control/control_targets.h"
#include "server/control/control_users.h"
#include "store/app_passwords.h"
#include "store/folders.h"
#include "store/groups.h"
#include "store/logins.h"
#include "store/queued.h"
#include "store/users.h"

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

/* HIDES what leads mail elsewhere: message security (SEC-09). */
static void
user_flags(const struct user *u, bool locked, bool hides, char out[8])
{
	char *at = out;

	if (u->admin)
		*at++ = 'a';
	if (u->forward && u->forward_to.len && !hides)
		*at++ = 'f';
	if (u->assistants.len && !hides)
		*at++ = 's';
	if (u->monitor && !hides)
		*at++ = 'm';
	if (locked)
		*at++ = 'L';
	if (!u->enabled)
		*at++ = '-';
	*at = '\0';
}

/* USR-06: the queue stands above all users, whatever is sorted or filtered. */
static enum err
outqueue_row(struct control_rows *rows, struct snapshot *snap)
{
	struct queued_counts counts;
	enum err err = queued_count(snap, &counts);

	if (err != OK)
		return err;
	control_row_pin(rows, SPAN("*OUTQUEUE"));
	control_put_text(rows, SPAN(""));
	control_put_text(rows, SPAN("*OUTQUEUE"));
	control_put_text(rows, SPAN(""));
	control_put_number(rows, (int64_t)counts.count);
	control_put_number(rows, (int64_t)counts.bytes);
	control_put_number(rows, 0);
	control_put_null(rows);
	for (int i = 0; i < 3; i++) /* comment, store and forward */
		control_put_text(rows, SPAN(""));
	return OK;
}

/* Where mail goes is what message security hides (SEC-09). */
static void
put_forward(struct control_call *call, struct span value)
{
	control_put_text(&call->rows, value.ptr && !call->is_locked ? value : SPAN(""));
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

	user_flags(u, locked_until_ms(call, u->name) != 0, call->is_locked, flags);
	err = folder_totals(snap, u->user_id, &totals);
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
	put_forward(call, u->store_forward_address);
	put_forward(call, u->store_forward_server);
	return OK;
}

static enum step
user_list_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct user_walk *walk = call->state;
	struct user user;
	enum err err = walk->name[0] ? OK : outqueue_row(&call->rows, snap);

	while (err == OK && (err = user_after(snap, span_of(walk->name), &user)) == OK) {
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
		err = folder_totals(snap, user.user_id, &totals);
	if (err == OK)
		err = logins_find(snap, user.user_id, &logins);
	if (!control_fail_err(call, err, "user"))
		return STEP_FAIL;
	json_put_object(w);
	control_put_fields(w, &user_table, &user, call->is_locked ? control_guard_has_field : NULL);
	json_put_name(w, SPAN("group"));
	if (user.group && group_find(snap, user.group, &group) == OK)
		json_put_string(w, group.name);
	else
		json_put_string(w, SPAN(""));
	control_put_forced(call, snap, &user);
	control_put_lists(call, snap, &user);
	json_put_member_bool(w, SPAN("has_password"), user.password_hash.len > 0);
	control_put_passwords(w, snap, &user);
	control_forward_put(call, snap, &user);
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
	struct span main_admin; /* as the configuration names him */
	uint64_t user_id;
	bool disabled;
	struct control_forward forward;
};

static bool
change_check(struct control_call *call)
{
	struct user_change *c = ARENA_NEW(&call->arena, struct user_change);

	control_password_begin(call->host->conf, &c->password);
	c->main_admin = control_main_admin(call);
	call->state = c;
	return true;
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

/* A password is the one of the account that is named beside it, and could not be taken for another. */
static bool
set_check(struct control_call *call)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	struct user_change *c;
	bool named = false;

	if (!change_check(call))
		return false;
	c = call->state;
	c->forward.given = control_param(call, "password");
	for (size_t i = 0; i < keys->count; i++)
		named |= span_eq(keys->pairs[i].key, SPAN("store_forward_server"));
	return c->forward.given.len == 0 || named ||
		control_fail(call, RPC_INVALID,
			"a password goes with store_forward_server=user@host",
			"`user passwd NAME` sets the one that the user logs in with", "password");
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
	struct user user, old;
	const char *stays, *why;
	enum err err = user_find_by_name(txn_view(txn), control_param(call, "name"), &user);

	if (!control_fail_err(call, err, "user"))
		return err;
	old = user;
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
	stays = control_user_must_stay(call, c->main_admin, &old, &user);
	if (stays) {
		control_fail(call, RPC_REFUSED, stays,
			"make another user the Main Administrator first: "
			"config set main_administrator NAME",
			NULL);
		return ERR_DENIED;
	}
	why = control_targets_refuse(call, txn_view(txn), &old, &user, &c->forward.field);
	if (!why)
		why = control_forward_take(call, &old, &user, &c->forward);
	if (why) {
		control_fail(call, RPC_INVALID, why, NULL, c->forward.field);
		return ERR_SYNTAX;
	}
	c->user_id = user.user_id;
	c->disabled = !user.enabled;
	user_copy(&user, &call->arena); /* sealing writes, and what lies in the map moves */
	err = control_forward_seal(call, txn, user.user_id, &c->forward);
	if (err == OK)
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

/* Whoever may not log in any more does not stay either: a mail program would for days. */
static void
set_finish(struct control_call *call)
{
	struct user_change *c = call->state;
	uint64_t ended;

	forget_logins(call);
	control_forward_warn(call, c->user_id, &c->forward);
	if (!c->disabled || call->failed)
		return;
	ended = control_sessions_end(call, SPAN_NONE, c->user_id);
	if (ended > 0)
		control_sessions_note(call, ended);
}

const struct control_handler control_do_user_set = {
	.check = set_check,
	.change = set_change,
	.finish = set_finish,
	.object = "user",
	.tries = true,
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

/* ---- recount ---- */

struct recount {
	unsigned wrong; /* folders */
};

static bool
recount_check(struct control_call *call)
{
	call->state = ARENA_NEW(&call->arena, struct recount);
	return true;
}

static enum err
recount_each(struct control_call *call, struct txn *txn, struct span name)
{
	struct recount *r = call->state;
	struct user user;
	unsigned wrong = 0;
	enum err err = user_find_by_name(txn_view(txn), name, &user);

	if (err == OK)
		err = folders_recount(txn, user.user_id, &wrong);
	if (err == OK && wrong > 0)
		log_put(call->host->log,
			&(struct log_line){.level = LEVEL_WARNING,
				.area = "store",
				.text = "the figures of a mailbox were wrong",
				.fields = {{"user", name, 0}, {"folders", SPAN_NONE, wrong}}});
	r->wrong += wrong; /* a job that runs again finds them wrong again: only whether is told */
	return err;
}

static void
recount_finish(struct control_call *call)
{
	const struct recount *r = call->state;

	if (call->done > 0)
		call->note = arena_printf(&call->arena, "%llu mailbox%s counted, %s",
			(unsigned long long)call->done, call->done == 1 ? "" : "es",
			r->wrong ? "figures were wrong and are right now" : "all was right");
}

const struct control_handler control_do_user_recount = {
	.check = recount_check,
	.each = recount_each,
	.finish = recount_finish,
	.object = "user",
	.cannot = "the figures before were wrong",
	.targets_job = 1,
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
