/*
 * imap_job.h - the one store job of a command that changes folders.
 *
 * A handler is called first with its arguments, then once more when its job is on disk, or refused:
 *
 *     struct create *task = imap->run->task;
 *
 *     if (task)
 *             return answer(task->job.result);
 *     ... parse, task = imap_task(imap, sizeof(*task)) ...
 *     return imap_job_submit(imap, &task->job, create_run);
 */
#ifndef SERVER_IMAP_IMAP_JOB_H
#define SERVER_IMAP_IMAP_JOB_H

#include "server/imap/imap_session.h"

#define IMAP_JOB_BYTES 1024 /* about what one writes */

/* The first member of a handler's task. */
struct imap_job {
	struct store_job job;
	struct imap_session *imap;
	uint64_t asker_id; /* the session's user, for the writer */
	enum err result;   /* OK: on disk */
};

/* A task of SIZE zeroed bytes in the command arena, from now on s->run->task. */
void *imap_task(struct imap_session *imap, size_t size);

/* RUN is called as store_job.apply; read what it must not touch in commit.h. */
enum imap_turn imap_job_submit(struct imap_session *imap, struct imap_job *job,
	enum step (*run)(struct store_job *job, struct txn *txn));

static inline struct imap_job *
imap_job_of(struct store_job *job)
{
	return LIST_ITEM(job, struct imap_job, job);
}

#endif
