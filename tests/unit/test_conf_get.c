/*
 * test_conf_get.c - settings by key, as text and as JSON, and the page that is made of the rows.
 */
#include "tests/unit/test_conf.h"

#include <stdio.h>
#include <string.h>

#include "conf/conf_page.h"
#include "conf/conf_shapes.h"
#include "conf/conf_texts.h"

static const char with_secret[] =
	"loops: 4\n"
	"log: { level: debug }\n"
	"services: { smtp: { listen: ['127.0.0.1:25', 'unix:a\"b'], access: ['10.0.0.0/8 noauth'] } }\n"
	"outgoing:\n"
	"  routes:\n"
	"    - { name: isp, servers: [a.test], password: canary, tls: verified }\n"
	"    - { name: two, servers: [a.test], password: {sealed: two} }\n"
	"trace: { keep: 36h, max_size: 1500KB }\n"
	"schedules: [{ name: work, days: [mon, fri], from: '9:00', to: '17:30', every: 60500ms }]\n";

static void
test_get_by_key(void **state)
{
	static const struct {
		const char *key, *text, *json;
	} rows[] = {
		{ "loops", "4", "4" },
		{ "log.level", "debug", "\"debug\"" },
		{ "log.max_size", "10MB", "10485760" },
		{ "trace.keep", "36h", "129600" },
		{ "trace.max_size", "1500KB", "1536000" },
		{ "smtp.require_auth", "no", "false" },
		{ "services.smtp.listen", "[\"127.0.0.1:25\",\"unix:a\\\"b\"]",
			"[\"127.0.0.1:25\",\"unix:a\\\"b\"]" },
		{ "services.smtp.access", "[\"10.0.0.0/8 noauth\"]", "[\"10.0.0.0/8 noauth\"]" },
		{ "outgoing.routes.isp.password", "(secret)", "\"(secret)\"" },
		{ "outgoing.routes.0.password", "(secret)", "\"(secret)\"" },
		{ "outgoing.routes.two.password", "{sealed: two}", "{\"sealed\":\"two\"}" },
		{ "outgoing.routes.1.name", "two", "\"two\"" },
		{ "schedules.work.from", "09:00", "\"09:00\"" },
		{ "schedules.work.every", "60500ms", "\"60500ms\"" },
		{ "schedules.work.days", "[\"mon\",\"fri\"]", "[\"mon\",\"fri\"]" },
		{ "collecting.collectors", "[]", "[]" },
		{ "lockout", "lockout.attempts: 5\nlockout.minutes: 10\nlockout.scope: source\n"
			     "lockout.apply_to_loopback: no\n",
			"{\"lockout.attempts\":5,\"lockout.minutes\":10,\"lockout.scope\":\"source\","
			"\"lockout.apply_to_loopback\":false}" },
	};
	struct conf *conf = test_conf_load(SPAN(with_secret));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf text, json;

		buf_init(&text, 10000);
		buf_init(&json, 10000);
		check_row(i, conf_get_text(conf, rows[i].key, &text) == OK);
		check_row(i, conf_get_json(conf, rows[i].key, &json) == OK);
		if (!span_eq(buf_span(&text), span_of(rows[i].text)) ||
			!span_eq(buf_span(&json), span_of(rows[i].json)))
			fail_msg("row %zu: %.*s %.*s", i, SPAN_FMT(buf_span(&text)),
				SPAN_FMT(buf_span(&json)));
		buf_fini(&text);
		buf_fini(&json);
	}
	conf_free(&conf);
}

static void
test_get_what_is_not_there(void **state)
{
	static const char *const rows[] = { "x", "log.", "log.x", "services.pop3.listen",
		"services.smtp", "outgoing.routes.2.name", "outgoing.routes.isp.x",
		"outgoing.routes.", "schedules.x.name", "lo" };
	struct conf *conf = test_conf_load(SPAN(with_secret));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf_entry entry;

		check_row(i, conf_find(conf, rows[i], &entry) == ERR_NOT_FOUND);
	}
	conf_free(&conf);
}

static void
test_get_full_buffer_is_a_limit(void **state)
{
	struct conf *conf = test_conf_load(SPAN(with_secret));

	(void)state;
	for (size_t max = 0; max < 500; max += 7) {
		struct buf buf;

		buf_init(&buf, max);
		assert_int_equal(conf_get_text(conf, "", &buf), ERR_LIMIT);
		buf_fini(&buf);
		buf_init(&buf, max);
		assert_int_equal(conf_get_json(conf, "", &buf), ERR_LIMIT);
		buf_fini(&buf);
	}
	conf_free(&conf);
}

struct seen {
	size_t count, given;
};

static bool
see(const struct conf_entry *entry, void *arg)
{
	struct seen *seen = arg;

	seen->count++;
	seen->given += !entry->is_default;
	assert_true(entry->setting->help[0] != '\0');
	return true;
}

#define ONE_MORE(...) +1
enum {
	SERVICE_KEYS = 0 SERVICE_ROWS(ONE_MORE),
	ROUTE_KEYS = 0 ROUTE_ROWS(ONE_MORE),
	SCHEDULE_KEYS = 0 SCHEDULE_ROWS(ONE_MORE),
};

static void
test_each_walks_all_and_show_hides_secrets_h66(void **state)
{
	struct conf *conf = test_conf_load(SPAN(with_secret));
	struct seen seen = { 0 };
	struct buf buf;

	(void)state;
	conf_each(conf, see, &seen);
	/* All rows; a service, 2 routes and a schedule in the place of 3. */
	assert_int_equal(seen.count, SETTINGS_COUNT - 3 + SERVICE_KEYS + 2 * ROUTE_KEYS + SCHEDULE_KEYS);
	assert_int_equal(seen.given, 4 + 2 + 4 + 3 + 5);
	buf_init(&buf, 100000);
	assert_int_equal(conf_get_text(conf, "", &buf), OK);
	assert_int_equal(conf_get_json(conf, "", &buf), OK);
	assert_true(span_find_span(buf_span(&buf), SPAN("canary")) == buf_span(&buf).len);
	buf_fini(&buf);
	conf_free(&conf);
}

/* Every text has a category, and every row of the table is a setting. */
static void
test_texts_have_their_rows_adm_12(void **state)
{
	size_t below = 0, rows = 0;

	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		below += span_starts(span_of(settings[i].key), SPAN("texts."));
	for (size_t i = 0; i < conf_text_count; i++) {
		check_row(i, setting_find(settings, SETTINGS_COUNT, span_of(conf_texts[i].key)) != NULL);
		check_row(i, i == 0 || strcmp(conf_texts[i - 1].category, conf_texts[i].category) <= 0);
		rows += span_starts(span_of(conf_texts[i].key), SPAN("texts."));
	}
	assert_int_equal(rows, below);
}

/* docs/settings.md is what the rows say; where it is not, the right one is in build/settings.md. */
static void
test_page_is_current(void **state)
{
	static char page[200000];
	FILE *file = fopen("docs/settings.md", "r");
	struct buf buf;
	size_t len = 0;

	(void)state;
	buf_init(&buf, sizeof(page));
	assert_int_equal(conf_page_put(&buf), OK);
	if (file != NULL) {
		len = fread(page, 1, sizeof(page), file);
		fclose(file);
	}
	if (!span_eq(buf_span(&buf), (struct span){ page, len })) {
		file = fopen("build/settings.md", "w");
		if (file != NULL) {
			fwrite(buf_span(&buf).ptr, 1, buf_span(&buf).len, file);
			fclose(file);
		}
		fail_msg("docs/settings.md is out of date; cp build/settings.md docs/");
	}
	buf_fini(&buf);
}

int
test_conf_get(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get_by_key),
		cmocka_unit_test(test_get_what_is_not_there),
		cmocka_unit_test(test_get_full_buffer_is_a_limit),
		cmocka_unit_test(test_each_walks_all_and_show_hides_secrets_h66),
		cmocka_unit_test(test_texts_have_their_rows_adm_12),
		cmocka_unit_test(test_page_is_current),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
