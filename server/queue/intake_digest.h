/*
 * intake_digest.h - the digest for the archive of what was not hashed as it came, by a worker (ARC-05, JRN-04).
 *
 * A body is hashed while its bytes come, and one that lies in memory when it is archived. What is left: a part of a
 * large body (the original inside another server's journal report), and a large one in whose middle archiving began.
 */
#ifndef SERVER_QUEUE_INTAKE_DIGEST_H
#define SERVER_QUEUE_INTAKE_DIGEST_H

#include "server/queue/intake.h"

/*
 * All of the body that went to the store is durable, and the plan is settled. True: a worker hashes what the archive
 * keeps into in->kept; DONE follows on the loop. False: nothing is to be hashed, or in->failed is ERR_BUSY. A piece
 * that cannot be read sets in->failed.
 */
bool intake_digest_begin(struct intake *in, void (*done)(struct intake *in));

#endif
