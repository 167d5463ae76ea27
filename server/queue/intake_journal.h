/*
 * intake_journal.h - the seats that journal copies take, in the transaction that stores them.
 */
#ifndef SERVER_QUEUE_INTAKE_JOURNAL_H
#define SERVER_QUEUE_INTAKE_JOURNAL_H

#include "server/queue/intake.h"

/*
 * Sort the message once more by the seats as they are now, and take or touch those of its parties. *lost: another
 * message has taken one meanwhile; then nothing is written, the contents of journal copies are marked as left out,
 * and so must the copies be. May run again, as apply() does.
 */
MUST_CHECK enum err intake_journal_settle(struct txn *txn, struct intake *in, bool *lost);

#endif
