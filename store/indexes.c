/*
 * indexes.c - rows that follow from other rows.
 */
#include "store/indexes.h"

#include "proto/base/ascii.h"
#include "store/folder_names.h"
#include "store/maillists.h"
#include "store/mappings.h"
#include "store/referrers.h"
#include "store/rows.h"
#include "store/users.h"

/* ---- what a row asks for ---- */

/* A damaged row asks for nothing: check says so, and mends both. */
static bool
user_key(const struct row *row, struct key *out)
{
	struct span key = row->key;
	struct user user;
	uint64_t user_id;

	if (key_take_u64(&key, &user_id) != OK ||
		!row_decode(TABLE_users, row, &user_table, &user) || user.group == 0)
		return false;
	key_u64_u64(out, user.group, user_id);
	return true;
}

static bool
mapping_key(const struct row *row, struct key *out)
{
	struct span key = row->key;
	struct mapping m;
	uint64_t mapping_id;

	if (key_take_u64(&key, &mapping_id) != OK ||
		!row_decode(TABLE_mappings, row, &mapping_table, &m))
		return false;
	return referrer_key(out, m.target, REFERRER_MAPPING, mapping_id);
}

static bool
member_key(const struct row *row, struct key *out)
{
	struct span key = row->key;
	uint64_t list_id;

	return key_take_u64(&key, &list_id) == OK &&
	       referrer_key(out, key, REFERRER_LIST, list_id);
}

static bool
right_key(const struct row *row, struct key *out)
{
	struct span key = row->key;
	uint64_t folder_id, subject_id;
	uint8_t kind;

	if (key_take_u64(&key, &folder_id) != OK || key_take_u8(&key, &kind) != OK ||
		key_take_u64(&key, &subject_id) != OK)
		return false;
	key_begin(out);
	key_put_u8(out, kind);
	key_put_u64(out, subject_id);
	key_put_u64(out, folder_id);
	return true;
}

/* The other way round: the row of `rights` that one of `rights_find` follows from. */
static bool
right_source(struct span key, struct key *source)
{
	uint64_t folder_id, subject_id;
	uint8_t kind;

	if (key_take_u8(&key, &kind) != OK || key_take_u64(&key, &subject_id) != OK ||
		key_take_u64(&key, &folder_id) != OK)
		return false;
	key_u64(source, folder_id);
	key_put_u8(source, kind);
	key_put_u64(source, subject_id);
	return true;
}

static bool
folder_key(const struct row *row, struct key *out)
{
	struct folder folder;

	return folder_decode(row, &folder) && folder_name_key(out, &folder) == OK;
}

/* The row of `folders` that one of `folder_names` follows from. */
static bool
folder_source(struct span key, struct key *source)
{
	uint64_t user_id, folder_id;
	struct span id = span_from(key, key.len - sizeof(folder_id));

	if (key.len < 2 * sizeof(uint64_t) || key_take_u64(&key, &user_id) != OK ||
		key_take_u64(&id, &folder_id) != OK)
		return false;
	key_u64_u64(source, user_id, folder_id);
	return true;
}

static const struct index {
	enum store_table of, table;
	bool (*key)(const struct row *row, struct key *out);
} indexes[] = {
	{ TABLE_users, TABLE_group_members, user_key },
	{ TABLE_mappings, TABLE_targets, mapping_key },
	{ TABLE_list_members, TABLE_targets, member_key },
	{ TABLE_rights, TABLE_rights_find, right_key },
	{ TABLE_folders, TABLE_folder_names, folder_key },
};

static const struct index *
index_of(enum store_table of)
{
	for (size_t i = 0; i < COUNT(indexes); i++) {
		if (indexes[i].of == of)
			return &indexes[i];
	}
	return NULL;
}

bool
index_is(enum store_table table)
{
	for (size_t i = 0; i < COUNT(indexes); i++)
		if (indexes[i].table == table)
			return true;
	return false;
}

bool
index_of_row(enum store_table of, const struct row *row, enum store_table *table, struct key *key)
{
	const struct index *index = index_of(of);

	if (index == NULL || !index->key(row, key))
		return false;
	*table = index->table;
	return true;
}

/* ---- following ---- */

void
index_plan(struct index_plan *plan, enum store_table table, struct span key,
	const struct span *before, const struct span *after)
{
	const struct index *index = index_of(table);
	struct row row = { .key = key };

	plan->had = plan->has = false;
	plan->grows = 0;
	if (index == NULL)
		return;
	plan->table = index->table;
	if (before != NULL) {
		row.value = *before;
		plan->had = index->key(&row, &plan->old);
	}
	if (after != NULL) {
		row.value = *after;
		plan->has = index->key(&row, &plan->new);
	}
	if (table == TABLE_list_members && key_take_u64(&key, &plan->list_id) == OK)
		plan->grows = (after != NULL) - (before != NULL);
}

/* A figure that is damaged, or would fall below nothing, waits for check (H49). */
static enum err
size_grow(struct txn *txn, uint64_t list_id, int by)
{
	uint64_t members;
	enum err err = maillist_size(txn_view(txn), list_id, &members);

	if (err == ERR_CORRUPT || (by < 0 && members == 0))
		return OK;
	return err == OK ? maillist_size_put(txn, list_id, members + (uint64_t)by) : err;
}

enum err
index_carry_out(struct txn *txn, const struct index_plan *plan)
{
	bool same = plan->had && plan->has && span_eq(key_span(&plan->old), key_span(&plan->new));
	enum err err = OK;

	if (plan->had && !same) {
		err = table_delete(txn, plan->table, &plan->old);
		err = err == ERR_NOT_FOUND ? OK : err;
	}
	if (err == OK && plan->has && !same)
		err = table_put(txn, plan->table, &plan->new, SPAN_NONE);
	if (err == OK && plan->grows != 0)
		err = size_grow(txn, plan->list_id, plan->grows);
	return err;
}

/* ---- looking from the index ---- */

/* The row that one of the index TABLE would follow from. */
static bool
index_source(enum store_table table, struct span key, enum store_table *of, struct key *source)
{
	uint64_t group_id, user_id;

	switch (table) {
	case TABLE_group_members:
		*of = TABLE_users;
		if (key_take_u64(&key, &group_id) != OK || key_take_u64(&key, &user_id) != OK)
			return false;
		key_u64(source, user_id);
		return true;
	case TABLE_rights_find:
		*of = TABLE_rights;
		return right_source(key, source);
	case TABLE_folder_names:
		*of = TABLE_folders;
		return folder_source(key, source);
	default:
		return referrer_source(key, of, source);
	}
}

bool
index_row_holds(struct snapshot *snap, enum store_table table, const struct row *row)
{
	struct span value = SPAN_NONE;
	enum store_table of, there;
	struct key at, back;

	if (!index_source(table, row->key, &of, &at) || table_get(snap, of, &at, &value) != OK)
		return false;
	return index_of_row(of, &(struct row){ key_span(&at), value }, &there, &back) &&
	       there == table && span_eq(key_span(&back), row->key);
}

enum err
index_has_members(struct snapshot *snap, enum store_table table, struct span key, bool *out)
{
	enum store_table members =
		table == TABLE_groups ? TABLE_group_members : TABLE_list_members;
	struct key prefix;
	struct row row;
	enum err err;

	*out = false;
	if (table != TABLE_groups && table != TABLE_maillists)
		return OK;
	key_name(&prefix, key);
	err = table_seek(snap, members, &prefix, &row);
	*out = err == OK && row_has_prefix(&row, &prefix);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- a store of before they were ---- */

static enum err
index_fill(struct txn *txn, const struct index *index)
{
	struct key at, key;
	struct row row;
	enum err err;

	key_begin(&at);
	while ((err = table_seek(txn_view(txn), index->of, &at, &row)) == OK) {
		key_name(&at, row.key);
		key_put_u8(&at, 0); /* the next key there can be */
		if (!index->key(&row, &key))
			continue;
		err = table_put(txn, index->table, &key, SPAN_NONE);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
indexes_fill(struct txn *txn, const bool made[TABLE_COUNT])
{
	enum err err = OK;

	for (size_t i = 0; i < COUNT(indexes) && err == OK; i++) {
		if (made[indexes[i].table])
			err = index_fill(txn, &indexes[i]);
	}
	return err;
}
