/*
 * folder_jobs.h - removing a folder with all that is in it, and what a crash leaves of such jobs.
 *
 * What is half done belongs to FOLDER_OWNER_NOBODY, where no client and no total sees it: a folder
 * that is being removed is given to him in one small step, the first, and the rest takes the time it
 * takes; and a large copy is laid down there before it becomes visible (message_transfer.h).
 *
 *	folder of a user --hide--> nobody's --slices--> in the bin --> gone
 *	                           nobody's <--slices-- copies     --one step--> in the target
 *
 * folder_leftovers() finishes the first and throws away the second (docs/queue-states.md).
 */
#ifndef STORE_FOLDER_JOBS_H
#define STORE_FOLDER_JOBS_H

#include "store/commit.h"
#include "store/folders.h"

#define FOLDER_LEFTOVER_MS (UINT64_C(3600) * 1000) /* then no job is at work on a copy */

/*
 * A job that removes a folder of a user: its messages go to his bin, its children stay, and its
 * name is free from the first commit on. The caller sets user_id, folder_id, job.inbox and job.done.
 * ERR_NOT_FOUND; ERR_DENIED: INBOX, or a hidden one.
 */
struct folder_removal {
	struct store_job job;
	uint64_t user_id, folder_id;
	bool hidden; /* its own: the first step was done */
};
void folder_removal_init(struct folder_removal *r);
/* Its first step by itself: what follows is left to folder_leftovers(). */
MUST_CHECK enum err folder_hide(struct txn *txn, uint64_t user_id, uint64_t folder_id);

/* One slice of a patient job, for housekeeping; *more: call again. */
MUST_CHECK enum err folder_leftovers(struct txn *txn, bool *more);

/* For message_transfer.c: a place to lay a copy down. */
MUST_CHECK enum err folder_make_hidden(struct txn *txn, uint64_t *folder_id);
/* For bin.c: whose bin takes what is in FOLDER. */
uint64_t folder_bin_owner(const struct folder *folder);

#endif
