/*
 * commit.c - the one writer of the database.
 *
 * Jobs wait in two lists; the writer thread runs all that fit a group in one transaction, commits,
 * and hands them back in the order they were submitted. It knows nothing of what a job writes.
 *
 *	gather --> run in the parent --> commit --> hand back
 *	               | a job failed after its first write
 *	               +--> abort, run again, each in a child --> commit --> hand back
 *
 * A child transaction costs more than a small job, a failure halfway is rare: so the dear way is
 * only taken after one.
 */
#include "store/commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "store/lmdb_txn.h"

#define GROUP_MAX (COMMIT_GROUP_JOBS + 1) /* and one patient slice */
#define DISK_NEARLY_FULL (UINT64_C(1) << 20) /* bytes left: then EIO means "no room" (H42) */
#define FULL_LOOK_S 1 /* how often a full store looks for room again */

struct group {
	struct store_job *jobs[GROUP_MAX];
	enum step steps[GROUP_MAX];
	size_t count; /* gathered */
	size_t ran;   /* of these; the rest goes back to the front of the list */
	bool ran_twice, committed;
	uint64_t commit_us;
};

/* ---- a group ---- */

/* Under store->lock. */
static void
gather(struct store *store, struct group *group)
{
	size_t bytes = 0;
	struct list *link;

	*group = (struct group){ .count = 0 };
	while (group->count < COMMIT_GROUP_JOBS && bytes < COMMIT_GROUP_BYTES &&
		(link = list_take_first(&store->urgent))) {
		struct store_job *job = LIST_ITEM(link, struct store_job, link);

		bytes += job->size_bytes;
		group->jobs[group->count++] = job;
	}
	store->running_urgent = group->count > 0;
	link = list_take_first(&store->patient);
	if (link)
		group->jobs[group->count++] = LIST_ITEM(link, struct store_job, link);
}

/* Run one job where the transaction stands; *dirty: it failed and left something to be undone. */
static enum step
run_job(struct txn *txn, struct store_job *job, bool *dirty)
{
	uint64_t writes = txn->writes;
	size_t noted = txn->folders.count, noted_users = txn->users.count;
	enum step step;

	job->err = OK;
	txn->recorder = NULL; /* of a job before, that failed halfway */
	content_pending_clear(&txn->pending);
	step = job->apply(job, txn);
	if (step != STEP_FAIL) {
		job->err = content_settle(txn);
		if (job->err == OK && txn->view.broken) /* LMDB would not commit it, nor the rest */
			job->err = ERR_IO;
		if (job->err != OK)
			step = STEP_FAIL;
	} else if (job->err == OK) {
		job->err = ERR_IO;
	}
	content_pending_clear(&txn->pending);
	arena_reset(&txn->arena);
	if (step == STEP_FAIL) {
		txn->folders.count = noted;
		txn->users.count = noted_users;
	}
	*dirty = step == STEP_FAIL && (txn->writes != writes || txn->view.broken);
	return step;
}

/* The time is up: the patient slice has its turn next, what is urgent waits for the next group. */
static bool
let_patient_pass(struct group *group)
{
	struct store_job *last = group->jobs[group->count - 1];
	size_t waiting = group->count - 1 - group->ran;

	if (!last->patient)
		return false;
	memmove(&group->jobs[group->ran + 1], &group->jobs[group->ran],
		waiting * sizeof(struct store_job *));
	group->jobs[group->ran] = last;
	return true;
}

/* All jobs in the parent, until the time is up. False: one failed halfway. */
static bool
run_in_parent(struct txn *txn, struct group *group)
{
	uint64_t end_us = store_monotonic_us() + COMMIT_GROUP_MS * 1000;
	bool dirty;

	for (group->ran = 0; group->ran < group->count; group->ran++) {
		if (group->ran > 0 && store_monotonic_us() > end_us && !let_patient_pass(group))
			break;
		group->steps[group->ran] = run_job(txn, group->jobs[group->ran], &dirty);
		if (dirty)
			return false;
	}
	return true;
}

/* One job in a child: what it wrote stays or goes with it alone. LMDB's code. */
static int
run_in_child(struct txn *txn, struct store_job *job, enum step *step)
{
	bool dirty;
	int rc = txn_child_begin(txn);

	if (rc != 0)
		return rc;
	*step = run_job(txn, job, &dirty);
	if (*step != STEP_FAIL)
		return txn_child_commit(txn);
	txn_child_abort(txn);
	return 0;
}

static int
run_in_children(struct txn *txn, struct group *group)
{
	int rc = 0;

	for (size_t i = 0; i < group->ran && rc == 0; i++)
		rc = run_in_child(txn, group->jobs[i], &group->steps[i]);
	return rc;
}

/* Run the group and leave the transaction open. LMDB's code; on an error it is aborted. */
static int
run_group(struct store *store, struct group *group)
{
	struct txn *txn = &store->txn;
	int rc = txn_begin(store, txn);

	if (rc != 0 || run_in_parent(txn, group))
		return rc;
	group->ran++; /* with the one that failed; those behind it go back */
	txn_abort(txn);
	group->ran_twice = true;
	rc = txn_begin(store, txn);
	if (rc != 0)
		return rc;
	rc = run_in_children(txn, group);
	if (rc != 0)
		txn_abort(txn);
	return rc;
}

/* ---- after a commit ---- */

static int
compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Each once. */
static void
tell(struct store *store, struct noted *noted, void (*on)(void *, const uint64_t *, size_t))
{
	size_t kept = 0;

	if (!on || noted->count == 0)
		return;
	qsort(noted->ids, noted->count, sizeof(*noted->ids), compare_ids);
	for (size_t i = 0; i < noted->count; i++)
		if (i == 0 || noted->ids[i] != noted->ids[kept - 1])
			noted->ids[kept++] = noted->ids[i];
	on(store->options.arg, noted->ids, kept);
}

static void
tell_changes(struct store *store, struct txn *txn)
{
	tell(store, &txn->folders, store->options.on_changes);
	tell(store, &txn->users, store->options.on_sizes);
}

static bool
disk_is_full(struct store *store)
{
	struct statvfs fs;

	return statvfs(store->path, &fs) == 0 &&
		(uint64_t)fs.f_bavail * fs.f_frsize < DISK_NEARLY_FULL;
}

/* Nobody knows what is on the disk: this process may not go on (H42). */
static void
die(struct store *store, int rc)
{
	if (atomic_exchange(&store->dead, true))
		return;
	store_say(store, STORE_SAYS_ERROR, "the disk failed, stopping: %s", mdb_strerror(rc));
	if (store->options.on_fatal)
		store->options.on_fatal(store->options.arg, mdb_strerror(rc));
}

/* A full disk under the meta page ends the environment, though the commit says ENOSPC alone (H42). */
static bool
has_panicked(struct store *store)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);

	if (rc == 0)
		mdb_txn_abort(txn);
	return rc == MDB_PANIC;
}

/* What a failed commit means for its jobs and for the store. */
static enum err
commit_failed(struct store *store, int rc)
{
	if (rc != MDB_PANIC && has_panicked(store))
		rc = MDB_PANIC;
	if (rc == MDB_MAP_FULL || rc == ENOSPC || rc == EDQUOT ||
		(rc != MDB_PANIC && disk_is_full(store))) {
		room_set_full(store);
		return ERR_FULL;
	}
	if (rc == MDB_BAD_TXN || rc == MDB_TXN_FULL || rc == ENOMEM) /* not the disk */
		return lmdb_failed(store, rc, "commit", SPAN_NONE);
	die(store, rc);
	return ERR_IO;
}

/* Move the mark of message numbers on, so that at least half a block is there (ids.c). */
static void
top_up_numbers(struct store *store, struct txn *txn)
{
	uint64_t next = atomic_load(&store->message_no_next);

	if (txn->counters.message_no_mark - next <= MESSAGE_NO_BLOCK / 2)
		txn->counters.message_no_mark = next + MESSAGE_NO_BLOCK;
}

static enum err
commit_group(struct store *store, struct group *group, bool wanted)
{
	struct txn *txn = &store->txn;
	uint64_t begin_us = store_monotonic_us();
	int rc;

	top_up_numbers(store, txn);
	if (txn->writes == 0 && !wanted) {
		txn_abort(txn);
		return OK;
	}
	rc = txn_commit(txn);
	group->commit_us = store_monotonic_us() - begin_us;
	if (rc != 0)
		return commit_failed(store, rc);
	atomic_store(&store->message_no_mark, txn->counters.message_no_mark);
	group->committed = true;
	tell_changes(store, txn);
	return OK;
}

static void
count_group(struct store_stats *stats, const struct group *group)
{
	stats->reruns += group->ran_twice;
	stats->commits += group->committed;
	stats->commit_us += group->commit_us;
	if (group->commit_us > stats->commit_us_max)
		stats->commit_us_max = group->commit_us;
}

/* Under store->lock: what did not run goes to the front, what wants more to the end of its list. */
static void
sort_group(struct store *store, struct group *group, enum err err)
{
	size_t finished = 0;

	for (size_t i = group->count; i > group->ran; i--) {
		struct store_job *job = group->jobs[i - 1];

		list_prepend(job->patient ? &store->patient : &store->urgent, &job->link);
	}
	for (size_t i = 0; i < group->ran; i++) {
		struct store_job *job = group->jobs[i];

		if (err == OK && group->steps[i] == STEP_MORE) {
			list_append(job->patient ? &store->patient : &store->urgent, &job->link);
			continue;
		}
		if (err != OK && job->err == OK)
			job->err = err;
		store->stats.jobs_waiting--;
		store->stats.bytes_waiting -= job->size_bytes;
		store->stats.jobs++;
		store->stats.jobs_failed += job->err != OK;
		group->jobs[finished++] = job;
	}
	group->count = finished;
	store->running_urgent = false;
}

static void
work_group(struct store *store, struct group *group, bool numbers)
{
	enum err err;
	int rc;

	store->group_no++;
	rc = run_group(store, group);
	if (rc != 0) {
		group->ran = group->count;
		for (size_t i = 0; i < group->count; i++)
			group->jobs[i]->err = OK;
		err = commit_failed(store, rc);
	} else {
		err = commit_group(store, group, numbers);
	}
	pthread_mutex_lock(&store->lock);
	count_group(&store->stats, group);
	sort_group(store, group, err);
	pthread_mutex_unlock(&store->lock);
	inbox_hand_back(group->jobs, group->count);
	room_check(store, err == ERR_FULL);
}

uint64_t
txn_group_no(struct txn *txn)
{
	return txn_store(txn)->group_no;
}

/* ---- the thread ---- */

static bool
has_work(const struct store *store)
{
	return store->stopping || store->reserve_numbers || !list_is_empty(&store->urgent) ||
		!list_is_empty(&store->patient);
}

/* Under store->lock, which it leaves while it sleeps. */
static void
sleep_until_work(struct store *store)
{
	struct timespec until;

	if (has_work(store))
		return;
	store->writer_sleeps = true;
	if (store_is_full(store)) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += FULL_LOOK_S;
		(void)pthread_cond_timedwait(&store->work, &store->lock, &until);
	} else {
		(void)pthread_cond_wait(&store->work, &store->lock);
	}
	store->writer_sleeps = false;
}

/*
 * Under store->lock: all that waits ends with ERR; a patient job finds its place again in its row.
 */
static void
fail_list(struct store *store, struct list *list, enum err err)
{
	struct list taken = LIST_INIT(taken), *link;

	list_move_all(&taken, list);
	while ((link = list_take_first(&taken))) {
		struct store_job *job = LIST_ITEM(link, struct store_job, link);

		job->err = err;
		store->stats.jobs_waiting--;
		store->stats.bytes_waiting -= job->size_bytes;
		inbox_hand_back(&job, 1);
	}
}

static void *
writer_main(void *arg)
{
	struct store *store = arg;
	struct group group;

	pthread_mutex_lock(&store->lock);
	for (;;) {
		bool numbers;

		sleep_until_work(store);
		if (atomic_load(&store->dead))
			fail_list(store, &store->urgent, ERR_IO);
		if (atomic_load(&store->dead) || store->stopping)
			fail_list(store, &store->patient, ERR_BUSY);
		if (store->stopping && list_is_empty(&store->urgent))
			break;
		gather(store, &group);
		numbers = store->reserve_numbers;
		store->reserve_numbers = false;
		pthread_mutex_unlock(&store->lock);
		if (group.count > 0 || (numbers && !atomic_load(&store->dead)))
			work_group(store, &group, numbers);
		else
			room_check(store, false);
		pthread_mutex_lock(&store->lock);
	}
	store->writer_runs = false;
	pthread_mutex_unlock(&store->lock);
	return NULL;
}

enum err
writer_start(struct store *store)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&store->work, &attr);
	pthread_condattr_destroy(&attr);
	store->writer_runs = true;
	errno = pthread_create(&store->writer, NULL, writer_main, store);
	if (errno == 0)
		return OK;
	store->writer_runs = false;
	pthread_cond_destroy(&store->work);
	return ERR_IO;
}

void
writer_stop(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	if (!store->writer_runs) {
		pthread_mutex_unlock(&store->lock);
		return;
	}
	store->stopping = true;
	pthread_cond_signal(&store->work);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->writer, NULL);
	pthread_cond_destroy(&store->work);
}
