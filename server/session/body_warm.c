/*
 * body_warm.c - a worker reads ahead for POP3 and IMAP.
 */
#include "server/session/body_warm.h"

#include <stdlib.h>

#include "server/metrics.h"
#include "server/net/work.h"
#include "store/bodies.h"
#include "store/store.h"

#define WARM_BYTES (256 * 1024) /* that one work reads */
#define LOOK_EVERY (16 * BODY_PIECE_DATA) /* bytes: the kernel reads no less ahead */

struct warming {
	struct work work;
	struct session *session;
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
	struct session *s = w->session;

	(void)result;
	free(w);
	session_resume(s);
	session_release(s);
}

bool
body_warm(struct session *s, struct snapshot *snap, uint64_t body_id, uint64_t offset,
	uint64_t *until)
{
	struct warming *w;

	if (offset < *until)
		return false;
	*until = offset + LOOK_EVERY;
	if (!body_is_cold(snap, body_id, offset))
		return false;
	*until = offset + WARM_BYTES; /* a second look would not be kinder */
	w = calloc(1, sizeof(*w));
	ENSURE(w);
	*w = (struct warming){ .session = s, .store = s->host->store, .body_id = body_id,
		.offset = offset };
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
