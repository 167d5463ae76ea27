/*
 * test_sasl.c - PLAIN and LOGIN, whole, cut and malformed (H67).
 */
#include "proto/sasl/sasl.h"
#include "tests/unit/test_proto.h"

static void
test_sasl_h67_plain_two_nuls(void **state)
{
	static const struct {
		struct span message;
		enum err want;
	} rows[] = {
#define ROW(text, want) {{(text), sizeof(text) - 1}, (want)}
		ROW("\0anna\0secret", OK),
		ROW("bo\0anna\0two words", OK),
		ROW("anna\0secret", ERR_SYNTAX),
		ROW("\0anna\0sec\0ret", ERR_SYNTAX),
		ROW("\0anna\0secret\0", ERR_SYNTAX),
		ROW("\0\0secret", ERR_SYNTAX),
		ROW("\0anna\0", ERR_SYNTAX),
		ROW("\0anna", ERR_SYNTAX),
		ROW("", ERR_SYNTAX),
		ROW("\0anna\0\xff", ERR_SYNTAX),
#undef ROW
	};
	struct sasl_login login;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(
			i, sasl_plain_parse(at_page_edge(rows[i].message), &login) == rows[i].want);
}

static void
test_sasl_plain_limits(void **state)
{
	struct sasl_login login;
	char message[600];

	(void)state;
	for (size_t extra = 0; extra <= 2; extra++) {
		size_t len = SASL_PASSWORD_MAX - 1 + extra;

		memset(message, 'x', sizeof(message));
		memcpy(message, "\0a", 3);
		assert_int_equal(
			sasl_plain_parse(at_page_edge((struct span){message, 3 + len}), &login),
			extra > 1 ? ERR_LIMIT : OK);
	}
}

static void
test_sasl_login_two_steps(void **state)
{
	struct sasl_login login;
	struct span challenge;
	struct sasl s;
	enum err why;

	(void)state;
	sasl_init(&s, sasl_find(SPAN("login")));
	assert_int_equal(sasl_take(&s, SPAN_NONE, &challenge, &login, &why), PARSE_MORE);
	check_span(0, challenge, SPAN("VXNlcm5hbWU6"));
	assert_int_equal(sasl_take(&s, SPAN("YW5uYQ=="), &challenge, &login, &why), PARSE_MORE);
	check_span(1, challenge, SPAN("UGFzc3dvcmQ6"));
	assert_int_equal(sasl_take(&s, SPAN("c2VjcmV0"), &challenge, &login, &why), PARSE_DONE);
	check_span(2, login.name, SPAN("anna"));
	check_span(3, login.password, SPAN("secret"));
	sasl_fini(&s);
	assert_null(s.secret.bytes); /* H66 */
}

static void
test_sasl_bad_responses(void **state)
{
	static const struct {
		struct span response;
		enum err why;
	} rows[] = {
		{{"*", 1}, ERR_DENIED},
		{{"=", 1}, ERR_SYNTAX},
		{{"", 0}, ERR_SYNTAX},
		{{"AGE", 3}, ERR_SYNTAX},
		{{"AGFubmEAc2VjcmV0=", 17}, ERR_SYNTAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sasl_login login;
		struct span challenge;
		struct sasl s;
		enum err why = OK;

		sasl_init(&s, SASL_PLAIN);
		check_row(i, sasl_take(&s, at_page_edge(rows[i].response), &challenge, &login,
				     &why) == PARSE_BAD);
		check_row(i, why == rows[i].why);
		sasl_fini(&s);
	}
	assert_int_equal(sasl_find(SPAN("CRAM-MD5")), SASL_NONE);
}

int
test_sasl(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sasl_h67_plain_two_nuls),
		cmocka_unit_test(test_sasl_plain_limits),
		cmocka_unit_test(test_sasl_login_two_steps),
		cmocka_unit_test(test_sasl_bad_responses),
	};

	return cmocka_run_group_tests_name("sasl", tests, NULL, NULL);
}
