/*
 * control_file.c - a whole small file from a descriptor of the call.
 */
#include <errno.h>
#include <unistd.h>

#include "server/control/control_transfer.h"
#include "store/key.h"

#define READ_STEP (64 * 1024)

bool
control_read_file(struct control_call *call, int fd, struct span *out)
{
	struct buf text;
	off_t at = 0; /* from the front, wherever another reader left it: a preview came before */
	ssize_t n = 1;
	bool fits = true;

	if (fd < 0)
		return control_fail(
			call, RPC_INVALID, "no file came with the request", NULL, "file");
	buf_init(&text, TRANSFER_FILE_MAX);
	while (n > 0 && fits) {
		char *room = buf_reserve(&text, READ_STEP);

		fits = room != NULL;
		n = fits ? pread(fd, room, READ_STEP, at) : 0;
		if (n < 0 && errno == EINTR) {
			n = 1;
		} else if (n > 0) {
			buf_added(&text, (size_t)n);
			at += n;
		}
	}
	*out = arena_copy(&call->arena, buf_span(&text));
	call->file_digest = key_hash(*out);
	control_call_wipes(call, *out); /* it may hold passwords */
	buf_wipe(&text);
	if (!fits)
		return control_fail(call, RPC_TOO_LARGE, "the file is over 16 MiB", NULL, "file");
	if (n != 0)
		return control_fail(call, RPC_INVALID, "the file cannot be read", NULL, "file");
	return call->pinned_digest == 0 || call->pinned_digest == call->file_digest ||
	       control_fail(call, RPC_GONE, "the file is not the one that was previewed",
		       "preview again", "file");
}
