/*
 * fuzz_mbox.c - messages into an mbox and back: whatever they hold, two of them are two, and their lines are theirs (ARC-02).
 */
#include "proto/mail/mbox.h"
#include "tests/fuzz/fuzz.h"

/* As an mbox has it: LF for CRLF, and a line's end at the end. */
static struct span
lines_of(struct arena *a, struct span text)
{
	char *to = arena_alloc(a, text.len + 2);
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '\r' || i + 1 == text.len || text.ptr[i + 1] != '\n')
			to[n++] = text.ptr[i];
	if (n > 0 && to[n - 1] != '\n')
		to[n++] = '\n';
	return (struct span){ to, n };
}

static void
put(struct span text, unsigned seed, struct buf *out)
{
	struct mbox_put m;

	ENSURE(mbox_begin(&m, SPAN("a@b.test"), seed, out) == OK);
	while (text.len > 0) {
		struct span piece;

		seed = seed * 1103515245u + 12345u;
		piece = span_range(text, 0, 1 + (seed >> 16) % 9);
		ENSURE(mbox_text(&m, piece, out) == OK);
		text = span_from(text, piece.len);
	}
	ENSURE(mbox_end(&m, out) == OK);
}

FUZZ(in, a, out)
{
	struct span half[2], text;
	size_t at = 0;

	if (in.len == 0 || in.len > FUZZ_OUT_MAX / 8)
		return;
	/* any bytes are looked at */
	text = mbox_trim(in);
	ENSURE(text.len <= in.len && mbox_border(in, 0) <= in.len && mbox_unquote(a, in).len <= in.len);
	half[0] = span_range(in, 1, 1 + (unsigned char)in.ptr[0]);
	half[1] = span_from(in, 1 + (unsigned char)in.ptr[0]);
	for (size_t i = 0; i < 2; i++)
		put(half[i], (unsigned)in.len + (unsigned)i, out);
	for (size_t i = 0; i < 2; i++) {
		struct span rest = span_from(buf_span(out), at);
		size_t border = mbox_border(rest, 0);

		ENSURE(span_eq(mbox_unquote(a, mbox_trim(span_range(rest, 0, border))), lines_of(a, half[i])));
		at += border;
	}
	ENSURE(at == buf_span(out).len);
}
