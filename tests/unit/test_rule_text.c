/*
 * test_rule_text.c - the rule languages: texts of rules, which of them holds, and changing them (SMR-02 to
 * SMR-12, DLR-03 to DLR-06, Q-30 to Q-33).
 */
#include "tests/unit/test_conf.h"

#include <string.h>

#include "conf/rule_edit.h"
#include "conf/rule_match.h"
#include "tests/harness/page_edge.h"

void
test_rules_parse(struct arena *a, const char *text, unsigned language, struct rule_set *out)
{
	struct conf_faults faults;

	conf_faults_init(&faults);
	if (rule_text_parse(strlen(text) < 4000 ? at_page_edge(span_of(text)) : span_of(text), language, a, out,
		    &faults) != OK)
		fail_msg("%.60s: %u: %.*s", text, faults.items[0].line, SPAN_FMT(faults.items[0].text));
	conf_faults_fini(&faults);
}

/* ---- what a message is, in a row of a table ---- */

struct asked {
	const char *rules, *from, *to, *header;
	unsigned stage, size, day, hour; /* size 0: not declared */
	unsigned count, want;            /* number of the rule; 0: none */
	unsigned in_mail;
};

void
test_rules_header(struct arena *a, const struct rule_set *set, const char *text, struct rule_header *out)
{
	struct span rest = span_of(text), line, name, value;

	rule_header_init(out, a, set);
	while (span_next_line(&rest, &line))
		if (span_cut(line, ':', &name, &value) && rule_header_wants(set, name))
			rule_header_add(out, a, set, name, span_trim(value), SPAN_NONE);
}

static void
add_recipients(struct arena *a, const char *text, struct rule_facts *facts)
{
	struct rule_text *all = ARENA_ARRAY(a, struct rule_text, 10);
	struct span rest = span_of(text), one;
	bool more = rest.len > 0;

	while (more) {
		more = span_cut(rest, ' ', &one, &rest);
		rule_text_make(a, one, &all[facts->recipient_count]);
		rule_text_join(&facts->recipient_pairs, &all[facts->recipient_count++]);
	}
	facts->recipients = all;
}

static void
check_asked(size_t i, const struct asked *row, unsigned language)
{
	struct rule_facts facts = { .stage = row->stage, .has_size = row->size > 0 || row->stage == 3,
		.declared = row->size > 0, .size = row->size, .day = row->day,
		.minute = row->hour * 60, .count = row->count, .in_mail = row->in_mail };
	struct rule_answer answer;
	struct rule_header header;
	struct rule_set set;
	struct arena a;

	arena_init(&a, NULL);
	test_rules_parse(&a, row->rules, language, &set);
	rule_text_make(&a, span_of(row->from), &facts.sender);
	add_recipients(&a, row->to ? row->to : "", &facts);
	if (row->header) {
		test_rules_header(&a, &set, row->header, &header);
		facts.header = &header;
	}
	check_row(i, rule_set_ask(&set, &facts, &answer) == OK);
	check_row(i, (answer.rule ? answer.rule->number : 0) == row->want);
	arena_reset(&a);
}

/* ---- SMTP rules ---- */

#define MAIL "bob@out.test"
#define HEADER "Subject: a test\nFrom: Bob <bob@out.test>\nX-Two: one\nX-Two: other\nX-None:\n"

static const struct asked smtp_rows[] = {
	/* SMR-12, the three examples; Q-33: 1 is Sunday */
	{ "1*r\n!MailFrom: *@local.com\n", "a@b.test", NULL, NULL, 1, 0, 1, 0, 0, 1, 0 },
	{ "1*r\n!MailFrom: *@local.com\n", "a@LOCAL.com", NULL, NULL, 1, 0, 1, 0, 0, 0, 0 },
	{ "2>bill<r\nRcptTo:sales@domain.com\nDayNow:2\n", MAIL, "sales@domain.com", NULL, 2, 0, 2, 0, 1, 1, 0 },
	{ "2>bill<r\nRcptTo:sales@domain.com\nDayNow:2\n", MAIL, "sales@domain.com", NULL, 2, 0, 1, 0, 1, 0, 0 },
	{ "3+*r\nFrom:*inbox@inboxexpress.com*\nSubject:*$$$*\nSubject:*sex*\n", MAIL, "a@b.test",
		"Subject: get $$$ now\n", 3, 0, 1, 0, 1, 1, 0 },
	{ "3+*r\nFrom:*inbox@inboxexpress.com*\nSubject:*$$$*\nSubject:*sex*\n", MAIL, "a@b.test", HEADER, 3, 0, 1, 0,
		1, 0, 0 },
	/* SMR-07: the whole value */
	{ "*r\nSubject: test\n", MAIL, "a@b.test", HEADER, 3, 0, 1, 0, 1, 0, 0 },
	{ "*r\nSubject: *test*\n", MAIL, "a@b.test", HEADER, 3, 0, 1, 0, 1, 1, 0 },
	{ "*r\nSubject: A TEST\n", MAIL, "a@b.test", HEADER, 3, 0, 1, 0, 1, 1, 0 },
	{ "*r\nsubject:a ?est\n", MAIL, "a@b.test", HEADER, 3, 0, 1, 0, 1, 1, 0 },
	{ "*r\nSubject: \"a test\"\n", MAIL, "a@b.test", HEADER, 3, 0, 1, 0, 1, 1, 0 },
	{ "*r\nFrom: \"Bob\" <bob@out.test>\n", MAIL, "a@b.test", HEADER, 3, 0, 1, 0, 1, 0, 0 },
	/* SMR-02: the first match ends it; off, comments, blanks */
	{ "# x\n\n  <a\n Subject: no\n<b\n\n*c\n", MAIL, "a@b.test", HEADER, 1, 0, 1, 0, 1, 2, 0 },
	{ "#off <a\n*c\n", MAIL, NULL, NULL, 1, 0, 1, 0, 1, 2, 0 },
	{ "*c\r\nMailFrom: bob@*\r\n", MAIL, NULL, NULL, 1, 0, 1, 0, 1, 1, 0 },
	/* SMR-03: + is one of them */
	{ "+*r\nSubject: no\nFrom: *bob@*\n", MAIL, "a@b.test", HEADER, 3, 0, 1, 0, 1, 1, 0 },
	{ "*r\nSubject: no\nFrom: *bob@*\n", MAIL, "a@b.test", HEADER, 3, 0, 1, 0, 1, 0, 0 },
	{ "+*r\n", MAIL, NULL, NULL, 1, 0, 1, 0, 1, 1, 0 },
	/* SMR-09: without conditions at once */
	{ "*r\n", MAIL, NULL, NULL, 1, 0, 1, 0, 1, 1, 0 },
	{ "*r\n", MAIL, "a@b.test", NULL, 2, 0, 1, 0, 1, 0, 0 },
	/* SMR-04: the earliest stage that knows all */
	{ "*r\nRcptTo: a@b.test\nMailFrom: *\n", MAIL, NULL, NULL, 1, 0, 1, 0, 1, 0, 0 },
	{ "*r\nRcptTo: a@b.test\nMailFrom: *\n", MAIL, "A@b.test", NULL, 2, 0, 1, 0, 1, 1, 0 },
	{ "3*r\nMailFrom: *\n", MAIL, NULL, NULL, 1, 0, 1, 0, 1, 0, 0 },
	{ "3*r\nMailFrom: *\n", MAIL, NULL, HEADER, 3, 0, 1, 0, 1, 1, 0 },
	/* SMR-05, Q-30: a size that was not declared */
	{ "*r\nSize: 100\n", MAIL, NULL, NULL, 1, 101, 1, 0, 1, 1, 0 },
	{ "*r\nSize: 100\n", MAIL, NULL, NULL, 1, 100, 1, 0, 1, 0, 0 },
	{ "*r\nSize: 100\n", MAIL, NULL, NULL, 1, 0, 1, 0, 1, 0, 0 },
	{ "*r\n!Size: 100\n", MAIL, NULL, NULL, 1, 0, 1, 0, 1, 0, 0 },
	{ "*r\n!Size: 100\n", MAIL, NULL, HEADER, 3, 0, 1, 0, 1, 1, 0 },
	{ "*r\n!Size: 100\n", MAIL, NULL, HEADER, 3, 99, 1, 0, 1, 0, 0 }, /* it was asked at stage 1 */
	{ "1*r\n!Size: 100\n", MAIL, NULL, HEADER, 3, 0, 1, 0, 1, 0, 0 }, /* of stage 1 alone */
	{ "*r\nSize: 1k\n", MAIL, NULL, NULL, 1, 1025, 1, 0, 1, 1, 0 },
	{ "*r\nSize: =77\n", MAIL, NULL, NULL, 1, 77, 1, 0, 1, 1, 0 },
	{ "*r\nSize: =77\n", MAIL, NULL, NULL, 1, 78, 1, 0, 1, 0, 0 },
	/* Q-32 */
	{ "*r\nRcptCount: 2\n", MAIL, "a@b.test", NULL, 2, 0, 1, 0, 2, 0, 0 },
	{ "*r\nRcptCount: 2\n", MAIL, "a@b.test", NULL, 2, 0, 1, 0, 3, 1, 0 },
	{ "*r\nRcptCount: =2\n", MAIL, "a@b.test", NULL, 2, 0, 1, 0, 2, 1, 0 },
	/* clock: the end is not in it; over midnight */
	{ "*r\nTimeNow: 8:00-14:00\n", MAIL, NULL, NULL, 1, 0, 1, 8, 1, 1, 0 },
	{ "*r\nTimeNow: 8:00-14:00\n", MAIL, NULL, NULL, 1, 0, 1, 14, 1, 0, 0 },
	{ "*r\n!TimeNow: 8-14\n", MAIL, NULL, NULL, 1, 0, 1, 14, 1, 1, 0 },
	{ "*r\nTimeNow: 22:00-6:00\n", MAIL, NULL, NULL, 1, 0, 1, 23, 1, 1, 0 },
	{ "*r\nTimeNow: 22:00-6:00\n", MAIL, NULL, NULL, 1, 0, 1, 5, 1, 1, 0 },
	{ "*r\nTimeNow: 22:00-6:00\n", MAIL, NULL, NULL, 1, 0, 1, 12, 1, 0, 0 },
	{ "*r\nTimeNow: 0:00-24:00\n", MAIL, NULL, NULL, 1, 0, 1, 23, 1, 1, 0 },
	{ "*r\nDayNow: 23456\n", MAIL, NULL, NULL, 1, 0, 7, 0, 1, 0, 0 },
	{ "*r\nDayNow: 23456\n", MAIL, NULL, NULL, 1, 0, 6, 0, 1, 1, 0 },
	/* contract 8: negated and absent, any of several, a field without text */
	{ "*r\n!X-Spam: yes\n", MAIL, NULL, HEADER, 3, 0, 1, 0, 1, 1, 0 },
	{ "*r\nX-Spam: *\n", MAIL, NULL, HEADER, 3, 0, 1, 0, 1, 0, 0 },
	{ "*r\nX-Two: other\n", MAIL, NULL, HEADER, 3, 0, 1, 0, 1, 1, 0 },
	{ "*r\n!X-Two: other\n", MAIL, NULL, HEADER, 3, 0, 1, 0, 1, 0, 0 },
	{ "*r\nX-None:\n", MAIL, NULL, HEADER, 3, 0, 1, 0, 1, 1, 0 },
	{ "*r\n!X-None:\n", MAIL, NULL, HEADER, 3, 0, 1, 0, 1, 0, 0 },
	{ "*r\nX-Other:\n", MAIL, NULL, HEADER, 3, 0, 1, 0, 1, 0, 0 },
	{ "*r\nAny: *oth*\n", MAIL, NULL, HEADER, 3, 0, 1, 0, 1, 1, 0 },
	{ "*r\nAny: nowhere\n", MAIL, NULL, HEADER, 3, 0, 1, 0, 1, 0, 0 },
	/* SMR-06: the envelope, not the header */
	{ "*r\nRcptTo: x@y.test\n", MAIL, "a@b.test", "To: x@y.test\n", 2, 0, 1, 0, 1, 0, 0 },
	{ "3*r\nRcptTo: c@d.test\n", MAIL, "a@b.test c@d.test", HEADER, 3, 0, 1, 0, 2, 1, 0 },
	{ "*r\nMailFrom: <>\n", "", NULL, NULL, 1, 0, 1, 0, 1, 1, 0 },
	{ "*r\nMailFrom:\n", "", NULL, NULL, 1, 0, 1, 0, 1, 0, 0 },
	{ "*r\nMailFrom: <BOB@out.test>\n", MAIL, NULL, NULL, 1, 0, 1, 0, 1, 1, 0 },
};

static void
test_rules_smtp_smr02_to_smr12_q30_to_q33(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(smtp_rows); i++)
		check_asked(i, &smtp_rows[i], RULES_OF_SMTP);
}

/* DLR-03, DLR-04, DLR-05, DLR-06, F-DLR-1, F-DLR-2. */
static void
test_rules_download_dlr03_to_dlr06(void **state)
{
	static const struct asked rows[] = {
		{ "*r\nSubject: est\n", "", "", HEADER, 3, 5, 1, 0, 0, 1, 0 },
		{ "*r\nSubject: \"test\"\n", "", "", HEADER, 3, 5, 1, 0, 0, 0, 0 },
		{ "*r\nSubject: \"*test\"\n", "", "", HEADER, 3, 5, 1, 0, 0, 1, 0 },
		{ "*r\nX-Mailer: bill\n", "", "", "X-Mailer: billy\n", 3, 5, 1, 0, 0, 1, 0 },
		{ "*r\nX-Mailer: \"bill\"\n", "", "", "X-Mailer: billy\n", 3, 5, 1, 0, 0, 0, 0 },
		{ "*r\n!Size: 10000\n", "", "", HEADER, 3, 10000, 1, 0, 0, 1, 0 },
		{ "*r\n!Size: 10000\n", "", "", HEADER, 3, 10001, 1, 0, 0, 0, 0 },
		{ "+@junk\nTo: x\nFrom: bob\nSubject: y\n", "", "", HEADER, 3, 5, 1, 0, 0, 1, 0 },
		{ "@junk\nTo: x\nFrom: bob\nSubject: y\n", "", "", HEADER, 3, 5, 1, 0, 0, 0, 0 },
		{ "?a\nSubject: test\n%b\n", "", "", HEADER, 3, 5, 1, 0, 0, 1, 0 },
		{ "~\n", "", "", HEADER, 3, 5, 1, 0, 0, 1, 0 },
		{ "*r\nRcpt: anna\n", "", "bert anna", HEADER, 3, 5, 1, 0, 0, 1, 0 },
		{ "*r\nRept: ANNA\n", "", "bert anna", HEADER, 3, 5, 1, 0, 0, 1, 0 },
		{ "*r\nRcpt: ann\n", "", "bert anna", HEADER, 3, 5, 1, 0, 0, 0, 0 },
		{ "*r\nInMail: 1,3-7,9\n", "", "", HEADER, 3, 5, 1, 0, 0, 1, 5 },
		{ "*r\nInMail: 1,3-7,9\n", "", "", HEADER, 3, 5, 1, 0, 0, 0, 8 },
		{ "*r\nReceived: for <louise@company.com>\n", "", "",
			"Received: by mx for <louise@company.com>; Mon\n", 3, 5, 1, 0, 0, 1, 0 },
		{ "*r\nMailFrom: bob\n", MAIL, "", "MailFrom: bob\n", 3, 5, 1, 0, 0, 1, 0 }, /* a field there */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_asked(i, &rows[i], RULES_OF_DOWNLOAD);
}

/* SMR-03, F-DLR-1: every action, said and read back. */
static void
test_rules_actions_smr03_dlr04(void **state)
{
	static const struct {
		unsigned language;
		const char *text, *sign, *name;
		enum rule_action action;
		bool also;
	} rows[] = {
		{ RULES_OF_SMTP, "<Take it", "<", "Take it", RULE_ACCEPT, false },
		{ RULES_OF_SMTP, "2+*no", "*", "no", RULE_REJECT, false },
		{ RULES_OF_SMTP, "~  gone ", "~", "gone", RULE_DISCARD, false },
		{ RULES_OF_SMTP, "3>bill<a < b", ">bill<", "a < b", RULE_REDIRECT, false },
		{ RULES_OF_SMTP, "+>+ c@d.test <n", ">+c@d.test<", "n", RULE_REDIRECT, true },
		{ RULES_OF_DOWNLOAD, "*n", "*", "n", RULE_DELETE, false },
		{ RULES_OF_DOWNLOAD, "@n", "@", "n", RULE_DELETE_SILENTLY, false },
		{ RULES_OF_DOWNLOAD, "~n", "~", "n", RULE_IGNORE, false },
		{ RULES_OF_DOWNLOAD, "<n", "<", "n", RULE_FETCH, false },
		{ RULES_OF_DOWNLOAD, "%n", "%", "n", RULE_FETCH_DELETE, false },
		{ RULES_OF_DOWNLOAD, "?n", "?", "n", RULE_ASK, false },
		{ RULES_OF_DOWNLOAD, ">fred?n", ">fred?", "n", RULE_ASK_OTHER, false },
		{ RULES_OF_DOWNLOAD, ">fred*n", ">fred*", "n", RULE_DELETE_OTHER, false },
		{ RULES_OF_DOWNLOAD, "+>spambox<n", ">spambox<", "n", RULE_FETCH_OTHER, false },
		{ RULES_OF_DOWNLOAD, ">fred%n", ">fred%", "n", RULE_FETCH_DELETE_OTHER, false },
		{ RULES_OF_DOWNLOAD, ">+fred?n", ">+fred?", "n", RULE_ASK_OTHER, true },
		{ RULES_OF_DOWNLOAD, ">+fred%n", ">+fred%", "n", RULE_FETCH_DELETE_OTHER, true },
	};
	struct rule_set set, again;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		test_rules_parse(&a, rows[i].text, rows[i].language, &set);
		check_row(i, set.count == 1 && set.items[0].action == rows[i].action);
		check_row(i, set.items[0].also == rows[i].also);
		check_row(i, span_eq(set.items[0].name, span_of(rows[i].name)));
		check_row(i, span_eq(rule_sign(&a, set.items), span_of(rows[i].sign)));
		test_rules_parse(&a, arena_text(&a, rule_definition_text(&a, set.items)), rows[i].language, &again);
		check_row(i, span_eq(rule_definition_text(&a, again.items), rule_definition_text(&a, set.items)));
	}
	arena_reset(&a);
}

/* SMR-04: every fault with its line and column; one is enough to refuse all. */
static void
test_rules_faults_smr04_smr14(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *why;
	} rows[] = {
		{ "1*x\nSubject: y\n", 2, 1, "Subject is known at stage 3 only, and the rule of line 1 is for stage 1" },
		{ "2*x\n\n# c\nAny: y\n", 4, 1, "stage 2" },
		{ "1*x\nRcptTo: y\n", 2, 1, "RcptTo is known at stage 2" },
		{ "4*x\n", 1, 1, "a stage is 1, 2 or 3" },
		{ "Subject: x\n", 1, 1, "before the first rule" },
		{ "*x\nnonsense\n", 2, 1, "no rule and no condition" },
		{ "*x\n!\n", 2, 2, "no rule and no condition" },
		{ "*x\nA b: c\n", 2, 1, "no rule and no condition" },
		{ "*x\n: c\n", 2, 1, "no rule and no condition" },
		{ ">bill\n", 1, 2, "the target is not ended" },
		{ "><x\n", 1, 2, "nobody is named" },
		{ ">+ <x\n", 1, 3, "nobody is named" },
		{ "*x\nSize: big\n", 2, 7, "is no number" },
		{ "*x\nSize:\n", 2, 6, "is no number" },
		{ "*x\nSize: -1\n", 2, 7, "is no number" },
		{ "*x\nRcptCount: 1x\n", 2, 12, "is no number" },
		{ "*x\nTimeNow: 25:00-1:00\n", 2, 10, "no time of the day" },
		{ "*x\nTimeNow: 8:00\n", 2, 10, "no time of the day" },
		{ "*x\nTimeNow: 8:60-9:00\n", 2, 10, "no time of the day" },
		{ "*x\nTimeNow: 24:01-9:00\n", 2, 10, "no time of the day" },
		{ "*x\nTimeNow: 8:00-8:00\n", 2, 10, "no time of the day" },
		{ "*x\nDayNow: 08\n", 2, 9, "are no days" },
		{ "*x\nDayNow:\n", 2, 8, "are no days" },
		{ "#off *x\nSubject: y\n", 2, 1, "belongs to the rule of line 1, which is off" },
		{ "*\x01x\n", 1, 1, "control" },
		{ "*\xffx\n", 1, 1, "control" },
	};
	struct conf_faults faults;
	struct rule_set set;
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		conf_faults_init(&faults);
		check_row(i, rule_text_parse(at_page_edge(span_of(rows[i].text)), RULES_OF_SMTP, &a, &set,
			&faults) == ERR_SYNTAX);
		test_conf_fault(i, &faults, rows[i].line, rows[i].column, rows[i].why);
	}
	arena_reset(&a);
}

/* Switching and moving keep what is not touched, comments too (SMR-02, SMR-15). */
static void
test_rules_edit_smr02(void **state)
{
	static const char text[] = "# head\n\n# first\n*a\nSubject: x\n# inside\nFrom: y\n\n# second\n<b\n~c\nTo: z";
	static const struct { int number, place; const char *want; } rows[] = {
		{ 1, 0, "# head\n\n# first\n#off *a\n#off Subject: x\n# inside\n#off From: y\n\n# second\n<b\n~c\nTo: z" },
		{ 2, 0, "# head\n\n# first\n*a\nSubject: x\n# inside\nFrom: y\n\n# second\n#off <b\n~c\nTo: z" },
		{ 1, 2, "# head\n\n# second\n<b\n# first\n*a\nSubject: x\n# inside\nFrom: y\n\n~c\nTo: z\n" },
		{ 3, 1, "# head\n\n~c\nTo: z\n# first\n*a\nSubject: x\n# inside\nFrom: y\n\n# second\n<b\n" },
		{ 1, 3, "# head\n\n# second\n<b\n~c\nTo: z\n# first\n*a\nSubject: x\n# inside\nFrom: y\n\n" },
	};
	struct rule_set set, off;
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, 10000);
	test_rules_parse(&a, text, RULES_OF_SMTP, &set);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&out);
		check_row(i, (rows[i].place ? rule_edit_move(&set, (unsigned)rows[i].number,
			(unsigned)rows[i].place, &out) : rule_edit_switch(&set, (unsigned)rows[i].number,
			false, &out)) == OK);
		if (!span_eq(buf_span(&out), span_of(rows[i].want)))
			fail_msg("row %zu: %.*s", i, SPAN_FMT(buf_span(&out)));
		test_rules_parse(&a, arena_text(&a, buf_span(&out)), RULES_OF_SMTP, &off);
		check_row(i, off.count == 3);
	}
	buf_clear(&out); /* off and on again is the same text */
	assert_int_equal(rule_edit_switch(&set, 1, false, &out), OK);
	test_rules_parse(&a, arena_text(&a, buf_span(&out)), RULES_OF_SMTP, &off);
	assert_true(off.items[0].off && !off.items[1].off && off.items[0].condition_count == 2);
	buf_clear(&out);
	assert_int_equal(rule_edit_switch(&off, 1, true, &out), OK);
	assert_true(span_eq(buf_span(&out), span_of(text)));
	/* a condition that is commented out stays a comment */
	test_rules_parse(&a, "*r\nMailFrom: a\n#off MailFrom: b\n#off so\n", RULES_OF_SMTP, &off);
	buf_clear(&out);
	assert_int_equal(rule_edit_switch(&off, 1, false, &out), OK);
	test_rules_parse(&a, arena_text(&a, buf_span(&out)), RULES_OF_SMTP, &off);
	buf_clear(&out);
	assert_int_equal(rule_edit_switch(&off, 1, true, &out), OK);
	test_rules_parse(&a, arena_text(&a, buf_span(&out)), RULES_OF_SMTP, &off);
	assert_int_equal(off.items[0].condition_count, 1);
	/* and so does what only begins like a line of a rule that is off */
	test_rules_parse(&a, "#off ~x\n#off #off ~y\n#off\n", RULES_OF_SMTP, &off);
	buf_clear(&out);
	assert_int_equal(rule_edit_switch(&off, 1, true, &out), OK);
	test_rules_parse(&a, arena_text(&a, buf_span(&out)), RULES_OF_SMTP, &off);
	assert_int_equal(off.count, 1);
	assert_false(off.items[0].off);
	assert_int_equal(rule_edit_switch(&set, 4, true, &out), ERR_NOT_FOUND);
	assert_int_equal(rule_edit_move(&set, 1, 4, &out), ERR_NOT_FOUND);
	buf_fini(&out);
	arena_reset(&a);
}

/* One rule more, another in its place, one less: comments and the other rules stay as they are (SMR-15). */
static void
test_one_rule_edited_smr15(void **state)
{
	static const char text[] = "# head\n\n# first\n*a\nSubject: x\n\n# second\n<b\nTo: z";
	static const char rule[] = "3~new\nSubject: y";
	bool gone[2] = { true, false };
	struct rule_set set;
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, 10000);
	test_rules_parse(&a, text, RULES_OF_SMTP, &set);
	assert_int_equal(rule_edit_replace(&set, 1, span_of(rule), &out), OK);
	assert_true(span_eq(buf_span(&out),
		SPAN("# head\n\n# first\n3~new\nSubject: y\n\n# second\n<b\nTo: z")));
	buf_clear(&out);
	assert_int_equal(rule_edit_replace(&set, 2, span_of(rule), &out), OK);
	assert_true(span_eq(buf_span(&out),
		SPAN("# head\n\n# first\n*a\nSubject: x\n\n# second\n3~new\nSubject: y\n")));
	buf_clear(&out);
	assert_int_equal(rule_edit_insert(&set, 2, span_of(rule), &out), OK);
	assert_true(span_eq(buf_span(&out),
		SPAN("# head\n\n# first\n*a\nSubject: x\n\n3~new\nSubject: y\n\n# second\n<b\nTo: z")));
	buf_clear(&out);
	assert_int_equal(rule_edit_insert(&set, RULES_MAX, span_of(rule), &out), OK);
	assert_true(span_eq(buf_span(&out),
		SPAN("# head\n\n# first\n*a\nSubject: x\n\n# second\n<b\nTo: z\n\n3~new\nSubject: y\n")));
	buf_clear(&out);
	assert_int_equal(rule_edit_remove(&set, gone, &out), OK);
	assert_true(span_eq(buf_span(&out), SPAN("# head\n\n# second\n<b\nTo: z")));
	assert_int_equal(rule_edit_replace(&set, 3, span_of(rule), &out), ERR_NOT_FOUND);
	assert_int_equal(rule_edit_replace(&set, 1, SPAN("<a\nTo: b\n<c\nTo: d"), &out), ERR_SYNTAX);
	assert_int_equal(rule_edit_insert(&set, 1, SPAN("# nothing"), &out), ERR_SYNTAX);
	buf_fini(&out);
	arena_reset(&a);
}

int
test_rule_text(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_smtp_smr02_to_smr12_q30_to_q33),
		cmocka_unit_test(test_rules_download_dlr03_to_dlr06),
		cmocka_unit_test(test_rules_actions_smr03_dlr04),
		cmocka_unit_test(test_rules_faults_smr04_smr14),
		cmocka_unit_test(test_rules_edit_smr02),
		cmocka_unit_test(test_one_rule_edited_smr15),
	};

	return cmocka_run_group_tests_name("rule_text", tests, NULL, NULL);
}
