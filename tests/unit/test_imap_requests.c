/*
 * test_imap_requests.c - arguments of FETCH, STORE, SELECT, LIST, STATUS, ID: rows in, values out.
 */
#include "proto/imap/imap_fetch.h"
#include "proto/imap/imap_list.h"
#include "proto/imap/imap_requests.h"
#include "tests/unit/test_proto.h"

static struct imap_cursor
cursor_at(struct arena *a, const char *text)
{
	struct imap_cursor c;

	imap_cursor_init(&c, at_page_edge(span_of(text)), a);
	return c;
}

/* ---- FETCH ---- */

#define FAST (IMAP_FETCH_FLAGS | IMAP_FETCH_INTERNALDATE | IMAP_FETCH_RFC822_SIZE)

static const struct {
	const char *text;
	bool ok, uid;
	unsigned items;
	const char *names; /* of the bytes, ';' after each */
	bool seen;
} fetches[] = {
	{" 1 FLAGS", true, false, IMAP_FETCH_FLAGS, "", false},
	{" 1 (flags uid)", true, false, IMAP_FETCH_FLAGS | IMAP_FETCH_UID, "", false},
	{" 1 FLAGS", true, true, IMAP_FETCH_FLAGS | IMAP_FETCH_UID, "", false},
	{" 1:* ALL", true, false, FAST | IMAP_FETCH_ENVELOPE, "", false},
	{" 1 FAST", true, false, FAST, "", false},
	{" 1 FULL", true, false, FAST | IMAP_FETCH_ENVELOPE | IMAP_FETCH_BODY, "", false},
	{" 1 (FAST)", false, false, 0, "", false},
	{" 1 (BODY BODYSTRUCTURE MODSEQ EMAILID THREADID SAVEDATE)", true, false,
		IMAP_FETCH_BODY | IMAP_FETCH_BODYSTRUCTURE | IMAP_FETCH_MODSEQ | IMAP_FETCH_EMAILID |
			IMAP_FETCH_THREADID | IMAP_FETCH_SAVEDATE, "", false},
	{" 1 BODY[]", true, false, 0, "BODY[];", true},
	{" 1 body.peek[]<0.512>", true, false, 0, "BODY[]<0>;", false},
	{" 1 (BODY.PEEK[1.2.TEXT] BODY.PEEK[3.HEADER] BODY.PEEK[4.MIME] BODY.PEEK[5])", true, false, 0,
		"BODY[1.2.TEXT];BODY[3.HEADER];BODY[4.MIME];BODY[5];", false},
	{" 1 BODY.PEEK[HEADER.FIELDS (From \"To\" {2}\r\nCc)]", true, false, 0,
		"BODY[HEADER.FIELDS (From To Cc)];", false},
	{" 1 BODY[1.header.fields.not (a)]<7.1>", true, false, 0,
		"BODY[1.HEADER.FIELDS.NOT (a)]<7>;", true},
	{" 1 BODY[HEADER.FIELDS (\"a b\" {3}\r\nx\r\n)]", true, false, 0,
		"BODY[HEADER.FIELDS (\"a b\" {3}\r\nx\r\n)];", true},
	{" 1 (BINARY[1.2] BINARY.SIZE[] BINARY.PEEK[1]<5.6>)", true, false, 0,
		"BINARY[1.2];BINARY.SIZE[];BINARY[1]<5>;", true},
	{" 1 (RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE)", true, false, IMAP_FETCH_RFC822_SIZE,
		"RFC822;RFC822.HEADER;RFC822.TEXT;", true},
	{" 1 RFC822.HEADER", true, false, 0, "RFC822.HEADER;", false},
	{" 1 BINARY[TEXT]", false, false, 0, "", false},
	{" 1 BINARY.SIZE[1]<0.1>", false, false, 0, "", false},
	{" 1 BODY[MIME]", false, false, 0, "", false},
	{" 1 BODY[1.]", false, false, 0, "", false},
	{" 1 BODY[.1]", false, false, 0, "", false},
	{" 1 BODY[0]", false, false, 0, "", false},
	{" 1 BODY[1.0]", false, false, 0, "", false},
	{" 1 BODY[4294967296]", false, false, 0, "", false},
	{" 1 BODY[HEADER.FIELDS]", false, false, 0, "", false},
	{" 1 BODY[HEADER.FIELDS ()]", false, false, 0, "", false},
	{" 1 BODY[HEADERS]", false, false, 0, "", false},
	{" 1 BODY[", false, false, 0, "", false},
	{" 1 BODY[]<0>", false, false, 0, "", false},
	{" 1 BODY[]<0.0>", false, false, 0, "", false},
	{" 1 BODY[]<-1.5>", false, false, 0, "", false},
	{" 1 BODY[]x", false, false, 0, "", false},
	{" 1 BODY.PEEK", false, false, 0, "", false},
	{" 1 FLAGS[]", false, false, 0, "", false},
	{" 1 ()", false, false, 0, "", false},
	{" 1 (FLAGS", false, false, 0, "", false},
	{" 1 FLAGS UID", false, false, 0, "", false},
	{" 1", false, false, 0, "", false},
	{" x FLAGS", false, false, 0, "", false},
	{"", false, false, 0, "", false},
	/* RFC 7162 */
	{" 1 FLAGS (CHANGEDSINCE 7)", true, false, IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ, "", false},
	{" 1 FLAGS (CHANGEDSINCE 7 VANISHED)", false, false, 0, "", false},
	{" 1 FLAGS (VANISHED CHANGEDSINCE 7)", true, true,
		IMAP_FETCH_UID | IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ, "", false},
	{" 1 FLAGS (VANISHED)", false, true, 0, "", false},
	{" 1 FLAGS (CHANGEDSINCE)", false, true, 0, "", false},
	{" 1 FLAGS ()", false, true, 0, "", false},
};

static void
test_imap_fetch_rows(void **state)
{
	struct buf names;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&names, 4096);
	for (size_t i = 0; i < COUNT(fetches); i++) {
		struct imap_cursor c = cursor_at(&a, fetches[i].text);
		struct imap_fetch fetch;

		check_row(i, imap_take_fetch(&c, fetches[i].uid, &fetch) == fetches[i].ok);
		if (!fetches[i].ok)
			continue;
		check_row(i, fetch.items == fetches[i].items && fetch.sets_seen == fetches[i].seen);
		buf_clear(&names);
		for (size_t k = 0; k < fetch.count; k++)
			check_row(i, buf_put(&names, fetch.bytes[k].name) == OK &&
					     buf_put_char(&names, ';') == OK);
		check_span(i, buf_span(&names), span_of(fetches[i].names));
	}
	buf_fini(&names);
	arena_reset(&a);
}

static void
test_imap_fetch_values(void **state)
{
	struct imap_cursor c;
	struct imap_fetch fetch;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	c = cursor_at(&a, " 3:7 (BODY[1.22.HEADER.FIELDS (A b)]<5.9> BINARY[3]) (CHANGEDSINCE 12)");
	assert_true(imap_take_fetch(&c, false, &fetch));
	assert_int_equal(fetch.set.ranges[0].last, 7);
	assert_int_equal(fetch.count, 2);
	assert_int_equal(fetch.bytes[0].section, IMAP_SECTION_FIELDS);
	assert_int_equal(fetch.bytes[0].path_len, 2);
	assert_int_equal(fetch.bytes[0].path[1], 22);
	assert_int_equal(fetch.bytes[0].field_count, 2);
	assert_true(fetch.bytes[0].partial && fetch.bytes[0].from == 5 && fetch.bytes[0].length == 9);
	assert_int_equal(fetch.bytes[1].section, IMAP_SECTION_BINARY);
	assert_true(fetch.has_changed_since && fetch.changed_since == 12);
	arena_reset(&a);
}

/* BODY[1.1.1...] and items without end are a limit, not work (H23). */
static void
test_imap_fetch_limits(void **state)
{
	struct imap_fetch fetch;
	struct imap_cursor c;
	struct arena a;
	struct buf text;
	enum err err;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&text, 1 << 16);
	err = buf_put(&text, SPAN(" 1 BODY["));
	for (unsigned i = 0; i < IMAP_PATH_MAX && err == OK; i++)
		err = buf_put(&text, SPAN("1."));
	assert_int_equal(err, OK);
	assert_int_equal(buf_put(&text, SPAN("1]")), OK);
	imap_cursor_init(&c, at_page_edge(buf_span(&text)), &a);
	assert_false(imap_take_fetch(&c, false, &fetch));
	assert_int_equal(imap_cursor_err(&c), ERR_LIMIT);
	buf_clear(&text);
	err = buf_put(&text, SPAN(" 1 (UID"));
	for (unsigned i = 0; i <= IMAP_FETCH_BYTES_MAX && err == OK; i++)
		err = buf_put(&text, SPAN(" BODY[]"));
	assert_int_equal(err, OK);
	imap_cursor_init(&c, at_page_edge(buf_span(&text)), &a);
	assert_false(imap_take_fetch(&c, false, &fetch));
	assert_int_equal(imap_cursor_err(&c), ERR_LIMIT);
	buf_fini(&text);
	arena_reset(&a);
}

/* ---- STORE ---- */

static void
test_imap_store_rows(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		enum imap_store_op op;
		bool silent;
		unsigned flags, keywords;
		int64_t since; /* -1: none */
	} rows[] = {
		{" 1 FLAGS (\\Seen)", true, IMAP_STORE_REPLACE, false, IMAP_FLAG_SEEN, 0, -1},
		{" 1 +flags.silent \\Seen a", true, IMAP_STORE_ADD, true, IMAP_FLAG_SEEN, 1, -1},
		{" 1 -FLAGS ()", true, IMAP_STORE_REMOVE, false, 0, 0, -1},
		{" 1:* (UNCHANGEDSINCE 12) +FLAGS (x)", true, IMAP_STORE_ADD, false, 0, 1, 12},
		{" 1 (UNCHANGEDSINCE 0) FLAGS x", true, IMAP_STORE_REPLACE, false, 0, 1, 0},
		{" 1 FLAGS (\\Recent)", false, 0, false, 0, 0, 0},
		{" 1 FLAGS", false, 0, false, 0, 0, 0},
		{" 1 FLAGS.LOUD (a)", false, 0, false, 0, 0, 0},
		{" 1 *FLAGS (a)", false, 0, false, 0, 0, 0},
		{" 1 FLAGS (a) b", false, 0, false, 0, 0, 0},
		{" 1 (UNCHANGEDSINCE) FLAGS a", false, 0, false, 0, 0, 0},
		{" 1 () FLAGS a", false, 0, false, 0, 0, 0},
	};
	struct imap_store store;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_cursor c = cursor_at(&a, rows[i].text);

		check_row(i, imap_take_store(&c, &store) == rows[i].ok);
		if (!rows[i].ok)
			continue;
		check_row(i, store.op == rows[i].op && store.silent == rows[i].silent);
		check_row(i, store.flags.flags == rows[i].flags);
		check_row(i, store.flags.count == rows[i].keywords);
		check_row(i, store.has_unchanged_since == (rows[i].since >= 0));
		check_row(i, rows[i].since < 0 || store.unchanged_since == (uint64_t)rows[i].since);
	}
	arena_reset(&a);
}

/* ---- SELECT, ID ---- */

static void
test_imap_select_rows(void **state)
{
	static const struct {
		const char *text;
		bool ok, condstore, qresync, known, pairs;
	} rows[] = {
		{" INBOX", true, false, false, false, false},
		{" \"a b\" (CONDSTORE)", true, true, false, false, false},
		{" x (QRESYNC (67890007 20050715194045000 41,43:211,214:541))", true, false, true, true,
			false},
		{" x (qresync (1 0))", true, false, true, false, false},
		{" x (QRESYNC (1 9 1:5 (1,2 3,4)) CONDSTORE)", true, true, true, true, true},
		{" x (QRESYNC (1 9 (1 2)))", true, false, true, false, true},
		{" x (QRESYNC (1 9 1:*))", false, false, false, false, false},
		{" x (QRESYNC (0 9))", false, false, false, false, false},
		{" x (QRESYNC (1))", false, false, false, false, false},
		{" x (QRESYNC (1 2) QRESYNC (1 2))", false, false, false, false, false},
		{" x (FOO)", false, false, false, false, false},
		{" x ()", false, false, false, false, false},
		{" x ", false, false, false, false, false},
		{"", false, false, false, false, false},
	};
	struct imap_select select;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_cursor c = cursor_at(&a, rows[i].text);

		check_row(i, imap_take_select(&c, &select) == rows[i].ok);
		if (!rows[i].ok)
			continue;
		check_row(i, select.condstore == rows[i].condstore);
		check_row(i, select.qresync == rows[i].qresync);
		check_row(i, select.has_known == rows[i].known);
		check_row(i, select.has_pairs == rows[i].pairs);
	}
	arena_reset(&a);
}

static void
test_imap_id_rows(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		size_t count;
	} rows[] = {
		{" NIL", true, 0},
		{" ()", true, 0},
		{" (\"name\" \"x\" \"version\" NIL)", true, 2},
		{" (\"name\")", false, 0},
		{" (name \"x\")", false, 0},
		{" x", false, 0},
		{"", false, 0},
	};
	struct imap_id id;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_cursor c = cursor_at(&a, rows[i].text);

		check_row(i, imap_take_id(&c, &id) == rows[i].ok);
		check_row(i, !rows[i].ok || id.count == rows[i].count);
	}
	arena_reset(&a);
}

/* ---- LIST, STATUS ---- */

static void
test_imap_list_rows(void **state)
{
	static const struct {
		const char *text;
		bool ok, extended;
		unsigned select, returns, status;
		size_t patterns;
	} rows[] = {
		{" \"\" \"\"", true, false, 0, 0, 0, 1},
		{" \"\" *", true, false, 0, 0, 0, 1},
		{" a/ %/b", true, false, 0, 0, 0, 1},
		{" () \"\" *", true, true, 0, 0, 0, 1},
		{" (SUBSCRIBED) \"\" (a b \"c d\")", true, true, IMAP_LIST_SUBSCRIBED, 0, 0, 3},
		{" (recursivematch SUBSCRIBED REMOTE) \"\" *", true, true,
			IMAP_LIST_RECURSIVEMATCH | IMAP_LIST_SUBSCRIBED | IMAP_LIST_REMOTE, 0, 0, 1},
		{" (RECURSIVEMATCH) \"\" *", false, false, 0, 0, 0, 0},
		{" (RECURSIVEMATCH REMOTE) \"\" *", false, false, 0, 0, 0, 0},
		{" (SPECIAL-USE) \"\" * RETURN (SPECIAL-USE CHILDREN SUBSCRIBED MYRIGHTS)", true, true,
			IMAP_LIST_SPECIAL_USE,
			IMAP_LIST_SPECIAL_USE | IMAP_LIST_CHILDREN | IMAP_LIST_SUBSCRIBED |
				IMAP_LIST_MYRIGHTS, 0, 1},
		{" \"\" % RETURN (STATUS (MESSAGES UNSEEN) CHILDREN)", true, true, 0,
			IMAP_LIST_STATUS | IMAP_LIST_CHILDREN,
			IMAP_STATUS_MESSAGES | IMAP_STATUS_UNSEEN, 1},
		{" \"\" % RETURN ()", true, true, 0, 0, 0, 1},
		{" \"\" % RETURN (FOO)", false, false, 0, 0, 0, 0},
		{" \"\" % RETURN (STATUS)", false, false, 0, 0, 0, 0},
		{" \"\" % RETURN", false, false, 0, 0, 0, 0},
		{" (FOO) \"\" %", false, false, 0, 0, 0, 0},
		{" \"\" ()", false, false, 0, 0, 0, 0},
		{" \"\"", false, false, 0, 0, 0, 0},
		{" \"\" a b", false, false, 0, 0, 0, 0},
		{"", false, false, 0, 0, 0, 0},
	};
	struct imap_list list;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_cursor c = cursor_at(&a, rows[i].text);

		check_row(i, imap_take_list(&c, &list) == rows[i].ok);
		if (!rows[i].ok)
			continue;
		check_row(i, list.extended == rows[i].extended && list.select == rows[i].select);
		check_row(i, list.returns == rows[i].returns && list.status == rows[i].status);
		check_row(i, list.count == rows[i].patterns);
	}
	arena_reset(&a);
}

static void
test_imap_status_items(void **state)
{
	struct imap_cursor c;
	struct arena a;
	unsigned items;

	(void)state;
	arena_init(&a, NULL);
	c = cursor_at(&a, "(MESSAGES recent UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE HIGHESTMODSEQ "
			  "APPENDLIMIT MAILBOXID DELETED-STORAGE)");
	assert_true(imap_take_status_items(&c, &items));
	assert_int_equal(items, (1u << IMAP_STATUS_ITEMS) - 1);
	assert_true(imap_take_end(&c));
	c = cursor_at(&a, "()");
	assert_false(imap_take_status_items(&c, &items));
	c = cursor_at(&a, "(MESSAGES FOO)");
	assert_false(imap_take_status_items(&c, &items));
	check_span(0, imap_status_name(6), SPAN("SIZE"));
	arena_reset(&a);
}

static void
test_imap_lsub_row(void **state)
{
	struct imap_list list;
	struct imap_cursor c;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	c = cursor_at(&a, " \"\" %");
	assert_true(imap_take_lsub(&c, &list));
	check_span(0, list.patterns[0], SPAN("%"));
	c = cursor_at(&a, " \"\" (% *)");
	assert_false(imap_take_lsub(&c, &list));
	arena_reset(&a);
}

/* H25 */
static void
test_imap_wildcards(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool want;
	} rows[] = {
		{"*", "", true},
		{"*", "a/b", true},
		{"%", "a", true},
		{"%", "a/b", false},
		{"%", "", true},
		{"", "", true},
		{"", "a", false},
		{"a", "a", true},
		{"a", "A", false},
		{"inbox", "INBOX", true},
		{"InB*", "INBOX/Sub", true},
		{"inbox/sub", "INBOX/Sub", false},
		{"inb%", "INBOXES", false},
		{"%/%", "a/b", true},
		{"%/%", "a/b/c", false},
		{"%/%/%", "a/b/c", true},
		{"a/%", "a", false},
		{"a*", "a", true},
		{"*b", "a/b", true},
		{"*%b", "a/xb", true},
		{"%*b", "a/xb", true},
		{"*/%", "a/b/c", true},
		{"*a%b", "xa/yaab", true},
		{"*a%b", "xa/b", false},
		{"%a%b/c", "ab1b/c", true},
		{"%a/%c", "aXa/yc", true},
		{"%a/%c", "aXa/y/c", false},
		{"*/%x*/y", "a/bx/c/y", true},
		{"*/%x%/y", "a/bx/c/y", false},
		{"*/%x%/y", "a/q/bxc/y", true},
		{"%%%", "abc", true},
		{"%%%", "a/c", false},
		{"***", "a/c", true},
		{"a%c*e", "abc/d/e", true},
		{"a%c*e", "ab/c/d/e", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(i, imap_list_match(at_page_edge(span_of(rows[i].pattern)),
				     at_page_edge(span_of(rows[i].name))) == rows[i].want);
}

static void
test_imap_list_pattern(void **state)
{
	struct span pattern;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	assert_int_equal(imap_list_pattern(&a, SPAN("Entw&APw-rfe/"), SPAN("&AOQ-*%"), false, &pattern), OK);
	check_span(0, pattern, SPAN("Entw\xc3\xbcrfe/\xc3\xa4*%"));
	assert_int_equal(imap_list_pattern(&a, SPAN("\xc3\xbc"), SPAN("%"), true, &pattern), OK);
	check_span(1, pattern, SPAN("\xc3\xbc%"));
	assert_int_equal(imap_list_pattern(&a, SPAN(""), SPAN("&"), false, &pattern), ERR_SYNTAX);
	arena_reset(&a);
}

int
test_imap_requests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_imap_fetch_rows),
		cmocka_unit_test(test_imap_fetch_values),
		cmocka_unit_test(test_imap_fetch_limits),
		cmocka_unit_test(test_imap_store_rows),
		cmocka_unit_test(test_imap_select_rows),
		cmocka_unit_test(test_imap_id_rows),
		cmocka_unit_test(test_imap_list_rows),
		cmocka_unit_test(test_imap_status_items),
		cmocka_unit_test(test_imap_lsub_row),
		cmocka_unit_test(test_imap_wildcards),
		cmocka_unit_test(test_imap_list_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
