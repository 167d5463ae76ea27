/*
 * test_tui_print.c - tables, values and the live view as text, hostile text above all.
 */
#include <locale.h>
#include <stdlib.h>

#include "proto/base/utf8.h"
#include "tests/unit/test_tui.h"
#include "tui/print_reply.h"
#include "tui/progress_line.h"
#include "tui/status_watch.h"

static const struct print_style style = { .utc = true };

/* What H70 forbids: controls but LF, C1, invalid UTF-8, bidi, zero-width, tags. */
static void
assert_harmless(struct span text)
{
	uint32_t code;

	while (text.len > 0) {
		assert_true(utf8_next(&text, &code));
		assert_true(code == '\n' || utf8_is_printable(code));
	}
}

static void
h70_hostile_text_is_harmless_in_every_form(void **state)
{
	static const char text[] = "{\"rows\":[{\"uid\":1,\"from\":\"\\u001b[2Jx\\u009b31m\",\"subject\":"
		"\"a\\u202eb\\u200b\\r\\n\\u0007\",\"date\":\"\\u001b]52;c;x\\u0007\",\"size\":4096,\"flags\":"
		"[\"\\u001b\",\"\\udb40\\udc41\"],\"held\":false,\"\\u001bkey\":\"\\u007f\"}]}";
	const struct json *json, *again;
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	assert_int_equal(json_parse(&a, span_of(text), &json, NULL), OK);
	for (int form = 0; form < 5; form++) {
		const struct json *row = json_find(json, SPAN("rows"))->first;

		buf_init(&out, TEXT_MAX);
		if (form < 2)
			print_reply(&out, &control_methods[CONTROL_message_list], json, NULL, form == 1,
				&style);
		else if (form == 2)
			print_object(&out, &control_methods[CONTROL_user_show], row, &style);
		else if (form == 3)
			print_trace(&out, row, &style);
		else
			print_log_line(&out, row, &style);
		assert_false(out.overflow);
		assert_true(buf_span(&out).len > 10);
		assert_harmless(buf_span(&out));
		if (form == 1)
			assert_int_equal(json_parse(&a, buf_span(&out), &again, NULL), OK);
		buf_fini(&out);
	}
	arena_reset(&a);
}

static void
cells_have_their_width_in_columns(void **state)
{
	static const struct {
		struct span in;
		size_t width;
		bool right;
		struct span want;
	} rows[] = {
		{ SPAN("abc"), 5, false, SPAN("abc  ") },
		{ SPAN("abc"), 5, true, SPAN("  abc") },
		{ SPAN("abcdef"), 5, false, SPAN("abcd~") },
		{ SPAN("m\xc3\xbcller"), 6, false, SPAN("m\xc3\xbcller") },
		{ SPAN("m\xc3\xbcller"), 4, false, SPAN("m\xc3\xbcl~") },
		{ SPAN("\xe6\x97\xa5\xe6\x9c\xac"), 5, false, SPAN("\xe6\x97\xa5\xe6\x9c\xac ") },
		{ SPAN("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"), 4, false, SPAN("\xe6\x97\xa5~ ") },
		{ SPAN("e\xcc\x81x"), 2, false, SPAN("e\xcc\x81x") },
	};
	(void)state;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out;

		buf_init(&out, TEXT_MAX);
		print_cell(&out, rows[i].in, rows[i].width, rows[i].right);
		check_row(i, span_eq(buf_span(&out), rows[i].want));
		buf_fini(&out);
	}
}

static void
values_are_for_people_in_tables(void **state)
{
	static const struct {
		const char *json;
		enum control_type type;
		const char *want;
	} rows[] = {
		{ "999", CONTROL_TYPE_SIZE, "999" },
		{ "1536", CONTROL_TYPE_SIZE, "1.5k" },
		{ "25165824", CONTROL_TYPE_SIZE, "24M" },
		{ "12", CONTROL_TYPE_DURATION, "12s" },
		{ "21660", CONTROL_TYPE_DURATION, "6h 1m" },
		{ "187200", CONTROL_TYPE_DURATION, "2d 4h" },
		{ "900", CONTROL_TYPE_DURATION, "15m" },
		{ "86461", CONTROL_TYPE_DURATION, "1d" },
		{ "0", CONTROL_TYPE_DURATION, "0s" },
		{ "\"2026-11-20T14:00:30Z\"", CONTROL_TYPE_TIME, "2026-11-20 14:00:30Z" },
		{ "\"2026-11-20T15:00:30.5+01:00\"", CONTROL_TYPE_TIME, "2026-11-20 14:00:30Z" },
		{ "null", CONTROL_TYPE_TIME, "-" },
		{ "true", CONTROL_TYPE_FLAG, "yes" },
		{ "[\"a\",\"b\"]", CONTROL_TYPE_LIST, "a, b" },
		{ "[]", CONTROL_TYPE_LIST, "-" },
		{ "{\"a\":1,\"b\":[2]}", CONTROL_TYPE_TEXT, "a=1 b=[2]" },
		{ "18446744073709551615", CONTROL_TYPE_SIZE, "15E" },
		{ "1.5", CONTROL_TYPE_NUMBER, "1.5" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct json *json;
		struct arena a;
		struct buf out;

		arena_init(&a, NULL);
		buf_init(&out, TEXT_MAX);
		assert_int_equal(json_parse(&a, span_of(rows[i].json), &json, NULL), OK);
		print_value(&out, json, rows[i].type, &style);
		check_row(i, span_eq(buf_span(&out), span_of(rows[i].want)));
		buf_fini(&out);
		arena_reset(&a);
	}
}

static void
a_table_fits_its_terminal(void **state)
{
	static const char text[] =
		"{\"rows\":[{\"uid\":1,\"from\":\"somebody.with.a.long.name@example.org\",\"subject\":"
		"\"a subject that goes on for quite a while, and then some more\",\"date\":"
		"\"2026-11-20T14:00:30Z\",\"size\":4096,\"flags\":[],\"held\":true}]}";
	struct print_style narrow = { .utc = true, .width = 80 };
	const struct json *json;
	struct span rest, line;
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, TEXT_MAX);
	assert_int_equal(json_parse(&a, span_of(text), &json, NULL), OK);
	print_reply(&out, &control_methods[CONTROL_message_list], json, NULL, false, &narrow);
	rest = buf_span(&out);
	assert_true(span_find(rest, '~') < rest.len);
	while (span_next_line(&rest, &line))
		assert_true(print_width(line) <= 80);
	buf_clear(&out);
	print_reply(&out, &control_methods[CONTROL_message_list], json, "size,uid", false, &narrow);
	assert_true(span_eq(buf_span(&out), SPAN("SIZE  UID\n4.0k    1\n")));
	buf_clear(&out);
	print_reply(&out, &control_methods[CONTROL_message_list], json, "size,uid", true, &narrow);
	assert_true(span_eq(buf_span(&out), SPAN("{\"size\":4096,\"uid\":1}\n")));
	buf_fini(&out);
	arena_reset(&a);
}
static void
sts_01_the_live_view_is_text(void **state)
{
	static const char text[] =
		"{\"version\":\"0.1\",\"uptime_s\":61,\"sessions\":{\"smtp\":2},\"queue\":{\"count\":3,\"bytes\":2048,"
		"\"held\":1},\"mailboxes\":{\"users\":2,\"messages\":9,\"bytes\":100},\"store\":{\"bytes\":4096},"
		"\"search\":{\"state\":\"indexing\",\"messages\":7,\"behind\":2,\"bytes\":2048},\"reload_fault\":\"bad file\"}";
	struct watch w = { .style = { .utc = true }, .connected = true };
	const struct json *status, *row;
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, TEXT_MAX);
	assert_int_equal(json_parse(&a, span_of(text), &status, NULL), OK);
	assert_int_equal(json_parse(&a, SPAN("{\"time\":\"2026-11-20T14:00:30Z\",\"level\":\"info\",\"text\":\"a\\u001b\"}"),
				 &row, NULL), OK);
	for (int i = 0; i < WATCH_LINES + 10; i++)
		watch_add_line(&w, row);
	assert_int_equal(w.line_count, WATCH_LINES);
	watch_draw(&w, status, 10, &out);
	assert_true(span_starts(buf_span(&out), SPAN(
		"Postroom 0.1, up 1m 1s\nSessions   - (smtp 2)\nQueue      3 waiting, 2.0kB, 1 held\n"
		"Mailboxes  2 users, 9 messages, 100 bytes\nStore      -, 4.0kB, disk free -\n"
		"Search     indexing, 7 messages, 2.0kB, 2 to come\n")));
	assert_true(span_find_span(buf_span(&out), SPAN("\n! the configuration file is not in force: "
							"bad file\n-- activity")) < buf_span(&out).len);
	assert_harmless(buf_span(&out));
	w.connected = false;
	buf_clear(&out);
	watch_draw(&w, NULL, 0, &out);
	assert_true(span_find_span(buf_span(&out), SPAN("NO SERVER")) < buf_span(&out).len);
	watch_fini(&w);
	buf_fini(&out);
	arena_reset(&a);
}

static void
a_long_command_says_how_far_it_is(void **state)
{
	static const struct {
		const char *params;
		int64_t now_ms;
		const char *text;
	} rows[] = {
		{ "{\"id\":1,\"done\":0,\"total\":40}", 1000, "0 of 40" },
		{ "{\"id\":1,\"done\":10,\"total\":40}", 1500, "10 of 40" },
		{ "{\"id\":1,\"done\":20,\"total\":40}", 11000, "20 of 40, 10s left" },
		{ "{\"id\":1,\"done\":40,\"total\":40}", 21000, "40 of 40" },
	};
	static const struct {
		const char *params;
		int64_t now_ms;
		const char *text;
	} bytes[] = {
		{ "{\"done\":1,\"total\":9,\"bytes\":1024,\"bytes_total\":21504}", 5000, "1 of 9, 1.0k of 21k" },
		{ "{\"done\":5,\"total\":9,\"bytes\":11264,\"bytes_total\":21504}", 15000,
			"5 of 9, 11k of 21k, 1.0k/s, 10s left" },
	};
	struct progress_line line = { .fd = -1 }, of_bytes = { .fd = -1 };
	const struct json *params;
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, TEXT_MAX);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(json_parse(&a, span_of(rows[i].params), &params, NULL), OK);
		buf_clear(&out);
		progress_line_put(&line, params, rows[i].now_ms, &out);
		assert_true(span_eq(buf_span(&out), span_of(rows[i].text)));
	}
	for (size_t i = 0; i < COUNT(bytes); i++) {
		assert_int_equal(json_parse(&a, span_of(bytes[i].params), &params, NULL), OK);
		buf_clear(&out);
		progress_line_put(&of_bytes, params, bytes[i].now_ms, &out);
		assert_true(span_eq(buf_span(&out), span_of(bytes[i].text)));
	}
	buf_fini(&out);
	arena_reset(&a);
}

int
test_tui_print(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(h70_hostile_text_is_harmless_in_every_form),
		cmocka_unit_test(cells_have_their_width_in_columns),
		cmocka_unit_test(values_are_for_people_in_tables),
		cmocka_unit_test(a_table_fits_its_terminal),
		cmocka_unit_test(sts_01_the_live_view_is_text),
		cmocka_unit_test(a_long_command_says_how_far_it_is),
	};

	return cmocka_run_group_tests_name("tui_print", tests, NULL, NULL);
}
