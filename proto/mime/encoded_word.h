/*
 * encoded_word.h - words of RFC 2047 and parameters of RFC 2231 to UTF-8.
 */
#ifndef PROTO_MIME_ENCODED_WORD_H
#define PROTO_MIME_ENCODED_WORD_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

#define ENCODED_WORD_MAX 512 /* bytes; RFC 2047 allows 75, some writers more */

/*
 * Append VALUE, text of a header, unfolded and in UTF-8: encoded words are decoded in the charsets of mime_charset.h, words
 * side by side are joined, also where they cut a character; bytes that are no UTF-8 are taken for
 * windows-1252 (RFC 6532 lets UTF-8 stand as it is). A word of an unknown charset or that hides a control (H70) stays as it was
 * written. Not for deciding anything; for display pass it through utf8_put_printable() at the last. ERR_LIMIT.
 */
MUST_CHECK enum err encoded_word_decode(struct buf *out, struct span value);

/* Does VALUE say something else than its bytes: encoded words or 8-bit? */
bool encoded_word_is_needed(struct span value);

/* Append TEXT with its %XX undone (RFC 2231, 4). ERR_LIMIT. */
MUST_CHECK enum err rfc2231_decode(struct buf *out, struct span text);

#endif
