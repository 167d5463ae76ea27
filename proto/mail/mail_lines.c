/*
 * mail_lines.c - runs of whole lines as they are, and what stands for the bytes that are not as they should be.
 */
#include "proto/mail/mail_lines.h"

#include <string.h>

/* Where the first byte is that cannot be passed on as it is: a CR without its LF here, a bare LF, NUL. */
static size_t
run_end(struct span in)
{
	const char *end = in.ptr + in.len, *nul = memchr(in.ptr, '\0', in.len);
	const char *at = in.ptr;

	if (nul)
		end = nul;
	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at)), *stop = lf ? lf : end;
		const char *cr = memchr(at, '\r', (size_t)(stop - at));

		if (cr && (!lf || cr + 1 != lf))
			return (size_t)(cr - in.ptr);
		if (!lf)
			break;
		if (!cr)
			return (size_t)(lf - in.ptr);
		at = lf + 1;
	}
	return (size_t)(end - in.ptr);
}

static struct span
give(struct mail_lines *t, struct span piece)
{
	t->inside = piece.ptr[piece.len - 1] != '\n';
	return piece;
}

struct span
mail_lines_next(struct mail_lines *t, struct span in, size_t *used)
{
	size_t run;

	*used = 0;
	if (in.len == 0)
		return SPAN_NONE;
	if (t->cr) {
		t->cr = false;
		*used = in.ptr[0] == '\n';
		return give(t, SPAN("\r\n"));
	}
	run = run_end(in);
	if (run > 0) {
		*used = run;
		return give(t, span_range(in, 0, run));
	}
	*used = 1;
	if (in.ptr[0] == '\n')
		return give(t, SPAN("\r\n"));
	if (in.ptr[0] == '\0')
		return give(t, SPAN(MAIL_LINES_NUL));
	t->cr = true; /* whether its LF follows is seen when more is here */
	return SPAN_NONE;
}

struct span
mail_lines_end(struct mail_lines *t)
{
	bool open = t->cr || t->inside;

	*t = (struct mail_lines){ 0 };
	return open ? SPAN("\r\n") : SPAN_NONE;
}
