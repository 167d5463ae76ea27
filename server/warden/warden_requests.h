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

enum warden_request_kind {
	WARDEN_BIND,	    /* text: an address the configuration lists; answer: a listening socket */
	WARDEN_OPEN,	    /* text: a key, certificate or secret file it names; answer: read-only */
	WARDEN_CHECK_STORE, /* a descriptor comes with it: where the report goes; answer: exit status */
	WARDEN_BACKUP,	    /* a folder comes with it; answer: a pipe with what the child says */
	WARDEN_OPEN_IN,	    /* a folder comes with it; text: a name in it; answer: read-only */
	WARDEN_REREAD,	    /* the configuration has changed: read the lists of names again */
	WARDEN_KINDS	    /* PAM and the runner come behind this, before the end */
};

struct warden_request {
	uint32_t kind;
	char text[WARDEN_TEXT_SIZE];
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
