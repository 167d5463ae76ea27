/*
 * control_units.c - sizes, durations and times as people type them.
 */
#include "proto/base/ascii.h"
#include "proto/control/control_schema.h"

#define NUMBER_MAX   ((uint64_t)1 << 62)
#define DAY_S        86400
#define YEAR_MIN     1970
#define YEAR_MAX     9999

struct unit {
	struct span word;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{ { "", 0 }, 1 },
	{ { "b", 1 }, 1 },
	{ { "k", 1 }, 1ull << 10 },
	{ { "kb", 2 }, 1ull << 10 },
	{ { "m", 1 }, 1ull << 20 },
	{ { "mb", 2 }, 1ull << 20 },
	{ { "g", 1 }, 1ull << 30 },
	{ { "gb", 2 }, 1ull << 30 },
	{ { "t", 1 }, 1ull << 40 },
	{ { "tb", 2 }, 1ull << 40 },
};

static const struct unit duration_units[] = {
	{ { "", 0 }, 1 },
	{ { "s", 1 }, 1 },
	{ { "m", 1 }, 60 },
	{ { "h", 1 }, 3600 },
	{ { "d", 1 }, DAY_S },
	{ { "w", 1 }, 7 * DAY_S },
};

static enum err
parse_unit(struct span text, const struct unit *units, size_t count, uint64_t *out)
{
	size_t digits = 0;
	uint64_t value;
	enum err err;

	while (digits < text.len && ascii_is_digit(text.ptr[digits]))
		digits++;
	err = span_u64(span_range(text, 0, digits), NUMBER_MAX, &value);
	if (err != OK)
		return err;
	for (size_t i = 0; i < count; i++) {
		if (!span_eq_nocase(units[i].word, span_from(text, digits)))
			continue;
		return __builtin_mul_overflow(value, units[i].factor, out) || *out > NUMBER_MAX ?
			ERR_LIMIT :
			OK;
	}
	return ERR_SYNTAX;
}

enum err
control_parse_size(struct span text, uint64_t *bytes)
{
	return parse_unit(text, size_units, COUNT(size_units), bytes);
}

enum err
control_parse_duration(struct span text, uint64_t *seconds)
{
	return parse_unit(text, duration_units, COUNT(duration_units), seconds);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar (years from 1970 on). */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 + of_year - 719468;
}

static int64_t
days_in_month(int64_t year, int64_t month)
{
	return month == 12 ? 31 : days_of(year, month + 1, 1) - days_of(year, month, 1);
}

/* Take COUNT digits with a value of LOW to HIGH. */
static bool
take_number(struct span *rest, size_t count, int64_t low, int64_t high, int64_t *out)
{
	uint64_t value;

	if (rest->len < count ||
		span_u64(span_range(*rest, 0, count), (uint64_t)high, &value) != OK)
		return false;
	*rest = span_from(*rest, count);
	*out = (int64_t)value;
	return *out >= low;
}

static bool
take_char(struct span *rest, const char *set)
{
	if (rest->len == 0 || span_find(span_of(set), rest->ptr[0]) == span_of(set).len)
		return false;
	*rest = span_from(*rest, 1);
	return true;
}

static bool
take_date(struct span *rest, int64_t *seconds)
{
	int64_t year, month, day;

	if (!take_number(rest, 4, YEAR_MIN, YEAR_MAX, &year) || !take_char(rest, "-") ||
		!take_number(rest, 2, 1, 12, &month) || !take_char(rest, "-") ||
		!take_number(rest, 2, 1, days_in_month(year, month), &day))
		return false;
	*seconds = days_of(year, month, day) * DAY_S;
	return true;
}

/* "Z", "+01:00" or nothing, which is UTC. */
static bool
take_offset(struct span *rest, int64_t *seconds)
{
	int64_t hours, minutes, sign;

	*seconds = 0;
	if (rest->len == 0 || take_char(rest, "Zz"))
		return true;
	sign = rest->ptr[0] == '-' ? -1 : 1;
	if (!take_char(rest, "+-") || !take_number(rest, 2, 0, 23, &hours) ||
		!take_char(rest, ":") || !take_number(rest, 2, 0, 59, &minutes))
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* What follows the date: "T14:00", "T14:00:30", "T14:00:30.25Z". */
static bool
take_clock(struct span *rest, int64_t *from_s, int64_t *length_s)
{
	int64_t hour, minute, second = 0, offset;

	if (!take_char(rest, "Tt ") || !take_number(rest, 2, 0, 23, &hour) ||
		!take_char(rest, ":") || !take_number(rest, 2, 0, 59, &minute))
		return false;
	*length_s = 60;
	if (take_char(rest, ":")) {
		if (!take_number(rest, 2, 0, 60, &second))
			return false;
		*length_s = 1;
		if (take_char(rest, "."))
			while (rest->len > 0 && ascii_is_digit(rest->ptr[0]))
				*rest = span_from(*rest, 1);
	}
	if (!take_offset(rest, &offset))
		return false;
	*from_s += hour * 3600 + minute * 60 + second - offset;
	return true;
}

enum err
control_parse_time(struct span text, int64_t now_s, int64_t *from_s, int64_t *to_s)
{
	struct span rest = text;
	int64_t length = DAY_S;
	uint64_t ago;

	if (take_date(&rest, from_s)) {
		if (rest.len > 0 && !take_clock(&rest, from_s, &length))
			return ERR_SYNTAX;
		*to_s = *from_s + length - 1;
		return rest.len == 0 ? OK : ERR_SYNTAX;
	}
	if (control_parse_duration(text, &ago) != OK || ascii_is_digit(text.ptr[text.len - 1]))
		return ERR_SYNTAX;
	*from_s = *to_s = now_s - (int64_t)(ago < INT64_MAX / 4 ? ago : INT64_MAX / 4);
	return OK;
}
