/*
 * hex.h - bytes as pairs of hexadecimal digits.
 */
#ifndef PROTO_BASE_HEX_H
#define PROTO_BASE_HEX_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

int hex_digit(char c); /* its value, or -1; either case */

MUST_CHECK enum err hex_put(struct buf *out, struct span bytes); /* lower case */
/* Whole pairs, either case; else ERR_SYNTAX and OUT is as it was. */
MUST_CHECK enum err hex_decode(struct span text, struct buf *out);

#endif
