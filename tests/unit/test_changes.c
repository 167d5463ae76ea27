/*
 * test_changes.c - recording, undo, redo, clashes, limits.
 */
#include "tests/unit/directory_fixture.h"

#include <stdio.h>

#include "store/changes.h"
#include "store/folders.h"
#include "store/mappings.h"
#include "store/queued.h"
#include "store/users.h"

struct change_arg {
	uint64_t user_id, change_id, undo_id;
	const char *comment;
	struct buf object;
	unsigned rows;
	enum err inner;
};

static const struct change_start start = { .who = { "anna", 4 },
	.via = { "cli", 3 },
	.what = { "user.set", 8 },
	.object = { "bert", 4 },
	.now_ms = FIXTURE_NOW };

static enum err
set_comment(struct txn *txn, uint64_t user_id, const char *comment)
{
	struct user user;
	enum err err = user_find(txn_view(txn), user_id, &user);

	user.comment = span_of(comment);
	return err == OK ? user_set(txn, &user, FIXTURE_NOW) : err;
}

static enum err
change_comment(struct txn *txn, void *arg)
{
	struct change_arg *a = arg;
	struct change_recorder recorder;
	enum err err = change_begin(&recorder, txn, &start);

	if (err == OK)
		err = set_comment(txn, a->user_id, a->comment);
	a->change_id = recorder.change_id;
	return err == OK ? change_end(&recorder) : err;
}

static enum err
comment_aside(struct txn *txn, void *arg)
{
	struct change_arg *a = arg;

	return set_comment(txn, a->user_id, a->comment);
}

static enum err
undo(struct txn *txn, void *arg)
{
	struct change_arg *a = arg;

	return change_undo(txn, a->change_id, &start, &a->object, &a->undo_id);
}

static void
expect_comment(struct fixture *f, uint64_t user_id, const char *want)
{
	struct user user;

	assert_int_equal(user_find(look(f), user_id, &user), OK);
	assert_span_eq(user.comment, want);
}

static void
test_changes_undo_and_redo(void **state)
{
	struct fixture *f = *state;
	struct change_arg a = { .user_id = fixture_user(f, "bert"), .comment = "first" };
	struct change change;
	unsigned lines;

	buf_init(&a.object, 100);
	assert_int_equal(run(f, change_comment, &a), OK);
	fixture_reopen(f);
	assert_int_equal(change_find(look(f), a.change_id, &change), OK);
	assert_span_eq(change.who, "anna");
	assert_span_eq(change.what, "user.set");
	assert_int_equal(change.state, CHANGE_CAN_UNDO);
	assert_int_equal(change.rows, 1);
	assert_int_equal(change_undo_check(f->snap, a.change_id, NULL), OK);
	assert_int_equal(run(f, undo, &a), OK);
	expect_comment(f, a.user_id, "");
	assert_int_equal(change_find(f->snap, a.change_id, &change), OK);
	assert_int_equal(change.state, CHANGE_UNDONE);
	assert_int_equal(change.undone_by, a.undo_id);
	assert_int_equal(run(f, undo, &a), ERR_DENIED);
	a.change_id = a.undo_id; /* redo: the undo of the undo */
	assert_int_equal(run(f, undo, &a), OK);
	expect_comment(f, a.user_id, "first");
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
}

static void
test_changes_clash_names_the_object(void **state)
{
	struct fixture *f = *state;
	struct change_arg a = { .user_id = fixture_user(f, "bert"), .comment = "first" };
	char want[40];

	buf_init(&a.object, 100);
	assert_int_equal(run(f, change_comment, &a), OK);
	a.comment = "somebody else";
	assert_int_equal(run(f, comment_aside, &a), OK);
	assert_int_equal(change_undo_check(look(f), a.change_id, &a.object), ERR_EXISTS);
	snprintf(want, sizeof(want), "users %d", (int)a.user_id);
	assert_span_eq(buf_span(&a.object), want);
	assert_int_equal(run(f, undo, &a), ERR_EXISTS);
	expect_comment(f, a.user_id, "somebody else");
	buf_fini(&a.object);
}

static enum err
change_much(struct txn *txn, void *arg)
{
	struct change_arg *a = arg;
	struct change_recorder recorder;
	struct mapping m = { .target = SPAN("x") };
	char pattern[40];
	uint64_t id;
	enum err err = change_begin(&recorder, txn, &start);

	a->change_id = recorder.change_id;
	if (err == OK)
		err = user_rename(txn, a->user_id, SPAN("robert"), FIXTURE_NOW);
	if (err == OK)
		err = set_comment(txn, a->user_id, "one");
	if (err == OK)
		err = set_comment(txn, a->user_id, "two"); /* the same row thrice */
	for (unsigned i = 0; i < a->rows && err == OK; i++) {
		snprintf(pattern, sizeof(pattern), "name%u", i);
		m.pattern = span_of(pattern);
		err = mapping_add(txn, &m, FIXTURE_NOW, &id);
	}
	return err == OK ? change_end(&recorder) : err;
}

static void
test_changes_many_rows_and_repeated_ones(void **state)
{
	struct fixture *f = *state;
	struct change_arg a = { .user_id = fixture_user(f, "bert"), .rows = 300 };
	struct mapping_counts counts;
	struct user user;
	unsigned lines;

	buf_init(&a.object, 100);
	assert_int_equal(run(f, change_much, &a), OK);
	assert_int_equal(mapping_count(look(f), &counts), OK);
	assert_int_equal(counts.total, 300);
	assert_int_equal(change_undo_check(f->snap, a.change_id, NULL), OK);
	assert_int_equal(run(f, undo, &a), OK);
	assert_int_equal(mapping_count(look(f), &counts), OK);
	assert_int_equal(counts.total, 0);
	assert_int_equal(user_find_by_name(f->snap, SPAN("bert"), &user), OK);
	assert_int_equal(user.comment.len, 0);
	assert_int_equal(user_find_by_name(f->snap, SPAN("robert"), &user), ERR_NOT_FOUND);
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
}

static void
test_changes_too_large_stays_in_the_log(void **state)
{
	struct fixture *f = *state;
	struct change_arg a = {.user_id = fixture_user(f, "bert"), .rows = CHANGE_ROWS_MAX / 2 + 1};
	struct change change;

	assert_int_equal(run(f, change_much, &a), OK);
	assert_int_equal(change_find(look(f), a.change_id, &change), OK);
	assert_int_equal(change.state, CHANGE_CANNOT);
	assert_true(change.reason.len > 0);
	assert_int_equal(run(f, undo, &a), ERR_DENIED);
}

static enum err
change_and_fail(struct txn *txn, void *arg)
{
	struct change_arg *a = arg;
	struct change_recorder recorder;

	a->inner = change_begin(&recorder, txn, &start);
	a->inner = set_comment(txn, a->user_id, "lost");
	return ERR_LIMIT;
}

static void
test_changes_a_failed_job_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct change_arg a = { .user_id = fixture_user(f, "bert"), .comment = "aside" };
	struct change change;

	assert_int_equal(run(f, change_and_fail, &a), ERR_LIMIT);
	assert_int_equal(change_prev(look(f), 0, &change), ERR_NOT_FOUND);
	assert_int_equal(run(f, comment_aside, &a), OK); /* not recorded by the one that failed */
	assert_int_equal(change_prev(look(f), 0, &change), ERR_NOT_FOUND);
	expect_comment(f, a.user_id, "aside");
}

static enum err
config_change(struct txn *txn, void *arg)
{
	struct change_arg *a = arg;
	struct change_recorder recorder;
	struct change_start config = start;
	enum err err;

	config.config_no = 12;
	err = change_begin(&recorder, txn, &config);
	a->change_id = recorder.change_id;
	return err == OK ? change_end(&recorder) : err;
}

static void
test_changes_log_newest_first(void **state)
{
	struct fixture *f = *state;
	struct change_arg a = { .user_id = fixture_user(f, "bert"), .comment = "x" };
	struct change change;
	uint64_t first;

	assert_int_equal(run(f, change_comment, &a), OK);
	first = a.change_id;
	assert_int_equal(run(f, config_change, &a), OK);
	assert_int_equal(change_prev(look(f), 0, &change), OK);
	assert_int_equal(change.config_no, 12);
	assert_int_equal(change_last(f->snap, &change), OK);
	assert_int_equal(change.change_id, a.change_id);
	assert_int_equal(change_prev(f->snap, change.change_id, &change), OK);
	assert_int_equal(change.change_id, first);
	assert_int_equal(change_prev(f->snap, first, &change), ERR_NOT_FOUND);
	assert_int_equal(run(f, undo, &a), ERR_DENIED); /* the server carries that one out */
}

static enum err
change_in_vain(struct txn *txn, void *arg)
{
	struct change_recorder recorder;
	struct change_start cannot = start;
	enum err err = OK;

	(void)arg;
	cannot.cannot = SPAN("of a kind that has no way back");
	for (unsigned i = 0; i < CHANGE_LAST_LOOKS && err == OK; i++) {
		err = change_begin(&recorder, txn, &cannot);
		if (err == OK)
			err = change_end(&recorder);
	}
	return err;
}

/* Behind very many that cannot be undone the search ends: it holds a snapshot. */
static void
test_changes_last_is_not_sought_for_ever(void **state)
{
	struct fixture *f = *state;
	struct change_arg a = { .user_id = fixture_user(f, "bert"), .comment = "x" };
	struct change change;

	assert_int_equal(run(f, change_comment, &a), OK);
	assert_int_equal(change_last(look(f), &change), OK);
	assert_int_equal(run(f, change_in_vain, NULL), OK);
	assert_int_equal(change_last(look(f), &change), ERR_NOT_FOUND);
}

static enum err
queue_entry(struct txn *txn, void *arg)
{
	struct fixture_message *m = arg;
	struct queued_recipient r = {.address = SPAN("x@example.net"), .next_try_ms = FIXTURE_NOW};
	struct queued q = { .queue_id = 3, .size_bytes = 10 };
	enum err err = fixture_place(txn, m);

	q.content_id = m->content_id;
	return err == OK ? queued_add(txn, &q, &r, 1) : err;
}

static enum err
queue_remove(struct txn *txn, void *arg)
{
	struct change_arg *a = arg;
	struct change_recorder recorder;
	enum err err = change_begin(&recorder, txn, &start);

	a->change_id = recorder.change_id;
	if (err == OK)
		err = queued_remove(txn, 3, FIXTURE_NOW + 1000);
	return err == OK ? change_end(&recorder) : err;
}

/* The counters follow an undo, since they follow the rows. */
static void
test_changes_undo_of_queue_remove(void **state)
{
	struct fixture *f = *state;
	struct fixture_message m = { .body_size = 10 };
	struct change_arg a = { .change_id = 0 };
	struct queued_counts counts;
	struct queued_due due = { 0 };
	unsigned lines;

	buf_init(&a.object, 100);
	assert_int_equal(run(f, queue_entry, &m), OK);
	assert_int_equal(run(f, queue_remove, &a), OK);
	assert_int_equal(queued_count(look(f), &counts), OK);
	assert_int_equal(counts.bin, 1);
	assert_int_equal(run(f, undo, &a), OK);
	assert_int_equal(queued_count(look(f), &counts), OK);
	assert_int_equal(counts.bin, 0);
	assert_int_equal(counts.count, 1);
	assert_int_equal(queued_due_next(f->snap, &due), OK);
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
}

/* ---- what must not come back as it was ---- */

/* One recorded change that calls FN. */
struct recorded {
	fixture_fn *fn;
	struct change_arg *arg;
};

static enum err
record_it(struct txn *txn, void *arg)
{
	struct recorded *r = arg;
	struct change_recorder recorder;
	enum err err = change_begin(&recorder, txn, &start);

	if (err == OK)
		err = r->fn(txn, r->arg);
	r->arg->change_id = recorder.change_id;
	return err == OK ? change_end(&recorder) : err;
}

static void
run_recorded(struct fixture *f, fixture_fn *fn, struct change_arg *a)
{
	struct recorded r = { fn, a };

	assert_int_equal(run(f, record_it, &r), OK);
}

static enum err
set_password(struct txn *txn, void *arg)
{
	struct change_arg *a = arg;

	return user_set_password(
		txn, a->user_id, span_of(a->comment), SPAN_NONE, FIXTURE_NOW);
}

static void
test_changes_undo_h63_revisions_rise(void **state)
{
	struct fixture *f = *state;
	struct change_arg a = { .user_id = fixture_user(f, "bert"), .comment = "first" }, b;
	struct user user;
	uint64_t revision, password_revision;

	buf_init(&a.object, 100);
	run_recorded(f, comment_aside, &a);
	b = a;
	b.comment = "$7$second";
	run_recorded(f, set_password, &b);
	assert_int_equal(user_find(look(f), a.user_id, &user), OK);
	revision = user.revision;
	password_revision = user.password_revision;
	assert_int_equal(run(f, undo, &b), OK);
	assert_int_equal(user_find(look(f), a.user_id, &user), OK);
	assert_int_equal(user.password_hash.len, 0);
	assert_true(user.password_revision > password_revision);
	assert_true(user.revision > revision);
	/* the raised numbers are no clash for the change before */
	assert_int_equal(change_undo_check(f->snap, a.change_id, &a.object), OK);
	assert_int_equal(run(f, undo, &a), OK);
	expect_comment(f, a.user_id, "");
	buf_fini(&a.object);
}

static enum err
add_carl(struct txn *txn, void *arg)
{
	struct change_arg *a = arg;
	struct user user;

	user_init(&user);
	user.name = SPAN("carl");
	return user_add(txn, &user, FIXTURE_NOW, &a->user_id);
}

/* Mail may have come since: he goes to the bin, not away. */
static void
test_changes_undo_of_user_add_keeps_mail(void **state)
{
	struct fixture *f = *state;
	struct change_arg a = { .user_id = 0 };
	struct fixture_message m = { .body_size = 10 };
	struct folder folder;
	struct user user;
	unsigned lines;

	buf_init(&a.object, 100);
	run_recorded(f, add_carl, &a);
	m.user_id = a.user_id;
	m.folder_id = fixture_inbox(f, a.user_id);
	assert_int_equal(run(f, fixture_place, &m), OK);
	assert_int_equal(run(f, undo, &a), OK);
	assert_int_equal(user_find_by_name(look(f), SPAN("carl"), &user), ERR_NOT_FOUND);
	assert_int_equal(user_find(f->snap, a.user_id, &user), OK);
	assert_true(user.removed_ms != 0);
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0); /* no folder without a user */
	fixture_open(f);
	a.change_id = a.undo_id;
	assert_int_equal(run(f, undo, &a), OK); /* redo: he is back, with his mail */
	assert_int_equal(user_find_by_name(look(f), SPAN("carl"), &user), OK);
	assert_int_equal(folder_find(f->snap, user.user_id, SPAN("INBOX"), &folder), OK);
	assert_int_equal(folder.messages, 1);
	buf_fini(&a.object);
}

static enum err
set_admin(struct txn *txn, void *arg)
{
	struct change_arg *a = arg;
	struct user user;
	enum err err = user_find(txn_view(txn), a->user_id, &user);

	user.admin = a->rows;
	return err == OK ? user_set(txn, &user, FIXTURE_NOW) : err;
}

static void
test_changes_undo_usr_15_leaves_an_admin(void **state)
{
	struct fixture *f = *state;
	struct change_arg a = { .user_id = fixture_user(f, "anna"), .rows = true };
	struct change_arg b = { .user_id = fixture_user(f, "bert"), .rows = true };
	struct user user;

	buf_init(&b.object, 100);
	assert_int_equal(run(f, set_admin, &a), OK);
	run_recorded(f, set_admin, &b);
	a.rows = false;
	assert_int_equal(run(f, set_admin, &a), OK);
	assert_int_equal(run(f, undo, &b), ERR_DENIED); /* the last one */
	assert_int_equal(user_find(look(f), b.user_id, &user), OK);
	assert_true(user.admin);
	buf_fini(&b.object);
}

int
test_changes(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_changes_undo_and_redo),
		T(test_changes_clash_names_the_object),
		T(test_changes_many_rows_and_repeated_ones),
		T(test_changes_too_large_stays_in_the_log),
		T(test_changes_a_failed_job_leaves_nothing),
		T(test_changes_log_newest_first),
		T(test_changes_last_is_not_sought_for_ever),
		T(test_changes_undo_of_queue_remove),
		T(test_changes_undo_h63_revisions_rise),
		T(test_changes_undo_of_user_add_keeps_mail),
		T(test_changes_undo_usr_15_leaves_an_admin),
	};
#undef T
	return cmocka_run_group_tests_name("changes", tests, NULL, NULL);
}
