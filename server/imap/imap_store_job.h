/*
 * imap_store_job.h - a change of flags of messages of the selected folder: by STORE, and by a FETCH that
 * sets \Seen. A job a slice, one after the other; when the last is on disk it is done.
 */
#ifndef SERVER_IMAP_IMAP_STORE_JOB_H
#define SERVER_IMAP_IMAP_STORE_JOB_H

#include "server/imap/imap_session.h"
#include "server/imap/uid_ranges.h"
#include "store/messages.h"

struct imap_store_job {
	struct flag_order order; /* the caller's */
	bool silent;		 /* the caller puts no flags: what others did meanwhile is news all the same */
	/* Its own; in the command arena. */
	struct store_job job;
	struct imap_session *session;
	struct folder where;
	struct uid_list list;
	size_t at; /* of the list: what is before it is done */
	bool runs;
	enum err err;
	struct flag_result result;
	uint32_t *failed; /* what unchanged_since left, in order */
	size_t failed_count;
};

/* JOB is zeroed but for the order and `silent`. */
void imap_store_job_begin(
	struct imap_session *s, struct imap_store_job *job, const struct uid_ranges *seqs);
/*
 * True: a slice is under way, say IMAP_WAIT, then call again. False: *err is OK, it is all on disk, and its
 * modseqs count as told, but those of a silent one that wrote over changes the client has not heard of;
 * or it failed, and slices before it are kept.
 */
MUST_CHECK bool imap_store_job_go_on(
	struct imap_session *s, struct imap_store_job *job, enum err *err);

#endif
