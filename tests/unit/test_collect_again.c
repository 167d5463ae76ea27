/*
 * test_collect_again.c - what is known of a mailbox, and is true no more: another account, ids that are given again, a
 * server that says it has removed what it has not. Rather twice than lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/collect_site.h"

#include "conf/conf_rules.h"
#include "server/collect/collect_likeness.h"

#define AT(more) HEAD "  collectors:\n    - { name: isp, accepted: [example.org], leave_days: 2, kind: pop3" more " }\n"

static void
point_at(const char *conf)
{
	site_set_conf(&site, conf);
	collect_follow(site.host.collect);
	while (site.host.collect->sweeps)
		turn();
}

/* Another server calls its messages by the same ids: they are fetched, and nothing else is removed. */
static void
test_another_account_inm_05(void **state)
{
	static const char *const others[] = { AT(", server: pop.other.test, username: u"),
		AT(", server: pop.isp.test, username: w"), AT(", server: pop.isp.test, port: 2110, username: u") };

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		begin(AT(", server: pop.isp.test, username: u"));
		fill(3);
		assert_int_equal(collect().counts.fetched, 3);
		point_at(others[i]);
		assert_int_equal(collect().counts.fetched, 3);
		offset_ms = DAY_MS;
		assert_int_equal(collect().counts.fetched, 0);
		/* and back: nothing of it was forgotten */
		point_at(AT(", server: POP.isp.test, port: 995, username: u"));
		assert_int_equal(collect().counts.fetched, 0);
		assert_int_equal(fake_left(), 3);
		offset_ms = 2 * DAY_MS + 1000;
		assert_int_equal(collect().counts.deleted, 3);
		assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 6);
		end();
	}
}

/* Put away, it goes after its days, like a collector that left the file. */
static void
test_another_account_is_swept_inm_05(void **state)
{
	(void)state;
	begin(AT(", server: pop.isp.test, username: u"));
	fill(2);
	collect();
	point_at(AT(", server: pop.other.test, username: u"));
	collect();
	offset_ms = 40 * DAY_MS;
	point_at(AT(", server: pop.other.test, username: u"));
	point_at(AT(", server: pop.isp.test, username: u"));
	assert_int_equal(collect().counts.fetched, 2);
	end();
}

/* Messages 0 and 1 are there and on disk, with the answer to QUIT lost. */
static void
begin_unanswered(bool no_head)
{
	begin(COLLECTOR(""));
	fill(2);
	fake_box.no_head = no_head;
	fake_box.unanswered = true;
	assert_true(collect().failed);
	assert_int_equal(fake_left(), 0);
	fake_box.unanswered = false;
}

/* An id that is given again, behind a QUIT without an answer: another message. */
static void
test_id_given_again_inm_03(void **state)
{
	(void)state;
	for (int no_head = 0; no_head < 2; no_head++) {
		begin_unanswered(no_head);
		fill(2);
		fake_box.messages[2].unique = "uid-1"; /* as long as message 0 */
		fake_box.messages[3].unique = "uid-2";
		assert_int_equal(collect().counts.fetched, 2);
		assert_each_once(4);
		assert_int_equal(fake_left(), 0);
		end();
	}
}

/* The same message is known by its header, else by its text when it has come: it is not stored twice. */
static void
test_same_message_again_inm_03(void **state)
{
	(void)state;
	for (int no_head = 0; no_head < 2; no_head++) {
		begin_unanswered(no_head);
		fake_box.messages[0].gone = fake_box.messages[1].gone = false;
		assert_int_equal(collect().counts.fetched, 0);
		assert_each_once(2);
		assert_int_equal(fake_left(), 0);
		assert_int_equal(fake_box.fetches, no_head ? 4 : 2);
		end();
	}
}

/* Neither Message-Id nor Received: the whole text tells. */
static void
test_same_text_again_inm_03(void **state)
{
	(void)state;
	begin(COLLECTOR(""));
	add_text("To: anna@example.org\r\n\r\none\r\n");
	fake_box.unanswered = true;
	collect();
	fake_box.unanswered = fake_box.messages[0].gone = false;
	add_text("To: anna@example.org\r\n\r\ntwo\r\n");
	collect();
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 2);
	fake_box.messages[1].gone = false;
	fake_box.messages[1].text = "To: anna@example.org\r\n\r\nsix\r\n";
	collect();
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 3);
	assert_int_equal(fake_left(), 0);
	end();
}

/* The number of a message is its id: those that are left are not touched, and none is removed that was not fetched. */
static void
test_id_given_again_with_days_inm_05(void **state)
{
	(void)state;
	begin(COLLECTOR(", leave_days: 2"));
	fill(2);
	collect();
	fill(1);
	fake_box.messages[0].gone = true;
	fake_box.messages[2].unique = "uid-1";
	assert_int_equal(collect().counts.fetched, 0);
	offset_ms = 2 * DAY_MS + 1000;
	assert_int_equal(collect().counts.fetched, 1);
	assert_each_once(3);
	assert_int_equal(fake_left(), 1); /* its own days begin */
	offset_ms = 5 * DAY_MS;
	collect();
	assert_int_equal(fake_left(), 0);
	assert_each_once(3);
	end();
}

/* +OK to QUIT, and all of it is there again: removed again, and told; not fetched. */
static void
test_removed_and_there_again_inm_03(void **state)
{
	struct collect_view view;

	(void)state;
	for (int no_head = 0; no_head < 2; no_head++) {
		begin(COLLECTOR(""));
		fill(2);
		fake_box.no_head = no_head;
		fake_box.lies = true;
		assert_false(collect().failed);
		for (int i = 0; i < 3; i++) {
			view = collect();
			assert_int_equal(view.counts.fetched, 0);
			assert_true(view.failed);
			assert_non_null(strstr(view.error, "are there again"));
		}
		fill(1);
		assert_int_equal(collect().counts.fetched, 1);
		assert_each_once(3);
		fake_box.lies = false;
		collect();
		assert_int_equal(fake_left(), 0);
		assert_false(collect().failed);
		assert_int_equal(row_count(), 0);
		assert_each_once(3);
		end();
	}
}

/* All was removed, and its ids are given again: that is no fault of the server. */
static void
test_ids_from_the_first_again_inm_03(void **state)
{
	(void)state;
	begin(COLLECTOR(""));
	for (size_t i = 0; i < 6; i += 2) {
		fill(2);
		fake_box.messages[i].unique = "1";
		fake_box.messages[i + 1].unique = "2";
		assert_int_equal(collect().counts.fetched, 2);
		assert_false(view_of("isp").failed);
		assert_int_equal(fake_left(), 0);
	}
	assert_each_once(6);
	end();
}

/* ---- a rule that says: at once ---- */

static void
rule(const char *text)
{
	struct conf_faults faults;

	conf_faults_init(&faults);
	assert_int_equal(conf_rules_take((struct conf *)site.host.conf, RULE_FILE_DOWNLOAD, span_of(text), &faults), OK);
	conf_faults_fini(&faults);
}

/*
 * What a rule `%` fetched goes at once, whatever leave_days says, also where a cut came in between: behind each step of a
 * collection; known by its id, its header, its text.
 */
static void
test_at_once_after_a_cut_dlr10(void **state)
{
	static const char *const files[] = { COLLECTOR(", leave_days: 2"), COLLECTOR(", leave: always"),
		HEAD "  collectors:\n    - { name: isp, kind: imap, server: imap.isp.test, username: u, "
		"accepted: [example.org], leave_days: 2 }\n" };

	(void)state;
	for (unsigned mode = 0; mode < 2 * COUNT(files); mode++) {
		bool was_cut = true;

		for (unsigned cut = 1; was_cut; cut++) {
			begin(files[mode / 2]);
			rule("%all\n");
			fill(2);
			add_text("To: anna@example.org\r\nSubject: message 2\r\n\r\none\r\n");
			fake_box.no_unique = mode % 2;
			fake_box.cut_at = cut;
			collect();
			was_cut = fake_box.cuts > 0;
			fake_box.cut_at = 0;
			collect();
			assert_int_equal(fake_left(), 0);
			assert_each_once(3);
			end();
		}
	}
}

/* It says that it removed them: once more, and it is told. */
static void
test_at_once_and_there_again_dlr10(void **state)
{
	(void)state;
	begin(COLLECTOR(", leave_days: 2"));
	rule("%all\n");
	fill(2);
	fake_box.lies = true;
	assert_false(collect().failed);
	for (int i = 0; i < 2; i++)
		assert_non_null(strstr(collect().error, "are there again"));
	fake_box.lies = false;
	collect();
	assert_int_equal(fake_left(), 0);
	assert_each_once(2);
	end();
}

/* Neither Message-Id nor Received, and no unique id: it goes when its days are over all the same. */
static void
test_days_of_a_text_inm_05(void **state)
{
	(void)state;
	begin(COLLECTOR(", leave_days: 2"));
	fake_box.no_unique = true;
	add_text("To: anna@example.org\r\n\r\none\r\n");
	collect();
	collect();
	assert_int_equal(fake_left(), 1);
	offset_ms = 2 * DAY_MS + 1000;
	collect();
	assert_int_equal(fake_left(), 0);
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 1);
	end();
}

/* It is here, and shall go, and cannot be looked at for once: it is still known as what is here. */
static void
test_not_seen_for_once_inm_03(void **state)
{
	(void)state;
	for (int no_head = 0; no_head < 2; no_head++) {
		begin(COLLECTOR(", leave_days: 2"));
		fill(2);
		assert_int_equal(collect().counts.fetched, 2);
		fake_box.no_head = no_head;
		fake_box.messages[0].head_answers = fake_box.messages[0].answers = SOURCE_BROKEN;
		offset_ms = 2 * DAY_MS + 1000;
		assert_int_equal(collect().counts.deleted, 1);
		fake_box.messages[0].head_answers = fake_box.messages[0].answers = SOURCE_DONE;
		offset_ms = 4 * DAY_MS;
		assert_int_equal(collect().counts.fetched, 0);
		assert_int_equal(fake_left(), 0);
		assert_each_once(2);
		end();
	}
}

/* It was set aside, was not in the list for once, and is fetched: what is noted of the list does not undo that. */
static void
test_listed_again_and_fetched_inm_03(void **state)
{
	(void)state;
	for (int no_unique = 0; no_unique < 2; no_unique++) {
		begin(COLLECTOR(", leave: always"));
		fake_box.no_unique = no_unique;
		fill(2);
		fake_box.messages[0].answers = SOURCE_BROKEN;
		assert_int_equal(collect().counts.fetched, 1);
		fake_box.messages[0].gone = true;
		collect();
		fake_box.messages[0].gone = false;
		fake_box.messages[0].answers = SOURCE_DONE;
		for (int day = 2; day < 5; day++) {
			offset_ms = day * DAY_MS;
			assert_int_equal(collect().counts.fetched, day == 2);
		}
		assert_each_once(2);
		end();
	}
}

/* Rows outlive versions: of an id, of a header, of the second one with the same header. What they are by is not changed. */
static void
test_rows_of_other_versions_inm_05(void **state)
{
	static const unsigned char by_id[FETCHED_HASH_SIZE] = { 0x03, 0xd6, 0x82, 0xe4, 0xb5, 0xfd, 0x2b, 0x84, 0x74,
		0xda, 0x2d, 0x0b, 0x81, 0x65, 0x6f, 0x2c };
	static const unsigned char by_header[FETCHED_HASH_SIZE] = { 0x8d, 0x33, 0x21, 0x17, 0xfe, 0x7c, 0x80, 0x76, 0xc2,
		0x8f, 0xfe, 0xf8, 0xc5, 0x39, 0x2a, 0xb4 };
	static const unsigned char again[FETCHED_HASH_SIZE] = { 0xa1, 0xa6, 0x2f, 0x29, 0x70, 0x73, 0x61, 0x2c, 0x9e, 0x09,
		0xec, 0x0c, 0xb7, 0x28, 0xbe, 0xd8 };
	unsigned char hash[FETCHED_HASH_SIZE];

	(void)state;
	assert_true(collect_like_header(SPAN("Message-Id: <1@example.org>\r\nSubject: one\r\n"), hash));
	assert_memory_equal(hash, by_header, sizeof(hash));
	collect_like_unique(SPAN("uid-1"), hash);
	assert_memory_equal(hash, by_id, sizeof(hash));
	collect_like_again(hash);
	assert_memory_equal(hash, again, sizeof(hash));
}

#define T(name) cmocka_unit_test(name)

int
test_collect_again(void)
{
	const struct CMUnitTest tests[] = { T(test_another_account_inm_05),
		T(test_another_account_is_swept_inm_05), T(test_id_given_again_inm_03),
		T(test_same_message_again_inm_03), T(test_same_text_again_inm_03),
		T(test_id_given_again_with_days_inm_05), T(test_removed_and_there_again_inm_03),
		T(test_ids_from_the_first_again_inm_03), T(test_at_once_after_a_cut_dlr10),
		T(test_at_once_and_there_again_dlr10), T(test_days_of_a_text_inm_05),
		T(test_not_seen_for_once_inm_03), T(test_listed_again_and_fetched_inm_03),
		T(test_rows_of_other_versions_inm_05) };

	return cmocka_run_group_tests_name("collect again", tests, NULL, NULL);
}
