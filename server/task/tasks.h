/*
 * tasks.h - what the front loop does by the clock: a table of names, periods and functions.
 */
#ifndef SERVER_TASK_TASKS_H
#define SERVER_TASK_TASKS_H

#include "server/host.h"
#include "server/net/loop.h"

struct task {
	const char *name;
	int64_t every_ms; /* from the end of one run to the start of the next */
	void (*run)(struct host *host); /* on the front loop; long work is a job or work (H36) */
};

/* Begin to run the table; HOST is the front loop's. */
struct tasks;
struct tasks *tasks_start(struct host *host);
void tasks_stop(struct tasks **t);
/* The clock was moved by `clock advance`: run what is due by the new time. */
void tasks_clock_moved(struct tasks *t, int64_t by_ms);

#endif
