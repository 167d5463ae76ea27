/*
 * fuzz_dkim.c - a message signed: the canonical body is the same whatever its pieces, has neither blanks before a
 * line end nor empty lines at its end, and the field is lines of its own (H11). A tag-list is read.
 */
#include "proto/auth/dkim.h"
#include "proto/mail/header.h"
#include "tests/fuzz/fuzz.h"

static const struct span names[] = { { "To", 2 }, { "Subject", 7 }, { "Received", 8 } };

static void
gather(void *arg, struct span bytes)
{
	(void)!buf_put(arg, bytes);
}

static size_t
feed(void *body, struct span piece)
{
	dkim_body_feed(body, piece);
	return piece.len;
}

static void
check_body(struct span body, enum dkim_canon canon)
{
	struct dkim_body b;
	struct buf whole, pieces;

	buf_init(&whole, FUZZ_OUT_MAX);
	buf_init(&pieces, FUZZ_OUT_MAX);
	dkim_body_init(&b, canon, gather, &whole);
	dkim_body_feed(&b, body);
	dkim_body_end(&b);
	dkim_body_init(&b, canon, gather, &pieces);
	fuzz_in_pieces(body, (unsigned)body.len, feed, &b);
	dkim_body_end(&b);
	ENSURE(span_eq(buf_span(&whole), buf_span(&pieces)));
	ENSURE(!span_ends_nocase(buf_span(&whole), SPAN("\r\n\r\n")));
	if (canon == DKIM_RELAXED)
		ENSURE(span_find_span(buf_span(&whole), SPAN(" \r\n")) == buf_span(&whole).len);
	buf_fini(&whole);
	buf_fini(&pieces);
}

FUZZ(in, a, out)
{
	struct dkim_signing s = { .domain = SPAN("example.org"), .selector = SPAN("s"),
		.sign = { names, names, COUNT(names), 2 }, .header_canon = in.len & 1 };
	struct header_end end = { .found = false };
	size_t head = header_end_find(&end, in);
	struct span rest, line;
	struct buf hashed;

	check_body(span_from(in, head), DKIM_RELAXED);
	check_body(span_from(in, head), DKIM_SIMPLE);
	(void)dkim_tag(in, SPAN("p"));
	buf_init(&hashed, FUZZ_OUT_MAX);
	if (dkim_field_begin(&s, span_range(in, 0, head), out, gather, &hashed) == OK &&
		dkim_field_end(out, span_range(in, 0, 256)) == OK) {
		rest = buf_span(out);
		ENSURE(span_starts(rest, SPAN("DKIM-Signature: ")));
		for (size_t i = 0; span_next_line(&rest, &line); i++)
			ENSURE((i == 0 || line.ptr[0] == '\t') && line.len <= DKIM_LINE_MAX &&
				!span_has_control(span_from(line, i > 0), SPAN("")));
	}
	buf_fini(&hashed);
}
