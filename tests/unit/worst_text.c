/*
 * worst_text.c - what is done with the text of messages, for test_worst_case.c.
 */
#include "proto/base/base64.h"
#include "proto/base/utf8.h"
#include "proto/mail/header.h"
#include "proto/mime/encoded_word.h"
#include "proto/mime/html_text.h"
#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_decoder.h"
#include "proto/mime/mime_parser.h"
#include "proto/smtp/smtp_data.h"
#include "tests/unit/worst_case.h"

void
worst_header_walk(struct span in, struct buf *out)
{
	struct header_facts facts;

	(void)out;
	assert_int_equal(header_count(in, SPAN("x")), 0);
	assert_null(header_find(in, SPAN("x")).ptr);
	(void)!header_check(span_range(in, 0, HEADER_SIZE_MAX), NULL, &facts);
}

void
worst_header_strip(struct span in, struct buf *out)
{
	assert_int_equal(header_put_without(out, in, header_trust_names, header_trust_count), OK);
}

void
worst_header_end(struct span in, struct buf *out)
{
	struct header_end end = { .found = false };

	(void)out;
	while (in.len > 0 && !end.found) {
		(void)header_end_find(&end, span_range(in, 0, WORST_PIECE));
		in = span_from(in, WORST_PIECE);
	}
}

void
worst_mailboxes(struct span in, struct buf *out)
{
	struct header_mailbox mailbox;

	(void)out;
	while (header_next_mailbox(&in, &mailbox))
		assert_true(mailbox.address.len > 0);
}

void
worst_decode(struct span in, struct buf *out)
{
	assert_int_equal(encoded_word_decode(out, in), OK);
}

/* IN is the whole message; its record, in OUT, is of a size that has a limit. */
void
worst_mime(struct span in, struct buf *out)
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

void
worst_mime_base64(struct span in, struct buf *out)
{
	run_decoder(in, out, MIME_BASE64);
}

void
worst_quoted_printable(struct span in, struct buf *out)
{
	run_decoder(in, out, MIME_QUOTED_PRINTABLE);
}

void
worst_html(struct span in, struct buf *out)
{
	assert_int_equal(html_text_put(out, in), OK);
}

void
worst_charset_utf8(struct span in, struct buf *out)
{
	struct mime_charset c;

	assert_int_equal(mime_charset_open(&c, MIME_CHARSET_UTF8), OK);
	for (; in.len > 0; in = span_from(in, 16384))
		assert_int_equal(mime_charset_put(&c, span_range(in, 0, 16384), out), OK);
	assert_int_equal(mime_charset_end(&c, out), OK);
}

void
worst_unfold(struct span in, struct buf *out)
{
	assert_int_equal(header_unfold(out, in), OK);
}

void
worst_stuffing(struct span in, struct buf *out)
{
	struct smtp_stuffing stuffing = { .in_line = false };

	assert_int_equal(smtp_stuffing_put(&stuffing, in, out), OK);
}

void
worst_printable(struct span in, struct buf *out)
{
	assert_int_equal(utf8_put_printable(out, in), OK);
	(void)utf8_is_valid(in);
}

void
worst_base64(struct span in, struct buf *out)
{
	(void)!base64_decode(in, out);
}

void
worst_nocase(struct span in, struct buf *out)
{
	(void)out;
	assert_int_equal(span_find_span_nocase(in, SPAN("aaaaaaab")), in.len);
}
