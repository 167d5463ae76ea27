/*
 * header_encode.c - text of people as a header field: encoded words where ASCII cannot say it.
 */
#include "proto/base/base64.h"
#include "proto/base/utf8.h"
#include "proto/mail/header.h"

#define WORD_BYTES_MAX 39 /* of text in one word: 52 of base64; a line stays under 76 (RFC 2047, 2) */
#define WORD_SIZE_MAX 70  /* of "=?utf-8?B?...?=" and the fold before the next */

/* Can VALUE stand as it is? "=?" would be read as an encoded word. */
static bool
is_plain(struct span name, struct span value)
{
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.ptr[i] >= 0x80)
			return false;
	return span_find_span(value, SPAN("=?")) == value.len &&
		name.len + 2 + value.len <= HEADER_LINE_MAX;
}

/* The bytes of whole code points that fit into one word. */
static size_t
word_length(struct span value)
{
	struct span rest = value;
	size_t len = 0;
	uint32_t code;

	while (rest.len > 0) {
		(void)utf8_next(&rest, &code);
		if (value.len - rest.len > WORD_BYTES_MAX)
			break;
		len = value.len - rest.len;
	}
	return len;
}

static enum err
put_words(struct buf *out, struct span value)
{
	while (value.len > 0) {
		size_t len = word_length(value);

		if (buf_put(out, SPAN("=?utf-8?B?")) != OK ||
			base64_put(out, span_range(value, 0, len)) != OK ||
			buf_put(out, len < value.len ? SPAN("?=\r\n ") : SPAN("?=\r\n")) != OK)
			return ERR_LIMIT;
		value = span_from(value, len);
	}
	return OK;
}

enum err
header_put_text(struct buf *out, struct span name, struct span value)
{
	size_t words = value.len / (WORD_BYTES_MAX - 3) + 1; /* a code point may be pushed on */

	if (is_plain(name, value))
		return header_put(out, name, value);
	if (span_has_control(value, SPAN("\t")) || !utf8_is_valid(value))
		return ERR_SYNTAX;
	if (!buf_reserve(out, name.len + 4 + words * WORD_SIZE_MAX) || /* whole or not at all */
		buf_put(out, name) != OK || buf_put(out, SPAN(": ")) != OK)
		return ERR_LIMIT;
	return put_words(out, value);
}
