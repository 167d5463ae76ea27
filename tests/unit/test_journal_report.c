/*
 * test_journal_report.c - the envelope around a message of the journal, written and read (JRN-04, JRN-05, Q-36).
 */
#include "tests/unit/test_proto.h"

#include "proto/mail/journal_report.h"
#include "proto/mime/mime_parser.h"

#include <string.h>

static const struct journal_recipient recipients[] = {
	{ JOURNAL_TO, JOURNAL_DIRECT, SPAN("bo@b.test"), SPAN("") },
	{ JOURNAL_BCC, JOURNAL_DIRECT, SPAN("carl@c.test"), SPAN("") },
	{ JOURNAL_CC, JOURNAL_EXPANDED, SPAN("dora@a.test"), SPAN("all@a.test") },
	{ JOURNAL_RECIPIENT, JOURNAL_FORWARDED, SPAN("ed@e.test"), SPAN("eve@a.test") },
};

#define LINES \
	"Sender: anna@a.test\r\nSubject: hi\r\nMessage-Id: <1@a.test>\r\nTo: bo@b.test\r\n" \
	"Bcc: carl@c.test\r\nCc: dora@a.test, Expanded: all@a.test\r\n" \
	"Recipient: ed@e.test, Forwarded: eve@a.test\r\n"

static struct journal_envelope
envelope(void)
{
	return (struct journal_envelope){ SPAN("anna@a.test"), SPAN("hi"), SPAN("<1@a.test>"),
		recipients, COUNT(recipients) };
}

static void
test_jrn_05_lines(void **state)
{
	struct journal_envelope e = envelope(), read;
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, 4096);
	assert_int_equal(journal_envelope_put(&out, &e), OK);
	assert_true(span_eq(buf_span(&out), SPAN(LINES)));
	assert_int_equal(journal_envelope_parse(&a, buf_span(&out), &read), OK);
	assert_int_equal(read.count, COUNT(recipients));
	for (size_t i = 0; i < read.count; i++) {
		assert_int_equal(read.recipients[i].word, recipients[i].word);
		assert_int_equal(read.recipients[i].way, recipients[i].way);
		assert_true(span_eq(read.recipients[i].address, recipients[i].address));
		assert_true(span_eq(read.recipients[i].source, recipients[i].source));
	}
	assert_true(span_eq(read.sender, SPAN("anna@a.test")));
	buf_fini(&out);
	arena_reset(&a);
}

/* What a stranger wrote begins no line (H11). */
static void
test_jrn_05_nothing_begins_a_line(void **state)
{
	struct journal_envelope e = envelope();
	struct buf out;

	(void)state;
	e.subject = SPAN("x\r\nTo: forged@x.test\r\n\xff");
	buf_init(&out, 4096);
	assert_int_equal(journal_envelope_put(&out, &e), OK);
	assert_true(span_find_span(buf_span(&out), SPAN("\nTo: forged")) == buf_span(&out).len);
	assert_true(span_find_span(buf_span(&out), SPAN("Subject: x??To: forged@x.test???\r\n")) <
		buf_span(&out).len);
	buf_fini(&out);
}

/* As others write it: what Exchange names besides, addresses in brackets, bare LFs, the null sender. */
static void
test_jrn_04_lines_of_others(void **state)
{
	static const struct {
		const char *text;
		enum err want;
		const char *sender;
		size_t count;
	} rows[] = {
		{ "Sender: a@a.test\nOn-Behalf-Of: b@a.test\nSubject: s\nMessage-ID: <x>\nRecipient: c@c.test\n",
			OK, "a@a.test", 1 },
		{ "Sender: <a@a.test>\r\nLabel: x\r\nSentUtc: 1\r\nto: Bo <bo@b.test>\r\n", OK, "a@a.test", 1 },
		{ "Sender: <>\r\nTo: bo@b.test\r\n", OK, "", 1 },
		{ "Sender: a@a.test\r\n", ERR_SYNTAX, NULL, 0 },
		{ "To: bo@b.test\r\n", ERR_SYNTAX, NULL, 1 },
		{ "Sender: not an address\r\nTo: bo@b.test\r\n", ERR_SYNTAX, NULL, 1 },
		{ "Sender: a@a.test\r\nTo: @@\r\nCc: c@c.test\r\n", OK, "a@a.test", 1 },
		{ "Hello,\r\nthis is a letter.\r\n", ERR_SYNTAX, NULL, 0 },
		{ "", ERR_SYNTAX, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct journal_envelope e;
		struct arena a;

		arena_init(&a, NULL);
		check_row(i, journal_envelope_parse(&a, at_page_edge(span_of(rows[i].text)), &e) == rows[i].want);
		check_row(i, e.count == rows[i].count);
		if (rows[i].want == OK)
			check_row(i, span_eq(e.sender, span_of(rows[i].sender)));
		arena_reset(&a);
	}
}

/* JRN-05: a MIME reader finds the lines and the original, byte for byte, 8-bit and boundary look-alikes included. */
static void
test_jrn_05_original_is_whole(void **state)
{
	static const char original[] =
		"From: x\r\nBcc: y\r\nSubject: \xc3\xa9\r\n\r\n--other\r\n..dots\r\n\xff\xfe 8-bit\r\n\r\n";
	struct journal_report r = { .from = SPAN("p@a.test"), .to = SPAN("j@j.test"),
		.message_id = SPAN("j1@a.test"), .boundary = SPAN("b0123456789"),
		.date = { 1700000000, 0 }, .trace = SPAN("Received: by a.test\r\n"), .envelope = envelope() };
	struct buf header, body, record;
	struct mime_derived derived;
	struct mime_walk at = { 0 };
	struct mime_part part;
	struct span whole, text;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&header, 65536);
	buf_init(&body, 65536);
	buf_init(&record, MIME_RECORD_MAX);
	r.envelope.subject = SPAN("caf\xc3\xa9");
	assert_int_equal(journal_report_put(&header, &body, &r), OK);
	assert_true(span_is_ascii(buf_span(&header)) && span_is_ascii(buf_span(&body)));
	assert_int_equal(buf_put(&body, SPAN(original)), OK);
	assert_int_equal(journal_report_put_end(&body, r.boundary), OK);
	whole = buf_span(&body);
	assert_int_equal(mime_derive(&a, buf_span(&header), &whole, 1, &record), OK);
	assert_int_equal(mime_derived_open(buf_span(&record), buf_span(&header), &derived), OK);
	assert_true(mime_part_next(&derived, &at, &part) && part.kind == MIME_MULTIPART);
	assert_true(mime_part_next(&derived, &at, &part) && part.media == MIME_MEDIA_PLAIN);
	assert_int_equal(part.encoding, MIME_BASE64);
	assert_true(mime_part_next(&derived, &at, &part) && part.kind == MIME_MESSAGE);
	text = span_range(whole, (size_t)part.body_offset - buf_span(&header).len,
		(size_t)(part.body_offset + part.body_size) - buf_span(&header).len);
	assert_int_equal(text.len, sizeof(original) - 1);
	assert_memory_equal(text.ptr, original, text.len);
	buf_fini(&record);
	buf_fini(&body);
	buf_fini(&header);
	arena_reset(&a);
}

/* Q-36, format plain: lines in front; what the original itself says there is not ours. */
static void
test_jrn_04_plain_copies(void **state)
{
	static const struct {
		const char *header;
		enum err want;
		const char *sender, *left; /* of the header, without those lines */
		size_t count;
	} rows[] = {
		{ "X-Envelope-From: <a@a.test>\r\nX-Envelope-Count: 1\r\nX-Envelope-To: <b@b.test>\r\n"
		  "X-Envelope-To: <forged@x.test>\r\nFrom: a\r\n\r\n", OK, "a@a.test",
			"X-Envelope-To: <forged@x.test>\r\nFrom: a\r\n\r\n", 1 },
		{ "Received: x\r\nX-Envelope-From: a@a.test\r\nX-Envelope-To: b@b.test, c@c.test\r\nTo: d\r\n\r\n",
			OK, "a@a.test", "Received: x\r\nTo: d\r\n\r\n", 2 },
		{ "X-Journal-Sender: <>\r\nX-Journal-Recipient: b@b.test\r\n\r\n", OK, "", "\r\n", 1 },
		{ "From: a\r\nX-Envelope-From: a@a.test\r\nX-Envelope-To: b@b.test\r\n\r\n", ERR_SYNTAX, NULL, NULL, 0 },
		{ "X-Envelope-To: b@b.test\r\n\r\n", ERR_SYNTAX, NULL, NULL, 1 },
		{ "X-Envelope-From: a@a.test\r\n\r\n", ERR_SYNTAX, NULL, NULL, 0 },
		{ "\r\n", ERR_SYNTAX, NULL, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span header = at_page_edge(span_of(rows[i].header)), left;
		struct journal_envelope e;
		size_t from, to;
		struct arena a;

		arena_init(&a, NULL);
		check_row(i, journal_plain_parse(&a, header, &e, &from, &to) == rows[i].want);
		check_row(i, e.count == rows[i].count);
		if (rows[i].want == OK) {
			left = arena_printf(&a, "%.*s%.*s", (int)from, header.ptr,
				SPAN_FMT(span_from(header, to)));
			check_row(i, span_eq(e.sender, span_of(rows[i].sender)));
			check_row(i, span_eq(left, span_of(rows[i].left)));
		}
		arena_reset(&a);
	}
}

static void
test_jrn_05_plain_round_trip(void **state)
{
	struct journal_envelope e = envelope(), read;
	struct arena a;
	struct buf out;
	size_t from, to;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, 4096);
	assert_int_equal(journal_plain_put(&out, &e), OK);
	assert_int_equal(journal_plain_parse(&a, buf_span(&out), &read, &from, &to), OK);
	assert_int_equal(read.count, COUNT(recipients));
	assert_true(span_eq(read.recipients[1].address, SPAN("carl@c.test")));
	assert_true(from == 0 && to == buf_span(&out).len);
	buf_fini(&out);
	arena_reset(&a);
}

/* 20,000 recipients: what does not fit is counted. */
static void
test_many_recipients(void **state)
{
	struct journal_recipient *many;
	struct journal_envelope e = envelope();
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, JOURNAL_TEXT_MAX);
	many = ARENA_ARRAY(&a, struct journal_recipient, 30000);
	for (size_t i = 0; i < 30000; i++) {
		many[i] = recipients[3];
		many[i].address = SPAN("a-recipient-with-a-rather-long-name@a-domain.example.test");
	}
	e.recipients = many;
	e.count = 30000;
	assert_int_equal(journal_envelope_put(&out, &e), OK);
	assert_true(span_find_span(buf_span(&out), SPAN("\r\nRecipients-Left-Out: ")) < buf_span(&out).len);
	buf_fini(&out);
	arena_reset(&a);
}

int
test_journal_report(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jrn_05_lines),
		cmocka_unit_test(test_jrn_05_nothing_begins_a_line),
		cmocka_unit_test(test_jrn_04_lines_of_others),
		cmocka_unit_test(test_jrn_05_original_is_whole),
		cmocka_unit_test(test_jrn_04_plain_copies),
		cmocka_unit_test(test_jrn_05_plain_round_trip),
		cmocka_unit_test(test_many_recipients),
	};

	return cmocka_run_group_tests_name("journal_report", tests, NULL, NULL);
}
