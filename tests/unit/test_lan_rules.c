/*
 * test_lan_rules.c - LAN forwarding: the text of the rules, which line decides, targets, threads.
 */
#include "tests/unit/test_conf.h"

#include <stdlib.h>
#include <string.h>

#include "conf/lan_rules.h"
#include "conf/lan_threads.h"
#include "tests/harness/page_edge.h"

static const char rules_text[] =
	"# the branch\n"
	"\n"
	"fred@a.test  192.0.2.1                    # LAN-04: before f*\n"
	"f*@a.test\t192.0.2.2:1025\n"
	"~@a.test     192.0.2.3     catch@b.test\n"
	"(pop3) anna@a.test 192.0.2.4\n"
	"(smtp, 1-3,Isp) bert@a.test 192.0.2.5\n"
	"*@c.test     Mail.Branch.Test *@d.test\n"
	"martin       192.0.2.6\n"
	"k?rl         192.0.2.7\n"
	"*@*.e.test   [2001:DB8::1]:26\n"
	"all@f.test   192.0.2.8 one@g.test\n"
	"(isp)cleo@a.test 192.0.2.9\n"
	"*@c.test     192.0.2.10\n";

struct asked {
	const char *to;
	bool valid, smtp, rest;
	unsigned collector;
	unsigned line; /* 0: none */
	const char *target, *address;
};

static void
parse_good(struct arena *a, struct span text, struct lan_rules *out)
{
	struct conf_faults faults;

	conf_faults_init(&faults);
	if (lan_rules_parse(text, a, out, &faults) != OK)
		fail_msg("%u: %.*s", faults.items[0].line, SPAN_FMT(faults.items[0].text));
	conf_faults_fini(&faults);
}

static void
ask_row(size_t i, struct arena *a, const struct lan_rules *rules, const struct asked *row)
{
	struct address to, out;
	struct lan_query query = { .to = &to, .domain_is_valid = row->valid, .smtp = row->smtp,
		.pop3 = !row->smtp, .collector_no = row->collector,
		.collector = row->collector == 7 ? SPAN("ISP") : SPAN("other") };
	const struct lan_rule *rule;

	check_row(i, address_parse(a, span_of(row->to), &to) == OK);
	rule = lan_rules_match(rules, &query, row->rest);
	check_row(i, (rule ? rule->line : 0) == row->line);
	if (!rule)
		return;
	check_row(i, span_eq(rule->target, span_of(row->target)));
	check_row(i, lan_rule_address(rule, a, &to, &out) == OK);
	check_row(i, span_eq(out.text, span_of(row->address)));
}

/* LAN-01 to LAN-04 */
static void
test_lan_rules_match_lan01_to_lan04(void **state)
{
	static const struct asked rows[] = {
		{ "fred@a.test", true, true, false, 0, 3, "192.0.2.1:25", "fred@a.test" },
		{ "FRED@A.test", true, true, false, 0, 3, "192.0.2.1:25", "FRED@a.test" },
		{ "fran@a.test", true, true, false, 0, 4, "192.0.2.2:1025", "fran@a.test" },
		{ "fran@b.test", true, true, false, 0, 0, NULL, NULL },
		{ "zoe@a.test", true, true, false, 0, 0, NULL, NULL },
		{ "zoe@a.test", true, true, true, 0, 5, "192.0.2.3:25", "catch@b.test" },
		{ "zoe@b.test", true, true, true, 0, 0, NULL, NULL },
		/* LAN-02 */
		{ "anna@a.test", true, true, false, 0, 0, NULL, NULL },
		{ "anna@a.test", true, false, false, 9, 6, "192.0.2.4:25", "anna@a.test" },
		{ "bert@a.test", true, true, false, 0, 7, "192.0.2.5:25", "bert@a.test" },
		{ "bert@a.test", true, false, false, 3, 7, "192.0.2.5:25", "bert@a.test" },
		{ "bert@a.test", true, false, false, 4, 0, NULL, NULL },
		{ "bert@a.test", true, false, false, 7, 7, "192.0.2.5:25", "bert@a.test" },
		{ "cleo@a.test", true, false, false, 7, 13, "192.0.2.9:25", "cleo@a.test" },
		{ "cleo@a.test", true, true, false, 0, 0, NULL, NULL },
		/* LAN-03 */
		{ "Dora@c.test", true, true, false, 0, 8, "mail.branch.test:25", "Dora@d.test" },
		{ "\"a b\"@c.test", true, true, false, 0, 8, "mail.branch.test:25", "\"a b\"@d.test" },
		{ "all@f.test", false, true, false, 0, 12, "192.0.2.8:25", "one@g.test" },
		{ "x@y.e.test", false, true, false, 0, 11, "[2001:db8::1]:26", "x@y.e.test" },
		{ "x@e.test", false, true, false, 0, 0, NULL, NULL },
		/* a bare local-part counts in valid domains alone */
		{ "martin@z.test", true, true, false, 0, 9, "192.0.2.6:25", "martin@z.test" },
		{ "martin@z.test", false, true, false, 0, 0, NULL, NULL },
		{ "karl@z.test", true, true, false, 0, 10, "192.0.2.7:25", "karl@z.test" },
		/* H9: by the parsed parts, never by the text */
		{ "\"x@y.e.test\"@a.test", true, true, false, 0, 0, NULL, NULL },
		{ "fred%a.test@z.test", true, true, false, 0, 0, NULL, NULL },
	};
	struct lan_rules rules;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	parse_good(&a, at_page_edge(SPAN(rules_text)), &rules);
	assert_int_equal(rules.count, 12);
	for (size_t i = 0; i < COUNT(rows); i++)
		ask_row(i, &a, &rules, &rows[i]);
	arena_reset(&a);
}

/* Every fault with its line and column; one is enough to refuse all (LAN-09, contract 8). */
static void
test_lan_rules_faults_lan09(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *why;
	} rows[] = {
		{ "a@b.test", 1, 9, "a server is missing" },
		{ "x@y.test 192.0.2.1\n\na@b.test 192.0.2.1:0\n", 3, 10, "is no server" },
		{ "a@b.test 192.0.2.1:65536", 1, 10, "is no server" },
		{ "a@b.test [::1", 1, 10, "is no server" },
		{ "a@b.test exa_mple..test", 1, 10, "is no server" },
		{ "a@b.test h x@y.test more", 1, 21, "there is more" },
		{ "a@b.test h x", 1, 12, "no address to rewrite to" },
		{ "a@b.test h f*@y.test", 1, 12, "no address to rewrite to" },
		{ "a@b.test h ~@y.test z", 1, 21, "there is more" },
		{ "(pop3 a@b.test h", 1, 1, "not closed" },
		{ "() a@b.test h", 1, 2, "a condition is empty" },
		{ "(3-1) a@b.test h", 1, 2, "a range" },
		{ "(0) a@b.test h", 1, 2, "a range" },
		{ "(smtp)", 1, 7, "an address pattern is missing" },
		{ "a@ h", 1, 1, "no domain" },
		{ "a@b..test h", 1, 1, "no domain" },
		{ "~x@b.test h", 1, 1, "no address, pattern" },
		{ "@b.test h", 1, 1, "no address, pattern" },
		{ "<a@b.test> h", 1, 1, "no domain" },
		{ "a\x01@b.test h", 1, 1, "control" },
		{ "a\xff@b.test h", 1, 1, "control" },
	};
	struct conf_faults faults;
	struct lan_rules rules;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		conf_faults_init(&faults);
		check_row(i, lan_rules_parse(at_page_edge(span_of(rows[i].text)), &a, &rules,
			&faults) == ERR_SYNTAX);
		test_conf_fault(i, &faults, rows[i].line, rows[i].column, rows[i].why);
	}
	arena_reset(&a);
}

/* LAN-02: a condition that can never hold is odd, not wrong. */
static void
test_lan_rules_collectors(void **state)
{
	struct conf *conf = test_conf_load(SPAN("collecting: { collectors: [ { name: isp } ] }\n"));
	struct conf_faults faults;
	struct lan_rules rules;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	conf_faults_init(&faults);
	parse_good(&a, SPAN("(isp,1) a@b.test h\n(1-2) b@b.test h\n(ips) c@b.test h\n"), &rules);
	lan_rules_check_collectors(&rules, &conf->collectors, &faults);
	assert_int_equal(faults.count, 2);
	assert_int_equal(faults.errors, 0);
	assert_int_equal(faults.items[0].line, 2);
	assert_int_equal(faults.items[1].line, 3);
	conf_faults_fini(&faults);
	arena_reset(&a);
	conf_free(&conf);
}

/* H75: 100,000 rules are read, and a look-up of the last stays in step with the walked ones. */
static void
test_lan_rules_many_h75(void **state)
{
	struct conf_faults faults;
	struct lan_rules rules;
	struct address to;
	struct lan_query query = { .to = &to, .smtp = true };
	struct arena a;
	struct buf text;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&text, LAN_RULES_TEXT_MAX);
	for (unsigned i = 0; i < LAN_RULES_WALKED_MAX; i++)
		assert_int_equal(buf_printf(&text, "*a*a*a*b@*%u.test 192.0.2.1\n", i), OK);
	for (unsigned i = LAN_RULES_WALKED_MAX; i < LAN_RULES_MAX; i++)
		assert_int_equal(buf_printf(&text, "user%u@a%u.test 192.0.2.1:%u\n", i, i % 7,
			1 + i % 60000), OK);
	parse_good(&a, buf_span(&text), &rules);
	assert_int_equal(rules.count, LAN_RULES_MAX);
	assert_int_equal(address_parse(&a, SPAN("user99999@a4.test"), &to), OK);
	assert_int_equal(lan_rules_match(&rules, &query, false)->line, LAN_RULES_MAX);
	assert_int_equal(buf_put(&text, SPAN("one@more.test 192.0.2.1\n")), OK);
	conf_faults_init(&faults);
	assert_int_equal(lan_rules_parse(buf_span(&text), &a, &rules, &faults), ERR_LIMIT);
	assert_int_equal(faults.items[0].line, LAN_RULES_MAX + 1);
	conf_faults_fini(&faults);
	buf_fini(&text);
	arena_reset(&a);
}

/* RTE-11, LAN-07: SMTP:user@domain@host[:port]; and the route that a queued recipient is given. */
static void
test_lan_target_rte11(void **state)
{
	static const struct {
		const char *text;
		enum err want;
		const char *to, *target;
	} rows[] = {
		{ "SMTP:x@dom.test@127.0.0.1:2525", OK, "x@dom.test", "127.0.0.1:2525" },
		{ "smtp:x@dom.test@Mail.B.test", OK, "x@dom.test", "mail.b.test:25" },
		{ "SMTP:x@127.0.0.1", OK, "x@127.0.0.1", "127.0.0.1:25" },
		{ "SMTP:x@127.0.0.1:2525", OK, "x@127.0.0.1", "127.0.0.1:2525" },
		{ "SMTP:x@[2001:db8::1]:26", OK, "x@[ipv6:2001:db8::1]", "[2001:db8::1]:26" },
		{ "SMTP:x@dom.test@", ERR_SYNTAX, "", "" },
		{ "SMTP:x", ERR_SYNTAX, "", "" },
		{ "SMTP:@dom.test@h", ERR_SYNTAX, "", "" },
		{ "SMTP:x@dom.test@h:0", ERR_SYNTAX, "", "" },
		{ "SMTP:x y@dom.test@h", ERR_SYNTAX, "", "" },
		{ "x@dom.test", ERR_NOT_FOUND, "", "" },
	};
	struct lan_target target;
	struct address to;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		check_row(i, lan_forward_parse(&a, at_page_edge(span_of(rows[i].text)), &to,
			&target) == rows[i].want);
		if (rows[i].want != OK)
			continue;
		check_row(i, span_eq_nocase(to.text, span_of(rows[i].to)));
		check_row(i, span_eq(lan_target_format(&a, &target), span_of(rows[i].target)));
	}
	assert_true(lan_route_take(SPAN("lan:[::1]:25"), &target));
	assert_true(span_eq(target.host, SPAN("::1")) && target.port == 25);
	assert_false(lan_route_take(SPAN("isp"), &target));
	arena_reset(&a);
}

/* LAN-06 */
static void
test_lan_threads_lan06(void **state)
{
	static const struct {
		const char *threads, *target;
		unsigned want;
	} rows[] = {
		{ "127.0.0.1:1025-5", "127.0.0.1:1025", 5 },
		{ "127.0.0.1:1025-5", "127.0.0.1", 0 },
		{ "a.test-1  [::1]:26-3", "A.test", 1 },
		{ "a.test-1  [::1]:26-3", "[::1]:26", 3 },
		{ "my-host.test-2", "my-host.test:25", 2 },
		{ "", "a.test", 0 },
	};
	struct lan_target target;
	struct span bad;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		check_row(i, lan_threads_check(span_of(rows[i].threads), &bad) == OK);
		check_row(i, lan_target_parse(span_of(rows[i].target), &target) == OK);
		check_row(i, lan_threads_max(span_of(rows[i].threads), &target) == rows[i].want);
	}
	assert_int_equal(lan_threads_check(SPAN("a.test-1 b.test"), &bad), ERR_SYNTAX);
	assert_true(span_eq(bad, SPAN("b.test")));
	assert_int_equal(lan_threads_check(SPAN("a.test-0"), &bad), ERR_SYNTAX);
}

int
test_lan_rules(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lan_rules_match_lan01_to_lan04),
		cmocka_unit_test(test_lan_rules_faults_lan09),
		cmocka_unit_test(test_lan_rules_collectors),
		cmocka_unit_test(test_lan_rules_many_h75),
		cmocka_unit_test(test_lan_target_rte11),
		cmocka_unit_test(test_lan_threads_lan06),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
