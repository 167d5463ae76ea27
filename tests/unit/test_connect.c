/*
 * test_connect.c - the pure parts of connections: when schedules fire, how a link comes up and goes down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "server/connect/link.h"
#include "server/connect/timetable.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define EVERY_DAY 0x7f
#define WEEKDAYS 0x1f

/* ---- a zone as that of Berlin in 2026: +1, from 29 March 1:00 UTC to 25 October 1:00 UTC +2 ---- */

static int64_t
utc(const char *text)
{
	struct tm tm = { 0 };

	assert_int_equal(sscanf(text, "%d-%d-%d %d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
				 &tm.tm_hour, &tm.tm_min, &tm.tm_sec) >= 5,
		1);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (int64_t)timegm(&tm) * 1000;
}

static int
berlin(int64_t now_ms)
{
	return now_ms >= utc("2026-03-29 1:00") && now_ms < utc("2026-10-25 1:00") ? 120 : 60;
}

static int
greenwich(int64_t now_ms)
{
	(void)now_ms;
	return 0;
}

static int
kiribati(int64_t now_ms)
{
	(void)now_ms;
	return 14 * 60;
}

static const char *
text_of(int64_t ms)
{
	static char text[40];
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	if (ms == 0)
		return "never";
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%F %H:%M", &tm);
	return text;
}

static struct timetable
every(unsigned days, int64_t from_hour, int64_t to_hour, int64_t minutes)
{
	return (struct timetable){ .days = days, .from_ms = from_hour * HOUR_MS,
		.to_ms = to_hour * HOUR_MS - (to_hour == 24), .every_ms = minutes * MINUTE_MS };
}

static void
test_sch_02_weekdays_nine_to_five(void **state)
{
	struct timetable t = every(WEEKDAYS, 9, 17, 15);
	int64_t at = utc("2026-11-20 17:00"); /* Friday, its last */
	size_t count = 0;

	(void)state;
	at = timetable_next_ms(&t, at, greenwich);
	assert_string_equal(text_of(at), "2026-11-23 09:00"); /* none on Saturday, none on Sunday */
	for (; at < utc("2026-11-24 00:00"); at = timetable_next_ms(&t, at, greenwich))
		count++;
	assert_int_equal(count, 33); /* both ends */
	assert_string_equal(text_of(at), "2026-11-24 09:00");
}

static void
test_timetable_next(void **state)
{
	static const struct {
		unsigned days;
		int64_t from, to, every, at[2];
		size_t at_count;
		timetable_zone zone;
		const char *after, *next;
	} rows[] = {
		/* a plain day, its ends, over New Year and a leap day */
		{ EVERY_DAY, 0, 24, 60, { 0 }, 0, greenwich, "2026-01-01 10:30", "2026-01-01 11:00" },
		{ EVERY_DAY, 0, 24, 60, { 0 }, 0, greenwich, "2026-01-01 11:00", "2026-01-01 12:00" },
		{ EVERY_DAY, 0, 24, 60, { 0 }, 0, greenwich, "2026-12-31 23:30", "2027-01-01 00:00" },
		{ EVERY_DAY, 9, 9, 60, { 0 }, 0, greenwich, "2028-02-28 09:00", "2028-02-29 09:00" },
		{ EVERY_DAY, 9, 10, 45, { 0 }, 0, greenwich, "2026-01-01 09:10", "2026-01-01 09:45" },
		{ EVERY_DAY, 9, 10, 45, { 0 }, 0, greenwich, "2026-01-01 09:45", "2026-01-02 09:00" },
		/* Monday to 24:00 does not fire on Tuesday */
		{ 1, 0, 24, 60, { 0 }, 0, greenwich, "2026-11-23 23:00", "2026-11-30 00:00" },
		/* over midnight: the day of its begin counts */
		{ 1, 22, 26, 60, { 0 }, 0, greenwich, "2026-11-23 23:30", "2026-11-24 00:00" },
		{ 1, 22, 26, 60, { 0 }, 0, greenwich, "2026-11-24 02:00", "2026-11-30 22:00" },
		{ 3, 22, 26, 60, { 0 }, 0, greenwich, "2026-11-24 02:00", "2026-11-24 22:00" },
		/* fixed times, 24:00 is the end of that day */
		{ EVERY_DAY, 0, 0, 0, { 8 * 60, 20 * 60 }, 2, greenwich, "2026-01-01 08:00",
			"2026-01-01 20:00" },
		{ EVERY_DAY, 0, 0, 0, { 8 * 60, 20 * 60 }, 2, greenwich, "2026-01-01 20:00",
			"2026-01-02 08:00" },
		{ 1, 0, 0, 0, { 24 * 60 }, 1, greenwich, "2026-11-23 10:00", "2026-11-24 00:00" },
		{ 1, 0, 0, 0, { 24 * 60 }, 1, greenwich, "2026-11-24 00:00", "2026-12-01 00:00" },
		/* another day there than here */
		{ 1, 9, 9, 60, { 0 }, 0, kiribati, "2026-11-20 00:00", "2026-11-22 19:00" },
		/* nothing to fire for */
		{ 0, 0, 24, 60, { 0 }, 0, greenwich, "2026-01-01 10:30", "never" },
		{ EVERY_DAY, 0, 24, 0, { 0 }, 0, greenwich, "2026-01-01 10:30", "never" },
		/* 2:30 is not there on 29 March: when the clock jumps; as itself the day after */
		{ EVERY_DAY, 0, 0, 0, { 150 }, 1, berlin, "2026-03-28 12:00", "2026-03-29 01:00" },
		{ EVERY_DAY, 0, 0, 0, { 150 }, 1, berlin, "2026-03-29 01:00", "2026-03-30 00:30" },
		/* what the jump leaves out is one event */
		{ EVERY_DAY, 0, 24, 15, { 0 }, 0, berlin, "2026-03-29 00:45", "2026-03-29 01:00" },
		{ EVERY_DAY, 0, 24, 15, { 0 }, 0, berlin, "2026-03-29 01:00", "2026-03-29 01:15" },
		/* SCH-07: 2:30 comes twice on 25 October, and fires once */
		{ EVERY_DAY, 0, 0, 0, { 150 }, 1, berlin, "2026-10-24 12:00", "2026-10-25 00:30" },
		{ EVERY_DAY, 0, 0, 0, { 150 }, 1, berlin, "2026-10-25 00:30", "2026-10-26 01:30" },
		{ EVERY_DAY, 0, 24, 15, { 0 }, 0, berlin, "2026-10-25 00:45", "2026-10-25 02:00" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct timetable t = every(rows[i].days, rows[i].from, rows[i].to, rows[i].every);

		for (size_t k = 0; k < rows[i].at_count; k++)
			t.at_ms[t.at_count++] = rows[i].at[k] * MINUTE_MS;
		if (strcmp(text_of(timetable_next_ms(&t, utc(rows[i].after), rows[i].zone)),
			    rows[i].next) != 0)
			fail_msg("row %zu: %s, not %s", i,
				text_of(timetable_next_ms(&t, utc(rows[i].after), rows[i].zone)),
				rows[i].next);
	}
}

/* Each event of a year comes later than the one before, and none is lost but those that are not there. */
static void
test_timetable_year(void **state)
{
	struct timetable t = every(EVERY_DAY, 0, 24, 60);
	int64_t at = utc("2025-12-31 22:59"), end = utc("2026-12-31 22:59"), next;
	size_t count = 0;

	(void)state;
	while ((next = timetable_next_ms(&t, at, berlin)) <= end) {
		assert_true(next > at && next - at <= 2 * HOUR_MS);
		at = next;
		count++;
	}
	assert_int_equal(count, 365 * 24 - 1); /* March lacks one; October's second 2:00 does not count */
}

static void
test_timetable_read(void **state)
{
	static const struct span days[] = { SPAN("sun"), SPAN("mon") };
	static const struct span at[] = { SPAN("20:15"), SPAN("08:00"), SPAN("24:00") };
	struct conf_schedule s = { .days = { days, 2 }, .from = 22 * 60, .to = 60, .every_ms = 5000 };
	struct timetable t;

	(void)state;
	timetable_read(&s, &t);
	assert_int_equal(t.days, 0x41);
	assert_int_equal(t.to_ms, 25 * HOUR_MS);
	assert_int_equal(t.every_ms, 5000);
	s.at = (struct conf_list){ at, 3 };
	timetable_read(&s, &t);
	assert_int_equal(t.every_ms, 0); /* fixed times stand in place of every */
	assert_int_equal(t.at_ms[0], 8 * HOUR_MS);
	assert_int_equal(t.at_ms[1], 20 * HOUR_MS + 15 * MINUTE_MS);
	assert_int_equal(t.at_ms[2], 24 * HOUR_MS);
}

/* ---- in the course of time ---- */

static void
test_firing(void **state)
{
	struct timetable t = every(EVERY_DAY, 0, 24, 60);
	struct firing f;

	(void)state;
	firing_start(&f, &t, utc("2026-01-01 0:30"), greenwich);
	assert_false(firing_is_due(&f, &t, utc("2026-01-01 0:59"), false, false, greenwich));
	assert_true(firing_is_due(&f, &t, utc("2026-01-01 1:00"), false, false, greenwich));
	assert_false(firing_is_due(&f, &t, utc("2026-01-01 1:00"), false, false, greenwich));
	/* the machine slept: what was missed is one run */
	assert_true(firing_is_due(&f, &t, utc("2026-01-01 9:10"), false, false, greenwich));
	assert_false(firing_is_due(&f, &t, utc("2026-01-01 9:11"), false, false, greenwich));
}

static void
test_sch_07_the_clock_is_set(void **state)
{
	struct timetable t = every(EVERY_DAY, 0, 0, 0);
	struct firing f;

	(void)state;
	t.at_count = 1;
	t.at_ms[0] = 90 * MINUTE_MS;
	for (int follows = 0; follows < 2; follows++) {
		firing_start(&f, &t, utc("2026-01-01 1:00"), greenwich);
		assert_true(firing_is_due(&f, &t, utc("2026-01-01 1:30"), false, follows, greenwich));
		/* from 2:00 back to 1:00, over the event that was */
		assert_false(firing_is_due(&f, &t, utc("2026-01-01 1:00"), true, follows, greenwich));
		assert_int_equal(
			firing_is_due(&f, &t, utc("2026-01-01 1:30"), false, follows, greenwich), follows);
		assert_string_equal(text_of(f.next_ms), "2026-01-02 01:30");
		/* forward over the next one: only where the new time counts */
		assert_int_equal(
			firing_is_due(&f, &t, utc("2026-01-02 5:00"), true, follows, greenwich), follows);
		assert_string_equal(text_of(f.next_ms), "2026-01-03 01:30");
	}
	/* a clock that was wrong by years does not keep it from firing */
	firing_start(&f, &t, utc("2036-01-01 1:00"), greenwich);
	assert_true(firing_is_due(&f, &t, utc("2036-01-01 1:30"), false, false, greenwich));
	assert_false(firing_is_due(&f, &t, utc("2026-01-01 1:00"), true, false, greenwich));
	assert_true(firing_is_due(&f, &t, utc("2026-01-01 1:30"), false, false, greenwich));
}

/* ---- links ---- */

static const struct link_ways all_ways = { true, true, true, 3, 60000, 60000 };
static const struct link_ways no_status = { false, true, true, 1, 60000, 60000 };

static void
check_steps(const struct link_ways *ways, const int *steps, size_t count)
{
	struct link l = { 0 };
	int64_t now_ms = 1000000;

	for (size_t i = 0; i < count; i++) {
		int act = (int)link_step(&l, ways, (enum link_event)steps[2 * i], now_ms);

		if (act != steps[2 * i + 1])
			fail_msg("step %zu: %d, not %d", i, act, steps[2 * i + 1]);
		now_ms += 1000;
	}
}
#define CHECK_STEPS(ways, ...)                                                                     \
	do {                                                                                       \
		static const int steps[] = { __VA_ARGS__ };                                        \
		check_steps(&(ways), steps, sizeof(steps) / sizeof(*steps) / 2);                   \
	} while (0)

static void
test_con_05_up_and_down(void **state)
{
	(void)state;
	CHECK_STEPS(no_status, LINK_START, LINK_RUN_UP, LINK_YES, LINK_IS_UP, LINK_TIME, LINK_NOTHING,
		LINK_STOP, LINK_RUN_DOWN, LINK_YES, LINK_IS_DOWN, LINK_START, LINK_RUN_UP);
	/* `down` that fails: it is down for us all the same */
	CHECK_STEPS(no_status, LINK_START, LINK_RUN_UP, LINK_YES, LINK_IS_UP, LINK_STOP, LINK_RUN_DOWN,
		LINK_NO, LINK_IS_DOWN);
	/* the status says when it is up */
	CHECK_STEPS(all_ways, LINK_START, LINK_ASK, LINK_NO, LINK_RUN_UP, LINK_YES, LINK_ASK, LINK_NO,
		LINK_WAIT, LINK_TIME, LINK_ASK, LINK_YES, LINK_IS_UP);
}

static void
test_con_06_retries(void **state)
{
	struct link_ways quick = all_ways;

	(void)state;
	CHECK_STEPS(all_ways, LINK_START, LINK_ASK, LINK_NO, LINK_RUN_UP, LINK_NO, LINK_WAIT, LINK_TIME,
		LINK_RUN_UP, LINK_NO, LINK_WAIT, LINK_TIME, LINK_RUN_UP, LINK_NO, LINK_FAILED);
	CHECK_STEPS(no_status, LINK_START, LINK_RUN_UP, LINK_NO, LINK_FAILED);
	/* up said yes, the status no until time was over: it is taken down before the next try */
	quick.timeout_ms = 3000;
	CHECK_STEPS(quick, LINK_START, LINK_ASK, LINK_NO, LINK_RUN_UP, LINK_YES, LINK_ASK, LINK_NO,
		LINK_WAIT, LINK_TIME, LINK_ASK, LINK_NO, LINK_RUN_DOWN, LINK_YES, LINK_WAIT);
}

static void
test_con_07_already_up(void **state)
{
	(void)state;
	CHECK_STEPS(all_ways, LINK_START, LINK_ASK, LINK_YES, LINK_IS_UP, LINK_STOP, LINK_IS_DOWN);
}

static void
test_con_12_stopped_while_it_comes_up(void **state)
{
	(void)state;
	CHECK_STEPS(all_ways, LINK_START, LINK_ASK, LINK_STOP, LINK_NOTHING, LINK_NO, LINK_FAILED);
	CHECK_STEPS(all_ways, LINK_START, LINK_ASK, LINK_NO, LINK_RUN_UP, LINK_STOP, LINK_NOTHING,
		LINK_YES, LINK_RUN_DOWN, LINK_YES, LINK_FAILED);
	CHECK_STEPS(all_ways, LINK_START, LINK_ASK, LINK_NO, LINK_RUN_UP, LINK_NO, LINK_WAIT, LINK_STOP,
		LINK_FAILED, LINK_TIME, LINK_NOTHING);
}

static void
test_con_14_who_is_told(void **state)
{
	struct link_failures f = { 0 };
	static const struct {
		int day; /* 0: a success */
		bool told;
	} rows[] = {
		{ 5, false }, { 5, false }, { 5, false }, { 5, true }, { 5, false }, /* the fourth */
		{ 0, false }, { 5, false }, { 5, false }, { 5, false }, { 5, true }, /* again */
		{ 5, false }, { 6, true }, { 6, false }, { 7, true }, /* once a day */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].day == 0)
			link_failures_clear(&f);
		else if (link_failures_add(&f, rows[i].day) != rows[i].told)
			fail_msg("row %zu", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sch_02_weekdays_nine_to_five),
		cmocka_unit_test(test_timetable_next),
		cmocka_unit_test(test_timetable_year),
		cmocka_unit_test(test_timetable_read),
		cmocka_unit_test(test_firing),
		cmocka_unit_test(test_sch_07_the_clock_is_set),
		cmocka_unit_test(test_con_05_up_and_down),
		cmocka_unit_test(test_con_06_retries),
		cmocka_unit_test(test_con_07_already_up),
		cmocka_unit_test(test_con_12_stopped_while_it_comes_up),
		cmocka_unit_test(test_con_14_who_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
