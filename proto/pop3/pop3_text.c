/*
 * pop3_text.c - a message on the wire, in runs.
 *
 * Whole lines that are as they should be are found by memchr and given as one run; at the first byte that is not,
 * the run ends before it, and the next call gives what stands for it.
 */
#include "proto/pop3/pop3_text.h"

#include <string.h>

/* What stands for COUNT bytes at the front. */
static enum parse
give(struct pop3_text *t, struct span replacement, size_t count, struct span *text, size_t *used)
{
	*text = replacement;
	*used += count;
	t->octets += replacement.len;
	t->mended = true;
	t->state = POP3_TEXT_MIDDLE;
	return PARSE_MORE;
}

/* The CR that came last is not given yet. */
static enum parse
after_cr(struct pop3_text *t, struct span in, struct span *text, size_t *used)
{
	bool whole = in.ptr[0] == '\n';

	if (!whole)
		return give(t, SPAN("\r\n"), 0, text, used); /* a bare CR */
	*text = SPAN("\r\n");
	*used += 1;
	t->octets += 2;
	t->state = POP3_TEXT_LINE_START;
	return PARSE_MORE;
}

/* A dot at the start of a line was taken, and perhaps a CR. */
static enum parse
after_dot(struct pop3_text *t, struct span in, struct span *text, size_t *used)
{
	char c = in.ptr[0];

	if (t->state == POP3_TEXT_DOT && c == '\r') {
		t->state = POP3_TEXT_DOT_CR;
		*used += 1;
		return PARSE_MORE;
	}
	if (t->state == POP3_TEXT_DOT && c != '\n') {
		t->state = POP3_TEXT_MIDDLE; /* it was stuffed; nothing of it is given */
		return PARSE_MORE;
	}
	if (t->state == POP3_TEXT_DOT_CR && c == '\n') {
		t->state = POP3_TEXT_END;
		*used += 1;
		return PARSE_DONE;
	}
	return give(t, SPAN(".\r\n"), t->state == POP3_TEXT_DOT, text, used);
}

/* How much of IN may be given as it is, which begins inside of a line or at its start. */
static size_t
good_length(struct pop3_text *t, struct span in)
{
	const char *nul = memchr(in.ptr, '\0', in.len);
	struct span s = nul ? span_range(in, 0, (size_t)(nul - in.ptr)) : in;
	size_t at = 0;

	while (at < s.len) {
		const char *lf, *cr;
		size_t end;

		if (t->state == POP3_TEXT_LINE_START && s.ptr[at] == '.')
			return at;
		lf = memchr(s.ptr + at, '\n', s.len - at);
		end = lf ? (size_t)(lf - s.ptr) : s.len;
		cr = memchr(s.ptr + at, '\r', end - at);
		if (!lf || !cr || (size_t)(cr - s.ptr) + 1 != end) {
			if (cr || end > at)
				t->state = POP3_TEXT_MIDDLE;
			return cr ? (size_t)(cr - s.ptr) : end;
		}
		at = end + 1;
		t->state = POP3_TEXT_LINE_START;
	}
	return at;
}

/* The byte at the front cannot be given as it is. */
static enum parse
odd_byte(struct pop3_text *t, struct span in, struct span *text, size_t *used)
{
	switch (in.ptr[0]) {
	case '.':
		t->state = POP3_TEXT_DOT;
		*used += 1;
		return PARSE_MORE;
	case '\r':
		t->state = POP3_TEXT_CR;
		*used += 1;
		return PARSE_MORE;
	case '\n':
		return give(t, SPAN("\r\n"), 1, text, used);
	default:
		return give(t, SPAN(POP3_TEXT_NUL), 1, text, used);
	}
}

enum parse
pop3_text_take(struct pop3_text *t, struct span in, struct span *text, size_t *used)
{
	size_t len;

	*used = 0;
	*text = span_range(in, 0, 0);
	ENSURE(t->state != POP3_TEXT_END);
	if (in.len == 0)
		return PARSE_MORE;
	if (t->state == POP3_TEXT_DOT || t->state == POP3_TEXT_DOT_CR)
		return after_dot(t, in, text, used);
	if (t->state == POP3_TEXT_CR)
		return after_cr(t, in, text, used);
	len = good_length(t, in);
	if (len == 0)
		return odd_byte(t, in, text, used);
	*text = span_range(in, 0, len);
	*used = len;
	t->octets += len;
	return PARSE_MORE;
}
