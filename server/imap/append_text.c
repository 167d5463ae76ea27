/*
 * append_text.c - line ends made whole, and a place to wait.
 */
#include "server/imap/append_text.h"

#include <stdlib.h>
#include <string.h>

/* The first LF of S without its CR; s.len: there is none. */
static size_t
find_bare_lf(struct span s, bool after_cr)
{
	const char *end = s.ptr + s.len, *at = s.ptr;

	while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
		if (at == s.ptr ? !after_cr : at[-1] != '\r')
			return (size_t)(at - s.ptr);
		at++;
	}
	return s.len;
}

/* The next piece, as long as can be. */
static bool
next_piece(struct append_text *t)
{
	size_t size = t->as_is ? t->rest.len : find_bare_lf(t->rest, t->cr);

	if (t->rest.len == 0)
		return false;
	if (size == 0) {
		t->piece = SPAN("\r\n");
		t->rest = span_from(t->rest, 1);
		t->cr = false;
		return true;
	}
	t->piece = span_range(t->rest, 0, size);
	t->rest = span_from(t->rest, size);
	t->cr = t->piece.ptr[size - 1] == '\r';
	return true;
}

/* What is left lies in the stream, which will be read on: take it along. */
static void
keep(struct append_text *t)
{
	size_t total = t->piece.len + t->rest.len;

	if (t->kept)
		return;
	t->kept = malloc(total);
	ENSURE(t->kept);
	memcpy(t->kept, t->piece.ptr, t->piece.len);
	if (t->rest.len > 0)
		memcpy(t->kept + t->piece.len, t->rest.ptr, t->rest.len);
	t->piece.ptr = t->kept;
	t->rest.ptr = t->kept + t->piece.len;
}

enum err
append_text_go_on(struct append_text *t, struct intake *in)
{
	while (t->piece.len > 0 || next_piece(t)) {
		if (intake_text(in, t->piece) != OK) {
			keep(t);
			return ERR_BUSY;
		}
		t->piece = SPAN_NONE;
	}
	append_text_fini(t);
	return OK;
}

enum err
append_text_put(struct append_text *t, struct intake *in, struct span text)
{
	ENSURE(!t->kept);
	t->rest = text;
	return append_text_go_on(t, in);
}

void
append_text_fini(struct append_text *t)
{
	free(t->kept);
	t->kept = NULL;
	t->piece = t->rest = SPAN_NONE;
}
