/*
 * test_routing_mailbox.c - what the mailboxes decide: size rules, assistants, forwarding, rings; asked of the whole
 * pipeline.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf_rules.h"
#include "server/pipeline/pipeline.h"
#include "tests/unit/test_routing.h"

static void
set(const char *user, const char *key, const char *value)
{
	site_set_user(&site, user, key, value);
}

static void
forward(const char *user, const char *to)
{
	set(user, "forward", "yes");
	set(user, "forward_to", to);
}

/* RTE-02, RTE-04: a copy for each assistant; by redirect none stays. */
static void
test_assistants_rte_02_rte_04(void **state)
{
	static const struct asked copies[] = {
		{ STRANGER, NULL, "anna@example.org", "anna >x@far.test bert" },
		/* RTE-15: who is named too gets one */
		{ STRANGER, NULL, "bert@example.org anna@example.org", "bert anna >x@far.test" },
		{ STRANGER, NULL, "anna@example.org bert@example.org", "anna bert >x@far.test" },
	};
	static const struct asked instead[] = {
		{ STRANGER, NULL, "anna@example.org", ">x@far.test bert" },
		{ STRANGER, NULL, "bert@example.org anna@example.org", "bert >x@far.test" },
		/* whoever the message reaches by a list or a mapping */
		{ STRANGER, NULL, "team@example.org", "carl >x@far.test bert" },
		{ STRANGER, NULL, "boss@example.org", ">x@far.test bert" },
	};

	(void)state;
	open_site(CONF);
	site_add_list(&site, "team", "distribution", "anna;carl");
	site_add_mapping(&site, "boss", "anna");
	set("anna", "assistants", "bert;x@far.test");
	CHECK(copies);
	set("anna", "assistant_redirect", "yes");
	CHECK(instead);
	site_close(&site);
}

/* RTE-03: a message of an assistant's goes to no assistant; RTE-05, Q-11: nor do reports and our own letters. */
static void
test_passed_assistants_rte_03_rte_05_q_11(void **state)
{
	static const struct asked rows[] = {
		{ USER_BERT, NULL, "anna@example.org", "anna" },
		{ USER_BERT, "Bert@Example.Org", "anna@example.org", "anna" },
		{ STRANGER, "PA@far.test", "anna@example.org", "anna" },
		{ STRANGER, "bert@a.sub.example.org", "anna@example.org", "anna" },
		{ STRANGER, "other@far.test", "anna@example.org", ">pa@far.test bert" },
		{ USER_CARL, NULL, "anna@example.org", ">pa@far.test bert" },
		{ STRANGER, "", "anna@example.org", "anna" },
		{ LOCAL, "Mailer_Daemon@example.org", "anna@example.org", "anna" },
		{ LOCAL, "listserver@example.org", "anna@example.org", "anna" },
		{ STRANGER, "mailer_daemon@far.test", "anna@example.org", ">pa@far.test bert" },
	};
	/* contract 8: they pass the assistants alone */
	static const struct asked forwarded[] = {
		{ USER_BERT, NULL, "anna@example.org", "carl" },
		{ STRANGER, "", "anna@example.org", "carl" },
		{ STRANGER, NULL, "anna@example.org", ">pa@far.test bert" },
	};

	(void)state;
	open_site(CONF);
	set("anna", "assistants", "bert;pa@far.test");
	set("anna", "assistant_redirect", "yes");
	CHECK(rows);
	assert_true(notes_say(&rows[0], "the assistants of anna get nothing: one of them sends it"));
	assert_true(notes_say(&rows[6], "the assistants of anna get nothing: it has no return address"));
	forward("anna", "carl");
	CHECK(forwarded);
	site_close(&site);
}

/* RTE-06: a redirect while it is on; RTE-07: of nothing that was redirected before. */
static void
test_forwarding_rte_06_rte_07(void **state)
{
	static const struct asked off[] = {
		{ STRANGER, NULL, "anna@example.org", "anna" },
	};
	static const struct asked on[] = {
		{ STRANGER, NULL, "anna@example.org", ">x@far.test carl" },
		/* a copy for an assistant is no redirect */
		{ STRANGER, NULL, "carl@example.org", ">y@far.test bert" },
	};
	static const struct asked redirected[] = {
		{ STRANGER, NULL, "carl@example.org", "bert" },
	};

	(void)state;
	open_site(CONF);
	set("anna", "forward_to", "carl;x@far.test");
	CHECK(off);
	set("anna", "forward", "yes");
	check_sized(on, 1, 0);
	site_close(&site);
	open_site(CONF);
	set("carl", "assistants", "bert");
	forward("carl", "y@far.test");
	check_sized(on + 1, 1, 0);
	set("carl", "assistant_redirect", "yes");
	CHECK(redirected);
	site_close(&site);
}

/* RTE-09: both rules at their exact bounds; a size redirect does not stop assistants (contract 8). */
static void
test_size_rules_rte_09(void **state)
{
	static const struct asked none[] = { { STRANGER, NULL, "anna@example.org", "anna" } };
	static const struct asked over[] = { { STRANGER, NULL, "anna@example.org", "anna >big@far.test" } };
	static const struct asked under[] = { { STRANGER, NULL, "anna@example.org", ">small@far.test" } };
	static const struct asked both[] = {
		{ STRANGER, NULL, "anna@example.org", ">big@far.test >small@far.test" } };
	static const struct asked all[] = {
		{ STRANGER, NULL, "anna@example.org", ">big@far.test >small@far.test bert" } };

	(void)state;
	open_site(CONF);
	set("anna", "size_over_kb", "10");
	set("anna", "size_over_to", "big@far.test");
	set("anna", "size_over_action", "copy");
	set("anna", "size_under_kb", "2");
	set("anna", "size_under_to", "small@far.test");
	set("anna", "size_under_action", "redirect");
	check_sized(none, 1, 2 * 1024 + 1); /* a gap */
	check_sized(none, 1, 10 * 1024 - 1);
	check_sized(over, 1, 10 * 1024);
	check_sized(over, 1, 11 * 1024);
	check_sized(under, 1, 2 * 1024);
	set("anna", "size_under_kb", "10"); /* an overlap */
	check_sized(both, 1, 10 * 1024);
	set("anna", "assistants", "bert");
	set("anna", "forward", "yes"); /* RTE-07: a size redirect stops it */
	set("anna", "forward_to", "carl");
	check_sized(all, 1, 10 * 1024);
	set("anna", "assistants", "");
	set("anna", "forward", "no");
	set("anna", "size_over_kb", "0");
	set("anna", "size_under_to", "");
	check_sized(none, 1, 10 * 1024);
	site_close(&site);
}

/* RTE-10, Q-12: a copy by size, then assistants, then forwarding, in that order; one redirect takes the copy here. */
static void
test_order_rte_10_q_12(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "anna@example.org", ">size@far.test >pa@far.test >fwd@far.test" },
		/* receive permission comes first */
		{ STRANGER, NULL, "bert@example.org", "550" },
		{ USER_ANNA, NULL, "bert@example.org", "carl" },
	};

	(void)state;
	open_site(CONF);
	set("anna", "size_over_kb", "1");
	set("anna", "size_over_to", "size@far.test");
	set("anna", "assistants", "pa@far.test");
	forward("anna", "fwd@far.test");
	forward("bert", "carl");
	set("bert", "receive_internet", "no");
	check_sized(rows, 1, 2048);
	check_sized(rows + 1, 2, 0);
	site_close(&site);
}

/* RTE-11: SMTP:user@domain@host[:port] goes straight to that host; from assistants and size rules too. */
static void
test_servers_rte_11(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "anna@example.org", "anna >x@dom.test=lan:127.0.0.1:2525" },
		{ STRANGER, NULL, "bert@example.org", ">y@192.0.2.7=lan:192.0.2.7:25" },
		{ STRANGER, NULL, "carl@example.org", "carl >z@dom.test=lan:192.0.2.8:25" },
		/* RTE-03 of such an assistant */
		{ STRANGER, "x@dom.test", "anna@example.org", "anna" },
	};

	(void)state;
	open_site(CONF);
	set("anna", "assistants", "SMTP:x@dom.test@127.0.0.1:2525");
	forward("bert", "smtp:y@192.0.2.7");
	set("carl", "size_under_kb", "100");
	set("carl", "size_under_to", "SMTP:z@dom.test@192.0.2.8");
	CHECK(rows);
	site_close(&site);
}

/* RTE-14, Q-10, contract 8: each mailbox once, and where a ring closes the mailbox keeps it. */
static void
test_rings_rte_14_q_10(void **state)
{
	static const struct asked pair[] = {
		{ STRANGER, NULL, "anna@example.org", "bert" },
		{ STRANGER, NULL, "bert@example.org", "anna" },
		{ STRANGER, NULL, "anna@example.org bert@example.org", "bert" },
		{ STRANGER, NULL, "bert@example.org anna@example.org", "anna" },
	};
	static const struct asked chain[] = {
		{ STRANGER, NULL, "anna@example.org", "carl" },
		/* no ring: carl has it, so anna's box stays empty */
		{ STRANGER, NULL, "carl@example.org anna@example.org", "carl" },
		{ STRANGER, NULL, "anna@example.org carl@example.org", "carl" },
	};
	static const struct asked three[] = {
		{ STRANGER, NULL, "anna@example.org", "carl" },
		{ STRANGER, NULL, "carl@example.org", "bert" },
	};
	static const struct asked self[] = {
		{ STRANGER, NULL, "anna@example.org", "anna" },
		{ STRANGER, NULL, "bert@example.org", "bert >x@far.test" },
	};
	static const struct asked fan[] = {
		/* both came back to where they came from: each keeps its own */
		{ STRANGER, NULL, "anna@example.org", "bert carl" },
	};
	static const struct asked inner[] = {
		/* anna leads into a ring of two, by both ways: the one reached last keeps it */
		{ STRANGER, NULL, "anna@example.org", "carl" },
	};

	(void)state;
	open_site(CONF);
	forward("anna", "bert");
	forward("bert", "anna@example.org");
	CHECK(pair);
	assert_true(notes_say(&pair[0], "bert keeps it after all: all that it would go to instead leads back"));
	forward("bert", "carl");
	CHECK(chain);
	forward("carl", "anna");
	CHECK(three);
	set("carl", "forward", "no");
	forward("anna", "ANNA@a.sub.example.org");
	forward("bert", "bert;x@far.test");
	set("bert", "forward", "no");
	set("bert", "assistants", "bert;x@far.test");
	CHECK(self);
	set("bert", "assistants", "");
	forward("anna", "bert;carl");
	forward("bert", "anna");
	forward("carl", "anna");
	CHECK(fan);
	forward("bert", "carl");
	forward("carl", "bert");
	CHECK(inner);
	site_close(&site);
}

#define ROW 60

/* Members of a list each of whom forwards to the one before, and the first to TO: one mailbox has it at the end. */
static void
test_long_ways_rte_14(void **state)
{
	char name[16], before[16] = "u0", members[ROW * 8] = "u0", last[16];

	(void)state;
	snprintf(last, sizeof(last), "u%d", ROW - 1);
	open_site(CONF);
	site_add_user(&site, "u0", NULL);
	for (int i = 1; i < ROW; i++) {
		size_t len = strlen(members);

		snprintf(name, sizeof(name), "u%d", i);
		snprintf(members + len, sizeof(members) - len, ";%s", name);
		site_add_user(&site, name, NULL);
		forward(name, before);
		snprintf(before, sizeof(before), "%s", name);
	}
	site_add_list(&site, "all", "distribution", members);
	CHECK(((const struct asked[]){ { STRANGER, NULL, "all@example.org", "u0" } }));
	forward("u0", "x@far.test");
	CHECK(((const struct asked[]){ { STRANGER, NULL, "all@example.org", ">x@far.test" } }));
	forward("u0", last); /* a ring of all of them: whom the list reaches last of it keeps it, he alone */
	CHECK(((const struct asked[]){ { STRANGER, NULL, "all@example.org", "u40" } }));
	site_close(&site);
}

/* An assistant's own assistants and forwarding act; a ring of redirects loses nothing. */
static void
test_chains_of_steps_q_10(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "anna@example.org", ">z@far.test carl" },
	};
	static const struct asked ring[] = {
		{ STRANGER, NULL, "anna@example.org", "bert" },
	};

	(void)state;
	open_site(CONF);
	set("anna", "assistants", "bert");
	set("anna", "assistant_redirect", "yes");
	set("bert", "assistants", "carl");
	forward("bert", "z@far.test");
	CHECK(rows);
	set("bert", "assistants", "");
	forward("bert", "anna");
	CHECK(ring);
	site_close(&site);
}

/* RTE-01, Q-10: a target is a mailbox or an address elsewhere, never a mapping or a list. */
static void
test_targets_rte_01_q_10(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "anna@example.org", "anna" },
		{ STRANGER, NULL, "bert@example.org", "carl" },
		/* the name a mapping has too is the user's */
		{ STRANGER, NULL, "carl@example.org", "carl" },
	};
	static const struct asked lan[] = {
		{ STRANGER, NULL, "carl@example.org", ">away@example.org=lan:192.0.2.4:25" },
	};
	struct conf_faults faults;

	(void)state;
	open_site(CONF);
	site_add_list(&site, "team", "distribution", "carl");
	site_add_mapping(&site, "info", "carl");
	forward("anna", "team;info@example.org;nobody;Everyone;*REMOTE");
	forward("bert", "nobody;carl@example.org");
	CHECK(rows);
	assert_true(notes_say(&rows[0], "anna sends it on to team, which nobody knows: left out"));
	assert_true(notes_say(&rows[0], "anna keeps it after all: nobody it would go to instead is known"));
	/* an address of ours that lives at the other office */
	conf_faults_init(&faults);
	assert_int_equal(conf_rules_take((struct conf *)site.host.conf, RULE_FILE_LAN,
				 SPAN("~@example.org 192.0.2.4\n"), &faults), OK);
	conf_faults_fini(&faults);
	forward("carl", "away@example.org");
	CHECK(lan);
	site_close(&site);
}

/* RTE-01: mappings before lists before users. */
static void
test_order_of_names_rte_01_q_08(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "sales@example.org", "carl" },
		{ STRANGER, NULL, "office@example.org", "anna bert" },
		/* the target enters behind the mappings */
		{ STRANGER, NULL, "desk@example.org", "anna bert" },
	};

	(void)state;
	open_site(CONF);
	site_add_list(&site, "sales", "distribution", "anna");
	site_add_mapping(&site, "sales", "carl");
	site_add_list(&site, "office", "distribution", "anna;bert");
	site_add_mapping(&site, "desk", "office");
	CHECK(rows);
	site_close(&site);
}

/* RTE-17, LST-09: the third way needs no user. */
static void
test_forwarding_list_rte_17_lst_09(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "gone@example.org", ">gone@new.test" },
		{ USER_ANNA, NULL, "gone@example.org", ">gone@new.test" },
		{ USER_BERT, NULL, "gone@example.org", ">gone@new.test" },
	};

	(void)state;
	open_site(CONF);
	site_add_list(&site, "gone", "forwarding", "gone@new.test");
	set("bert", "send_internet", "no"); /* the administrator's wish */
	CHECK(rows);
	site_close(&site);
}

/* USR-23: what a mailbox sends on is none of the sender's limits. */
static void
test_limits_of_the_sender_usr_23(void **state)
{
	static const struct asked rows[] = {
		{ USER_ANNA, NULL, "bert@example.org", ">x@far.test" },
		{ USER_ANNA, NULL, "carl@example.org", "carl" },
		{ USER_ANNA, NULL, "x@far.test", "552" },
		/* the group's is the stricter one */
		{ USER_CARL, NULL, "x@far.test", "552" },
		{ USER_BERT, NULL, "x@far.test", ">x@far.test" },
	};

	(void)state;
	open_site(CONF);
	set("anna", "max_out_kb", "100");
	forward("bert", "x@far.test");
	set("carl", "max_out_kb", "150");
	check_sized(rows, 4, 150 * 1024 + 1);
	check_sized(rows + 4, 1, 150 * 1024);
	site_close(&site);
}

/* H16: the limits of an expansion hold, and nothing is lost to them, for at the end nobody is refused. */
static void
test_limits_keep_it_h16(void **state)
{
	static const struct asked deep[] = { { STRANGER, NULL, "u0@example.org", "u3" } };
	static const struct asked many[] = { { STRANGER, NULL, "crowd@example.org bert@example.org", NULL } };
	char name[16], next[16], list[2048] = "x0@far.test", members[1024] = "anna";
	size_t len = 11, members_len = 4;

	(void)state;
	open_site(CONF "limits: { expansion_depth: 3, expansion_recipients: 100 }\n");
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		snprintf(next, sizeof(next), "u%d", i + 1);
		site_add_user(&site, name, NULL);
		forward(name, next);
	}
	CHECK(deep);
	assert_true(notes_say(&deep[0], "u3 keeps it after all: the way here is too long"));
	for (int i = 1; i < 50; i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, ";x%d@far.test", i);
	for (int i = 0; i < 59; i++)
		members_len += (size_t)snprintf(members + members_len, sizeof(members) - members_len,
			";m%d@far.test", i);
	site_add_list(&site, "crowd", "distribution", members);
	forward("anna", list); /* 60 of the list and these 50 are too many: anna keeps it */
	forward("bert", "x@far.test");
	assert_true(notes_say(&many[0], "anna keeps it after all: too many would get it"));
	assert_false(notes_say(&many[0], "bert keeps it after all"));
	site_close(&site);
}

int
test_routing_mailbox(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_assistants_rte_02_rte_04),
		cmocka_unit_test(test_passed_assistants_rte_03_rte_05_q_11),
		cmocka_unit_test(test_forwarding_rte_06_rte_07),
		cmocka_unit_test(test_size_rules_rte_09),
		cmocka_unit_test(test_order_rte_10_q_12),
		cmocka_unit_test(test_servers_rte_11),
		cmocka_unit_test(test_rings_rte_14_q_10),
		cmocka_unit_test(test_long_ways_rte_14),
		cmocka_unit_test(test_chains_of_steps_q_10),
		cmocka_unit_test(test_targets_rte_01_q_10),
		cmocka_unit_test(test_order_of_names_rte_01_q_08),
		cmocka_unit_test(test_forwarding_list_rte_17_lst_09),
		cmocka_unit_test(test_limits_of_the_sender_usr_23),
		cmocka_unit_test(test_limits_keep_it_h16),
	};

	return cmocka_run_group_tests_name("routing-mailbox", tests, NULL, NULL);
}
