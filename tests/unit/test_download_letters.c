/*
 * test_download_letters.c - notices and questions of download rules, and what replies to them say (DLR-07, DLR-10).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/collect/download_inside.h"
#include "server/pipeline/question_reply.h"
#include "tests/harness/page_edge.h"

#define NOON INT64_C(1792929600000) /* 2026-10-25T12:00:00Z */

int test_download_letters(void);

static bool
holds(struct span text, const char *what)
{
	return span_find_span(text, span_of(what)) < text.len;
}

static void
test_letters_dlr07_dlr10(void **state)
{
	static const struct span names[] = { { "anna", 4 }, { "bert", 4 } };
	struct download_letter letter = { .collector = SPAN("box"), .rule = SPAN("big ones"),
		.header = SPAN("Subject: x\r\nX-Evil: \033[2J\xff\r\n\r\n"), .from = SPAN("Bob"),
		.about = SPAN("Holiday"), .size = 2000000, .until_ms = NOON, .names = names, .name_count = 2 };
	struct span subject, text;
	struct arena a;
	uint64_t no;

	(void)state;
	arena_init(&a, NULL);
	assert_true(span_eq(download_letter_subject(&a, &letter), SPAN("Deleted: Holiday")));
	text = download_letter_text(&a, &letter);
	assert_true(holds(text, "\"big ones\"") && holds(text, "anna, bert") && holds(text, "2000000 bytes") &&
		holds(text, "Subject: x\n"));
	assert_false(holds(text, "\033"));
	letter.question_no = UINT64_C(0xfedcba9876543211);
	subject = download_letter_subject(&a, &letter);
	assert_true(question_reply_number(subject, &no) && no == letter.question_no);
	assert_true(question_reply_number(arena_printf(&a, "AW: Re: %.*s", SPAN_FMT(subject)), &no));
	text = download_letter_text(&a, &letter);
	assert_true(holds(text, "word DELETE") && holds(text, "Sun, 25 Oct 2026 12:00:00 +0000"));
	arena_reset(&a);
}

static void
test_replies_dlr07(void **state)
{
	static const struct {
		const char *text;
		bool deletes;
	} bodies[] = {
		{ "DELETE\r\n", true }, { "DELETE", true }, { "\r\n \t\r\ndelete this, please\r\n", true },
		{ "\xef\xbb\xbf\xc2\xa0" "Delete.\r\n", true }, { "DELETED\r\n", false }, { "DELETE2", false },
		{ "", false }, { "Yes please\r\nDELETE\r\n", false }, { "> DELETE\r\n", false }, { "DELET", false },
		{ "\r\n\r\n", false },
	};
	static const struct {
		const char *subject;
		uint64_t no;
	} subjects[] = {
		{ "Re: Download? x {A}", 10 }, { "{A}", 10 }, { "Download? {for*} {a}", 10 }, { "x {a} y", 10 },
		{ "Download? x", 0 }, { "x {", 0 }, { "x {}", 0 }, { "x {0}", 0 }, { "x {a", 0 }, { "", 0 },
		{ "x {a} {", 0 }, { "x {ZZZZZZZZZZZZZZ}", 0 }, { "{!}", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++)
		check_row(i, question_reply_deletes(at_page_edge(span_of(bodies[i].text))) == bodies[i].deletes);
	for (size_t i = 0; i < COUNT(subjects); i++) {
		uint64_t no = 0;
		bool found = question_reply_number(at_page_edge(span_of(subjects[i].subject)), &no);

		check_row(i, found == (subjects[i].no != 0) && (!found || no == subjects[i].no));
	}
}

int
test_download_letters(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_letters_dlr07_dlr10),
		cmocka_unit_test(test_replies_dlr07),
	};

	return cmocka_run_group_tests_name("download letters", tests, NULL, NULL);
}
