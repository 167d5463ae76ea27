/*
 * test_message_flags.c - what STORE orders: flags, keywords by name, UNCHANGEDSINCE, own \Seen.
 */
#include "tests/unit/mail_fixture.h"

#include "store/seen.h"

static void
test_store_changes_only_what_changes(void **state)
{
	static struct box b;
	struct folder before, after;

	box_init(&b, *state, 200);
	before = box_folder(&b, b.inbox);
	box_store(&b, b.inbox, 10, 120, FLAGS_ADD, FLAG_SEEN | FLAG_FLAGGED, "");
	after = box_folder(&b, b.inbox);
	assert_int_equal(b.result.changed, 111);
	assert_int_equal(b.result.next, 111);
	assert_int_equal(b.result.modseq, before.highest_modseq + 1); /* one for all of it */
	assert_int_equal(after.highest_modseq, b.result.modseq);
	assert_int_equal(after.unseen, before.unseen - 111);
	assert_int_equal(box_entry(&b, b.inbox, 10).modseq, b.result.modseq);
	assert_true(box_entry(&b, b.inbox, 9).modseq < b.result.modseq);
	box_store(&b, b.inbox, 10, 120, FLAGS_ADD, FLAG_SEEN, ""); /* they had it: RFC 7162, 3.1.3 */
	assert_int_equal(b.result.modseq, 0);
	assert_int_equal(box_folder(&b, b.inbox).highest_modseq, after.highest_modseq);
	box_store(&b, b.inbox, 10, 10, FLAGS_REPLACE, FLAG_DELETED, "");
	assert_int_equal(box_entry(&b, b.inbox, 10).flags, FLAG_DELETED);
	assert_int_equal(box_folder(&b, b.inbox).deleted, 1);
	box_store(&b, b.inbox, 1, 200, FLAGS_REMOVE, FLAG_DELETED | FLAG_SEEN, "");
	assert_int_equal(b.result.changed, 111);
	assert_int_equal(box_folder(&b, b.inbox).unseen, 200);
	box_is_clean(&b);
}

/* RFC 7162, 3.1.3: what changed since is left and named; the others change. */
static void
test_store_unchanged_since_names_those_that_failed(void **state)
{
	static struct box b;

	box_init(&b, *state, 10);
	box_store(&b, b.inbox, 3, 4, FLAGS_ADD, FLAG_ANSWERED, "");
	b.order.unchanged_since = b.result.modseq - 1;
	box_store(&b, b.inbox, 1, 10, FLAGS_ADD, FLAG_SEEN, "");
	assert_int_equal(b.result.failed_count, 2);
	assert_int_equal(b.failed[0], 3);
	assert_int_equal(b.failed[1], 4);
	assert_int_equal(b.result.changed, 8);
	assert_int_equal(box_entry(&b, b.inbox, 3).flags, FLAG_ANSWERED);
	assert_int_equal(box_entry(&b, b.inbox, 5).flags, FLAG_SEEN);
}

static void
test_store_keywords_have_names(void **state)
{
	static struct box b;
	struct folder_keywords names;

	box_init(&b, *state, 3);
	box_store(&b, b.inbox, 1, 2, FLAGS_ADD, 0, "$Forwarded Work");
	box_store(&b, b.inbox, 1, 1, FLAGS_ADD, FLAG_SEEN, "work"); /* RFC 9051, 2.3.2: no case */
	assert_int_equal(box_entry(&b, b.inbox, 1).flags,
		FLAG_SEEN | FLAG_KEYWORD(0) | FLAG_KEYWORD(1));
	assert_string_equal(box_keywords(&b, b.inbox, 1), "$Forwarded Work");
	box_store(&b, b.inbox, 1, 1, FLAGS_REMOVE, 0, "$forwarded unheard-of");
	assert_string_equal(box_keywords(&b, b.inbox, 1), "Work");
	assert_int_equal(folder_keywords_get(look(b.f), b.inbox, &names), OK);
	assert_int_equal(names.count, 2); /* what is only removed needs no bit */
	box_store(&b, b.inbox, 1, 3, FLAGS_REPLACE, 0, "Work");
	assert_string_equal(box_keywords(&b, b.inbox, 2), "Work");
	assert_string_equal(box_keywords(&b, b.inbox, 3), "Work");
	box_is_clean(&b);
}

/* The 17th keyword of a folder is a word of the copy, and comes and goes as the others do. */
static void
test_store_more_keywords_than_bits(void **state)
{
	static struct box b;
	uint64_t modseq;

	box_init(&b, *state, 3);
	box_store(&b, b.inbox, 1, 1, FLAGS_ADD, 0, "a b c d e f g h i j k l m n o p");
	box_store(&b, b.inbox, 1, 2, FLAGS_ADD, 0, "q r");
	assert_string_equal(box_keywords(&b, b.inbox, 1), "a b c d e f g h i j k l m n o p q r");
	assert_string_equal(box_keywords(&b, b.inbox, 2), "q r");
	assert_true(box_entry(&b, b.inbox, 2).flags & FLAG_MORE_KEYWORDS);
	modseq = b.result.modseq;
	box_store(&b, b.inbox, 1, 2, FLAGS_ADD, 0, "R");
	assert_int_equal(b.result.changed, 0);
	box_store(&b, b.inbox, 1, 2, FLAGS_REMOVE, 0, "r");
	assert_int_equal(b.result.changed, 2);
	assert_true(b.result.modseq > modseq);
	assert_string_equal(box_keywords(&b, b.inbox, 2), "q");
	box_store(&b, b.inbox, 2, 2, FLAGS_REPLACE, FLAG_SEEN, "a z");
	assert_string_equal(box_keywords(&b, b.inbox, 2), "a z");
	box_store(&b, b.inbox, 2, 2, FLAGS_REPLACE, 0, "");
	assert_string_equal(box_keywords(&b, b.inbox, 2), "");
	assert_int_equal(box_entry(&b, b.inbox, 2).flags, 0);
	box_is_clean(&b);
}

/* RFC 4314, 4: only what the rights allow changes. */
static enum err
store_seen_only(struct txn *txn, void *arg)
{
	struct box *b = arg;

	b->order.may = FLAG_SEEN;
	return message_store(txn, &b->where, b->list, &b->order, &b->result);
}

static void
test_store_leaves_what_may_not_change(void **state)
{
	static struct box b;

	box_init(&b, *state, 2);
	box_store(&b, b.inbox, 1, 1, FLAGS_ADD, FLAG_FLAGGED, "Work");
	b.order.op = FLAGS_REPLACE;
	b.order.flags = FLAG_SEEN | FLAG_DELETED;
	b.order.keyword_count = 0;
	assert_int_equal(run(b.f, store_seen_only, &b), OK);
	assert_int_equal(box_entry(&b, b.inbox, 1).flags,
		FLAG_SEEN | FLAG_FLAGGED | FLAG_KEYWORD(0));
}

static enum err
own_seen_on(struct txn *txn, void *arg)
{
	struct box *b = arg;

	return folder_set_attributes(txn, b->user_id, b->inbox, FOLDER_OWN_SEEN, 0);
}

/* SHF: the reader's \Seen is his own, the owner's is the entry's; the modseq tells both. */
static void
test_store_own_seen(void **state)
{
	struct seen_reader seen;
	struct folder folder;
	uint32_t unseen;
	static struct box b;

	box_init(&b, *state, 100);
	assert_int_equal(run(b.f, own_seen_on, &b), OK);
	b.order.user_id = 4711;
	box_store(&b, b.inbox, 1, 70, FLAGS_ADD, FLAG_SEEN | FLAG_FLAGGED, "");
	folder = box_folder(&b, b.inbox);
	assert_int_equal(folder.unseen, 100);
	assert_int_equal(box_entry(&b, b.inbox, 70).flags, FLAG_FLAGGED);
	assert_int_equal(box_entry(&b, b.inbox, 70).modseq, b.result.modseq);
	seen_reader_init(&seen, b.inbox, 4711);
	assert_true(seen_is(b.f->snap, &seen, 70));
	assert_false(seen_is(b.f->snap, &seen, 71));
	assert_int_equal(seen_count_unseen(b.f->snap, b.inbox, 4711, &unseen), OK);
	assert_int_equal(unseen, 30);
	box_store(&b, b.inbox, 1, 70, FLAGS_ADD, FLAG_SEEN, "");
	assert_int_equal(b.result.changed, 0);
	box_store(&b, b.inbox, 1, 1, FLAGS_REPLACE, 0, "");
	assert_int_equal(seen_count_unseen(look(b.f), b.inbox, 4711, &unseen), OK);
	assert_int_equal(unseen, 31);
	b.order.user_id = b.user_id; /* the owner */
	box_store(&b, b.inbox, 1, 2, FLAGS_ADD, FLAG_SEEN, "");
	assert_int_equal(box_folder(&b, b.inbox).unseen, 98);
	box_is_clean(&b);
}

/* A large order goes in slices, each with a modseq of its own. */
static void
test_store_goes_in_slices(void **state)
{
	size_t from = 0, slices = 0;
	uint64_t modseq = 0;
	static struct box b;

	box_init(&b, *state, BOX_MAX);
	b.where = box_folder(&b, b.inbox);
	box_store(&b, b.inbox, 1, 16, FLAGS_ADD, 0, "a b c d e f g h i j k l m n o p");
	for (; from < BOX_MAX; from += b.result.next, slices++) {
		box_store(&b, b.inbox, (uint32_t)from + 1, BOX_MAX, FLAGS_ADD, 0, "q");
		assert_true(b.result.next > 0 && b.result.modseq > modseq);
		modseq = b.result.modseq;
	}
	assert_true(slices > 1); /* each copy is rewritten: that is much for one */
	for (uint32_t uid = 17; uid <= BOX_MAX; uid += 500)
		assert_string_equal(box_keywords(&b, b.inbox, uid), "q");
}

/* A job whose slice writes nothing goes on all the same: no commit tells it so. */
struct idle_job {
	struct store_job job;
	struct slice_place place;
	unsigned calls;
};

static enum step
idle_apply(struct store_job *job, struct txn *txn)
{
	struct idle_job *idle = (struct idle_job *)job;

	idle->calls++;
	idle->place.at = slice_begin(&idle->place, txn) + 1;
	return idle->place.at < 5 && idle->calls < 100 ? STEP_MORE : STEP_DONE;
}

static void
test_slices_that_write_nothing_end(void **state)
{
	struct idle_job idle = { .job = { .apply = idle_apply } };
	struct fixture *f = *state;

	assert_int_equal(store_run_job_now(f->store, &idle.job), OK);
	assert_int_equal(idle.calls, 5);
}

/* What a session reads that was there at a modseq: the blocks with something newer. */
static void
test_changed_blocks_are_found(void **state)
{
	struct entry_block block;
	uint64_t modseq;
	uint32_t last;
	static struct box b;

	box_init(&b, *state, 1000);
	modseq = box_folder(&b, b.inbox).highest_modseq;
	box_store(&b, b.inbox, 500, 500, FLAGS_ADD, FLAG_SEEN, "");
	look(b.f);
	assert_int_equal(entry_block_changed(b.f->snap, b.inbox, 0, modseq, 100, &block, &last), OK);
	assert_in_range(500, block.entries[0].uid, block.entries[block.count - 1].uid);
	assert_int_equal(entry_block_changed(b.f->snap, b.inbox, last, modseq, 100, &block, &last),
		ERR_NOT_FOUND);
	assert_int_equal(entry_block_changed(b.f->snap, b.inbox, 0, modseq, 3, &block, &last), OK);
	assert_int_equal(block.count, 0); /* a pause after three looks */
	assert_int_equal(last, 3 * ENTRY_BLOCK);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_message_flags(void)
{
	const struct CMUnitTest tests[] = {
		T(test_store_changes_only_what_changes),
		T(test_store_unchanged_since_names_those_that_failed),
		T(test_store_keywords_have_names),
		T(test_store_more_keywords_than_bits),
		T(test_store_leaves_what_may_not_change),
		T(test_store_own_seen),
		T(test_store_goes_in_slices),
		T(test_slices_that_write_nothing_end),
		T(test_changed_blocks_are_found),
	};

	return cmocka_run_group_tests_name("message_flags", tests, NULL, NULL);
}
