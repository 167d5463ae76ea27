/*
 * change_owner.c - a row a table that hangs on another.
 */
#include "store/change_owner.h"

#include "store/groups.h"
#include "store/maillists.h"
#include "store/users.h"

/* Of a member, and of a list: is it there, and a forwarding's members are one at most. */
static enum err
list_stands(struct snapshot *snap, uint64_t list_id)
{
	struct maillist list;
	uint64_t members;
	enum err err = maillist_find(snap, list_id, &list);

	if (err == OK)
		err = maillist_size(snap, list_id, &members);
	if (err != OK)
		return err;
	return list.kind == MAILLIST_FORWARDING && members > 1 ? ERR_EXISTS : OK;
}

static enum err
user_stands(struct snapshot *snap, uint64_t user_id)
{
	struct group group;
	struct user user;
	enum err err = user_find(snap, user_id, &user);

	return err == OK && user.group != 0 ? group_find(snap, user.group, &group) : err;
}

static enum err
of_user_stands(struct snapshot *snap, uint64_t user_id)
{
	struct user user;

	return user_find(snap, user_id, &user);
}

/* Rules of user_id 0 are everybody's. */
static enum err
prune_rule_stands(struct snapshot *snap, uint64_t user_id)
{
	return user_id == 0 ? OK : of_user_stands(snap, user_id);
}

/* Each by the first number of its key. */
static const struct {
	enum store_table table;
	enum err (*stands)(struct snapshot *snap, uint64_t id);
} rows[] = {
	{ TABLE_users, user_stands },
	{ TABLE_app_passwords, of_user_stands },
	{ TABLE_user_scripts, of_user_stands },
	{ TABLE_prune_rules, prune_rule_stands },
	{ TABLE_maillists, list_stands },
	{ TABLE_list_members, list_stands },
};

enum err
change_row_stands(struct snapshot *snap, enum store_table table, struct span key, bool *out)
{
	enum err err = OK;
	uint64_t id;

	for (size_t i = 0; i < COUNT(rows) && err == OK; i++)
		if (rows[i].table == table)
			err = key_take_u64(&key, &id) == OK ? rows[i].stands(snap, id)
							    : ERR_CORRUPT;
	*out = err == OK;
	return err == ERR_NOT_FOUND || err == ERR_EXISTS ? OK : err;
}
