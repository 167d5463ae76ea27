/*
 * control_guard.c - `security status`, `on`, `off`, `open`, `close`.
 *
 * Open is a state of one session and ends with it. Guesses are slowed and counted as logins are (H57), under a name
 * of their own.
 */
#include "server/control/control_guard.h"

#include <stdio.h>

#include "proto/control/control_guarded.h"
#include "server/control/control_call.h"
#include "server/control/control_password.h"
#include "server/session/login_lock.h"
#include "store/guard.h"

#define GUARD_USER SPAN("message security") /* as failures are counted */

/* ---- what is locked ---- */

static const unsigned guarded[] = {
#define X(id) CONTROL_##id,
	CONTROL_GUARDED(X)
#undef X
};

static const struct {
	unsigned method;
	const char *param, *name;
} guarded_keys[] = {
#define X(id, param, name) { CONTROL_##id, param, name },
	CONTROL_GUARDED_KEYS(X)
#undef X
};

static const struct {
	unsigned method;
	const char *column;
} guarded_columns[] = {
#define X(id, column) { CONTROL_##id, column },
	CONTROL_GUARDED_COLUMNS(X)
#undef X
};

static const char *const guarded_fields[] = {
#define X(name) name,
	CONTROL_GUARDED_FIELDS(X)
#undef X
};

bool
control_guard_has_method(const struct control_method *method)
{
	for (size_t i = 0; i < COUNT(guarded); i++)
		if (method->id == guarded[i])
			return true;
	return false;
}

bool
control_guard_has_part(const struct control_method *method)
{
	for (size_t i = 0; i < COUNT(guarded_keys); i++)
		if (method->id == guarded_keys[i].method)
			return true;
	return method->id == CONTROL_config_edit || control_guard_has_method(method);
}

bool
control_guard_key(enum control_id method, size_t n, struct span *key)
{
	for (size_t i = 0; i < COUNT(guarded_keys); i++) {
		if (guarded_keys[i].method != method || n-- > 0)
			continue;
		*key = span_of(guarded_keys[i].name);
		return true;
	}
	return false;
}

bool
control_guard_has_field(struct span name)
{
	for (size_t i = 0; i < COUNT(guarded_fields); i++)
		if (span_eq(name, span_of(guarded_fields[i])))
			return true;
	return false;
}

void
control_guard_hide(const struct control_method *method, struct control_rows *rows)
{
	for (size_t i = 0; i < COUNT(guarded_columns); i++)
		if (method->id == guarded_columns[i].method)
			control_rows_hide(rows, guarded_columns[i].column);
}

static bool
is_key(struct span name, struct span text)
{
	return span_ends_nocase(name, SPAN(".")) ? span_starts(text, name) : span_eq(text, name);
}

bool
control_guard_has_key(struct span key)
{
	for (size_t i = 0; i < COUNT(guarded_keys); i++)
		if (guarded_keys[i].method == CONTROL_config_get && is_key(span_of(guarded_keys[i].name), key))
			return true;
	return false;
}

static bool
names_key(const struct rpc_request *r, const char *param, struct span name)
{
	const struct rpc_value *v = rpc_value(r, param);

	if (name.len == 0)
		return v->present;
	for (size_t i = 0; i < v->count && v->pairs; i++)
		if (is_key(name, v->pairs[i].key))
			return true;
	return v->present && !v->pairs && is_key(name, v->text);
}

static bool
is_guarded(const struct rpc_request *r)
{
	if (control_guard_has_method(r->method))
		return true;
	for (size_t i = 0; i < COUNT(guarded_keys); i++)
		if (r->method->id == guarded_keys[i].method &&
			names_key(r, guarded_keys[i].param, span_of(guarded_keys[i].name)))
			return true;
	return false;
}

static enum err
look_up(struct host *host, struct guard *out)
{
	struct snapshot *snap = host_snapshot(host);

	return snap ? guard_get(snap, out) : ERR_BUSY;
}

bool
control_guard_is_locked(struct host *host, const struct control_session *s)
{
	struct guard guard;

	return !(s && s->guard_is_open) && look_up(host, &guard) != ERR_NOT_FOUND;
}

void
control_guard_refuse(struct rpc_error *error, const struct control_method *what)
{
	*error = (struct rpc_error){.what = span_of(what->words[0] ? what->words : what->method),
		.code = RPC_NO_PERMISSION,
		.why = SPAN("message security is on"),
		.hint = SPAN("security open asks for its password; a single command takes --open"),
		.field = SPAN("message_security")};
}

bool
control_guard_may(struct control_session *s, const struct rpc_request *r, struct rpc_error *error)
{
	if (!is_guarded(r) || !control_guard_is_locked(s->base.host, s))
		return true;
	control_guard_refuse(error, r->method);
	return false;
}

/* ---- the password ---- */

struct guarding {
	char hash[PASSWORD_HASH_SIZE]; /* of the store, or the new one */
	struct password_cost cost;
	struct peer peer;
	struct lockout lockout;
	enum err found; /* OK: it is on */
	enum err result;
};

static bool
guard_begin(struct control_call *call)
{
	struct guarding *g = ARENA_NEW(&call->arena, struct guarding);
	struct guard guard;

	call->state = g;
	g->peer = call->session->base.peer;
	g->cost = control_password_cost(call->host->conf);
	g->lockout = login_lockout(call->host, &g->peer, 0);
	g->found = look_up(call->host, &guard);
	if (g->found == OK && guard.hash.len < sizeof(g->hash))
		snprintf(g->hash, sizeof(g->hash), "%.*s", SPAN_FMT(guard.hash));
	return g->found == OK || g->found == ERR_NOT_FOUND ||
	       control_fail_err(call, g->found, "message security");
}

static bool
is_locked(struct control_call *call)
{
	struct guarding *g = call->state;

	return shared_login_is_locked(call->host->shared, &g->peer, GUARD_USER, &g->lockout,
		host_steady_ms(call->host));
}

/* Before a password is looked at: is it on, and is it this one's turn? */
static bool
try_check(struct control_call *call)
{
	int64_t delay = shared_login_delay_ms(call->host->shared, &call->session->base.peer,
		GUARD_USER, host_steady_ms(call->host));
	struct guarding *g;

	if (!guard_begin(call))
		return false;
	g = call->state;
	if (g->found == ERR_NOT_FOUND)
		return control_fail(call, RPC_REFUSED, "message security is off", NULL, NULL);
	if (delay > 0) {
		uint32_t wait_s = (uint32_t)((delay + 999) / 1000);

		control_failf(call, RPC_BUSY, NULL,
			"a wrong password was given a moment ago: try again in %u s", wait_s);
		call->error.retry_after_s = wait_s;
		return false;
	}
	return true;
}

static bool
try_work(struct control_call *call)
{
	struct guarding *g = call->state;

	g->result = password_check(span_of(g->hash), control_param(call, "password"), &g->cost);
	return true;
}

/* Counted and logged also where nobody waits for the answer. */
static bool
try_settle(struct control_call *call)
{
	struct guarding *g = call->state;
	struct login_try t = {.host = call->host, .peer = &g->peer, .service = "control",
		.session = call->session ? call->session->base.name : "", .user = GUARD_USER};

	if (g->result == OK && !is_locked(call)) {
		login_good(&t, 0);
		return true;
	}
	login_failed(&t, &g->lockout, "wrong password", 0);
	return control_fail(call, RPC_NO_PERMISSION, "wrong password of message security", NULL,
		"password");
}

static void
audit(struct control_call *call, const char *text)
{
	log_put(call->host->log,
		&(struct log_line){.level = LEVEL_INFO,
			.area = "security",
			.text = text,
			.fields = {{"who", span_of(call->who.name), 0},
				{"via", span_of(call->who.via), 0}}});
}

/* ---- on ---- */

static bool
on_check(struct control_call *call)
{
	struct guarding *g;

	if (!guard_begin(call))
		return false;
	g = call->state;
	if (g->found == OK)
		return control_fail(call, RPC_CLASH, "message security is on already",
			"another password is set by security off and on", NULL);
	if (control_param(call, "password").len == 0)
		return control_fail(call, RPC_INVALID, "a password is wanted", NULL, "password");
	return true;
}

static bool
on_work(struct control_call *call)
{
	struct guarding *g = call->state;
	enum err err = password_hash(control_param(call, "password"), &g->cost, g->hash);

	return control_fail_err(call, err, "the password");
}

static enum err
on_change(struct control_call *call, struct txn *txn)
{
	struct guarding *g = call->state;
	struct guard old;

	if (guard_get(txn_view(txn), &old) != ERR_NOT_FOUND)
		return ERR_EXISTS;
	call->done = 1;
	return guard_put(txn, &(struct guard){span_of(g->hash), call->now_ms, span_of(call->who.name)});
}

static void
on_finish(struct control_call *call)
{
	if (call->session)
		call->session->guard_is_open = false;
	audit(call, "message security switched on");
}

const struct control_handler control_do_security_on = {
	.check = on_check,
	.work = on_work,
	.work_kind = WORK_HASH,
	.change = on_change,
	.finish = on_finish,
	.object = "message security",
	.cannot = "security off, with its password",
};

/* ---- off, open, close ---- */

static enum err
off_change(struct control_call *call, struct txn *txn)
{
	enum err err = guard_remove(txn);

	call->done = err == OK;
	return err;
}

static void
off_finish(struct control_call *call)
{
	audit(call, "message security switched off");
}

const struct control_handler control_do_security_off = {
	.check = try_check,
	.work = try_work,
	.work_kind = WORK_HASH,
	.take = try_settle,
	.change = off_change,
	.finish = off_finish,
	.object = "message security",
	.cannot = "security on",
};

static void
open_finish(struct control_call *call)
{
	if (!try_settle(call))
		return;
	if (call->session)
		call->session->guard_is_open = true;
	call->done = 1;
	call->note = SPAN("open until it is closed or this session ends");
	audit(call, "message security opened for a session");
}

const struct control_handler control_do_security_open = {
	.check = try_check,
	.work = try_work,
	.work_kind = WORK_HASH,
	.finish = open_finish,
};

static void
close_start(struct control_call *call)
{
	call->done = call->session->guard_is_open;
	if (call->session->guard_is_open)
		audit(call, "message security closed for a session");
	call->session->guard_is_open = false;
	control_call_end(call);
}

const struct control_handler control_do_security_close = {.start = close_start};

static void
status_start(struct control_call *call)
{
	struct json_writer *w = &call->json;
	struct guard guard;
	bool on = look_up(call->host, &guard) != ERR_NOT_FOUND;

	json_put_object(w);
	json_put_member_bool(w, SPAN("on"), on);
	json_put_member_bool(w, SPAN("open"), on && call->session->guard_is_open);
	control_put_time(w, SPAN("since"), on ? guard.since_ms : 0);
	json_put_member_string(w, SPAN("who"), on ? guard.who : SPAN(""));
	json_put_close(w);
	control_call_end(call);
}

const struct control_handler control_do_security_status = {.start = status_start};
