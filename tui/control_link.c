/*
 * control_link.c - lines to and from the control socket.
 *
 * One call at a time; events that come before its reply are handed on as they come.
 */
#include "tui/control_link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tui/link_frame.h"

#define DEFAULT_SOCKET "/run/postroom/control.sock"

static bool
belongs_to_us(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid());
}

const char *
control_link_path(const char *option)
{
	const char *set = getenv("POSTROOM_SOCKET");

	if (option)
		return option;
	if (set && set[0])
		return set;
	/* a stranger's folder could hold a socket that asks for passwords */
	if (belongs_to_us("var") && belongs_to_us("var/control.sock"))
		return "var/control.sock";
	return DEFAULT_SOCKET;
}

bool
control_link_is_default(const char *path)
{
	return strcmp(path, DEFAULT_SOCKET) == 0;
}

bool
control_link_trusts(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)] = ".";

	if (slash && (size_t)(slash - path) >= sizeof(folder))
		return false;
	if (slash && slash > path)
		memcpy(folder, path, (size_t)(slash - path));
	return belongs_to_us(slash == path ? "/" : folder) && belongs_to_us(path);
}

void
control_link_init(struct control_link *link, int fd)
{
	*link = (struct control_link){ .fd = fd };
	buf_init(&link->in, CONTROL_LINE_MAX + LINK_READ_SIZE);
	arena_init(&link->memory, NULL);
}

enum err
control_link_open(struct control_link *link, const char *path)
{
	int fd;
	enum err err = link_connect(path, &fd);

	if (err == OK)
		control_link_init(link, fd);
	return err;
}

void
control_link_close(struct control_link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	buf_fini(&link->in);
	arena_reset(&link->memory);
}

static enum err
send_line(struct control_link *link, struct span line, const int *fds, size_t fd_count)
{
	while (line.len > 0) {
		ssize_t sent = link_send(link->fd, line, fds, fd_count);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return ERR_IO;
		line = span_from(line, (size_t)sent);
		fd_count = 0;
	}
	return OK;
}

/* Wait for bytes and take them. ERR_BUSY: none in time, or a signal. */
static enum err
receive(struct control_link *link, int timeout_ms)
{
	struct pollfd wait = { .fd = link->fd, .events = POLLIN };
	char *room;
	ssize_t got;
	int ready = poll(&wait, 1, timeout_ms);

	if (ready == 0 || (ready < 0 && errno == EINTR))
		return ERR_BUSY;
	if (ready < 0)
		return ERR_IO;
	room = buf_reserve(&link->in, LINK_READ_SIZE);
	if (!room)
		return ERR_IO; /* a line over the limit */
	got = recv(link->fd, room, LINK_READ_SIZE, 0);
	if (got < 0 && errno == EINTR)
		return ERR_BUSY;
	if (got <= 0)
		return ERR_IO;
	buf_added(&link->in, (size_t)got);
	return OK;
}

/* Take the next whole line as JSON. ERR_CORRUPT: it came, and is none. */
static enum err
take_line(struct control_link *link, int timeout_ms, struct arena *a, const struct json **out)
{
	enum err err;

	while ((err = link_take_line(&link->in, &link->searched, a, out)) == ERR_BUSY) {
		err = receive(link, timeout_ms);
		if (err != OK)
			return err;
	}
	return err;
}

static void
take_notification(struct control_link *link, const struct json *line)
{
	const struct json *params = json_find(line, SPAN("params"));
	struct span method = json_text(json_find(line, SPAN("method")));

	if (link->on_event && params && span_eq(method, SPAN("event")))
		link->on_event(link->on_event_arg, params);
	if (link->on_progress && params && span_eq(method, SPAN("progress")))
		link->on_progress(link->on_progress_arg, params);
}

static enum err
await_reply(struct control_link *link, int timeout_ms, struct arena *a, const struct json **result)
{
	const struct json *line, *error;
	uint64_t id;

	for (;;) {
		enum err err = take_line(link, timeout_ms, a, &line);

		if (err == ERR_BUSY && timeout_ms < 0)
			continue; /* a signal; ^C ends the program by itself */
		if (err != OK)
			return err;
		if (json_find(line, SPAN("method"))) {
			take_notification(link, line);
			continue;
		}
		error = json_find(line, SPAN("error"));
		if (json_u64(json_find(line, SPAN("id")), UINT64_MAX, &id) == OK &&
			id != link->last_id)
			continue;
		if (error) {
			arena_reset(&link->memory);
			link_take_error(error, &link->memory, &link->error);
			return ERR_DENIED;
		}
		*result = json_find(line, SPAN("result"));
		if (*result)
			return OK;
	}
}

static enum err
call_within(struct control_link *link, const struct link_call *call, int timeout_ms,
	struct arena *a, const struct json **result)
{
	struct buf line;
	enum err err;

	buf_init(&line, CONTROL_LINE_MAX);
	err = link_put_request(&line, ++link->last_id, call->method, call->params);
	if (err == OK)
		err = send_line(link, buf_span(&line), call->fds, call->fd_count);
	buf_wipe(&line); /* it may hold a password (H66) */
	/* also where it did not go out: a server that closes may have said why */
	return err == OK || err == ERR_IO ? await_reply(link, timeout_ms, a, result) : err;
}

enum err
control_link_call(struct control_link *link, const struct link_call *call, struct arena *a,
	const struct json **result)
{
	return call_within(link, call, -1, a, result);
}

enum err
control_link_hello(struct control_link *link, bool read_only, struct arena *a,
	const struct json **out)
{
	struct span params = link_hello_params(a, read_only);

	return call_within(link, &(struct link_call){ "hello", params, NULL, 0 }, LINK_HELLO_MS, a,
		out);
}

enum err
control_link_wait(struct control_link *link, int timeout_ms)
{
	const struct json *line;
	struct arena arena;
	enum err err;

	arena_init(&arena, NULL);
	err = take_line(link, timeout_ms, &arena, &line);
	if (err == OK)
		take_notification(link, line);
	arena_reset(&arena);
	return err;
}

enum err
control_link_ack(struct control_link *link, const struct json *params)
{
	struct buf line;
	enum err err;

	buf_init(&line, CONTROL_LINE_MAX);
	err = link_put_ack(&line, params);
	if (err == OK)
		err = send_line(link, buf_span(&line), NULL, 0);
	buf_fini(&line);
	return err;
}
