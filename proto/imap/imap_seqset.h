/*
 * imap_seqset.h - sets of sequence numbers or uids (RFC 9051, sequence-set).
 *
 * Kept as ranges, in order, apart from each other, at most IMAP_RANGES_MAX (H26); work follows the
 * messages that exist, never the numbers that were named.
 */
#ifndef PROTO_IMAP_IMAP_SEQSET_H
#define PROTO_IMAP_IMAP_SEQSET_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"

#define IMAP_RANGES_MAX 10000 /* merged ranges of one set (H26) */

struct imap_range {
	uint32_t first, last;
};

struct imap_seqset {
	struct imap_range *ranges;
	size_t count;
	uint32_t star; /* where not 0: also STAR:*, and `*` itself is UINT32_MAX:* */
	bool saved;    /* "$": the result of the last SEARCH, nothing else (RFC 9051, 6.4.4.1) */
};

/* All of TEXT. ERR_SYNTAX; ERR_LIMIT: over IMAP_RANGES_MAX. The ranges live in A. */
MUST_CHECK enum err imap_seqset_parse(struct arena *a, struct span text, struct imap_seqset *out);

/*
 * `*` is now MAX, the largest number in use (0: there is none, and `*` names nothing); n:* with n over
 * MAX names MAX. What is named over MAX otherwise stays: it names nothing, or is an error.
 */
void imap_seqset_resolve(struct arena *a, struct imap_seqset *set, uint32_t max);

bool imap_seqset_has(const struct imap_seqset *set, uint32_t number); /* O(log n); of a resolved one */
uint32_t imap_seqset_last(const struct imap_seqset *set); /* the largest, 0 for none; of a resolved one */

/*
 * Build one from numbers that rise: *count grows, ROOM is what fits. False where there is no room.
 */
bool imap_range_add(struct imap_range *ranges, size_t *count, size_t room, uint32_t number);

/* Sort and merge in place; the new count. */
size_t imap_ranges_merge(struct imap_range *ranges, size_t count);

/* "1:4,7"; for no ranges nothing. */
MUST_CHECK enum err imap_ranges_put(struct buf *out, const struct imap_range *ranges, size_t count);

#endif
