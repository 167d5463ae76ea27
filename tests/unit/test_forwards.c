/*
 * test_forwards.c - pairs of store and forward: every way in which a message leaves a mailbox, and every end
 * of its recipient (SNF-04, SNF-05, Q-27).
 */
#include "tests/unit/mail_fixture.h"

#include <stdio.h>

#include "store/folder_jobs.h"
#include "store/forwards.h"
#include "store/ids.h"
#include "store/message_transfer.h"
#include "store/message_ways.h"
#include "store/queued.h"
#include "store/traces.h"

#define FIRST_ID 1000 /* queue_id of the message with uid 0 */

static struct box b;

/* ---- a mailbox whose messages wait to be forwarded ---- */

struct pairing {
	uint32_t first, last;
};

static enum err
pair_one(struct txn *txn, uint32_t uid)
{
	char route[40];
	struct message m;
	struct queued_recipient r = { .address = SPAN("anna@main.test"), .next_try_ms = FIXTURE_NOW };
	struct queued q = { .queue_id = FIRST_ID + uid, .sender = SPAN("x@example.net"),
		.received_ms = FIXTURE_NOW };
	struct trace t = { .message_no = FIRST_ID + uid, .time_ms = FIXTURE_NOW,
		.service = SPAN("smtp") };
	struct forward f = { .user_id = b.user_id, .queue_id = FIRST_ID + uid, .recipient_no = 1,
		.folder_id = b.inbox, .uid = uid };
	enum err err = message_find(txn_view(txn), b.inbox, uid, &m);

	snprintf(route, sizeof(route), "snf:%llu", (unsigned long long)b.user_id);
	r.route = span_of(route);
	q.content_id = m.content.content_id;
	q.size_bytes = 100;
	f.copy_id = m.entry.copy_id;
	if (err == OK)
		err = queued_add(txn, &q, &r, 1);
	if (err == OK)
		err = trace_add(txn, &t);
	if (err == ERR_EXISTS) /* it was forwarded before */
		err = OK;
	return err == OK ? forward_put(txn, &f) : err;
}

static enum err
pair_all(struct txn *txn, void *arg)
{
	const struct pairing *p = arg;
	enum err err = OK;

	for (uint32_t uid = p->first; uid <= p->last && err == OK; uid++)
		err = pair_one(txn, uid);
	return err;
}

struct setting {
	uint64_t user_id;
	struct span address, server;
	bool removes;
	struct change_recorder recorder;
	uint64_t undo_of, undo_id;
};

static enum err
set_user(struct txn *txn, void *arg)
{
	struct setting *s = arg;
	struct change_start start = { .who = SPAN("anna"), .via = SPAN("cli"),
		.what = SPAN("user.set"), .object = SPAN("anna"), .now_ms = FIXTURE_NOW };
	struct user user;
	enum err err = change_begin(&s->recorder, txn, &start);

	if (err == OK && s->removes)
		err = user_remove(txn, s->user_id, FIXTURE_NOW);
	else if (err == OK)
		err = user_find(txn_view(txn), s->user_id, &user);
	if (err == OK && !s->removes) {
		user_copy(&user, txn_arena(txn));
		user.store_forward_address = s->address;
		user.store_forward_server = s->server;
		err = user_set(txn, &user, FIXTURE_NOW);
	}
	return err == OK ? change_end(&s->recorder) : err;
}

static enum err
undo_set(struct txn *txn, void *arg)
{
	struct setting *s = arg;
	struct change_start start = { .who = SPAN("anna"), .via = SPAN("cli"), .now_ms = FIXTURE_NOW };
	struct buf object;
	enum err err;

	buf_init(&object, 100);
	err = change_undo(txn, s->recorder.change_id, &start, &object, &s->undo_id);
	buf_fini(&object);
	return err;
}

static struct setting
anna_forwards(const char *address, const char *server)
{
	struct setting s = { .user_id = b.user_id, .address = span_of(address),
		.server = span_of(server) };

	assert_int_equal(run(b.f, set_user, &s), OK);
	return s;
}

static void
init(void **state, size_t messages)
{
	struct pairing all = { 1, (uint32_t)messages };

	box_init(&b, *state, messages);
	anna_forwards("anna@main.test", "main.test");
	assert_int_equal(run(b.f, pair_all, &all), OK);
}

/* ---- what there is ---- */

static bool
waits(uint32_t uid)
{
	struct queued q;

	return queued_find(look(b.f), FIRST_ID + uid, &q) == OK;
}

static uint64_t
pending(void)
{
	uint64_t count;

	assert_int_equal(forward_count(look(b.f), b.user_id, 100000, &count), OK);
	return count;
}

static void
check_tied(uint32_t uid, uint64_t folder_id, uint32_t where)
{
	struct forward f;

	assert_int_equal(forward_tied(look(b.f), FIRST_ID + uid, 1, &f), OK);
	assert_int_equal(f.folder_id, folder_id);
	assert_int_equal(f.uid, where);
	assert_true(forward_is_there(look(b.f), &f));
}

static enum err
take(struct txn *txn, void *arg)
{
	struct queued_outcome gone = { .state = QUEUED_GONE, .now_ms = FIXTURE_NOW };
	uint64_t queue_id = FIRST_ID + *(uint32_t *)arg;
	bool entry_gone;
	enum err err = forward_taken(txn, queue_id, 1);

	return err == OK ? queued_note(txn, queue_id, 1, &gone, &entry_gone) : err;
}

static void
taken(uint32_t uid)
{
	assert_int_equal(run(b.f, take, &uid), OK);
	assert_false(waits(uid));
}

static size_t
messages(uint64_t folder_id)
{
	return box_folder(&b, folder_id).messages;
}

static struct message_transfer
transfer(uint64_t from, uint64_t to, uint32_t first, uint32_t last, bool move)
{
	struct message_transfer t;

	message_transfer_init(&t);
	t.from_user_id = t.to_user_id = t.user_id = b.user_id;
	t.from_folder_id = from;
	t.to_folder_id = to;
	t.list = (struct uid_list){ b.uids + first - 1, last - first + 1 };
	t.move = move;
	t.keep_flags = FLAGS_SYSTEM | FLAGS_KEYWORDS;
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK);
	assert_int_equal(t.count, last - first + 1);
	return t;
}

static enum err
expunge(struct txn *txn, void *arg)
{
	const struct pairing *p = arg;
	struct folder folder;
	size_t count;
	enum err err = folder_get(txn_view(txn), b.user_id, b.inbox, &folder);

	return err == OK ? message_expunge(txn, &folder,
				   (struct uid_list){ b.uids + p->first - 1, p->last - p->first + 1 }, 0,
				   &count)
			 : err;
}

/* ---- SNF-04: the server took it ---- */

static void
test_snf_04_taken_leaves_the_mailbox(void **state)
{
	init(state, 10);
	assert_int_equal(pending(), 10);
	taken(3);
	assert_int_equal(messages(b.inbox), 9);
	assert_int_equal(pending(), 9);
	assert_int_equal(entry_find(look(b.f), b.inbox, 3, &(struct entry){ 0 }), ERR_NOT_FOUND);
	box_is_clean(&b);
}

static void
test_snf_04_taken_wherever_it_was_moved_to(void **state)
{
	init(state, 500);
	transfer(b.inbox, b.other, 2, 5, true);       /* in one slice */
	check_tied(3, b.other, 2);
	taken(3);
	assert_int_equal(messages(b.other), 3);
	transfer(b.inbox, b.other, 10, 400, true); /* laid down first */
	check_tied(399, b.other, 5 + 389);
	taken(399);
	assert_int_equal(messages(b.other), 3 + 390);
	transfer(b.other, b.inbox, 1, 1, true); /* and back again */
	check_tied(2, b.inbox, 501);
	taken(2);
	assert_int_equal(messages(b.inbox) + messages(b.other), 497);
	assert_int_equal(pending(), 497);
	box_is_clean(&b);
}

static enum err
hold_and_release(struct txn *txn, void *arg)
{
	struct folder folder;
	uint32_t uid = *(uint32_t *)arg;
	enum err err = folder_get(txn_view(txn), b.user_id, b.inbox, &folder);

	if (err == OK)
		err = message_hold(txn, &folder, uid, true, &uid);
	if (err == OK)
		err = message_hold(txn, &folder, uid, false, &uid);
	return err;
}

static void
test_snf_04_taken_after_a_hold(void **state)
{
	uint32_t uid = 4;

	init(state, 10);
	assert_int_equal(run(b.f, hold_and_release, &uid), OK);
	check_tied(4, b.inbox, 11);
	taken(4);
	assert_int_equal(messages(b.inbox), 9);
	box_is_clean(&b);
}

/* ---- SNF-05: it leaves the mailbox ---- */

static void
test_snf_05_bin_and_expunge_cancel(void **state)
{
	struct pairing two = { 5, 6 };

	init(state, 10);
	box_bin(&b, b.inbox, 1, 3);
	assert_int_equal(run(b.f, expunge, &two), OK);
	for (uint32_t uid = 1; uid <= 10; uid++)
		assert_int_equal(waits(uid), uid == 4 || uid > 6);
	assert_int_equal(pending(), 5);
	box_is_clean(&b);
}

static enum err
restore_first(struct txn *txn, void *arg)
{
	struct folder to;
	uint32_t uid;

	(void)arg;
	return bin_restore(txn, b.user_id, 1, &to, &uid);
}

/* What was cancelled stays so. */
static void
test_snf_05_restored_stays_here(void **state)
{
	init(state, 3);
	box_bin(&b, b.inbox, 1, 1);
	assert_int_equal(run(b.f, restore_first, NULL), OK);
	assert_int_equal(messages(b.inbox), 3);
	assert_false(waits(1));
	assert_int_equal(pending(), 2);
	box_is_clean(&b);
}

struct removing {
	struct change_recorder recorder;
	uint64_t undo_id;
};

static enum err
remove_first(struct txn *txn, void *arg)
{
	struct removing *r = arg;
	struct change_start start = { .who = SPAN("anna"), .via = SPAN("cli"),
		.what = SPAN("message.remove"), .now_ms = FIXTURE_NOW };
	struct folder folder;
	uint32_t bin_uid;
	enum err err = change_begin(&r->recorder, txn, &start);

	if (err == OK)
		err = folder_get(txn_view(txn), b.user_id, b.inbox, &folder);
	if (err == OK)
		err = message_way_bin(txn, &folder, 1, &bin_uid);
	return err == OK ? change_end(&r->recorder) : err;
}

static enum err
undo_removal(struct txn *txn, void *arg)
{
	struct removing *r = arg;
	struct change_start start = { .who = SPAN("anna"), .via = SPAN("cli"), .now_ms = FIXTURE_NOW };

	return change_undo(txn, r->recorder.change_id, &start, NULL, &r->undo_id);
}

static void
test_snf_05_undo_brings_the_mail_back_alone(void **state)
{
	struct removing r;

	init(state, 3);
	assert_int_equal(run(b.f, remove_first, &r), OK);
	assert_false(waits(1));
	assert_int_equal(run(b.f, undo_removal, &r), OK);
	assert_int_equal(messages(b.inbox), 3);
	assert_false(waits(1));
	box_is_clean(&b);
}

static void
test_snf_05_move_to_another_user_cancels(void **state)
{
	struct message_transfer t;
	uint64_t bo;

	init(state, 3);
	bo = fixture_user(b.f, "bo");
	message_transfer_init(&t);
	t.from_user_id = t.user_id = b.user_id;
	t.to_user_id = bo;
	t.from_folder_id = b.inbox;
	t.to_folder_id = fixture_inbox(b.f, bo);
	t.list = (struct uid_list){ b.uids, 2 };
	t.keep_flags = FLAGS_SYSTEM;
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK); /* a copy for bo changes nothing */
	assert_int_equal(pending(), 3);
	t.move = true;
	t.count = 0;
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK);
	assert_int_equal(t.count, 2);
	assert_int_equal(pending(), 1);
	assert_false(waits(2));
	box_is_clean(&b);
}

static enum err
hide_other(struct txn *txn, void *arg)
{
	(void)arg;
	return folder_hide(txn, b.user_id, b.other);
}

static void
test_snf_05_folder_removal_cancels_at_once(void **state)
{
	init(state, 10);
	transfer(b.inbox, b.other, 1, 4, true);
	assert_int_equal(run(b.f, hide_other, NULL), OK);
	assert_int_equal(pending(), 6);
	assert_false(waits(4));
	assert_true(waits(5));
	box_is_clean(&b);
}

static void
test_snf_05_user_removal_cancels(void **state)
{
	struct setting s;

	init(state, 5);
	fixture_user(b.f, "bo");
	s = (struct setting){ .user_id = b.user_id, .removes = true };
	assert_int_equal(run(b.f, set_user, &s), OK);
	assert_int_equal(pending(), 0);
	assert_false(waits(1));
	assert_int_equal(run(b.f, undo_set, &s), OK);
	assert_false(waits(1)); /* the mail is back, and stays */
	assert_int_equal(messages(b.inbox), 5);
	box_is_clean(&b);
}

/* ---- copies: the pair is tied to one ---- */

static void
test_snf_copy_is_an_heir(void **state)
{
	init(state, 10);
	transfer(b.inbox, b.other, 1, 3, false);
	check_tied(1, b.inbox, 1); /* the original */
	box_bin(&b, b.inbox, 1, 1);
	check_tied(1, b.other, 1); /* a client that moves by COPY and EXPUNGE */
	assert_true(waits(1));
	taken(1);
	box_bin(&b, b.other, 2, 2); /* the copy goes first: nothing changes */
	check_tied(2, b.inbox, 2);
	taken(3); /* both there: one goes */
	assert_int_equal(messages(b.other), 1);
	assert_int_equal(messages(b.inbox), 8);
	box_is_clean(&b);
}

static void
test_snf_copy_and_both_deleted_cancels(void **state)
{
	static const struct pairing halves[] = { { 1, 400 }, { 401, 700 } }; /* two jobs */

	box_init(&b, *state, 700);
	anna_forwards("anna@main.test", "main.test");
	for (size_t i = 0; i < COUNT(halves); i++)
		assert_int_equal(run(b.f, pair_all, (void *)&halves[i]), OK);
	transfer(b.inbox, b.other, 1, 600, false); /* laid down first */
	box_bin(&b, b.inbox, 1, 600);
	assert_int_equal(pending(), 700);
	check_tied(600, b.other, 600);
	box_bin(&b, b.other, 1, 600);
	assert_int_equal(pending(), 100);
	box_is_clean(&b);
}

/* ---- the queue's side ---- */

static enum err
purge(struct txn *txn, void *arg)
{
	uint64_t queue_id = FIRST_ID + *(uint32_t *)arg;
	enum err err = queued_remove(txn, queue_id, FIXTURE_NOW + 1);

	return err == OK ? queued_purge(txn, queue_id) : err;
}

static enum err
redirect(struct txn *txn, void *arg)
{
	struct queued_redirect to = { .route = SPAN("isp"), .now_ms = FIXTURE_NOW };

	return queued_redirect(txn, FIRST_ID + *(uint32_t *)arg, 0, &to);
}

static void
test_snf_removal_in_the_queue_keeps_the_mail(void **state)
{
	uint32_t uid = 1;

	init(state, 3);
	assert_int_equal(run(b.f, purge, &uid), OK);
	uid = 2;
	assert_int_equal(run(b.f, redirect, &uid), OK);
	assert_int_equal(pending(), 1);
	taken(2); /* by another route: the copy stays */
	assert_int_equal(messages(b.inbox), 3);
	box_is_clean(&b);
}

static enum err
remove_one(struct txn *txn, void *arg)
{
	return queued_remove(txn, FIRST_ID + *(uint32_t *)arg, FIXTURE_NOW + 600000);
}

/* In the bin of the queue it is still of its pair. */
static void
test_snf_delete_while_in_the_bin_of_the_queue(void **state)
{
	uint32_t uid = 1;

	init(state, 3);
	assert_int_equal(run(b.f, remove_one, &uid), OK);
	box_bin(&b, b.inbox, 1, 1);
	assert_false(waits(1));
	box_is_clean(&b);
}

/* ---- the user's fields ---- */

static void
test_snf_emptied_fields_cancel(void **state)
{
	struct setting s;

	init(state, 5);
	s = anna_forwards("anna@main.test", "");
	assert_int_equal(pending(), 0);
	assert_false(waits(5));
	assert_int_equal(messages(b.inbox), 5);
	assert_int_equal(run(b.f, undo_set, &s), OK);
	assert_int_equal(pending(), 0);
	box_is_clean(&b);
}

static void
test_snf_another_target_takes_them_along(void **state)
{
	struct queued_recipient r;
	struct setting s;

	init(state, 3);
	s = anna_forwards("a.nna@other.test", "other.test:2525");
	assert_int_equal(pending(), 3);
	assert_int_equal(queued_recipient_find(look(b.f), FIRST_ID + 2, 1, &r), OK);
	assert_span_eq(r.address, "a.nna@other.test");
	assert_int_equal(r.state, QUEUED_ACTIVE);
	assert_int_equal(run(b.f, undo_set, &s), OK);
	assert_int_equal(queued_recipient_find(look(b.f), FIRST_ID + 2, 1, &r), OK);
	assert_span_eq(r.address, "anna@main.test");
	box_is_clean(&b);
}

/* ---- very many ---- */

#define MANY 1200

static void
init_many(void **state)
{
	box_init(&b, *state, MANY);
	anna_forwards("anna@main.test", "main.test");
	for (uint32_t uid = 1; uid <= MANY; uid += 300)
		assert_int_equal(run(b.f, pair_all, &(struct pairing){ uid, uid + 299 }), OK);
}

static enum err
slice(struct txn *txn, void *more)
{
	return forwards_follow_some(txn, more);
}

static uint64_t
waiting(void)
{
	uint64_t count = 0;

	for (uint32_t uid = 1; uid <= MANY; uid++)
		count += waits(uid);
	return count;
}

/* The writer is held up for one slice at a time, and what is cancelled is so from the first on. */
static void
test_snf_very_many_end_in_slices(void **state)
{
	unsigned slices = 0;
	uint64_t before, end_to;
	struct setting s;
	bool more = true;

	init_many(state);
	s = anna_forwards("anna@main.test", "");
	assert_int_equal(waiting(), MANY - FORWARDS_SLICE);
	assert_int_equal(pending(), 0);
	assert_true(forward_is_marked(look(b.f), b.user_id, &end_to));
	box_is_clean(&b); /* a crash here */
	assert_int_equal(run(b.f, undo_set, &s), OK); /* the fields are back, not what was cancelled */
	for (before = waiting(); more; before = waiting(), slices++) {
		assert_int_equal(run(b.f, slice, &more), OK);
		assert_true(before - waiting() <= FORWARDS_SLICE);
	}
	assert_int_equal(waiting(), 0);
	assert_true(slices >= MANY / FORWARDS_SLICE - 1);
	assert_false(forwards_have_marks(look(b.f)));
	assert_int_equal(messages(b.inbox), MANY);
	box_is_clean(&b);
}

static uint64_t
turned(const char *address)
{
	struct queued_recipient r;
	uint64_t count = 0;

	for (uint32_t uid = 1; uid <= MANY; uid++)
		count += queued_recipient_find(look(b.f), FIRST_ID + uid, 1, &r) == OK &&
			span_eq(r.address, span_of(address));
	return count;
}

/* Turned twice, then ended and set again: the last word counts, for each as it was then. */
static void
test_snf_very_many_turn_and_end_in_slices(void **state)
{
	struct pairing late = { 1, 2 };
	bool more = true;

	init_many(state);
	anna_forwards("a@other.test", "other.test");
	anna_forwards("b@other.test", "other.test");
	assert_int_equal(turned("b@other.test"), FORWARDS_SLICE);
	while (more)
		assert_int_equal(run(b.f, slice, &more), OK);
	assert_int_equal(turned("b@other.test"), MANY);
	anna_forwards("", "");
	anna_forwards("c@other.test", "other.test");
	assert_int_equal(waiting(), MANY - FORWARDS_SLICE);
	transfer(b.inbox, b.other, 1, 2, false); /* their copies are of nothing */
	box_bin(&b, b.inbox, MANY, MANY);	 /* one that is cancelled, and not yet gone */
	for (more = true; more;)
		assert_int_equal(run(b.f, slice, &more), OK);
	assert_int_equal(waiting(), 0);
	b.inbox = b.other; /* what comes then is forwarded */
	assert_int_equal(run(b.f, pair_all, &late), OK);
	assert_int_equal(pending(), 2);
	box_is_clean(&b);
}

/* ---- check ---- */

static enum err
spoil(struct txn *txn, void *arg)
{
	struct forward f;
	struct key key;
	enum err err;

	(void)arg;
	err = forward_tied(txn_view(txn), FIRST_ID + 1, 1, &f); /* its recipient's way to it */
	forward_copies_key(&key, &f);
	if (err == OK)
		err = table_delete(txn, TABLE_forward_copies, &key);
	if (err == OK)
		err = forward_tied(txn_view(txn), FIRST_ID + 2, 1, &f);
	f.uid = 99; /* it is not there */
	if (err == OK)
		err = forward_put(txn, &f);
	f.copy_id += 1000; /* of nothing */
	f.queue_id = 5;
	return err == OK ? forward_put(txn, &f) : err;
}

static void
test_snf_check_mends_pairs(void **state)
{
	unsigned lines = 0;

	init(state, 4);
	assert_int_equal(run(b.f, spoil, NULL), OK);
	fixture_close(b.f);
	assert_int_not_equal(fixture_check(b.f, false, &lines), 0);
	assert_int_equal(lines, 3);
	assert_int_equal(fixture_check(b.f, true, &lines), 0);
	fixture_open(b.f);
	check_tied(1, b.inbox, 1);
	assert_false(waits(2)); /* as if it had been deleted */
	assert_int_equal(pending(), 3);
	assert_int_equal(messages(b.inbox), 4);
	box_is_clean(&b);
}

/* ---- any acts in any order ---- */

#define LIVES 60

/* Each message is here or taken, never both and never neither, but for what was deleted. */
static void
test_snf_random_acts_agree_with_the_rule(void **state)
{
	unsigned seed = 7, expect_waiting = LIVES;
	bool gone[LIVES + 1] = { false };

	init(state, LIVES);
	for (unsigned step = 0; step < 400; step++) {
		struct forward f;
		uint32_t uid = 1 + (seed = seed * 1103515245 + 12345) / 65536 % LIVES;
		unsigned act = (seed = seed * 1103515245 + 12345) / 65536 % 8;

		if (forward_tied(look(b.f), FIRST_ID + uid, 1, &f) != OK) {
			assert_true(gone[uid]);
			continue;
		}
		b.uids[0] = f.uid;
		if (act < 4) {
			transfer(f.folder_id, f.folder_id == b.inbox ? b.other : b.inbox, 1, 1,
				act < 2);
		} else if (act < 7 && step % 3 == 0) {
			box_bin(&b, f.folder_id, 1, 1);
		} else if (step % 3 == 0) {
			size_t before = messages(b.inbox) + messages(b.other);

			taken(uid);
			assert_int_equal(messages(b.inbox) + messages(b.other), before - 1);
		}
		gone[uid] = !waits(uid);
		expect_waiting -= gone[uid];
		assert_int_equal(pending(), expect_waiting);
	}
	box_is_clean(&b);
}

int
test_forwards(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		T(test_snf_04_taken_leaves_the_mailbox),
		T(test_snf_04_taken_wherever_it_was_moved_to),
		T(test_snf_04_taken_after_a_hold),
		T(test_snf_05_bin_and_expunge_cancel),
		T(test_snf_05_restored_stays_here),
		T(test_snf_05_undo_brings_the_mail_back_alone),
		T(test_snf_05_move_to_another_user_cancels),
		T(test_snf_05_folder_removal_cancels_at_once),
		T(test_snf_05_user_removal_cancels),
		T(test_snf_copy_is_an_heir),
		T(test_snf_copy_and_both_deleted_cancels),
		T(test_snf_removal_in_the_queue_keeps_the_mail),
		T(test_snf_delete_while_in_the_bin_of_the_queue),
		T(test_snf_very_many_end_in_slices),
		T(test_snf_very_many_turn_and_end_in_slices),
		T(test_snf_emptied_fields_cancel),
		T(test_snf_another_target_takes_them_along),
		T(test_snf_check_mends_pairs),
		T(test_snf_random_acts_agree_with_the_rule),
	};

	return cmocka_run_group_tests_name("forwards", tests, NULL, NULL);
}
