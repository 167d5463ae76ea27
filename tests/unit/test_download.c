/*
 * test_download.c - download rules asked about one message: every action, every example of the manual, the limit, Ask
 * and its answers (DLR-01 to DLR-13, INM-04, INM-23, Q-29, Q-65, Q-67, Q-76, Q-82).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf_load.h"
#include "conf/conf_rules.h"
#include "server/collect/download.h"
#include "server/collect/source.h"
#include "tests/harness/page_edge.h"

int test_download_letters(void); /* test_download_letters.c */

#define DAY_MS INT64_C(86400000)
#define NOON INT64_C(1792929600000) /* 2026-10-25T12:00:00Z, a Sunday */
#define HEADER                                                                                     \
	"Received: from mx by pop for <louise@company.com>; Mon\r\nFrom: Bob <bob@spammers.net>\r\n"   \
	"To: anna@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= test\r\n\r\n"

/* ---- a question ---- */

struct asked {
	const char *keys;  /* of the collector, "leave_days: 2" */
	const char *rules, *header, *names;
	uint64_t size;
	const char *want;  /* download_does_name(), and " !" where somebody is told */
};

static struct conf *
load(const char *keys, const char *rules)
{
	struct conf *conf = NULL;
	struct conf_faults faults;
	struct arena a;

	arena_init(&a, NULL);
	conf_faults_init(&faults);
	if (conf_load(arena_printf(&a, "hostname: mail.example.org\ndomains: { default: example.org, local: [example.org] }\n"
		"collecting: { collectors: [ { name: box, server: pop.isp.test, username: u, accepted: [example.org]%s%s } ] }\n",
		keys[0] ? ", " : "", keys), &conf, &faults) != OK ||
		conf_rules_take(conf, RULE_FILE_DOWNLOAD, span_of(rules), &faults) != OK)
		fail_msg("%s: %.*s", rules, SPAN_FMT(faults.items[0].text));
	conf_faults_fini(&faults);
	arena_reset(&a);
	return conf;
}

static struct download_ask
ask_of(const struct conf *conf, const struct asked *row, struct span *names)
{
	struct span rest = span_of(row->names ? row->names : ""), one;
	struct download_ask ask = { .conf = conf, .rules = &conf->download_rules,
		.collector = &conf->collectors.items[0], .in_mail = 1, .has_head = true, .has_unique = true,
		.size = row->size, .now_ms = NOON, .names = names };

	while (rest.len > 0) {
		(void)span_cut(rest, ' ', &one, &rest);
		names[ask.name_count++] = one;
	}
	if (row->header)
		ask.header = at_page_edge(span_of(row->header));
	return ask;
}

static void
check_asked(size_t i, const struct asked *row)
{
	struct conf *conf = load(row->keys, row->rules);
	struct download_answer answer;
	struct span names[10];
	struct download_ask ask = ask_of(conf, row, names);
	struct arena a;
	struct span got;

	arena_init(&a, NULL);
	download_decide(&ask, &a, &answer);
	got = arena_printf(&a, "%s%s", download_does_name(&answer), answer.tells ? " !" : "");
	if (!span_eq(got, span_of(row->want)))
		fail_msg("row %zu: %.*s, not %s", i, SPAN_FMT(got), row->want);
	arena_reset(&a);
	conf_free(&conf);
}

#define CHECK(rows)                                                                                \
	for (size_t i = 0; i < COUNT(rows); i++)                                                   \
	check_asked(i, &(rows)[i])

/* ---- actions ---- */

/* F-DLR-1, the examples of the manual, 8.1.1. */
static void
test_actions_dlr04_dlr10(void **state)
{
	static const struct asked rows[] = {
		{ "", "*Delete message\nFrom: bob@spammers.net\n", HEADER, "anna", 100, "remove !" },
		{ "", "@Delete Silently\nSubject: test\n", HEADER, "anna", 100, "remove" },
		{ "", "~Ignore\nSubject: test\n", HEADER, "anna", 100, "leave" },
		{ "", "<Download important messages\nFrom: bob@\n*all else\n", HEADER, "anna", 100, "fetch" },
		{ "", "%Download and delete big messages\nsize: 1000000\n", HEADER, "anna", 1000001, "fetch and remove" },
		{ "", "%Download and delete big messages\nsize: 1000000\n", HEADER, "anna", 1000000, "fetch" },
		{ "", "?Ask about big messages\nsize: 1000000\n", HEADER, "anna", 2000000, "ask" },
		{ "", ">fred?Ask fred about big messages\nsize: 1000000\n", HEADER, "anna", 2000000, "ask" },
		{ "", ">fred*Delete big messages and tell fred\nsize: 1000000\n", HEADER, "anna", 2000000, "remove !" },
		{ "", ">fred<Redirect messages\nfrom: @spammers.net\n", HEADER, "anna", 1, "fetch" },
		{ "", ">fred%Redirect big messages and delete from ISP\nsize: 10\n", HEADER, "anna", 11, "fetch and remove" },
		{ "", ">+fred?both\n", HEADER, "anna", 11, "ask" },
		{ "", ">+fred*both\n", HEADER, "anna", 11, "remove !" },
		{ "", ">+fred<both\n", HEADER, "anna", 11, "fetch" },
		{ "", ">+fred%both\n", HEADER, "anna", 11, "fetch and remove" },
		{ "", "", HEADER, "anna", 11, "fetch" },
	};

	(void)state;
	CHECK(rows);
}

/* DLR-03, DLR-04, DLR-05, DLR-06, Q-65, Q-67. */
static void
test_conditions_dlr03_dlr05_dlr06_q65_q67(void **state)
{
	static const struct asked rows[] = {
		{ "", "*first\nSubject: test\n@second\nSubject: test\n", HEADER, "", 1, "remove !" }, /* only the first */
		{ "", "+@one of three\nTo: x\nFrom: bob\nSubject: y\n", HEADER, "", 1, "remove" },
		{ "", "@one of three\nTo: x\nFrom: bob\nSubject: y\n", HEADER, "", 1, "fetch" },
		{ "", "@s\n!Size: 10000\n", HEADER, "", 10000, "remove" },
		{ "", "@s\n!Size: 10000\n", HEADER, "", 10001, "fetch" },
		{ "", "@s\nX-Mailer:\n", HEADER, "", 1, "fetch" },
		{ "", "@s\nReceived:\n", HEADER, "", 1, "remove" },
		{ "", "@s\nSubject: gr\xc3\xbc\xc3\x9f" "e\n", HEADER, "", 1, "remove" }, /* RFC 2047 */
		{ "", "@s\nFrom: \"bob\"\n", HEADER, "", 1, "fetch" },
		{ "", "@s\nFrom:bob\n", HEADER, "", 1, "remove" },
		{ "", "@s\nRcpt: anna\n", HEADER, "bert anna", 1, "remove" },
		{ "", "@s\nRept: anna\n", HEADER, "bert anna", 1, "remove" },
		{ "", "@s\n!Rcpt: carl\n", HEADER, "bert anna", 1, "remove" },
		{ "", "@s\nRcpt: carl\n", HEADER, "bert anna", 1, "fetch" },
		{ "", "@s\nAny: spammers\n", HEADER, "", 1, "remove" },
		{ "", "@s\nTimeNow: 12:00-13:00\n", HEADER, "", 1, "remove" },
		{ "", "@s\nTimeNow: 11:00-12:00\n", HEADER, "", 1, "fetch" }, /* its end is not of it */
		{ "", "@s\nTimeNow: 22:00-12:01\n", HEADER, "", 1, "remove" },
		{ "", "@s\nDayNow: 1\n", HEADER, "", 1, "remove" },
		{ "", "@s\nDayNow: 23456\n", HEADER, "", 1, "fetch" },
		{ "", "@s\nInMail: 1,3-7,9\n", HEADER, "", 1, "remove" },
		{ "", "@s\nInMail: 2-4\n", HEADER, "", 1, "fetch" },
		{ "", "#off @s\n#off Subject: test\n", HEADER, "", 1, "fetch" },
	};

	(void)state;
	CHECK(rows);
}

#define JUNK(definition)                                                                           \
	definition "\nTo: Members@aol.com\nFrom: @inboxexpress.com\nTo: user@aol.com\nFrom: independent@mcmail.com\n" \
	"To: Friend@public.com\nTo: you@yourdomain.net\nTo: response@yerbiz.com\nTo: (Dear Friend)\n"  \
	"To: Secret@World.Inner.Circle\nSubject: $$$\nFrom: UKcallsave@aol.com\nFrom: shopnsave@juno.com\n" \
	"From: more@success-network.net\nTo: World.Friends@Planet.earth\nTo: anybody@yahoo.com\nFrom: @xxx\n" \
	"To: friend@everywhere.com\nTo: Mailman@newdomain.com\nTo: justice_for_all@dialaccess.com\n"
#define LOUISE                                                                                     \
	"+<Download any email for louise@company.com\nTo: louise@company.com\nCc: louise@company.com\n" \
	"Apparently-To: louise@company.com\nReceived: for <louise@company.com>\n\n~Ignore Everyone else's email\n"

/* DLR-12: the recipes of the manual, 8.1.4. */
static void
test_recipes_dlr12(void **state)
{
	static const struct asked rows[] = {
		{ "", JUNK("+@Silently delete spam"), "From: x@inboxexpress.com\r\n\r\n", "", 1, "remove" },
		{ "", JUNK("+@Silently delete spam"), "To: friend (Dear Friend) <a@b.test>\r\n\r\n", "", 1, "remove" },
		{ "", JUNK("+@Silently delete spam"), "Subject: make $$$ fast\r\n\r\n", "", 1, "remove" },
		{ "", JUNK("+@Silently delete spam"), HEADER, "", 1, "fetch" },
		{ "", JUNK("+?Ask about Spam"), "From: a@xxx\r\n\r\n", "", 1, "ask" },
		{ "", JUNK("+>spambox<Redirect spam into the 'spambox' mailbox"), "From: a@xxx\r\n\r\n", "", 1, "fetch" },
		{ "", LOUISE, "To: Louise <louise@company.com>\r\n\r\n", "", 1, "fetch" },
		{ "", LOUISE, "Cc: a@b.test, LOUISE@company.com\r\n\r\n", "", 1, "fetch" },
		{ "", LOUISE, "Apparently-To: louise@company.com\r\n\r\n", "", 1, "fetch" },
		{ "", LOUISE, HEADER, "", 1, "fetch" },
		{ "", LOUISE, "To: bert@company.com\r\n\r\n", "", 1, "leave" },
	};

	(void)state;
	CHECK(rows);
}

/* INM-04, DLR-13, Q-82, INM-23. */
static void
test_limit_inm04_dlr13_q82_inm23(void **state)
{
	static const struct asked rows[] = {
		{ "max_kb: 100", "", HEADER, "anna", 102400, "fetch" },
		{ "max_kb: 100", "", HEADER, "anna", 102401, "ask" },
		{ "max_kb: 100, download_rules: no", "", HEADER, "anna", 204800, "leave" },
		{ "max_kb: 100, download_rules: no, leave_days: 2", "", HEADER, "anna", 204800, "ask" },
		{ "max_kb: 100", "", NULL, "", 204800, "leave" }, /* no TOP: for manual care */
		{ "max_kb: 100", "<let it in\nSubject: test\n", HEADER, "anna", 204800, "fetch" },
		{ "max_kb: 100", "@junk\nSubject: test\n", HEADER, "anna", 204800, "remove" },
		{ "max_kb: 100", "@junk\nSubject: other\n", HEADER, "anna", 204800, "ask" },
		{ "max_kb: 100", "", HEADER, "anna", SOURCE_SIZE_UNKNOWN, "fetch" },
		{ "download_rules: no", "*all\n", HEADER, "anna", 1, "fetch" },
	};
	struct conf *conf = load("max_kb: 100", "");
	struct arena a;
	struct rule rule;

	(void)state;
	CHECK(rows);
	arena_init(&a, NULL);
	assert_true(download_limit_rule(&a, &conf->collectors.items[0], 1, &rule));
	assert_true(span_eq(rule_sign(&a, &rule), SPAN("?")));
	assert_true(span_eq(rule_condition_text(&a, &rule.conditions[0]), SPAN("Size: 102400")));
	conf_free(&conf);
	conf = load("max_kb: 100, download_rules: no", "");
	assert_false(download_limit_rule(&a, &conf->collectors.items[0], 1, &rule));
	arena_reset(&a);
	conf_free(&conf);
}

/* ---- when a header is fetched first ---- */

/* DLR-01: no rules, the flag off, or no rule that could hold: no TOP. */
static void
test_header_is_wanted_dlr01(void **state)
{
	static const struct {
		const char *keys, *rules;
		uint64_t size;
		bool want;
	} rows[] = {
		{ "", "", 100, false },
		{ "", "# only a comment\n", 100, false },
		{ "", "#off *all\n", 100, false },
		{ "", "*x\nSubject: y\n", 100, true },
		{ "download_rules: no", "*x\nSubject: y\n", 100, false },
		{ "", "?big\nSize: 1000000\n", 100, false },
		{ "", "?big\nSize: 1000000\n", 1000001, true },
		{ "", "?big\nSize: 1000000\nSubject: x\n", 100, false },
		{ "", "+?big\nSize: 1000000\nSubject: x\n", 100, true },
		{ "", "?big\nSize: 1000000\n", SOURCE_SIZE_UNKNOWN, true },
		{ "", "*night\nTimeNow: 1:00-2:00\nSubject: x\n", 100, false },
		{ "", "*here\nInMail: 2\n", 100, false },
		{ "", "*r\nRcpt: anna\n", 100, true },
		{ "", "*r\n!Rcpt: anna\n", 100, true },
		{ "", "~\n", 100, true },
		{ "max_kb: 1", "", 1025, true },
		{ "max_kb: 1, download_rules: no", "", 1025, false },
		{ "max_kb: 1", "", 1024, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf *conf = load(rows[i].keys, rows[i].rules);
		struct asked row = { .size = rows[i].size };
		struct span names[1];
		struct download_ask ask = ask_of(conf, &row, names);
		struct arena a;

		arena_init(&a, NULL);
		check_row(i, download_wanted(&ask, &a) == rows[i].want);
		ask.has_head = false;
		check_row(i, !download_wanted(&ask, &a));
		arena_reset(&a);
		conf_free(&conf);
	}
}

/* ---- Ask and Ignore over time ---- */

/* without UIDL and TOP Ask is Download; DLR-07: open, answered, over. */
static void
test_ask_over_time_dlr07_q29(void **state)
{
	struct conf *conf = load("", "?big\nSize: 1000\n");
	struct asked row = { .header = HEADER, .size = 2000 };
	struct download_answer answer;
	struct span names[1];
	struct download_ask ask = ask_of(conf, &row, names), blind = ask;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	blind.has_unique = false;
	download_decide(&blind, &a, &answer);
	assert_int_equal(answer.does, DOWNLOAD_FETCH);
	assert_false(answer.asks);
	blind = ask;
	blind.header = SPAN_NONE;
	blind.has_head = false;
	download_decide(&blind, &a, &answer);
	assert_int_equal(answer.does, DOWNLOAD_FETCH);

	ask.asked_until_ms = NOON + 1;
	assert_false(download_wanted(&ask, &a));
	download_decide(&ask, &a, &answer);
	assert_true(answer.does == DOWNLOAD_LEAVE && !answer.asks && answer.because == DOWNLOAD_BY_WAITING);
	ask.asked_until_ms = NOON;
	download_decide(&ask, &a, &answer);
	assert_true(answer.does == DOWNLOAD_REMOVE && !answer.tells && answer.because == DOWNLOAD_BY_EXPIRY);
	ask.given = DOWNLOAD_ANSWER_FETCH; /* also when it came late */
	download_decide(&ask, &a, &answer);
	assert_true(answer.does == DOWNLOAD_FETCH && answer.instead.len == 0 && answer.because == DOWNLOAD_BY_ANSWER);
	ask.given = DOWNLOAD_ANSWER_REMOVE;
	download_decide(&ask, &a, &answer);
	assert_true(answer.does == DOWNLOAD_REMOVE && answer.because == DOWNLOAD_BY_ANSWER);
	arena_reset(&a);
	conf_free(&conf);
}

/* Contract 8: ignored mail goes leave_days after it was first seen; with 0, or leave: always, never. */
static void
test_ignore_dlr10_q76(void **state)
{
	static const struct {
		const char *keys;
		int64_t age_ms;
		enum download_does want;
	} rows[] = {
		{ "leave_days: 2", 0, DOWNLOAD_LEAVE },
		{ "leave_days: 2", 2 * DAY_MS - 1, DOWNLOAD_LEAVE },
		{ "leave_days: 2", 2 * DAY_MS, DOWNLOAD_REMOVE },
		{ "", 1000 * DAY_MS, DOWNLOAD_LEAVE },
		{ "leave: always, leave_days: 2", 1000 * DAY_MS, DOWNLOAD_LEAVE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf *conf = load(rows[i].keys, "~not now\nSubject: test\n");
		struct asked row = { .header = HEADER, .size = 10 };
		struct download_answer answer;
		struct span names[1];
		struct download_ask ask = ask_of(conf, &row, names);
		struct arena a;

		arena_init(&a, NULL);
		ask.first_ms = NOON - rows[i].age_ms;
		download_decide(&ask, &a, &answer);
		check_row(i, answer.does == rows[i].want);
		arena_reset(&a);
		conf_free(&conf);
	}
}

/* DLR-08, DLR-09: to whom else; of a copy he comes besides. */
static void
test_targets_dlr08_dlr09(void **state)
{
	static const struct {
		const char *rules, *instead, *also;
	} rows[] = {
		{ ">fred?a\n", "fred", "" },
		{ ">+fred?a\n", "", "fred" },
		{ ">staff-list<a\n", "staff-list", "" },
		{ ">+fred%a\n", "", "fred" },
		{ "?a\n", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf *conf = load("", rows[i].rules);
		struct asked row = { .header = HEADER, .size = 10 };
		struct download_answer answer;
		struct span names[1];
		struct download_ask ask = ask_of(conf, &row, names);
		struct arena a;

		arena_init(&a, NULL);
		download_decide(&ask, &a, &answer);
		check_row(i, span_eq(answer.instead, span_of(rows[i].instead)) &&
			span_eq(answer.also, span_of(rows[i].also)) && answer.name.len == 1);
		arena_reset(&a);
		conf_free(&conf);
	}
}

/* Contract 8: with rules on, what is only for people elsewhere stays there, whatever a rule says. */
static void
test_elsewhere_is_left_contract_8(void **state)
{
	struct conf *conf = load("", "*all\n");
	struct asked row = { .header = HEADER, .size = 10 };
	struct download_answer answer;
	struct span names[1];
	struct download_ask ask = ask_of(conf, &row, names);
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	ask.only_elsewhere = true;
	download_decide(&ask, &a, &answer);
	assert_int_equal(answer.does, DOWNLOAD_REMOVE); /* *REMOTE of a mapping alone: the rules are asked */
	conf->collecting_unknown_do = UNKNOWN_REMOTE;
	assert_true(download_wanted(&ask, &a));
	download_decide(&ask, &a, &answer);
	assert_true(answer.does == DOWNLOAD_LEAVE && answer.because == DOWNLOAD_BY_ELSEWHERE);
	ask.only_elsewhere = false;
	download_decide(&ask, &a, &answer);
	assert_int_equal(answer.does, DOWNLOAD_REMOVE);
	arena_reset(&a);
	conf_free(&conf);
}

/* H75: what costs too much is downloaded, not lost. */
static void
test_costly_header_is_downloaded_h75(void **state)
{
	struct asked row = { .size = 10 };
	struct download_answer answer;
	struct download_ask ask;
	struct span names[1];
	struct buf rules, header;
	struct conf *conf;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&rules, 65536);
	buf_init(&header, 1 << 20);
	for (int i = 0; i < 100; i++)
		assert_int_equal(buf_printf(&rules, "@r\nAny: ab*ab*bb%s\n", i % 2 ? "*" : ""), OK);
	for (int i = 0; i < 900; i++) {
		assert_int_equal(buf_put(&header, SPAN("S: bb")), OK);
		for (int k = 0; k < 450; k++)
			assert_int_equal(buf_put(&header, SPAN("ab")), OK);
		assert_int_equal(buf_put(&header, SPAN("\r\n")), OK);
	}
	assert_int_equal(buf_put_char(&rules, '\0'), OK);
	conf = load("", buf_span(&rules).ptr);
	ask = ask_of(conf, &row, names);
	ask.header = buf_span(&header);
	download_decide(&ask, &a, &answer);
	assert_true(answer.does == DOWNLOAD_FETCH && answer.because == DOWNLOAD_BY_COST);
	arena_reset(&a);
	buf_fini(&header);
	buf_fini(&rules);
	conf_free(&conf);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_actions_dlr04_dlr10),
		cmocka_unit_test(test_conditions_dlr03_dlr05_dlr06_q65_q67),
		cmocka_unit_test(test_recipes_dlr12),
		cmocka_unit_test(test_limit_inm04_dlr13_q82_inm23),
		cmocka_unit_test(test_header_is_wanted_dlr01),
		cmocka_unit_test(test_ask_over_time_dlr07_q29),
		cmocka_unit_test(test_ignore_dlr10_q76),
		cmocka_unit_test(test_targets_dlr08_dlr09),
		cmocka_unit_test(test_elsewhere_is_left_contract_8),
		cmocka_unit_test(test_costly_header_is_downloaded_h75),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) + test_download_letters();
}
