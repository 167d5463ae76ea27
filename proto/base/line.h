/*
 * line.h - lines as the line protocols have them: ended by CRLF and nothing else.
 */
#ifndef PROTO_BASE_LINE_H
#define PROTO_BASE_LINE_H

#include "proto/base/span.h"

/*
 * Take one CRLF-ended line from the front of IN (RFC 5321, 2.3.8).
 *
 * PARSE_DONE  *line is the text; *used also counts the CRLF.
 * PARSE_MORE  no whole line yet; call again with more bytes.
 * PARSE_BAD   *why: ERR_SYNTAX, a bare CR or LF (H1); ERR_LIMIT, over MAX bytes without the CRLF.
 *
 * *line points into IN and lives as long as IN does. *used is 0 unless PARSE_DONE.
 */
MUST_CHECK enum parse line_take(
	struct span in, size_t max, struct span *line, size_t *used, enum err *why);

#endif
