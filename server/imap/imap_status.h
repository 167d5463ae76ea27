/*
 * imap_status.h - what STATUS says of a folder (RFC 9051, 6.3.11), for STATUS and LIST alike.
 */
#ifndef SERVER_IMAP_IMAP_STATUS_H
#define SERVER_IMAP_IMAP_STATUS_H

#include "proto/imap/imap_list.h"
#include "server/imap/imap_session.h"

/* What stands in no row and must be counted, message by message. Zero it first. */
struct imap_tally {
	uint32_t after_uid; /* so far looked at */
	uint64_t deleted_bytes;
};

/* Count as much as this turn has time for, where ITEMS want it. False: call again in a later turn. */
bool imap_tally_go_on(struct imap_session *imap, struct snapshot *snap,
	const struct folder *folder, unsigned items, struct imap_tally *tally);

/* "* STATUS name (MESSAGES 3 ...)", IMAP_STATUS_ bits of ITEMS. */
MUST_CHECK enum err imap_status_put(struct imap_session *imap, struct span name,
	const struct folder *folder, unsigned items, const struct imap_tally *tally);

#endif
