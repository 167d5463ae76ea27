/*
 * body_warm.h - message bytes that are not in memory are read by a worker first.
 *
 * A page fault of the loop would make everybody wait for the disk (a cold 1 MB body took 14 to 84 ms). The
 * worker walks the pieces with a snapshot of its own; the loop finds them in memory then.
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
