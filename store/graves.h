/*
 * graves.h - what lost its last owner, freed in slices some time later (state Q3).
 *
 * Expunging a message buries its copy; when that grave is due the copy's row goes and its content
 * loses an owner; a content without owners is buried in turn, and when due its pieces go some
 * hundred a slice, unless body_pin() holds them. A body that arrived and never got an owner (Q1)
 * goes the same way after a day.
 */
#ifndef STORE_GRAVES_H
#define STORE_GRAVES_H

#include "store/commit.h"

#define GRAVE_DELAY_MS (UINT64_C(3600) * 1000)      /* what callers give as a rule */
#define GRAVE_PINNED_MS (UINT64_C(60) * 1000)       /* put off by this while pinned */
#define ARRIVING_MAX_MS (UINT64_C(24) * 3600 * 1000) /* then a body without an owner is swept */
#define GRAVE_SLICE_ROWS 256                        /* rows that one slice deletes at most */

enum grave_kind { GRAVE_COPY = 1, GRAVE_CONTENT = 2, GRAVE_BODY = 3 };

/* Bury ID so that it is freed at BURY_MS (wall clock). */
MUST_CHECK enum err grave_add(
	struct txn *txn, uint64_t bury_ms, enum grave_kind kind, uint64_t id);

/*
 * One slice: sweep what arrived too long ago, free what is due. *more: there is more to do now.
 * Usually through the job below.
 */
MUST_CHECK enum err graves_free_some(struct txn *txn, bool *more);

/*
 * A patient job that frees all that is due, slice by slice. The caller sets job.inbox and job.done
 * and submits it every minute or so; not again before done().
 */
struct graves_job {
	struct store_job job;
};
void graves_job_init(struct graves_job *job);

#endif
