/*
 * monitor_who.c - the sender, and who is selected.
 */
#include "server/pipeline/monitor_who.h"

#include "conf/conf.h"
#include "proto/base/ascii.h"
#include "proto/mail/header.h"
#include "server/pipeline/names.h"
#include "store/groups.h"

/* ---- the sender ---- */

static enum err
take_user(struct pipeline_ask *ask, uint64_t user_id, const char *by, struct monitor_sender *out)
{
	struct user user;
	enum err err = names_user_by_id(ask->snap, user_id, &user);

	if (err == ERR_NOT_FOUND)
		return OK;
	if (err != OK)
		return err;
	*out = (struct monitor_sender){ user_id, arena_copy(ask->mail->arena, user.name), true, by };
	return OK;
}

/* MON-09: a guess. */
static enum err
guess(struct pipeline_ask *ask, struct monitor_sender *out)
{
	struct span value = ask->mail->facts.from;
	struct header_mailbox mailbox;
	struct address address;
	struct user user;
	enum err err;

	if (!value.ptr || !header_next_mailbox(&value, &mailbox) ||
		address_parse(ask->mail->arena, mailbox.address, &address) != OK)
		return OK;
	if (!conf_is_local(ask->conf, address.local_part, address.domain))
		return OK;
	out->is_ours = true;
	out->by = "From";
	err = names_user(ask->snap, address.local_part, &user);
	if (err == OK)
		return take_user(ask, user.user_id, "From", out);
	return err == ERR_NOT_FOUND || err == ERR_LIMIT || err == ERR_SYNTAX ? OK : err;
}

enum err
monitor_sender_find(struct pipeline_ask *ask, const struct plan *plan, struct monitor_sender *out)
{
	const struct address *from = &ask->mail->envelope.reverse_path;
	enum err err;

	*out = (struct monitor_sender){ 0 };
	if (ask->mail->user_id != 0)
		return take_user(ask, ask->mail->user_id, "login", out);
	if (plan->standing == STANDING_STRANGER)
		return OK;
	err = guess(ask, out);
	if (err != OK || out->user_id != 0)
		return err;
	if (plan->sender_id != 0)
		return take_user(ask, plan->sender_id, "return address", out);
	if (!out->is_ours && !address_is_null(from) &&
		conf_is_local(ask->conf, from->local_part, from->domain)) {
		out->is_ours = true;
		out->by = "return address";
	}
	return OK;
}

/* ---- who is selected ---- */

#define GROUPS_KEPT 64

/* The names of a profile, to be found in one step. */
struct selection {
	struct pipeline_ask *ask;
	const struct conf_list *names;
	const struct span **slots; /* twice as many as names, at least; NULL: free */
	size_t size;
	struct {
		uint64_t group_id; /* 0: none yet */
		bool is_in;        /* is it named? */
	} groups[GROUPS_KEPT];     /* by group_id: those of the users so far */
};

static const struct span **
slot_of(const struct selection *s, struct span name)
{
	size_t at = (size_t)span_hash_nocase(name);

	for (;; at++) {
		const struct span **slot = &s->slots[at & (s->size - 1)];

		if (!*slot || span_eq_nocase(**slot, name))
			return slot;
	}
}

static void
selection_init(struct selection *s, struct pipeline_ask *ask, const struct conf_list *names)
{
	*s = (struct selection){ .ask = ask, .names = names, .size = 16 };
	while (s->size < 2 * names->count)
		s->size *= 2;
	if (names->count == 0)
		return;
	s->slots = ARENA_ARRAY(ask->mail->arena, const struct span *, s->size);
	for (size_t i = 0; i < names->count; i++)
		*slot_of(s, names->items[i]) = &names->items[i];
}

static enum err
group_is_in(struct selection *s, uint64_t group_id, bool *is)
{
	size_t at = (size_t)(group_id % GROUPS_KEPT);
	struct group group;
	enum err err;

	if (group_id != s->groups[at].group_id) {
		err = group_find(s->ask->snap, group_id, &group);
		if (err != OK && err != ERR_NOT_FOUND)
			return err;
		s->groups[at].group_id = group_id;
		s->groups[at].is_in = err == OK && *slot_of(s, group.name);
	}
	*is = s->groups[at].is_in;
	return OK;
}

static enum err
is_selected(struct selection *s, struct span name, const struct user_watch *watch, bool *is)
{
	*is = s->names->count == 0 ? watch->monitor : *slot_of(s, name) != NULL;
	if (s->names->count == 0 || *is || watch->group_id == 0)
		return OK;
	return group_is_in(s, watch->group_id, is);
}

/* *name is where USER_ID is selected; else it stays. */
static enum err
look_at(struct selection *s, uint64_t user_id, struct span *name)
{
	struct user user;
	enum err err = names_user_by_id(s->ask->snap, user_id, &user);
	bool is = false;

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	err = is_selected(s, user.name, &(struct user_watch){ true, user.monitor, user.group }, &is);
	if (err == OK && is)
		*name = arena_copy(s->ask->mail->arena, user.name);
	return err;
}

static enum err
look_at_copy(struct selection *s, const struct plan_copy *copy, struct span *name)
{
	bool is = false;
	enum err err;

	if (!copy->watch.known)
		return look_at(s, copy->user_id, name);
	err = is_selected(s, copy->user, &copy->watch, &is);
	if (err == OK && is)
		*name = copy->user;
	return err;
}

enum err
monitor_selected_find(struct pipeline_ask *ask, const struct plan *plan,
	const struct conf_monitor *profile, const struct monitor_sender *sender, struct span *user)
{
	struct selection s;
	enum err err = OK;

	*user = SPAN_NONE;
	selection_init(&s, ask, &profile->users);
	if (sender->user_id != 0)
		err = look_at(&s, sender->user_id, user);
	for (const struct plan_copy *copy = plan->copies; copy && err == OK && !user->ptr; copy = copy->next)
		if (copy->kind == COPY_FOLDER && copy->role == COPY_DELIVERY)
			err = look_at_copy(&s, copy, user);
	return err;
}
