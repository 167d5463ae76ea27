/*
 * store_forward.h - store and forward on its way out: to which server a recipient goes, and what becomes of
 * the copy in the mailbox (SNF-02 to SNF-07). The pairs themselves are store/forwards.h.
 *
 * A recipient's route is "snf:17", a user_id. Server and account are those of the user's fields at the moment
 * when it is tried, so another target takes along what waits. The lane is "snf:host:port"; who logs in there
 * has one of his own, with his user_id as its hop.
 *
 *     the server took it       the copy leaves the mailbox
 *     not yet                  lan.retry, until lan.give_up; nobody is warned, the mail is at hand here
 *     refused, or given up     the mail stays; its user and the Main Administrator are told
 *
 * All in the transaction of the outcome. The sender is told nothing: his mail has arrived.
 */
#ifndef SERVER_QUEUE_STORE_FORWARD_H
#define SERVER_QUEUE_STORE_FORWARD_H

#include "proto/mail/forward_server.h"
#include "store/queued.h"
#include "store/users.h"

struct conf_route;
struct snapshot;

#define FORWARD_HOP_SIZE 24

/* The names of a lane. */
struct store_forward_way {
	char route[QUEUED_ROUTE_MAX + 1];
	char hop[FORWARD_HOP_SIZE];
};

/*
 * Where ROUTE of a recipient leads now. ERR_NOT_FOUND: the user has no server (any more), or what he had before is
 * still being cancelled. ERR_CORRUPT, ERR_IO.
 */
MUST_CHECK enum err store_forward_way(
	struct snapshot *snap, struct span route, struct store_forward_way *out);
/* Is what the user had before still being cancelled or turned? Then ROUTE is looked at later. */
bool store_forward_waits(struct snapshot *snap, struct span route);
/* May the recipient R be sent over a connection for the lane ROUTE, HOP? Also of other routes. */
bool store_forward_goes_by(
	struct snapshot *snap, const struct queued_recipient *r, struct span route, struct span hop);
/* "snf:host:port" for what people read, in A; ROUTE where it leads nowhere or is another one. */
struct span store_forward_shown(struct snapshot *snap, struct span route, struct arena *a);

/*
 * The connection for a lane: server, TLS and account go into OUT, what they point to into A. False: the user
 * has another server by now. The password is read when it is wanted (delivery_auth.c).
 */
bool store_forward_route(struct snapshot *snap, struct span route, struct span hop,
	struct conf_route *out, struct arena *a);

#endif
