/*
 * test_address.c - what is an address, and that every spelling of one means what it should.
 */
#include "proto/base/arena.h"
#include "proto/mail/address.h"
#include "proto/mail/envelope.h"
#include "tests/unit/test_proto.h"

#define LABEL63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567890"
#define LOCAL64 LABEL63 "x"
#define DOMAIN255 LABEL63 "." LABEL63 "." LABEL63 "." LABEL63

/* H9: sixty spellings that have opened relays; US is us.test. key NULL: refused. */
static const struct {
	const char *path, *local, *domain;
	unsigned flags;
} spellings[] = {
	{"<a@us.test>", "a", "us.test", 0},
	{"<A@US.TEST>", "A", "us.test", 0},
	{"<a@us.test.>", "a", "us.test", 0},
	{"<a@us.test..>", NULL, NULL, 0},
	{"<a@.us.test>", NULL, NULL, 0},
	{"<a@us..test>", NULL, NULL, 0},
	{"<a@us.test >", NULL, NULL, 0},
	{"< a@us.test>", NULL, NULL, 0},
	{"<a @us.test>", NULL, NULL, 0},
	{"<a@ us.test>", NULL, NULL, 0},
	{"<a@us.test\t>", NULL, NULL, 0},
	{"<a%b.test@us.test>", "a%b.test", "us.test", ADDRESS_PERCENT},
	{"<a%b.test%c.test@us.test>", "a%b.test%c.test", "us.test", ADDRESS_PERCENT},
	{"<%@us.test>", "%", "us.test", ADDRESS_PERCENT},
	{"<a%b.test>", "a%b.test", "", ADDRESS_PERCENT | ADDRESS_NO_DOMAIN},
	{"<b.test!a>", "b.test!a", "", ADDRESS_BANG | ADDRESS_NO_DOMAIN},
	{"<b.test!a@us.test>", "b.test!a", "us.test", ADDRESS_BANG},
	{"<us.test!b.test!a>", "us.test!b.test!a", "", ADDRESS_BANG | ADDRESS_NO_DOMAIN},
	{"<us.test!a@b.test>", "us.test!a", "b.test", ADDRESS_BANG},
	{"<b.test!a%c.test@us.test>", "b.test!a%c.test", "us.test", ADDRESS_BANG | ADDRESS_PERCENT},
	{"<@us.test:a@b.test>", "a", "b.test", ADDRESS_ROUTED},
	{"<@us.test,@c.test:a@b.test>", "a", "b.test", ADDRESS_ROUTED},
	{"<@b.test:a@us.test>", "a", "us.test", ADDRESS_ROUTED},
	{"<@us.test:a>", "a", "", ADDRESS_ROUTED | ADDRESS_NO_DOMAIN},
	{"<@us.test:@c.test:a@b.test>", NULL, NULL, 0},
	{"<@us.test>", NULL, NULL, 0},
	{"<@us.test:>", NULL, NULL, 0},
	{"<@:a@b.test>", NULL, NULL, 0},
	{"<@us.test,:a@b.test>", NULL, NULL, 0},
	{"<us.test:a@b.test>", NULL, NULL, 0},
	{"<\"a@b.test\"@us.test>", "a@b.test", "us.test", ADDRESS_AT | ADDRESS_QUOTED},
	{"<\"a@us.test\"@b.test>", "a@us.test", "b.test", ADDRESS_AT | ADDRESS_QUOTED},
	{"<\"a%b.test\"@us.test>", "a%b.test", "us.test", ADDRESS_PERCENT},
	{"<\"b.test!a\"@us.test>", "b.test!a", "us.test", ADDRESS_BANG},
	{"<\"a\"@us.test>", "a", "us.test", 0},
	{"<\"a\\@b.test\"@us.test>", "a@b.test", "us.test", ADDRESS_AT | ADDRESS_QUOTED},
	{"<\"a@b.test\">", "a@b.test", "", ADDRESS_AT | ADDRESS_QUOTED | ADDRESS_NO_DOMAIN},
	{"<\"a b\"@us.test>", "a b", "us.test", ADDRESS_QUOTED},
	{"<\"a>\"@us.test>", "a>", "us.test", ADDRESS_QUOTED},
	{"<\"\"@us.test>", NULL, NULL, 0},
	{"<\"a\"b@us.test>", NULL, NULL, 0},
	{"<\"a\"bus.test>", NULL, NULL, 0},
	{"<a;us.test>", NULL, NULL, 0},
	{"<\"a@us.test>", NULL, NULL, 0},
	{"<\"a\r\n\"@us.test>", NULL, NULL, 0},
	{"<a@b.test@us.test>", NULL, NULL, 0},
	{"<a@us.test@b.test>", NULL, NULL, 0},
	{"<a\\@b.test@us.test>", NULL, NULL, 0},
	{"<a@[192.0.2.1]>", "a", "[192.0.2.1]", ADDRESS_LITERAL},
	{"<a@[IPv6:2001:DB8::1]>", "a", "[ipv6:2001:db8::1]", ADDRESS_LITERAL},
	{"<a@[IPv6:::ffff:192.0.2.1]>", "a", "[ipv6:::ffff:192.0.2.1]", ADDRESS_LITERAL},
	{"<a@[192.0.2.256]>", NULL, NULL, 0},
	{"<a@[192.0.2]>", NULL, NULL, 0},
	{"<a@[192.0.2.01]>", NULL, NULL, 0},
	{"<a@[IPv6:1:2:3:4:5:6:7]>", NULL, NULL, 0},
	{"<a@[IPv6:1::2::3]>", NULL, NULL, 0},
	{"<a@[us.test]>", NULL, NULL, 0},
	{"<a@[]>", NULL, NULL, 0},
	{"<a@192.0.2.1>", "a", "192.0.2.1", 0},
	{"<postmaster>", "postmaster", "", ADDRESS_NO_DOMAIN},
	{"<Postmaster@us.test>", "Postmaster", "us.test", 0},
	{"<a@>", NULL, NULL, 0},
	{"<@>", NULL, NULL, 0},
	{"<a..b@us.test>", NULL, NULL, 0},
	{"<.a@us.test>", NULL, NULL, 0},
	{"<a.@us.test>", NULL, NULL, 0},
	{"<a@-us.test>", NULL, NULL, 0},
	{"<a@us_x.test>", "a", "us_x.test", 0},
	{"<a@us.test,b@us.test>", NULL, NULL, 0},
	{"<a(x)@us.test>", NULL, NULL, 0},
	{"<<a@us.test>>", NULL, NULL, 0},
	{"a@us.test", NULL, NULL, 0},
	{"<a@us.test", NULL, NULL, 0},
	{"<j\xc3\xb6rg@us.test>", "j\xc3\xb6rg", "us.test", ADDRESS_UTF8},
	{"<a@b\xc3\xbc"
	 "cher.test>",
		"a",
		"b\xc3\xbc"
		"cher.test",
		ADDRESS_UTF8},
	{"<a\xff@us.test>", NULL, NULL, 0},
	{"<a\xe2\x80\xae@us.test>", NULL, NULL, 0}, /* H70: an override that reorders */
	{"<" LOCAL64 "@us.test>", LOCAL64, "us.test", 0},
	{"<" LOCAL64 "y@us.test>", NULL, NULL, 0},
	{"<a@" DOMAIN255 ">", "a", DOMAIN255, 0},
	{"<a@" DOMAIN255 ".x>", NULL, NULL, 0},
	{"<a@" LABEL63 "y.test>", NULL, NULL, 0},
};

static void
test_address_h09_spellings(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(spellings); i++) {
		struct span in = at_page_edge(span_of(spellings[i].path));
		struct address got, again;
		size_t used;
		enum err err = address_parse_path(&a, in, &got, &used);

		check_row(i, (err == OK) == (spellings[i].local != NULL));
		if (err != OK) {
			arena_reset(&a);
			continue;
		}
		check_span(i, got.local_part, span_of(spellings[i].local));
		check_span(i, got.domain, span_of(spellings[i].domain));
		check_row(i, got.flags == spellings[i].flags && used == in.len);
		check_row(i, address_is_valid(&got)); /* H10 */
		check_row(i, address_parse(&a, at_page_edge(got.text), &again) == OK);
		check_row(i, address_eq(&got, &again));
		arena_reset(&a);
	}
}

static void
test_address_h09_nul(void **state)
{
	struct span in = at_page_edge(SPAN("<a\0b@us.test>"));
	struct address got;
	struct arena a;
	size_t used;

	(void)state;
	arena_init(&a, NULL);
	assert_int_equal(address_parse_path(&a, in, &got, &used), ERR_SYNTAX);
	in = at_page_edge(SPAN("<a@us.test\0>"));
	assert_int_equal(address_parse_path(&a, in, &got, &used), ERR_SYNTAX);
	in = at_page_edge(SPAN("<\"a\0\"@us.test>"));
	assert_int_equal(address_parse_path(&a, in, &got, &used), ERR_SYNTAX);
	arena_reset(&a);
}

static void
test_address_smt02_default_domain(void **state)
{
	struct address bare, whole;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	assert_int_equal(address_parse(&a, SPAN("Anna"), &bare), OK);
	assert_true(bare.flags & ADDRESS_NO_DOMAIN);
	assert_int_equal(address_with_domain(&a, &bare, SPAN("Example.ORG"), &whole), OK);
	check_span(0, whole.text, SPAN("Anna@example.org"));
	check_span(1, whole.key, SPAN("anna@example.org"));
	assert_int_equal(whole.flags, 0);
	assert_int_equal(address_with_domain(&a, &bare, SPAN("a b"), &whole), ERR_SYNTAX);
	assert_int_equal(address_with_domain(&a, &bare, SPAN(""), &whole), ERR_SYNTAX);
	arena_reset(&a);
}

static void
test_address_h10_forged_is_invalid(void **state)
{
	struct address good, bad;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	assert_int_equal(address_parse(&a, SPAN("anna@example.org"), &good), OK);
	bad = good;
	bad.domain = SPAN("");
	assert_false(address_is_valid(&bad));
	bad = good;
	bad.local_part = SPAN("a\nb");
	assert_false(address_is_valid(&bad));
	bad = good;
	bad.key = SPAN("bob@example.org");
	assert_false(address_is_valid(&bad));
	bad = good;
	bad.text = bad.key = SPAN("carl@example.org");
	assert_false(address_is_valid(&bad));
	bad.text = bad.key = SPAN("anna@example.org>");
	assert_false(address_is_valid(&bad));
	assert_int_equal(address_parse(&a, SPAN("\"a\\\\b \\\"c\"@example.org"), &good), OK);
	check_span(0, good.local_part, SPAN("a\\b \"c"));
	check_span(1, good.text, SPAN("\"a\\\\b \\\"c\"@example.org"));
	bad = good;
	bad.text = bad.key = SPAN("\"a\\b \"c\"@example.org");
	assert_false(address_is_valid(&bad));
	bad = good;
	bad.flags = ADDRESS_NULL;
	assert_false(address_is_valid(&bad));
	arena_reset(&a);
}

static void
test_envelope_keeps_what_it_was_given(void **state)
{
	struct mail_options options = {.has_size = true, .size = 7, .envid = SPAN("x")};
	struct recipient_options to = {.notify = DSN_NOTIFY_NEVER};
	char bytes[] = "anna@example.org";
	struct address address;
	struct recipient *r;
	struct envelope e;
	struct arena a, command;

	(void)state;
	arena_init(&a, NULL);
	arena_init(&command, NULL);
	assert_int_equal(address_parse(&command, span_of(bytes), &address), OK);
	envelope_init(&e, &a, &address, &options);
	assert_int_equal(envelope_add_recipient(&e, &address, &to, 2, NULL), OK);
	assert_int_equal(envelope_add_recipient(&e, &address, &to, 2, &r), OK);
	assert_int_equal(envelope_add_recipient(&e, &address, &to, 2, NULL), ERR_LIMIT);
	arena_reset(&command);
	memset(bytes, 'x', sizeof(bytes));
	check_span(0, r->address.key, SPAN("anna@example.org"));
	check_span(1, e.options.envid, SPAN("x"));
	assert_null(e.options.auth.ptr);
	assert_int_equal(e.recipient_count, 2);
	assert_ptr_not_equal(envelope_find_recipient(&e, SPAN("anna@example.org")), r);
	assert_null(envelope_find_recipient(&e, SPAN("bo@example.org")));
	arena_reset(&a);
}

int
test_address(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_h09_spellings),
		cmocka_unit_test(test_address_h09_nul),
		cmocka_unit_test(test_address_smt02_default_domain),
		cmocka_unit_test(test_address_h10_forged_is_invalid),
		cmocka_unit_test(test_envelope_keeps_what_it_was_given),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
