/*
 * test_routing_who_names.c - names that people write for us, those of download rules, and headers without end.
 */
#include <time.h>

#include "tests/unit/who_ask.h"

/* Table F-INM-1, row by row; each is a To field, and a Cc. */
static void
test_single_address_inm_19(void **state)
{
	static const struct {
		const char *field, *want;
	} rows[] = {
		{ "<joe@hotmail.test(louise)>", "louise" },
		{ "(tim) <joe@hotmail.test>", "tim" },
		{ "(louise) joe@hotmail.test", "louise" },
		{ "<joe@hotmail.test> \"tim\"", "tim" },
		{ "'louise' <joe@hotmail.test>", "louise" },
		{ "tim <joe@hotmail.test>", "tim" },
		{ "<joe@hotmail.test>", "joe" },
		{ "joe@hotmail.test", "joe" },
		{ "tim <joe@hotmail.test(sarah)>", "tim" },
		/* falling through to the end; a list is no mailbox, nor is a group; letter case */
		{ "Sarah <joe@hotmail.test>", "joe" },
		{ "team <joe@hotmail.test>", "joe" },
		{ "Everyone <joe@hotmail.test>", "joe" },
		{ "\"TIM\" <JOE@Hotmail.test>", "tim" },
		{ "=?utf-8?q?tim?= <joe@hotmail.test>", "tim" },
		/* only beside our address */
		{ "tim <tim@far.test>, louise <joe@hotmail.test>", "louise" },
		{ "tim <joe@hotmail.test>, louise <joe@hotmail.test>, <joe@hotmail.test>", "tim louise joe" },
		{ "tim <tim@far.test>", "postmaster" },
	};

	(void)state;
	open_site(SITE(BOX("one", "accepted: [joe@hotmail.test], route: single")));
	site_add_user(&site, "louise", NULL);
	site_add_user(&site, "tim", NULL);
	site_add_user(&site, "joe", NULL);
	site_add_list(&site, "team", "distribution", "anna;bert");
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t cc = 0; cc < 2; cc++) {
			struct looked l;
			struct buf out;
			struct span all;

			buf_init(&out, 1 << 20);
			look_begin(&l, "one", SPAN_NONE);
			l.mail.header = arena_printf(
				&l.arena, "%s: %s\r\n\r\n", cc ? "Cc" : "To", rows[i].field);
			pipeline_read_header(site.host.conf, &l.mail);
			look_run(&l, &out);
			all = buf_span(&out);
			if (!span_eq(span_from(all, span_find_span(all, SPAN(" = ")) + 3), span_of(rows[i].want)))
				fail_msg("row %zu: have '%.*s', want '%s'", i, SPAN_FMT(all), rows[i].want);
			buf_fini(&out);
			look_end(&l);
		}
	}
	assert_true(who_says(&(struct who){ "one", "To: tim <joe@hotmail.test(sarah)>\r\n\r\n", "" },
		"sarah stands beside our address in To, and is no user"));
	assert_true(who_says(&(struct who){ "one", "To: tim <joe@hotmail.test(sarah)>\r\n\r\n", "" },
		"tim stands beside our address in To, and is a user"));
	site_close(&site);
}

/* The user that mail for the one address goes to has gone: the Main Administrator. */
static void
test_single_nobody_inm_19(void **state)
{
	static const struct who rows[] = {
		{ "one", "To: Sarah <joe@hotmail.test>\r\n\r\n", "joe@hotmail.test = postmaster" },
	};

	(void)state;
	open_site(SITE(BOX("one", "accepted: [joe@hotmail.test], route: single")));
	CHECK_WHO(rows);
	site_close(&site);
}

static void
test_subject_inm_20(void **state)
{
	static const struct who rows[] = {
		{ "braces", "Subject: hello {anna}\r\n\r\n", ">anna@example.org = anna" },
		{ "braces", "Subject: {Anna} {bert}\r\n\r\n", ">anna@example.org = anna" },
		{ "braces", "Subject: =?utf-8?q?hello_=7Banna=7D?=\r\n\r\n", ">anna@example.org = anna" },
		{ "braces", "Subject: hello\r\n {anna}\r\n\r\n", ">anna@example.org = anna" },
		/* a name that is nobody's, then one that is */
		{ "braces", "Subject: {x} {anna}\r\n\r\n", ">anna@example.org = anna" },
		/* unknown handling */
		{ "braces", "Subject: {nobody}\r\nTo: anna@example.org\r\n\r\n", ">nobody@example.org = postmaster" },
		{ "braces", "Subject: hello\r\nTo: anna@example.org\r\n\r\n", " = postmaster" },
		{ "braces", "To: anna@example.org\r\n\r\n", " = postmaster" },
		{ "braces", "Subject: {team}\r\n\r\n", ">team@example.org = postmaster" },
		{ "for", "Subject: (FOR bert) hello\r\n\r\n", ">bert@example.org = bert" },
		{ "for", "Subject: {bert}\r\n\r\n", " = postmaster" },
	};

	(void)state;
	open_site(SITE(BOX("braces", OURS ", route: subject") ", " BOX("for", OURS ", route: subject, marker: \"(for*)\"")));
	site_add_list(&site, "team", "distribution", "anna;bert");
	CHECK_WHO(rows);
	assert_true(who_says(&rows[0], "the subject names anna in the marks {*}"));
	assert_true(who_says(&rows[5], "the subject names nobody in the marks {*}, and that is no user"));
	assert_true(who_says(&rows[6], "the subject names nobody in the marks {*}"));
	site_close(&site);
}

/* The names that a download rule's `Rcpt:` sees are those of the end: assistants and forwarding have been asked. */
static void
test_names_of_the_end_dlr_05(void **state)
{
	struct collected_names who;
	struct looked l;

	(void)state;
	open_site(SITE(BOX("box", OURS)));
	site_set_user(&site, "anna", "assistants", "bert");
	site_set_user(&site, "anna", "assistant_redirect", "yes");
	look_begin(&l, "box", SPAN("From: x@far.test\r\nTo: anna@example.org\r\n\r\n"));
	assert_int_equal(collected_names(&l.ask, &l.arena, &who), OK);
	assert_int_equal(who.count, 1);
	check_span(0, who.users[0], SPAN("bert"));
	look_end(&l);
	site_close(&site);
}

/* DLR-09: a user or a list, in place of the recipients or besides them; no mapping is asked. */
static void
test_rule_targets_dlr_09(void **state)
{
	static const struct {
		const char *instead, *also, *want;
	} rows[] = {
		{ "carl", "", ">carl@example.org = carl" },
		{ "", "carl", "anna@example.org >carl@example.org = anna carl" },
		{ "team", "", ">team@example.org = bert carl" },
		{ "zoe", "", ">zoe@example.org = postmaster" },
		{ "", "anna", "anna@example.org = anna" },
	};

	(void)state;
	open_site(SITE(BOX("box", OURS)));
	site_add_list(&site, "team", "distribution", "bert;carl");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct looked l;
		struct buf out;

		buf_init(&out, 1 << 20);
		look_begin(&l, "box", SPAN("To: anna@example.org\r\n\r\n"));
		l.ask.instead = span_of(rows[i].instead);
		l.ask.also = span_of(rows[i].also);
		look_run(&l, &out);
		check_span(i, buf_span(&out), span_of(rows[i].want));
		buf_fini(&out);
		look_end(&l);
	}
	site_close(&site);
}

/* ---- limits ---- */

static struct span
many(struct arena *a, size_t count, const char *domain)
{
	struct buf out;
	struct span text;

	buf_init(&out, 16 << 20);
	assert_int_equal(buf_put(&out, SPAN("To: ")), OK);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(buf_printf(&out, "u%zu@%s,\r\n ", i, domain), OK);
	assert_int_equal(buf_put(&out, SPAN("anna@example.org\r\n\r\n")), OK);
	text = arena_copy(a, buf_span(&out));
	buf_fini(&out);
	return text;
}

static double
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Fields that are more than a header may have are not looked at: such a message is refused (H7). */
static void
test_many_fields_h7(void **state)
{
	size_t max, fields[2];

	(void)state;
	open_site(SITE(BOX("box", OURS)));
	max = (size_t)site.host.conf->limits_header_fields;
	fields[0] = max - 1;
	fields[1] = max;
	for (size_t i = 0; i < COUNT(fields); i++) {
		struct looked l;
		struct buf out;

		buf_init(&out, 1 << 20);
		for (size_t n = 0; n < fields[i]; n++)
			assert_int_equal(buf_put(&out, SPAN("a:\r\n")), OK);
		assert_int_equal(buf_put(&out, SPAN("To: anna@example.org\r\n\r\n")), OK);
		look_begin(&l, "box", buf_span(&out));
		assert_int_equal(collected_who(&l.ask, &l.plan, &l.to, &l.count), OK);
		assert_int_equal(l.count, i == 0);
		look_end(&l);
		buf_fini(&out);
	}
	site_close(&site);
}

/* 100,000 addresses: a named number is looked at, a named number of recipients is taken, and both are noted. */
static void
test_many_addresses_h7_h16(void **state)
{
	static const char *const domains[] = { "far.test", "example.org" };

	(void)state;
	open_site(SITE(BOX("box", OURS)));
	for (size_t i = 0; i < COUNT(domains); i++) {
		struct looked l;
		double began;
		bool ours = i == 1;

		look_begin(&l, "box", SPAN("To: x@x.test\r\n\r\n"));
		l.mail.header = many(&l.arena, 100000, domains[i]);
		began = cpu_ms();
		assert_int_equal(collected_who(&l.ask, &l.plan, &l.to, &l.count), OK);
		print_message("100,000 addresses at %s: %.1f ms\n", domains[i], cpu_ms() - began);
		assert_int_equal(l.count, ours ? (size_t)site.host.conf->limits_recipients : 0);
		assert_true(span_find(plan_notes(&l.plan), (char)(ours ? NOTE_WHO_OVER : NOTE_WHO_LOOKED)) <
			plan_notes(&l.plan).len);
		assert_true(plan_notes(&l.plan).len < NOTES_MAX);
		look_end(&l);
	}
	site_close(&site);
}

int
test_routing_who_names(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single_address_inm_19),
		cmocka_unit_test(test_single_nobody_inm_19),
		cmocka_unit_test(test_subject_inm_20),
		cmocka_unit_test(test_names_of_the_end_dlr_05),
		cmocka_unit_test(test_rule_targets_dlr_09),
		cmocka_unit_test(test_many_addresses_h7_h16),
		cmocka_unit_test(test_many_fields_h7),
	};

	return cmocka_run_group_tests_name("routing-who-names", tests, NULL, NULL);
}
