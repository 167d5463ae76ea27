/*
 * test_message_ways.c - moves and flags of messages, the way back, and the end of the bin.
 */
#include "tests/unit/directory_fixture.h"

#include "store/bin.h"
#include "store/message_ways.h"

#define MESSAGES 5

struct act {
	uint64_t user_id, inbox, bin, change_id, undo_id;
	uint32_t uids[MESSAGES];
	size_t count;
	bool hold;
	struct bin_sweep sweep;
	bool more;
	struct buf clash;
};

static const struct change_start start = {
	.who = { "root", 4 },
	.via = { "cli", 3 },
	.what = { "message.remove", 14 },
	.object = { "anna 1", 6 },
	.now_ms = FIXTURE_NOW,
};

static enum err
make_bin(struct txn *txn, void *arg)
{
	struct act *a = arg;

	return folder_make(txn, a->user_id, FOLDER_BIN, &a->bin);
}

static void
begin(struct fixture *f, struct act *a)
{
	*a = (struct act){ .user_id = fixture_user(f, "anna") };
	buf_init(&a->clash, 100);
	a->inbox = fixture_inbox(f, a->user_id);
	assert_int_equal(run(f, make_bin, a), OK);
	for (unsigned i = 0; i < MESSAGES; i++) {
		struct fixture_message m = { .user_id = a->user_id, .folder_id = a->inbox,
			.body_size = 100, .seed = i };

		assert_int_equal(run(f, fixture_place, &m), OK);
		a->uids[i] = m.uid;
	}
	a->count = 2;
}

static enum err
remove_all(struct txn *txn, struct act *a)
{
	enum err err = OK;

	for (size_t i = 0; i < a->count && err == OK; i++) {
		struct folder inbox;
		uint32_t bin_uid;

		err = folder_get(txn_view(txn), a->user_id, a->inbox, &inbox);
		if (err == OK)
			err = message_way_bin(txn, &inbox, a->uids[i], &bin_uid);
	}
	return err;
}

static enum err
flag_all(struct txn *txn, struct act *a)
{
	enum err err = OK;

	for (size_t i = 0; i < a->count && err == OK; i++) {
		struct folder inbox;

		err = folder_get(txn_view(txn), a->user_id, a->inbox, &inbox);
		if (err == OK)
			err = message_way_hold(txn, &inbox, a->uids[i], a->hold);
	}
	return err;
}

static enum err
recorded(struct txn *txn, struct act *a, enum err (*body)(struct txn *, struct act *))
{
	struct change_recorder recorder;
	enum err err = change_begin(&recorder, txn, &start);

	if (err == OK)
		err = body(txn, a);
	a->change_id = recorder.change_id;
	return err == OK ? change_end(&recorder) : err;
}

static enum err
remove_recorded(struct txn *txn, void *arg)
{
	return recorded(txn, arg, remove_all);
}

static enum err
flag_recorded(struct txn *txn, void *arg)
{
	return recorded(txn, arg, flag_all);
}

static enum err
undo(struct txn *txn, void *arg)
{
	struct act *a = arg;

	return change_undo(txn, a->change_id, &start, &a->clash, &a->undo_id);
}

static enum err
sweep(struct txn *txn, void *arg)
{
	struct act *a = arg;

	return bin_sweep_some(txn, &a->sweep, &a->more);
}

static struct folder
folder_now(struct fixture *f, const struct act *a, uint64_t folder_id)
{
	struct folder folder;

	assert_int_equal(folder_get(look(f), a->user_id, folder_id, &folder), OK);
	return folder;
}

/* The copy_ids of a folder, added up: who is there, in whatever order. */
static uint64_t
copies_of(struct fixture *f, uint64_t folder_id)
{
	struct entry e = { .uid = 0 };
	uint64_t sum = 0;

	look(f);
	while (entry_next(f->snap, folder_id, e.uid, &e) == OK)
		sum += e.copy_id;
	return sum;
}

static void
test_move_h27_keeps_the_copy_and_comes_back(void **state)
{
	struct fixture *f = *state;
	struct message m;
	struct act a;
	unsigned lines;
	uint64_t all;

	begin(f, &a);
	all = copies_of(f, a.inbox);
	assert_int_equal(run(f, remove_recorded, &a), OK);
	assert_int_equal(folder_now(f, &a, a.inbox).messages, MESSAGES - 2);
	assert_int_equal(folder_now(f, &a, a.bin).messages, 0); /* held */
	assert_int_equal(folder_now(f, &a, a.bin).held, 2);
	assert_int_equal(copies_of(f, a.inbox) + copies_of(f, a.bin), all);
	assert_int_equal(message_find(f->snap, a.bin, 1, &m), OK);
	assert_int_equal(run(f, undo, &a), OK);
	assert_int_equal(folder_now(f, &a, a.inbox).messages, MESSAGES);
	assert_int_equal(folder_now(f, &a, a.bin).bytes, 0);
	assert_int_equal(copies_of(f, a.inbox), all);
	assert_int_equal(message_find(look(f), a.inbox, MESSAGES + 1, &m), OK);
	assert_int_equal(m.copy.keywords.len, 0);
	a.change_id = a.undo_id; /* again: the undo of the undo */
	assert_int_equal(run(f, undo, &a), OK);
	assert_int_equal(folder_now(f, &a, a.bin).held, 2);
	assert_int_equal(copies_of(f, a.inbox) + copies_of(f, a.bin), all);
	buf_fini(&a.clash);
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
}

static void
test_hold_can_be_undone(void **state)
{
	struct fixture *f = *state;
	struct change change;
	struct act a;

	begin(f, &a);
	a.hold = true;
	assert_int_equal(run(f, flag_recorded, &a), OK);
	assert_int_equal(folder_now(f, &a, a.inbox).held, 2);
	assert_int_equal(change_find(f->snap, a.change_id, &change), OK);
	assert_int_equal(change.rows, 2);
	assert_int_equal(run(f, undo, &a), OK);
	assert_int_equal(folder_now(f, &a, a.inbox).held, 0);
	/* for clients two messages left and two came (RFC 9051, 2.3.1.1) */
	assert_int_equal(folder_now(f, &a, a.inbox).expunged_rows, 2);
	assert_int_equal(folder_now(f, &a, a.inbox).uidnext, MESSAGES + 3);
	for (size_t i = 0; i < 2; i++)
		a.uids[i] += MESSAGES;
	a.hold = false;
	assert_int_equal(run(f, flag_recorded, &a), OK); /* nothing is held: nothing to take back */
	assert_int_equal(change_find(look(f), a.change_id, &change), OK);
	assert_int_equal(change.rows, 0);
	buf_fini(&a.clash);
}

/* The bin's time is over: what is gone cannot come back, and says so; the rest stays as it is. */
static void
test_bin_sweep_then_undo_is_a_clash(void **state)
{
	struct fixture *f = *state;
	struct act a;
	unsigned lines;

	begin(f, &a);
	assert_int_equal(run(f, remove_recorded, &a), OK);
	assert_int_equal(run(f, sweep, &a), OK); /* keeps nothing, but views may still read it */
	assert_false(a.more);
	assert_int_equal(folder_now(f, &a, a.bin).held, 2);
	f->later_ms = BIN_KEEP_MIN_MS + 1;
	assert_int_equal(run(f, sweep, &a), OK);
	assert_true(a.more);
	assert_int_equal(run(f, sweep, &a), OK);
	assert_false(a.more);
	assert_int_equal(folder_now(f, &a, a.bin).held, 0);
	assert_int_equal(folder_now(f, &a, a.inbox).messages, MESSAGES - 2);
	assert_int_equal(change_undo_check(f->snap, a.change_id, &a.clash), ERR_EXISTS);
	assert_true(span_eq(buf_span(&a.clash), SPAN("messages 2")));
	assert_int_equal(run(f, undo, &a), ERR_EXISTS);
	assert_int_equal(folder_now(f, &a, a.inbox).messages, MESSAGES - 2);
	buf_fini(&a.clash);
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
}

/* What cannot be moved is left as it was in the same transaction. */
static enum err
move_badly(struct txn *txn, void *arg)
{
	static char long_keywords[COPY_KEYWORDS_MAX + 1];
	struct act *a = arg;
	struct placement p = { .user_id = a->user_id, .folder_id = a->inbox };
	struct folder inbox;
	enum err err = folder_get(txn_view(txn), a->user_id, a->inbox, &inbox);

	if (err != OK)
		return err;
	assert_int_equal(message_move(txn, &inbox, a->uids[0], &p), ERR_EXISTS);
	p.folder_id = 999999;
	assert_int_equal(message_move(txn, &inbox, a->uids[0], &p), ERR_NOT_FOUND);
	p.folder_id = a->bin;
	p.keywords = (struct span){ long_keywords, sizeof(long_keywords) };
	assert_int_equal(message_move(txn, &inbox, a->uids[0], &p), ERR_LIMIT);
	p.keywords = SPAN_NONE;
	assert_int_equal(message_move(txn, &inbox, 77, &p), ERR_NOT_FOUND);
	return OK;
}

static void
test_move_refused_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct act a;
	unsigned lines;

	begin(f, &a);
	assert_int_equal(run(f, move_badly, &a), OK);
	assert_int_equal(folder_now(f, &a, a.inbox).messages, MESSAGES);
	assert_int_equal(folder_now(f, &a, a.bin).bytes, 0);
	buf_fini(&a.clash);
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
}

/* USR-10: figures that went wrong behind the server's back are right again. */
static enum err
spoil(struct txn *txn, void *arg)
{
	struct act *a = arg;
	struct folder inbox;
	enum err err = folder_get(txn_view(txn), a->user_id, a->inbox, &inbox);

	inbox.messages += 7;
	inbox.bytes = 1;
	inbox.unseen = 0;
	return err == OK ? folder_put(txn, &inbox) : err;
}

static enum err
recount(struct txn *txn, void *arg)
{
	struct act *a = arg;
	unsigned wrong = 99;
	enum err err = folders_recount(txn, a->user_id, &wrong);

	a->count = wrong;
	return err;
}

static void
test_recount_usr_10(void **state)
{
	struct fixture *f = *state;
	struct folder before, after;
	struct act a;
	unsigned lines;

	begin(f, &a);
	before = folder_now(f, &a, a.inbox);
	assert_int_equal(run(f, recount, &a), OK);
	assert_int_equal(a.count, 0);
	assert_int_equal(run(f, spoil, &a), OK);
	assert_int_equal(folder_now(f, &a, a.inbox).messages, MESSAGES + 7);
	assert_int_equal(run(f, recount, &a), OK);
	assert_int_equal(a.count, 1);
	after = folder_now(f, &a, a.inbox);
	assert_int_equal(after.messages, before.messages);
	assert_int_equal(after.bytes, before.bytes);
	assert_int_equal(after.unseen, before.unseen);
	buf_fini(&a.clash);
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_message_ways(void)
{
	const struct CMUnitTest tests[] = {
		T(test_move_h27_keeps_the_copy_and_comes_back),
		T(test_hold_can_be_undone),
		T(test_bin_sweep_then_undo_is_a_clash),
		T(test_move_refused_changes_nothing),
		T(test_recount_usr_10),
	};

	return cmocka_run_group_tests_name("message_ways", tests, NULL, NULL);
}
