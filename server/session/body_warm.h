/*
 * body_warm.h - POP3 and IMAP wait while a worker reads bytes that are not in memory (queue/body_warming.h).
 */
#ifndef SERVER_SESSION_BODY_WARM_H
#define SERVER_SESSION_BODY_WARM_H

#include "server/session/session.h"

/*
 * True: the bytes of BODY_ID at OFFSET are not in memory; a worker reads them, and the session waits and
 * is resumed. *until is 0 for a new body: how far it has been looked at.
 */
bool body_warm(struct session *s, struct snapshot *snap, uint64_t body_id, uint64_t offset,
	uint64_t *until);

#endif
