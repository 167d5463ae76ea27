/*
 * test_header.c - header sections: where they end, what is in them, what may be written.
 */
#include "proto/mail/header.h"
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
	};

	return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
