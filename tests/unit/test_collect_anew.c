/*
 * test_collect_anew.c - an IMAP folder that was made anew (a new UIDVALIDITY), or a POP3 mailbox on another server: new ids for
 * the messages that were left there. They are not fetched again, go when their days are over, and no other message is taken for
 * one of them (INM-05).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/collect_site.h"

#include "store/fetched.h"

#define FOLDER(more)                                                                               \
	HEAD "  collectors:\n    - { name: isp, kind: imap, server: imap.isp.test, username: u, "    \
	"accepted: [example.org]" more " }\n"
#define ALWAYS FOLDER(", leave: always")
#define DAYS FOLDER(", leave_days: 2")

/* COUNT messages were fetched, and stay there. */
static void
begin_with(const char *conf, size_t count)
{
	begin(conf);
	fake_box.epoch = 1;
	fill(count);
	assert_int_equal(collect().counts.fetched, count);
	assert_int_equal(fake_left(), count);
}

static void
make_anew(void)
{
	fake_box.epoch++;
	fake_box.heads = fake_box.fetches = 0;
}

static void
test_anew_inm_05(void **state)
{
	(void)state;
	begin_with(ALWAYS, 5);
	for (int i = 0; i < 3; i++) {
		make_anew();
		assert_int_equal(collect().counts.fetched, 0);
		assert_int_equal(fake_box.heads, 5);
		assert_int_equal(collect().counts.fetched, 0);
		assert_int_equal(fake_box.heads, 5); /* they are known by their new ids */
		assert_int_equal(row_count(), 5);
	}
	fill(1);
	assert_int_equal(collect().counts.fetched, 1);
	assert_int_equal(fake_box.heads, 5);
	make_anew();
	fill(2);
	assert_int_equal(collect().counts.fetched, 2);
	assert_int_equal(fake_box.fetches, 2);
	assert_each_once(8);
	end();
}

/* Their days go on. */
static void
test_anew_with_days_inm_05(void **state)
{
	(void)state;
	begin_with(DAYS, 3);
	offset_ms = DAY_MS;
	make_anew();
	fill(1);
	assert_int_equal(collect().counts.fetched, 1);
	offset_ms = 2 * DAY_MS + 1000;
	assert_int_equal(collect().counts.deleted, 3);
	offset_ms = 4 * DAY_MS;
	make_anew(); /* and the same collection removes what is due */
	assert_int_equal(collect().counts.deleted, 1);
	assert_int_equal(fake_left(), 0);
	assert_each_once(4);
	collect();
	assert_int_equal(row_count(), 0);
	end();
}

/* Cut behind each step: what was looked at is known, the rest is looked at the next time. */
static void
test_anew_and_cut_inm_05(void **state)
{
	bool was_cut = true;

	(void)state;
	for (unsigned cut = 1; was_cut; cut++) {
		begin_with(ALWAYS, 4);
		make_anew();
		fill(2);
		fake_box.cut_at = fake_box.steps + cut;
		collect();
		was_cut = fake_box.cuts > 0;
		fake_box.cut_at = 0;
		collect();
		collect();
		assert_each_once(6);
		assert_int_equal(row_count(), 6);
		end();
	}
}

/* Removed at once, but for a cut; and then the folder is another. */
static void
test_anew_behind_a_cut_inm_03(void **state)
{
	bool was_cut = true;

	(void)state;
	for (unsigned cut = 1; was_cut; cut++) {
		begin(FOLDER(""));
		fake_box.epoch = 1;
		fill(3);
		fake_box.cut_at = cut;
		collect();
		was_cut = fake_box.cuts > 0;
		fake_box.cut_at = 0;
		make_anew();
		collect();
		assert_int_equal(fake_left(), 0);
		assert_each_once(3);
		collect();
		assert_int_equal(row_count(), 0);
		end();
	}
}

/* A row stands for one message: copies that came meanwhile are messages of their own. */
static void
test_anew_with_copies_inm_05(void **state)
{
	(void)state;
	begin_with(ALWAYS, 2);
	add_text(fake_box.messages[0].text);
	add_text(fake_box.messages[0].text);
	assert_int_equal(collect().counts.fetched, 2); /* another id is another message */
	make_anew();
	add_text(fake_box.messages[0].text);
	assert_int_equal(collect().counts.fetched, 1);
	make_anew();
	assert_int_equal(collect().counts.fetched, 0);
	assert_int_equal(count_of("anna", "message 0"), 4);
	end();
}

/* The folder is there again, and its messages come later. */
static void
test_anew_and_empty_for_once_inm_05(void **state)
{
	(void)state;
	begin_with(ALWAYS, 3);
	make_anew();
	for (size_t i = 0; i < 3; i++)
		fake_box.messages[i].gone = true;
	collect();
	offset_ms = DAY_MS;
	fake_box.messages[0].gone = false;
	collect();
	fake_box.messages[1].gone = fake_box.messages[2].gone = false;
	collect();
	assert_each_once(3);
	/* for ever: nothing is kept of them */
	for (size_t i = 0; i < 3; i++)
		fake_box.messages[i].gone = true;
	collect();
	offset_ms = 5 * DAY_MS;
	collect();
	assert_int_equal(row_count(), 0);
	end();
}

/* What is marked as seen, or deleted, is fetched by nobody, and goes when its days are over all the same. Others' stays. */
static void
test_anew_and_unwanted_inm_05(void **state)
{
	(void)state;
	begin_with(DAYS, 3);
	make_anew();
	fill(2);
	for (size_t i = 0; i < 4; i++)
		fake_box.messages[i].unwanted = true;
	assert_int_equal(collect().counts.fetched, 1);
	assert_int_equal(fake_box.heads, 5);
	collect();
	assert_int_equal(fake_box.heads, 5);
	offset_ms = 2 * DAY_MS + 1000;
	collect();
	assert_int_equal(fake_left(), 1);
	fake_box.messages[3].unwanted = false; /* somebody marks it as unseen */
	assert_int_equal(collect().counts.fetched, 1);
	assert_each_once(5);
	end();
}

/* No header is to be had, or not of one: what came tells. */
static void
test_anew_without_headers_inm_05(void **state)
{
	(void)state;
	for (int none = 0; none < 2; none++) {
		begin_with(DAYS, 3);
		make_anew();
		fake_box.no_head = none;
		fake_box.messages[1].head_answers = SOURCE_FAILED;
		collect();
		assert_true(none || view_of("isp").failed);
		fake_box.no_head = false;
		fake_box.messages[1].head_answers = SOURCE_DONE;
		assert_int_equal(collect().counts.fetched, 0);
		assert_each_once(3);
		offset_ms = 2 * DAY_MS + 1000;
		collect();
		assert_int_equal(fake_left(), 0);
		end();
	}
}

/* Neither Message-Id nor Received: it might be another message, so it is fetched. */
static void
test_anew_and_no_id_inm_05(void **state)
{
	(void)state;
	begin_with(ALWAYS, 1);
	add_text("To: anna@example.org\r\nSubject: bare\r\n\r\none\r\n");
	collect();
	make_anew();
	assert_int_equal(collect().counts.fetched, 1);
	assert_int_equal(count_of("anna", "bare"), 2);
	assert_int_equal(count_of("anna", "message 0"), 1);
	end();
}

/* ---- POP3: the provider has another server, and all ids are new ---- */

#define POP3 COLLECTOR(", leave_days: 9")

static void
test_all_ids_are_new_inm_05(void **state)
{
	(void)state;
	for (int no_head = 0; no_head < 2; no_head++) {
		begin(POP3);
		fill(5);
		assert_int_equal(collect().counts.fetched, 5);
		fill(1);
		assert_int_equal(collect().counts.fetched, 1);
		assert_int_equal(fake_box.heads, 0); /* it costs nothing before */
		for (int i = 0; i < 3; i++) {
			fake_box.heads = fake_box.fetches = 0;
			fake_box.ids++;
			fake_box.no_head = no_head;
			assert_int_equal(collect().counts.fetched, 0);
			assert_int_equal(no_head ? fake_box.fetches : fake_box.heads, 6);
			assert_int_equal(collect().counts.fetched, 0);
			assert_int_equal(fake_box.heads + fake_box.fetches, 6);
		}
		fill(1);
		assert_int_equal(collect().counts.fetched, 1);
		assert_each_once(7);
		offset_ms = 9 * DAY_MS + 1000;
		fake_box.no_head = false;
		collect();
		assert_int_equal(fake_left(), 0);
		collect();
		assert_int_equal(row_count(), 0);
		end();
	}
}

/* Cut behind each step. */
static void
test_all_ids_are_new_and_cut_inm_05(void **state)
{
	bool was_cut = true;

	(void)state;
	for (unsigned cut = 1; was_cut; cut++) {
		begin(POP3);
		fill(4);
		collect();
		fake_box.ids++;
		fill(2);
		fake_box.cut_at = fake_box.steps + cut;
		collect();
		was_cut = fake_box.cuts > 0;
		fake_box.cut_at = 0;
		collect();
		collect();
		assert_each_once(6);
		assert_int_equal(row_count(), 6);
		end();
	}
}

/* One cannot be had for days, or is set aside: it may be one that is known, so its row stays. */
static void
one_not_had_for_days(enum source_result answer)
{
	fake_box.ids++;
	if (fake_box.epoch != 0)
		make_anew();
	fake_box.messages[1].head_answers = fake_box.messages[1].answers = answer;
	for (int day = 1; day < 6; day++) {
		offset_ms = day * (DAY_MS + 1000);
		collect();
	}
	fake_box.messages[1].head_answers = fake_box.messages[1].answers = SOURCE_DONE;
	offset_ms = 7 * DAY_MS;
	assert_int_equal(collect().counts.fetched, 0);
	assert_each_once(3);
	assert_int_equal(row_count(), 3);
	end();
}

static void
test_anew_and_one_not_had_inm_05(void **state)
{
	static const enum source_result answers[] = { SOURCE_FAILED, SOURCE_BROKEN };

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		begin_with(ALWAYS, 3);
		one_not_had_for_days(answers[i]);
		for (int no_head = 0; no_head < 2; no_head++) {
			begin(POP3);
			fill(3);
			collect();
			fake_box.no_head = no_head;
			one_not_had_for_days(answers[i]);
		}
	}
}

/* Where nothing is left there, nothing is asked for. */
static void
test_new_ids_of_new_messages(void **state)
{
	(void)state;
	begin(COLLECTOR(""));
	for (int i = 0; i < 3; i++) {
		fill(2);
		assert_int_equal(collect().counts.fetched, 2);
	}
	assert_int_equal(fake_box.heads, 0);
	end();
}

/* Thousands, all with one header in the worst case: no turn of the loop looks for long, and rows are written on the way. */
static void
test_anew_many_inm_05(void **state)
{
	static char texts[2000][120];

	(void)state;
	for (int alike = 0; alike < 2; alike++) {
		begin(ALWAYS);
		fake_box.epoch = 1;
		fake_box.ahead = SOURCE_AHEAD;
		for (size_t i = 0; i < COUNT(texts); i++) {
			snprintf(texts[i], sizeof(texts[i]), "To: anna@example.org\r\nMessage-Id: <%zu@a.test>\r\n\r\nx\r\n",
				alike ? 0 : i);
			add_text(texts[i]);
		}
		assert_int_equal(collect().counts.fetched, COUNT(texts));
		make_anew();
		assert_int_equal(collect().counts.fetched, 0);
		assert_int_equal(fake_box.heads, COUNT(texts));
		assert_int_equal(fake_box.fetches, 0);
		assert_int_equal(collect().counts.fetched, 0);
		assert_int_equal(fake_box.heads, COUNT(texts));
		end();
	}
}

#define T(name) cmocka_unit_test(name)

int
test_collect_anew(void)
{
	const struct CMUnitTest tests[] = { T(test_anew_inm_05), T(test_anew_with_days_inm_05),
		T(test_anew_and_cut_inm_05), T(test_anew_behind_a_cut_inm_03), T(test_anew_with_copies_inm_05),
		T(test_anew_and_empty_for_once_inm_05), T(test_anew_and_unwanted_inm_05),
		T(test_anew_without_headers_inm_05), T(test_anew_and_no_id_inm_05), T(test_all_ids_are_new_inm_05),
		T(test_all_ids_are_new_and_cut_inm_05), T(test_anew_and_one_not_had_inm_05), T(test_new_ids_of_new_messages), T(test_anew_many_inm_05) };

	return cmocka_run_group_tests_name("collect anew", tests, NULL, NULL);
}
