/*
 * test_collect.c - collections from a mailbox in memory (collect_fake.h): nothing is lost and nothing comes twice,
 * wherever it is cut; what stays there, what goes, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/queue/own_mail.h"
#include "tests/unit/collect_site.h"

/* ---- INM-03 ---- */

static size_t fetched_before_removed;

static void
check_order(enum source_order order, size_t place)
{
	(void)place;
	if (order == SOURCE_REMOVE) /* on disk, each that is removed so far and this one */
		assert_true(site_folder_count(&site, "anna", "INBOX") > fake_box.removes);
	fetched_before_removed += order == SOURCE_REMOVE;
}

static void
test_fetched_then_removed_inm_03(void **state)
{
	struct collect_view view;

	(void)state;
	begin(COLLECTOR(""));
	fill(30);
	fetched_before_removed = 0;
	fake_box.on_order = check_order;
	view = collect();
	assert_int_equal(view.counts.fetched, 30);
	assert_int_equal(view.counts.deleted, 30);
	assert_int_equal(view.counts.left, 0);
	assert_int_equal(view.counts.failed, 0);
	assert_false(view.failed);
	assert_int_equal(fetched_before_removed, 30);
	assert_int_equal(fake_box.most_orders, 8);
	assert_int_equal(fake_left(), 0);
	assert_each_once(30);
	collect(); /* they are in the list no more */
	assert_int_equal(row_count(), 0);
	end();
}

struct cut_case {
	bool no_unique, no_head;
	const char *conf;
};

/* Cut behind each step in turn, and then once more without: each message is there once, and gone there. */
static void
cut_everywhere(const struct cut_case *cut)
{
	unsigned at = 1, cuts;

	do {
		begin(cut->conf);
		fill(4);
		fake_box.no_unique = cut->no_unique;
		fake_box.no_head = cut->no_head;
		fake_box.piece = 60;
		fake_box.cut_at = at++;
		collect();
		cuts = fake_box.cuts;
		assert_int_equal(view_of("isp").failed, cuts > 0);
		fake_box.cut_at = 0;
		collect();
		assert_false(view_of("isp").failed);
		assert_each_once(4);
		assert_int_equal(fake_left(), 0);
		collect();
		assert_int_equal(row_count(), 0);
		end();
	} while (cuts > 0);
	assert_true(at > 20);
}

static void
test_cut_at_each_step_inm_03(void **state)
{
	static const struct cut_case cases[] = { { false, false, COLLECTOR("") },
		{ true, false, COLLECTOR("") }, { true, true, COLLECTOR("") } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		cut_everywhere(&cases[i]);
}

/* Nothing tells them apart but their texts: neither is taken for the other, and neither is lost. */
static void
test_equal_headers_inm_03(void **state)
{
	(void)state;
	for (unsigned at = 1, cuts = 1; cuts > 0; at++) {
		begin(COLLECTOR(""));
		fake_box.no_unique = true;
		add_text("To: anna@example.org\r\n\r\none\r\n");
		add_text("To: anna@example.org\r\n\r\ntwo\r\n");
		add_text("To: anna@example.org\r\n\r\nsix\r\n");
		fake_box.cut_at = at;
		collect();
		cuts = fake_box.cuts;
		fake_box.cut_at = 0;
		collect();
		assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 3);
		assert_int_equal(fake_left(), 0);
		end();
	}
}

/* All have the same unique id, as some servers do. */
/* Stored, and not removed there: a header that cannot be had for once does not make it a new message. */
static void
test_no_header_for_once_inm_03(void **state)
{
	(void)state;
	for (unsigned cut = 1; ; cut++) {
		begin(COLLECTOR(""));
		fill(1);
		fake_box.no_unique = true;
		fake_box.cut_at = cut;
		collect();
		if (fake_left() == 1 && site_folder_count(&site, "anna", "INBOX") == 1)
			break;
		assert_int_equal(fake_left(), 1);
		end();
	}
	fake_box.messages[0].head_answers = SOURCE_FAILED;
	assert_true(collect().failed);
	fake_box.messages[0].head_answers = SOURCE_DONE;
	assert_false(collect().failed);
	assert_int_equal(fake_left(), 0);
	assert_each_once(1);
	end();
}

static void
test_equal_unique_ids(void **state)
{
	(void)state;
	begin(COLLECTOR(", leave_days: 2"));
	fill(5);
	for (size_t i = 0; i < 5; i++)
		fake_box.messages[i].unique = "the-same";
	collect();
	assert_each_once(5);
	assert_true(fake_box.heads >= 5);
	collect();
	assert_each_once(5);
	offset_ms = 3 * DAY_MS;
	collect();
	assert_int_equal(fake_left(), 0);
	end();
}

/* RFC 1939, 7: copies may have the same one. What is known of the others holds. */
static void
test_few_equal_unique_ids(void **state)
{
	(void)state;
	for (int no_head = 0; no_head < 2; no_head++) {
		begin(COLLECTOR(", leave_days: 2"));
		fake_box.no_head = no_head;
		fill(5);
		collect();
		fill(2);
		fake_box.messages[5].unique = fake_box.messages[6].unique = "the-same";
		collect();
		collect();
		assert_each_once(no_head ? 5 : 7);
		assert_true(no_head ? view_of("isp").failed : fake_box.heads == 4);
		end();
	}
}

/* Two that nobody can tell apart, and both stay there: each is fetched once. */
static void
test_copies_left_there_inm_05(void **state)
{
	(void)state;
	for (int same_unique = 0; same_unique < 2; same_unique++) {
		begin(COLLECTOR(", leave_days: 2"));
		fake_box.no_unique = !same_unique;
		fill(2);
		fake_box.messages[1].text = fake_box.messages[0].text;
		fake_box.messages[0].unique = fake_box.messages[1].unique = "the-same";
		collect();
		collect();
		collect();
		assert_int_equal(count_of("anna", "message 0"), 2);
		end();
	}
}

/* ---- INM-05 ---- */

static void
leave_two_days(bool no_unique)
{
	begin(COLLECTOR(", leave_days: 2"));
	fake_box.no_unique = no_unique;
	fill(6);
	assert_int_equal(collect().counts.left, 6);
	collect();
	assert_each_once(6);
	offset_ms = DAY_MS;
	fill(1);
	assert_int_equal(collect().counts.fetched, 1);
	assert_each_once(7);
	assert_int_equal(fake_left(), 7);
	offset_ms = 2 * DAY_MS + 1000;
	assert_int_equal(collect().counts.deleted, 6);
	assert_int_equal(fake_left(), 1);
	offset_ms = 4 * DAY_MS;
	assert_int_equal(collect().counts.deleted, 1);
	assert_each_once(7);
	collect();
	assert_int_equal(row_count(), 0);
	end();
}

static void
test_leave_days_inm_05(void **state)
{
	(void)state;
	leave_two_days(false);
}

static void
test_leave_days_by_header_inm_05(void **state)
{
	(void)state;
	leave_two_days(true);
}

/* Neither UIDL nor TOP: an error, and nothing is fetched, or it would come again and again. */
static void
test_leave_days_by_nothing_inm_05(void **state)
{
	struct collect_view view;

	(void)state;
	begin(COLLECTOR(", leave_days: 2"));
	fake_box.no_unique = fake_box.no_head = true;
	fill(2);
	view = collect();
	assert_true(view.failed);
	assert_non_null(strstr(view.error, "neither UIDL nor TOP"));
	assert_int_equal(view.counts.fetched, 0);
	assert_int_equal(fake_left(), 2);
	end();
}

static void
test_leave_always(void **state)
{
	(void)state;
	begin(COLLECTOR(", leave: always"));
	fill(3);
	collect();
	offset_ms = 400 * DAY_MS;
	collect();
	assert_int_equal(fake_left(), 3);
	assert_each_once(3);
	end();
}

/* A list that lacks them for once makes nothing new; rows go when they are gone for days. */
static void
test_gone_and_back_inm_05(void **state)
{
	(void)state;
	begin(COLLECTOR(", leave_days: 30"));
	fill(4);
	collect();
	fake_box.count = 0;
	collect();
	assert_int_equal(row_count(), 4);
	fake_box.count = 4;
	collect();
	assert_each_once(4);
	fake_box.messages[1].gone = true;
	collect();
	assert_int_equal(row_count(), 4);
	offset_ms = 4 * DAY_MS;
	collect();
	assert_int_equal(row_count(), 3);
	end();
}

/* ---- INM-16, INM-21, INM-24, traces ---- */

static void
read_first(struct buf *out)
{
	buf_init(out, 1u << 20);
	assert_true(site_folder_read(&site, "anna", "INBOX", 1, out));
	assert_int_equal(buf_put_char(out, '\0'), OK);
}

static void
test_from_line_inm_16(void **state)
{
	static const char plain[] = "To: anna@example.org\r\nSubject: x\r\n\r\nFrom here\r\n";

	(void)state;
	for (size_t piece = 1; piece < 70; piece += 4) {
		char text[200];
		struct buf mail;

		begin(COLLECTOR(""));
		snprintf(text, sizeof(text), "From anna Sat Jan  3 01:05:34 1998\r\n%s", plain);
		add_text(text);
		fake_box.piece = piece;
		collect();
		read_first(&mail);
		assert_non_null(strstr(buf_span(&mail).ptr, plain));
		assert_null(strstr(buf_span(&mail).ptr, "From anna"));
		buf_fini(&mail);
		end();
	}
}

static void
test_doubles_inm_21(void **state)
{
	static const char text[] = "From: carl@example.net\r\nTo: anna@example.org\r\nSubject: twice\r\n"
		"Date: Sat, 3 Jan 1998 01:05:34 +0000\r\nMessage-Id: <1@example.net>\r\n\r\nHello\r\n";
	static const char other[] = "From: carl@example.net\r\nTo: anna@example.org\r\nSubject: twice\r\n"
		"Date: Sat, 3 Jan 1998 01:05:34 +0000\r\nMessage-Id: <2@example.net>\r\n\r\nHello\r\n";

	(void)state;
	begin(COLLECTOR(", duplicates: yes"));
	add_text(text);
	add_text(text);
	add_text(other);
	assert_int_equal(collect().counts.deleted, 3);
	assert_int_equal(count_of("anna", "twice"), 2);
	add_text(text); /* in another session */
	collect();
	assert_int_equal(count_of("anna", "twice"), 3);
	end();
	begin(HEAD "  ignore_message_id: yes\n  collectors:\n    - { name: isp, kind: pop3, server: pop.isp.test, "
		   "username: u, accepted: [example.org], duplicates: yes }\n");
	add_text(text);
	add_text(other);
	collect();
	assert_int_equal(count_of("anna", "twice"), 1);
	assert_int_equal(fake_left(), 0);
	end();
}

/* One that is put off is no double of itself: it stays there until it is on disk. */
static void
test_double_of_itself_inm_21(void **state)
{
	struct collect_view view;

	(void)state;
	begin_without_administrator(COLLECTOR(", duplicates: yes")); /* RFC 5321, 4.5.1: its mail waits */
	add_text("From: carl@example.net\r\nTo: postmaster@example.org\r\nSubject: early\r\n"
		 "Date: Sat, 3 Jan 1998 01:05:34 +0000\r\nMessage-Id: <1@example.net>\r\n\r\nHello\r\n");
	view = collect();
	assert_int_equal(view.counts.fetched, 0);
	assert_int_equal(view.counts.deleted, 0);
	assert_int_equal(fake_left(), 1);
	end();
}

static void
test_keep_received_inm_24(void **state)
{
	struct buf mail;

	(void)state;
	for (int keeps = 0; keeps < 2; keeps++) {
		const char *at;

		begin(keeps ? COLLECTOR(", keep_received: yes") : COLLECTOR(""));
		fill(1);
		collect();
		read_first(&mail);
		at = strstr(buf_span(&mail).ptr, "Received: from pop.isp.test\r\n\tby mail.example.org with POP3 "
						 "(collector isp)");
		assert_non_null(at);
		at = strstr(at, ";\r\n\t");
		assert_non_null(at);
		assert_int_equal(strncmp(at, ";\r\n\tSat, 3 Jan 1998 01:05:34", 28) == 0, keeps);
		buf_fini(&mail);
		end();
	}
}

static void
test_trace_of_a_collected_message(void **state)
{
	struct buf text;

	(void)state;
	begin(COLLECTOR(""));
	fill(1);
	collect();
	buf_init(&text, 65536);
	assert_true(site_trace_read(&site, &text));
	assert_int_equal(buf_put_char(&text, '\0'), OK);
	assert_non_null(strstr(buf_span(&text).ptr, "collected from pop.isp.test 192.0.2.7:110 by the collector isp"));
	assert_non_null(strstr(buf_span(&text).ptr, "there it was message 1, with the unique id uid-1"));
	assert_non_null(strstr(buf_span(&text).ptr, "TLSv1.2, verified"));
	buf_fini(&text);
	end();
}

/* ---- what is refused, what cannot be had ---- */

/* A mail that runs in a circle is refused by SMTP; here it is kept (TRB-06). */
static void
test_refused_is_kept_trb_06(void **state)
{
	char text[8000] = "";
	struct collect_view view;

	(void)state;
	for (int i = 0; i < 110; i++)
		strncat(text, "Received: from a by b; Sat, 3 Jan 1998 01:05:34 +0000\r\n",
			sizeof(text) - strlen(text) - 1);
	strncat(text, "To: anna@example.org\r\nSubject: circle\r\n\r\nHello\r\n",
		sizeof(text) - strlen(text) - 1);
	begin(COLLECTOR(""));
	add_text(text);
	fill(1);
	view = collect();
	assert_int_equal(count_of("anna", "message 1"), 1);
	assert_int_equal(count_of("postmaster", "circle"), 1);
	assert_int_equal(view.counts.failed, 1);
	assert_non_null(strstr(view.error, "kept for the Main Administrator"));
	assert_int_equal(fake_left(), 0);
	end();
}

static void
test_one_that_cannot_be_fetched(void **state)
{
	struct collect_view view;

	(void)state;
	begin(COLLECTOR(""));
	fill(4);
	fake_box.messages[1].answers = SOURCE_FAILED;
	fake_box.messages[2].answers = SOURCE_GONE;
	view = collect();
	assert_int_equal(view.counts.fetched, 2);
	assert_int_equal(view.counts.failed, 1);
	assert_non_null(strstr(view.error, "message 2: it cannot be fetched: -ERR no"));
	assert_int_equal(fake_left(), 2);
	end();
}

/* limits.message_size: it stays there, which is told each time, and comes as soon as the limit allows it. */
static void
test_too_large_stays_trb_06(void **state)
{
	(void)state;
	begin("limits: { message_size: 100KB }\n" COLLECTOR(""));
	fill(1);
	add_text("To: anna@example.org\r\nSubject: large\r\n\r\n")->repeat = 10000;
	assert_int_equal(collect().counts.failed, 1);
	assert_int_equal(fake_box.fetches, 1);
	assert_int_equal(fake_left(), 1);
	assert_int_equal(collect().counts.failed, 1);
	assert_int_equal(fake_box.fetches, 1);
	fake_box.messages[1].repeat = 10;
	assert_int_equal(collect().counts.fetched, 1);
	assert_int_equal(fake_left(), 0);
	end();
}

/* What is not fetched anyway wants no room on the disk: the others behind it come. */
static void
test_too_large_for_the_disk_inm_25(void **state)
{
	(void)state;
	begin(COLLECTOR(""));
	add_text("To: anna@example.org\r\nSubject: large\r\n\r\n")->repeat = (size_t)1 << 50;
	fill(1);
	assert_int_equal(collect().counts.fetched, 1);
	assert_int_equal(fake_left(), 1);
	end();
}

/* What a server says of sizes is not trusted: no more than limits.message_size is written, and the others come. */
static void
test_larger_than_said_inm_04(void **state)
{
	(void)state;
	for (int unknown = 0; unknown < 2; unknown++) {
		begin("limits: { message_size: 1MB }\n" COLLECTOR(", ignore_from_line: yes"));
		fake_box.piece = 65536;
		fake_box.no_sizes = unknown;
		fake_box.size_said = 1000;
		fill(1);
		add_text("To: anna@example.org\r\nSubject: large\r\n\r\n")->repeat = 50000;
		fill(1);
		assert_int_equal(collect().counts.fetched, 2);
		assert_non_null(strstr(view_of("isp").error, "message 2: it is larger than limits.message_size"));
		assert_int_equal(fake_left(), 1);
		assert_false(collect().failed); /* for a day */
		assert_int_equal(fake_box.fetches, 3);
		end();
	}
}

/* One that never ends: the connection is cut, and the others come the next time. */
static void
test_endless_message(void **state)
{
	(void)state;
	begin("limits: { message_size: 1MB }\n" COLLECTOR(""));
	fake_box.piece = 4u << 20;
	fake_box.size_said = 1000;
	add_text("To: anna@example.org\r\nSubject: large\r\n\r\n")->repeat = (300u << 20) / 62;
	fill(2);
	collect();
	assert_non_null(strstr(view_of("isp").error, "message 1: it does not come to an end"));
	assert_int_equal(collect().counts.fetched, 2);
	assert_int_equal(fake_left(), 1);
	end();
}

/* A header that cannot be kept whole: nothing of it is stored, and it stays there. */
static void
test_huge_header_stays_trb_06(void **state)
{
	struct collect_view view;

	(void)state;
	begin("limits: { header_size: 64KB }\n" COLLECTOR(""));
	add_text("To: anna@example.org\r\nSubject: large\r\nX: ")->repeat = 3000;
	fill(1);
	view = collect();
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 1);
	assert_int_equal(fake_left(), 1);
	assert_non_null(strstr(view.error, "limits.header_size"));
	end();
}

/* Rules off, nothing left there: what is larger is for manual care. */
static void
test_larger_than_the_limit_stays_inm_04(void **state)
{
	(void)state;
	begin(COLLECTOR(", max_kb: 100, download_rules: no"));
	fill(2);
	add_text("To: anna@example.org\r\nSubject: large\r\n\r\n")->repeat = 3500;
	assert_int_equal(collect().counts.fetched, 2);
	assert_int_equal(fake_left(), 1);
	assert_int_equal(fake_box.heads, 0);
	offset_ms = 99 * DAY_MS;
	assert_false(collect().failed);
	assert_int_equal(fake_left(), 1);
	end();
}

static void
test_disk_guard_inm_25(void **state)
{
	struct collect_view view;

	(void)state;
	begin(HEAD "  disk_spare: 1000TB\n  collectors:\n    - { name: isp, kind: pop3, server: pop.isp.test, "
		   "username: u, accepted: [example.org] }\n");
	fill(2);
	view = collect();
	assert_true(view.failed);
	assert_non_null(strstr(view.error, "collecting.disk_spare"));
	assert_int_equal(view.counts.fetched, 0);
	assert_int_equal(fake_left(), 2);
	end();
	begin(HEAD "  disk_spare_unknown: 1000TB\n  collectors:\n    - { name: isp, kind: pop3, "
		   "server: pop.isp.test, username: u, accepted: [example.org] }\n");
	fill(2);
	assert_false(collect().failed);
	fill(1);
	fake_box.no_sizes = true;
	assert_true(collect().failed);
	assert_int_equal(fake_left(), 1);
	end();
}

/* ---- which are started ---- */

static void
test_disabled_inm_29(void **state)
{
	(void)state;
	begin(COLLECTOR(", enabled: no"));
	fill(1);
	assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "a test", NULL), ERR_DENIED);
	assert_int_equal(collect_start_of(site.host.collect, SPAN("lan"), "a test"), 0);
	site_turn(&site, 5);
	assert_int_equal(fake_box.starts, 0);
	assert_int_equal(collect_now(site.host.collect, SPAN("nobody"), "a test", NULL), ERR_NOT_FOUND);
	end();
}

static void
test_locked_inm_30(void **state)
{
	(void)state;
	begin(COLLECTOR(""));
	fill(1);
	fake_box.locked = 1;
	assert_true(collect().failed);
	assert_non_null(strstr(view_of("isp").error, "already locked"));
	assert_false(collect().failed);
	assert_each_once(1);
	end();
}

static void
test_started_by_connection_con_02(void **state)
{
	(void)state;
	begin(COLLECTOR("") "    - { name: other, kind: pop3, server: b.test, username: u, enabled: no }\n");
	fill(2);
	assert_int_equal(collect_start_of(site.host.collect, SPAN("LAN"), "a run"), 1);
	assert_true(collect_busy_of(site.host.collect, SPAN("lan")));
	for (int i = 0; i < 20000 && collect_busy_of(site.host.collect, SPAN("lan")); i++)
		turn();
	assert_each_once(2);
	assert_string_equal(view_of("isp").because, "a run");
	end();
}

/* Asked for while one is under way: once more behind it. */
static void
test_once_more(void **state)
{
	uint64_t first, second, third;

	(void)state;
	begin(COLLECTOR(""));
	fill(3);
	assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "a", &first), OK);
	loop_fake_advance(site.host.loop, 1);
	assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "b", &second), OK);
	assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "c", &third), OK);
	assert_true(second > first && third == second);
	for (int i = 0; i < 60000 && (!is_idle() || view_of("isp").number < second); i++)
		turn();
	assert_int_equal(fake_box.starts, 2);
	assert_string_equal(view_of("isp").because, "b");
	end();
}

/* Those that listen for new mail (IDLE) keep nobody from his turn, however many they are. */
static void
test_many_listen(void **state)
{
	static char conf[(COLLECT_AT_ONCE + 2) * 200];
	struct collect_view view;
	char name[20];
	int len = snprintf(conf, sizeof(conf), "%s  collectors:\n", HEAD);

	(void)state;
	for (int i = 0; i < COLLECT_AT_ONCE; i++)
		len += snprintf(conf + len, sizeof(conf) - (size_t)len, "    - { name: box%d, kind: imap, idle: yes, "
			"server: imap.isp.test, username: u, accepted: [example.org] }\n", i);
	snprintf(conf + len, sizeof(conf) - (size_t)len, "    - { name: isp, kind: pop3, server: pop.isp.test, "
		"username: u, accepted: [example.org] }\n");
	begin(conf);
	for (int i = 0; i < COLLECT_AT_ONCE; i++) {
		snprintf(name, sizeof(name), "box%d", i);
		assert_int_equal(collect_now(site.host.collect, span_of(name), "a test", NULL), OK);
	}
	for (int i = 0; i < 3000 && view_of("box99").state != COLLECT_LISTENS; i++)
		turn();
	assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "a test", NULL), OK);
	for (int i = 0; i < 3000 && ((view = view_of("isp")).last_ms == 0 || view.state != COLLECT_IDLE); i++)
		turn();
	assert_true(view.last_ms != 0);
	end();
}

static void
test_stopped_con_12(void **state)
{
	(void)state;
	for (unsigned turns = 0; turns < 60; turns += 3) {
		begin(COLLECTOR(""));
		fill(40);
		assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "a test", NULL), OK);
		for (unsigned i = 0; i < turns; i++)
			loop_fake_advance(site.host.loop, 1);
		if (!is_idle())
			assert_int_equal(collect_stop(site.host.collect, SPAN("isp")), OK);
		turn_until_idle();
		assert_false(view_of("isp").failed);
		/* what was stored is removed there, and nothing else */
		assert_int_equal(fake_left() + site_folder_count(&site, "anna", "INBOX"), 40);
		collect();
		assert_each_once(40);
		end();
	}
}

struct probe_case {
	struct collect_probe probe;
	unsigned done;
};

static void
on_probed(struct collect_probe *p)
{
	((struct probe_case *)(void *)p)->done++;
}

static void
test_probe(void **state)
{
	struct probe_case p = { .probe = { .done = on_probed } };

	(void)state;
	begin(COLLECTOR(", leave_days: 9"));
	fill(3);
	collect();
	fill(2);
	assert_int_equal(collect_probe(site.host.collect, SPAN("isp"), &p.probe), OK);
	for (int i = 0; i < 20000 && !p.done; i++)
		turn();
	assert_true(p.probe.ok);
	assert_int_equal(p.probe.count, 5);
	assert_int_equal(p.probe.fresh, 2);
	assert_int_equal(fake_left(), 5);
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 3);
	fake_box.locked = 1;
	assert_int_equal(collect_probe(site.host.collect, SPAN("isp"), &p.probe), OK);
	for (int i = 0; i < 20000 && p.done < 2; i++)
		turn();
	assert_false(p.probe.ok);
	assert_non_null(strstr(p.probe.why, "already locked"));
	assert_int_equal(collect_probe(site.host.collect, SPAN("isp"), &p.probe), OK);
	collect_probe_cancel(&p.probe);
	assert_int_equal(collect_probe(site.host.collect, SPAN("none"), &p.probe), ERR_NOT_FOUND);
	end();
	assert_int_equal(p.done, 2);
}

/* What the last one came to is known after a new start. */
static void
test_last_is_kept(void **state)
{
	(void)state;
	begin(COLLECTOR(""));
	fake_box.locked = 1;
	collect();
	for (int i = 0; i < 50 || site.host.collect->sweeps; i++)
		turn();
	host_snapshot_close(&site.host);
	collect_close(&site.host.collect);
	site.host.collect = collect_open(&site.host);
	assert_true(view_of("isp").failed && view_of("isp").last_ms > 0);
	assert_non_null(strstr(view_of("isp").error, "already locked"));
	end();
}

/* ---- many, and large ---- */

static void
test_many(void **state)
{
	(void)state;
	begin(COLLECTOR(""));
	fill(3000);
	fake_box.ahead = 64;
	assert_int_equal(collect().counts.fetched, 3000);
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 3000);
	collect();
	assert_int_equal(row_count(), 0);
	end();
}

static int64_t most_in_flight;

static void
watch_memory(enum source_order order, size_t place)
{
	int64_t now = metric_get(&site.metrics, memory_in_flight);

	(void)order, (void)place;
	if (now > most_in_flight)
		most_in_flight = now;
}

/* A message of 30 MB, twice, between small ones: a fraction of it is in memory at any time. */
static void
test_large_message(void **state)
{
	(void)state;
	begin(COLLECTOR(""));
	most_in_flight = 0;
	fake_box.piece = 65536;
	fake_box.on_order = watch_memory;
	fill(2);
	for (int i = 0; i < 2; i++)
		add_text("To: anna@example.org\r\nSubject: large\r\n\r\n")->repeat = 480000;
	fill(1);
	collect();
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 5);
	assert_int_equal(fake_left(), 0);
	assert_true(most_in_flight < (8 << 20));
	end();
}

#define T(name) cmocka_unit_test(name)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_fetched_then_removed_inm_03),
		T(test_cut_at_each_step_inm_03), T(test_equal_headers_inm_03), T(test_no_header_for_once_inm_03),
		T(test_equal_unique_ids), T(test_few_equal_unique_ids),
		T(test_copies_left_there_inm_05),
		T(test_leave_days_inm_05), T(test_leave_days_by_header_inm_05),
		T(test_leave_days_by_nothing_inm_05), T(test_leave_always), T(test_gone_and_back_inm_05),
		T(test_from_line_inm_16), T(test_doubles_inm_21), T(test_double_of_itself_inm_21), T(test_keep_received_inm_24),
		T(test_trace_of_a_collected_message), T(test_refused_is_kept_trb_06),
		T(test_one_that_cannot_be_fetched), T(test_too_large_stays_trb_06),
		T(test_too_large_for_the_disk_inm_25), T(test_larger_than_said_inm_04), T(test_endless_message),
		T(test_huge_header_stays_trb_06), T(test_larger_than_the_limit_stays_inm_04),
		T(test_disk_guard_inm_25), T(test_disabled_inm_29), T(test_locked_inm_30),
		T(test_started_by_connection_con_02), T(test_once_more), T(test_many_listen),
		T(test_stopped_con_12),
		T(test_probe), T(test_last_is_kept), T(test_many), T(test_large_message) };

	return cmocka_run_group_tests_name("collect", tests, NULL, NULL) + test_collect_again();
}
