/*
 * refusals_settle.c - write now what all loops still hold, for somebody who asks for traces.
 *
 *	front loop --post--> each loop: take, one job --done--> front loop: one less; at none, done()
 *
 * Refusals never cause a commit by themselves (H88); an administrator who looks may.
 */
#include <stdlib.h>

#include "server/net/loop.h"
#include "server/queue/refusals.h"
#include "store/commit.h"

struct settling {
	struct host *asker;
	void (*done)(void *arg);
	void *arg;
	unsigned left; /* loops that have not answered; counted on the asker's loop */
};

struct settling_part {
	struct store_job job;
	struct settling *whole;
	struct host *host;
	struct refusals_batch *batch;
};

/* On the asker's loop. */
static void
part_ended(void *arg)
{
	struct settling *whole = arg;

	if (--whole->left > 0)
		return;
	whole->done(whole->arg);
	free(whole);
}

/* On the part's loop. What could not be written is lost, which is less than an answer that waits. */
static void
part_end(struct settling_part *part)
{
	refusals_batch_free(&part->batch);
	loop_post(part->whole->asker->loop, part_ended, part->whole);
	free(part);
}

static enum step
part_apply(struct store_job *job, struct txn *txn)
{
	return step_of(job, refusals_write(txn, LIST_ITEM(job, struct settling_part, job)->batch));
}

static void
part_done(struct store_job *job, enum err result)
{
	(void)result;
	part_end(LIST_ITEM(job, struct settling_part, job));
}

static void
part_begin(void *arg)
{
	struct settling_part *part = arg;

	part->batch = refusals_take(part->host);
	part->job.apply = part_apply;
	part->job.done = part_done;
	part->job.inbox = part->host->inbox;
	if (!part->batch || store_submit(part->host->store, &part->job) != OK)
		part_end(part);
}

void
refusals_settle(struct host *host, void (*done)(void *arg), void *arg)
{
	struct settling *whole = calloc(1, sizeof(*whole));
	unsigned count = host_count(host);

	ENSURE(whole);
	*whole = (struct settling){ .asker = host, .done = done, .arg = arg, .left = count };
	for (unsigned i = 0; i < count; i++) {
		struct settling_part *part = calloc(1, sizeof(*part));

		ENSURE(part);
		part->whole = whole;
		part->host = host_of_loop(host, i);
		loop_post(part->host->loop, part_begin, part);
	}
}
