/*
 * mime_value.c - words, comments and parameters of a structured field.
 */
#include "proto/mime/mime_value.h"

#include <string.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Blanks, folds and comments (RFC 5322, 3.2.2). */
static struct span
skip_blanks(struct span s)
{
	size_t i = 0, depth = 0;

	for (; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '(')
			depth++;
		else if (depth > 0 && c == ')')
			depth--;
		else if (depth > 0 && c == '\\')
			i++;
		else if (depth == 0 && !is_blank(c))
			break;
	}
	return span_from(s, i);
}

/* Between the quotes: with its escapes undone, and without line ends. */
static struct span
take_quoted(struct arena *a, struct span *rest)
{
	struct span s = span_from(*rest, 1);
	size_t end = 0, len = 0;
	bool is_clean = true;
	char *to;

	while (end < s.len && s.ptr[end] != '"') {
		char c = s.ptr[end];

		is_clean = is_clean && c != '\\' && c != '\r' && c != '\n' && c != '\0';
		end += c == '\\' ? 2 : 1;
	}
	end = end < s.len ? end : s.len;
	*rest = span_from(s, end + 1);
	s = span_range(s, 0, end);
	if (is_clean)
		return s;
	to = arena_alloc(a, s.len + 1);
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\' && i + 1 < s.len)
			i++;
		if (s.ptr[i] != '\r' && s.ptr[i] != '\n' && s.ptr[i] != '\0')
			to[len++] = s.ptr[i];
	}
	return (struct span){ to, len };
}

struct span
mime_take_word(struct arena *a, struct span *rest)
{
	struct span s = skip_blanks(*rest);
	size_t end = 0;

	if (s.len > 0 && s.ptr[0] == '"') {
		*rest = s;
		return take_quoted(a, rest);
	}
	while (end < s.len && !is_blank(s.ptr[end]) && !memchr("()<>@,;:\\\"/[]?=", s.ptr[end], 15) &&
		s.ptr[end] != '\0')
		end++;
	*rest = span_from(s, end);
	return span_range(s, 0, end);
}

bool
mime_take_char(struct span *rest, char c)
{
	struct span s = skip_blanks(*rest);

	if (s.len == 0 || s.ptr[0] != c)
		return false;
	*rest = span_from(s, 1);
	return true;
}

/* Without quotes: up to the ';' or a comment, for many writers do not quote what they should. */
static struct span
take_bare(struct span *rest)
{
	struct span s = skip_blanks(*rest);
	size_t end = 0;

	while (end < s.len && s.ptr[end] != ';' && s.ptr[end] != '\r' && s.ptr[end] != '\n' &&
		!(s.ptr[end] == '(' && end > 0 && is_blank(s.ptr[end - 1])))
		end++;
	*rest = span_from(s, end);
	return span_trim_folds(span_range(s, 0, end));
}

/* Up to what follows the next ';' outside of quotes and comments. False: there is none. */
static bool
next_param(struct arena *a, struct span *rest)
{
	while (!mime_take_char(rest, ';')) {
		struct span s = skip_blanks(*rest);

		if (s.len == 0)
			return false;
		if (s.ptr[0] == '"')
			(void)take_quoted(a, &s);
		else
			s = span_from(s, 1);
		*rest = s;
	}
	return true;
}

static bool
take_param(struct arena *a, struct span *rest, struct mime_param *param)
{
	param->name = mime_take_word(a, rest);
	if (param->name.len == 0 || !mime_take_char(rest, '='))
		return false;
	*rest = skip_blanks(*rest);
	param->value = span_starts(*rest, SPAN("\"")) ? take_quoted(a, rest) : take_bare(rest);
	return true;
}

struct mime_params
mime_take_params(struct arena *a, struct span rest)
{
	struct mime_param found[MIME_PARAMS_MAX];
	struct mime_params all = { NULL, 0 };

	while (all.count < MIME_PARAMS_MAX && next_param(a, &rest))
		all.count += take_param(a, &rest, &found[all.count]);
	if (all.count > 0) {
		all.items = ARENA_ARRAY(a, struct mime_param, all.count);
		memcpy(all.items, found, all.count * sizeof(found[0]));
	}
	return all;
}

bool
mime_take_type(struct arena *a, struct span *value, struct span *type, struct span *subtype)
{
	*type = mime_take_word(a, value);
	if (type->len == 0 || !mime_take_char(value, '/'))
		return false;
	*subtype = mime_take_word(a, value);
	return subtype->len > 0;
}

struct span
mime_param_find(const struct mime_params *params, struct span name)
{
	for (size_t i = 0; i < params->count; i++)
		if (span_eq_nocase(params->items[i].name, name))
			return params->items[i].value;
	return SPAN_NONE;
}
