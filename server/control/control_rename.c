/*
 * control_rename.c - a user gets another name, and the mappings to the old one follow.
 *
 * Who else names him (a forward, an assistant) is told, not changed: that is another user's field.
 */
#include <stdio.h>

#include "conf/conf.h"
#include "server/control/control_call.h"
#include "store/mappings.h"
#include "store/users.h"

#define MAIN_ADMIN_SIZE 256
#define DOMAIN_SIZE 256
#define FOLLOW_MAX 1000 /* mappings that follow in one change */
#define NAMED_MAX 10    /* fields that the answer names */

struct rename {
	char main_admin[MAIN_ADMIN_SIZE], domain[DOMAIN_SIZE]; /* as the configuration names them */
	uint64_t mappings[FOLLOW_MAX];
	size_t found, followed;
	uint64_t after;             /* the last mapping seen */
	bool mappings_done;
	char user[USER_NAME_MAX + 1]; /* the last user seen */
	struct span named;          /* "bo (forward_to), cleo (assistants)" */
	size_t named_count;
};

static bool
rename_check(struct control_call *call)
{
	const struct conf *conf = call->host->conf;
	struct span domain = conf_default_domain(conf);
	struct rename *r = ARENA_NEW(&call->arena, struct rename);

	snprintf(r->main_admin, sizeof(r->main_admin), "%.*s", SPAN_FMT(conf->main_administrator));
	snprintf(r->domain, sizeof(r->domain), "%.*s", SPAN_FMT(domain));
	call->state = r;
	return true;
}

/* Is TARGET the user NAME, or his address at the usual domain? */
static bool
is_of(const struct rename *r, struct span target, struct span name)
{
	struct span local, domain;
	bool at = span_cut(target, '@', &local, &domain);

	return span_eq_nocase(local, name) &&
	       (!at || span_eq_nocase(domain, span_of(r->domain)));
}

static enum step
mappings_look(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct rename *r = call->state;
	struct mapping m;
	enum err err;

	while ((err = mapping_next(snap, r->after, &m)) == OK) {
		r->after = m.mapping_id;
		if (is_of(r, m.target, control_param(call, "name"))) {
			if (r->found == FOLLOW_MAX) {
				control_failf(call, RPC_TOO_LARGE, "name",
					"more than %d mappings lead to this user", FOLLOW_MAX);
				return STEP_FAIL;
			}
			r->mappings[r->found++] = m.mapping_id;
		}
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	r->mappings_done = err == ERR_NOT_FOUND;
	if (r->mappings_done)
		return STEP_MORE;
	control_fail_err(call, err, "mapping");
	return STEP_FAIL;
}

/* LIST is "a;b". */
static void
list_look(struct control_call *call, struct span user, const char *field, struct span list)
{
	struct rename *r = call->state;
	bool found = false;

	while (list.len > 0) {
		struct span item;

		span_cut(list, ';', &item, &list);
		found |= is_of(r, span_trim(item), control_param(call, "name"));
	}
	if (found && ++r->named_count <= NAMED_MAX)
		r->named = arena_printf(&call->arena, "%.*s%s%.*s (%s)", SPAN_FMT(r->named),
			r->named.len ? ", " : "", SPAN_FMT(user), field);
}

static enum step
users_look(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct rename *r = call->state;
	struct user user;
	enum err err;

	while ((err = user_after(snap, span_of(r->user), &user)) == OK) {
		snprintf(r->user, sizeof(r->user), "%.*s", SPAN_FMT(user.name));
		list_look(call, user.name, "forward_to", user.forward_to);
		list_look(call, user.name, "assistants", user.assistants);
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "user");
	return STEP_FAIL;
}

static enum step
rename_read(struct control_call *call, struct snapshot *snap)
{
	const struct rename *r = call->state;

	return r->mappings_done ? users_look(call, snap) : mappings_look(call, snap);
}

/* Those that were found, as far as they still lead to the old name. */
static enum err
mappings_follow(struct control_call *call, struct txn *txn)
{
	struct rename *r = call->state;
	enum err err = OK;

	r->followed = 0;
	for (size_t i = 0; i < r->found && err == OK; i++) {
		struct span old = control_param(call, "name");
		struct mapping m;

		err = mapping_find(txn_view(txn), r->mappings[i], &m);
		if (err == ERR_NOT_FOUND || (err == OK && !is_of(r, m.target, old))) {
			err = OK;
			continue;
		}
		if (err != OK)
			break;
		m.target = arena_printf(&call->arena, "%.*s%.*s",
			SPAN_FMT(control_param(call, "new_name")),
			SPAN_FMT(span_from(m.target, old.len)));
		err = mapping_set(txn, &m, call->now_ms);
		r->followed += err == OK;
		if (err == ERR_EXISTS) /* there is one to the new name: the old one is left */
			err = OK;
	}
	return err;
}

static enum err
rename_user(struct control_call *call, struct txn *txn)
{
	struct span name = control_param(call, "new_name"), local, domain;
	struct rename *r = call->state;
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), control_param(call, "name"), &user);

	if (!control_fail_err(call, err, "user"))
		return err;
	span_cut(span_of(r->main_admin), '@', &local, &domain);
	if (span_eq_nocase(local, user.name) && !span_eq_nocase(local, name)) {
		control_fail(call, RPC_REFUSED, "this is the Main Administrator",
			"make another user the Main Administrator first", NULL);
		return ERR_DENIED;
	}
	err = user_rename(txn, user.user_id, name, call->now_ms);
	if (err == ERR_SYNTAX)
		control_fail(call, RPC_INVALID,
			"the new name is reserved, or not 1 to 32 letters, "
			"digits, '.', '_' or '-' with no '.' at an end or beside another",
			NULL, "new_name");
	if (err == ERR_EXISTS)
		control_fail(call, RPC_CLASH, "a user, group or list has this name already", NULL,
			"new_name");
	return err;
}

static enum err
rename_change(struct control_call *call, struct txn *txn)
{
	enum err err = rename_user(call, txn);

	call->job_done = 1;
	return err == OK ? mappings_follow(call, txn) : err;
}

static void
rename_finish(struct control_call *call)
{
	const struct rename *r = call->state;
	struct arena *a = &call->arena;
	struct span old = control_param(call, "name");

	call->note = arena_printf(a, "user %.*s renamed %.*s", SPAN_FMT(old),
		SPAN_FMT(control_param(call, "new_name")));
	if (r->followed > 0)
		call->note = arena_printf(a, "%.*s, %zu mapping%s", SPAN_FMT(call->note),
			r->followed, r->followed == 1 ? " follows" : "s follow");
	if (r->named_count > 0)
		call->note = arena_printf(a, "%.*s, %.*s is still named by: %.*s%s",
			SPAN_FMT(call->note), SPAN_FMT(old), SPAN_FMT(r->named),
			r->named_count > NAMED_MAX ? " and others" : "");
}

const struct control_handler control_do_user_rename = {
	.check = rename_check,
	.read = rename_read,
	.change = rename_change,
	.finish = rename_finish,
	.object = "user",
};
