/*
 * mime_envelope.h - ENVELOPE and body structure as the wire wants them; for mime_parser.c.
 */
#ifndef PROTO_MIME_MIME_ENVELOPE_H
#define PROTO_MIME_MIME_ENVELOPE_H

#include "proto/mime/mime_entity.h"

/*
 * Append "(date subject from sender ...)" (RFC 9051, 7.5.2). *addresses is how many may still be
 * looked at (H7), in all fields and messages of this one. Sets out->overflow.
 */
void mime_put_envelope(const struct mime_entity *e, size_t *addresses, struct buf *out);

/*
 * Append what BODYSTRUCTURE says of a part before its size: "\"text\" \"plain\" (...) NIL NIL
 * \"7bit\"", of a multipart its subtype; and the extension data that follow all else.
 */
void mime_put_part_head(struct arena *a, const struct mime_entity *e, struct buf *out);
void mime_put_part_tail(struct arena *a, const struct mime_entity *e, struct buf *out);

/* Append ADDRESS, of a header's field, without its comments, blanks and quotes (RFC 5322, 3.2.2). */
void mime_put_address(struct span address, struct buf *out);

#endif
