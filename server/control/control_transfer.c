/*
 * control_transfer.c - lists to a file, see control_transfer.h.
 */
#include "server/control/control_transfer.h"

#include <string.h>

#define EXPORT_STEP (256 * 1024) /* bytes between two writes */

static void
out_free(void *arg)
{
	buf_wipe(arg); /* it may hold the hashes of passwords */
}

bool
transfer_out_check(struct control_call *call)
{
	return transfer_out_begin(call, ARENA_NEW(&call->arena, struct transfer_out));
}

bool
transfer_out_begin(struct control_call *call, struct transfer_out *t)
{
	t->fd = control_fd(call, "out");
	buf_init(&t->text, 4 * EXPORT_STEP);
	t->text.wipes = true;
	arena_on_reset(&call->arena, out_free, &t->text);
	call->state = t;
	return t->fd >= 0 ||
	       control_fail(call, RPC_INVALID, "no file came with the request", NULL, "out");
}

bool
transfer_out_spill(struct control_call *call)
{
	struct transfer_out *t = call->state;

	return control_write(call, t->fd, &t->text);
}

void
transfer_out_name(struct transfer_out *t, struct span name)
{
	t->name.len = name.len < sizeof(t->name_bytes) ? name.len : sizeof(t->name_bytes);
	memcpy(t->name_bytes, name.ptr, t->name.len);
	t->name.ptr = t->name_bytes;
}

enum step
transfer_out_read(struct control_call *call, struct snapshot *snap,
	enum err (*next)(struct transfer_out *, struct snapshot *), const char *object)
{
	struct control_slice slice = control_slice_begin();
	struct transfer_out *t = call->state;
	enum err err;

	while ((err = next(t, snap)) == OK) {
		call->done++;
		if (buf_span(&t->text).len > EXPORT_STEP || control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, object);
	return STEP_FAIL;
}
