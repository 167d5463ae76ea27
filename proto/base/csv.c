/*
 * csv.c - see csv.h.
 */
#include "proto/base/csv.h"

#include <string.h>

/* "~@x" and "*@x" are mappings, no formulas; those begin with = + - or @ (H70). */
static bool
starts_formula(struct span field)
{
	return field.len > 0 && memchr("=+-@", field.ptr[0], 4);
}

/* A quote before a formula, or before such a quote, is ours: so what is put is read back. */
static bool
starts_guard(struct span field)
{
	return field.len > 1 && field.ptr[0] == '\'' &&
		(field.ptr[1] == '\'' || starts_formula(span_from(field, 1)));
}

enum err
csv_put_text(struct buf *out, struct span field, bool comma)
{
	enum err err = buf_put(out, comma ? SPAN(",\"") : SPAN("\""));

	if (err == OK && (starts_formula(field) || starts_guard(field)))
		err = buf_put_char(out, '\'');
	for (size_t i = 0; err == OK && i < field.len; i++) {
		if (field.ptr[i] == '"')
			err = buf_put_char(out, '"');
		if (err == OK)
			err = buf_put_char(out, field.ptr[i]);
	}
	return err == OK ? buf_put_char(out, '"') : err;
}

enum err
csv_put(struct buf *out, struct span field, bool comma)
{
	bool plain = span_find_any(field, SPAN(",\"\r\n")) == field.len && !starts_formula(field) &&
		!starts_guard(field) && span_trim(field).len == field.len;

	if (!plain)
		return csv_put_text(out, field, comma);
	if (comma && buf_put_char(out, ',') != OK)
		return ERR_LIMIT;
	return buf_put(out, field);
}

enum err
csv_take_quoted(struct arena *a, struct span *rest, struct span *field)
{
	char *to = arena_alloc(a, rest->len);
	size_t n = 0, i = 1;

	for (; i < rest->len; i++) {
		if (rest->ptr[i] == '"' && (i + 1 >= rest->len || rest->ptr[i + 1] != '"'))
			break;
		i += rest->ptr[i] == '"';
		to[n++] = rest->ptr[i];
	}
	if (i >= rest->len)
		return ERR_SYNTAX;
	*field = (struct span){ to, n };
	*rest = span_from(*rest, i + 1);
	return OK;
}

enum err
csv_parse(struct arena *a, struct span line, struct span fields[CSV_FIELDS_MAX], size_t *count)
{
	bool more = true;

	for (*count = 0; more; (*count)++) {
		struct span field, tail;

		if (*count == CSV_FIELDS_MAX)
			return ERR_LIMIT;
		while (line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t'))
			line = span_from(line, 1);
		if (line.len > 0 && line.ptr[0] == '"') {
			if (csv_take_quoted(a, &line, &fields[*count]) != OK)
				return ERR_SYNTAX;
			more = span_cut(line, ',', &field, &tail);
			if (span_trim(field).len > 0)
				return ERR_SYNTAX; /* text behind the quotes is not dropped */
		} else {
			more = span_cut(line, ',', &field, &tail);
			fields[*count] = span_trim(field);
		}
		if (starts_guard(fields[*count]))
			fields[*count] = span_from(fields[*count], 1);
		line = tail;
	}
	return OK;
}
