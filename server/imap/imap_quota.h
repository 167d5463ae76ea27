/*
 * imap_quota.h - how full a user's mailbox is, told to who fills it (quota.h has the figures).
 */
#ifndef SERVER_IMAP_IMAP_QUOTA_H
#define SERVER_IMAP_IMAP_QUOTA_H

#include "server/imap/imap_session.h"

/* After something was put into a folder of OWNER: an untagged warning where his mailbox is overfull and
 * he is the session's user (RFC 9208, OVERQUOTA). */
void imap_quota_warn(struct imap_session *imap, uint64_t owner_id);

#endif
