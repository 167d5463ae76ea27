/*
 * prune_round.h - when the server prunes: rarely where it finds nothing, more often where it finds much
 * (PRN-09, Q-38).
 *
 * Pure arithmetic, and the one row that keeps it over a restart.
 */
#ifndef STORE_PRUNE_ROUND_H
#define STORE_PRUNE_ROUND_H

#include <stdint.h>

#include "proto/base/err.h"

struct snapshot;
struct txn;

#define PRUNE_EVERY_MIN_MS (UINT64_C(5) * 60 * 1000)
#define PRUNE_EVERY_MAX_MS (UINT64_C(24) * 3600 * 1000)
#define PRUNE_EVERY_FIRST_MS (UINT64_C(3600) * 1000)
#define PRUNE_MUCH 100 /* messages of a round */

struct prune_round {
	uint64_t next_ms;  /* not before then */
	uint64_t every_ms; /* from the end of one to the next */
	uint64_t last_ms;  /* the end of the last one; 0: there was none */
	uint64_t last_count;
};

/* After a round that ended at NOW_MS and took COUNT messages. Pure. */
struct prune_round prune_round_after(
	const struct prune_round *before, uint64_t count, uint64_t now_ms);
/* A rule came or changed: the next round is in PRUNE_EVERY_MIN_MS at the latest. Pure. */
struct prune_round prune_round_soon(const struct prune_round *before, uint64_t now_ms);

/* Of a store that had none yet all is 0, but every_ms. ERR_CORRUPT, ERR_IO. */
MUST_CHECK enum err prune_round_get(struct snapshot *snap, struct prune_round *out);
MUST_CHECK enum err prune_round_put(struct txn *txn, const struct prune_round *round);

#endif
