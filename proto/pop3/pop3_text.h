/*
 * pop3_text.h - the text of a message as POP3 servers send it: dots taken out, lines mended, the end found.
 *
 *     states    LINE_START --'.'--> DOT --CR--> DOT_CR --LF--> end
 *                   ^                |             |
 *                  LF               other: stuffed other: a dot that was not doubled, kept
 *                   |                v             v
 *                   +---- CR <--CR-- MIDDLE <------+
 *
 * Only CRLF.CRLF ends a message (contract 8). What arrives is in the provider's mailbox already and cannot be
 * refused, so that faults are mended: a bare CR or LF becomes CRLF, but the line on the wire goes on, so that a dot
 * behind it is text; NUL becomes POP3_TEXT_NUL (H24). The state is kept across reads (H2).
 */
#ifndef PROTO_POP3_POP3_TEXT_H
#define PROTO_POP3_POP3_TEXT_H

#include "proto/base/span.h"

#define POP3_TEXT_NUL "\x80" /* mail may hold it; nothing takes it for an end */

enum pop3_text_state {
	POP3_TEXT_LINE_START,
	POP3_TEXT_DOT,
	POP3_TEXT_DOT_CR,
	POP3_TEXT_MIDDLE,
	POP3_TEXT_CR,
	POP3_TEXT_END,
};

struct pop3_text {
	enum pop3_text_state state;
	uint64_t octets; /* of text so far, as it is given */
	bool mended;	 /* something was not as it should be */
};

/*
 * Take one run of text from the front of IN. Zero-initialise T.
 *
 * PARSE_DONE  the end was found; *used counts it, *text is empty.
 * PARSE_MORE  *text is a run (may be empty), *used what it cost: call again with what is left, or with more.
 *
 * *text points into IN or is static.
 */
MUST_CHECK enum parse pop3_text_take(
	struct pop3_text *t, struct span in, struct span *text, size_t *used);

#endif
