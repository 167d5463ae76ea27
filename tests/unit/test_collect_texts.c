/*
 * test_collect_texts.c - what becomes of the text of a message that is collected, and of one that is refused or cannot be had.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/collect/collection_doubles.h"
#include "store/store.h"
#include "tests/harness/page_edge.h"
#include "tests/unit/collect_site.h"

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

static const unsigned char *
crowded(unsigned char key[COLLECTED_DOUBLE_SIZE], uint64_t i)
{
	uint64_t half = i % 100, other = i + 1;

	memcpy(key, &half, sizeof(half));
	memcpy(key + sizeof(half), &other, sizeof(other));
	return key;
}

/* Keys that want the same places: none is lost when others go. */
static void
test_table_of_doubles_inm_21(void **state)
{
	struct collection_doubles d = { 0 };
	unsigned char key[COLLECTED_DOUBLE_SIZE] = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 2000; i++)
		assert_int_equal(collection_doubles_add(&d, crowded(key, i)), DOUBLES_ADDED);
	for (uint64_t i = 0; i < 2000; i += 3)
		collection_doubles_remove(&d, crowded(key, i));
	for (uint64_t i = 0; i < 2000; i++)
		assert_int_equal(collection_doubles_add(&d, crowded(key, i)),
			i % 3 == 0 ? DOUBLES_ADDED : DOUBLES_THERE);
	for (uint64_t i = 2000; i < COLLECTION_DOUBLES_MAX; i++) {
		uint64_t spread = i * 0x9e3779b97f4a7c15;

		memcpy(key, &spread, sizeof(spread));
		assert_int_equal(collection_doubles_add(&d, key), DOUBLES_ADDED);
	}
	assert_int_equal(collection_doubles_add(&d, key), DOUBLES_THERE);
	key[0] ^= 1;
	assert_int_equal(collection_doubles_add(&d, key), DOUBLES_FULL);
	collection_doubles_fini(&d);
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

/* H43: what is full, and what helps; and it goes on as soon as there is room. */
static void
test_a_full_store_says_what_helps_inm_25(void **state)
{
	static const struct {
		uint64_t max_size, message_size;
		const char *what, *helps;
	} rows[] = {
		{ 8192, 1 << 20, "the store has reached 95 % of store.max_size", "raise that, or delete" },
		{ UINT64_C(1) << 40, UINT64_C(1) << 60, "the disk of the store is nearly full", "make room for" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct collect_view view;

		begin(COLLECTOR(""));
		fill(2);
		store_set_limits(site.host.store, rows[i].max_size, rows[i].message_size);
		view = collect();
		check_row(i, view.failed && view.counts.fetched == 0 && fake_left() == 2);
		check_row(i, strstr(view.error, rows[i].what) && strstr(view.error, rows[i].helps));
		check_row(i, view.error_count == 1 && strlen(view.error) < COLLECT_ERROR_SIZE - 1);
		store_set_limits(site.host.store, UINT64_C(1) << 40, 1 << 20);
		check_row(i, collect().counts.fetched == 2);
		end();
	}
}

#define T(name) cmocka_unit_test(name)

int
test_collect_texts(void)
{
	const struct CMUnitTest tests[] = { T(test_from_line_inm_16), T(test_doubles_inm_21), T(test_table_of_doubles_inm_21),
		T(test_double_of_itself_inm_21), T(test_keep_received_inm_24),
		T(test_trace_of_a_collected_message), T(test_refused_is_kept_trb_06),
		T(test_one_that_cannot_be_fetched), T(test_huge_header_stays_trb_06), T(test_disk_guard_inm_25),
		T(test_a_full_store_says_what_helps_inm_25) };

	return cmocka_run_group_tests_name("collect texts", tests, NULL, NULL);
}
