/*
 * test_transfer.c - COPY and MOVE of few and of many.
 */
#include "tests/unit/mail_fixture.h"

#include "store/folder_jobs.h"
#include "store/message_transfer.h"
#include "store/seen.h"

static uint32_t found[BOX_MAX];

/* Uids FIRST to LAST of the INBOX into Archive. */
static struct message_transfer
transfer_of(struct box *b, uint32_t first, uint32_t last, bool move)
{
	struct message_transfer t;

	message_transfer_init(&t);
	t.from_user_id = t.to_user_id = t.user_id = b->user_id;
	t.from_folder_id = b->inbox;
	t.to_folder_id = b->other;
	t.list = (struct uid_list){ b->uids + first - 1, last - first + 1 };
	t.move = move;
	t.keep_date = true;
	t.keep_flags = FLAGS_SYSTEM | FLAGS_KEYWORDS;
	t.found = found;
	return t;
}

static uint64_t
owners_of(struct box *b, uint64_t folder_id, uint32_t uid)
{
	struct message m;

	assert_int_equal(message_find(look(b->f), folder_id, uid, &m), OK);
	return m.content.owners;
}

static void
check_copied(struct box *b, const struct message_transfer *t, uint32_t first, uint32_t last)
{
	struct folder to = box_folder(b, b->other);

	assert_int_equal(t->count, last - first + 1);
	assert_int_equal(t->uidvalidity, to.uidvalidity);
	assert_int_equal(to.messages, t->count);
	assert_int_equal(to.uidnext, t->first_uid + t->count);
	for (uint32_t i = 0; i < t->count; i += 37) {
		struct entry from = box_entry(b, b->inbox, first + i);
		struct entry copy = box_entry(b, b->other, t->first_uid + i);

		assert_int_equal(found[i], first + i);
		assert_int_equal(copy.flags, from.flags);
		assert_int_equal(copy.received_s, from.received_s);
		assert_true(copy.copy_id != from.copy_id); /* H27 */
		assert_int_equal(owners_of(b, b->other, t->first_uid + i), 2);
	}
}

static void
copy_some(void **state, uint32_t first, uint32_t last)
{
	struct message_transfer t;
	static struct box b;

	box_init(&b, *state, last + 10);
	box_store(&b, b.inbox, first, last, FLAGS_ADD, FLAG_SEEN | FLAG_FLAGGED, "");
	t = transfer_of(&b, first, last, false);
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK);
	check_copied(&b, &t, first, last);
	assert_int_equal(box_folder(&b, b.inbox).messages, last + 10);
	box_is_clean(&b);
}

static void
test_copy_few(void **state)
{
	copy_some(state, 5, TRANSFER_SMALL);
}

/* Laid down where nobody sees it, then relinked: the same end. */
static void
test_copy_many(void **state)
{
	copy_some(state, 1, 2500);
}

static void
move_some(void **state, uint32_t first, uint32_t last)
{
	struct message_transfer t;
	struct message gone;
	uint64_t copy_id, modseq;
	static struct box b;

	box_init(&b, *state, last + 10);
	box_store(&b, b.inbox, first, last, FLAGS_ADD, FLAG_DRAFT, "Work");
	modseq = b.result.modseq;
	copy_id = box_entry(&b, b.inbox, last).copy_id;
	t = transfer_of(&b, first, last, true);
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK);
	assert_int_equal(t.count, last - first + 1);
	assert_int_equal(t.from_modseq, box_folder(&b, b.inbox).highest_modseq);
	assert_int_equal(box_folder(&b, b.inbox).messages, first - 1 + 10);
	assert_int_equal(box_folder(&b, b.other).messages, t.count);
	assert_int_equal(box_entry(&b, b.other, (uint32_t)t.count).copy_id, copy_id); /* H27 */
	assert_string_equal(box_keywords(&b, b.other, 1), "Work");
	assert_int_equal(owners_of(&b, b.other, 1), 1);
	assert_int_equal(message_find_gone(look(b.f), b.inbox, last, modseq, &gone), OK);
	assert_int_equal(gone.entry.copy_id, copy_id); /* a view reads it where it is now */
	box_is_clean(&b);
}

static void
test_move_few(void **state)
{
	move_some(state, 3, 60);
}

static void
test_move_many(void **state)
{
	move_some(state, 1, 3300);
}

/* IMP-05 off: the date is that of the copy, and flags are not kept. */
static void
test_copy_imp_05_resets(void **state)
{
	struct message_transfer t;
	static struct box b;

	box_init(&b, *state, 3);
	box_store(&b, b.inbox, 1, 3, FLAGS_ADD, FLAG_SEEN, "Work");
	b.f->later_ms = 5000000;
	t = transfer_of(&b, 1, 3, false);
	t.keep_date = false;
	t.keep_flags = 0;
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK);
	assert_int_equal(box_entry(&b, b.other, 1).flags, 0);
	assert_int_equal(box_entry(&b, b.other, 1).received_s,
		box_entry(&b, b.inbox, 1).received_s + 5000);
	t = transfer_of(&b, 1, 3, false);
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK);
	assert_int_equal(box_entry(&b, b.other, 4).flags, FLAG_SEEN | FLAG_KEYWORD(0));
	assert_int_equal(box_entry(&b, b.other, 4).received_s, box_entry(&b, b.inbox, 1).received_s);
	box_is_clean(&b);
}

/* Bits mean other names elsewhere: they go by name, and back. */
static void
test_transfer_carries_keywords_by_name(void **state)
{
	struct message_transfer t;
	static struct box b;

	box_init(&b, *state, 4);
	t = transfer_of(&b, 1, 1, false);
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK);
	box_store(&b, b.other, 1, 1, FLAGS_ADD, 0, "a b c d e f g h i j k l m n o");
	box_store(&b, b.inbox, 2, 3, FLAGS_ADD, 0, "x y b");
	t = transfer_of(&b, 2, 2, false);
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK);
	assert_string_equal(box_keywords(&b, b.other, 2), "b x y"); /* y found no bit */
	assert_true(box_entry(&b, b.other, 2).flags & FLAG_MORE_KEYWORDS);
	t = transfer_of(&b, 3, 3, true);
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK);
	assert_string_equal(box_keywords(&b, b.other, 3), "b x y");
	t = transfer_of(&b, 3, 3, true);
	t.from_folder_id = b.other;
	t.to_folder_id = b.inbox;
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK);
	assert_string_equal(box_keywords(&b, b.inbox, 5), "x y b");
	assert_false(box_entry(&b, b.inbox, 5).flags & FLAG_MORE_KEYWORDS);
	box_is_clean(&b);
}

static void
test_transfer_refuses(void **state)
{
	struct message_transfer t;
	static struct box b;

	box_init(&b, *state, 300);
	t = transfer_of(&b, 1, 2, true);
	t.to_folder_id = b.inbox;
	assert_int_equal(store_run_job_now(b.f->store, &t.job), ERR_EXISTS);
	t = transfer_of(&b, 1, 300, false);
	t.to_folder_id = 999;
	assert_int_equal(store_run_job_now(b.f->store, &t.job), ERR_NOT_FOUND);
	t = transfer_of(&b, 1, 2, false);
	t.to_folder_id = b.inbox; /* into itself: that is allowed */
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK);
	assert_int_equal(t.first_uid, 301);
	t = transfer_of(&b, 1, 300, false);
	t.to_folder_id = b.inbox;
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK);
	assert_int_equal(box_folder(&b, b.inbox).messages, 602);
	b.uids[0] = 4000; /* nothing of it is there */
	t = transfer_of(&b, 1, 1, true);
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK);
	assert_int_equal(t.count, 0);
	box_is_clean(&b);
}

/* All of a folder: what RENAME of INBOX means (RFC 9051, 6.3.6). */
static void
test_move_all_of_a_folder(void **state)
{
	struct message_transfer t;
	static struct box b;

	box_init(&b, *state, 1700);
	t = transfer_of(&b, 1, 1, true);
	t.list = (struct uid_list){ NULL, 0 };
	t.found = NULL;
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK);
	assert_int_equal(t.count, 1700);
	assert_int_equal(box_folder(&b, b.inbox).messages, 0);
	box_is_clean(&b);
}

static enum err
own_seen_on(struct txn *txn, void *arg)
{
	struct box *b = arg;

	return folder_set_attributes(txn, b->user_id, b->other, FOLDER_OWN_SEEN, 0);
}

/* Into a folder where each has his own \Seen. */
static void
test_copy_into_own_seen(void **state)
{
	struct message_transfer t;
	struct seen_reader seen;
	static struct box b;

	box_init(&b, *state, 500);
	box_store(&b, b.inbox, 1, 400, FLAGS_ADD, FLAG_SEEN, "");
	assert_int_equal(run(b.f, own_seen_on, &b), OK);
	t = transfer_of(&b, 1, 500, false);
	t.user_id = 4711;
	assert_int_equal(store_run_job_now(b.f->store, &t.job), OK);
	assert_int_equal(box_folder(&b, b.other).unseen, 500);
	seen_reader_init(&seen, b.other, 4711);
	assert_true(seen_is(look(b.f), &seen, 400));
	assert_false(seen_is(b.f->snap, &seen, 401));
}

/* ---- a crash before the last step ---- */

struct half {
	struct store_job job;
	struct message_transfer *t;
	enum step (*apply)(struct store_job *, struct txn *);
};

/* One slice of the transfer and no more. */
static enum step
half_apply(struct store_job *job, struct txn *txn)
{
	struct half *h = (struct half *)job;

	return h->apply(&h->t->job, txn) == STEP_FAIL ? STEP_FAIL : STEP_DONE;
}

static enum err
leftovers(struct txn *txn, void *arg)
{
	return folder_leftovers(txn, arg);
}

static void
test_half_a_copy_is_thrown_away(void **state)
{
	struct message_transfer t;
	struct half h = { .job = { .apply = half_apply }, .t = &t };
	bool more = true;
	static struct box b;

	box_init(&b, *state, 1000);
	t = transfer_of(&b, 1, 1000, false);
	h.apply = t.job.apply;
	assert_int_equal(store_run_job_now(b.f->store, &h.job), OK);
	assert_int_equal(box_folder(&b, b.other).messages, 0); /* nobody sees it */
	box_is_clean(&b);
	assert_int_equal(run(b.f, leftovers, &more), OK);
	assert_false(more); /* a job may be at work on it */
	b.f->later_ms = FOLDER_LEFTOVER_MS + 1;
	for (more = true; more;)
		assert_int_equal(run(b.f, leftovers, &more), OK);
	assert_int_equal(folder_next(look(b.f), FOLDER_OWNER_NOBODY, 0, &(struct folder){ 0 }),
		ERR_NOT_FOUND);
	assert_int_equal(box_folder(&b, b.inbox).messages, 1000);
	box_is_clean(&b);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_transfer(void)
{
	const struct CMUnitTest tests[] = {
		T(test_copy_few),
		T(test_copy_many),
		T(test_move_few),
		T(test_move_many),
		T(test_copy_imp_05_resets),
		T(test_transfer_carries_keywords_by_name),
		T(test_transfer_refuses),
		T(test_move_all_of_a_folder),
		T(test_copy_into_own_seen),
		T(test_half_a_copy_is_thrown_away),
	};

	return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
