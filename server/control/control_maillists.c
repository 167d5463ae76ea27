/*
 * control_maillists.c - lists: add, set, remove, and who is on them.
 *
 * Groups are lists too: `maillist member` lets users join and leave them; all else about a
 * group is asked of the commands for groups. The built-in ones are only looked at (LST-07).
 */
#include "server/control/control_maillists.h"

#include "server/control/control_fields.h"
#include "server/control/control_groups.h"
#include "server/control/control_referrers.h"
#include "store/names.h"

/* ---- names and members ---- */

const char *
control_list_name_why(enum err err)
{
	if (err == ERR_SYNTAX)
		return "the name is reserved, or not 1 to 64 letters, digits, '.', '_', '-', '+' or "
		       "'=' with no '.' at an end or beside another";
	if (err == ERR_EXISTS)
		return "a user, group or list has this name already, or NAME_owner or NAME_digest";
	return NULL;
}

enum err
control_member_kind(struct snapshot *snap, struct span member, const char **kind)
{
	static const char *const words[] = {
		[NAME_USER] = "user", [NAME_GROUP] = "group", [NAME_LIST] = "list"};
	struct name_row row;
	enum err err;

	*kind = "address";
	if (span_find(member, '@') < member.len)
		return OK;
	*kind = "group";
	if (maillist_is_builtin(member))
		return OK;
	err = name_find(snap, member, &row);
	*kind = err == OK && row.kind < COUNT(words) ? words[row.kind] : "nobody";
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
control_member(struct arena *a, struct snapshot *snap, struct span text, struct span *out,
	const char **why)
{
	const char *kind;
	enum err err = maillist_member_parse(a, text, out);

	*why = "is no address and no name";
	if (err == OK)
		err = control_member_kind(snap, *out, &kind);
	if (err != OK)
		return err;
	*why = "is no user, group or list";
	return span_eq(span_of(kind), SPAN("nobody")) ? ERR_NOT_FOUND : OK;
}

static enum err
member_fail(struct control_call *call, enum err err, struct span text, const char *why)
{
	switch (err) {
	case ERR_SYNTAX:
	case ERR_NOT_FOUND:
		control_failf(call, err == ERR_SYNTAX ? RPC_INVALID : RPC_NOT_FOUND, "member",
			"%.*s %s", SPAN_FMT(text), why);
		break;
	case ERR_DENIED:
		control_fail(call, RPC_REFUSED, "a forwarding has one member",
			"kind=distribution makes it a list of many", "member");
		break;
	case ERR_LIMIT:
		control_failf(call, RPC_TOO_LARGE, "member",
			"a list has at most %d members, of %d bytes each", MAILLIST_MEMBERS_MAX,
			MAILLIST_MEMBER_MAX);
		break;
	default:
		break;
	}
	return err;
}

/* One that is there already is no mistake. */
static enum err
member_add(struct control_call *call, struct txn *txn, uint64_t list_id, struct span text)
{
	const char *why = "";
	struct span member;
	enum err err = control_member(&call->arena, txn_view(txn), text, &member, &why);

	if (err == OK)
		err = maillist_member_add(txn, list_id, member, call->now_ms);
	return err == ERR_EXISTS ? OK : member_fail(call, err, text, why);
}

static enum err
member_remove(struct control_call *call, struct txn *txn, uint64_t list_id, struct span text)
{
	enum err err = maillist_member_remove(txn, list_id, text);

	return member_fail(call, err, text, "is no member of the list");
}

/* ---- which list ---- */

static enum err
builtin_fail(struct control_call *call, struct span name)
{
	control_failf(call, RPC_REFUSED, "name",
		"%.*s is built in: it can be used, but not changed or removed", SPAN_FMT(name));
	return ERR_DENIED;
}

/* What NAME is that a command wants to change. */
static enum err
look_up(struct control_call *call, struct snapshot *snap, struct name_row *out)
{
	struct span name = control_param(call, "name");
	enum err err;

	if (maillist_is_builtin(name))
		return builtin_fail(call, name);
	err = name_find(snap, name, out);
	if (err == OK && out->kind == NAME_USER)
		err = ERR_NOT_FOUND;
	control_fail_err(call, err, "list");
	return err;
}

static enum err
list_look_up(struct control_call *call, struct txn *txn, struct maillist *out)
{
	struct name_row row;
	enum err err = look_up(call, txn_view(txn), &row);

	if (err != OK)
		return err;
	if (row.kind == NAME_GROUP) {
		control_failf(call, RPC_REFUSED, "name", "%.*s is a group: use postroom group",
			SPAN_FMT(control_param(call, "name")));
		return ERR_DENIED;
	}
	err = maillist_find(txn_view(txn), row.id, out);
	control_fail_err(call, err, "list");
	return err;
}

/* ---- add ---- */

static enum err
add_change(struct control_call *call, struct txn *txn)
{
	const struct rpc_value *members = rpc_value(call->request, "member");
	struct span kind = control_param(call, "kind");
	struct maillist list = {
		.name = control_param(call, "name"), .comment = control_param(call, "comment")};
	uint64_t list_id;
	enum err err;

	for (uint8_t i = 0; maillist_kind_words[i]; i++)
		if (span_eq(kind, span_of(maillist_kind_words[i])))
			list.kind = i;
	if (control_characters(list.comment) > MAILLIST_COMMENT_MAX) {
		control_fail(call, RPC_INVALID, "a comment has at most 250 characters", NULL,
			"comment");
		return ERR_LIMIT;
	}
	err = maillist_add(txn, &list, call->now_ms, &list_id);
	if (control_list_name_why(err))
		control_fail(call, err == ERR_EXISTS ? RPC_CLASH : RPC_INVALID,
			control_list_name_why(err), NULL, "name");
	for (size_t i = 0; err == OK && i < members->count; i++)
		err = member_add(call, txn, list_id, members->items[i]);
	call->job_done = 1;
	return err;
}

const struct control_handler control_do_maillist_add = {
	.change = add_change,
	.object = "list",
};

/* ---- set ---- */

static bool
referrers_check(struct control_call *call)
{
	call->state = control_referrers_new(call);
	return true;
}

static void
referrers_finish(struct control_call *call)
{
	control_referrers_note(call, call->state);
}

/* "a;b" and no others. */
static enum err
members_replace(
	struct control_call *call, struct txn *txn, uint64_t list_id, struct span members)
{
	struct list_member old;
	struct span text;
	enum err err;

	while ((err = maillist_member_after(txn_view(txn), list_id, SPAN_NONE, &old)) == OK) {
		err = maillist_member_remove(txn, list_id, old.member);
		if (err != OK)
			return err;
	}
	if (err != ERR_NOT_FOUND)
		return err;
	for (err = OK; err == OK && field_list_next(&members, &text);)
		err = member_add(call, txn, list_id, text);
	return err;
}

static enum err
list_new_name(
	struct control_call *call, struct txn *txn, const struct maillist *list, struct span name)
{
	enum err err = maillist_rename(txn, list->list_id, name, call->now_ms);

	if (control_list_name_why(err))
		control_fail(call, err == ERR_EXISTS ? RPC_CLASH : RPC_INVALID,
			control_list_name_why(err), NULL, "name");
	if (err != OK)
		return err;
	return control_referrers_rename(
		call, txn, call->state, control_param(call, "name"), name);
}

static bool
is_field(struct span key)
{
	return !span_eq(key, SPAN("members")) && !span_eq(key, SPAN("name"));
}

/* members= before the fields, so that a list can become a forwarding in one step; name= last. */
static enum err
set_members(struct control_call *call, struct txn *txn, uint64_t list_id)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	enum err err = OK;

	for (size_t i = 0; i < keys->count && err == OK; i++)
		if (span_eq(keys->pairs[i].key, SPAN("members")))
			err = members_replace(call, txn, list_id, keys->pairs[i].value);
	return err;
}

static enum err
set_fields(struct control_call *call, struct txn *txn, struct maillist *list)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	size_t fields = 0;
	enum err err = OK;

	for (size_t i = 0; i < keys->count && err == OK; i++) {
		if (!is_field(keys->pairs[i].key))
			continue;
		fields++;
		err = control_set_field(call, &maillist_table, list, &keys->pairs[i]);
	}
	if (err == OK && fields > 0)
		err = maillist_set(txn, list, call->now_ms);
	return err == ERR_DENIED ? member_fail(call, err, SPAN_NONE, "") : err;
}

static enum err
set_change(struct control_call *call, struct txn *txn)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	struct maillist list;
	enum err err = list_look_up(call, txn, &list);

	if (err != OK)
		return err;
	fields_copy(&maillist_table, &list, &call->arena);
	err = set_members(call, txn, list.list_id);
	if (err == OK)
		err = set_fields(call, txn, &list);
	for (size_t i = 0; i < keys->count && err == OK; i++)
		if (span_eq(keys->pairs[i].key, SPAN("name")))
			err = list_new_name(call, txn, &list, keys->pairs[i].value);
	call->job_done = 1;
	return err;
}

const struct control_handler control_do_maillist_set = {
	.check = referrers_check,
	.change = set_change,
	.finish = referrers_finish,
	.object = "list",
};

/* ---- remove ---- */

static enum step
remove_foresee(struct control_call *call, struct snapshot *snap)
{
	return control_referrers_foresee_all(call, snap, call->state);
}

static enum err
remove_each(struct control_call *call, struct txn *txn, struct span name)
{
	struct name_row row;
	enum err err = maillist_is_builtin(name) ? OK : name_find(txn_view(txn), name, &row);

	if (err != OK)
		return err;
	if (maillist_is_builtin(name))
		call->skip_why = "is built in: it can be used, but not changed or removed";
	else if (row.kind == NAME_GROUP)
		call->skip_why = "is a group: use postroom group remove";
	if (call->skip_why)
		return ERR_DENIED;
	if (row.kind != NAME_LIST)
		return ERR_NOT_FOUND;
	err = maillist_remove(txn, row.id);
	return err == OK ? control_referrers_remove(call, txn, call->state, name) : err;
}

const struct control_handler control_do_maillist_remove = {
	.check = referrers_check,
	.foresee = remove_foresee,
	.each = remove_each,
	.finish = referrers_finish,
	.object = "list",
	.targets_job = 1, /* a list can be long */
};

/* ---- member ---- */

static enum err
group_leave(struct control_call *call, struct txn *txn, uint64_t group_id, struct span name)
{
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), name, &user);

	if (err == OK && user.group != group_id)
		err = ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND)
		return member_fail(call, err, name, "is no member of the group");
	return err == OK ? control_group_join(call, txn, 0, name) : err;
}

static enum err
member_change(struct control_call *call, struct txn *txn)
{
	const struct rpc_value *members = rpc_value(call->request, "members");
	bool add = span_eq(control_param(call, "act"), SPAN("add"));
	struct name_row row;
	enum err err = look_up(call, txn_view(txn), &row);

	for (size_t i = 0; err == OK && i < members->count; i++) {
		struct span text = members->items[i];

		if (row.kind == NAME_GROUP)
			err = add ? control_group_join(call, txn, row.id, text)
				  : group_leave(call, txn, row.id, text);
		else
			err = add ? member_add(call, txn, row.id, text)
				  : member_remove(call, txn, row.id, text);
	}
	call->job_done = members->count;
	return err;
}

const struct control_handler control_do_maillist_member = {
	.change = member_change,
	.object = "list",
};
