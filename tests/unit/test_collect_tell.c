/*
 * test_collect_tell.c - the letters about collections that failed: which, to what subject, with what in them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf_load.h"
#include "server/collect/collect_inside.h"
#include "server/collect/collect_tell.h"
#include "server/queue/own_mail.h"
#include "tests/harness/site.h"

static struct conf *conf;

static int
load(void **state)
{
	struct conf_faults faults;

	(void)state;
	conf_faults_init(&faults);
	assert_int_equal(conf_load(SPAN("hostname: mail.example.org\ndomains: { default: example.org, local: [example.org] }\n"
		"collecting: { collectors: [ { name: isp, server: pop.isp.test, username: u, accepted: [example.org] },"
		" { name: away, kind: imap, server: imap.isp.test, username: u, accepted: [example.org] } ] }\n"),
		&conf, &faults), OK);
	conf_faults_fini(&faults);
	return 0;
}

static int
unload(void **state)
{
	(void)state;
	conf_free(&conf);
	return 0;
}

struct letter {
	char subject[600], text[4000];
};

static void
write_letter(struct letter *l, size_t collector, const struct collection_end *end, const char *const *errors,
	size_t error_count)
{
	struct collect_report r = { .conf = conf, .collector = &conf->collectors.items[collector],
		.place = (unsigned)collector + 1, .end = end, .errors = errors, .error_count = error_count,
		.because = "the schedule day" };
	struct buf subject, text;

	buf_init(&subject, sizeof(l->subject) - 1);
	buf_init(&text, COLLECT_LETTER_MAX);
	assert_int_equal(collect_letter_put(&r, &subject, &text), OK);
	snprintf(l->subject, sizeof(l->subject), "%.*s", SPAN_FMT(buf_span(&subject)));
	snprintf(l->text, sizeof(l->text), "%.*s", SPAN_FMT(buf_span(&text)));
	buf_fini(&subject);
	buf_fini(&text);
}

static struct collection_end
end_of(enum source_fault fault, const char *why, const char *answer, const char *command)
{
	struct collection_end end = { .failed = true, .problem.fault = fault };

	snprintf(end.why, sizeof(end.why), "%s", why);
	snprintf(end.problem.why, sizeof(end.problem.why), "%s", why);
	snprintf(end.problem.answer, sizeof(end.problem.answer), "%s", answer);
	snprintf(end.problem.command, sizeof(end.problem.command), "%s", command);
	snprintf(end.problem.remote, sizeof(end.problem.remote), "pop.isp.test 192.0.2.7:110");
	return end;
}

#define HOLDS(l, words) assert_non_null(strstr((l).text, words))
#define LACKS(l, words) assert_null(strstr((l).text, words))

/* Wrong host: this mail with name, number and reason. */
static void
test_unreached_trb_01(void **state)
{
	struct collection_end end = end_of(SOURCE_NO_CONNECTION, "pop.isp.test has no address", "", "");
	struct letter l;

	(void)state;
	assert_int_equal(collect_letter_of(&end), COLLECT_UNREACHED);
	write_letter(&l, 0, &end, NULL, 0);
	assert_string_equal(l.subject, "Postroom - POP3 Client connection problem");
	HOLDS(l, "could not connect to server isp (1)\n");
	HOLDS(l, "pop.isp.test has no address");
	HOLDS(l, "There is no machine of that name");
	HOLDS(l, "the schedule day");
	LACKS(l, "The last command");
	end.problem.fault = SOURCE_NO_TLS;
	assert_int_equal(collect_letter_of(&end), COLLECT_UNREACHED);
	write_letter(&l, 1, &end, NULL, 0);
	assert_string_equal(l.subject, "Postroom - IMAP Client connection problem");
	HOLDS(l, "could not connect to server away (2)\n");
}

/* -ERR: both texts are quoted; INM-30: a locked mailbox is such an error. */
static void
test_problem_trb_02_inm_30(void **state)
{
	struct collection_end end = end_of(SOURCE_REFUSED, "the server refused: -ERR no such thing",
		"-ERR no such thing", "RETR 7");
	struct letter l;

	(void)state;
	assert_int_equal(collect_letter_of(&end), COLLECT_PROBLEM);
	write_letter(&l, 0, &end, NULL, 0);
	assert_string_equal(l.subject, "Postroom - POP3 Client Problem");
	HOLDS(l, "Error with POP3 client isp (1)\n");
	HOLDS(l, "The received answer was: \"-ERR no such thing\"\n");
	HOLDS(l, "The last command sent was: \"RETR 7\"\n");
	HOLDS(l, "Server: pop.isp.test 192.0.2.7:110\n");
	end = end_of(SOURCE_LOCKED, "the mailbox is in use elsewhere", "-ERR unable to lock mailbox", "PASS");
	write_letter(&l, 0, &end, NULL, 0);
	HOLDS(l, "\"-ERR unable to lock mailbox\"");
	HOLDS(l, "tried again the next time");
	end = end_of(SOURCE_LOST, "the server closed the connection", "+OK 0 0", "LIST");
	end.problem.removed_unsure = true;
	write_letter(&l, 0, &end, NULL, 0);
	HOLDS(l, "Some providers do so where the mailbox is empty");
	HOLDS(l, "it is not known whether they are");
}

/* *ENV: that option is to be switched off. */
static void
test_env_trb_08_inm_18(void **state)
{
	struct collection_end end = end_of(SOURCE_REFUSED, "the server refused", "-ERR what", "*ENV 3");
	struct letter l;

	(void)state;
	write_letter(&l, 0, &end, NULL, 0);
	HOLDS(l, "\"*ENV 3\"");
	HOLDS(l, "demon_env=no");
}

/* Errors of single messages are in it, each once. */
static void
test_errors_of_messages_trb_06(void **state)
{
	static const char *const errors[] = { "message 3: no room", "message 9: no room here either" };
	struct collection_end end = { .failed = true };
	struct letter l;

	(void)state;
	snprintf(end.why, sizeof(end.why), "%s", errors[0]);
	assert_int_equal(collect_letter_of(&end), COLLECT_PROBLEM);
	write_letter(&l, 0, &end, errors, 2);
	HOLDS(l, "message 3: no room\n");
	HOLDS(l, "It also said:\n  message 9: no room here either\n");
	assert_null(strstr(strstr(l.text, errors[0]) + 1, errors[0]));
}

/* Who stopped it knows, and one that went well is no trouble. */
static void
test_no_letter(void **state)
{
	struct collection_end end = { .failed = false };

	(void)state;
	assert_int_equal(collect_letter_of(&end), COLLECT_NO_LETTER);
	end = end_of(SOURCE_LOST, "cut", "", "");
	end.stopped = true;
	assert_int_equal(collect_letter_of(&end), COLLECT_NO_LETTER);
}

/* Table F-TRB-1: each system error is explained in words. */
static void
test_causes_f_trb_1_trb_05(void **state)
{
	static const struct {
		int error;
		const char *said, *cause;
	} rows[] = {
		{ ENOTSOCK, NULL, "harmless" },
		{ EAFNOSUPPORT, NULL, "an address of a kind" },
		{ EADDRINUSE, NULL, "another mail program" },
		{ EADDRNOTAVAIL, NULL, "cannot be used from this machine" },
		{ ECONNABORTED, NULL, "failure on the way" },
		{ ECONNRESET, NULL, "Something outside cut" },
		{ ETIMEDOUT, NULL, "a proxy on the way is slow" },
		{ ECONNREFUSED, NULL, "a firewall refuses them" },
		{ 0, "the server closed the connection", "This server did not close it" },
		{ 0, "pop.isp.test has no address", "no machine of that name" },
		{ 0, "no answer in time (timeout)", "`timeout` of the collector" },
		{ 0, "pop.isp.test: no answer from the name servers", "name servers cannot be reached" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct collection_end end;
		char why[200];
		struct letter l;

		snprintf(why, sizeof(why), "no connection: %s", rows[i].said ? rows[i].said : strerror(rows[i].error));
		end = end_of(SOURCE_NO_CONNECTION, why, "", "");
		write_letter(&l, 0, &end, NULL, 0);
		HOLDS(l, rows[i].cause);
	}
}

/* ---- how often ---- */

#define SITE \
	"hostname: mail.example.org\ndomains: { default: example.org, local: [example.org] }\n" \
	"auth: { hash_memory: 8MB, hash_passes: 1 }\nerrors: { connection: %s }\n" \
	"collecting: { collectors: [ { name: isp, server: pop.isp.test, username: u, accepted: [example.org] } ] }\n"

/* How many letters there are after one more such end. */
static size_t
tell(struct site *site, struct collector *c, enum source_fault fault, const char *why)
{
	struct collection_end end = end_of(fault, why, "", "");

	end.failed = fault != SOURCE_FINE;
	collect_tell(c, &end);
	for (int i = 0; i < 2000 && own_mail_waiting(&site->host) > 0; i++)
		site_turn(site, 5);
	return site_folder_count(site, "postmaster", "INBOX");
}

static void
open_told(struct site *site, const char *errors, struct collect *all, struct collector *c)
{
	char text[600];

	snprintf(text, sizeof(text), SITE, errors);
	site_open(site, text);
	site_add_user(site, "postmaster", NULL);
	site_set_user(site, "postmaster", "admin", "yes");
	*all = (struct collect){ .host = &site->host };
	*c = (struct collector){ .all = all, .name = "isp", .because = "a test" };
}

static void
test_how_often_trb_04_con_15(void **state)
{
	static struct site site;
	struct collect all;
	struct collector c;
	char why[40];

	(void)state;
	open_told(&site, "yes", &all, &c);
	assert_int_equal(tell(&site, &c, SOURCE_NO_CONNECTION, "nobody there"), 1);
	assert_int_equal(tell(&site, &c, SOURCE_NO_CONNECTION, "nobody there"), 1);
	assert_int_equal(tell(&site, &c, SOURCE_LOST, "cut"), 2);
	assert_int_equal(tell(&site, &c, SOURCE_FINE, ""), 2);
	assert_int_equal(tell(&site, &c, SOURCE_LOST, "cut"), 3);
	for (int i = 0; i < 12; i++) {
		snprintf(why, sizeof(why), "error %d", i);
		(void)tell(&site, &c, SOURCE_LOST, why);
	}
	assert_int_equal(site_folder_count(&site, "postmaster", "INBOX"), COLLECT_LETTERS_DAY);
	site_close(&site);
	open_told(&site, "no", &all, &c);
	assert_int_equal(tell(&site, &c, SOURCE_NO_CONNECTION, "nobody there"), 0);
	assert_int_equal(tell(&site, &c, SOURCE_LOST, "cut"), 1);
	site_close(&site);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unreached_trb_01),
		cmocka_unit_test(test_problem_trb_02_inm_30),
		cmocka_unit_test(test_env_trb_08_inm_18),
		cmocka_unit_test(test_errors_of_messages_trb_06),
		cmocka_unit_test(test_no_letter),
		cmocka_unit_test(test_causes_f_trb_1_trb_05),
		cmocka_unit_test(test_how_often_trb_04_con_15),
	};

	return cmocka_run_group_tests_name("collect-tell", tests, load, unload);
}
