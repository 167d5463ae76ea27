/*
 * listener.h - listening sockets: accept, count, hand to a loop.
 *
 * Belongs to the front loop. It takes at most LISTENER_BATCH sockets a call, and rests for
 * LISTENER_PAUSE_MS when the process is out of descriptors (H33).
 */
#ifndef SERVER_NET_LISTENER_H
#define SERVER_NET_LISTENER_H

#include "server/net/loop.h"
#include "server/net/peer.h"

#define LISTENER_BACKLOG 4096
#define LISTENER_BATCH 64
#define LISTENER_PAUSE_MS 100
#define LISTENER_QUIET_MS (60 * 1000) /* between two log lines about descriptors */
#define LISTEN_TEXT_MAX 120	      /* "unix:" and a path (108), or "[address]:port" */

/* Where to listen, as the configuration says it: "127.0.0.1:25", "[::1]:25", "unix:PATH". */
struct listen_address {
	struct sockaddr_storage sockaddr;
	socklen_t length;
	char text[LISTEN_TEXT_MAX];
};

/* ERR_SYNTAX, or ERR_LIMIT for a path that does not fit. No name is looked up. */
MUST_CHECK enum err listen_address_parse(struct span text, struct listen_address *out);

/*
 * Bind and listen: non-blocking, CLOEXEC, IPv6 without IPv4. A Unix socket gets 0660 (umask set
 * before the bind); a socket file that nobody answers on is replaced (H59). ERR_EXISTS: in use;
 * ERR_DENIED: no right; ERR_IO: the rest. errno is left as the system set it.
 */
MUST_CHECK enum err listen_address_bind(const struct listen_address *address, int *fd);

struct listener {
	struct list link;
	struct loop *loop;
	struct loop_io io;
	struct loop_timer pause;
	struct listen_address address;
	const void *service; /* for the owner */
	int64_t complained_ms;
	dev_t file_dev; /* a Unix socket's file, so that another's is not removed */
	ino_t file_ino;
	uint64_t paused; /* how often */
	/* FD is the owner's from now on. */
	void (*on_accept)(struct listener *, int fd, const struct peer *peer);
	void (*on_pause)(struct listener *, int error); /* to be logged; at most once a minute */
};

void listener_init(struct listener *l, struct loop *loop, int fd);
void listener_start(struct listener *l);
/*
 * Stop listening without giving up the address (TCP), so that another socket may bind its port; then
 * listener_stop(), or listener_reclaim() when the other is closed again. ERR_IO: errno.
 */
MUST_CHECK enum err listener_yield(struct listener *l);
MUST_CHECK enum err listener_reclaim(struct listener *l);
void listener_stop(struct listener *l); /* closes the descriptor, removes its own Unix socket's file */

#endif
