/*
 * dkim_body.c - the canonical form of a body (RFC 6376, 3.4.3 and 3.4.4), as it comes.
 *
 * Nothing is kept but how many line ends may be the last ones: those at the end of the body do not count.
 * A bare CR or LF is a byte like others; our mail has none (H1).
 */
#include <string.h>

#include "proto/auth/dkim.h"
#include "proto/base/ascii.h"

void
dkim_body_init(struct dkim_body *b, enum dkim_canon canon, dkim_hash *hash, void *arg)
{
	*b = (struct dkim_body){ .canon = canon, .hash = hash, .arg = arg };
}

static void
flush(struct dkim_body *b)
{
	if (b->len > 0)
		b->hash(b->arg, (struct span){ b->room, b->len });
	b->len = 0;
}

static void
put(struct dkim_body *b, struct span bytes)
{
	if (bytes.len > sizeof(b->room) - b->len)
		flush(b);
	if (bytes.len > sizeof(b->room)) {
		b->hash(b->arg, bytes);
		return;
	}
	memcpy(b->room + b->len, bytes.ptr, bytes.len);
	b->len += bytes.len;
}

/* What belongs to a line: now the line ends and blanks before it count. */
static void
put_text(struct dkim_body *b, struct span bytes)
{
	for (; b->ends > 0; b->ends--)
		put(b, SPAN("\r\n"));
	if (b->blank)
		put(b, SPAN(" "));
	b->blank = false;
	b->some = true;
	put(b, bytes);
}

/* After a CR: does a line end? True where the byte at hand is used up. */
static bool
end_line(struct dkim_body *b, char c)
{
	b->cr = false;
	if (c == '\n') {
		b->blank = false;
		b->ends++;
		return true;
	}
	put_text(b, SPAN("\r"));
	return false;
}

/* Bytes at the front of REST that stand for themselves. */
static size_t
plain_run(const struct dkim_body *b, struct span rest)
{
	size_t len = 0;

	if (b->canon == DKIM_SIMPLE)
		return span_find(rest, '\r');
	while (len < rest.len && rest.ptr[len] != '\r' && !ascii_is_blank(rest.ptr[len]))
		len++;
	return len;
}

void
dkim_body_feed(struct dkim_body *b, struct span piece)
{
	size_t at = 0, run;

	while (at < piece.len) {
		if (b->cr && end_line(b, piece.ptr[at])) {
			at++;
			continue;
		}
		run = plain_run(b, span_from(piece, at));
		if (run > 0) {
			put_text(b, span_range(piece, at, at + run));
			at += run;
		} else if (piece.ptr[at++] == '\r') {
			b->cr = true;
		} else {
			b->blank = true;
		}
	}
}

void
dkim_body_end(struct dkim_body *b)
{
	if (b->cr)
		(void)end_line(b, 0);
	/* simple: an empty body is a line end; relaxed: it is nothing */
	if (b->some || b->canon == DKIM_SIMPLE)
		put(b, SPAN("\r\n"));
	flush(b);
}
