/*
 * body_joins.h - a body made of ranges of others, so that what differs in a few bytes is stored once.
 *
 * A signed copy or a wrapped one is the body as it came with something in front, in between, behind: its new
 * bytes are a body, and the join says in which order the ranges come. Its id is marked, so bodies.h resolves it
 * in the one place where bodies are read, and an ordinary body pays a comparison. Members are ordinary
 * bodies; the join is an owner of each (body_shares) and gives them up with its last own owner.
 */
#ifndef STORE_BODY_JOINS_H
#define STORE_BODY_JOINS_H

#include "store/table.h"

#define BODY_JOIN_MARK (UINT64_C(1) << 62) /* in the id */
#define BODY_JOIN_MEMBERS_MAX 16
#define BODY_JOIN_SLICES_MAX 2000

static inline bool
body_is_join(uint64_t body_id)
{
	return (body_id & BODY_JOIN_MARK) != 0;
}

struct body_member {
	uint64_t body_id;
	bool is_shared; /* somebody owns it already; else the join is its first owner (Q1 to Q2) */
};
struct body_slice {
	size_t member; /* its place in the list */
	uint64_t from, size;
};
struct body_join {
	const struct body_member *members;
	size_t member_count;
	const struct body_slice *slices; /* one after the other; empty ones are left out */
	size_t slice_count;
};

/* Add a join and give its id; the ranges must be there. ERR_LIMIT: over the limits above, or a member is a join. */
MUST_CHECK enum err body_join_add(struct txn *txn, const struct body_join *join, uint64_t *body_id);

/* For bodies.c: where the byte at OFFSET lies. *left: bytes of the slice from there on. ERR_NOT_FOUND: behind the end. */
struct body_place {
	uint64_t body_id, offset, left;
};
MUST_CHECK enum err body_join_find(
	struct snapshot *snap, uint64_t body_id, uint64_t offset, struct body_place *out);
MUST_CHECK enum err body_join_size(struct snapshot *snap, uint64_t body_id, uint64_t *size);
/*
 * Nobody owns it: the row goes, and each member loses an owner or gets a grave. OK also where it is gone. *rows: how
 * many may still be written in this slice; one less for each member.
 */
MUST_CHECK enum err body_join_give_up(struct txn *txn, uint64_t body_id, size_t *rows);

/* For check: the members of a row. *count is at most BODY_JOIN_MEMBERS_MAX. ERR_CORRUPT. */
MUST_CHECK enum err body_join_members(
	struct snapshot *snap, uint64_t body_id, uint64_t *ids, size_t *count);

#endif
