/*
 * intake_write.h - the part of an intake that runs on the writer thread.
 */
#ifndef SERVER_QUEUE_INTAKE_WRITE_H
#define SERVER_QUEUE_INTAKE_WRITE_H

#include "server/queue/intake.h"
#include "store/contents.h"

/*
 * For intake.c: on the loop, before the job goes out: everything that apply() may not allocate. ERR_BUSY: no
 * number to be had now. ERR_LIMIT: a version of more than PLAN_PIECES_MAX pieces.
 */
MUST_CHECK enum err intake_prepare(struct intake *in);

/* The plan of a prepared intake, as a part of anybody's transaction. */
MUST_CHECK enum err intake_write(struct txn *txn, struct intake *in);
/*
 * Its last step, in intake_trace.c: the trace with NOTES, and a short one for each entry of the queue that has
 * a number of its own, so that its tries can be noted there.
 */
MUST_CHECK enum err intake_trace_write(struct txn *txn, struct intake *in, struct span notes);

/* The last job of a message: all of it in one transaction. */
enum step intake_apply(struct store_job *job, struct txn *txn);

/*
 * After `whole`: its header and body as a content that OWNERS placements of this job will follow. May
 * run again, as apply() does.
 */
MUST_CHECK enum err intake_write_content(
	struct txn *txn, struct intake *in, uint64_t owners, struct content *out);

#endif
