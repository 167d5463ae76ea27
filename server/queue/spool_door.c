/*
 * spool_door.c - the life of a door to a folder: our client writes, a worker takes what has come and answers, and is free
 * for others until there is more.
 *
 *     opened --> step (a worker) --+--> waits for our side --> step ...
 *                                  +--> SPOOL_DOOR_STEP bytes: behind others who wait for a worker --> step ...
 *                                  +--> our side has left: freed
 */
#include "server/queue/spool_door_inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct spool_doors {
	struct list all;
};

static void
door_free(struct spool_door *d)
{
	list_remove(&d->link);
	loop_timer_clear(&d->patience);
	spool_door_drop_all(d);
	if (d->fd >= 0)
		close(d->fd);
	free(d);
}

/* Not between a step and its end. */
static void
door_close(struct spool_door *d)
{
	loop_io_watch(d->host->loop, &d->io, 0);
	door_free(d);
}

/* ---- steps ---- */

static void
run(struct work *work)
{
	struct spool_door *d = LIST_ITEM(work, struct spool_door, work);

	d->more = spool_door_step(d);
}

static void step(struct spool_door *d);

static void
done(struct work *work, enum err result)
{
	struct spool_door *d = LIST_ITEM(work, struct spool_door, work);

	(void)result;
	d->lent = false;
	if (d->over) {
		door_close(d);
	} else if (d->more) {
		step(d);
	} else {
		loop_io_watch(d->host->loop, &d->io, LOOP_READ);
		loop_timer_set(d->host->loop, &d->patience, SPOOL_DOOR_WAIT_S * 1000);
	}
}

/* No room for it: our side is told by the end of its connection, and tries again. */
static void
step(struct spool_door *d)
{
	loop_io_watch(d->host->loop, &d->io, 0);
	loop_timer_clear(&d->patience);
	d->lent = true;
	if (workers_submit(d->host->workers, &d->work) == OK)
		return;
	d->lent = false;
	door_close(d);
}

static void
on_ready(struct loop_io *io, unsigned ready)
{
	(void)ready; /* an error is read as one */
	step(LIST_ITEM(io, struct spool_door, io));
}

/* What it has written goes, which is a worker's. */
static void
on_patience(struct loop_timer *timer)
{
	struct spool_door *d = LIST_ITEM(timer, struct spool_door, patience);

	d->over = true;
	step(d);
}

/* ---- life ---- */

static struct spool_doors *
doors_of(struct host *host)
{
	if (host->spool_doors)
		return host->spool_doors;
	host->spool_doors = calloc(1, sizeof(*host->spool_doors));
	ENSURE(host->spool_doors);
	list_init(&host->spool_doors->all);
	return host->spool_doors;
}

static struct spool_door *
door_new(struct host *host, const struct conf_route *route, int fd)
{
	struct spool_door *d = calloc(1, sizeof(*d));

	ENSURE(d);
	d->host = host;
	d->fd = fd;
	d->users = route->spool_layout == SPOOL_LAYOUT_USERS;
	snprintf(d->root, sizeof(d->root), "%.*s", SPAN_FMT(route->path));
	d->work = (struct work){ .loop = host->loop, .kind = WORK_LONG, .run = run, .done = done };
	list_init(&d->work.link);
	loop_io_init(&d->io, fd, on_ready);
	loop_timer_init(&d->patience, on_patience);
	list_append(&doors_of(host)->all, &d->link);
	return d;
}

int
spool_door_open(struct host *host, const struct conf_route *route)
{
	struct spool_door *d;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
		return -1;
	d = door_new(host, route, fds[1]);
	d->lent = workers_submit(host->workers, &d->work) == OK;
	if (d->lent)
		return fds[0];
	door_free(d);
	close(fds[0]);
	errno = EAGAIN;
	return -1;
}

void
spool_doors_close(struct spool_doors **doorsp)
{
	struct spool_doors *doors = *doorsp;
	struct list *at, *following;

	*doorsp = NULL;
	if (!doors)
		return;
	list_for_each(at, following, &doors->all)
		door_close(LIST_ITEM(at, struct spool_door, link));
	free(doors);
}
