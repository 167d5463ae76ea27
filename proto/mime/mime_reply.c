/*
 * mime_reply.c - a string of the wire out of a value of a header.
 */
#include "proto/mime/mime_reply.h"

#include "proto/base/utf8.h"
#include "proto/mime/mime_charset.h"

void
mime_put_lit(struct buf *out, const char *text)
{
	(void)!buf_put(out, span_of(text));
}

static bool
is_quotable(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if ((c < 0x20 && c != '\t') || c >= 0x7f)
			return false;
	}
	return true;
}

static void
put_quoted(struct buf *out, struct span text)
{
	(void)!buf_put_char(out, '"');
	while (text.len > 0) {
		size_t len = span_find_any(text, SPAN("\"\\"));

		(void)!buf_put(out, span_range(text, 0, len));
		if (len < text.len) {
			(void)!buf_put_char(out, '\\');
			(void)!buf_put_char(out, text.ptr[len]);
			len++;
		}
		text = span_from(text, len);
	}
	(void)!buf_put_char(out, '"');
}

/* TEXT in UTF-8, without CR, LF and NUL. */
static void
put_clean(struct buf *out, struct span text)
{
	bool is_utf8 = utf8_is_valid(text);

	while (text.len > 0) {
		size_t len = span_find_any(text, (struct span){ "\r\n\0", 3 });
		struct span piece = span_range(text, 0, len);

		if (is_utf8)
			(void)!buf_put(out, piece);
		else
			mime_put_windows_1252(out, piece);
		text = span_from(text, len + 1);
	}
}

static void
put_string(struct buf *out, struct span text)
{
	struct buf clean;
	struct span cleaned;

	if (is_quotable(text)) {
		put_quoted(out, text);
		return;
	}
	buf_init(&clean, 3 * MIME_STRING_MAX);
	put_clean(&clean, text);
	cleaned = buf_span(&clean);
	if (is_quotable(cleaned)) {
		put_quoted(out, cleaned);
	} else {
		(void)!buf_printf(out, "{%zu}\r\n", cleaned.len);
		(void)!buf_put(out, cleaned);
	}
	buf_fini(&clean);
}

void
mime_put_nstring(struct buf *out, struct span text)
{
	if (!text.ptr)
		mime_put_lit(out, "NIL");
	else
		put_string(out, span_range(text, 0, MIME_STRING_MAX));
}
