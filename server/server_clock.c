/*
 * server_clock.c - `clock advance`: the offset of the wall clock, kept over a restart.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/connect/connect.h"
#include "server/queue/outgoing.h"
#include "server/server_state.h"
#include "server/task/tasks.h"

#define CLOCK_PATH_MAX 1024
#define CLOCK_TEXT_MAX 24
#define CLOCK_OFFSET_MAX_MS INT64_C(3153600000000) /* a hundred years */

static bool
clock_path(struct span data, char out[CLOCK_PATH_MAX])
{
	int n = snprintf(out, CLOCK_PATH_MAX, "%.*s/clock", SPAN_FMT(data));

	return n > 0 && n < CLOCK_PATH_MAX;
}

/* Nothing there, or testing.clock is off: the real time. */
void
server_clock_restore(struct server *s, const struct conf *conf)
{
	char path[CLOCK_PATH_MAX], text[CLOCK_TEXT_MAX];
	uint64_t offset;
	ssize_t n;
	int fd;

	if (!conf->testing_clock || !clock_path(conf->data, path))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n > 0 && span_u64((struct span){ text, (size_t)n }, CLOCK_OFFSET_MAX_MS, &offset) == OK)
		s->clock_offset_ms = (int64_t)offset;
}

static enum err
keep(struct server *s, int64_t offset_ms)
{
	char path[CLOCK_PATH_MAX], text[CLOCK_TEXT_MAX];
	int fd, len;
	ssize_t n;

	if (!clock_path(server_front(s)->conf->data, path))
		return ERR_LIMIT;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ERR_IO;
	len = snprintf(text, sizeof(text), "%lld", (long long)offset_ms);
	n = write(fd, text, (size_t)len);
	close(fd);
	return n == len ? OK : ERR_IO;
}

enum err
server_clock_advance(struct server *s, int64_t by_ms)
{
	int64_t offset_ms;

	if (!server_front(s)->conf->testing_clock)
		return ERR_DENIED;
	if (by_ms < 0 || __builtin_add_overflow(s->clock_offset_ms, by_ms, &offset_ms) ||
		offset_ms > CLOCK_OFFSET_MAX_MS)
		return ERR_LIMIT;
	if (keep(s, offset_ms) != OK)
		return ERR_IO;
	s->clock_offset_ms = offset_ms;
	tasks_clock_moved(s->tasks, by_ms);
	outgoing_kick(server_front(s));
	connect_look(s->connect);
	return OK;
}
