/*
 * imap_quota.h - how full a user's mailbox is, for the commands that ask and those that fill it.
 */
#ifndef SERVER_IMAP_IMAP_QUOTA_H
#define SERVER_IMAP_IMAP_QUOTA_H

#include "server/imap/imap_session.h"

struct imap_quota {
	struct span root; /* its name: the user's; lives as the snapshot */
	uint64_t used_bytes;
	uint64_t limit_bytes; /* 0: none */
};

MUST_CHECK enum err imap_quota_of(
	struct snapshot *snap, uint64_t user_id, struct imap_quota *out);

/* After something was put into a folder of OWNER: an untagged warning where his mailbox is overfull and
 * he is the session's user (RFC 9208, OVERQUOTA). */
void imap_quota_warn(struct imap_session *imap, uint64_t owner_id);

#endif
