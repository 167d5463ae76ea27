/*
 * smtp_data.h - the text after DATA: taking leading dots out and finding the end, and the reverse.
 *
 *     states    LINE_START --'.'--> DOT --CR--> DOT_CR --LF--> end
 *                   ^                |             |
 *                   |              other         other: bare CR
 *                  LF                v
 *                   +---- CR <--CR-- MIDDLE
 *
 * Only CRLF.CRLF ends a message; a bare CR or LF is a fault (H1). The state is kept across reads,
 * so it does not matter where the pieces are cut (H2). Bulk is found by memchr; nothing is copied.
 * POP3's multi-line answers have the same form (RFC 1939, 3).
 */
#ifndef PROTO_SMTP_SMTP_DATA_H
#define PROTO_SMTP_SMTP_DATA_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

enum smtp_data_state {
	SMTP_DATA_LINE_START,
	SMTP_DATA_DOT,
	SMTP_DATA_DOT_CR,
	SMTP_DATA_MIDDLE,
	SMTP_DATA_CR,
	SMTP_DATA_END,
};

struct smtp_data {
	enum smtp_data_state state;
	size_t line_len; /* of the line so far, the dot and CRLF not counted */
	size_t line_max;
	bool long_line; /* a line was over line_max (H6) */
	bool has_nul;   /* a NUL was seen (H6) */
};

void smtp_data_init(struct smtp_data *d, size_t line_max);

/*
 * Take one run of text from the front of IN.
 *
 * PARSE_DONE  the end was found; *used counts it, *text is what stood before it.
 * PARSE_MORE  *text is a run of the message (may be empty), *used what it cost. Call again with
 *             what is left of IN; where nothing is left, with more bytes.
 * PARSE_BAD   a bare CR or LF: the message must be refused and the connection closed (H1).
 *
 * *text points into IN. Over-long lines and NULs do not stop it: they are remembered in D, so that
 * the message can be read to its end and then refused.
 */
MUST_CHECK enum parse smtp_data_take(
	struct smtp_data *d, struct span in, struct span *text, size_t *used);

/* The reverse: a dot is put in front of each line that begins with one. Zero-initialise. */
struct smtp_stuffing {
	bool in_line;   /* what was put last did not end a line */
	bool after_cr;  /* what was put last is a CR */
};

/* Append PIECE of a message whose lines end in CRLF. ERR_LIMIT: OUT is full, has none of it. */
MUST_CHECK enum err smtp_stuffing_put(struct smtp_stuffing *s, struct span piece, struct buf *out);
/* Append the end: CRLF where the last line lacks it, then "." CRLF. S can be used again. */
MUST_CHECK enum err smtp_stuffing_end(struct smtp_stuffing *s, struct buf *out);

#endif
