/*
 * stage_maillist.c - steps 2 and 3 of RTE-01: what a name means, lists and groups opened.
 *
 *     address elsewhere   the queue                    group, Everyone, Admins   each member
 *     address of ours     its local-part, as a name    list           each member, a name again
 *     *REMOTE             the recipient, elsewhere     user                      his mailbox
 *     No-one                nowhere
 *
 * Names wait in a row, nearest first, so a list is met at its least depth, once (LST-06), and
 * nothing recurses (H16, H38).
 */
#include "server/pipeline/stages.h"

#include <stdio.h>

#include "server/pipeline/names.h"
#include "server/pipeline/once.h"
#include "store/mappings.h"
#include "store/maillists.h"
#include "store/names.h"

#define LIST_LEVELS_MAX  10 /* lists within each other (LST-06) */
#define LOOKUPS_FACTOR   4  /* names looked at, for each recipient that a message may expand to */
#define LEFT_OUT_NOTED   4  /* members that one note each is left for */

struct todo {
	struct todo *next;
	struct span text;
	struct span list; /* whose member it is; empty: it was asked for */
	unsigned level;   /* lists around it */
};

struct expansion {
	struct pipeline_ask *ask;
	struct plan *plan;
	const struct name_want *want;
	struct todo *first, **end;
	size_t added;     /* to the row, in all */
	struct once opened;
	uint64_t left_out; /* members of the group at hand */
};

/* False: this list, group or built-in one (by NAME_NONE) was opened before. */
static bool
open_once(struct expansion *x, enum name_kind kind, uint64_t id)
{
	return once_add(&x->opened, id * 4 + (unsigned)kind);
}

static enum err
todo_add(struct expansion *x, struct span text, struct span list, unsigned level)
{
	struct todo *todo;

	if (x->added >= LOOKUPS_FACTOR * x->ask->names->max)
		return ERR_LIMIT;
	todo = ARENA_NEW(x->plan->arena, struct todo);
	todo->text = arena_copy(x->plan->arena, text);
	todo->list = list;
	todo->level = level;
	*x->end = todo;
	x->end = &todo->next;
	x->added++;
	return OK;
}

/* ---- users ---- */

/* USR-26: for outside mail he counts as unrecognised; also through a mapping (contract 8). */
static bool
takes_mail(const struct expansion *x, const struct user *user)
{
	return user->receive_internet || x->plan->standing == STANDING_USER ||
		recipient_is_role(x->ask);
}

/* One of many: who may not is left out. */
static enum err
add_member(struct expansion *x, const struct user *user)
{
	if (takes_mail(x, user))
		return names_add_user(x->ask->names, user, true);
	if (x->left_out++ < LEFT_OUT_NOTED)
		plan_note(x->plan, NOTE_NAME_INTERNAL, user->name, SPAN_NONE);
	return OK;
}

/* LOC-05, INM-17: without default mappings a user is reached by mappings and lists only. */
static bool
names_users(const struct expansion *x)
{
	const struct conf_collector *collector = names_collector(x->ask->conf, x->ask->mail);

	if (x->want->by != WANT_OWN)
		return true;
	return collector ? collector->default_mappings : x->ask->conf->domains_default_user_mapping;
}

static enum err
find_user(struct expansion *x, const struct todo *todo, uint64_t user_id)
{
	struct user user;
	enum err err = names_user_by_id(x->ask->snap, user_id, &user);

	if (err != OK)
		return err;
	if (todo->level > 0)
		return add_member(x, &user);
	if (!names_users(x)) {
		plan_note(x->plan, NOTE_NAME_DEFAULT_OFF, user.name, SPAN_NONE);
		return ERR_NOT_FOUND;
	}
	if (!takes_mail(x, &user)) {
		plan_note(x->plan, NOTE_NAME_INTERNAL, user.name, SPAN_NONE);
		return ERR_DENIED;
	}
	plan_note(x->plan, NOTE_NAME_USER, todo->text, user.name);
	return names_add_user(x->ask->names, &user, false);
}

/* ---- groups ---- */

static void
note_left_out(struct expansion *x, struct span group)
{
	char count[24];

	if (x->left_out > LEFT_OUT_NOTED) {
		snprintf(count, sizeof(count), "%llu", (unsigned long long)x->left_out);
		plan_note(x->plan, NOTE_MEMBERS_INTERNAL, span_of(count), group);
	}
	x->left_out = 0;
}

/* GRP-08, LST-08: from outside only through a mapping or a list. */
static bool
may_open_groups(const struct expansion *x, const struct todo *todo)
{
	return x->want->by != WANT_OWN || todo->level > 0 || x->plan->standing == STANDING_USER;
}

/* BUILTIN or, where that is none, the group of that id. */
static enum err
open_group(struct expansion *x, const struct todo *todo, enum name_builtin builtin, uint64_t id)
{
	struct span asked = todo->level > 0 ? todo->list : x->ask->recipient.text;
	struct user user;
	uint64_t at = 0;
	enum err err;

	if (!may_open_groups(x, todo)) {
		plan_note(x->plan, NOTE_GROUP_INSIDE, todo->text, SPAN_NONE);
		return ERR_NOT_FOUND;
	}
	if (!open_once(x, builtin ? NAME_NONE : NAME_GROUP, builtin ? (uint64_t)builtin : id))
		return OK;
	plan_note(x->plan, NOTE_NAME_GROUP, asked, todo->text);
	do {
		err = builtin ? names_builtin_next(x->ask->conf, x->ask->snap, builtin, &at, &user)
			      : names_member_next(x->ask->snap, id, &at, &user);
		if (err == OK)
			err = add_member(x, &user);
	} while (err == OK);
	note_left_out(x, todo->text);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- lists ---- */

static void
note_list(struct expansion *x, const struct todo *todo, const struct maillist *list)
{
	if (todo->level > 0)
		plan_note(x->plan, NOTE_LIST_NESTED, todo->list, list->name);
	else
		plan_note(x->plan, NOTE_LIST_FOUND, x->ask->recipient.text, list->name);
	if (list->kind == MAILLIST_MAILING)
		plan_note(x->plan, NOTE_LIST_MAILING, list->name, SPAN_NONE);
}

static enum err
open_list(struct expansion *x, const struct todo *todo, uint64_t list_id)
{
	struct list_member member = { .member = SPAN_NONE };
	struct maillist list;
	struct span name;
	enum err err;

	if (todo->level >= LIST_LEVELS_MAX ||
		todo->level >= (unsigned)x->ask->conf->limits_expansion_depth) {
		plan_note(x->plan, NOTE_LIST_DEEP, todo->list, todo->text);
		return OK;
	}
	if (!open_once(x, NAME_LIST, list_id)) {
		plan_note(x->plan, NOTE_LIST_AGAIN, todo->list, todo->text);
		return OK;
	}
	if ((err = maillist_find(x->ask->snap, list_id, &list)) != OK)
		return err;
	note_list(x, todo, &list);
	name = arena_copy(x->plan->arena, list.name);
	while ((err = maillist_member_after(x->ask->snap, list_id, member.member, &member)) == OK)
		if ((err = todo_add(x, member.member, name, todo->level + 1)) != OK)
			return err;
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- a name ---- */

/* ADM-14: before users, from inside and outside. The Main Administrator reads what is written to them. */
static enum err
find_robot(struct expansion *x, struct span name)
{
	struct user user;
	enum err err = names_main_administrator(x->ask->conf, x->ask->snap, &user);

	if (err != OK)
		return err;
	plan_note(x->plan, NOTE_ROBOT, name, user.name);
	return names_add_user(x->ask->names, &user, false);
}

static enum err
find_name(struct expansion *x, const struct todo *todo, struct span name)
{
	enum name_builtin builtin = names_builtin(name);
	struct name_row row;
	enum err err;

	if (builtin == BUILTIN_NO_ONE && may_open_groups(x, todo))
		return todo->level > 0 ? OK : names_add(x->ask->names,
			&(struct name){ .target = TARGET_NOONE, .why = "No-one" });
	if (builtin != BUILTIN_NONE)
		return open_group(x, todo, builtin, 0);
	if (names_is_robot(name))
		return find_robot(x, name);
	err = name_find(x->ask->snap, name, &row);
	if (err == ERR_LIMIT || err == ERR_SYNTAX)
		return ERR_NOT_FOUND;
	if (err != OK)
		return err;
	if (row.kind == NAME_USER)
		return find_user(x, todo, row.id);
	return row.kind == NAME_GROUP ? open_group(x, todo, BUILTIN_NONE, row.id)
				      : open_list(x, todo, row.id);
}

/* An address as a target or a member: ours from step 2 on; elsewhere through the queue. */
static enum err
find_address(struct expansion *x, const struct todo *todo)
{
	struct address address;

	if (address_parse(x->plan->arena, todo->text, &address) != OK)
		return ERR_NOT_FOUND;
	if (conf_is_local(x->ask->conf, address.local_part, address.domain))
		return find_name(x, todo, address.local_part);
	return names_add(x->ask->names, &(struct name){ .target = TARGET_ADDRESS,
		.address = address.text,
		.why = todo->level > 0 ? "a member of a list"
			: x->want->by == WANT_RULE ? "an SMTP rule sends it there"
			: x->want->by == WANT_COLLECTED ? "its collector sends it there"
						   : "a mapping sends it there" });
}

/* MAP-11: elsewhere; of collected mail that was somebody else's already, and is ignored. */
static enum err
find_remote(struct expansion *x)
{
	bool collected = x->ask->mail->via == MAIL_VIA_POP3;

	plan_note(x->plan, NOTE_MAPPING_REMOTE, x->ask->recipient.text, SPAN_NONE);
	return names_add(x->ask->names, &(struct name){
		.target = collected ? TARGET_NOONE : TARGET_ADDRESS,
		.address = x->ask->recipient.text, .needs_right = !collected, .lives_elsewhere = collected,
		.why = "*REMOTE" });
}

static enum err
find_todo(struct expansion *x, const struct todo *todo)
{
	if (x->want->by != WANT_OWN && todo->level == 0 &&
		span_eq_nocase(todo->text, MAPPING_REMOTE))
		return find_remote(x);
	/* a local-part may hold an '@' in quotes, a target is an address then */
	if ((x->want->by != WANT_OWN || todo->level > 0) &&
		span_find(todo->text, '@') < todo->text.len)
		return find_address(x, todo);
	return find_name(x, todo, todo->text);
}

/* ---- what was wanted ---- */

static enum err
stop_at_one(void *arg, const struct mapping *mapping)
{
	(void)mapping;
	*(bool *)arg = true;
	return ERR_EXISTS;
}

/* Is the target that nobody knows one that only mappings know? */
static bool
is_only_mapped(const struct expansion *x)
{
	struct span text = x->want->text;
	struct mapping_query query = { .domain_is_valid = true, .from = MAPPING_SMTP };
	bool found = false;
	enum err err;

	query.local_part = span_range(text, 0, span_find_last(text, '@'));
	query.domain = query.local_part.len < text.len
		? span_from(text, query.local_part.len + 1) : conf_default_domain(x->ask->conf);
	err = mapping_each_match(x->ask->snap, &query, stop_at_one, &found);
	return found && err == ERR_EXISTS;
}

static void
note_want(struct expansion *x)
{
	const struct name_want *want = x->want;

	if (want->by == WANT_MAPPED)
		plan_note(x->plan, NOTE_MAPPING_FITS, want->pattern, want->text);
	else if (want->by == WANT_SENDER)
		plan_note(x->plan, NOTE_MAPPING_SENDER, want->pattern, want->text);
	else if (want->by == WANT_REST) {
		plan_note(x->plan, NOTE_MAPPING_REST, x->ask->recipient.text, want->pattern);
		plan_note(x->plan, NOTE_MAPPING_FITS, want->pattern, want->text);
	}
}

static void
note_lost(struct expansion *x, const struct todo *todo)
{
	if (todo->level > 0)
		plan_note(x->plan, NOTE_LIST_LOST, todo->list, todo->text);
	else if (x->want->pattern.len > 0)
		plan_note(x->plan, is_only_mapped(x) ? NOTE_MAPPING_CHAIN : NOTE_MAPPING_LOST,
			x->want->pattern, x->want->text);
}

/* One want with all that it opens. Of its own name the answer counts, of members none. */
static enum err
resolve(struct expansion *x)
{
	enum err answer = OK, err;

	x->first = NULL;
	x->end = &x->first;
	if ((err = todo_add(x, x->want->text, SPAN_NONE, 0)) != OK)
		return err;
	for (const struct todo *todo = x->first; todo; todo = todo->next) {
		err = find_todo(x, todo);
		if (err == ERR_NOT_FOUND)
			note_lost(x, todo);
		else if (err != OK && err != ERR_DENIED)
			return err;
		if (todo->level == 0)
			answer = err;
	}
	note_left_out(x, x->want->text);
	return answer;
}

/* Known, but nobody is left to get it: a list without members (LST-03). */
static enum err
accept_empty(struct pipeline_ask *ask, struct plan *plan)
{
	if (ask->names->count > 0)
		return OK;
	plan_note(plan, NOTE_LIST_EMPTY, ask->recipient.text, SPAN_NONE);
	return names_add(ask->names,
		&(struct name){ .target = TARGET_NOONE, .why = "nobody is in it who gets it" });
}

enum err
wants_resolve(struct pipeline_ask *ask, struct plan *plan)
{
	struct expansion x = { .ask = ask, .plan = plan, .opened.arena = plan->arena };
	bool known = false, denied = false;

	for (x.want = ask->wants->first; x.want; x.want = x.want->next) {
		enum err err;

		note_want(&x);
		err = resolve(&x);
		known |= err == OK;
		denied |= err == ERR_DENIED && x.want->by != WANT_OWN;
		if (err != OK && err != ERR_NOT_FOUND && err != ERR_DENIED)
			return err;
	}
	if (known)
		return accept_empty(ask, plan);
	return denied ? ERR_DENIED : ERR_NOT_FOUND;
}

enum verdict
stage_maillist(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	(void)phase;
	if (ask->wants->count == 0 || ask->found != OK)
		return STAGE_NEXT;
	ask->found = wants_resolve(ask, plan);
	return STAGE_NEXT;
}
