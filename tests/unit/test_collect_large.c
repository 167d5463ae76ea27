/*
 * test_collect_large.c - messages that are larger than the limits, than their server said, or without an end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "server/collect/collection_inside.h"
#include "tests/unit/collect_site.h"

/* A message that never ends holds no place for ever: what came before it is here, the next time it is gone around. */
static void
test_nothing_ends_for_a_day_h20(void **state)
{
	struct collect_view view;
	uint64_t number;

	(void)state;
	begin(COLLECTOR(""));
	fill(4);
	fake_box.ahead = 1;
	fake_box.stalls_at = 3;
	assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "a test", &number), OK);
	for (int i = 0; i < 30000 && (fake_box.stalls == 0 || site_folder_count(&site, "anna", "INBOX") < 2); i++)
		turn();
	loop_fake_advance(site.host.loop, COLLECTION_LULL_MS - 60000);
	for (int i = 0; i < 50; i++)
		turn();
	assert_false(is_idle());
	loop_fake_advance(site.host.loop, 60000);
	turn_until_idle();
	view = view_of("isp");
	assert_non_null(strstr(view.error, "nothing was finished in 24 hours"));
	assert_each_once(2);
	assert_int_equal(collect().counts.fetched, 1); /* around it */
	fake_box.stalls_at = 0;
	offset_ms += DAY_MS + 1000;
	assert_int_equal(collect().counts.fetched, 1);
	assert_each_once(4);
	assert_int_equal(fake_left(), 0);
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

/* Without unique ids: it is not read from the wire at each run (TRB-06). */
static void
begin_nameless(bool has_head, bool tells)
{
	begin("limits: { message_size: 1MB }\n" COLLECTOR(""));
	fake_box.piece = 65536;
	fake_box.no_unique = true;
	fake_box.no_head = !has_head;
	fake_box.size_said = 1000;
	fill(1);
	add_text(tells ? "To: anna@example.org\r\nMessage-Id: <l@example.net>\r\nSubject: large\r\n\r\n" :
			 "To: anna@example.org\r\nSubject: large\r\n\r\n")->repeat = 50000;
	fill(1);
	assert_int_equal(collect().counts.fetched, 2);
	assert_non_null(strstr(view_of("isp").error, "message 2: it is larger than limits.message_size"));
	assert_int_equal(fake_box.fetches, 3);
}

static void
test_larger_than_said_without_unique_ids_inm_04(void **state)
{
	(void)state;
	for (int has_head = 0; has_head < 2; has_head++)
		for (int tells = 0; tells < 2; tells++) {
			unsigned fetches;

			begin_nameless(has_head, tells);
			collect(); /* its place is another one, for what was before it is gone */
			fetches = fake_box.fetches;
			assert_int_equal(fetches, has_head && tells ? 3 : 4);
			assert_false(collect().failed);
			fill(2); /* what comes behind it changes nothing */
			assert_int_equal(collect().counts.fetched, 2);
			assert_int_equal(fake_box.fetches, fetches + 2);
			offset_ms += DAY_MS + 1000; /* the limit may be another one now */
			assert_true(collect().failed);
			assert_int_equal(fake_box.fetches, fetches + 3);
			assert_int_equal(fake_left(), 1);
			end();
		}
}

/* What has taken its place is another message: of another size it comes at once, of the same size a day later. */
static void
test_in_the_place_of_a_large_one(void **state)
{
	(void)state;
	for (int same = 0; same < 2; same++) {
		begin_nameless(false, false);
		collect();
		fake_box.messages[1] = fake_box.messages[0]; /* somebody has removed it there */
		fake_box.messages[1].gone = false;
		fake_box.size_said = same ? 1000 : 1001;
		assert_int_equal(collect().counts.fetched, !same);
		offset_ms += DAY_MS + 1000;
		assert_int_equal(collect().counts.fetched, same);
		assert_int_equal(fake_left(), 0);
		end();
	}
}

/* Of a size that is not said nothing is remembered: nothing shall be passed over that may be another message. */
static void
test_larger_than_the_limit_and_of_no_size(void **state)
{
	(void)state;
	begin_nameless(false, false);
	fake_box.no_sizes = true;
	for (unsigned i = 1; i <= 3; i++) {
		assert_true(collect().failed);
		assert_int_equal(fake_box.fetches, 3 + i);
	}
	fake_box.messages[1] = fake_box.messages[0];
	fake_box.messages[1].gone = false;
	assert_int_equal(collect().counts.fetched, 1);
	end();
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

#define T(name) cmocka_unit_test(name)

int
test_collect_large(void)
{
	const struct CMUnitTest tests[] = { T(test_nothing_ends_for_a_day_h20), T(test_too_large_stays_trb_06),
		T(test_too_large_for_the_disk_inm_25), T(test_larger_than_said_inm_04),
		T(test_larger_than_said_without_unique_ids_inm_04),
		T(test_in_the_place_of_a_large_one), T(test_larger_than_the_limit_and_of_no_size),
		T(test_endless_message), T(test_larger_than_the_limit_stays_inm_04) };

	return cmocka_run_group_tests_name("collect large", tests, NULL, NULL);
}
