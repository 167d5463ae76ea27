/*
 * mime_encoder.c - base64 and quoted-printable as the bytes come.
 */
#include "proto/mime/mime_encoder.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/base/base64.h"

#define LINE_MAX_ 76 /* characters of an encoded line (RFC 2045, 6.7, 6.8) */

void
mime_encoder_init(struct mime_encoder *e, enum mime_encoding encoding)
{
	ENSURE(encoding == MIME_QUOTED_PRINTABLE || encoding == MIME_BASE64);
	*e = (struct mime_encoder){ .encoding = encoding };
}

/* ---- base64 ---- */

/* Whole groups of three, in lines. */
static enum err
put_groups(struct mime_encoder *e, struct span in, struct buf *out)
{
	enum err err = OK;

	while (in.len > 0 && err == OK) {
		struct span line = span_range(in, 0, (LINE_MAX_ - e->column) / 4 * 3);

		err = base64_put(out, line);
		e->column += (unsigned)((line.len + 2) / 3 * 4);
		in = span_from(in, line.len);
		if (e->column == LINE_MAX_ && err == OK) {
			err = buf_put(out, SPAN("\r\n"));
			e->column = 0;
		}
	}
	return err;
}

static enum err
put_base64(struct mime_encoder *e, struct span in, struct buf *out)
{
	enum err err = OK;

	while (e->held_len > 0 && e->held_len < 3 && in.len > 0) {
		e->held[e->held_len++] = in.ptr[0];
		in = span_from(in, 1);
	}
	if (e->held_len == 3) {
		err = put_groups(e, (struct span){ e->held, 3 }, out);
		e->held_len = 0;
	}
	if (err != OK || in.len == 0)
		return err;
	e->held_len = in.len % 3;
	memcpy(e->held, in.ptr + in.len - e->held_len, e->held_len);
	return put_groups(e, span_range(in, 0, in.len - e->held_len), out);
}

static enum err
end_base64(struct mime_encoder *e, struct buf *out)
{
	enum err err = put_groups(e, (struct span){ e->held, e->held_len }, out);

	if (err == OK && e->column > 0)
		err = buf_put(out, SPAN("\r\n"));
	return err;
}

/* ---- quoted-printable ---- */

/* A character or an escape, which stays in one piece; one column is kept for the '=' of a soft line end. */
static void
put_token(struct mime_encoder *e, const char *text, size_t len, struct buf *out)
{
	if (e->column + len > LINE_MAX_ - 1) {
		(void)!buf_put(out, SPAN("=\r\n"));
		e->column = 0;
	}
	(void)!buf_put(out, (struct span){ text, len });
	e->column += (unsigned)len;
}

static void
put_escape(struct mime_encoder *e, char c, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char byte = (unsigned char)c;
	char text[3] = { '=', digits[byte >> 4], digits[byte & 15] };

	put_token(e, text, sizeof(text), out);
}

/* The blank that was held, before C or, 0, before the end of its line. */
static void
put_blank(struct mime_encoder *e, bool at_end, struct buf *out)
{
	if (e->blank && at_end)
		put_escape(e, e->blank, out);
	else if (e->blank)
		put_token(e, &e->blank, 1, out);
	e->blank = 0;
}

static void
put_line_end(struct mime_encoder *e, struct buf *out)
{
	put_blank(e, true, out);
	(void)!buf_put(out, SPAN("\r\n"));
	e->column = 0;
	e->cr = false;
}

static void
put_lone_cr(struct mime_encoder *e, struct buf *out)
{
	put_blank(e, false, out);
	put_escape(e, '\r', out);
	e->cr = false;
}

static void
put_character(struct mime_encoder *e, char c, struct buf *out)
{
	if (e->cr && c == '\n') {
		put_line_end(e, out);
		return;
	}
	if (e->cr)
		put_lone_cr(e, out);
	if (c == '\r') {
		e->cr = true;
		return;
	}
	put_blank(e, false, out);
	if (ascii_is_blank(c))
		e->blank = c;
	else if (c > ' ' && c <= '~' && c != '=')
		put_token(e, &c, 1, out);
	else
		put_escape(e, c, out);
}

/* ---- both ---- */

enum err
mime_encoder_put(struct mime_encoder *e, struct span in, struct buf *out)
{
	if (e->encoding == MIME_BASE64)
		return put_base64(e, in, out);
	for (size_t i = 0; i < in.len; i++)
		put_character(e, in.ptr[i], out);
	return out->overflow ? ERR_LIMIT : OK;
}

enum err
mime_encoder_end(struct mime_encoder *e, struct buf *out)
{
	if (e->encoding == MIME_BASE64)
		return end_base64(e, out);
	if (e->cr)
		put_lone_cr(e, out);
	put_blank(e, true, out);
	return out->overflow ? ERR_LIMIT : OK;
}
