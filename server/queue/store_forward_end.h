/*
 * store_forward_end.h - what becomes of the copy in a mailbox when its recipient of store and forward is settled.
 */
#ifndef SERVER_QUEUE_STORE_FORWARD_END_H
#define SERVER_QUEUE_STORE_FORWARD_END_H

#include "server/queue/outcome.h"

struct store_forward_end {
	const struct queued *queued; /* spans that outlive writes, as all here */
	uint32_t recipient_no;
	enum outcome_kind kind;      /* OUTCOME_SENT, OUTCOME_FAILED */
	struct span address, text;   /* where it went; what was said */
};
/* In apply(), before the recipient is noted as gone. ERR_BUSY: no number for a message now. */
MUST_CHECK enum err store_forward_end(struct txn *txn, const struct bounce_ground *ground,
	const struct store_forward_end *end);

#endif
