/*
 * mail_body.h - the body of a message as it came, for stages that are asked AT_END.
 *
 * Pure for them: it lies in memory, or is read in the snapshot of the question where it was so large that
 * it went to the store as it came (then all of that is durable before AT_END is asked).
 */
#ifndef SERVER_PIPELINE_MAIL_BODY_H
#define SERVER_PIPELINE_MAIL_BODY_H

#include "proto/mime/mime_derived.h"
#include "server/pipeline/mail.h"

/*
 * The bytes of the body from OFFSET to the end of their piece; *out lives as the snapshot and the transaction.
 * ERR_NOT_FOUND: OFFSET is at the end or behind it. ERR_IO, ERR_CORRUPT (logged there).
 */
MUST_CHECK enum err mail_body_read(const struct mail *mail, uint64_t offset, struct span *out);

/*
 * SIZE bytes from OFFSET on, in one span of the mail's arena, or pointing at them where they lie in one piece.
 * ERR_NOT_FOUND: there are not so many.
 */
MUST_CHECK enum err mail_body_range(
	const struct mail *mail, uint64_t offset, uint64_t size, struct span *out);

/* Its MIME parts: offsets count from the first byte of mail->header. ERR_NOT_FOUND: it has no record. */
MUST_CHECK enum err mail_body_parts(const struct mail *mail, struct mime_derived *out);

#endif
