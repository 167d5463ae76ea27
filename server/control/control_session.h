/*
 * control_session.h - the control socket: who asks, what he may, line in, line out.
 *
 * One JSON object a line each way, at most CONTROL_LINE_MAX (H59). The peer's credentials decide
 * first: root and the server's own user are administrators, members of the Unix groups of
 * `console.groups` are as mapped; `auth` puts a user's rights in their place; `hello` with
 * read_only gives up all that changes something. Calls run beside each other, at most
 * CONTROL_CALLS_MAX a session; their replies come in the order in which they end.
 */
#ifndef SERVER_CONTROL_CONTROL_SESSION_H
#define SERVER_CONTROL_CONTROL_SESSION_H

#include "proto/control/control_method.h"
#include "server/session/session.h"

#define CONTROL_CALLS_MAX 8 /* of one session, at work at the same time; more are `busy` */
#define CONTROL_OUTPUT_MAX (3 * 1024 * 1024) /* unsent bytes: a console that is stuck goes (H59)   \
					      */
#define CONTROL_SUBSCRIPTIONS_MAX 8	     /* of one session */
#define CONTROL_VIA_SIZE 96

extern const struct session_class control_session_class;

/* Who asks: recorded with every change. Copied into each call. */
struct control_who {
	enum control_level level;
	control_rights rights;
	uint64_t user_id;	     /* after auth; 0 else */
	char name[SHARED_USER_SIZE]; /* "root", "uid 1000", or the user's name */
	char via[CONTROL_VIA_SIZE];  /* "control uid=0 pid=12" */
};

struct control_session {
	struct session base;
	struct control_who who;
	bool read_only; /* said by hello, for good */
	bool guard_is_open; /* message security: the password was given (control_guard.h) */
	struct list calls; /* struct control_call.link */
	unsigned call_count;
	struct list subscriptions; /* struct control_subscription.link */
	unsigned subscription_count;
	uint64_t subscription_last;
	struct list cursors; /* struct control_cursor.link */
	unsigned cursor_count;
	uint64_t cursor_last;
	size_t scanned; /* bytes of the input without a line end so far */
};

/* The level that Unix credentials give under the configuration of HOST. GROUPS are the peer's, its own
 * group included. */
struct rpc_error;
enum control_level control_level_of(
	struct host *host, uid_t uid, uid_t own_uid, const gid_t *groups, size_t count);

/* May S call R? False with code, why and field of *error set. */
struct rpc_request;
bool control_session_may(
	struct control_session *s, const struct rpc_request *r, struct rpc_error *error);
/* Put one whole line, its LF included. A session that does not read is ended. */
void control_session_put(struct control_session *s, struct span line);

#endif
