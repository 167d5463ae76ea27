/*
 * body_warming.c - a worker reads ahead.
 */
#include "server/queue/body_warming.h"

#include "server/metrics.h"
#include "store/bodies.h"
#include "store/store.h"

#define WARM_BYTES (256 * 1024) /* that one work reads */
#define LOOK_EVERY (16 * BODY_PIECE_DATA) /* bytes: the kernel reads no less ahead */

static void
warm_run(struct work *work)
{
	struct body_warming *w = LIST_ITEM(work, struct body_warming, work);
	uint64_t at = w->offset;
	struct snapshot *snap;
	struct span piece;

	if (snapshot_open(w->store, &snap) != OK)
		return; /* the loop reads them itself, then */
	while (at < w->offset + WARM_BYTES && body_read(snap, w->body_id, at, &piece) == OK)
		at += piece.len;
	snapshot_close(&snap);
}

static void
warm_done(struct work *work, enum err result)
{
	struct body_warming *w = LIST_ITEM(work, struct body_warming, work);

	(void)result;
	w->lent = false;
	w->done(w);
}

bool
body_warming_begin(struct body_warming *w, struct host *host, struct snapshot *snap,
	uint64_t body_id, uint64_t offset)
{
	if (offset < w->until)
		return false;
	w->until = offset + LOOK_EVERY;
	if (!body_is_cold(snap, body_id, offset))
		return false;
	w->until = offset + WARM_BYTES; /* a second look would not be kinder */
	w->store = host->store;
	w->body_id = body_id;
	w->offset = offset;
	w->work = (struct work){ .loop = host->loop, .kind = WORK_GENERAL, .run = warm_run,
		.done = warm_done };
	list_init(&w->work.link);
	w->lent = workers_submit(host->workers, &w->work) == OK;
	metric_add(host->metrics, cold_reads, w->lent);
	return w->lent;
}
