/*
 * control_user_remove.c - `user remove` (USR-13 to USR-15), and who must stay.
 */
#include "conf/conf.h"
#include "server/control/control_mailbox.h"
#include "server/control/control_referrers.h"
#include "server/control/control_users.h"
#include "server/services.h"

struct user_removal {
	struct control_referrers *refs;
	struct span main_admin;
	bool postmaster; /* the user of that name is among them */
};

struct span
control_main_admin(struct control_call *call)
{
	struct span local, domain;

	span_cut(call->host->conf->main_administrator, '@', &local, &domain);
	return arena_copy(&call->arena, local);
}

const char *
control_user_must_stay(const struct control_call *call, struct span main_admin,
	const struct user *old, const struct user *user)
{
	bool loses_console = !user->enabled || !(user->protocols & (1u << USER_CONSOLE));

	if (old->admin && old->enabled && !(user->admin && user->enabled) &&
		span_eq_nocase(old->name, main_admin))
		return "this is the Main Administrator: he stays an enabled administrator";
	if (call->who.user_id == old->user_id && (loses_console || (old->admin && !user->admin)))
		return "this is your own account: you cannot take your console access away";
	return NULL;
}

/* USR-14: the message names the session that holds the account. NULL: there is none. */
static const char *
session_holds(struct control_call *call, uint64_t user_id)
{
	struct shared *shared = call->host->shared;
	struct shared_session row;
	uint64_t session = shared_session_of_user(shared, user_id);

	if (session == 0)
		return NULL;
	if (shared_session_find(shared, session, &row) != OK)
		return "has a session open";
	return arena_text(&call->arena,
		arena_printf(&call->arena,
			"is logged in: session s%llu of %s from %s (postroom session end s%llu)",
			(unsigned long long)session, row.service->name,
			row.peer.text[0] ? row.peer.text : "this machine",
			(unsigned long long)session));
}

/* Why USER cannot go now; NULL. */
static const char *
must_stay(struct control_call *call, const struct user *user, struct span main_admin)
{
	if (span_eq_nocase(user->name, main_admin))
		return "is the Main Administrator (make another one first: postroom config set "
		       "main_administrator NAME)";
	if (call->who.user_id == user->user_id)
		return "is the account that you are logged in with";
	return session_holds(call, user->user_id);
}

enum err
control_user_remove(
	struct control_call *call, struct txn *txn, struct span name, struct span main_admin)
{
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), name, &user);

	if (err != OK)
		return err;
	call->skip_why = must_stay(call, &user, main_admin);
	if (call->skip_why)
		return ERR_DENIED;
	err = user_remove(txn, user.user_id, call->now_ms);
	if (err == ERR_DENIED)
		call->skip_why = "is the last administrator";
	if (err == OK)
		shared_login_drop(call->host->shared, user.user_id);
	return err;
}

/* ---- the method ---- */

static bool
remove_check(struct control_call *call)
{
	struct user_removal *r = ARENA_NEW(&call->arena, struct user_removal);

	r->refs = control_referrers_new(call);
	r->main_admin = control_main_admin(call);
	call->state = r;
	return true;
}

static void
foresee_mail(struct control_call *call, struct span name, const struct folder_totals *totals)
{
	if (totals->messages + totals->held == 0)
		return;
	control_foresee(call,
		arena_printf(&call->arena,
			"%.*s has %llu message%s, %llu bytes: they go to the bin with the mailbox, and "
			"for good after users.bin_keep",
			SPAN_FMT(name), (unsigned long long)(totals->messages + totals->held),
			totals->messages + totals->held == 1 ? "" : "s",
			(unsigned long long)totals->bytes));
	call->foreseen_bytes += totals->bytes;
}

/* USR-15: RFC 5321, 4.5.1 wants postmaster to be somebody. */
static struct span
postmaster_words(struct control_call *call, const char *would)
{
	const struct user_removal *r = call->state;

	return arena_printf(&call->arena, "mail to postmaster %s to the Main Administrator, %.*s",
		would, SPAN_FMT(r->main_admin));
}

static enum err
foresee_user(struct control_call *call, struct snapshot *snap, struct span name)
{
	const struct user_removal *r = call->state;
	struct folder_totals totals;
	struct user user;
	const char *why;
	enum err err = user_find_by_name(snap, name, &user);

	if (err == OK)
		err = folder_totals(snap, user.user_id, &totals);
	if (err == ERR_NOT_FOUND) {
		control_foresee(call, arena_printf(&call->arena, "%.*s: no such user", SPAN_FMT(name)));
		return OK;
	}
	if (err != OK)
		return err;
	why = must_stay(call, &user, r->main_admin);
	if (why) {
		control_foresee(call,
			arena_printf(&call->arena, "%.*s stays: %s", SPAN_FMT(name), why));
		return OK;
	}
	foresee_mail(call, name, &totals);
	if (span_eq_nocase(name, SPAN("postmaster")))
		control_foresee(call, postmaster_words(call, "would go"));
	return control_referrers_foresee(call, snap, r->refs, name);
}

static enum step
remove_foresee(struct control_call *call, struct snapshot *snap)
{
	const struct rpc_value *names = rpc_value(call->request, "names");
	struct control_slice slice = control_slice_begin();

	while (call->target_now < names->count) {
		enum err err = foresee_user(call, snap, names->items[call->target_now++]);

		if (!control_fail_err(call, err, "user"))
			return STEP_FAIL;
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	return STEP_DONE;
}

static enum err
remove_each(struct control_call *call, struct txn *txn, struct span name)
{
	struct user_removal *r = call->state;
	enum err err = control_user_remove(call, txn, name, r->main_admin);

	if (err == OK && span_eq_nocase(name, SPAN("postmaster")))
		r->postmaster = true;
	return err == OK ? control_referrers_remove(call, txn, r->refs, name) : err;
}

static void
remove_finish(struct control_call *call)
{
	struct user_removal *r = call->state;

	control_referrers_note(call, r->refs);
	if (r->postmaster && call->done > 0)
		call->note = arena_printf(&call->arena, "%.*s; %.*s", SPAN_FMT(call->note),
			SPAN_FMT(postmaster_words(call, "goes")));
}

const struct control_handler control_do_user_remove = {
	.check = remove_check,
	.foresee = remove_foresee,
	.each = remove_each,
	.finish = remove_finish,
	.object = "user",
};
