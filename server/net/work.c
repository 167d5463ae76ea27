/*
 * work.c - queues by kind, a few threads that serve them in turn.
 */
#include "server/net/work.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WORK_THREADS_MAX 64
#define WORK_HASH_WAIT_MS (60 * 1000)

static const struct work_limits {
	unsigned running; /* at once; 0: as many as there are threads */
	int64_t wait_ms;  /* longer is answered ERR_BUSY; 0: any time */
} limits[WORK_KINDS] = {
	[WORK_HASH] = { 2, WORK_HASH_WAIT_MS },
	[WORK_PAM] = { 2, WORK_HASH_WAIT_MS },
	[WORK_LONG] = { 2, 0 },
};

struct work_queue {
	struct list waiting;
	size_t count, count_max; /* more are refused */
	unsigned running;
};

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct work_queue queues[WORK_KINDS];
	unsigned next_kind; /* whose turn it is */
	unsigned thread_count, ended;
	bool stop;
	pthread_t threads[WORK_THREADS_MAX];
};

int64_t
work_clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool
may_run(const struct workers *w, enum work_kind kind)
{
	const struct work_queue *q = &w->queues[kind];

	return q->count > 0 && (limits[kind].running == 0 || q->running < limits[kind].running);
}

/* The kinds take turns, so that none waits for another's flood. */
static struct work *
take_work(struct workers *w)
{
	for (unsigned i = 0; i < WORK_KINDS; i++) {
		enum work_kind kind = (w->next_kind + i) % WORK_KINDS;
		struct work_queue *q = &w->queues[kind];

		if (!may_run(w, kind))
			continue;
		w->next_kind = (kind + 1) % WORK_KINDS;
		q->count--;
		q->running++;
		return LIST_ITEM(list_take_first(&q->waiting), struct work, link);
	}
	return NULL;
}

static void
work_is_done(void *arg)
{
	struct work *work = arg;

	work->done(work, work->result);
}

static void
run_one(struct workers *w, struct work *work)
{
	enum work_kind kind = work->kind;
	struct loop *loop = work->loop;
	bool ends = work->done != NULL;
	int64_t wait_ms = ends ? limits[kind].wait_ms : 0;

	pthread_mutex_unlock(&w->lock);
	if (wait_ms > 0 && work_clock_ms() - work->queued_ms > wait_ms) {
		work->result = ERR_BUSY;
	} else {
		work->run(work); /* without a `done`, the last touch */
	}
	if (ends)
		loop_post(loop, work_is_done, work); /* the last touch */
	pthread_mutex_lock(&w->lock);
	w->queues[kind].running--;
	if (may_run(w, kind))
		pthread_cond_signal(&w->wake);
}

static void *
worker_thread(void *arg)
{
	struct workers *w = arg;

	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		struct work *work = take_work(w);

		if (work)
			run_one(w, work);
		else
			pthread_cond_wait(&w->wake, &w->lock);
	}
	w->ended++;
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static unsigned
thread_number(unsigned asked)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = asked ? asked : (cores > WORK_THREADS_MIN ? (unsigned)cores : WORK_THREADS_MIN);

	return n < WORK_THREADS_MAX ? n : WORK_THREADS_MAX;
}

enum err
workers_open(unsigned threads, struct workers **out)
{
	struct workers *w = calloc(1, sizeof(*w));
	unsigned wanted = thread_number(threads);

	ENSURE(w);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	for (unsigned i = 0; i < WORK_KINDS; i++) {
		list_init(&w->queues[i].waiting);
		w->queues[i].count_max = WORK_WAITING_MAX;
	}
	*out = w;
	for (; w->thread_count < wanted; w->thread_count++) {
		if (pthread_create(&w->threads[w->thread_count], NULL, worker_thread, w) != 0)
			goto close_workers;
	}
	return OK;

close_workers:
	workers_close(out);
	return ERR_IO;
}

bool
workers_end(struct workers *w, int64_t wait_ms)
{
	struct timespec until;
	bool all;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)(wait_ms / 1000);
	until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->wake);
	while (w->ended < w->thread_count && rc == 0)
		rc = pthread_cond_timedwait(&w->wake, &w->lock, &until);
	all = w->ended == w->thread_count;
	pthread_mutex_unlock(&w->lock);
	return all;
}

/* Nobody hears of its end: it was promised that it runs. */
static void
run_rest(struct work_queue *q)
{
	struct list *link;

	while ((link = list_take_first(&q->waiting))) {
		struct work *work = LIST_ITEM(link, struct work, link);

		if (!work->done)
			work->run(work);
	}
}

void
workers_close(struct workers **wp)
{
	struct workers *w = *wp;

	if (!w)
		return;
	*wp = NULL;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->thread_count; i++)
		pthread_join(w->threads[i], NULL);
	for (unsigned i = 0; i < WORK_KINDS; i++)
		run_rest(&w->queues[i]);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

enum err
workers_submit(struct workers *w, struct work *work)
{
	struct work_queue *q = &w->queues[work->kind];
	enum err err = OK;

	work->queued_ms = work_clock_ms();
	work->result = OK;
	pthread_mutex_lock(&w->lock);
	if (q->count >= q->count_max) {
		err = ERR_BUSY;
	} else {
		list_append(&q->waiting, &work->link);
		q->count++;
		pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&w->lock);
	return err;
}

void
workers_set_waiting(struct workers *w, enum work_kind kind, size_t waiting)
{
	pthread_mutex_lock(&w->lock);
	w->queues[kind].count_max = waiting;
	pthread_mutex_unlock(&w->lock);
}

size_t
workers_waiting(struct workers *w, enum work_kind kind)
{
	size_t n;

	pthread_mutex_lock(&w->lock);
	n = w->queues[kind].count;
	pthread_mutex_unlock(&w->lock);
	return n;
}

unsigned
workers_threads(const struct workers *w)
{
	return w->thread_count;
}
