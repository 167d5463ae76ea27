/*
 * traces.c - what happened to each message: writing traces and finding them.
 */
#include "store/traces.h"

#include "store/rows.h"
#include "store/trace_hours.h"

#define TRACE_FIELDS(X)                                                                            \
	X(time_ms, 1, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                    \
	X(session, 2, FIELD_TEXT, TRACE_TEXT_MAX, NULL, FIELD_SHOWN)                               \
	X(peer, 3, FIELD_TEXT, TRACE_TEXT_MAX, NULL, FIELD_SHOWN)                                  \
	X(service, 4, FIELD_TEXT, TRACE_TEXT_MAX, NULL, FIELD_SHOWN)                               \
	X(auth_user, 5, FIELD_TEXT, TRACE_TEXT_MAX, NULL, FIELD_SHOWN)                             \
	X(sender, 6, FIELD_TEXT, TRACE_TEXT_MAX, NULL, FIELD_SHOWN)                                \
	X(recipients, 7, FIELD_BYTES, TRACE_RECIPIENTS_MAX, NULL, FIELD_SHOWN)                     \
	X(recipient_count, 8, FIELD_COUNT, UINT64_MAX, NULL, FIELD_SHOWN)                          \
	X(size_bytes, 9, FIELD_COUNT, UINT64_MAX, NULL, FIELD_SHOWN)                               \
	X(subject, 10, FIELD_TEXT, TRACE_TEXT_MAX, NULL, FIELD_SHOWN)                              \
	X(message_id, 11, FIELD_TEXT, TRACE_TEXT_MAX, NULL, FIELD_SHOWN)                           \
	X(code, 12, FIELD_COUNT, UINT64_MAX, NULL, FIELD_SHOWN)                                    \
	X(text, 13, FIELD_TEXT, TRACE_TEXT_MAX, NULL, FIELD_SHOWN)                                 \
	X(notes, 14, FIELD_BYTES, TRACE_NOTES_MAX, NULL, 0)

static const struct field fields[] = {
#define X(name, tag, kind, max, words, flags)                                                      \
	FIELD_ROW(trace, name, tag, kind, max, words, flags)
	TRACE_FIELDS(X)
#undef X
};

static const struct trace defaults;

const struct field_table trace_table = { fields, COUNT(fields), &defaults, sizeof(struct trace) };

enum err
trace_recipient_put(struct buf *out, struct span address)
{
	enum err err = buf_put(out, address);

	return err == OK ? buf_put_char(out, '\0') : err;
}

bool
trace_recipient_next(struct span *rest, struct span *address)
{
	if (rest->len == 0)
		return false;
	span_cut(*rest, '\0', address, rest);
	return true;
}

/* ---- writing ---- */

/* As many whole recipients as fit. */
static struct span
recipients_cut(struct span recipients)
{
	struct span kept = span_range(recipients, 0, TRACE_RECIPIENTS_MAX);

	if (kept.len == recipients.len)
		return kept;
	return span_range(kept, 0, span_find_last(kept, '\0') + 1);
}

static struct trace
trace_cut(const struct trace *t)
{
	struct trace cut = *t;
	struct span *const texts[] = { &cut.session, &cut.peer, &cut.service, &cut.auth_user,
		&cut.sender, &cut.subject, &cut.message_id, &cut.text };

	for (size_t i = 0; i < COUNT(texts); i++)
		*texts[i] = span_range(*texts[i], 0, TRACE_TEXT_MAX);
	cut.recipients = recipients_cut(t->recipients);
	return cut;
}

/* Write one row; *cost is what it takes. */
static enum err
trace_put(struct txn *txn, const struct trace *t, struct trace_cost *cost)
{
	size_t max = RECORD_HEAD + fields_size_max(&trace_table, t);
	char *room = arena_alloc(txn_arena(txn), max);
	struct record_out out;
	struct key key;
	enum err err;

	key_u64_u32(&key, t->message_no, t->part);
	record_begin(&out, room, max, ROW_VERSION);
	fields_encode(&trace_table, t, &out);
	cost->rows++;
	cost->bytes += out.len + TRACE_ROW_COST;
	err = table_append_record(txn, TABLE_traces, &key, &out);
	return err;
}

/* Where T can be found, and by whom it is not yet. */
struct index_job {
	struct txn *txn;
	uint32_t hour;
	uint64_t message_no;
	struct trace_cost *cost;
};

static enum err
index_put(const struct index_job *job, enum trace_role role, struct span text)
{
	struct span old;
	struct key key;
	enum err err;

	if (text.len == 0)
		return OK;
	trace_find_key(&key, job->hour, trace_hash(role, text), job->message_no);
	err = table_get(txn_view(job->txn), TABLE_trace_find, &key, &old);
	if (err != ERR_NOT_FOUND)
		return err;
	job->cost->rows++;
	job->cost->bytes += TRACE_ROW_COST;
	return table_put(job->txn, TABLE_trace_find, &key, SPAN_NONE);
}

static struct span
message_id_bare(struct span id)
{
	id = span_trim(id);
	if (id.len >= 2 && id.ptr[0] == '<' && id.ptr[id.len - 1] == '>')
		return span_range(id, 1, id.len - 1);
	return id;
}

static enum err
index_trace(const struct index_job *job, const struct trace *t)
{
	struct span rest = t->recipients, address;
	unsigned count = 0;
	enum err err = index_put(job, TRACE_FROM, t->sender);

	if (err == OK)
		err = index_put(job, TRACE_ID, message_id_bare(t->message_id));
	while (err == OK && count++ < TRACE_INDEXED_MAX && trace_recipient_next(&rest, &address))
		err = index_put(job, TRACE_TO, address);
	return err;
}

/* Write ROW, a part of a message of that hour, and index what T names. */
static enum err
trace_write(struct txn *txn, uint32_t hour, const struct trace *row, const struct trace *t)
{
	struct trace_cost cost = { 0 };
	struct index_job job = { txn, hour, row->message_no, &cost };
	enum err err = trace_put(txn, row, &cost);

	if (err == OK)
		err = index_trace(&job, t);
	return err == OK ? trace_hour_add(txn, hour, row->message_no, cost) : err;
}

enum err
trace_add(struct txn *txn, const struct trace *t)
{
	struct trace row = trace_cut(t);
	struct span old;
	struct key key;
	enum err err;

	if (t->notes.len > TRACE_NOTES_MAX)
		return ERR_LIMIT;
	row.part = 0;
	key_u64_u32(&key, t->message_no, 0);
	err = table_get(txn_view(txn), TABLE_traces, &key, &old);
	if (err != ERR_NOT_FOUND)
		return err == OK ? ERR_EXISTS : err;
	return trace_write(txn, trace_hour_of(t->time_ms), &row, t);
}

/* The number that a new part of MESSAGE_NO gets. */
static enum err
next_part(struct snapshot *snap, uint64_t message_no, uint32_t *part)
{
	uint64_t no = 0;
	struct key key;
	struct row row;
	enum err err;

	key_u64_u32(&key, message_no, UINT32_MAX);
	err = table_seek_before(snap, TABLE_traces, &key, &row);
	if (err != OK)
		return err;
	if (key_take_u64(&row.key, &no) != OK || key_take_u32(&row.key, part) != OK)
		return ERR_CORRUPT;
	++*part;
	return no == message_no ? OK : ERR_NOT_FOUND;
}

enum err
trace_append(struct txn *txn, const struct trace *t)
{
	struct trace row = trace_cut(t), arrival;
	enum err err;

	if (t->notes.len > TRACE_NOTES_MAX)
		return ERR_LIMIT;
	err = trace_find(txn_view(txn), t->message_no, &arrival);
	if (err == OK)
		err = next_part(txn_view(txn), t->message_no, &row.part);
	if (err != OK)
		return err;
	if (row.part > TRACE_PARTS_MAX)
		return OK;
	return trace_write(txn, trace_hour_of(arrival.time_ms), &row, t);
}

/* ---- reading ---- */

static enum err
trace_get(struct snapshot *snap, uint64_t message_no, uint32_t part, struct trace *out)
{
	struct key key;
	enum err err;

	key_u64_u32(&key, message_no, part);
	err = row_get_fields(snap, TABLE_traces, &key, &trace_table, out);
	out->message_no = message_no;
	out->part = part;
	return err;
}

enum err
trace_find(struct snapshot *snap, uint64_t message_no, struct trace *out)
{
	return trace_get(snap, message_no, 0, out);
}

enum err
trace_part_next(struct snapshot *snap, uint64_t message_no, uint32_t part, struct trace *out)
{
	return trace_get(snap, message_no, part + 1, out);
}

enum err
trace_count(struct snapshot *snap, struct trace_counts *out)
{
	struct trace_hour hour = { 0 };
	struct counts counts;
	enum err err = counts_get(snap, &counts);

	if (err != OK)
		return err;
	err = trace_hour_first(snap, &hour);
	*out = (struct trace_counts){
		.rows = counts.at[COUNT_trace_rows],
		.bytes = counts.at[COUNT_trace_bytes],
		.oldest_ms = (int64_t)hour.hour * TRACE_HOUR_MS,
	};
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- searching ---- */

#define QUESTIONS_MAX 3

/* The hashes that must all be in the index for a message; none: every message fits. */
struct questions {
	uint64_t hashes[QUESTIONS_MAX];
	size_t count;
};

static void
question_add(struct questions *q, enum trace_role role, struct span text)
{
	if (text.len > 0)
		q->hashes[q->count++] = trace_hash(role, text);
}

/* The last message below NO in that hour of which the index (or, unasked, the table) knows. */
static enum err
candidate_indexed(
	struct snapshot *snap, const struct trace_hour *hour, uint64_t hash, uint64_t *no)
{
	struct key key, prefix;
	struct row row;
	enum err err;

	trace_find_key(&key, hour->hour, hash, *no);
	prefix = key;
	prefix.len -= sizeof(*no);
	err = table_seek_before(snap, TABLE_trace_find, &key, &row);
	if (err != OK)
		return err;
	if (!row_has_prefix(&row, &prefix))
		return ERR_NOT_FOUND;
	row.key = span_from(row.key, prefix.len);
	return key_take_u64(&row.key, no);
}

static enum err
candidate_any(struct snapshot *snap, const struct trace_hour *hour, uint64_t *no)
{
	uint64_t limit = *no <= hour->last_no ? *no : hour->last_no + 1;
	struct key key;
	struct row row;
	enum err err;

	key_u64_u32(&key, limit, 0);
	err = table_seek_before(snap, TABLE_traces, &key, &row);
	if (err == OK)
		err = key_take_u64(&row.key, no);
	return err == OK && *no < hour->first_no ? ERR_NOT_FOUND : err;
}

static enum err
candidate(struct snapshot *snap, const struct trace_hour *hour, const struct questions *questions,
	uint64_t *no)
{
	if (questions->count > 0)
		return candidate_indexed(snap, hour, questions->hashes[0], no);
	return hour->first_no == 0 ? ERR_NOT_FOUND : candidate_any(snap, hour, no);
}

/* Does the candidate meet the other questions and the times? Damaged ones are passed over. */
static bool
candidate_fits(struct snapshot *snap, const struct trace_query *query,
	const struct questions *questions, uint32_t hour, struct trace *out)
{
	struct span value;
	struct key key;

	for (size_t i = 1; i < questions->count; i++) {
		trace_find_key(&key, hour, questions->hashes[i], out->message_no);
		if (table_get(snap, TABLE_trace_find, &key, &value) != OK)
			return false;
	}
	if (trace_find(snap, out->message_no, out) != OK || trace_hour_of(out->time_ms) != hour)
		return false;
	return out->time_ms >= query->since_ms &&
	       (query->until_ms == 0 || out->time_ms < query->until_ms);
}

static void
search_begin(struct trace_query *query)
{
	if (query->before_no != 0)
		return;
	query->before_ms = query->until_ms != 0 ? query->until_ms : INT64_MAX;
	query->before_no = UINT64_MAX;
}

/* Go on in the hour before this one. False where there is none. */
static bool
search_older(struct trace_query *query, uint32_t hour)
{
	if (hour == 0)
		return false;
	query->before_ms = (int64_t)(hour - 1) * TRACE_HOUR_MS;
	query->before_no = UINT64_MAX;
	return true;
}

enum err
trace_search(struct snapshot *snap, struct trace_query *query, struct trace *out)
{
	struct questions questions = { .count = 0 };
	struct trace_hour hour;

	question_add(&questions, TRACE_ID, message_id_bare(query->message_id));
	question_add(&questions, TRACE_TO, query->to);
	question_add(&questions, TRACE_FROM, query->from);
	search_begin(query);
	for (unsigned looks = 0; looks < TRACE_LOOKS_MAX; looks++) {
		uint32_t at = trace_hour_of(query->before_ms);
		enum err err = trace_hour_prev(snap, at, &hour);

		if (err != OK && err != ERR_CORRUPT)
			return err;
		if (hour.hour < trace_hour_of(query->since_ms))
			return ERR_NOT_FOUND;
		if (err == ERR_CORRUPT) { /* the hours before it can be read all the same */
			if (!search_older(query, hour.hour))
				return err;
			continue;
		}
		out->message_no = hour.hour == at ? query->before_no : UINT64_MAX;
		err = candidate(snap, &hour, &questions, &out->message_no);
		if (err == ERR_NOT_FOUND) {
			if (!search_older(query, hour.hour))
				return ERR_NOT_FOUND;
			continue;
		}
		if (err != OK)
			return err;
		query->before_ms = (int64_t)hour.hour * TRACE_HOUR_MS;
		query->before_no = out->message_no;
		if (candidate_fits(snap, query, &questions, hour.hour, out))
			return OK;
	}
	return ERR_BUSY;
}
