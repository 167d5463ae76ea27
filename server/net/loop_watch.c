/*
 * loop_watch.c - descriptors and signals of a loop.
 */
#include <signal.h>

#include "server/net/loop_inside.h"

_Static_assert(sizeof(ev_io) <= sizeof(((struct loop_io *)0)->watcher), "ev_io does not fit");

static ev_io *
io_watcher(struct loop_io *io)
{
	return (ev_io *)(void *)io->watcher;
}

static void
on_io(struct ev_loop *ev, ev_io *w, int events)
{
	struct loop_io *io = w->data;
	unsigned ready = 0;

	(void)ev;
	if (events & EV_READ)
		ready |= LOOP_READ;
	if (events & EV_WRITE)
		ready |= LOOP_WRITE;
	if (events & EV_ERROR) {
		ready = LOOP_ERROR;
		io->events = 0; /* libev has stopped it */
	}
	io->fn(io, ready);
}

void
loop_io_init(struct loop_io *io, int fd, void (*fn)(struct loop_io *, unsigned ready))
{
	ev_io *w = io_watcher(io);

	io->fd = fd;
	io->events = 0;
	io->fn = fn;
	ev_io_init(w, on_io, fd, 0);
	w->data = io;
}

void
loop_io_watch(struct loop *l, struct loop_io *io, unsigned events)
{
	ev_io *w = io_watcher(io);
	int wanted = ((events & LOOP_READ) ? EV_READ : 0) | ((events & LOOP_WRITE) ? EV_WRITE : 0);

	if (events == io->events)
		return;
	io->events = events;
	ev_io_stop(l->ev, w);
	ev_io_set(w, io->fd, wanted);
	if (wanted)
		ev_io_start(l->ev, w);
}

static void
on_signal(struct ev_loop *ev, ev_signal *w, int events)
{
	struct signal_call *c = w->data;

	(void)ev;
	(void)events;
	c->fn(c->arg, w->signum);
}

void
loop_on_signal(struct loop *l, int signo, void (*fn)(void *arg, int signo), void *arg)
{
	struct signal_call *c;
	sigset_t it;

	ENSURE(l->signal_count < SIGNALS_MAX);
	c = &l->signals[l->signal_count++];
	c->fn = fn;
	c->arg = arg;
	ev_signal_init(&c->watcher, on_signal, signo);
	c->watcher.data = c;
	ev_signal_start(l->ev, &c->watcher);
	sigemptyset(&it);
	sigaddset(&it, signo);
	pthread_sigmask(SIG_UNBLOCK, &it, NULL); /* it may have been kept waiting for us */
}
