/*
 * test_worst_case.c - what a peer can make long costs time in step with its length (H31).
 *
 * A generator repeats one unit up to a size. What is in step takes 8 times as long for 8 times the
 * size, what is not takes 64 times: the line is drawn between, far from what a busy machine can do to
 * a clock. The slowest is told as a figure and not judged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/base/base64.h"
#include "proto/base/json.h"
#include "proto/base/utf8.h"
#include "proto/imap/imap_fetch.h"
#include "proto/imap/imap_list.h"
#include "proto/imap/imap_search.h"
#include "proto/imap/imap_server.h"
#include "proto/imap/imap_utf7.h"
#include "proto/mail/header.h"
#include "proto/mime/encoded_word.h"
#include "proto/mime/html_text.h"
#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_decoder.h"
#include "proto/mime/mime_parser.h"
#include "proto/pop3/pop3_server.h"
#include "proto/smtp/smtp_server.h"
#include "tests/unit/test_proto.h"

#define MB ((size_t)1 << 20)
#define PARTS 8      /* the whole size is compared with this part of it */
#define RATIO_MAX 24 /* 8 is in step, 64 is not */
#define TRIES 4           /* another program may have had the cache */
#define TIME_MIN 0.03     /* s; shorter times say nothing about a ratio: a cache decides */
#define PIECE 4096        /* bytes that a read brings */

#if defined(__SANITIZE_ADDRESS__)
#define SIZE_MAX_TESTED (4 * MB)
#else
#define SIZE_MAX_TESTED (32 * MB)
#endif

typedef void run_fn(struct span in, struct buf *out);

static void
run_header_walk(struct span in, struct buf *out)
{
	struct header_facts facts;

	(void)out;
	assert_int_equal(header_count(in, SPAN("x")), 0);
	assert_null(header_find(in, SPAN("x")).ptr);
	(void)!header_check(span_range(in, 0, HEADER_SIZE_MAX), NULL, &facts);
}

static void
run_header_strip(struct span in, struct buf *out)
{
	assert_int_equal(header_put_without(out, in, header_trust_names, header_trust_count), OK);
}

static void
run_header_end(struct span in, struct buf *out)
{
	struct header_end end = { .found = false };

	(void)out;
	while (in.len > 0 && !end.found) {
		(void)header_end_find(&end, span_range(in, 0, PIECE));
		in = span_from(in, PIECE);
	}
}

static void
run_mailboxes(struct span in, struct buf *out)
{
	struct header_mailbox mailbox;

	(void)out;
	while (header_next_mailbox(&in, &mailbox))
		assert_true(mailbox.address.len > 0);
}

static void
run_decode(struct span in, struct buf *out)
{
	assert_int_equal(encoded_word_decode(out, in), OK);
}

/* IN is the whole message; its record, in OUT, is of a size that has a limit. */
static void
run_mime(struct span in, struct buf *out)
{
	struct header_end end = { .found = false };
	size_t header = header_end_find(&end, in);
	struct span body = span_from(in, header);
	struct mime_parser *p;
	struct arena arena;

	arena_init(&arena, NULL);
	p = ARENA_NEW(&arena, struct mime_parser);
	mime_parser_init(p, &arena);
	mime_parser_header(p, span_range(in, 0, header));
	for (; body.len > 0; body = span_from(body, 16384))
		mime_parser_feed(p, span_range(body, 0, 16384));
	assert_int_equal(mime_parser_end(p, span_range(in, 0, header), out), OK);
	assert_true(buf_span(out).len <= MIME_RECORD_MAX);
	if (in.len > 16 * MB) /* H31: memory does not follow the body */
		assert_true(arena.total < 4 * MB);
	arena_reset(&arena);
}

static void
run_decoder(struct span in, struct buf *out, enum mime_encoding encoding)
{
	struct mime_decoder d;

	mime_decoder_init(&d, encoding);
	for (; in.len > 0; in = span_from(in, 16384))
		assert_int_equal(mime_decoder_put(&d, span_range(in, 0, 16384), out), OK);
	assert_int_equal(mime_decoder_end(&d, out), OK);
}

static void
run_mime_base64(struct span in, struct buf *out)
{
	run_decoder(in, out, MIME_BASE64);
}

static void
run_quoted_printable(struct span in, struct buf *out)
{
	run_decoder(in, out, MIME_QUOTED_PRINTABLE);
}

static void
run_html(struct span in, struct buf *out)
{
	assert_int_equal(html_text_put(out, in), OK);
}

static void
run_charset_utf8(struct span in, struct buf *out)
{
	struct mime_charset c;

	assert_int_equal(mime_charset_open(&c, MIME_CHARSET_UTF8), OK);
	for (; in.len > 0; in = span_from(in, 16384))
		assert_int_equal(mime_charset_put(&c, span_range(in, 0, 16384), out), OK);
	assert_int_equal(mime_charset_end(&c, out), OK);
}

static void
run_unfold(struct span in, struct buf *out)
{
	assert_int_equal(header_unfold(out, in), OK);
}

static void
run_stuffing(struct span in, struct buf *out)
{
	struct smtp_stuffing stuffing = { .in_line = false };

	assert_int_equal(smtp_stuffing_put(&stuffing, in, out), OK);
}

static void
run_printable(struct span in, struct buf *out)
{
	assert_int_equal(utf8_put_printable(out, in), OK);
	(void)utf8_is_valid(in);
}

static void
run_base64(struct span in, struct buf *out)
{
	(void)!base64_decode(in, out);
}

static void
run_nocase(struct span in, struct buf *out)
{
	(void)out;
	assert_int_equal(span_find_span_nocase(in, SPAN("aaaaaaab")), in.len);
}

/* The machine answers each event until IN is used up; a message is begun first where TEXT. */
static void
run_smtp(struct span in, bool text)
{
	static const struct smtp_server_config config = { .hostname = { "a.test", 6 },
		.command_line = 2048, .line_length = 65536, .recipients = UINT32_MAX,
		.bad_commands = UINT32_MAX - 1 };
	struct smtp_server m;
	struct smtp_event ev;
	struct arena arena;
	struct buf out;
	size_t used;

	arena_init(&arena, NULL);
	buf_init(&out, 65536);
	smtp_server_init(&m, &config, &arena, false);
	if (text) {
		m.state = SMTP_STATE_DATA;
		smtp_data_init(&m.data, config.line_length);
	}
	do {
		used = smtp_server_next(&m, in, &ev);
		in = span_from(in, used);
		if (m.pending != SMTP_NEED_BYTES)
			smtp_server_answer(&m,
				ev.reply.code ? ev.reply : SMTP_REPLY(250, NULL, "OK"), &out);
		arena_reset(&arena);
		buf_clear(&out);
	} while (in.len > 0 && ev.kind != SMTP_CLOSE && (used > 0 || ev.kind != SMTP_NEED_BYTES));
	smtp_server_fini(&m);
	buf_fini(&out);
}

static void
run_smtp_commands(struct span in, struct buf *out)
{
	(void)out;
	run_smtp(in, false);
}

static void
run_smtp_text(struct span in, struct buf *out)
{
	(void)out;
	run_smtp(in, true);
}

static void
run_pop3(struct span in, struct buf *unused)
{
	static const struct pop3_server_config config = { .command_line = 2048,
		.bad_commands = UINT32_MAX - 1 };
	struct pop3_server m;
	struct pop3_event ev;
	struct buf out;
	size_t used;

	(void)unused;
	buf_init(&out, 65536);
	pop3_server_init(&m, &config, false);
	do {
		used = pop3_server_next(&m, in, &ev);
		in = span_from(in, used);
		if (m.pending != POP3_NEED_BYTES)
			pop3_server_answer(
				&m, ev.kind == POP3_SETTLED ? ev.reply : POP3_OK("OK"), &out);
		buf_clear(&out);
	} while (in.len > 0 && ev.kind != POP3_CLOSE && (used > 0 || ev.kind != POP3_NEED_BYTES));
	pop3_server_fini(&m);
	buf_fini(&out);
}

/* As a stranger, or as one who has logged in; reads bring PIECE bytes each. */
static void
run_imap(struct span in, bool authenticated)
{
	struct imap_server_config config = { .message_size = MB, .bad_commands = UINT32_MAX - 1 };
	struct arena arena;
	struct imap_server m;
	struct imap_event ev = { .kind = IMAP_NEED_BYTES };
	struct buf out;
	size_t used, end = 0;

	arena_init(&arena, NULL);
	config.arena = &arena;
	buf_init(&out, 65536);
	imap_server_init(&m, &config, false);
	m.authenticated = authenticated;
	m.command.max = authenticated ? IMAP_COMMAND_MAX : IMAP_COMMAND_STRANGER;
	while (in.len > 0 && ev.kind != IMAP_CLOSE) {
		end = ev.kind == IMAP_NEED_BYTES ? end + PIECE : end;
		used = imap_server_next(&m, span_range(in, 0, end), &ev);
		in = span_from(in, used);
		end -= used < end ? used : end;
		if (ev.kind == IMAP_APPEND_BEGIN)
			imap_server_take(&m, &out);
		else if (m.pending != IMAP_NEED_BYTES)
			imap_server_answer(
				&m, ev.kind == IMAP_SETTLED ? ev.reply : IMAP_OK("OK"), &out);
		arena_reset(&arena);
		buf_clear(&out);
	}
	imap_server_fini(&m);
	buf_fini(&out);
}

static void
run_imap_stranger(struct span in, struct buf *out)
{
	(void)out;
	run_imap(in, false);
}

static void
run_imap_user(struct span in, struct buf *out)
{
	(void)out;
	run_imap(in, true);
}

/* All that walks arguments. */
static void
run_imap_arguments(struct span in, struct buf *out)
{
	struct imap_search search;
	struct imap_fetch fetch;
	struct imap_list list;
	struct imap_cursor c;
	struct arena arena;

	(void)out;
	arena_init(&arena, NULL);
	imap_cursor_init(&c, in, &arena);
	(void)!imap_take_search(&c, &search);
	imap_cursor_init(&c, in, &arena);
	(void)!imap_take_fetch(&c, true, &fetch);
	imap_cursor_init(&c, in, &arena);
	(void)!imap_take_list(&c, &list);
	imap_cursor_init(&c, span_from(in, 1), &arena);
	(void)!imap_skip_value(&c);
	arena_reset(&arena);
}

static void
run_imap_set(struct span in, struct buf *out)
{
	struct imap_seqset set;
	struct arena arena;

	(void)out;
	arena_init(&arena, NULL);
	(void)!imap_seqset_parse(&arena, in, &set);
	arena_reset(&arena);
}

static void
run_imap_utf7(struct span in, struct buf *out)
{
	(void)!imap_utf7_decode(in, out);
	buf_clear(out);
	(void)!imap_utf7_encode(in, out);
}

static void
run_json(struct span in, struct buf *out)
{
	const struct json *value;
	struct arena arena;

	(void)out;
	arena_init(&arena, NULL);
	(void)!json_parse(&arena, in, &value, NULL);
	arena_reset(&arena);
}

#define ROW(run, begin, unit) { #run " " unit, run, { begin, sizeof(begin) - 1 }, \
	{ unit, sizeof(unit) - 1 }, SIZE_MAX_TESTED }
#define ROW_JSON(begin, unit) { "json " unit, run_json, { begin, sizeof(begin) - 1 }, \
	{ unit, sizeof(unit) - 1 }, JSON_TEXT_MAX }

#define MIXED "Content-Type: multipart/mixed; boundary="

static const struct generator {
	const char *name;
	run_fn *run;
	struct span begin, unit;
	size_t size_max;
} generators[] = {
	ROW(run_header_walk, "", "a: b\r\n"),
	ROW(run_header_walk, "", "no colon\r\n"),
	ROW(run_header_walk, "a:", "\r\n b"),
	ROW(run_header_walk, "", "a"),
	ROW(run_header_walk, "a:", " "),
	ROW(run_header_walk, "", ":"),
	ROW(run_header_strip, "", "Delivered-To: a\r\nx: y\r\n"),
	ROW(run_header_strip, "Delivered-To:", "\r\n\t"),
	ROW(run_header_strip, "", "X-Spam-X-Spam-"),
	ROW(run_header_end, "", "\r\n\r"),
	ROW(run_mailboxes, "", "a@b.test,"),
	ROW(run_mailboxes, "", "("),
	ROW(run_mailboxes, "", "(a) "),
	ROW(run_mailboxes, "", "<"),
	ROW(run_mailboxes, "", "<>,"),
	ROW(run_mailboxes, "", "\"\\"),
	ROW(run_mailboxes, "", "a:"),
	ROW(run_mailboxes, "a", " "),
	ROW(run_mailboxes, "", "a [ "),
	ROW(run_decode, "", "=?utf-8?q?a?= "),
	ROW(run_decode, "", "=?"),
	ROW(run_decode, "", "=?a?q?"),
	ROW(run_decode, "", "=?utf-8?b?QUFB?="),
	ROW(run_decode, "=?utf-8?q?a?=", " "),
	ROW(run_mime, MIXED "b\r\n\r\n", "--b\r\n\r\nx\r\n"),
	ROW(run_mime, MIXED "b\r\n\r\n--b\r\n\r\n", "--c\r\n"),
	ROW(run_mime, MIXED "bbbbbbbbbbbbbbbbb\r\n\r\n", "--bbbbbbbbbbbbbbbbx\r\n"),
	ROW(run_mime, MIXED "b\r\n\r\n", "-"),
	ROW(run_mime, MIXED "b\r\n\r\n", "--b\r\nContent-Type: message/rfc822\r\n\r\n"),
	ROW(run_mime, MIXED "b\r\n\r\n", "--b\r\n" MIXED "b\r\n\r\n"),
	ROW(run_mime, MIXED "b\r\n\r\n--b\r\n", "X: y\r\n"),
	ROW(run_mime, "Content-Type: message/rfc822\r\n\r\n", "Content-Type: message/rfc822\r\n\r\n"),
	ROW(run_mime, "\r\n", "\n"),
	ROW(run_mime, "\r\n", "x"),
	ROW(run_mime, "To: ", "a,"),
	ROW(run_mime, "To: ", "("),
	ROW(run_mime, "To: ", "a:"),
	ROW(run_mime, "To: ", "\\\""),
	ROW(run_mime, "References: ", "<a@b> "),
	ROW(run_mime, "Subject: ", "=?utf-8?q?=C3=BC?= "),
	ROW(run_mime, "Content-Type: a/b", "; n*0*=utf-8''%C3"),
	ROW(run_mime, "Content-Type: a/b", "(;"),
	ROW(run_mime, "", "Content-Type: a/b\r\n"),
	ROW(run_mime_base64, "", "QUFB"),
	ROW(run_mime_base64, "", "Q!=\r\n"),
	ROW(run_quoted_printable, "", "=41"),
	ROW(run_quoted_printable, "", "= "),
	ROW(run_quoted_printable, "", " "),
	ROW(run_html, "", "<p>a &amp; "),
	ROW(run_html, "<style>", "</styl"),
	ROW(run_html, "", "<!-- --"),
	ROW(run_html, "", "&#"),
	ROW(run_charset_utf8, "", "\xc3"),
	ROW(run_charset_utf8, "", "\xf0\x9f\x98\x80"),
	ROW(run_unfold, "", "\r\n "),
	ROW(run_stuffing, "", ".\r\n"),
	ROW(run_stuffing, "", "a"),
	ROW(run_printable, "a", "\xcc\x81"),
	ROW(run_printable, "", "\xe2\x80\xae"),
	ROW(run_base64, "", "QUFB"),
	ROW(run_nocase, "", "aaaaaaac"),
	ROW(run_smtp_commands, "", "NOOP\r\n"),
	ROW(run_smtp_commands, "", "x"),
	ROW(run_smtp_commands, "EHLO a\r\nMAIL FROM:<>\r\n", "RCPT TO:<a@b.test>\r\n"),
	ROW(run_smtp_text, "", "a line of text\r\n"),
	ROW(run_smtp_text, "", "..\r\n"),
	ROW(run_smtp_text, "", "a"),
	ROW(run_pop3, "", "CAPA\r\n"),
	ROW(run_imap_stranger, "", "1 NOOP\r\n"),
	ROW(run_imap_stranger, "1 NOOP ", "("),
	ROW(run_imap_stranger, "", "1 x {3+}\r\nabc\r\n"),
	ROW(run_imap_stranger, "1 x {1000000+}\r\n", "y"),
	ROW(run_imap_user, "", "1 x {0+}\r\n{0+}\r\n\r\n"),
	ROW(run_imap_user, "1 x ", "{0+}\r\n"),
	ROW(run_imap_user, "1 APPEND x {1000000+}\r\n", "y"),
	ROW(run_imap_user, "", "1 APPEND x {3+}\r\nabc\r\n"),
	ROW(run_imap_arguments, " 1 (BODY[HEADER.FIELDS (", "a "),
	ROW(run_imap_arguments, " 1 BODY[", "1."),
	ROW(run_imap_arguments, " ", "OR SEEN "),
	ROW(run_imap_arguments, " ", "NOT "),
	ROW(run_imap_arguments, " ", "("),
	ROW(run_imap_arguments, " \"\" (", "% "),
	ROW(run_imap_arguments, " \"\" \"", "\\\\"),
	ROW(run_imap_arguments, " ", "1,"),
	ROW(run_imap_arguments, " TEXT \"", "a"),
	ROW(run_imap_set, "", "9,7,5,3,1,"),
	ROW(run_imap_set, "", "1:4294967295,"),
	ROW(run_imap_utf7, "", "&AOQ-x"),
	ROW(run_imap_utf7, "&", "AOQA5ADk"),
	ROW(run_imap_utf7, "", "\xc3\xa4"),
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
