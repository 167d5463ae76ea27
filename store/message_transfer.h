/*
 * message_transfer.h - COPY and MOVE of many messages, in one step for who looks on.
 *
 * A job in slices. A copy has a row of its own and shares the content; a move keeps the row, so that
 * POP3's unique id survives it (H27). The 200 messages of everyday go in one slice. More are laid
 * down first where nobody sees them (folder_jobs.h), copies, owners and all; then one last slice
 * relinks the blocks of 62 entries behind the others of the target, and takes those that move out of
 * the source. 100,000 take the writer 20 ms there: that is the price of one step.
 * A crash before it leaves the target and the source as they were.
 */
#ifndef STORE_MESSAGE_TRANSFER_H
#define STORE_MESSAGE_TRANSFER_H

#include "store/commit.h"
#include "store/messages.h"

#define TRANSFER_SMALL 200 /* messages: all in one slice */

struct message_transfer {
	struct store_job job; /* the caller sets inbox and done */

	/* Set by the caller; must live until done(). */
	uint64_t from_user_id, from_folder_id;
	uint64_t to_user_id, to_folder_id;
	struct uid_list list; /* uids NULL: all of the folder; held ones stay in any case */
	bool move;
	bool keep_date;      /* of a copy: INTERNALDATE is that of the message, else now (IMP-05) */
	uint32_t keep_flags; /* FLAGS_SYSTEM | FLAGS_KEYWORDS, or less (IMP-05, RFC 4314, 4) */
	uint64_t user_id;    /* who does it: his own \Seen, where either folder has that */
	uint32_t *found;     /* room for list.count, or NULL: becomes those that were there, rising */

	/* Set when done() says OK. */
	uint32_t uidvalidity; /* of the target */
	uint32_t first_uid;   /* there, of the first of `found`; the others follow one by one */
	size_t count;         /* 0: none of the list was there */
	uint64_t from_modseq; /* of the source after a move */

	/* its own */
	struct slice_place place; /* how far the laying down has come */
	uint64_t hidden_id;
};

/*
 * Set all to nothing and job.apply. done() says: ERR_NOT_FOUND, one of the folders is gone;
 * ERR_EXISTS, a move into the folder itself; ERR_LIMIT, uids are used up; ERR_CORRUPT, a message is
 * damaged. Then nothing was copied or moved. ERR_FULL, ERR_IO.
 */
void message_transfer_init(struct message_transfer *t);

#endif
