/*
 * imap_job.c - submit, wait, go on.
 */
#include "server/imap/imap_job.h"

void *
imap_task(struct imap_session *imap, size_t size)
{
	imap->run->task = arena_alloc(imap_arena(imap), size);
	return imap->run->task;
}

static void
on_done(struct store_job *store_job, enum err result)
{
	struct imap_job *job = imap_job_of(store_job);

	job->result = result;
	imap_resume(job->imap);
}

enum imap_turn
imap_job_submit(struct imap_session *imap, struct imap_job *job,
	enum step (*run)(struct store_job *job, struct txn *txn))
{
	enum err err;

	job->imap = imap;
	job->asker_id = imap->user_id;
	job->job = (struct store_job){ .apply = run, .done = on_done, .size_bytes = IMAP_JOB_BYTES };
	err = imap_submit(imap, &job->job);
	return err == OK ? IMAP_WAIT : imap_fail(imap, err);
}
