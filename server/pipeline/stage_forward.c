/*
 * stage_forward.c - forwarding: mail that would be put into a mailbox goes to other addresses instead (RTE-06,
 * RTE-07).
 *
 *     SMTP:user@domain@host:port     straight to that server, as LAN forwarding sends (RTE-11, LAN-07)
 *     a name or address of ours      whoever that is, and on from there where he forwards too
 *     any other address              by the queue; the administrator's wish, so no right is asked for
 *
 * Each user is visited once (RTE-14). Where all that a user forwards to was visited already the ring closes, and
 * his mailbox keeps the message (contract 8); so it does where nobody knows any of it. The return address stays
 * (RTE-16).
 */
#include "server/pipeline/stages.h"

#include "server/pipeline/names.h"

#define VISITED_MAX 1000 /* users on the ways from one mailbox */
#define SENDS_IT "forwarding sends it there"

struct forwarding {
	struct pipeline_ask *ask;
	struct plan *plan;
	struct names *done; /* where the mail ends */
	uint64_t *visited;
	size_t count;
};

static bool
forwards(const struct name *name)
{
	return name->target == TARGET_USER && name->forward_to.len > 0;
}

/* True the first time. */
static bool
visit(struct forwarding *f, uint64_t user_id)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->visited[i] == user_id)
			return false;
	if (f->count == VISITED_MAX)
		return false;
	f->visited[f->count++] = user_id;
	return true;
}

/* ---- one user's targets ---- */

static enum err
add_server(struct forwarding *f, struct span text, struct names *out)
{
	struct lan_target target;
	struct address to;
	struct name name = { .target = TARGET_ADDRESS, .why = SENDS_IT };
	enum err err = lan_forward_parse(f->plan->arena, text, &to, &target);

	if (err != OK)
		return err;
	name.address = to.text;
	name.route = arena_printf(f->plan->arena, LAN_ROUTE_PREFIX "%.*s",
		SPAN_FMT(lan_target_format(f->plan->arena, &target)));
	return names_add(out, &name);
}

/* Servers into OUT, the rest into WANTS. */
static enum err
sort_out(struct forwarding *f, const struct name *from, struct names *out, struct name_wants *wants)
{
	struct span list = from->forward_to, part;
	enum err err = OK;

	while (err == OK && field_list_next(&list, &part)) {
		err = add_server(f, part, out);
		if (err == ERR_NOT_FOUND)
			wants_add(wants, WANT_FORWARD, part, from->user);
		else if (err == ERR_SYNTAX)
			plan_note(f->plan, NOTE_FORWARD_LOST, from->user, part);
		if (err == ERR_NOT_FOUND || err == ERR_SYNTAX)
			err = OK;
	}
	return err;
}

/* Whom FROM forwards to; nothing where nobody knows any of them. */
static enum err
find_targets(struct forwarding *f, const struct name *from, struct names *out)
{
	struct names *names = f->ask->names;
	struct name_wants *wants = f->ask->wants, own;
	enum err err;

	names_init(out, f->plan->arena, names->max);
	wants_init(&own, f->plan->arena);
	err = sort_out(f, from, out, &own);
	if (err != OK || own.count == 0)
		return err;
	f->ask->names = out;
	f->ask->wants = &own;
	err = wants_resolve(f->ask, f->plan);
	f->ask->names = names;
	f->ask->wants = wants;
	return err == ERR_NOT_FOUND || err == ERR_DENIED ? OK : err;
}

/* ---- from a mailbox to where its mail ends ---- */

/* The targets of FROM join TODO; without any it keeps the mail. */
static enum err
follow(struct forwarding *f, const struct name *from, struct names *todo)
{
	struct names targets;
	size_t before = todo->count;
	enum err err = find_targets(f, from, &targets);

	for (const struct name *to = targets.first; to && err == OK; to = to->next)
		if (to->target != TARGET_USER || visit(f, to->user_id))
			err = names_add(todo, to);
	if (err != OK)
		return err;
	if (todo->count > before) {
		plan_note(f->plan, NOTE_FORWARD_GOES, from->user, from->forward_to);
		return OK;
	}
	plan_note(f->plan, NOTE_FORWARD_RING, from->user, from->forward_to);
	return names_add(f->done, from);
}

static enum err
follow_all(struct forwarding *f, const struct name *root)
{
	struct names todo;
	enum err err;

	f->count = 0;
	(void)visit(f, root->user_id);
	names_init(&todo, f->plan->arena, f->done->max);
	err = names_add(&todo, root);
	for (const struct name *name = todo.first; name && err == OK; name = name->next)
		err = forwards(name) ? follow(f, name, &todo) : names_add(f->done, name);
	return err;
}

static enum err
forward(struct pipeline_ask *ask, struct plan *plan)
{
	struct names *done = ARENA_NEW(plan->arena, struct names);
	struct forwarding f = { .ask = ask, .plan = plan, .done = done,
		.visited = ARENA_ARRAY(plan->arena, uint64_t, VISITED_MAX) };
	enum err err = OK;

	names_init(done, plan->arena, ask->names->max);
	for (const struct name *name = ask->names->first; name && err == OK; name = name->next)
		err = forwards(name) ? follow_all(&f, name) : names_add(done, name);
	if (err == OK)
		*ask->names = *done;
	return err;
}

enum verdict
stage_forward(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	enum err err = OK;

	(void)phase;
	for (const struct name *name = ask->names->first; name; name = name->next)
		if (forwards(name)) {
			err = forward(ask, plan);
			break;
		}
	if (err == OK)
		return STAGE_NEXT;
	if (err != ERR_LIMIT)
		return stage_trouble(plan);
	plan_note_number(plan, NOTE_RECIPIENTS_OVER, ask->names->count, ask->names->max);
	plan_refuse(plan, 550, "5.4.6", "Address expands to too many recipients");
	return STAGE_REJECT;
}
