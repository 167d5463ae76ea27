/*
 * message_no.c - message numbers in Crockford's base 32.
 */
#include "proto/mail/message_no.h"

#include <string.h>

#include "proto/base/ascii.h"

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

struct span
message_no_format(uint64_t number, char text[MESSAGE_NO_SIZE])
{
	size_t at = MESSAGE_NO_SIZE - 1, len;

	text[at] = '\0';
	do {
		text[--at] = digits[number & 31];
		number >>= 5;
	} while (number);
	len = MESSAGE_NO_SIZE - 1 - at;
	memmove(text, text + at, len + 1);
	return (struct span){ text, len };
}

enum err
message_no_put(struct buf *out, uint64_t number)
{
	char text[MESSAGE_NO_SIZE];

	return buf_put(out, message_no_format(number, text));
}

static int
digit_value(char c)
{
	const char *hit;

	c = ascii_upper(c);
	if (c == 'O')
		c = '0';
	if (c == 'I' || c == 'L')
		c = '1';
	hit = memchr(digits, c, sizeof(digits) - 1);
	return hit ? (int)(hit - digits) : -1;
}

enum err
message_no_parse(struct span text, uint64_t *out)
{
	uint64_t number = 0;

	if (text.len == 0)
		return ERR_SYNTAX;
	for (size_t i = 0; i < text.len; i++) {
		int value = digit_value(text.ptr[i]);

		if (value < 0)
			return ERR_SYNTAX;
		if (number >> 59)
			return ERR_LIMIT;
		number = number << 5 | (uint64_t)value;
	}
	*out = number;
	return OK;
}
