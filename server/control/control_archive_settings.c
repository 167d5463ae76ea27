/*
 * control_archive_settings.c - `archive settings`: what is archived, for how long, and how much there is (ARC-01, ARC-04).
 */
#include "server/control/control_archive.h"
#include "server/control/control_undo.h"

static enum step
settings_read(struct control_call *call, struct snapshot *snap)
{
	struct json_writer *w = &call->json;
	struct archive_head head;

	if (!control_fail_err(call, archive_head_get(snap, &head), "archive"))
		return STEP_FAIL;
	json_put_object(w);
	control_put_settings(call, SPAN("archive."));
	json_put_member_u64(w, SPAN("messages"), head.messages);
	json_put_member_u64(w, SPAN("size"), head.bytes);
	json_put_member_u64(w, SPAN("removed"), head.removed);
	json_put_close(w);
	return STEP_DONE;
}

const struct control_handler control_do_archive_settings = { .read = settings_read };
