/*
 * names.c - looking up whom a name means.
 */
#include "server/pipeline/names.h"

#include <string.h>

#include "proto/mail/header.h"
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
		err = user_after(snap, out->name, out))
		if (out->admin)
			return OK;
	return err;
}

static enum err
add_user(struct names *names, const struct user *user)
{
	return names_add(names, &(struct name){ .target = TARGET_USER, .user_id = user->user_id,
					.user = user->name });
}

static enum err
expand_group(struct snapshot *snap, uint64_t group_id, struct names *names)
{
	struct user user = { 0 };
	enum err err;

	while ((err = group_member_next(snap, group_id, user.user_id, &user)) == OK)
		if ((err = add_user(names, &user)) != OK)
			return err;
	return err == ERR_NOT_FOUND ? OK : err;
}

/* Everyone (USR-24) or Admins. */
static enum err
expand_all(struct snapshot *snap, bool admins, struct names *names)
{
	struct user user;
	enum err err = user_after(snap, SPAN_NONE, &user);

	for (; err == OK; err = user_after(snap, user.name, &user)) {
		struct user own = user;

		if ((err = user_with_group(snap, &own)) != OK)
			return err;
		if (!(admins ? own.admin : own.everyone))
			continue;
		if ((err = add_user(names, &own)) != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
names_expand(struct snapshot *snap, struct span name, struct names *names)
{
	struct name_row row;
	struct user user;
	enum err err;

	if (span_eq_nocase(name, SPAN("No-one")))
		return names_add(names, &(struct name){ .target = TARGET_NOONE });
	if (span_eq_nocase(name, SPAN("Everyone")))
		return expand_all(snap, false, names);
	if (span_eq_nocase(name, SPAN("Admins")))
		return expand_all(snap, true, names);
	if ((err = name_find(snap, name, &row)) != OK)
		return err == ERR_LIMIT || err == ERR_SYNTAX ? ERR_NOT_FOUND : err;
	if (row.kind == NAME_GROUP)
		return expand_group(snap, row.id, names);
	if (row.kind != NAME_USER)
		return ERR_NOT_FOUND;
	err = user_find(snap, row.id, &user);
	return err == OK ? add_user(names, &user) : err;
}

struct owner {
	const struct user *user;
	bool found;
};

static enum err
owner_check(void *arg, const struct mapping *mapping)
{
	struct owner *owner = arg;
	struct span name = span_range(mapping->target, 0, span_find(mapping->target, '@'));

	if (span_eq_nocase(name, owner->user->name))
		owner->found = true;
	return OK;
}

/* Does a mapping send mail for ADDRESS to USER? */
static bool
is_mapped_to(struct snapshot *snap, const struct user *user, const struct address *address)
{
	struct owner owner = { .user = user };
	struct mapping_query query = { .local_part = address->local_part,
		.domain = address->domain, .domain_is_valid = true, .from = MAPPING_SMTP };

	return mapping_each_match(snap, &query, owner_check, &owner) == OK && owner.found;
}

/* `reply_address` may be an address alone or `"Name" <address>`. */
static bool
is_reply_address(const struct user *user, const struct address *address)
{
	struct span rest = user->reply_address;
	struct header_mailbox mailbox;

	return rest.len > 0 && header_next_mailbox(&rest, &mailbox) &&
		span_eq_nocase(mailbox.address, address->key);
}

bool
names_may_use(const struct conf *conf, struct snapshot *snap, const struct user *user,
	const struct address *address)
{
	if (is_reply_address(user, address))
		return true;
	if (!conf_is_local(conf, address->local_part, address->domain))
		return false;
	if (span_eq_nocase(address->local_part, user->name))
		return true;
	return is_mapped_to(snap, user, address);
}
