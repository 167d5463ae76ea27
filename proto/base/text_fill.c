/*
 * text_fill.c - values in the place of %1 and %2.
 */
#include "proto/base/text_fill.h"

#include "proto/base/buf.h"

struct span
text_fill(struct arena *a, struct span text, struct span one, struct span two)
{
	size_t size = 0;
	struct buf out;
	struct span filled;

	for (size_t i = 0; i < text.len; i++)
		size += text.ptr[i] == '%' ? one.len + two.len + 1 : 1;
	buf_init(&out, size + 1);
	for (size_t i = 0; i < text.len && !out.overflow; i++) {
		char next = i + 1 < text.len ? text.ptr[i + 1] : 0;
		bool marks = text.ptr[i] == '%' && (next == '1' || next == '2' || next == '%');
		struct span piece = next == '1' ? one : next == '2' ? two : SPAN("%");

		if (buf_put(&out, marks ? piece : span_range(text, i, i + 1)) != OK)
			break;
		i += marks;
	}
	filled = arena_copy(a, buf_span(&out));
	buf_fini(&out);
	return filled;
}
