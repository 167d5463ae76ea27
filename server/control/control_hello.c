/*
 * control_hello.c - the start of a conversation: hello, auth, cancel.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "proto/base/ascii.h"
#include "server/control/control_call.h"
#include "server/control/control_password.h"
#include "server/metrics.h"
#include "server/server.h"
#include "server/session/login_lock.h"
#include "store/groups.h"
#include "store/users.h"

#define USER_RIGHTS                                                                                \
	(CONTROL_RIGHT_BIT(CONTROL_RIGHT_NOTICE_RECEIVE) |                                         \
		CONTROL_RIGHT_BIT(                                                                 \
			CONTROL_RIGHT_NOTICE_SEND)) /* of anybody with a password, STS-06 */

static void
put_rights(struct json_writer *w, control_rights rights)
{
	json_put_name(w, SPAN("rights"));
	json_put_array(w);
	for (unsigned i = 1; i < CONTROL_RIGHT_COUNT; i++)
		if (rights & CONTROL_RIGHT_BIT(i))
			json_put_string(w, span_of(control_right_name(i)));
	json_put_close(w);
}

static void
put_who(struct json_writer *w, const struct control_who *who)
{
	json_put_member_string(w, SPAN("user"), span_of(who->name));
	json_put_member_string(w, SPAN("role"), span_of(control_level_name(who->level)));
	put_rights(w, who->rights);
}

static void
put_limits(struct json_writer *w)
{
	json_put_name(w, SPAN("limits"));
	json_put_object(w);
	json_put_member_u64(w, SPAN("line"), CONTROL_LINE_MAX);
	json_put_member_u64(w, SPAN("targets"), CONTROL_TARGETS_MAX);
	json_put_member_u64(w, SPAN("page"), CONTROL_PAGE_MAX);
	json_put_member_u64(w, SPAN("events"), CONTROL_EVENTS_MAX);
	json_put_member_u64(w, SPAN("calls"), CONTROL_CALLS_MAX);
	json_put_close(w);
}

/* The log of changes says by which program: letters, digits and the like of what it calls itself.
 */
static void
via_client(struct control_session *s, struct span client)
{
	size_t len = strlen(s->who.via);

	if (client.len > 0 && len + 2 < sizeof(s->who.via))
		s->who.via[len++] = ' ';
	for (size_t i = 0; i < client.len && len + 1 < sizeof(s->who.via); i++)
		if (ascii_is_alnum(client.ptr[i]) || span_find(SPAN("-._/"), client.ptr[i]) < 4)
			s->who.via[len++] = client.ptr[i];
	s->who.via[len] = '\0';
}

static void
hello_start(struct control_call *call)
{
	struct control_session *s = call->session;
	struct json_writer *w = &call->json;
	int64_t started = server_started_ms(call->host->server);

	if (rpc_has(call->request, "version") &&
		rpc_number(call->request, "version", 0) != CONTROL_PROTOCOL) {
		control_fail(call, RPC_VERSION, "the server speaks another version of the protocol",
			"use the postroom command that came with this server", "version");
		control_call_end(call);
		return;
	}
	if (rpc_flag(call->request, "read_only"))
		s->read_only = true; /* for good: nothing gives it back */
	via_client(s, control_param(call, "client"));
	json_put_object(w);
	json_put_member_string(w, SPAN("version"), SPAN(POSTROOM_VERSION));
	json_put_member_string(w, SPAN("hostname"), call->host->conf->hostname);
	json_put_member_u64(w, SPAN("protocol"), CONTROL_PROTOCOL);
	json_put_member_string(
		w, SPAN("epoch"), arena_printf(&call->arena, "%llx", (unsigned long long)started));
	json_put_member_u64(
		w, SPAN("revision"), (uint64_t)metric_get(call->host->metrics, reloads));
	put_who(w, &s->who);
	put_limits(w);
	json_put_name(w, SPAN("methods"));
	rpc_put_methods(w);
	json_put_close(w);
	control_call_end(call);
}

const struct control_handler control_do_hello = {.start = hello_start};

/* ---- auth ---- */

struct auth {
	char hash[PASSWORD_HASH_SIZE];
	uint64_t user_id, revision;
	struct password_cost cost;
	bool may, remembered, admin;
	const char *why; /* static text, for the log alone */
	struct lockout lockout;
	bool asks_pam, by_pam; /* SEC-06 */
	char account[USER_NAME_MAX + 1];
	char name[SHARED_USER_SIZE];
	struct peer peer;
	enum err result;
};

/* What the store says of the user; an unknown one gets an empty hash and the same work (H58). */
static enum err
auth_look_up(struct snapshot *snap, struct span name, struct auth *a)
{
	struct group group;
	struct user user, effective;
	enum err err = user_find_by_name(snap, name, &user);

	a->why = "no such user";
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err != OK)
		return err;
	err = user.group ? group_find(snap, user.group, &group) : ERR_NOT_FOUND;
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	group_apply(err == OK ? &group : NULL, &user, &effective);
	a->user_id = user.user_id;
	a->revision = user.password_revision;
	a->admin = effective.admin;
	snprintf(a->account, sizeof(a->account), "%.*s",
		SPAN_FMT(user.system_name.len > 0 ? user.system_name : user.name));
	a->why = !effective.enabled || (err == OK && !group.enabled) ? "is disabled" :
		!(effective.protocols & (1u << USER_CONSOLE)) ? "the user may not use this protocol" :
								NULL;
	a->may = a->why == NULL;
	snprintf(a->name, sizeof(a->name), "%.*s", SPAN_FMT(user.name));
	if (user.password_hash.len < sizeof(a->hash))
		snprintf(a->hash, sizeof(a->hash), "%.*s", SPAN_FMT(user.password_hash));
	return OK;
}

static bool
auth_is_locked(struct control_call *call)
{
	struct auth *a = call->state;

	return shared_login_is_locked(call->host->shared, &a->peer, control_param(call, "user"),
		&a->lockout, host_steady_ms(call->host));
}

static bool
auth_check(struct control_call *call)
{
	struct auth *a = ARENA_NEW(&call->arena, struct auth);
	struct span name = control_param(call, "user");
	int64_t delay = shared_login_delay_ms(
		call->host->shared, &call->session->base.peer, name, host_steady_ms(call->host));
	struct snapshot *snap = host_snapshot(call->host);
	enum err err = snap ? auth_look_up(snap, name, a) : ERR_BUSY;

	call->state = a;
	a->peer = call->session->base.peer;
	a->cost = control_password_cost(call->host->conf);
	a->asks_pam = call->host->conf->auth_pam;
	a->lockout = login_lockout(call->host, &a->peer, a->user_id);
	if (auth_is_locked(call)) {
		a->may = false;
		a->why = "locked after failed logins";
	}
	if (delay > 0) {
		control_fail(call, RPC_BUSY, "too many failed logins", "wait before you try again",
			NULL);
		call->error.retry_after_s = (uint32_t)((delay + 999) / 1000);
		return false;
	}
	a->remembered = a->may &&
			shared_login_is_remembered(call->host->shared, a->user_id, a->revision,
				control_param(call, "password"), host_steady_ms(call->host));
	return control_fail_err(call, err, "the store");
}

static bool
auth_work(struct control_call *call)
{
	struct auth *a = call->state;

	a->result = OK;
	if (a->remembered)
		return true;
	a->result = password_check(span_of(a->hash), control_param(call, "password"), &a->cost);
	if (a->asks_pam && (a->result != OK || !a->may)) {
		a->by_pam = true;
		a->result = server_pam_check(call->host->server,
			a->may ? span_of(a->account) : SPAN(LOGIN_NOBODYS_ACCOUNT),
			control_param(call, "password"));
	}
	return true;
}

/* Counted and logged also where nobody waits for the answer. */
static bool
auth_settle(struct control_call *call)
{
	struct auth *a = call->state;
	struct login_try t = { .host = call->host, .peer = &a->peer, .service = "control",
		.session = call->session ? call->session->base.name : "",
		.user = control_param(call, "user") };

	if (a->result != OK || !a->may || auth_is_locked(call)) {
		login_failed(&t, &a->lockout, a->why ? a->why : "wrong password", 0);
		return false;
	}
	login_good(&t, 0);
	return true;
}

static void
auth_finish(struct control_call *call)
{
	struct control_session *s = call->session;
	struct auth *a = call->state;
	int64_t now = host_steady_ms(call->host);
	bool good = auth_settle(call);

	if (!s)
		return;
	if (!good) {
		control_fail(call, RPC_NO_PERMISSION, "wrong name or password", NULL, NULL);
		return;
	}
	if (!a->remembered && !a->by_pam && call->host->conf->auth_remember_ms > 0)
		shared_login_remember(call->host->shared, a->user_id, a->revision,
			control_param(call, "password"), now + call->host->conf->auth_remember_ms);
	s->who.level = a->admin ? CONTROL_ADMINISTRATOR : CONTROL_NOBODY;
	s->who.rights = a->admin ? control_rights_of(CONTROL_ADMINISTRATOR) : USER_RIGHTS;
	s->who.user_id = a->user_id;
	snprintf(s->who.name, sizeof(s->who.name), "%s", a->name);
	session_set_user(&s->base, a->user_id, span_of(a->name));
	session_set_deadline(&s->base, 0, CLOSE_NONE);
	json_put_object(&call->json);
	put_who(&call->json, &s->who);
	json_put_close(&call->json);
}

const struct control_handler control_do_auth = {
	.check = auth_check,
	.work = auth_work,
	.work_kind = WORK_PAM, /* which may take seconds: no mail program shall wait behind it */
	.finish = auth_finish,
};

/* ---- cancel ---- */

static void
cancel_start(struct control_call *call)
{
	struct span id = arena_printf(
		&call->arena, "%llu", (unsigned long long)rpc_number(call->request, "id", 0));
	struct list *at, *following;

	list_for_each (at, following, &call->session->calls) {
		struct control_call *other = LIST_ITEM(at, struct control_call, link);

		if (other == call || !span_eq(other->id, id))
			continue;
		control_call_cancel(other);
		call->done++;
	}
	if (call->done == 0)
		control_fail(
			call, RPC_NOT_FOUND, "no request with this id is under way", NULL, "id");
	control_call_end(call);
}

const struct control_handler control_do_cancel = {.start = cancel_start};
