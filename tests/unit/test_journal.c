/*
 * test_journal.c - the decision table of the journal, and what the pipeline makes of it (JRN-06 to JRN-14).
 */
#include <stdio.h>
#include <string.h>

#include "server/pipeline/journal.h"
#include "server/pipeline/journal_sort.h"
#include "store/contents.h"
#include "tests/unit/test_routing.h"

/* Parties as letters: I and E hold no seat, i and e hold one; the first is the author. */
static const struct {
	const char *parties;
	int64_t internal, external; /* seats; SEATS_UNLIMITED */
	uint64_t used_internal, used_external;
	bool recorded;
	const char *takes; /* one for each party: 1 it takes one */
} table[] = {
	/* JRN-08: an internal author alone counts */
	{ "I", SEATS_UNLIMITED, SEATS_UNLIMITED, 0, 0, true, "1" },
	{ "I", 1, 0, 0, 0, true, "1" },
	{ "I", 1, 0, 1, 0, false, "0" },
	{ "I", 0, 5, 0, 0, false, "0" },
	{ "i", 1, 0, 1, 0, true, "0" },
	{ "i", 0, 0, 1, 0, true, "0" }, /* the number was lowered: who holds one keeps it (JRN-07) */
	{ "III", 1, 0, 0, 0, true, "100" },
	{ "iII", 1, 0, 1, 0, true, "000" },
	/* JRN-09: an external author without a seat, and none free */
	{ "E", 5, 0, 0, 0, false, "0" },
	{ "E", 5, 1, 0, 1, false, "0" },
	{ "Eii", 5, 0, 2, 0, false, "000" },
	{ "E", 0, 1, 0, 0, true, "1" }, /* and no internal recipient: nothing is missing */
	/* JRN-10: all of the internal recipients, or none */
	{ "EI", 1, 1, 0, 0, true, "11" },
	{ "eI", 1, 1, 0, 1, true, "01" },
	{ "ei", 1, 1, 1, 1, true, "00" },
	{ "Ei", 1, 1, 1, 0, true, "10" },
	{ "EII", 1, 1, 0, 0, false, "000" },
	{ "EII", 2, 1, 0, 0, true, "111" },
	{ "EiI", 2, 1, 1, 0, true, "101" },
	{ "EiI", 1, 1, 1, 0, false, "000" },
	{ "EIi", 1, 1, 1, 0, false, "000" },
	{ "eiiI", 3, 1, 3, 1, false, "0000" },
	{ "EII", SEATS_UNLIMITED, 1, 7, 0, true, "111" },
	{ "EII", SEATS_UNLIMITED, 0, 7, 0, false, "000" },
	/* JRN-11: 1 free, 2 uncovered: neither the external nor an internal one is taken */
	{ "EII", 3, 2, 2, 0, false, "000" },
};

static void
test_jrn_08_jrn_09_jrn_10_jrn_11_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct journal_party parties[8] = { { .takes = false } };
		struct journal_case c = { .parties = parties, .count = strlen(table[i].parties),
			.seats = { table[i].internal, table[i].external },
			.used = { table[i].used_internal, table[i].used_external } };

		for (size_t p = 0; p < c.count; p++) {
			char letter = table[i].parties[p];

			parties[p].kind = letter == 'I' || letter == 'i' ? SEAT_INTERNAL : SEAT_EXTERNAL;
			parties[p].holds = letter == 'i' || letter == 'e';
		}
		journal_sort(&c);
		if (c.recorded != table[i].recorded || (c.lacks == NULL) != c.recorded)
			fail_msg("row %zu: recorded is %d", i, c.recorded);
		for (size_t p = 0; p < c.count; p++)
			if (parties[p].takes != (table[i].takes[p] == '1'))
				fail_msg("row %zu: party %zu takes %d", i, p, parties[p].takes);
	}
}

#define JOURNAL(more) CONF "journal: { internal: carl, external: j@arc.test, server: \"192.0.2.7:2525\"" more " }\n"
#define COPIES " journal:carl journal:>j@arc.test=journal:"

/* JRN-01, JRN-02, JRN-03: mail in, out and inside; JRN-14: what the server itself writes is not recorded. */
static void
test_jrn_01_jrn_14_who_is_recorded(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "anna@example.org", "anna" COPIES },
		{ USER_ANNA, NULL, "x@far.test", ">x@far.test" COPIES },
		{ USER_ANNA, NULL, "bert@example.org", "bert" COPIES },
		{ USER_ANNA, NULL, "bert@example.org x@far.test", "bert >x@far.test" COPIES },
		{ USER_ANNA, NULL, "carl@example.org", "carl" COPIES }, /* one for him, one for the journal */
		{ LOCAL, "", "anna@example.org", "anna" },
		{ STRANGER, "", "anna@example.org", "anna" COPIES },    /* a report of another server */
		{ STRANGER, NULL, "gone@example.org", "-" },
		{ STRANGER, NULL, "nobody@example.org", "550" },
	};

	(void)state;
	open_site(JOURNAL(""));
	site_add_mapping(&site, "gone", "No-one");
	CHECK(rows);
	assert_true(notes_say(&rows[5], "it is written by the server itself"));
	assert_true(notes_say(&rows[7], "the journal gets no copy: it reaches nobody"));
	assert_true(notes_say(&rows[1], "anna@example.org: internal, takes a free seat"));
	site_close(&site);
}

/* JRN-02: the journal's mailbox is not of Everyone, and forwards nothing. */
static void
test_jrn_02_mailbox(void **state)
{
	static const struct asked rows[] = {
		{ USER_ANNA, NULL, "all@example.org", "postmaster anna bert journal:carl" },
		{ USER_ANNA, NULL, "carl@example.org", "carl journal:carl" },
		{ USER_ANNA, NULL, "admins@example.org", "postmaster journal:carl" },
	};

	(void)state;
	open_site(CONF "journal: { internal: Carl }\n");
	site_add_mapping(&site, "all", "Everyone");
	site_add_mapping(&site, "admins", "Admins");
	site_set_user(&site, "carl", "forward", "yes");
	site_set_user(&site, "carl", "forward_to", "x@far.test");
	site_set_user(&site, "carl", "assistants", "bert");
	CHECK(rows);
	site_close(&site);
	open_site(CONF "journal: { internal: nosuch }\n");
	CHECK(((const struct asked[]){ { USER_ANNA, NULL, "bert@example.org", "bert" } }));
	assert_true(notes_say(&rows[1], "there is no user nosuch"));
	site_close(&site);
}

/* JRN-13: no seat, and the message is delivered all the same; each seat has its reason. */
static void
test_jrn_13_ignored_is_delivered(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "anna@example.org", "anna" },          /* JRN-09 */
		{ USER_ANNA, NULL, "x@far.test", ">x@far.test" COPIES },  /* JRN-08 */
	};
	static const struct asked two[] = {
		{ STRANGER, NULL, "anna@example.org", "anna" COPIES },
		{ STRANGER, NULL, "anna@example.org bert@example.org", "anna bert" }, /* JRN-10 */
	};

	(void)state;
	open_site(JOURNAL(", seats_external: 0, seats_internal: 1"));
	CHECK(rows);
	assert_true(notes_say(&rows[0], "bo@far.test: external, has no seat, and none is free for it (0 of 0 used)"));
	assert_true(notes_say(&rows[0], "the journal gets no copy: bo@far.test has no external seat"));
	site_close(&site);
	open_site(JOURNAL(", seats_external: 1, seats_internal: 1"));
	CHECK(two);
	assert_true(notes_say(&two[1], "bo@far.test: external, has no seat, and takes none (0 of 1 used)"));
	site_close(&site);
}

/* JRN-06: a domain, a single address; all else is external, of our own domain too. */
static void
test_jrn_06_internal_list(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, "user@partner.com", "anna@example.org", "anna" COPIES },
		{ STRANGER, "other@partner.com", "anna@example.org", "anna" },
		{ STRANGER, "x@a.inside.test", "anna@example.org", "anna" COPIES },
		{ USER_ANNA, NULL, "bert@example.org", "bert" }, /* the list says nothing of example.org */
	};

	(void)state;
	open_site(JOURNAL(", seats_external: 0, internal_list: [user@partner.com, \"*.inside.test\"]"));
	CHECK(rows);
	site_close(&site);
}

/* JRN-04: the journal of another server, from those who may deliver it; to anybody else the address is nobody's. */
static void
test_jrn_04_who_may_deliver(void **state)
{
	static const struct asked rows[] = {
		{ RANGE, "", "in@journal.test", "- archive:archive" },
		{ RANGE, "", "IN@Journal.Test anna@example.org", "- anna archive:archive" },
		{ STRANGER, "", "in@journal.test", "550" },
		{ LMTP, "", "in@journal.test", "550" },
		{ RANGE, "", "other@example.org", "550" },
	};
	static const struct asked named[] = {
		{ USER_ANNA, NULL, "in@journal.test", "- archive:archive" },
		{ USER_BERT, NULL, "in@journal.test", ">in@journal.test" }, /* an address elsewhere, for him */
		{ STRANGER, NULL, "in@journal.test", "550" },
	};

	(void)state;
	open_site(CONF "journal: { receive: [in@journal.test], receive_from: [192.0.2.0/24] }\n");
	CHECK(rows);
	assert_true(notes_say(&rows[0], "in@journal.test takes the journal of another server, for the archive: "
					"access line 192.0.2.0/24"));
	assert_true(notes_say(&rows[0], "no report, and no X-Envelope lines: kept as it came"));
	site_close(&site);
	open_site(CONF "journal: { receive: [in@journal.test], receive_from: [\"0.0.0.0 0.0.0.0 anna\"] }\n");
	CHECK(named);
	site_close(&site);
}

/* The header of a journal copy of a message whose header has LEN bytes of FIELD. */
static size_t
header_of_copy(struct arena *a, const char *field, size_t len)
{
	struct mail mail = { .arena = a, .id = SPAN("1"), .hostname = SPAN("mail.example.org") };
	struct pipeline_ask ask = { .conf = site.host.conf, .snap = host_snapshot(&site.host), .mail = &mail };
	struct mail_options options = { .body = BODY_UNSAID };
	const struct plan_version *version;
	struct address to, sender = { .flags = ADDRESS_NULL };
	struct recipient_options none = { 0 };
	struct plan plan;
	char *text = arena_alloc(a, len);

	for (size_t i = 0; i < len; i++)
		text[i] = i % 90 < strlen(field) ? field[i % 90] : i % 90 == 88 ? '\r' : i % 90 == 89 ? '\n' : 'x';
	mail.header = (struct span){ text, len - len % 90 };
	plan_init(&plan, a);
	envelope_init(&mail.envelope, a, &sender, &options);
	assert_int_equal(address_parse(a, SPAN("anna@example.org"), &to), OK);
	assert_int_equal(envelope_add_recipient(&mail.envelope, &to, &none, SIZE_MAX, NULL), OK);
	assert_int_equal(journal_version_make(&ask, &plan, SPAN("j@arc.test"), &version), OK);
	return version->header.len;
}

/* JRN-13: nothing is refused for the journal's sake, nor does a message escape it by the length of its header. */
static void
test_jrn_13_long_headers(void **state)
{
	static const char *const formats[] = { "plain", "report" };

	(void)state;
	for (size_t i = 0; i < COUNT(formats); i++) {
		char conf[1024];
		struct arena a;

		snprintf(conf, sizeof(conf), "%sjournal: { internal: carl, format: %s }\n", CONF, formats[i]);
		open_site(conf);
		arena_init(&a, NULL);
		assert_in_range(header_of_copy(&a, "Subject: ", 900), 100, 4096);
		assert_in_range(header_of_copy(&a, "Subject: ", CONTENT_HEADER_MAX - 20), 100, CONTENT_HEADER_MAX);
		assert_in_range(header_of_copy(&a, "Received: ", CONTENT_HEADER_MAX - 20), 100, CONTENT_HEADER_MAX);
		arena_reset(&a);
		site_close(&site);
	}
}

int
test_journal(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jrn_08_jrn_09_jrn_10_jrn_11_table),
		cmocka_unit_test(test_jrn_01_jrn_14_who_is_recorded),
		cmocka_unit_test(test_jrn_02_mailbox),
		cmocka_unit_test(test_jrn_13_ignored_is_delivered),
		cmocka_unit_test(test_jrn_06_internal_list),
		cmocka_unit_test(test_jrn_04_who_may_deliver),
		cmocka_unit_test(test_jrn_13_long_headers),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
