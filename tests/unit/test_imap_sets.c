/*
 * test_imap_sets.c - sets of numbers and names of mailboxes: rows in, values out (H24, H26).
 */
#include "proto/imap/imap_response.h"
#include "proto/imap/imap_utf7.h"
#include "tests/unit/test_proto.h"

/* ---- sets (H26) ---- */

static void
test_imap_sets(void **state)
{
	static const struct {
		const char *text;
		uint32_t max;
		const char *want; /* NULL: malformed */
	} rows[] = {
		{"1", 9, "1"},
		{"1:4,7", 9, "1:4,7"},
		{"4:1", 9, "1:4"},
		{"7,1:3,2:5,9,8,6", 9, "1:9"},
		{"*", 9, "9"},
		{"*", 0, ""},
		{"3:*", 9, "3:9"},
		{"*:3", 9, "3:9"},
		{"12:*", 9, "9"},
		{"1,12:*", 9, "1,9"},
		{"2,4,6:*,8:*", 9, "2,4,6:9"},
		{"*:*", 9, "9"},
		{"1:4294967295", 9, "1:4294967295"},
		{"4294967295,1", 9, "1,4294967295"},
		{"4294967296", 9, NULL},
		{"0", 9, NULL},
		{"1:0", 9, NULL},
		{"1,", 9, NULL},
		{",1", 9, NULL},
		{"1:", 9, NULL},
		{"1:2:3", 9, NULL},
		{"1,$", 9, NULL},
		{"", 9, NULL},
	};
	struct imap_seqset set;
	struct buf out;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum err err = imap_seqset_parse(&a, at_page_edge(span_of(rows[i].text)), &set);

		check_row(i, err == (rows[i].want ? OK : ERR_SYNTAX));
		if (err != OK)
			continue;
		imap_seqset_resolve(&a, &set, rows[i].max);
		buf_clear(&out);
		check_row(i, imap_ranges_put(&out, set.ranges, set.count) == OK);
		check_span(i, buf_span(&out), span_of(rows[i].want));
	}
	assert_int_equal(imap_seqset_parse(&a, SPAN("$"), &set), OK);
	assert_true(set.saved);
	assert_int_equal(imap_seqset_parse(&a, SPAN("3:5,9"), &set), OK);
	assert_true(imap_seqset_has(&set, 3) && imap_seqset_has(&set, 5) && imap_seqset_has(&set, 9));
	assert_false(imap_seqset_has(&set, 2) || imap_seqset_has(&set, 6) || imap_seqset_has(&set, 10));
	assert_int_equal(imap_seqset_last(&set), 9);
	buf_fini(&out);
	arena_reset(&a);
}

static enum err
parse_every_second(struct arena *a, unsigned count, bool again, struct imap_seqset *set)
{
	struct buf text;
	enum err err = OK;

	buf_init(&text, 1 << 20);
	for (unsigned i = 0; i < count && err == OK; i++)
		err = buf_printf(&text, "%u,", 2 * (count - i));
	for (unsigned i = 0; i < (again ? 3 * count : 0) && err == OK; i++)
		err = buf_printf(&text, "%u,", 2 * (i % count) + 2);
	assert_int_equal(err, OK);
	assert_int_equal(buf_put(&text, SPAN("2")), OK);
	err = imap_seqset_parse(a, buf_span(&text), set);
	buf_fini(&text);
	return err;
}

static void
test_imap_set_limit(void **state)
{
	struct imap_seqset set;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	assert_int_equal(parse_every_second(&a, IMAP_RANGES_MAX, false, &set), OK);
	assert_int_equal(set.count, IMAP_RANGES_MAX);
	assert_int_equal(parse_every_second(&a, IMAP_RANGES_MAX, true, &set), OK);
	assert_int_equal(set.count, IMAP_RANGES_MAX);
	assert_int_equal(parse_every_second(&a, IMAP_RANGES_MAX + 1, false, &set), ERR_LIMIT);
	arena_reset(&a);
}

static void
test_imap_range_add(void **state)
{
	struct imap_range ranges[2];
	size_t count = 0;

	(void)state;
	assert_true(imap_range_add(ranges, &count, 2, 4));
	assert_true(imap_range_add(ranges, &count, 2, 5));
	assert_true(imap_range_add(ranges, &count, 2, 7));
	assert_false(imap_range_add(ranges, &count, 2, 9));
	assert_true(imap_range_add(ranges, &count, 2, 8));
	assert_int_equal(count, 2);
	assert_int_equal(ranges[0].last, 5);
	assert_int_equal(ranges[1].last, 8);
}

/* ---- names (H24) ---- */

static void
test_imap_utf7(void **state)
{
	static const struct {
		const char *utf7, *utf8; /* NULL: the other is malformed */
	} rows[] = {
		{"INBOX", "INBOX"},
		{"", ""},
		{"a&-b", "a&b"},
		{"Entw&APw-rfe", "Entw\xc3\xbcrfe"},
		{"~peter/mail/&U,BTFw-/&ZeVnLIqe-",
			"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
		{"&2D3eAA-", "\xf0\x9f\x98\x80"},
		{"&AOQ-&-&AOQ-", "\xc3\xa4&\xc3\xa4"},
		{"&AAE-", "\x01"},
		{"&", NULL},
		{"&AOQ", NULL},
		{"&AGE-", NULL},          /* 'a' stands for itself */
		{"&AOQ-&AOQ-", NULL},     /* one shift would do */
		{"&AOR-", NULL},          /* bits that are not zero */
		{"&AOQA-", NULL},
		{"&AO-", NULL},
		{"&2D0-", NULL},          /* half a pair */
		{"&3gA-", NULL},
		{"&AOQ!-", NULL},
		{"&AOQ/-", NULL},
		{"\xc3\xa4", NULL},
		{"a\tb", NULL},
		{NULL, "\xc3"},
		{NULL, "\xed\xa0\x80"},
		{NULL, "a\xff"},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&out);
		check_row(i, buf_put(&out, SPAN("x")) == OK);
		if (rows[i].utf7) {
			check_row(i, imap_utf7_decode(at_page_edge(span_of(rows[i].utf7)), &out) ==
					     (rows[i].utf8 ? OK : ERR_SYNTAX));
			check_span(i, span_from(buf_span(&out), 1), span_of(rows[i].utf8));
		}
		out.len = out.start + 1;
		if (rows[i].utf8) {
			check_row(i, imap_utf7_encode(at_page_edge(span_of(rows[i].utf8)), &out) ==
					     (rows[i].utf7 ? OK : ERR_SYNTAX));
			check_span(i, span_from(buf_span(&out), 1), span_of(rows[i].utf7));
		}
	}
	buf_fini(&out);
}

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define TEN_LEVELS "a/a/a/a/a/a/a/a/a/a"

static void
test_imap_names(void **state)
{
	static const struct {
		const char *wire;
		bool utf8;
		enum err want;
		const char *name;
	} rows[] = {
		{"inbox", false, OK, "INBOX"},
		{"Inbox/Sub", false, OK, "INBOX/Sub"},
		{"inboxes", false, OK, "inboxes"},
		{"a/inbox", false, OK, "a/inbox"},
		{"a b/c", false, OK, "a b/c"},
		{"a/", false, OK, "a"},
		{"Entw&APw-rfe", false, OK, "Entw\xc3\xbcrfe"},
		{"Entw\xc3\xbcrfe", true, OK, "Entw\xc3\xbcrfe"},
		{"Entw\xc3\xbcrfe", false, ERR_SYNTAX, NULL},
		{"Entw\xc3", true, ERR_SYNTAX, NULL},
		{"", false, ERR_SYNTAX, NULL},
		{"/", false, ERR_SYNTAX, NULL},
		{"/a", false, ERR_SYNTAX, NULL},
		{"a//b", false, ERR_SYNTAX, NULL},
		{"a/../b", false, ERR_SYNTAX, NULL},
		{"a/./b", false, ERR_SYNTAX, NULL},
		{"..", false, ERR_SYNTAX, NULL},
		{"a..b", false, OK, "a..b"},
		{"&AAE-bin", false, ERR_SYNTAX, NULL},
		{"a\x01", true, ERR_SYNTAX, NULL},
		{"a\x7f", true, ERR_SYNTAX, NULL},
		{"a\xc2\x85", true, ERR_SYNTAX, NULL},         /* C1 */
		{"a\xe2\x80\xae", true, ERR_SYNTAX, NULL},     /* U+202E */
		{HUNDRED HUNDRED, false, OK, HUNDRED HUNDRED},
		{HUNDRED HUNDRED "x", false, ERR_LIMIT, NULL},
		{HUNDRED HUNDRED HUNDRED, false, ERR_LIMIT, NULL},
		{TEN_LEVELS "/" TEN_LEVELS, false, OK, TEN_LEVELS "/" TEN_LEVELS},
		{TEN_LEVELS "/" TEN_LEVELS "/a", false, ERR_LIMIT, NULL},
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span name;
		enum err err = imap_name_of(
			&a, at_page_edge(span_of(rows[i].wire)), rows[i].utf8, &name);

		check_row(i, err == rows[i].want);
		if (err == OK)
			check_span(i, name, span_of(rows[i].name));
	}
	arena_reset(&a);
}

int
test_imap_sets_and_names(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_imap_sets),
		cmocka_unit_test(test_imap_set_limit),
		cmocka_unit_test(test_imap_range_add),
		cmocka_unit_test(test_imap_utf7),
		cmocka_unit_test(test_imap_names),
	};

	return cmocka_run_group_tests_name("imap sets and names", tests, NULL, NULL);
}
