/*
 * test_conf_edit.c - one key changed and every other byte kept (CFG-02).
 */
#include "tests/unit/test_conf.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf_diff.h"
#include "conf/conf_edit.h"
#include "conf/conf_shapes.h"
#include "conf/conf_value.h"
#include "tests/harness/page_edge.h"

static enum err
edit(struct span text, const char *key, const char *value, char *out, size_t size)
{
	struct conf_change change = {
		.key = at_page_edge(span_of(key)),
		.value = at_page_edge(span_of(value)),
		.remove = value == NULL,
	};
	static struct conf_faults faults;
	struct buf buf;
	enum err err;

	conf_faults_init(&faults);
	buf_init(&buf, size - 1);
	err = conf_edit(text, &change, &buf, &faults);
	if (buf_span(&buf).len > 0)
		memcpy(out, buf_span(&buf).ptr, buf_span(&buf).len);
	out[buf_span(&buf).len] = '\0';
	buf_fini(&buf);
	conf_faults_fini(&faults);
	return err;
}

static const struct {
	const char *text, *key, *value, *want;
} places[] = {
	/* change */
	{ "loops: 1 # one\n", "loops", "2", "loops: 2 # one\n" },
	{ "log: { level: info }   # x\n", "log.level", "debug",
		"log: { level: debug }   # x\n" },
	{ "log:\n    level:   info   # x\n    keep: 3\n", "log.level", "debug",
		"log:\n    level:   debug   # x\n    keep: 3\n" },
	{ "hostname: 'a.test' # q\n", "hostname", "b.test", "hostname: b.test # q\n" },
	{ "signature: { plain: a }\n", "signature.plain", "x: # y",
		"signature: { plain: \"x: # y\" }\n" },
	{ "hostname: a.test\n", "hostname", "", "hostname: \"\"\n" },
	{ "hostname: a.test\n", "hostname", "yes", "hostname: \"yes\"\n" },
	{ "domains:\n  local: # ours\n    - a.test\n    - b.test # two\n  map: []\n",
		"domains.local", "[\"c.test\"]",
		"domains:\n  local: [\"c.test\"] # ours\n  map: []\n" },
	{ "domains:\n  local:\n    # all of them\n    - a.test\n\n    # the last\n    - b.test\n",
		"domains.local", "[\"c.test\"]",
		"domains:\n  local: [\"c.test\"]\n    # all of them\n" },
	{ "domains:\n  local:\n  - a.test\n  - b.test", "domains.local", "[\"c.test\"]",
		"domains:\n  local: [\"c.test\"]\n" },
	{ "domains: # d\r\n  local:  # l\r\n  - a.test\r\n  map: []\r\n", "domains.local",
		"[]", "domains: # d\r\n  local: []  # l\r\n  map: []\r\n" },
	{ "services:\n  smtp:\n    listen:\n      - \"*:25\" # mx\n    access: # who\n      - "
	  "10.0.0.0/8\n  pop3:\n    listen: [\"*:110\"]\n",
		"services.smtp.access", "[\"::1\"]",
		"services:\n  smtp:\n    listen:\n      - \"*:25\" # mx\n    access: "
		"[\"::1\"] # who\n  pop3:\n    listen: [\"*:110\"]\n" },
	{ "domains: { local: [a.test], map: [] }\n", "domains.local",
		"[ \"c.test\",\n \"d.test\" ]",
		"domains: { local: [ \"c.test\",  \"d.test\" ], map: [] }\n" },
	{ "signature:\n  plain: |\n    one\n    two\n\n# end\nloops: 1\n", "signature.plain",
		"one\ntwo\n", "signature:\n  plain: \"one\\ntwo\\n\"\n\n# end\nloops: 1\n" },
	{ "outgoing:\n  routes:\n    - name: isp # x\n      kind: direct\n",
		"outgoing.routes.isp.port", "26",
		"outgoing:\n  routes:\n    - name: isp # x\n      kind: direct\n      port: "
		"26\n" },
	{ "outgoing:\n  routes:\n    - name: isp # x\n      kind: direct\n",
		"outgoing.routes.0.kind", "relay",
		"outgoing:\n  routes:\n    - name: isp # x\n      kind: relay\n" },
	{ "outgoing: { routes: [{ name: isp, kind: direct, password: x }] }\n",
		"outgoing.routes.isp.password", "{\"sealed\": \"isp\"}",
		"outgoing: { routes: [{ name: isp, kind: direct, password: {\"sealed\": "
		"\"isp\"} }] }\n" },
	/* add */
	{ "", "loops", "2", "loops: 2\n" },
	{ "# only this", "loops", "2", "# only this\nloops: 2\n" },
	{ "loops: 2", "log.level", "debug", "loops: 2\nlog: { level: debug }\n" },
	{ "loops: 2 # x\n\n# end\n", "log.level", "debug",
		"loops: 2 # x\nlog: { level: debug }\n\n# end\n" },
	{ "loops: 2\r\n", "log.keep", "3", "loops: 2\r\nlog: { keep: 3 }\r\n" },
	{ "log: { level: info }\n", "log.keep", "3", "log: { level: info, keep: 3 }\n" },
	{ "log: {}\n", "log.keep", "3", "log: { keep: 3 }\n" },
	{ "log:\n  # level: debug\nloops: 1\n", "log.keep", "3",
		"log: { keep: 3 }\n  # level: debug\nloops: 1\n" },
	{ "log:\n  level: info # x\nloops: 1\n", "log.keep", "3",
		"log:\n  level: info # x\n  keep: 3\nloops: 1\n" },
	{ "outgoing:\n  warnings: never\n", "outgoing.timeouts.data", "1m",
		"outgoing:\n  warnings: never\n  timeouts: { data: 1m }\n" },
	{ "loops: 1\n", "outgoing.timeouts.data", "1m",
		"loops: 1\noutgoing: { timeouts: { data: 1m } }\n" },
	{ "services:\n  smtp: { listen: [\"*:25\"] } # mx\n", "services.pop3.listen",
		"[\"*:110\"]",
		"services:\n  smtp: { listen: [\"*:25\"] } # mx\n  pop3: { listen: [\"*:110\"] "
		"}\n" },
	{ "{ loops: 1 }\n", "log.keep", "3", "{ loops: 1, log: { keep: 3 } }\n" },
	/* one more item: one key a line */
	{ "outgoing:\n  routes:\n    - { name: a, kind: direct } # one\n  warnings: never\n",
		"outgoing.routes.b", "{ \"name\": \"b\", \"kind\": \"direct\", \"domains\": [\"x.test\"] }",
		"outgoing:\n  routes:\n    - { name: a, kind: direct } # one\n    - name: b\n      kind: direct\n"
		"      domains: [\"x.test\"]\n  warnings: never\n" },
	{ "outgoing:\n  routes:\n  - name: a\n    kind: direct",
		"outgoing.routes.b", "{ name: b, kind: direct }",
		"outgoing:\n  routes:\n  - name: a\n    kind: direct\n  - name: b\n    kind: direct\n" },
	{ "outgoing:\r\n    routes:\r\n      -   name: a\r\n          kind: direct\r\n# end\r\n",
		"outgoing.routes.b", "{ name: b, kind: direct }",
		"outgoing:\r\n    routes:\r\n      -   name: a\r\n          kind: direct\r\n"
		"      -   name: b\r\n          kind: direct\r\n# end\r\n" },
	/* what stands in braces on one line is opened for it */
	{ "outgoing: { routes: [ { name: a, kind: direct } ], warnings: \"never\" } # ours\nloops: 1\n",
		"outgoing.routes.b", "{ name: b, kind: direct }",
		"outgoing: # ours\n  routes:\n    - { name: a, kind: direct }\n    - name: b\n      kind: direct\n"
		"  warnings: never\nloops: 1\n" },
	{ "outgoing: { routes: [] }\n", "outgoing.routes.b", "{ name: b, kind: direct }",
		"outgoing:\n  routes:\n    - name: b\n      kind: direct\n" },
	{ "outgoing: { warnings: never }", "outgoing.routes", "[ { name: b } ]",
		"outgoing:\n  warnings: never\n  routes:\n    - name: b\n" },
	{ "outgoing:\n    warnings: never\n    routes: []   # none\n", "outgoing.routes", "[ { name: b } ]",
		"outgoing:\n    warnings: never\n    routes:   # none\n        - name: b\n" },
	{ "outgoing:\n  routes: # none\n  warnings: never\n", "outgoing.routes", "[ { name: b } ]",
		"outgoing:\n  routes: # none\n    - name: b\n  warnings: never\n" },
	{ "outgoing: # none\nloops: 1\n", "outgoing.routes", "[ { name: b } ]",
		"outgoing: # none\n  routes:\n    - name: b\nloops: 1\n" },
	{ "loops: 1 # x\n\n# end\n", "outgoing.routes", "[ { name: a, kind: direct }, { name: b, password: \"a: b\" } ]",
		"loops: 1 # x\noutgoing:\n  routes:\n    - name: a\n      kind: direct\n    - name: b\n"
		"      password: \"a: b\"\n\n# end\n" },
	/* sections stand apart as they did */
	{ "loops: 1\n\n# ours\n# too\nlog: { keep: 3 }\n", "schedules", "[ { name: b } ]",
		"loops: 1\n\n# ours\n# too\nlog: { keep: 3 }\n\nschedules:\n  - name: b\n" },
	{ "loops: 1\r\n\r\nlog:\r\n  keep: 3", "outgoing.routes", "[ { name: b } ]",
		"loops: 1\r\n\r\nlog:\r\n  keep: 3\r\n\r\noutgoing:\r\n  routes:\r\n    - name: b\r\n" },
	{ "loops: 1\n\noutgoing:\n  warnings: never\n", "outgoing.routes", "[ { name: b } ]",
		"loops: 1\n\noutgoing:\n  warnings: never\n  routes:\n    - name: b\n" },
	{ "# none", "schedules", "[ { \"name\": \"b\" } ]", "# none\nschedules:\n  - name: b\n" },
	/* several lines in braces, or nothing but braces: more of the same */
	{ "outgoing: { # ours\n  routes: [ { name: a, kind: direct } ] }\n",
		"outgoing.routes.b", "{ name: b, kind: direct }",
		"outgoing: { # ours\n  routes: [ { name: a, kind: direct }, { name: b, kind: direct } ] }\n" },
	{ "{ outgoing: { routes: [] } }\n", "outgoing.routes.b", "{ name: b, kind: direct }",
		"{ outgoing: { routes: [ { name: b, kind: direct } ] } }\n" },
	/* keys of an item that stands in one line, and of one that does not */
	{ "outgoing:\n  routes:\n    - { name: a, kind: direct } # one\n", "outgoing.routes.a.port", "26",
		"outgoing:\n  routes:\n    - { name: a, kind: direct, port: 26 } # one\n" },
	/* remove */
	{ "a: &\n", "loops", NULL, NULL },
	{ "loops: 1 # x\nlog: { keep: 3 }\n", "loops", NULL, "log: { keep: 3 }\n" },
	{ "log: { keep: 3, level: info }\n", "log.keep", NULL, "log: { level: info }\n" },
	{ "log: { keep: 3, level: info }\n", "log.level", NULL, "log: { keep: 3 }\n" },
	{ "log: { keep: 3 }\n", "log.keep", NULL, "log: {  }\n" },
	{ "log:\n  keep: 3 # x\n  level: info\n", "log.keep", NULL, "log:\n  level: info\n" },
	{ "log:\n  level: info\n# c\nloops: 1\n", "log.level", NULL, "log:\n# c\nloops: 1\n" },
	{ "domains:\n  local:\n  - a.test\n  - b.test\n  map: []\n", "domains.local", NULL,
		"domains:\n  map: []\n" },
	{ "log: { keep: 3,  # three\n  level: info }\n", "log.level", NULL,
		"log: { keep: 3,  # three\n   }\n" },
	{ "outgoing:\n  routes:\n    - name: a\n      kind: direct\n    - name: b\n      kind: "
	  "direct\n  warnings: never\n",
		"outgoing.routes.a", NULL,
		"outgoing:\n  routes:\n    - name: b\n      kind: direct\n  warnings: never\n" },
	{ "outgoing:\n  routes: [{ name: a, kind: direct }, { name: b, kind: direct }]\n",
		"outgoing.routes.b", NULL,
		"outgoing:\n  routes: [{ name: a, kind: direct }]\n" },
	{ "services:\n  smtp: { listen: [\"*:25\"] }\n  pop3: { listen: [\"*:110\"] }\n",
		"services.smtp", NULL, "services:\n  pop3: { listen: [\"*:110\"] }\n" },
};

static void
test_edit_places_cfg02(void **state)
{
	static char got[5000];

	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		enum err err = edit(at_page_edge(span_of(places[i].text)), places[i].key, places[i].value,
			got, sizeof(got));

		if (places[i].want == NULL)
			check_row(i, err == ERR_SYNTAX && got[0] == '\0');
		else if (err != OK || strcmp(got, places[i].want) != 0)
			fail_msg("row %zu: %s\n got %s\nwant %s", i, err_name(err), got, places[i].want);
	}
}

/* Items change their order, each with the comments above it. */
static void
test_edit_moves_items_cfg02(void **state)
{
#define BLOCK "outgoing:\n  routes:\n"
#define A "    # the first\n    - { name: a, kind: direct } # x\n"
#define B "    - name: b\n      kind: direct\n"
#define C "    # two\n    # lines\n    - { name: c, kind: direct,\n        tls: none }\n"
	static const struct {
		const char *text, *key;
		size_t place;
		const char *want;
	} rows[] = {
		{ BLOCK A B C "  warnings: never\n", "outgoing.routes.c", 1,
			BLOCK C A B "  warnings: never\n" },
		{ BLOCK A B C "  warnings: never\n", "outgoing.routes.a", 2,
			BLOCK B A C "  warnings: never\n" },
		{ BLOCK A B C, "outgoing.routes.a", 99, BLOCK B C A },
		{ BLOCK A B C, "outgoing.routes.1", 2, BLOCK A B C },
		{ BLOCK A "    - { name: b, kind: direct }", "outgoing.routes.b", 1,
			BLOCK "    - { name: b, kind: direct }\n" A },
		{ "outgoing: { routes: [ { name: a, kind: direct },  { name: b, kind: direct } ] }\n",
			"outgoing.routes.b", 1,
			"outgoing: { routes: [ { name: b, kind: direct },  { name: a, kind: direct } ] }\n" },
		{ BLOCK A, "outgoing.routes.x", 1, NULL },
		{ "loops: 1\n", "loops", 1, NULL },
	};
	static struct conf_faults faults;
	struct buf buf;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf_change change = { .key = span_of(rows[i].key), .place = rows[i].place };
		enum err err;

		conf_faults_init(&faults);
		buf_init(&buf, 5000);
		err = conf_edit(at_page_edge(span_of(rows[i].text)), &change, &buf, &faults);
		if (!rows[i].want)
			check_row(i, err == ERR_NOT_FOUND);
		else if (err != OK || !span_eq(buf_span(&buf), span_of(rows[i].want)))
			fail_msg("row %zu: %s\n got %.*s\nwant %s", i, err_name(err),
				SPAN_FMT(buf_span(&buf)), rows[i].want);
		buf_fini(&buf);
		conf_faults_fini(&faults);
	}
#undef BLOCK
#undef A
#undef B
#undef C
}

static void
test_edit_refusals_cfg01(void **state)
{
	static const struct {
		const char *text, *key, *value;
		enum err want;
	} rows[] = {
		{ "loops: 1\n", "loop", "2", ERR_NOT_FOUND },
		{ "loops: 1\n", "log", "{}", ERR_NOT_FOUND },
		{ "loops: 1\n", "", "2", ERR_NOT_FOUND },
		{ "loops: 1\n", "services.smpt.listen", "[\"*:25\"]", ERR_NOT_FOUND },
		{ "loops: 1\n", "services..listen", "[\"*:25\"]", ERR_NOT_FOUND },
		{ "loops: 1\n", "log.level", NULL, ERR_NOT_FOUND },
		{ "outgoing: { routes: [] }\n", "outgoing.routes.isp.tls", "none", ERR_NOT_FOUND },
		{ "loops: 1\n", "loops", "99", ERR_SYNTAX },
		{ "loops: 1\n", "loops", "", ERR_SYNTAX },
		{ "loops: 1\n", "loops", "2\nhostname: x", ERR_SYNTAX },
		{ "loops: 1\n", "loops", "2 # x", ERR_SYNTAX },
		{ "loops: 1\n", "hostname", "a\nloops: 2", ERR_SYNTAX },
		{ "loops: 1\n", "domains.local", "a.test", ERR_SYNTAX },
		{ "loops: 1\n", "domains.local", "[a], loops: 3", ERR_SYNTAX },
		{ "loops: 1\n", "domains.local", "[a] # x", ERR_SYNTAX },
		{ "loops: 1\n", "domains.local", "[a", ERR_SYNTAX },
		{ "loops: 1\n", "domains.local", "- a", ERR_SYNTAX },
		{ "loops: 1\n", "domains.local", "[a]\n---\n[b]", ERR_SYNTAX },
		{ "loops: 1\n", "domains.local", "&x [a]", ERR_SYNTAX },
		{ "loops: x\n", "hostname", "a.test", ERR_SYNTAX },
		{ "loops: 1\n", "hostname", "\xff", ERR_SYNTAX },
		{ "signature: { plain: x }\n", "signature.plain", "a\xe2\x80\xa8"
								 "b",
			ERR_SYNTAX },
		{ "outgoing: { routes: [{ name: a, kind: direct, password: x }] }\n",
			"outgoing.routes.a.password", "(secret)", ERR_SYNTAX },
	};
	static char got[5000];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		check_row(i, edit(at_page_edge(span_of(rows[i].text)), rows[i].key, rows[i].value,
				     got, sizeof(got)) == rows[i].want);
		check_row(i, got[0] == '\0');
	}
}

/* What is the same at both ends, and so was not touched. */
static size_t
kept_bytes(struct span old, struct span new)
{
	size_t n = old.len < new.len ? old.len : new.len, head = 0, tail = 0;

	while (head < n && old.ptr[head] == new.ptr[head])
		head++;
	while (tail < n - head && old.ptr[old.len - 1 - tail] == new.ptr[new.len - 1 - tail])
		tail++;
	return head + tail;
}

/* Another good value for a row, in OUT. */
static bool
other_value(const struct conf_entry *entry, char *out, size_t size)
{
	const struct setting *row = entry->setting;
	struct buf buf;
	int64_t min = row->min + 1;
	unsigned next;

	buf_init(&buf, size - 1);
	if (row->type == SETTING_CHOICE) {
		next = *(const unsigned *)entry->value == 0 ? 1 : 0;
		assert_int_equal(buf_put(&buf, conf_word_at(row->unit, next)), OK);
	} else if (row->type == SETTING_BOOL) {
		assert_int_equal(
			buf_put(&buf, *(const bool *)entry->value ? SPAN("no") : SPAN("yes")), OK);
	} else if (row->type >= SETTING_SIZE && row->type <= SETTING_CLOCK) {
		min += *(const int64_t *)entry->value == min;
		assert_int_equal(conf_value_put_text(row, &min, &buf), OK);
	} else if (strcmp(row->key, "lan.threads") == 0) {
		assert_int_equal(buf_put(&buf, SPAN("[::1]:25-2 mail.b.test-1")), OK);
	} else if (strcmp(row->key, "journal.server") == 0) {
		assert_int_equal(buf_put(&buf, SPAN("[::1]:25")), OK);
	} else if (row->type == SETTING_TEXT || row->type == SETTING_LINES) {
		assert_int_equal(buf_put(&buf, SPAN("other \"text\": # {")), OK);
	} else if (row->type == SETTING_PATTERNS) {
		assert_int_equal(buf_put(&buf, SPAN("[\"other.test\", \"example.test\"]")), OK);
	}
	snprintf(out, size, "%.*s", SPAN_FMT(buf_span(&buf)));
	buf_fini(&buf);
	return out[0] != '\0' && strcmp(row->key, "name") != 0;
}

struct property {
	size_t tried;
};

static void
must_hold(const char *key, const char *text, const char *value, bool is_text)
{
	struct conf *conf = test_conf_load(span_of(text));
	struct conf_entry entry;
	struct buf buf;

	buf_init(&buf, 1000);
	assert_int_equal(conf_find(conf, key, &entry), OK);
	assert_false(entry.is_default);
	assert_int_equal(conf_put_text(&entry, &buf), OK);
	if (is_text)
		assert_true(span_eq(buf_span(&buf), span_of(value)));
	buf_fini(&buf);
	conf_free(&conf);
}

static bool
change_each(const struct conf_entry *entry, void *arg)
{
	static char got[20000], back[20000];
	struct property *p = arg;
	struct span old = test_conf_example;
	char value[200];
	enum err err;

	if (!other_value(entry, value, sizeof(value)) ||
		strcmp(entry->setting->key, "return_address") == 0 ||
		strcmp(entry->setting->key, "connection") == 0) /* no text at all, but a name there is */
		return true;
	err = edit(old, entry->key, value, got, sizeof(got));
	if (err != OK)
		fail_msg("%s = %s: %s", entry->key, value, err_name(err));
	must_hold(entry->key, got, value, entry->setting->type <= SETTING_LINES);
	/* At most the old value and an added section are not the same as before. */
	if (kept_bytes(old, span_of(got)) + 60 < old.len)
		fail_msg("%s: too much was touched", entry->key);
	if (entry->is_default) {
		/* Added and removed again: all of the old bytes are there, in order. */
		assert_int_equal(edit(span_of(got), entry->key, NULL, back, sizeof(back)), OK);
		if (kept_bytes(old, span_of(back)) < old.len)
			fail_msg("%s: not undone\n%s", entry->key, back);
	}
	p->tried++;
	return true;
}

static void
test_edit_each_key_keeps_the_rest_cfg02(void **state)
{
	struct conf *conf = test_conf_load(test_conf_example);
	struct property p = { 0 };

	(void)state;
	conf_each(conf, change_each, &p);
	assert_true(p.tried > 120);
	conf_free(&conf);
}

static void
test_edit_several_all_or_none(void **state)
{
	struct conf_change changes[] = {
		{ .key = SPAN("domains.default"), .value = SPAN("b.test") },
		{ .key = SPAN("domains.local"), .value = SPAN("[\"b.test\"]") },
		{ .key = SPAN("loops"), .value = SPAN("4") },
	};
	static struct conf_faults faults;
	struct buf buf;

	(void)state;
	conf_faults_init(&faults);
	buf_init(&buf, CONF_FILE_MAX);
	assert_int_equal(conf_edit_all(SPAN("domains: { local: [a.test] }\n"), changes, 3, &buf,
				 &faults),
		OK);
	assert_true(span_eq(buf_span(&buf),
		SPAN("domains: { local: [\"b.test\"], default: b.test }\nloops: 4\n")));
	buf_clear(&buf);
	changes[2].value = SPAN("x");
	assert_int_equal(conf_edit_all(SPAN("domains: { local: [a.test] }\n"), changes, 3, &buf,
				 &faults),
		ERR_SYNTAX);
	assert_int_equal(buf_span(&buf).len, 0);
	buf_fini(&buf);
	conf_faults_fini(&faults);
}

static void
test_diff_of_two_texts(void **state)
{
	static const struct {
		const char *old, *new, *want;
	} rows[] = {
		{ "a: 1\n", "a: 1\n", "" },
		{ "", "a: 1\n", "@@ -0,0 +1,1 @@\n+a: 1\n" },
		{ "a: 1\n", "", "@@ -1,1 +0,0 @@\n-a: 1\n" },
		{ "a: 1\nb: 2\nc: 3\n", "a: 1\nb: 9\nc: 3\n",
			"@@ -1,3 +1,3 @@\n a: 1\n-b: 2\n+b: 9\n c: 3\n" },
		{ "a: 1\n#1\n#2\n#3\n#4\n#5\n#6\n#7\nb: 2\n", "a: 9\n#1\n#2\n#3\n#4\n#5\n#6\n#7\nb: 9\n",
			"@@ -1,4 +1,4 @@\n-a: 1\n+a: 9\n #1\n #2\n #3\n"
			"@@ -6,4 +6,4 @@\n #5\n #6\n #7\n-b: 2\n+b: 9\n" },
		{ "a: 1\n#1\n#2\n#3\n#4\n#5\n#6\nb: 2\n", "a: 9\n#1\n#2\n#3\n#4\n#5\n#6\nb: 9\n",
			"@@ -1,8 +1,8 @@\n-a: 1\n+a: 9\n #1\n #2\n #3\n #4\n #5\n #6\n-b: 2\n+b: 9\n" },
		{ "r: [{ password: canary1, x: 1 }]\n", "r: [{ password: canary22, x: 1 }]\n",
			"@@ -1,1 +1,1 @@\n-r: [{ password: ****, x: 1 }]\n+r: [{ password: ****, x: 1 "
			"}]\n" },
		{ "password: |\n  canary\n  canary\n", "password: x\n",
			"@@ -1,3 +1,1 @@\n-password: ****\n-\n-\n+password: ****\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf buf;

		buf_init(&buf, 10000);
		check_row(i, conf_diff(span_of(rows[i].old), span_of(rows[i].new), &buf) == OK);
		if (!span_eq(buf_span(&buf), span_of(rows[i].want)))
			fail_msg("row %zu: got\n%.*s", i, SPAN_FMT(buf_span(&buf)));
		buf_fini(&buf);
	}
}

int
test_conf_edit(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edit_places_cfg02),
	cmocka_unit_test(test_edit_moves_items_cfg02),
		cmocka_unit_test(test_edit_refusals_cfg01),
		cmocka_unit_test(test_edit_each_key_keeps_the_rest_cfg02),
		cmocka_unit_test(test_edit_several_all_or_none),
		cmocka_unit_test(test_diff_of_two_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
