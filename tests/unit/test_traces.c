/*
 * test_traces.c - traces, their search, refusals, the end of old ones (H88).
 */
#include "tests/unit/directory_fixture.h"

#include <stdio.h>

#include "store/traces.h"

#define HOUR INT64_C(3600000)

struct trace_arg {
	struct trace t;
	uint64_t count;
	bool in_full, more;
	int64_t keep_from;
	uint64_t max_bytes;
	unsigned slices;
};

static enum err
add_trace(struct txn *txn, void *arg)
{
	return trace_add(txn, &((struct trace_arg *)arg)->t);
}

static enum err
append_trace(struct txn *txn, void *arg)
{
	return trace_append(txn, &((struct trace_arg *)arg)->t);
}

static enum err
refuse(struct txn *txn, void *arg)
{
	struct trace_arg *a = arg;

	return trace_refuse(txn, &a->t, a->count, &a->in_full);
}

static enum err
prune(struct txn *txn, void *arg)
{
	struct trace_arg *a = arg;

	return traces_prune(txn, a->keep_from, a->max_bytes, &a->more);
}

static void
prune_all(struct fixture *f, struct trace_arg *a)
{
	a->slices = 0;
	do {
		assert_int_equal(run(f, prune, a), OK);
		a->slices++;
	} while (a->more);
}

static struct trace_arg
arrival(uint64_t no, int64_t time_ms, struct span sender, struct span recipients)
{
	return (struct trace_arg){ .t = { .message_no = no,
					   .time_ms = time_ms,
					   .service = SPAN("smtp"),
					   .peer = SPAN("192.0.2.7"),
					   .sender = sender,
					   .recipients = recipients,
					   .recipient_count = 1,
					   .subject = SPAN("hello"),
					   .message_id = SPAN("<id-1@example.net>"),
					   .code = 250,
					   .text = SPAN("2.0.0 OK"),
					   .notes = SPAN("notes\0with a zero") } };
}

/* Numbers of all traces that fit, in the order found. */
static const char *
search(struct fixture *f, struct trace_query query)
{
	static char text[400];
	struct trace t;
	size_t len = 0;

	text[0] = '\0';
	look(f);
	while (trace_search(f->snap, &query, &t) == OK)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%d ", (int)t.message_no);
	return text;
}

static void
add_some(struct fixture *f)
{
	static const struct {
		uint64_t no;
		int hours;
		const char *from, *to;
		size_t to_len;
	} rows[] = {
		{ 1, 0, "anna@example.org", "bo@example.net", 15 },
		{ 2, 0, "bert@example.org", "anna@example.org", 17 },
		{ 3, 1, "anna@example.org", "cy@example.com\0bo@example.net", 30 },
		{ 5, 1, "", "anna@example.org", 17 },
		{ 9, 30, "Anna@Example.org", "dan@example.com", 16 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct trace_arg a = arrival(rows[i].no, FIXTURE_NOW + rows[i].hours * HOUR,
			span_of(rows[i].from), (struct span){ rows[i].to, rows[i].to_len });

		assert_int_equal(run(f, add_trace, &a), OK);
	}
}

static void
test_traces_search(void **state)
{
	struct fixture *f = *state;

	add_some(f);
	fixture_reopen(f);
	assert_string_equal(search(f, (struct trace_query){ 0 }), "9 5 3 2 1 ");
	assert_string_equal(
		search(f, (struct trace_query){ .from = SPAN("ANNA@example.org") }), "9 3 1 ");
	assert_string_equal(
		search(f, (struct trace_query){ .to = SPAN("anna@example.org") }), "5 2 ");
	assert_string_equal(search(f, (struct trace_query){ .from = SPAN("anna@example.org"),
					      .to = SPAN("bo@example.net") }),
		"3 1 ");
	assert_string_equal(search(f, (struct trace_query){ .message_id = SPAN("id-1@example.net"),
					      .since_ms = FIXTURE_NOW + 1 }),
		"9 5 3 ");
	assert_string_equal(search(f, (struct trace_query){ .since_ms = FIXTURE_NOW + HOUR,
					      .until_ms = FIXTURE_NOW + 2 * HOUR }),
		"5 3 ");
	assert_string_equal(
		search(f, (struct trace_query){.from = SPAN("nobody@example.org")}), "");
	assert_string_equal(search(f, (struct trace_query){ .message_id = SPAN("<other>") }), "");
}

static void
test_traces_parts_follow(void **state)
{
	struct fixture *f = *state;
	struct trace_arg a =
		arrival(7, FIXTURE_NOW, SPAN("a@example.org"), SPAN("b@example.net\0"));
	struct trace t;

	assert_int_equal(run(f, append_trace, &a), ERR_NOT_FOUND);
	assert_int_equal(run(f, add_trace, &a), OK);
	assert_int_equal(run(f, add_trace, &a), ERR_EXISTS);
	a.t.text = SPAN("451 4.3.0 later");
	a.t.time_ms += 5 * HOUR;
	a.t.recipients = SPAN("elsewhere@example.com\0");
	assert_int_equal(run(f, append_trace, &a), OK);
	a.t.text = SPAN("250 2.0.0 taken");
	assert_int_equal(run(f, append_trace, &a), OK);
	assert_int_equal(trace_find(look(f), 7, &t), OK);
	assert_span_eq(t.text, "2.0.0 OK");
	assert_int_equal(t.notes.len, 17);
	assert_int_equal(trace_part_next(f->snap, 7, 0, &t), OK);
	assert_span_eq(t.text, "451 4.3.0 later");
	assert_int_equal(trace_part_next(f->snap, 7, 1, &t), OK);
	assert_span_eq(t.text, "250 2.0.0 taken");
	assert_int_equal(trace_part_next(f->snap, 7, 2, &t), ERR_NOT_FOUND);
	assert_string_equal(
		search(f, (struct trace_query){.to = SPAN("elsewhere@example.com")}), "7 ");
}

static void
test_traces_limits(void **state)
{
	static char long_text[TRACE_NOTES_MAX + 1];
	struct fixture *f = *state;
	struct trace_arg a = arrival(7, FIXTURE_NOW, SPAN("a@example.org"), SPAN_NONE);
	struct span rest, address;
	struct buf recipients;
	struct trace t;
	size_t kept = 0;

	memset(long_text, 'x', sizeof(long_text));
	a.t.notes = (struct span){ long_text, sizeof(long_text) };
	assert_int_equal(run(f, add_trace, &a), ERR_LIMIT);
	a.t.notes.len = TRACE_NOTES_MAX;
	a.t.text = a.t.subject = (struct span){ long_text, TRACE_TEXT_MAX + 1 };
	buf_init(&recipients, 100000);
	for (int i = 0; i < 200; i++) {
		char name[40];

		snprintf(name, sizeof(name), "user%d@example.org", i);
		assert_int_equal(trace_recipient_put(&recipients, span_of(name)), OK);
	}
	a.t.recipients = buf_span(&recipients);
	assert_int_equal(run(f, add_trace, &a), OK);
	buf_fini(&recipients);
	assert_int_equal(trace_find(look(f), 7, &t), OK);
	assert_int_equal(t.text.len, TRACE_TEXT_MAX);
	assert_true(t.recipients.len <= TRACE_RECIPIENTS_MAX);
	for (rest = t.recipients; trace_recipient_next(&rest, &address); kept++)
		assert_true(span_ends_nocase(address, SPAN("@example.org"))); /* whole ones only */
	assert_true(kept > 40);
	assert_string_equal(
		search(f, (struct trace_query){.to = SPAN("user199@example.org")}), "7 ");
}

/* H88: 1,000 of one kind are one row and three traces. */
static void
test_traces_h88_refusals_are_counted(void **state)
{
	struct fixture *f = *state;
	struct trace_arg a =
		arrival(100, FIXTURE_NOW, SPAN("spam@example.net"), SPAN("x@example.org\0"));
	struct trace_counts counts;
	struct refusal_at at = { 0, 0 };
	struct refusal refusal;
	unsigned full = 0;

	a.t.code = 550;
	a.t.text = SPAN("no such user");
	for (int i = 0; i < 50; i++) {
		a.count = 20;
		a.t.time_ms = FIXTURE_NOW + i;
		a.t.message_no = 100 + full;
		assert_int_equal(run(f, refuse, &a), OK);
		full += a.in_full;
	}
	assert_int_equal(full, 1); /* 20 at a time: the first call alone passes the third */
	a.t.peer = SPAN("192.0.2.8");
	a.count = 1;
	for (int i = 0; i < 5; i++) {
		a.t.message_no = 200 + (uint64_t)i;
		assert_int_equal(run(f, refuse, &a), OK);
		full += a.in_full;
	}
	assert_int_equal(full, 1 + REFUSALS_IN_FULL);
	assert_int_equal(refusal_prev(look(f), &at, &refusal), OK);
	assert_true(refusal.count == 1000 || refusal.count == 5);
	assert_int_equal(refusal_prev(f->snap, &at, &refusal), OK);
	assert_span_eq(refusal.reason, "no such user");
	assert_span_eq(refusal.recipient, "x@example.org");
	assert_int_equal(refusal_prev(f->snap, &at, &refusal), ERR_NOT_FOUND);
	assert_int_equal(trace_count(f->snap, &counts), OK);
	assert_true(counts.bytes < 4096);
}

static void
test_traces_prune_by_age_and_size(void **state)
{
	struct fixture *f = *state;
	struct trace_arg a = { .max_bytes = UINT64_MAX };
	struct trace_counts counts;
	struct trace t;
	unsigned lines;

	add_some(f);
	for (uint64_t no = 1000; no < 1600; no++) {
		struct trace_arg more = arrival(no, FIXTURE_NOW + 40 * HOUR,
			SPAN("many@example.org"), SPAN("bo@example.net\0"));

		assert_int_equal(run(f, add_trace, &more), OK);
	}
	a.keep_from = FIXTURE_NOW / HOUR * HOUR + HOUR; /* the first hour */
	prune_all(f, &a);
	assert_string_equal(
		search(f, (struct trace_query){ .until_ms = FIXTURE_NOW + 35 * HOUR }), "9 5 3 ");
	assert_string_equal(search(f, (struct trace_query){.from = SPAN("bert@example.org")}), "");
	assert_int_equal(trace_count(look(f), &counts), OK);
	assert_int_equal(counts.oldest_ms, a.keep_from);
	a.keep_from = 0;
	a.max_bytes = counts.bytes - 1; /* the oldest hour is enough */
	prune_all(f, &a);
	assert_string_equal(
		search(f, (struct trace_query){ .until_ms = FIXTURE_NOW + 35 * HOUR }), "9 ");
	a.keep_from = FIXTURE_NOW + 100 * HOUR;
	prune_all(f, &a);
	assert_true(a.slices > 4);
	assert_int_equal(trace_count(look(f), &counts), OK);
	assert_int_equal(counts.rows, 0);
	assert_int_equal(counts.bytes, 0);
	assert_int_equal(trace_find(f->snap, 9, &t), ERR_NOT_FOUND);
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
}

/* H54: a clock that is set back makes no trace unreachable. */
static void
test_traces_h54_clock_set_back(void **state)
{
	struct fixture *f = *state;
	struct trace_arg a = arrival(10, FIXTURE_NOW, SPAN("a@example.org"), SPAN_NONE);
	struct trace_arg b = arrival(11, FIXTURE_NOW - 24 * HOUR, SPAN("a@example.org"), SPAN_NONE);
	struct trace_arg c = arrival(12, FIXTURE_NOW, SPAN("a@example.org"), SPAN_NONE);
	struct trace_arg p = { .keep_from = FIXTURE_NOW - HOUR, .max_bytes = UINT64_MAX };

	assert_int_equal(run(f, add_trace, &a), OK);
	assert_int_equal(run(f, add_trace, &b), OK);
	assert_int_equal(run(f, add_trace, &c), OK);
	assert_string_equal(
		search(f, (struct trace_query){.from = SPAN("a@example.org")}), "12 10 11 ");
	assert_string_equal(search(f, (struct trace_query){ 0 }), "12 10 11 ");
	prune_all(f, &p);
	assert_string_equal(search(f, (struct trace_query){ 0 }), "12 10 ");
}

int
test_traces(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_traces_search),
		T(test_traces_parts_follow),
		T(test_traces_limits),
		T(test_traces_h88_refusals_are_counted),
		T(test_traces_prune_by_age_and_size),
		T(test_traces_h54_clock_set_back),
	};
#undef T
	return cmocka_run_group_tests_name("traces", tests, NULL, NULL);
}
