/*
 * test_store_commit.c - groups of jobs: what fails is undone alone, what is done is on disk, limits
 * hold.
 */
#include "tests/unit/test_store.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/lmdb_txn.h"


/* A job that writes a row of `changes` under KEY, then ends as the test wants. */
struct row_job {
	struct store_job job;
	uint64_t key;
	enum step step;
	bool fails_early; /* before it writes */
	bool breaks;      /* as if it had met a page that cannot be read */
	bool was_done;
	enum err result;
	unsigned runs;
};

static enum step
row_apply(struct store_job *job, struct txn *txn)
{
	struct row_job *r = LIST_ITEM(job, struct row_job, job);
	struct key key;

	r->runs++;
	job->err = ERR_EXISTS;
	if (r->fails_early)
		return STEP_FAIL;
	txn->view.broken |= r->breaks;
	key_u64(&key, r->key);
	if (table_put(txn, TABLE_changes, &key, SPAN("x")) != OK)
		return STEP_FAIL;
	txn_note_folder(txn, r->key);
	return r->step;
}

static void
row_done(struct store_job *job, enum err result)
{
	struct row_job *r = LIST_ITEM(job, struct row_job, job);

	r->was_done = true;
	r->result = result;
}

static bool
has_row(struct store *store, uint64_t id)
{
	struct snapshot *snap;
	struct span value;
	struct key key;
	enum err err;

	assert_int_equal(snapshot_open(store, &snap), OK);
	key_u64(&key, id);
	err = table_get(snap, TABLE_changes, &key, &value);
	snapshot_close(&snap);
	return err == OK;
}

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	unsigned woken;
};

static void
gate_wake(void *arg)
{
	struct gate *g = arg;

	pthread_mutex_lock(&g->lock);
	g->woken++;
	pthread_cond_signal(&g->cond);
	pthread_mutex_unlock(&g->lock);
}

/* Run the inbox until COUNT jobs are done. */
static void
wait_for(struct gate *g, struct store_inbox *inbox, size_t count)
{
	while (count > 0) {
		pthread_mutex_lock(&g->lock);
		while (g->woken == 0)
			pthread_cond_wait(&g->cond, &g->lock);
		g->woken = 0;
		pthread_mutex_unlock(&g->lock);
		count -= store_inbox_run(inbox);
	}
}

/*
 * A job that holds the writer until the others of the test are submitted: then they are one group.
 */
struct hold_job {
	struct store_job job;
	pthread_mutex_t *lock;
};

static enum step
hold_apply(struct store_job *job, struct txn *txn)
{
	(void)txn;
	pthread_mutex_lock(LIST_ITEM(job, struct hold_job, job)->lock);
	pthread_mutex_unlock(LIST_ITEM(job, struct hold_job, job)->lock);
	return STEP_DONE;
}

static void
run_together(struct store *store, struct row_job *rows, size_t count)
{
	struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };
	pthread_mutex_t hold = PTHREAD_MUTEX_INITIALIZER;
	struct hold_job first = { .job = { .apply = hold_apply }, .lock = &hold };
	struct store_inbox inbox;

	store_inbox_init(&inbox, gate_wake, &gate);
	pthread_mutex_lock(&hold);
	first.job.inbox = &inbox;
	assert_int_equal(store_submit(store, &first.job), OK);
	for (size_t i = 0; i < count; i++) {
		rows[i].job.apply = row_apply;
		rows[i].job.done = row_done;
		rows[i].job.inbox = &inbox;
		assert_int_equal(store_submit(store, &rows[i].job), OK);
	}
	pthread_mutex_unlock(&hold);
	wait_for(&gate, &inbox, count + 1);
	store_inbox_fini(&inbox);
}

/* One of a group fails after it wrote: it alone is undone, the others are on disk. */
static void
test_commit_failing_job_alone(void **state)
{
	struct fixture *f = *state;
	struct row_job rows[5] = {
		{ .key = 1, .step = STEP_DONE },
		{ .key = 2, .step = STEP_FAIL },
		{ .key = 3, .step = STEP_DONE, .fails_early = true },
		{ .key = 4, .step = STEP_DONE },
		{ .key = 5, .step = STEP_FAIL },
	};
	struct store_stats stats;

	run_together(f->store, rows, COUNT(rows));
	fixture_reopen(f);
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool good = rows[i].key == 1 || rows[i].key == 4;

		assert_true(rows[i].was_done);
		assert_int_equal(rows[i].result, good ? OK : ERR_EXISTS);
		assert_int_equal(has_row(f->store, rows[i].key), good);
	}
	assert_int_equal(store_stats(f->store, &stats), OK);
	assert_int_equal(f->errors, 0);
}

/* A failure before the first write costs no second run. */
static void
test_commit_early_failure_is_cheap(void **state)
{
	struct fixture *f = *state;
	struct row_job rows[3] = {
		{ .key = 1, .step = STEP_DONE },
		{ .key = 2, .fails_early = true },
		{ .key = 3, .step = STEP_DONE },
	};
	struct store_stats stats;

	run_together(f->store, rows, COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(rows[i].runs, 1);
	assert_int_equal(store_stats(f->store, &stats), OK);
	assert_int_equal(stats.reruns, 0);
	assert_int_equal(stats.jobs, 4);
	assert_int_equal(stats.jobs_failed, 1);
	assert_int_equal(stats.jobs_waiting, 0);
	assert_true(has_row(f->store, 3));
}

/*
 * A job that makes nothing of a page that cannot be read: LMDB refuses to commit what stands in
 * that transaction, so it must go alone (H49).
 */
static void
test_commit_unreadable_page_fails_alone_h49(void **state)
{
	struct fixture *f = *state;
	struct row_job rows[3] = {
		{ .key = 1, .step = STEP_DONE },
		{ .key = 2, .step = STEP_DONE, .breaks = true },
		{ .key = 3, .step = STEP_DONE },
	};

	run_together(f->store, rows, COUNT(rows));
	assert_int_equal(rows[0].result, OK);
	assert_int_equal(rows[1].result, ERR_IO);
	assert_int_equal(rows[2].result, OK);
	assert_true(has_row(f->store, 3));
	assert_false(has_row(f->store, 2));
}

/* A machine with much else to do ends a group early: then once more. */
static void
run_in_one_commit(struct fixture *f, struct row_job *rows, size_t count)
{
	struct store_stats before, after;

	for (unsigned tries = 0; tries < 20; tries++) {
		assert_int_equal(store_stats(f->store, &before), OK);
		run_together(f->store, rows, count);
		assert_int_equal(store_stats(f->store, &after), OK);
		if (after.commits == before.commits + 1)
			return;
	}
	fail_msg("never in one commit");
}

/* The folders that a commit changed are named once, those of a failed job not at all. */
static void
test_commit_names_changed_folders(void **state)
{
	struct fixture *f = *state;
	struct row_job rows[4] = {
		{ .key = 9, .step = STEP_DONE },
		{ .key = 3, .step = STEP_DONE },
		{ .key = 9, .step = STEP_DONE },
		{ .key = 5, .step = STEP_FAIL },
	};

	run_in_one_commit(f, rows, COUNT(rows));
	assert_int_equal(f->changed_count, 2);
	assert_int_equal(f->changed[0], 3);
	assert_int_equal(f->changed[1], 9);
}

struct slices {
	struct store_job job;
	uint64_t rows; /* how many slices there are */
};

/*
 * A patient job: each slice counts in a row, so that any run of it goes on where the commits stand.
 */
static enum step
slice_apply(struct store_job *job, struct txn *txn)
{
	struct slices *s = LIST_ITEM(job, struct slices, job);
	uint64_t count = 0;
	struct span value;
	struct key key;

	key_u64(&key, 1);
	if (table_get(txn_view(txn), TABLE_changes, &key, &value) == OK)
		memcpy(&count, value.ptr, sizeof(count));
	count++;
	value = (struct span){ (const char *)&count, sizeof(count) };
	if (table_put(txn, TABLE_changes, &key, value) != OK)
		return STEP_FAIL;
	return count < s->rows ? STEP_MORE : STEP_DONE;
}

static void
test_commit_patient_slices(void **state)
{
	struct fixture *f = *state;
	struct slices s = { .job = { .apply = slice_apply, .patient = true }, .rows = 7 };
	struct store_stats before, after;

	assert_int_equal(store_stats(f->store, &before), OK);
	assert_int_equal(store_run_job_now(f->store, &s.job), OK);
	assert_int_equal(store_stats(f->store, &after), OK);
	assert_int_equal(after.commits - before.commits, 7); /* a slice a commit */
	assert_true(has_row(f->store, 1));
}

struct slow_job {
	struct store_job job;
	unsigned *order; /* of done() */
	unsigned place;
};

static enum step
slow_apply(struct store_job *job, struct txn *txn)
{
	(void)txn;
	if (!job->patient)
		usleep((COMMIT_GROUP_MS + 2) * 1000);
	return STEP_DONE;
}

static void
slow_done(struct store_job *job, enum err result)
{
	struct slow_job *s = LIST_ITEM(job, struct slow_job, job);

	assert_int_equal(result, OK);
	s->place = (*s->order)++;
}

/* Urgent jobs that fill the time of every group: a patient one still gets its slice. */
static void
test_commit_patient_is_not_starved(void **state)
{
	struct fixture *f = *state;
	struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };
	struct slow_job jobs[6];
	struct store_inbox inbox;
	unsigned order = 0;

	store_inbox_init(&inbox, gate_wake, &gate);
	for (size_t i = 0; i < COUNT(jobs); i++) {
		jobs[i] = (struct slow_job){ .order = &order };
		jobs[i].job = (struct store_job){ .apply = slow_apply, .done = slow_done,
			.inbox = &inbox, .patient = i == 1 };
		assert_int_equal(store_submit(f->store, &jobs[i].job), OK);
	}
	wait_for(&gate, &inbox, COUNT(jobs));
	store_inbox_fini(&inbox);
	assert_in_range(jobs[1].place, 0, 2);
	for (size_t i = 3; i < COUNT(jobs); i++) /* the urgent ones in their order */
		assert_true(jobs[i].place > jobs[i - 1].place);
}

/* More than the list holds is refused, and nothing of it is lost or run. */
static void
test_commit_list_limit(void **state)
{
	struct fixture *f = *state;
	struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };
	pthread_mutex_t hold = PTHREAD_MUTEX_INITIALIZER;
	struct hold_job first = { .job = { .apply = hold_apply }, .lock = &hold };
	struct row_job big = { .job = { .apply = row_apply, .size_bytes = COMMIT_WAITING_BYTES },
		.key = 1 };
	struct row_job more = { .job = { .apply = row_apply, .size_bytes = 1 }, .key = 2 };
	struct store_inbox inbox;

	store_inbox_init(&inbox, gate_wake, &gate);
	first.job.inbox = big.job.inbox = more.job.inbox = &inbox;
	pthread_mutex_lock(&hold);
	assert_int_equal(store_submit(f->store, &first.job), OK);
	assert_int_equal(store_submit(f->store, &big.job), OK);
	assert_int_equal(store_submit(f->store, &more.job), ERR_BUSY);
	pthread_mutex_unlock(&hold);
	wait_for(&gate, &inbox, 2);
	assert_int_equal(store_submit(f->store, &more.job), OK);
	wait_for(&gate, &inbox, 1);
	store_inbox_fini(&inbox);
}

/* A server that writes rows 1, 2, 3, ... and says so after each commit, until it is killed. */
static void
write_until_killed(struct fixture *f, uint64_t first, int fd)
{
	struct store *store;

	if (store_open(&f->options, &store, &f->why) != OK)
		_exit(1);
	for (uint64_t n = first;; n++) {
		struct row_job r = { .job = { .apply = row_apply }, .key = n, .step = STEP_DONE };

		if (store_run_job_now(store, &r.job) != OK ||
			write(fd, &n, sizeof(n)) != sizeof(n))
			_exit(1);
	}
}

/* kill -9 at any moment: what was acknowledged is there, and the store opens again (H40, H80). */
static void
test_commit_survives_kills_h40(void **state)
{
	struct fixture *f = *state;
	uint64_t acknowledged = 0, n;
	int fds[2], status;

	store_close(&f->store);
	for (unsigned round = 0; round < 8; round++) {
		pid_t child;

		assert_int_equal(pipe(fds), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			write_until_killed(f, acknowledged + 1, fds[1]);
		close(fds[1]);
		assert_int_equal(read(fds[0], &n, sizeof(n)), sizeof(n)); /* it is at work */
		acknowledged = n;
		usleep(3000 * round);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		while (read(fds[0], &n, sizeof(n)) == sizeof(n))
			acknowledged = n;
		close(fds[0]);
		assert_int_equal(store_open(&f->options, &f->store, &f->why), OK);
		for (n = 1; n <= acknowledged; n++)
			assert_true(has_row(f->store, n));
		store_close(&f->store);
	}
	assert_int_equal(store_open(&f->options, &f->store, &f->why), OK);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_store_commit(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_commit_failing_job_alone),
		T(test_commit_early_failure_is_cheap),
		T(test_commit_unreadable_page_fails_alone_h49),
		T(test_commit_names_changed_folders),
		T(test_commit_patient_slices),
		T(test_commit_patient_is_not_starved),
		T(test_commit_list_limit),
		T(test_commit_survives_kills_h40),
	};

	return cmocka_run_group_tests_name("store commit", tests, NULL, NULL);
}
