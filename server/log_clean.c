/*
 * log_clean.c - text of strangers without what could repaint, reorder or hide on a screen (H70).
 */
#include "server/log.h"

#include <unictype.h>

#include "proto/base/ascii.h"
#include "proto/base/buf.h"

#define MARK SPAN("?")
#define COMBINING_RUN_MAX 4

/* One code point of UTF-8 (RFC 3629) from the front of S; its length, or 0 where it is none. */
static size_t
take_code_point(struct span s, uint32_t *out)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)s.ptr[0];
	size_t len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t c = first;

	if (len == 0 || first > 0xf4 || s.len < len)
		return 0;
	if (len > 1)
		c = first & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		unsigned char next = (unsigned char)s.ptr[i];

		if ((next & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (next & 0x3f);
	}
	*out = c;
	return c < lowest[len] || c > 0x10ffff ? 0 : len;
}

/* Controls, formats (bidi, zero-width, tags), surrogates, private, unassigned, fillers. */
static bool
is_forbidden(uint32_t c)
{
	const uint32_t mask = UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Cs |
		UC_CATEGORY_MASK_Co | UC_CATEGORY_MASK_Cn | UC_CATEGORY_MASK_Zl |
		UC_CATEGORY_MASK_Zp;

	if (c < 0x7f)
		return c < 0x20;
	if (c == 0x34f || c == 0x115f || c == 0x1160 || c == 0x3164 || c == 0xffa0)
		return true;
	return uc_is_general_category_withtable(c, mask);
}

static bool
is_combining(uint32_t c)
{
	return c >= 0x300 &&
		uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Mn | UC_CATEGORY_MASK_Me);
}

static size_t
plain_run(struct span s)
{
	size_t n = 0;

	while (n < s.len && (unsigned char)s.ptr[n] >= 0x20 && (unsigned char)s.ptr[n] < 0x7f)
		n++;
	return n;
}

enum err
log_clean(struct buf *out, struct span text)
{
	unsigned combining = 0;

	while (text.len > 0) {
		size_t len = plain_run(text);
		uint32_t c = 0;
		struct span put;

		if (len > 0) {
			put = span_range(text, 0, len);
			combining = 0;
		} else {
			len = take_code_point(text, &c);
			put = len > 0 && !is_forbidden(c) ? span_range(text, 0, len) : MARK;
			len = len > 0 ? len : 1;
			combining = is_combining(c) ? combining + 1 : 0;
			if (combining > COMBINING_RUN_MAX)
				put = SPAN_NONE;
		}
		if (buf_put(out, put) != OK)
			return ERR_LIMIT;
		text = span_from(text, len);
	}
	return OK;
}

/* ---- secrets in protocol lines (H66) ---- */

static const struct secret {
	struct span verb;
	unsigned keep; /* words that may be shown, the verb counted */
} secrets[] = {
	{ SPAN("PASS"), 1 },
	{ SPAN("APOP"), 2 },
	{ SPAN("AUTH"), 2 },
	{ SPAN("AUTHENTICATE"), 2 },
	{ SPAN("LOGIN"), 1 },
	{ SPAN("XPASS"), 1 },
};

static size_t
word_end(struct span s, size_t from)
{
	while (from < s.len && ascii_is_blank(s.ptr[from]))
		from++;
	while (from < s.len && !ascii_is_blank(s.ptr[from]))
		from++;
	return from;
}

/* How many bytes of LINE may be shown if its verb starts at FROM; all where it has no secret. */
static size_t
shown_from(struct span line, size_t from)
{
	size_t end = word_end(line, from);
	struct span verb = span_trim(span_range(line, from, end));

	for (size_t i = 0; i < COUNT(secrets); i++) {
		if (!span_eq_nocase(verb, secrets[i].verb))
			continue;
		for (unsigned word = 1; word < secrets[i].keep; word++)
			end = word_end(line, end);
		return end;
	}
	return line.len;
}

struct span
log_mask(struct span line, bool *masked)
{
	size_t shown = shown_from(line, 0);

	if (shown == line.len) /* IMAP has its tag in front */
		shown = shown_from(line, word_end(line, 0));
	*masked = span_trim(span_from(line, shown)).len > 0;
	return *masked ? span_range(line, 0, shown) : line;
}
