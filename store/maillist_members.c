/*
 * maillist_members.c - who is on a list.
 *
 * list_members has a row for each: (list_id, the member in lower case) -> the member as it was
 * typed. The length of a list stands in list_sizes, which follows these rows (indexes.c), and not
 * in the list's own row: so two changes of members can be undone in any order.
 */
#include "proto/base/ascii.h"
#include "proto/mail/address.h"
#include "store/maillists.h"
#include "store/rows.h"

#define SIZE_VERSION 1
#define SIZE_ROOM (RECORD_HEAD + 10)

#define LIST_MEMBER_FIELDS(X)                                                                      \
	X(member, 1, FIELD_TEXT, MAILLIST_MEMBER_MAX, NULL, FIELD_SHOWN)                           \
	X(added_ms, 50, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)

static const struct field fields[] = {
#define X(name, tag, kind, max, words, flags)                                                      \
	FIELD_ROW(list_member, name, tag, kind, max, words, flags)
	LIST_MEMBER_FIELDS(X)
#undef X
};

static const struct list_member defaults;

const struct field_table list_member_table = { fields, COUNT(fields), &defaults,
	sizeof(struct list_member) };

enum err
maillist_member_parse(struct arena *a, struct span text, struct span *out)
{
	struct address address;
	enum err err;

	if (text.len > MAILLIST_MEMBER_MAX)
		return ERR_LIMIT;
	*out = text;
	if (span_find(text, '@') == text.len)
		return maillist_name_is_valid(text) || maillist_is_builtin(text) ? OK : ERR_SYNTAX;
	err = address_parse(a, text, &address);
	if (err != OK)
		return err;
	*out = address.text;
	return address.text.len > MAILLIST_MEMBER_MAX ? ERR_LIMIT : OK;
}

static void
member_key(struct key *key, uint64_t list_id, struct span member)
{
	char lower[MAILLIST_MEMBER_MAX];

	ENSURE(member.len <= sizeof(lower));
	for (size_t i = 0; i < member.len; i++)
		lower[i] = ascii_lower(member.ptr[i]);
	key_u64(key, list_id);
	key_put_bytes(key, (struct span){ lower, member.len });
}

/* ---- reading ---- */

enum err
maillist_member_after(
	struct snapshot *snap, uint64_t list_id, struct span member, struct list_member *out)
{
	struct key key;
	struct row row;
	struct span at;
	enum err err;

	member_key(&key, list_id, span_range(member, 0, MAILLIST_MEMBER_MAX));
	if (member.len > 0)
		key_put_u8(&key, 0); /* the next key there can be */
	err = table_seek(snap, TABLE_list_members, &key, &row);
	if (err != OK)
		return err;
	at = row.key;
	err = row_fields(snap, TABLE_list_members, &row, &list_member_table, out);
	if (key_take_u64(&at, &out->list_id) != OK || out->list_id != list_id)
		return ERR_NOT_FOUND;
	if (err == ERR_CORRUPT) /* so that a walk can go on behind it */
		out->member = at;
	return err;
}

static enum err
member_get(struct snapshot *snap, const struct key *key, struct list_member *out)
{
	return row_get_fields(snap, TABLE_list_members, key, &list_member_table, out);
}

/* By its text as it is, or by what it is kept as; *key is then its row's. */
static enum err
member_look_up(struct snapshot *snap, struct key *key, uint64_t list_id, struct span member,
	struct list_member *out)
{
	struct arena arena;
	enum err err = ERR_NOT_FOUND;

	if (member.len <= MAILLIST_MEMBER_MAX) {
		member_key(key, list_id, member);
		err = member_get(snap, key, out);
	}
	if (err != ERR_NOT_FOUND)
		return err;
	arena_init(&arena, NULL);
	err = maillist_member_parse(&arena, member, &member);
	if (err == OK)
		member_key(key, list_id, member);
	arena_reset(&arena);
	return err == OK ? member_get(snap, key, out) : ERR_NOT_FOUND;
}

enum err
maillist_member_find(
	struct snapshot *snap, uint64_t list_id, struct span member, struct list_member *out)
{
	struct key key;
	enum err err = member_look_up(snap, &key, list_id, member, out);

	out->list_id = list_id;
	return err;
}

enum err
maillist_size(struct snapshot *snap, uint64_t list_id, uint64_t *members)
{
	struct record_in in;
	struct key key;
	enum err err;

	*members = 0;
	key_u64(&key, list_id);
	err = table_get_record(snap, TABLE_list_sizes, &key, SIZE_VERSION, &in);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	*members = record_take_varint(&in);
	return record_end(&in);
}

/* ---- writing ---- */

enum err
maillist_size_put(struct txn *txn, uint64_t list_id, uint64_t members)
{
	char room[SIZE_ROOM];
	struct record_out out;
	struct key key;
	enum err err;

	key_u64(&key, list_id);
	if (members == 0) {
		err = table_delete(txn, TABLE_list_sizes, &key);
		return err == ERR_NOT_FOUND ? OK : err;
	}
	record_begin(&out, room, sizeof(room), SIZE_VERSION);
	record_put_varint(&out, members);
	return table_put_record(txn, TABLE_list_sizes, &key, &out);
}

/* Has the list room for one more? */
static enum err
room_for_member(struct snapshot *snap, uint64_t list_id)
{
	struct maillist list;
	uint64_t members;
	enum err err = maillist_find(snap, list_id, &list);

	if (err == OK)
		err = maillist_size(snap, list_id, &members);
	if (err != OK)
		return err;
	if (list.kind == MAILLIST_FORWARDING && members >= 1)
		return ERR_DENIED;
	return members >= MAILLIST_MEMBERS_MAX ? ERR_LIMIT : OK;
}

enum err
maillist_member_add(struct txn *txn, uint64_t list_id, struct span member, int64_t now_ms)
{
	struct list_member made = { .added_ms = now_ms }, old;
	struct arena arena;
	struct key key;
	enum err err;

	arena_init(&arena, NULL);
	err = maillist_member_parse(&arena, member, &made.member);
	if (err == OK) {
		member_key(&key, list_id, made.member);
		err = fields_check(&list_member_table, &made, NULL);
	}
	if (err == OK) {
		err = member_get(txn_view(txn), &key, &old);
		err = err == OK ? ERR_EXISTS : err == ERR_NOT_FOUND ? OK : err;
	}
	if (err == OK)
		err = room_for_member(txn_view(txn), list_id);
	if (err == OK)
		err = row_put_fields(txn, TABLE_list_members, &key, &list_member_table, &made);
	arena_reset(&arena);
	return err;
}

enum err
maillist_member_remove(struct txn *txn, uint64_t list_id, struct span member)
{
	struct list_member old;
	struct key key;
	enum err err = member_look_up(txn_view(txn), &key, list_id, member, &old);

	return err == OK || err == ERR_CORRUPT ? row_delete(txn, TABLE_list_members, &key) : err;
}
