/*
 * server_control.c - what the control socket asks of the process: figures, sessions, a check.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/server_state.h"
#include "server/warden/warden_requests.h"

struct host *
host_of_loop(const struct host *host, unsigned number)
{
	ENSURE(number < host->server->loop_count);
	return &host->server->hosts[number];
}

unsigned
host_count(const struct host *host)
{
	return host->server->loop_count;
}

const char *
server_conf_path(const struct server *s)
{
	return s->options->conf_path;
}

int64_t
server_started_ms(const struct server *s)
{
	return s->started_ms;
}

const char *
server_store_state(const struct server *s)
{
	return store_is_dead(s->store) ? "dead" : store_is_full(s->store) ? "full" : "ok";
}

struct log_writer *
server_log_writer(const struct server *s)
{
	return s->writer;
}

struct ending {
	struct host *host;
	uint64_t id;
};

static void
end_one(void *arg)
{
	struct ending *e = arg;

	session_close_by_id(e->host, e->id, CLOSE_ENDED);
	free(e);
}

enum err
server_session_end(struct server *s, uint64_t id)
{
	struct shared_session row;
	struct ending *e;

	if (shared_session_find(s->shared, id, &row) != OK)
		return ERR_NOT_FOUND;
	e = malloc(sizeof(*e));
	ENSURE(e);
	*e = (struct ending){ &s->hosts[row.loop], id };
	loop_post(e->host->loop, end_one, e);
	return OK;
}

static void
on_check_end(struct loop_io *io, unsigned ready)
{
	struct server *s = LIST_ITEM(io, struct server, check_io);
	int32_t status = -1;

	(void)ready;
	if (read(io->fd, &status, sizeof(status)) != (ssize_t)sizeof(status))
		status = -1;
	loop_io_watch(server_front(s)->loop, io, 0);
	close(io->fd);
	s->check_runs = false;
	s->check_done(s->check_arg, status);
}

enum err
server_check_store(struct server *s, int out_fd, void (*done)(void *arg, int status), void *arg)
{
	struct warden_request request = { .kind = WARDEN_CHECK_STORE };
	struct warden_reply reply;
	int status_fd = -1;

	if (s->check_runs)
		return ERR_BUSY;
	if (s->options->warden_fd < 0)
		return ERR_DENIED;
	if (warden_ask(s->options->warden_fd, &request, out_fd, &reply, &status_fd) != OK ||
		status_fd < 0)
		return ERR_IO;
	s->check_runs = true;
	s->check_done = done;
	s->check_arg = arg;
	loop_io_init(&s->check_io, status_fd, on_check_end);
	loop_io_watch(server_front(s)->loop, &s->check_io, LOOP_READ);
	return OK;
}

enum err
server_backup(struct server *s, int dir_fd, int *out_fd)
{
	struct warden_request request = { .kind = WARDEN_BACKUP };
	struct warden_reply reply;

	if (s->options->warden_fd < 0)
		return ERR_DENIED;
	return warden_ask(s->options->warden_fd, &request, dir_fd, &reply, out_fd);
}

enum err
server_open_in(struct server *s, int dir_fd, const char *name, int *fd)
{
	struct warden_request request = { .kind = WARDEN_OPEN_IN };
	struct warden_reply reply;
	enum err err;

	if (s->options->warden_fd < 0 || strlen(name) >= sizeof(request.text))
		return ERR_DENIED;
	memcpy(request.text, name, strlen(name));
	err = warden_ask(s->options->warden_fd, &request, dir_fd, &reply, fd);
	errno = reply.error;
	return err;
}
