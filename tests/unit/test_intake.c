/*
 * test_intake.c - one message with several contents and several envelopes: versions, roles, groups; a large body
 * that stages read.
 */
#include "tests/unit/intake_sent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/mail/header.h"
#include "server/pipeline/global_signature.h"
#include "server/pipeline/mail_body.h"
#include "store/bodies.h"

/* A colleague, an outsider, a monitor here and there, a journal, all of one message; its body is stored once. */
static void
test_copies_with_an_envelope_of_their_own(void **state)
{
	static const char *const to[] = { "anna@example.org", "out@example.net" };
	static const struct plan_piece wrap[] = { { SPAN("--b\r\n"), 0, 0 }, { { NULL, 0 }, 0, 7 },
		{ SPAN("--b--\r\n"), 0, 0 }, { { NULL, 0 }, 2, 3 } };
	static const struct plan_piece own[] = { { SPAN("nothing of it\r\n"), 0, 0 } };
	const struct entry_want want[] = {
		{ "out@example.net", "", SENT_HEADER, SPAN("hello\r\n"), 0, 0 },
		{ "watch@example.com", "mon@example.org", "X-Monitor: 1\r\n\r\n", SPAN("hello\r\n"), 0,
			QUEUED_NOTIFY_NEVER },
		{ "journal@example.com", "", "X-Journal: 1\r\n\r\n", SPAN("--b\r\nhello\r\n--b--\r\nllo"),
			QUEUED_REPORT_COPY, QUEUED_NOTIFY_FAILURE },
		{ "note@example.com", "", "X-Note: 1\r\n\r\n", SPAN("nothing of it\r\n"),
			QUEUED_REPORT_COPY, QUEUED_NOTIFY_FAILURE },
	};
	struct sent s = { 0 };
	struct plan_version *monitor;
	struct buf notes;

	(void)state;
	site_open(&s.site, SENT_CONF);
	site_add_user(&s.site, "anna", NULL);
	site_add_user(&s.site, "boss", NULL);
	sent_plan(&s, SPAN("hello\r\n"), to, 2);
	monitor = sent_version(&s, "X-Monitor: 1\r\n\r\n", NULL, 0);
	sent_add(&s, (struct plan_copy){ .kind = COPY_FOLDER, .role = COPY_MONITOR, .user_id = 2,
			.user = SPAN("boss"), .folder = SPAN("INBOX"), .target = SPAN("boss/INBOX"),
			.version = monitor });
	monitor = sent_version(&s, "X-Monitor: 1\r\n\r\n", NULL, 0);
	sent_add(&s, (struct plan_copy){ .kind = COPY_REMOTE, .role = COPY_MONITOR, .version = monitor,
			.target = SPAN("watch@example.com"), .own_sender = true,
			.sender = SPAN("mon@example.org") }); /* the same bytes, stored once */
	sent_add(&s, (struct plan_copy){ .kind = COPY_REMOTE, .role = COPY_JOURNAL, .own_sender = true,
			.target = SPAN("journal@example.com"), .report = QUEUED_REPORT_COPY,
			.version = sent_version(&s, "X-Journal: 1\r\n\r\n", wrap, COUNT(wrap)) });
	sent_add(&s, (struct plan_copy){ .kind = COPY_REMOTE, .role = COPY_JOURNAL, .own_sender = true,
			.target = SPAN("note@example.com"), .report = QUEUED_REPORT_COPY,
			.version = sent_version(&s, "X-Note: 1\r\n\r\n", own, COUNT(own)) });
	assert_int_equal(plan_counted(&s.in->plan), 2);
	assert_int_equal(plan_outgoing_count(&s.in->plan), 1);
	sent_submit(&s);
	sent_assert_folder(&s, "anna", 1, "Return-Path: <>\r\n" SENT_HEADER "hello\r\n");
	sent_assert_folder(&s, "boss", 1, "Return-Path: <>\r\nX-Monitor: 1\r\n\r\nhello\r\n");
	assert_int_equal(site_folder_count(&s.site, "boss", "INBOX"), 1);
	sent_assert_entries(&s, want, COUNT(want));
	assert_int_equal(sent_rows(&s, TABLE_contents), 4); /* as it came, and three versions */
	assert_int_equal(sent_rows(&s, TABLE_bodies), 3);   /* what came, what the wrap adds, the note */
	assert_int_equal(sent_rows(&s, TABLE_body_joins), 1);
	buf_init(&notes, 1 << 16);
	assert_true(site_trace_read(&s.site, &notes)); /* of the last entry: it points to the message */
	assert_true(span_find_span(buf_span(&notes), SPAN("a part of message")) < buf_span(&notes).len);
	buf_fini(&notes);
	site_close(&s.site);
}

/* RFC 3461: who asked to be told hears of his recipient, and that alone: a monitor is no expansion (MON-08). */
static void
test_nobody_is_told_of_a_monitor(void **state)
{
	static const char *const to[] = { "anna@example.org" };
	struct sent s = { 0 };
	struct buf report;
	struct span text;

	(void)state;
	site_open(&s.site, SENT_CONF);
	site_add_user(&s.site, "anna", NULL);
	site_add_user(&s.site, "boss", NULL);
	site_add_user(&s.site, "carl", NULL);
	sent_plan(&s, SPAN("hello\r\n"), to, 1);
	assert_int_equal(address_parse(&s.in->arena, SPAN("carl@example.org"),
				 &s.in->mail.envelope.reverse_path), OK);
	LIST_ITEM(s.in->mail.envelope.recipients.next, struct recipient, link)->options.notify =
		DSN_NOTIFY_SUCCESS;
	sent_add(&s, (struct plan_copy){ .kind = COPY_FOLDER, .role = COPY_MONITOR, .user_id = 2,
			.user = SPAN("boss"), .folder = SPAN("INBOX"), .target = SPAN("boss/INBOX") });
	sent_submit(&s);
	assert_int_equal(site_folder_count(&s.site, "boss", "INBOX"), 1);
	buf_init(&report, 1 << 20);
	assert_true(site_folder_read(&s.site, "carl", "INBOX", 1, &report));
	text = buf_span(&report);
	assert_true(span_find_span(text, SPAN("Action: delivered")) < text.len);
	assert_true(span_find_span(text, SPAN("boss")) == text.len);
	buf_fini(&report);
	site_close(&s.site);
}

/* Nothing but a journal's copy of what was discarded: the body has its one owner in the join. */
static void
test_only_a_version(void **state)
{
	static const struct plan_piece wrap[] = { { { NULL, 0 }, 0, 7 }, { SPAN("foot\r\n"), 0, 0 } };
	const struct entry_want want = { "journal@example.com", "", "X-Journal: 1\r\n\r\n",
		SPAN("hello\r\nfoot\r\n"), 0, QUEUED_NOTIFY_NEVER };
	struct sent s = { 0 };

	(void)state;
	site_open(&s.site, SENT_CONF);
	sent_plan(&s, SPAN("hello\r\n"), NULL, 0);
	sent_add(&s, (struct plan_copy){ .kind = COPY_REMOTE, .role = COPY_JOURNAL, .own_sender = true,
			.target = SPAN("journal@example.com"),
			.version = sent_version(&s, "X-Journal: 1\r\n\r\n", wrap, COUNT(wrap)) });
	sent_submit(&s);
	sent_assert_entries(&s, &want, 1);
	assert_int_equal(sent_rows(&s, TABLE_body_shares), 0);
	site_close(&s.site);
}

/* Headers that copies have of their own are in memory until all of it is on disk, and are written with it. */
static void
test_headers_of_versions_are_counted(void **state)
{
	static const char *const to[] = { "anna@example.org" };
	struct span header = { NULL, 50000 };
	char *text = malloc(header.len + 1);
	struct sent s = { 0 };
	size_t held;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', header.len);
	memcpy(text, "X: ", 3);
	memcpy(text + header.len - 4, "\r\n\r\n", 5);
	site_open(&s.site, SENT_CONF);
	site_add_user(&s.site, "anna", NULL);
	sent_plan(&s, SPAN("hello\r\n"), to, 1);
	for (unsigned i = 0; i < 3; i++)
		sent_add(&s, (struct plan_copy){ .kind = COPY_REMOTE, .role = COPY_MONITOR, .own_sender = true,
				.target = SPAN("watch@example.com"), .version = sent_version(&s, text, NULL, 0) });
	held = s.in->held;
	intake_submit(s.in);
	assert_int_equal(s.in->held, held + 3 * header.len);
	assert_int_equal(metric_get(s.site.host.metrics, memory_in_flight), s.in->held);
	assert_true(s.in->job.size_bytes > 3 * header.len);
	for (int i = 0; i < 2000 && s.ended == 0; i++)
		site_turn(&s.site, 5);
	assert_int_equal(s.result, OK);
	assert_int_equal(metric_get(s.site.host.metrics, memory_in_flight), 0);
	site_close(&s.site);
	free(text);
}

static char *
noise(size_t size)
{
	char *bytes = malloc(size + 1);
	uint32_t x = 1;

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++, x = x * 1664525 + 1013904223)
		bytes[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : (char)('a' + (x >> 24) % 26);
	return bytes;
}

/* What went to the store as it came is read AT_END as it came, and signed where it lies. */
static void
test_large_body_is_read_at_the_end(void **state)
{
	static const char *const to[] = { "out@example.net" };
	const size_t size = 3 * 1024 * 1024 + 64;
	char *bytes = noise(size), *whole = malloc(size + 6);
	struct plan_piece foot[] = { { { NULL, 0 }, 0, size }, { SPAN("foot\r\n"), 0, 0 } };
	struct entry_want want = { "out@example.net", "", SENT_HEADER, { whole, size + 6 }, 0, 0 };
	struct mime_derived parts;
	struct span piece;
	struct sent s = { 0 };
	uint64_t at = 0;

	(void)state;
	assert_non_null(whole);
	memcpy(whole, bytes, size);
	memcpy(whole + size, "foot\r\n", 6);
	site_open(&s.site, SENT_CONF);
	sent_plan(&s, (struct span){ bytes, size }, to, 1);
	assert_true(s.in->mail.body.stored > 1024 * 1024);
	s.in->mail.body.snap = host_snapshot(&s.site.host);
	while (mail_body_read(&s.in->mail, at, &piece) == OK) {
		assert_memory_equal(piece.ptr, bytes + at, piece.len);
		at += piece.len;
	}
	assert_int_equal(at, size);
	for (at = 0; at + 5000 < size; at += 77777) {
		assert_int_equal(mail_body_range(&s.in->mail, at, 5000, &piece), OK);
		assert_int_equal(piece.len, 5000);
		assert_memory_equal(piece.ptr, bytes + at, 5000);
	}
	assert_int_equal(mail_body_range(&s.in->mail, size - 1, 2, &piece), ERR_NOT_FOUND);
	assert_int_equal(mail_body_parts(&s.in->mail, &parts), OK);
	assert_int_equal(parts.part_count, 1);
	s.in->plan.outgoing = sent_version(&s, SENT_HEADER, foot, COUNT(foot));
	sent_submit(&s);
	sent_assert_entries(&s, &want, 1);
	site_close(&s.site);
	free(bytes);
	free(whole);
}

/* ---- the archive ---- */

static void
assert_archived(struct sent *s, const char *header, struct span body)
{
	unsigned char parts[2][ARCHIVE_HASH_SIZE], want[ARCHIVE_HASH_SIZE];
	struct archive_row row;
	struct snapshot *snap;
	struct content c;

	archive_sha256(span_of(header), SPAN(""), parts[0]);
	archive_sha256(body, SPAN(""), parts[1]);
	archive_sha256((struct span){ (const char *)parts, sizeof(parts) }, SPAN(""), want);
	assert_int_equal(snapshot_open(s->site.host.store, &snap), OK);
	assert_int_equal(archive_find(snap, 1, &row), OK);
	assert_memory_equal(row.message.digest, want, sizeof(want));
	assert_int_equal(content_get(snap, row.message.content_id, &c), OK);
	assert_true(span_eq(c.header, span_of(header)));
	sent_assert_body(snap, &c, body);
	snapshot_close(&snap);
}

/* JRN-04, ARC-05: of a body that went to the store as it came the archive keeps a part, and knows its digest. */
static void
test_digest_of_a_part_of_a_large_body_jrn_04(void **state)
{
	static const char *const to[] = { "anna@example.org" };
	static const size_t parts[][3] = { /* of a body of so many bytes, from, size */
		{ 3 * 1024 * 1024 + 64, 70000, 3 * 1024 * 1024 - 80000 }, /* ends in what is held in memory */
		{ 3 * 1024 * 1024 + 64, 100, 2000 }, { 3 * 1024 * 1024 + 64, 3 * 1024 * 1024, 64 },
		{ 3 * 1024 * 1024 + 64, 0, 3 * 1024 * 1024 + 64 }, { 3 * 1024 * 1024, 5, 0 }, { 5000, 10, 4000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(parts); i++) {
		struct plan_piece part = { { NULL, 0 }, parts[i][1], parts[i][2] };
		struct span body = { noise(parts[i][0]), parts[i][0] };
		struct sent s = { 0 };

		site_open(&s.site, SENT_CONF);
		site_add_user(&s.site, "anna", NULL);
		sent_plan(&s, body, to, 1);
		s.in->plan.archive_version = sent_version(&s, "Subject: kept\r\n\r\n", &part, 1);
		assert_int_equal(plan_archive(&s.in->plan, ARCHIVE_INCOMING), OK);
		sent_submit(&s);
		assert_archived(&s, "Subject: kept\r\n\r\n", span_range(body, part.from, part.from + part.size));
		site_close(&s.site);
		free((char *)body.ptr);
	}
}

/* Archiving is switched on when the bytes have come. */
static void
test_digest_of_a_large_body_that_was_not_hashed(void **state)
{
	static const char *const to[] = { "anna@example.org" };
	struct span body = { noise(3 << 20), 3 << 20 };
	struct sent s = { 0 };

	(void)state;
	site_open(&s.site, SENT_CONF);
	site_add_user(&s.site, "anna", NULL);
	sent_plan(&s, body, to, 1);
	assert_int_equal(plan_archive(&s.in->plan, ARCHIVE_INCOMING), OK);
	sent_submit(&s);
	assert_archived(&s, SENT_HEADER, body);
	site_close(&s.site);
	free((char *)body.ptr);
}

/* ---- collected mail for nobody here ---- */

#define LOST_CONF                                                                                  \
	SENT_CONF "collecting: { unknown: { do: error, bounce: yes, bounce_text: \"%1 is nobody at %2\" }, "   \
	     "collectors: [ { name: box, server: pop.isp.test, username: u, accepted: [example.org] } ] }\n"

#define HOP "Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n"

/* Collected from SENDER for a user and for nobody; then all of it is on disk. */
static void
collect(struct sent *s, const char *sender)
{
	static const char *const to[] = { "anna@example.org", "no@example.org" };
	struct mail_options options = { .body = BODY_UNSAID };
	struct address from = { .flags = ADDRESS_NULL }, addresses[2];
	struct pipeline_ask ask = { .conf = s->site.host.conf };
	enum phase at;

	s->ended = 0;
	s->in = intake_open(&s->site.host, &sent_events, s);
	s->in->mail.via = MAIL_VIA_POP3;
	s->in->mail.service = "pop3";
	s->in->mail.collect = SPAN("box");
	s->in->mail.hostname = SPAN("mail.example.org");
	s->in->mail.peer.is_unix = true;
	if (sender[0])
		assert_int_equal(address_parse(&s->in->arena, span_of(sender), &from), OK);
	envelope_init(&s->in->mail.envelope, &s->in->arena, &from, &options);
	sent_feed(s, SPAN(HOP SENT_HEADER "hello\r\n"), 7);
	assert_int_equal(intake_text_end(s->in), OK);
	s->in->mail.nonce[0] = 0x1234; /* H79: the boundary of what is made of it */
	for (size_t i = 0; i < COUNT(to); i++)
		assert_int_equal(address_parse(&s->in->arena, span_of(to[i]), &addresses[i]), OK);
	ask.mail = &s->in->mail;
	ask.snap = host_snapshot(&s->site.host);
	assert_int_equal(pipeline_run_all(&ask, addresses, COUNT(to), NULL, &s->in->plan, &at), STAGE_NEXT);
	sent_submit(s);
}

static void
assert_holds(struct span text, const char *part)
{
	bool holds = span_find_span(text, span_of(part)) < text.len;

	if (!holds)
		fprintf(stderr, "'%s' is not in: %.*s\n", part, SPAN_FMT(text));
	assert_true(holds);
}

/* ADM-02, the letter has the mail attached byte for byte; ADM-03, ADM-06, the report beside it; ADM-07, none to nobody. */
static void
test_collected_for_nobody_adm_02_adm_03_adm_06_adm_07(void **state)
{
	struct sent s = { 0 };
	struct snapshot *snap;
	struct queued q;
	struct content c;
	struct span piece;
	struct buf message;

	(void)state;
	site_open(&s.site, LOST_CONF);
	site_add_user(&s.site, "postmaster", NULL);
	site_set_user(&s.site, "postmaster", "admin", "yes");
	site_add_user(&s.site, "anna", NULL);
	collect(&s, "bo@far.test");
	buf_init(&message, 1 << 20);
	assert_true(site_folder_read(&s.site, "postmaster", "INBOX", 1, &message));
	assert_holds(buf_span(&message), "Subject: There was incoming mail for somebody unknown\r\n");
	assert_holds(buf_span(&message), "Return-Path: <>\r\n"); /* an answer to the letter is none to him */
	assert_holds(buf_span(&message), "Nobody here has the address no@example.org.\r\n");
	assert_holds(buf_span(&message), "Collector: box\r\nSender: bo@far.test\r\n");
	assert_holds(buf_span(&message),
		"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n"
		"Content-Disposition: attachment\r\n\r\n" HOP SENT_HEADER "hello\r\n\r\n--attached-0000000000001234");
	assert_holds(buf_span(&message), "Return-Path: <>\r\n" HOP "Date: "); /* H16: a letter that is collected again */
	assert_int_equal(site_folder_count(&s.site, "anna", "INBOX"), 1);
	assert_int_equal(snapshot_open(s.site.host.store, &snap), OK);
	assert_int_equal(queued_next(snap, 0, &q), OK);
	assert_true(span_eq(q.sender, SPAN("")));
	assert_int_equal(content_get(snap, q.content_id, &c), OK);
	assert_holds(c.header, "bo@far.test");
	assert_int_equal(body_read(snap, c.body_id, 0, &piece), OK);
	assert_holds(piece, "no@example.org is nobody at example.org");
	snapshot_close(&snap);
	collect(&s, ""); /* ADM-07 */
	assert_int_equal(site_folder_count(&s.site, "postmaster", "INBOX"), 2);
	collect(&s, "listserver@far.test");
	assert_int_equal(snapshot_open(s.site.host.store, &snap), OK);
	assert_int_equal(queued_next(snap, 0, &q), OK);
	assert_int_equal(queued_next(snap, q.queue_id, &q), ERR_NOT_FOUND);
	snapshot_close(&snap);
	buf_fini(&message);
	site_close(&s.site);
}

/* ---- the signature ---- */

/* SIG-09: a header that has no room for what a signature needs said of the text: it goes out without one. */
static void
test_signature_finds_no_room_sig_09(void **state)
{
	static const char *const to[] = { "bo@far.test" };
	struct sent s = { 0 };
	struct pipeline_ask ask;
	struct plan *plan;
	size_t len = CONTENT_HEADER_MAX - 20;
	char *header;

	(void)state;
	site_open(&s.site, SENT_CONF "signature: { plain: \"M\xc3\xbcller\" }\n");
	sent_plan(&s, SPAN("hello\r\n"), to, 1);
	plan = &s.in->plan;
	plan->standing = STANDING_USER;
	s.in->mail.via = MAIL_VIA_SUBMISSION;
	ask = (struct pipeline_ask){ .conf = s.site.host.conf, .snap = host_snapshot(&s.site.host),
		.mail = &s.in->mail };
	assert_int_equal(signature_make(&ask, plan), OK);
	assert_non_null(plan->outgoing);
	header = arena_alloc(&s.in->arena, len);
	for (size_t i = 0; i < len; i++) /* "X: xx...\r\n", and the empty line */
		header[i] = i % 8 == 0 ? 'X' : i % 8 == 1 ? ':' : i % 8 == 6 ? '\r' : i % 8 == 7 ? '\n' : 'x';
	memcpy(header + len - 4, "\r\n\r\n", 4);
	plan->header_outgoing = (struct span){ header, len };
	assert_int_equal(signature_make(&ask, plan), OK);
	assert_null(plan->outgoing);
	intake_drop(&s.in);
	site_close(&s.site);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies_with_an_envelope_of_their_own),
		cmocka_unit_test(test_nobody_is_told_of_a_monitor),
		cmocka_unit_test(test_only_a_version),
		cmocka_unit_test(test_headers_of_versions_are_counted),
		cmocka_unit_test(test_large_body_is_read_at_the_end),
		cmocka_unit_test(test_digest_of_a_part_of_a_large_body_jrn_04),
		cmocka_unit_test(test_digest_of_a_large_body_that_was_not_hashed),
		cmocka_unit_test(test_collected_for_nobody_adm_02_adm_03_adm_06_adm_07),
		cmocka_unit_test(test_signature_finds_no_room_sig_09),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
