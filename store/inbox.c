/*
 * inbox.c - the two ends of a job's way: given to the writer, and back to the loop that waits for
 * it.
 */
#include <stdlib.h>

#include "store/lmdb_txn.h"

/* ---- inbox ---- */

void
store_inbox_init(struct store_inbox *inbox, void (*wake)(void *arg), void *arg)
{
	*inbox = (struct store_inbox){ .wake = wake, .arg = arg };
	pthread_mutex_init(&inbox->lock, NULL);
	list_init(&inbox->finished);
}

void
store_inbox_fini(struct store_inbox *inbox)
{
	ENSURE(list_is_empty(&inbox->finished));
	pthread_mutex_destroy(&inbox->lock);
}

size_t
store_inbox_run(struct store_inbox *inbox)
{
	struct list taken = LIST_INIT(taken), *link;
	size_t count = 0;

	pthread_mutex_lock(&inbox->lock);
	list_move_all(&taken, &inbox->finished);
	pthread_mutex_unlock(&inbox->lock);
	for (; (link = list_take_first(&taken)); count++) {
		struct store_job *job = LIST_ITEM(link, struct store_job, link);

		if (job->done)
			job->done(job, job->err); /* may free it */
	}
	return count;
}

/*
 * Hand back JOBS, those of one inbox together: its loop wakes once and finds them all. The wake is
 * under the lock, since who finds his last job done may end the inbox right after.
 */
void
inbox_hand_back(struct store_job **jobs, size_t count)
{
	for (size_t first = 0; first < count; first++) {
		struct store_inbox *inbox = jobs[first] ? jobs[first]->inbox : NULL;
		bool was_empty;

		if (!inbox)
			continue;
		pthread_mutex_lock(&inbox->lock);
		was_empty = list_is_empty(&inbox->finished);
		for (size_t i = first; i < count; i++) {
			if (!jobs[i] || jobs[i]->inbox != inbox)
				continue;
			list_append(&inbox->finished, &jobs[i]->link);
			jobs[i] = NULL;
		}
		if (was_empty)
			inbox->wake(inbox->arg);
		pthread_mutex_unlock(&inbox->lock);
	}
}

/* ---- submitting ---- */

static enum err
why_refused(const struct store *store, const struct store_job *job)
{
	if (atomic_load(&store->dead) || !store->writer_runs || store->stopping)
		return ERR_IO;
	if (job->incoming && atomic_load_explicit(&store->room.full, memory_order_relaxed))
		return ERR_FULL;
	if (store->stats.jobs_waiting >= COMMIT_WAITING_JOBS ||
		store->stats.bytes_waiting + job->size_bytes > COMMIT_WAITING_BYTES)
		return ERR_BUSY;
	return OK;
}

enum err
store_submit(struct store *store, struct store_job *job)
{
	bool wake = false;
	enum err err;

	ENSURE(job->apply && job->inbox);
	pthread_mutex_lock(&store->lock);
	err = why_refused(store, job);
	if (err == OK) {
		store->stats.jobs_waiting++;
		store->stats.bytes_waiting += job->size_bytes;
		list_append(job->patient ? &store->patient : &store->urgent, &job->link);
		wake = store->writer_sleeps;
		store->writer_sleeps = false;
	} else {
		store->stats.jobs_refused++;
	}
	pthread_mutex_unlock(&store->lock);
	if (wake) /* with the lock free: else the writer would wake only to wait for it */
		pthread_cond_signal(&store->work);
	return err;
}

bool
store_is_busy(struct store *store)
{
	bool busy;

	pthread_mutex_lock(&store->lock);
	busy = store->running_urgent || !list_is_empty(&store->urgent);
	pthread_mutex_unlock(&store->lock);
	return busy;
}

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool woken;
};

static void
waiter_wake(void *arg)
{
	struct waiter *w = arg;

	pthread_mutex_lock(&w->lock);
	w->woken = true;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->lock);
}

enum err
store_run_job_now(struct store *store, struct store_job *job)
{
	struct waiter w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
	void (*done)(struct store_job *, enum err) = job->done;
	struct store_inbox inbox;
	enum err err;

	store_inbox_init(&inbox, waiter_wake, &w);
	job->inbox = &inbox;
	job->done = NULL;
	err = store_submit(store, job);
	if (err == OK) {
		pthread_mutex_lock(&w.lock);
		while (!w.woken)
			pthread_cond_wait(&w.cond, &w.lock);
		pthread_mutex_unlock(&w.lock);
		(void)store_inbox_run(&inbox);
		err = job->err;
	}
	store_inbox_fini(&inbox);
	job->inbox = NULL;
	job->done = done;
	if (done)
		done(job, err);
	return err;
}
