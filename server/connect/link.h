/*
 * link.h - an on-demand link: asked, brought up, taken down (CON-05 to CON-07).
 *
 *              +--> asks --up already--------------------------+
 *   START      |      | no                                     v
 *   down ------+      v                                        up --STOP--> closes --> down
 *      ^          comes up --program ended well--> waits ------^
 *      |              |  ^                           |  the status says so, or there is none
 *      |              |  |retry_wait                 |link_timeout
 *      +--no retries--+--rests <---- clears <--------+
 *
 * Pure: events in, what to do out. Who calls runs the programs and keeps the time. A link that was up
 * already is used and left alone: neither program is called.
 */
#ifndef SERVER_CONNECT_LINK_H
#define SERVER_CONNECT_LINK_H

#include <stdbool.h>
#include <stdint.h>

enum link_state {
	LINK_DOWN,
	LINK_ASKS,     /* whether it is up already */
	LINK_COMES_UP, /* the program `up` runs */
	LINK_WAITS,    /* it has ended well: does the status say so too? */
	LINK_CLEARS,   /* it came to nothing: `down` runs, before the next try */
	LINK_RESTS,    /* between two tries */
	LINK_UP,
	LINK_CLOSES, /* the program `down` runs */
};
extern const char *const link_state_words[]; /* "down", "coming up", ... by state */

/* What can be done with it: of its settings. */
struct link_ways {
	bool can_ask, can_up, can_down;
	unsigned retries; /* tries of `up` in one attempt; 0 counts as 1 */
	int64_t retry_wait_ms, timeout_ms;
};

enum link_event {
	LINK_START, /* bring it up */
	LINK_STOP,  /* take it down, or give up coming up */
	LINK_YES,   /* the program, or the question, ended well */
	LINK_NO,    /* it did not */
	LINK_TIME,  /* wait_until_ms has come */
};

enum link_act {
	LINK_NOTHING,
	LINK_ASK,      /* then LINK_YES or LINK_NO */
	LINK_RUN_UP,   /* likewise, by wait_until_ms */
	LINK_RUN_DOWN, /* likewise */
	LINK_WAIT,     /* LINK_TIME at wait_until_ms */
	LINK_IS_UP,    /* use it */
	LINK_IS_DOWN,  /* it is over */
	LINK_FAILED,   /* the attempt failed, all its tries included; it is down */
};

#define LINK_LOOK_MS 1000 /* between two questions while it comes up */

struct link {
	enum link_state state;
	bool found;   /* it was up already: it stays so */
	bool stopped; /* LINK_STOP came while it came up: no failure */
	unsigned tries;
	int64_t until_ms; /* of link_timeout */
	int64_t wait_until_ms;
};

/* Times by a clock that nobody sets. */
enum link_act link_step(struct link *l, const struct link_ways *ways, enum link_event event,
	int64_t now_ms);
/* It is up, and somebody else did it (CON-08). */
void link_found(struct link *l);

/* Attempts that failed in a row, and whether somebody is told of this one (CON-14). */
#define LINK_FAILURES_TOLD 4
struct link_failures {
	unsigned count;
	int64_t told_day; /* 0: none since the last success */
};
/* One more on DAY (a number that rises each day, from 1). True: tell. */
bool link_failures_add(struct link_failures *f, int64_t day);
void link_failures_clear(struct link_failures *f);

#endif
