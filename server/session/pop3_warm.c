/*
 * pop3_warm.c - message bytes that are not in memory are read by a worker first.
 *
 * A page fault of the loop would make everybody wait for the disk (a cold 1 MB body took 14 to 84 ms). The
 * worker walks the pieces with a snapshot of its own; the loop finds them in memory then.
 */
#include <stdlib.h>

#include "server/metrics.h"
#include "server/net/work.h"
#include "server/session/pop3_inside.h"
#include "store/bodies.h"
#include "store/store.h"

#define WARM_BYTES (256 * 1024) /* that one work reads */
#define LOOK_EVERY (16 * BODY_PIECE_DATA) /* bytes: the kernel reads no less ahead */

struct warming {
	struct work work;
	struct pop3_session *pop3;
	struct store *store;
	uint64_t body_id, offset;
};

static void
warm_run(struct work *work)
{
	struct warming *w = LIST_ITEM(work, struct warming, work);
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
	struct warming *w = LIST_ITEM(work, struct warming, work);
	struct session *s = &w->pop3->session;

	(void)result;
	free(w);
	session_resume(s);
	session_release(s);
}

bool
pop3_warm(struct pop3_session *pop3, struct snapshot *snap)
{
	struct session *s = &pop3->session;
	struct warming *w;

	if (pop3->offset < pop3->warm_until)
		return false;
	pop3->warm_until = pop3->offset + LOOK_EVERY;
	if (!body_is_cold(snap, pop3->body_id, pop3->offset))
		return false;
	pop3->warm_until = pop3->offset + WARM_BYTES; /* a second look would not be kinder */
	w = calloc(1, sizeof(*w));
	ENSURE(w);
	*w = (struct warming){ .pop3 = pop3, .store = s->host->store, .body_id = pop3->body_id,
		.offset = pop3->offset };
	w->work = (struct work){ .loop = s->host->loop, .kind = WORK_GENERAL, .run = warm_run,
		.done = warm_done };
	list_init(&w->work.link);
	if (workers_submit(s->host->workers, &w->work) != OK) {
		free(w);
		return false;
	}
	metric_add(s->host->metrics, cold_reads, 1);
	session_hold(s);
	session_wait(s);
	session_wait_is_idle(s);
	return true;
}
