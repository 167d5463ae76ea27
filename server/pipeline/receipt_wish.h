/*
 * pipeline/receipt_wish.h - does a message ask to be told when it is collected (HDR-05, HDR-06)?
 *
 * Decided when it is delivered, so that whoever collects it finds a mark with its copy and reads no header for it
 * (store/messages.h). What then happens is server/queue/receipt.h.
 */
#ifndef SERVER_PIPELINE_RECEIPT_WISH_H
#define SERVER_PIPELINE_RECEIPT_WISH_H

#include "server/pipeline/pipeline.h"

struct receipt_wish {
	struct span field;   /* that asks, as headers.delivery_receipt has it */
	const char *refused; /* why there will be no receipt; NULL: there will. Static text */
};

/* False: it does not ask, or reaches no folder of somebody named himself. Needs mail->header. */
bool receipt_wish_read(const struct conf *conf, const struct mail *mail, const struct plan *plan,
	struct receipt_wish *out);

/* Does a copy carry the mark? Members of a list or a group are not asked for one (H14). */
static inline bool
copy_wants_receipt(const struct plan_copy *copy)
{
	return copy->kind == COPY_FOLDER && !copy->member && !copy->own_sender;
}

/* AT_END: sets plan->receipt, with a note, and plan->receipt_sent. */
void receipt_wish_decide(const struct pipeline_ask *ask, struct plan *plan);

#endif
