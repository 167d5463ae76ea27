/*
 * contents.h - a header and the body behind it: what a message says, however many have it.
 *
 * Its owners are the copies (messages.h) and the queue's rows. A copy with another header is
 * another content on the same body. EMAILID is the content_id (H27).
 */
#ifndef STORE_CONTENTS_H
#define STORE_CONTENTS_H

#include "store/table.h"

#define CONTENT_HEADER_MAX (1u << 20)  /* bytes (H7) */
#define CONTENT_DERIVED_MAX (1u << 20) /* bytes of ready ENVELOPE, BODYSTRUCTURE, offsets */
#define CONTENT_SIZE_MAX UINT32_MAX    /* bytes of header and body together */

struct content {
	uint64_t content_id;
	uint64_t body_id; /* 0: nothing follows the header */
	uint64_t body_size;
	uint64_t owners;
	struct span header;  /* with its CRLFs and the empty line that ends it, if any */
	struct span derived; /* what a reader made ready from it, in that reader's own versions */
	bool veiled;         /* for want of the key both are as they are stored (veil.h) */
	uint64_t salt;       /* and this is what they were mixed with */
};

/*
 * Add CONTENT (header, derived, body_id, body_size; content_id is given out into it).
 * `owners` is how many message_place() and content_own() will follow in this job; a wrong guess is
 * put right at the job's end and costs a second write. A begun body gets its owner here (Q1 to Q2);
 * a body that another content has already, wants body_is_shared.
 * ERR_LIMIT: over the limits above. ERR_FULL, ERR_IO.
 */
MUST_CHECK enum err content_add(struct txn *txn, struct content *content, bool body_is_shared);

/* ERR_NOT_FOUND, ERR_CORRUPT. The spans live as the snapshot. */
MUST_CHECK enum err content_get(
	struct snapshot *snap, uint64_t content_id, struct content *out);

/* The newest content before BEFORE (UINT64_MAX: of all). ERR_NOT_FOUND at the end; else as above. */
MUST_CHECK enum err content_prev(
	struct snapshot *snap, uint64_t before, struct content *out);

/*
 * CHANGE owners more or less; takes effect at the end of the job. At none left the content and its
 * body go to the graves (Q3), in the same transaction. ERR_LIMIT: more than CONTENT_OWN_PENDING
 * different contents in one job slice.
 */
#define CONTENT_OWN_PENDING 512
MUST_CHECK enum err content_own(struct txn *txn, uint64_t content_id, int change);

/*
 * Replace the derived part: it is made when first asked for, or anew after an upgrade. ERR_DENIED: it
 * is veiled and there is no key.
 */
MUST_CHECK enum err content_set_derived(
	struct txn *txn, uint64_t content_id, struct span derived);

/* What a job has changed so far; a part of the transaction. */
struct content_pending {
	struct {
		uint64_t content_id;
		int64_t change;
	} rows[CONTENT_OWN_PENDING];
	size_t count;
	bool waited; /* the copies lay in their graves already: no second delay */
};
static inline void
content_pending_clear(struct content_pending *pending)
{
	pending->count = 0;
	pending->waited = false;
}
struct content_pending *txn_content_pending(struct txn *txn);

/* For commit.c: write the owners that a job changed. For graves.c: remove the row. */
MUST_CHECK enum err content_settle(struct txn *txn);
MUST_CHECK enum err content_delete(struct txn *txn, uint64_t content_id);

#endif
