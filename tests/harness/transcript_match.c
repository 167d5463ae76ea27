/*
 * transcript_match.c - does a line that came fit the one that a transcript expects?
 *
 * `*` in a pattern is any text. It is itself where a line begins with it ("* 3 EXISTS") and behind a
 * backslash ("\*" among PERMANENTFLAGS). ${NAME} is a word without spaces, brackets and quotes; the
 * first one that fits gives the name its value, later ones must be equal to it.
 */
#include "tests/harness/transcript_inside.h"

#include <string.h>

static struct name *
name_find(struct run *run, struct span called)
{
	for (size_t i = 0; i < run->name_count; i++)
		if (span_eq(span_of(run->names[i].called), called))
			return &run->names[i];
	return NULL;
}

static bool
text_set(char *out, size_t size, struct span text)
{
	if (text.len >= size)
		return false;
	memcpy(out, text.ptr, text.len);
	out[text.len] = '\0';
	return true;
}

static bool
name_set(struct run *run, struct span called, struct span value)
{
	struct name *name = name_find(run, called);

	if (name)
		return span_eq(span_of(name->value), value);
	if (run->name_count == NAMES_MAX)
		return false;
	name = &run->names[run->name_count];
	if (!text_set(name->called, sizeof(name->called), called) ||
		!text_set(name->value, sizeof(name->value), value))
		return false;
	run->name_count++;
	return true;
}

/* "${NAME}" at the front of TEXT: NAME, and how long all of it is; 0: none is there. */
static size_t
name_take(const char *text, struct span *called)
{
	const char *end = text[0] == '$' && text[1] == '{' ? strchr(text, '}') : NULL;

	if (!end)
		return 0;
	*called = (struct span){ text + 2, (size_t)(end - text - 2) };
	return (size_t)(end - text) + 1;
}

bool
names_expand(struct run *run, const char *text, char out[LINE_MAX_BYTES])
{
	size_t at = 0, used;
	struct span called;

	for (; *text; text += used) {
		struct span piece = { text, 1 };

		used = name_take(text, &called);
		if (used > 0) {
			struct name *name = name_find(run, called);

			if (!name)
				return false;
			piece = span_of(name->value);
		} else {
			used = 1;
		}
		if (!text_set(out + at, LINE_MAX_BYTES - at, piece))
			return false;
		at += piece.len;
	}
	out[at] = '\0';
	return true;
}

static size_t
word_len(struct span text)
{
	return span_find_any(text, SPAN(" ()[]<>{}\"\r\n"));
}

/* A place in the pattern and in the line, and how many names are known there. */
struct place {
	const char *pattern;
	size_t at, names;
};

/* One step of both; false: they differ here. */
static bool
step(struct run *run, struct place *p, struct span line)
{
	struct span called, rest = span_range(line, p->at, line.len);
	size_t used = name_take(p->pattern, &called), len;

	if (used > 0) {
		len = word_len(rest);
		if (len == 0 || !name_set(run, called, span_range(rest, 0, len)))
			return false;
		p->pattern += used;
		p->at += len;
		return true;
	}
	if (rest.len == 0 || *p->pattern != rest.ptr[0])
		return false;
	p->pattern++;
	p->at++;
	return true;
}

static bool
is_wildcard(const char *begin, const char *at)
{
	if (*at != '*')
		return false;
	if (at == begin)
		return at[1] != ' ';
	return at[-1] != '\\';
}

bool
line_matches(struct run *run, const char *pattern, struct span line)
{
	struct place here = { pattern, 0, run->name_count }, back = { NULL, 0, 0 };

	for (;;) {
		if (is_wildcard(pattern, here.pattern)) {
			here.pattern++;
			here.names = run->name_count;
			back = here;
			if (*here.pattern == '\0')
				return true;
			continue;
		}
		if (*here.pattern == '\0' && here.at == line.len)
			return true;
		if (*here.pattern != '\0' && step(run, &here, line))
			continue;
		run->name_count = back.pattern ? back.names : here.names;
		if (!back.pattern || back.at >= line.len)
			return false;
		back.at++;
		here = back;
	}
}
