/*
 * mime_decoder.c - base64 and quoted-printable as they come.
 */
#include "proto/mime/mime_decoder.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/base/hex.h"

#define NONE 0x40 /* not of the alphabet */

void
mime_decoder_init(struct mime_decoder *d, enum mime_encoding encoding)
{
	*d = (struct mime_decoder){ .encoding = encoding };
}

/* ---- base64 ---- */

#define N8 NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE
#define N32 N8, N8, N8, N8
static const uint8_t values[256] = {
	N32, N8, NONE, NONE, NONE, 62, NONE, NONE, NONE, 63,                            /* + / */
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NONE, NONE, NONE, NONE, NONE, NONE,     /* 0-9 */
	NONE, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, /* A-Z */
	21, 22, 23, 24, 25, NONE, NONE, NONE, NONE, NONE,
	NONE, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46,
	47, 48, 49, 50, 51, NONE, NONE, NONE, NONE, NONE,                               /* a-z */
	N32, N32, N32, N32,
};

/* One byte of text; bytes made to TO. */
static size_t
take_base64(struct mime_decoder *d, unsigned char c, char *to)
{
	if (c == '=') { /* the end of a text; another may follow */
		d->bit_count = 0;
		return 0;
	}
	if (values[c] == NONE)
		return 0;
	d->bits = d->bits << 6 | values[c];
	d->bit_count += 6;
	if (d->bit_count < 8)
		return 0;
	d->bit_count -= 8;
	*to = (char)(d->bits >> d->bit_count);
	return 1;
}

/* Whole groups at a time where a group begins and is clean. */
static size_t
take_groups(const unsigned char *from, size_t len, char *to, size_t *made)
{
	size_t i = 0, n = 0;

	for (; i + 4 <= len; i += 4) {
		uint32_t a = values[from[i]], b = values[from[i + 1]], c = values[from[i + 2]],
			 e = values[from[i + 3]], all = a << 18 | b << 12 | c << 6 | e;

		if ((a | b | c | e) & NONE)
			break;
		to[n++] = (char)(all >> 16);
		to[n++] = (char)(all >> 8);
		to[n++] = (char)all;
	}
	*made = n;
	return i;
}

static enum err
put_base64(struct mime_decoder *d, struct span in, struct buf *out)
{
	const unsigned char *from = (const unsigned char *)in.ptr;
	char *to = buf_reserve(out, in.len);
	size_t made = 0, n;

	if (!to)
		return ERR_LIMIT;
	for (size_t i = 0; i < in.len;) {
		if (d->bit_count == 0) {
			i += take_groups(from + i, in.len - i, to + made, &n);
			made += n;
		}
		if (i < in.len)
			made += take_base64(d, from[i++], to + made);
	}
	buf_added(out, made);
	return OK;
}

/* ---- quoted-printable ---- */

static void
put_held(struct mime_decoder *d, struct buf *out)
{
	(void)!buf_put(out, (struct span){ d->held, d->held_len });
	d->held_len = 0;
	d->after_equals = false;
}

/* Two digits after '=': held. */
static void
put_digits(struct mime_decoder *d, struct buf *out)
{
	if (hex_decode((struct span){ d->held + 1, 2 }, out) == OK)
		d->held_len = 0;
	put_held(d, out);
}

/* After '=': two digits, or blanks and the end of a line. False: C means nothing here, look at it anew. */
static bool
take_escape(struct mime_decoder *d, char c, struct buf *out)
{
	bool has_digit = d->held_len > 1 && ascii_is_alnum(d->held[1]);
	bool may_end = ascii_is_blank(c) || c == '\r';

	if (c == '\n' && !has_digit) { /* a soft line end */
		d->held_len = 0;
		d->after_equals = false;
		return true;
	}
	if (d->held_len == MIME_DECODER_HELD ||
		!(has_digit ? ascii_is_alnum(c)
			    : may_end || (d->held_len == 1 && ascii_is_alnum(c)))) {
		put_held(d, out);
		return false;
	}
	d->held[d->held_len++] = c;
	if (has_digit)
		put_digits(d, out);
	return true;
}

static void
take_printable(struct mime_decoder *d, char c, struct buf *out)
{
	if (d->after_equals && take_escape(d, c, out))
		return;
	if (ascii_is_blank(c)) {
		if (d->held_len == MIME_DECODER_HELD)
			put_held(d, out);
		d->held[d->held_len++] = c;
		return;
	}
	if (c == '\r' || c == '\n')
		d->held_len = 0;
	put_held(d, out);
	if (c == '=') {
		d->held[d->held_len++] = c;
		d->after_equals = true;
	} else {
		(void)!buf_put_char(out, c);
	}
}

/* Bytes that mean themselves whatever follows. */
static size_t
plain_run(struct span in)
{
	size_t i = 0;

	while (i < in.len && in.ptr[i] != '=' && !ascii_is_blank(in.ptr[i]))
		i++;
	return i;
}

static enum err
put_printable(struct mime_decoder *d, struct span in, struct buf *out)
{
	while (in.len > 0) {
		size_t run = d->held_len == 0 ? plain_run(in) : 0;

		(void)!buf_put(out, span_range(in, 0, run));
		if (run < in.len)
			take_printable(d, in.ptr[run], out);
		in = span_from(in, run + 1);
	}
	return out->overflow ? ERR_LIMIT : OK;
}

enum err
mime_decoder_put(struct mime_decoder *d, struct span in, struct buf *out)
{
	if (d->encoding == MIME_BASE64)
		return put_base64(d, in, out);
	if (d->encoding == MIME_QUOTED_PRINTABLE)
		return put_printable(d, in, out);
	return buf_put(out, in);
}

enum err
mime_decoder_end(struct mime_decoder *d, struct buf *out)
{
	if (d->encoding == MIME_QUOTED_PRINTABLE && d->after_equals)
		put_held(d, out);
	d->held_len = 0; /* blanks at the end */
	return out->overflow ? ERR_LIMIT : OK;
}
