/*
 * message_leave.h - for the files of messages: entries leave a folder, to the end of another one or
 * to the graves.
 *
 * What goes to another folder is a block there for a block here: nothing of a message is touched but
 * its 32 bytes, so that tens of thousands go in one step.
 */
#ifndef STORE_MESSAGE_LEAVE_H
#define STORE_MESSAGE_LEAVE_H

#include "store/expunged.h"
#include "store/message_pass.h"

/* The folder that they go to, open at its end. */
struct arrival {
	struct folder folder;
	struct folder_room room;
	struct entry_appender out;
	uint64_t modseq; /* of all that comes in this transaction */
};
/* ERR_NOT_FOUND: it is gone. *A must not move in memory until its end. */
MUST_CHECK enum err arrival_begin(
	struct arrival *a, struct txn *txn, uint64_t user_id, uint64_t folder_id);
/* Give E the next uid and the modseq, and put it. ERR_LIMIT: no uids are left. */
MUST_CHECK enum err arrival_put(struct arrival *a, struct entry *e);
/* Write the last block and the folder's row. */
MUST_CHECK enum err arrival_end(struct arrival *a);

struct leaving {
	struct pass p;
	struct arrival *to; /* NULL: to the graves, at bury_ms */
	uint64_t bury_ms;
	/* What becomes of an entry's flags and the like on its way; may be NULL. */
	enum err (*change)(struct leaving *l, struct entry *e);
	void *arg;
	uint32_t skip;   /* entries with one of these flags stay */
	unsigned blocks; /* at most; 0: all of them */
	struct expunged run;
	uint64_t forwards; /* its own: the mailbox they are in, where it has pairs (forwards.h) */
	size_t count;
	bool all; /* the end of the list or folder was reached */
};
/*
 * Let those of the list go. The caller has filled `to` and what stands before `run`; p is begun
 * here. l->p.next is how much of the list is done. Writes the row of the folder that they left, not
 * that of l->to.
 */
MUST_CHECK enum err leaving_run(struct leaving *l, struct txn *txn, const struct folder *where,
	struct uid_list list);

#endif
