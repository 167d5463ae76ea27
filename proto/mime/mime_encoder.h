/*
 * mime_encoder.h - transfer encodings made, in pieces of any size (RFC 2045, 6.7, 6.8).
 *
 * What mime_decoder.h makes of it are the same bytes: CRLF stays a line end, a CR or LF alone is escaped,
 * and so is a blank at the end of a line.
 */
#ifndef PROTO_MIME_MIME_ENCODER_H
#define PROTO_MIME_MIME_ENCODER_H

#include "proto/mime/mime_derived.h"

#define MIME_ENCODER_GROWS 4  /* times: no more than that many bytes for each, */
#define MIME_ENCODER_MORE 16  /* and for what was held */

struct mime_encoder {
	enum mime_encoding encoding; /* MIME_QUOTED_PRINTABLE or MIME_BASE64 */
	unsigned column;
	char held[3];     /* base64: of a group that has begun */
	size_t held_len;
	char blank;       /* quoted-printable: it may be at the end of its line; 0: none */
	bool cr;          /* and so may this one, behind it */
};

void mime_encoder_init(struct mime_encoder *e, enum mime_encoding encoding);
/* Append IN encoded. ERR_LIMIT: OUT is full, and E is of no use any more. */
MUST_CHECK enum err mime_encoder_put(struct mime_encoder *e, struct span in, struct buf *out);
MUST_CHECK enum err mime_encoder_end(struct mime_encoder *e, struct buf *out);

#endif
