/*
 * test_routing_lists.c - groups, lists and permissions: who gets it, and who may send it.
 */
#include <stdio.h>

#include "tests/unit/test_routing.h"

static void
test_groups_grp_04_grp_05_grp_08_lst_07_lst_08_usr_24(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "team@example.org", "550" },
		{ RANGE, NULL, "team@example.org", "550" },
		{ LMTP, NULL, "team@example.org", "550" },
		{ USER_CARL, NULL, "team@example.org", "anna bert" },
		{ STRANGER, NULL, "everyone@example.org", "550" },
		{ USER_CARL, NULL, "Everyone@example.org", "postmaster anna carl" }, /* bert: USR-24 */
		{ STRANGER, NULL, "admins@example.org", "550" },
		{ USER_CARL, NULL, "ADMINS@example.org", "postmaster" },
		{ STRANGER, NULL, "no-one@example.org", "550" },
		{ USER_CARL, NULL, "no-one@example.org", "-" },
		{ STRANGER, NULL, "wrapped@example.org", "anna bert" },
		{ STRANGER, NULL, "mapped@example.org", "anna bert" },
		{ USER_CARL, NULL, "empty@example.org", "-" },
	};

	(void)state;
	open_site(CONF);
	site_add_group(&site, "team", "anna;bert");
	site_set_group(&site, "team", "enabled", "no"); /* GRP-05: mail still arrives */
	site_add_group(&site, "empty", "");
	site_set_user(&site, "bert", "everyone", "no");
	site_add_list(&site, "wrapped", "distribution", "team");
	site_add_mapping(&site, "mapped", "team");
	CHECK(rows);
	/* LST-07: a new administrator is in it at once; GRP-03, GRP-04: also one by force of his group */
	site_set_user(&site, "anna", "admin", "yes");
	CHECK(((const struct asked[]){ { USER_CARL, NULL, "Admins", "postmaster anna" } }));
	site_set_group(&site, "team", "force", "yes");
	site_set_group(&site, "team", "admin", "on");
	CHECK(((const struct asked[]){ { USER_CARL, NULL, "Admins", "postmaster anna bert" } }));
	site_set_group(&site, "team", "admin", "off");
	site_set_group(&site, "team", "everyone", "on");
	CHECK(((const struct asked[]){ { USER_CARL, NULL, "Admins", "postmaster" },
		{ USER_CARL, NULL, "Everyone", "postmaster anna bert carl" } }));
	site_close(&site);
}

static void
test_lists_lst_03_lst_04_lst_09_rte_15(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "mixed@example.org", "anna bert carl >x@far.test" }, /* LST-03, LST-04 */
		{ STRANGER, NULL, "empty@example.org", "-" },
		{ STRANGER, NULL, "moved@example.org", ">away@far.test" }, /* LST-09: no user needed */
		{ STRANGER, NULL, "talk@example.org", "anna bert" },
		{ STRANGER, NULL, "anna@example.org mixed@example.org alias@example.org",
			"anna bert carl >x@far.test" }, /* RTE-15 */
		{ STRANGER, NULL, "lost@example.org", "bert" },
		{ STRANGER, NULL, "near@example.org", "anna" },
		{ STRANGER, NULL, "quiet@example.org", "anna" },
		{ STRANGER, NULL, "moved@far.test", "550" },
		{ USER_ANNA, NULL, "shut@example.org", "-" },
	};

	(void)state;
	open_site(CONF);
	site_add_group(&site, "team", "bert;carl");
	site_add_list(&site, "mixed", "distribution", "anna;inner;team;x@far.test");
	site_add_list(&site, "inner", "distribution", "bert");
	site_add_list(&site, "empty", "distribution", "");
	site_add_list(&site, "moved", "forwarding", "away@far.test");
	site_add_list(&site, "talk", "mailing", "anna;bert");
	site_add_list(&site, "lost", "distribution", "bert;dave");
	site_add_list(&site, "near", "distribution", "anna@example.org");
	site_add_list(&site, "quiet", "distribution", "anna;No-one");
	site_add_list(&site, "shut", "distribution", "No-one");
	site_add_mapping(&site, "alias", "anna");
	CHECK(rows);
	assert_true(notes_say(&rows[5], "the member dave of the list lost is known to nobody"));
	assert_true(notes_say(&rows[3], "talk is a mailing list"));
	site_close(&site);
}

static void
test_nesting_lst_06_h16(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "l2@example.org", "bert" },     /* ten lists: l2 to l11 */
		{ STRANGER, NULL, "l1@example.org", "-" },        /* eleven */
		{ STRANGER, NULL, "self@example.org", "anna" },
		{ STRANGER, NULL, "ring1@example.org", "anna bert" },
		{ STRANGER, NULL, "ring2@example.org", "bert anna" },
	};
	char name[16], next[16];

	(void)state;
	open_site(CONF);
	for (int i = 11; i >= 1; i--) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(next, sizeof(next), "l%d", i + 1);
		site_add_list(&site, name, "distribution", i == 11 ? "bert" : next);
	}
	site_add_list(&site, "self", "distribution", "self;anna");
	site_add_list(&site, "ring1", "distribution", "anna;ring2");
	site_add_list(&site, "ring2", "distribution", "bert;ring1");
	CHECK(rows);
	assert_true(notes_say(&rows[1], "l11 in the list l10 lies deeper than ten lists"));
	assert_true(notes_say(&rows[3], "ring1 in the list ring2 was expanded already"));
	site_close(&site);
}

/* Every list holds every other one: a million ways through, each list once. */
static void
test_knot_of_lists_lst_06_h16(void **state)
{
	char name[16], members[400] = "anna";
	struct asked row = { STRANGER, NULL, "k0@example.org", "anna" };
	size_t len = 4;

	(void)state;
	open_site(CONF);
	for (int i = 0; i < 40; i++)
		len += (size_t)snprintf(members + len, sizeof(members) - len, ";k%d", i);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		site_add_list(&site, name, "distribution", members);
	}
	check_sized(&row, 1, 0);
	site_close(&site);
}

static void
test_too_many_h16(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "big@example.org", "550" },
		{ STRANGER, NULL, "wide@example.org", "550" },
	};
	struct buf members;

	(void)state;
	open_site(CONF "limits: { expansion_recipients: 100 }\n");
	buf_init(&members, 20000);
	for (int i = 0; i < 101; i++)
		assert_int_equal(buf_printf(&members, "x%d@far.test;", i), OK);
	assert_int_equal(buf_put_char(&members, '\0'), OK);
	site_add_list(&site, "big", "distribution", buf_span(&members).ptr);
	/* names that lead nowhere are work too: four times the limit of them is enough */
	buf_clear(&members);
	for (int i = 0; i < 401; i++)
		assert_int_equal(buf_printf(&members, "gone%d;", i), OK);
	assert_int_equal(buf_put_char(&members, '\0'), OK);
	site_add_list(&site, "wide", "distribution", buf_span(&members).ptr);
	CHECK(rows);
	buf_fini(&members);
	site_close(&site);
}

static void
test_permissions_usr_25_usr_26_grp_03(void **state)
{
	static const struct asked rows[] = {
		{ USER_BERT, NULL, "x@far.test", "550" },        /* USR-25 */
		{ USER_BERT, NULL, "anna@example.org", "anna" },
		{ USER_BERT, NULL, "away@example.org", ">x@far.test" }, /* the administrator's wish */
		{ USER_CARL, NULL, "x@far.test", "550" },        /* GRP-03: by force of his group */
		{ RANGE, "bert@example.org", "x@far.test", "550" }, /* by his address, in a noauth range */
		{ USER_ANNA, NULL, "x@far.test", ">x@far.test" },
		{ STRANGER, NULL, "shy@example.org", "550" },    /* USR-26 */
		{ RANGE, NULL, "shy@example.org", "550" },
		{ LMTP, NULL, "shy@example.org", "550" },
		{ BOX1, NULL, "shy@example.org", "postmaster" },
		{ USER_ANNA, NULL, "shy@example.org", "shy" },
		{ LOCAL, NULL, "shy@example.org", "shy" },
		{ STRANGER, NULL, "toshy@example.org", "550" },  /* through a mapping */
		{ USER_ANNA, NULL, "toshy@example.org", "shy" },
		{ STRANGER, NULL, "list@example.org", "anna" },  /* through a list: left out */
		{ USER_ANNA, NULL, "list@example.org", "anna shy" },
		{ STRANGER, NULL, "shylist@example.org", "-" },
		{ STRANGER, NULL, "wrapped@example.org", "-" },  /* through a group */
		{ STRANGER, NULL, "postmaster@example.org", "shy" }, /* RFC 5321, 4.5.1 */
	};

	(void)state;
	open_site(CONF BOXES);
	site_add_user(&site, "shy", NULL);
	site_set_user(&site, "shy", "receive_internet", "no");
	site_set_user(&site, "bert", "send_internet", "no");
	site_add_group(&site, "stay", "carl");
	site_set_group(&site, "stay", "force", "yes");
	site_set_group(&site, "stay", "send_internet", "off");
	site_set_group(&site, "stay", "receive_internet", "off");
	site_add_list(&site, "list", "distribution", "anna;shy");
	site_add_list(&site, "shylist", "distribution", "shy");
	site_add_list(&site, "wrapped", "distribution", "stay");
	site_add_mapping(&site, "toshy", "shy");
	site_add_mapping(&site, "away", "x@far.test");
	site_add_mapping(&site, "postmaster", "shy");
	CHECK(rows);
	site_close(&site);
}

static void
test_size_usr_23_grp_07(void **state)
{
	static const struct asked out[] = {
		{ USER_BERT, NULL, "x@far.test", "552" },
		{ USER_BERT, NULL, "anna@example.org", "anna" },
		{ USER_BERT, NULL, "anna@example.org x@far.test", "anna" }, /* as SIZE= said it */
		{ USER_BERT, NULL, "karen@example.org", "552" },
		{ USER_BERT, NULL, "list@example.org", "552" },
		{ USER_ANNA, NULL, "x@far.test", ">x@far.test" },
		{ RANGE, "bert@example.org", "x@far.test", "552" },
	};
	static const struct asked group[] = { { USER_CARL, NULL, "x@far.test", "552" } };
	static const struct asked fits[] = { { USER_CARL, NULL, "x@far.test", ">x@far.test" } };

	(void)state;
	open_site(CONF);
	site_set_user(&site, "bert", "max_out_kb", "100");
	site_add_group(&site, "small", "carl");
	site_set_group(&site, "small", "max_out_kb", "500");
	site_add_mapping(&site, "karen", "*REMOTE");
	site_add_list(&site, "list", "distribution", "anna;x@far.test");
	check_sized(out, COUNT(out), 150 * 1024);
	check_sized(group, 1, 600 * 1024); /* user 0, group 500: 500 */
	check_sized(fits, 1, 500 * 1024);
	site_set_user(&site, "carl", "max_out_kb", "900");
	check_sized(fits, 1, 600 * 1024); /* user 900, group 500: 900 */
	check_sized(group, 1, 901 * 1024);
	site_close(&site);
}

/* The right to write as an address follows mappings here, not equal names elsewhere (H12). */
/* The group's reply address, each '*' his name, is one he may write as; his own goes before it. */
static void
test_reply_address_grp_06_q_06(void **state)
{
	static const struct asked rows[] = {
		{ USER_BERT, "bert@shop.test", "anna@example.org", "anna" },
		{ USER_BERT, "BERT@Shop.test", "anna@example.org", "anna" },
		{ USER_BERT, "carl@shop.test", "anna@example.org", "553" },
		{ USER_CARL, "carl@shop.test", "anna@example.org", "553" },
		{ USER_CARL, "office@far.test", "anna@example.org", "anna" },
		{ USER_ANNA, "anna@shop.test", "bert@example.org", "553" },
	};

	(void)state;
	open_site(CONF);
	site_add_group(&site, "shop", "bert;carl");
	site_set_group(&site, "shop", "reply_address", "\"*\" <*@shop.test>");
	site_set_user(&site, "carl", "reply_address", "office@far.test");
	CHECK(rows);
	site_close(&site);
}

int
test_routing_lists(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups_grp_04_grp_05_grp_08_lst_07_lst_08_usr_24),
		cmocka_unit_test(test_lists_lst_03_lst_04_lst_09_rte_15),
		cmocka_unit_test(test_nesting_lst_06_h16),
		cmocka_unit_test(test_knot_of_lists_lst_06_h16),
		cmocka_unit_test(test_too_many_h16),
		cmocka_unit_test(test_permissions_usr_25_usr_26_grp_03),
		cmocka_unit_test(test_size_usr_23_grp_07),
		cmocka_unit_test(test_reply_address_grp_06_q_06),
	};

	return cmocka_run_group_tests_name("routing of lists", tests, NULL, NULL);
}
