/*
 * body_warm.c - a session waits while a worker reads ahead for it.
 */
#include "server/session/body_warm.h"

#include <stdlib.h>

#include "server/queue/body_warming.h"

struct waiting {
	struct body_warming warming;
	struct session *session;
};

static void
on_warm(struct body_warming *w)
{
	struct waiting *waiting = LIST_ITEM(w, struct waiting, warming);
	struct session *s = waiting->session;

	free(waiting);
	session_resume(s);
	session_release(s);
}

bool
body_warm(struct session *s, struct snapshot *snap, uint64_t body_id, uint64_t offset,
	uint64_t *until)
{
	struct waiting *waiting;
	bool waits;

	if (offset < *until)
		return false;
	waiting = calloc(1, sizeof(*waiting));
	ENSURE(waiting);
	*waiting = (struct waiting){ .warming = { .done = on_warm, .until = *until }, .session = s };
	waits = body_warming_begin(&waiting->warming, s->host, snap, body_id, offset);
	*until = waiting->warming.until;
	if (!waits) {
		free(waiting);
		return false;
	}
	session_hold(s);
	session_wait(s);
	session_wait_is_idle(s);
	return true;
}
