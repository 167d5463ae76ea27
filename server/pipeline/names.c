/*
 * names.c - looking up whom a name means.
 */
#include "server/pipeline/names.h"

#include <string.h>

#include "proto/mail/header.h"
#include "server/pipeline/mailbox_step.h"
#include "server/pipeline/journal.h"
#include "store/forwards.h"
#include "store/groups.h"
#include "store/mappings.h"
#include "store/names.h"

void
names_init(struct names *names, struct arena *arena, size_t max)
{
	*names = (struct names){ .arena = arena, .max = max };
	names->end = &names->first;
}

enum err
names_add(struct names *names, const struct name *name)
{
	struct name *kept;

	if (names->count >= names->max)
		return ERR_LIMIT;
	kept = ARENA_NEW(names->arena, struct name);
	*kept = *name;
	kept->next = NULL;
	kept->user = arena_copy(names->arena, name->user);
	kept->address = arena_copy(names->arena, name->address);
	*names->end = kept;
	names->end = &kept->next;
	names->count++;
	return OK;
}

enum err
names_add_user(struct names *names, const struct user *user, bool member)
{
	struct name name = { .target = TARGET_USER, .user_id = user->user_id, .user = user->name,
		.member = member };

	name.acts = mailbox_acts(user);
	name.forwards = forward_acts(user);
	name.watch = (struct user_watch){ true, user->monitor, user->group };
	return names_add(names, &name);
}

void
wants_init(struct name_wants *wants, struct arena *arena)
{
	*wants = (struct name_wants){ .arena = arena };
	wants->end = &wants->first;
}

void
wants_add(struct name_wants *wants, enum want_by by, struct span text, struct span pattern)
{
	struct name_want *want = ARENA_NEW(wants->arena, struct name_want);

	want->by = by;
	want->text = arena_copy(wants->arena, text);
	want->pattern = arena_copy(wants->arena, pattern);
	*wants->end = want;
	wants->end = &want->next;
	wants->count++;
}

/* What his group says goes over his own fields. */
static enum err
user_with_group(struct snapshot *snap, struct user *user)
{
	struct group group;
	struct user own = *user;
	enum err err;

	if (user->group == 0)
		return OK;
	err = group_find(snap, user->group, &group);
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err == OK)
		group_apply(&group, &own, user);
	return err;
}

enum err
names_user(struct snapshot *snap, struct span name, struct user *out)
{
	enum err err = user_find_by_name(snap, name, out);

	return err == OK ? user_with_group(snap, out) : err;
}

enum err
names_user_by_id(struct snapshot *snap, uint64_t user_id, struct user *out)
{
	enum err err = user_find(snap, user_id, out);

	if (err == OK && out->removed_ms != 0)
		return ERR_NOT_FOUND;
	return err == OK ? user_with_group(snap, out) : err;
}

enum err
names_main_administrator(const struct conf *conf, struct snapshot *snap, struct user *out)
{
	enum err err = names_user(snap, conf->main_administrator, out);

	if (err != ERR_NOT_FOUND)
		return err;
	for (err = user_after(snap, SPAN_NONE, out); err == OK;
		err = user_after(snap, out->name, out)) {
		err = user_with_group(snap, out);
		if (err != OK || out->admin)
			return err;
	}
	return err;
}

enum name_builtin
names_builtin(struct span name)
{
	if (span_eq_nocase(name, SPAN("No-one")))
		return BUILTIN_NO_ONE;
	if (span_eq_nocase(name, SPAN("Everyone")))
		return BUILTIN_EVERYONE;
	return span_eq_nocase(name, SPAN("Admins")) ? BUILTIN_ADMINS : BUILTIN_NONE;
}

bool
names_is_robot(struct span name)
{
	return span_eq_nocase(name, SPAN("Mailer_Daemon")) ||
		span_eq_nocase(name, SPAN("Mailer-Daemon")) || span_eq_nocase(name, SPAN("ListServer"));
}

enum err
names_member_next(struct snapshot *snap, uint64_t group_id, uint64_t *at, struct user *out)
{
	enum err err = group_member_next(snap, group_id, *at, out);

	if (err != OK)
		return err;
	*at = out->user_id;
	return user_with_group(snap, out);
}

enum err
names_builtin_next(const struct conf *conf, struct snapshot *snap, enum name_builtin builtin,
	uint64_t *at, struct user *out)
{
	enum err err;

	while ((err = user_next(snap, *at, out)) == OK) {
		*at = out->user_id;
		if (out->removed_ms != 0 ||
			(builtin == BUILTIN_EVERYONE && journal_is_mailbox(conf, out->name)))
			continue;
		if ((err = user_with_group(snap, out)) != OK)
			return err;
		if (builtin == BUILTIN_ADMINS ? out->admin : out->everyone)
			return OK;
	}
	return err;
}

struct owner {
	const struct conf *conf;
	const struct user *user;
	bool found;
};

static enum err
owner_check(void *arg, const struct mapping *mapping)
{
	struct owner *owner = arg;
	size_t at = span_find_last(mapping->target, '@');
	struct span name = span_range(mapping->target, 0, at);

	if (span_eq_nocase(name, owner->user->name) &&
		(at == mapping->target.len ||
			conf_is_local(owner->conf, name, span_from(mapping->target, at + 1))))
		owner->found = true;
	return OK;
}

/* Does a mapping send mail for ADDRESS to USER? */
static bool
is_mapped_to(const struct conf *conf, struct snapshot *snap, const struct user *user,
	const struct address *address)
{
	struct owner owner = { .conf = conf, .user = user };
	struct mapping_query query = { .local_part = address->local_part,
		.domain = address->domain, .domain_is_valid = true, .from = MAPPING_SMTP };

	return mapping_each_match(snap, &query, owner_check, &owner) == OK && owner.found;
}

/* Does LIST, `a@b; "Name" <c@d>`, hold the address? */
static bool
holds_address(struct span list, const struct address *address)
{
	struct header_mailbox mailbox;
	struct span item;

	while (field_list_next(&list, &item))
		if (header_next_mailbox(&item, &mailbox) &&
			span_eq_nocase(mailbox.address, address->key))
			return true;
	return false;
}

/* His group's may hold '*' for his name (GRP-06). */
static bool
is_reply_address(const struct user *user, const struct address *address)
{
	struct arena arena;
	bool is;

	arena_init(&arena, NULL);
	is = holds_address(group_reply_address(&arena, user->reply_address, user->name), address);
	arena_reset(&arena);
	return is;
}

bool
names_may_use(const struct conf *conf, struct snapshot *snap, const struct user *user,
	const struct address *address)
{
	if (is_reply_address(user, address) || holds_address(user->identities, address))
		return true;
	if (!conf_is_local(conf, address->local_part, address->domain))
		return false;
	if (span_eq_nocase(address->local_part, user->name))
		return true;
	return is_mapped_to(conf, snap, user, address);
}
