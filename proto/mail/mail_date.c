/*
 * mail_date.c - civil dates to seconds and back, and their spelling in mail.
 */
#include "proto/mail/mail_date.h"

#include "proto/base/ascii.h"

#define SECONDS_A_DAY 86400
#define DATE_TEXT_MAX 1024 /* bytes looked at, comments included */

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec" };
static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

struct civil {
	int64_t year;
	int month; /* 1 to 12 */
	int day;
	int weekday; /* 0 is Sunday */
	int hour, minute, second;
};

/* Days since 1970-01-01; a year is taken to begin in March, so that a leap day is its last. */
static int64_t
days_from_civil(int64_t year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
		day_of_year - 719468;
}

static struct civil
civil_from_seconds(int64_t seconds)
{
	int64_t day_number = seconds / SECONDS_A_DAY - (seconds % SECONDS_A_DAY < 0);
	int rest = (int)(seconds - day_number * SECONDS_A_DAY);
	int64_t z = day_number + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t shifted = (5 * doy + 2) / 153;
	int month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);

	return (struct civil){
		.year = yoe + era * 400 + (month <= 2),
		.month = month,
		.day = (int)(doy - (153 * shifted + 2) / 5 + 1),
		.weekday = (int)(((day_number + 4) % 7 + 7) % 7),
		.hour = rest / 3600,
		.minute = rest / 60 % 60,
		.second = rest % 60,
	};
}

static enum err
local_civil(struct mail_date date, struct civil *c)
{
	const int64_t far = (int64_t)SECONDS_A_DAY * 366 * 10000;

	if (date.offset_minutes > MAIL_DATE_OFFSET_MAX ||
		date.offset_minutes < -MAIL_DATE_OFFSET_MAX)
		return ERR_LIMIT;
	if (date.seconds > far || date.seconds < -far)
		return ERR_LIMIT;
	*c = civil_from_seconds(date.seconds + date.offset_minutes * 60);
	return c->year >= 0 && c->year <= 9999 ? OK : ERR_LIMIT;
}

enum err
mail_date_put(struct buf *out, struct mail_date date)
{
	int east = date.offset_minutes < 0 ? -date.offset_minutes : date.offset_minutes;
	struct civil c;

	if (local_civil(date, &c) != OK)
		return ERR_LIMIT;
	return buf_printf(out, "%s, %d %s %04d %02d:%02d:%02d %c%02d%02d", days[c.weekday], c.day,
		months[c.month - 1], (int)c.year, c.hour, c.minute, c.second,
		date.offset_minutes < 0 ? '-' : '+', east / 60, east % 60);
}

enum err
mail_date_put_rfc3339(struct buf *out, struct mail_date date)
{
	int east = date.offset_minutes < 0 ? -date.offset_minutes : date.offset_minutes;
	struct civil c;

	if (local_civil(date, &c) != OK)
		return ERR_LIMIT;
	if (buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d", (int)c.year, c.month, c.day, c.hour,
		    c.minute, c.second) != OK)
		return ERR_LIMIT;
	if (east == 0)
		return buf_put(out, SPAN("Z"));
	return buf_printf(
		out, "%c%02d:%02d", date.offset_minutes < 0 ? '-' : '+', east / 60, east % 60);
}

enum err
mail_date_put_dashed(struct buf *out, struct mail_date date)
{
	int east = date.offset_minutes < 0 ? -date.offset_minutes : date.offset_minutes;
	struct civil c;

	if (local_civil(date, &c) != OK)
		return ERR_LIMIT;
	return buf_printf(out, "%02d-%s-%04d %02d:%02d:%02d %c%02d%02d", c.day, months[c.month - 1],
		(int)c.year, c.hour, c.minute, c.second, date.offset_minutes < 0 ? '-' : '+',
		east / 60, east % 60);
}

/* Blanks, folds and comments (RFC 5322, 3.2.2). */
static void
skip_cfws(struct span *rest)
{
	size_t i = 0, depth = 0;

	for (; i < rest->len; i++) {
		char c = rest->ptr[i];

		if (c == '(')
			depth++;
		else if (depth > 0 && c == ')')
			depth--;
		else if (depth > 0 && c == '\\')
			i++;
		else if (depth == 0 && !ascii_is_blank(c) && c != '\r' && c != '\n')
			break;
	}
	*rest = span_from(*rest, i);
}

static struct span
take_while(struct span *rest, bool (*is_in)(char))
{
	struct span all = *rest;
	size_t len = 0;

	while (len < all.len && is_in(all.ptr[len]))
		len++;
	*rest = span_from(all, len);
	skip_cfws(rest);
	return span_range(all, 0, len);
}

static bool
take_char(struct span *rest, char c)
{
	if (rest->len == 0 || rest->ptr[0] != c)
		return false;
	*rest = span_from(*rest, 1);
	skip_cfws(rest);
	return true;
}

static enum err
take_number(struct span *rest, size_t digits_max, int *out)
{
	struct span digits = take_while(rest, ascii_is_digit);
	uint64_t number;

	if (digits.len > digits_max || span_u64(digits, 9999, &number) != OK)
		return ERR_SYNTAX;
	*out = (int)number;
	return OK;
}

static int
find_name(const char (*names)[4], size_t count, struct span word)
{
	for (size_t i = 0; i < count; i++)
		if (span_eq_nocase(word, span_of(names[i])))
			return (int)i;
	return -1;
}

static enum err
take_year(struct span *rest, int64_t *year)
{
	size_t before = rest->len;
	size_t digits = 0;
	int number;

	while (digits < before && ascii_is_digit(rest->ptr[digits]))
		digits++;
	if (digits < 2 || take_number(rest, 4, &number) != OK)
		return ERR_SYNTAX;
	if (digits == 2 && number < 50) /* RFC 5322, 4.3 */
		number += 2000;
	else if (digits < 4)
		number += 1900;
	*year = number;
	return OK;
}

static enum err
take_day(struct span *rest, struct civil *c)
{
	static const int lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap;

	if (rest->len > 0 && ascii_is_alpha(rest->ptr[0])) {
		if (find_name(days, COUNT(days), take_while(rest, ascii_is_alpha)) < 0)
			return ERR_SYNTAX;
		take_char(rest, ',');
	}
	if (take_number(rest, 2, &c->day) != OK)
		return ERR_SYNTAX;
	c->month = find_name(months, COUNT(months), take_while(rest, ascii_is_alpha)) + 1;
	if (c->month == 0 || take_year(rest, &c->year) != OK)
		return ERR_SYNTAX;
	leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;
	if (c->day < 1 || c->day > lengths[c->month - 1] - (c->month == 2 && !leap))
		return ERR_SYNTAX;
	return OK;
}

static enum err
take_time(struct span *rest, struct civil *c)
{
	if (take_number(rest, 2, &c->hour) != OK || !take_char(rest, ':') ||
		take_number(rest, 2, &c->minute) != OK)
		return ERR_SYNTAX;
	if (take_char(rest, ':') && take_number(rest, 2, &c->second) != OK)
		return ERR_SYNTAX;
	return c->hour <= 23 && c->minute <= 59 && c->second <= 60 ? OK : ERR_SYNTAX;
}

/* "+0130", a name of RFC 5322, 4.3, or nothing; a name that nobody knows is UTC. */
static enum err
take_zone(struct span *rest, int *offset_minutes)
{
	static const struct {
		char name[4];
		int hours;
	} zones[] = { { "EST", -5 }, { "EDT", -4 }, { "CST", -6 }, { "CDT", -5 }, { "MST", -7 },
		{ "MDT", -6 }, { "PST", -8 }, { "PDT", -7 } };
	bool west = rest->len > 0 && rest->ptr[0] == '-';
	struct span name;
	int number;

	*offset_minutes = 0;
	if (west || (rest->len > 0 && rest->ptr[0] == '+')) {
		*rest = span_from(*rest, 1);
		if (take_number(rest, 4, &number) != OK || number % 100 > 59 || number > 2359)
			return ERR_SYNTAX;
		*offset_minutes = (number / 100 * 60 + number % 100) * (west ? -1 : 1);
		return OK;
	}
	name = take_while(rest, ascii_is_alpha);
	for (size_t i = 0; i < COUNT(zones); i++)
		if (span_eq_nocase(name, span_of(zones[i].name)))
			*offset_minutes = zones[i].hours * 60;
	return OK;
}

enum err
mail_date_parse(struct span text, struct mail_date *out)
{
	struct civil c = { .year = 0 };
	int64_t seconds;

	if (text.len > DATE_TEXT_MAX)
		return ERR_SYNTAX;
	skip_cfws(&text);
	if (take_day(&text, &c) != OK || take_time(&text, &c) != OK ||
		take_zone(&text, &out->offset_minutes) != OK || text.len > 0)
		return ERR_SYNTAX;
	seconds = days_from_civil(c.year, c.month, c.day) * SECONDS_A_DAY;
	seconds += c.hour * 3600 + c.minute * 60 + c.second;
	out->seconds = seconds - out->offset_minutes * 60;
	return OK;
}
