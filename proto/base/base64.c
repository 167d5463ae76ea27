/*
 * base64.c - base64 by table, one spelling for each value.
 */
#include "proto/base/base64.h"

#include "proto/base/ascii.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void
encode_group(const unsigned char *in, size_t len, char out[4])
{
	uint32_t bits = (uint32_t)in[0] << 16;

	if (len > 1)
		bits |= (uint32_t)in[1] << 8;
	if (len > 2)
		bits |= in[2];
	out[0] = digits[bits >> 18];
	out[1] = digits[bits >> 12 & 63];
	out[2] = len > 1 ? digits[bits >> 6 & 63] : '=';
	out[3] = len > 2 ? digits[bits & 63] : '=';
}

enum err
base64_put(struct buf *out, struct span bytes)
{
	const unsigned char *in = (const unsigned char *)bytes.ptr;
	size_t size;
	char *room;

	if (__builtin_mul_overflow(bytes.len / 3 + (bytes.len % 3 != 0), 4, &size))
		return ERR_LIMIT;
	if (size == 0)
		return OK;
	room = buf_reserve(out, size);
	if (!room)
		return ERR_LIMIT;
	for (size_t i = 0; i < bytes.len; i += 3, room += 4)
		encode_group(in + i, bytes.len - i, room);
	buf_added(out, size);
	return OK;
}

static int
digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (ascii_is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decode four digits, the last PADDING of them '='. False where they are not canonical. */
static bool
decode_group(const char *in, size_t padding, char *out)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i < 4 - padding ? digit_value(in[i]) : 0;

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
	}
	if (bits & ((1u << (8 * padding)) - 1))
		return false; /* a second spelling of the same bytes */
	for (size_t i = 0; i < 3 - padding; i++)
		out[i] = (char)(bits >> (16 - 8 * i) & 0xff);
	return true;
}

enum err
base64_decode(struct span text, struct buf *out)
{
	size_t padding = 0, size;
	char *room;

	if (text.len == 0)
		return OK;
	if (text.len % 4 != 0)
		return ERR_SYNTAX;
	while (padding < 2 && text.ptr[text.len - 1 - padding] == '=')
		padding++;
	size = text.len / 4 * 3 - padding;
	room = buf_reserve(out, size);
	if (!room)
		return ERR_LIMIT;
	for (size_t i = 0; i < text.len; i += 4, room += 3)
		if (!decode_group(text.ptr + i, i + 4 == text.len ? padding : 0, room))
			return ERR_SYNTAX;
	buf_added(out, size);
	return OK;
}
