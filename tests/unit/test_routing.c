/*
 * test_routing.c - mappings and domains: whom an address means.
 */
#include <string.h>

#include "server/pipeline/once.h"
#include "tests/unit/test_routing.h"

static void
test_patterns_map_02_map_03_map_04(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "sales@example.org", "anna bert carl" },
		{ STRANGER, NULL, "SALES@Example.ORG", "anna bert carl" },
		{ STRANGER, NULL, "sales@a.sub.example.org", "anna bert" }, /* "sales": at any valid domain */
		{ STRANGER, NULL, "x@sub.example.org", "550" },
		{ STRANGER, NULL, "any@one.sub.example.org", "carl" },
		{ STRANGER, NULL, "fred.ab@example.org", "550" },
		{ STRANGER, NULL, "Fred.abc@example.org", "bert" },
		{ STRANGER, NULL, "fred.abcd@example.org", "550" },
		{ STRANGER, NULL, "sales", "anna bert carl" },
		{ STRANGER, NULL, "\"sa@x\"@example.org", "carl" },
		{ STRANGER, NULL, "\"any@x\"@one.sub.example.org", "550" }, /* each side by itself (H9) */
	};

	(void)state;
	open_site(CONF);
	site_add_mapping(&site, "sales@example.org", "anna");
	site_add_mapping(&site, "sales", "bert");
	site_add_mapping(&site, "sa*@example.org", "carl");
	site_add_mapping(&site, "sales@a.sub.example.org", "anna");
	site_add_mapping(&site, "Fred.???@example.org", "bert");
	site_add_mapping(&site, "any@*.sub.example.org", "carl");
	site_add_mapping_when(&site, "sales", "anna", "pop3", NULL);
	CHECK(rows);
	site_close(&site);
}

static void
test_rest_of_the_domain_map_05(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "whoever@example.org", "carl" },
		{ STRANGER, NULL, "anna@example.org", "anna" },
		{ STRANGER, NULL, "sales@example.org", "bert" },
		{ STRANGER, NULL, "list@example.org", "-" },
		{ STRANGER, NULL, "team@example.org", "carl" }, /* GRP-08: unrecognised from outside */
		{ USER_ANNA, NULL, "team@example.org", "bert" },
		{ STRANGER, NULL, "shy@example.org", "carl" }, /* USR-26: unrecognised */
		{ STRANGER, NULL, "gone@example.org", "carl" }, /* unrecognised */
		{ STRANGER, NULL, "who@a.sub.example.org", "550" },
		{ STRANGER, NULL, "postmaster@example.org", "postmaster" },
	};

	(void)state;
	open_site(CONF);
	site_add_user(&site, "shy", NULL);
	site_set_user(&site, "shy", "receive_internet", "no");
	site_add_group(&site, "team", "bert");
	site_add_list(&site, "list", "distribution", "");
	site_add_mapping(&site, "~@example.org", "carl");
	site_add_mapping(&site, "sales", "bert");
	site_add_mapping(&site, "gone", "dave");
	CHECK(rows);
	site_add_user(&site, "whoever", NULL);
	CHECK(((const struct asked[]){ { STRANGER, NULL, "whoever@example.org", "whoever" } }));
	site_close(&site);
}

static void
test_targets_map_06_q_08_q_04(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "u@example.org", "anna" },
		{ STRANGER, NULL, "g@example.org", "anna bert" },
		{ STRANGER, NULL, "l@example.org", "carl >y@far.test" },
		{ STRANGER, NULL, "none@example.org", "-" },
		{ STRANGER, NULL, "all@example.org", "postmaster anna bert carl" },
		{ STRANGER, NULL, "Everyone@example.org", "postmaster anna bert carl" }, /* LST-08 */
		{ STRANGER, NULL, "adm@example.org", "postmaster" },
		{ STRANGER, NULL, "far@example.org", ">x@far.test" },
		{ STRANGER, NULL, "near@example.org", "anna" },
		{ STRANGER, NULL, "chain@example.org", "550" },
		{ STRANGER, NULL, "nearchain@example.org", "550" },
		{ STRANGER, NULL, "lost@example.org", "550" },
		{ STRANGER, NULL, "half@example.org", "anna" },
		{ STRANGER, NULL, "nonetoo@example.org", "- bert" },
		{ STRANGER, NULL, "anna@example.org", "bert" }, /* RTE-01: the mapping wins */
	};

	(void)state;
	open_site(CONF);
	site_add_group(&site, "team", "anna;bert");
	site_add_list(&site, "list", "distribution", "carl;y@far.test");
	site_add_mapping(&site, "u", "Anna");
	site_add_mapping(&site, "g", "team");
	site_add_mapping(&site, "l", "LIST");
	site_add_mapping(&site, "none", "no-one");
	site_add_mapping(&site, "all", "Everyone");
	site_add_mapping(&site, "Everyone", "Everyone");
	site_add_mapping(&site, "adm", "Admins");
	site_add_mapping(&site, "far", "x@far.test");
	site_add_mapping(&site, "near", "anna@example.org");
	site_add_mapping(&site, "chain", "u");
	site_add_mapping(&site, "nearchain", "u@example.org");
	site_add_mapping(&site, "lost", "dave");
	site_add_mapping(&site, "half", "dave");
	site_add_mapping(&site, "half", "anna");
	site_add_mapping(&site, "nonetoo", "No-one");
	site_add_mapping(&site, "nonetoo", "bert");
	site_add_mapping(&site, "anna", "bert");
	CHECK(rows);
	assert_true(notes_say(&rows[9], "the target u of chain is only a mapping itself"));
	assert_true(notes_say(&rows[10], "the target u@example.org of nearchain is only a mapping"));
	assert_true(notes_say(&rows[11], "the target dave of lost is known to nobody"));
	site_close(&site);
}

static void
test_conditions_map_07_map_08_map_09_map_17(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "a@example.org", "anna" },      /* MAP-07 */
		{ USER_BERT, NULL, "a@example.org", "anna" },
		{ BOX1, NULL, "a@example.org", "anna" },
		{ ANY_BOX, NULL, "a@example.org", "anna" },
		{ STRANGER, NULL, "p@example.org", "550" },       /* MAP-08 */
		{ USER_ANNA, NULL, "p@example.org", "550" },
		{ BOX1, NULL, "p@example.org", "bert" },
		{ BOX2, NULL, "p@box2.test", "bert carl" },
		{ BOX1, NULL, "p@shop.test", "bert" },
		{ STRANGER, NULL, "s@example.org", "carl" },      /* MAP-09 */
		{ USER_BERT, NULL, "s@example.org", "carl" },
		{ LMTP, NULL, "s@example.org", "carl" },
		{ BOX1, NULL, "s@example.org", "postmaster" },
		{ BOX2, NULL, "anna@box2.test", "postmaster" },          /* INM-17: default_mappings off */
		{ BOX1, NULL, "anna@shop.test", "anna" },         /* MAP-13 */
		{ STRANGER, NULL, "anna@shop.test", "550" },      /* LOC-03: valid for box1 only */
		{ BOX1, NULL, "anna@a.sub.example.org", "postmaster" },  /* and the other way round */
		{ BOX1, NULL, "list@elsewhere.test", "anna bert" }, /* MAP-17 */
		{ USER_ANNA, NULL, "list@elsewhere.test", ">list@elsewhere.test" },
		{ STRANGER, NULL, "list@elsewhere.test", "550" },
		{ BOX1, NULL, "other@elsewhere.test", "postmaster" },    /* LOC-04: passed over */
		{ BOX1, NULL, "anna@example.org other@elsewhere.test", "anna" },
	};

	(void)state;
	open_site(CONF BOXES);
	site_add_mapping(&site, "a", "anna");
	site_add_mapping_when(&site, "p", "bert", "pop3", NULL);
	site_add_mapping_when(&site, "p", "carl", "pop3", "box2");
	site_add_mapping_when(&site, "s", "carl", "smtp", NULL);
	site_add_mapping_when(&site, "list@elsewhere.test", "anna", "pop3", NULL);
	site_add_mapping_when(&site, "list@elsewhere.test", "bert", "pop3", NULL);
	CHECK(rows);
	assert_true(notes_say(&rows[20], "is none of the accepted domains of box1: passed over"));
	site_close(&site);
}

/* Contract 8: an exact mapping of a foreign address counts for local senders too when Always. */
static void
test_foreign_address_mapped_map_02_smt_07(void **state)
{
	static const struct asked rows[] = {
		{ USER_BERT, NULL, "us@partner.test", "anna" },
		{ RANGE, NULL, "us@partner.test", "anna" },
		{ USER_BERT, NULL, "them@partner.test", ">them@partner.test" }, /* a wildcard does not */
		{ STRANGER, NULL, "us@partner.test", "550" },
		{ USER_BERT, NULL, "sales@partner.test", ">sales@partner.test" }, /* nor a name alone */
	};

	(void)state;
	open_site(CONF);
	site_add_mapping(&site, "us@partner.test", "anna");
	site_add_mapping(&site, "th*@partner.test", "anna");
	site_add_mapping(&site, "sales", "anna");
	CHECK(rows);
	site_close(&site);
}

static void
test_sender_map_10_q_09(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, "spam@evil.test", "anna@example.org", "carl" },
		{ STRANGER, "SPAM@Evil.test", "anna@example.org bert@example.org", "carl" },
		{ STRANGER, "spam@evil.test", "sales@example.org", "carl" },
		{ STRANGER, "spam@evil.test", "x@far.test", "550" },
		{ STRANGER, "ham@evil.test", "anna@example.org", "anna" },
		{ STRANGER, "bot7@robots.test", "anna@example.org", "-" },
		{ USER_BERT, NULL, "anna@example.org x@far.test", "postmaster carl >x@far.test" },
		{ USER_ANNA, NULL, "bert@example.org", "bert" },
		{ STRANGER, "", "anna@example.org", "anna" },
		{ STRANGER, "who@rest.test", "anna@example.org", "bert" },
		{ STRANGER, "boss@rest.test", "anna@example.org", "carl" },
		{ STRANGER, "lost@evil.test", "anna@example.org", "550" },
		{ BOX1, "spam@evil.test", "anna@example.org", "carl" },
		{ STRANGER, "out@evil.test", "anna@example.org", ">x@far.test" },
		{ STRANGER, "remote@evil.test", "anna@example.org", "550" }, /* *REMOTE: Internet */
		{ USER_CARL, NULL, "anna@example.org", ">anna@example.org" },
	};

	(void)state;
	open_site(CONF BOXES);
	site_add_mapping(&site, "sales", "bert");
	site_add_mapping_when(&site, "spam@evil.test", "carl", "sender", NULL);
	site_add_mapping_when(&site, "bot?@*.test", "No-one", "sender", NULL);
	site_add_mapping_when(&site, "bert", "carl", "sender", NULL);
	site_add_mapping_when(&site, "bert@example.org", "Admins", "sender", NULL);
	site_add_mapping_when(&site, "~@rest.test", "bert", "sender", NULL);
	site_add_mapping_when(&site, "boss@rest.test", "carl", "sender", NULL);
	site_add_mapping_when(&site, "lost@evil.test", "dave", "sender", NULL);
	site_add_mapping_when(&site, "out@evil.test", "x@far.test", "sender", NULL);
	site_add_mapping_when(&site, "remote@evil.test", "*REMOTE", "sender", NULL);
	site_add_mapping_when(&site, "carl@example.org", "*REMOTE", "sender", NULL);
	CHECK(rows);
	assert_true(notes_say(&rows[0], "the mapping spam@evil.test fits the sender: all of it goes to carl"));
	site_close(&site);
}

static void
test_remote_map_11_map_18(void **state)
{
	static const struct asked rows[] = {
		{ USER_ANNA, NULL, "karen@example.org", ">karen@example.org" },
		{ RANGE, NULL, "karen@example.org", ">karen@example.org" },
		{ STRANGER, NULL, "karen@example.org", "550" },
		{ LMTP, NULL, "karen@example.org", "550" },
		{ USER_BERT, NULL, "karen@example.org", "550" }, /* USR-25: it counts as Internet */
		{ BOX1, NULL, "anna@example.org karen@example.org", "anna -" },
		{ STRANGER, NULL, "both@example.org", "anna" }, /* what stays here stays reachable */
		{ USER_BERT, NULL, "both@example.org", "anna" },
		{ USER_ANNA, NULL, "both@example.org", ">both@example.org anna" },
		{ BOX1, NULL, "nobody@example.org", "-" }, /* collecting.unknown.do: remote */
		{ STRANGER, NULL, "nobody@example.org", "550" },
	};

	(void)state;
	open_site(CONF "collecting: { unknown: { do: remote }, collectors: [ { name: box1, "
		       "server: pop.isp.test, username: u, accepted: [example.org] } ] }\n");
	site_set_user(&site, "bert", "send_internet", "no");
	site_add_mapping(&site, "karen", "*remote");
	site_add_mapping(&site, "both", "*REMOTE");
	site_add_mapping(&site, "both", "anna");
	CHECK(rows);
	site_close(&site);
}

static void
test_domains_loc_01_loc_02_q_77(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "anna", "anna" },                  /* LOC-01 */
		{ STRANGER, NULL, "fred@isp.test", "fred" },         /* LOC-02 */
		{ STRANGER, NULL, "joe@isp.test", "550" },
		{ USER_ANNA, NULL, "joe@isp.test", ">joe@isp.test" },
		{ STRANGER, NULL, "anna@[192.0.2.1]", "anna" },      /* */
		{ STRANGER, NULL, "postmaster@[192.0.2.1]", "postmaster" },
		{ STRANGER, NULL, "sales@[192.0.2.1]", "bert" },
		{ STRANGER, NULL, "nobody@[192.0.2.1]", "550" },
		{ STRANGER, NULL, "anna@[192.0.2.2]", "550" },
		{ STRANGER, NULL, "anna@[IPv6:::ffff:192.0.2.1]", "anna" },
		{ STRANGER, NULL, "anna@[IPv6:2001:db8::1]", "550" },
		{ USER_BERT, NULL, "anna@[192.0.2.2]", ">anna@[192.0.2.2]" },
		{ STRANGER, NULL, "anna@deep.example.org", "550" },  /* subdomains only if listed */
		{ STRANGER, NULL, "anna@x.sub.example.org", "anna" },
		{ STRANGER, NULL, "anna@sub.example.org", "550" },
	};

	(void)state;
	open_site(CONF);
	site_add_user(&site, "fred", NULL);
	site_add_user(&site, "joe", NULL);
	site_add_mapping(&site, "sales@example.org", "bert");
	CHECK(rows);
	assert_true(notes_say(&rows[4], "anna@[192.0.2.1] is an address of this host and becomes "
					"anna@example.org"));
	site_close(&site);
}

#define ONLY(setting) "hostname: mail.example.org\n" CHEAP \
	"domains: { default: example.org, local: [example.org], " setting " }\n" \
	"services: { smtp: { listen: [\"127.0.0.1:0\"] } }\n"

static void
test_no_default_mapping_loc_05(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "anna@example.org", "550" },
		{ USER_BERT, NULL, "anna@example.org", "550" },
		{ STRANGER, NULL, "sales@example.org", "anna" },
		{ STRANGER, NULL, "list@example.org", "bert" },
		{ USER_BERT, NULL, "team@example.org", "carl" },
		{ STRANGER, NULL, "abuse@example.org", "postmaster" },
	};

	(void)state;
	open_site(ONLY("default_user_mapping: no"));
	site_add_mapping(&site, "sales", "anna");
	site_add_list(&site, "list", "distribution", "bert");
	site_add_group(&site, "team", "carl");
	CHECK(rows);
	site_close(&site);
}

static void
test_unknown_to_isp_loc_07(void **state)
{
	static const struct asked rows[] = {
		{ USER_ANNA, NULL, "nobody@example.org", ">nobody@example.org" },
		{ LOCAL, NULL, "nobody@example.org", ">nobody@example.org" },
		{ STRANGER, NULL, "nobody@example.org", "550" },
		{ USER_ANNA, NULL, "bert@example.org", "bert" },
		{ ANY_BOX, NULL, "nobody@example.org", "postmaster" },
		{ USER_BERT, NULL, "nobody@example.org", "550" }, /* it leaves: USR-25 */
		{ USER_ANNA, NULL, "postmaster@example.org", "postmaster" },
	};

	(void)state;
	open_site(ONLY("unknown_to_isp: yes"));
	site_set_user(&site, "bert", "send_internet", "no");
	CHECK(rows);
	site_close(&site);
}

static void
test_not_locally_loc_08(void **state)
{
	static const struct asked rows[] = {
		{ USER_ANNA, NULL, "bert@example.org", ">bert@example.org" },
		{ USER_ANNA, NULL, "nobody@example.org x@far.test", ">nobody@example.org >x@far.test" },
		{ STRANGER, NULL, "bert@example.org", "bert" },
		{ ANY_BOX, NULL, "bert@example.org", "bert" },
		{ LOCAL, NULL, "bert@example.org", "bert" },
		{ USER_BERT, NULL, "anna@example.org", ">anna@example.org" }, /* a colleague still */
		{ USER_BERT, NULL, "x@far.test", "550" },
	};

	(void)state;
	open_site(ONLY("route_locally: no"));
	site_set_user(&site, "bert", "send_internet", "no");
	CHECK(rows);
	site_close(&site);
}

static void
test_identity_h12(void **state)
{
	static const struct asked rows[] = {
		{ USER_ANNA, "sales@example.org", "bert@example.org", "bert" },
		{ USER_ANNA, "info@example.org", "bert@example.org", "553" },
		{ USER_ANNA, "here@example.org", "bert@example.org", "bert" },
	};

	(void)state;
	open_site(CONF);
	site_add_mapping(&site, "sales", "anna");
	site_add_mapping(&site, "here", "anna@example.org");
	site_add_mapping(&site, "info", "anna@far.test");
	CHECK(rows);
	site_close(&site);
}

static void
test_once(void **state)
{
	struct once once = { 0 };
	struct arena arena;

	(void)state;
	arena_init(&arena, NULL);
	once.arena = &arena;
	for (uint64_t i = 1; i <= 5000; i++)
		assert_true(once_add(&once, i * 7919));
	for (uint64_t i = 1; i <= 5000; i++)
		assert_false(once_add(&once, i * 7919));
	assert_int_equal(once.count, 5000);
	arena_reset(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns_map_02_map_03_map_04),
		cmocka_unit_test(test_rest_of_the_domain_map_05),
		cmocka_unit_test(test_targets_map_06_q_08_q_04),
		cmocka_unit_test(test_conditions_map_07_map_08_map_09_map_17),
		cmocka_unit_test(test_foreign_address_mapped_map_02_smt_07),
		cmocka_unit_test(test_sender_map_10_q_09),
		cmocka_unit_test(test_remote_map_11_map_18),
		cmocka_unit_test(test_domains_loc_01_loc_02_q_77),
		cmocka_unit_test(test_no_default_mapping_loc_05),
		cmocka_unit_test(test_unknown_to_isp_loc_07),
		cmocka_unit_test(test_not_locally_loc_08),
		cmocka_unit_test(test_identity_h12),
		cmocka_unit_test(test_once),
	};

	return test_journal() + test_routing_lists() + test_routing_lan() + test_routing_collected() +
		test_routing_who() + test_routing_who_names() + test_collected_header() + test_routing_mailbox() +
		test_monitor() + cmocka_run_group_tests_name("routing", tests, NULL, NULL);
}
