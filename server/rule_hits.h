/*
 * rule_hits.h - rules that held: counted in memory, logged, written now and then (SMR-15).
 *
 * A rule is known by its definition, so it keeps its count where it is moved, switched off and on, or gets
 * other conditions. Behind one lock, for all loops.
 */
#ifndef SERVER_RULE_HITS_H
#define SERVER_RULE_HITS_H

#include "server/pipeline/plan.h"
#include "server/shared.h"

#define RULE_HIT_ROWS_MAX 100000 /* different rules; what comes after is not counted */
#define RULE_HITS_SLICE 200      /* rows that one call writes */

struct host;
struct mail;
struct txn;

/* What the store has, at the start of the server. */
void rule_hits_load(struct host *front);

/* PLAN has become true: its hits are logged and counted, each once. Any loop. */
void rule_hits_count(struct host *host, const struct mail *mail, struct plan *plan);

/* A rule that is in no plan has held: it is counted, whoever asked has logged it. Any loop. */
void rule_hits_add(struct host *host, uint64_t key);

struct rule_hit_counts {
	uint64_t total, day; /* DAY: of the last 24 hours, by whole hours */
	int64_t last_ms;     /* 0: never */
};
struct rule_hit_counts rule_hits_of(struct shared *sh, uint64_t key, int64_t now_ms);

/* Writer: write some that were not; *more: call again. ERR_FULL, ERR_IO. */
MUST_CHECK enum err rule_hits_write(struct shared *sh, struct txn *txn, bool *more);

#endif
