/* fuzz_mime_parser.c - a message in pieces: its record opens, says the same however it was cut, and parts lie inside. */
#include "proto/mail/header.h"
#include "proto/mime/mime_parser.h"
#include "tests/fuzz/fuzz.h"

static void
make(struct arena *a, struct span header, struct span body, size_t piece, struct buf *record)
{
	struct mime_parser *p = ARENA_NEW(a, struct mime_parser);

	mime_parser_init(p, a);
	mime_parser_header(p, header);
	for (; body.len > 0; body = span_from(body, piece))
		mime_parser_feed(p, span_range(body, 0, piece));
	ENSURE(mime_parser_end(p, header, record) == OK);
}

static void
check_parts(const struct mime_derived *d, size_t size, struct buf *out)
{
	struct mime_walk at = { 0 };
	struct mime_part part;
	size_t count = 0;

	while (mime_part_next(d, &at, &part)) {
		ENSURE(part.body_offset + part.body_size <= size);
		ENSURE(part.depth <= MIME_DEPTH_MAX);
		ENSURE(mime_part_put_number(d, &part, out) == OK);
		count++;
	}
	ENSURE(count == d->part_count);
}

FUZZ(in, a, out)
{
	struct header_end end = { 0 };
	struct span body = span_from(in, header_end_find(&end, in));
	struct span header = span_range(in, 0, in.len - body.len);
	struct mime_derived d;
	struct buf whole, cut;

	buf_init(&whole, MIME_RECORD_MAX);
	buf_init(&cut, MIME_RECORD_MAX);
	make(a, header, body, SIZE_MAX / 2, &whole);
	make(a, header, body, 1 + in.len % 7, &cut);
	ENSURE(span_eq(buf_span(&whole), buf_span(&cut)));
	ENSURE(mime_derived_open(buf_span(&whole), header, &d) == OK);
	ENSURE(mime_derived_put_envelope(&d, out) == OK);
	ENSURE(mime_derived_put_bodystructure(&d, out) == OK);
	ENSURE(mime_derived_put_body(&d, out) == OK);
	for (unsigned i = 0; i < MIME_FIELDS; i++) {
		ENSURE(mime_derived_put_text(&d, i, out) == OK);
		(void)mime_derived_holds(&d, i, SPAN("a"));
	}
	check_parts(&d, in.len, out);
	buf_clear(out);
	if (mime_derived_open(in, header, &d) == OK) { /* a record that is none */
		(void)!mime_derived_put_envelope(&d, out);
		(void)!mime_derived_put_bodystructure(&d, out);
	}
	buf_fini(&whole);
	buf_fini(&cut);
}
