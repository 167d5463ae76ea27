/*
 * maillists.c - lists: rows and names. Their members are in maillist_members.c.
 */
#include "store/maillists.h"

#include "proto/base/ascii.h"
#include "store/ids.h"
#include "store/names.h"
#include "store/rows.h"
#include "store/users.h"

const char *const maillist_kind_words[] = { "distribution", "forwarding", "mailing", NULL };

static const struct field fields[] = {
#define X(name, tag, kind, max, words, flags)                                                      \
	FIELD_ROW(maillist, name, tag, kind, max, words, flags)
	MAILLIST_FIELDS(X)
#undef X
};

static const struct maillist defaults = { .kind = MAILLIST_DISTRIBUTION };

const struct field_table maillist_table = { fields, COUNT(fields), &defaults,
	sizeof(struct maillist) };

/* ---- names ---- */

bool
maillist_is_builtin(struct span name)
{
	return span_eq_nocase(name, SPAN("Everyone")) || span_eq_nocase(name, SPAN("No-one")) ||
	       span_eq_nocase(name, SPAN("Admins"));
}

bool
maillist_name_is_valid(struct span name)
{
	if (name.len < 1 || name.len > MAILLIST_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!ascii_is_alnum(c) && span_find(SPAN("._-+="), c) == 5)
			return false;
		if (c == '.' && (i == 0 || i + 1 == name.len || name.ptr[i + 1] == '.'))
			return false; /* no dot-string (RFC 5321, 4.1.2) */
	}
	return !user_name_is_reserved(name);
}

/* ---- reading ---- */

enum err
maillist_find(struct snapshot *snap, uint64_t list_id, struct maillist *out)
{
	struct key key;
	enum err err;

	key_u64(&key, list_id);
	err = row_get_fields(snap, TABLE_maillists, &key, &maillist_table, out);
	out->list_id = list_id;
	return err;
}

/* A name that leads nowhere is damage. */
static enum err
maillist_of_name(struct snapshot *snap, const struct name_row *name, struct maillist *out)
{
	enum err err = maillist_find(snap, name->id, out);

	return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

enum err
maillist_find_by_name(struct snapshot *snap, struct span name, struct maillist *out)
{
	struct name_row row;
	enum err err = name_find(snap, name, &row);

	if (err != OK)
		return err;
	if (row.kind != NAME_LIST)
		return ERR_NOT_FOUND;
	return maillist_of_name(snap, &row, out);
}

enum err
maillist_after(struct snapshot *snap, struct span name, struct maillist *out)
{
	struct name_row row;
	enum err err = name_after(snap, NAME_LIST, name, &row);

	return err != OK ? err : maillist_of_name(snap, &row, out);
}

enum err
maillist_before(struct snapshot *snap, struct span name, struct maillist *out)
{
	struct name_row row;
	enum err err = name_before(snap, NAME_LIST, name, &row);

	return err != OK ? err : maillist_of_name(snap, &row, out);
}

enum err
maillist_count(struct snapshot *snap, uint64_t *lists)
{
	struct counts counts;
	enum err err = counts_get(snap, &counts);

	*lists = counts.at[COUNT_maillists];
	return err;
}

/* ---- writing ---- */

static enum err
maillist_check(const struct maillist *list)
{
	enum err err = fields_check(&maillist_table, list, NULL);

	if (err != OK)
		return err;
	if (field_characters(list->comment) > MAILLIST_COMMENT_MAX)
		return ERR_LIMIT;
	return maillist_name_is_valid(list->name) ? OK : ERR_SYNTAX;
}

static enum err
maillist_put(struct txn *txn, const struct maillist *list)
{
	struct key key;

	key_u64(&key, list->list_id);
	return row_put_fields(txn, TABLE_maillists, &key, &maillist_table, list);
}

enum err
maillist_add(struct txn *txn, const struct maillist *list, int64_t now_ms, uint64_t *list_id)
{
	struct maillist made = *list;
	uint64_t lists;
	enum err err = maillist_check(list);

	if (err == OK)
		err = maillist_count(txn_view(txn), &lists);
	if (err != OK)
		return err;
	if (lists >= MAILLISTS_MAX)
		return ERR_LIMIT;
	made.list_id = *list_id = id_next(txn, COUNTER_maillist);
	made.created_ms = made.changed_ms = now_ms;
	made.revision = 1;
	err = name_add(txn, made.name, NAME_LIST, made.list_id);
	return err != OK ? err : maillist_put(txn, &made);
}

enum err
maillist_set(struct txn *txn, const struct maillist *list, int64_t now_ms)
{
	struct maillist made = *list, old;
	uint64_t members;
	enum err err = maillist_find(txn_view(txn), list->list_id, &old);

	if (err != OK)
		return err;
	if (old.revision != list->revision)
		return ERR_EXISTS;
	made.name = old.name;
	made.created_ms = old.created_ms;
	made.revision = old.revision + 1;
	made.changed_ms = now_ms;
	err = maillist_check(&made);
	if (err == OK)
		err = maillist_size(txn_view(txn), made.list_id, &members);
	if (err != OK)
		return err;
	if (made.kind == MAILLIST_FORWARDING && members > 1)
		return ERR_DENIED;
	return maillist_put(txn, &made);
}

/* The rows name and list are two writes, and the old name lies in the map until the first. */
static enum err
maillist_move_name(struct txn *txn, struct maillist *list, struct span name)
{
	struct arena arena;
	enum err err;

	arena_init(&arena, NULL);
	fields_copy(&maillist_table, list, &arena);
	err = name_remove(txn, list->name);
	if (err == OK)
		err = name_add(txn, name, NAME_LIST, list->list_id);
	list->name = name;
	if (err == OK)
		err = maillist_put(txn, list);
	arena_reset(&arena);
	return err;
}

enum err
maillist_rename(struct txn *txn, uint64_t list_id, struct span name, int64_t now_ms)
{
	struct name_row other;
	struct maillist list;
	enum err err;

	if (!maillist_name_is_valid(name))
		return ERR_SYNTAX;
	err = maillist_find(txn_view(txn), list_id, &list);
	if (err != OK)
		return err;
	err = name_find(txn_view(txn), name, &other);
	if (err == OK && !(other.kind == NAME_LIST && other.id == list_id))
		return ERR_EXISTS;
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	list.revision++;
	list.changed_ms = now_ms;
	return maillist_move_name(txn, &list, name);
}

static enum err
members_remove(struct txn *txn, uint64_t list_id)
{
	struct list_member member;
	enum err err;

	for (;;) {
		err = maillist_member_after(txn_view(txn), list_id, SPAN_NONE, &member);
		if (err != OK && err != ERR_CORRUPT)
			return err == ERR_NOT_FOUND ? OK : err;
		err = maillist_member_remove(txn, list_id, member.member);
		if (err != OK)
			return err;
	}
}

enum err
maillist_remove(struct txn *txn, uint64_t list_id)
{
	char name[MAILLIST_NAME_MAX];
	struct maillist list;
	struct key key;
	size_t name_len;
	enum err err = maillist_find(txn_view(txn), list_id, &list);

	if (err != OK)
		return err;
	name_len = list.name.len < sizeof(name) ? list.name.len : sizeof(name);
	memcpy(name, list.name.ptr, name_len); /* it lies in the map, which the writes below move */
	err = members_remove(txn, list_id);
	if (err == OK)
		err = name_remove(txn, (struct span){ name, name_len });
	key_u64(&key, list_id);
	return err != OK ? err : row_delete(txn, TABLE_maillists, &key);
}
