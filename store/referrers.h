/*
 * referrers.h - what points at a name: mappings that lead to it, lists that hold it (Q-04, MAP-09,
 * USR-35, USR-36).
 *
 * THE place that knows who names whom: whoever removes or renames a user, a group or a list asks
 * here, in O(what points at it), and nowhere walks all mappings. Both are texts, so they survive
 * what they point at; what is left behind counts as unrecognised at delivery.
 *
 * A name is pointed at as itself ("anna") and as an address of ours ("anna@example.org"). The
 * second is found for every domain: the caller, who knows which domains are ours, passes over the
 * rest.
 */
#ifndef STORE_REFERRERS_H
#define STORE_REFERRERS_H

#include "store/key.h"
#include "store/schema.h"

struct snapshot;
struct txn;

enum referrer_kind { REFERRER_MAPPING = 1, REFERRER_LIST = 2 };

#define REFERRER_TARGET_MAX 320 /* bytes, of a mapping's target or a member */

struct referrer {
	struct key at;      /* where the walk is; empty before its first step */
	uint8_t kind;       /* enum referrer_kind */
	uint64_t id;        /* mapping_id or list_id */
	struct span target; /* the text that points, in lower case; lives in `at` */
};

static inline void
referrer_begin(struct referrer *r)
{
	r->at.len = 0;
}

/*
 * The next that points at NAME (any case), or at NAME@something: those at the name alone first.
 * Nothing is kept but *r, so what was found may be removed before the next step.
 * ERR_NOT_FOUND at the end. ERR_IO, ERR_CORRUPT.
 */
MUST_CHECK enum err referrer_next(struct snapshot *snap, struct span name, struct referrer *r);

/* Remove the mapping, or the member from the list, that *r was found as. */
MUST_CHECK enum err referrer_remove(struct txn *txn, const struct referrer *r);
/*
 * Let it lead to NEW_NAME where it led to NAME (which it must begin with); the domain stays. Where
 * there is such a mapping or member already the old one goes.
 */
MUST_CHECK enum err referrer_rename(struct txn *txn, const struct referrer *r, struct span name,
	struct span new_name, int64_t now_ms);

/* For indexes.c: the row of `targets`; false where TARGET is too long to be one. */
bool referrer_key(struct key *out, struct span target, enum referrer_kind kind, uint64_t id);
/* The row that a row of `targets` follows from. */
bool referrer_source(struct span key, enum store_table *table, struct key *source);

#endif
