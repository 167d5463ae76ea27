/*
 * test_store_ids.c - numbers are given once, whatever the clock or a crash does.
 */
#include "tests/unit/test_store.h"

#include <sys/wait.h>
#include <unistd.h>

#include "store/ids.h"
#include "store/lmdb_txn.h"

static enum err
apply_ids(struct txn *txn, void *arg)
{
	struct key key;

	*(uint64_t *)arg = id_next(txn, COUNTER_copy);
	key_u64(&key, *(uint64_t *)arg);
	return table_put(txn, TABLE_changes, &key, SPAN("id"));
}

static uint32_t last_uidvalidity;

static enum err
apply_uidvalidity(struct txn *txn, void *arg)
{
	uint32_t next = id_next_uidvalidity(txn);
	struct key key;

	(void)arg;
	assert_true(next > last_uidvalidity);
	last_uidvalidity = next;
	key_u64(&key, 1);
	return table_put(txn, TABLE_changes, &key, SPAN("id"));
}

/* The clock goes back a day: nothing that is given out does (H54). */
static void
test_ids_rise_when_the_clock_falls_h54(void **state)
{
	struct fixture *f = *state;

	last_uidvalidity = 0;
	assert_int_equal(run_now(f->store, apply_uidvalidity, NULL), OK);
	f->now_ms -= UINT64_C(86400000);
	assert_int_equal(run_now(f->store, apply_uidvalidity, NULL), OK);
	fixture_reopen(f);
	assert_int_equal(run_now(f->store, apply_uidvalidity, NULL), OK);
}

/* A clock beyond 2106 would not fit 32 bits: it must neither fall nor be 0. */
static void
test_ids_rise_when_the_clock_is_far_off_h54(void **state)
{
	struct fixture *f = *state;

	last_uidvalidity = 0;
	assert_int_equal(run_now(f->store, apply_uidvalidity, NULL), OK);
	f->now_ms = ((UINT64_C(1) << 32) + 5) * 1000;
	assert_int_equal(run_now(f->store, apply_uidvalidity, NULL), OK);
}

/* A child takes numbers and dies without a word: the next process gets others (H27). */
static void
test_ids_never_twice_after_a_kill_h27(void **state)
{
	struct fixture *f = *state;
	uint64_t seen[2], id, number;
	struct snapshot *snap;
	struct span value;
	struct key key;
	int pipe_fds[2], status;
	pid_t child;

	store_close(&f->store);
	assert_int_equal(pipe(pipe_fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (store_open(&f->options, &f->store, &f->why) != OK ||
			run_now(f->store, apply_ids, &seen[0]) != OK ||
			message_no_next(f->store, &seen[1]) != OK)
			_exit(1);
		_exit(write(pipe_fds[1], seen, sizeof(seen)) == sizeof(seen) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(read(pipe_fds[0], seen, sizeof(seen)), sizeof(seen));
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	assert_int_equal(store_open(&f->options, &f->store, &f->why), OK);
	assert_int_equal(snapshot_open(f->store, &snap), OK);
	key_u64(&key, seen[0]);
	assert_int_equal(table_get(snap, TABLE_changes, &key, &value), OK); /* as acknowledged */
	snapshot_close(&snap);
	assert_int_equal(run_now(f->store, apply_ids, &id), OK);
	assert_true(id > seen[0]);
	assert_int_equal(message_no_next(f->store, &number), OK);
	assert_true(number > seen[1]);
}

/*
 * Numbers outrun their block only where the writer cannot follow; across blocks they stay unique.
 */
static void
test_message_no_reserves_ahead(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0, number = 0;
	unsigned waits = 0;

	for (uint64_t i = 0; i < 2 * MESSAGE_NO_BLOCK; i++) {
		while (message_no_next(f->store, &number) == ERR_BUSY) {
			assert_true(waits++ < 10000);
			usleep(1000);
		}
		assert_true(number > last);
		last = number;
	}
	fixture_reopen(f);
	assert_int_equal(message_no_next(f->store, &number), OK);
	assert_true(number > last);
}

static enum err
apply_old_mark(struct txn *txn, void *arg)
{
	struct key key;

	txn->counters.message_no_mark = 5;
	key_u64(&key, 1);
	return table_put(txn, TABLE_changes, &key, *(struct span *)arg);
}

/* A number never looks like "1": it has six letters from the start, in an older store as well. */
static void
test_message_no_first(void **state)
{
	struct fixture *f = *state;
	struct span value = SPAN("x");
	uint64_t number;

	assert_int_equal(message_no_next(f->store, &number), OK);
	assert_true(number >= MESSAGE_NO_FIRST && number < 2 * MESSAGE_NO_FIRST);
	assert_int_equal(run_now(f->store, apply_old_mark, &value), OK);
	fixture_reopen(f);
	assert_int_equal(message_no_next(f->store, &number), OK);
	assert_int_equal(number, MESSAGE_NO_FIRST);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_store_ids(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ids_rise_when_the_clock_falls_h54),
		T(test_ids_rise_when_the_clock_is_far_off_h54),
		T(test_ids_never_twice_after_a_kill_h27),
		T(test_message_no_first),
		T(test_message_no_reserves_ahead),
	};

	return cmocka_run_group_tests_name("ids", tests, NULL, NULL);
}
