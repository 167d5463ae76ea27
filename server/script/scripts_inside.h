/*
 * scripts_inside.h - what scripts.c, script_give.c and script_tell.c share.
 */
#ifndef SERVER_SCRIPT_SCRIPTS_INSIDE_H
#define SERVER_SCRIPT_SCRIPTS_INSIDE_H

#include "server/pipeline/script_answer.h"
#include "server/runner/runner.h"
#include "server/script/script_wire.h"
#include "server/script/scripts.h"

/* One script and its message. */
struct script_run {
	struct list link; /* in waiting, running or over */
	struct scripts_asked *asked;
	struct span rcpt; /* that led to the user */
	struct span text; /* the site's: its script */
	size_t size; /* bytes that it was to be given when there was no room for it */
	struct runner_job job;
	struct script_answer answer; /* user_id 0: the site's */
};

/* ---- script_give.c ---- */

/* All that RUN's script is given, into OUT. ERR_NOT_FOUND: it has gone meanwhile. */
MUST_CHECK enum err script_give(struct snapshot *snap, struct mail *mail,
	const struct script_run *run, struct buf *out);

/* ---- script_tell.c ---- */

/* What ANSWER says, into the log; where it failed also to the Main Administrator. */
void script_tell(struct host *host, const struct mail *mail, const struct script_answer *answer);

#endif
