/*
 * test_net_tokens.c - what a program that gives tokens may print (RFC 6749, 5.1).
 */
#include "tests/unit/test_net.h"

#include "server/runner/tokens.h"

static void
test_token_read_json_or_a_line_rfc6749(void **state)
{
	static const struct {
		const char *text, *token; /* NULL: none */
		int64_t life_ms;
	} rows_read[] = {
		{ "ya29.a-b_c~d+e/f==\n", "ya29.a-b_c~d+e/f==", 0 },
		{ "\r\n  abc  \r\n", "abc", 0 },
		{ "{\"access_token\":\"abc\",\"expires_in\":3599}", "abc", 3599000 },
		{ "{\n \"expires_in\": \"60\",\n \"access_token\": \"abc\"\n}\n", "abc", 60000 },
		{ "{\"access_token\":\"abc\",\"expires_in\":-1}", "abc", 0 },
		{ "{\"access_token\":\"abc\",\"expires_in\":1e99}", "abc", 0 },
		{ "{\"access_token\":\"abc\"}", "abc", 0 },
		{ "", NULL, 0 },
		{ "two words", NULL, 0 },
		{ "one\ntwo", NULL, 0 },
		{ "caf\303\251", NULL, 0 },
		{ "a\1b", NULL, 0 }, /* it would end the response before its time */
		{ "{\"access_token\":\"a\\u0001b\"}", NULL, 0 },
		{ "{\"access_token\":7}", NULL, 0 },
		{ "{\"error\":\"invalid_grant\"}", NULL, 0 },
		{ "{", NULL, 0 },
	};
	struct arena a;

	(void)state;
	for (size_t i = 0; i < COUNT(rows_read); i++) {
		struct span token;
		int64_t life_ms;
		enum err err;

		arena_init(&a, NULL);
		err = token_read(&a, span_of(rows_read[i].text), &token, &life_ms);
		if ((err == OK) != (rows_read[i].token != NULL) ||
			(err == OK && (!span_eq(token, span_of(rows_read[i].token)) ||
					      life_ms != rows_read[i].life_ms)))
			fail_msg("row %zu", i);
		arena_reset(&a);
	}
}

int
test_net_tokens(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token_read_json_or_a_line_rfc6749),
	};

	return cmocka_run_group_tests_name("tokens", tests, NULL, NULL);
}
