/*
 * runner_inside.h - what runner.c and runner_order.c share.
 */
#ifndef SERVER_RUNNER_RUNNER_INSIDE_H
#define SERVER_RUNNER_RUNNER_INSIDE_H

#include <pthread.h>

#include "proto/base/buf.h"
#include "server/net/loop.h"
#include "server/runner/runner_wire.h"

enum place { PLACE_ON_ITS_WAY, PLACE_WAITS, PLACE_RUNS, PLACE_BACK };

struct runner_order {
	struct list all;  /* in runner.orders */
	struct list link; /* in runner.waiting or runner.running */
	struct runner *runner;
	struct loop *asker;
	struct runner_job *job; /* the asker's; NULL: cancelled */
	_Atomic unsigned holds;
	enum place place; /* the front's */
	uint64_t owner;
	struct runner_row row;
	struct buf file; /* as runner_wire.h has it */
	struct runner_report report;
	struct buf output;
};

struct runner {
	struct loop *front;
	struct runner_options options;
	struct loop_io io; /* fd -1: no runner */
	bool stale;	   /* it was started by an older file */
	struct list waiting, running; /* programs wait here */
	struct list scripts;	      /* and scripts here */
	uint64_t last_id;
	struct runner_stats stats;
	pthread_mutex_t lock; /* of what follows */
	struct list orders;
	size_t order_count; /* of programs */
};

/* ---- runner_order.c ---- */

void runner_order_release(struct runner_order *order); /* any thread */
void runner_order_free(struct runner_order *order);    /* whoever holds it */
void runner_deliver(void *order); /* by loop_post() to its asker */

/* ---- runner.c, by loop_post() to the front loop ---- */

void runner_on_order(void *order);
void runner_on_cancel(void *order);

#endif
