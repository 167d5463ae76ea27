/*
 * test_rule_speed.c - very many rules, and what is made to be slow for a few (H25, H75).
 */
#include "tests/unit/test_conf.h"

#include <string.h>
#include <time.h>

#include "conf/rule_match.h"

static double
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
make_many(struct buf *text, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(buf_printf(text, "*rule %u that says no to one sender only\n"
			"Subject: *win %u times*\nFrom: *user%u@many%u.example.test*\n", i, i, i, i), OK);
}

/* 100,000 rules, 10 MB: read in one pass, asked in step with their number; one more is refused with its line. */
static void
test_rules_many_h75(void **state)
{
	struct rule_facts facts = { .stage = 3, .has_size = true, .size = 5000, .day = 1 };
	struct conf_faults faults;
	struct rule_header header;
	struct rule_answer answer;
	struct rule_set set;
	struct arena a;
	struct buf text;
	double began;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&text, RULE_TEXT_MAX);
	make_many(&text, 90000);
	while (buf_span(&text).len < RULE_TEXT_MAX - 200 && buf_put(&text, SPAN("# more and more of the same\n")) == OK)
		continue;
	conf_faults_init(&faults);
	began = cpu_ms();
	assert_int_equal(rule_text_parse(buf_span(&text), RULES_OF_SMTP, &a, &set, &faults), OK);
	print_message("# %zu rules, %zu bytes: read in %.0f ms\n", set.count, text.len, cpu_ms() - began);
	assert_int_equal(set.count, 90000);
	test_rules_header(&a, &set, "Subject: we win the game, and this is a longer one than most\n"
		"From: Somebody <user@many89999.example.test>\n", &header);
	facts.header = &header;
	began = cpu_ms();
	assert_int_equal(rule_set_ask(&set, &facts, &answer), OK);
	print_message("# asked in %.2f ms\n", cpu_ms() - began);
	assert_null(answer.rule);
	assert_int_equal(answer.asked, 90000);
	arena_reset(&a);
	buf_clear(&text);
	for (unsigned i = 0; i <= RULES_MAX; i++)
		assert_int_equal(buf_put(&text, SPAN("*\nSize: 1\n")), OK);
	assert_int_equal(rule_text_parse(buf_span(&text), RULES_OF_SMTP, &a, &set, &faults), ERR_LIMIT);
	assert_int_equal(faults.errors, 1);
	conf_faults_fini(&faults);
	buf_fini(&text);
	arena_reset(&a);
}

/* The rules of TEXT are given up at a header with COUNT subjects, each "abb" and 60,000 letters "a" behind it. */
static void
check_given_up(struct arena *a, const char *text, unsigned count)
{
	static char value[60000];
	struct rule_facts facts = { .stage = 3, .has_size = true };
	struct rule_header header;
	struct rule_answer answer;
	struct rule_set set;

	test_rules_parse(a, text, RULES_OF_SMTP, &set);
	memset(value, 'a', sizeof(value));
	memcpy(value, "abb", 3); /* each pair of the patterns is in it */
	rule_header_init(&header, a, &set);
	for (unsigned i = 0; i < count; i++)
		rule_header_add(&header, a, &set, SPAN("Subject"), (struct span){ value, sizeof(value) }, SPAN_NONE);
	facts.header = &header;
	assert_int_equal(rule_set_ask(&set, &facts, &answer), ERR_LIMIT);
	assert_null(answer.rule);
}

/* A header made to be slow costs no more than the limit; it says so. */
static void
test_rules_slow_header_h75_h25(void **state)
{
	struct arena a;
	struct buf text;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&text, RULE_TEXT_MAX);
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(buf_printf(&text, "*r%u\nSubject: *a*a*a*a*a*a*aab*\n", i), OK);
	check_given_up(&a, arena_text(&a, buf_span(&text)), 1);
	buf_fini(&text);
	arena_reset(&a);
}

/* Nor does one rule alone: a long header, and a text that is laid against each byte of it. */
static void
test_rules_slow_rule_h75_h25(void **state)
{
	struct arena a;
	char letters[401];

	(void)state;
	memset(letters, 'a', sizeof(letters) - 1);
	letters[sizeof(letters) - 1] = '\0';
	arena_init(&a, NULL);
	check_given_up(&a, arena_text(&a, arena_printf(&a, "*r\nSubject: *?%sb*\n", letters)), 17); /* 1 MiB */
	arena_reset(&a);
}

int
test_rule_speed(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_many_h75),
		cmocka_unit_test(test_rules_slow_header_h75_h25),
		cmocka_unit_test(test_rules_slow_rule_h75_h25),
	};

	return cmocka_run_group_tests_name("rule_speed", tests, NULL, NULL);
}
