/*
 * collect_inside.h - what the files of the front loop's side share.
 *
 *   collect.c         which collectors there are, on which loops, who listens; begin and end of it all
 *   collect_follow.c  who comes and goes with a new file
 *   collect_rename.c  who has another name there
 *   collect_turn.c    which is fetched when
 *   collect_of.c      those of a connection
 *   collect_view.c    what is shown
 *   collect_keep.c    what the store keeps of them
 *   collect_tell.c    letters about those that fail
 *   collect_probe.c   a login without collecting
 */
#ifndef SERVER_COLLECT_COLLECT_INSIDE_H
#define SERVER_COLLECT_COLLECT_INSIDE_H

#include "proto/base/list.h"
#include "server/collect/collection.h"
#include "server/net/loop.h"

#define COLLECTOR_TEXT_MAX 1048576 /* bytes of all that the file says of one, as JSON */
#define COLLECT_NAME_SIZE 65	      /* a name has 64 bytes at most */
#define COLLECT_LOOK_MS 1000	      /* who listens (IDLE) and does not: once more */
#define COLLECT_BEGIN_TURN 4	      /* collections that begin in one turn of the front loop, and so of any other */
#define COLLECT_FOLLOW_TURN 4	      /* that are compared with a new file, likewise */
#define COLLECT_NAME_CHAINS 256	      /* of collectors by name */
#define COLLECT_RULES_LOOK_MS 20      /* are the download rules read that were changed a moment ago? */
#define COLLECT_RULES_WAIT_MS 5000    /* then the old ones count */
#define COLLECT_LISTEN_AGAIN_MS 60000 /* behind a collection that failed */
#define COLLECT_SWEEP_MS 3600000      /* between two looks for what left the file long ago */
#define COLLECT_END_MS 3000	      /* at the end of the server, instead of COLLECT_STOP_MS */

/* How the last one ended. */
struct collect_result {
	struct collect_counts counts;
	size_t error_count;
	const char *errors[COLLECT_ERRORS_MAX]; /* into the text of each */
	char texts[COLLECT_ERRORS_MAX][COLLECT_ERROR_SIZE];
};

struct collector {
	struct list link_all;	/* in collect.collectors, in the order of the file; then those that left it */
	struct list link_waits; /* in collect.waiting */
	struct list link_named; /* in collect.named, by the hash of its name */
	struct collect *all;
	char name[COLLECT_NAME_SIZE];
	size_t place; /* in the file, where that has not changed since */
	uint64_t account; /* there; collect_account_mark() */
	bool doubtful; /* it listens, and the file is new: does that say of it what it said before? */
	bool kept; /* by the file; else it goes when its collection is over */
	bool again; /* asked for while one is under way */
	bool stopping;
	bool held; /* it was told to stop: it does not listen by itself until it is asked for */
	struct collection *collection; /* under way; or NULL */
	char because[COLLECT_BECAUSE_SIZE], because_again[COLLECT_BECAUSE_SIZE];
	uint64_t number, number_again;
	int64_t began_ms, last_ms, listen_ms; /* listen_ms: steady, not before it */
	bool failed;
	char error[COLLECT_ERROR_SIZE];
	char told[COLLECT_ERROR_SIZE]; /* to the Main Administrator, on the day told_day; collect_tell.c */
	int64_t told_day;
	unsigned told_count; /* letters of that day */
	struct collect_result *result; /* of the last; NULL: none yet */
	const char *shown_errors[COLLECT_ERRORS_MAX];
};

struct collect {
	struct host *host; /* the front loop's */
	struct list collectors, waiting;
	struct list named[COLLECT_NAME_CHAINS];
	struct list probings; /* struct collect_probing.link */
	struct loop_timer look;
	bool ending, sweeps;
	bool posted; /* collect_next_turn() */
	unsigned begun; /* in this turn */
	int64_t sweep_ms; /* steady: the next one */
	int64_t rules_until_ms; /* steady: collections wait so long for rules that are being read; 0: for none */
	_Atomic unsigned under_way; /* which each collection looks at, on its loop */
	_Atomic unsigned listening; /* of these; collection_enter() */
	unsigned unburied; /* also those that are over, tests of logins, and a turn that comes */
	unsigned of_loop[LOOP_MAX];
	uint64_t numbers;
	const struct source_kind *kind; /* a test's, for all; NULL */
};

struct collector *collect_named(const struct collect *all, struct span name);
/* It has another name, or its first. */
void collector_name(struct collector *c, struct span name);
/* In the file as it is now; NULL: it has left. */
const struct conf_collector *collector_conf(const struct collector *c);
/* The loop with the fewest; it counts there until collect_leave_loop(). */
struct host *collect_take_loop(struct collect *all);
void collect_leave_loop(struct collect *all, const struct host *host);
bool collector_waits(const struct collector *c); /* for its turn */
bool collector_listens(const struct collector *c);
bool collector_is_busy(const struct collector *c); /* it waits for its turn, or is at work: who listens is not */
void collector_free(struct collector *c);
void collect_end_probes(struct collect *all);
/* There is more to follow, or to begin. */
void collect_next_turn(struct collect *all);

/* ---- collect_follow.c ---- */

/* Up to COLLECT_FOLLOW_TURN of those that listen, and for which the file may say something else now. */
void collect_follow_some(struct collect *all);

/* ---- collect_turn.c ---- */

void collector_start(struct collector *c, const char *because);
void collector_stop(struct collector *c, int64_t ms); /* also one that waits */
/* Those whose turn it is now, COLLECT_BEGIN_TURN of them; others in the next turns of the loop. */
void collect_start_waiting(struct collect *all);

/* ---- collect_rename.c ---- */

/* Of BEFORE, the collectors of the file until now: those that have another name get it. */
void collect_follow_names(struct collect *all, struct list *before);
/* A collection of its account is under way whose collector has left the file, or is of another account by now. */
bool collector_has_to_wait(const struct collector *c);

/* ---- collect_keep.c ---- */

void collector_keep_end(const struct collector *c);
/* What the store has of its last one; at its begin. */
void collector_recall(struct collector *c);
/* The file is compared with what the store has, and what left it long ago goes, in slices. */
void collect_sweep(struct collect *all);

#endif
