/*
 * users.c - users: rows, names, the bin.
 */
#include "store/users.h"

#include "proto/base/ascii.h"
#include "store/folders.h"
#include "store/forwards.h"
#include "store/ids.h"
#include "store/names.h"
#include "store/rows.h"

const char *const user_protocol_words[] = { "pop3", "imap", "smtp", "console", "password", "ldap",
	NULL };
const char *const user_size_actions[] = { "copy", "redirect", NULL };

static const struct field fields[] = {
#define X(name, tag, kind, max, words, flags)                                                      \
	FIELD_ROW(user, name, tag, kind, max, words, flags)
	USER_FIELDS(X)
#undef X
};

static const struct user defaults = {
	.enabled = true,
	.protocols = USER_PROTOCOLS_ALL,
	.send_internet = true,
	.receive_internet = true,
	.everyone = true,
};

const struct field_table user_table = { fields, COUNT(fields), &defaults, sizeof(struct user) };

void
user_init(struct user *user)
{
	*user = defaults;
}

void
user_copy(struct user *user, struct arena *arena)
{
	fields_copy(&user_table, user, arena);
}

/* ---- names ---- */

bool
user_name_is_reserved(struct span name)
{
	static const struct span reserved[] = { { "everyone", 8 }, { "no-one", 6 }, { "admins", 6 },
		{ "mailer_daemon", 13 }, { "mailer-daemon", 13 }, { "listserver", 10 } };

	if (name.len > 0 && name.ptr[0] == '*')
		return true;
	for (size_t i = 0; i < COUNT(reserved); i++) {
		if (span_eq_nocase(name, reserved[i]))
			return true;
	}
	return false;
}

bool
user_name_is_valid(struct span name)
{
	if (name.len < 1 || name.len > USER_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!ascii_is_alnum(c) && c != '.' && c != '_' && c != '-')
			return false;
		if (c == '.' && (i == 0 || i + 1 == name.len || name.ptr[i + 1] == '.'))
			return false; /* no dot-string: the address could only be written in quotes */
	}
	return !user_name_is_reserved(name);
}

/* ---- reading ---- */

enum err
user_find(struct snapshot *snap, uint64_t user_id, struct user *out)
{
	struct key key;

	key_u64(&key, user_id);
	enum err err = row_get_fields(snap, TABLE_users, &key, &user_table, out);
	out->user_id = user_id;
	return err;
}

/*
 * A name that leads nowhere is damage: the caller would otherwise believe that there is no such
 * user.
 */
static enum err
user_of_name(struct snapshot *snap, const struct name_row *name, struct user *out)
{
	enum err err = user_find(snap, name->id, out);

	return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

enum err
user_find_by_name(struct snapshot *snap, struct span name, struct user *out)
{
	struct name_row row;
	enum err err = name_find(snap, name, &row);

	if (err != OK)
		return err;
	if (row.kind != NAME_USER)
		return ERR_NOT_FOUND;
	return user_of_name(snap, &row, out);
}

enum err
user_after(struct snapshot *snap, struct span name, struct user *out)
{
	struct name_row row;
	enum err err = name_after(snap, NAME_USER, name, &row);

	return err != OK ? err : user_of_name(snap, &row, out);
}

enum err
user_before(struct snapshot *snap, struct span name, struct user *out)
{
	struct name_row row;
	enum err err = name_before(snap, NAME_USER, name, &row);

	return err != OK ? err : user_of_name(snap, &row, out);
}

enum err
user_next(struct snapshot *snap, uint64_t user_id, struct user *out)
{
	struct row row;
	enum err err = table_seek_after(snap, TABLE_users, user_id, &row);

	if (err != OK)
		return err;
	err = row_fields(snap, TABLE_users, &row, &user_table, out);
	if (key_take_u64(&row.key, &out->user_id) != OK) /* nobody gets past such a key */
		out->user_id = UINT64_MAX;
	return err;
}

enum err
user_count(struct snapshot *snap, struct user_counts *out)
{
	struct counts counts;
	enum err err = counts_get(snap, &counts);

	*out = (struct user_counts){ counts.at[COUNT_users_live], counts.at[COUNT_users_bin] };
	return err;
}

static bool
is_working_admin(const struct user *user)
{
	return user->admin && user->enabled && user->removed_ms == 0;
}

enum err
user_other_admin(struct snapshot *snap, uint64_t user_id, bool *out)
{
	struct user user = { .user_id = 0 };
	enum err err;

	*out = false;
	while ((err = user_next(snap, user.user_id, &user)) == OK) {
		if (user.user_id != user_id && is_working_admin(&user)) {
			*out = true;
			return OK;
		}
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- writing ---- */

static size_t
list_count(struct span list)
{
	struct span part;
	size_t count = 0;

	while (field_list_next(&list, &part))
		count++;
	return count;
}

static enum err
user_check(const struct user *user)
{
	enum err err = fields_check(&user_table, user, NULL);

	if (err != OK)
		return err;
	if (field_characters(user->comment) > USER_COMMENT_MAX ||
		field_characters(user->full_name) > USER_COMMENT_MAX)
		return ERR_LIMIT;
	if (list_count(user->assistants) > USER_TARGETS_COUNT ||
		list_count(user->forward_to) > USER_TARGETS_COUNT ||
		list_count(user->size_over_to) > USER_TARGETS_COUNT ||
		list_count(user->size_under_to) > USER_TARGETS_COUNT ||
		list_count(user->identities) > USER_TARGETS_COUNT)
		return ERR_LIMIT;
	return user_name_is_valid(user->name) ? OK : ERR_SYNTAX;
}

static enum err
user_put(struct txn *txn, const struct user *user)
{
	struct key key;

	key_u64(&key, user->user_id);
	return row_put_fields(txn, TABLE_users, &key, &user_table, user);
}

enum err
user_add(struct txn *txn, const struct user *user, int64_t now_ms, uint64_t *user_id)
{
	struct user made = *user;
	struct user_counts counts;
	uint64_t folder_id;
	enum err err = user_check(user);

	if (err == OK)
		err = user_count(txn_view(txn), &counts);
	if (err != OK)
		return err;
	if (counts.live + counts.in_bin >= USERS_MAX)
		return ERR_LIMIT;
	made.user_id = id_next(txn, COUNTER_user);
	made.created_ms = made.changed_ms = now_ms;
	made.password_changed_ms = made.password_hash.len > 0 ? now_ms : 0;
	made.password_revision = 1;
	made.removed_ms = 0;
	made.revision = 1;
	err = name_add(txn, made.name, NAME_USER, made.user_id);
	if (err == OK)
		err = user_put(txn, &made);
	if (err == OK)
		err = folder_make(txn, made.user_id, SPAN("INBOX"), &folder_id);
	if (err == OK)
		err = folders_make_special(txn, made.user_id, NULL);
	*user_id = made.user_id;
	return err;
}

/* USR-15: the last administrator stays one. */
static enum err
keep_an_admin(struct txn *txn, const struct user *old)
{
	bool other;
	enum err err;

	if (!is_working_admin(old))
		return OK;
	err = user_other_admin(txn_view(txn), old->user_id, &other);
	if (err != OK)
		return err;
	return other ? OK : ERR_DENIED;
}

enum err
user_set(struct txn *txn, const struct user *user, int64_t now_ms)
{
	struct user made = *user, old;
	enum forward_turn turn;
	enum err err = user_find(txn_view(txn), user->user_id, &old);

	if (err != OK)
		return err;
	if (old.removed_ms != 0)
		return ERR_NOT_FOUND;
	if (old.revision != user->revision)
		return ERR_EXISTS;
	made.name = old.name;
	made.created_ms = old.created_ms;
	made.removed_ms = old.removed_ms;
	made.password_hash = old.password_hash;
	made.scram = old.scram;
	made.password_revision = old.password_revision;
	made.password_changed_ms = old.password_changed_ms;
	made.revision = old.revision + 1;
	made.changed_ms = now_ms;
	err = user_check(&made);
	if (err == OK && !is_working_admin(&made))
		err = keep_an_admin(txn, &old);
	turn = forward_turn_of(&old, &made);
	if (err == OK)
		err = user_put(txn, &made);
	return err == OK ? forwards_follow(txn, made.user_id, turn) : err;
}

/* A live user, to be changed and written: revision and time are set already. */
static enum err
user_for_change(struct txn *txn, uint64_t user_id, int64_t now_ms, struct user *out)
{
	enum err err = user_find(txn_view(txn), user_id, out);

	if (err != OK)
		return err;
	if (out->removed_ms != 0)
		return ERR_NOT_FOUND;
	out->revision++;
	out->changed_ms = now_ms;
	return OK;
}

enum err
user_set_password(struct txn *txn, uint64_t user_id, struct span hash, struct span scram,
	int64_t now_ms)
{
	struct user user;
	enum err err = user_for_change(txn, user_id, now_ms, &user);

	if (err != OK)
		return err;
	user.password_hash = hash;
	user.password_revision++;
	user.password_changed_ms = now_ms;
	user.scram = scram;
	err = user_check(&user);
	return err != OK ? err : user_put(txn, &user);
}

/* The rows name and user are two writes, and the old name lies in the map until the first. */
static enum err
user_move_name(struct txn *txn, struct user *user, struct span name)
{
	char old_name[USER_NAME_MAX];
	struct arena arena;
	enum err err;

	arena_init(&arena, NULL);
	user_copy(user, &arena);
	memcpy(old_name, user->name.ptr, user->name.len);
	err = name_remove(txn, (struct span){ old_name, user->name.len });
	if (err == OK)
		err = name_add(txn, name, NAME_USER, user->user_id);
	user->name = name;
	if (err == OK)
		err = user_put(txn, user);
	arena_reset(&arena);
	return err;
}

enum err
user_rename(struct txn *txn, uint64_t user_id, struct span name, int64_t now_ms)
{
	struct name_row other;
	struct user user;
	enum err err;

	if (!user_name_is_valid(name))
		return ERR_SYNTAX;
	err = user_for_change(txn, user_id, now_ms, &user);
	if (err != OK)
		return err;
	err = name_find(txn_view(txn), name, &other);
	if (err == OK && !(other.kind == NAME_USER && other.id == user_id))
		return ERR_EXISTS;
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	return user_move_name(txn, &user, name);
}

enum err
user_remove(struct txn *txn, uint64_t user_id, int64_t now_ms)
{
	struct arena arena;
	struct user user;
	enum err err = user_for_change(txn, user_id, now_ms, &user);

	if (err == OK)
		err = keep_an_admin(txn, &user);
	if (err != OK)
		return err;
	arena_init(&arena, NULL);
	user_copy(&user, &arena);
	user.removed_ms = now_ms > 0 ? now_ms : 1; /* 0 would mean live */
	err = name_remove(txn, user.name);
	if (err == OK)
		err = user_put(txn, &user);
	if (err == OK)
		err = forwards_follow(txn, user_id, FORWARD_ENDS);
	arena_reset(&arena);
	return err;
}

enum err
user_restore(struct txn *txn, uint64_t user_id, int64_t now_ms)
{
	struct arena arena;
	struct user user;
	enum err err = user_find(txn_view(txn), user_id, &user);

	if (err != OK)
		return err;
	if (user.removed_ms == 0)
		return OK;
	arena_init(&arena, NULL);
	user_copy(&user, &arena);
	user.removed_ms = 0;
	user.changed_ms = now_ms;
	user.revision++;
	err = name_add(txn, user.name, NAME_USER, user_id);
	if (err == OK)
		err = user_put(txn, &user);
	arena_reset(&arena);
	return err;
}
