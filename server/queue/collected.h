/*
 * collected.h - a user has collected messages: the receipts that they ask for (HDR-05, Q-22).
 *
 * A job of its own, so that nobody waits for it: RETR, FETCH and QUIT are answered as without it. A receipt and the
 * end of its mark are one transaction (receipt.h); what a crash comes before asks again the next time.
 */
#ifndef SERVER_QUEUE_COLLECTED_H
#define SERVER_QUEUE_COLLECTED_H

#include "server/host.h"

#define COLLECTED_MAX 10000 /* copies of one job; the others ask the next time */
#define COLLECTED_SLICE 4   /* receipts that are written in one slice */

/*
 * USER_ID has collected these copies, each with a receipt_no (store/messages.h). Loop thread of HOST; COPY_IDS is
 * copied. Where the store takes no job nothing happens, and they ask again.
 */
void collected_submit(
	struct host *host, uint64_t user_id, const uint64_t *copy_ids, size_t count);

#endif
