/*
 * loop_watch.c - descriptors and signals of a loop.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "server/net/loop_inside.h"

#define WATCH_FAULTS_MAX 1000

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

void
loop_watch_again(struct loop *l, ev_io *w, int events)
{
	if (!(events & EV_ERROR))
		return;
	if (++l->watch_faults > WATCH_FAULTS_MAX) { /* deaf, it would never end */
		fprintf(stderr, "postroomd: loop: the kernel watches no descriptor of ours\n");
		_exit(1);
	}
	ev_io_set(w, w->fd, EV_READ); /* else libev takes it for watched: its events are as before */
	ev_io_start(l->ev, w);
}

static void
on_signal(struct ev_loop *ev, ev_io *w, int events)
{
	struct loop *l = w->data;
	struct signalfd_siginfo info;

	(void)ev;
	loop_watch_again(l, w, events);
	if (read(w->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	for (unsigned i = 0; i < l->signal_count; i++)
		if (l->signals[i].signo == (int)info.ssi_signo)
			l->signals[i].fn(l->signals[i].arg, l->signals[i].signo);
}

enum err
loop_on_signal(struct loop *l, int signo, void (*fn)(void *arg, int signo), void *arg)
{
	int fd;

	ENSURE(l->signal_count < SIGNALS_MAX);
	if (l->signal_count == 0)
		sigemptyset(&l->signal_set);
	sigaddset(&l->signal_set, signo);
	pthread_sigmask(SIG_BLOCK, &l->signal_set, NULL);
	fd = signalfd(l->signal_io.fd, &l->signal_set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	l->signals[l->signal_count++] = (struct signal_call){ signo, fn, arg };
	if (l->signal_io.fd >= 0)
		return OK;
	ev_io_init(&l->signal_io, on_signal, fd, EV_READ);
	l->signal_io.data = l;
	ev_io_start(l->ev, &l->signal_io);
	return OK;
}
