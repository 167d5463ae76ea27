/*
 * test_routing_lan.c - LAN forwarding and the copy for the Internet, asked of the whole pipeline.
 */
#include "conf/conf_rules.h"
#include "server/pipeline/pipeline.h"
#include "tests/unit/test_routing.h"

/* The conf is the test's own: what is read into it counts from the next question on. */
static void
take_rules(const char *text)
{
	struct conf_faults faults;

	conf_faults_init(&faults);
	assert_int_equal(conf_rules_take((struct conf *)site.host.conf, RULE_FILE_LAN, span_of(text), &faults), OK);
	conf_faults_fini(&faults);
}

static void
test_rules_lan_01_lan_03_lan_04(void **state)
{
	static const struct asked rows[] = {
		/* LAN-01: instead of the mailbox; LAN-04: the first line, before mappings, lists, users */
		{ STRANGER, NULL, "anna@example.org", ">anna@example.org=lan:192.0.2.1:25" },
		{ STRANGER, NULL, "bert@example.org", "bert" },
		{ STRANGER, NULL, "sales@example.org", ">sales@example.org=lan:192.0.2.2:1025" },
		{ STRANGER, NULL, "martin@x.sub.example.org",
			">martin@x.sub.example.org=lan:192.0.2.3:25" },
		/* ~@ where nothing here knows the recipient, wherever it stands */
		{ STRANGER, NULL, "nobody@example.org", ">rest@b.test=lan:192.0.2.4:25" },
		{ STRANGER, NULL, "info@example.org", "anna" },
		/* LAN-03: the local-part is carried over */
		{ USER_ANNA, NULL, "fred@branch.test", ">fred@head.test=lan:192.0.2.5:25" },
		/* contract 8: never a foreign domain of a stranger's (H9) */
		{ STRANGER, NULL, "fred@branch.test", "550" },
		{ BOX1, NULL, "fred@branch.test", "postmaster" } /* LOC-04, ADM-02 */,
		{ BOX1, NULL, "anna@example.org", ">anna@example.org=lan:192.0.2.1:25" },
		{ RANGE, NULL, "fred@branch.test", ">fred@head.test=lan:192.0.2.5:25" },
		/* ~@ of a domain elsewhere */
		{ USER_ANNA, NULL, "zoe@other.test", ">zoe@other.test=lan:192.0.2.6:25" },
		/* a mapping leads to an address that a line names */
		{ STRANGER, NULL, "office@example.org", ">carl@head.test=lan:192.0.2.5:25" },
		/* RTE-15: two lines, one target */
		{ STRANGER, NULL, "anna@example.org anna@example.org", ">anna@example.org=lan:192.0.2.1:25" },
		/* the right to reach the Internet is not asked for (USR-25) */
		{ USER_BERT, NULL, "fred@branch.test", ">fred@head.test=lan:192.0.2.5:25" },
		{ USER_BERT, NULL, "x@far.test", "550" },
	};

	(void)state;
	open_site(CONF BOXES);
	site_set_user(&site, "bert", "send_internet", "no");
	site_add_mapping(&site, "info", "anna");
	site_add_mapping(&site, "sales", "anna");
	site_add_mapping(&site, "office", "carl@branch.test");
	take_rules("~@example.org 192.0.2.4 rest@b.test\nanna@example.org 192.0.2.1\n"
		   "s?les@example.org 192.0.2.2:1025\nmartin 192.0.2.3\n*@branch.test 192.0.2.5 *@head.test\n"
		   "~@other.test 192.0.2.6\n");
	CHECK(rows);
	assert_true(notes_say(&rows[0], "anna@example.org goes to another server by LAN rule 2"));
	assert_true(notes_say(&rows[0], "anna@example.org waits in the queue: for 192.0.2.1:25, by LAN rule 2"));
	site_close(&site);
}

static void
test_conditions_lan_02(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "anna@example.org", "anna" },
		{ ANY_BOX, NULL, "anna@example.org", ">anna@example.org=lan:192.0.2.1:25" },
		{ BOX1, NULL, "anna@example.org", ">anna@example.org=lan:192.0.2.1:25" },
		{ STRANGER, NULL, "bert@example.org", ">bert@example.org=lan:192.0.2.2:25" },
		{ LMTP, NULL, "bert@example.org", ">bert@example.org=lan:192.0.2.2:25" },
		{ BOX1, NULL, "bert@example.org", "bert" },
		{ BOX2, NULL, "bert@box2.test", ">bert@box2.test=lan:192.0.2.2:25" },
		{ BOX1, NULL, "carl@example.org", ">carl@example.org=lan:192.0.2.3:25" },
		{ BOX2, NULL, "carl@box2.test", "postmaster" }, /* no default mappings there; ADM-02 */
		{ LOCAL, NULL, "bert@example.org", "bert" },
	};

	(void)state;
	open_site(CONF BOXES);
	take_rules("(pop3) anna@example.org 192.0.2.1\n(smtp, 2) bert 192.0.2.2\n(Box1) carl 192.0.2.3\n");
	CHECK(rows);
	site_close(&site);
}

/* LAN copies are none of those that limits of sending count (limits.user_recipients_hour, USR-23). */
static void
test_limits_do_not_count(void **state)
{
	static const struct asked rows[] = {
		{ USER_ANNA, NULL, "fred@branch.test", ">fred@branch.test=lan:192.0.2.5:25" },
		{ USER_ANNA, NULL, "x@far.test", "552" },
	};

	(void)state;
	open_site(CONF);
	site_set_user(&site, "anna", "max_out_kb", "1");
	take_rules("*@branch.test 192.0.2.5\n");
	check_sized(rows, COUNT(rows), 5000);
	site_close(&site);
}

int
test_routing_lan(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_lan_01_lan_03_lan_04),
		cmocka_unit_test(test_conditions_lan_02),
		cmocka_unit_test(test_limits_do_not_count),
	};

	return cmocka_run_group_tests_name("routing-lan", tests, NULL, NULL);
}
