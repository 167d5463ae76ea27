/*
 * test_forward_server.c - [user:password@]host[:port], and the routes of store and forward (SNF-02, Q-74).
 */
#include "tests/unit/test_proto.h"

#include "proto/mail/forward_server.h"

static const struct {
	const char *text;
	enum err err;
	const char *host, *account, *password; /* password NULL: none was given */
	uint16_t port;
	const char *shown;
} rows[] = {
	{ "mail.main.test", OK, "mail.main.test", "", NULL, 25, "mail.main.test:25" },
	{ "192.0.2.1:2525", OK, "192.0.2.1", "", NULL, 2525, "192.0.2.1:2525" },
	{ "[2001:db8::1]", OK, "2001:db8::1", "", NULL, 25, "[2001:db8::1]:25" },
	{ "u:p@host:2525", OK, "host", "u", "p", 2525, "u@host:2525" },
	{ "u@host", OK, "host", "u", NULL, 25, "u@host:25" },
	{ "u:@host", OK, "host", "u", "", 25, "u@host:25" },
	{ "anna@main.test:p@ss:w@HOST.test", OK, "HOST.test", "anna@main.test", "p@ss:w", 25,
		"anna@main.test@host.test:25" },
	{ "u:p w@[2001:db8::1]:26", OK, "2001:db8::1", "u", "p w", 26, "u@[2001:db8::1]:26" },
	{ "", ERR_SYNTAX, NULL, NULL, NULL, 0, NULL },
	{ "u:p@", ERR_SYNTAX, NULL, NULL, NULL, 0, NULL },
	{ ":p@host", ERR_SYNTAX, NULL, NULL, NULL, 0, NULL },
	{ "@host", ERR_SYNTAX, NULL, NULL, NULL, 0, NULL },
	{ "host:0", ERR_SYNTAX, NULL, NULL, NULL, 0, NULL },
	{ "host:65536", ERR_SYNTAX, NULL, NULL, NULL, 0, NULL },
	{ "host:", ERR_SYNTAX, NULL, NULL, NULL, 0, NULL },
	{ "u:p\001@host", ERR_SYNTAX, NULL, NULL, NULL, 0, NULL },
	{ "ho st", ERR_SYNTAX, NULL, NULL, NULL, 0, NULL },
};

static void
test_snf_02_servers(void **state)
{
	struct forward_server server;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum err err = forward_server_parse(at_page_edge(span_of(rows[i].text)), &server);

		check_row(i, err == rows[i].err);
		if (err != OK || rows[i].err != OK)
			continue;
		check_row(i, span_eq(server.target.host, span_of(rows[i].host)));
		check_row(i, span_eq(server.account, span_of(rows[i].account)));
		check_row(i, (server.password.ptr != NULL) == (rows[i].password != NULL));
		if (rows[i].password)
			check_row(i, span_eq(server.password, span_of(rows[i].password)));
		check_row(i, server.target.port == rows[i].port);
		check_row(i, span_eq(forward_server_format(&a, &server), span_of(rows[i].shown)));
	}
	arena_reset(&a);
}

static void
test_snf_02_too_long(void **state)
{
	struct forward_server server;
	char text[FORWARD_ACCOUNT_MAX + 20];

	(void)state;
	memset(text, 'u', sizeof(text));
	memcpy(text + FORWARD_ACCOUNT_MAX + 1, "@host", 5);
	assert_int_equal(
		forward_server_parse((struct span){ text, FORWARD_ACCOUNT_MAX + 6 }, &server), ERR_LIMIT);
	memcpy(text + FORWARD_ACCOUNT_MAX, "@host", 5);
	assert_int_equal(
		forward_server_parse((struct span){ text, FORWARD_ACCOUNT_MAX + 5 }, &server), OK);
}

static void
test_forward_routes(void **state)
{
	uint64_t user_id;

	(void)state;
	assert_true(forward_route_take(SPAN("snf:17"), &user_id));
	assert_int_equal(user_id, 17);
	assert_false(forward_route_take(SPAN("snf:"), &user_id));
	assert_false(forward_route_take(SPAN("snf:17x"), &user_id));
	assert_false(forward_route_take(SPAN("lan:17"), &user_id));
	assert_true(route_is_lan(SPAN("snf:17")));
	assert_true(route_is_lan(SPAN("LAN:host:25")));
	assert_false(route_is_lan(SPAN("isp")));
}

int
test_forward_server(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_snf_02_servers),
		cmocka_unit_test(test_snf_02_too_long),
		cmocka_unit_test(test_forward_routes),
	};

	return cmocka_run_group_tests_name("forward_server", tests, NULL, NULL);
}
