/*
 * user_sent.h - recipients elsewhere that a user addresses in an hour, as sessions count them.
 *
 * The count goes into struct mail before the pipeline is asked AT_END, which holds what is beyond
 * limits.user_recipients_hour; what is held counts too. Two sessions of one user cannot both have the
 * last of it, since counting and looking are one step.
 */
#ifndef SERVER_QUEUE_USER_SENT_H
#define SERVER_QUEUE_USER_SENT_H

#include "server/queue/intake.h"

/* Before AT_END: count what PLAN sends elsewhere, fill mail->user_sent. Returns what was counted. */
size_t user_sent_take(struct host *host, struct mail *mail, const struct plan *plan);
/* The message was not taken after all. */
void user_sent_give_back(struct host *host, const struct mail *mail, size_t count);
/*
 * For intake.c, when it is on disk, whether or not somebody still waits for the answer: where some of
 * it is held, a line of the security log, and once an hour a mail to the Main Administrator.
 */
void user_sent_tell(struct intake *in);

#endif
