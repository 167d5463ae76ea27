/*
 * intake_write.h - the part of an intake that runs on the writer thread; for intake.c alone.
 */
#ifndef SERVER_QUEUE_INTAKE_WRITE_H
#define SERVER_QUEUE_INTAKE_WRITE_H

#include "server/queue/intake.h"

/* On the loop, before the job goes out: everything that apply() may not allocate. */
MUST_CHECK enum err intake_prepare(struct intake *in); /* ERR_BUSY: no number to be had now */

/* The last job of a message: all of it in one transaction. */
enum step intake_apply(struct store_job *job, struct txn *txn);

#endif
