/*
 * timetable.c - from local days and clock times to moments.
 *
 * The events of one day are numbered; their moments never fall as the number rises, so the first one behind
 * a moment is found by halving, whatever the local clock does in between.
 */
#include "server/connect/timetable.h"

#include "conf/conf_value.h"

#define MINUTE INT64_C(60000)
#define DAY INT64_C(86400000)
#define DAYS_AHEAD 9 /* a week, and a day on each side */
#define MONDAY 3     /* 1970-01-01 was a Thursday */

static const char day_words[] = "mon|tue|wed|thu|fri|sat|sun";

static int64_t
clock_ms(struct span text)
{
	int64_t minutes = 0;

	return conf_clock_parse(text, &minutes) == OK ? minutes * MINUTE : 0;
}

/* Those of the file need no order. */
static void
add_time(struct timetable *t, int64_t ms)
{
	size_t i = t->at_count++;

	for (; i > 0 && t->at_ms[i - 1] > ms; i--)
		t->at_ms[i] = t->at_ms[i - 1];
	t->at_ms[i] = ms;
}

void
timetable_read(const struct conf_schedule *schedule, struct timetable *out)
{
	*out = (struct timetable){ .from_ms = schedule->from * MINUTE, .to_ms = schedule->to * MINUTE,
		.every_ms = schedule->every_ms };
	for (size_t i = 0; i < schedule->days.count; i++) {
		int day = conf_word_find(day_words, schedule->days.items[i]);

		if (day >= 0)
			out->days |= 1u << day;
	}
	for (size_t i = 0; i < schedule->at.count && i < TIMETABLE_TIMES_MAX; i++)
		add_time(out, clock_ms(schedule->at.items[i]));
	if (out->at_count > 0)
		out->every_ms = 0;
	if (out->to_ms < out->from_ms)
		out->to_ms += DAY;
	else if (out->to_ms == DAY && out->from_ms < DAY)
		out->to_ms = DAY - 1;
}

/* ---- local time ---- */

static int64_t
offset_ms(timetable_zone zone, int64_t at_ms)
{
	return zone(at_ms) * MINUTE;
}

/* In [FROM, TO] the offset changes once: when it does. */
static int64_t
change_between(timetable_zone zone, int64_t from_ms, int64_t to_ms)
{
	int64_t before = offset_ms(zone, from_ms);

	while (to_ms - from_ms > 1) {
		int64_t middle = from_ms + (to_ms - from_ms) / 2;

		if (offset_ms(zone, middle) == before)
			from_ms = middle;
		else
			to_ms = middle;
	}
	return to_ms;
}

/* When the local clock first shows LOCAL_MS, or jumps over it. */
static int64_t
moment_of(timetable_zone zone, int64_t local_ms)
{
	int64_t before = offset_ms(zone, local_ms - DAY), after = offset_ms(zone, local_ms + DAY);
	int64_t early = local_ms - before, late = local_ms - after;

	if (before == after || offset_ms(zone, early) == before)
		return early; /* of two that are right, that is the first: the clock went back */
	if (offset_ms(zone, late) == after)
		return late;
	return change_between(zone, late < early ? late : early, late < early ? early : late);
}

static int64_t
local_day(timetable_zone zone, int64_t at_ms)
{
	int64_t local = at_ms + offset_ms(zone, at_ms);

	return local / DAY - (local % DAY < 0);
}

/* ---- one day ---- */

static bool
counts_on(const struct timetable *t, int64_t day)
{
	int64_t weekday = (day + MONDAY) % 7;

	return t->days & 1u << (weekday < 0 ? weekday + 7 : weekday);
}

static int64_t
event_count(const struct timetable *t)
{
	if (t->every_ms == 0)
		return (int64_t)t->at_count;
	return (t->to_ms - t->from_ms) / t->every_ms + 1;
}

static int64_t
event_ms(const struct timetable *t, timetable_zone zone, int64_t day, int64_t number)
{
	int64_t of_day = t->every_ms == 0 ? t->at_ms[number] : t->from_ms + number * t->every_ms;

	return moment_of(zone, day * DAY + of_day);
}

/* The first of DAY behind AFTER_MS; 0: none. */
static int64_t
first_of_day(const struct timetable *t, timetable_zone zone, int64_t day, int64_t after_ms)
{
	int64_t count = event_count(t), low = 0, high = count;

	while (low < high) {
		int64_t middle = low + (high - low) / 2;

		if (event_ms(t, zone, day, middle) > after_ms)
			high = middle;
		else
			low = middle + 1;
	}
	return low < count ? event_ms(t, zone, day, low) : 0;
}

int64_t
timetable_next_ms(const struct timetable *t, int64_t after_ms, timetable_zone zone)
{
	int64_t first = local_day(zone, after_ms) - 1, next_ms = 0, found_on = 0;

	for (int64_t day = first; day <= first + DAYS_AHEAD; day++) {
		int64_t at_ms = counts_on(t, day) ? first_of_day(t, zone, day, after_ms) : 0;

		if (next_ms > 0 && day > found_on + 1)
			break; /* a window reaches into the next day, not beyond */
		if (at_ms > 0 && (next_ms == 0 || at_ms < next_ms)) {
			next_ms = at_ms;
			found_on = day;
		}
	}
	return next_ms;
}

/* ---- in the course of time ---- */

void
firing_start(struct firing *f, const struct timetable *t, int64_t now_ms, timetable_zone zone)
{
	f->last_ms = 0;
	f->next_ms = timetable_next_ms(t, now_ms, zone);
}

static int64_t
behind(const struct firing *f, int64_t now_ms, bool follows)
{
	bool was_ahead = f->last_ms > now_ms && f->last_ms - now_ms < FIRING_BACK_MS;

	return was_ahead && !follows ? f->last_ms : now_ms;
}

bool
firing_is_due(struct firing *f, const struct timetable *t, int64_t now_ms, bool jumped,
	bool follows, timetable_zone zone)
{
	bool due = f->next_ms > 0 && f->next_ms <= now_ms && (!jumped || follows);

	if (due)
		f->last_ms = f->next_ms;
	if (due || jumped)
		f->next_ms = timetable_next_ms(t, behind(f, now_ms, follows), zone);
	return due;
}
