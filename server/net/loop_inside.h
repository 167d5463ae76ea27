/*
 * loop_inside.h - what is behind struct loop; for the loop*.c files alone, which alone know ev.h.
 */
#ifndef SERVER_NET_LOOP_INSIDE_H
#define SERVER_NET_LOOP_INSIDE_H

/* ev.h and its macros, to the end of the file that includes this */
#pragma GCC diagnostic ignored "-Wstrict-aliasing"
#include <ev.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "server/net/loop.h"
#include "server/net/posts.h"
#include "server/net/wheel.h"

#define SIGNALS_MAX 4

struct signal_call {
	int signo;
	void (*fn)(void *arg, int signo);
	void *arg;
};

struct loop {
	struct ev_loop *ev;
	ev_check check;
	ev_prepare prepare;
	ev_idle idle; /* runs while deferred calls are left, so that the loop does not wait */
	/* ours, not libev's: where epoll refuses one (ENOMEM), libev would go on deaf to both */
	ev_io wake, signal_io; /* an eventfd, a signalfd; fd -1: no signal is listened to */
	ev_timer tick;
	ev_timer patience; /* of loop_turn() */
	struct wheel wheel;
	int64_t wake_ms; /* when the tick timer is set for */
	struct list deferred;
	int64_t now_us, turn_began_us, fake_us;
	bool fake;
	_Atomic bool stop;
	_Atomic int64_t longest_us;
	void (*on_turn_end)(void *arg, int64_t us);
	void *turn_arg;
	struct signal_call signals[SIGNALS_MAX];
	unsigned signal_count;
	sigset_t signal_set;
	unsigned watch_faults;
	pthread_mutex_t lock; /* of `posted` */
	struct posts posted, running;
	char *read_buffer;
};

/* ---- loop_watch.c ---- */

void loop_watch_again(struct loop *l, ev_io *w, int events); /* after EV_ERROR, for what must be heard */

/* ---- loop_timers.c ---- */

void loop_init_timers(struct loop *l);
void loop_run_deadlines(struct loop *l); /* those that are due by the loop's clock */

#endif
