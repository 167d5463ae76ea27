/*
 * test_queued.c - entries, recipients, due rows; random acts against a model.
 */
#include "tests/unit/directory_fixture.h"

#include "store/ids.h"
#include "store/queued.h"

#define BIN_MS 600000

struct queue_arg {
	uint64_t id;
	size_t count;
	uint32_t recipient_no;
	enum queued_state state;
	int64_t now, next;
	bool entry_gone, more;
	uint64_t content_id;
};

static enum err
queue_mail(struct txn *txn, void *arg)
{
	struct queue_arg *a = arg;
	struct fixture_message m = { .body_size = 100, .seed = (unsigned)a->id };
	static struct queued_recipient r[1500];
	struct queued q = { .queue_id = a->id,
		.sender = SPAN("anna@example.org"),
		.size_bytes = 1000 + a->id,
		.received_ms = FIXTURE_NOW,
		.subject = SPAN("hello") };
	enum err err = fixture_place(txn, &m); /* the queue is its one owner */

	memset(r, 0, sizeof(r));
	for (size_t i = 0; i < a->count; i++) {
		r[i].address = i % 2 ? SPAN("bo@example.net") : SPAN("cy@example.com");
		r[i].next_try_ms = FIXTURE_NOW;
		r[i].notify = QUEUED_NOTIFY_FAILURE | QUEUED_NOTIFY_DELAY;
		r[i].orcpt = SPAN("rfc822;bo@example.net");
	}
	q.content_id = a->content_id = m.content_id;
	return err == OK ? queued_add(txn, &q, r, a->count) : err;
}

static enum err
hold(struct txn *txn, void *arg)
{
	struct queue_arg *a = arg;

	return queued_hold(txn, a->id, a->now);
}

static enum err
release(struct txn *txn, void *arg)
{
	struct queue_arg *a = arg;

	return queued_release(txn, a->id, a->now);
}

static enum err
to_bin(struct txn *txn, void *arg)
{
	struct queue_arg *a = arg;

	return queued_remove(txn, a->id, a->now + BIN_MS);
}

static enum err
from_bin(struct txn *txn, void *arg)
{
	return queued_restore(txn, ((struct queue_arg *)arg)->id);
}

static enum err
retry(struct txn *txn, void *arg)
{
	struct queue_arg *a = arg;

	return queued_retry(txn, a->id, a->recipient_no, a->now);
}

static enum err
redirect(struct txn *txn, void *arg)
{
	struct queue_arg *a = arg;
	struct queued_redirect to = { SPAN("new@example.test"), SPAN("isp"), a->now };

	return queued_redirect(txn, a->id, a->recipient_no, &to);
}

static enum err
note(struct txn *txn, void *arg)
{
	struct queue_arg *a = arg;
	struct queued_outcome outcome = { .state = a->state,
		.now_ms = a->now,
		.next_try_ms = a->next,
		.text = SPAN("450 4.2.0 try later") };

	return queued_note(txn, a->id, a->recipient_no, &outcome, &a->entry_gone);
}

static enum err
purge_bin(struct txn *txn, void *arg)
{
	struct queue_arg *a = arg;

	return queued_purge_bin(txn, a->now, &a->more);
}

static void
test_queued_out_11_add_and_reopen(void **state)
{
	struct fixture *f = *state;
	struct queue_arg a = { .id = 77, .count = 3 };
	struct queued_recipient r;
	struct queued_due due = { 0 };
	struct queued_counts counts;
	struct queued q;

	assert_int_equal(run(f, queue_mail, &a), OK);
	assert_int_equal(run(f, queue_mail, &a), ERR_EXISTS);
	fixture_reopen(f);
	assert_int_equal(queued_find(look(f), 77, &q), OK);
	assert_span_eq(q.sender, "anna@example.org");
	assert_span_eq(q.subject, "hello");
	assert_int_equal(q.open, 3);
	assert_int_equal(queued_recipient_find(f->snap, 77, 2, &r), OK);
	assert_span_eq(r.address, "bo@example.net");
	assert_span_eq(r.orcpt, "rfc822;bo@example.net"); /* OUT-21 */
	assert_int_equal(r.notify, QUEUED_NOTIFY_FAILURE | QUEUED_NOTIFY_DELAY);
	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(queued_due_next(f->snap, &due), OK);
		assert_int_equal(due.recipient_no, i);
	}
	assert_int_equal(queued_due_next(f->snap, &due), ERR_NOT_FOUND);
	assert_int_equal(queued_count(f->snap, &counts), OK);
	assert_int_equal(counts.count, 1);
	assert_int_equal(counts.bytes, 1077);
	assert_int_equal(counts.recipients, 3);
}

static void
test_queued_out_01_hold_and_release(void **state)
{
	struct fixture *f = *state;
	struct queue_arg a = { .id = 5, .count = 2, .now = FIXTURE_NOW + 1000 };
	struct queued_recipient r;
	struct queued_due due = { 0 };
	struct queued_counts counts;
	struct queued q;

	assert_int_equal(run(f, queue_mail, &a), OK);
	assert_int_equal(run(f, hold, &a), OK);
	assert_int_equal(run(f, hold, &a), OK);
	assert_int_equal(run(f, retry, &a), ERR_DENIED);
	assert_int_equal(queued_due_next(look(f), &due), ERR_NOT_FOUND);
	assert_int_equal(queued_find(f->snap, 5, &q), OK);
	assert_int_equal(queued_recipient_find(f->snap, 5, 1, &r), OK);
	assert_int_equal(queued_shown_state(&q, &r), QUEUED_HELD);
	assert_int_equal(queued_state_letter(QUEUED_HELD), 'H');
	assert_int_equal(queued_age_ms(&q, FIXTURE_NOW + 500000), 1000); /* the clock stands */
	assert_int_equal(queued_count(f->snap, &counts), OK);
	assert_int_equal(counts.held, 1);
	a.now = FIXTURE_NOW + 11000;
	assert_int_equal(run(f, release, &a), OK);
	assert_int_equal(queued_due_next(look(f), &due), OK);
	assert_int_equal(queued_find(f->snap, 5, &q), OK);
	assert_int_equal(queued_age_ms(&q, FIXTURE_NOW + 12000), 2000);
	assert_int_equal(queued_count(f->snap, &counts), OK);
	assert_int_equal(counts.held, 0);
}

static void
test_queued_outcomes_end_the_entry(void **state)
{
	struct fixture *f = *state;
	struct queue_arg a = { .id = 5, .count = 2, .recipient_no = 1, .state = QUEUED_DEFERRED,
		.now = FIXTURE_NOW + 1000, .next = FIXTURE_NOW + 900000 };
	struct queued_recipient r;
	struct queued_due due = { 0 };
	struct content content;
	struct queued q;
	unsigned lines;

	assert_int_equal(run(f, queue_mail, &a), OK);
	assert_int_equal(run(f, note, &a), OK);
	assert_int_equal(queued_recipient_find(look(f), 5, 1, &r), OK);
	assert_int_equal(r.state, QUEUED_DEFERRED);
	assert_int_equal(r.tries, 1);
	assert_span_eq(r.last_error, "450 4.2.0 try later");
	assert_int_equal(queued_due_next(f->snap, &due), OK);
	assert_int_equal(due.recipient_no, 2);
	assert_int_equal(queued_due_next(f->snap, &due), OK);
	assert_int_equal(due.due_ms, a.next);
	a.state = QUEUED_GONE;
	assert_int_equal(run(f, note, &a), OK);
	assert_false(a.entry_gone);
	assert_int_equal(run(f, note, &a), OK); /* again: nothing */
	assert_int_equal(queued_find(look(f), 5, &q), OK);
	assert_int_equal(q.open, 1);
	a.recipient_no = 2;
	assert_int_equal(run(f, note, &a), OK);
	assert_true(a.entry_gone);
	assert_int_equal(queued_find(look(f), 5, &q), ERR_NOT_FOUND);
	assert_int_equal(content_get(f->snap, a.content_id, &content), OK);
	assert_int_equal(content.owners, 0); /* in its grave now */
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
}

static void
test_queued_bin_and_purge(void **state)
{
	struct fixture *f = *state;
	struct queue_arg a = { .id = 5, .count = 2, .now = FIXTURE_NOW };
	struct queued_due due = { 0 };
	struct queued_counts counts;
	struct queued q;

	assert_int_equal(run(f, queue_mail, &a), OK);
	assert_int_equal(run(f, to_bin, &a), OK);
	assert_int_equal(run(f, hold, &a), ERR_DENIED);
	assert_int_equal(queued_due_next(look(f), &due), ERR_NOT_FOUND);
	assert_int_equal(queued_count(f->snap, &counts), OK);
	assert_int_equal(counts.bin, 1);
	assert_int_equal(counts.count, 0);
	assert_int_equal(run(f, from_bin, &a), OK);
	assert_int_equal(queued_due_next(look(f), &due), OK);
	assert_int_equal(run(f, to_bin, &a), OK);
	a.now = FIXTURE_NOW + BIN_MS - 1;
	assert_int_equal(run(f, purge_bin, &a), OK);
	assert_int_equal(queued_find(look(f), 5, &q), OK);
	a.now++;
	assert_int_equal(run(f, purge_bin, &a), OK);
	assert_int_equal(queued_find(look(f), 5, &q), ERR_NOT_FOUND);
	assert_int_equal(queued_count(f->snap, &counts), OK);
	assert_int_equal(counts.bin, 0);
}

/* Two entries of 1,500 recipients are more than one slice may take. */
static void
test_queued_purge_is_sliced(void **state)
{
	struct fixture *f = *state;
	struct queue_arg a = { .count = 1500, .now = FIXTURE_NOW };
	struct queued_counts counts;
	bool more = true;

	for (a.id = 1; a.id <= 3; a.id++) {
		assert_int_equal(run(f, queue_mail, &a), OK);
		assert_int_equal(run(f, to_bin, &a), OK);
	}
	a.now += BIN_MS;
	for (unsigned slice = 0; more; slice++) {
		assert_int_equal(run(f, purge_bin, &a), OK);
		assert_int_equal(queued_count(look(f), &counts), OK);
		assert_int_equal(counts.bin, slice == 0 ? 1 : 0);
		more = a.more;
		assert_true(slice < 2);
	}
}

static void
test_queued_redirect(void **state)
{
	struct fixture *f = *state;
	struct queue_arg a = { .id = 5, .count = 3, .recipient_no = 2, .now = FIXTURE_NOW + 7 };
	struct queued_recipient r;

	assert_int_equal(run(f, queue_mail, &a), OK);
	assert_int_equal(run(f, redirect, &a), OK);
	assert_int_equal(queued_recipient_find(look(f), 5, 2, &r), OK);
	assert_span_eq(r.address, "new@example.test");
	assert_span_eq(r.route, "isp");
	assert_int_equal(queued_recipient_find(f->snap, 5, 1, &r), OK);
	assert_span_eq(r.address, "cy@example.com");
	a.recipient_no = 9;
	assert_int_equal(run(f, redirect, &a), ERR_NOT_FOUND);
}

/* ---- random acts against a model ---- */

#define MODEL_ENTRIES 12
#define MODEL_RECIPIENTS 4

struct model_entry {
	bool there, held, bin;
	size_t open;
	bool gone[MODEL_RECIPIENTS];
};

static void
model_act(struct fixture *f, struct model_entry *e, unsigned act, uint64_t id, unsigned *seed)
{
	struct queue_arg a = { .id = id, .count = MODEL_RECIPIENTS, .now = FIXTURE_NOW + act };
	unsigned which = (unsigned)rand_r(seed) % MODEL_RECIPIENTS;
	enum err err;

	switch (act) {
	case 0:
		err = run(f, queue_mail, &a);
		assert_int_equal(err, e->there ? ERR_EXISTS : OK);
		if (!e->there)
			*e = (struct model_entry){ .there = true, .open = MODEL_RECIPIENTS };
		return;
	case 1:
		err = run(f, hold, &a);
		e->held |= err == OK;
		break;
	case 2:
		err = run(f, release, &a);
		e->held = e->held && err != OK;
		break;
	case 3:
		err = run(f, to_bin, &a);
		e->bin |= err == OK;
		assert_int_equal(err, e->there ? OK : ERR_NOT_FOUND);
		return;
	case 4:
		err = run(f, from_bin, &a);
		e->bin = e->bin && err != OK;
		assert_int_equal(err, e->there ? OK : ERR_NOT_FOUND);
		return;
	default:
		a.recipient_no = which + 1;
		a.state = act == 5 ? QUEUED_GONE : QUEUED_DEFERRED;
		a.next = FIXTURE_NOW + rand_r(seed) % 1000;
		err = run(f, note, &a);
		assert_int_equal(err, e->there ? OK : ERR_NOT_FOUND);
		if (err == OK && act == 5 && !e->gone[which]) {
			e->gone[which] = true;
			if (--e->open == 0)
				*e = (struct model_entry){ .there = false };
		}
		return;
	}
	assert_int_equal(err, !e->there ? ERR_NOT_FOUND : e->bin ? ERR_DENIED : OK);
}

static void
model_compare(struct fixture *f, const struct model_entry *entries)
{
	struct queued_counts want = { 0 }, got;
	struct queued_due due = { 0 };
	uint64_t due_rows = 0, due_want = 0;

	for (uint64_t id = 1; id <= MODEL_ENTRIES; id++) {
		const struct model_entry *e = &entries[id - 1];

		if (!e->there)
			continue;
		want.bin += e->bin;
		want.count += !e->bin;
		want.held += e->held && !e->bin;
		want.bytes += e->bin ? 0 : 1000 + id;
		want.recipients += e->bin ? 0 : e->open;
		due_want += e->bin || e->held ? 0 : e->open;
	}
	assert_int_equal(queued_count(look(f), &got), OK);
	assert_memory_equal(&got, &want, sizeof(got));
	while (queued_due_next(f->snap, &due) == OK)
		due_rows++;
	assert_int_equal(due_rows, due_want);
}

static void
test_queued_random_acts_against_a_model(void **state)
{
	struct model_entry entries[MODEL_ENTRIES];
	struct fixture *f = *state;
	unsigned seed = 4711, lines;

	memset(entries, 0, sizeof(entries));
	for (int i = 0; i < 1500; i++) {
		uint64_t id = 1 + (uint64_t)rand_r(&seed) % MODEL_ENTRIES;

		model_act(f, &entries[id - 1], (unsigned)rand_r(&seed) % 7, id, &seed);
		if (i % 50 == 0)
			model_compare(f, entries);
	}
	model_compare(f, entries);
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
	assert_int_equal(lines, 0);
}

int
test_queued(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_queued_out_11_add_and_reopen),
		T(test_queued_out_01_hold_and_release),
		T(test_queued_outcomes_end_the_entry),
		T(test_queued_bin_and_purge),
		T(test_queued_purge_is_sliced),
		T(test_queued_redirect),
		T(test_queued_random_acts_against_a_model),
	};
#undef T
	return cmocka_run_group_tests_name("queued", tests, NULL, NULL);
}
