/*
 * test_worst_case.c - what a peer can make long costs time in step with its length (H31).
 *
 * A generator repeats one unit up to a size. What is in step takes 8 times as long for 8 times the
 * size, what is not takes 64 times: the line is drawn between, far from what a busy machine can do to
 * a clock. The slowest is told as a figure and not judged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/base/json.h"
#include "proto/imap/imap_list.h"
#include "tests/unit/worst_case.h"

#define PARTS 8      /* the whole size is compared with this part of it */
#define RATIO_MAX 24 /* 8 is in step, 64 is not */
#define TRIES 4           /* another program may have had the cache */
#define TIME_MIN 0.03     /* s; shorter times say nothing about a ratio: a cache decides */

#if defined(__SANITIZE_ADDRESS__)
#define SIZE_MAX_TESTED (4 * MB)
#else
#define SIZE_MAX_TESTED (32 * MB)
#endif

typedef void run_fn(struct span in, struct buf *out);

#define ROW(run, begin, unit) { #run " " unit, run, { begin, sizeof(begin) - 1 }, \
	{ unit, sizeof(unit) - 1 }, SIZE_MAX_TESTED }
#define ROW_JSON(begin, unit) { "json " unit, worst_json, { begin, sizeof(begin) - 1 }, \
	{ unit, sizeof(unit) - 1 }, JSON_TEXT_MAX }

#define MIXED "Content-Type: multipart/mixed; boundary="

static const struct generator {
	const char *name;
	run_fn *run;
	struct span begin, unit;
	size_t size_max;
} generators[] = {
	ROW(worst_header_walk, "", "a: b\r\n"),
	ROW(worst_header_walk, "", "no colon\r\n"),
	ROW(worst_header_walk, "a:", "\r\n b"),
	ROW(worst_header_walk, "", "a"),
	ROW(worst_header_walk, "a:", " "),
	ROW(worst_header_walk, "", ":"),
	ROW(worst_header_strip, "", "Delivered-To: a\r\nx: y\r\n"),
	ROW(worst_header_strip, "Delivered-To:", "\r\n\t"),
	ROW(worst_header_strip, "", "X-Spam-X-Spam-"),
	ROW(worst_header_end, "", "\r\n\r"),
	ROW(worst_mailboxes, "", "a@b.test,"),
	ROW(worst_mailboxes, "", "("),
	ROW(worst_mailboxes, "", "(a) "),
	ROW(worst_mailboxes, "", "<"),
	ROW(worst_mailboxes, "", "<>,"),
	ROW(worst_mailboxes, "", "\"\\"),
	ROW(worst_mailboxes, "", "a:"),
	ROW(worst_mailboxes, "a", " "),
	ROW(worst_mailboxes, "", "a [ "),
	ROW(worst_decode, "", "=?utf-8?q?a?= "),
	ROW(worst_decode, "", "=?"),
	ROW(worst_decode, "", "=?a?q?"),
	ROW(worst_decode, "", "=?utf-8?b?QUFB?="),
	ROW(worst_decode, "=?utf-8?q?a?=", " "),
	ROW(worst_mime, MIXED "b\r\n\r\n", "--b\r\n\r\nx\r\n"),
	ROW(worst_mime, MIXED "b\r\n\r\n--b\r\n\r\n", "--c\r\n"),
	ROW(worst_mime, MIXED "bbbbbbbbbbbbbbbbb\r\n\r\n", "--bbbbbbbbbbbbbbbbx\r\n"),
	ROW(worst_mime, MIXED "b\r\n\r\n", "-"),
	ROW(worst_mime, MIXED "b\r\n\r\n", "--b\r\nContent-Type: message/rfc822\r\n\r\n"),
	ROW(worst_mime, MIXED "b\r\n\r\n", "--b\r\n" MIXED "b\r\n\r\n"),
	ROW(worst_mime, MIXED "b\r\n\r\n--b\r\n", "X: y\r\n"),
	ROW(worst_mime, "Content-Type: message/rfc822\r\n\r\n", "Content-Type: message/rfc822\r\n\r\n"),
	ROW(worst_mime, "\r\n", "\n"),
	ROW(worst_mime, "\r\n", "x"),
	ROW(worst_mime, "To: ", "a,"),
	ROW(worst_mime, "To: ", "("),
	ROW(worst_mime, "To: ", "a:"),
	ROW(worst_mime, "To: ", "\\\""),
	ROW(worst_mime, "References: ", "<a@b> "),
	ROW(worst_mime, "Subject: ", "=?utf-8?q?=C3=BC?= "),
	ROW(worst_mime, "Content-Type: a/b", "; n*0*=utf-8''%C3"),
	ROW(worst_mime, "Content-Type: a/b", "(;"),
	ROW(worst_mime, "", "Content-Type: a/b\r\n"),
	ROW(worst_mime_base64, "", "QUFB"),
	ROW(worst_mime_base64, "", "Q!=\r\n"),
	ROW(worst_quoted_printable, "", "=41"),
	ROW(worst_quoted_printable, "", "= "),
	ROW(worst_quoted_printable, "", " "),
	ROW(worst_html, "", "<p>a &amp; "),
	ROW(worst_html, "<style>", "</styl"),
	ROW(worst_html, "", "<!-- --"),
	ROW(worst_html, "", "&#"),
	ROW(worst_charset_utf8, "", "\xc3"),
	ROW(worst_charset_utf8, "", "\xf0\x9f\x98\x80"),
	ROW(worst_unfold, "", "\r\n "),
	ROW(worst_stuffing, "", ".\r\n"),
	ROW(worst_stuffing, "", "a"),
	ROW(worst_printable, "a", "\xcc\x81"),
	ROW(worst_printable, "", "\xe2\x80\xae"),
	ROW(worst_base64, "", "QUFB"),
	ROW(worst_nocase, "", "aaaaaaac"),
	ROW(worst_smtp_commands, "", "NOOP\r\n"),
	ROW(worst_smtp_commands, "", "x"),
	ROW(worst_smtp_commands, "EHLO a\r\nMAIL FROM:<>\r\n", "RCPT TO:<a@b.test>\r\n"),
	ROW(worst_smtp_text, "", "a line of text\r\n"),
	ROW(worst_smtp_text, "", "..\r\n"),
	ROW(worst_smtp_text, "", "a"),
	ROW(worst_pop3, "", "CAPA\r\n"),
	ROW(worst_imap_stranger, "", "1 NOOP\r\n"),
	ROW(worst_imap_stranger, "1 NOOP ", "("),
	ROW(worst_imap_stranger, "", "1 x {3+}\r\nabc\r\n"),
	ROW(worst_imap_stranger, "1 x {1000000+}\r\n", "y"),
	ROW(worst_imap_user, "", "1 x {0+}\r\n{0+}\r\n\r\n"),
	ROW(worst_imap_user, "1 x ", "{0+}\r\n"),
	ROW(worst_imap_user, "1 APPEND x {1000000+}\r\n", "y"),
	ROW(worst_imap_user, "", "1 APPEND x {3+}\r\nabc\r\n"),
	ROW(worst_imap_arguments, " 1 (BODY[HEADER.FIELDS (", "a "),
	ROW(worst_imap_arguments, " 1 BODY[", "1."),
	ROW(worst_imap_arguments, " ", "OR SEEN "),
	ROW(worst_imap_arguments, " ", "NOT "),
	ROW(worst_imap_arguments, " ", "("),
	ROW(worst_imap_arguments, " \"\" (", "% "),
	ROW(worst_imap_arguments, " \"\" \"", "\\\\"),
	ROW(worst_imap_arguments, " ", "1,"),
	ROW(worst_imap_arguments, " TEXT \"", "a"),
	ROW(worst_imap_set, "", "9,7,5,3,1,"),
	ROW(worst_imap_set, "", "1:4294967295,"),
	ROW(worst_imap_utf7, "", "&AOQ-x"),
	ROW(worst_imap_utf7, "&", "AOQA5ADk"),
	ROW(worst_imap_utf7, "", "\xc3\xa4"),
	ROW_JSON("", "["),
	ROW_JSON("[", "1,"),
	ROW_JSON("", " "),
	ROW_JSON("[\"", "\\u0041"),
	ROW_JSON("[", "\"\\"),
	ROW_JSON("", "1"),
};

static void
fill(char *bytes, size_t size, const struct generator *g)
{
	memcpy(bytes, g->begin.ptr, g->begin.len);
	for (size_t at = g->begin.len; at < size; at++)
		bytes[at] = g->unit.ptr[(at - g->begin.len) % g->unit.len];
}

static double
now_s(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* OUT keeps its memory, for the first touch of a page is the kernel's time and not ours. */
static double
time_of(const struct generator *g, struct span in, struct buf *out)
{
	double begin;

	buf_clear(out);
	begin = now_s();
	g->run(in, out);
	return now_s() - begin;
}

/* Does the whole take at most RATIO_MAX times as long as a part, at the best of some tries? */
static bool
is_in_step(const struct generator *g, struct span in, struct buf *out, double *part, double *whole)
{
	for (int i = 0; i < TRIES; i++) {
		double b = time_of(g, in, out);
		double a = time_of(g, span_range(in, 0, in.len / PARTS), out);

		*part = i == 0 || a < *part ? a : *part;
		*whole = i == 0 || b < *whole ? b : *whole;
		if (*whole < TIME_MIN || *whole <= RATIO_MAX * *part)
			return true;
	}
	return false;
}

static void
test_worst_case_h31_time_is_in_step(void **state)
{
	char *bytes = malloc(SIZE_MAX_TESTED);
	double part, whole, longest = 0;
	struct buf out;

	(void)state;
	assert_non_null(bytes);
	buf_init(&out, 8 * SIZE_MAX_TESTED);
	for (size_t i = 0; i < COUNT(generators); i++) {
		const struct generator *g = &generators[i];

		fill(bytes, g->size_max, g);
		if (!is_in_step(g, (struct span){ bytes, g->size_max }, &out, &part, &whole))
			fail_msg("%s: %zu bytes take %.3f s, an eighth of them %.3f s", g->name,
				g->size_max, whole, part);
		longest = whole > longest ? whole : longest;
	}
	printf("# figure worst input of %zu MB: %.2f s\n", SIZE_MAX_TESTED / MB, longest);
	buf_fini(&out);
	free(bytes);
}

/* H25: one point to go back to, so at most pattern times text. MATCH is asked for UNIT UNIT ... b. */
static void
check_wildcards(bool (*match)(struct span, struct span), const char *unit)
{
	char pattern[129] = "", *text = malloc(65536);
	size_t len = strlen(unit);
	double begin, half, whole;

	assert_non_null(text);
	for (size_t i = 0; i < 126 / len; i++)
		memcpy(pattern + len * i, unit, len);
	pattern[126 / len * len] = 'b';
	memset(text, 'a', 65536);
	begin = now_s();
	assert_false(match(span_of(pattern), (struct span){ text, 32768 }));
	half = now_s() - begin;
	begin = now_s();
	assert_false(match(span_of(pattern), (struct span){ text, 65536 }));
	whole = now_s() - begin;
	assert_true(whole < TIME_MIN || whole <= 4 * half);
	free(text);
}

static void
test_worst_case_h25_wildcards(void **state)
{
	(void)state;
	check_wildcards(span_match_wildcard, "*a");
	check_wildcards(imap_list_match, "*a");
	check_wildcards(imap_list_match, "%a");
	check_wildcards(imap_list_match, "*%a");
	check_wildcards(imap_list_match, "%*a%a");
}

int
test_worst_case(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worst_case_h25_wildcards),
		cmocka_unit_test(test_worst_case_h31_time_is_in_step),
	};

	return cmocka_run_group_tests_name("worst_case", tests, NULL, NULL);
}
