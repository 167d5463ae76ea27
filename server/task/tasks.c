/*
 * tasks.c - the table of tasks, run by a timer each on the front loop.
 */
#include "server/task/tasks.h"

#include <stdlib.h>

#include "server/archive/archive_retain.h"
#include "server/log.h"
#include "server/server.h"
#include "server/shared.h"
#include "server/task/task_cert_watch.h"
#include "server/task/task_housekeeping.h"
#include "server/task/task_prune.h"
#include "server/task/task_quota.h"
#include "store/forwards.h"
#include "store/store.h"

#define MINUTE_MS (60 * 1000)
#define MAKE_ROOM_EVERY_MS 1000
#define FORWARDS_EVERY_MS 1000
#define RULES_EVERY_MS 1000

/* Processes that died with a snapshot open keep pages from being used again (H45). */
static void
check_readers(struct host *host)
{
	unsigned freed = store_reader_check(host->store);

	if (freed > 0)
		log_put(host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "task",
					   .text = "freed readers of processes that died",
					   .fields = { { "count", .number = freed } } });
}

static void
sweep_shared(struct host *host)
{
	shared_sweep(host->shared, host_steady_ms(host));
}

static void
follow_rules(struct host *host)
{
	server_rules_follow(host->server);
}

/* A full store puts mail off: what waits in graves is freed now, not within the minute (H43). */
static void
make_room(struct host *host)
{
	if (store_is_full(host->store))
		task_housekeeping(host);
}

/* Nothing is sent for a user whose forwards are ended or turned in slices: it is done now. */
static void
follow_forwards(struct host *host)
{
	struct snapshot *snap = host_snapshot(host);

	if (snap && forwards_have_marks(snap))
		task_housekeeping(host);
}

static const struct task tasks[] = {
	{ "archive", MINUTE_MS, archive_retain },
	{ "cert-watch", MINUTE_MS, task_cert_watch },
	{ "check-readers", MINUTE_MS, check_readers },
	{ "forwards", FORWARDS_EVERY_MS, follow_forwards },
	{ "housekeeping", HOUSEKEEPING_EVERY_MS, task_housekeeping },
	{ "make-room", MAKE_ROOM_EVERY_MS, make_room },
	{ "prune", TASK_PRUNE_EVERY_MS, task_prune },
	{ "quota", QUOTA_WATCH_EVERY_MS, task_quota },
	{ "rules-watch", RULES_EVERY_MS, follow_rules },
	{ "sweep-shared", MINUTE_MS, sweep_shared },
};

struct task_timer {
	struct loop_timer timer;
	struct tasks *all;
	const struct task *task;
};

struct tasks {
	struct host *host;
	struct task_timer timers[COUNT(tasks)];
};

static void
run_task(struct task_timer *t)
{
	struct host *host = t->all->host;

	t->task->run(host);
	loop_timer_set(host->loop, &t->timer, t->task->every_ms);
}

static void
on_due(struct loop_timer *timer)
{
	run_task(LIST_ITEM(timer, struct task_timer, timer));
}

struct tasks *
tasks_start(struct host *host)
{
	struct tasks *all = calloc(1, sizeof(*all));

	ENSURE(all);
	all->host = host;
	for (size_t i = 0; i < COUNT(tasks); i++) {
		struct task_timer *t = &all->timers[i];

		t->all = all;
		t->task = &tasks[i];
		loop_timer_init(&t->timer, on_due);
		loop_timer_set(host->loop, &t->timer, t->task->every_ms);
	}
	return all;
}

void
tasks_stop(struct tasks **allp)
{
	struct tasks *all = *allp;

	if (!all)
		return;
	*allp = NULL;
	for (size_t i = 0; i < COUNT(tasks); i++)
		loop_timer_clear(&all->timers[i].timer);
	free(all);
}

void
tasks_clock_moved(struct tasks *all, int64_t by_ms)
{
	int64_t now_ms = loop_now_ms(all->host->loop);

	for (size_t i = 0; i < COUNT(tasks); i++) {
		struct task_timer *t = &all->timers[i];
		int64_t left_ms = t->timer.due_ms - now_ms - by_ms;

		if (left_ms > 0)
			loop_timer_set(all->host->loop, &t->timer, left_ms);
		else
			run_task(t);
	}
}
