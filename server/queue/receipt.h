/*
 * receipt.h - receipts that a field of the header asks for (HDR-05, HDR-07, HDR-08).
 *
 * The settings hold names of fields; what such a field says is the address that the receipt goes to.
 * A transmission receipt says that mail of ours was handed on, a delivery receipt that somebody here has
 * collected it, neither that it was read. It comes from Mailer_Daemon with a null reverse-path (HDR-09), so none ever causes another.
 */
#ifndef SERVER_QUEUE_RECEIPT_H
#define SERVER_QUEUE_RECEIPT_H

#include "server/queue/bounce.h"

struct bounce_report;

#define RECEIPTS_MAX 10 /* addresses that get a transmission receipt; more are passed over */

/* For bounce.c: the next hop took B's recipients (HDR-07). Mail of our own people alone asks for it. */
MUST_CHECK enum err receipt_transmitted(struct bounce_report *r, struct bounce *b);

/* A copy that a user has collected. */
struct collected_copy {
	uint64_t copy_id, user_id;
};

/*
 * Write the receipt that COPY asks for to the first address which its header names, and take the mark away, in this
 * transaction (HDR-05). OK too where it asks for none any more, or nobody takes it. *queued: it waits to be sent.
 */
MUST_CHECK enum err receipt_collected(struct txn *txn, const struct bounce_ground *g,
	const struct collected_copy *copy, bool *queued);

#endif
