/*
 * test_imap_search.c - search keys to a tree, and the tree to a verdict (H25).
 */
#include "proto/imap/imap_search.h"
#include "tests/unit/test_proto.h"

/* The tree in short: a branch is its letter and parentheses, a leaf is the number of its kind. */
static void
put_tree(const struct imap_search *s, struct buf *out)
{
	unsigned ends[IMAP_SEARCH_DEPTH_MAX + 2], depth = 0;

	for (unsigned i = 0; i <= s->count; i++) {
		for (; depth > 0 && ends[depth - 1] == i; depth--)
			assert_int_equal(buf_put_char(out, ')'), OK);
		if (i == s->count)
			break;
		if (s->keys[i].kind <= IMAP_KEY_NOT) {
			assert_int_equal(buf_printf(out, "%c(", "&|!"[s->keys[i].kind]), OK);
			ends[depth++] = s->keys[i].next;
		} else {
			assert_int_equal(buf_printf(out, "%u ", (unsigned)s->keys[i].kind - IMAP_KEY_ALL),
				OK);
			assert_int_equal(s->keys[i].next, i + 1);
		}
	}
	assert_int_equal(depth, 0);
}

static const struct {
	const char *text;
	const char *tree; /* NULL: malformed */
} rows[] = {
	{" ALL", "&(0 )"},
	{" SEEN ANSWERED DELETED DRAFT FLAGGED", "&(1 1 1 1 1 )"},
	{" unseen UNANSWERED UNDELETED UNDRAFT UNFLAGGED", "&(2 2 2 2 2 )"},
	{" KEYWORD $Junk UNKEYWORD a RECENT NEW OLD", "&(3 4 5 6 7 )"},
	{" 1:4,* UID 7 $", "&(8 9 8 )"},
	{" LARGER 0 SMALLER 10 MODSEQ 620162338", "&(10 11 12 )"},
	{" MODSEQ \"/flags/\\\\draft\" all 620162338", "&(12 )"},
	{" BEFORE 1-Jan-2026 ON \"1-Jan-2026\" SINCE 1-Jan-2026", "&(13 14 15 )"},
	{" YOUNGER 5 OLDER 6", "&(16 17 )"},
	{" SAVEDBEFORE 1-Jan-2026 SAVEDON 1-Jan-2026 SAVEDSINCE 1-Jan-2026 SAVEDATESUPPORTED",
		"&(18 19 20 21 )"},
	{" EMAILID E17 THREADID T2", "&(22 23 )"},
	{" SENTBEFORE 1-Jan-2026 SENTON 1-Jan-2026 SENTSINCE 1-Jan-2026", "&(24 25 26 )"},
	{" FROM a TO \"b c\" CC {3}\r\nd e BCC f SUBJECT \"\"", "&(27 28 29 30 31 )"},
	{" HEADER X-Y \"\" BODY a TEXT b", "&(32 33 34 )"},
	{" SEEN OR FROM a NOT TO b", "&(1 |(27 !(28 )))"},
	{" OR OR 1 2 OR 3 4", "&(|(|(8 8 )|(8 8 )))"},
	{" NOT NOT NOT ALL SEEN", "&(!(!(!(0 )))1 )"},
	{" (SEEN)", "&(&(1 ))"},
	{" ((SEEN) (OR 1 (2 3)) NOT (4)) ALL", "&(&(&(1 )&(|(8 &(8 8 )))!(&(8 )))0 )"},
	{" OR (1 2) (3)", "&(|(&(8 8 )&(8 )))"},
	{" RETURN (MIN MAX) CHARSET utf-8 ALL", "&(0 )"},
	{" RETURN () ALL", "&(0 )"},
	{"", NULL},
	{" ", NULL},
	{" FOO", NULL},
	{" ALLX", NULL},
	{" ALL ", NULL},
	{" ALL  SEEN", NULL},
	{" ()", NULL},
	{" (ALL", NULL},
	{" ALL)", NULL},
	{" (ALL))", NULL},
	{" NOT", NULL},
	{" NOT ", NULL},
	{" OR ALL", NULL},
	{" OR ALL ", NULL},
	{" (OR ALL)", NULL},
	{" (NOT)", NULL},
	{" FROM", NULL},
	{" FROM (a)", NULL},
	{" LARGER -1", NULL},
	{" YOUNGER 0", NULL},
	{" BEFORE 1-Foo-2026", NULL},
	{" BEFORE 31-Feb-2026", NULL},
	{" UID a", NULL},
	{" 0", NULL},
	{" KEYWORD \\Seen", NULL},
	{" HEADER a", NULL},
	{" RETURN (FOO) ALL", NULL},
	{" RETURN ALL", NULL},
	{" CHARSET utf-8", NULL},
};

static void
test_imap_search_rows(void **state)
{
	struct buf tree;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&tree, 65536);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_search search;
		struct imap_cursor c;

		imap_cursor_init(&c, at_page_edge(span_of(rows[i].text)), &a);
		check_row(i, imap_take_search(&c, &search) == (rows[i].tree != NULL));
		if (!rows[i].tree)
			continue;
		buf_clear(&tree);
		put_tree(&search, &tree);
		check_span(i, buf_span(&tree), span_of(rows[i].tree));
	}
	buf_fini(&tree);
	arena_reset(&a);
}

static void
test_imap_search_values(void **state)
{
	struct imap_search s;
	struct imap_cursor c;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	imap_cursor_init(&c, SPAN(" RETURN (MIN COUNT SAVE) CHARSET \"ISO-8859-1\" UNSEEN FROM \"a\xe4\" "
				  "HEADER X-Y z LARGER 7 ON 2-Jan-1970 $ MODSEQ 9"), &a);
	assert_true(imap_take_search(&c, &s));
	assert_true(s.extended);
	assert_int_equal(s.returns, IMAP_RETURN_MIN | IMAP_RETURN_COUNT | IMAP_RETURN_SAVE);
	check_span(0, s.charset, SPAN("ISO-8859-1"));
	assert_int_equal(s.count, 8);
	assert_int_equal(s.keys[1].flag, IMAP_FLAG_SEEN);
	check_span(2, s.keys[2].text, SPAN("a\xe4"));
	check_span(3, s.keys[3].field, SPAN("X-Y"));
	check_span(3, s.keys[3].text, SPAN("z"));
	assert_int_equal(s.keys[4].number, 7);
	assert_int_equal(s.keys[5].day, 1);
	assert_true(s.keys[6].set.saved && s.has_saved);
	assert_true(s.has_modseq && s.keys[7].number == 9);
	imap_cursor_init(&c, SPAN(" RETURN () ALL"), &a);
	assert_true(imap_take_search(&c, &s));
	assert_int_equal(s.returns, IMAP_RETURN_ALL);
	imap_cursor_init(&c, SPAN(" ALL"), &a);
	assert_true(imap_take_search(&c, &s));
	assert_true(!s.extended && s.returns == 0 && s.charset.len == 0 && !s.has_saved);
	arena_reset(&a);
}

/* UNIT so often, then END. */
static bool
takes(struct arena *a, const char *unit, unsigned count, const char *end, enum err *why)
{
	struct imap_search search;
	struct imap_cursor c;
	struct buf text;
	bool ok;

	buf_init(&text, EDGE_SIZE);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(buf_put(&text, span_of(unit)), OK);
	assert_int_equal(buf_put(&text, span_of(end)), OK);
	imap_cursor_init(&c, at_page_edge(buf_span(&text)), a);
	ok = imap_take_search(&c, &search);
	*why = imap_cursor_err(&c);
	buf_fini(&text);
	return ok;
}

/* H25: 100 keys, depth 20. */
static void
test_imap_search_limits(void **state)
{
	struct arena a;
	enum err why;

	(void)state;
	arena_init(&a, NULL);
	assert_true(takes(&a, " SEEN", IMAP_SEARCH_KEYS_MAX, "", &why));
	assert_false(takes(&a, " SEEN", IMAP_SEARCH_KEYS_MAX + 1, "", &why));
	assert_int_equal(why, ERR_LIMIT);
	assert_true(takes(&a, " NOT", IMAP_SEARCH_DEPTH_MAX, " ALL", &why));
	assert_false(takes(&a, " NOT", IMAP_SEARCH_DEPTH_MAX + 1, " ALL", &why));
	assert_int_equal(why, ERR_LIMIT);
	assert_false(takes(&a, " NOT", 10000, " ALL", &why));
	assert_false(takes(&a, " OR SEEN", 5000, " ALL", &why));
	assert_int_equal(why, ERR_LIMIT);
	assert_true(takes(&a, " OR SEEN", IMAP_SEARCH_DEPTH_MAX, " ALL", &why));
	assert_false(takes(&a, " ((((((((((", 3, "", &why));
	assert_false(takes(&a, "", 0, " (((((((((((((((((((((ALL)))))))))))))))))))))", &why));
	assert_int_equal(why, ERR_LIMIT);
	arena_reset(&a);
}

#define Y IMAP_VERDICT_YES
#define N IMAP_VERDICT_NO
#define U IMAP_VERDICT_UNKNOWN

static void
test_imap_search_verdicts(void **state)
{
	static const struct {
		const char *text;
		unsigned char leaves[4];
		enum imap_verdict want;
	} cases[] = {
		{" 1 2", {Y, Y}, Y},
		{" 1 2", {Y, N}, N},
		{" 1 2", {U, N}, N},
		{" 1 2", {U, Y}, U},
		{" OR 1 2", {U, Y}, Y},
		{" OR 1 2", {N, U}, U},
		{" OR 1 2", {N, N}, N},
		{" NOT 1", {Y}, N},
		{" NOT 1", {N}, Y},
		{" NOT 1", {U}, U},
		{" OR (1 2) NOT OR 3 4", {Y, N, N, N}, Y},
		{" OR (1 2) NOT OR 3 4", {Y, N, N, Y}, N},
		{" OR (1 2) NOT OR 3 4", {Y, N, N, U}, U},
		{" OR (1 2) NOT (3 4)", {Y, N, N, U}, Y},
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned char verdicts[IMAP_SEARCH_KEYS_MAX + 1];
		struct imap_search search;
		struct imap_cursor c;
		size_t leaf = 0;

		imap_cursor_init(&c, span_of(cases[i].text), &a);
		check_row(i, imap_take_search(&c, &search));
		for (size_t k = 0; k < search.count; k++)
			verdicts[k] = search.keys[k].kind > IMAP_KEY_NOT ? cases[i].leaves[leaf++] : U;
		check_row(i, imap_search_judge(&search, verdicts) == cases[i].want);
	}
	arena_reset(&a);
}

static void
test_imap_sort_and_thread(void **state)
{
	struct imap_thread thread;
	struct imap_sort sort;
	struct imap_cursor c;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	imap_cursor_init(&c, at_page_edge(SPAN(" (REVERSE DATE subject) UTF-8 UNSEEN FROM a")), &a);
	assert_true(imap_take_sort(&c, &sort));
	assert_int_equal(sort.count, 2);
	assert_true(sort.criteria[0].by == IMAP_SORT_DATE && sort.criteria[0].reverse);
	assert_true(sort.criteria[1].by == IMAP_SORT_SUBJECT && !sort.criteria[1].reverse);
	check_span(0, sort.search.charset, SPAN("UTF-8"));
	assert_int_equal(sort.search.count, 3);
	imap_cursor_init(&c, at_page_edge(SPAN(" (ARRIVAL CC FROM SIZE TO) UTF-8 ALL")), &a);
	assert_true(imap_take_sort(&c, &sort));
	imap_cursor_init(&c, at_page_edge(SPAN(" () UTF-8 ALL")), &a);
	assert_false(imap_take_sort(&c, &sort));
	imap_cursor_init(&c, at_page_edge(SPAN(" (REVERSE) UTF-8 ALL")), &a);
	assert_false(imap_take_sort(&c, &sort));
	imap_cursor_init(&c, at_page_edge(SPAN(" (DATE) UTF-8")), &a);
	assert_false(imap_take_sort(&c, &sort));
	imap_cursor_init(&c, at_page_edge(SPAN(" references US-ASCII SINCE 5-Mar-2000")), &a);
	assert_true(imap_take_thread(&c, &thread));
	check_span(1, thread.algorithm, SPAN("references"));
	assert_int_equal(thread.search.count, 2);
	imap_cursor_init(&c, at_page_edge(SPAN(" REFERENCES ALL")), &a);
	assert_false(imap_take_thread(&c, &thread));
	arena_reset(&a);
}

int
test_imap_search(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_imap_search_rows),
		cmocka_unit_test(test_imap_search_values),
		cmocka_unit_test(test_imap_search_limits),
		cmocka_unit_test(test_imap_search_verdicts),
		cmocka_unit_test(test_imap_sort_and_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
