/*
 * test_collect.c - collections from a mailbox in memory (collect_fake.h): nothing is lost and nothing comes twice,
 * wherever it is cut; what stays there, and what goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

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
		T(test_cut_at_each_step_inm_03), T(test_equal_headers_inm_03),
		T(test_no_header_for_once_inm_03), T(test_equal_unique_ids),
		T(test_few_equal_unique_ids), T(test_copies_left_there_inm_05),
		T(test_leave_days_inm_05), T(test_leave_days_by_header_inm_05),
		T(test_leave_days_by_nothing_inm_05), T(test_leave_always),
		T(test_gone_and_back_inm_05), T(test_many), T(test_large_message) };

	return cmocka_run_group_tests_name("collect", tests, NULL, NULL) + test_collect_again() +
		test_collect_texts() + test_collect_large() + test_collect_starts() + test_collect_names() +
		test_collect_many() + test_collect_anew();
}
