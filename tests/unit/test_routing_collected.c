/*
 * test_routing_collected.c - collected mail for nobody here, and the names that every domain of ours has; asked of the
 * whole pipeline.
 */
#include "server/pipeline/pipeline.h"
#include "tests/unit/test_routing.h"

#define BOX(unknown)                                                                               \
	CONF "collecting: { unknown: { " unknown " }, collectors: [ { name: box1, server: pop.isp.test, " \
	     "username: u, accepted: [example.org, shop.test] }, { name: box2, server: pop.isp.test, "    \
	     "username: v, accepted: [] } ] }\n"

/* What is asked of a site with CONF. */
struct boxed {
	const char *conf;
	struct asked asked;
};

static void
check_rows(const struct boxed *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		open_site(rows[i].conf);
		check_sized(&rows[i].asked, 1, 0);
		site_close(&site);
	}
}

/* ADM-02, the five; who is known gets his copy in each. */
static void
test_five_ways_adm_02(void **state)
{
	static const struct boxed rows[] = {
		{ BOX("do: error"), { BOX1, NULL, "anna@example.org nobody@shop.test", "anna postmaster*" } },
		{ BOX("do: mail"), { BOX1, NULL, "anna@example.org nobody@shop.test", "anna postmaster" } },
		{ BOX("do: error, to: bert"), { BOX1, NULL, "anna@shop.test nobody@shop.test", "anna bert*" } },
		{ BOX("do: mail, to: bert@example.org"),
			{ BOX1, NULL, "nobody@shop.test anna@example.org", "anna bert" } },
		{ BOX("do: remote"), { BOX1, NULL, "anna@example.org nobody@shop.test", "anna -" } },
		/* once a message, whatever number is unknown */
		{ BOX("do: mail"), { BOX1, NULL, "no@example.org one@example.org x@far.test", "postmaster" } },
		/* RTE-15: he is a recipient too */
		{ BOX("do: mail"), { BOX1, NULL, "postmaster@example.org no@example.org", "postmaster" } },
		/* to an address elsewhere; to a name that has gone: the Main Administrator */
		{ BOX("do: mail, to: x@far.test"), { BOX1, NULL, "no@example.org", ">x@far.test" } },
		{ BOX("do: error, to: x@far.test"), { BOX1, NULL, "no@example.org", ">x@far.test*" } },
		{ BOX("do: mail, to: zoe"), { BOX1, NULL, "no@example.org", "postmaster" } },
		/* nothing is unknown */
		{ BOX("do: mail"), { BOX1, NULL, "anna@example.org bert@example.org x@far.test", "anna bert" } },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

/* LOC-04: recipients elsewhere are passed over, and where none is left it is acted upon once. INM-07: never silently. */
static void
test_without_recipients_loc_04_inm_07(void **state)
{
	static const struct boxed rows[] = {
		{ BOX("do: mail"), { BOX1, NULL, "a@far.test b@far.test", "postmaster" } },
		{ BOX("do: error"), { BOX1, NULL, "", "postmaster*" } },
		{ BOX("do: remote"), { BOX1, NULL, "a@far.test", "-" } },
		{ BOX("do: mail, bounce: yes"), { BOX1, NULL, "a@far.test", "postmaster" } },
		{ BOX("do: mail"), { BOX2, NULL, "anna@example.org", "postmaster*" } },
		{ BOX("do: remote"), { BOX2, NULL, "anna@example.org", "postmaster*" } },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

/* ADM-03: a report besides 1 to 4, never with 5; ADM-04: of collected mail alone. */
static void
test_report_adm_03_adm_04(void **state)
{
	static const struct asked rows[] = {
		{ BOX1, NULL, "anna@example.org no@shop.test one@shop.test",
			"anna !no@shop.test !one@shop.test bert*" },
		{ STRANGER, NULL, "no@example.org", "550" },
		{ LMTP, NULL, "no@example.org", "550" },
		{ USER_ANNA, NULL, "no@example.org", "550" },
	};
	static const struct asked remote[] = { { BOX1, NULL, "no@shop.test", "-" } };

	(void)state;
	open_site(BOX("do: error, bounce: yes, to: bert"));
	CHECK(rows);
	site_close(&site);
	open_site(BOX("do: remote, bounce: yes"));
	CHECK(remote);
	site_close(&site);
}

/* The reader's own mailbox decides about it: a letter of ours passes his assistants, and is forwarded as it is. */
static void
test_reader_decides_adm_02_q_11(void **state)
{
	static const struct asked letter[] = { { BOX1, NULL, "no@example.org", ">x@far.test*" } };
	static const struct asked mail[] = { { BOX1, NULL, "no@example.org bert@example.org", "bert" } };

	(void)state;
	open_site(BOX("do: error"));
	site_set_user(&site, "postmaster", "assistants", "anna");
	site_set_user(&site, "postmaster", "forward", "yes");
	site_set_user(&site, "postmaster", "forward_to", "x@far.test");
	CHECK(letter);
	site_close(&site);
	open_site(BOX("do: mail"));
	site_set_user(&site, "postmaster", "assistants", "bert");
	site_set_user(&site, "postmaster", "assistant_redirect", "yes");
	CHECK(mail);
	site_close(&site);
}

/* ADM-13: postmaster at every domain of ours; ADM-14: the robots, before users, from inside and outside. */
static void
test_names_of_every_domain_adm_01_adm_13_adm_14(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "postmaster@example.org", "postmaster" },
		{ STRANGER, NULL, "POSTMASTER@a.sub.example.org", "postmaster" },
		{ STRANGER, NULL, "postmaster@shop.test", "postmaster" },
		{ BOX1, NULL, "postmaster@shop.test", "postmaster" },
		{ STRANGER, NULL, "listserver@example.org", "postmaster" },
		{ STRANGER, NULL, "ListServer@a.sub.example.org", "postmaster" },
		{ STRANGER, "", "Mailer_Daemon@shop.test", "postmaster" },
		{ USER_ANNA, NULL, "mailer_daemon@example.org", "postmaster" },
		{ LMTP, NULL, "listserver@example.org", "postmaster" },
		{ STRANGER, NULL, "listserver@far.test", "550" },
		/* a mapping comes before (RTE-01) */
		{ STRANGER, NULL, "mailer-daemon@example.org", "anna" },
	};
	static const struct asked other[] = {
		{ STRANGER, NULL, "postmaster@example.org", "carl" },
		{ STRANGER, NULL, "listserver@example.org", "carl" },
	};

	(void)state;
	open_site("hostname: mail.example.org\ndomains: { default: example.org, local: [example.org, "
		  "\"*.sub.example.org\", shop.test], default_user_mapping: no }\n"
		  "services: { smtp: { listen: [\"127.0.0.1:0\"] } }\n" CHEAP BOXES);
	site_add_mapping(&site, "mailer-daemon", "anna");
	CHECK(rows);
	assert_true(notes_say(&rows[4], "listserver is a robot of this server; postmaster reads its mail"));
	site_close(&site);
	open_site(CONF "main_administrator: carl\n"); /* ADM-01 */
	site_add_mapping(&site, "postmaster", "carl");
	CHECK(other);
	site_close(&site);
}

int
test_routing_collected(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_five_ways_adm_02),
		cmocka_unit_test(test_without_recipients_loc_04_inm_07),
		cmocka_unit_test(test_report_adm_03_adm_04),
		cmocka_unit_test(test_reader_decides_adm_02_q_11),
		cmocka_unit_test(test_names_of_every_domain_adm_01_adm_13_adm_14),
	};

	return cmocka_run_group_tests_name("routing-collected", tests, NULL, NULL);
}
