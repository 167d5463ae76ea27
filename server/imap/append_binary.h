/*
 * append_binary.h - a message that came as literal8 (RFC 3516, 4.4): what is binary becomes base64.
 *
 * A message that is one part in Content-Transfer-Encoding binary is kept in base64, so that BODY[] can be
 * said without NUL, and BINARY[] gives the bytes back. Any other is kept as it is, and refused where it
 * holds a NUL: [UNKNOWN-CTE].
 */
#ifndef SERVER_IMAP_APPEND_BINARY_H
#define SERVER_IMAP_APPEND_BINARY_H

#include "proto/base/buf.h"
#include "proto/mail/header.h"

#define APPEND_BINARY_LINE 57 /* bytes that one line of base64 takes */

struct append_binary {
	uint64_t left;		/* bytes of the literal still to come */
	struct buf header;	/* gathered, until it is whole */
	struct header_end end;
	bool encodes, has_nul;
	char line[APPEND_BINARY_LINE];
	size_t line_len;
	struct buf out; /* what TEXT became */
};

void append_binary_init(struct append_binary *b, uint64_t size, size_t header_max);
/* TEXT comes; b->out is what goes to the intake. ERR_LIMIT: the header is over its limit. */
MUST_CHECK enum err append_binary_put(struct append_binary *b, struct span text);
void append_binary_fini(struct append_binary *b);

#endif
