/*
 * test_net_work.c - queues by kind: their limits, what may run at once, where done runs.
 */
#include "tests/unit/test_net.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/net/work.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int running, most_running;
static int done_count;
static volatile int all_done;
static int wanted_done;
static pthread_t loop_thread_id;

static void
run_at_gate(struct work *w)
{
	int now = atomic_fetch_add(&running, 1) + 1;

	(void)w;
	if (now > most_running)
		most_running = now;
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	usleep(1000);
	atomic_fetch_sub(&running, 1);
}

static void
run_past_gate(struct work *w)
{
	(void)w;
}

static void
on_done(struct work *w, enum err result)
{
	(void)w;
	assert_int_equal(result, OK);
	assert_true(pthread_equal(pthread_self(), loop_thread_id));
	all_done = ++done_count == wanted_done;
}

static struct work *
make_work(struct loop *l, enum work_kind kind, size_t n)
{
	struct work *rows = calloc(n, sizeof(*rows));

	for (size_t i = 0; i < n; i++)
		rows[i] = (struct work){ .loop = l, .kind = kind, .run = run_at_gate,
			.done = on_done };
	done_count = 0;
	all_done = 0;
	most_running = 0;
	loop_thread_id = pthread_self();
	return rows;
}

static void
test_work_hashes_two_at_once_in_turn_h36(void **state)
{
	struct loop *l;
	struct workers *w;
	struct work *rows;

	(void)state;
	assert_int_equal(loop_open(&l), OK);
	assert_int_equal(workers_open(6, &w), OK);
	rows = make_work(l, WORK_HASH, 50);
	wanted_done = 50;
	for (int i = 0; i < 50; i++)
		assert_int_equal(workers_submit(w, &rows[i]), OK);
	test_net_turn_until(l, &all_done);
	assert_int_equal(most_running, 2);
	workers_close(&w);
	loop_close(&l);
	free(rows);
}

static void
test_work_full_queue_is_busy_and_leaves_others_alone_h36(void **state)
{
	struct loop *l;
	struct workers *w;
	struct work *rows, *other;
	int taken = 0;

	(void)state;
	assert_int_equal(loop_open(&l), OK);
	assert_int_equal(workers_open(2, &w), OK);
	workers_set_waiting(w, WORK_SEARCH, 200);
	pthread_mutex_lock(&gate);
	rows = make_work(l, WORK_SEARCH, 300);
	while (taken < 300 && workers_submit(w, &rows[taken]) == OK)
		taken++;
	assert_in_range(taken, 200, 202); /* the queue, and those that run */
	workers_set_waiting(w, WORK_SEARCH, 203); /* a reload: from now on */
	assert_int_equal(workers_submit(w, &rows[taken]), OK);
	taken++;
	other = make_work(l, WORK_GENERAL, 1);
	assert_int_equal(workers_submit(w, other), OK);
	assert_int_equal(workers_waiting(w, WORK_GENERAL), 1);
	wanted_done = taken + 1;
	pthread_mutex_unlock(&gate);
	test_net_turn_until(l, &all_done);
	workers_close(&w);
	loop_close(&l);
	free(rows);
	free(other);
}

/* The end does not wait for a worker that hangs. */
static void
test_work_end_gives_up_a_worker_that_hangs(void **state)
{
	struct loop *l;
	struct workers *w;
	struct work *rows;

	(void)state;
	assert_int_equal(loop_open(&l), OK);
	assert_int_equal(workers_open(2, &w), OK);
	pthread_mutex_lock(&gate);
	rows = make_work(l, WORK_GENERAL, 1);
	assert_int_equal(workers_submit(w, rows), OK);
	while (running == 0)
		usleep(1000);
	assert_false(workers_end(w, 50));
	pthread_mutex_unlock(&gate);
	assert_true(workers_end(w, 10000));
	workers_close(&w);
	loop_close(&l);
	free(rows);
}

/* Backups and imports run for minutes: a login must not wait for them. */
static void
test_work_that_is_long_leaves_threads_to_others_h36(void **state)
{
	struct loop *l;
	struct workers *w;
	struct work *rows, *hash;

	(void)state;
	assert_int_equal(loop_open(&l), OK);
	assert_int_equal(workers_open(0, &w), OK);
	assert_true(workers_threads(w) >= WORK_THREADS_MIN);
	pthread_mutex_lock(&gate);
	rows = make_work(l, WORK_LONG, 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(workers_submit(w, &rows[i]), OK);
	hash = make_work(l, WORK_HASH, 1);
	hash->run = run_past_gate;
	wanted_done = 1;
	assert_int_equal(workers_submit(w, hash), OK);
	test_net_turn_until(l, &all_done); /* though the eight are at the gate */
	wanted_done = 9;
	all_done = 0;
	pthread_mutex_unlock(&gate);
	test_net_turn_until(l, &all_done);
	assert_int_equal(most_running, 2);
	workers_close(&w);
	loop_close(&l);
	free(rows);
	free(hash);
}

static _Atomic int freed_count;

static void
free_itself(struct work *work)
{
	free(work);
	atomic_fetch_add(&freed_count, 1);
}

/* Work of which nobody hears: each runs once, by a worker or at their end. */
static void
test_work_that_nobody_waits_for_runs(void **state)
{
	struct workers *w;

	(void)state;
	freed_count = 0;
	assert_int_equal(workers_open(2, &w), OK);
	for (int i = 0; i < 2000; i++) {
		struct work *work = calloc(1, sizeof(*work));

		*work = (struct work){ .kind = WORK_GENERAL, .run = free_itself };
		assert_int_equal(workers_submit(w, work), OK);
	}
	workers_close(&w);
	assert_int_equal(freed_count, 2000);
}

int
test_net_work(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_work_hashes_two_at_once_in_turn_h36),
		cmocka_unit_test(test_work_full_queue_is_busy_and_leaves_others_alone_h36),
		cmocka_unit_test(test_work_end_gives_up_a_worker_that_hangs),
		cmocka_unit_test(test_work_that_is_long_leaves_threads_to_others_h36),
		cmocka_unit_test(test_work_that_nobody_waits_for_runs),
	};

	return cmocka_run_group_tests_name("work", tests, NULL, NULL);
}
