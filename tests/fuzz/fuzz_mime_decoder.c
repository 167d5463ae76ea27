/* fuzz_mime_decoder.c - base64 and quoted-printable say the same whole and in pieces; HTML as text. */
#include "proto/mime/html_text.h"
#include "proto/mime/mime_decoder.h"
#include "tests/fuzz/fuzz.h"

static void
decode(enum mime_encoding encoding, struct span in, size_t piece, struct buf *out)
{
	struct mime_decoder d;

	mime_decoder_init(&d, encoding);
	for (; in.len > 0; in = span_from(in, piece))
		ENSURE(mime_decoder_put(&d, span_range(in, 0, piece), out) == OK);
	ENSURE(mime_decoder_end(&d, out) == OK);
}

FUZZ(in, a, out)
{
	struct buf cut;

	buf_init(&cut, FUZZ_OUT_MAX);
	for (unsigned e = MIME_7BIT; e <= MIME_ENCODING_UNKNOWN; e++) {
		buf_clear(out);
		buf_clear(&cut);
		decode(e, in, SIZE_MAX / 2, out);
		decode(e, in, 1 + in.len % 5, &cut);
		ENSURE(span_eq(buf_span(out), buf_span(&cut)));
		ENSURE(buf_span(out).len <= in.len);
	}
	(void)!html_text_put(out, in);
	buf_fini(&cut);
}
