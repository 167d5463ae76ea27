/*
 * control_maillists_look.c - lists: list, show, members. Groups are among them, the built-in ones first
 * (LST-01, LST-07, Q-72).
 */
#include <stdio.h>

#include "server/control/control_fields.h"
#include "server/control/control_groups.h"
#include "server/control/control_maillists.h"
#include "server/generation.h"
#include "server/pipeline/names.h"
#include "store/names.h"
#include "store/referrers.h"

#define SHOWN_MAX 1000 /* members in one answer of `show` */

static const struct {
	const char *name, *comment;
	enum name_builtin builtin;
} builtins[] = {
	{"Everyone", "Built in: the users with everyone=yes", BUILTIN_EVERYONE},
	{"No-one", "Built in: takes mail and drops it", BUILTIN_NO_ONE},
	{"Admins", "Built in: the administrators", BUILTIN_ADMINS},
};

/* The next member of a built-in group; No-one has none. */
static enum err
builtin_next(struct control_call *call, struct snapshot *snap, enum name_builtin builtin,
	uint64_t *at, struct user *user)
{
	if (builtin == BUILTIN_NO_ONE)
		return ERR_NOT_FOUND;
	return names_builtin_next(generation_conf(call->generation), snap, builtin, at, user);
}

/* ---- list ---- */

struct list_walk {
	size_t builtin; /* the one whose members are counted */
	uint64_t at, members;
	char group[NAME_MAX_BYTES + 1], list[NAME_MAX_BYTES + 1]; /* the last ones put */
	bool groups_done;
};

static void
put_row(struct control_rows *rows, struct span name, struct span kind, uint64_t members,
	struct span comment)
{
	control_row(rows, name);
	control_put_text(rows, name);
	control_put_text(rows, kind);
	control_put_number(rows, (int64_t)members);
	control_put_text(rows, comment.ptr ? comment : SPAN(""));
}

/* ERR_NOT_FOUND: all are put. ERR_EXISTS: one member more is counted. */
static enum err
builtin_row(struct control_call *call, struct snapshot *snap, struct list_walk *w)
{
	struct user user;
	enum err err;

	if (w->builtin == COUNT(builtins))
		return ERR_NOT_FOUND;
	err = builtin_next(call, snap, builtins[w->builtin].builtin, &w->at, &user);
	if (err == OK) {
		w->members++;
		return ERR_EXISTS;
	}
	if (err != ERR_NOT_FOUND)
		return err;
	put_row(&call->rows, span_of(builtins[w->builtin].name), SPAN("group"), w->members,
		span_of(builtins[w->builtin].comment));
	control_put_number(&call->rows, 1);
	w->builtin++;
	w->at = w->members = 0;
	return OK;
}

static enum err
group_row(struct control_call *call, struct snapshot *snap, struct list_walk *w)
{
	struct user user = {.user_id = 0};
	struct group group;
	uint64_t members = 0;
	enum err err = group_after(snap, span_of(w->group), &group);

	if (err != OK)
		return err;
	snprintf(w->group, sizeof(w->group), "%.*s", SPAN_FMT(group.name));
	while (group_member_next(snap, group.group_id, user.user_id, &user) == OK)
		members++;
	put_row(&call->rows, group.name, SPAN("group"), members, group.comment);
	control_put_number(&call->rows, 0);
	return OK;
}

static enum err
list_row(struct control_call *call, struct snapshot *snap, struct list_walk *w)
{
	struct maillist list;
	uint64_t members;
	enum err err = maillist_after(snap, span_of(w->list), &list);

	if (err == OK)
		err = maillist_size(snap, list.list_id, &members);
	if (err != OK)
		return err;
	snprintf(w->list, sizeof(w->list), "%.*s", SPAN_FMT(list.name));
	put_row(&call->rows, list.name, span_of(maillist_kind_words[list.kind]), members,
		list.comment);
	control_put_number(&call->rows, 0);
	return OK;
}

/* The next row of the first kind that has one left. */
static enum err
next_row(struct control_call *call, struct snapshot *snap, struct list_walk *w)
{
	enum err err = builtin_row(call, snap, w);

	if (err == ERR_NOT_FOUND && !w->groups_done) {
		err = group_row(call, snap, w);
		w->groups_done = err == ERR_NOT_FOUND;
	}
	if (err == ERR_NOT_FOUND)
		err = list_row(call, snap, w);
	return err == ERR_EXISTS ? OK : err;
}

static enum step
list_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	enum err err;

	if (!call->state)
		call->state = ARENA_NEW(&call->arena, struct list_walk);
	while ((err = next_row(call, snap, call->state)) == OK)
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "list");
	return STEP_FAIL;
}

const struct control_handler control_do_maillist_list = {.read = list_read};

/* ---- members, one after another, of whatever is a list ---- */

struct members_walk {
	bool started;
	enum name_builtin builtin;
	uint8_t kind; /* enum name_kind */
	uint64_t id, at;
	char member[MAILLIST_MEMBER_MAX + 1];
};

static enum err
walk_begin(struct snapshot *snap, struct span name, struct members_walk *w)
{
	struct name_row row;
	enum err err;

	w->started = true;
	w->builtin = names_builtin(name);
	if (w->builtin != BUILTIN_NONE)
		return OK;
	err = name_find(snap, name, &row);
	if (err == OK && row.kind == NAME_USER)
		err = ERR_NOT_FOUND;
	w->kind = row.kind;
	w->id = row.id;
	return err;
}

static enum err
walk_next(struct control_call *call, struct snapshot *snap, struct members_walk *w,
	struct list_member *out)
{
	struct user user = {.user_id = w->at};
	enum err err;

	*out = (struct list_member){.list_id = w->id};
	if (w->kind == NAME_LIST) {
		err = maillist_member_after(snap, w->id, span_of(w->member), out);
		if (err == OK)
			snprintf(w->member, sizeof(w->member), "%.*s", SPAN_FMT(out->member));
		return err;
	}
	if (w->builtin != BUILTIN_NONE) {
		err = builtin_next(call, snap, w->builtin, &w->at, &user);
	} else {
		err = group_member_next(snap, w->id, w->at, &user);
		w->at = user.user_id;
	}
	out->member = user.name;
	return err;
}

static enum err
member_row(struct control_call *call, struct snapshot *snap, const struct list_member *m)
{
	const char *kind;
	enum err err = control_member_kind(snap, m->member, &kind);

	control_row(&call->rows, m->member);
	control_put_text(&call->rows, m->member);
	control_put_text(&call->rows, span_of(kind));
	control_put_time_ms(&call->rows, m->added_ms);
	return err;
}

static enum step
members_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct members_walk *w = call->state;
	struct list_member m;
	enum err err = OK;

	if (!w)
		w = call->state = ARENA_NEW(&call->arena, struct members_walk);
	if (!w->started && !control_fail_err(
				   call, walk_begin(snap, control_param(call, "name"), w), "list"))
		return STEP_FAIL;
	while (err == OK && (err = walk_next(call, snap, w, &m)) == OK) {
		err = member_row(call, snap, &m);
		if (err == OK && control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "list");
	return STEP_FAIL;
}

const struct control_handler control_do_maillist_members = {.read = members_read};

void
control_put_lists(struct control_call *call, struct snapshot *snap, const struct user *user)
{
	struct json_writer *w = &call->json;
	struct referrer r;
	struct user held;

	json_put_name(w, SPAN("lists"));
	json_put_array(w);
	if (names_user_by_id(snap, user->user_id, &held) == OK && held.everyone)
		json_put_string(w, SPAN("Everyone"));
	referrer_begin(&r);
	for (size_t i = 0; i < SHOWN_MAX && referrer_next(snap, user->name, &r) == OK; i++) {
		struct maillist list;

		if (r.kind == REFERRER_LIST && span_eq_nocase(r.target, user->name) &&
			maillist_find(snap, r.id, &list) == OK)
			json_put_string(w, list.name);
	}
	json_put_close(w);
}

/* ---- show ---- */

/* The members up to SHOWN_MAX, and how many there are. */
static enum err
put_members(struct control_call *call, struct snapshot *snap, struct members_walk *w)
{
	struct json_writer *j = &call->json;
	struct list_member m;
	uint64_t count = 0;
	enum err err;

	json_put_name(j, SPAN("members"));
	json_put_array(j);
	while ((err = walk_next(call, snap, w, &m)) == OK)
		if (count++ < SHOWN_MAX)
			json_put_string(j, m.member);
	json_put_close(j);
	json_put_member_u64(j, SPAN("member_count"), count);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
put_list(struct control_call *call, struct snapshot *snap, uint64_t list_id)
{
	struct maillist list;
	enum err err = maillist_find(snap, list_id, &list);

	if (err == OK)
		control_put_fields(&call->json, &maillist_table, &list, NULL);
	return err;
}

static enum err
put_group(struct control_call *call, struct snapshot *snap, uint64_t group_id)
{
	struct group group;
	enum err err = group_find(snap, group_id, &group);

	if (err != OK)
		return err;
	json_put_member_string(&call->json, SPAN("name"), group.name);
	json_put_member_string(
		&call->json, SPAN("comment"), group.comment.ptr ? group.comment : SPAN(""));
	json_put_member_string(&call->json, SPAN("kind"), SPAN("group"));
	return OK;
}

static void
put_builtin(struct control_call *call, enum name_builtin builtin)
{
	for (size_t i = 0; i < COUNT(builtins); i++) {
		if (builtins[i].builtin != builtin)
			continue;
		json_put_member_string(&call->json, SPAN("name"), span_of(builtins[i].name));
		json_put_member_string(&call->json, SPAN("comment"), span_of(builtins[i].comment));
		json_put_member_string(&call->json, SPAN("kind"), SPAN("group"));
	}
}

static enum step
show_read(struct control_call *call, struct snapshot *snap)
{
	struct members_walk w = {.started = false};
	enum err err = walk_begin(snap, control_param(call, "name"), &w);

	if (!control_fail_err(call, err, "list"))
		return STEP_FAIL;
	json_put_object(&call->json);
	if (w.builtin != BUILTIN_NONE)
		put_builtin(call, w.builtin);
	else
		err = w.kind == NAME_GROUP ? put_group(call, snap, w.id) : put_list(call, snap, w.id);
	if (err == OK)
		err = put_members(call, snap, &w);
	json_put_member_bool(&call->json, SPAN("builtin"), w.builtin != BUILTIN_NONE);
	json_put_close(&call->json);
	return control_fail_err(call, err, "list") ? STEP_DONE : STEP_FAIL;
}

const struct control_handler control_do_maillist_show = {.read = show_read};
