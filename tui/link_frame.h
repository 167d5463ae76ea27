/*
 * link_frame.h - lines of the control protocol as a client writes and reads them.
 *
 * Shared by the command line, which waits for each reply (control_link), and by the console, which
 * never waits (server_link). No socket is touched here but by link_connect() and link_send().
 */
#ifndef TUI_LINK_FRAME_H
#define TUI_LINK_FRAME_H

#include <sys/types.h>

#include "proto/base/arena.h"
#include "proto/base/json.h"
#include "proto/control/control_method.h"
#include "proto/control/rpc_reply.h"

#define LINK_READ_SIZE 65536

/* Connect. ERR_NOT_FOUND: nobody answers; ERR_DENIED: may not; ERR_LIMIT: the path is too long. */
MUST_CHECK enum err link_connect(const char *path, int *fd);
/* send() of BYTES, the first of which carries the descriptors; at most CONTROL_FDS_MAX. As send() returns. */
ssize_t link_send(int fd, struct span bytes, const int *fds, size_t fd_count);
/* One request with PARAMS (a JSON object) and its line feed. ERR_LIMIT: OUT is full. */
MUST_CHECK enum err link_put_request(
	struct buf *out, uint64_t id, const char *method, struct span params);
/* The notification that answers an event with these PARAMS. ERR_SYNTAX: it is none. */
MUST_CHECK enum err link_put_ack(struct buf *out, const struct json *params);
/* hello's params. */
struct span link_hello_params(struct arena *a, bool read_only);

/*
 * Take the next whole line of IN as a JSON object in A. *searched bytes are known to hold no line
 * feed. ERR_BUSY: there is none yet; ERR_CORRUPT: a line came and is no object.
 */
MUST_CHECK enum err link_take_line(
	struct buf *in, size_t *searched, struct arena *a, const struct json **out);
/* The error object of a reply; its texts are copied to A. */
void link_take_error(const struct json *error, struct arena *a, struct rpc_error *out);

#endif
