/*
 * test_bounce.c - whom an outcome tells, in one transaction with it: rows of outcomes in, mail out.
 */
#include "tests/unit/bounce_act.h"

#include <stdio.h>
#include <string.h>

#include "store/bodies.h"
#include "store/contents.h"
#include "store/warnings.h"

/* ---- failures ---- */

/* OUT-19, OUT-20: one report names all that were refused, with the remote's words; H11. */
static void
test_out_19_one_report_names_all_refused(void **state)
{
	struct act act = { .to = "x@far.test y@far.test", .code = 550,
		.bounce = { .kind = BOUNCE_FAILED } };
	struct site site;

	(void)state;
	act_site_open(&site, "");
	act_queue_and_bounce(&site, &act, "anna@example.org");
	assert_int_equal(act.bounce.reports, 1);
	assert_int_equal(act_inbox(&site, "anna"), 1);
	assert_int_equal(act_inbox(&site, "postmaster"), 0);
	assert_true(act_says(&site, "anna", 1, "Return-Path: <>\r\n"));
	assert_true(act_says(&site, "anna", 1, "From: Mailer_Daemon@example.org\r\n"));
	assert_true(act_says(&site, "anna", 1, "Auto-Submitted: auto-replied\r\n"));
	assert_true(act_says(&site, "anna", 1, "Final-Recipient: rfc822;x@far.test\r\nAction: failed\r\n"));
	assert_true(act_says(&site, "anna", 1, "Final-Recipient: rfc822;y@far.test\r\n"));
	assert_true(act_says(&site, "anna", 1, "Remote-MTA: dns;mx.far.test\r\n"));
	assert_true(act_says(&site, "anna", 1, "smtp;550 5.1.1 no??X-Evil: such user\r\n"));
	assert_true(act_says(&site, "anna", 1, "Subject: the plan\r\n"));
	assert_true(act_says(&site, "anna", 1, "line one\r\nline two\r\n"));
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
	act_site_open(&site, "outgoing: { warnings: always }\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct act act = { .to = "x@far.test", .code = 250, .notify = rows[i].notify,
			.bounce = { .kind = rows[i].kind, .remote_has_dsn = rows[i].remote_has_dsn } };

		act_queue_and_bounce(&site, &act, "anna@example.org");
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
	act_site_open(&site, "");
	act_queue_and_bounce(&site, &act, "anna@example.org");
	assert_true(act_says(&site, "anna", 1, "Content-Type: text/rfc822-headers\r\n"));
	assert_true(act_says(&site, "anna", 1, "Original-Envelope-Id: QQ+314\r\n"));
	assert_true(act_says(&site, "anna", 1, "Subject: the plan\r\n"));
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
	act_site_open(&site, "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct act act = { .to = "x@far.test", .code = 550,
			.queued = { .forged = rows[i].forged },
			.bounce = { .kind = BOUNCE_FAILED, .unknown = rows[i].unknown } };

		act_queue_and_bounce(&site, &act, rows[i].sender);
		if (act_inbox(&site, "postmaster") != rows[i].admin || act_inbox(&site, "anna") != 0)
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
	act_site_open(&site, "outgoing: { warnings: always }\n");
	act_queue_and_bounce(&site, &act, "anna@example.org");
	assert_int_equal(act.bounce.reports, 0);
	assert_int_equal(act_inbox(&site, "anna") + act_inbox(&site, "postmaster"), 0);
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
	act_site_open(&site, "");
	act_queue_and_bounce(&site, &act, "");
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

		act_site_open(&site, "");
		act_queue_and_bounce(&site, &act, senders[i]);
		assert_int_equal(act_inbox(&site, "anna") + act_inbox(&site, "postmaster"), 0);
		failed.bounce.kind = BOUNCE_FAILED;
		act_queue_and_bounce(&site, &failed, senders[i]);
		assert_int_equal(failed.bounce.reports, 1);
		assert_int_equal(act_inbox(&site, "anna"), 0);
		assert_int_equal(act_inbox(&site, "postmaster"), 1);
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
	act_site_open(&site, "");
	act_queue_and_bounce(&site, &act, "bo@far.test");
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

		act_site_open(&site, rows[i].conf);
		for (int n = 0; n < 3; n++) {
			struct act act = { .to = "x@Dead.test", .code = 450,
				.bounce = { .kind = BOUNCE_DELAYED } };

			act_queue_and_bounce(&site, &act, n == 1 ? "Anna@example.org" : "anna@example.org");
			act_bounce(&site, &act); /* OUT-17: once more for this message: nothing */
		}
		if (act_inbox(&site, "anna") != rows[i].warnings)
			fail_msg("row %zu: %zu warnings", i, act_inbox(&site, "anna"));
		if (rows[i].warnings > 0) {
			assert_true(act_says(&site, "anna", 1, "Action: delayed\r\n"));
			assert_true(act_says(&site, "anna", 1, "text/rfc822-headers"));
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
	act_site_open(&site, "");
	act_queue_and_bounce(&site, &one, "anna@example.org");
	act_queue_and_bounce(&site, &two, "anna@example.org");
	assert_int_equal(act_inbox(&site, "anna"), 2);
	assert_true(act_says(&site, "anna", 2, "rfc822;y@gone.test"));
	site.host.clock_offset_ms = &offset;
	act_queue_and_bounce(&site, &later, "anna@example.org");
	assert_int_equal(act_inbox(&site, "anna"), 3);
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
	act_site_open(&site, "outgoing: { transport_errors_to_admin: yes }\n");
	act_queue_and_bounce(&site, &act, "anna@example.org");
	assert_int_equal(act_inbox(&site, "anna"), 0);
	assert_int_equal(act_inbox(&site, "postmaster"), 1);
	act_queue_and_bounce(&site, &refused, "anna@example.org");
	assert_int_equal(act_inbox(&site, "anna"), 1);
	assert_int_equal(act_inbox(&site, "postmaster"), 1);
	site_close(&site);
}

/* ---- texts and receipts ---- */

/* ADM-06, ADM-12: %1 and %2 are replaced; the default is used when it is empty. */
static void
test_adm_06_texts(void **state)
{
	struct act act = { .to = "x@far.test", .code = 550, .original = ACT_HEADER,
		.bounce = { .kind = BOUNCE_FAILED, .unknown = true } };
	struct site site;

	(void)state;
	act_site_open(&site, "");
	act_queue_and_bounce(&site, &act, "anna@example.org");
	assert_true(act_says(&site, "anna", 1, "The recipient x@far.test is not recognised here."));
	assert_true(act_says(&site, "anna", 1, "postmaster@example.org"));
	site_close(&site);
	act_site_open(&site, "collecting: { unknown: { bounce_text: \"No %1 at %2, 100%%.\" } }\n"
			 "texts: { failed: \"Lost: %1\" }\n");
	act_queue_and_bounce(&site, &act, "anna@example.org");
	assert_true(act_says(&site, "anna", 1, "\r\nNo x@far.test at example.org, 100%.\r\n"));
	act.bounce.unknown = false;
	act_queue_and_bounce(&site, &act, "anna@example.org");
	assert_true(act_says(&site, "anna", 2, "\r\nLost: x@far.test\r\n"));
	site_close(&site);
}

/* OUT-20: no DSN: text alone. */
static void
test_out_20_plain(void **state)
{
	struct act act = { .to = "x@far.test", .code = 550, .bounce = { .kind = BOUNCE_FAILED } };
	struct site site;

	(void)state;
	act_site_open(&site, "outgoing: { dsn_reports: no }\n");
	act_queue_and_bounce(&site, &act, "anna@example.org");
	assert_true(act_says(&site, "anna", 1, "Content-Type: text/plain"));
	assert_true(act_says(&site, "anna", 1, "<x@far.test> could not be delivered\r\n"));
	assert_true(act_says(&site, "anna", 1, "Subject: the plan\r\n"));
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
	act_site_open(&site, ""); /* the field of the default (HDR-07) */
	unasked.queued.receipt = false; /* no header is read for it */
	act_queue_and_bounce(&site, &unasked, "anna@example.org");
	lan.bounce.lan = true; /* a server of our own is not the Internet */
	act_queue_and_bounce(&site, &lan, "anna@example.org");
	act_queue_and_bounce(&site, &foreign, "bo@far.test");
	assert_int_equal(act_inbox(&site, "anna"), 0);
	act_queue_and_bounce(&site, &ours, "anna@example.org");
	assert_int_equal(act_inbox(&site, "anna"), 1);
	assert_true(act_says(&site, "anna", 1, "Return-Path: <>\r\n"));
	assert_true(act_says(&site, "anna", 1, "to x@far.test was handed on"));
	assert_true(act_says(&site, "anna", 1, "  Subject: the plan\r\n"));
	site_close(&site);
	act_site_open(&site, "headers: { transmission_receipt: [] }\n");
	act_queue_and_bounce(&site, &off, "anna@example.org");
	assert_int_equal(act_inbox(&site, "anna"), 0);
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
