/*
 * subscriptions.c - one row without a value for each.
 */
#include "store/subscriptions.h"

#include "store/folder_names.h"
#include "store/rows.h"

static bool
name_is_possible(struct span name)
{
	return name.len > 0 && name.len <= SUBSCRIPTION_NAME_MAX;
}

/* INBOX has no case, so one spelling stands for all. */
static void
key_make(struct key *key, uint64_t user_id, struct span name)
{
	key_u64(key, user_id);
	folder_name_put(key, name);
}

static enum err
room_for_one(struct snapshot *snap, uint64_t user_id)
{
	struct key prefix;
	struct row row;
	unsigned count = 0;
	enum err err;

	key_u64(&prefix, user_id);
	err = table_seek(snap, TABLE_subscriptions, &prefix, &row);
	while (err == OK && row_has_prefix(&row, &prefix)) {
		if (++count == SUBSCRIPTIONS_MAX)
			return ERR_LIMIT;
		err = table_next(snap, TABLE_subscriptions, &row);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
subscription_set(struct txn *txn, uint64_t user_id, struct span name, bool subscribed)
{
	struct key key;
	enum err err;

	if (!name_is_possible(name))
		return subscribed ? ERR_LIMIT : OK;
	key_make(&key, user_id, name);
	if (!subscribed) {
		err = row_delete(txn, TABLE_subscriptions, &key);
		return err == ERR_NOT_FOUND ? OK : err;
	}
	err = room_for_one(txn_view(txn), user_id);
	return err == OK ? row_put(txn, TABLE_subscriptions, &key, SPAN_NONE) : err;
}

enum err
subscription_has(struct snapshot *snap, uint64_t user_id, struct span name, bool *out)
{
	struct span value;
	struct key key;
	enum err err;

	*out = false;
	if (!name_is_possible(name))
		return OK;
	key_make(&key, user_id, name);
	err = table_get(snap, TABLE_subscriptions, &key, &value);
	*out = err == OK;
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
subscription_next(struct snapshot *snap, uint64_t user_id, struct span after, struct span *name)
{
	struct key key, prefix;
	struct row row;
	enum err err;

	key_u64(&prefix, user_id);
	if (name_is_possible(after)) {
		key_make(&key, user_id, after);
		key_put_u8(&key, 0); /* the next key there can be */
	} else {
		key = prefix;
	}
	err = table_seek(snap, TABLE_subscriptions, &key, &row);
	if (err != OK)
		return err;
	if (!row_has_prefix(&row, &prefix))
		return ERR_NOT_FOUND;
	*name = span_from(row.key, prefix.len);
	return OK;
}

enum err
subscriptions_purge(struct txn *txn, uint64_t user_id, unsigned most, bool *more)
{
	struct key prefix;

	key_u64(&prefix, user_id);
	return rows_purge(txn, TABLE_subscriptions, &prefix, most, more);
}
