/*
 * test_collected_header.c - what else is read in the header of a collected message.
 */
#include "server/pipeline/collected_header.h"

#include "tests/unit/who_ask.h"

static void
test_from_line_inm_16(void **state)
{
	static const struct {
		const char *text;
		enum parse want;
		size_t used;
	} rows[] = {
		{ "From anna Sat Jan  3 01:05:34 1998\r\nTo: x\r\n", PARSE_DONE, 36 },
		{ "From anna\nTo: x\r\n", PARSE_DONE, 10 },
		{ ">From anna Sat\r\nTo: x\r\n", PARSE_DONE, 16 },
		{ "From: anna@example.org\r\n", PARSE_BAD, 0 },
		{ "From : anna@example.org\r\n", PARSE_BAD, 0 },
		{ "From  \t: anna@example.org\r\n", PARSE_BAD, 0 },
		{ "Fro", PARSE_MORE, 0 },
		{ "From ", PARSE_MORE, 0 },
		{ "From anna Sat", PARSE_MORE, 0 },
		{ "", PARSE_MORE, 0 },
		{ "To: x\r\nFrom anna\r\n", PARSE_BAD, 0 },
		{ "\r\nFrom anna\r\n", PARSE_BAD, 0 },
		{ "from anna\r\n", PARSE_BAD, 0 },
	};
	char long_line[2000];
	size_t used;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		check_row(i, collected_from_line(at_page_edge(span_of(rows[i].text)), &used) == rows[i].want);
		check_row(i, used == rows[i].used);
	}
	memset(long_line, 'x', sizeof(long_line));
	memcpy(long_line, "From ", 5);
	assert_int_equal(collected_from_line((struct span){ long_line, sizeof(long_line) }, &used), PARSE_BAD);
}

static void
test_received_date_inm_24(void **state)
{
	struct mail_date date;

	(void)state;
	assert_int_equal(collected_received_date(SPAN("X: y\r\nReceived: by b (;) id 1;\r\n\tTue, 13 Jan 1998 09:20:03 "
		"+0100\r\nReceived: by a; Mon, 12 Jan 1998 00:00:00 +0000\r\n\r\n"), &date), OK);
	assert_int_equal(date.seconds, 884679603);
	assert_int_equal(date.offset_minutes, 60);
	assert_int_equal(collected_received_date(SPAN("To: x\r\n\r\n"), &date), ERR_NOT_FOUND);
	assert_int_equal(collected_received_date(SPAN("Received: by b\r\n\r\n"), &date), ERR_NOT_FOUND);
	assert_int_equal(collected_received_date(SPAN("Received: by b; soon\r\n\r\n"), &date), ERR_NOT_FOUND);
}

#define DOUBLE "From: a@x.test\r\nDate: d\r\nSubject: s\r\nMessage-Id: <1@x>\r\n"

static bool
is_double(struct arena *a, const char *other, const char *to, bool ignore_id)
{
	unsigned char one[COLLECTED_DOUBLE_SIZE], two[COLLECTED_DOUBLE_SIZE];
	struct address recipients[4];
	struct span rest = SPAN("anna@x.test bert@x.test"), word;
	size_t count = 0;

	while (rest.len > 0) {
		(void)span_cut(rest, ' ', &word, &rest);
		assert_int_equal(address_parse(a, word, &recipients[count++]), OK);
	}
	collected_double_key(SPAN(DOUBLE "To: z\r\n\r\n"), recipients, count, ignore_id, one);
	count = 0;
	for (rest = span_of(to); rest.len > 0;) {
		(void)span_cut(rest, ' ', &word, &rest);
		assert_int_equal(address_parse(a, word, &recipients[count++]), OK);
	}
	collected_double_key(span_of(other), recipients, count, ignore_id, two);
	return memcmp(one, two, sizeof(one)) == 0;
}

static void
test_double_key_inm_21_cfg_03(void **state)
{
	static const struct {
		const char *header, *to;
		bool ignore_id, want;
	} rows[] = {
		{ DOUBLE "Received: another way\r\n\r\n", "Bert@x.test anna@x.test", false, true },
		{ "From: b@x.test\r\nDate: d\r\nSubject: s\r\nMessage-Id: <1@x>\r\n", "anna@x.test bert@x.test", false, false },
		{ "From: a@x.test\r\nDate: e\r\nSubject: s\r\nMessage-Id: <1@x>\r\n", "anna@x.test bert@x.test", false, false },
		{ "From: a@x.test\r\nDate: d\r\nSubject: S\r\nMessage-Id: <1@x>\r\n", "anna@x.test bert@x.test", false, false },
		{ "From: a@x.test\r\nDate: d\r\nSubject: s\r\nMessage-Id: <2@x>\r\n", "anna@x.test bert@x.test", false, false },
		{ "From: a@x.test\r\nDate: d\r\nSubject: s\r\nMessage-Id: <2@x>\r\n", "anna@x.test bert@x.test", true, true },
		{ "From: a@x.test\r\nDate: d\r\nSubject: s\r\n", "anna@x.test bert@x.test", false, false },
		{ DOUBLE, "anna@x.test", false, false },
		{ DOUBLE, "anna@x.test carl@x.test", false, false },
		{ DOUBLE, "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena a;

		arena_init(&a, NULL);
		check_row(i, is_double(&a, rows[i].header, rows[i].to, rows[i].ignore_id) == rows[i].want);
		arena_reset(&a);
	}
}

static void
test_return_path_q_83(void **state)
{
	static const struct {
		const char *header, *want;
	} rows[] = {
		{ "Return-Path: <b@far.test>\r\nFrom: a@far.test\r\n\r\n", "b@far.test" },
		{ "Return-Path: b@far.test\r\nFrom: a@far.test\r\n\r\n", "b@far.test" },
		{ "Return-Path: <>\r\nFrom: a@far.test\r\n\r\n", "" },
		{ "From: A <a@far.test>\r\n\r\n", "a@far.test" },
		{ "From: a@far.test, b@far.test\r\nSender: s@far.test\r\n\r\n", "s@far.test" },
		{ "From: a@far.test\r\nContent-Type: multipart/Report; x\r\n\r\n", "" },
		{ "From: a@far.test\r\nAuto-Submitted: auto-replied\r\n\r\n", "" },
		{ "From: a@far.test\r\nAuto-Submitted: no\r\n\r\n", "a@far.test" },
		{ "Return-Path: <b@far.test>\r\nAuto-Submitted: auto-replied\r\n\r\n", "b@far.test" },
		{ "Return-Path: nonsense\r\nFrom: a@far.test\r\n\r\n", "a@far.test" },
		{ "From: nobody\r\n\r\n", "" },
		{ "Subject: x\r\n\r\n", "" },
	};

	(void)state;
	open_site(SITE(BOX("box", OURS)));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct address from;
		struct looked l;

		look_begin(&l, "box", span_of(rows[i].header));
		collected_return_path(&l.mail, &from);
		check_span(i, from.text, span_of(rows[i].want));
		check_row(i, address_is_null(&from) == (rows[i].want[0] == '\0'));
		look_end(&l);
	}
	site_close(&site);
}

int
test_collected_header(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_line_inm_16),
		cmocka_unit_test(test_received_date_inm_24),
		cmocka_unit_test(test_double_key_inm_21_cfg_03),
		cmocka_unit_test(test_return_path_q_83),
	};

	return cmocka_run_group_tests_name("collected-header", tests, NULL, NULL);
}
