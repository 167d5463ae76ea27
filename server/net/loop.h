/*
 * loop.h - one thread's event loop: turns, deadlines, watched descriptors, calls posted by others.
 *
 * A turn is what happens between two waits: descriptors that became ready, deadlines that passed,
 * posted calls, deferred calls. All callbacks of a loop run on its own thread, one after another;
 * only loop_post() and loop_stop() may be called from another. Nothing in a turn may take longer
 * than 10 ms (H36); the loop measures itself.
 *
 * A test takes a loop whose clock stands still until it says loop_fake_advance(), and runs single
 * turns with loop_turn().
 */
#ifndef SERVER_NET_LOOP_H
#define SERVER_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/list.h"

#define LOOP_TICK_MS 16	      /* a deadline fires at most this late, never early */
#define LOOP_SLOW_TURN_MS 10  /* a turn longer than this is reported to the turn hook (H36) */
#define LOOP_MAX 64	      /* loop threads in a process */

struct loop;

/* ERR_IO where the system has no descriptor for it. */
MUST_CHECK enum err loop_open(struct loop **out);
MUST_CHECK enum err loop_open_fake(struct loop **out); /* time is 1,000,000 ms and stands still */
void loop_close(struct loop **l);		       /* no thread may be running it */

void loop_run(struct loop *l);			 /* until loop_stop() */
void loop_turn(struct loop *l, int64_t wait_ms); /* one turn; waits at most that long for it */
void loop_stop(struct loop *l);			 /* any thread; the turn under way is finished */
void loop_fake_advance(struct loop *l, int64_t ms); /* moves the fake clock, then runs one turn */

/* Monotonic milliseconds (microseconds), taken once a turn. Loop thread only. */
int64_t loop_now_ms(const struct loop *l);
int64_t loop_now_us(const struct loop *l);
/* How long this turn has lasted, by the clock of now: who has much to do leaves some of it for the next one. */
int64_t loop_turn_us(const struct loop *l);

/* Run FN(ARG) in one of the next turns of L. Any thread; calls of one thread keep their order. */
void loop_post(struct loop *l, void (*fn)(void *), void *arg);

/* A call at the end of the turn, before the loop waits again; in a list once only. */
struct loop_call {
	struct list link;
	void (*fn)(struct loop_call *);
};
void loop_call_init(struct loop_call *c, void (*fn)(struct loop_call *));
void loop_defer(struct loop *l, struct loop_call *c); /* no effect where it waits already */
void loop_call_cancel(struct loop_call *c);

/*
 * A deadline. Embedded in its owner; setting, moving and clearing it is O(1) and no system call,
 * so an idle session needs nothing else.
 */
struct loop_timer {
	struct list link;
	int64_t due_ms;
	void (*fn)(struct loop_timer *);
};
void loop_timer_init(struct loop_timer *t, void (*fn)(struct loop_timer *));
void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t after_ms); /* moves one that is set */
void loop_timer_clear(struct loop_timer *t);
static inline bool
loop_timer_is_set(const struct loop_timer *t)
{
	return t->link.next != &t->link;
}

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_ERROR = 4 /* the descriptor is bad: close it (H62) */ };

/* A watched descriptor, embedded in its owner. */
struct loop_io {
	int fd;
	unsigned events; /* what is watched now */
	void (*fn)(struct loop_io *, unsigned ready);
	uint64_t watcher[6]; /* the library's own; loop.c checks the size */
};
void loop_io_init(struct loop_io *io, int fd, void (*fn)(struct loop_io *, unsigned ready));
void loop_io_watch(struct loop *l, struct loop_io *io, unsigned events); /* 0: no longer */

/*
 * Where a descriptor of this loop is read into: LOOP_READ_SIZE bytes, one buffer a loop, free for
 * use whenever a callback starts, so that idle streams own none (H34).
 */
#define LOOP_READ_SIZE (64 * 1024)
char *loop_read_buffer(struct loop *l);

/*
 * A signal becomes a call on this loop; it is blocked here, and must be in all threads. At most 4; one
 * loop only (H62). ERR_IO: no descriptor for it.
 */
MUST_CHECK enum err loop_on_signal(struct loop *l, int signo, void (*fn)(void *arg, int signo), void *arg);

/* FN(ARG, US) runs at the end of each turn, after the deferred calls, with the turn's length. */
void loop_on_turn_end(struct loop *l, void (*fn)(void *arg, int64_t us), void *arg);
int64_t loop_longest_turn_us(const struct loop *l); /* since the start; any thread */

#endif
