/*
 * work.h - slow arithmetic on a few worker threads: `run` off the loop, `done` on it.
 *
 * Each kind has a queue of its own with a limit, and a number that may run at once, so that a flood
 * of one kind leaves the others alone (H36).
 */
#ifndef SERVER_NET_WORK_H
#define SERVER_NET_WORK_H

#include "server/net/loop.h"

#define WORK_THREADS_MIN 6 /* two may be at work for minutes, two ask PAM, and two are left */
#define WORK_WAITING_MAX 10000 /* of a kind for which workers_set_waiting() was not called */

enum work_kind {
	WORK_HASH,    /* passwords: limits.hashes_waiting, two run, at most 60 s of waiting */
	WORK_SEARCH,  /* limits.searches_waiting */
	WORK_TLS,     /* handshake steps: limits.handshakes */
	WORK_GENERAL, /* cold pages, files, the rest */
	WORK_PAM,     /* logins that PAM is asked about: two run, at most 60 s of waiting */
	WORK_LONG,    /* minutes: backups, imports; leaves threads to the others */
	WORK_KINDS
};

struct work {
	struct list link;
	struct loop *loop; /* where `done` runs */
	enum work_kind kind;
	void (*run)(struct work *);			/* on a worker; touches what it was lent only */
	/* ERR_BUSY: waited too long, did not run. NULL: `run` is the last touch, and may free the work; it does run. */
	void (*done)(struct work *, enum err result);
	int64_t queued_ms;
	enum err result;
};

struct workers;

/* THREADS 0: one a core, at least WORK_THREADS_MIN. */
MUST_CHECK enum err workers_open(unsigned threads, struct workers **out);
/* No more is begun. False: after WAIT_MS one is still at work; workers_close() would wait for it. */
bool workers_end(struct workers *w, int64_t wait_ms);
/* What waits and has a `done` is not run; the loops must have ended. */
void workers_close(struct workers **w);

/* How many of KIND may wait from now on; any thread. What waits already stays. */
void workers_set_waiting(struct workers *w, enum work_kind kind, size_t waiting);

/*
 * Fill loop, kind, run and done first. ERR_BUSY where the kind's queue is full: `done` is not
 * called then. WORK stays where it is until `done`; its owner holds itself so long (H77).
 */
MUST_CHECK enum err workers_submit(struct workers *w, struct work *work);
size_t workers_waiting(struct workers *w, enum work_kind kind); /* any thread */
int64_t work_clock_ms(void); /* any thread; for work that goes on in slices */
unsigned workers_threads(const struct workers *w);

#endif
