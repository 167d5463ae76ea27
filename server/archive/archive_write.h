/*
 * archive_write.h - a message into the archive, in the transaction that stores it (ARC-01).
 *
 * By one door: whoever fills an intake calls plan_archive() on its plan, as the stage does, and intake does the rest.
 * The digest of the body is fed while its bytes come, or a worker reads it (server/queue/intake_digest.h). An entry
 * of an older version may have a digest of zeros: none was known.
 */
#ifndef SERVER_ARCHIVE_ARCHIVE_WRITE_H
#define SERVER_ARCHIVE_ARCHIVE_WRITE_H

#include "server/net/crypto.h"
#include "server/pipeline/mail.h"
#include "server/pipeline/plan.h"
#include "store/archive.h"

/* SHA-256 of a body that comes in pieces. */
struct archive_digest {
	struct crypto_sha256_stream stream;
	bool begun;
	uint64_t fed; /* bytes */
};
void archive_digest_feed(struct archive_digest *d, struct span piece);

/* What apply() needs, in the transaction's arena. */
struct archive_order {
	struct archive_message message;
	const uint32_t *words;
	size_t word_count;
};

/* A body as it lies in memory; SIZE: of all of it. */
struct archive_body {
	const struct span *spans;
	size_t count;
	uint64_t size;
	struct archive_digest *digest;
};

/*
 * On the loop: the entry for MAIL, which is kept with HEADER, in mail->arena. The header is hashed here, a MiB in some
 * ms at most.
 */
struct archive_order *archive_order_new(const struct mail *mail, struct span header,
	const struct archive_body *body, unsigned direction);
/* In apply(); may run again. CONTENT_ID gets an owner. */
MUST_CHECK enum err archive_order_write(struct txn *txn, const struct archive_order *order,
	uint64_t content_id, uint64_t *archive_id);

/* SHA-256, as the store asks for it. */
archive_hash_fn archive_sha256;

#endif
