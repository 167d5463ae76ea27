/*
 * rule_hits.h - how often each rule has held, and when last (SMR-15).
 *
 * Counted in memory; written now and then by a patient job, so a crash may lose what was counted since.
 */
#ifndef STORE_RULE_HITS_H
#define STORE_RULE_HITS_H

#include "store/table.h"

#define RULE_HIT_HOURS 24

struct rule_hits {
	uint64_t key; /* of its definition */
	uint64_t total;
	int64_t last_ms;
	uint64_t hour;                  /* since 1970; the last of HOURS */
	uint32_t hours[RULE_HIT_HOURS]; /* by hour % RULE_HIT_HOURS */
};

/* ROW as it is stored. ERR_CORRUPT. */
MUST_CHECK enum err rule_hits_decode(
	struct snapshot *snap, const struct row *row, struct rule_hits *out);
/* The row that follows AFTER (0: the first). ERR_NOT_FOUND at the end, ERR_CORRUPT, ERR_IO. */
MUST_CHECK enum err rule_hits_next(struct snapshot *snap, uint64_t after, struct rule_hits *out);
/* ERR_FULL, ERR_IO. */
MUST_CHECK enum err rule_hits_put(struct txn *txn, const struct rule_hits *hits);

#endif
