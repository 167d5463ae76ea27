/*
 * message_no.h - the short human form of a message number.
 *
 * Crockford's base 32: upper-case digits without I, L, O, U; no leading zeros. Read in either case,
 * O as 0, I and L as 1, since people read these aloud.
 */
#ifndef PROTO_MAIL_MESSAGE_NO_H
#define PROTO_MAIL_MESSAGE_NO_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

#define MESSAGE_NO_SIZE 14 /* bytes for any 64-bit number with its final 0 */

/* Write into TEXT, 0-terminated; the span points into TEXT. */
struct span message_no_format(uint64_t number, char text[MESSAGE_NO_SIZE]);
MUST_CHECK enum err message_no_put(struct buf *out, uint64_t number);
MUST_CHECK enum err message_no_parse(struct span text, uint64_t *out); /* ERR_SYNTAX, ERR_LIMIT */

#endif
