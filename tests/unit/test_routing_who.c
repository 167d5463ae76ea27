/*
 * test_routing_who.c - for whom a collected message is: headers in, recipients and copies out, by the whole pipeline.
 *
 * A row's answer is what was found, one line: recipients in their order, ">" before one that a collector chose, then
 * " = " and the copies as in test_routing.h.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "conf/conf_load.h"
#include "server/pipeline/collected_header.h"
#include "server/pipeline/collected_who.h"
#include "server/pipeline/pipeline.h"
#include "tests/harness/page_edge.h"
#include "tests/unit/test_routing.h"

/* A collector of that name, all else as its keys say. */
#define BOX(name, keys) "{ name: " name ", server: pop.isp.test, username: u, " keys " }"
#define SITE(boxes) CONF "collecting: { collectors: [ " boxes " ] }\n"
#define OURS "accepted: [example.org, \"fred@isp.test\"]"

struct who {
	const char *collector, *header, *want;
};

static const struct conf_collector *
collector_named(const char *name)
{
	const struct conf_collectors *all = &site.host.conf->collectors;

	for (size_t i = 0; i < all->count; i++)
		if (span_eq(all->items[i].name, span_of(name)))
			return &all->items[i];
	fail_msg("no collector %s", name);
	return NULL;
}

struct looked {
	struct arena arena;
	struct mail mail;
	struct plan plan;
	struct collected_ask ask;
	struct address *to;
	size_t count;
};

static void
look_begin(struct looked *l, const char *collector, struct span header)
{
	*l = (struct looked){ .count = 0 };
	arena_init(&l->arena, NULL);
	l->mail = (struct mail){ .arena = &l->arena, .via = MAIL_VIA_POP3, .service = "pop3",
		.hostname = SPAN("mail.example.org"), .collect = span_of(collector), .header = header,
		.size = header.len, .message_no = 1, .id = SPAN("1"), .asks_nobody = true };
	l->mail.peer.is_unix = true;
	pipeline_read_header(site.host.conf, &l->mail);
	plan_init(&l->plan, &l->arena);
	l->ask = (struct collected_ask){ .conf = site.host.conf, .mail = &l->mail,
		.collector = collector_named(collector) };
	assert_int_equal(snapshot_open(site.host.store, &l->ask.snap), OK);
}

static void
look_run(struct looked *l, struct buf *out)
{
	struct pipeline_ask question = { .conf = site.host.conf, .snap = l->ask.snap, .mail = &l->mail };
	static const struct mail_options none;
	struct address from;
	enum phase at;

	assert_int_equal(collected_who(&l->ask, &l->plan, &l->to, &l->count), OK);
	for (size_t i = 0; i < l->count; i++) {
		bool chosen = false;

		for (size_t t = 0; t < l->mail.target_count; t++)
			chosen |= span_eq(l->mail.targets[t].key, l->to[i].key);
		assert_int_equal(buf_printf(out, "%s%s%.*s", i ? " " : "", chosen ? ">" : "",
			SPAN_FMT(l->to[i].text)), OK);
	}
	collected_return_path(&l->mail, &from);
	envelope_init(&l->mail.envelope, &l->arena, &from, &none);
	assert_int_equal(pipeline_run_all(&question, l->to, l->count, NULL, &l->plan, &at), STAGE_NEXT);
	assert_int_equal(buf_put(out, SPAN(" =")), OK);
	for (const struct plan_copy *copy = l->plan.copies; copy; copy = copy->next)
		put_copy(out, copy);
}

static void
look_end(struct looked *l)
{
	snapshot_close(&l->ask.snap);
	arena_reset(&l->arena);
}

static void
check_who(const struct who *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct looked l;
		struct buf out;

		buf_init(&out, 1 << 20);
		look_begin(&l, rows[i].collector, span_of(rows[i].header));
		look_run(&l, &out);
		if (!span_eq(buf_span(&out), span_of(rows[i].want)))
			fail_msg("row %zu: have '%.*s', want '%s'", i, SPAN_FMT(buf_span(&out)), rows[i].want);
		buf_fini(&out);
		look_end(&l);
	}
}
#define CHECK_WHO(rows) check_who(rows, COUNT(rows))

/* Does looking leave a note with that sentence? */
static bool
says(const struct who *who, const char *text)
{
	struct looked l;
	struct span rest;
	struct note note;
	struct buf out;
	bool found = false;

	buf_init(&out, 1 << 20);
	look_begin(&l, who->collector, span_of(who->header));
	look_run(&l, &out);
	rest = plan_notes(&l.plan);
	while (note_take(&rest, &note) == PARSE_DONE) {
		buf_clear(&out);
		assert_int_equal(note_format(&note, &out), OK);
		found |= span_find_span(buf_span(&out), span_of(text)) < buf_span(&out).len;
	}
	buf_fini(&out);
	look_end(&l);
	return found;
}

/* Each field alone is enough; Bcc and Resent-Bcc are never read. */
static void
test_fields_inm_10(void **state)
{
	static const struct who rows[] = {
		{ "box", "To: anna@example.org\r\n\r\n", "anna@example.org = anna" },
		{ "box", "Cc: anna@example.org\r\n\r\n", "anna@example.org = anna" },
		{ "box", "Apparently-To: anna@example.org\r\n\r\n", "anna@example.org = anna" },
		{ "box", "Resent-To: anna@example.org\r\n\r\n", "anna@example.org = anna" },
		{ "box", "Resent-Cc: anna@example.org\r\n\r\n", "anna@example.org = anna" },
		{ "box", "Received: by x for <anna@example.org>; d\r\n\r\n", "anna@example.org = anna" },
		{ "box", "X-Envelope-To: anna@example.org\r\n\r\n", "anna@example.org = anna" },
		{ "box", "Bcc: anna@example.org\r\nResent-Bcc: bert@example.org\r\n\r\n", " = postmaster" },
		{ "box", "From: anna@example.org\r\nReply-To: bert@example.org\r\n\r\n", " = postmaster" },
		{ "box", "TO: Anna <ANNA@EXAMPLE.ORG>, \"Bert, B\" <bert@example.org>\r\ncc: carl@example.org\r\n\r\n",
			"ANNA@example.org bert@example.org carl@example.org = anna bert carl" },
		/* once each */
		{ "box", "To: anna@example.org, Anna@example.org\r\nCc: anna@example.org\r\n\r\n",
			"anna@example.org = anna" },
		/* a group, comments, folds, quotes (RFC 5322, 3.4) */
		{ "box", "To: us: anna@example.org,\r\n\tBert (b) <bert@example.org>; , carl @ example.org\r\n\r\n",
			"anna@example.org bert@example.org carl@example.org = anna bert carl" },
		/* a line without a colon is passed over (contract 8) */
		{ "box", "To: x@far.test\r\nTo anna@example.org\r\nCc: bert@example.org\r\n\r\n",
			"bert@example.org = bert" },
		/* without @: the default domain, then accepted domains decide; mailto: is dropped */
		{ "box", "To: anna, mailto:bert@example.org, <mailto:carl@example.org>\r\n\r\n",
			"anna@example.org bert@example.org carl@example.org = anna bert carl" },
		{ "other", "To: anna\r\n\r\n", " = postmaster" },
		/* '%' and '!' mean nothing (H9), and nobody has such a name: ADM-02 */
		{ "box", "To: a%b@example.org, anna@example.org\r\n\r\n",
			"a%b@example.org anna@example.org = anna postmaster" },
		/* no header at all */
		{ "box", "\r\n", " = postmaster" },
	};

	(void)state;
	open_site(SITE(BOX("box", OURS ", special_headers: [X-Envelope-To]") ", " BOX("other", "accepted: [else.test]")));
	CHECK_WHO(rows);
	site_close(&site);
}

/* LOC-03, LOC-04, INM-08: what fits is ours, what does not is passed over; where none is left, ADM-02 once. */
static void
test_accepted_inm_06_inm_08_loc_03_loc_04_q_71(void **state)
{
	static const struct who rows[] = {
		{ "box", "To: x@sub.company.test\r\n\r\n", " = postmaster" },
		{ "box", "To: anna@company.test, x@far.test\r\n\r\n", "anna@company.test = anna" },
		{ "box", "To: anna@COMPANY.Test.\r\n\r\n", "anna@company.test = anna" },
		{ "box", "To: anna.site@mine.test, anna@mine.test\r\n\r\n", "anna.site@mine.test = bert" },
		{ "box", "To: fred@isp.test, joe@isp.test\r\n\r\n", "fred@isp.test = carl" },
		{ "box", "To: anna@a.wild.test, bert@wild.test\r\n\r\n", "anna@a.wild.test = anna" },
		/* the same address: ours by SMTP, foreign to a collector that lacks the domain */
		{ "box", "To: anna@example.org\r\n\r\n", " = postmaster" },
		{ "box", "To: a@far.test, b@far.test\r\n\r\n", " = postmaster" },
		/* A-labels and U-labels are one domain */
		{ "box", "To: anna@b\xc3\xbc" "cher.test\r\n\r\n", "anna@b\xc3\xbc" "cher.test = anna" },
		{ "box", "To: anna@xn--bcher-kva.test\r\n\r\n", "anna@xn--bcher-kva.test = anna" },
		{ "box", "To: anna@xn--mller-kva.test\r\n\r\n", "anna@xn--mller-kva.test = anna" },
		{ "box", "To: anna@m\xc3\xbcller.test\r\n\r\n", "anna@m\xc3\xbcller.test = anna" },
		{ "box", "To: anna@m\xc3\xb6ller.test\r\n\r\n", " = postmaster" },
	};
	static const struct who recognised = { "box", "To: nobody@company.test, anna@company.test\r\n\r\n",
		"nobody@company.test anna@company.test = anna postmaster" };

	(void)state;
	open_site(SITE(BOX("box", "accepted: [company.test, \"*.site@mine.test\", fred@isp.test, \"*.wild.test\", "
		"\"b\xc3\xbc" "cher.test\", xn--mller-kva.test]")));
	site_add_mapping(&site, "anna.site", "bert");
	site_add_mapping(&site, "fred@isp.test", "carl");
	CHECK_WHO(rows);
	check_who(&recognised, 1);
	assert_true(says(&rows[1], "x@far.test in To is none of the accepted domains: passed over"));
	assert_true(says(&rows[1], "anna@company.test is a recipient, by the field To"));
	site_close(&site);
}

/* both separators, in a list of one line too. */
static void
test_separators_q_70(void **state)
{
	static const struct who rows[] = {
		{ "box", "To: anna@a.test\r\n\r\n", "anna@a.test = anna" },
		{ "box", "To: bert@b.test\r\n\r\n", "bert@b.test = bert" },
		{ "box", "To: carl@c.test\r\n\r\n", "carl@c.test = carl" },
	};

	(void)state;
	open_site(SITE(BOX("box", "accepted: [\"a.test; b.test,c.test\"]")));
	CHECK_WHO(rows);
	site_close(&site);
}

/* Empty accepted domains: the letter, whatever the header says. */
static void
test_accepts_nothing_inm_07_trb_07(void **state)
{
	static const struct who rows[] = {
		{ "box", "To: anna@example.org\r\n\r\n", " = postmaster*" },
		{ "all", "To: x@far.test\r\n\r\n", ">anna@example.org = anna" },
		{ "gone", "To: x@far.test\r\n\r\n", ">zoe@example.org = postmaster" },
	};

	(void)state;
	open_site(SITE(BOX("box", "accepted: []") ", " BOX("all", "route: all, target: anna") ", "
		BOX("gone", "route: all, target: zoe")));
	CHECK_WHO(rows);
	site_close(&site);
}

#define FIXED "To: \"carl\" <fred@isp.test>\r\nSubject: for {bert}\r\n\r\n"

/* INM-09: the five, with one message; a user, group, list or address as target; LAN-07 by a route of its own. */
static void
test_five_routes_inm_09_lan_07(void **state)
{
	static const struct who rows[] = {
		{ "recipient", FIXED, "fred@isp.test = anna" },
		{ "all", FIXED, ">bert@example.org = bert" },
		{ "lan", FIXED, ">box@branch.test = >box@branch.test=lan:192.0.2.7:2525" },
		{ "single", FIXED, ">carl@example.org = carl" },
		{ "subject", FIXED, ">bert@example.org = bert" },
		{ "all-list", FIXED, ">team@example.org = anna bert" },
		{ "all-group", FIXED, ">office@example.org = carl" },
		{ "all-away", FIXED, ">x@far.test = >x@far.test" },
		{ "all-ours", FIXED, ">carl@example.org = carl" },
		{ "all-everyone", FIXED, ">Everyone@example.org = postmaster anna bert carl" },
		{ "lan-port", FIXED, ">box@branch.test = >box@branch.test=lan:branch.test:25" },
		/* whatever the header says */
		{ "all", "\r\n", ">bert@example.org = bert" },
		{ "lan", "To: anna@example.org\r\n\r\n", ">box@branch.test = >box@branch.test=lan:192.0.2.7:2525" },
	};

	(void)state;
	open_site(SITE(BOX("recipient", OURS) ", " BOX("all", OURS ", route: all, target: bert") ", "
		BOX("lan", OURS ", route: lan, target: box@branch.test, target_server: \"192.0.2.7:2525\"") ", "
		BOX("single", OURS ", route: single") ", " BOX("subject", OURS ", route: subject") ", "
		BOX("all-list", "route: all, target: team") ", " BOX("all-group", "route: all, target: office") ", "
		BOX("all-away", "route: all, target: x@far.test") ", "
		BOX("all-ours", "route: all, target: carl@example.org") ", "
		BOX("all-everyone", "route: all, target: Everyone") ", "
		BOX("lan-port", "route: lan, target: box@branch.test, target_server: branch.test")));
	site_add_mapping(&site, "fred@isp.test", "anna");
	site_add_mapping(&site, "bert", "carl"); /* no mapping is asked about a target */
	site_add_list(&site, "team", "distribution", "anna;bert");
	site_add_group(&site, "office", "carl");
	CHECK_WHO(rows);
	assert_true(says(&rows[2], "all mail of lan goes to box@branch.test at 192.0.2.7:2525"));
	site_close(&site);
}

/* INM-11: a template's '*' is the address. */
static void
test_special_inm_11(void **state)
{
	static const struct who rows[] = {
		{ "tmpl", "DeliveredTo: account-anna@example.org\r\nTo: bert@example.org\r\n\r\n",
			"anna@example.org = anna" },
		{ "tmpl", "deliveredto: <ACCOUNT-anna@example.org>\r\n\r\n", "anna@example.org = anna" },
		{ "tmpl", "DeliveredTo: account-anna\r\n\r\n", "anna@example.org = anna" },
		{ "tmpl", "DeliveredTo: other-anna@example.org\r\nTo: bert@example.org\r\n\r\n",
			"bert@example.org = bert" },
		{ "tmpl", "X-RCPTTO: <bert@example.org>\r\nTo: anna@example.org\r\n\r\n", "bert@example.org = bert" },
		{ "tmpl", "X-Envelope-To: bert\r\nTo: anna@example.org\r\n\r\n", "bert@example.org = bert" },
		/* names nobody of ours: the next step */
		{ "tmpl", "X-RCPTTO: x@far.test\r\nTo: anna@example.org\r\n\r\n", "anna@example.org = anna" },
		/* a field that is not named is none */
		{ "tmpl", "X-Other: bert@example.org\r\nTo: anna@example.org\r\n\r\n", "anna@example.org = anna" },
	};

	(void)state;
	open_site(SITE(BOX("tmpl", OURS ", special_headers: [X-RCPTTO, \"X-Envelope-To:\", \"DeliveredTo: account-*\"]")));
	CHECK_WHO(rows);
	assert_true(says(&rows[3], "other-anna@example.org does not fit account-*: passed over"));
	assert_true(says(&rows[0], "anna@example.org is a recipient, by the field DeliveredTo"));
	assert_true(says(&rows[0], "the standard fields are not looked at: stop-if-any, and somebody was found"));
	site_close(&site);
}

#define THREE_RECEIVED \
	"Received: by c for <anna@example.org>; d\r\nReceived: by x for <far@far.test>; d\r\n" \
	"Received: by b for <bert@example.org>; d\r\nReceived: by a for <carl@example.org>; d\r\n\r\n"
#define THREE_SPECIAL "X-To: far@far.test, anna@example.org\r\nX-To: bert@example.org\r\nX-To: carl@example.org\r\n\r\n"

/* First, last, all; the defaults. */
static void
test_read_inm_12(void **state)
{
	static const struct who rows[] = {
		{ "forwards", THREE_RECEIVED, "anna@example.org = anna" },
		{ "reversed", THREE_RECEIVED, "carl@example.org = carl" },
		{ "all", THREE_RECEIVED, "anna@example.org bert@example.org carl@example.org = anna bert carl" },
		{ "default", THREE_RECEIVED, "carl@example.org = carl" },
		{ "forwards", THREE_SPECIAL, "anna@example.org = anna" },
		{ "reversed", THREE_SPECIAL, "carl@example.org = carl" },
		{ "all", THREE_SPECIAL, "anna@example.org bert@example.org carl@example.org = anna bert carl" },
		{ "default", THREE_SPECIAL, "anna@example.org = anna" },
	};

	(void)state;
	open_site(SITE(
		BOX("forwards", OURS ", special_headers: [X-To], read_special: forwards, read_received: forwards") ", "
		BOX("reversed", OURS ", special_headers: [X-To], read_special: reversed, read_received: reversed") ", "
		BOX("all", OURS ", special_headers: [X-To], read_special: all, read_received: all") ", "
		BOX("default", OURS ", special_headers: [X-To]")));
	CHECK_WHO(rows);
	assert_true(says(&rows[3], "the received fields name 3 addresses of ours, of which the last counts; 1 passed over"));
	site_close(&site);
}

#define ALL_THREE \
	"X-To: anna@example.org\r\nTo: bert@example.org\r\nReceived: by a for <carl@example.org>; d\r\n\r\n"
#define NO_SPECIAL "To: bert@example.org\r\nReceived: by a for <carl@example.org>; d\r\n\r\n"
#define ORDERED(name, order) BOX(name, OURS ", special_headers: [X-To], order: [" order "]")

static void
test_order_inm_13(void **state)
{
	static const struct who rows[] = {
		/* stop after Special: To is not looked at when Special found someone */
		{ "default", ALL_THREE, "anna@example.org = anna" },
		{ "default", NO_SPECIAL, "bert@example.org = bert" },
		{ "default", "Received: by a for <carl@example.org>; d\r\n\r\n", "carl@example.org = carl" },
		{ "none", ALL_THREE, "anna@example.org bert@example.org carl@example.org = anna bert carl" },
		{ "turned", ALL_THREE, "carl@example.org bert@example.org anna@example.org = carl bert anna" },
		{ "stop", ALL_THREE, "anna@example.org = anna" },
		{ "stop", NO_SPECIAL, " = postmaster" },
		{ "late", ALL_THREE, "anna@example.org bert@example.org = anna bert" },
		{ "late", "Received: by a for <carl@example.org>; d\r\n\r\n", "carl@example.org = carl" },
		{ "only", ALL_THREE, "bert@example.org = bert" },
		/* "any" is recognised, not known: nobody@ is ours (contract 8) */
		{ "default", "X-To: nobody@example.org\r\nTo: bert@example.org\r\n\r\n",
			"nobody@example.org = postmaster" },
	};

	(void)state;
	open_site(SITE(ORDERED("default", "special, stop-if-any, standard, stop-if-any, received") ", "
		ORDERED("none", "special, standard, received") ", " ORDERED("turned", "received, standard, special") ", "
		ORDERED("stop", "special, stop, standard, received") ", "
		ORDERED("late", "special, standard, stop-if-any, received, stop-if-any") ", "
		ORDERED("only", "standard, stop")));
	CHECK_WHO(rows);
	assert_true(says(&rows[6], "the standard fields are not looked at: stop"));
	site_close(&site);
}

static void
test_switches_inm_14_inm_15_inm_17(void **state)
{
	static const struct who rows[] = {
		{ "plain", "Resent-To: anna@example.org\r\nResent-Cc: carl@example.org\r\nTo: bert@example.org\r\n\r\n",
			"anna@example.org carl@example.org bert@example.org = anna carl bert" },
		{ "strict", "Resent-To: anna@example.org\r\nResent-Cc: carl@example.org\r\nTo: bert@example.org\r\n\r\n",
			"bert@example.org = bert" },
		{ "plain", "Received: by x for anna; d\r\n\r\n", " = postmaster" },
		{ "bare", "Received: by x for anna; d\r\n\r\n", "anna@example.org = anna" },
		{ "bare", "Received: by x for <anna>; d\r\n\r\n", "anna@example.org = anna" },
		/* only mapped names are delivered */
		{ "mapped", "To: anna@example.org, sales@example.org\r\n\r\n",
			"anna@example.org sales@example.org = bert postmaster" },
	};

	(void)state;
	open_site(SITE(BOX("plain", OURS) ", " BOX("strict", OURS ", ignore_resent: yes") ", "
		BOX("bare", OURS ", ignore_bare_received: no") ", " BOX("mapped", OURS ", default_mappings: no")));
	site_add_mapping(&site, "sales", "bert");
	CHECK_WHO(rows);
	assert_true(says(&rows[1], "a field Resent-To is not looked at: ignore_resent"));
	assert_true(says(&rows[2], "anna in Received has no domain: passed over (ignore_bare_received)"));
	site_close(&site);
}

/* Table F-INM-1, row by row; each is a To field, and a Cc. */
static void
test_single_address_inm_19(void **state)
{
	static const struct {
		const char *field, *want;
	} rows[] = {
		{ "<joe@hotmail.test(louise)>", "louise" },
		{ "(tim) <joe@hotmail.test>", "tim" },
		{ "(louise) joe@hotmail.test", "louise" },
		{ "<joe@hotmail.test> \"tim\"", "tim" },
		{ "'louise' <joe@hotmail.test>", "louise" },
		{ "tim <joe@hotmail.test>", "tim" },
		{ "<joe@hotmail.test>", "joe" },
		{ "joe@hotmail.test", "joe" },
		{ "tim <joe@hotmail.test(sarah)>", "tim" },
		/* falling through to the end; a list is no mailbox, nor is a group; letter case */
		{ "Sarah <joe@hotmail.test>", "joe" },
		{ "team <joe@hotmail.test>", "joe" },
		{ "Everyone <joe@hotmail.test>", "joe" },
		{ "\"TIM\" <JOE@Hotmail.test>", "tim" },
		{ "=?utf-8?q?tim?= <joe@hotmail.test>", "tim" },
		/* only beside our address */
		{ "tim <tim@far.test>, louise <joe@hotmail.test>", "louise" },
		{ "tim <joe@hotmail.test>, louise <joe@hotmail.test>, <joe@hotmail.test>", "tim louise joe" },
		{ "tim <tim@far.test>", "postmaster" },
	};

	(void)state;
	open_site(SITE(BOX("one", "accepted: [joe@hotmail.test], route: single")));
	site_add_user(&site, "louise", NULL);
	site_add_user(&site, "tim", NULL);
	site_add_user(&site, "joe", NULL);
	site_add_list(&site, "team", "distribution", "anna;bert");
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t cc = 0; cc < 2; cc++) {
			struct looked l;
			struct buf out;
			struct span all;

			buf_init(&out, 1 << 20);
			look_begin(&l, "one", SPAN_NONE);
			l.mail.header = arena_printf(
				&l.arena, "%s: %s\r\n\r\n", cc ? "Cc" : "To", rows[i].field);
			pipeline_read_header(site.host.conf, &l.mail);
			look_run(&l, &out);
			all = buf_span(&out);
			if (!span_eq(span_from(all, span_find_span(all, SPAN(" = ")) + 3), span_of(rows[i].want)))
				fail_msg("row %zu: have '%.*s', want '%s'", i, SPAN_FMT(all), rows[i].want);
			buf_fini(&out);
			look_end(&l);
		}
	}
	assert_true(says(&(struct who){ "one", "To: tim <joe@hotmail.test(sarah)>\r\n\r\n", "" },
		"sarah stands beside our address in To, and is no user"));
	assert_true(says(&(struct who){ "one", "To: tim <joe@hotmail.test(sarah)>\r\n\r\n", "" },
		"tim stands beside our address in To, and is a user"));
	site_close(&site);
}

/* The user that mail for the one address goes to has gone: the Main Administrator. */
static void
test_single_nobody_inm_19(void **state)
{
	static const struct who rows[] = {
		{ "one", "To: Sarah <joe@hotmail.test>\r\n\r\n", "joe@hotmail.test = postmaster" },
	};

	(void)state;
	open_site(SITE(BOX("one", "accepted: [joe@hotmail.test], route: single")));
	CHECK_WHO(rows);
	site_close(&site);
}

static void
test_subject_inm_20(void **state)
{
	static const struct who rows[] = {
		{ "braces", "Subject: hello {anna}\r\n\r\n", ">anna@example.org = anna" },
		{ "braces", "Subject: {Anna} {bert}\r\n\r\n", ">anna@example.org = anna" },
		{ "braces", "Subject: =?utf-8?q?hello_=7Banna=7D?=\r\n\r\n", ">anna@example.org = anna" },
		{ "braces", "Subject: hello\r\n {anna}\r\n\r\n", ">anna@example.org = anna" },
		/* a name that is nobody's, then one that is */
		{ "braces", "Subject: {x} {anna}\r\n\r\n", ">anna@example.org = anna" },
		/* unknown handling */
		{ "braces", "Subject: {nobody}\r\nTo: anna@example.org\r\n\r\n", ">nobody@example.org = postmaster" },
		{ "braces", "Subject: hello\r\nTo: anna@example.org\r\n\r\n", " = postmaster" },
		{ "braces", "To: anna@example.org\r\n\r\n", " = postmaster" },
		{ "braces", "Subject: {team}\r\n\r\n", ">team@example.org = postmaster" },
		{ "for", "Subject: (FOR bert) hello\r\n\r\n", ">bert@example.org = bert" },
		{ "for", "Subject: {bert}\r\n\r\n", " = postmaster" },
	};

	(void)state;
	open_site(SITE(BOX("braces", OURS ", route: subject") ", " BOX("for", OURS ", route: subject, marker: \"(for*)\"")));
	site_add_list(&site, "team", "distribution", "anna;bert");
	CHECK_WHO(rows);
	assert_true(says(&rows[0], "the subject names anna in the marks {*}"));
	assert_true(says(&rows[5], "the subject names nobody in the marks {*}, and that is no user"));
	assert_true(says(&rows[6], "the subject names nobody in the marks {*}"));
	site_close(&site);
}

#define FORWARDED \
	"Received: from smtpmail.megaisp.test by\r\n\tmail.megaisp.test with SMTP id GTP39231\r\n" \
	"\tfor <bibble@megaisp.test>; Tue, 13 Jan\r\n\t1998 09:20:03 +0000\r\n" \
	"Received: from sender.isp.test by\r\n\tsmtpmail.megaisp.test with SMTP id\r\n" \
	"\tLPS23652 for <sarah@bibble-gadgets.test>;\r\n\tTue, 13 Jan 1998 09:15:44 +0000\r\n" \
	"Date: Tue, 13 Jan 1998 08:30:44 +0000\r\nTo: sarah@bibble-gadgets.test\r\n\r\n"
#define BIBBLE "accepted: [bibble-gadgets.test, bibble@megaisp.test]"

/* The header of the manual, 21.16.1: one copy to sarah by Reversed, by a stop line, and by the defaults. */
static void
test_forwarded_inm_22(void **state)
{
	static const struct who rows[] = {
		{ "reversed", FORWARDED, "sarah@bibble-gadgets.test = sarah" },
		{ "stopped", FORWARDED, "sarah@bibble-gadgets.test = sarah" },
		{ "default", FORWARDED, "sarah@bibble-gadgets.test = sarah" },
		{ "doubled", FORWARDED, "sarah@bibble-gadgets.test bibble@megaisp.test = sarah postmaster" },
	};

	(void)state;
	open_site(SITE(
		BOX("reversed", BIBBLE ", order: [special, standard, received], read_received: reversed") ", "
		BOX("stopped", BIBBLE ", order: [standard, stop-if-any, received], read_received: forwards") ", "
		BOX("default", BIBBLE) ", "
		BOX("doubled", BIBBLE ", order: [standard, received], read_received: forwards")));
	site_add_user(&site, "sarah", NULL);
	CHECK_WHO(rows);
	site_close(&site);
}

/* MAP-11, MAP-12, MAP-18: of *REMOTE nothing happens, others get theirs; a list outside (MAP-17); one collector's (MAP-08). */
static void
test_mappings_map_08_map_11_map_12_map_17_map_18(void **state)
{
	static const struct who rows[] = {
		{ "one", "To: anna@example.org\r\nCc: karen@example.org\r\n\r\n",
			"anna@example.org karen@example.org = anna -" },
		{ "one", "To: karen@example.org\r\n\r\n", "karen@example.org = -" },
		{ "one", "To: list@elsewhere.test\r\n\r\n", "list@elsewhere.test = anna bert" },
		{ "one", "To: shop@example.org\r\n\r\n", "shop@example.org = carl" },
		{ "two", "To: shop@example.org\r\n\r\n", "shop@example.org = postmaster" },
	};
	static const struct {
		const char *header;
		size_t users;
		bool elsewhere;
	} names[] = {
		{ "To: karen@example.org\r\n\r\n", 0, true },
		{ "To: karen@example.org, anna@example.org\r\n\r\n", 1, false },
		{ "To: list@elsewhere.test, anna@example.org\r\n\r\n", 2, false },
		{ "To: hole@example.org\r\n\r\n", 0, false }, /* No-one swallows it here */
		{ "To: x@far.test\r\n\r\n", 1, false },	   /* the administrator */
	};

	(void)state;
	open_site(SITE(BOX("one", "accepted: [example.org, list@elsewhere.test]") ", " BOX("two", OURS)));
	site_add_mapping(&site, "karen", "*REMOTE");
	site_add_mapping(&site, "hole", "No-one");
	site_add_mapping_when(&site, "list@elsewhere.test", "anna", "pop3", NULL);
	site_add_mapping_when(&site, "list@elsewhere.test", "bert", "pop3", NULL);
	site_add_mapping_when(&site, "shop@example.org", "carl", "pop3", "one");
	CHECK_WHO(rows);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct collected_names who;
		struct looked l;

		look_begin(&l, "one", span_of(names[i].header));
		assert_int_equal(collected_names(&l.ask, &l.arena, &who), OK);
		check_row(i, who.count == names[i].users && who.only_elsewhere == names[i].elsewhere);
		look_end(&l);
	}
	site_close(&site);
}

/* The names that a download rule's `Rcpt:` sees are those of the end: assistants and forwarding have been asked. */
static void
test_names_of_the_end_dlr_05(void **state)
{
	struct collected_names who;
	struct looked l;

	(void)state;
	open_site(SITE(BOX("box", OURS)));
	site_set_user(&site, "anna", "assistants", "bert");
	site_set_user(&site, "anna", "assistant_redirect", "yes");
	look_begin(&l, "box", SPAN("From: x@far.test\r\nTo: anna@example.org\r\n\r\n"));
	assert_int_equal(collected_names(&l.ask, &l.arena, &who), OK);
	assert_int_equal(who.count, 1);
	check_span(0, who.users[0], SPAN("bert"));
	look_end(&l);
	site_close(&site);
}

/* DLR-09: a user or a list, in place of the recipients or besides them; no mapping is asked. */
static void
test_rule_targets_dlr_09(void **state)
{
	static const struct {
		const char *instead, *also, *want;
	} rows[] = {
		{ "carl", "", ">carl@example.org = carl" },
		{ "", "carl", "anna@example.org >carl@example.org = anna carl" },
		{ "team", "", ">team@example.org = bert carl" },
		{ "zoe", "", ">zoe@example.org = postmaster" },
		{ "", "anna", "anna@example.org = anna" },
	};

	(void)state;
	open_site(SITE(BOX("box", OURS)));
	site_add_list(&site, "team", "distribution", "bert;carl");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct looked l;
		struct buf out;

		buf_init(&out, 1 << 20);
		look_begin(&l, "box", SPAN("To: anna@example.org\r\n\r\n"));
		l.ask.instead = span_of(rows[i].instead);
		l.ask.also = span_of(rows[i].also);
		look_run(&l, &out);
		check_span(i, buf_span(&out), span_of(rows[i].want));
		buf_fini(&out);
		look_end(&l);
	}
	site_close(&site);
}

/* ---- limits ---- */

static struct span
many(struct arena *a, size_t count, const char *domain)
{
	struct buf out;
	struct span text;

	buf_init(&out, 16 << 20);
	assert_int_equal(buf_put(&out, SPAN("To: ")), OK);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(buf_printf(&out, "u%zu@%s,\r\n ", i, domain), OK);
	assert_int_equal(buf_put(&out, SPAN("anna@example.org\r\n\r\n")), OK);
	text = arena_copy(a, buf_span(&out));
	buf_fini(&out);
	return text;
}

static double
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* 100,000 addresses: a named number is looked at, a named number of recipients is taken, and both are noted. */
static void
test_many_addresses_h7_h16(void **state)
{
	static const char *const domains[] = { "far.test", "example.org" };

	(void)state;
	open_site(SITE(BOX("box", OURS)));
	for (size_t i = 0; i < COUNT(domains); i++) {
		struct looked l;
		double began;
		bool ours = i == 1;

		look_begin(&l, "box", SPAN("To: x@x.test\r\n\r\n"));
		l.mail.header = many(&l.arena, 100000, domains[i]);
		began = cpu_ms();
		assert_int_equal(collected_who(&l.ask, &l.plan, &l.to, &l.count), OK);
		print_message("100,000 addresses at %s: %.1f ms\n", domains[i], cpu_ms() - began);
		assert_int_equal(l.count, ours ? (size_t)site.host.conf->limits_recipients : 0);
		assert_true(span_find(plan_notes(&l.plan), (char)(ours ? NOTE_WHO_OVER : NOTE_WHO_LOOKED)) <
			plan_notes(&l.plan).len);
		assert_true(plan_notes(&l.plan).len < NOTES_MAX);
		look_end(&l);
	}
	site_close(&site);
}

/* ---- beside the recipients ---- */

static void
test_from_line_inm_16(void **state)
{
	static const struct {
		const char *text;
		enum parse want;
		size_t used;
	} rows[] = {
		{ "From anna Sat Jan  3 01:05:34 1998\r\nTo: x\r\n", PARSE_DONE, 36 },
		{ "From anna\nTo: x\r\n", PARSE_DONE, 10 },
		{ ">From anna Sat\r\nTo: x\r\n", PARSE_DONE, 16 },
		{ "From: anna@example.org\r\n", PARSE_BAD, 0 },
		{ "From : anna@example.org\r\n", PARSE_BAD, 0 },
		{ "From  \t: anna@example.org\r\n", PARSE_BAD, 0 },
		{ "Fro", PARSE_MORE, 0 },
		{ "From ", PARSE_MORE, 0 },
		{ "From anna Sat", PARSE_MORE, 0 },
		{ "", PARSE_MORE, 0 },
		{ "To: x\r\nFrom anna\r\n", PARSE_BAD, 0 },
		{ "\r\nFrom anna\r\n", PARSE_BAD, 0 },
		{ "from anna\r\n", PARSE_BAD, 0 },
	};
	char long_line[2000];
	size_t used;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		check_row(i, collected_from_line(at_page_edge(span_of(rows[i].text)), &used) == rows[i].want);
		check_row(i, used == rows[i].used);
	}
	memset(long_line, 'x', sizeof(long_line));
	memcpy(long_line, "From ", 5);
	assert_int_equal(collected_from_line((struct span){ long_line, sizeof(long_line) }, &used), PARSE_BAD);
}

static void
test_received_date_inm_24(void **state)
{
	struct mail_date date;

	(void)state;
	assert_int_equal(collected_received_date(SPAN("X: y\r\nReceived: by b (;) id 1;\r\n\tTue, 13 Jan 1998 09:20:03 "
		"+0100\r\nReceived: by a; Mon, 12 Jan 1998 00:00:00 +0000\r\n\r\n"), &date), OK);
	assert_int_equal(date.seconds, 884679603);
	assert_int_equal(date.offset_minutes, 60);
	assert_int_equal(collected_received_date(SPAN("To: x\r\n\r\n"), &date), ERR_NOT_FOUND);
	assert_int_equal(collected_received_date(SPAN("Received: by b\r\n\r\n"), &date), ERR_NOT_FOUND);
	assert_int_equal(collected_received_date(SPAN("Received: by b; soon\r\n\r\n"), &date), ERR_NOT_FOUND);
}

#define DOUBLE "From: a@x.test\r\nDate: d\r\nSubject: s\r\nMessage-Id: <1@x>\r\n"

static bool
is_double(struct arena *a, const char *other, const char *to, bool ignore_id)
{
	unsigned char one[COLLECTED_DOUBLE_SIZE], two[COLLECTED_DOUBLE_SIZE];
	struct address recipients[4];
	struct span rest = SPAN("anna@x.test bert@x.test"), word;
	size_t count = 0;

	while (rest.len > 0) {
		(void)span_cut(rest, ' ', &word, &rest);
		assert_int_equal(address_parse(a, word, &recipients[count++]), OK);
	}
	collected_double_key(SPAN(DOUBLE "To: z\r\n\r\n"), recipients, count, ignore_id, one);
	count = 0;
	for (rest = span_of(to); rest.len > 0;) {
		(void)span_cut(rest, ' ', &word, &rest);
		assert_int_equal(address_parse(a, word, &recipients[count++]), OK);
	}
	collected_double_key(span_of(other), recipients, count, ignore_id, two);
	return memcmp(one, two, sizeof(one)) == 0;
}

static void
test_double_key_inm_21_cfg_03(void **state)
{
	static const struct {
		const char *header, *to;
		bool ignore_id, want;
	} rows[] = {
		{ DOUBLE "Received: another way\r\n\r\n", "Bert@x.test anna@x.test", false, true },
		{ "From: b@x.test\r\nDate: d\r\nSubject: s\r\nMessage-Id: <1@x>\r\n", "anna@x.test bert@x.test", false, false },
		{ "From: a@x.test\r\nDate: e\r\nSubject: s\r\nMessage-Id: <1@x>\r\n", "anna@x.test bert@x.test", false, false },
		{ "From: a@x.test\r\nDate: d\r\nSubject: S\r\nMessage-Id: <1@x>\r\n", "anna@x.test bert@x.test", false, false },
		{ "From: a@x.test\r\nDate: d\r\nSubject: s\r\nMessage-Id: <2@x>\r\n", "anna@x.test bert@x.test", false, false },
		{ "From: a@x.test\r\nDate: d\r\nSubject: s\r\nMessage-Id: <2@x>\r\n", "anna@x.test bert@x.test", true, true },
		{ "From: a@x.test\r\nDate: d\r\nSubject: s\r\n", "anna@x.test bert@x.test", false, false },
		{ DOUBLE, "anna@x.test", false, false },
		{ DOUBLE, "anna@x.test carl@x.test", false, false },
		{ DOUBLE, "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena a;

		arena_init(&a, NULL);
		check_row(i, is_double(&a, rows[i].header, rows[i].to, rows[i].ignore_id) == rows[i].want);
		arena_reset(&a);
	}
}

static void
test_return_path_q_83(void **state)
{
	static const struct {
		const char *header, *want;
	} rows[] = {
		{ "Return-Path: <b@far.test>\r\nFrom: a@far.test\r\n\r\n", "b@far.test" },
		{ "Return-Path: b@far.test\r\nFrom: a@far.test\r\n\r\n", "b@far.test" },
		{ "Return-Path: <>\r\nFrom: a@far.test\r\n\r\n", "" },
		{ "From: A <a@far.test>\r\n\r\n", "a@far.test" },
		{ "From: a@far.test, b@far.test\r\nSender: s@far.test\r\n\r\n", "s@far.test" },
		{ "From: a@far.test\r\nContent-Type: multipart/Report; x\r\n\r\n", "" },
		{ "From: a@far.test\r\nAuto-Submitted: auto-replied\r\n\r\n", "" },
		{ "From: a@far.test\r\nAuto-Submitted: no\r\n\r\n", "a@far.test" },
		{ "Return-Path: <b@far.test>\r\nAuto-Submitted: auto-replied\r\n\r\n", "b@far.test" },
		{ "Return-Path: nonsense\r\nFrom: a@far.test\r\n\r\n", "a@far.test" },
		{ "From: nobody\r\n\r\n", "" },
		{ "Subject: x\r\n\r\n", "" },
	};

	(void)state;
	open_site(SITE(BOX("box", OURS)));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct address from;
		struct looked l;

		look_begin(&l, "box", span_of(rows[i].header));
		collected_return_path(&l.mail, &from);
		check_span(i, from.text, span_of(rows[i].want));
		check_row(i, address_is_null(&from) == (rows[i].want[0] == '\0'));
		look_end(&l);
	}
	site_close(&site);
}

int
test_routing_who(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_inm_10),
		cmocka_unit_test(test_accepted_inm_06_inm_08_loc_03_loc_04_q_71),
		cmocka_unit_test(test_separators_q_70),
		cmocka_unit_test(test_accepts_nothing_inm_07_trb_07),
		cmocka_unit_test(test_five_routes_inm_09_lan_07),
		cmocka_unit_test(test_special_inm_11),
		cmocka_unit_test(test_read_inm_12),
		cmocka_unit_test(test_order_inm_13),
		cmocka_unit_test(test_switches_inm_14_inm_15_inm_17),
		cmocka_unit_test(test_single_address_inm_19),
		cmocka_unit_test(test_single_nobody_inm_19),
		cmocka_unit_test(test_subject_inm_20),
		cmocka_unit_test(test_forwarded_inm_22),
		cmocka_unit_test(test_mappings_map_08_map_11_map_12_map_17_map_18),
		cmocka_unit_test(test_names_of_the_end_dlr_05),
		cmocka_unit_test(test_rule_targets_dlr_09),
		cmocka_unit_test(test_many_addresses_h7_h16),
		cmocka_unit_test(test_from_line_inm_16),
		cmocka_unit_test(test_received_date_inm_24),
		cmocka_unit_test(test_double_key_inm_21_cfg_03),
		cmocka_unit_test(test_return_path_q_83),
	};

	return cmocka_run_group_tests_name("routing-who", tests, NULL, NULL);
}
