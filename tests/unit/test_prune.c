/*
 * test_prune.c - prune rules: what matches, their rows, a walk over mailboxes, what is taken, and when the
 * next round is (PRN-01 to PRN-10, Q-38).
 */
#include "tests/unit/mail_fixture.h"

#include <stdio.h>

#include "store/changes.h"
#include "store/message_transfer.h"
#include "store/prune.h"
#include "store/prune_round.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)
#define NOW_MS ((uint64_t)FIXTURE_NOW)

/* ---- the matching table ---- */

static const struct {
	struct prune_rule rule;
	struct prune_look look; /* first_ms: days old */
	bool matches;
} rows[] = {
	/* PRN-03: a name, INBOX in any case; `*` alone; `*` in company is no wildcard */
	{ { .folder = SPAN("Inbox") }, { .folder = SPAN("INBOX") }, true },
	{ { .folder = SPAN("INBOX") }, { .folder = SPAN("INBOX/Lists") }, false },
	{ { .folder = SPAN("Junk") }, { .folder = SPAN("Junk") }, true },
	{ { .folder = SPAN("Junk") }, { .folder = SPAN("junk") }, false },
	{ { .folder = SPAN("*") }, { .folder = SPAN("Work/2026") }, true },
	{ { .folder = SPAN("Inbox/*") }, { .folder = SPAN("INBOX/Lists") }, false },
	{ { .folder = SPAN("Inbox/*") }, { .folder = SPAN("INBOX") }, false },
	{ { .folder = SPAN("J*") }, { .folder = SPAN("Junk") }, false },
	/* PRN-04: days since it came; 0 is every message */
	{ { .folder = SPAN("*"), .age = 0 }, { .first_ms = 0 }, true },
	{ { .folder = SPAN("*"), .age = 1 }, { .first_ms = 0 }, false },
	{ { .folder = SPAN("*"), .age = 30 }, { .first_ms = 29 }, false },
	{ { .folder = SPAN("*"), .age = 30 }, { .first_ms = 30 }, true },
	{ { .folder = SPAN("*"), .age = 30 }, { .first_ms = 31 }, true },
	/* PRN-05: so many bytes at least */
	{ { .folder = SPAN("*"), .size = 1000 }, { .size = 999 }, false },
	{ { .folder = SPAN("*"), .size = 1000 }, { .size = 1000 }, true },
	{ { .folder = SPAN("*"), .size = 0 }, { .size = 0 }, true },
	/* PRN-06: read, unread, either; flagged, unflagged, either */
	{ { .folder = SPAN("*"), .read = PRUNE_READ }, { .flags = FLAG_SEEN }, true },
	{ { .folder = SPAN("*"), .read = PRUNE_READ }, { .flags = 0 }, false },
	{ { .folder = SPAN("*"), .read = PRUNE_UNREAD }, { .flags = FLAG_SEEN }, false },
	{ { .folder = SPAN("*"), .read = PRUNE_UNREAD }, { .flags = FLAG_FLAGGED }, true },
	{ { .folder = SPAN("*"), .flagged = PRUNE_FLAGGED }, { .flags = FLAG_FLAGGED }, true },
	{ { .folder = SPAN("*"), .flagged = PRUNE_FLAGGED }, { .flags = FLAG_SEEN }, false },
	{ { .folder = SPAN("*"), .flagged = PRUNE_UNFLAGGED }, { .flags = FLAG_FLAGGED }, false },
	{ { .folder = SPAN("*"), .flagged = PRUNE_UNFLAGGED }, { .flags = FLAG_SEEN }, true },
	/* PRN-07: ticked is a condition, unticked is none */
	{ { .folder = SPAN("*"), .deleted = true }, { .flags = FLAG_DELETED }, true },
	{ { .folder = SPAN("*"), .deleted = true }, { .flags = FLAG_SEEN }, false },
	{ { .folder = SPAN("*") }, { .flags = FLAG_DELETED }, true },
	{ { .folder = SPAN("*"), .spam = true }, { .spam = true }, true },
	{ { .folder = SPAN("*"), .spam = true }, { .spam = false }, false },
	{ { .folder = SPAN("*") }, { .spam = true }, true },
	/* PRN-02: all conditions must hold */
	{ { .folder = SPAN("*"), .age = 30, .read = PRUNE_READ, .flagged = PRUNE_UNFLAGGED },
		{ .flags = FLAG_SEEN, .first_ms = 40 }, true },
	{ { .folder = SPAN("*"), .age = 30, .read = PRUNE_READ, .flagged = PRUNE_UNFLAGGED },
		{ .flags = FLAG_SEEN | FLAG_FLAGGED, .first_ms = 40 }, false },
	{ { .folder = SPAN("*"), .age = 30, .read = PRUNE_READ, .flagged = PRUNE_UNFLAGGED },
		{ .flags = FLAG_SEEN, .first_ms = 10 }, false },
	{ { .folder = SPAN("Junk"), .size = 10, .spam = true },
		{ .folder = SPAN("Junk"), .size = 9, .spam = true }, false },
};

static void
test_prn_02_matching(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct prune_look look = rows[i].look;

		if (look.folder.len == 0)
			look.folder = SPAN("Any");
		look.first_ms = NOW_MS - look.first_ms * DAY_MS;
		if (prune_rule_matches(&rows[i].rule, &look, NOW_MS) != rows[i].matches)
			fail_msg("row %zu", i);
	}
	/* a clock that was set back makes nothing old */
	assert_false(prune_rule_matches(&(struct prune_rule){ .folder = SPAN("*"), .age = 1 },
		&(struct prune_look){ .folder = SPAN("A"), .first_ms = NOW_MS + 1 }, NOW_MS));
}

/* ---- rules in the store ---- */

struct arg {
	struct prune_rule rule;
	uint64_t change_id;
	enum { ADD, SET, REMOVE, UNDO, PURGE } act;
};

static enum err
act_on(struct txn *txn, struct arg *a)
{
	switch (a->act) {
	case ADD:
		return prune_rule_add(txn, &a->rule, FIXTURE_NOW, &a->rule.rule_id);
	case SET:
		return prune_rule_set(txn, &a->rule, FIXTURE_NOW + 1);
	case REMOVE:
		return prune_rule_remove(txn, &a->rule);
	default:
		return prune_rules_purge(txn, a->rule.user_id);
	}
}

static enum err
act(struct txn *txn, void *arg)
{
	struct change_start start = { .who = SPAN("test"), .what = SPAN("rule.prune"), .now_ms = 1 };
	struct change_recorder recorder;
	struct arg *a = arg;
	uint64_t undo_id;
	enum err err, ended;

	if (a->act == UNDO)
		return change_undo(txn, a->change_id, &start, NULL, &undo_id);
	err = change_begin(&recorder, txn, &start);
	a->change_id = recorder.change_id;
	if (err == OK)
		err = act_on(txn, a);
	ended = change_end(&recorder);
	return err == OK ? ended : err;
}

static uint64_t
add_rule(struct fixture *f, struct prune_rule rule)
{
	struct arg a = { .rule = rule, .act = ADD };

	assert_int_equal(run(f, act, &a), OK);
	return a.rule.rule_id;
}

/* Two sets, those for everybody first; each change has its undo. */
static void
test_prn_01_rules_are_kept(void **state)
{
	struct fixture *f = *state;
	struct prune_rule all = prune_rule_default(PRUNE_FOR_ALL), own, r = { .user_id = 0 };
	struct arg a = { .act = SET };
	struct snapshot *snap;
	unsigned lines;

	own = prune_rule_default(fixture_user(f, "anna"));
	assert_span_eq(all.folder, "INBOX"); /* PRN-03, PRN-05: the defaults */
	assert_int_equal(all.size, 0);
	own.folder = SPAN("*");
	own.rule_id = add_rule(f, own);
	all.rule_id = add_rule(f, all);
	snap = look(f);
	assert_int_equal(prune_rule_next(snap, &r), OK);
	assert_int_equal(r.rule_id, all.rule_id);
	assert_int_equal(r.age, 365);
	assert_int_equal(prune_rule_next(snap, &r), OK);
	assert_int_equal(r.user_id, own.user_id);
	assert_span_eq(r.folder, "*");
	assert_int_equal(prune_rule_next(snap, &r), ERR_NOT_FOUND);

	a.rule = own;
	a.rule.age = 7;
	assert_int_equal(run(f, act, &a), OK);
	assert_int_equal(prune_rule_find(look(f), own.rule_id, &r), OK);
	assert_int_equal(r.age, 7);
	a.act = UNDO;
	assert_int_equal(run(f, act, &a), OK);
	assert_int_equal(prune_rule_find(look(f), own.rule_id, &r), OK);
	assert_int_equal(r.age, 365);
	a.act = REMOVE;
	assert_int_equal(run(f, act, &a), OK);
	assert_int_equal(prune_rule_find(look(f), own.rule_id, &r), ERR_NOT_FOUND);
	a.act = UNDO;
	assert_int_equal(run(f, act, &a), OK);
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
	fixture_open(f);
	a.act = PURGE;
	assert_int_equal(run(f, act, &a), OK);
	assert_int_equal(prune_rule_find(look(f), own.rule_id, &r), ERR_NOT_FOUND);
	assert_int_equal(prune_rule_find(look(f), all.rule_id, &r), OK);
}

static void
test_prn_02_bad_rules(void **state)
{
	static char longest[PRUNE_FOLDER_MAX + 1];
	struct fixture *f = *state;
	struct arg a = { .rule = prune_rule_default(PRUNE_FOR_ALL), .act = ADD };

	add_rule(f, a.rule);
	assert_int_equal(run(f, act, &a), ERR_EXISTS); /* one says it already */
	a.rule.folder = SPAN("inbox");
	assert_int_equal(run(f, act, &a), ERR_EXISTS);
	a.rule.folder = SPAN("");
	assert_int_equal(run(f, act, &a), ERR_SYNTAX);
	a.rule.folder = FOLDER_BIN;
	assert_int_equal(run(f, act, &a), ERR_SYNTAX);
	memset(longest, 'a', sizeof(longest));
	a.rule.folder = (struct span){ longest, sizeof(longest) };
	assert_int_equal(run(f, act, &a), ERR_LIMIT);
	a.rule.folder = SPAN("*");
	a.rule.age = PRUNE_AGE_MAX + 1;
	assert_int_equal(run(f, act, &a), ERR_LIMIT);
	for (a.rule.age = 1; a.rule.age < PRUNE_RULES_A_USER; a.rule.age++)
		assert_int_equal(run(f, act, &a), OK);
	assert_int_equal(run(f, act, &a), ERR_LIMIT);
}

/* ---- scan and take ---- */

static bool
to_batch(void *arg, const struct prune_found *found)
{
	return prune_batch_add(arg, found);
}

static enum err
take(struct txn *txn, void *arg)
{
	bool more = true;
	enum err err = OK;

	while (err == OK && more) { /* one commit, as if each slice had its own */
		err = prune_take_some(txn, arg, &more);
		if (more)
			((struct prune_batch *)arg)->place.before =
				((struct prune_batch *)arg)->place.at;
		((struct prune_batch *)arg)->taken.before = ((struct prune_batch *)arg)->taken.at;
	}
	return err;
}

static struct prune_batch batch;

/* What a round finds at NOW_MS and DAYS; into the batch. */
static size_t
scan(struct box *b, uint64_t days, uint64_t only_user)
{
	struct prune_scan s = { .now_ms = NOW_MS + days * DAY_MS, .only_user = only_user };
	bool more = true;

	arena_init(&s.arena, NULL);
	prune_batch_clear(&batch);
	while (more && batch.count < PRUNE_BATCH)
		assert_int_equal(prune_scan_some(look(b->f), &s, to_batch, &batch, &more), OK);
	arena_reset(&s.arena);
	return batch.count;
}

static size_t
prune(struct box *b, uint64_t days)
{
	if (scan(b, days, 0) > 0)
		assert_int_equal(run(b->f, take, &batch), OK);
	return (size_t)batch.taken.at;
}

static void
move(struct box *b, uint32_t uid, bool copy)
{
	struct message_transfer t;

	message_transfer_init(&t);
	t.from_user_id = t.to_user_id = t.user_id = b->user_id;
	t.from_folder_id = b->inbox;
	t.to_folder_id = b->other;
	t.list = (struct uid_list){ &uid, 1 };
	t.move = !copy;
	t.keep_date = true;
	t.keep_flags = FLAGS_SYSTEM | FLAGS_KEYWORDS;
	assert_int_equal(store_run_job_now(b->f->store, &t.job), OK);
	assert_int_equal(t.count, 1);
}

/* PRN-04: neither a flag, nor a move, nor a copy makes a message younger. */
static void
test_prn_04_age_is_of_the_first_receipt(void **state)
{
	struct prune_rule rule = prune_rule_default(PRUNE_FOR_ALL);
	struct message m;
	static struct box b;

	box_init(&b, *state, 3);
	rule.folder = SPAN("*");
	rule.age = 30;
	add_rule(b.f, rule);
	b.f->later_ms = 20 * DAY_MS;
	box_store(&b, b.inbox, 1, 1, FLAGS_ADD, FLAG_FLAGGED, "");
	move(&b, 2, false);
	move(&b, 3, true);
	assert_int_equal(message_find(look(b.f), b.other, 1, &m), OK);
	assert_int_equal(m.copy.save_ms, NOW_MS + 20 * DAY_MS);
	assert_int_equal(m.copy.first_ms, NOW_MS);
	assert_int_equal(scan(&b, 29, 0), 0);
	assert_int_equal(scan(&b, 30, 0), 4);
	box_is_clean(&b);
}

/* PRN-10: to the bin, and back with its flags; what comes back is young again. */
static void
test_prn_10_to_the_bin_and_back(void **state)
{
	struct prune_rule rule = prune_rule_default(PRUNE_FOR_ALL);
	struct restoring r = { .uid = 1 };
	static struct box b;

	box_init(&b, *state, 200);
	r.user_id = b.user_id;
	rule.age = 30;
	rule.read = PRUNE_READ;
	add_rule(b.f, rule);
	box_store(&b, b.inbox, 10, 19, FLAGS_ADD, FLAG_SEEN | FLAG_ANSWERED, "Work");
	b.f->later_ms = 31 * DAY_MS;
	assert_int_equal(prune(&b, 31), 10);
	assert_int_equal(box_folder(&b, b.inbox).messages, 190);
	assert_int_equal(prune(&b, 31), 0);
	box_store(&b, b.inbox, 30, 30, FLAGS_ADD, FLAG_SEEN, ""); /* PRN-08 */
	assert_int_equal(prune(&b, 31), 1);
	assert_int_equal(run(b.f, box_restore, &r), OK);
	assert_int_equal(box_entry(&b, b.inbox, r.new_uid).flags,
		FLAG_SEEN | FLAG_ANSWERED | FLAG_KEYWORD(0));
	assert_int_equal(scan(&b, 60, 0), 0);
	assert_int_equal(scan(&b, 61, 0), 1);
	box_is_clean(&b);
}

/* PRN-07: the mark of a client or the server, as a bit of the folder, or beyond its bits as a word of the copy. */
static void
check_marks(struct fixture *f, bool no_bits)
{
	struct prune_rule rule = prune_rule_default(PRUNE_FOR_ALL);
	static struct box b;
	char word[8];

	box_init(&b, f, 10);
	rule.age = 0;
	rule.spam = true;
	add_rule(b.f, rule);
	for (unsigned i = 0; no_bits && i < FOLDER_KEYWORDS; i++) {
		snprintf(word, sizeof(word), "k%u", i);
		box_store(&b, b.inbox, 10, 10, FLAGS_ADD, 0, word);
	}
	assert_int_equal(scan(&b, 0, 0), 0);
	box_store(&b, b.inbox, 1, 1, FLAGS_ADD, 0, "$junk");
	box_store(&b, b.inbox, 2, 2, FLAGS_ADD, 0, "Junk");
	box_store(&b, b.inbox, 3, 3, FLAGS_ADD, 0, "$Junk $NotJunk");
	box_store(&b, b.inbox, 4, 4, FLAGS_ADD, 0, "Junk NonJunk");
	assert_int_equal(scan(&b, 0, 0), 2);
	assert_int_equal(batch.uids[1], 2);
	box_is_clean(&b);
}

static void
test_prn_07_spam_is_a_keyword(void **state)
{
	check_marks(*state, false);
}

static void
test_prn_07_spam_beyond_the_bits(void **state)
{
	check_marks(*state, true);
}

/* Held messages stay; so does what somebody touched since the scan, and rules of others' users. */
static enum err
hold(struct txn *txn, void *arg)
{
	struct box *b = arg;
	uint32_t new_uid;

	return message_hold(txn, &b->where, 5, true, &new_uid);
}

static void
test_prn_01_takes_what_was_found(void **state)
{
	struct prune_rule rule = { .folder = SPAN("*") };
	static struct box b;

	box_init(&b, *state, 1000);
	b.where = box_folder(&b, b.inbox);
	b.where.name = b.where.extra = SPAN_NONE;
	assert_int_equal(run(b.f, hold, &b), OK);
	rule.user_id = fixture_user(b.f, "carl");
	add_rule(b.f, rule);
	assert_int_equal(scan(&b, 1, 0), 0); /* his own are none */
	assert_int_equal(scan(&b, 1, b.user_id), 0);
	rule.user_id = b.user_id;
	add_rule(b.f, rule);
	assert_int_equal(scan(&b, 1, 0), 999);
	assert_int_equal(scan(&b, 1, rule.user_id + 1000), 0);
	assert_int_equal(scan(&b, 1, b.user_id), 999);
	box_store(&b, b.inbox, 100, 149, FLAGS_ADD, FLAG_FLAGGED, "");
	assert_int_equal(run(b.f, take, &batch), OK);
	assert_int_equal(batch.taken.at, 949);
	assert_int_equal(box_folder(&b, b.inbox).messages, 50);
	assert_int_equal(box_folder(&b, b.inbox).held, 1);
	assert_int_equal(prune(&b, 1), 50);
	box_is_clean(&b);
}

/* ---- rounds ---- */

static void
test_prn_09_pace(void **state)
{
	static const struct {
		uint64_t every_min, count, after_min;
	} paces[] = {
		{ 60, 0, 120 }, { 60, 1, 60 }, { 60, PRUNE_MUCH, 30 }, { 5, 100000, 5 },
		{ 7, PRUNE_MUCH, 5 }, { 1000, 0, 1440 }, { 1440, 0, 1440 }, { 0, 1, 5 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(paces); i++) {
		struct prune_round r = { .every_ms = paces[i].every_min * 60000 };

		r = prune_round_after(&r, paces[i].count, NOW_MS);
		assert_int_equal(r.every_ms, paces[i].after_min * 60000);
		assert_int_equal(r.next_ms, NOW_MS + r.every_ms);
		assert_int_equal(r.last_count, paces[i].count);
		r = prune_round_soon(&r, NOW_MS);
		assert_int_equal(r.next_ms, NOW_MS + PRUNE_EVERY_MIN_MS);
	}
}

static enum err
put_round(struct txn *txn, void *arg)
{
	return prune_round_put(txn, arg);
}

static void
test_prn_09_pace_survives_a_restart(void **state)
{
	struct fixture *f = *state;
	struct prune_round r = { 1, 2, 3, 4 }, got;

	assert_int_equal(prune_round_get(look(f), &got), OK);
	assert_int_equal(got.every_ms, PRUNE_EVERY_FIRST_MS);
	assert_int_equal(run(f, put_round, &r), OK);
	fixture_reopen(f);
	assert_int_equal(prune_round_get(look(f), &got), OK);
	assert_memory_equal(&got, &r, sizeof(r));
}

int
test_prune(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prn_02_matching),
		cmocka_unit_test(test_prn_09_pace),
		T(test_prn_01_rules_are_kept),
		T(test_prn_02_bad_rules),
		T(test_prn_04_age_is_of_the_first_receipt),
		T(test_prn_10_to_the_bin_and_back),
		T(test_prn_07_spam_is_a_keyword),
		T(test_prn_07_spam_beyond_the_bits),
		T(test_prn_01_takes_what_was_found),
		T(test_prn_09_pace_survives_a_restart),
	};
#undef T

	return cmocka_run_group_tests_name("prune", tests, NULL, NULL);
}
