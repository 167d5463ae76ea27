/*
 * mime_decoder.h - transfer encodings undone, in pieces of any size (RFC 2045, 6).
 *
 * Bytes that base64 does not know are passed over (6.8); in quoted-printable an '=' that says
 * nothing stays, and blanks at the end of a line go (6.7). Nothing can fail but for want of room.
 */
#ifndef PROTO_MIME_MIME_DECODER_H
#define PROTO_MIME_MIME_DECODER_H

#include "proto/mime/mime_derived.h"

#define MIME_DECODER_HELD 128 /* bytes of blanks that may turn out to be a line's end */

struct mime_decoder {
	enum mime_encoding encoding; /* 7bit, 8bit, binary, unknown: the bytes as they are */
	uint32_t bits;               /* base64: of a group that has begun */
	unsigned bit_count;
	bool after_equals;           /* quoted-printable: held is '=' and what follows */
	char held[MIME_DECODER_HELD];
	size_t held_len;
};

void mime_decoder_init(struct mime_decoder *d, enum mime_encoding encoding);
/* Append IN decoded: never more bytes than IN has, but for what was held (MIME_DECODER_HELD). ERR_LIMIT. */
MUST_CHECK enum err mime_decoder_put(struct mime_decoder *d, struct span in, struct buf *out);
MUST_CHECK enum err mime_decoder_end(struct mime_decoder *d, struct buf *out);

#endif
