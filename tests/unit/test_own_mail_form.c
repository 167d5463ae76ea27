/*
 * test_own_mail_form.c - what a message looks like that the server writes itself.
 */
#include "tests/unit/test_own_mail.h"

#include "proto/mail/header.h"
#include "proto/mime/encoded_word.h"
#include "tests/harness/page_edge.h"

static void
put(struct buf *out, struct span subject, struct span text)
{
	struct own_mail mail = { .subject = subject, .text = text };
	struct own_mail_header header = { .from = SPAN("Mailer_Daemon@example.org"),
		.to = SPAN("anna@example.org"), .message_id = SPAN("1@mail.example.org"),
		.now_ms = 1700000000000, .zone_minutes = 60 };

	buf_init(out, 1 << 20);
	assert_int_equal(own_mail_put(out, &mail, &header), OK);
}

static void
test_form_loc_01(void **state)
{
	static const char want[] =
		"Date: Tue, 14 Nov 2023 23:13:20 +0100\r\n"
		"From: Mailer_Daemon@example.org\r\n"
		"To: anna@example.org\r\n"
		"Subject: Welcome\r\n"
		"Message-ID: <1@mail.example.org>\r\n"
		"Auto-Submitted: auto-generated\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: 7bit\r\n"
		"\r\n"
		"Hello\r\n"
		".\r\n"
		"\r\n"
		"..two\r\n";
	struct buf out;

	(void)state;
	put(&out, SPAN("Welcome"), at_page_edge(SPAN("Hello\n.\n\r\n..two")));
	assert_int_equal(buf_span(&out).len, strlen(want));
	assert_memory_equal(buf_span(&out).ptr, want, strlen(want));
	buf_fini(&out);
}

/* H11: whatever stands in a subject or a text, the header has the fields that we wrote. */
static void
test_hostile_text_h11(void **state)
{
	const struct span subjects[] = {
		SPAN("a\r\nBcc: eve@example.net"), SPAN("a\nX: y\n\nbody"),
		SPAN("\0\xff\x1b[2J"), SPAN("=?utf-8?B?DQo=?="), SPAN(""),
		SPAN("\xe2\x80\xaereversed"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(subjects); i++) {
		struct span subject;
		struct buf out, decoded;

		put(&out, at_page_edge(subjects[i]), SPAN("x\0y\r\rz\xff\n"));
		subject = header_find(buf_span(&out), SPAN("Subject"));
		assert_int_equal(header_count(buf_span(&out), SPAN("Bcc")), 0);
		assert_int_equal(header_count(buf_span(&out), SPAN("X")), 0);
		assert_true(holds(&out, "\r\n\r\nx?y??z?\r\n"));
		buf_init(&decoded, 4096);
		assert_int_equal(encoded_word_decode(&decoded, subject), OK);
		assert_false(span_has_control(buf_span(&decoded), SPAN_NONE));
		buf_fini(&decoded);
		buf_fini(&out);
	}
}

/* Subjects of any length and script come back as they were (RFC 2047), in lines of at most 76. */
static void
test_subject_round_trip(void **state)
{
	char letters[OWN_MAIL_SUBJECT_MAX];
	struct buf out, decoded;

	(void)state;
	for (size_t i = 0; i + 2 <= sizeof(letters); i += 2)
		memcpy(letters + i, "\xc3\xa9", 2);
	for (size_t len = 2; len <= sizeof(letters); len += 2) {
		struct span subject = { letters, len }, value, line, rest;

		put(&out, at_page_edge(subject), SPAN("x"));
		value = header_find(buf_span(&out), SPAN("Subject"));
		buf_init(&decoded, 4096);
		assert_int_equal(encoded_word_decode(&decoded, value), OK);
		assert_int_equal(buf_span(&decoded).len, len);
		assert_memory_equal(buf_span(&decoded).ptr, letters, len);
		for (rest = value; rest.len > 0;) {
			(void)span_cut(rest, '\n', &line, &rest);
			assert_in_range(line.len, 1, 77);
		}
		buf_fini(&decoded);
		buf_fini(&out);
	}
}

static void
test_long_lines(void **state)
{
	char text[5000];
	struct span rest, line;
	struct buf out;

	(void)state;
	for (size_t i = 0; i + 2 <= sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	put(&out, SPAN("long"), at_page_edge((struct span){ text, sizeof(text) }));
	for (rest = buf_span(&out); rest.len > 0;) {
		(void)span_cut(rest, '\n', &line, &rest);
		assert_in_range(line.len, 1, 999);
	}
	assert_true(holds(&out, "Content-Transfer-Encoding: 8bit"));
	buf_fini(&out);
}

int
test_own_mail_form(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form_loc_01),
		cmocka_unit_test(test_hostile_text_h11),
		cmocka_unit_test(test_subject_round_trip),
		cmocka_unit_test(test_long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
