/*
 * queued_acts.c - what happens to an entry of the queue: the outcome of a try, and what an operator
 * does.
 *
 * Each writes the entry or the recipient first and the due rows then: spans that were read lie in
 * the map and are of use until the first write only.
 */
#include "proto/mail/forward_server.h"
#include "store/forwards.h"
#include "store/queued_rows.h"

#define HOLD_ENTRIES 50 /* entries that one slice of queued_hold_all looks at */

/* ---- how a try ended ---- */

/* R changes from OLD to R, written with its due row. R's texts may lie in the map. */
static enum err
recipient_change(struct txn *txn, const struct queued *q, const struct queued_due *old_due,
	const struct queued_recipient *r)
{
	struct queued_due due = queued_due_of(r);
	bool open = r->state != QUEUED_GONE;
	enum err err = queued_recipient_put(txn, r);

	if (err != OK || !queued_is_waiting(q))
		return err;
	err = queued_due_delete(txn, old_due);
	return err == OK && open ? queued_due_put(txn, &due) : err;
}

static enum err
one_less_open(struct txn *txn, uint64_t queue_id, bool *entry_gone)
{
	struct queued q;
	enum err err = queued_find(txn_view(txn), queue_id, &q);

	if (err != OK)
		return err;
	if (q.open <= 1) {
		*entry_gone = true;
		return queued_purge(txn, queue_id);
	}
	q.open--;
	return queued_entry_put(txn, &q);
}

enum err
queued_note(struct txn *txn, uint64_t queue_id, uint32_t recipient_no,
	const struct queued_outcome *outcome, bool *entry_gone)
{
	struct queued_recipient r;
	struct queued_due old_due;
	struct queued q;
	bool forwards;
	enum err err = queued_find(txn_view(txn), queue_id, &q);

	*entry_gone = false;
	if (err == OK)
		err = queued_recipient_find(txn_view(txn), queue_id, recipient_no, &r);
	if (err != OK || r.state == QUEUED_GONE)
		return err;
	forwards = forward_route_is(r.route);
	old_due = queued_due_of(&r);
	r.state = (uint8_t)outcome->state;
	r.tries++;
	r.last_try_ms = outcome->now_ms;
	r.last_error = span_range(outcome->text, 0, QUEUED_ERROR_MAX);
	if (outcome->route.len > 0)
		r.route = span_range(outcome->route, 0, QUEUED_ROUTE_MAX);
	if (outcome->state == QUEUED_DEFERRED)
		r.next_try_ms = outcome->next_try_ms > 0 ? outcome->next_try_ms : 0;
	err = recipient_change(txn, &q, &old_due, &r);
	if (err == OK && outcome->state == QUEUED_GONE && forwards)
		err = forward_untie(txn, queue_id, recipient_no);
	if (err == OK && outcome->state == QUEUED_GONE)
		err = one_less_open(txn, queue_id, entry_gone);
	return err;
}

enum err
queued_set_warned(struct txn *txn, uint64_t queue_id)
{
	struct queued q;
	enum err err = queued_find(txn_view(txn), queue_id, &q);

	if (err != OK || q.warned)
		return err;
	q.warned = true;
	return queued_entry_put(txn, &q);
}

/* ---- what an operator does ---- */

/* The entry, which must not be in the bin. */
static enum err
entry_for_change(struct txn *txn, uint64_t queue_id, struct queued *q)
{
	enum err err = queued_find(txn_view(txn), queue_id, q);

	if (err != OK)
		return err;
	return q->bin_until_ms == 0 ? OK : ERR_DENIED;
}

enum err
queued_hold(struct txn *txn, uint64_t queue_id, int64_t now_ms)
{
	return queued_hold_because(txn, queue_id, now_ms, SPAN_NONE);
}

enum err
queued_hold_because(struct txn *txn, uint64_t queue_id, int64_t now_ms, struct span why)
{
	struct queued q;
	enum err err = entry_for_change(txn, queue_id, &q);

	if (err != OK || q.held)
		return err;
	q.held = true;
	q.held_why = span_range(why, 0, QUEUED_TEXT_MAX);
	q.held_since_ms = now_ms;
	err = queued_entry_put(txn, &q);
	return err == OK ? queued_due_all(txn, queue_id, false) : err;
}

enum err
queued_release(struct txn *txn, uint64_t queue_id, int64_t now_ms)
{
	struct queued q;
	enum err err = entry_for_change(txn, queue_id, &q);

	if (err != OK || !q.held)
		return err;
	if (now_ms > q.held_since_ms)
		q.held_total_ms += now_ms - q.held_since_ms;
	q.held = false;
	q.held_since_ms = 0;
	q.held_why = SPAN_NONE;
	err = queued_entry_put(txn, &q);
	return err == OK ? queued_due_all(txn, queue_id, true) : err;
}

/* What retry and redirect do to one open recipient. */
typedef void recipient_edit(struct queued_recipient *r, const void *arg);

static enum err
edit_recipient(struct txn *txn, const struct queued *q, struct queued_recipient *r,
	recipient_edit *edit, const void *arg)
{
	struct queued_due old_due = queued_due_of(r);

	if (r->state == QUEUED_GONE)
		return OK;
	edit(r, arg);
	return recipient_change(txn, q, &old_due, r);
}

/* One recipient, or all where RECIPIENT_NO is 0. */
static enum err
edit_recipients(struct txn *txn, const struct queued *q, uint32_t recipient_no,
	recipient_edit *edit, const void *arg)
{
	uint64_t queue_id = q->queue_id;
	struct queued_recipient r = { .recipient_no = 0 };
	enum err err;

	if (recipient_no != 0) {
		err = queued_recipient_find(txn_view(txn), queue_id, recipient_no, &r);
		return err == OK ? edit_recipient(txn, q, &r, edit, arg) : err;
	}
	while ((err = queued_recipient_next(txn_view(txn), queue_id, r.recipient_no, &r)) == OK) {
		err = edit_recipient(txn, q, &r, edit, arg);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static void
edit_retry(struct queued_recipient *r, const void *arg)
{
	const int64_t *now_ms = arg;

	if (r->next_try_ms > *now_ms)
		r->next_try_ms = *now_ms;
}

enum err
queued_retry(struct txn *txn, uint64_t queue_id, uint32_t recipient_no, int64_t now_ms)
{
	struct queued q;
	enum err err = entry_for_change(txn, queue_id, &q);

	if (err != OK)
		return err;
	if (q.held)
		return ERR_DENIED;
	return edit_recipients(txn, &q, recipient_no, edit_retry, &now_ms);
}

static void
edit_redirect(struct queued_recipient *r, const void *arg)
{
	const struct queued_redirect *to = arg;

	if (to->address.len > 0)
		r->address = to->address;
	if (to->route.len > 0)
		r->route = to->route;
	r->state = QUEUED_ACTIVE;
	r->tries = 0;
	r->next_try_ms = to->now_ms > 0 ? to->now_ms : 0;
}

enum err
queued_redirect(struct txn *txn, uint64_t queue_id, uint32_t recipient_no,
	const struct queued_redirect *to)
{
	struct queued q;
	enum err err;

	if (to->address.len > QUEUED_ADDRESS_MAX || to->route.len > QUEUED_ROUTE_MAX)
		return ERR_LIMIT;
	err = entry_for_change(txn, queue_id, &q);
	if (err == OK)
		err = edit_recipients(txn, &q, recipient_no, edit_redirect, to);
	if (err != OK || to->route.len == 0)
		return err;
	return forward_untie(txn, queue_id, recipient_no); /* store and forward it is no more */
}

enum err
queued_remove(struct txn *txn, uint64_t queue_id, int64_t bin_until_ms)
{
	struct queued_due due;
	struct queued q;
	bool was_waiting;
	enum err err = queued_find(txn_view(txn), queue_id, &q);

	if (err != OK || q.bin_until_ms != 0)
		return err;
	was_waiting = queued_is_waiting(&q);
	q.bin_until_ms = bin_until_ms > 0 ? bin_until_ms : 1; /* 0 would mean not in the bin */
	due = queued_due_of_bin(&q);
	err = queued_entry_put(txn, &q);
	if (err == OK && was_waiting)
		err = queued_due_all(txn, queue_id, false);
	return err == OK ? queued_due_put(txn, &due) : err;
}

enum err
queued_restore(struct txn *txn, uint64_t queue_id)
{
	struct queued_due due;
	struct queued q;
	bool waits;
	enum err err = queued_find(txn_view(txn), queue_id, &q);

	if (err != OK || q.bin_until_ms == 0)
		return err;
	due = queued_due_of_bin(&q);
	q.bin_until_ms = 0;
	waits = queued_is_waiting(&q);
	err = queued_entry_put(txn, &q);
	if (err == OK)
		err = queued_due_delete(txn, &due);
	return err == OK && waits ? queued_due_all(txn, queue_id, true) : err;
}

enum err
queued_hold_all(struct txn *txn, int64_t now_ms, uint64_t *at, bool *more)
{
	struct queued q;
	enum err err;

	*more = false;
	for (unsigned i = 0; i < HOLD_ENTRIES; i++) {
		err = queued_next(txn_view(txn), *at, &q);
		if (err != OK && err != ERR_CORRUPT) /* a damaged one cannot be sent anyway */
			return err == ERR_NOT_FOUND ? OK : err;
		*at = q.queue_id;
		if (err == OK && q.bin_until_ms == 0)
			err = queued_hold(txn, q.queue_id, now_ms);
		if (err != OK && err != ERR_CORRUPT)
			return err;
	}
	*more = true;
	return OK;
}
