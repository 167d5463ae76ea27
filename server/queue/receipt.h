/*
 * receipt.h - receipts that a field of the header asks for (HDR-07, HDR-08).
 *
 * The settings hold names of fields; what such a field says is the address that the receipt goes to.
 * A transmission receipt says that mail of ours was handed on, not that it was read. It comes from
 * Mailer_Daemon with a null reverse-path (HDR-09), so none ever causes another.
 */
#ifndef SERVER_QUEUE_RECEIPT_H
#define SERVER_QUEUE_RECEIPT_H

#include "server/queue/bounce.h"

struct bounce_report;

#define RECEIPTS_MAX 10 /* addresses that one message may name; more are passed over */

/* For bounce.c: the next hop took B's recipients (HDR-07). Mail of our own people alone asks for it. */
MUST_CHECK enum err receipt_transmitted(struct bounce_report *r, struct bounce *b);

#endif
