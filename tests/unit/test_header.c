/*
 * test_header.c - header sections: where they end, what is in them, what may be written.
 */
#include "proto/mail/header.h"
#include "proto/mail/header_edit.h"
#include "tests/unit/test_proto.h"

static const char sample[] = "Received: one\r\nreceived: two\r\n three\r\nFrom: a@example.org\r\n"
			     "Subject:  hello\r\n\tworld \r\nno field here\r\nDate: d\r\n"
			     "BCC: z@example.org\r\n\r\nFrom: body@example.org\r\n";

static struct span
the_sample(void)
{
	return at_page_edge(span_of(sample));
}

static void
test_header_find_and_count(void **state)
{
	(void)state;
	assert_int_equal(header_count(the_sample(), SPAN("RECEIVED")), 2);
	check_span(0, header_find(the_sample(), SPAN("subject")), SPAN("hello\r\n\tworld"));
	check_span(1, header_find(the_sample(), SPAN("From")), SPAN("a@example.org"));
	assert_null(header_find(the_sample(), SPAN("To")).ptr);
	assert_int_equal(header_count(the_sample(), SPAN("From")), 1); /* not the body's */
}

static void
test_header_check_facts(void **state)
{
	struct header_facts facts;

	(void)state;
	assert_int_equal(header_check(the_sample(), NULL, &facts), OK);
	assert_int_equal(facts.fields, 6);
	assert_int_equal(facts.received, 2);
	assert_int_equal(facts.from_fields, 1);
	assert_true(facts.has_date && facts.has_bcc && !facts.has_message_id);
	check_span(0, facts.subject, SPAN("hello\r\n\tworld"));
}

/* H7: fields n-1, n, n+1; a field of n-1, n, n+1 bytes. */
static void
test_header_h07_limits(void **state)
{
	struct header_facts facts;
	struct buf out;

	(void)state;
	buf_init(&out, 2 * HEADER_SIZE_MAX);
	for (int i = 0; i < HEADER_FIELDS_MAX - 1; i++)
		assert_int_equal(buf_put(&out, SPAN("A: b\r\n")), OK);
	for (int extra = -1; extra <= 1; extra++) {
		assert_int_equal(header_check(buf_span(&out), NULL, &facts), extra > 0 ? ERR_LIMIT : OK);
		assert_int_equal(buf_put(&out, SPAN("A: b\r\n")), OK);
	}
	for (int extra = -1; extra <= 1; extra++) {
		buf_clear(&out);
		assert_int_equal(
			buf_printf(&out, "A: %0*d\r\n", HEADER_FIELD_SIZE_MAX - 5 + extra, 0), OK);
		assert_int_equal(header_check(buf_span(&out), NULL, &facts), extra > 0 ? ERR_LIMIT : OK);
	}
	buf_clear(&out);
	while (buf_span(&out).len <= HEADER_SIZE_MAX)
		assert_int_equal(buf_put(&out, SPAN("no field, but a line\r\n")), OK);
	assert_int_equal(header_check(buf_span(&out), NULL, &facts), ERR_LIMIT);
	buf_fini(&out);
}

static void
test_header_end_over_pieces(void **state)
{
	static const struct {
		struct span message;
		size_t end;
		bool found;
	} rows[] = {
		{{"A: b\r\n\r\nbody", 12}, 8, true},
		{{"\r\nbody", 6}, 2, true},
		{{"A: b\r\nC: d\r\n", 12}, 12, false},
		{{"A\r\r\n\r\nx", 7}, 6, true},
		{{"A: b\r\n\rx\r\n\r\n", 12}, 12, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t split = 0; split <= rows[i].message.len; split++) {
			struct header_end end = {.matched = 0};
			struct span m = rows[i].message;
			size_t len = header_end_find(&end, at_page_edge(span_range(m, 0, split)));

			if (!end.found)
				len += header_end_find(&end, at_page_edge(span_from(m, split)));
			check_row(i, len == rows[i].end && end.found == rows[i].found);
		}
}

static void
test_header_put_h11(void **state)
{
	char value[1100];
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(
		header_put(&out, SPAN("Subject"), at_page_edge(SPAN("a\tb \xc3\xa9"))), OK);
	check_span(0, buf_span(&out), SPAN("Subject: a\tb \xc3\xa9\r\n"));
	assert_int_equal(header_put(&out, SPAN("A"), SPAN("b\r\nBcc: c")), ERR_SYNTAX);
	assert_int_equal(header_put(&out, SPAN("A"), SPAN("b\nc")), ERR_SYNTAX);
	assert_int_equal(header_put(&out, SPAN("A"), SPAN("b\0c")), ERR_SYNTAX);
	assert_int_equal(header_put(&out, SPAN("A"), SPAN("\xff")), ERR_SYNTAX);
	assert_int_equal(header_put(&out, SPAN("A:"), SPAN("b")), ERR_SYNTAX);
	assert_int_equal(header_put(&out, SPAN("A b"), SPAN("b")), ERR_SYNTAX);
	assert_int_equal(header_put(&out, SPAN(""), SPAN("b")), ERR_SYNTAX);
	memset(value, 'x', sizeof(value));
	for (size_t extra = 0; extra <= 2; extra++)
		assert_int_equal(header_put(&out, SPAN("A"),
					 (struct span){value, HEADER_LINE_MAX - 4 + extra}),
			extra > 1 ? ERR_LIMIT : OK);
	buf_fini(&out);
}

static void
test_header_smt21_h13_put_without(void **state)
{
	static const struct span bcc[] = {{"Bcc", 3}};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(
		header_put_without(&out,
			at_page_edge(SPAN(
				"A: b\r\nBCC: x,\r\n y\r\nno field\r\nbcc : z\r\nC: d\r\n\r\n")),
			bcc, 1),
		OK);
	check_span(0, buf_span(&out), SPAN("A: b\r\nno field\r\nC: d\r\n\r\n"));
	buf_clear(&out);
	assert_int_equal(
		header_put_without(&out,
			at_page_edge(SPAN("authentication-results: pass\r\nX-Spam-Flag: "
					  "YES\r\nX-Postroom-Hold: y\r\n"
					  "Delivered-To: a\r\nReturn-Path: <>\r\nTo: b\r\n")),
			header_trust_names, header_trust_count),
		OK);
	check_span(1, buf_span(&out), SPAN("To: b\r\n"));
	buf_fini(&out);
}

static void
test_header_mailboxes(void **state)
{
	static const struct {
		const char *list, *want; /* display|address; */
	} rows[] = {
		{"a@b.test", "|a@b.test;"},
		{"A B <a@b.test>, c@d.test", "A B|a@b.test;|c@d.test;"},
		{"\"B, A\" <a@b.test>,, ,", "\"B, A\"|a@b.test;"},
		{"a@b.test (Anna (x)), (c) d@e.test", "Anna (x)|a@b.test;c|d@e.test;"},
		{"Team: a@b.test, C <c@d.test>; e@f.test", "|a@b.test;C|c@d.test;|e@f.test;"},
		{"undisclosed-recipients:;", ""},
		{"A\r\n\t<a@b.test>", "A|a@b.test;"},
		{"<a@b.test", "|a@b.test;"},
		{"\"open", "|\"open;"},
		{"((((", ""},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span rest = at_page_edge(span_of(rows[i].list));
		struct header_mailbox m;

		buf_clear(&out);
		while (header_next_mailbox(&rest, &m))
			check_row(i, buf_printf(&out, "%.*s|%.*s;", SPAN_FMT(m.display),
					     SPAN_FMT(m.address)) == OK);
		check_span(i, buf_span(&out), span_of(rows[i].want));
	}
	buf_fini(&out);
}

/* USR-31, LOC-06: the letters of each mapped address change, and nothing else. */
static struct span
map_old_to_new(void *arg, struct span address)
{
	(void)arg;
	if (span_eq_nocase(address, SPAN("anna@old.test")))
		return SPAN("anna.long@new.test");
	return span_ends_nocase(address, SPAN("@old.test")) ? SPAN("x@new.test") : SPAN_NONE;
}

static void
test_header_put_mapped_usr31_loc06(void **state)
{
	static const struct {
		const char *header, *want;
	} rows[] = {
		{ "From: anna@old.test\r\n\r\nTo: anna@old.test\r\n",
			"From: anna.long@new.test\r\n\r\nTo: anna@old.test\r\n" },
		{ "TO: \"anna@old.test\" <anna@OLD.test>,\r\n  b@far.test (anna@old.test), bo@old.test\r\n",
			"TO: \"anna@old.test\" <anna.long@new.test>,\r\n  b@far.test (anna@old.test), "
			"x@new.test\r\n" },
		{ "Cc: Team: a@old.test;\r\nSubject: a@old.test\r\n",
			"Cc: Team: x@new.test;\r\nSubject: a@old.test\r\n" },
		{ "no field\r\nTo: a@far.test\r\n", "no field\r\nTo: a@far.test\r\n" },
		{ "To: ,,<a@old.test\r\n", "To: ,,<x@new.test\r\n" },
		{ "", "" },
	};
	static const struct span names[] = { { "to", 2 }, { "From", 4 }, { "Cc", 2 } };
	struct header_addresses all = { names, COUNT(names), 5, map_old_to_new, NULL };
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&out);
		check_row(i, header_put_mapped(&out, at_page_edge(span_of(rows[i].header)), &all) == OK);
		check_span(i, buf_span(&out), span_of(rows[i].want));
	}
	assert_int_equal(header_put_mapped(&out, SPAN("To: a@b, a@b, a@b, a@b, a@b, a@b\r\n"), &all),
		ERR_LIMIT);
	buf_fini(&out);
}

/* HDR-01: set once, whatever the client sent; removed; %O %N %%; and H11. */
static void
test_header_put_modified_hdr01(void **state)
{
	static const struct {
		const char *lines[3], *header, *want;
	} rows[] = {
		{ { "Organisation: X" }, "From: a@b.test\r\n\r\n",
			"From: a@b.test\r\nOrganisation: X\r\n\r\n" },
		{ { "Organisation: X" }, "ORGANISATION: y\r\n z\r\nTo: c@d.test\r\nOrganisation: w\r\n\r\n",
			"Organisation: X\r\nTo: c@d.test\r\n\r\n" },
		{ { "X-Mailer:" }, "X-mailer: a\r\nTo: c@d.test\r\nX-Mailer: b\r\n", "To: c@d.test\r\n" },
		{ { "X-Mailer:" }, "To: c@d.test\r\n", "To: c@d.test\r\n" },
		{ { "X-By: %N <%O>, 100%% %x %" }, "To: c@d.test\r\n\r\n",
			"To: c@d.test\r\nX-By: Anna A <anna@b.test>, 100% %x %\r\n\r\n" },
		{ { "A: 1", "B: 2", "a: 3" }, "B: x\r\n", "B: 2\r\na: 3\r\n" },
		{ { "A: \xc3\xa4" }, "", "A: =?utf-8?B?w6Q=?=\r\n" },
	};
	static const struct header_originator from = { { "anna@b.test", 11 }, { "Anna A", 6 } };
	struct header_modifier all[3];
	struct arena arena;
	struct buf out;

	(void)state;
	arena_init(&arena, NULL);
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t n = 0;

		for (; n < 3 && rows[i].lines[n]; n++) {
			all[n].found = false;
			check_row(i, header_modifier_parse(span_of(rows[i].lines[n]), &all[n]) == OK);
			all[n].value = header_modifier_fill(&arena, all[n].value, &from);
		}
		buf_clear(&out);
		check_row(i, header_put_modified(&out, at_page_edge(span_of(rows[i].header)), all, n) == OK);
		check_span(i, buf_span(&out), span_of(rows[i].want));
	}
	assert_int_equal(header_modifier_parse(SPAN("No colon"), all), ERR_SYNTAX);
	assert_int_equal(header_modifier_parse(SPAN(": x"), all), ERR_SYNTAX);
	assert_int_equal(header_modifier_parse(SPAN("A b: x"), all), ERR_SYNTAX);
	assert_int_equal(header_modifier_parse(SPAN("A: x\r\nB: y"), all), ERR_SYNTAX);
	buf_fini(&out);
	arena_reset(&arena);
}

int
test_header(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_find_and_count),
		cmocka_unit_test(test_header_check_facts),
		cmocka_unit_test(test_header_h07_limits),
		cmocka_unit_test(test_header_end_over_pieces),
		cmocka_unit_test(test_header_put_h11),
		cmocka_unit_test(test_header_smt21_h13_put_without),
		cmocka_unit_test(test_header_mailboxes),
		cmocka_unit_test(test_header_put_mapped_usr31_loc06),
		cmocka_unit_test(test_header_put_modified_hdr01),
	};

	return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
