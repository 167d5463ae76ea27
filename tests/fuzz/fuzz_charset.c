/* fuzz_charset.c - the first byte names a charset; the rest becomes valid UTF-8, the same whole and in pieces. */
#include "proto/base/utf8.h"
#include "proto/mime/mime_charset.h"
#include "tests/fuzz/fuzz.h"

static bool
convert(unsigned number, struct span in, size_t piece, struct buf *out)
{
	struct mime_charset c;

	if (mime_charset_open(&c, number) != OK)
		return false;
	for (; in.len > 0; in = span_from(in, piece))
		ENSURE(mime_charset_put(&c, span_range(in, 0, piece), out) == OK);
	ENSURE(mime_charset_end(&c, out) == OK);
	return true;
}

FUZZ(in, a, out)
{
	unsigned number = in.len > 0 ? (unsigned char)in.ptr[0] % 48 : 0;
	struct buf cut;

	buf_init(&cut, FUZZ_OUT_MAX);
	in = span_range(in, 1, 65536);
	if (convert(number, in, SIZE_MAX / 2, out) && convert(number, in, 1 + in.len % 5, &cut)) {
		ENSURE(utf8_is_valid(buf_span(out)));
		ENSURE(utf8_is_valid(buf_span(&cut)));
		ENSURE(number > MIME_CHARSET_WINDOWS_1252 || span_eq(buf_span(out), buf_span(&cut)));
	}
	(void)mime_charset_find(in);
	buf_fini(&cut);
}
