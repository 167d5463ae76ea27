/*
 * test_imap_thread.c - base subjects and threads (RFC 5256).
 */
#include "tests/unit/test_proto.h"

#include <stdio.h>
#include <string.h>

#include "proto/imap/imap_subject.h"
#include "proto/imap/imap_thread.h"

static void
test_base_subject(void **state)
{
	static const struct {
		const char *in, *want;
		bool is_reply;
	} rows[] = {
		{ "hello", "hello", false },
		{ "", "", false },
		{ "re: hello", "hello", true },
		{ "Re: hello", "hello", true },
		{ "  re:  re: fwd:  hello \t world (fwd) ", "hello world", true },
		{ "fw: x", "x", true },
		{ "re[2]: x", "x", true },
		{ "re [2] : x", "x", true },
		{ "[list] re: x", "x", true },
		{ "[list] x", "x", false },
		{ "[list] [more] x", "x", false },
		{ "[only]", "[only]", false },
		{ "re: [only]", "[only]", true },
		{ "[fwd: x]", "x", true },
		{ "[fwd: re: [list] x (fwd)]", "x", true },
		{ "[fwd:]", "", true },
		{ "re", "re", false },
		{ "regards: x", "regards: x", false },
		{ "red: x", "red: x", false },
		{ "[a[b]] x", "[a[b]] x", false },
		{ "x(fwd)", "x", true },
		{ "a\r\n b", "a b", false },
		{ "[", "[", false },
		{ "]", "]", false },
		{ "[fwd:", "[fwd:", false },
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool is_reply;
		struct span got = imap_base_subject(&a, span_of(rows[i].in), &is_reply);

		check_row(i, span_eq(got, span_of(rows[i].want)));
		check_row(i, is_reply == rows[i].is_reply);
		arena_reset(&a);
	}
}

/* number, date, subject, id, references, in-reply-to */
struct mail {
	uint32_t number;
	int64_t sent_s;
	const char *subject, *id, *references, *in_reply_to;
};

static void
check_threads(size_t row, const struct mail *mails, enum imap_threading how, const char *want)
{
	struct imap_threaded messages[16];
	struct arena a;
	struct buf out;
	size_t n = 0;

	arena_init(&a, NULL);
	buf_init(&out, 4096);
	for (; mails[n].number; n++) {
		messages[n] = (struct imap_threaded){ .number = mails[n].number,
			.sent_s = mails[n].sent_s, .id = span_of(mails[n].id),
			.references = span_of(mails[n].references),
			.in_reply_to = span_of(mails[n].in_reply_to) };
		messages[n].subject = imap_base_subject(
			&a, span_of(mails[n].subject), &messages[n].is_reply);
	}
	assert_int_equal(
		imap_thread_put(&a, messages, n, how, (struct hash64_key){ 3, 4 }, &out), OK);
	if (!span_eq(buf_span(&out), span_of(want)))
		printf("row %zu: got %.*s, want %s\n", row, SPAN_FMT(buf_span(&out)), want);
	check_row(row, span_eq(buf_span(&out), span_of(want)));
	buf_fini(&out);
	arena_reset(&a);
}

static void
test_references(void **state)
{
	static const struct {
		struct mail mails[8];
		const char *want;
	} rows[] = {
		{ { { 0 } }, "" },
		{ { { 1, 1, "a", "<1@x>", "", "" } }, "(1)" },
		/* a chain, a branch */
		{ { { 1, 1, "a", "<1@x>", "", "" }, { 2, 2, "re: a", "<2@x>", "<1@x>", "" },
			  { 3, 3, "re: a", "<3@x>", "<1@x> <2@x>", "" } }, "(1 2 3)" },
		{ { { 1, 1, "a", "<1@x>", "", "" }, { 2, 2, "re: a", "<2@x>", "<1@x>", "" },
			  { 3, 3, "re: a", "<3@x>", "<1@x>", "" } }, "(1 (2)(3))" },
		/* RFC 5256, 3: (3 6 (4 23)(44 7 96)) */
		{ { { 3, 1, "s", "<3@x>", "", "" }, { 4, 3, "s", "<4@x>", "<3@x> <6@x>", "" },
			  { 6, 2, "s", "<6@x>", "<3@x>", "" }, { 7, 6, "s", "<7@x>", "<44@x>", "" },
			  { 23, 4, "s", "<23@x>", "<4@x>", "" },
			  { 44, 5, "s", "<44@x>", "<3@x>\r\n <6@x>", "" },
			  { 96, 7, "s", "<96@x>", "<7@x>", "" } }, "(3 6 (4 23)(44 7 96))" },
		/* In-Reply-To counts where there are no References */
		{ { { 1, 1, "a", "<1@x>", "", "" }, { 2, 2, "b", "<2@x>", "", "your mail <1@x> of <9@x>" } },
			"(1 2)" },
		/* a missing parent: siblings below a dummy */
		{ { { 1, 1, "a", "<1@x>", "<0@x>", "" }, { 2, 2, "b", "<2@x>", "<0@x>", "" } },
			"((1)(2))" },
		{ { { 1, 1, "a", "<1@x>", "<0@x>", "" } }, "(1)" },
		/* by subject: a reply below what it answers; two alike below a dummy */
		{ { { 1, 1, "a", "<1@x>", "", "" }, { 2, 2, "re: a", "<2@x>", "", "" } }, "(1 2)" },
		{ { { 1, 1, "re: a", "<1@x>", "", "" }, { 2, 2, "a", "<2@x>", "", "" } }, "(2 1)" },
		{ { { 1, 1, "a", "<1@x>", "", "" }, { 2, 2, "a", "<2@x>", "", "" },
			  { 3, 3, "a", "<3@x>", "", "" } }, "((1)(2)(3))" },
		{ { { 1, 1, "a", "<1@x>", "", "" }, { 2, 2, "b", "<2@x>", "", "" } }, "(1)(2)" },
		/* without subjects nothing is put together */
		{ { { 1, 1, "", "<1@x>", "", "" }, { 2, 2, "re:", "<2@x>", "", "" } }, "(1)(2)" },
		/* the same id twice, none at all, loops, itself */
		{ { { 1, 1, "a", "<1@x>", "", "" }, { 2, 2, "b", "<1@x>", "", "" } }, "(1)(2)" },
		{ { { 1, 1, "a", "", "", "" }, { 2, 2, "b", "none", "", "" } }, "(1)(2)" },
		{ { { 1, 1, "a", "<1@x>", "<2@x>", "" }, { 2, 2, "b", "<2@x>", "<1@x>", "" } }, "(2 1)" },
		{ { { 1, 1, "a", "<1@x>", "<1@x>", "" } }, "(1)" },
		/* by date, not by number */
		{ { { 1, 9, "a", "<1@x>", "", "" }, { 2, 2, "b", "<2@x>", "", "" } }, "(2)(1)" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_threads(i, rows[i].mails, IMAP_THREAD_REFERENCES_BY, rows[i].want);
}

static void
test_ordered_subject(void **state)
{
	static const struct {
		struct mail mails[8];
		const char *want;
	} rows[] = {
		{ { { 1, 1, "a", "", "", "" }, { 2, 2, "b", "", "", "" }, { 3, 3, "re: a", "", "", "" } },
			"(1 3)(2)" },
		{ { { 1, 5, "b", "", "", "" }, { 2, 2, "a", "", "", "" }, { 3, 3, "re: a", "", "", "" },
			  { 4, 4, "a", "", "", "" } }, "(2 (3)(4))(1)" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_threads(i, rows[i].mails, IMAP_THREAD_ORDEREDSUBJECT, rows[i].want);
}

/* H31: a chain of ids, and one message that refers to very many. */
static void
test_long_chains(void **state)
{
	enum { COUNT_OF = 20000 };
	struct imap_threaded *m;
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, 1 << 20);
	m = ARENA_ARRAY(&a, struct imap_threaded, COUNT_OF);
	for (uint32_t i = 0; i < COUNT_OF; i++) {
		m[i] = (struct imap_threaded){ .number = i + 1, .sent_s = i,
			.id = arena_printf(&a, "<%u@x>", i),
			.references = arena_printf(&a, "<%u@x>", i - 1) };
	}
	assert_int_equal(imap_thread_put(&a, m, COUNT_OF, IMAP_THREAD_REFERENCES_BY,
				 (struct hash64_key){ 1, 1 }, &out), OK);
	buf_fini(&out);
	arena_reset(&a);
}

int
test_imap_thread(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base_subject),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_ordered_subject),
		cmocka_unit_test(test_long_chains),
	};

	return cmocka_run_group_tests_name("imap_thread", tests, NULL, NULL);
}
