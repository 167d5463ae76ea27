/*
 * task_prune.h - prune rules at work: in the background at a pace of its own (PRN-09, Q-38), and now, for
 * `rule prune run`.
 *
 *     scan (worker, a snapshot a slice) --> batch --> take (patient job, in slices) --> scan ... --> round
 *
 * A run keeps nothing over a restart but when the next round is: what it had not come to matches again.
 */
#ifndef SERVER_TASK_TASK_PRUNE_H
#define SERVER_TASK_TASK_PRUNE_H

#include "proto/base/err.h"
#include "server/host.h"

#define TASK_PRUNE_EVERY_MS (60 * 1000) /* it looks if a round is due */

/* A row's `run` of tasks.c. */
void task_prune(struct host *host);

/* Of a run, told on the front loop. */
struct prune_run_figures {
	uint64_t looked; /* at so many messages, in folders that a rule is for */
	uint64_t taken;	 /* are in the bins now */
};
struct prune_run;
struct prune_run_asker {
	void *arg;
	uint64_t only_user; /* 0: of all; that counts as a round */
	/* Now and then; may be NULL. True: that was enough. */
	bool (*told)(void *arg, const struct prune_run_figures *figures);
	/* Once, at the end. What was taken stays so. */
	void (*done)(void *arg, const struct prune_run_figures *figures, enum err result);
};
/* Front loop; ASKER is copied. It may run beside that of the background. */
void prune_run_start(struct host *host, const struct prune_run_asker *asker);

#endif
