/*
 * pipeline_bench.c - what a plan costs: 10,000 users, 50,000 mappings, a list of 1,000 members, 500 SMTP rules of which
 * none holds, and with a monitor, the journal and the archive a copy for each of them.
 *
 *	pipeline_bench [--quick]
 *
 * All phases of a message, as import and explain ask them, timed by the CPU of this thread. A line for each kind of
 * message: the median and the worst of a hundred in microseconds, copies, and what a copy costs. With --quick a tenth
 * of everything and no judgement; else the exit status says whether the median of a message to one recipient is
 * under 1 ms, the cost of a copy does not grow with their number, and the recipients of a collected message with
 * 100,000 addresses are found in one turn of a loop.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/conf_load.h"
#include "conf/rule_match.h"
#include "proto/mime/mime_parser.h"
#include "server/pipeline/collected_who.h"
#include "server/pipeline/names.h"
#include "server/pipeline/pipeline.h"
#include "store/commit.h"
#include "store/maillists.h"
#include "store/mappings.h"
#include "store/users.h"
#include "tests/harness/site.h"

#define SLICE 1000  /* rows of one commit */
#define ROUNDS 100
#define WILDCARD_EACH 500 /* mappings have one with a wildcard */
#define MEDIAN_MAX_US 1000
#define HEADER "From: Anna <user0@example.org>\r\nTo: x@example.org\r\nSubject: a usual subject\r\n" \
	"Date: Sun, 22 Nov 2026 12:00:00 +0100\r\nMessage-ID: <1@example.org>\r\n\r\n"

static unsigned divide = 1; /* --quick: 10 */

struct fill {
	struct store_job job;
	enum { USERS, MAPPINGS, MEMBERS } what;
	uint64_t list_id;
	unsigned from, count;
};

static enum err
put_one(struct txn *txn, struct fill *f, unsigned i)
{
	char name[64], target[64];
	struct mapping mapping = { .pattern = SPAN_NONE };
	struct user user;
	uint64_t id;

	snprintf(name, sizeof(name), "user%u", i);
	if (f->what == USERS) {
		user_init(&user);
		user.name = span_of(name);
		return user_add(txn, &user, 1000, &id);
	}
	if (f->what == MEMBERS)
		return maillist_member_add(txn, f->list_id, span_of(name), 1000);
	snprintf(target, sizeof(target), "user%u", 1 + i % (10000 / divide - 1));
	snprintf(name, sizeof(name), i % WILDCARD_EACH == 0 ? "sales*%u@example.org" : "alias%u@example.org", i);
	mapping.pattern = span_of(name);
	mapping.target = span_of(target);
	return mapping_add(txn, &mapping, 1000, &id);
}

static enum step
fill_apply(struct store_job *job, struct txn *txn)
{
	struct fill *f = LIST_ITEM(job, struct fill, job);
	struct maillist list = { .name = SPAN("everybody") };
	enum err err = OK;

	if (f->what == MEMBERS && f->from == 0)
		err = maillist_add(txn, &list, 1000, &f->list_id);
	for (unsigned i = f->from; i < f->from + f->count && err == OK; i++)
		err = put_one(txn, f, i);
	return step_of(job, err);
}

static void
fill(struct site *site, int what, unsigned count)
{
	struct fill f = { .what = what };

	for (f.from = 0; f.from < count; f.from += SLICE) {
		f.count = count - f.from < SLICE ? count - f.from : SLICE;
		f.job = (struct store_job){ .apply = fill_apply };
		if (store_run_job_now(site->host.store, &f.job) != OK) {
			fprintf(stderr, "pipeline_bench: the store cannot be filled\n");
			exit(2);
		}
	}
}

/* ---- a plan ---- */

struct kind {
	const char *name, *format; /* of the N-th recipient's address */
	unsigned recipients;
	bool logged_in;
};

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static const struct span body = { "hello\r\n", 7 };

/* What intake makes beside it: the record of its parts. */
static struct span
derive(struct arena *a)
{
	struct span record = SPAN_NONE;
	struct buf out;

	buf_init(&out, MIME_RECORD_MAX);
	if (mime_derive(a, SPAN(HEADER), &body, 1, &out) == OK)
		record = arena_copy(a, buf_span(&out));
	buf_fini(&out);
	return record;
}

static void
fill_mail(struct mail *mail, struct arena *a, const struct kind *kind)
{
	struct mail_options options = { .body = BODY_UNSAID };
	struct address sender;

	*mail = (struct mail){ .arena = a, .via = kind->logged_in ? MAIL_VIA_SUBMISSION : MAIL_VIA_MX,
		.service = "smtp", .session = SPAN("s1"), .hostname = SPAN("mail.example.org"),
		.helo = SPAN("client.example.net"), .esmtp = true, .id = SPAN("1"), .message_no = 1,
		.arrived_ms = 1000, .header = SPAN(HEADER), .size = strlen(HEADER) + body.len,
		.body = { .size = body.len, .spans = &body, .span_count = 1 }, .derived = derive(a),
		.asks_nobody = true };
	snprintf(mail->peer.text, sizeof(mail->peer.text), "192.0.2.1");
	mail->peer.is_ipv4 = true;
	if (kind->logged_in) {
		mail->user_id = 1;
		mail->user = SPAN("user0");
	}
	if (address_parse(a, kind->logged_in ? SPAN("user0@example.org") : SPAN("x@example.net"),
		    &sender) != OK)
		exit(2);
	envelope_init(&mail->envelope, a, &sender, &options);
}

/* CPU of one plan; *copies: what it decided. */
static double
plan_once(struct site *site, const struct kind *kind, unsigned round, size_t *copies)
{
	struct arena a;
	struct mail mail;
	struct plan plan;
	struct pipeline_ask ask = { .conf = site->host.conf, .snap = host_snapshot(&site->host),
		.mail = &mail };
	struct address *to;
	enum phase at;
	double begun;

	arena_init(&a, &site->host.pool);
	to = ARENA_ARRAY(&a, struct address, kind->recipients);
	fill_mail(&mail, &a, kind);
	for (unsigned i = 0; i < kind->recipients; i++) {
		unsigned n = 1 + (round * 37 + i * 7) % (10000 / divide - 1);

		n -= n % WILDCARD_EACH == 0; /* that mapping is another one */
		if (address_parse(&a, arena_printf(&a, kind->format, n), &to[i]) != OK)
			exit(2);
	}
	begun = now_us();
	pipeline_read_header(site->host.conf, &mail);
	plan_init(&plan, &a);
	if (pipeline_run_all(&ask, to, kind->recipients, NULL, &plan, &at) != STAGE_NEXT) {
		fprintf(stderr, "pipeline_bench: %s: refused: %.*s\n", kind->name,
			SPAN_FMT(plan.reply.text));
		exit(2);
	}
	begun = now_us() - begun;
	*copies = plan.copy_count;
	arena_reset(&a);
	host_snapshot_close(&site->host);
	return begun;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
measure(struct site *site, const struct kind *kind, size_t *copies)
{
	double us[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++)
		us[i] = plan_once(site, kind, i, copies);
	qsort(us, ROUNDS, sizeof(us[0]), compare);
	printf("%-34s median %8.1f us, worst %8.1f us, %5zu copies, %6.2f us a copy\n", kind->name,
		us[ROUNDS / 2], us[ROUNDS - 1], *copies, us[ROUNDS / 2] / (double)*copies);
	return us[ROUNDS / 2];
}

/* ---- SMTP rules ---- */

#define RULES 500

static void
read_rules(struct arena *a, struct rule_set *set)
{
	static const char *const forms[] = { "1*Rule %u\nMailFrom: *sender%u@*.example.net\n\n",
		"2*Rule %u\nRcptTo: *sales%u@*\nMailFrom: *@example.com\n\n",
		"3*Rule %u\nFrom: *sender%u@*.example.net\nSubject: *offer*\n\n" };
	static struct conf_faults faults;
	struct buf text;

	conf_faults_init(&faults);
	buf_init(&text, 1 << 20);
	for (unsigned i = 0; i < RULES / divide; i++)
		if (buf_printf(&text, forms[i % COUNT(forms)], i, i) != OK)
			exit(2);
	if (rule_text_parse(arena_copy(a, buf_span(&text)), RULES_OF_SMTP, a, set, &faults) != OK) {
		fprintf(stderr, "pipeline_bench: the rules: line %u: %.*s\n",
			faults.items[0].line, SPAN_FMT(faults.items[0].text));
		exit(2);
	}
	conf_faults_fini(&faults);
	buf_fini(&text);
}

/* Into the configuration, as the file of rules has them. */
static void
set_rules(struct site *site, struct arena *a)
{
	struct rule_set set = { .count = 0 };
	struct conf *conf;

	read_rules(a, &set);
	memcpy(&conf, &site->host.conf, sizeof(conf)); /* nobody else reads it here */
	conf->smtp_rules = set;
}

enum { TEN_USERS = 3, THOUSAND_USERS = TEN_USERS + 2 };
static const struct kind kinds[] = {
	{ "one user, by his name", "user%u@example.org", 1, false },
	{ "one user, by a mapping", "alias%u@example.org", 1, false },
	{ "one outsider, by a user", "x%u@example.com", 1, true },
	{ "10 users", "user%u@example.org", 10, false },
	{ "100 users", "user%u@example.org", 100, false },
	{ "1,000 users", "user%u@example.org", 1000, false },
	{ "1,000 outsiders, by a user", "x%u@example.com", 1000, true },
	{ "a list of 1,000", "everybody@example.org", 1, true },
};

static const char conf_text[] =
	"hostname: mail.example.org\n"
	"domains: { default: example.org, local: [example.org] }\n"
	"limits: { recipients: 10000, expansion_recipients: 10000 }\n"
	"signature: { plain: \"-- \\nExample\\n\" }\n"
	"headers: { outgoing: [\"X-House: %O\"] }\n";
static const char copies_text[] =
	"archive: { on: yes }\n"
	"journal: { internal: user7 }\n"
	"monitor: [ { incoming: all, outgoing: all, internal: all, target: user8 } ]\n";

/* Is one of them selected (MON-02)? Nobody is, so all are looked at. */
static void
measure_monitored(struct site *site)
{
	static const struct kind kind = { "a list of 1,000, one watched", "everybody@example.org", 1, true };
	const struct conf *plain = site->host.conf;
	struct conf *conf;
	static struct conf_faults faults;
	struct span text;
	struct arena a;
	size_t copies;

	arena_init(&a, NULL);
	conf_faults_init(&faults);
	text = arena_printf(&a, "%smonitor: [ { internal: selected, target: user5000 }, "
		"{ name: b, internal: selected, users: [user5001, user5002], target: user5000 } ]\n", conf_text);
	if (conf_load(text, &conf, &faults) != OK)
		exit(2);
	site->host.conf = conf;
	(void)measure(site, &kind, &copies);
	site->host.conf = plain;
	conf_free(&conf);
	conf_faults_fini(&faults);
	arena_reset(&a);
}

/* ---- for whom a collected message is ---- */

#define FINDER_MAX_US 10000 /* of any header: it is one turn of a loop (H36) */
#define RECEIVED \
	"Received: from mx%u.isp.test (mx%u.isp.test [192.0.2.%u])\r\n\tby mail.isp.test (Postfix) with ESMTPS id 4XyZ%u\r\n" \
	"\tfor <user%u@example.org>; Sun, 22 Nov 2026 12:00:00 +0100 (CET)\r\n"

/* A usual header, and one whose To has ADDRESSES more. */
static struct span
header_with(struct arena *a, unsigned addresses)
{
	struct buf out;
	struct span header;
	enum err err = OK;

	buf_init(&out, 16 << 20);
	for (unsigned i = 0; i < 8 && err == OK; i++)
		err = buf_printf(&out, RECEIVED, i, i, i, i, i);
	if (err == OK)
		err = buf_printf(&out, "From: x@example.net\r\nTo: \"User, One\" <user1@example.org>");
	for (unsigned i = 0; i < addresses && err == OK; i++)
		err = buf_printf(&out, ",u%u@x.de", i);
	for (unsigned i = 0; i < 30 && err == OK; i++)
		err = buf_printf(&out, "\r\nX-Field-%u: some text of a usual length, as they have it", i);
	if (err != OK || buf_put(&out, SPAN("\r\n\r\n")) != OK)
		exit(2);
	header = arena_copy(a, buf_span(&out));
	buf_fini(&out);
	return header;
}

static double
find_once(struct site *site, struct span header)
{
	struct arena a;
	struct mail mail = { .arena = &a, .via = MAIL_VIA_POP3, .collect = SPAN("box"), .header = header };
	struct collected_ask ask = { .conf = site->host.conf, .snap = host_snapshot(&site->host), .mail = &mail,
		.collector = &site->host.conf->collectors.items[0] };
	struct address *to;
	struct plan plan;
	size_t count;
	double begun = now_us();

	arena_init(&a, &site->host.pool);
	plan_init(&plan, &a);
	if (collected_who(&ask, &plan, &to, &count) != OK || count != 2)
		exit(2);
	begun = now_us() - begun;
	arena_reset(&a);
	host_snapshot_close(&site->host);
	return begun;
}

/* False: it takes too long. */
static bool
measure_finder(struct site *site)
{
	static const unsigned addresses[] = { 0, 100, 100000 };
	const struct conf *plain = site->host.conf;
	static struct conf_faults faults;
	struct conf *conf;
	struct arena a;
	double median = 0;

	arena_init(&a, NULL);
	conf_faults_init(&faults);
	if (conf_load(arena_printf(&a, "%scollecting: { collectors: [ { name: box, server: pop.isp.test, username: u, "
		"accepted: [example.org, shop.test, \"*.sales@isp.test\", box@isp.test], "
		"order: [special, standard, received], special_headers: [X-Envelope-To] } ] }\n", conf_text),
		    &conf, &faults) != OK)
		exit(2);
	site->host.conf = conf;
	for (size_t i = 0; i < COUNT(addresses); i++) {
		struct span header = header_with(&a, addresses[i]);
		double us[ROUNDS];

		for (unsigned n = 0; n < ROUNDS; n++)
			us[n] = find_once(site, header);
		qsort(us, ROUNDS, sizeof(us[0]), compare);
		median = us[ROUNDS / 2];
		printf("collected, %6u foreign addresses  median %8.1f us, worst %8.1f us\n", addresses[i], median,
			us[ROUNDS - 1]);
	}
	site->host.conf = plain;
	conf_free(&conf);
	conf_faults_fini(&faults);
	arena_reset(&a);
	return median <= FINDER_MAX_US;
}

int
main(int argc, char **argv)
{
	bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
	double first = 0, each[COUNT(kinds)];
	struct arena rules;
	struct site site;
	size_t copies;
	int status = 0;

	divide = quick ? 10 : 1;
	arena_init(&rules, NULL);
	site_open(&site, arena_printf(&rules, "%s%s", conf_text, copies_text).ptr);
	set_rules(&site, &rules);
	fill(&site, USERS, 10000 / divide);
	fill(&site, MAPPINGS, 50000 / divide);
	fill(&site, MEMBERS, 1000 / divide);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		double median = measure(&site, &kinds[i], &copies);

		if (i < TEN_USERS && median > first)
			first = median;
		each[i] = median / (double)copies;
	}
	measure_monitored(&site);
	status = measure_finder(&site) ? 0 : 1;
	for (size_t i = TEN_USERS + 1; i <= THOUSAND_USERS; i++)
		if (each[i] > 2 * each[i - 1])
			status = 1;
	if (first > MEDIAN_MAX_US)
		status = 1;
	site_close(&site);
	arena_reset(&rules);
	return quick ? 0 : status;
}
