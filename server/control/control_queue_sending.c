/*
 * control_queue_sending.c - see control_queue_sending.h.
 *
 * An outcome is settled behind the change in the writer's line, and known to the front behind `finish`: what
 * was being sent when the change was made is still seen here.
 */
#include "server/control/control_queue_sending.h"

#include "proto/mail/message_no.h"
#include "server/queue/outgoing.h"
#include "store/queued.h"

#define LOOKED_MAX 20000 /* recipients of all targets together: a few ms */

static bool
is_sent(struct control_call *call, struct snapshot *snap, struct span key, unsigned *looked)
{
	struct queued q;
	uint64_t id;

	if (message_no_parse(key, &id) != OK || queued_find(snap, id, &q) != OK)
		return false;
	for (uint32_t no = 1; no <= q.recipients && ++*looked < LOOKED_MAX; no++)
		if (outgoing_sends(call->host->outgoing, id, no))
			return true;
	return false;
}

void
control_queue_tell_sending(struct control_call *call)
{
	struct snapshot *snap = host_snapshot(call->host);
	struct span first = SPAN("");
	unsigned looked = 0;
	size_t count = 0;

	if (!snap || !call->host->outgoing || call->done == 0)
		return;
	for (size_t i = 0; i < call->target_count && looked < LOOKED_MAX; i++) {
		looked++;
		if (is_sent(call, snap, call->targets[i], &looked) && count++ == 0)
			first = call->targets[i];
	}
	if (count == 1)
		call->note = arena_printf(&call->arena,
			"%.*s; %.*s is being sent at this moment, and may still go", SPAN_FMT(call->note),
			SPAN_FMT(first));
	else if (count > 1)
		call->note = arena_printf(&call->arena,
			"%.*s; %zu of them are being sent at this moment, and may still go",
			SPAN_FMT(call->note), count);
}
