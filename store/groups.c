/*
 * groups.c - groups of users and what they impose.
 */
#include "store/groups.h"

#include "store/ids.h"
#include "store/names.h"
#include "store/rights.h"
#include "store/rows.h"
#include "store/users.h"

#define RIGHTS_AT_ONCE 1000 /* rows of a group that goes, between two looks */

static const struct field fields[] = {
#define X(name, tag, kind, max, words, flags)                                                      \
	FIELD_ROW(group, name, tag, kind, max, words, flags)
	GROUP_FIELDS(X)
#undef X
};

static const struct group defaults = { .enabled = true };

const struct field_table group_table = { fields, COUNT(fields), &defaults, sizeof(struct group) };

void
group_init(struct group *group)
{
	*group = defaults;
}

enum err
group_find(struct snapshot *snap, uint64_t group_id, struct group *out)
{
	struct key key;
	enum err err;

	key_u64(&key, group_id);
	err = row_get_fields(snap, TABLE_groups, &key, &group_table, out);
	out->group_id = group_id;
	return err;
}

static enum err
group_of_name(struct snapshot *snap, const struct name_row *name, struct group *out)
{
	enum err err = group_find(snap, name->id, out);

	return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

enum err
group_find_by_name(struct snapshot *snap, struct span name, struct group *out)
{
	struct name_row row;
	enum err err = name_find(snap, name, &row);

	if (err != OK)
		return err;
	if (row.kind != NAME_GROUP)
		return ERR_NOT_FOUND;
	return group_of_name(snap, &row, out);
}

enum err
group_after(struct snapshot *snap, struct span name, struct group *out)
{
	struct name_row row;
	enum err err = name_after(snap, NAME_GROUP, name, &row);

	return err != OK ? err : group_of_name(snap, &row, out);
}

enum err
group_before(struct snapshot *snap, struct span name, struct group *out)
{
	struct name_row row;
	enum err err = name_before(snap, NAME_GROUP, name, &row);

	return err != OK ? err : group_of_name(snap, &row, out);
}

/* The next in the index, one in the bin too. A row that leads to nobody is for check. */
static enum err
member_next(struct snapshot *snap, uint64_t group_id, uint64_t user_id, struct user *out)
{
	enum err err = ERR_NOT_FOUND;

	while (err == ERR_NOT_FOUND && user_id < UINT64_MAX) {
		uint64_t group = 0;
		struct key key;
		struct row row;

		key_u64_u64(&key, group_id, user_id + 1);
		err = table_seek(snap, TABLE_group_members, &key, &row);
		if (err != OK)
			return err;
		if (key_take_u64(&row.key, &group) != OK || group != group_id ||
			key_take_u64(&row.key, &user_id) != OK)
			return ERR_NOT_FOUND;
		err = user_find(snap, user_id, out);
	}
	return err;
}

enum err
group_member_next(struct snapshot *snap, uint64_t group_id, uint64_t user_id, struct user *out)
{
	enum err err;

	while ((err = member_next(snap, group_id, user_id, out)) == OK) {
		if (out->group == group_id && out->removed_ms == 0)
			return OK;
		user_id = out->user_id;
	}
	return err;
}

/* ---- writing ---- */

static enum err
group_check(const struct group *group)
{
	enum err err = fields_check(&group_table, group, NULL);

	if (err != OK)
		return err;
	return user_name_is_valid(group->name) ? OK : ERR_SYNTAX;
}

static enum err
group_put(struct txn *txn, const struct group *group)
{
	struct key key;

	key_u64(&key, group->group_id);
	return row_put_fields(txn, TABLE_groups, &key, &group_table, group);
}

enum err
group_add(struct txn *txn, const struct group *group, int64_t now_ms, uint64_t *group_id)
{
	struct group made = *group;
	struct counts counts;
	enum err err = group_check(group);

	if (err == OK)
		err = counts_get(txn_view(txn), &counts);
	if (err != OK)
		return err;
	if (counts.at[COUNT_groups] >= GROUPS_MAX)
		return ERR_LIMIT;
	made.group_id = id_next(txn, COUNTER_group);
	made.created_ms = made.changed_ms = now_ms;
	made.revision = 1;
	*group_id = made.group_id;
	err = name_add(txn, made.name, NAME_GROUP, made.group_id);
	return err != OK ? err : group_put(txn, &made);
}

enum err
group_set(struct txn *txn, const struct group *group, int64_t now_ms)
{
	struct group made = *group, old;
	enum err err = group_find(txn_view(txn), group->group_id, &old);

	if (err != OK)
		return err;
	if (old.revision != group->revision)
		return ERR_EXISTS;
	made.name = old.name;
	made.created_ms = old.created_ms;
	made.revision = old.revision + 1;
	made.changed_ms = now_ms;
	err = group_check(&made);
	return err != OK ? err : group_put(txn, &made);
}

static enum err
group_move_name(struct txn *txn, struct group *group, struct span name)
{
	struct arena arena;
	enum err err;

	arena_init(&arena, NULL);
	fields_copy(&group_table, group, &arena);
	err = name_remove(txn, group->name);
	if (err == OK)
		err = name_add(txn, name, NAME_GROUP, group->group_id);
	group->name = name;
	if (err == OK)
		err = group_put(txn, group);
	arena_reset(&arena);
	return err;
}

enum err
group_rename(struct txn *txn, uint64_t group_id, struct span name, int64_t now_ms)
{
	struct name_row other;
	struct group group;
	enum err err;

	if (!user_name_is_valid(name))
		return ERR_SYNTAX;
	err = group_find(txn_view(txn), group_id, &group);
	if (err != OK)
		return err;
	err = name_find(txn_view(txn), name, &other);
	if (err == OK && !(other.kind == NAME_GROUP && other.id == group_id))
		return ERR_EXISTS;
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	group.revision++;
	group.changed_ms = now_ms;
	return group_move_name(txn, &group, name);
}

/*
 * GRP-09: they belong to no group. Users in the bin too, or a restored one would name a group
 * gone.
 */
static enum err
group_dismiss(struct txn *txn, uint64_t group_id, int64_t now_ms)
{
	struct user user = { .user_id = 0 };
	enum err err;

	while ((err = member_next(txn_view(txn), group_id, user.user_id, &user)) == OK) {
		struct key key;

		user.group = 0;
		user.changed_ms = now_ms;
		user.revision++;
		key_u64(&key, user.user_id);
		err = row_put_fields(txn, TABLE_users, &key, &user_table, &user);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
group_remove(struct txn *txn, uint64_t group_id, int64_t now_ms)
{
	char name[USER_NAME_MAX];
	struct group group;
	struct key key;
	size_t name_len;
	bool more = true;
	enum err err = group_find(txn_view(txn), group_id, &group);

	if (err != OK)
		return err;
	name_len = group.name.len < sizeof(name) ? group.name.len : sizeof(name);
	memcpy(name, group.name.ptr, name_len);
	err = group_dismiss(txn, group_id, now_ms);
	while (err == OK && more)
		err = rights_forget_subject(txn, RIGHT_OF_GROUP, group_id, RIGHTS_AT_ONCE, &more);
	if (err == OK)
		err = name_remove(txn, (struct span){ name, name_len });
	key_u64(&key, group_id);
	return err != OK ? err : row_delete(txn, TABLE_groups, &key);
}

/* ---- what a group imposes ---- */

static void
impose(uint8_t tri, bool *value)
{
	if (tri != TRI_UNSET)
		*value = tri == TRI_ON;
}

/* GRP-03: on and off set the value, unset leaves it. */
static void
impose_all(const struct group *group, struct user *user)
{
	impose(group->admin, &user->admin);
	impose(group->everyone, &user->everyone);
	impose(group->send_internet, &user->send_internet);
	impose(group->receive_internet, &user->receive_internet);
	impose(group->monitor, &user->monitor);
}

enum err
group_join(struct snapshot *snap, uint64_t group_id, struct user *user)
{
	struct group group;
	enum err err;

	if (group_id != 0) {
		err = group_find(snap, group_id, &group);
		if (err != OK)
			return err;
		if (!group.force && user->group != group_id)
			impose_all(&group, user);
	}
	user->group = group_id;
	return OK;
}

bool
group_locks(const struct group *group, struct span field)
{
	const struct field *f = field_find(&group_table, field);

	return group->force && f != NULL && f->kind == FIELD_TRI &&
	       field_number(f, group) != TRI_UNSET;
}

struct span
group_reply_address(struct arena *a, struct span reply_address, struct span name)
{
	size_t stars = 0, len = 0;
	char *to;

	for (size_t i = 0; i < reply_address.len; i++)
		stars += reply_address.ptr[i] == '*';
	if (stars == 0)
		return reply_address;
	to = arena_alloc(a, reply_address.len + stars * name.len);
	for (size_t i = 0; i < reply_address.len; i++) {
		if (reply_address.ptr[i] == '*') {
			memcpy(to + len, name.ptr, name.len);
			len += name.len;
		} else {
			to[len++] = reply_address.ptr[i];
		}
	}
	return (struct span){ to, len };
}

void
group_apply(const struct group *group, const struct user *user, struct user *out)
{
	*out = *user;
	if (group == NULL)
		return;
	if (group->force)
		impose_all(group, out);
	if (!group->enabled)
		out->enabled = false; /* GRP-05: of logins; mail still arrives */
	if (out->reply_address.len == 0)
		out->reply_address = group->reply_address; /* GRP-06 */
	if (out->max_out_kb == 0)
		out->max_out_kb = group->max_out_kb; /* GRP-07 */
}
