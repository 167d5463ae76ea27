/*
 * bodies.h - what follows the header of a message: stored once, never changed, read piece by piece.
 *
 * A piece fills one page (H47), but for the last:
 *	crc32c u32 (over key, form, salt and data) | form u8 | salt u24 | up to 4,072 bytes of data
 *
 * A small body is written in the transaction that gives it an owner. A large one comes in jobs of
 * about 1 MiB before that, under a row of `arriving` (state Q1) that housekeeping sweeps after a
 * day. Body 0 is the empty body and has no rows. A body may be made of ranges of others (body_joins.h):
 * it is read, measured, pinned, shared and freed like any.
 */
#ifndef STORE_BODIES_H
#define STORE_BODIES_H

#include "store/table.h"

struct store;

#define BODY_PIECE_SIZE 4080 /* bytes of a row's value: one overflow page of LMDB */
#define BODY_PIECE_HEAD 8
#define BODY_PIECE_DATA (BODY_PIECE_SIZE - BODY_PIECE_HEAD)
#define BODY_FORM_PLAIN 0  /* the bytes as they came; no salt */
#define BODY_FORM_VEILED 1 /* mixed, see veil.h */

/* Bytes as the caller holds them, in pieces of any size, one after the other. */
struct body_source {
	const struct span *spans;
	size_t count;
};

/* Write a whole body and give its id; of no bytes it is 0. For up to some MiB (H47). */
MUST_CHECK enum err body_add(struct txn *txn, struct body_source source, uint64_t *body_id);

/* Begin a body that comes in several jobs. */
MUST_CHECK enum err body_begin(struct txn *txn, uint64_t *body_id);
/*
 * Write SOURCE behind the first AT bytes of a begun body. AT and every length but the last one's
 * are multiples of BODY_PIECE_DATA. The caller remembers AT; running it twice writes the same rows.
 */
MUST_CHECK enum err body_write(
	struct txn *txn, uint64_t body_id, uint64_t at, struct body_source source);
/* The transaction ended without a message: its pieces go to the graves, in slices. */
MUST_CHECK enum err body_abandon(struct txn *txn, uint64_t body_id);

/*
 * The bytes of a body from OFFSET to the end of their piece, checked; *out lives as the snapshot.
 * ERR_NOT_FOUND: OFFSET is at the end or behind it, or there is no such body. ERR_CORRUPT.
 */
MUST_CHECK enum err body_read(
	struct snapshot *snap, uint64_t body_id, uint64_t offset, struct span *out);
/* Is the page at OFFSET not in memory, so that body_read() would wait for the disk? */
bool body_is_cold(struct snapshot *snap, uint64_t body_id, uint64_t offset);
/* The size by looking at the last piece. ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_CHECK enum err body_size(struct snapshot *snap, uint64_t body_id, uint64_t *size);

/*
 * A pinned body is not freed, also when its last owner is gone: a reply that has begun can be
 * finished (Q3). In memory, counted, any thread. Pin under the snapshot that found the body.
 */
void body_pin(struct store *store, uint64_t body_id);
void body_unpin(struct store *store, uint64_t body_id);
bool body_is_pinned(struct store *store, uint64_t body_id);

/* For contents.c and graves.c: the row of `arriving` goes, if there is one; when a body began. */
MUST_CHECK enum err body_claim(struct txn *txn, uint64_t body_id);
MUST_CHECK enum err body_arrived_ms(
	struct snapshot *snap, const struct row *row, uint64_t *since_ms);
/* Owners beyond the first. */
MUST_CHECK enum err body_share(struct txn *txn, uint64_t body_id);
MUST_CHECK enum err body_unshare(struct txn *txn, uint64_t body_id, bool *was_last);
MUST_CHECK enum err body_extra_owners(struct snapshot *snap, uint64_t body_id, uint64_t *extra);
/* Delete up to *PIECES pieces and take what was deleted off it. *gone: none is left. */
MUST_CHECK enum err body_delete_some(
	struct txn *txn, uint64_t body_id, size_t *pieces, bool *gone);

#endif
