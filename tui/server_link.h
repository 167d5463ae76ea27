/*
 * server_link.h - the console's line to the server: any number of requests under way, events between
 * them, and nothing that waits.
 *
 * The console polls server_link_fd() for server_link_events() and calls server_link_turn(). A lost
 * server is looked for again after 0.25 s, doubling to 5 s. Each request is answered exactly once,
 * by its `done`, unless its owner forgets it: with a result, with the server's error, or with
 * RPC_GONE where the line broke.
 */
#ifndef TUI_SERVER_LINK_H
#define TUI_SERVER_LINK_H

#include "proto/base/list.h"
#include "tui/link_frame.h"

#define SERVER_LINK_CALLS_MAX 64          /* requests that may be under way */
#define SERVER_LINK_OUT_MAX (4u << 20)    /* bytes that may wait to be sent */
#define SERVER_LINK_TURN_BYTES 262144     /* taken in one turn, so that keys come through */
#define SERVER_LINK_RETRY_FIRST_MS 250
#define SERVER_LINK_RETRY_MAX_MS 5000

struct link_reply {
	const struct json *result;     /* NULL: it failed */
	const struct rpc_error *error; /* NULL: it did not */
	struct arena arena;            /* of all of it; link_reply_keep() takes it over */
};

typedef void link_done(void *owner, struct link_reply *reply);

struct server_link {
	const char *path;
	int fd;
	struct buf in, out;
	size_t searched;
	uint64_t last_id;
	struct list calls;
	size_t call_count;
	int64_t retry_at_ms, retry_ms; /* of the console's clock */
	enum err why;                  /* of the last try to connect */
	/* told by server_link_turn() */
	void (*on_event)(void *arg, const struct json *params);
	void (*on_change)(void *arg, bool connected);
	void *arg;
};

void server_link_init(struct server_link *link, const char *path);
/* Speak over FD, already connected; for tests. */
void server_link_take(struct server_link *link, int fd);
void server_link_fini(struct server_link *link);

bool server_link_is_up(const struct server_link *link);
/* What poll() wants for link->fd (0 where there is none), and when a turn is due at the latest. */
short server_link_events(const struct server_link *link);
int64_t server_link_due_ms(const struct server_link *link);
/* Connect, send, take, answer: whatever can be done without waiting. */
void server_link_turn(struct server_link *link, int64_t now_ms);
/* Try now rather than later. */
void server_link_hurry(struct server_link *link);

/*
 * Ask for METHOD with PARAMS (a JSON object). 0, and DONE is never called: there is no server, or
 * too much is under way.
 */
uint64_t server_link_call(struct server_link *link, const char *method, struct span params,
	link_done *done, void *owner);
/* The same, and the descriptor FD goes along: the parameter of type fd is 0. FD stays the caller's. */
uint64_t server_link_call_file(struct server_link *link, const char *method, struct span params,
	int fd, link_done *done, void *owner);
/* DONE of what OWNER asked for is not called any more. */
void server_link_forget(struct server_link *link, const void *owner);
/* The event was shown. */
void server_link_ack(struct server_link *link, const struct json *params);

/* The reply's memory lives on in A, which must be empty. */
void link_reply_keep(struct link_reply *reply, struct arena *a);

#endif
