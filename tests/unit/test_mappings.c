/*
 * test_mappings.c - patterns, look-up, conditions, limits.
 */
#include "tests/unit/directory_fixture.h"

#include "store/mappings.h"

#include <stdio.h>

static void
test_mappings_map_02_forms(void **state)
{
	static const struct {
		const char *pattern;
		enum err err;
	} rows[] = {
		{ "sales", OK },
		{ "sales@example.org", OK },
		{ "*@*.example.org", OK },
		{ "~@example.org", OK },
		{ "~@*.example.org", ERR_SYNTAX },
		{ "~x@example.org", ERR_SYNTAX },
		{ "~", ERR_SYNTAX },
		{ "", ERR_SYNTAX },
		{ "@example.org", ERR_SYNTAX },
		{ "sales@", ERR_SYNTAX },
		{ "a@b@c", ERR_SYNTAX },
		{ "a b", ERR_SYNTAX },
		{ "a\r\nb", ERR_SYNTAX },
		{ "a;b", ERR_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (mapping_pattern_check(span_of(rows[i].pattern)) != rows[i].err)
			fail_msg("row %zu: %s", i, rows[i].pattern);
	}
}

/* The same rows against the pure function and against the store. */
static const struct {
	const char *pattern, *local_part, *domain;
	bool valid, matches;
} match_rows[] = {
	{ "FRED@Company.com", "fred", "company.com", true, true },
	{ "FRED@Company.com", "fred", "company.com", false, true },
	{ "fred", "Fred", "anything.test", true, true },
	{ "fred", "fred", "foreign.test", false, false },
	{ "*@*.company.com", "x", "sub.company.com", true, true },
	{ "*@*.company.com", "x", "company.com", true, false },
	{ "Fred.???@company.com", "Fred.ab", "company.com", true, false },
	{ "Fred.???@company.com", "fred.abc", "company.com", true, true },
	{ "fr*", "freddy", "company.com", true, true },
	{ "fr*", "freddy", "company.com", false, false },
	{ "fr*", "bert", "company.com", true, false },
	{ "s?les", "sales", "company.com", true, true },
	{ "s?les", "sles", "company.com", true, false },
	{ "fred@company.com", "fred", "company.net", true, false },
};

static void
test_mappings_map_03_wildcards(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(match_rows); i++) {
		bool got = mapping_pattern_matches(span_of(match_rows[i].pattern),
			span_of(match_rows[i].local_part), span_of(match_rows[i].domain),
			match_rows[i].valid);

		if (got != match_rows[i].matches)
			fail_msg("row %zu: %s", i, match_rows[i].pattern);
	}
}

struct map_arg {
	struct mapping m;
	uint64_t id;
};

static enum err
add_mapping(struct txn *txn, void *arg)
{
	struct map_arg *a = arg;

	return mapping_add(txn, &a->m, FIXTURE_NOW, &a->id);
}

static enum err
set_mapping(struct txn *txn, void *arg)
{
	struct map_arg *a = arg;

	a->m.mapping_id = a->id;
	return mapping_set(txn, &a->m, FIXTURE_NOW);
}

static enum err
remove_mapping(struct txn *txn, void *arg)
{
	return mapping_remove(txn, ((struct map_arg *)arg)->id);
}

static uint64_t
add(struct fixture *f, const char *pattern, const char *target, enum mapping_when when)
{
	struct map_arg a = { .m = { .pattern = span_of(pattern),
				     .target = span_of(target),
				     .when = (uint8_t)when } };

	assert_int_equal(run(f, add_mapping, &a), OK);
	return a.id;
}

struct seen {
	char text[400];
};

static enum err
see(void *arg, const struct mapping *m)
{
	struct seen *seen = arg;
	size_t len = strlen(seen->text);

	snprintf(seen->text + len, sizeof(seen->text) - len, "%.*s ", SPAN_FMT(m->target));
	return OK;
}

static const char *
match(struct fixture *f, const char *local_part, const char *domain, enum mapping_when from)
{
	static struct seen seen;
	struct mapping_query query = { .local_part = span_of(local_part),
		.domain = span_of(domain),
		.domain_is_valid = true,
		.from = from,
		.collect = SPAN("isp") };

	seen.text[0] = '\0';
	assert_int_equal(mapping_each_match(look(f), &query, see, &seen), OK);
	return seen.text;
}

static void
test_mappings_map_04_all_that_match(void **state)
{
	struct fixture *f = *state;

	add(f, "sales", "anna", MAPPING_ALWAYS);
	add(f, "Sales@Example.org", "bert", MAPPING_ALWAYS);
	add(f, "s*@*.org", "carl", MAPPING_ALWAYS);
	add(f, "~@example.org", "rest", MAPPING_ALWAYS);
	fixture_reopen(f);
	assert_string_equal(match(f, "SALES", "example.ORG", MAPPING_SMTP), "bert anna carl ");
	assert_string_equal(match(f, "sales", "example.net", MAPPING_SMTP), "anna ");
	assert_string_equal(match(f, "other", "example.org", MAPPING_SMTP), "");
}

static void
test_mappings_map_05_catch_all_is_asked_apart(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { "" };
	struct mapping_query query = { .domain = SPAN("EXAMPLE.org"), .from = MAPPING_SMTP };

	add(f, "~@example.org", "rest", MAPPING_ALWAYS);
	add(f, "~@example.net", "other", MAPPING_ALWAYS);
	add(f, "~@example.org", "pop", MAPPING_POP3);
	assert_int_equal(mapping_each_catch_all(look(f), &query, see, &seen), OK);
	assert_string_equal(seen.text, "rest ");
}

static void
test_mappings_map_07_to_10_conditions(void **state)
{
	struct fixture *f = *state;
	struct map_arg bound = { .m = { .pattern = SPAN("x"), .target = SPAN("bound"),
					 .when = MAPPING_POP3, .collect = SPAN("ISP") } };
	struct map_arg other = bound;

	other.m.target = SPAN("elsewhere");
	other.m.collect = SPAN("second");
	add(f, "x", "always", MAPPING_ALWAYS);
	add(f, "x", "pop3", MAPPING_POP3);
	add(f, "x", "smtp", MAPPING_SMTP);
	add(f, "x", "sender", MAPPING_SENDER);
	assert_int_equal(run(f, add_mapping, &bound), OK);
	assert_int_equal(run(f, add_mapping, &other), OK);
	assert_string_equal(match(f, "x", "a.test", MAPPING_POP3), "always pop3 bound ");
	assert_string_equal(match(f, "x", "a.test", MAPPING_SMTP), "always smtp ");
	assert_string_equal(match(f, "x", "a.test", MAPPING_SENDER), "sender ");
	assert_string_equal(match(f, "x", "a.test", MAPPING_ALWAYS), "always ");
}

static void
test_mappings_map_01_limits(void **state)
{
	static char comment[82], pattern[322];
	struct fixture *f = *state;
	struct map_arg a = { .m = { .pattern = SPAN("x"), .target = SPAN("y") } };

	memset(comment, 'c', 81);
	memset(pattern, 'p', 321);
	a.m.comment = (struct span){ comment, 81 };
	assert_int_equal(run(f, add_mapping, &a), ERR_LIMIT);
	a.m.comment.len = 80;
	assert_int_equal(run(f, add_mapping, &a), OK);
	assert_int_equal(run(f, add_mapping, &a), ERR_EXISTS);
	a.m.pattern = (struct span){ pattern, 321 };
	assert_int_equal(run(f, add_mapping, &a), ERR_LIMIT);
	a.m.pattern.len = 320;
	assert_int_equal(run(f, add_mapping, &a), OK);
	a.m.target = SPAN_NONE;
	assert_int_equal(run(f, add_mapping, &a), ERR_SYNTAX);
	a.m.target = SPAN("two\nlines");
	assert_int_equal(run(f, add_mapping, &a), ERR_SYNTAX);
}

static void
test_mappings_set_moves_the_index(void **state)
{
	struct fixture *f = *state;
	struct map_arg a = { .m = { .pattern = SPAN("old"), .target = SPAN("anna") } };
	struct mapping_counts counts;
	struct mapping m;
	unsigned lines;

	assert_int_equal(run(f, add_mapping, &a), OK);
	a.m.pattern = SPAN("new*");
	assert_int_equal(run(f, set_mapping, &a), OK);
	assert_string_equal(match(f, "old", "a.test", MAPPING_SMTP), "");
	assert_string_equal(match(f, "newer", "a.test", MAPPING_SMTP), "anna ");
	assert_int_equal(mapping_count(look(f), &counts), OK);
	assert_int_equal(counts.wildcards, 1);
	a.m.pattern = SPAN("plain");
	assert_int_equal(run(f, set_mapping, &a), OK);
	assert_int_equal(mapping_count(look(f), &counts), OK);
	assert_int_equal(counts.wildcards, 0);
	assert_int_equal(counts.total, 1);
	assert_int_equal(mapping_next(f->snap, 0, &m), OK);
	assert_int_equal(m.mapping_id, a.id);
	assert_int_equal(mapping_prev(f->snap, 0, &m), OK);
	assert_int_equal(mapping_next(f->snap, a.id, &m), ERR_NOT_FOUND);
	assert_int_equal(run(f, remove_mapping, &a), OK);
	assert_int_equal(run(f, remove_mapping, &a), ERR_NOT_FOUND);
	assert_string_equal(match(f, "plain", "a.test", MAPPING_SMTP), "");
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
}

int
test_mappings(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mappings_map_02_forms),
		cmocka_unit_test(test_mappings_map_03_wildcards),
		T(test_mappings_map_04_all_that_match),
		T(test_mappings_map_05_catch_all_is_asked_apart),
		T(test_mappings_map_07_to_10_conditions),
		T(test_mappings_map_01_limits),
		T(test_mappings_set_moves_the_index),
	};
#undef T
	return cmocka_run_group_tests_name("mappings", tests, NULL, NULL);
}
