/*
 * imap_subject.c - the steps of RFC 5256, 2.1, each taking something off the front or the end.
 */
#include "proto/imap/imap_subject.h"

#include "proto/base/ascii.h"

static bool
is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Step 1: runs of white space become one blank. */
static struct span
one_blank_each(struct arena *a, struct span text)
{
	char *out = arena_alloc(a, text.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (!is_white(text.ptr[i]))
			out[len++] = text.ptr[i];
		else if (len == 0 || out[len - 1] != ' ')
			out[len++] = ' ';
	}
	return (struct span){ out, len };
}

static struct span
skip_blanks(struct span s)
{
	while (s.len > 0 && s.ptr[0] == ' ')
		s = span_from(s, 1);
	return s;
}

/* Step 2: subj-trailer. */
static bool
take_trailer(struct span *s, bool *is_reply)
{
	if (s->len > 0 && s->ptr[s->len - 1] == ' ') {
		s->len--;
		return true;
	}
	if (!span_ends_nocase(*s, SPAN("(fwd)")))
		return false;
	s->len -= 5;
	*is_reply = true;
	return true;
}

/* subj-blob: "[...]" without brackets inside, and the blanks behind it. */
static bool
take_blob(struct span *s)
{
	size_t end;

	if (s->len == 0 || s->ptr[0] != '[')
		return false;
	end = span_find_any(span_from(*s, 1), SPAN("[]")) + 1;
	if (end >= s->len || s->ptr[end] != ']')
		return false;
	*s = skip_blanks(span_from(*s, end + 1));
	return true;
}

/* subj-refwd: "re:", "fw:", "fwd:", maybe with a blob before the colon. */
static bool
take_refwd(struct span *s)
{
	struct span at = *s;

	if (span_starts_nocase(at, SPAN("fwd")))
		at = span_from(at, 3);
	else if (span_starts_nocase(at, SPAN("re")) || span_starts_nocase(at, SPAN("fw")))
		at = span_from(at, 2);
	else
		return false;
	at = skip_blanks(at);
	(void)take_blob(&at);
	if (at.len == 0 || at.ptr[0] != ':')
		return false;
	*s = span_from(at, 1);
	return true;
}

/* Step 3: subj-leader, a blank or blobs with "re:" behind them. */
static bool
take_leader(struct span *s, bool *is_reply)
{
	struct span at = *s;

	if (at.len > 0 && at.ptr[0] == ' ') {
		*s = span_from(at, 1);
		return true;
	}
	while (take_blob(&at))
		continue;
	if (!take_refwd(&at))
		return false;
	*s = at;
	*is_reply = true;
	return true;
}

/* Step 4: a blob alone, where something is left without it. */
static bool
take_lone_blob(struct span *s)
{
	struct span at = *s;

	if (!take_blob(&at) || at.len == 0)
		return false;
	*s = at;
	return true;
}

/* Step 6: "[fwd: ... ]". */
static bool
take_wrapper(struct span *s, bool *is_reply)
{
	if (!span_starts_nocase(*s, SPAN("[fwd:")) || s->ptr[s->len - 1] != ']')
		return false;
	*s = span_range(*s, 5, s->len - 1);
	*is_reply = true;
	return true;
}

struct span
imap_base_subject(struct arena *a, struct span text, bool *is_reply)
{
	struct span s = one_blank_each(a, text);

	*is_reply = false;
	do {
		while (take_trailer(&s, is_reply))
			continue;
		while (take_leader(&s, is_reply) || take_lone_blob(&s))
			continue;
	} while (take_wrapper(&s, is_reply));
	return s;
}
