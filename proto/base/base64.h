/*
 * base64.h - base64 (RFC 4648, section 4), strict.
 */
#ifndef PROTO_BASE_BASE64_H
#define PROTO_BASE_BASE64_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

/* Append the text form, padded, without line ends. ERR_LIMIT where OUT is full. */
MUST_CHECK enum err base64_put(struct buf *out, struct span bytes);

/*
 * Append the decoded bytes of TEXT. Strict (H67): whole groups of four, padding only at the end, no
 * blanks, unused bits zero; else ERR_SYNTAX and OUT is as it was. ERR_LIMIT where OUT is full.
 */
MUST_CHECK enum err base64_decode(struct span text, struct buf *out);

#endif
