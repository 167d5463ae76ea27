/*
 * control_rename.c - a user gets another name, and what points at the old one follows: mappings, lists.
 *
 * Who else names him (a forward, an assistant) is told, not changed: that is another user's field.
 */
#include <stdio.h>

#include "conf/conf.h"
#include "server/control/control_referrers.h"
#include "server/control/control_users.h"

#define DOMAIN_SIZE 256
#define NAMED_MAX 10 /* fields that the answer names */

struct rename {
	struct control_referrers *refs;
	struct span main_admin;
	char domain[DOMAIN_SIZE];     /* the usual one */
	char user[USER_NAME_MAX + 1]; /* the last user seen */
	struct span named;            /* "bo (forward_to), cleo (assistants)" */
	size_t named_count;
};

static bool
rename_check(struct control_call *call)
{
	struct rename *r = ARENA_NEW(&call->arena, struct rename);

	r->refs = control_referrers_new(call);
	r->main_admin = control_main_admin(call);
	snprintf(r->domain, sizeof(r->domain), "%.*s",
		SPAN_FMT(conf_default_domain(call->host->conf)));
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
rename_read(struct control_call *call, struct snapshot *snap)
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

static enum err
rename_user(struct control_call *call, struct txn *txn)
{
	struct span name = control_param(call, "new_name");
	const struct rename *r = call->state;
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), control_param(call, "name"), &user);

	if (!control_fail_err(call, err, "user"))
		return err;
	if (span_eq_nocase(r->main_admin, user.name) && !span_eq_nocase(r->main_admin, name)) {
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
	struct rename *r = call->state;
	enum err err = rename_user(call, txn);

	call->job_done = 1;
	if (err == OK)
		err = control_referrers_rename(call, txn, r->refs, control_param(call, "name"),
			control_param(call, "new_name"));
	if (err != OK && call->skip_why)
		control_fail(call, RPC_TOO_LARGE, call->skip_why, NULL, "name");
	return err;
}

static void
rename_finish(struct control_call *call)
{
	const struct rename *r = call->state;
	struct arena *a = &call->arena;
	struct span old = control_param(call, "name");

	call->note = arena_printf(a, "user %.*s renamed %.*s", SPAN_FMT(old),
		SPAN_FMT(control_param(call, "new_name")));
	control_referrers_note(call, r->refs);
	if (r->named_count > 0)
		call->note = arena_printf(a, "%.*s; %.*s is still named by: %.*s%s",
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
