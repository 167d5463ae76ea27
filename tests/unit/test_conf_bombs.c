/*
 * test_conf_bombs.c - texts that are made to cost time or memory, and the limits that end them.
 */
#include "tests/unit/test_conf.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Sanitizers make everything slower; the bound is meant for the plain build. */
#ifdef __SANITIZE_ADDRESS__
#define TIME_FACTOR 20
#else
#define TIME_FACTOR 1
#endif

static double
load_seconds(struct span text, char *faults, size_t size)
{
	struct timespec from, to;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	test_conf_faults(text, faults, size);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Seconds of row I: the first are refused within a few levels, the others are read to their end. */
static double
most(size_t i)
{
	return (i < 6 ? 0.1 : 2) * TIME_FACTOR;
}

/* Each a piece of text, repeated up to 1 MiB; all must be refused, and soon. */
static void
test_load_bombs_h60(void **state)
{
	static const struct {
		const char *head, *piece;
		size_t size;
		const char *place; /* what the first fault begins with */
	} rows[] = {
		{ "", "[", 100000, ":1:17: nested too deep" },
		{ "", "{", 100000, ":1:2: a key must be a word" },
		{ "", "- ", 100000, ":1:33: nested too deep" },
		{ "", "? ", 100000, ":1:3: a key must be a word" },
		{ "", "[[],", 100000, ":1:" },
		{ "", "a: [", 100000, ":1:" },
		{ "log: &a [x]\nx: [", "*a,", 100000, ":1:6: anchors are not allowed" },
		{ "", "loops: 1\n", 100000, ":2:1: loops: duplicate key" },
		{ "domains: { local: [", "a,", 200000, ":1:100010: too many values" },
		{ "", "a\n\n", 100000, ":1:1:" },
		{ "x: '", "''", CONF_FILE_MAX - 5, ":" },
		{ "", " ", CONF_FILE_MAX + 1, ":1:1: longer than 1048576 bytes" },
	};
	static char got[60000];
	char *text = malloc(CONF_FILE_MAX + 100);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i].head), step = strlen(rows[i].piece);
		double seconds;

		memcpy(text, rows[i].head, len);
		for (; len + step <= rows[i].size; len += step)
			memcpy(text + len, rows[i].piece, step);
		seconds = load_seconds((struct span){ text, len }, got, sizeof(got));
		for (int tries = 0; tries < 10 && seconds > most(i); tries++) /* the machine may be busy */
			seconds = load_seconds((struct span){ text, len }, got, sizeof(got));
		if (strncmp(got, rows[i].place, strlen(rows[i].place)) != 0)
			fail_msg("row %zu: got %.200s", i, got);
		if (seconds > most(i))
			fail_msg("row %zu: %.1f ms", i, seconds * 1000);
	}
	free(text);
}

static void
test_load_keys_and_items_have_a_limit_h60(void **state)
{
	static char text[CONF_KEYS_MAX * 16], got[60000];
	size_t len = 0;

	(void)state;
	for (int i = 0; i <= CONF_KEYS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "k%d: 1\n", i);
	(void)load_seconds((struct span){ text, len }, got, sizeof(got));
	assert_non_null(strstr(got, ":1001:1: too many keys"));
	len = (size_t)snprintf(text, sizeof(text), "schedules: [");
	while (len < 6000)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "{},");
	text[len - 1] = ']';
	(void)load_seconds((struct span){ text, len }, got, sizeof(got));
	assert_non_null(strstr(got, ":1:12: schedules: takes "));
}

int
test_conf_bombs(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_bombs_h60),
		cmocka_unit_test(test_load_keys_and_items_have_a_limit_h60),
	};

	return cmocka_run_group_tests_name("conf_bombs", tests, NULL, NULL);
}
