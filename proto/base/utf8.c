/*
 * utf8.c - decoding strictly, and escaping what a terminal should not get.
 */
#include "proto/base/utf8.h"

#include <string.h>

#include "proto/base/ascii.h"

struct code_range {
	uint32_t first, last;
};

/* What must not be shown as it is (H70), by code; sorted. */
static const struct code_range unprintable[] = {
	{ 0x0000, 0x001f },     /* C0 */
	{ 0x007f, 0x009f },     /* DEL, C1 */
	{ 0x00ad, 0x00ad },     /* soft hyphen */
	{ 0x034f, 0x034f },     /* combining grapheme joiner */
	{ 0x0600, 0x0605 },     /* Arabic number signs, format */
	{ 0x061c, 0x061c },     /* Arabic letter mark */
	{ 0x06dd, 0x06dd },     /* format */
	{ 0x070f, 0x070f },     /* format */
	{ 0x115f, 0x1160 },     /* Hangul fillers */
	{ 0x17b4, 0x17b5 },     /* Khmer inherent vowels */
	{ 0x180b, 0x180f },     /* Mongolian selectors */
	{ 0x200b, 0x200f },     /* zero width, LRM, RLM */
	{ 0x2028, 0x202e },     /* separators, embeddings, overrides */
	{ 0x2060, 0x206f },     /* word joiner, isolates, deprecated format */
	{ 0x3164, 0x3164 },     /* Hangul filler */
	{ 0xd800, 0xf8ff },     /* surrogates, private use */
	{ 0xfdd0, 0xfdef },     /* non-characters */
	{ 0xfe00, 0xfe0f },     /* variation selectors */
	{ 0xfeff, 0xfeff },     /* byte order mark */
	{ 0xffa0, 0xffa0 },     /* halfwidth Hangul filler */
	{ 0xfff0, 0xfffc },     /* interlinear annotation, object replacement */
	{ 0xfffe, 0xffff },     /* non-characters */
	{ 0x1bca0, 0x1bca3 },   /* shorthand format */
	{ 0x1d173, 0x1d17a },   /* musical format */
	{ 0x1fffe, 0x1ffff },   /* non-characters */
	{ 0x2fffe, 0x2ffff },   /* non-characters */
	{ 0x323b0, 0x10ffff },  /* unassigned planes, tags, private use */
};

/* Combining marks that a crafted text can pile up. */
static const struct code_range marks[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x05bf, 0x05bf },
	{ 0x05c1, 0x05c2 }, { 0x05c4, 0x05c5 }, { 0x0610, 0x061a }, { 0x064b, 0x065f },
	{ 0x0670, 0x0670 }, { 0x06d6, 0x06dc }, { 0x06df, 0x06e4 }, { 0x06e7, 0x06e8 },
	{ 0x06ea, 0x06ed }, { 0x0730, 0x074a }, { 0x0816, 0x082d }, { 0x08d3, 0x08ff },
	{ 0x093c, 0x093c }, { 0x094d, 0x094d }, { 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a },
	{ 0x0e47, 0x0e4e }, { 0x0eb1, 0x0eb1 }, { 0x0eb4, 0x0ebc }, { 0x0f71, 0x0f84 },
	{ 0x135d, 0x135f }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20f0 },
	{ 0x2cef, 0x2cf1 }, { 0x302a, 0x302d }, { 0x3099, 0x309a }, { 0xa66f, 0xa67d },
	{ 0xfe20, 0xfe2f }, { 0x1d165, 0x1d169 }, { 0x1d16d, 0x1d172 },
};

static bool
in_ranges(const struct code_range *ranges, size_t count, uint32_t code)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (code > ranges[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && code >= ranges[low].first;
}

bool
utf8_is_printable(uint32_t code)
{
	return !in_ranges(unprintable, COUNT(unprintable), code);
}

bool
utf8_is_mark(uint32_t code)
{
	return in_ranges(marks, COUNT(marks), code);
}

/* By the lead byte: how many follow, the bits it brings, the smallest code of that length. */
static size_t
lead(unsigned char byte, uint32_t *code, uint32_t *least)
{
	static const uint32_t smallest[] = { 0, 0x80, 0x800, 0x10000 };
	size_t following = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;

	*code = byte & (0x3fu >> following);
	*least = smallest[following];
	return following;
}

bool
utf8_next(struct span *rest, uint32_t *code)
{
	unsigned char first = (unsigned char)rest->ptr[0];
	uint32_t value = first, least = 0;
	size_t following = 0, at = 1;

	if (first >= 0xc2 && first <= 0xf4)
		following = lead(first, &value, &least);
	else if (first >= 0x80)
		goto invalid;
	if (following >= rest->len)
		goto invalid;
	for (; at <= following; at++) {
		unsigned char byte = (unsigned char)rest->ptr[at];

		if ((byte & 0xc0) != 0x80)
			goto invalid;
		value = value << 6 | (byte & 0x3f);
	}
	if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		goto invalid;
	*code = value;
	*rest = span_from(*rest, at);
	return true;

invalid:
	*code = UTF8_REPLACEMENT;
	*rest = span_from(*rest, 1);
	return false;
}

/* Step over the ASCII at the front, eight bytes at a time. */
static struct span
skip_ascii(struct span s)
{
	uint64_t word;

	while (s.len >= 8) {
		memcpy(&word, s.ptr, 8);
		if (word & 0x8080808080808080)
			break;
		s = (struct span){ s.ptr + 8, s.len - 8 };
	}
	while (s.len > 0 && !ascii_is_8bit(s.ptr[0]))
		s = (struct span){ s.ptr + 1, s.len - 1 };
	return s;
}

bool
utf8_is_valid(struct span s)
{
	uint32_t code;

	for (s = skip_ascii(s); s.len > 0; s = skip_ascii(s))
		if (!utf8_next(&s, &code))
			return false;
	return true;
}

enum err
utf8_put(struct buf *out, uint32_t code)
{
	char bytes[4];
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return ERR_SYNTAX;
	for (size_t i = len; i-- > 1; code >>= 6)
		bytes[i] = (char)(0x80 | (code & 0x3f));
	bytes[0] = (char)(leads[len] | code);
	return buf_put(out, (struct span){ bytes, len });
}

/* "\x9B" of a byte, "\u{202E}" of a code. */
static enum err
put_number(struct buf *out, uint32_t number, bool byte)
{
	static const char digits[] = "0123456789ABCDEF";
	char text[sizeof("\\u{10FFFF}")];
	size_t at = sizeof(text), count = 0;

	if (!byte)
		text[--at] = '}';
	for (; number > 0 || (byte && count < 2); number >>= 4, count++)
		text[--at] = digits[number & 15];
	if (!byte)
		text[--at] = '{';
	text[--at] = byte ? 'x' : 'u';
	text[--at] = '\\';
	return buf_put(out, (struct span){ text + at, sizeof(text) - at });
}

static enum err
put_escape(struct buf *out, uint32_t code)
{
	switch (code) {
	case '\\':
		return buf_put(out, SPAN("\\\\"));
	case '\n':
		return buf_put(out, SPAN("\\n"));
	case '\r':
		return buf_put(out, SPAN("\\r"));
	case '\t':
		return buf_put(out, SPAN("\\t"));
	default:
		return put_number(out, code, code < 0x80);
	}
}

/* Bytes at the front that need nothing done to them. */
static size_t
plain_length(struct span s)
{
	size_t i = 0;

	while (i < s.len && s.ptr[i] >= 0x20 && s.ptr[i] < 0x7f && s.ptr[i] != '\\')
		i++;
	return i;
}

static enum err
put_one_printable(struct buf *out, struct span *rest, unsigned *marks_in_row)
{
	struct span before = *rest;
	uint32_t code;

	if (!utf8_next(rest, &code)) {
		*marks_in_row = 0;
		return put_number(out, (unsigned char)before.ptr[0], true);
	}
	*marks_in_row = utf8_is_mark(code) ? *marks_in_row + 1 : 0;
	if (*marks_in_row > UTF8_MARKS_MAX)
		return OK;
	if (code == '\\' || !utf8_is_printable(code))
		return put_escape(out, code);
	return buf_put(out, span_range(before, 0, before.len - rest->len));
}

enum err
utf8_put_printable(struct buf *out, struct span text)
{
	unsigned marks_in_row = 0;

	while (text.len > 0) {
		size_t plain = plain_length(text);
		enum err err;

		if (plain > 0) {
			err = buf_put(out, span_range(text, 0, plain));
			text = span_from(text, plain);
			marks_in_row = 0;
		} else {
			err = put_one_printable(out, &text, &marks_in_row);
		}
		if (err != OK)
			return err;
	}
	return OK;
}
