/*
 * collected.c - receipts of what was collected, some in each slice of a job.
 */
#include "server/queue/collected.h"

#include <stdlib.h>
#include <string.h>

#include "server/log.h"
#include "server/queue/bounce.h"
#include "server/queue/outgoing.h"
#include "server/queue/receipt.h"
#include "store/commit.h"

#define RECEIPT_BYTES 4096 /* about what one writes */

struct collected {
	struct store_job job;
	struct host *host;
	struct bounce_ground ground;
	struct slice_place place;
	bool leaves; /* a receipt waits to be sent */
	uint64_t user_id;
	size_t count;
	uint64_t copy_ids[];
};

static enum step
collected_apply(struct store_job *job, struct txn *txn)
{
	struct collected *c = LIST_ITEM(job, struct collected, job);
	size_t at = (size_t)slice_begin(&c->place, txn), end = at + COLLECTED_SLICE;
	enum err err = OK;

	for (; at < c->count && at < end && err == OK; at++) {
		bool queued = false;

		err = receipt_collected(txn, &c->ground,
			&(struct collected_copy){ c->copy_ids[at], c->user_id }, &queued);
		c->leaves |= queued;
	}
	c->place.at = at;
	return err == OK && at < c->count ? STEP_MORE : step_of(job, err);
}

static void
collected_done(struct store_job *job, enum err result)
{
	struct collected *c = LIST_ITEM(job, struct collected, job);

	if (c->leaves)
		outgoing_kick(c->host);
	if (result != OK)
		log_put(c->host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "queue",
			.text = "receipts not written",
			.fields = { { "why", span_of(err_name(result)), 0 } } });
	bounce_ground_fini(&c->ground);
	free(c);
}

void
collected_submit(struct host *host, uint64_t user_id, const uint64_t *copy_ids, size_t count)
{
	struct collected *c;

	if (count > COLLECTED_MAX)
		count = COLLECTED_MAX;
	c = calloc(1, sizeof(*c) + count * sizeof(c->copy_ids[0]));
	ENSURE(c);
	c->host = host;
	c->user_id = user_id;
	c->count = count;
	memcpy(c->copy_ids, copy_ids, count * sizeof(c->copy_ids[0]));
	bounce_ground_init(&c->ground, host);
	c->job = (struct store_job){ .apply = collected_apply, .done = collected_done,
		.inbox = host->inbox, .size_bytes = RECEIPT_BYTES * COLLECTED_SLICE };
	if (store_submit(host->store, &c->job) == OK)
		return;
	bounce_ground_fini(&c->ground);
	free(c);
}
