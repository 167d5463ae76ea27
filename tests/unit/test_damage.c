/*
 * test_damage.c - one damaged row stops nothing but itself (H49): mail comes in, bins empty, graves
 * open, a restore holds the queue.
 */
#include "tests/unit/directory_fixture.h"

#include <stdio.h>

#include "store/backup.h"
#include "store/counts.h"
#include "store/folders.h"
#include "store/graves.h"
#include "store/messages.h"
#include "store/queued.h"
#include "store/traces.h"
#include "store/users.h"

#define HOUR_MS INT64_C(3600000)

struct row_arg {
	enum store_table table;
	struct key key;
};

static enum err
spoil(struct txn *txn, void *arg)
{
	struct row_arg *a = arg;

	return table_put(txn, a->table, &a->key, SPAN("damaged"));
}

static struct row_arg
number_row(enum store_table table, uint64_t id)
{
	struct row_arg a = { .table = table };

	key_u64(&a.key, id);
	return a;
}

static enum err
add_trace(struct txn *txn, void *arg)
{
	struct trace t = {
		.message_no = *(uint64_t *)arg,
		.time_ms = FIXTURE_NOW,
		.sender = SPAN("a@example.org"),
		.text = SPAN("ok"),
	};

	return trace_add(txn, &t);
}

static enum err
prune_all(struct txn *txn, void *arg)
{
	bool more = true;
	enum err err = OK;

	(void)arg;
	while (err == OK && more)
		err = traces_prune(txn, FIXTURE_NOW + 2 * HOUR_MS, UINT64_MAX, &more);
	return err;
}

static void
test_damage_h49_of_figures_lets_mail_in(void **state)
{
	struct fixture *f = *state;
	struct row_arg hour = { .table = TABLE_trace_hours }, counts = { .table = TABLE_counts };
	struct trace_query query = { .from = SPAN("a@example.org") };
	struct trace trace;
	uint64_t first = 7, second = 9, left;
	unsigned lines;

	key_begin(&hour.key);
	key_put_u32(&hour.key, (uint32_t)(FIXTURE_NOW / HOUR_MS));
	key_name(&counts.key, SPAN("directory"));
	assert_int_equal(run(f, add_trace, &first), OK);
	assert_int_equal(run(f, spoil, &hour), OK);
	assert_int_equal(run(f, spoil, &counts), OK);
	assert_int_equal(run(f, add_trace, &second), OK);
	assert_int_equal(trace_search(look(f), &query, &trace), OK);
	assert_int_equal(trace.message_no, second);
	assert_int_equal(trace_search(f->snap, &query, &trace), OK);
	assert_int_equal(trace.message_no, first);
	fixture_close(f);
	assert_int_equal(fixture_check(f, true, &lines), 0);
	fixture_open(f);
	assert_int_equal(run(f, spoil, &hour), OK);
	assert_int_equal(run(f, prune_all, NULL), OK);
	assert_int_equal(table_count(look(f), TABLE_traces, &left), OK);
	assert_int_equal(left, 0);
}

static void
test_damage_h49_of_a_folder_leaves_the_others(void **state)
{
	struct fixture *f = *state;
	uint64_t anna = fixture_user(f, "anna");
	struct row_arg row = { .table = TABLE_folders };
	struct folder folder;

	key_u64_u64(&row.key, anna, fixture_inbox(f, anna));
	assert_int_equal(run(f, spoil, &row), OK);
	assert_int_equal(folder_find(look(f), anna, SPAN("Sent"), &folder), OK);
	assert_span_eq(folder.name, "Sent");
	assert_int_equal(folder_find(f->snap, anna, SPAN("INBOX"), &folder), ERR_CORRUPT);
}

static void
test_damage_h49_of_a_block_lets_mail_in(void **state)
{
	struct fixture *f = *state;
	struct row_arg block = { .table = TABLE_entries };
	struct fixture_message m = { .user_id = fixture_user(f, "anna"), .body_size = 10 };
	struct entry entry;

	m.folder_id = fixture_inbox(f, m.user_id);
	assert_int_equal(run(f, fixture_place, &m), OK);
	key_u64_u32(&block.key, m.folder_id, m.uid);
	assert_int_equal(run(f, spoil, &block), OK);
	assert_int_equal(run(f, fixture_place, &m), OK);
	assert_int_equal(entry_find(look(f), m.folder_id, m.uid, &entry), OK);
	assert_int_equal(entry.uid, 2);
}

static enum err
bury_content(struct txn *txn, void *arg)
{
	return grave_add(txn, 1, GRAVE_CONTENT, *(uint64_t *)arg);
}

static enum err
open_graves(struct txn *txn, void *arg)
{
	return graves_free_some(txn, arg);
}

static void
test_damage_h49_of_a_body_on_its_way_opens_graves(void **state)
{
	struct fixture *f = *state;
	struct row_arg arriving = number_row(TABLE_arriving, 1);
	uint64_t nobody = 4242, left;
	bool more;

	assert_int_equal(run(f, spoil, &arriving), OK);
	assert_int_equal(run(f, bury_content, &nobody), OK);
	assert_int_equal(run(f, open_graves, &more), OK);
	assert_int_equal(table_count(look(f), TABLE_graves, &left), OK);
	assert_int_equal(left, 0);
}

/* ---- bins ---- */

static enum err
queue_three(struct txn *txn, void *arg)
{
	struct fixture_message m = { .body_size = 10 };
	struct queued_recipient r[2] = { { .address = SPAN("x@example.net") },
		{ .address = SPAN("y@example.net") } };
	enum err err = OK;

	for (uint64_t id = 1; id <= 3 && err == OK; id++) {
		struct queued q = { .queue_id = id };

		err = fixture_place(txn, &m);
		q.content_id = m.content_id;
		if (err == OK)
			err = queued_add(txn, &q, r, 2);
		if (err == OK && arg != NULL)
			err = queued_remove(txn, id, FIXTURE_NOW);
	}
	return err;
}

static struct row_arg
queue_row(uint64_t queue_id, uint32_t recipient_no)
{
	struct row_arg a = { .table = TABLE_queued };

	key_u64_u32(&a.key, queue_id, recipient_no);
	return a;
}

static enum err
empty_queue_bin(struct txn *txn, void *arg)
{
	return queued_purge_bin(txn, FIXTURE_NOW + 1, arg);
}

static void
test_damage_h49_in_the_queue_bin(void **state)
{
	struct fixture *f = *state;
	struct row_arg entry = queue_row(1, 0), recipient = queue_row(2, 1);
	struct queued q;
	bool more = true;

	assert_int_equal(run(f, queue_three, &more), OK);
	assert_int_equal(run(f, spoil, &entry), OK);
	assert_int_equal(run(f, spoil, &recipient), OK);
	assert_int_equal(run(f, empty_queue_bin, &more), OK);
	assert_int_equal(queued_find(look(f), 2, &q), ERR_NOT_FOUND);
	assert_int_equal(queued_find(f->snap, 3, &q), ERR_NOT_FOUND);
}

static enum err
remove_user(struct txn *txn, void *arg)
{
	return user_remove(txn, *(uint64_t *)arg, FIXTURE_NOW);
}

static enum err
empty_user_bin(struct txn *txn, void *arg)
{
	uint64_t at = 0;
	bool more = true;
	enum err err = OK;

	(void)arg;
	while (err == OK && more)
		err = users_purge_bin(txn, FIXTURE_NOW + 1, &at, &more);
	return err;
}

static void
test_damage_h49_in_the_user_bin(void **state)
{
	struct fixture *f = *state;
	uint64_t anna = fixture_user(f, "anna");
	struct fixture_message m = { .user_id = fixture_user(f, "carl"), .body_size = 10 };
	uint64_t bert = fixture_user(f, "bert");
	struct row_arg row = number_row(TABLE_users, anna), block = { .table = TABLE_entries };
	struct user user;

	m.folder_id = fixture_inbox(f, m.user_id);
	key_u64_u32(&block.key, m.folder_id, 1);
	assert_int_equal(run(f, fixture_place, &m), OK);
	assert_int_equal(run(f, spoil, &block), OK);
	assert_int_equal(run(f, remove_user, &m.user_id), OK);
	assert_int_equal(run(f, remove_user, &bert), OK);
	assert_int_equal(run(f, spoil, &row), OK);
	assert_int_equal(run(f, empty_user_bin, NULL), OK);
	assert_int_equal(user_find(look(f), bert, &user), ERR_NOT_FOUND);
}

/* ---- restore ---- */

/* Nothing of what a backup brings back may be sent, whatever is wrong beside it (H52). */
static void
test_damage_h52_restore_holds_the_rest(void **state)
{
	struct fixture *f = *state;
	struct row_arg entry = queue_row(1, 0), recipient = queue_row(2, 1);
	struct store_options options = fixture_options(f);
	struct queued_due due = { 0 };
	struct buf aside;
	struct queued q;
	char from[64], path[128], data[128];

	assert_int_equal(run(f, queue_three, NULL), OK);
	assert_int_equal(run(f, spoil, &entry), OK);
	assert_int_equal(run(f, spoil, &recipient), OK);
	fixture_close(f);
	fixture_folder(from, "backup");
	snprintf(path, sizeof(path), "%s/" BACKUP_FILE, from);
	snprintf(data, sizeof(data), "%s/" BACKUP_FILE, f->dir);
	assert_int_equal(rename(data, path), 0);
	buf_init(&aside, 500);
	assert_int_equal(backup_restore(from, &options, FIXTURE_NOW, &aside), OK);
	fixture_open(f);
	for (uint64_t id = 2; id <= 3; id++) {
		assert_int_equal(queued_find(look(f), id, &q), OK);
		assert_true(q.held);
	}
	while (queued_due_next(f->snap, &due) == OK) /* of those that could not be read */
		assert_true(due.queue_id == 1 || (due.queue_id == 2 && due.recipient_no == 1));
	buf_fini(&aside);
	fixture_remove(from);
}

int
test_damage(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_damage_h49_of_figures_lets_mail_in),
		T(test_damage_h49_of_a_folder_leaves_the_others),
		T(test_damage_h49_of_a_block_lets_mail_in),
		T(test_damage_h49_of_a_body_on_its_way_opens_graves),
		T(test_damage_h49_in_the_queue_bin),
		T(test_damage_h49_in_the_user_bin),
		T(test_damage_h52_restore_holds_the_rest),
	};
#undef T
	return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
