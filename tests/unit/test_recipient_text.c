/*
 * test_recipient_text.c - who is meant in the text of a header: addresses, Received, templates, names beside, marks.
 */
#include "tests/unit/test_proto.h"

#include "proto/mail/header.h"
#include "proto/mail/recipient_text.h"

static void
check_address(size_t row, const char *in, const char *want)
{
	struct address address;
	struct arena arena;
	enum err err;

	arena_init(&arena, NULL);
	err = recipient_text_address(&arena, at_page_edge(span_of(in)), &address);
	check_row(row, want ? err == OK && span_eq(address.text, span_of(want)) : err != OK);
	arena_reset(&arena);
}

static void
test_addresses_inm_10(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "anna@example.org", "anna@example.org" },
		{ "  anna@Example.ORG ", "anna@example.org" },
		{ "<anna@example.org>", "anna@example.org" },
		{ "anna @ example . org", "anna@example.org" },
		{ "anna\r\n @example.org", "anna@example.org" },
		{ "anna (that is her) @ (and there) example.org", "anna@example.org" },
		{ "joe@hotmail.test(louise)", "joe@hotmail.test" },
		{ "joe@hotmail.test (a (nested) \\) one)", "joe@hotmail.test" },
		{ "\"anna b\"@example.org", "\"anna b\"@example.org" },
		{ "\"anna(b)\"@example.org", "\"anna(b)\"@example.org" },
		{ "'anna@example.org'", "anna@example.org" },
		{ "mailto:anna@example.org", "anna@example.org" },
		{ "MAILTO:anna@example.org", "anna@example.org" },
		{ "@a.test,@b.test:anna@example.org", "anna@example.org" },
		{ "anna", "anna" },
		{ "\xc3\xa4nne@b\xc3\xbc" "cher.test", "\xc3\xa4nne@b\xc3\xbc" "cher.test" },
		{ "anna@[192.0.2.1]", "anna@[192.0.2.1]" },
		{ "", NULL },
		{ "()", NULL },
		{ "anna bert@example.org", NULL },
		{ "anna@", NULL },
		{ "anna@example.org bert@example.org", NULL },
		{ "(open", NULL },
		{ "\"open", NULL },
		{ "@", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_address(i, rows[i].in, rows[i].want);
}

/* All of them, with blanks between. */
static void
check_for(size_t row, const char *in, const char *want)
{
	struct span rest = at_page_edge(span_of(in)), address;
	struct buf out;

	buf_init(&out, 1000);
	while (recipient_text_for(&rest, &address)) {
		assert_int_equal(buf_put(&out, address), OK);
		assert_int_equal(buf_put_char(&out, '|'), OK);
	}
	check_span(row, buf_span(&out), span_of(want));
	buf_fini(&out);
}

static void
test_received_inm_10_inm_15(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "from a by b with SMTP id X for <anna@example.org>; Tue, 13 Jan 1998 09:20:03 +0000",
			"<anna@example.org>|" },
		{ "from a\r\n\tby b id X\r\n\tfor anna@example.org; date", "anna@example.org|" },
		{ "by b for anna; date", "anna|" },
		{ "from for by for.example.net id for; date", "" },
		{ "from a (for <no@example.org>) by b; date for <x@example.org>", "" },
		{ "from a by b (envelope-from <x@y>) for <anna@example.org> (ORCPT bert@example.org); d",
			"<anna@example.org>|" },
		{ "by b for <a@x.test>, <b@x.test>; d", "<a@x.test>|<b@x.test>|" },
		{ "by b FOR (comment) <a@x.test>", "<a@x.test>|" },
		{ "by b for \"a b\"@x.test; d", "\"a b\"@x.test|" },
		{ "by b for <a@x.test", "<a@x.test|" },
		{ "by b for", "" },
		{ "by b for ;", "" },
		{ "(qmail 123 invoked for bert); d", "" },
		{ "", "" },
		{ "for (", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_for(i, rows[i].in, rows[i].want);
}

static void
test_template_inm_11(void **state)
{
	static const struct {
		const char *value, *template, *want;
	} rows[] = {
		{ "account-anna@dom.test", "account-*", "anna@dom.test" },
		{ " ACCOUNT-anna@dom.test\r\n ", "account-*", "anna@dom.test" },
		{ "account-anna@dom.test", "*", "account-anna@dom.test" },
		{ "x<anna@dom.test>y", "x<*>y", "anna@dom.test" },
		{ "other-anna@dom.test", "account-*", NULL },
		{ "account-", "account-*", "" },
		{ "ab", "ab*b", NULL },
		{ "account-anna", "account-", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span part = SPAN_NONE;
		bool fits = recipient_text_template(
			at_page_edge(span_of(rows[i].value)), span_of(rows[i].template), &part);

		check_row(i, fits == (rows[i].want != NULL));
		check_row(i, !fits || span_eq(part, span_of(rows[i].want)));
	}
}

static void
test_beside_inm_19(void **state)
{
	static const struct {
		const char *raw, *want;
	} rows[] = {
		{ "<joe@hotmail.test(louise)>", "louise|" },
		{ "(tim) <joe@hotmail.test>", "tim|" },
		{ "(louise) joe@hotmail.test", "louise|" },
		{ "<joe@hotmail.test> \"tim\"", "tim|" },
		{ "'louise' <joe@hotmail.test>", "louise|" },
		{ "tim <joe@hotmail.test>", "tim|" },
		{ "<joe@hotmail.test>", "" },
		{ "joe@hotmail.test", "" },
		{ "tim <joe@hotmail.test(sarah)>", "sarah|tim|" },
		{ "a (b) c <joe@hotmail.test (d)> e (f) g", "d|b|f|a|c|e|g|" },
		{ "\"with (brackets) <and>\" <joe@hotmail.test>", "with (brackets) <and>|" },
		{ "(open <joe@hotmail.test>", "open <joe@hotmail.test>|" },
		{ "<", "" },
		{ "", "" },
		{ "a b c d <x> (1) (2) (3) (4) (5) (6) (7) (8) (9) (10)", "1|2|3|4|5|6|7|8|" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span names[RECIPIENT_BESIDE_MAX];
		size_t count = recipient_text_beside(at_page_edge(span_of(rows[i].raw)), names, COUNT(names));
		struct buf out;

		buf_init(&out, 1000);
		for (size_t n = 0; n < count; n++) {
			assert_int_equal(buf_put(&out, names[n]), OK);
			assert_int_equal(buf_put_char(&out, '|'), OK);
		}
		check_span(i, buf_span(&out), span_of(rows[i].want));
		buf_fini(&out);
	}
}

static void
test_marks_inm_20(void **state)
{
	static const struct {
		const char *subject, *marker, *want;
	} rows[] = {
		{ "hello {fred}", "{*}", "fred|" },
		{ "{ fred } and {anna}", "{*}", "fred|anna|" },
		{ "{} {fred}", "{*}", "fred|" },
		{ "{{fred}}", "{*}", "{fred|" },
		{ "Hello (FOR fred) you", "(for*)", "fred|" },
		{ "(forfred)", "(for*)", "fred|" },
		{ "for: fred about", "for:*", "fred|" },
		{ "for:fred", "for:*", "fred|" },
		{ "a word fred: hello", "*:", "fred|" },
		{ "fred anna", "*", "fred|anna|" },
		{ "nothing", "{*}", "" },
		{ "{open", "{*}", "" },
		{ "{fred}", "{}", "" },
		{ "", "{*}", "" },
		{ "{0123456789012345678901234567890123456789012345678901234567890123456789} {x}", "{*}", "x|" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span rest = at_page_edge(span_of(rows[i].subject)), name;
		struct buf out;

		buf_init(&out, 1000);
		while (recipient_text_marked(&rest, span_of(rows[i].marker), &name)) {
			assert_int_equal(buf_put(&out, name), OK);
			assert_int_equal(buf_put_char(&out, '|'), OK);
		}
		check_span(i, buf_span(&out), span_of(rows[i].want));
		buf_fini(&out);
	}
}

/* The element as it stands, for the names beside the address. */
static void
test_raw_element(void **state)
{
	struct span rest = SPAN("(tim) <joe@h.test>, g: <joe@h.test(x)> \"y\" ; z"), want[] = {
		SPAN("(tim) <joe@h.test>"), SPAN(" <joe@h.test(x)> \"y\" "), SPAN(" z") };
	struct header_mailbox mailbox;
	size_t count = 0;

	(void)state;
	while (header_next_mailbox(&rest, &mailbox) && count < COUNT(want)) {
		check_row(count, span_eq(mailbox.raw, want[count]));
		count++;
	}
	assert_int_equal(count, COUNT(want));
}

int
test_recipient_text(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_inm_10),
		cmocka_unit_test(test_received_inm_10_inm_15),
		cmocka_unit_test(test_template_inm_11),
		cmocka_unit_test(test_beside_inm_19),
		cmocka_unit_test(test_marks_inm_20),
		cmocka_unit_test(test_raw_element),
	};

	return cmocka_run_group_tests_name("recipient-text", tests, NULL, NULL);
}
