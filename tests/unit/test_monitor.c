/*
 * test_monitor.c - monitoring: who is copied to whom, and what the copy looks like.
 */
#include <stdio.h>
#include <string.h>

#include "tests/unit/test_routing.h"

#define PROFILES(...) CONF "monitor: [ " __VA_ARGS__ " ]\n"

static void
test_classes_mon_02(void **state)
{
	static const struct asked rows[] = {
		{ STRANGER, NULL, "anna@example.org", "anna monitor:carl" },
		{ USER_ANNA, NULL, "bert@example.org", "bert monitor:dora" },
		{ USER_ANNA, NULL, "x@far.test", ">x@far.test monitor:>chief@far.test" },
		/* incoming and internal at once are never; outgoing and internal are, and each profile copies once */
		{ USER_ANNA, NULL, "x@far.test bert@example.org",
			">x@far.test bert monitor:dora monitor:>chief@far.test" },
		{ STRANGER, NULL, "out@example.org", ">y@far.test monitor:carl" }, /* it came from outside */
		{ STRANGER, NULL, "none@example.org", "-" },
		{ LOCAL, NULL, "bert@example.org", "bert" }, /* the server writes it */
		{ LMTP, NULL, "anna@example.org", "anna monitor:carl" },
		{ BOX1, NULL, "anna@example.org", "anna monitor:carl" },
	};

	(void)state;
	open_site(PROFILES("{ incoming: all, target: carl }, { name: inside, internal: all, target: dora }, "
			   "{ name: outside, outgoing: all, target: chief@far.test }") BOXES);
	site_add_user(&site, "dora", NULL);
	site_add_mapping(&site, "out", "y@far.test");
	site_add_mapping(&site, "none", "No-one");
	CHECK(rows);
	site_close(&site);
}

/* One copy for a profile, whatever number of its classes a message meets (contract 8). */
static void
test_one_copy_mon_02(void **state)
{
	static const struct asked rows[] = {
		{ USER_ANNA, NULL, "x@far.test bert@example.org y@far.test",
			">x@far.test bert >y@far.test monitor:carl monitor:carl" },
		{ USER_ANNA, NULL, "x@far.test", ">x@far.test monitor:carl" }, /* they would be the same */
	};

	(void)state;
	open_site(PROFILES("{ incoming: all, outgoing: all, internal: all, target: carl }, "
			   "{ name: again, outgoing: all, target: carl }"));
	CHECK(rows);
	site_close(&site);
	open_site(PROFILES("{ incoming: none, outgoing: none, internal: none, target: carl }"));
	CHECK(((const struct asked[]){ { USER_ANNA, NULL, "x@far.test bert@example.org", ">x@far.test bert" },
		{ STRANGER, NULL, "anna@example.org", "anna" } }));
	site_close(&site);
}

static void
test_selected_mon_02_usr_27(void **state)
{
	static const struct asked rows[] = {
		{ USER_ANNA, NULL, "x@far.test", ">x@far.test monitor:carl" }, /* she is the sender */
		{ USER_BERT, NULL, "x@far.test", ">x@far.test" },
		{ USER_BERT, NULL, "anna@example.org", "anna monitor:carl" }, /* or a recipient */
		{ USER_BERT, NULL, "dora@example.org", "dora" },
		{ STRANGER, NULL, "all@example.org", "anna bert dora monitor:carl" }, /* over a list */
		{ STRANGER, NULL, "dora@example.org", "dora" },
		{ STRANGER, NULL, "eve@example.org", "eve monitor:carl" }, /* her group forces it */
	};

	(void)state;
	open_site(PROFILES("{ incoming: selected, outgoing: selected, internal: selected, target: carl }"));
	site_add_user(&site, "dora", NULL);
	site_add_user(&site, "eve", NULL);
	site_set_user(&site, "anna", "monitor", "yes");
	site_add_list(&site, "all", "distribution", "bert;dora;anna");
	site_add_group(&site, "trainees", "eve");
	site_set_group(&site, "trainees", "enabled", "yes");
	site_set_group(&site, "trainees", "force", "yes");
	site_set_group(&site, "trainees", "monitor", "on");
	CHECK(rows);
	site_close(&site);
}

/* Who comes by a list is not looked up a second time, for his flag nor for his group. */
static void
test_selected_of_a_list_costs_no_look_ups_mon_02(void **state)
{
	static const struct asked row = { STRANGER, NULL, "all@example.org", "anna bert dora monitor:carl" };
	struct arena a;
	struct plan plan;
	struct buf out;

	(void)state;
	open_site(PROFILES("{ incoming: selected, target: carl }"));
	site_add_user(&site, "dora", NULL);
	site_set_user(&site, "dora", "monitor", "yes");
	site_add_group(&site, "trainees", "bert");
	site_add_list(&site, "all", "distribution", "anna;bert;dora");
	arena_init(&a, NULL);
	buf_init(&out, 4096);
	routing_ask(&a, &row, 0, &plan, &out);
	assert_true(span_eq(buf_span(&out), span_of(row.want)));
	for (const struct plan_copy *copy = plan.copies; copy; copy = copy->next) {
		assert_int_equal(copy->watch.known, copy->role == COPY_DELIVERY);
		assert_int_equal(copy->watch.monitor, span_eq(copy->user, SPAN("dora")));
		assert_int_equal(copy->watch.group_id != 0, span_eq(copy->user, SPAN("bert")));
	}
	buf_fini(&out);
	arena_reset(&a);
	site_close(&site);
}

/* A profile with users of its own goes by these, and by the groups it names. */
static void
test_own_users_mon_02(void **state)
{
	static const struct asked rows[] = {
		{ USER_ANNA, NULL, "x@far.test", ">x@far.test" },
		{ USER_BERT, NULL, "x@far.test", ">x@far.test monitor:carl" },
		{ STRANGER, NULL, "dora@example.org", "dora monitor:carl" },
		{ STRANGER, NULL, "anna@example.org", "anna" },
	};

	(void)state;
	open_site(PROFILES("{ incoming: selected, outgoing: selected, users: [BERT, trainees], target: carl }"));
	site_add_user(&site, "dora", NULL);
	site_set_user(&site, "anna", "monitor", "yes");
	site_add_group(&site, "trainees", "dora");
	CHECK(rows);
	site_close(&site);
}

static void
test_targets_mon_01_q_79(void **state)
{
	static const struct asked rows[] = {
		{ USER_BERT, NULL, "x@far.test", ">x@far.test monitor:anna monitor:carl" },
		/* of several, each gets his, a party or not */
		{ USER_ANNA, NULL, "x@far.test", ">x@far.test monitor:anna monitor:carl" },
		{ USER_BERT, NULL, "anna@example.org", "anna monitor:>chief@far.test" },
		{ STRANGER, NULL, "bert@example.org", "bert" }, /* the only target is a party */
		{ STRANGER, NULL, "bert@example.org anna@example.org", "bert anna" },
		{ STRANGER, NULL, "anna@example.org", "anna monitor:bert" },
	};

	(void)state;
	open_site(PROFILES("{ outgoing: all, target: watchers }, { name: b, internal: all, target: chief@far.test }, "
			   "{ name: c, incoming: all, target: bert@example.org }, "
			   "{ name: d, incoming: all, target: nobody }"));
	site_add_list(&site, "watchers", "distribution", "anna;carl");
	site_set_user(&site, "bert", "forward_to", "far@far.test"); /* the mailbox is the target */
	CHECK(rows);
	assert_true(notes_say(&rows[3], "the profile c makes no copy: its only target is bert@example.org"));
	assert_true(notes_say(&rows[5], "nobody, a target of the profile d, is nobody: no copy"));
	site_close(&site);
}

/* Exactly as many bytes as the limit are not more; attachments are part of the size. */
static void
test_size_mon_04(void **state)
{
	static const struct asked none = { USER_ANNA, NULL, "x@far.test", ">x@far.test" };
	static const struct asked one = { USER_ANNA, NULL, "x@far.test", ">x@far.test monitor:carl" };

	(void)state;
	open_site(PROFILES("{ outgoing: all, target: carl, min_kb: 10 }"));
	check_sized(&none, 1, 9 * 1024);
	check_sized(&none, 1, 10 * 1024);
	check_sized(&one, 1, 10 * 1024 + 1);
	check_sized(&one, 1, 11 * 1024);
	assert_true(notes_say(&none, "bytes are not more than 10 kB"));
	site_close(&site);
}

static size_t
count_samples(uint64_t from)
{
	size_t count = 0;

	for (uint64_t no = from; no < from + 1000; no++) {
		struct asked asked = { USER_ANNA, NULL, "x@far.test", NULL };
		struct arena arena;
		struct plan plan;
		struct buf out;

		asked_message.message_no = no;
		arena_init(&arena, NULL);
		buf_init(&out, 4096);
		routing_ask(&arena, &asked, 0, &plan, &out);
		count += span_find_span(buf_span(&out), SPAN("monitor:dora")) < buf_span(&out).len;
		buf_fini(&out);
		arena_reset(&arena);
	}
	asked_message.message_no = 0;
	return count;
}

static void
test_sample_mon_05_q_34(void **state)
{
	static const struct asked unknown = { USER_ANNA, NULL, "x@far.test", ">x@far.test" };
	size_t first;

	(void)state;
	open_site(PROFILES("{ outgoing: all, sample_percent: 50, sample_target: dora }"));
	site_add_user(&site, "dora", NULL);
	first = count_samples(1);
	assert_in_range(first, 430, 570);
	assert_int_equal(count_samples(1), first); /* the same number, the same answer */
	assert_in_range(count_samples(UINT64_C(1) << 40), 430, 570);
	check_sized(&unknown, 1, 0);
	assert_true(notes_say(&unknown, "dora gets a copy of it by chance: 50 % of profile default"));
	site_close(&site);
	open_site(PROFILES("{ outgoing: all, target: carl, sample_percent: 100, sample_target: bert }"));
	CHECK(((const struct asked[]){ { USER_ANNA, NULL, "x@far.test", ">x@far.test monitor:carl monitor:bert" } }));
	site_close(&site);
	open_site(PROFILES("{ outgoing: all, target: carl, sample_percent: 0, sample_target: bert }"));
	CHECK(((const struct asked[]){ { USER_ANNA, NULL, "x@far.test", ">x@far.test monitor:carl" } }));
	site_close(&site);
}

/* A prefix that is too long for a field keeps no message from anybody, and no copy from the monitor. */
static void
test_long_prefix_mon_06(void **state)
{
	struct buf conf;

	(void)state;
	buf_init(&conf, 1 << 16);
	assert_int_equal(buf_printf(&conf, PROFILES("{ name: \"%064d\", incoming: all, target: carl }")
		"texts: { monitor_prefix: \"", 7), OK);
	for (unsigned i = 0; i < 90; i++)
		assert_int_equal(buf_put(&conf, SPAN("%2")), OK);
	assert_int_equal(buf_put(&conf, SPAN("\" }\n\0")), OK);
	open_site(buf_span(&conf).ptr);
	CHECK(((const struct asked[]){ { STRANGER, NULL, "anna@example.org", "anna monitor:carl" } }));
	site_close(&site);
	buf_fini(&conf);
}

struct with_header {
	struct asked asked;
	const char *header;
};

static void
check_headers(const struct with_header *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		asked_message.header = rows[i].header;
		check_sized(&rows[i].asked, 1, 0);
	}
	asked_message.header = NULL;
}

/* Who sent it: the login, else the From field, which may be forged; a stranger is never a user of ours. */
static void
test_who_sent_it_mon_09_h12(void **state)
{
	static const struct with_header rows[] = {
		/* forged: bert's program says that it is anna */
		{ { RANGE, "bert@example.org", "x@far.test", ">x@far.test monitor:carl" },
			"From: Anna <anna@example.org>\r\n" },
		{ { RANGE, "anna@example.org", "x@far.test", ">x@far.test" },
			"From: bert@example.org\r\n" },
		{ { RANGE, "anna@example.org", "x@far.test", ">x@far.test monitor:carl" },
			"From: x@far.test\r\n" },
		/* with a login it is bert, whatever he may call himself */
		{ { USER_BERT, NULL, "x@far.test", ">x@far.test" },
			"From: anna@example.org\r\n" },
		{ { STRANGER, "anna@example.org", "bert@example.org", "bert" },
			"From: anna@example.org\r\n" },
	};

	(void)state;
	open_site(PROFILES("{ incoming: selected, outgoing: selected, internal: selected, target: carl }"));
	site_set_user(&site, "anna", "monitor", "yes");
	site_set_user(&site, "bert", "identities", "anna@example.org");
	check_headers(rows, COUNT(rows));
	asked_message.header = rows[0].header;
	assert_true(notes_say(&rows[0].asked, "from anna by From"));
	asked_message.header = rows[2].header;
	assert_true(notes_say(&rows[2].asked, "from anna by return address"));
	asked_message.header = NULL;
	site_close(&site);
}

/* Outgoing is what was written here: From in a local domain, of a user or not. */
static void
test_written_here_mon_03(void **state)
{
	static const struct with_header rows[] = {
		{ { RANGE, "x@far.test", "y@far.test", ">y@far.test monitor:carl" },
			"From: scanner@example.org\r\n" },
		{ { RANGE, "x@far.test", "y@far.test", ">y@far.test" },
			"From: x@far.test\r\n" },
		{ { RANGE, "scanner@example.org", "y@far.test", ">y@far.test monitor:carl" },
			"From: x@far.test\r\n" },
		{ { USER_ANNA, NULL, "y@far.test", ">y@far.test monitor:carl" }, NULL },
	};

	(void)state;
	open_site(PROFILES("{ outgoing: all, target: carl }"));
	check_headers(rows, COUNT(rows));
	site_close(&site);
}

/* ---- the copy ---- */

static const char came[] =
	"Received: from x by y; Sun, 22 Nov 2026 10:00:00 +0000\r\n"
	"From: Anna <anna@example.org>\r\n"
	"To: x@far.test\r\n"
	"Bcc: chief@far.test\r\n"
	"subject: an\r\n  offer\r\n"
	"Disposition-Notification-To: anna@example.org\r\n"
	"Return-Receipt-To: anna@example.org\r\n"
	"X-Confirm-Reading-To: anna@example.org\r\n"
	"X-Monitor-Recipients: forged@far.test\r\n"
	"no field at all\r\n"
	"Subject: another\r\n"
	"X-Other: stays\r\n";

static void
put_header(const char *conf, const char *to, const char *header, struct buf *out)
{
	const struct asked asked = { USER_ANNA, NULL, to, NULL };
	struct arena arena;
	struct plan plan;
	struct buf line;

	open_site(conf);
	arena_init(&arena, NULL);
	buf_init(&line, 65536);
	asked_message.header = header;
	routing_ask(&arena, &asked, 0, &plan, &line);
	asked_message.header = NULL;
	for (const struct plan_copy *copy = plan.copies; copy; copy = copy->next) {
		if (copy->role != COPY_MONITOR)
			continue;
		assert_true(copy->own_sender);
		assert_int_equal(copy->sender.len, 0);
		assert_int_equal(buf_put(out, copy->version->header), OK);
		break;
	}
	buf_fini(&line);
	arena_reset(&arena);
	site_close(&site);
}

static bool
has(const struct buf *out, const char *text)
{
	return span_find_span(buf_span(out), span_of(text)) < buf_span(out).len;
}

static void
test_copy_mon_06(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	put_header(PROFILES("{ outgoing: all, internal: all, target: carl }"),
		"x@far.test chief@far.test bert@example.org", came, &out);
	assert_true(span_starts(buf_span(&out),
		SPAN("X-Monitor-Recipients: x@far.test, chief@far.test, bert@example.org\r\n")));
	assert_true(has(&out, "\r\nSubject: {Mon-Outgoing+Internal} an\r\n  offer\r\n"));
	assert_true(has(&out, "\r\nAuto-Submitted: auto-generated\r\n"));
	assert_true(has(&out, "\r\nFrom: Anna <anna@example.org>\r\n"));
	assert_true(has(&out, "\r\nno field at all\r\n"));
	assert_true(has(&out, "\r\nX-Other: stays\r\n\r\n"));
	assert_false(has(&out, "forged") || has(&out, "Receipt") || has(&out, "Notification") ||
		has(&out, "Confirm") || has(&out, "Bcc") || has(&out, "another"));
	buf_fini(&out);
}

static void
test_copy_texts_mon_06_adm_12(void **state)
{
	static const char plain[] = "From: anna@example.org\r\n";
	static const char long_one[] = "From: anna@example.org\r\n"
		"Subject: a subject of the kind that fills a line and leaves no room for any prefix\r\n";
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	put_header(PROFILES("{ name: sales, outgoing: all, target: carl }")
		"texts: { monitor_prefix: '{Mon-%2 100%%: %1}' }\n", "x@far.test", plain, &out);
	assert_true(span_starts(buf_span(&out), SPAN("X-Monitor-Recipient: x@far.test\r\n")));
	assert_true(has(&out, "\r\nSubject: {Mon-sales 100%: Outgoing}\r\n"));
	buf_clear(&out);
	put_header(PROFILES("{ outgoing: all, target: carl }")
		"texts: { monitor_prefix: '{Mon-\xc3\xbc}' }\n", "x@far.test", plain, &out);
	assert_true(has(&out, "\r\nSubject: =?utf-8?B?e01vbi3DvH0=?=\r\n"));
	buf_clear(&out);
	put_header(PROFILES("{ outgoing: all, target: carl }"), "x@far.test", long_one, &out);
	assert_true(has(&out, "\r\nSubject: {Mon-Outgoing}\r\n a subject of the kind"));
	buf_fini(&out);
}

int
test_monitor(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes_mon_02),
		cmocka_unit_test(test_one_copy_mon_02),
		cmocka_unit_test(test_selected_mon_02_usr_27),
		cmocka_unit_test(test_selected_of_a_list_costs_no_look_ups_mon_02),
		cmocka_unit_test(test_own_users_mon_02),
		cmocka_unit_test(test_targets_mon_01_q_79),
		cmocka_unit_test(test_size_mon_04),
		cmocka_unit_test(test_sample_mon_05_q_34),
		cmocka_unit_test(test_long_prefix_mon_06),
		cmocka_unit_test(test_who_sent_it_mon_09_h12),
		cmocka_unit_test(test_written_here_mon_03),
		cmocka_unit_test(test_copy_mon_06),
		cmocka_unit_test(test_copy_texts_mon_06_adm_12),
	};

	return cmocka_run_group_tests_name("monitor", tests, NULL, NULL);
}
