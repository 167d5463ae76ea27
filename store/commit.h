/*
 * commit.h - jobs: how everything that changes the store gets in, and who is told when it is on
 * disk.
 *
 * The writer thread takes what waits, runs it in one transaction, commits once, and puts the jobs
 * into the inboxes of their loops, which call done(). There is no timer: while one commit is on its
 * way to the disk the next group gathers.
 *
 * Two lists: urgent (a peer waits) and patient (prune, housekeeping, migration). A group is urgent
 * jobs up to 200, 8 MB or 10 ms, then one slice of one patient job.
 *
 * A job that fails is undone alone, the others of its group are kept. It costs nothing where it
 * failed before its first write; otherwise the group runs again, each job in a child transaction.
 * So apply() MAY RUN MORE THAN ONCE and must not use up its input: read what you were given, write
 * to outputs, set the outputs anew each time. A job that says STEP_MORE keeps its place in a row.
 */
#ifndef STORE_COMMIT_H
#define STORE_COMMIT_H

#include <pthread.h>

#include "proto/base/err.h"
#include "proto/base/list.h"
#include "store/store.h"
#include "store/table.h"

#define COMMIT_GROUP_JOBS 200
#define COMMIT_GROUP_BYTES (8u << 20)
#define COMMIT_GROUP_MS 10
#define COMMIT_WAITING_JOBS 10000 /* more is ERR_BUSY */
#define COMMIT_WAITING_BYTES (64u << 20)

enum step {
	STEP_DONE,
	STEP_MORE, /* commit this and call again; what was written stays, whatever comes */
	STEP_FAIL, /* undo what this call wrote; why is job->err */
};

/*
 * Where the finished jobs of one loop wait; `wake` runs on the writer thread when the first comes
 * into an empty one. It must not wait, nor call the store or the inbox.
 */
struct store_inbox {
	pthread_mutex_t lock;
	struct list finished;
	void (*wake)(void *arg);
	void *arg;
};

void store_inbox_init(struct store_inbox *inbox, void (*wake)(void *arg), void *arg);
void store_inbox_fini(struct store_inbox *inbox); /* it must be empty */
/* Call done() of every finished job, in the order of submission. How many there were. */
size_t store_inbox_run(struct store_inbox *inbox);

/*
 * Embedded in the caller's own struct; from submit to done() it belongs to the store. Zero it
 * first.
 */
struct store_job {
	struct list link;
	/* On the writer thread, at most 4 ms a call; may run again, see above. */
	enum step (*apply)(struct store_job *job, struct txn *txn);
	/*
	 * On the loop of the inbox. OK: it is on disk. Else: nothing of it (of its last step) is.
	 */
	void (*done)(struct store_job *job, enum err result);
	struct store_inbox *inbox;
	size_t size_bytes; /* about what it writes; counts against the limits of group and list */
	bool patient;      /* nobody waits for it */
	bool incoming;     /* mail from outside: ERR_FULL when the store is full (H43) */
	enum err err;      /* set by apply() with STEP_FAIL; OK there counts as ERR_IO */
};

/*
 * Give JOB to the writer. Any thread, never waits.
 * ERR_BUSY: too many wait. ERR_FULL: an incoming one, and there is no room. ERR_IO: the store is
 * dead. On an error done() is not called.
 * done() may say besides what apply() said: ERR_FULL, the disk is full; ERR_IO, it failed.
 */
MUST_CHECK enum err store_submit(struct store *store, struct store_job *job);

/*
 * Submit and wait until it is on disk; done may be NULL and is called on this thread. For command
 * line tools and tests: no loop may call it.
 */
MUST_CHECK enum err store_run_job_now(struct store *store, struct store_job *job);

/* Urgent jobs wait or run: what is patient may put itself off. */
bool store_is_busy(struct store *store);

/* Counts the groups: the same where apply() runs again, another for the next slice. */
uint64_t txn_group_no(struct txn *txn);

/*
 * How far a job in slices has come. apply() may run more than once for one commit, so a number that
 * it moves must begin each time where the last commit left it: `at` of slice_begin() is that, and
 * apply() sets it at its end.
 */
struct slice_place {
	uint64_t at;
	uint64_t before, ran_in; /* slice_begin()'s own */
};
static inline uint64_t
slice_begin(struct slice_place *place, struct txn *txn)
{
	uint64_t group_no = txn_group_no(txn);

	if (place->ran_in == group_no)
		place->at = place->before;
	place->before = place->at;
	place->ran_in = group_no;
	return place->at;
}

/* A short way to say "this failed with ERR" at the end of apply(): OK is STEP_DONE. */
static inline enum step
step_of(struct store_job *job, enum err err)
{
	job->err = err;
	return err == OK ? STEP_DONE : STEP_FAIL;
}

#endif
