/*
 * receipt.h - receipts that a field of the header asks for (HDR-05 to HDR-08).
 *
 * The settings hold names of fields; what such a field says is the address that the receipt goes to.
 * A transmission receipt says that mail of ours was handed on, a delivery receipt that somebody collected
 * it by POP3; neither says that it was read. Both come from Mailer_Daemon with a null reverse-path
 * (HDR-09), so none ever causes another.
 */
#ifndef SERVER_QUEUE_RECEIPT_H
#define SERVER_QUEUE_RECEIPT_H

#include "server/queue/bounce.h"

struct bounce_report;

#define RECEIPTS_MAX 10 /* addresses that one message may name; more are passed over */

/* For bounce.c: the next hop took B's recipients (HDR-07). Mail of our own people alone asks for it. */
MUST_CHECK enum err receipt_transmitted(struct bounce_report *r, struct bounce *b);

/* A message that was collected. */
struct receipt_collected {
	struct span user;         /* whose mailbox */
	struct span front, header; /* of the copy: Return-Path; and of its content; may lie in the map */
};
/*
 * Write what it asks for (HDR-05, HDR-06). On the writer thread, inside apply(). *queued: recipients that
 * wait to be sent to.
 */
MUST_CHECK enum err receipt_collected(struct txn *txn, const struct bounce_ground *g,
	const struct receipt_collected *mail, size_t *queued);
/* Does HEADER ask for a delivery receipt at all? Cheap, without the store. */
bool receipt_is_asked(const struct conf *conf, struct span header);

#endif
