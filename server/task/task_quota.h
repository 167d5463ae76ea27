/*
 * task_quota.h - warnings of full mailboxes (QUO-02, QUO-03, QUO-05).
 *
 *     a commit changes the size of a mailbox ---> noted (writer thread) ---> looked at (front loop)
 *         over a threshold for the first time ---> mails ---> on disk ---> its mark in the store
 *         below one again                      ------------------------> its mark goes
 *     a start, a new day ---> all users are walked ---> mails to who is over the daily percentages
 *
 * A crash between a mail and its mark doubles that mail, and one before it loses nothing: a start looks at all.
 */
#ifndef SERVER_TASK_TASK_QUOTA_H
#define SERVER_TASK_TASK_QUOTA_H

#include <stddef.h>
#include <stdint.h>

struct host;
struct quota_watch;

#define QUOTA_WATCH_EVERY_MS 200
#define QUOTA_NOTED_MAX 4096      /* users that wait to be looked at; of more all users are */
#define QUOTA_SLICE_MS 4          /* of a turn */
#define QUOTA_PENDING_MAX 64      /* users whose mails are under way */
#define QUOTA_LINES_MAX 1000      /* mailboxes in one mail to the Main Administrator; more are counted */

struct quota_watch *quota_watch_open(void);
/* After the store is closed. May be NULL. */
void quota_watch_close(struct quota_watch **watch);
/* On the writer thread: these mailboxes have another size (store.h, on_sizes). */
void quota_watch_note(struct quota_watch *watch, const uint64_t *user_ids, size_t count);

void task_quota(struct host *host); /* a row of tasks.c */

#endif
