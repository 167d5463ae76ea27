/*
 * control_csv.c - see control_transfer.h (RFC 4180, read leniently).
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "server/control/control_transfer.h"

#define READ_STEP (64 * 1024)

/* "~@x" and "*@x" are mappings, no formulas; those begin with = + - or @ (H70). */
static bool
is_formula(struct span field)
{
	return field.len > 0 && memchr("=+-@", field.ptr[0], 4);
}

enum err
csv_put(struct buf *out, struct span field, bool comma)
{
	bool quote = span_find_any(field, SPAN(",\"\r\n")) < field.len || is_formula(field) ||
		     (field.len > 0 && field.ptr[0] == '\'');
	enum err err = comma ? buf_put_char(out, ',') : OK;

	if (!quote)
		return err == OK ? buf_put(out, field) : err;
	if (err == OK)
		err = buf_put_char(out, '"');
	if (err == OK && (is_formula(field) || field.ptr[0] == '\''))
		err = buf_put_char(out, '\'');
	for (size_t i = 0; err == OK && i < field.len; i++) {
		if (field.ptr[i] == '"')
			err = buf_put_char(out, '"');
		if (err == OK)
			err = buf_put_char(out, field.ptr[i]);
	}
	return err == OK ? buf_put_char(out, '"') : err;
}

/* A field in quotes from the front of *rest; a doubled quote is one. */
static enum err
quoted_take(struct arena *a, struct span *rest, struct span *field)
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
	*field = (struct span){to, n};
	if (n > 1 && to[0] == '\'')
		*field = span_from(*field, 1);
	*rest = span_from(*rest, i + 1);
	return OK;
}

enum err
csv_parse(struct arena *a, struct span line, struct span *fields, size_t *count)
{
	bool more = true;

	for (*count = 0; more; (*count)++) {
		struct span field, tail;

		if (*count == CSV_FIELDS_MAX)
			return ERR_LIMIT;
		if (line.len > 0 && line.ptr[0] == '"') {
			if (quoted_take(a, &line, &fields[*count]) != OK)
				return ERR_SYNTAX;
			more = span_cut(line, ',', &field, &tail);
		} else {
			more = span_cut(line, ',', &field, &tail);
			fields[*count] = span_trim(field);
		}
		line = tail;
	}
	return OK;
}

bool
control_read_file(struct control_call *call, int fd, struct span *out)
{
	struct buf text;
	ssize_t n = 1;
	bool fits = true;

	if (fd < 0)
		return control_fail(
			call, RPC_INVALID, "no file came with the request", NULL, "file");
	buf_init(&text, TRANSFER_FILE_MAX);
	while (n > 0 && fits) {
		char *room = buf_reserve(&text, READ_STEP);

		fits = room != NULL;
		n = fits ? read(fd, room, READ_STEP) : 0;
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			buf_added(&text, (size_t)n);
	}
	*out = arena_copy(&call->arena, buf_span(&text));
	control_call_wipes(call, *out); /* it may hold passwords */
	buf_wipe(&text);
	if (!fits)
		return control_fail(call, RPC_TOO_LARGE, "the file is over 16 MiB", NULL, "file");
	return n == 0 || control_fail(call, RPC_INVALID, "the file cannot be read", NULL, "file");
}
