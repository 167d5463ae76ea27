/*
 * utf8.h - UTF-8 (RFC 3629): checking, walking, and making text harmless to look at.
 */
#ifndef PROTO_BASE_UTF8_H
#define PROTO_BASE_UTF8_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

#define UTF8_REPLACEMENT 0xfffdu
#define UTF8_MARKS_MAX 4 /* combining marks in a row that are shown; more are dropped (H70) */

/* No overlong form, no surrogate, nothing above U+10FFFF. */
bool utf8_is_valid(struct span s);

/*
 * Take one code point from the front of *rest. False where the bytes there are not valid: *code is
 * UTF8_REPLACEMENT and one byte is taken. *rest must not be empty.
 */
bool utf8_next(struct span *rest, uint32_t *code);

MUST_CHECK enum err utf8_put(struct buf *out, uint32_t code); /* ERR_SYNTAX: no such code point */

/*
 * May be shown as it is: not a control (C0, DEL, C1), not a bidirectional control, zero-width or
 * other invisible format character, tag, line or paragraph separator, private or non-character.
 */
bool utf8_is_printable(uint32_t code);
bool utf8_is_mark(uint32_t code); /* the common combining marks */

/* CODE without its case: what two spellings of a word have in common (simple folding of Unicode). */
uint32_t utf8_fold(uint32_t code);
/* Append TEXT folded; what is not valid becomes UTF8_REPLACEMENT. */
MUST_CHECK enum err utf8_put_folded(struct buf *out, struct span text);

/*
 * Append TEXT so that it can neither move a cursor nor reorder or hide anything (H70): what is not
 * printable becomes \n, \r, \t, \xHH (an invalid byte or a control) or \u{HEX}; a backslash becomes
 * two. The output is printable, valid UTF-8 on one line. For logs, the command line and the
 * console.
 */
MUST_CHECK enum err utf8_put_printable(struct buf *out, struct span text);

#endif
