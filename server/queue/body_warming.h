/*
 * body_warming.h - message bytes that are not in memory are read by a worker first (H36).
 *
 * A page fault of the loop would make everybody wait for the disk (a cold 1 MB body took 14 to 84 ms). The
 * worker walks the pieces with a snapshot of its own; the loop finds them in memory then.
 */
#ifndef SERVER_QUEUE_BODY_WARMING_H
#define SERVER_QUEUE_BODY_WARMING_H

#include "server/host.h"
#include "server/net/work.h"

/* In whoever reads; zeroed at first. While `lent` it stays where it is. */
struct body_warming {
	void (*done)(struct body_warming *w); /* on the loop, later: `lent` no more */
	bool lent;
	uint64_t until; /* 0 for a new body: how far it has been looked at */

	/* What follows is its own. */
	struct work work;
	struct store *store;
	uint64_t body_id, offset;
};

/* True: the bytes of BODY_ID at OFFSET are not in memory; a worker reads them, then `done`. Loop thread. */
bool body_warming_begin(struct body_warming *w, struct host *host, struct snapshot *snap,
	uint64_t body_id, uint64_t offset);

#endif
