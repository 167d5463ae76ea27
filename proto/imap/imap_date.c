/*
 * imap_date.c - date and date-time in commands (RFC 9051, 9): their spelling is checked here, what they
 * mean is mail_date_parse()'s, which knows the same words with blanks for dashes.
 */
#include <string.h>

#include "proto/base/ascii.h"
#include "proto/imap/imap_args.h"

#define DATE_TIME_LENGTH 26 /* "17-Jul-1996 02:44:25 -0700" */
#define DATE_MAX 11         /* "17-Jul-1996" */
#define SECONDS_A_DAY 86400
#define MIDNIGHT " 00:00:00 +0000"

/* 9: a digit, A: a letter, +: a sign; anything else is itself. */
static bool
has_shape(struct span s, struct span shape)
{
	if (s.len != shape.len)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i], want = shape.ptr[i];
		bool ok = want == '9'   ? ascii_is_digit(c)
			  : want == 'A' ? ascii_is_alpha(c)
			  : want == '+' ? c == '+' || c == '-'
					: c == want;

		if (!ok)
			return false;
	}
	return true;
}

/* TEXT, whose first LEN bytes have two dashes, as a date of a message. */
static enum err
parse_dashed(const char *text, size_t len, struct mail_date *out)
{
	char copy[DATE_MAX + sizeof(MIDNIGHT)];
	size_t size = len;

	memcpy(copy, text, len);
	for (size_t i = 0; i < len && i < DATE_MAX; i++)
		if (copy[i] == '-')
			copy[i] = ' ';
	if (len <= DATE_MAX) {
		memcpy(copy + len, MIDNIGHT, sizeof(MIDNIGHT));
		size += sizeof(MIDNIGHT) - 1;
	}
	return mail_date_parse((struct span){ copy, size }, out);
}

bool
imap_take_date_time(struct imap_cursor *c, struct mail_date *out)
{
	struct imap_cursor before = *c;
	struct span text;

	if (imap_next_is(c, '"') && imap_take_string(c, &text) &&
		(has_shape(text, SPAN("99-AAA-9999 99:99:99 +9999")) ||
			has_shape(text, SPAN(" 9-AAA-9999 99:99:99 +9999"))) &&
		parse_dashed(text.ptr, text.len, out) == OK)
		return true;
	*c = before;
	return false;
}

bool
imap_take_date(struct imap_cursor *c, int64_t *day)
{
	struct imap_cursor before = *c;
	struct mail_date date;
	struct span text;

	if (imap_take_astring(c, &text) &&
		(has_shape(text, SPAN("9-AAA-9999")) || has_shape(text, SPAN("99-AAA-9999"))) &&
		parse_dashed(text.ptr, text.len, &date) == OK) {
		*day = (date.seconds - (date.seconds < 0 ? SECONDS_A_DAY - 1 : 0)) / SECONDS_A_DAY;
		return true;
	}
	*c = before;
	return false;
}
