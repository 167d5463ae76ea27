/*
 * hex.c - pairs of hexadecimal digits.
 */
#include "proto/base/hex.h"

#include "proto/base/ascii.h"

int
hex_digit(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum err
hex_put(struct buf *out, struct span bytes)
{
	static const char digits[] = "0123456789abcdef";
	size_t size;
	char *room;

	if (bytes.len == 0)
		return OK;
	if (__builtin_mul_overflow(bytes.len, 2, &size))
		return ERR_LIMIT;
	room = buf_reserve(out, size);
	if (!room)
		return ERR_LIMIT;
	for (size_t i = 0; i < bytes.len; i++) {
		*room++ = digits[(unsigned char)bytes.ptr[i] >> 4];
		*room++ = digits[bytes.ptr[i] & 15];
	}
	buf_added(out, size);
	return OK;
}

enum err
hex_decode(struct span text, struct buf *out)
{
	char *room;

	if (text.len % 2 != 0)
		return ERR_SYNTAX;
	if (text.len == 0)
		return OK;
	room = buf_reserve(out, text.len / 2);
	if (!room)
		return ERR_LIMIT;
	for (size_t i = 0; i < text.len; i += 2) {
		int high = hex_digit(text.ptr[i]), low = hex_digit(text.ptr[i + 1]);

		if (high < 0 || low < 0)
			return ERR_SYNTAX;
		*room++ = (char)(high << 4 | low);
	}
	buf_added(out, text.len / 2);
	return OK;
}
