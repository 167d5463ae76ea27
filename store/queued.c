/*
 * queued.c - mail that waits to leave: rows of entries and recipients, and the due index.
 *
 * An entry's row is (queue_id, 0), its recipients follow under (queue_id, 1...).
 */
#include "store/queued_rows.h"

#include <string.h>

#include "store/contents.h"
#include "store/forwards.h"
#include "store/rows.h"

#define PURGE_ENTRIES 20 /* entries that one slice of queued_purge_bin removes at most */
#define PURGE_RECIPIENTS 2000 /* and then no further entry */

const char *const queued_state_words[] = { "active", "deferred", "gone", "held", "bin", NULL };
static const char *const report_words[] = { "", "first", "last", "copy", NULL };
static const char *const ret_words[] = { "", "full", "hdrs", NULL };
static const char *const notify_words[] = { "never", "success", "failure", "delay", NULL };

#define QUEUED_FIELDS(X)                                                                           \
	X(sender, 1, FIELD_TEXT, QUEUED_ADDRESS_MAX, NULL, FIELD_SHOWN)                            \
	X(content_id, 2, FIELD_ID, UINT64_MAX, NULL, 0)                                            \
	X(size_bytes, 3, FIELD_COUNT, UINT64_MAX, NULL, FIELD_SHOWN)                               \
	X(received_ms, 4, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                \
	X(auth_user, 5, FIELD_TEXT, QUEUED_TEXT_MAX, NULL, FIELD_SHOWN)                            \
	X(source, 6, FIELD_TEXT, QUEUED_TEXT_MAX, NULL, FIELD_SHOWN)                               \
	X(peer, 7, FIELD_TEXT, QUEUED_TEXT_MAX, NULL, FIELD_SHOWN)                                 \
	X(session, 8, FIELD_TEXT, QUEUED_TEXT_MAX, NULL, FIELD_SHOWN)                              \
	X(subject, 9, FIELD_TEXT, QUEUED_TEXT_MAX, NULL, FIELD_SHOWN)                              \
	X(ret, 10, FIELD_WORD, 2, ret_words, FIELD_SHOWN)                                          \
	X(envid, 11, FIELD_TEXT, QUEUED_PARAM_MAX, NULL, FIELD_SHOWN)                              \
	X(eightbit, 12, FIELD_FLAG, 1, NULL, FIELD_SHOWN)                                          \
	X(utf8, 13, FIELD_FLAG, 1, NULL, FIELD_SHOWN)                                              \
	X(warned, 14, FIELD_FLAG, 1, NULL, FIELD_SHOWN)                                            \
	X(held, 15, FIELD_FLAG, 1, NULL, FIELD_SHOWN)                                              \
	X(held_since_ms, 16, FIELD_TIME, INT64_MAX, NULL, 0)                                       \
	X(held_total_ms, 17, FIELD_TIME, INT64_MAX, NULL, 0)                                       \
	X(bin_until_ms, 18, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                              \
	X(recipients, 19, FIELD_COUNT, QUEUED_RECIPIENTS_MAX, NULL, 0)                             \
	X(open, 20, FIELD_COUNT, QUEUED_RECIPIENTS_MAX, NULL, FIELD_SHOWN)                         \
	X(held_why, 21, FIELD_TEXT, QUEUED_TEXT_MAX, NULL, FIELD_SHOWN)                            \
	X(report, 22, FIELD_WORD, 2, report_words, FIELD_SHOWN)                                    \
	X(forged, 23, FIELD_FLAG, 1, NULL, FIELD_SHOWN)                    \
	X(ours, 40, FIELD_FLAG, 1, NULL, FIELD_SHOWN)                                              \
	X(receipt, 41, FIELD_FLAG, 1, NULL, FIELD_SHOWN)

static const struct field fields[] = {
#define X(name, tag, kind, max, words, flags)                                                      \
	FIELD_ROW(queued, name, tag, kind, max, words, flags)
	QUEUED_FIELDS(X)
#undef X
};

#define RECIPIENT_FIELDS(X)                                                                        \
	X(address, 1, FIELD_TEXT, QUEUED_ADDRESS_MAX, NULL, FIELD_SHOWN)                           \
	X(route, 2, FIELD_TEXT, QUEUED_ROUTE_MAX, NULL, FIELD_SHOWN)                               \
	X(state, 3, FIELD_WORD, 2, queued_state_words, FIELD_SHOWN)                                \
	X(tries, 4, FIELD_COUNT, UINT64_MAX, NULL, FIELD_SHOWN)                                    \
	X(last_try_ms, 5, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                \
	X(next_try_ms, 6, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                \
	X(last_error, 7, FIELD_TEXT, QUEUED_ERROR_MAX, NULL, FIELD_SHOWN)                          \
	X(orcpt, 8, FIELD_TEXT, QUEUED_PARAM_MAX, NULL, FIELD_SHOWN)                               \
	X(notify, 9, FIELD_BITS, UINT32_MAX, notify_words, FIELD_SHOWN)

static const struct field recipient_fields[] = {
#define X(name, tag, kind, max, words, flags)                                                      \
	FIELD_ROW(queued_recipient, name, tag, kind, max, words, flags)
	RECIPIENT_FIELDS(X)
#undef X
};

static const struct queued defaults;
static const struct queued_recipient recipient_defaults;

const struct field_table queued_table = { fields, COUNT(fields), &defaults,
	sizeof(struct queued) };
const struct field_table queued_recipient_table = { recipient_fields, COUNT(recipient_fields),
	&recipient_defaults, sizeof(struct queued_recipient) };

char
queued_state_letter(enum queued_state state)
{
	return "ADxHB"[state];
}

enum queued_state
queued_shown_state(const struct queued *q, const struct queued_recipient *r)
{
	if (r->state == QUEUED_GONE)
		return QUEUED_GONE;
	if (q->bin_until_ms != 0)
		return QUEUED_BIN;
	return q->held ? QUEUED_HELD : (enum queued_state)r->state;
}

int64_t
queued_age_ms(const struct queued *q, int64_t now_ms)
{
	int64_t held = q->held_total_ms;

	if (q->held && now_ms > q->held_since_ms)
		held += now_ms - q->held_since_ms;
	return now_ms - q->received_ms - held;
}

/* ---- reading ---- */

enum err
queued_find(struct snapshot *snap, uint64_t queue_id, struct queued *out)
{
	struct key key;
	enum err err;

	key_u64_u32(&key, queue_id, 0);
	err = row_get_fields(snap, TABLE_queued, &key, &queued_table, out);
	out->queue_id = queue_id;
	return err;
}

enum err
queued_recipient_find(struct snapshot *snap, uint64_t queue_id, uint32_t recipient_no,
	struct queued_recipient *out)
{
	struct key key;
	enum err err;

	if (recipient_no == 0)
		return ERR_NOT_FOUND;
	key_u64_u32(&key, queue_id, recipient_no);
	err = row_get_fields(snap, TABLE_queued, &key, &queued_recipient_table, out);
	out->queue_id = queue_id;
	out->recipient_no = recipient_no;
	return err;
}

enum err
queued_recipient_next(struct snapshot *snap, uint64_t queue_id, uint32_t recipient_no,
	struct queued_recipient *out)
{
	uint64_t got = 0;
	struct key key;
	struct row row;
	struct span at;
	enum err err;

	key_u64_u32(&key, queue_id, recipient_no + 1);
	err = table_seek(snap, TABLE_queued, &key, &row);
	if (err != OK)
		return err;
	at = row.key;
	if (key_take_u64(&at, &got) != OK || key_take_u32(&at, &recipient_no) != OK ||
		got != queue_id)
		return ERR_NOT_FOUND; /* also where the key is damaged: no recipient of this one */
	err = row_fields(snap, TABLE_queued, &row, &queued_recipient_table, out);
	out->queue_id = queue_id;
	out->recipient_no = recipient_no;
	return err;
}

enum err
queued_next(struct snapshot *snap, uint64_t queue_id, struct queued *out)
{
	uint32_t recipient_no = 0;
	struct key key;
	struct row row;
	struct span at;
	enum err err;

	if (queue_id == UINT64_MAX)
		return ERR_NOT_FOUND;
	key_u64_u32(&key, queue_id + 1, 0);
	err = table_seek(snap, TABLE_queued, &key, &row);
	if (err != OK)
		return err;
	at = row.key;
	if (key_take_u64(&at, &queue_id) != OK) {
		out->queue_id = UINT64_MAX; /* nobody gets past such a key */
		return ERR_CORRUPT;
	}
	if (key_take_u32(&at, &recipient_no) != OK || recipient_no != 0)
		return queued_find(snap, out->queue_id = queue_id, out); /* it lost its entry */
	err = row_fields(snap, TABLE_queued, &row, &queued_table, out);
	out->queue_id = queue_id;
	return err;
}

enum err
queued_prev(struct snapshot *snap, uint64_t queue_id, struct queued *out)
{
	struct key key;
	struct row row;
	enum err err;

	key_u64_u32(&key, queue_id == 0 ? UINT64_MAX : queue_id, 0);
	err = table_seek_before(snap, TABLE_queued, &key, &row);
	if (err == OK && key_take_u64(&row.key, &queue_id) != OK)
		err = ERR_CORRUPT;
	return err == OK ? queued_find(snap, queue_id, out) : err;
}

/* Entries in the bin stand behind all recipients, so that neither walk meets the other's rows. */
#define DUE_BIN (UINT64_C(1) << 63)

void
queued_due_key(struct key *key, const struct queued_due *due)
{
	uint64_t due_ms = due->due_ms > 0 ? (uint64_t)due->due_ms : 0;

	key_begin(key);
	key_put_u64(key, due->recipient_no == 0 ? due_ms | DUE_BIN : due_ms);
	key_put_u64(key, due->queue_id);
	key_put_u32(key, due->recipient_no);
}

enum err
queued_due_take(struct span key, struct queued_due *out)
{
	uint64_t due_ms;

	if (key_take_u64(&key, &due_ms) != OK || key_take_u64(&key, &out->queue_id) != OK ||
		key_take_u32(&key, &out->recipient_no) != OK)
		return ERR_CORRUPT;
	out->due_ms = (int64_t)(due_ms & ~DUE_BIN);
	return OK;
}

enum err
queued_due_next(struct snapshot *snap, struct queued_due *at)
{
	struct key key;
	struct row row;
	enum err err;

	if (at->recipient_no == 0)
		key_begin(&key);
	else
		queued_due_key(&key, at);
	key_put_u8(&key, 0); /* the front, or the next key there can be */
	err = table_seek(snap, TABLE_due, &key, &row);
	if (err == OK)
		err = queued_due_take(row.key, at);
	return err == OK && at->recipient_no == 0 ? ERR_NOT_FOUND : err;
}

enum err
queued_count(struct snapshot *snap, struct queued_counts *out)
{
	struct counts counts;
	enum err err = counts_get(snap, &counts);

	*out = (struct queued_counts){
		.count = counts.at[COUNT_queue_entries],
		.bytes = counts.at[COUNT_queue_bytes],
		.held = counts.at[COUNT_queue_held],
		.bin = counts.at[COUNT_queue_bin],
		.recipients = counts.at[COUNT_queue_recipients],
	};
	return err;
}

/* ---- rows ---- */

enum err
queued_entry_put(struct txn *txn, const struct queued *q)
{
	struct key key;

	key_u64_u32(&key, q->queue_id, 0);
	return row_put_fields(txn, TABLE_queued, &key, &queued_table, q);
}

enum err
queued_recipient_put(struct txn *txn, const struct queued_recipient *r)
{
	struct key key;

	key_u64_u32(&key, r->queue_id, r->recipient_no);
	return row_put_fields(txn, TABLE_queued, &key, &queued_recipient_table, r);
}

enum err
queued_due_put(struct txn *txn, const struct queued_due *due)
{
	struct key key;

	queued_due_key(&key, due);
	return row_put(txn, TABLE_due, &key, SPAN_NONE);
}

enum err
queued_due_delete(struct txn *txn, const struct queued_due *due)
{
	struct key key;
	enum err err;

	queued_due_key(&key, due);
	err = row_delete(txn, TABLE_due, &key);
	return err == ERR_NOT_FOUND ? OK : err; /* it is wanted gone */
}

struct queued_due
queued_due_of(const struct queued_recipient *r)
{
	return (struct queued_due){ r->next_try_ms, r->queue_id, r->recipient_no };
}

struct queued_due
queued_due_of_bin(const struct queued *q)
{
	return (struct queued_due){ q->bin_until_ms, q->queue_id, 0 };
}

bool
queued_is_waiting(const struct queued *q)
{
	return !q->held && q->bin_until_ms == 0;
}

/* A damaged recipient is passed over: nobody can try it, and the others must not wait for it. */
enum err
queued_due_all(struct txn *txn, uint64_t queue_id, bool put)
{
	struct queued_recipient r = { .recipient_no = 0 };
	enum err err;

	for (;;) {
		struct queued_due due;

		err = queued_recipient_next(txn_view(txn), queue_id, r.recipient_no, &r);
		if (err == ERR_CORRUPT || (err == OK && r.state == QUEUED_GONE))
			continue;
		if (err != OK)
			break;
		due = queued_due_of(&r);
		err = put ? queued_due_put(txn, &due) : queued_due_delete(txn, &due);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- adding ---- */

static struct span
cut(struct span text, size_t max)
{
	return span_range(text, 0, max);
}

static enum err
queued_check(const struct queued *q, const struct queued_recipient *recipients, size_t count)
{
	if (count == 0 || count > QUEUED_RECIPIENTS_MAX)
		return ERR_LIMIT;
	if (q->sender.len > QUEUED_ADDRESS_MAX || q->envid.len > QUEUED_PARAM_MAX)
		return ERR_LIMIT;
	for (size_t i = 0; i < count; i++) {
		if (recipients[i].address.len > QUEUED_ADDRESS_MAX ||
			recipients[i].route.len > QUEUED_ROUTE_MAX ||
			recipients[i].orcpt.len > QUEUED_PARAM_MAX)
			return ERR_LIMIT;
	}
	return OK;
}

static enum err
add_recipient(struct txn *txn, const struct queued *q, struct queued_recipient r)
{
	struct queued_due due;
	enum err err;

	r.last_error = cut(r.last_error, QUEUED_ERROR_MAX);
	r.state = QUEUED_ACTIVE;
	if (r.next_try_ms < 0)
		r.next_try_ms = 0;
	due = queued_due_of(&r);
	err = queued_recipient_put(txn, &r);
	return err == OK && queued_is_waiting(q) ? queued_due_put(txn, &due) : err;
}

enum err
queued_add(struct txn *txn, const struct queued *q, const struct queued_recipient *recipients,
	size_t count)
{
	struct queued made = *q, old;
	enum err err = queued_check(q, recipients, count);

	if (err != OK)
		return err;
	err = queued_find(txn_view(txn), q->queue_id, &old);
	if (err != ERR_NOT_FOUND)
		return err == OK ? ERR_EXISTS : err;
	made.auth_user = cut(q->auth_user, QUEUED_TEXT_MAX);
	made.source = cut(q->source, QUEUED_TEXT_MAX);
	made.peer = cut(q->peer, QUEUED_TEXT_MAX);
	made.session = cut(q->session, QUEUED_TEXT_MAX);
	made.subject = cut(q->subject, QUEUED_TEXT_MAX);
	made.held_why = cut(q->held_why, QUEUED_TEXT_MAX);
	made.bin_until_ms = 0;
	made.recipients = made.open = count;
	err = queued_entry_put(txn, &made);
	for (size_t i = 0; i < count && err == OK; i++) {
		struct queued_recipient r = recipients[i];

		r.queue_id = made.queue_id;
		r.recipient_no = (uint32_t)i + 1;
		err = add_recipient(txn, &made, r);
	}
	return err == OK ? content_own(txn, made.content_id, 1) : err;
}

/* ---- the end of an entry ---- */

enum err
queued_purge(struct txn *txn, uint64_t queue_id)
{
	struct queued_recipient r = { .recipient_no = 0 };
	struct queued q;
	struct queued_due bin;
	struct key key;
	enum err err = queued_find(txn_view(txn), queue_id, &q);

	if (err != OK)
		return err;
	bin = queued_due_of_bin(&q);
	err = queued_is_waiting(&q) ? queued_due_all(txn, queue_id, false) : OK;
	if (err == OK && q.bin_until_ms != 0)
		err = queued_due_delete(txn, &bin);
	while (err == OK) {
		err = queued_recipient_next(txn_view(txn), queue_id, r.recipient_no, &r);
		if (err == OK || err == ERR_CORRUPT) {
			key_u64_u32(&key, queue_id, r.recipient_no);
			err = row_delete(txn, TABLE_queued, &key);
		}
	}
	if (err != ERR_NOT_FOUND)
		return err;
	key_u64_u32(&key, queue_id, 0);
	err = row_delete(txn, TABLE_queued, &key);
	if (err == OK)
		err = forward_untie(txn, queue_id, 0);
	return err == OK ? content_own(txn, q.content_id, -1) : err;
}

/* ---- slices ---- */

/* The entry that leaves the bin next after *AT, which moves on; all zero at the start. */
static enum err
next_in_bin(struct snapshot *snap, struct queued_due *at)
{
	struct key key;
	struct row row;
	enum err err;

	queued_due_key(&key, at);
	key_put_u8(&key, 0); /* the next key there can be */
	err = table_seek(snap, TABLE_due, &key, &row);
	return err == OK ? queued_due_take(row.key, at) : err;
}

enum err
queued_purge_bin(struct txn *txn, int64_t now_ms, bool *more)
{
	struct queued_due at = { 0 };
	uint64_t recipients = 0;
	struct queued q;
	enum err err;

	*more = false;
	for (unsigned i = 0; i < PURGE_ENTRIES && recipients < PURGE_RECIPIENTS;) {
		err = next_in_bin(txn_view(txn), &at);
		if (err == OK && at.due_ms > now_ms)
			return OK;
		if (err != OK)
			return err == ERR_NOT_FOUND ? OK : err;
		err = queued_find(txn_view(txn), at.queue_id, &q);
		if (err == OK)
			err = queued_purge(txn, at.queue_id);
		if (err == OK) {
			recipients += q.recipients;
			i++;
		} else if (err != ERR_CORRUPT && err != ERR_NOT_FOUND) { /* those are for check */
			return err;
		}
	}
	*more = true;
	return OK;
}
