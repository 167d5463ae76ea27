/*
 * mime_reply.h - strings inside ENVELOPE and BODYSTRUCTURE (RFC 9051, 9: nstring).
 *
 * What is printable ASCII is quoted; anything else is a literal of valid UTF-8, which every client may be
 * given. Folds are undone; NUL goes. Bytes that are no UTF-8 are taken for windows-1252.
 */
#ifndef PROTO_MIME_MIME_REPLY_H
#define PROTO_MIME_MIME_REPLY_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

#define MIME_STRING_MAX 65536 /* bytes of a string that are given; the rest is cut */

/* All of these set out->overflow where it is full. */
void mime_put_nstring(struct buf *out, struct span text); /* ptr NULL: NIL */
void mime_put_lit(struct buf *out, const char *text);     /* our own words, as they are */

#endif
