/*
 * loop.c - the loop on libev: turns, calls, life. Only the loop*.c files know ev.h.
 *
 *	check     the wait is over: a turn begins, the clock is read once
 *	...       descriptors, posted calls, the wheel of deadlines
 *	prepare   deferred calls (writes), the turn hook (snapshot closed, length measured); wait
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "server/net/loop_inside.h"

#define FAKE_START_MS 1000000
#define DEFER_PASSES 8 /* calls that defer others; what is left waits for the next turn */

static int64_t
clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
read_clock(struct loop *l)
{
	l->turn_began_us = clock_us();
	l->now_us = l->fake ? l->fake_us : l->turn_began_us;
}

int64_t
loop_now_us(const struct loop *l)
{
	return l->now_us;
}

int64_t
loop_turn_us(const struct loop *l)
{
	return clock_us() - l->turn_began_us;
}

int64_t
loop_now_ms(const struct loop *l)
{
	return l->now_us / 1000;
}

char *
loop_read_buffer(struct loop *l)
{
	return l->read_buffer;
}

int64_t
loop_longest_turn_us(const struct loop *l)
{
	return atomic_load_explicit(&l->longest_us, memory_order_relaxed);
}

void
loop_on_turn_end(struct loop *l, void (*fn)(void *arg, int64_t us), void *arg)
{
	l->on_turn_end = fn;
	l->turn_arg = arg;
}

/* ---- calls ---- */

void
loop_call_init(struct loop_call *c, void (*fn)(struct loop_call *))
{
	list_init(&c->link);
	c->fn = fn;
}

void
loop_defer(struct loop *l, struct loop_call *c)
{
	if (list_is_empty(&c->link))
		list_append(&l->deferred, &c->link);
}

void
loop_call_cancel(struct loop_call *c)
{
	list_remove(&c->link);
}

static void
run_deferred(struct loop *l)
{
	for (int pass = 0; pass < DEFER_PASSES && !list_is_empty(&l->deferred); pass++) {
		struct list now = LIST_INIT(now), *link;

		list_move_all(&now, &l->deferred);
		while ((link = list_take_first(&now))) {
			struct loop_call *c = LIST_ITEM(link, struct loop_call, link);

			c->fn(c);
		}
	}
}

static void
wake(struct loop *l)
{
	uint64_t one = 1;
	ssize_t n;

	do
		n = write(l->wake.fd, &one, sizeof(one));
	while (n < 0 && errno == EINTR); /* EAGAIN: it is as awake as can be */
}

void
loop_post(struct loop *l, void (*fn)(void *), void *arg)
{
	bool first;

	pthread_mutex_lock(&l->lock);
	first = l->posted.count == 0;
	posts_add(&l->posted, (struct post){ fn, arg });
	pthread_mutex_unlock(&l->lock);
	if (first) /* whoever posted before has woken it already */
		wake(l);
}

static void
on_wake(struct ev_loop *ev, ev_io *w, int events)
{
	struct loop *l = w->data;
	struct posts taken;
	uint64_t count;

	(void)ev;
	loop_watch_again(l, w, events);
	if (read(w->fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
		return; /* level-triggered: it comes again */
	pthread_mutex_lock(&l->lock);
	taken = l->posted;
	l->posted = l->running;
	pthread_mutex_unlock(&l->lock);
	for (size_t i = 0; i < taken.count; i++)
		taken.rows[i].fn(taken.rows[i].arg);
	taken.count = 0;
	l->running = taken;
}

/* ---- turns ---- */

static void
on_check(struct ev_loop *ev, ev_check *w, int events)
{
	(void)ev;
	(void)events;
	read_clock(w->data);
}

static void
end_turn(struct loop *l)
{
	int64_t us;

	run_deferred(l);
	us = clock_us() - l->turn_began_us;
	if (us > loop_longest_turn_us(l))
		atomic_store_explicit(&l->longest_us, us, memory_order_relaxed);
	if (l->on_turn_end)
		l->on_turn_end(l->turn_arg, us);
}

static void
on_prepare(struct ev_loop *ev, ev_prepare *w, int events)
{
	struct loop *l = w->data;

	(void)events;
	end_turn(l);
	if (list_is_empty(&l->deferred))
		ev_idle_stop(ev, &l->idle);
	else
		ev_idle_start(ev, &l->idle);
	if (atomic_load(&l->stop))
		ev_break(ev, EVBREAK_ALL);
}

static void
on_idle(struct ev_loop *ev, ev_idle *w, int events)
{
	(void)ev;
	(void)w;
	(void)events;
}

static void
on_patience(struct ev_loop *ev, ev_timer *w, int events)
{
	(void)ev;
	(void)w;
	(void)events;
}

static void
init_watchers(struct loop *l)
{
	ev_check_init(&l->check, on_check);
	ev_set_priority(&l->check, EV_MAXPRI); /* the clock first */
	ev_prepare_init(&l->prepare, on_prepare);
	ev_idle_init(&l->idle, on_idle);
	ev_timer_init(&l->patience, on_patience, 0., 0.);
	l->check.data = l->prepare.data = l->wake.data = l;
	ev_check_start(l->ev, &l->check);
	ev_prepare_start(l->ev, &l->prepare);
	ev_io_start(l->ev, &l->wake);
}

static enum err
open_loop(bool fake, struct loop **out)
{
	struct loop *l = calloc(1, sizeof(*l));

	ENSURE(l);
	l->read_buffer = malloc(LOOP_READ_SIZE);
	ENSURE(l->read_buffer);
	ev_io_init(&l->wake, on_wake, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), EV_READ);
	if (l->wake.fd < 0)
		goto free_loop;
	l->signal_io.fd = -1;
	l->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (!l->ev)
		goto close_wake;
	l->fake = fake;
	l->fake_us = (int64_t)FAKE_START_MS * 1000;
	read_clock(l);
	loop_init_timers(l);
	list_init(&l->deferred);
	pthread_mutex_init(&l->lock, NULL);
	init_watchers(l);
	*out = l;
	return OK;

close_wake:
	close(l->wake.fd);
free_loop:
	free(l->read_buffer);
	free(l);
	return ERR_IO;
}

enum err
loop_open(struct loop **out)
{
	return open_loop(false, out);
}

enum err
loop_open_fake(struct loop **out)
{
	return open_loop(true, out);
}

void
loop_close(struct loop **lp)
{
	struct loop *l = *lp;

	if (!l)
		return;
	*lp = NULL;
	ev_loop_destroy(l->ev);
	close(l->wake.fd);
	if (l->signal_io.fd >= 0)
		close(l->signal_io.fd);
	pthread_mutex_destroy(&l->lock);
	free(l->posted.rows);
	free(l->running.rows);
	free(l->read_buffer);
	free(l);
}

void
loop_run(struct loop *l)
{
	unsigned faults;

	read_clock(l);
	do { /* libev tells of a watch that failed only after its wait, which might be for ever */
		faults = l->watch_faults;
		ev_run(l->ev, EVRUN_NOWAIT);
	} while (l->watch_faults != faults);
	while (!atomic_load(&l->stop))
		ev_run(l->ev, 0);
	end_turn(l);
}

void
loop_turn(struct loop *l, int64_t wait_ms)
{
	read_clock(l);
	ev_now_update(l->ev);
	if (l->fake && !list_is_empty(&l->deferred))
		wait_ms = 0;
	ev_timer_set(&l->patience, (double)wait_ms / 1e3, 0.);
	ev_timer_start(l->ev, &l->patience);
	ev_run(l->ev, wait_ms > 0 ? EVRUN_ONCE : EVRUN_NOWAIT);
	ev_timer_stop(l->ev, &l->patience);
	if (l->fake)
		loop_run_deadlines(l);
	end_turn(l);
}

void
loop_fake_advance(struct loop *l, int64_t ms)
{
	ENSURE(l->fake);
	l->fake_us += ms * 1000;
	read_clock(l);
	loop_run_deadlines(l);
	loop_turn(l, 0);
}

static void
nothing(void *arg)
{
	(void)arg;
}

void
loop_stop(struct loop *l)
{
	atomic_store(&l->stop, true);
	loop_post(l, nothing, NULL);
}
