/*
 * imap_utf7.c - modified UTF-7 (RFC 3501, 5.1.3): a name has one spelling, all others are refused.
 *
 *     printable ASCII is itself, '&' is "&-", all else is UTF-16 in base64 between '&' and '-'
 */
#include "proto/imap/imap_utf7.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/base/utf8.h"

#define IN_BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,"
#define SURROGATES 0xd800u
#define LOW_SURROGATES 0xdc00u
#define SURROGATES_END 0xe000u

static bool
is_direct(uint32_t code)
{
	return code >= 0x20 && code <= 0x7e;
}

/* ---- to UTF-8 ---- */

static int
base64_value(char c)
{
	static const char *const digits = IN_BASE64;
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

struct shift {
	uint32_t bits; /* not yet a whole unit */
	unsigned bit_count;
	uint32_t high; /* a surrogate that waits for its second half; 0: none */
};

static enum err
take_unit(struct shift *s, uint32_t unit, struct buf *out)
{
	uint32_t high = s->high;

	s->high = 0;
	if (high != 0) {
		if (unit < LOW_SURROGATES || unit >= SURROGATES_END)
			return ERR_SYNTAX;
		return utf8_put(out, 0x10000 + ((high - SURROGATES) << 10) + (unit - LOW_SURROGATES));
	}
	if (unit >= LOW_SURROGATES && unit < SURROGATES_END)
		return ERR_SYNTAX;
	if (unit >= SURROGATES && unit < LOW_SURROGATES) {
		s->high = unit;
		return OK;
	}
	return is_direct(unit) ? ERR_SYNTAX : utf8_put(out, unit); /* it must stand for itself */
}

/* What stands between '&' and '-'. */
static enum err
decode_shifted(struct span text, struct buf *out)
{
	struct shift s = { 0 };

	for (size_t i = 0; i < text.len; i++) {
		int value = base64_value(text.ptr[i]);
		enum err err;

		if (value < 0)
			return ERR_SYNTAX;
		s.bits = (s.bits << 6 | (uint32_t)value) & 0x3fffff;
		s.bit_count += 6;
		if (s.bit_count < 16)
			continue;
		s.bit_count -= 16;
		err = take_unit(&s, s.bits >> s.bit_count & 0xffff, out);
		if (err != OK)
			return err;
	}
	return s.high != 0 || s.bit_count >= 6 || (s.bits & ((1u << s.bit_count) - 1)) != 0 ? ERR_SYNTAX
											   : OK;
}

/* From '&' on; what it was is taken off. */
static enum err
decode_ampersand(struct span *rest, struct buf *out)
{
	size_t end = span_find(*rest, '-');
	struct span shifted = span_range(*rest, 1, end);
	enum err err;

	if (end == rest->len)
		return ERR_SYNTAX;
	*rest = span_from(*rest, end + 1);
	if (shifted.len == 0)
		return buf_put_char(out, '&');
	err = decode_shifted(shifted, out);
	if (err == OK && rest->len > 1 && rest->ptr[0] == '&' && rest->ptr[1] != '-')
		return ERR_SYNTAX; /* both would be one */
	return err;
}

enum err
imap_utf7_decode(struct span text, struct buf *out)
{
	size_t mark = out->len - out->start;
	enum err err = OK;

	while (text.len > 0 && err == OK) {
		if (text.ptr[0] == '&') {
			err = decode_ampersand(&text, out);
		} else {
			err = is_direct((unsigned char)text.ptr[0]) ? buf_put_char(out, text.ptr[0])
								    : ERR_SYNTAX;
			text = span_from(text, 1);
		}
	}
	if (err != OK)
		out->len = out->start + mark;
	return err;
}

/* ---- from UTF-8 ---- */

struct unshift {
	struct buf *out;
	uint32_t bits;
	unsigned bit_count;
	bool shifted;
};

static enum err
put_digit(struct unshift *u, uint32_t value)
{
	return buf_put_char(u->out, IN_BASE64[value & 63]);
}

static enum err
put_unit(struct unshift *u, uint32_t unit)
{
	enum err err = OK;

	u->bits = (u->bits << 16 | unit) & 0x3fffff;
	u->bit_count += 16;
	while (u->bit_count >= 6 && err == OK) {
		u->bit_count -= 6;
		err = put_digit(u, u->bits >> u->bit_count);
	}
	return err;
}

static enum err
end_shift(struct unshift *u)
{
	enum err err = OK;

	if (!u->shifted)
		return OK;
	if (u->bit_count > 0)
		err = put_digit(u, u->bits << (6 - u->bit_count));
	*u = (struct unshift){ .out = u->out };
	return err == OK ? buf_put_char(u->out, '-') : err;
}

static enum err
put_shifted(struct unshift *u, uint32_t code)
{
	enum err err = OK;

	if (!u->shifted)
		err = buf_put_char(u->out, '&');
	u->shifted = true;
	if (err != OK || code < 0x10000)
		return err == OK ? put_unit(u, code) : err;
	code -= 0x10000;
	err = put_unit(u, SURROGATES + (code >> 10));
	return err == OK ? put_unit(u, LOW_SURROGATES + (code & 0x3ff)) : err;
}

static enum err
put_direct(struct unshift *u, char c)
{
	enum err err = end_shift(u);

	if (err == OK)
		err = buf_put_char(u->out, c);
	return err == OK && c == '&' ? buf_put_char(u->out, '-') : err;
}

enum err
imap_utf7_encode(struct span text, struct buf *out)
{
	struct unshift u = { .out = out };
	size_t mark = out->len - out->start;
	enum err err = OK;
	uint32_t code;

	while (text.len > 0 && err == OK) {
		if (!utf8_next(&text, &code))
			err = ERR_SYNTAX;
		else if (is_direct(code))
			err = put_direct(&u, (char)code);
		else
			err = put_shifted(&u, code);
	}
	if (err == OK)
		err = end_shift(&u);
	if (err != OK)
		out->len = out->start + mark;
	return err;
}
