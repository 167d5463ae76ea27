/*
 * intake_report.h - what a message causes to be told at once, in the transaction that takes it in.
 *
 * Recipients that nobody here is, where smtp.reject_unknown is off (SMT-12): a report of failure. Those
 * for whom NOTIFY=SUCCESS was asked and who live here: delivered, or expanded where there are several
 * (RFC 3461, 5.2.7 and 6.2). For most messages there is nothing, and nothing is made.
 */
#ifndef SERVER_QUEUE_INTAKE_REPORT_H
#define SERVER_QUEUE_INTAKE_REPORT_H

#include "server/queue/intake.h"

struct intake_reports;

/* On the loop, before the rows of the queue are prepared: fills in->reports, or leaves it NULL. */
void intake_report_prepare(struct intake *in);
/* Was this recipient expanded, so that its copies ask for no report of success any more? */
bool intake_report_expanded(const struct intake *in, size_t recipient_no);
/* In apply(), behind intake_write(). *queued: reports that wait to be sent. */
MUST_CHECK enum err intake_report_write(struct txn *txn, struct intake *in);
void intake_report_end(struct intake *in); /* on the loop; frees, NULLs */

#endif
