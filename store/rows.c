/*
 * rows.c - rows of the directory: counted, and recorded while a change is open.
 */
#include "store/rows.h"

#include <stdlib.h>
#include <string.h>

#include "store/changes.h"
#include "store/groups.h"
#include "store/indexes.h"
#include "store/journal_seats.h"
#include "store/mappings.h"
#include "store/queued.h"
#include "store/users.h"

#define ROW_ROOM 4096 /* bytes; a longer record takes its room from the system */

enum err
row_get_fields(struct snapshot *snap, enum store_table table, const struct key *key,
	const struct field_table *fields, void *object)
{
	struct record_in in;
	enum err err = table_get_record(snap, table, key, ROW_VERSION, &in);

	if (err != OK)
		return err;
	if (fields_decode(fields, &in, object) != OK)
		return table_damaged(snap, table, key_span(key), "fields");
	return OK;
}

enum err
row_fields(struct snapshot *snap, enum store_table table, const struct row *row,
	const struct field_table *fields, void *object)
{
	struct record_in in;
	enum err err = row_record(snap, table, row, ROW_VERSION, &in);

	if (err != OK)
		return err;
	if (fields_decode(fields, &in, object) != OK)
		return table_damaged(snap, table, row->key, "fields");
	return OK;
}

/* ---- what rows count for ---- */

bool
row_decode(enum store_table table, const struct row *row, const struct field_table *fields,
	void *object)
{
	struct record_in in;

	return record_open(&in, table, row->key, row->value, ROW_VERSION) == OK &&
	       fields_decode(fields, &in, object) == OK;
}

static void
tally_user(const struct row *row, struct counts *out)
{
	struct user user;

	if (row_decode(TABLE_users, row, &user_table, &user))
		out->at[user.removed_ms == 0 ? COUNT_users_live : COUNT_users_bin] = 1;
}

static void
tally_group(const struct row *row, struct counts *out)
{
	(void)row;
	out->at[COUNT_groups] = 1;
}

static void
tally_mapping(const struct row *row, struct counts *out)
{
	(void)row;
	out->at[COUNT_mappings] = 1;
}

static void
tally_mapping_find(const struct row *row, struct counts *out)
{
	struct span key = row->key;
	uint64_t hash;

	if (key_take_u64(&key, &hash) == OK && hash == 0)
		out->at[COUNT_mapping_wildcards] = 1;
}

static void
tally_maillist(const struct row *row, struct counts *out)
{
	(void)row;
	out->at[COUNT_maillists] = 1;
}

static void
tally_list_member(const struct row *row, struct counts *out)
{
	(void)row;
	out->at[COUNT_list_members] = 1;
}

static void
tally_journal_seat(const struct row *row, struct counts *out)
{
	struct journal_seat seat;

	if (row_decode(TABLE_journal_seats, row, &journal_seat_table, &seat))
		out->at[seat.kind == SEAT_INTERNAL ? COUNT_seats_internal : COUNT_seats_external] = 1;
}

static void
tally_prune_rule(const struct row *row, struct counts *out)
{
	(void)row;
	out->at[COUNT_prune_rules] = 1;
}

static void
tally_queued(const struct row *row, struct counts *out)
{
	struct span key = row->key;
	struct queued q;
	uint64_t queue_id;
	uint32_t recipient_no;

	if (key_take_u64(&key, &queue_id) != OK || key_take_u32(&key, &recipient_no) != OK)
		return;
	if (recipient_no != 0 || !row_decode(TABLE_queued, row, &queued_table, &q))
		return;
	if (q.bin_until_ms != 0) {
		out->at[COUNT_queue_bin] = 1;
		return;
	}
	out->at[COUNT_queue_entries] = 1;
	out->at[COUNT_queue_bytes] = q.size_bytes;
	out->at[COUNT_queue_recipients] = q.open;
	out->at[COUNT_queue_held] = q.held;
}

static void
tally_change(const struct row *row, struct counts *out)
{
	struct change change;

	if (!row_decode(TABLE_changes, row, &change_table, &change))
		return;
	out->at[COUNT_changes] = 1;
	out->at[COUNT_change_bytes] = change.bytes;
}

static const struct {
	enum store_table table;
	void (*tally)(const struct row *row, struct counts *out);
} tallies[] = {
	{ TABLE_users, tally_user },
	{ TABLE_groups, tally_group },
	{ TABLE_mappings, tally_mapping },
	{ TABLE_mapping_find, tally_mapping_find },
	{ TABLE_maillists, tally_maillist },
	{ TABLE_list_members, tally_list_member },
	{ TABLE_journal_seats, tally_journal_seat },
	{ TABLE_prune_rules, tally_prune_rule },
	{ TABLE_queued, tally_queued },
	{ TABLE_changes, tally_change },
};

void
row_tally(enum store_table table, struct span key, struct span value, struct counts *out)
{
	struct row row = { key, value };

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < COUNT(tallies); i++) {
		if (tallies[i].table == table)
			tallies[i].tally(&row, out);
	}
}

/* ---- writing ---- */

/* Keep the image from before and after, the counters, and what follows. AFTER is NULL for a row that goes. */
static enum err
row_follow(
	struct txn *txn, enum store_table table, const struct key *key, const struct span *after)
{
	struct counts add = { { 0 } }, remove = { { 0 } };
	struct index_plan follow;
	struct span before;
	enum err err = table_get(txn_view(txn), table, key, &before);
	bool existed = err == OK;

	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (existed)
		row_tally(table, key_span(key), before, &remove);
	if (after != NULL)
		row_tally(table, key_span(key), *after, &add);
	index_plan(&follow, table, key_span(key), existed ? &before : NULL, after);
	err = change_record(txn, table, key, existed ? &before : NULL, after);
	if (err != OK)
		return err;
	err = index_carry_out(txn, &follow);
	return err == OK ? counts_change(txn, &add, &remove) : err;
}

enum err
row_put(struct txn *txn, enum store_table table, const struct key *key, struct span value)
{
	enum err err = row_follow(txn, table, key, &value);

	if (err != OK)
		return err;
	return table_put(txn, table, key, value);
}

enum err
row_put_record(
	struct txn *txn, enum store_table table, const struct key *key, struct record_out *out)
{
	struct span value;
	enum err err = record_seal(out, table, key, &value);

	if (err != OK)
		return err;
	return row_put(txn, table, key, value);
}

enum err
row_delete(struct txn *txn, enum store_table table, const struct key *key)
{
	enum err err = row_follow(txn, table, key, NULL);

	if (err != OK)
		return err;
	return table_delete(txn, table, key);
}

enum err
rows_purge(struct txn *txn, enum store_table table, const struct key *prefix, unsigned most,
	bool *more)
{
	struct key key;
	struct row row;
	enum err err = OK;

	while (err == OK && most-- > 0) {
		err = table_seek(txn_view(txn), table, prefix, &row);
		if (err == OK && !row_has_prefix(&row, prefix))
			err = ERR_NOT_FOUND;
		if (err != OK)
			break;
		key_name(&key, row.key); /* the row's own lies in the map */
		err = table_delete(txn, table, &key);
	}
	*more = err == OK;
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
row_put_fields(struct txn *txn, enum store_table table, const struct key *key,
	const struct field_table *fields, const void *object)
{
	char small[ROW_ROOM];
	size_t max = RECORD_HEAD + fields_size_max(fields, object);
	char *room = max <= sizeof(small) ? small : malloc(max);
	struct record_out out;
	enum err err;

	ENSURE(room != NULL);
	record_begin(&out, room, max, ROW_VERSION);
	fields_encode(fields, object, &out);
	err = row_put_record(txn, table, key, &out);
	if (room != small)
		free(room);
	return err;
}
