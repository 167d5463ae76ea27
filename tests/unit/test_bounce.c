/*
 * test_bounce.c - whom an outcome tells, in one transaction with it: rows of outcomes in, mail out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/queue/bounce_inside.h"
#include "store/bodies.h"
#include "store/contents.h"
#include "store/warnings.h"
#include "tests/harness/site.h"

#define CONF                                                                                       \
	"hostname: mail.example.org\n"                                                             \
	"domains: { default: example.org, local: [example.org] }\n"
#define HEADER                                                                                     \
	"From: Anna <anna@example.org>\r\nTo: x@far.test\r\nSubject: the plan\r\n"                 \
	"Return-Receipt-To: anna@example.org\r\nDate: Tue, 14 Nov 2023 23:13:20 +0100\r\n\r\n"

/* ---- a message in the queue, and what is done to it ---- */

struct act {
	struct store_job job;
	struct bounce_ground ground;
	struct queued queued; /* to be added; its id is 40000000 and more */
	const char *to;       /* recipients, blanks between */
	struct bounce bounce;
	uint32_t notify;
	unsigned code;
	bool transport;
	const char *original; /* not NULL: not in the queue at all */
	enum err err;
	bool done;
};

static size_t
recipients_of(const struct act *act, struct span *out, size_t max)
{
	struct span rest = span_of(act->to), word;
	size_t count = 0;

	while (rest.len > 0 && count < max) {
		(void)span_cut(rest, ' ', &word, &rest);
		out[count++] = word;
	}
	return count;
}

static enum step
add_apply(struct store_job *job, struct txn *txn)
{
	struct act *act = LIST_ITEM(job, struct act, job);
	struct span body[1] = { SPAN("line one\r\nline two\r\n") }, to[10];
	struct content content = { .header = SPAN(HEADER), .owners = 1, .body_size = body[0].len };
	struct queued_recipient rows[10] = { { .tries = 0 } };
	size_t count = recipients_of(act, to, 10);
	enum err err = body_add(txn, (struct body_source){ body, 1 }, &content.body_id);

	for (size_t i = 0; i < count; i++)
		rows[i].address = to[i];
	if (err == OK)
		err = content_add(txn, &content, false);
	act->queued.content_id = content.content_id;
	if (err == OK)
		err = queued_add(txn, &act->queued, rows, count);
	return step_of(job, err);
}

static enum step
bounce_apply(struct store_job *job, struct txn *txn)
{
	struct act *act = LIST_ITEM(job, struct act, job);
	struct bounce_original original = { .header = span_of(act->original) };
	struct bounce_recipient all[10] = { { .code = 0 } };
	struct span to[10];
	struct queued q = act->queued;
	enum err err = act->original ? OK : queued_find(txn_view(txn), act->queued.queue_id, &q);

	act->bounce.count = recipients_of(act, to, 10);
	for (size_t i = 0; i < act->bounce.count; i++)
		all[i] = (struct bounce_recipient){ .address = to[i], .notify = act->notify,
			.code = act->code, .status = SPAN("5.1.1"), .transport = act->transport,
			.reply = SPAN("5.1.1 no\r\nX-Evil: such user"),
			.remote = SPAN("mx.far.test 192.0.2.1:25"), .last_try_ms = 1700000000000 };
	act->bounce.recipients = all;
	act->bounce.queued = &q;
	act->bounce.original = act->original ? &original : NULL;
	if (err == OK)
		err = bounce_for(txn, &act->ground, &act->bounce);
	return step_of(job, err);
}

static void
act_done(struct store_job *job, enum err result)
{
	struct act *act = LIST_ITEM(job, struct act, job);

	act->err = result;
	act->done = true;
}

static void
run(struct site *site, struct act *act, enum step (*apply)(struct store_job *, struct txn *))
{
	act->done = false;
	act->job = (struct store_job){ .apply = apply, .done = act_done,
		.inbox = site->host.inbox };
	assert_int_equal(store_submit(site->host.store, &act->job), OK);
	for (int i = 0; i < 2000 && !act->done; i++)
		site_turn(site, 5);
	assert_true(act->done);
	assert_int_equal(act->err, OK);
}

static void
bounce(struct site *site, struct act *act)
{
	bounce_ground_init(&act->ground, &site->host);
	run(site, act, bounce_apply);
	bounce_ground_fini(&act->ground);
}

/* A message of SENDER to TO is in the queue, and ends as ACT says. */
static void
queue_and_bounce(struct site *site, struct act *act, const char *sender)
{
	static uint64_t last = 40000000;

	act->queued.queue_id = ++last;
	act->queued.sender = span_of(sender);
	act->queued.received_ms = 1699999999000;
	run(site, act, add_apply);
	bounce(site, act);
}

static void
open_site(struct site *site, const char *more)
{
	char conf[1024];

	snprintf(conf, sizeof(conf), CONF "%s", more);
	site_open(site, conf);
	site_add_user(site, "anna", NULL);
	site_add_user(site, "postmaster", NULL);
}

static size_t
inbox(struct site *site, const char *user)
{
	return site_folder_count(site, user, "INBOX");
}

static bool
says(struct site *site, const char *user, size_t n, const char *text)
{
	struct buf b;
	bool found;

	buf_init(&b, 1 << 20);
	assert_true(site_folder_read(site, user, "INBOX", n, &b));
	found = span_find_span(buf_span(&b), span_of(text)) < buf_span(&b).len;
	if (!found)
		print_message("%.*s\n", SPAN_FMT(buf_span(&b)));
	buf_fini(&b);
	return found;
}

/* ---- failures ---- */

/* OUT-19, OUT-20: one report names all that were refused, with the remote's words; H11. */
static void
test_out_19_one_report_names_all_refused(void **state)
{
	struct act act = { .to = "x@far.test y@far.test", .code = 550,
		.bounce = { .kind = BOUNCE_FAILED } };
	struct site site;

	(void)state;
	open_site(&site, "");
	queue_and_bounce(&site, &act, "anna@example.org");
	assert_int_equal(act.bounce.reports, 1);
	assert_int_equal(inbox(&site, "anna"), 1);
	assert_int_equal(inbox(&site, "postmaster"), 0);
	assert_true(says(&site, "anna", 1, "Return-Path: <>\r\n"));
	assert_true(says(&site, "anna", 1, "From: Mailer_Daemon@example.org\r\n"));
	assert_true(says(&site, "anna", 1, "Auto-Submitted: auto-replied\r\n"));
	assert_true(says(&site, "anna", 1, "Final-Recipient: rfc822;x@far.test\r\nAction: failed\r\n"));
	assert_true(says(&site, "anna", 1, "Final-Recipient: rfc822;y@far.test\r\n"));
	assert_true(says(&site, "anna", 1, "Remote-MTA: dns;mx.far.test\r\n"));
	assert_true(says(&site, "anna", 1, "smtp;550 5.1.1 no??X-Evil: such user\r\n"));
	assert_true(says(&site, "anna", 1, "Subject: the plan\r\n"));
	assert_true(says(&site, "anna", 1, "line one\r\nline two\r\n"));
	site_close(&site);
}

/* OUT-21: what NOTIFY and RET said decides. */
static void
test_out_21_notify(void **state)
{
	static const struct {
		uint32_t notify;
		enum bounce_kind kind;
		bool remote_has_dsn;
		size_t reports;
	} rows[] = {
		{ 0, BOUNCE_FAILED, false, 1 },
		{ QUEUED_NOTIFY_NEVER, BOUNCE_FAILED, false, 0 },
		{ QUEUED_NOTIFY_SUCCESS, BOUNCE_FAILED, false, 0 },
		{ QUEUED_NOTIFY_SUCCESS, BOUNCE_SENT, false, 1 },
		{ QUEUED_NOTIFY_SUCCESS, BOUNCE_SENT, true, 0 },
		{ QUEUED_NOTIFY_SUCCESS, BOUNCE_DELIVERED, false, 1 },
		{ QUEUED_NOTIFY_FAILURE, BOUNCE_SENT, false, 0 },
		{ QUEUED_NOTIFY_FAILURE, BOUNCE_DELAYED, false, 0 },
		{ QUEUED_NOTIFY_DELAY, BOUNCE_DELAYED, false, 1 },
		{ 0, BOUNCE_DELAYED, false, 1 },
		{ QUEUED_NOTIFY_NEVER, BOUNCE_DELAYED, false, 0 },
	};
	struct site site;

	(void)state;
	open_site(&site, "outgoing: { warnings: always }\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct act act = { .to = "x@far.test", .code = 250, .notify = rows[i].notify,
			.bounce = { .kind = rows[i].kind, .remote_has_dsn = rows[i].remote_has_dsn } };

		queue_and_bounce(&site, &act, "anna@example.org");
		if (act.bounce.reports != rows[i].reports)
			fail_msg("row %zu: %zu reports", i, act.bounce.reports);
	}
	site_close(&site);
}

static void
test_out_21_ret_and_envid(void **state)
{
	struct act act = { .to = "x@far.test", .code = 550,
		.queued = { .ret = QUEUED_RET_HDRS, .envid = SPAN("QQ+2B314") },
		.bounce = { .kind = BOUNCE_FAILED } };
	struct site site;

	(void)state;
	open_site(&site, "");
	queue_and_bounce(&site, &act, "anna@example.org");
	assert_true(says(&site, "anna", 1, "Content-Type: text/rfc822-headers\r\n"));
	assert_true(says(&site, "anna", 1, "Original-Envelope-Id: QQ+314\r\n"));
	assert_true(says(&site, "anna", 1, "Subject: the plan\r\n"));
	site_close(&site);
}

/* H14, ADM-07: nobody is told who did not write it, or is nobody. */
static void
test_adm_07_who_is_not_told(void **state)
{
	static const struct {
		const char *sender;
		bool forged, unknown;
		size_t admin; /* messages the administrator has then */
	} rows[] = {
		{ "anna@example.org", true, false, 0 },
		{ "mailer-daemon@far.test", false, false, 0 },
		{ "ListServer@example.org", false, false, 0 },
		{ "", false, true, 0 },
		{ "", false, false, 1 },             /* H15: a report that failed */
		{ "nobody@example.org", false, false, 2 },
	};
	struct site site;

	(void)state;
	open_site(&site, "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct act act = { .to = "x@far.test", .code = 550,
			.queued = { .forged = rows[i].forged },
			.bounce = { .kind = BOUNCE_FAILED, .unknown = rows[i].unknown } };

		queue_and_bounce(&site, &act, rows[i].sender);
		if (inbox(&site, "postmaster") != rows[i].admin || inbox(&site, "anna") != 0)
			fail_msg("row %zu", i);
		assert_int_equal(act.bounce.queued_count, 0);
		assert_false(act.bounce.held);
	}
	site_close(&site);
}

/* H14, H88: who is never told of a delay is not noted with every try. */
static void
test_h14_a_forged_sender_is_noted_once(void **state)
{
	struct act act = { .to = "x@far.test", .code = 450, .queued = { .forged = true },
		.bounce = { .kind = BOUNCE_DELAYED } };
	struct snapshot *snap;
	struct queued q;
	struct site site;

	(void)state;
	open_site(&site, "outgoing: { warnings: always }\n");
	queue_and_bounce(&site, &act, "anna@example.org");
	assert_int_equal(act.bounce.reports, 0);
	assert_int_equal(inbox(&site, "anna") + inbox(&site, "postmaster"), 0);
	assert_int_equal(snapshot_open(site.host.store, &snap), OK);
	assert_int_equal(queued_find(snap, act.queued.queue_id, &q), OK);
	assert_true(q.warned);
	snapshot_close(&snap);
	site_close(&site);
}

/* H15: the report to the administrator fails too: it is held, and nothing more is written. */
static void
test_h15_the_last_report_is_held(void **state)
{
	struct act act = { .to = "x@far.test", .code = 550,
		.queued = { .report = QUEUED_REPORT_LAST }, .bounce = { .kind = BOUNCE_FAILED } };
	struct snapshot *snap;
	struct queued q;
	struct site site;

	(void)state;
	open_site(&site, "");
	queue_and_bounce(&site, &act, "");
	assert_true(act.bounce.held);
	assert_int_equal(act.bounce.reports, 0);
	assert_int_equal(snapshot_open(site.host.store, &snap), OK);
	assert_int_equal(queued_find(snap, act.queued.queue_id, &q), OK);
	assert_true(q.held);
	assert_true(q.held_why.len > 0);
	snapshot_close(&snap);
	site_close(&site);
}

/* JRN-14, MON-08: a copy of the server's own making fails, or is late: the author hears nothing, whoever its sender is. */
static void
test_jrn_14_a_failed_copy_is_the_administrators(void **state)
{
	static const char *const senders[] = { "", "anna@example.org" };
	struct site site;

	(void)state;
	for (size_t i = 0; i < COUNT(senders); i++) {
		struct act act = { .to = "journal@far.test", .code = 550,
			.queued = { .report = QUEUED_REPORT_COPY }, .bounce = { .kind = BOUNCE_DELAYED } };
		struct act failed = act;

		open_site(&site, "");
		queue_and_bounce(&site, &act, senders[i]);
		assert_int_equal(inbox(&site, "anna") + inbox(&site, "postmaster"), 0);
		failed.bounce.kind = BOUNCE_FAILED;
		queue_and_bounce(&site, &failed, senders[i]);
		assert_int_equal(failed.bounce.reports, 1);
		assert_int_equal(inbox(&site, "anna"), 0);
		assert_int_equal(inbox(&site, "postmaster"), 1);
		site_close(&site);
	}
}

/* To an author elsewhere the report waits in the queue, marked as one. */
static void
test_a_report_leaves_by_the_queue(void **state)
{
	struct act act = { .to = "x@far.test", .code = 550, .bounce = { .kind = BOUNCE_FAILED } };
	struct snapshot *snap;
	struct queued q;
	struct site site;

	(void)state;
	open_site(&site, "");
	queue_and_bounce(&site, &act, "bo@far.test");
	assert_int_equal(act.bounce.queued_count, 1);
	assert_int_equal(site_queue_count(&site), 2);
	assert_int_equal(snapshot_open(site.host.store, &snap), OK);
	assert_int_equal(queued_next(snap, act.queued.queue_id, &q), ERR_NOT_FOUND);
	assert_int_equal(queued_next(snap, 0, &q), OK); /* numbers begin below ours */
	assert_int_equal(q.report, QUEUED_REPORT_FIRST);
	assert_int_equal(q.sender.len, 0);
	snapshot_close(&snap);
	site_close(&site);
}

/* ---- warnings ---- */

/* OUT-18: three messages to a dead domain in a day: one warning; always: three; never: none. */
static void
test_out_18_warnings(void **state)
{
	static const struct {
		const char *conf;
		size_t warnings;
	} rows[] = { { "", 1 }, { "outgoing: { warnings: always }\n", 3 },
		{ "outgoing: { warnings: never }\n", 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct site site;

		open_site(&site, rows[i].conf);
		for (int n = 0; n < 3; n++) {
			struct act act = { .to = "x@Dead.test", .code = 450,
				.bounce = { .kind = BOUNCE_DELAYED } };

			queue_and_bounce(&site, &act, n == 1 ? "Anna@example.org" : "anna@example.org");
			bounce(&site, &act); /* OUT-17: once more for this message: nothing */
		}
		if (inbox(&site, "anna") != rows[i].warnings)
			fail_msg("row %zu: %zu warnings", i, inbox(&site, "anna"));
		if (rows[i].warnings > 0) {
			assert_true(says(&site, "anna", 1, "Action: delayed\r\n"));
			assert_true(says(&site, "anna", 1, "text/rfc822-headers"));
		}
		site_close(&site);
	}
}

static void
test_out_18_another_domain_and_another_day(void **state)
{
	struct act one = { .to = "x@dead.test", .bounce = { .kind = BOUNCE_DELAYED } };
	struct act two = { .to = "x@dead.test y@gone.test", .bounce = { .kind = BOUNCE_DELAYED } };
	struct act later = { .to = "x@dead.test", .bounce = { .kind = BOUNCE_DELAYED } };
	_Atomic int64_t offset = WARNINGS_DAY_MS;
	struct site site;

	(void)state;
	open_site(&site, "");
	queue_and_bounce(&site, &one, "anna@example.org");
	queue_and_bounce(&site, &two, "anna@example.org");
	assert_int_equal(inbox(&site, "anna"), 2);
	assert_true(says(&site, "anna", 2, "rfc822;y@gone.test"));
	site.host.clock_offset_ms = &offset;
	queue_and_bounce(&site, &later, "anna@example.org");
	assert_int_equal(inbox(&site, "anna"), 3);
	site.host.clock_offset_ms = NULL;
	site_close(&site);
}

/* OUT-24: on: the author gets nothing, the administrator does. */
static void
test_out_24_transport_errors(void **state)
{
	struct act act = { .to = "x@far.test", .transport = true,
		.bounce = { .kind = BOUNCE_FAILED } };
	struct act refused = { .to = "x@far.test", .code = 550,
		.bounce = { .kind = BOUNCE_FAILED } };
	struct site site;

	(void)state;
	open_site(&site, "outgoing: { transport_errors_to_admin: yes }\n");
	queue_and_bounce(&site, &act, "anna@example.org");
	assert_int_equal(inbox(&site, "anna"), 0);
	assert_int_equal(inbox(&site, "postmaster"), 1);
	queue_and_bounce(&site, &refused, "anna@example.org");
	assert_int_equal(inbox(&site, "anna"), 1);
	assert_int_equal(inbox(&site, "postmaster"), 1);
	site_close(&site);
}

/* ---- texts and receipts ---- */

/* ADM-06, ADM-12: %1 and %2 are replaced; the default is used when it is empty. */
static void
test_adm_06_texts(void **state)
{
	struct act act = { .to = "x@far.test", .code = 550, .original = HEADER,
		.bounce = { .kind = BOUNCE_FAILED, .unknown = true } };
	struct site site;

	(void)state;
	open_site(&site, "");
	queue_and_bounce(&site, &act, "anna@example.org");
	assert_true(says(&site, "anna", 1, "The recipient x@far.test is not recognised here."));
	assert_true(says(&site, "anna", 1, "postmaster@example.org"));
	site_close(&site);
	open_site(&site, "collecting: { unknown: { bounce_text: \"No %1 at %2, 100%%.\" } }\n"
			 "texts: { failed: \"Lost: %1\" }\n");
	queue_and_bounce(&site, &act, "anna@example.org");
	assert_true(says(&site, "anna", 1, "\r\nNo x@far.test at example.org, 100%.\r\n"));
	act.bounce.unknown = false;
	queue_and_bounce(&site, &act, "anna@example.org");
	assert_true(says(&site, "anna", 2, "\r\nLost: x@far.test\r\n"));
	site_close(&site);
}

/* OUT-20: no DSN: text alone. */
static void
test_out_20_plain(void **state)
{
	struct act act = { .to = "x@far.test", .code = 550, .bounce = { .kind = BOUNCE_FAILED } };
	struct site site;

	(void)state;
	open_site(&site, "outgoing: { dsn_reports: no }\n");
	queue_and_bounce(&site, &act, "anna@example.org");
	assert_true(says(&site, "anna", 1, "Content-Type: text/plain"));
	assert_true(says(&site, "anna", 1, "<x@far.test> could not be delivered\r\n"));
	assert_true(says(&site, "anna", 1, "Subject: the plan\r\n"));
	site_close(&site);
}

/* HDR-07: a receipt where the setting lists the field, for mail of our own alone. */
static void
test_hdr_07_transmission_receipt(void **state)
{
	struct act ours = { .to = "x@far.test", .code = 250, .bounce = { .kind = BOUNCE_SENT },
		.queued = { .receipt = true } };
	struct act foreign = ours, off = ours, unasked = ours, lan = ours;
	struct site site;

	(void)state;
	open_site(&site, ""); /* the field of the default (HDR-07) */
	unasked.queued.receipt = false; /* no header is read for it */
	queue_and_bounce(&site, &unasked, "anna@example.org");
	lan.bounce.lan = true; /* a server of our own is not the Internet */
	queue_and_bounce(&site, &lan, "anna@example.org");
	queue_and_bounce(&site, &foreign, "bo@far.test");
	assert_int_equal(inbox(&site, "anna"), 0);
	queue_and_bounce(&site, &ours, "anna@example.org");
	assert_int_equal(inbox(&site, "anna"), 1);
	assert_true(says(&site, "anna", 1, "Return-Path: <>\r\n"));
	assert_true(says(&site, "anna", 1, "to x@far.test was handed on"));
	assert_true(says(&site, "anna", 1, "  Subject: the plan\r\n"));
	site_close(&site);
	open_site(&site, "headers: { transmission_receipt: [] }\n");
	queue_and_bounce(&site, &off, "anna@example.org");
	assert_int_equal(inbox(&site, "anna"), 0);
	site_close(&site);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_out_19_one_report_names_all_refused),
		cmocka_unit_test(test_out_21_notify),
		cmocka_unit_test(test_out_21_ret_and_envid),
		cmocka_unit_test(test_adm_07_who_is_not_told),
		cmocka_unit_test(test_h14_a_forged_sender_is_noted_once),
		cmocka_unit_test(test_h15_the_last_report_is_held),
		cmocka_unit_test(test_jrn_14_a_failed_copy_is_the_administrators),
		cmocka_unit_test(test_a_report_leaves_by_the_queue),
		cmocka_unit_test(test_out_18_warnings),
		cmocka_unit_test(test_out_18_another_domain_and_another_day),
		cmocka_unit_test(test_out_24_transport_errors),
		cmocka_unit_test(test_adm_06_texts),
		cmocka_unit_test(test_out_20_plain),
		cmocka_unit_test(test_hdr_07_transmission_receipt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
