/*
 * imap_store_job.c - flags, slice by slice.
 */
#include "server/imap/imap_store_job.h"

#include <string.h>

#include "server/imap/imap_numbers.h"

void
imap_store_job_begin(
	struct imap_session *imap, struct imap_store_job *job, const struct uid_ranges *seqs)
{
	const struct imap_selected *sel = imap->selected;
	struct view_walk walk = imap_walk(imap, seqs);
	size_t count = (size_t)uid_ranges_total(seqs);
	uint32_t *uids = ARENA_ARRAY(imap_arena(imap), uint32_t, count + 1);
	uint32_t seq, uid;

	job->session = imap;
	job->order.known = sel->modseq;
	job->where = (struct folder){ .user_id = sel->user_id, .folder_id = sel->folder_id };
	while (view_walk_next(&walk, &seq, &uid))
		uids[job->list.count++] = uid;
	job->list.uids = uids;
	if (job->order.unchanged_since != UINT64_MAX)
		job->failed = ARENA_ARRAY(imap_arena(imap), uint32_t, count + 1);
}

static struct uid_list
rest_of(const struct imap_store_job *job)
{
	size_t left = job->list.count - job->at;

	return (struct uid_list){ job->list.uids + job->at,
		left < MESSAGE_SLICE ? left : MESSAGE_SLICE };
}

static enum step
job_apply(struct store_job *base, struct txn *txn)
{
	struct imap_store_job *job = LIST_ITEM(base, struct imap_store_job, job);

	job->result = (struct flag_result){
		.failed = job->failed ? job->failed + job->failed_count : NULL
	};
	return step_of(base,
		message_store(txn, &job->where, rest_of(job), &job->order, &job->result));
}

static void
job_done(struct store_job *base, enum err result)
{
	struct imap_store_job *job = LIST_ITEM(base, struct imap_store_job, job);

	job->err = result;
	imap_resume(job->session);
}

/* What the slice did. */
static void
take_result(struct imap_session *imap, struct imap_store_job *job)
{
	job->runs = false;
	if (job->err != OK)
		return;
	if (job->result.modseq && !(job->silent && job->result.stale))
		imap_told(imap, job->result.modseq);
	job->failed_count += job->result.failed_count;
	job->at += job->result.next;
}

bool
imap_store_job_go_on(struct imap_session *imap, struct imap_store_job *job, enum err *err)
{
	if (job->runs)
		take_result(imap, job);
	*err = job->err;
	if (job->err != OK || job->at >= job->list.count)
		return false;
	job->job = (struct store_job){ .apply = job_apply, .done = job_done,
		.size_bytes = 64 * rest_of(job).count };
	*err = imap_submit(imap, &job->job);
	job->runs = *err == OK;
	return job->runs;
}
