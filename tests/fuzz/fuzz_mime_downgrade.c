/*
 * fuzz_mime_downgrade.c - a message made 7-bit has the size that was said and no 8-bit byte behind its header; the same
 * whole and in pieces. An encoder's text decodes to what it was made of.
 */
#include "proto/mail/header.h"
#include "proto/mime/mime_decoder.h"
#include "proto/mime/mime_downgrade.h"
#include "proto/mime/mime_parser.h"
#include "tests/fuzz/fuzz.h"

static void
check_encoder(enum mime_encoding encoding, struct span in, struct buf *out, struct buf *back)
{
	struct mime_encoder e;
	struct mime_decoder d;
	size_t piece = 1 + in.len % 7;

	buf_clear(out);
	buf_clear(back);
	mime_encoder_init(&e, encoding);
	for (struct span rest = in; rest.len > 0; rest = span_from(rest, piece))
		ENSURE(mime_encoder_put(&e, span_range(rest, 0, piece), out) == OK);
	ENSURE(mime_encoder_end(&e, out) == OK);
	ENSURE(buf_span(out).len <= in.len * MIME_ENCODER_GROWS + MIME_ENCODER_MORE);
	ENSURE(span_is_ascii(buf_span(out)));
	mime_decoder_init(&d, encoding);
	ENSURE(in.len == 0 || mime_decoder_put(&d, buf_span(out), back) == OK);
	ENSURE(mime_decoder_end(&d, back) == OK);
	ENSURE(span_eq(buf_span(back), in));
}

static void
look(struct arena *a, const struct mime_derived *derived, struct span in, size_t piece,
	struct mime_downgrade *plan)
{
	struct mime_downgrade_look *l = ARENA_NEW(a, struct mime_downgrade_look);

	mime_downgrade_init(l, a, derived);
	for (; in.len > 0; in = span_from(in, piece))
		mime_downgrade_look(l, span_range(in, 0, piece));
	ENSURE(mime_downgrade_end(l, plan) == OK);
}

static void
run(const struct mime_downgrade *plan, struct span body, size_t piece, struct buf *out)
{
	struct mime_downgrade_run r;

	buf_clear(out);
	mime_downgrade_run_init(&r, plan);
	for (; body.len > 0; body = span_from(body, piece))
		ENSURE(mime_downgrade_run_put(&r, span_range(body, 0, piece), out) == OK);
	ENSURE(buf_span(out).len == plan->body_size);
}

FUZZ(in, a, out)
{
	struct mime_downgrade whole, cut;
	struct header_end end = { 0 };
	struct mime_derived derived;
	struct buf record, other;
	size_t head = header_end_find(&end, in);
	struct span header = span_range(in, 0, head), body = span_from(in, head);

	buf_init(&other, FUZZ_OUT_MAX);
	check_encoder(MIME_BASE64, in, out, &other);
	check_encoder(MIME_QUOTED_PRINTABLE, in, out, &other);
	buf_init(&record, MIME_RECORD_MAX);
	if (mime_derive(a, header, &body, 1, &record) == OK &&
		mime_derived_open(buf_span(&record), header, &derived) == OK) {
		look(a, &derived, in, SIZE_MAX / 2, &whole);
		look(a, &derived, in, 1 + in.len % 5, &cut);
		ENSURE(whole.cannot == cut.cannot && whole.body_size == cut.body_size);
		if (!whole.cannot) {
			run(&whole, body, SIZE_MAX / 2, out);
			run(&cut, body, 1 + in.len % 3, &other);
			ENSURE(span_eq(buf_span(out), buf_span(&other)));
			ENSURE(whole.has_8bit_header || span_is_ascii(buf_span(out)));
			ENSURE(whole.has_8bit_body || span_eq(buf_span(out), body));
		}
	}
	buf_fini(&record);
	buf_fini(&other);
}
