/*
 * script_check.h - does a script compile? Asked of a child, as it is run (H74); never of this process.
 */
#ifndef SERVER_SCRIPT_SCRIPT_CHECK_H
#define SERVER_SCRIPT_SCRIPT_CHECK_H

#include "proto/base/arena.h"
#include "server/host.h"
#include "server/runner/runner.h"

/* Embedded in whoever asks, zeroed at first; not to be moved or freed before `done`. */
struct script_check {
	void (*done)(struct script_check *c);
	struct arena *arena;
	struct span failed; /* the answer: "script:3: ..."; empty: it does */
	unsigned line;	    /* of the fault; 0: none is known */
	struct runner_job job;
};

/* True: `done` follows, later. False: FAILED says why it cannot be asked. ARENA is set. */
bool script_check_begin(struct host *host, struct script_check *c, struct span text);
void script_check_cancel(struct script_check *c);

#endif
