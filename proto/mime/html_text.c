/*
 * html_text.c - tags out, text in lines.
 */
#include "proto/mime/html_text.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/base/hex.h"
#include "proto/base/utf8.h"

#define ENTITY_MAX 12 /* bytes of "&#x10ffff;" and of the names below */

struct writer {
	struct buf *out;
	bool begun;       /* something has been put */
	bool blank;       /* is due before the next word */
	unsigned newline; /* line ends that are due before it */
};

static void
put_char(struct writer *w, uint32_t code)
{
	if (w->begun)
		for (unsigned i = 0; i < w->newline; i++)
			(void)!buf_put_char(w->out, '\n');
	if (w->begun && w->blank && w->newline == 0)
		(void)!buf_put_char(w->out, ' ');
	w->blank = false;
	w->newline = 0;
	w->begun = true;
	(void)!utf8_put(w->out, code);
}

static void
end_line(struct writer *w, unsigned lines)
{
	if (w->newline < lines)
		w->newline = lines;
}

/* The character of the entity at the front of S, and its length; 0: none that we know. */
static size_t
take_entity(struct span s, uint32_t *code)
{
	static const struct {
		const char *name;
		uint32_t code;
	} names[] = {
		{ "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' },
		{ "&apos;", '\'' }, { "&nbsp;", ' ' }, { "&auml;", 0xe4 }, { "&ouml;", 0xf6 },
		{ "&uuml;", 0xfc }, { "&Auml;", 0xc4 }, { "&Ouml;", 0xd6 }, { "&Uuml;", 0xdc },
		{ "&szlig;", 0xdf }, { "&euro;", 0x20ac }, { "&ndash;", 0x2013 },
		{ "&mdash;", 0x2014 }, { "&hellip;", 0x2026 }, { "&bull;", 0x2022 },
		{ "&rsquo;", 0x2019 }, { "&lsquo;", 0x2018 }, { "&rdquo;", 0x201d },
		{ "&ldquo;", 0x201c }, { "&copy;", 0xa9 }, { "&eacute;", 0xe9 },
	};
	size_t end = span_find(span_range(s, 0, ENTITY_MAX), ';');
	bool hex = s.len > 2 && ascii_lower(s.ptr[2]) == 'x';
	uint32_t value = 0;

	for (size_t i = 0; i < COUNT(names) && s.len > 1 && ascii_is_alpha(s.ptr[1]); i++)
		if (names[i].name[1] == s.ptr[1] && span_starts(s, span_of(names[i].name))) {
			*code = names[i].code;
			return strlen(names[i].name);
		}
	if (!span_starts(s, SPAN("&#")) || end >= ENTITY_MAX || end >= s.len || end < (hex ? 4u : 3u))
		return 0;
	for (size_t i = hex ? 3 : 2; i < end; i++) {
		int digit = hex_digit(s.ptr[i]);

		if (digit < 0 || (!hex && digit > 9))
			return 0;
		value = value * (hex ? 16 : 10) + (uint32_t)digit;
	}
	*code = value <= 0x10ffff && utf8_is_printable(value) ? value : UTF8_REPLACEMENT;
	return end + 1;
}

static bool
is_tag(struct span tag, const char *name)
{
	struct span want = span_of(name);

	return span_starts_nocase(tag, want) &&
		(tag.len == want.len || !ascii_is_alnum(tag.ptr[want.len]));
}

/* Behind the whole of an element whose inside is no text: NAME, as "</script". */
static struct span
skip_element(struct span rest, const char *name)
{
	struct span end = span_of(name);
	size_t at = 0;

	while (at < rest.len) {
		at += span_find(span_from(rest, at), '<');
		if (span_starts_nocase(span_from(rest, at), end))
			break;
		at++;
	}
	return span_from(rest, at < rest.len ? at : rest.len);
}

/* Behind the tag at the front of S. */
static struct span
take_tag(struct writer *w, struct span s)
{
	static const char *const blocks[] = { "p", "div", "table", "ul", "ol", "h1", "h2", "h3",
		"h4", "blockquote", "pre", "hr", "title" };
	static const char *const lines[] = { "br", "tr", "li", "dt", "dd" };
	struct span tag = span_from(s, 1);
	size_t end;

	if (span_starts(s, SPAN("<!--"))) {
		end = span_find_span(s, SPAN("-->"));
		return span_from(s, end + 3 < s.len ? end + 3 : s.len);
	}
	end = span_find(s, '>');
	if (span_starts(tag, SPAN("/")))
		tag = span_from(tag, 1);
	for (size_t i = 0; i < COUNT(blocks); i++)
		if (is_tag(tag, blocks[i]))
			end_line(w, 2);
	for (size_t i = 0; i < COUNT(lines); i++)
		if (is_tag(tag, lines[i]))
			end_line(w, 1);
	if (is_tag(tag, "td") || is_tag(tag, "th"))
		w->blank = true;
	s = span_from(s, end + 1);
	if (tag.ptr[-1] == '<' && is_tag(tag, "script"))
		return skip_element(s, "</script");
	if (tag.ptr[-1] == '<' && is_tag(tag, "style"))
		return skip_element(s, "</style");
	return s;
}

/* '<' begins a tag only where a name, '/' or '!' follows. */
static bool
is_tag_begin(struct span s)
{
	return s.len > 1 && s.ptr[0] == '<' &&
		(ascii_is_alpha(s.ptr[1]) || s.ptr[1] == '/' || s.ptr[1] == '!' || s.ptr[1] == '?');
}

enum err
html_text_put(struct buf *out, struct span html)
{
	struct writer w = { .out = out };

	while (html.len > 0 && !out->overflow) {
		char c = html.ptr[0];
		uint32_t code;
		size_t len;

		if (is_tag_begin(html)) {
			html = take_tag(&w, html);
			continue;
		}
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			w.blank = true;
			html = span_from(html, 1);
			continue;
		}
		len = c == '&' ? take_entity(html, &code) : 0;
		if (len > 0)
			html = span_from(html, len);
		else
			(void)utf8_next(&html, &code);
		if (code == ' ')
			w.blank = true;
		else
			put_char(&w, code);
	}
	if (w.begun)
		(void)!buf_put_char(out, '\n');
	return out->overflow ? ERR_LIMIT : OK;
}
