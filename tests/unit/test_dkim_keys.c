/*
 * test_dkim_keys.c - keys that sign: their states by the clock, their order, their limits, undo.
 */
#include "tests/unit/directory_fixture.h"

#include <string.h>

#include "store/changes.h"
#include "store/dkim_keys.h"

struct arg {
	struct dkim_key key;
	bool removes;
	uint64_t change_id;
};

static enum err
change(struct txn *txn, void *arg)
{
	struct change_start start = { .who = SPAN("test"), .what = SPAN("dkim"), .now_ms = 1 };
	struct change_recorder recorder;
	struct arg *a = arg;
	enum err err = change_begin(&recorder, txn, &start), ended;

	a->change_id = recorder.change_id;
	if (err == OK)
		err = a->removes ? dkim_key_remove(txn, a->key.domain, a->key.selector)
				 : dkim_key_put(txn, &a->key);
	ended = change_end(&recorder);
	return err == OK ? ended : err;
}

static enum err
undo(struct txn *txn, void *arg)
{
	struct change_start start = { .who = SPAN("test"), .what = SPAN("undo"), .now_ms = 2 };
	struct arg *a = arg;
	uint64_t undo_id;

	return change_undo(txn, a->change_id, &start, NULL, &undo_id);
}

static struct dkim_key
key_of(const char *domain, const char *selector)
{
	return (struct dkim_key){ .domain = span_of(domain), .selector = span_of(selector),
		.algorithm = 1, .bits = 256, .public = SPAN("public"), .sealed = SPAN("sealed"),
		.made_ms = 1 };
}

static void
test_dkim_key_states(void **state)
{
	static const struct {
		int64_t from_ms, until_ms, now_ms;
		enum dkim_key_state want;
	} rows[] = {
		{ 0, 0, 1000, DKIM_KEY_WAITS },
		{ 500, 0, 499, DKIM_KEY_WAITS },
		{ 500, 0, 500, DKIM_KEY_SIGNS },
		{ 500, 900, 899, DKIM_KEY_SIGNS },
		{ 500, 900, 900, DKIM_KEY_RETIRED },
		{ 0, 900, 1000, DKIM_KEY_RETIRED }, /* never used, and put away */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dkim_key key = { .from_ms = rows[i].from_ms, .until_ms = rows[i].until_ms };

		assert_int_equal(dkim_key_state(&key, rows[i].now_ms), rows[i].want);
	}
}

/* By domain, then selector; a domain's own keys end where the next domain begins. */
static void
test_dkim_key_rows(void **state)
{
	static const char *const rows[][2] = { { "b.test", "s1" }, { "a.test", "z" },
		{ "b.test", "s0" }, { "b.test.example", "a" } };
	struct fixture *f = *state;
	struct dkim_key at = { .algorithm = 0 };
	char name[DKIM_KEY_NAME_SIZE];
	struct snapshot *snap;
	struct arg a;

	for (size_t i = 0; i < COUNT(rows); i++) {
		a = (struct arg){ .key = key_of(rows[i][0], rows[i][1]) };
		assert_int_equal(run(f, change, &a), OK);
	}
	snap = look(f);
	assert_int_equal(dkim_key_next(snap, &at), OK);
	assert_true(span_eq(at.domain, SPAN("a.test")));
	at = (struct dkim_key){ .algorithm = 0 };
	assert_int_equal(dkim_key_next_of(snap, SPAN("b.test"), &at), OK);
	assert_true(span_eq(at.selector, SPAN("s0")));
	assert_true(span_eq(dkim_key_name(&at, name), SPAN("dkim/b.test/s0")));
	assert_int_equal(dkim_key_next_of(snap, SPAN("b.test"), &at), OK);
	assert_true(span_eq(at.selector, SPAN("s1")) && span_eq(at.sealed, SPAN("sealed")));
	assert_int_equal(dkim_key_next_of(snap, SPAN("b.test"), &at), ERR_NOT_FOUND);

	a = (struct arg){ .key = key_of("b.test", "s1"), .removes = true };
	assert_int_equal(run(f, change, &a), OK);
	assert_int_equal(dkim_key_find(look(f), SPAN("b.test"), SPAN("s1"), &at), ERR_NOT_FOUND);
	assert_int_equal(run(f, undo, &a), OK);
	assert_int_equal(dkim_key_find(look(f), SPAN("b.test"), SPAN("s1"), &at), OK);
	assert_true(span_eq(at.sealed, SPAN("sealed")) && at.bits == 256);
}

static void
test_dkim_key_limits(void **state)
{
	static char long_text[DKIM_KEY_SEALED_MAX + 2];
	struct fixture *f = *state;
	struct arg a = { .key = key_of("a.test", "s") };

	memset(long_text, 'a', sizeof(long_text) - 1);
	a.key.sealed = span_of(long_text);
	assert_int_equal(run(f, change, &a), ERR_LIMIT);
	a.key = key_of("a.test", "s");
	a.key.selector = (struct span){ long_text, DKIM_KEY_SELECTOR_MAX + 1 };
	assert_int_equal(run(f, change, &a), ERR_LIMIT);
	a.key = key_of("a.test", "s");
	a.key.domain = (struct span){ long_text, DKIM_KEY_DOMAIN_MAX + 1 };
	assert_int_equal(run(f, change, &a), ERR_LIMIT);
	a = (struct arg){ .key = key_of("a.test", "s"), .removes = true };
	assert_int_equal(run(f, change, &a), ERR_NOT_FOUND);
}

int
test_dkim_keys(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dkim_key_states),
		cmocka_unit_test_setup_teardown(test_dkim_key_rows, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_dkim_key_limits, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("dkim keys", tests, NULL, NULL);
}
