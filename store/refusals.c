/*
 * refusals.c - refusals counted by hour, address and reason, and the end of old traces (H88).
 */
#include "store/counts.h"
#include "store/rows.h"
#include "store/trace_hours.h"
#include "store/traces.h"

#define PRUNE_ROWS 400 /* rows that one slice deletes at most */

#define REFUSAL_FIELDS(X)                                                                          \
	X(address, 1, FIELD_TEXT, TRACE_TEXT_MAX, NULL, FIELD_SHOWN)                               \
	X(service, 2, FIELD_TEXT, TRACE_TEXT_MAX, NULL, FIELD_SHOWN)                               \
	X(reason, 3, FIELD_TEXT, TRACE_TEXT_MAX, NULL, FIELD_SHOWN)                                \
	X(count, 4, FIELD_COUNT, UINT64_MAX, NULL, FIELD_SHOWN)                                    \
	X(first_ms, 5, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                   \
	X(last_ms, 6, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                    \
	X(sender, 7, FIELD_TEXT, TRACE_TEXT_MAX, NULL, FIELD_SHOWN)                                \
	X(recipient, 8, FIELD_TEXT, TRACE_TEXT_MAX, NULL, FIELD_SHOWN)

static const struct field fields[] = {
#define X(name, tag, kind, max, words, flags)                                                      \
	FIELD_ROW(refusal, name, tag, kind, max, words, flags)
	REFUSAL_FIELDS(X)
#undef X
};

static const struct refusal defaults;

const struct field_table refusal_table = { fields, COUNT(fields), &defaults,
	sizeof(struct refusal) };

static void
refusal_key(struct key *key, uint32_t hour, uint64_t hash)
{
	key_begin(key);
	key_put_u32(key, hour);
	key_put_u64(key, hash);
}

static struct span
cut(struct span text)
{
	return span_range(text, 0, TRACE_TEXT_MAX);
}

/* Of address, service and reason together. */
static uint64_t
refusal_hash(struct span address, const struct trace *t)
{
	uint64_t hash = trace_hash(TRACE_REFUSAL, address);

	hash = hash * 31 + trace_hash(TRACE_REFUSAL, t->service);
	return hash * 31 + trace_hash(TRACE_REFUSAL, cut(t->text));
}

/* The row that T counts in; in an hour with too many of them it is the one for all addresses. */
static enum err
refusal_get(struct txn *txn, const struct trace_hour *hour, const struct trace *t,
	struct refusal *out, struct key *key)
{
	struct span address = cut(t->peer);
	enum err err;

	refusal_key(key, hour->hour, refusal_hash(address, t));
	err = row_get_fields(txn_view(txn), TABLE_refusals, key, &refusal_table, out);
	if (err == ERR_NOT_FOUND && hour->refusals >= REFUSALS_HOUR_MAX) {
		address = SPAN("*");
		refusal_key(key, hour->hour, refusal_hash(address, t));
		err = row_get_fields(txn_view(txn), TABLE_refusals, key, &refusal_table, out);
	}
	if (err == ERR_NOT_FOUND)
		*out = (struct refusal){ .address = address,
			.service = cut(t->service),
			.reason = cut(t->text),
			.first_ms = t->time_ms };
	return err;
}

/* A row's texts may lie in the map: encoded before the first write. */
static enum err
refusal_put(struct txn *txn, const struct key *key, const struct refusal *refusal, uint64_t *bytes)
{
	char room[RECORD_HEAD + 5 * TRACE_TEXT_MAX + 8 * 11];
	struct record_out out;

	record_begin(&out, room, sizeof(room), ROW_VERSION);
	fields_encode(&refusal_table, refusal, &out);
	*bytes = out.len + TRACE_ROW_COST;
	return table_put_record(txn, TABLE_refusals, key, &out);
}

enum err
trace_refuse(struct txn *txn, const struct trace *t, uint64_t count, bool *in_full)
{
	struct trace_cost cost = { 0 };
	struct refusal refusal;
	struct trace_hour hour;
	struct span rest = t->recipients;
	struct key key;
	uint64_t bytes;
	bool is_new;
	enum err err = trace_hour_get(txn_view(txn), trace_hour_of(t->time_ms), &hour);

	*in_full = false;
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	err = refusal_get(txn, &hour, t, &refusal, &key);
	is_new = err == ERR_NOT_FOUND;
	if (err != OK && !is_new)
		return err;
	*in_full = refusal.count < REFUSALS_IN_FULL;
	refusal.count += count;
	refusal.last_ms = t->time_ms;
	refusal.sender = cut(t->sender);
	if (trace_recipient_next(&rest, &refusal.recipient))
		refusal.recipient = cut(refusal.recipient);
	err = refusal_put(txn, &key, &refusal, &bytes);
	if (err == OK && is_new) {
		cost = (struct trace_cost){ .rows = 1, .bytes = bytes, .refusals = 1 };
		err = trace_hour_add(txn, hour.hour, 0, cost);
	}
	return err == OK && *in_full ? trace_add(txn, t) : err;
}

enum err
refusal_prev(struct snapshot *snap, struct refusal_at *at, struct refusal *out)
{
	struct key key;
	struct row row;
	struct span where;
	enum err err;

	if (at->hour == 0 && at->hash == 0)
		refusal_key(&key, UINT32_MAX, UINT64_MAX);
	else
		refusal_key(&key, at->hour, at->hash);
	err = table_seek_before(snap, TABLE_refusals, &key, &row);
	if (err != OK)
		return err;
	where = row.key;
	if (key_take_u32(&where, &at->hour) != OK || key_take_u64(&where, &at->hash) != OK)
		return ERR_CORRUPT;
	err = row_fields(snap, TABLE_refusals, &row, &refusal_table, out);
	out->hour_ms = (int64_t)at->hour * TRACE_HOUR_MS;
	return err;
}

/* ---- the oldest hour goes ---- */

/* Delete rows of TABLE whose keys begin with the hour, as long as *room allows. */
static enum err
prune_prefix(struct txn *txn, enum store_table table, uint32_t hour, unsigned *room)
{
	struct key prefix, key;
	struct row row;
	enum err err = OK;

	key_begin(&prefix);
	key_put_u32(&prefix, hour);
	while (*room > 0 && err == OK) {
		err = table_seek(txn_view(txn), table, &prefix, &row);
		if (err == OK && !row_has_prefix(&row, &prefix))
			err = ERR_NOT_FOUND;
		if (err != OK)
			break;
		key_name(&key, row.key); /* the row's own lies in the map */
		err = table_delete(txn, table, &key);
		--*room;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* Did the message arrive in HOUR? One without a readable arrival goes with the first that asks. */
static bool
arrived_in(struct snapshot *snap, uint64_t message_no, uint32_t hour)
{
	struct trace arrival;

	return trace_find(snap, message_no, &arrival) != OK ||
	       trace_hour_of(arrival.time_ms) == hour;
}

static enum err
prune_message(struct txn *txn, uint64_t message_no, unsigned *room)
{
	struct key first, key;
	struct row row;
	uint64_t no;
	enum err err = OK;

	/* backwards, so that the arrival, by which the hour is known, goes last */
	while (*room > 0) {
		key_u64_u32(&first, message_no, UINT32_MAX);
		err = table_seek_before(txn_view(txn), TABLE_traces, &first, &row);
		if (err != OK)
			break;
		key_name(&key, row.key);
		if (key_take_u64(&row.key, &no) != OK || no != message_no)
			break;
		err = table_delete(txn, TABLE_traces, &key);
		if (err != OK)
			break;
		--*room;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/*
 * Delete the traces of an hour; *first_no moves on over what is done. Each look counts: where the
 * clock was set, an hour's numbers can lie among those of many others.
 */
static enum err
prune_messages(struct txn *txn, const struct trace_hour *hour, uint64_t *first_no, unsigned *room)
{
	struct key key;
	struct row row;
	uint64_t no;
	enum err err = OK;

	while (*room > 0 && *first_no <= hour->last_no && hour->first_no != 0) {
		key_u64_u32(&key, *first_no, 0);
		err = table_seek(txn_view(txn), TABLE_traces, &key, &row);
		if (err == ERR_NOT_FOUND) {
			*first_no = hour->last_no + 1;
			break;
		}
		if (err == OK)
			err = key_take_u64(&row.key, &no);
		if (err == OK && no <= hour->last_no && arrived_in(txn_view(txn), no, hour->hour))
			err = prune_message(txn, no, room);
		if (err != OK || *room == 0) /* it may not be done with this one */
			return err;
		*first_no = no + 1;
		--*room;
	}
	return OK;
}

/* One slice of an hour: what is not done is told by its account, which moves on. */
static enum err
prune_hour(struct txn *txn, struct trace_hour *hour)
{
	unsigned room = PRUNE_ROWS;
	enum err err = prune_prefix(txn, TABLE_trace_find, hour->hour, &room);

	if (err == OK)
		err = prune_prefix(txn, TABLE_refusals, hour->hour, &room);
	if (err == OK)
		err = prune_messages(txn, hour, &hour->first_no, &room);
	if (err != OK)
		return err;
	return room > 0 ? trace_hour_remove(txn, hour) : trace_hour_put(txn, hour);
}

enum err
traces_prune(struct txn *txn, int64_t keep_from_ms, uint64_t max_bytes, bool *more)
{
	struct trace_hour hour, newest;
	struct counts counts;
	bool too_old, too_much;
	enum err err = trace_hour_first(txn_view(txn), &hour);

	*more = false;
	if (err == ERR_CORRUPT)
		err = trace_hour_mend(txn, hour.hour, &hour);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	err = trace_hour_prev(txn_view(txn), UINT32_MAX, &newest);
	if (err == OK || err == ERR_CORRUPT) /* its number is known all the same */
		err = counts_get(txn_view(txn), &counts);
	if (err != OK)
		return err;
	too_old = ((int64_t)hour.hour + 1) * TRACE_HOUR_MS <= keep_from_ms;
	too_much = counts.at[COUNT_trace_bytes] > max_bytes && hour.hour != newest.hour;
	if (!too_old && !too_much)
		return OK;
	*more = true;
	return prune_hour(txn, &hour);
}
