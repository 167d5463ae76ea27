/*
 * runner.c - the server's side of the runner, on the front loop: orders, their places, what came of them.
 *
 *     runner_run --post--> runner_on_order: waits, or goes to the runner -> on_report --post--> runner_deliver
 *     runner_cancel --post--> runner_on_cancel
 */
#include "server/runner/runner_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/warden/warden_wire.h"

/* How many of its kind wait and run. */
static unsigned *
waiting_of(struct runner_order *order)
{
	struct runner_stats *stats = &order->runner->stats;

	return order->row.kind == RUNNER_SCRIPT ? &stats->scripts_waiting : &stats->waiting;
}

static unsigned *
running_of(struct runner_order *order)
{
	struct runner_stats *stats = &order->runner->stats;

	return order->row.kind == RUNNER_SCRIPT ? &stats->scripts_running : &stats->running;
}

static void
go_back(struct runner_order *order)
{
	*waiting_of(order) -= order->place == PLACE_WAITS;
	*running_of(order) -= order->place == PLACE_RUNS;
	order->place = PLACE_BACK;
	list_remove(&order->link);
	buf_wipe(&order->file);
	loop_post(order->asker, runner_deliver, order);
}

static void
answer(struct runner_order *order, enum runner_end end, int number)
{
	order->report = (struct runner_report){ .end = (int32_t)end, .number = number };
	go_back(order);
}

static void
fault(struct runner *r, const char *text)
{
	if (r->options.on_fault)
		r->options.on_fault(r->options.arg, text);
}

static void
close_socket(struct runner *r)
{
	if (r->io.fd < 0)
		return;
	loop_io_watch(r->front, &r->io, 0);
	close(r->io.fd);
	r->io.fd = -1;
	r->stale = false;
}

/* It is gone, and what it ran with it; pump() gives those that wait another one. */
static void
lose(struct runner *r)
{
	struct list *link;

	close_socket(r);
	r->stats.lost++;
	fault(r, "the runner of programs ended, another is started when it is needed");
	while ((link = list_take_first(&r->running)))
		answer(LIST_ITEM(link, struct runner_order, link), RUNNER_LOST, 0);
}

static struct runner_order *
find_running(struct runner *r, uint64_t id)
{
	struct list *at, *following;

	list_for_each(at, following, &r->running) {
		struct runner_order *order = LIST_ITEM(at, struct runner_order, link);

		if (order->row.id == id)
			return order;
	}
	return NULL;
}

static void
on_report(struct runner *r, const struct runner_report *report, int file)
{
	struct runner_order *order = find_running(r, report->id);
	size_t size = (size_t)report->output_size;
	char *room;

	if (!order)
		return;
	order->report = *report;
	order->report.error[sizeof(order->report.error) - 1] = '\0';
	room = file >= 0 && size <= order->row.output_max ? buf_reserve(&order->output, size) : NULL;
	if (room && pread(file, room, size, 0) == (ssize_t)size)
		buf_added(&order->output, size);
	else if (size > 0)
		order->report.end = RUNNER_LOST;
	go_back(order);
}

static void on_socket(struct loop_io *io, unsigned ready);

static bool
ensure_runner(struct runner *r)
{
	char text[120];
	int fd;

	if (r->io.fd >= 0)
		return true;
	fd = r->options.start(r->options.arg);
	if (fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0) {
		r->stats.started++;
		loop_io_init(&r->io, fd, on_socket);
		loop_io_watch(r->front, &r->io, LOOP_READ);
		return true;
	}
	snprintf(text, sizeof(text), "no runner of programs can be started: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	fault(r, text);
	return false;
}

/* ERR_IO with errno: of this one. ERR_BUSY: the runner is gone. */
static enum err
send_order(struct runner *r, struct runner_order *order)
{
	struct span bytes = buf_span(&order->file);
	int file = memfd_create("order", MFD_CLOEXEC);
	enum err err = ERR_IO;

	order->row.id = ++r->last_id;
	if (file < 0)
		return ERR_IO;
	if (pwrite(file, bytes.ptr, bytes.len, 0) == (ssize_t)bytes.len)
		err = warden_send(r->io.fd, &order->row, sizeof(order->row), file) ? OK : ERR_BUSY;
	close(file);
	return err;
}

/* What must stay hidden from programs is in the file (warden_hide.c), and a runner has that of its start. */
static void
retire(struct runner *r)
{
	if (r->stale && list_is_empty(&r->running))
		close_socket(r);
}

static unsigned
running_for(const struct runner *r, uint64_t owner)
{
	const struct list *at;
	unsigned count = 0;

	for (at = r->running.next; at != &r->running; at = at->next) {
		const struct runner_order *order = LIST_ITEM(at, struct runner_order, link);

		count += order->row.kind == RUNNER_SCRIPT && order->owner == owner;
	}
	return count;
}

/* Of those whose owner has the fewest running the one that waits longest: a slow script is slow for its own mail. */
static struct runner_order *
next_script(const struct runner *r)
{
	struct runner_order *best = NULL;
	unsigned least = UINT_MAX;
	const struct list *at;

	for (at = r->scripts.next; at != &r->scripts && least > 0; at = at->next) {
		struct runner_order *order = LIST_ITEM(at, struct runner_order, link);
		unsigned count = running_for(r, order->owner);

		if (count < least) {
			least = count;
			best = order;
		}
	}
	return best;
}

/* One that has a place; programs, the longest waiting first, and scripts do not wait for each other. */
static struct runner_order *
next_order(struct runner *r)
{
	if (r->stats.scripts_running < RUNNER_SCRIPTS_MAX && !list_is_empty(&r->scripts))
		return next_script(r);
	if (r->stats.running < RUNNER_PROGRAMS_MAX && !list_is_empty(&r->waiting))
		return LIST_ITEM(r->waiting.next, struct runner_order, link);
	return NULL;
}

static void
pump(struct runner *r)
{
	struct runner_order *order;

	retire(r);
	while ((order = next_order(r))) {
		enum err err;

		if (!ensure_runner(r)) {
			answer(order, RUNNER_LOST, 0);
			continue;
		}
		err = send_order(r, order);
		if (err == ERR_BUSY) {
			answer(order, RUNNER_LOST, 0); /* each is tried once, or this might not end */
			lose(r);
			continue;
		}
		if (err != OK) {
			answer(order, RUNNER_NOT_STARTED, errno);
			continue;
		}
		list_remove(&order->link);
		list_append(&r->running, &order->link);
		order->place = PLACE_RUNS;
		--*waiting_of(order);
		++*running_of(order);
	}
}

static void
on_socket(struct loop_io *io, unsigned ready)
{
	struct runner *r = LIST_ITEM(io, struct runner, io);
	struct runner_report report;
	int file = -1, got;

	(void)ready;
	errno = 0;
	while ((got = warden_receive(io->fd, &report, sizeof(report), &file)) == 1) {
		on_report(r, &report, file);
		if (file >= 0)
			close(file);
		errno = 0;
	}
	if (got == 0 || errno != EAGAIN)
		lose(r);
	pump(r);
}

void
runner_on_order(void *arg)
{
	struct runner_order *order = arg;
	struct runner *r = order->runner;

	order->place = PLACE_WAITS;
	++*waiting_of(order);
	list_append(order->row.kind == RUNNER_SCRIPT ? &r->scripts : &r->waiting, &order->link);
	pump(r);
}

void
runner_on_cancel(void *arg)
{
	struct runner_order *order = arg;
	struct runner_row row = { .kind = RUNNER_CANCEL, .id = order->row.id };

	if (order->place == PLACE_WAITS)
		answer(order, RUNNER_LOST, 0);
	else if (order->place == PLACE_RUNS && !warden_send(order->runner->io.fd, &row, sizeof(row), -1))
		lose(order->runner);
	pump(order->runner);
	runner_order_release(order);
}

void
runner_follow(void *arg)
{
	struct runner *r = arg;

	r->stale = r->io.fd >= 0;
	retire(r);
}

/* ---- opening and closing ---- */

struct runner *
runner_open(struct loop *front, const struct runner_options *options)
{
	struct runner *r = calloc(1, sizeof(*r));

	ENSURE(r);
	r->front = front;
	r->options = *options;
	loop_io_init(&r->io, -1, on_socket);
	list_init(&r->waiting);
	list_init(&r->scripts);
	list_init(&r->running);
	list_init(&r->orders);
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void
runner_close(struct runner **at)
{
	struct runner *r = *at;
	struct list *link;

	*at = NULL;
	if (!r)
		return;
	close_socket(r); /* the programs end with the runner, the runner with its socket */
	while ((link = list_take_first(&r->orders))) {
		struct runner_order *order = LIST_ITEM(link, struct runner_order, all);

		if (order->job)
			order->job->order = NULL;
		runner_order_free(order);
	}
	pthread_mutex_destroy(&r->lock);
	free(r);
}

struct runner_stats
runner_stats(const struct runner *r)
{
	return r->stats;
}
