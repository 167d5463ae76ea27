/*
 * mime_charset.c - the table of charsets, and iconv behind it.
 */
#include "proto/mime/mime_charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "proto/base/ascii.h"
#include "proto/base/utf8.h"

#define STEP_ROOM 1024 /* bytes of UTF-8 that one call of iconv makes */

/* The numbers lie in records: new rows at the end. The first name is iconv's. */
static const char *const charsets[][6] = {
	[MIME_CHARSET_NONE] = { "" },
	[MIME_CHARSET_ASCII] = { "us-ascii", "ascii", "ansi_x3.4-1968", "iso646-us", "646" },
	[MIME_CHARSET_UTF8] = { "utf-8", "utf8", "unicode-1-1-utf-8" },
	[MIME_CHARSET_LATIN1] = { "iso-8859-1", "iso8859-1", "latin1", "iso_8859-1", "l1" },
	[MIME_CHARSET_WINDOWS_1252] = { "windows-1252", "cp1252", "x-cp1252", "cp-1252" },
	{ "iso-8859-2", "iso8859-2", "latin2", "iso_8859-2" },
	{ "iso-8859-3", "iso8859-3", "iso_8859-3" },
	{ "iso-8859-4", "iso8859-4", "iso_8859-4" },
	{ "iso-8859-5", "iso8859-5", "iso_8859-5" },
	{ "iso-8859-6", "iso8859-6", "iso_8859-6", "iso-8859-6-i" },
	{ "iso-8859-7", "iso8859-7", "iso_8859-7" },
	{ "iso-8859-8", "iso8859-8", "iso_8859-8", "iso-8859-8-i" },
	{ "iso-8859-9", "iso8859-9", "iso_8859-9", "latin5" },
	{ "iso-8859-10", "iso8859-10", "iso_8859-10" },
	{ "iso-8859-13", "iso8859-13", "iso_8859-13" },
	{ "iso-8859-14", "iso8859-14", "iso_8859-14" },
	{ "iso-8859-15", "iso8859-15", "iso_8859-15", "latin-9", "latin9" },
	{ "iso-8859-16", "iso8859-16", "iso_8859-16" },
	{ "windows-1250", "cp1250", "x-cp1250" },
	{ "windows-1251", "cp1251", "x-cp1251" },
	{ "windows-1253", "cp1253" },
	{ "windows-1254", "cp1254" },
	{ "windows-1255", "cp1255" },
	{ "windows-1256", "cp1256" },
	{ "windows-1257", "cp1257" },
	{ "windows-1258", "cp1258" },
	{ "windows-874", "cp874", "tis-620", "iso-8859-11" },
	{ "koi8-r", "koi8", "cskoi8r" },
	{ "koi8-u" },
	{ "ibm850", "cp850", "850" },
	{ "ibm437", "cp437", "437" },
	{ "ibm852", "cp852", "852" },
	{ "ibm866", "cp866", "866" },
	{ "macintosh", "mac", "x-mac-roman" },
	{ "gb18030", "gb2312", "gbk", "cp936", "x-gbk", "euc-cn" }, /* each holds the next */
	{ "big5-hkscs", "big5", "cn-big5", "x-x-big5", "big5hkscs" },
	{ "euc-tw" },
	{ "iso-2022-jp", "csiso2022jp" },
	{ "cp932", "shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j" },
	{ "euc-jp", "x-euc-jp", "eucjp" },
	{ "iso-2022-kr" },
	{ "uhc", "ks_c_5601-1987", "euc-kr", "cp949", "ks_c_5601", "korean" },
	{ "utf-16", "ucs-2", "iso-10646-ucs-2" },
	{ "utf-16le" },
	{ "utf-16be" },
	{ "utf-32" },
	{ "utf-7", "unicode-1-1-utf-7" },
};

/* 0x80 to 0x9f; 0: not one of its characters. */
static const uint16_t windows_1252[32] = { 0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020,
	0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0, 0, 0x2018, 0x2019, 0x201c,
	0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178 };

unsigned
mime_charset_find(struct span name)
{
	if (name.len == 0)
		return MIME_CHARSET_NONE;
	for (unsigned i = 1; i < COUNT(charsets); i++)
		for (size_t k = 0; k < COUNT(charsets[i]) && charsets[i][k]; k++)
			if (span_eq_nocase(name, span_of(charsets[i][k])))
				return i;
	return MIME_CHARSET_NONE;
}

struct span
mime_charset_name(unsigned number)
{
	return number < COUNT(charsets) ? span_of(charsets[number][0]) : SPAN_NONE;
}

/* ---- those of our own ---- */

static void
put_windows_byte(struct buf *out, unsigned char c)
{
	uint32_t code = c;

	if (c >= 0x80 && c <= 0x9f)
		code = windows_1252[c - 0x80] ? windows_1252[c - 0x80] : UTF8_REPLACEMENT;
	(void)!utf8_put(out, code);
}

static size_t
ascii_run(struct span text)
{
	size_t i = 0;

	while (i < text.len && !ascii_is_8bit(text.ptr[i]))
		i++;
	return i;
}

void
mime_put_windows_1252(struct buf *out, struct span text)
{
	while (text.len > 0) {
		size_t run = ascii_run(text);
		uint32_t code;

		(void)!buf_put(out, span_range(text, 0, run));
		text = span_from(text, run);
		if (text.len == 0)
			return;
		unsigned char c = (unsigned char)text.ptr[0];

		if (utf8_next(&text, &code))
			(void)!utf8_put(out, code);
		else
			put_windows_byte(out, c);
	}
}

static void
put_latin1(struct buf *out, struct span text)
{
	while (text.len > 0) {
		size_t run = ascii_run(text);

		(void)!buf_put(out, span_range(text, 0, run));
		if (run < text.len)
			put_windows_byte(out, (unsigned char)text.ptr[run]);
		text = span_from(text, run + 1);
	}
}

/* Bytes at the end of TEXT that may be the beginning of a character. */
static size_t
cut_utf8(struct span text)
{
	for (size_t back = 1; back <= 3 && back <= text.len; back++) {
		unsigned char c = (unsigned char)text.ptr[text.len - back];

		if (c >= 0xc0)
			return (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : 2u) > back ? back : 0;
		if (c < 0x80)
			return 0;
	}
	return 0;
}

static void
hold(struct mime_charset *c, struct span rest)
{
	ENSURE(rest.len <= sizeof(c->held));
	memcpy(c->held, rest.ptr, rest.len);
	c->held_len = rest.len;
}

static size_t
utf8_length(char first)
{
	unsigned char c = (unsigned char)first;

	return c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
}

static void
put_held(struct mime_charset *c, struct buf *out)
{
	mime_put_windows_1252(out, (struct span){ c->held, c->held_len });
	c->held_len = 0;
}

static void
put_utf8(struct mime_charset *c, struct span text, struct buf *out)
{
	size_t cut;

	while (c->held_len > 0 && text.len > 0) {
		if (c->held_len < utf8_length(c->held[0]) && (text.ptr[0] & 0xc0) == 0x80) {
			c->held[c->held_len++] = text.ptr[0];
			text = span_from(text, 1);
		} else {
			put_held(c, out);
		}
	}
	if (text.len == 0)
		return;
	cut = cut_utf8(text);
	mime_put_windows_1252(out, span_range(text, 0, text.len - cut));
	hold(c, span_from(text, text.len - cut));
}

/* ---- iconv ---- */

/* Bytes of the least character: what an error skips. */
static size_t
unit_of(const struct mime_charset *c)
{
	struct span name = mime_charset_name(c->number);

	return span_starts(name, SPAN("utf-16")) ? 2 : span_starts(name, SPAN("utf-32")) ? 4 : 1;
}

/* One call: as much of *text as is whole. False: the rest is half a character. */
static bool
convert(struct mime_charset *c, struct span *text, struct buf *out)
{
	char room[STEP_ROOM], *to = room, *from = (char *)text->ptr; /* iconv writes nothing there */
	size_t left = text->len, free = sizeof(room), done;
	int why = iconv(c->iconv, &from, &left, &to, &free) == (size_t)-1 ? errno : 0;

	(void)!buf_put(out, (struct span){ room, (size_t)(to - room) });
	done = text->len - left;
	if (why == EILSEQ) {
		(void)!utf8_put(out, UTF8_REPLACEMENT);
		done += unit_of(c) < left ? unit_of(c) : left;
	} else if (why == EINVAL && left > sizeof(c->held)) {
		done += 1; /* no charset needs as much */
		why = 0;
	}
	*text = span_from(*text, done);
	return why != EINVAL;
}

static void
put_iconv(struct mime_charset *c, struct span text, struct buf *out)
{
	while (c->held_len > 0 && text.len > 0) {
		char both[2 * MIME_CHARSET_HELD];
		size_t was = c->held_len, take = text.len < MIME_CHARSET_HELD ? text.len
									      : MIME_CHARSET_HELD;
		struct span all = { both, was + take };
		bool whole = true;

		memcpy(both, c->held, was);
		memcpy(both + was, text.ptr, take);
		while (whole && all.len > take)
			whole = convert(c, &all, out);
		if (!whole && all.len >= take && take == text.len) {
			hold(c, span_range(all, 0, sizeof(c->held)));
			return;
		}
		c->held_len = 0; /* ALL is an end of what was taken: go on there */
		text = span_from(text, all.len < take ? take - all.len : 0);
	}
	while (text.len > 0) {
		if (convert(c, &text, out))
			continue;
		hold(c, text);
		return;
	}
}

enum err
mime_charset_open(struct mime_charset *c, unsigned number)
{
	iconv_t opened;

	*c = (struct mime_charset){ .number = number };
	if (number <= MIME_CHARSET_WINDOWS_1252)
		return OK;
	if (number >= COUNT(charsets))
		return ERR_NOT_FOUND;
	opened = iconv_open("utf-8", charsets[number][0]);
	if (opened == (iconv_t)-1)
		return ERR_NOT_FOUND;
	c->iconv = opened;
	return OK;
}

enum err
mime_charset_put(struct mime_charset *c, struct span text, struct buf *out)
{
	if (text.len == 0)
		return OK;
	if (c->iconv)
		put_iconv(c, text, out);
	else if (c->number == MIME_CHARSET_LATIN1 || c->number == MIME_CHARSET_WINDOWS_1252)
		put_latin1(out, text);
	else
		put_utf8(c, text, out);
	return out->overflow ? ERR_LIMIT : OK;
}

enum err
mime_charset_end(struct mime_charset *c, struct buf *out)
{
	if (c->iconv && c->held_len > 0)
		(void)!utf8_put(out, UTF8_REPLACEMENT);
	else if (c->held_len > 0)
		put_held(c, out);
	mime_charset_close(c);
	return out->overflow ? ERR_LIMIT : OK;
}

void
mime_charset_close(struct mime_charset *c)
{
	if (c->iconv)
		(void)iconv_close(c->iconv);
	c->iconv = NULL;
	c->held_len = 0;
}
