/*
 * test_routing_who.c - for whom a collected message is: fields, accepted domains, routes, order.
 */
#include "tests/unit/who_ask.h"

/* Each field alone is enough; Bcc and Resent-Bcc are never read. */
static void
test_fields_inm_10(void **state)
{
	static const struct who rows[] = {
		{ "box", "To: anna@example.org\r\n\r\n", "anna@example.org = anna" },
		{ "box", "Cc: anna@example.org\r\n\r\n", "anna@example.org = anna" },
		{ "box", "Apparently-To: anna@example.org\r\n\r\n", "anna@example.org = anna" },
		{ "box", "Resent-To: anna@example.org\r\n\r\n", "anna@example.org = anna" },
		{ "box", "Resent-Cc: anna@example.org\r\n\r\n", "anna@example.org = anna" },
		{ "box", "Received: by x for <anna@example.org>; d\r\n\r\n", "anna@example.org = anna" },
		{ "box", "X-Envelope-To: anna@example.org\r\n\r\n", "anna@example.org = anna" },
		{ "box", "Bcc: anna@example.org\r\nResent-Bcc: bert@example.org\r\n\r\n", " = postmaster" },
		{ "box", "From: anna@example.org\r\nReply-To: bert@example.org\r\n\r\n", " = postmaster" },
		{ "box", "TO: Anna <ANNA@EXAMPLE.ORG>, \"Bert, B\" <bert@example.org>\r\ncc: carl@example.org\r\n\r\n",
			"ANNA@example.org bert@example.org carl@example.org = anna bert carl" },
		/* once each */
		{ "box", "To: anna@example.org, Anna@example.org\r\nCc: anna@example.org\r\n\r\n",
			"anna@example.org = anna" },
		/* a group, comments, folds, quotes (RFC 5322, 3.4) */
		{ "box", "To: us: anna@example.org,\r\n\tBert (b) <bert@example.org>; , carl @ example.org\r\n\r\n",
			"anna@example.org bert@example.org carl@example.org = anna bert carl" },
		/* a line without a colon is passed over (contract 8) */
		{ "box", "To: x@far.test\r\nTo anna@example.org\r\nCc: bert@example.org\r\n\r\n",
			"bert@example.org = bert" },
		/* without @: the default domain, then accepted domains decide; mailto: is dropped */
		{ "box", "To: anna, mailto:bert@example.org, <mailto:carl@example.org>\r\n\r\n",
			"anna@example.org bert@example.org carl@example.org = anna bert carl" },
		{ "other", "To: anna\r\n\r\n", " = postmaster" },
		/* '%' and '!' mean nothing (H9), and nobody has such a name: ADM-02 */
		{ "box", "To: a%b@example.org, anna@example.org\r\n\r\n",
			"a%b@example.org anna@example.org = anna postmaster" },
		/* no header at all */
		{ "box", "\r\n", " = postmaster" },
	};

	(void)state;
	open_site(SITE(BOX("box", OURS ", special_headers: [X-Envelope-To]") ", " BOX("other", "accepted: [else.test]")));
	CHECK_WHO(rows);
	site_close(&site);
}

/* LOC-03, LOC-04, INM-08: what fits is ours, what does not is passed over; where none is left, ADM-02 once. */
static void
test_accepted_inm_06_inm_08_loc_03_loc_04_q_71(void **state)
{
	static const struct who rows[] = {
		{ "box", "To: x@sub.company.test\r\n\r\n", " = postmaster" },
		{ "box", "To: anna@company.test, x@far.test\r\n\r\n", "anna@company.test = anna" },
		{ "box", "To: anna@COMPANY.Test.\r\n\r\n", "anna@company.test = anna" },
		{ "box", "To: anna.site@mine.test, anna@mine.test\r\n\r\n", "anna.site@mine.test = bert" },
		{ "box", "To: fred@isp.test, joe@isp.test\r\n\r\n", "fred@isp.test = carl" },
		{ "box", "To: anna@a.wild.test, bert@wild.test\r\n\r\n", "anna@a.wild.test = anna" },
		/* the same address: ours by SMTP, foreign to a collector that lacks the domain */
		{ "box", "To: anna@example.org\r\n\r\n", " = postmaster" },
		{ "box", "To: a@far.test, b@far.test\r\n\r\n", " = postmaster" },
		/* A-labels and U-labels are one domain */
		{ "box", "To: anna@b\xc3\xbc" "cher.test\r\n\r\n", "anna@b\xc3\xbc" "cher.test = anna" },
		{ "box", "To: anna@xn--bcher-kva.test\r\n\r\n", "anna@xn--bcher-kva.test = anna" },
		{ "box", "To: anna@xn--mller-kva.test\r\n\r\n", "anna@xn--mller-kva.test = anna" },
		{ "box", "To: anna@m\xc3\xbcller.test\r\n\r\n", "anna@m\xc3\xbcller.test = anna" },
		{ "box", "To: anna@m\xc3\xb6ller.test\r\n\r\n", " = postmaster" },
	};
	static const struct who recognised = { "box", "To: nobody@company.test, anna@company.test\r\n\r\n",
		"nobody@company.test anna@company.test = anna postmaster" };

	(void)state;
	open_site(SITE(BOX("box", "accepted: [company.test, \"*.site@mine.test\", fred@isp.test, \"*.wild.test\", "
		"\"b\xc3\xbc" "cher.test\", xn--mller-kva.test]")));
	site_add_mapping(&site, "anna.site", "bert");
	site_add_mapping(&site, "fred@isp.test", "carl");
	CHECK_WHO(rows);
	check_who(&recognised, 1);
	assert_true(who_says(&rows[1], "x@far.test in To is none of the accepted domains: passed over"));
	assert_true(who_says(&rows[1], "anna@company.test is a recipient, by the field To"));
	site_close(&site);
}

/* both separators, in a list of one line too. */
static void
test_separators_q_70(void **state)
{
	static const struct who rows[] = {
		{ "box", "To: anna@a.test\r\n\r\n", "anna@a.test = anna" },
		{ "box", "To: bert@b.test\r\n\r\n", "bert@b.test = bert" },
		{ "box", "To: carl@c.test\r\n\r\n", "carl@c.test = carl" },
	};

	(void)state;
	open_site(SITE(BOX("box", "accepted: [\"a.test; b.test,c.test\"]")));
	CHECK_WHO(rows);
	site_close(&site);
}

/* Empty accepted domains: the letter, whatever the header says. */
static void
test_accepts_nothing_inm_07_trb_07(void **state)
{
	static const struct who rows[] = {
		{ "box", "To: anna@example.org\r\n\r\n", " = postmaster*" },
		{ "all", "To: x@far.test\r\n\r\n", ">anna@example.org = anna" },
		{ "gone", "To: x@far.test\r\n\r\n", ">zoe@example.org = postmaster" },
	};

	(void)state;
	open_site(SITE(BOX("box", "accepted: []") ", " BOX("all", "route: all, target: anna") ", "
		BOX("gone", "route: all, target: zoe")));
	CHECK_WHO(rows);
	site_close(&site);
}

#define FIXED "To: \"carl\" <fred@isp.test>\r\nSubject: for {bert}\r\n\r\n"

/* INM-09: the five, with one message; a user, group, list or address as target; LAN-07 by a route of its own. */
static void
test_five_routes_inm_09_lan_07(void **state)
{
	static const struct who rows[] = {
		{ "recipient", FIXED, "fred@isp.test = anna" },
		{ "all", FIXED, ">bert@example.org = bert" },
		{ "lan", FIXED, ">box@branch.test = >box@branch.test=lan:192.0.2.7:2525" },
		{ "single", FIXED, ">carl@example.org = carl" },
		{ "subject", FIXED, ">bert@example.org = bert" },
		{ "all-list", FIXED, ">team@example.org = anna bert" },
		{ "all-group", FIXED, ">office@example.org = carl" },
		{ "all-away", FIXED, ">x@far.test = >x@far.test" },
		{ "all-ours", FIXED, ">carl@example.org = carl" },
		{ "all-everyone", FIXED, ">Everyone@example.org = postmaster anna bert carl" },
		{ "lan-port", FIXED, ">box@branch.test = >box@branch.test=lan:branch.test:25" },
		/* whatever the header says */
		{ "all", "\r\n", ">bert@example.org = bert" },
		{ "lan", "To: anna@example.org\r\n\r\n", ">box@branch.test = >box@branch.test=lan:192.0.2.7:2525" },
	};

	(void)state;
	open_site(SITE(BOX("recipient", OURS) ", " BOX("all", OURS ", route: all, target: bert") ", "
		BOX("lan", OURS ", route: lan, target: box@branch.test, target_server: \"192.0.2.7:2525\"") ", "
		BOX("single", OURS ", route: single") ", " BOX("subject", OURS ", route: subject") ", "
		BOX("all-list", "route: all, target: team") ", " BOX("all-group", "route: all, target: office") ", "
		BOX("all-away", "route: all, target: x@far.test") ", "
		BOX("all-ours", "route: all, target: carl@example.org") ", "
		BOX("all-everyone", "route: all, target: Everyone") ", "
		BOX("lan-port", "route: lan, target: box@branch.test, target_server: branch.test")));
	site_add_mapping(&site, "fred@isp.test", "anna");
	site_add_mapping(&site, "bert", "carl"); /* no mapping is asked about a target */
	site_add_list(&site, "team", "distribution", "anna;bert");
	site_add_group(&site, "office", "carl");
	CHECK_WHO(rows);
	assert_true(who_says(&rows[2], "all mail of lan goes to box@branch.test at 192.0.2.7:2525"));
	site_close(&site);
}

/* INM-11: a template's '*' is the address. */
static void
test_special_inm_11(void **state)
{
	static const struct who rows[] = {
		{ "tmpl", "DeliveredTo: account-anna@example.org\r\nTo: bert@example.org\r\n\r\n",
			"anna@example.org = anna" },
		{ "tmpl", "deliveredto: <ACCOUNT-anna@example.org>\r\n\r\n", "anna@example.org = anna" },
		{ "tmpl", "DeliveredTo: account-anna\r\n\r\n", "anna@example.org = anna" },
		{ "tmpl", "DeliveredTo: other-anna@example.org\r\nTo: bert@example.org\r\n\r\n",
			"bert@example.org = bert" },
		{ "tmpl", "X-RCPTTO: <bert@example.org>\r\nTo: anna@example.org\r\n\r\n", "bert@example.org = bert" },
		{ "tmpl", "X-Envelope-To: bert\r\nTo: anna@example.org\r\n\r\n", "bert@example.org = bert" },
		/* names nobody of ours: the next step */
		{ "tmpl", "X-RCPTTO: x@far.test\r\nTo: anna@example.org\r\n\r\n", "anna@example.org = anna" },
		/* a field that is not named is none */
		{ "tmpl", "X-Other: bert@example.org\r\nTo: anna@example.org\r\n\r\n", "anna@example.org = anna" },
	};

	(void)state;
	open_site(SITE(BOX("tmpl", OURS ", special_headers: [X-RCPTTO, \"X-Envelope-To:\", \"DeliveredTo: account-*\"]")));
	CHECK_WHO(rows);
	assert_true(who_says(&rows[3], "other-anna@example.org does not fit account-*: passed over"));
	assert_true(who_says(&rows[0], "anna@example.org is a recipient, by the field DeliveredTo"));
	assert_true(who_says(&rows[0], "the standard fields are not looked at: stop-if-any, and somebody was found"));
	site_close(&site);
}

#define THREE_RECEIVED \
	"Received: by c for <anna@example.org>; d\r\nReceived: by x for <far@far.test>; d\r\n" \
	"Received: by b for <bert@example.org>; d\r\nReceived: by a for <carl@example.org>; d\r\n\r\n"
#define THREE_SPECIAL "X-To: far@far.test, anna@example.org\r\nX-To: bert@example.org\r\nX-To: carl@example.org\r\n\r\n"

/* First, last, all; the defaults. */
static void
test_read_inm_12(void **state)
{
	static const struct who rows[] = {
		{ "forwards", THREE_RECEIVED, "anna@example.org = anna" },
		{ "reversed", THREE_RECEIVED, "carl@example.org = carl" },
		{ "all", THREE_RECEIVED, "anna@example.org bert@example.org carl@example.org = anna bert carl" },
		{ "default", THREE_RECEIVED, "carl@example.org = carl" },
		{ "forwards", THREE_SPECIAL, "anna@example.org = anna" },
		{ "reversed", THREE_SPECIAL, "carl@example.org = carl" },
		{ "all", THREE_SPECIAL, "anna@example.org bert@example.org carl@example.org = anna bert carl" },
		{ "default", THREE_SPECIAL, "anna@example.org = anna" },
	};

	(void)state;
	open_site(SITE(
		BOX("forwards", OURS ", special_headers: [X-To], read_special: forwards, read_received: forwards") ", "
		BOX("reversed", OURS ", special_headers: [X-To], read_special: reversed, read_received: reversed") ", "
		BOX("all", OURS ", special_headers: [X-To], read_special: all, read_received: all") ", "
		BOX("default", OURS ", special_headers: [X-To]")));
	CHECK_WHO(rows);
	assert_true(who_says(&rows[3], "the received fields name 3 addresses of ours, of which the last counts; 1 passed over"));
	site_close(&site);
}

#define ALL_THREE \
	"X-To: anna@example.org\r\nTo: bert@example.org\r\nReceived: by a for <carl@example.org>; d\r\n\r\n"
#define NO_SPECIAL "To: bert@example.org\r\nReceived: by a for <carl@example.org>; d\r\n\r\n"
#define ORDERED(name, order) BOX(name, OURS ", special_headers: [X-To], order: [" order "]")

static void
test_order_inm_13(void **state)
{
	static const struct who rows[] = {
		/* stop after Special: To is not looked at when Special found someone */
		{ "default", ALL_THREE, "anna@example.org = anna" },
		{ "default", NO_SPECIAL, "bert@example.org = bert" },
		{ "default", "Received: by a for <carl@example.org>; d\r\n\r\n", "carl@example.org = carl" },
		{ "none", ALL_THREE, "anna@example.org bert@example.org carl@example.org = anna bert carl" },
		{ "turned", ALL_THREE, "carl@example.org bert@example.org anna@example.org = carl bert anna" },
		{ "stop", ALL_THREE, "anna@example.org = anna" },
		{ "stop", NO_SPECIAL, " = postmaster" },
		{ "late", ALL_THREE, "anna@example.org bert@example.org = anna bert" },
		{ "late", "Received: by a for <carl@example.org>; d\r\n\r\n", "carl@example.org = carl" },
		{ "only", ALL_THREE, "bert@example.org = bert" },
		/* "any" is recognised, not known: nobody@ is ours (contract 8) */
		{ "default", "X-To: nobody@example.org\r\nTo: bert@example.org\r\n\r\n",
			"nobody@example.org = postmaster" },
	};

	(void)state;
	open_site(SITE(ORDERED("default", "special, stop-if-any, standard, stop-if-any, received") ", "
		ORDERED("none", "special, standard, received") ", " ORDERED("turned", "received, standard, special") ", "
		ORDERED("stop", "special, stop, standard, received") ", "
		ORDERED("late", "special, standard, stop-if-any, received, stop-if-any") ", "
		ORDERED("only", "standard, stop")));
	CHECK_WHO(rows);
	assert_true(who_says(&rows[6], "the standard fields are not looked at: stop"));
	site_close(&site);
}

static void
test_switches_inm_14_inm_15_inm_17(void **state)
{
	static const struct who rows[] = {
		{ "plain", "Resent-To: anna@example.org\r\nResent-Cc: carl@example.org\r\nTo: bert@example.org\r\n\r\n",
			"anna@example.org carl@example.org bert@example.org = anna carl bert" },
		{ "strict", "Resent-To: anna@example.org\r\nResent-Cc: carl@example.org\r\nTo: bert@example.org\r\n\r\n",
			"bert@example.org = bert" },
		{ "plain", "Received: by x for anna; d\r\n\r\n", " = postmaster" },
		{ "bare", "Received: by x for anna; d\r\n\r\n", "anna@example.org = anna" },
		{ "bare", "Received: by x for <anna>; d\r\n\r\n", "anna@example.org = anna" },
		/* only mapped names are delivered */
		{ "mapped", "To: anna@example.org, sales@example.org\r\n\r\n",
			"anna@example.org sales@example.org = bert postmaster" },
	};

	(void)state;
	open_site(SITE(BOX("plain", OURS) ", " BOX("strict", OURS ", ignore_resent: yes") ", "
		BOX("bare", OURS ", ignore_bare_received: no") ", " BOX("mapped", OURS ", default_mappings: no")));
	site_add_mapping(&site, "sales", "bert");
	CHECK_WHO(rows);
	assert_true(who_says(&rows[1], "a field Resent-To is not looked at: ignore_resent"));
	assert_true(who_says(&rows[2], "anna in Received has no domain: passed over (ignore_bare_received)"));
	site_close(&site);
}

#define FORWARDED \
	"Received: from smtpmail.megaisp.test by\r\n\tmail.megaisp.test with SMTP id GTP39231\r\n" \
	"\tfor <bibble@megaisp.test>; Tue, 13 Jan\r\n\t1998 09:20:03 +0000\r\n" \
	"Received: from sender.isp.test by\r\n\tsmtpmail.megaisp.test with SMTP id\r\n" \
	"\tLPS23652 for <sarah@bibble-gadgets.test>;\r\n\tTue, 13 Jan 1998 09:15:44 +0000\r\n" \
	"Date: Tue, 13 Jan 1998 08:30:44 +0000\r\nTo: sarah@bibble-gadgets.test\r\n\r\n"
#define BIBBLE "accepted: [bibble-gadgets.test, bibble@megaisp.test]"

/* The header of the manual, 21.16.1: one copy to sarah by Reversed, by a stop line, and by the defaults. */
static void
test_forwarded_inm_22(void **state)
{
	static const struct who rows[] = {
		{ "reversed", FORWARDED, "sarah@bibble-gadgets.test = sarah" },
		{ "stopped", FORWARDED, "sarah@bibble-gadgets.test = sarah" },
		{ "default", FORWARDED, "sarah@bibble-gadgets.test = sarah" },
		{ "doubled", FORWARDED, "sarah@bibble-gadgets.test bibble@megaisp.test = sarah postmaster" },
	};

	(void)state;
	open_site(SITE(
		BOX("reversed", BIBBLE ", order: [special, standard, received], read_received: reversed") ", "
		BOX("stopped", BIBBLE ", order: [standard, stop-if-any, received], read_received: forwards") ", "
		BOX("default", BIBBLE) ", "
		BOX("doubled", BIBBLE ", order: [standard, received], read_received: forwards")));
	site_add_user(&site, "sarah", NULL);
	CHECK_WHO(rows);
	site_close(&site);
}

/* MAP-11, MAP-12, MAP-18: of *REMOTE nothing happens, others get theirs; a list outside (MAP-17); one collector's (MAP-08). */
static void
test_mappings_map_08_map_11_map_12_map_17_map_18(void **state)
{
	static const struct who rows[] = {
		{ "one", "To: anna@example.org\r\nCc: karen@example.org\r\n\r\n",
			"anna@example.org karen@example.org = anna -" },
		{ "one", "To: karen@example.org\r\n\r\n", "karen@example.org = -" },
		{ "one", "To: list@elsewhere.test\r\n\r\n", "list@elsewhere.test = anna bert" },
		{ "one", "To: shop@example.org\r\n\r\n", "shop@example.org = carl" },
		{ "two", "To: shop@example.org\r\n\r\n", "shop@example.org = postmaster" },
	};
	static const struct {
		const char *header;
		size_t users;
		bool elsewhere;
	} names[] = {
		{ "To: karen@example.org\r\n\r\n", 0, true },
		{ "To: karen@example.org, anna@example.org\r\n\r\n", 1, false },
		{ "To: list@elsewhere.test, anna@example.org\r\n\r\n", 2, false },
		{ "To: hole@example.org\r\n\r\n", 0, false }, /* No-one swallows it here */
		{ "To: x@far.test\r\n\r\n", 1, false },	   /* the administrator */
	};

	(void)state;
	open_site(SITE(BOX("one", "accepted: [example.org, list@elsewhere.test]") ", " BOX("two", OURS)));
	site_add_mapping(&site, "karen", "*REMOTE");
	site_add_mapping(&site, "hole", "No-one");
	site_add_mapping_when(&site, "list@elsewhere.test", "anna", "pop3", NULL);
	site_add_mapping_when(&site, "list@elsewhere.test", "bert", "pop3", NULL);
	site_add_mapping_when(&site, "shop@example.org", "carl", "pop3", "one");
	CHECK_WHO(rows);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct collected_names who;
		struct looked l;

		look_begin(&l, "one", span_of(names[i].header));
		assert_int_equal(collected_names(&l.ask, &l.arena, &who), OK);
		check_row(i, who.count == names[i].users && who.only_elsewhere == names[i].elsewhere);
		look_end(&l);
	}
	site_close(&site);
}

int
test_routing_who(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_inm_10),
		cmocka_unit_test(test_accepted_inm_06_inm_08_loc_03_loc_04_q_71),
		cmocka_unit_test(test_separators_q_70),
		cmocka_unit_test(test_accepts_nothing_inm_07_trb_07),
		cmocka_unit_test(test_five_routes_inm_09_lan_07),
		cmocka_unit_test(test_special_inm_11),
		cmocka_unit_test(test_read_inm_12),
		cmocka_unit_test(test_order_inm_13),
		cmocka_unit_test(test_switches_inm_14_inm_15_inm_17),
		cmocka_unit_test(test_forwarded_inm_22),
		cmocka_unit_test(test_mappings_map_08_map_11_map_12_map_17_map_18),
	};

	return cmocka_run_group_tests_name("routing-who", tests, NULL, NULL);
}
