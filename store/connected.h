/*
 * connected.h - when each connection was last made, and how that ended (CON-16).
 *
 * One row a name; a name that is no longer configured keeps its row, in case it comes back.
 */
#ifndef STORE_CONNECTED_H
#define STORE_CONNECTED_H

#include "store/table.h"

#define CONNECTED_RESULT_MAX 250 /* bytes; the rest is cut */
#define CONNECTED_NAME_MAX 64

struct connected {
	int64_t began_ms, ended_ms;
	bool failed;
	struct span result;
};

/* Of NAME, in any letter case. ERR_NOT_FOUND: never, ERR_CORRUPT, ERR_IO. Spans live in the snapshot. */
MUST_CHECK enum err connected_find(struct snapshot *snap, struct span name, struct connected *out);
/* ERR_LIMIT: the name is too long; ERR_FULL, ERR_IO. */
MUST_CHECK enum err connected_put(struct txn *txn, struct span name, const struct connected *c);

#endif
