/*
 * test_bin.c - what leaves a folder: into the bin, back again, out of it; and who still reads it.
 */
#include "tests/unit/mail_fixture.h"

#include "store/expunged.h"
#include "store/folder_jobs.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

struct sweeping {
	struct bin_sweep sweep;
	bool more;
};

static enum err
sweep(struct txn *txn, void *arg)
{
	struct sweeping *s = arg;

	return bin_sweep_some(txn, &s->sweep, &s->more);
}

static void
sweep_all(struct box *b, uint64_t keep_ms)
{
	struct sweeping s = { .sweep = { .keep_ms = keep_ms }, .more = true };

	while (s.more)
		assert_int_equal(run(b->f, sweep, &s), OK);
}

static void
test_bin_rcy_01_comes_back_with_its_flags(void **state)
{
	struct restoring r = { .uid = 1 };
	struct message m;
	uint64_t copy_id;
	static struct box b;

	box_init(&b, *state, 100);
	r.user_id = b.user_id;
	box_store(&b, b.inbox, 40, 50, FLAGS_ADD, FLAG_ANSWERED | FLAG_DELETED, "Work");
	copy_id = box_entry(&b, b.inbox, 40).copy_id;
	box_bin(&b, b.inbox, 40, 50);
	assert_int_equal(b.binned.count, 11);
	assert_int_equal(box_folder(&b, b.inbox).messages, 89);
	fixture_reopen(b.f); /* RCY-02: survives a restart */
	assert_int_equal(run(b.f, box_restore, &r), OK);
	assert_int_equal(r.new_uid, 101); /* uid 40 stays spent (H27) */
	assert_int_equal(box_entry(&b, b.inbox, 101).copy_id, copy_id);
	assert_int_equal(box_entry(&b, b.inbox, 101).flags, FLAG_ANSWERED | FLAG_KEYWORD(0));
	assert_int_equal(message_find(look(b.f), b.inbox, 101, &m), OK);
	assert_int_equal(run(b.f, box_restore, &r), ERR_NOT_FOUND); /* it is there no more */
	box_is_clean(&b);
}

static void
test_bin_rcy_02_is_in_no_figure(void **state)
{
	struct folder_totals before, after;
	static struct box b;

	box_init(&b, *state, 30);
	assert_int_equal(folder_totals(look(b.f), b.user_id, &before), OK);
	box_bin(&b, b.inbox, 1, 10);
	assert_int_equal(folder_totals(look(b.f), b.user_id, &after), OK);
	assert_int_equal(after.messages, 20);
	assert_int_equal(after.held, 0);
	assert_int_equal(after.folders, before.folders);
	assert_int_equal(after.bytes * 3, before.bytes * 2);
}

static void
test_bin_rcy_01_ends_after_its_days(void **state)
{
	struct restoring r = { .uid = 1 };
	static struct box b;

	box_init(&b, *state, 400);
	r.user_id = b.user_id;
	box_bin(&b, b.inbox, 1, 300);
	b.f->later_ms = 29 * DAY_MS;
	box_bin(&b, b.inbox, 301, 310);
	sweep_all(&b, 30 * DAY_MS);
	assert_int_equal(run(b.f, box_restore, &r), OK); /* day 29 */
	b.f->later_ms = 31 * DAY_MS;
	sweep_all(&b, 30 * DAY_MS);
	r.uid = 2;
	assert_int_equal(run(b.f, box_restore, &r), ERR_NOT_FOUND); /* day 31 */
	r.uid = 301;
	assert_int_equal(run(b.f, box_restore, &r), OK); /* came later */
	assert_int_equal(box_folder(&b, b.binned.bin_id).held, 9);
	b.f->later_ms = 90 * DAY_MS;
	sweep_all(&b, 30 * DAY_MS);
	assert_int_equal(box_folder(&b, b.binned.bin_id).bytes, 0);
	box_is_clean(&b);
}

static uint64_t
rows_of(struct box *b, enum store_table table)
{
	uint64_t rows;

	assert_int_equal(table_count(look(b->f), table, &rows), OK);
	return rows;
}

/* One act is one row, whatever it removed; and rows go with what they told of. */
static void
test_bin_tells_an_act_once(void **state)
{
	static struct box b;

	box_init(&b, *state, 200);
	box_bin(&b, b.inbox, 1, 20);
	box_bin(&b, b.inbox, 30, 150); /* the same minute */
	assert_int_equal(rows_of(&b, TABLE_binned), 1);
	b.f->later_ms = DAY_MS;
	box_bin(&b, b.inbox, 151, 152);
	assert_int_equal(rows_of(&b, TABLE_binned), 2);
	b.f->later_ms = 31 * DAY_MS - 1;
	sweep_all(&b, 30 * DAY_MS);
	sweep_all(&b, 30 * DAY_MS);
	assert_int_equal(rows_of(&b, TABLE_binned), 1);
	assert_int_equal(box_folder(&b, b.binned.bin_id).held, 2);
	box_is_clean(&b);
}

/* 0 days: it is off, but a view may still read what left within the hour. */
static void
test_bin_off_waits_for_views(void **state)
{
	struct message m;
	uint64_t modseq;
	static struct box b;

	box_init(&b, *state, 10);
	box_store(&b, b.inbox, 5, 5, FLAGS_ADD, FLAG_FLAGGED, "");
	modseq = box_folder(&b, b.inbox).highest_modseq;
	box_bin(&b, b.inbox, 3, 6);
	sweep_all(&b, 0);
	assert_int_equal(message_find(look(b.f), b.inbox, 5, &m), ERR_NOT_FOUND);
	assert_int_equal(message_find_gone(b.f->snap, b.inbox, 5, modseq, &m), OK);
	assert_int_equal(m.entry.uid, 5);
	assert_int_equal(m.entry.flags, FLAG_FLAGGED);
	assert_int_equal(m.content.body_size, 40);
	assert_int_equal(message_find_gone(b.f->snap, b.inbox, 7, modseq, &m), ERR_NOT_FOUND);
	assert_int_equal( /* who synchronised since knows that it left */
		message_find_gone(b.f->snap, b.inbox, 5, b.binned.modseq, &m), ERR_NOT_FOUND);
	b.f->later_ms = BIN_KEEP_MIN_MS + 1;
	sweep_all(&b, 0);
	assert_int_equal(box_folder(&b, b.binned.bin_id).held, 0);
	assert_int_equal(
		message_find_gone(look(b.f), b.inbox, 5, modseq, &m), ERR_NOT_FOUND);
	box_is_clean(&b);
}

/* RFC 7162, 3.2.10: runs with their modseq, for VANISHED. */
static void
test_expunged_runs_are_told(void **state)
{
	struct expunged run = { .modseq = 0 };
	static struct box b;

	box_init(&b, *state, 100);
	b.uids[4] = 6; /* uids 3 4 6 in one call: two runs, one modseq */
	box_bin(&b, b.inbox, 3, 5);
	assert_int_equal(expunged_next(look(b.f), b.inbox, &run), OK);
	assert_int_equal(run.first_uid, 3);
	assert_int_equal(run.last_uid, 4);
	assert_int_equal(run.modseq, b.binned.modseq);
	assert_int_equal(expunged_next(b.f->snap, b.inbox, &run), OK);
	assert_int_equal(run.first_uid, 6);
	assert_int_equal(run.to_folder_id, b.binned.bin_id);
	assert_int_equal(expunged_next(b.f->snap, b.inbox, &run), ERR_NOT_FOUND);
	run = (struct expunged){ .modseq = b.binned.modseq }; /* since then: nothing */
	assert_int_equal(expunged_next(b.f->snap, b.inbox, &run), ERR_NOT_FOUND);
}

/* H28: all of a POP3 session in one commit, and in slices where that is not asked. */
static void
test_bin_takes_all_or_slices(void **state)
{
	static struct box b;

	box_init(&b, *state, BOX_MAX);
	b.blocks = 10;
	box_bin(&b, b.inbox, 1, BOX_MAX);
	assert_false(b.binned.all);
	assert_int_equal(b.binned.next, 10 * ENTRY_BLOCK);
	assert_int_equal(b.binned.count, b.binned.next);
	b.blocks = 0;
	box_bin(&b, b.inbox, 1, BOX_MAX);
	assert_true(b.binned.all);
	assert_int_equal(box_folder(&b, b.inbox).messages, 0);
	assert_int_equal(box_folder(&b, b.binned.bin_id).held, BOX_MAX);
	box_is_clean(&b);
}

static enum err
drop_binned(struct txn *txn, void *arg)
{
	struct box *b = arg;
	struct key key;

	key_u64_u32(&key, b->binned.bin_id, b->binned.first_uid);
	return table_put(txn, TABLE_binned, &key, SPAN("damage"));
}

/* H49: whence and when are lost, the message is not, and nobody throws it away early. */
static void
test_bin_h49_damaged_row(void **state)
{
	struct restoring r = { .uid = 1 };
	unsigned lines;
	static struct box b;

	box_init(&b, *state, 10);
	r.user_id = b.user_id;
	box_bin(&b, b.inbox, 1, 5);
	b.f->later_ms = 31 * DAY_MS;
	assert_int_equal(run(b.f, drop_binned, &b), OK);
	sweep_all(&b, 30 * DAY_MS);
	assert_int_equal(box_folder(&b, b.binned.bin_id).held, 5);
	fixture_close(b.f);
	assert_int_equal(fixture_check(b.f, true, &lines), 0);
	fixture_open(b.f);
	assert_int_equal(run(b.f, box_restore, &r), OK);
	assert_span_eq(r.to.name, "INBOX");
	sweep_all(&b, 30 * DAY_MS);
	assert_int_equal(box_folder(&b, b.binned.bin_id).held, 4);
	box_is_clean(&b);
}

/* What was in a folder that is gone makes it anew. */
static void
test_bin_makes_the_folder_again(void **state)
{
	struct restoring r = { .uid = 1 };
	struct folder_removal removal;
	struct folder folder;
	static struct box b;

	box_init(&b, *state, 3);
	r.user_id = b.user_id;
	box_store(&b, b.inbox, 1, 1, FLAGS_ADD, 0, "Kept");
	b.where = box_folder(&b, b.inbox);
	folder_removal_init(&removal);
	removal.user_id = b.user_id;
	removal.folder_id = b.other;
	box_bin(&b, b.inbox, 1, 1);
	assert_int_equal(run(b.f, box_restore, &r), OK);
	assert_string_equal(box_keywords(&b, b.inbox, r.new_uid), "Kept");
	assert_int_equal(store_run_job_now(b.f->store, &removal.job), OK);
	assert_int_equal(
		folder_find(look(b.f), b.user_id, SPAN("Archive"), &folder), ERR_NOT_FOUND);
	box_is_clean(&b);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_bin(void)
{
	const struct CMUnitTest tests[] = {
		T(test_bin_rcy_01_comes_back_with_its_flags),
		T(test_bin_rcy_02_is_in_no_figure),
		T(test_bin_rcy_01_ends_after_its_days),
		T(test_bin_tells_an_act_once),
		T(test_bin_off_waits_for_views),
		T(test_expunged_runs_are_told),
		T(test_bin_takes_all_or_slices),
		T(test_bin_h49_damaged_row),
		T(test_bin_makes_the_folder_again),
	};

	return cmocka_run_group_tests_name("bin", tests, NULL, NULL);
}
