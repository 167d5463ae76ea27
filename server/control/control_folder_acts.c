/*
 * control_folder_acts.c - folders are added, renamed, given a use, subscribed, counted.
 */
#include "server/control/control_folders.h"
#include "store/folder_ways.h"
#include "store/subscriptions.h"

static enum err
name_fail(struct control_call *call, enum err err, const char *field)
{
	if (control_folder_name_why(err))
		control_fail(call, err == ERR_EXISTS ? RPC_CLASH : RPC_INVALID,
			control_folder_name_why(err), NULL, field);
	return err;
}

static enum err
use_fail(struct control_call *call, enum err err)
{
	if (err == ERR_EXISTS)
		control_fail(call, RPC_CLASH, "another folder of the user is used so",
			"take it from that one first: folder set USER FOLDER use=none", "use");
	if (err == ERR_DENIED)
		control_fail(call, RPC_REFUSED, "INBOX has a use of its own", NULL, "use");
	return err;
}

/* ---- add ---- */

static enum err
add_change(struct control_call *call, struct txn *txn)
{
	uint32_t use = control_folder_use_bit(control_param(call, "use"));
	struct control_place place;
	uint64_t folder_id;
	enum err err = control_place_find(call, txn_view(txn), control_param(call, "user"),
		control_param(call, "folder"), &place);

	if (err != OK)
		return err;
	err = name_fail(call, folder_way_make(txn, place.user_id, place.folder, &folder_id),
		"folder");
	if (err == OK && use)
		err = use_fail(call,
			folder_way_attributes(txn, place.user_id, folder_id, use, 0));
	if (err == OK && place.asker.user_id && !rpc_flag(call->request, "no_subscribe"))
		err = subscription_set(txn, place.asker.user_id,
			control_place_name(call, &place, place.folder), true);
	call->job_done = 1;
	return err;
}

const struct control_handler control_do_folder_add = {
	.change = add_change,
	.object = "folder",
};

/* ---- rename ---- */

static enum step
rename_foresee(struct control_call *call, struct snapshot *snap)
{
	struct folder_totals below = {0};
	struct control_place place;
	struct folder folder, f = {.folder_id = 0};
	enum err err = control_place_folder(call, snap, control_param(call, "user"),
		control_param(call, "folder"), &place, &folder);

	while (err == OK && (err = folder_next(snap, place.user_id, f.folder_id, &f)) == OK)
		if (f.folder_id != folder.folder_id && folder_name_is_under(f.name, place.folder))
			below.folders++;
	if (err != ERR_NOT_FOUND)
		return STEP_FAIL;
	if (call->failed)
		return STEP_FAIL;
	if (below.folders > 0)
		control_foresee(call, arena_printf(&call->arena,
					      "%llu folder%s below it move%s along",
					      (unsigned long long)below.folders,
					      below.folders == 1 ? "" : "s",
					      below.folders == 1 ? "s" : ""));
	control_foresee(call, SPAN("mail programs see it under the new name; its rights stay"));
	return STEP_DONE;
}

static enum err
rename_change(struct control_call *call, struct txn *txn)
{
	struct control_place place, to;
	struct folder folder;
	bool subscribed = false;
	enum err err = control_place_folder(call, txn_view(txn), control_param(call, "user"),
		control_param(call, "folder"), &place, &folder);

	if (err == OK)
		err = control_place_find(call, txn_view(txn), control_param(call, "user"),
			control_param(call, "new_name"), &to);
	if (err == OK && to.user_id != place.user_id) {
		control_fail(call, RPC_REFUSED, "a folder stays with its owner",
			"move its messages: message move", "new_name");
		return ERR_DENIED;
	}
	if (err != OK)
		return err;
	err = folder_way_rename(txn, place.user_id, folder.folder_id, to.folder);
	if (err == ERR_DENIED)
		control_fail(call, RPC_REFUSED,
			"INBOX keeps its name, and a folder cannot go below itself", NULL,
			"folder");
	err = name_fail(call, err, "new_name");
	/* whoever gives a folder another name means the subscription too */
	if (err == OK && place.asker.user_id)
		err = subscription_has(txn_view(txn), place.asker.user_id,
			control_place_name(call, &place, place.folder), &subscribed);
	if (err == OK && subscribed)
		err = subscription_set(txn, place.asker.user_id,
			control_place_name(call, &place, place.folder), false);
	if (err == OK && subscribed)
		err = subscription_set(txn, place.asker.user_id,
			control_place_name(call, &to, to.folder), true);
	call->job_done = 1;
	return err;
}

const struct control_handler control_do_folder_rename = {
	.foresee = rename_foresee,
	.change = rename_change,
	.object = "folder",
};

/* ---- set ---- */

/* use=sent, use=none, own_seen=yes; ADD and REMOVE are attributes. */
static enum err
set_key(struct control_call *call, const struct rpc_pair *pair, uint32_t *add, uint32_t *remove)
{
	uint32_t use = control_folder_use_bit(pair->value);

	if (span_eq(pair->key, SPAN("use"))) {
		if (!use && pair->value.len > 0 && !span_eq(pair->value, SPAN("none"))) {
			control_fail(call, RPC_INVALID,
				"a use is one of " CONTROL_FOLDER_USES "|none", NULL, "use");
			return ERR_SYNTAX;
		}
		*add |= use;
		*remove |= FOLDER_USE_ALL & ~use;
		return OK;
	}
	if (span_eq(pair->key, SPAN("own_seen"))) {
		bool on = span_eq(pair->value, SPAN("yes"));

		if (!on && !span_eq(pair->value, SPAN("no"))) {
			control_fail(call, RPC_INVALID, "yes or no", NULL, "own_seen");
			return ERR_SYNTAX;
		}
		*(on ? add : remove) |= FOLDER_OWN_SEEN;
		return OK;
	}
	control_failf(call, RPC_INVALID, "keys", "%.*s is none of use, own_seen",
		SPAN_FMT(pair->key));
	return ERR_SYNTAX;
}

static enum err
set_change(struct control_call *call, struct txn *txn)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	struct control_place place;
	struct folder folder;
	uint32_t add = 0, remove = 0;
	enum err err = control_place_folder(call, txn_view(txn), control_param(call, "user"),
		control_param(call, "folder"), &place, &folder);

	for (size_t i = 0; i < keys->count && err == OK; i++)
		err = set_key(call, &keys->pairs[i], &add, &remove);
	call->job_done = 1;
	return err == OK ? use_fail(call, folder_way_attributes(txn, place.user_id,
						  folder.folder_id, add, remove))
			 : err;
}

const struct control_handler control_do_folder_set = {
	.change = set_change,
	.object = "folder",
};

/* ---- subscriptions ---- */

static enum err
subscribe(struct control_call *call, struct txn *txn, struct span name, bool on)
{
	struct control_place place;
	struct folder folder;
	/* a name stays subscribed when its folder goes, and must be able to leave */
	enum err err = control_place_each(call, txn_view(txn), name, &place, on ? &folder : NULL);

	if (err == OK && place.asker.user_id == 0) {
		call->skip_why = "needs a user who is to see it";
		return ERR_DENIED;
	}
	return err == OK ? subscription_set(txn, place.asker.user_id,
				   control_place_name(call, &place, place.folder), on)
			 : err;
}

static enum err
subscribe_each(struct control_call *call, struct txn *txn, struct span name)
{
	return subscribe(call, txn, name, true);
}

static enum err
unsubscribe_each(struct control_call *call, struct txn *txn, struct span name)
{
	return subscribe(call, txn, name, false);
}

const struct control_handler control_do_folder_subscribe = {
	.each = subscribe_each,
	.object = "folder",
};
const struct control_handler control_do_folder_unsubscribe = {
	.each = unsubscribe_each,
	.object = "folder",
};

/* ---- recount ---- */

struct recount {
	unsigned wrong;
};

static bool
recount_check(struct control_call *call)
{
	call->state = ARENA_NEW(&call->arena, struct recount);
	return true;
}

static enum err
recount_change(struct control_call *call, struct txn *txn)
{
	struct recount *r = call->state;
	struct control_place place;
	enum err err = control_place_find(call, txn_view(txn), control_param(call, "user"),
		SPAN("INBOX"), &place);

	call->job_done = 1;
	return err == OK ? folders_recount(txn, place.user_id, &r->wrong) : err;
}

static void
recount_finish(struct control_call *call)
{
	const struct recount *r = call->state;

	call->note = arena_printf(&call->arena, "folders of %.*s counted, %s",
		SPAN_FMT(control_param(call, "user")),
		r->wrong ? "figures were wrong and are right now" : "all was right");
}

const struct control_handler control_do_folder_recount = {
	.check = recount_check,
	.change = recount_change,
	.finish = recount_finish,
	.object = "folder",
	.cannot = "the figures before were wrong",
};
