/*
 * mail_lines.h - the text of a message that lies elsewhere, as it is stored: every line ends with CRLF, no NUL.
 *
 * A bare LF or CR becomes CRLF, NUL becomes MAIL_LINES_NUL (H24), and the last line gets its end. Nothing is copied: what
 * comes is passed on in pieces.
 */
#ifndef PROTO_MAIL_MAIL_LINES_H
#define PROTO_MAIL_MAIL_LINES_H

#include "proto/base/span.h"

#define MAIL_LINES_NUL "\x80" /* mail may hold it; nothing takes it for an end */

struct mail_lines {
	bool cr;     /* the byte before was a CR, which is not passed on yet */
	bool inside; /* what was passed on ends in the middle of a line */
};

/* The next piece of IN; *used bytes of IN are behind it. Both 0: IN has no more. */
struct span mail_lines_next(struct mail_lines *t, struct span in, size_t *used);
/* No more comes: what is still to be passed on; empty: nothing. */
struct span mail_lines_end(struct mail_lines *t);

#endif
