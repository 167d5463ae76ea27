/*
 * warden_requests.h - what the server may ask of the warden: fixed-size rows over a socketpair.
 *
 * One request is answered before the next is read. Descriptors come with the answer (SCM_RIGHTS).
 */
#ifndef SERVER_WARDEN_WARDEN_REQUESTS_H
#define SERVER_WARDEN_WARDEN_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"

#define WARDEN_TEXT_SIZE 256
#define WARDEN_SECRET_SIZE 260 /* a password, its 0 included */
#define WARDEN_PAM_MS 10000
#define WARDEN_GROUP_FILE "/etc/group" /* these it opens, too */
#define WARDEN_RESOLV_CONF "/etc/resolv.conf"

enum warden_request_kind {
	WARDEN_BIND,	    /* text: an address the configuration lists; answer: a listening socket */
	WARDEN_OPEN,	    /* text: a key, certificate or secret file it names, or below; answer: read-only */
	WARDEN_CHECK_STORE, /* a descriptor comes with it: where the report goes; answer: exit status */
	WARDEN_BACKUP,	    /* a folder comes with it; answer: a pipe with what the child says */
	WARDEN_OPEN_IN,	    /* a folder comes with it; text: a name in it; answer: read-only */
	WARDEN_REREAD,	    /* the configuration has changed: read the lists of names again */
	WARDEN_PAM,	    /* text: a system account; secret: a password; answer: a pipe, see below */
	WARDEN_RUNNER,	    /* answer: a socket to a runner that was just started (runner_wire.h) */
	WARDEN_KINDS
};

/*
 * WARDEN_PAM: an int32_t comes out of the pipe, 0 where PAM says yes; nothing where it took longer
 * than WARDEN_PAM_MS.
 */
struct warden_request {
	uint32_t kind;
	char text[WARDEN_TEXT_SIZE];
	char secret[WARDEN_SECRET_SIZE]; /* 0-terminated; wiped after use by both sides (H66) */
};

struct warden_reply {
	int32_t err;	/* enum err */
	int32_t error;	/* errno */
	int32_t status; /* of a child */
};

/* The server's side; waits for the answer, which the warden gives at once. Any thread. */
MUST_CHECK enum err warden_ask(int warden_fd, const struct warden_request *request, int send_fd,
	struct warden_reply *reply, int *got_fd);

#endif
