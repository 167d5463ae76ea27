/*
 * refusals.h - what was refused waits in memory and rides with a later commit (H88).
 *
 * A table a loop, over address, service and reason: a stranger who is refused a thousand times a second
 * makes one row that counts. No refusal ever causes a commit of its own; somebody who looks may.
 */
#ifndef SERVER_QUEUE_REFUSALS_H
#define SERVER_QUEUE_REFUSALS_H

#include "server/host.h"
#include "server/pipeline/pipeline.h"

#define REFUSALS_WAITING_MAX 256 /* rows of one loop; beyond it only `dropped` counts */

struct refusals;
struct txn;

struct refusals *refusals_open(void);
void refusals_close(struct refusals **r);

/*
 * Note it: MAIL and PLAN (its reply and notes) say what and why; RECIPIENT may be empty. All is
 * copied. PLAN may be NULL, then REPLY alone is the reason.
 */
void refusals_note(struct host *host, const struct mail *mail, const struct plan *plan,
	struct span recipient);
size_t refusals_waiting(const struct refusals *r);
uint64_t refusals_dropped(const struct refusals *r);

/*
 * A job takes what waits along: begin on the loop, write in apply() (again in a re-run), end on the loop
 * in done(). Where the job failed its rows are lost, which is less than a mail.
 */
struct refusals_batch;
struct refusals_batch *refusals_take(struct host *host); /* NULL: nothing waits */
MUST_CHECK enum err refusals_write(struct txn *txn, const struct refusals_batch *batch);
void refusals_batch_free(struct refusals_batch **batch);

/*
 * Write what all loops hold, for somebody who asks for traces; DONE(ARG) follows on the loop of HOST
 * when it is on disk (or could not be written).
 */
void refusals_settle(struct host *host, void (*done)(void *arg), void *arg);

#endif
