/*
 * control_link.h - the line to the server: connect, hello, one call at a time, events between.
 */
#ifndef TUI_CONTROL_LINK_H
#define TUI_CONTROL_LINK_H

#include "proto/base/arena.h"
#include "proto/base/json.h"
#include "proto/control/control_method.h"
#include "proto/control/rpc_reply.h"

#define LINK_HELLO_MS   10000 /* until a server that does not answer counts as none */

struct control_link {
	int fd;
	struct buf in;
	size_t searched; /* bytes of `in` known to hold no LF */
	uint64_t last_id;
	/* Called for each event, also while a reply is waited for; PARAMS live as long as the call. */
	void (*on_event)(void *arg, const struct json *params);
	void *on_event_arg;
	/* Of the call that is waited for: how far it is. NULL: nobody looks. */
	void (*on_progress)(void *arg, const struct json *params);
	void *on_progress_arg;
	struct rpc_error error; /* of the last failed call; lies in `memory` */
	struct arena memory;
};

/*
 * The socket's path: OPTION (-s), else $POSTROOM_SOCKET, else ./var/control.sock where socket and
 * folder belong to the caller or root, else /run/postroom/control.sock. Never NULL.
 */
const char *control_link_path(const char *option);

bool control_link_is_default(const char *path);
/* Do the file and its folder belong to the caller or root? A stranger's could name a program. */
bool control_link_trusts(const char *path);

/* Connect. ERR_NOT_FOUND: nobody answers; ERR_DENIED: may not; ERR_LIMIT: the path is too long. */
MUST_CHECK enum err control_link_open(struct control_link *link, const char *path);
/* Speak over a connected socket; it belongs to the link from now on. */
void control_link_init(struct control_link *link, int fd);
void control_link_close(struct control_link *link);

/* Say hello; *out is the server's answer. Errors as control_link_call. */
MUST_CHECK enum err control_link_hello(
	struct control_link *link, bool read_only, struct arena *a, const struct json **out);

/*
 * Call METHOD with PARAMS (a JSON object), passing FDS. *result and all it points to live in A.
 * ERR_DENIED: the server answered with link->error; ERR_IO: it is gone or speaks nonsense;
 * ERR_LIMIT: the line would be over CONTROL_LINE_MAX.
 */
struct link_call {
	const char *method;
	struct span params;
	const int *fds;
	size_t fd_count;
};
MUST_CHECK enum err control_link_call(struct control_link *link, const struct link_call *call,
	struct arena *a, const struct json **result);

/* Read one line within TIMEOUT_MS (-1: for ever) and hand it to on_event, if it is an event.
 * ERR_BUSY: none came, or a signal did; ERR_IO: the server is gone. */
MUST_CHECK enum err control_link_wait(struct control_link *link, int timeout_ms);
/* Tell the server that the event with these PARAMS was shown. */
MUST_CHECK enum err control_link_ack(struct control_link *link, const struct json *params);

#endif
