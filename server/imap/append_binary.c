/*
 * append_binary.c - the header decides, the body follows in lines of 57 bytes.
 */
#include "server/imap/append_binary.h"

#include <string.h>

#include "proto/base/base64.h"

#define OUT_MAX (4u << 20) /* of one read of the stream, encoded */

static const struct span encoding = { "Content-Transfer-Encoding", 25 };

void
append_binary_init(struct append_binary *b, uint64_t size, size_t header_max)
{
	*b = (struct append_binary){ .left = size };
	buf_init(&b->header, header_max);
	buf_init(&b->out, OUT_MAX + header_max);
}

/* Is it one part, and that binary? */
static bool
is_binary_part(struct span header)
{
	struct header_field field;
	bool binary = false, parts = false;

	while (header_next(&header, &field)) {
		if (span_eq_nocase(field.name, encoding))
			binary = span_eq_nocase(span_trim_folds(field.value), SPAN("binary"));
		else if (span_eq_nocase(field.name, SPAN("Content-Type")))
			parts = span_starts_nocase(field.value, SPAN("multipart/")) ||
				span_starts_nocase(field.value, SPAN("message/"));
	}
	return binary && !parts;
}

static enum err
put_header(struct append_binary *b)
{
	struct span header = buf_span(&b->header), rest = header;
	struct header_field field;
	enum err err = OK;

	b->encodes = is_binary_part(header);
	if (!b->encodes)
		return buf_put(&b->out, header);
	while (err == OK && header_next(&rest, &field))
		err = span_eq_nocase(field.name, encoding)
			? buf_put(&b->out, SPAN("Content-Transfer-Encoding: base64\r\n"))
			: buf_put(&b->out, field.raw);
	return err == OK ? buf_put(&b->out, SPAN("\r\n")) : err;
}

static enum err
put_line(struct append_binary *b)
{
	struct span line = { b->line, b->line_len };
	enum err err = base64_put(&b->out, line);

	b->line_len = 0;
	return err == OK ? buf_put(&b->out, SPAN("\r\n")) : err;
}

static enum err
put_body(struct append_binary *b, struct span text)
{
	enum err err = OK;

	if (!b->encodes)
		return buf_put(&b->out, text);
	while (text.len > 0 && err == OK) {
		size_t room = sizeof(b->line) - b->line_len;
		size_t take = text.len < room ? text.len : room;

		memcpy(b->line + b->line_len, text.ptr, take);
		b->line_len += take;
		text = span_from(text, take);
		if (b->line_len == sizeof(b->line))
			err = put_line(b);
	}
	return err == OK && b->left == 0 && b->line_len > 0 ? put_line(b) : err;
}

enum err
append_binary_put(struct append_binary *b, struct span text)
{
	bool had_header = b->end.found;
	size_t head = had_header ? 0 : header_end_find(&b->end, text);
	struct span body = span_from(text, head);
	enum err err = OK;

	buf_clear(&b->out);
	b->left -= text.len;
	if (head > 0)
		err = buf_put(&b->header, span_range(text, 0, head));
	if (err == OK && !had_header && (b->end.found || b->left == 0))
		err = put_header(b);
	if (err == OK && b->end.found)
		err = put_body(b, body);
	if (b->encodes)
		text = span_range(text, 0, head);
	b->has_nul |= span_find(text, '\0') < text.len;
	return err;
}

void
append_binary_fini(struct append_binary *b)
{
	buf_fini(&b->header);
	buf_fini(&b->out);
}
