/*
 * test_store_fetched.c - what was fetched is remembered by collector, across new names, until it is swept (INM-05).
 */
#include "tests/unit/test_store.h"

#include <stdio.h>
#include <string.h>

#include "store/check.h"
#include "store/fetched.h"

#define DAY_MS INT64_C(86400000)

struct wish {
	const char *name, *to;
	uint64_t id;
	struct fetched row;
	int64_t now_ms;
	bool more;
	struct fetched_account account;
	struct fetched_entry entry;
};

/* ---- the file ---- */

static struct in_file {
	const char *name; /* NULL: no more of them */
	uint64_t mark;
} in_file[4];

static struct span
name_at(const void *of, size_t i)
{
	return span_of(((const struct in_file *)of)[i].name);
}

static uint64_t
mark_at(const void *of, size_t i)
{
	return ((const struct in_file *)of)[i].mark;
}

static struct fetched_file
file_now(void)
{
	struct fetched_file file = { in_file, 0, name_at, mark_at };

	while (file.count < COUNT(in_file) && in_file[file.count].name)
		file.count++;
	return file;
}

static void
file_has(struct in_file one, struct in_file other)
{
	memset(in_file, 0, sizeof(in_file));
	in_file[0] = one;
	in_file[1] = other;
}

/* ---- what is asked ---- */

static enum err
apply_enter(struct txn *txn, void *arg)
{
	struct wish *w = arg;
	struct fetched_file file = file_now();
	struct fetched_ask ask = { span_of(w->name), w->account, w->now_ms, &file };

	return fetched_collector_enter(txn, &ask, &w->entry);
}

static enum err
apply_free(struct txn *txn, void *arg)
{
	struct wish *w = arg;

	return fetched_collector_free(txn, span_of(w->name));
}

static enum err
apply_put(struct txn *txn, void *arg)
{
	struct wish *w = arg;

	return fetched_put(txn, w->id, &w->row);
}

static enum err
apply_drop(struct txn *txn, void *arg)
{
	struct wish *w = arg;

	return fetched_drop(txn, w->id, w->row.hash);
}

static enum err
apply_rename(struct txn *txn, void *arg)
{
	struct wish *w = arg;

	return fetched_rename(txn, span_of(w->name), span_of(w->to));
}

static enum err
apply_note(struct txn *txn, void *arg)
{
	struct wish *w = arg;

	return fetched_collector_note(txn, span_of(w->name), w->now_ms, true, SPAN("no answer"));
}

static enum err
apply_follow(struct txn *txn, void *arg)
{
	struct wish *w = arg;
	struct fetched_file file = file_now();

	return fetched_follow(txn, &file, w->now_ms);
}

static enum err
apply_sweep(struct txn *txn, void *arg)
{
	struct wish *w = arg;

	return fetched_sweep(txn, w->now_ms, &w->more);
}

static struct fetched_entry
enter_as(struct fixture *f, const char *name, uint64_t mark, const char *label, int64_t now_ms)
{
	struct wish w = { .name = name, .now_ms = now_ms, .account = { mark, span_of(label) } };

	assert_int_equal(run_now(f->store, apply_enter, &w), OK);
	return w.entry;
}

/* Of an account that nobody else has. */
static uint64_t
take(struct fixture *f, const char *name)
{
	return enter_as(f, name, 1000 + (uint64_t)(name[0] & ~32), "", 0).id;
}

static void
put(struct fixture *f, uint64_t id, unsigned n, enum fetched_state state)
{
	struct wish w = { .id = id, .row = { .first_s = 1000 + n, .fetched_s = 2000 + n,
		.state = (uint8_t)state } };

	snprintf((char *)w.row.hash, sizeof(w.row.hash), "%08u", n);
	assert_int_equal(run_now(f->store, apply_put, &w), OK);
}

/* How many rows ID has, read three at a time, in order. */
static size_t
count(struct fixture *f, uint64_t id)
{
	struct fetched rows[3], last = { .state = 0 };
	struct snapshot *snap;
	size_t all = 0, n = COUNT(rows);

	assert_int_equal(snapshot_open(f->store, &snap), OK);
	while (n == COUNT(rows)) {
		assert_int_equal(fetched_read(snap, id, all ? last.hash : NULL, rows, &n), OK);
		for (size_t i = 0; i < n; i++) {
			assert_true(!all || memcmp(rows[i].hash, last.hash, sizeof(last.hash)) > 0);
			last = rows[i];
			all++;
		}
	}
	snapshot_close(&snap);
	return all;
}

static void
test_rows_of_a_collector_inm_05(void **state)
{
	struct fixture *f = *state;
	uint64_t isp = take(f, "ISP"), other = take(f, "other");
	struct wish w = { .id = isp };
	struct snapshot *snap;
	struct fetched row;

	assert_int_equal(take(f, "isp"), isp);
	assert_true(other != isp);
	for (unsigned i = 0; i < 7; i++)
		put(f, isp, i, FETCHED_STORED);
	put(f, other, 1, FETCHED_SEEN);
	fixture_reopen(f);
	assert_int_equal(count(f, isp), 7);
	assert_int_equal(count(f, other), 1);
	assert_int_equal(count(f, 99), 0);
	snprintf((char *)w.row.hash, sizeof(w.row.hash), "%08u", 3);
	assert_int_equal(snapshot_open(f->store, &snap), OK);
	assert_int_equal(fetched_find(snap, isp, w.row.hash, &row), OK);
	assert_int_equal(row.first_s, 1003);
	assert_int_equal(row.fetched_s, 2003);
	assert_int_equal(row.state, FETCHED_STORED);
	snapshot_close(&snap);
	assert_int_equal(run_now(f->store, apply_drop, &w), OK);
	assert_int_equal(run_now(f->store, apply_drop, &w), OK);
	assert_int_equal(count(f, isp), 6);
}

static void
test_how_the_last_one_ended(void **state)
{
	struct fixture *f = *state;
	struct wish w = { .name = "isp", .now_ms = 77 };
	struct fetched_collector c;
	struct snapshot *snap;
	uint64_t id = take(f, "isp");

	assert_int_equal(run_now(f->store, apply_note, &w), OK);
	assert_int_equal(snapshot_open(f->store, &snap), OK);
	assert_int_equal(fetched_collector_find(snap, SPAN("Isp"), &c), OK);
	assert_int_equal(c.id, id);
	assert_int_equal(c.last_ms, 77);
	assert_true(c.failed && span_eq(c.error, SPAN("no answer")));
	assert_int_equal(fetched_collector_find(snap, SPAN("nobody"), &c), ERR_NOT_FOUND);
	snapshot_close(&snap);
}

static uint64_t
id_of(struct fixture *f, const char *name)
{
	struct fetched_collector c;
	struct snapshot *snap;
	enum err err;

	assert_int_equal(snapshot_open(f->store, &snap), OK);
	err = fetched_collector_find(snap, span_of(name), &c);
	snapshot_close(&snap);
	return err == OK ? c.id : 0;
}

static void
test_rename(void **state)
{
	struct fixture *f = *state;
	struct wish w = { .name = "isp", .to = "Provider" };
	uint64_t isp = take(f, "isp"), before = take(f, "provider");

	put(f, isp, 1, FETCHED_STORED);
	put(f, before, 2, FETCHED_STORED);
	assert_int_equal(run_now(f->store, apply_rename, &w), OK);
	assert_int_equal(id_of(f, "provider"), isp);
	assert_int_equal(id_of(f, "isp"), 0);
	assert_int_equal(count(f, isp), 1);
	w = (struct wish){ .name = "never", .to = "seen" };
	assert_int_equal(run_now(f->store, apply_rename, &w), OK);
	/* what the new name had before is its account's for its days */
	file_has((struct in_file){ "provider", 1 }, (struct in_file){ 0 });
	w = (struct wish){ .now_ms = DAY_MS };
	assert_int_equal(run_now(f->store, apply_follow, &w), OK);
	w.now_ms = FETCHED_KEPT_MS;
	assert_int_equal(run_now(f->store, apply_sweep, &w), OK);
	assert_int_equal(count(f, before), 1);
	w.now_ms = FETCHED_KEPT_MS + DAY_MS;
	assert_int_equal(run_now(f->store, apply_sweep, &w), OK);
	assert_int_equal(count(f, before), 0);
	assert_int_equal(count(f, isp), 1);
}

static void
test_swept_long_after_it_left_the_file(void **state)
{
	struct fixture *f = *state;
	struct wish w = { .now_ms = DAY_MS };
	uint64_t kept = take(f, "kept"), gone = take(f, "gone");

	file_has((struct in_file){ "KEPT", 1 }, (struct in_file){ 0 });
	put(f, kept, 1, FETCHED_STORED);
	for (unsigned i = 0; i < FETCHED_SLICE + 5; i++)
		put(f, gone, i, FETCHED_STORED);
	assert_int_equal(run_now(f->store, apply_follow, &w), OK);
	w.now_ms = FETCHED_KEPT_MS;
	assert_int_equal(run_now(f->store, apply_sweep, &w), OK);
	assert_false(w.more);
	w.now_ms = FETCHED_KEPT_MS + DAY_MS;
	assert_int_equal(run_now(f->store, apply_follow, &w), OK); /* not anew */
	assert_int_equal(run_now(f->store, apply_sweep, &w), OK);
	assert_true(w.more);
	assert_int_equal(count(f, gone), 5); /* a slice of one transaction */
	while (w.more)
		assert_int_equal(run_now(f->store, apply_sweep, &w), OK);
	assert_int_equal(count(f, gone), 0);
	assert_int_equal(count(f, kept), 1);
	assert_true(take(f, "gone") != gone);
}

static void
on_finding(void *arg, struct span line)
{
	(void)line;
	++*(unsigned *)arg;
}

static struct fetched_entry
look_at(struct fixture *f, const struct wish *w)
{
	struct fetched_file file = file_now();
	struct fetched_ask ask = { span_of(w->name), w->account, w->now_ms, &file };
	struct fetched_entry entry;
	struct snapshot *snap;

	assert_int_equal(snapshot_open(f->store, &snap), OK);
	assert_int_equal(fetched_collector_look(snap, &ask, &entry), OK);
	snapshot_close(&snap);
	return entry;
}

static struct fetched_entry
enter(struct fixture *f, uint64_t mark, const char *label, int64_t now_ms)
{
	struct wish w = { .name = "isp", .now_ms = now_ms, .account = { mark, span_of(label) } };
	struct fetched_entry before = look_at(f, &w);

	assert_int_equal(run_now(f->store, apply_enter, &w), OK);
	assert_int_equal(before.moved, w.entry.moved);
	assert_true(before.id == 0 || before.id == w.entry.id);
	assert_int_equal(look_at(f, &w).id, w.entry.id);
	return w.entry;
}

/* Rows belong to an account; those of another are put away, and are back in time. */
static void
test_accounts_of_a_collector_inm_05(void **state)
{
	struct fixture *f = *state;
	uint64_t isp = take(f, "isp");
	struct wish w = { .name = "ISP", .now_ms = 40 * DAY_MS };
	struct fetched_entry e;
	unsigned lines = 0;

	file_has((struct in_file){ "isp", 8 }, (struct in_file){ 0 });
	assert_int_equal(run_now(f->store, apply_free, &w), OK); /* of no account */
	e = enter(f, 7, "u at a", DAY_MS);
	assert_true(e.id == isp && !e.moved);
	put(f, isp, 1, FETCHED_STORED);
	e = enter(f, 8, "u at b", DAY_MS);
	assert_true(e.id != isp && e.moved);
	assert_string_equal(e.before, "u at a");
	put(f, e.id, 1, FETCHED_STORED);
	fixture_reopen(f);
	e = enter(f, 7, "u at a", 2 * DAY_MS);
	assert_int_equal(e.id, isp);
	assert_string_equal(e.before, "u at b");
	assert_int_equal(count(f, isp), 1);
	/* the same mailbox under another name */
	assert_int_equal(run_now(f->store, apply_free, &w), OK);
	e = enter(f, 9, "u at c", 3 * DAY_MS);
	assert_true(e.id == isp && !e.moved);
	/* b was not gone back to */
	assert_int_equal(run_now(f->store, apply_sweep, &w), OK);
	e = enter(f, 8, "u at b", 40 * DAY_MS);
	assert_int_equal(count(f, e.id), 0);
	w.name = "nobody";
	assert_int_equal(run_now(f->store, apply_free, &w), OK);
	store_close(&f->store);
	assert_int_equal(store_check(&f->options, false, on_finding, &lines), 0);
}

/* Rows whose name the file has no more go with their account; those of one that is there stay his. */
static void
test_renamed_in_the_file_inm_05(void **state)
{
	struct fixture *f = *state;
	uint64_t isp, other;
	struct wish w = { .now_ms = 2 * DAY_MS };
	unsigned lines = 0;

	file_has((struct in_file){ "isp", 7 }, (struct in_file){ "other", 8 });
	isp = enter_as(f, "isp", 7, "u at a", DAY_MS).id;
	other = enter_as(f, "other", 8, "u at b", DAY_MS).id;
	put(f, isp, 1, FETCHED_STORED);
	put(f, other, 1, FETCHED_STORED);
	assert_true(enter_as(f, "third", 7, "u at a", DAY_MS).id != isp);
	/* a collection, then the file alone */
	file_has((struct in_file){ "provider", 7 }, (struct in_file){ "other", 8 });
	assert_int_equal(enter_as(f, "provider", 7, "u at a", DAY_MS).id, isp);
	file_has((struct in_file){ "isp", 7 }, (struct in_file){ "other", 8 });
	assert_int_equal(run_now(f->store, apply_follow, &w), OK);
	assert_int_equal(enter_as(f, "isp", 7, "u at a", DAY_MS).id, isp);
	/* each has the name of the other */
	file_has((struct in_file){ "isp", 8 }, (struct in_file){ "other", 7 });
	assert_int_equal(enter_as(f, "isp", 8, "u at b", DAY_MS).id, other);
	assert_int_equal(enter_as(f, "other", 7, "u at a", DAY_MS).id, isp);
	/* away for a while: nobody else gets them */
	file_has((struct in_file){ "isp", 9 }, (struct in_file){ "other", 7 });
	assert_true(enter_as(f, "isp", 9, "u at c", DAY_MS).id != other);
	file_has((struct in_file){ "isp", 8 }, (struct in_file){ "fourth", 8 });
	assert_true(enter_as(f, "fourth", 8, "u at b", DAY_MS).id != other);
	assert_int_equal(enter_as(f, "isp", 8, "u at b", DAY_MS).id, other);
	/* too late */
	file_has((struct in_file){ 0 }, (struct in_file){ 0 });
	assert_int_equal(run_now(f->store, apply_follow, &w), OK);
	assert_true(enter_as(f, "fifth", 7, "u at a", 40 * DAY_MS).id != isp);
	store_close(&f->store);
	assert_int_equal(store_check(&f->options, false, on_finding, &lines), 0);
}

/* It came back in time. */
static void
test_comes_back_to_the_file(void **state)
{
	struct fixture *f = *state;
	struct wish w = { .now_ms = DAY_MS };
	uint64_t isp = take(f, "isp");

	put(f, isp, 1, FETCHED_STORED);
	assert_int_equal(run_now(f->store, apply_follow, &w), OK);
	file_has((struct in_file){ "isp", 1 }, (struct in_file){ 0 });
	w = (struct wish){ .now_ms = 20 * DAY_MS };
	assert_int_equal(run_now(f->store, apply_follow, &w), OK);
	w.now_ms = 100 * DAY_MS;
	assert_int_equal(run_now(f->store, apply_sweep, &w), OK);
	assert_false(w.more);
	assert_int_equal(count(f, isp), 1);
}

static void
test_check_mends(void **state)
{
	struct fixture *f = *state;
	struct wish w = { .now_ms = 0 };
	unsigned lines = 0;

	put(f, take(f, "isp"), 1, FETCHED_STORED);
	put(f, 12345, 1, FETCHED_STORED); /* of nobody */
	w = (struct wish){ .id = take(f, "isp"), .row = { .hash = "x", .state = 9 } };
	assert_int_equal(run_now(f->store, apply_put, &w), OK);
	store_close(&f->store);
	assert_int_equal(store_check(&f->options, false, on_finding, &lines), 1);
	assert_int_equal(lines, 2);
	assert_int_equal(store_check(&f->options, true, on_finding, &lines), 0);
	lines = 0;
	assert_int_equal(store_check(&f->options, false, on_finding, &lines), 0);
	assert_int_equal(lines, 0);
	assert_int_equal(store_open(&f->options, &f->store, &f->why), OK);
	assert_int_equal(count(f, take(f, "isp")), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
test_store_fetched(void)
{
	const struct CMUnitTest tests[] = { T(test_rows_of_a_collector_inm_05),
		T(test_how_the_last_one_ended), T(test_rename),
		T(test_swept_long_after_it_left_the_file), T(test_accounts_of_a_collector_inm_05),
		T(test_renamed_in_the_file_inm_05), T(test_comes_back_to_the_file), T(test_check_mends) };

	return cmocka_run_group_tests_name("store/fetched", tests, NULL, NULL);
}
