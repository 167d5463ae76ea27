/*
 * check_queue.c - queued and due.
 */
#include "store/check_run.h"
#include "store/queued_rows.h"

typedef unsigned long long ull;

struct found {
	uint64_t recipients, open;
};

static enum err
fix_due_put(struct txn *txn, const struct check_fix *fix)
{
	struct queued_due due = { (int64_t)fix->n[0], fix->n[1], (uint32_t)fix->n[2] };

	return queued_due_put(txn, &due);
}

static void
check_due(struct check *c, const struct queued_due *due)
{
	struct check_fix *fix;
	struct span value;
	struct key key;

	queued_due_key(&key, due);
	if (table_get(c->snap, TABLE_due, &key, &value) == OK)
		return;
	check_say(c, true, "queued %llu: recipient %lu is not in the due index",
		(ull)due->queue_id, (unsigned long)due->recipient_no);
	fix = check_fix_add(c, fix_due_put, SPAN_NONE, SPAN_NONE);
	fix->n[0] = (uint64_t)due->due_ms;
	fix->n[1] = due->queue_id;
	fix->n[2] = due->recipient_no;
}

static void
check_recipients(struct check *c, const struct queued *q, struct found *found)
{
	struct queued_recipient r = { .recipient_no = 0 };
	uint32_t at = 0;
	enum err err;

	while ((err = queued_recipient_next(c->snap, q->queue_id, at, &r)) == OK ||
		err == ERR_CORRUPT) {
		struct queued_due due = queued_due_of(&r);

		at = r.recipient_no;
		found->recipients++;
		if (err == ERR_CORRUPT) {
			check_say(c, false, "queued %llu: recipient %lu is damaged",
				(ull)q->queue_id, (unsigned long)at);
			continue;
		}
		if (r.state == QUEUED_GONE)
			continue;
		found->open++;
		if (queued_is_waiting(q))
			check_due(c, &due);
	}
}

static enum err
fix_figures(struct txn *txn, const struct check_fix *fix)
{
	struct queued q;
	enum err err = queued_find(txn_view(txn), fix->n[0], &q);

	if (err != OK)
		return err;
	q.recipients = fix->n[1];
	q.open = fix->n[2];
	return queued_entry_put(txn, &q);
}

static void
check_entry(struct check *c, uint64_t queue_id)
{
	struct found found = { 0, 0 };
	struct check_fix *fix;
	struct queued q;

	if (queued_find(c->snap, queue_id, &q) != OK) {
		check_say(c, false, "queued %llu: damaged", (ull)queue_id);
		return;
	}
	id_set_add(&c->contents_named, q.content_id);
	check_recipients(c, &q, &found);
	if (q.bin_until_ms != 0) {
		struct queued_due due = queued_due_of_bin(&q);

		check_due(c, &due);
	}
	if (found.recipients == q.recipients && found.open == q.open)
		return;
	check_say(c, true, "queued %llu: %llu recipients, %llu open; its row says %llu and %llu",
		(ull)queue_id, (ull)found.recipients, (ull)found.open, (ull)q.recipients,
		(ull)q.open);
	fix = check_fix_add(c, fix_figures, SPAN_NONE, SPAN_NONE);
	fix->n[0] = queue_id;
	fix->n[1] = found.recipients;
	fix->n[2] = found.open;
}

static void
visit_queued(struct check *c, const struct row *row)
{
	struct span key = row->key, value;
	struct counts counts;
	struct key entry;
	uint64_t queue_id = 0;
	uint32_t recipient_no = 0;

	if (key_take_u64(&key, &queue_id) != OK || key_take_u32(&key, &recipient_no) != OK) {
		check_say(c, false, "queued: a key is damaged");
		return;
	}
	if (recipient_no == 0) {
		row_tally(TABLE_queued, row->key, row->value, &counts);
		for (size_t i = 0; i < COUNT_COUNT; i++)
			c->tally.at[i] += counts.at[i];
		check_entry(c, queue_id);
		return;
	}
	key_u64_u32(&entry, queue_id, 0);
	if (table_get(c->snap, TABLE_queued, &entry, &value) == OK)
		return;
	check_say(c, true, "queued %llu: recipient %lu without an entry", (ull)queue_id,
		(unsigned long)recipient_no);
	check_fix_delete(c, TABLE_queued, row->key);
}

/* Should there be this due row? */
static bool
due_holds(struct check *c, const struct row *row)
{
	struct queued_recipient r;
	struct queued_due due, want;
	struct queued q;
	struct key key;

	if (queued_due_take(row->key, &due) != OK)
		return false;
	if (queued_find(c->snap, due.queue_id, &q) != OK)
		return false;
	if (due.recipient_no == 0) {
		want = queued_due_of_bin(&q);
		queued_due_key(&key, &want);
		return q.bin_until_ms != 0 && span_eq(row->key, key_span(&key));
	}
	if (queued_recipient_find(c->snap, due.queue_id, due.recipient_no, &r) != OK)
		return false;
	want = queued_due_of(&r);
	queued_due_key(&key, &want);
	return queued_is_waiting(&q) && r.state != QUEUED_GONE &&
	       span_eq(row->key, key_span(&key));
}

static void
visit_due(struct check *c, const struct row *row)
{
	if (due_holds(c, row))
		return;
	check_say(c, true, "due: a row that should not be there");
	check_fix_delete(c, TABLE_due, row->key);
}

void
check_queue(struct check *c)
{
	check_walk(c, TABLE_queued, visit_queued);
	check_walk(c, TABLE_due, visit_due);
}
