/*
 * test_conf_access.c - access lines, local domains, addresses to listen at.
 */
#include "tests/unit/test_conf.h"

#include "conf/conf_value.h"
#include "tests/harness/page_edge.h"

#define LINES_MAX 4

static struct access_list
parse_lines(struct arena *a, const char *const *lines)
{
	struct access_line *items = ARENA_ARRAY(a, struct access_line, LINES_MAX);
	struct access_list list = { .items = items };

	for (size_t i = 0; i < LINES_MAX && lines[i] != NULL; i++) {
		const char *why;
		bool is_line;

		assert_int_equal(access_parse(at_page_edge(span_of(lines[i])), a,
					 &items[list.count], &is_line, &why),
			OK);
		list.count += is_line;
	}
	return list;
}

static void
test_access_decide_acc01_to_acc07(void **state)
{
	static const struct {
		const char *lines[LINES_MAX];
		const char *address, *user;
		enum access_answer want;
	} rows[] = {
		{ { NULL }, "192.0.2.1", "", ACCESS_ALLOW },
		{ { "# nothing" }, "192.0.2.1", "", ACCESS_ALLOW },
		{ { "192.0.2.1" }, "192.0.2.1", "", ACCESS_ALLOW },
		{ { "192.0.2.1" }, "192.0.2.2", "", ACCESS_DENY },
		{ { "192.0.2.1" }, "2001:db8::1", "", ACCESS_DENY },
		/* ACC-01: the first that fits decides */
		{ { "!192.0.2.7", "192.0.2.0/24" }, "192.0.2.7", "", ACCESS_DENY },
		{ { "192.0.2.0/24", "!192.0.2.7" }, "192.0.2.7", "", ACCESS_ALLOW },
		/* ACC-03 */
		{ { "!192.168.17.0 255.255.255.0", "0.0.0.0 0.0.0.0" }, "192.168.17.255", "",
			ACCESS_DENY },
		{ { "!192.168.17.0 255.255.255.0", "0.0.0.0 0.0.0.0" }, "192.168.18.0", "",
			ACCESS_ALLOW },
		{ { "!192.168.17.0 255.255.255.0", "0.0.0.0 0.0.0.0" }, "192.168.16.255", "",
			ACCESS_ALLOW },
		{ { "0.0.0.0 0.0.0.0" }, "2001:db8::1", "", ACCESS_ALLOW },
		/* ACC-04 */
		{ { "192.168.1.0 255.255.255.0 fred bob" }, "192.168.1.9", "fred", ACCESS_ALLOW },
		{ { "192.168.1.0 255.255.255.0 fred bob" }, "192.168.1.9", "BOB", ACCESS_ALLOW },
		{ { "192.168.1.0 255.255.255.0 fred bob" }, "192.168.1.9", "tom", ACCESS_DENY },
		{ { "192.168.1.0 255.255.255.0 fred bob" }, "192.168.2.9", "fred", ACCESS_DENY },
		{ { "192.168.1.0 255.255.255.0 fred bob" }, "192.168.1.9", "", ACCESS_ALLOW },
		{ { "!192.168.1.0/24 tom", "192.168.1.0/24" }, "192.168.1.9", "", ACCESS_ALLOW },
		{ { "!192.168.1.0/24 tom", "192.168.1.0/24" }, "192.168.1.9", "tom", ACCESS_DENY },
		/* ACC-05 */
		{ { "10.0.0.0/8 noauth", "0.0.0.0/0" }, "10.9.9.9", "", ACCESS_ALLOW_NOAUTH },
		{ { "10.0.0.0/8 noauth", "0.0.0.0/0" }, "11.0.0.1", "", ACCESS_ALLOW },
		{ { "10.0.0.0/8 noauth anna" }, "10.9.9.9", "", ACCESS_ALLOW },
		/* ACC-07 */
		{ { "10.0.0.0/8" }, "10.255.1.2", "", ACCESS_ALLOW },
		{ { "10.0.0.0 255.0.0.0" }, "10.255.1.2", "", ACCESS_ALLOW },
		{ { "10.0.0.0 255.0.0.0" }, "11.0.0.0", "", ACCESS_DENY },
		{ { "2001:db8::/32" }, "2001:db8:ffff::1", "", ACCESS_ALLOW },
		{ { "2001:db8::/33" }, "2001:db8:8000::1", "", ACCESS_DENY },
		{ { "192.168.1.77/24 # office" }, "192.168.1.1", "", ACCESS_ALLOW },
		{ { "192.0.2.1 fred" }, "192.0.2.1", "tom", ACCESS_DENY },
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct access_list list = parse_lines(&a, rows[i].lines);
		struct in6_addr address;
		bool is_v4;

		check_row(i, access_address(at_page_edge(span_of(rows[i].address)), &address,
				     &is_v4) == OK);
		check_row(i, access_decide(list, &address, span_of(rows[i].user)).answer ==
				     rows[i].want);
	}
	arena_reset(&a);
}

static void
test_access_names_the_line_that_decided(void **state)
{
	static const char *const lines[LINES_MAX] = { "!192.0.2.7", "# x", "192.0.2.0/24", NULL };
	struct access_decision decision;
	struct access_list list;
	struct in6_addr address;
	struct arena a;
	bool is_v4;

	(void)state;
	arena_init(&a, NULL);
	list = parse_lines(&a, lines);
	assert_int_equal(list.count, 2);
	assert_int_equal(access_address(SPAN("192.0.2.9"), &address, &is_v4), OK);
	decision = access_decide(list, &address, SPAN_NONE);
	assert_true(span_eq(decision.line->text, SPAN("192.0.2.0/24")));
	assert_int_equal(access_address(SPAN("198.51.100.1"), &address, &is_v4), OK);
	assert_null(access_decide(list, &address, SPAN_NONE).line);
	arena_reset(&a);
}

static void
test_access_refuses_bad_lines_acc01(void **state)
{
	static const char *const rows[] = { "!", "fred", "192.0.2.1/33", "192.0.2.1/", "::1/129",
		"192.0.2.0 255.0.255.0", "192.0.2.0 255.255.255.256", "1.2.3", "!10.0.0.0/8 noauth",
		"[::1]", "192.0.2.1/-1", "::ffff:1.2.3.4.5" };
	struct access_line line;
	struct arena a;
	const char *why;
	bool is_line;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		why = NULL;
		check_row(i, access_parse(at_page_edge(span_of(rows[i])), &a, &line, &is_line,
				     &why) == ERR_SYNTAX);
		check_row(i, why != NULL);
	}
	arena_reset(&a);
}

static void
test_local_domains_loc02(void **state)
{
	static const struct {
		const char *yaml, *local, *domain;
		bool want;
	} rows[] = {
		{ "[example.test]", "anna", "example.test", true },
		{ "[example.test]", "anna", "EXAMPLE.TEST", true },
		{ "[example.test]", "anna", "sub.example.test", false },
		{ "[example.test]", "anna", "example.test.evil.test", false },
		{ "[fred@isp.test]", "fred", "isp.test", true },
		{ "[fred@isp.test]", "Fred", "isp.test", true },
		{ "[fred@isp.test]", "joe", "isp.test", false },
		{ "['*.site@company.test']", "a.site", "company.test", true },
		{ "['*.site@company.test']", "site", "company.test", false },
		{ "['*.example.test']", "anna", "a.b.example.test", true },
		{ "['*.example.test']", "anna", "example.test", false },
		{ "[a.test, b.test]", "anna", "b.test", true },
		{ "[]", "anna", "example.test", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[200];
		int len = snprintf(text, sizeof(text), "domains: { local: %s }", rows[i].yaml);
		struct conf *conf = test_conf_load((struct span){ text, (size_t)len });

		check_row(i, conf_is_local(conf, span_of(rows[i].local), span_of(rows[i].domain)) ==
				     rows[i].want);
		conf_free(&conf);
	}
}

static void
test_default_domain_loc01(void **state)
{
	static const struct {
		const char *yaml, *want;
	} rows[] = {
		{ "domains: { default: a.test, local: [b.test] }", "a.test" },
		{ "domains: { local: ['*@c.test', 'x@d.test', b.test] }", "b.test" },
		{ "hostname: mail.e.test", "mail.e.test" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf *conf = test_conf_load(span_of(rows[i].yaml));

		check_row(i, span_eq(conf_default_domain(conf), span_of(rows[i].want)));
		conf_free(&conf);
	}
}

static void
test_listen_forms_svc03(void **state)
{
	static const struct {
		const char *text;
		enum err want;
		int kind, port;
	} rows[] = {
		{ "127.0.0.1:2525", OK, LISTEN_INET, 2525 },
		{ "[::1]:2525", OK, LISTEN_INET6, 2525 },
		{ "*:25", OK, LISTEN_ANY, 25 },
		{ "*:0", OK, LISTEN_ANY, 0 },
		{ "unix:var/lmtp.sock", OK, LISTEN_UNIX, 0 },
		{ "unix:", ERR_SYNTAX, 0, 0 },
		{ "25", ERR_SYNTAX, 0, 0 },
		{ ":25", ERR_SYNTAX, 0, 0 },
		{ "::1:25", ERR_SYNTAX, 0, 0 },
		{ "[127.0.0.1]:25", ERR_SYNTAX, 0, 0 },
		{ "127.0.0.1:", ERR_SYNTAX, 0, 0 },
		{ "127.0.0.1:65536", ERR_SYNTAX, 0, 0 },
		{ "127.0.0.1:-1", ERR_SYNTAX, 0, 0 },
		{ "localhost:25", ERR_SYNTAX, 0, 0 },
		{ "", ERR_SYNTAX, 0, 0 },
	};
	struct conf_listen listen;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		check_row(i, conf_listen_parse(at_page_edge(span_of(rows[i].text)), &a, &listen) ==
				     rows[i].want);
		if (rows[i].want == OK)
			check_row(i, (int)listen.kind == rows[i].kind && listen.port == rows[i].port);
	}
	arena_reset(&a);
}

static void
test_endpoint_forms_out04(void **state)
{
	static const struct {
		const char *text;
		enum err want;
		const char *host;
		int port;
	} rows[] = {
		{ "smtp.isp.test:587", OK, "smtp.isp.test", 587 },
		{ "smtp.isp.test", OK, "smtp.isp.test", 0 },
		{ "192.0.2.1:25", OK, "192.0.2.1", 25 },
		{ "2001:db8::1", OK, "2001:db8::1", 0 },
		{ "[2001:db8::1]:26", OK, "2001:db8::1", 26 },
		{ "[2001:db8::1]", OK, "2001:db8::1", 0 },
		{ "[2001:db8::1]x", ERR_SYNTAX, "", 0 },
		{ "[192.0.2.1]:25", ERR_SYNTAX, "", 0 },
		{ "a b:25", ERR_SYNTAX, "", 0 },
		{ "host:", ERR_SYNTAX, "", 0 },
		{ "host:0", ERR_SYNTAX, "", 0 },
		{ "[2001:db8::1]:0", ERR_SYNTAX, "", 0 },
		{ ":25", ERR_SYNTAX, "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span host;
		uint16_t port;

		check_row(i, conf_endpoint_parse(at_page_edge(span_of(rows[i].text)), &host,
				     &port) == rows[i].want);
		if (rows[i].want == OK)
			check_row(i, span_eq(host, span_of(rows[i].host)) && port == rows[i].port);
	}
}

int
test_conf_access(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_access_decide_acc01_to_acc07),
		cmocka_unit_test(test_access_names_the_line_that_decided),
		cmocka_unit_test(test_access_refuses_bad_lines_acc01),
		cmocka_unit_test(test_local_domains_loc02),
		cmocka_unit_test(test_default_domain_loc01),
		cmocka_unit_test(test_listen_forms_svc03),
		cmocka_unit_test(test_endpoint_forms_out04),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
