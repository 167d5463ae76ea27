/*
 * control_previews.h - changes that were previewed and wait to be applied (control_preview.c).
 *
 * Of all sessions: a command line previews and applies over two connections. Front loop only.
 */
#ifndef SERVER_CONTROL_CONTROL_PREVIEWS_H
#define SERVER_CONTROL_CONTROL_PREVIEWS_H

#include "server/control/control_call.h"
#include "server/shared.h"

#define CONTROL_TOKEN_BYTES 16

struct preview {
	struct list link;
	char token[2 * CONTROL_TOKEN_BYTES + 1];
	char who[SHARED_USER_SIZE]; /* nobody else may apply it */
	struct arena arena;
	struct rpc_request *request; /* its targets are the pinned keys */
	size_t count;
	int64_t expires_ms; /* of the loop's clock */
	int fds[CONTROL_FDS_MAX]; /* the files that came with it */
	unsigned fd_count;
	uint64_t digest; /* of what was in them */
};

/* P waits from now on; it is theirs. */
void control_previews_add(struct preview *p);
/* What is over goes, and the oldest where there are too many. */
void control_previews_sweep(int64_t now_ms);
/* The caller's from now on: there is one apply. NULL: none of WHO. */
struct preview *control_previews_take(struct span token, const char *who);
void control_preview_free(void *preview); /* it does not wait; for arena_on_reset() */

#endif
