/*
 * line.c - taking one CRLF-ended line.
 */
#include "proto/base/line.h"

enum parse
line_take(struct span in, size_t max, struct span *line, size_t *used, enum err *why)
{
	struct span window = span_range(in, 0, max < SIZE_MAX - 2 ? max + 2 : max);
	size_t lf = span_find(window, '\n');
	size_t cr = span_find(span_range(window, 0, lf), '\r');

	*used = 0;
	if (cr < lf && cr + 1 != lf && cr + 1 < window.len)
		return parse_bad(why, ERR_SYNTAX); /* a CR and no LF after it */
	if (cr == lf && lf < window.len)
		return parse_bad(why, ERR_SYNTAX); /* a bare LF can smuggle a second message (H1) */
	if (cr > max)
		return parse_bad(why, ERR_LIMIT);
	if (lf == window.len)
		return PARSE_MORE;
	*line = span_range(in, 0, cr);
	*used = lf + 1;
	return PARSE_DONE;
}
