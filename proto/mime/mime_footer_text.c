/*
 * mime_footer_text.c - the forms of a text for the foot of messages.
 */
#include "proto/mime/mime_footer.h"

#include "proto/base/ascii.h"
#include "proto/base/utf8.h"
#include "proto/mime/html_text.h"

#define GROWS 12 /* times: "&#1114111;" for a byte and "<br>\r\n" for a line end are the longest */

static struct span
keep(struct arena *a, struct buf *out)
{
	struct span kept = arena_copy(a, buf_span(out));

	buf_fini(out);
	return kept;
}

struct span
mime_footer_lines(struct arena *a, struct span text)
{
	struct buf out;

	buf_init(&out, text.len * GROWS + 4);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '\n')
			(void)!buf_put(&out, SPAN("\r\n"));
		else if (c == '\t' || ascii_is_8bit(c) || (c >= ' ' && c <= '~'))
			(void)!buf_put_char(&out, c);
	}
	if (buf_span(&out).len > 0 && !span_ends_nocase(buf_span(&out), SPAN("\r\n")))
		(void)!buf_put(&out, SPAN("\r\n"));
	return keep(a, &out);
}

static struct span
entity_of(char c)
{
	switch (c) {
	case '&':
		return SPAN("&amp;");
	case '<':
		return SPAN("&lt;");
	case '>':
		return SPAN("&gt;");
	case '"':
		return SPAN("&quot;");
	default:
		return SPAN_NONE;
	}
}

struct span
mime_footer_escape(struct arena *a, struct span text)
{
	struct buf out;

	buf_init(&out, text.len * GROWS + 1);
	for (size_t i = 0; i < text.len; i++) {
		struct span entity = entity_of(text.ptr[i]);

		if (entity.len > 0)
			(void)!buf_put(&out, entity);
		else
			(void)!buf_put_char(&out, text.ptr[i]);
	}
	return keep(a, &out);
}

struct span
mime_footer_html_of(struct arena *a, struct span plain)
{
	struct span text = mime_footer_escape(a, plain), line;
	struct buf out;

	buf_init(&out, text.len * GROWS + 16);
	while (text.len > 0) {
		(void)span_cut(text, '\n', &line, &text);
		if (span_ends_nocase(line, SPAN("\r")))
			line.len--;
		(void)!buf_put(&out, line);
		(void)!buf_put(&out, SPAN("<br>\r\n"));
	}
	return keep(a, &out);
}

struct span
mime_footer_plain_of(struct arena *a, struct span html)
{
	struct buf out;

	buf_init(&out, html.len * GROWS + 16);
	(void)!html_text_put(&out, html);
	return mime_footer_lines(a, keep(a, &out));
}

struct span
mime_footer_numbers(struct arena *a, struct span html)
{
	struct buf out;

	buf_init(&out, html.len * GROWS + 1);
	while (html.len > 0) {
		uint32_t code;

		(void)utf8_next(&html, &code);
		if (code < 0x80)
			(void)!buf_put_char(&out, (char)code);
		else
			(void)!buf_printf(&out, "&#%u;", (unsigned)code);
	}
	return keep(a, &out);
}
