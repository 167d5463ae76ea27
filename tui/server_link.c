/*
 * server_link.c - see server_link.h.
 */
#include "tui/server_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct link_waiting {
	struct list link;
	uint64_t id;
	link_done *done;
	void *owner; /* NULL: nobody waits any more */
};

void
server_link_init(struct server_link *link, const char *path)
{
	*link = (struct server_link){ .path = path, .fd = -1, .why = ERR_NOT_FOUND };
	list_init(&link->calls);
	buf_init(&link->in, CONTROL_LINE_MAX + LINK_READ_SIZE);
	buf_init(&link->out, SERVER_LINK_OUT_MAX);
	link->out.wipes = true; /* it may hold a password (H66) */
	link->retry_ms = SERVER_LINK_RETRY_FIRST_MS;
}

static void
take_fd(struct server_link *link, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	link->fd = fd;
	link->searched = 0;
	link->retry_ms = SERVER_LINK_RETRY_FIRST_MS;
}

void
server_link_take(struct server_link *link, int fd)
{
	take_fd(link, fd);
	if (link->on_change)
		link->on_change(link->arg, true);
}

/* All that wait learn that the line broke. */
static void
answer_all(struct server_link *link)
{
	struct rpc_error error = { .code = RPC_GONE, .why = SPAN("the server is gone") };
	struct list *at;

	while ((at = list_take_first(&link->calls)) != NULL) {
		struct link_waiting *w = LIST_ITEM(at, struct link_waiting, link);
		struct link_reply reply = { .error = &error };

		link->call_count--;
		arena_init(&reply.arena, NULL);
		if (w->owner)
			w->done(w->owner, &reply);
		arena_reset(&reply.arena);
		free(w);
	}
}

static void
drop(struct server_link *link, int64_t now_ms)
{
	close(link->fd);
	link->fd = -1;
	buf_fini(&link->in);
	buf_wipe(&link->out);
	link->searched = 0;
	link->retry_at_ms = now_ms + link->retry_ms;
	if (link->on_change)
		link->on_change(link->arg, false);
	answer_all(link);
}

void
server_link_fini(struct server_link *link)
{
	struct list *at, *following;

	list_for_each (at, following, &link->calls)
		free(LIST_ITEM(at, struct link_waiting, link));
	list_init(&link->calls);
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	buf_fini(&link->in);
	buf_wipe(&link->out);
}

bool
server_link_is_up(const struct server_link *link)
{
	return link->fd >= 0;
}

short
server_link_events(const struct server_link *link)
{
	return (short)(POLLIN | (buf_span(&link->out).len > 0 ? POLLOUT : 0));
}

int64_t
server_link_due_ms(const struct server_link *link)
{
	return link->fd >= 0 ? INT64_MAX : link->retry_at_ms;
}

void
server_link_hurry(struct server_link *link)
{
	link->retry_at_ms = 0;
	link->retry_ms = SERVER_LINK_RETRY_FIRST_MS;
}

static void
try_connect(struct server_link *link, int64_t now_ms)
{
	int fd;

	if (now_ms < link->retry_at_ms)
		return;
	link->why = link_connect(link->path, &fd);
	if (link->why == OK) {
		server_link_take(link, fd);
		return;
	}
	link->retry_at_ms = now_ms + link->retry_ms;
	link->retry_ms *= 2;
	if (link->retry_ms > SERVER_LINK_RETRY_MAX_MS)
		link->retry_ms = SERVER_LINK_RETRY_MAX_MS;
}

/* False: the line broke. */
static bool
send_some(struct server_link *link)
{
	while (buf_span(&link->out).len > 0) {
		struct span bytes = buf_span(&link->out);
		ssize_t sent = send(link->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

		if (sent < 0)
			return errno == EAGAIN || errno == EINTR;
		buf_consume(&link->out, (size_t)sent);
	}
	return true;
}

static struct link_waiting *
waiting_take(struct server_link *link, const struct json *id)
{
	struct list *at, *following;
	uint64_t number;

	if (json_u64(id, UINT64_MAX, &number) != OK)
		return NULL;
	list_for_each (at, following, &link->calls) {
		struct link_waiting *w = LIST_ITEM(at, struct link_waiting, link);

		if (w->id != number)
			continue;
		list_remove(&w->link);
		link->call_count--;
		return w;
	}
	return NULL;
}

static void
take_answer(struct server_link *link, const struct json *line, struct link_reply *reply)
{
	struct link_waiting *w = waiting_take(link, json_find(line, SPAN("id")));
	const struct json *error = json_find(line, SPAN("error"));
	struct rpc_error fault;

	if (!w)
		return;
	reply->result = json_find(line, SPAN("result"));
	if (error || !reply->result) {
		link_take_error(error, &reply->arena, &fault);
		reply->error = &fault;
		reply->result = NULL;
	}
	if (w->owner)
		w->done(w->owner, reply);
	free(w);
}

/* One whole line; false where there is none, or it is nonsense (*broken). */
static bool
take_one(struct server_link *link, bool *broken)
{
	const struct json *line;
	struct link_reply reply = { 0 };
	enum err err;

	arena_init(&reply.arena, NULL);
	err = link_take_line(&link->in, &link->searched, &reply.arena, &line);
	*broken = err == ERR_CORRUPT;
	if (err == OK && !json_find(line, SPAN("method")))
		take_answer(link, line, &reply);
	else if (err == OK && link->on_event &&
		span_eq(json_text(json_find(line, SPAN("method"))), SPAN("event")))
		link->on_event(link->arg, json_find(line, SPAN("params")));
	arena_reset(&reply.arena);
	return err == OK;
}

static bool
receive(struct server_link *link, size_t *taken)
{
	char *room = buf_reserve(&link->in, LINK_READ_SIZE);
	ssize_t got;

	if (!room)
		return false; /* a line over the limit */
	got = recv(link->fd, room, LINK_READ_SIZE, 0);
	if (got < 0) {
		*taken = SERVER_LINK_TURN_BYTES;
		return errno == EAGAIN || errno == EINTR;
	}
	buf_added(&link->in, (size_t)got);
	*taken += (size_t)got;
	return got > 0;
}

void
server_link_turn(struct server_link *link, int64_t now_ms)
{
	bool broken = false, alive = true;
	size_t taken = 0;

	if (link->fd < 0)
		try_connect(link, now_ms);
	if (link->fd < 0)
		return;
	alive = send_some(link);
	while (alive && !broken && taken < SERVER_LINK_TURN_BYTES) {
		alive = receive(link, &taken);
		while (link->fd >= 0 && take_one(link, &broken))
			;
	}
	if (alive && !broken)
		alive = send_some(link); /* what the answers led to */
	if (!alive || broken)
		drop(link, now_ms);
}

uint64_t
server_link_call(struct server_link *link, const char *method, struct span params, link_done *done,
	void *owner)
{
	struct link_waiting *w;

	if (link->fd < 0 || link->call_count >= SERVER_LINK_CALLS_MAX ||
		link_put_request(&link->out, link->last_id + 1, method, params) != OK)
		return 0;
	w = calloc(1, sizeof(*w));
	ENSURE(w);
	w->id = ++link->last_id;
	w->done = done;
	w->owner = owner;
	list_append(&link->calls, &w->link);
	link->call_count++;
	return w->id;
}

/* The descriptor goes with the first byte of its line, so what waits is sent first. */
uint64_t
server_link_call_file(struct server_link *link, const char *method, struct span params, int fd,
	link_done *done, void *owner)
{
	struct link_waiting *w;
	uint64_t id;
	ssize_t sent;

	if (link->fd < 0 || !send_some(link) || buf_span(&link->out).len > 0)
		return 0;
	id = server_link_call(link, method, params, done, owner);
	if (id == 0)
		return 0;
	do
		sent = link_send(link->fd, buf_span(&link->out), &fd, 1);
	while (sent < 0 && errno == EINTR);
	if (sent > 0) {
		buf_consume(&link->out, (size_t)sent);
		return id;
	}
	buf_clear(&link->out); /* nothing of it left this side */
	w = LIST_ITEM(link->calls.prev, struct link_waiting, link);
	list_remove(&w->link);
	link->call_count--;
	free(w);
	return 0;
}

void
server_link_forget(struct server_link *link, const void *owner)
{
	struct list *at, *following;

	list_for_each (at, following, &link->calls) {
		struct link_waiting *w = LIST_ITEM(at, struct link_waiting, link);

		if (w->owner == owner)
			w->owner = NULL;
	}
}

void
server_link_ack(struct server_link *link, const struct json *params)
{
	if (link->fd >= 0 && link_put_ack(&link->out, params) != OK)
		buf_clear(&link->out); /* full: the next turn finds the line broken */
}

void
link_reply_keep(struct link_reply *reply, struct arena *a)
{
	*a = reply->arena;
	arena_init(&reply->arena, NULL);
}
