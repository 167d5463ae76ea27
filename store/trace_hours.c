/*
 * trace_hours.c - the account of an hour of traces.
 */
#include "store/trace_hours.h"

#include "proto/base/ascii.h"
#include "store/counts.h"

#define HOUR_VERSION 1
#define HOUR_ROOM (RECORD_HEAD + 5 * 10)
#define HASHED_MAX 512 /* bytes of a text that count for its hash */

uint32_t
trace_hour_of(int64_t ms)
{
	int64_t hour = ms / TRACE_HOUR_MS;

	if (hour < 0)
		return 0;
	return hour > UINT32_MAX ? UINT32_MAX : (uint32_t)hour;
}

uint64_t
trace_hash(enum trace_role role, struct span text)
{
	char lower[HASHED_MAX + 1];
	size_t len = text.len < HASHED_MAX ? text.len : HASHED_MAX;

	lower[0] = (char)role;
	for (size_t i = 0; i < len; i++)
		lower[i + 1] = ascii_lower(text.ptr[i]);
	return key_hash((struct span){ lower, len + 1 });
}

void
trace_find_key(struct key *key, uint32_t hour, uint64_t hash, uint64_t message_no)
{
	key_begin(key);
	key_put_u32(key, hour);
	key_put_u64(key, hash);
	key_put_u64(key, message_no);
}

static void
hour_key(struct key *key, uint32_t hour)
{
	key_begin(key);
	key_put_u32(key, hour);
}

static enum err
hour_take(struct record_in *in, struct trace_hour *out)
{
	out->first_no = record_take_varint(in);
	out->last_no = record_take_varint(in);
	out->rows = record_take_varint(in);
	out->bytes = record_take_varint(in);
	out->refusals = record_take_varint(in);
	return record_end(in);
}

enum err
trace_hour_get(struct snapshot *snap, uint32_t hour, struct trace_hour *out)
{
	struct key key;
	struct record_in in;
	enum err err;

	*out = (struct trace_hour){ .hour = hour };
	hour_key(&key, hour);
	err = table_get_record(snap, TABLE_trace_hours, &key, HOUR_VERSION, &in);
	return err == OK ? hour_take(&in, out) : err;
}

static enum err
hour_of_row(struct snapshot *snap, const struct row *row, struct trace_hour *out)
{
	struct span key = row->key;
	struct record_in in;
	enum err err = key_take_u32(&key, &out->hour);

	if (err == OK)
		err = row_record(snap, TABLE_trace_hours, row, HOUR_VERSION, &in);
	return err == OK ? hour_take(&in, out) : err;
}

enum err
trace_hour_prev(struct snapshot *snap, uint32_t hour, struct trace_hour *out)
{
	struct key key;
	struct row row;
	enum err err;

	hour_key(&key, hour);
	key_put_u8(&key, 0); /* the next key there can be */
	err = table_seek_before(snap, TABLE_trace_hours, &key, &row);
	return err == OK ? hour_of_row(snap, &row, out) : err;
}

enum err
trace_hour_first(struct snapshot *snap, struct trace_hour *out)
{
	struct key key;
	struct row row;
	enum err err;

	key_begin(&key);
	err = table_seek(snap, TABLE_trace_hours, &key, &row);
	return err == OK ? hour_of_row(snap, &row, out) : err;
}

enum err
trace_hour_put(struct txn *txn, const struct trace_hour *hour)
{
	char room[HOUR_ROOM];
	struct record_out out;
	struct key key;

	hour_key(&key, hour->hour);
	record_begin(&out, room, sizeof(room), HOUR_VERSION);
	record_put_varint(&out, hour->first_no);
	record_put_varint(&out, hour->last_no);
	record_put_varint(&out, hour->rows);
	record_put_varint(&out, hour->bytes);
	record_put_varint(&out, hour->refusals);
	return table_put_record(txn, TABLE_trace_hours, &key, &out);
}

/* The last message that has a trace; 0 where none has. */
static uint64_t
last_traced(struct snapshot *snap)
{
	struct key key;
	struct row row;
	uint64_t no = 0;

	key_u64(&key, UINT64_MAX);
	if (table_seek_before(snap, TABLE_traces, &key, &row) != OK ||
		key_take_u64(&row.key, &no) != OK)
		return 0;
	return no;
}

enum err
trace_hour_mend(struct txn *txn, uint32_t hour, struct trace_hour *out)
{
	struct snapshot *snap = txn_view(txn);
	struct trace_hour before = { 0 }, behind;
	struct key key;
	struct row row;

	*out = (struct trace_hour){ .hour = hour };
	if (hour > 0 && trace_hour_prev(snap, hour - 1, &before) != OK)
		before.last_no = 0;
	hour_key(&key, hour);
	key_put_u8(&key, 0); /* the next key there can be */
	if (table_seek(snap, TABLE_trace_hours, &key, &row) == OK &&
		hour_of_row(snap, &row, &behind) == OK && behind.first_no > 0)
		out->last_no = behind.first_no - 1;
	else
		out->last_no = last_traced(snap);
	if (out->last_no > before.last_no)
		out->first_no = before.last_no + 1;
	return trace_hour_put(txn, out);
}

enum err
trace_hour_add(struct txn *txn, uint32_t hour, uint64_t message_no, struct trace_cost cost)
{
	struct counts add = { { 0 } }, remove = { { 0 } };
	struct trace_hour account;
	enum err err = trace_hour_get(txn_view(txn), hour, &account);

	if (err == ERR_CORRUPT) /* it must not stop the mail (H49) */
		err = trace_hour_mend(txn, hour, &account);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	account.rows += cost.rows;
	account.bytes += cost.bytes;
	account.refusals += cost.refusals;
	if (message_no != 0 && (account.first_no == 0 || message_no < account.first_no))
		account.first_no = message_no;
	if (message_no > account.last_no)
		account.last_no = message_no;
	err = trace_hour_put(txn, &account);
	if (err != OK)
		return err;
	add.at[COUNT_trace_rows] = cost.rows;
	add.at[COUNT_trace_bytes] = cost.bytes;
	return counts_change(txn, &add, &remove);
}

enum err
trace_hour_remove(struct txn *txn, const struct trace_hour *hour)
{
	struct counts add = { { 0 } }, remove = { { 0 } };
	struct key key;
	enum err err;

	hour_key(&key, hour->hour);
	err = table_delete(txn, TABLE_trace_hours, &key);
	if (err != OK)
		return err;
	remove.at[COUNT_trace_rows] = hour->rows;
	remove.at[COUNT_trace_bytes] = hour->bytes;
	return counts_change(txn, &add, &remove);
}
