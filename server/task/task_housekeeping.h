/*
 * task_housekeeping.h - what the store has to be relieved of: graves, arrived bodies without an
 * owner, bins, old traces; and refusals that found no commit to ride with.
 */
#ifndef SERVER_TASK_TASK_HOUSEKEEPING_H
#define SERVER_TASK_TASK_HOUSEKEEPING_H

#include "server/host.h"

#define HOUSEKEEPING_EVERY_MS (60 * 1000)

/* A row's `run` of tasks.c: starts one patient job after another; does nothing while they run. */
void task_housekeeping(struct host *host);

#endif
