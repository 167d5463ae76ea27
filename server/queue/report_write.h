/*
 * report_write.h - a message of the server, written as a part of somebody's transaction.
 *
 * own_mail.h is for the loops and writes in a transaction of its own; this is for the writer thread.
 */
#ifndef SERVER_QUEUE_REPORT_WRITE_H
#define SERVER_QUEUE_REPORT_WRITE_H

#include "proto/mail/address.h"
#include "server/queue/bounce.h"

struct report_letter {
	struct address to;
	bool to_user;       /* by the name of a user; no mapping counts */
	struct span header; /* with its empty line */
	struct span body;
	bool eightbit;
	enum queued_report report;
	bool stays; /* in the mailboxes here: store and forward has no part in it */
};

struct report_written {
	uint64_t message_no;
	size_t placed, queued; /* copies in folders here; recipients in the queue */
	struct span refused;   /* ERR_NOT_FOUND: why; static text */
};

/*
 * Ask the pipeline and carry its plan out. ERR_NOT_FOUND: nobody takes it, and nothing is written. ERR_BUSY:
 * no number now. ERR_FULL, ERR_IO.
 */
MUST_CHECK enum err report_write(struct txn *txn, const struct bounce_ground *g,
	const struct report_letter *letter, struct report_written *out);

/* The Main Administrator (ADM-01), as report_letter.to with to_user. ERR_NOT_FOUND: there is none. */
MUST_CHECK enum err report_administrator(struct txn *txn, const struct bounce_ground *g,
	struct arena *a, struct address *out);

#endif
