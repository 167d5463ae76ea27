/*
 * test_pipeline.c - notes, plans, the pure side of the pipeline, refusals, passwords.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/pipeline/direction.h"
#include "server/pipeline/names.h"
#include "server/pipeline/pipeline.h"
#include "server/queue/refusals.h"
#include "server/session/password.h"
#include "store/traces.h"
#include "tests/harness/page_edge.h"
#include "tests/harness/site.h"

#define CONF                                                                                       \
	"hostname: mail.example.org\n"                                                             \
	"domains: { default: example.org, local: [example.org] }\n"                                \
	"auth: { hash_memory: 8MB, hash_passes: 1 }\n"

static void
assert_text(struct span got, const char *want)
{
	assert_int_equal(got.len, strlen(want));
	assert_memory_equal(got.ptr, want, got.len);
}

static void
test_note_round_trip_h88(void **state)
{
	static const struct {
		struct span found, because;
		const char *text;
	} rows[] = {
		{ { "x@a.test", 8 }, { "anna", 4 }, "x@a.test goes to the INBOX of anna" },
		{ { NULL, 0 }, { NULL, 0 }, " goes to the INBOX of " },
		{ { "a\r\nb", 4 }, { "{1}", 3 }, "a??b goes to the INBOX of {1}" },
	};
	char bytes[NOTE_SIZE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = note_encode(bytes, NOTE_PLACE_INBOX, rows[i].found, rows[i].because);
		struct span rest = at_page_edge((struct span){ bytes, len });
		struct note note;
		struct buf out;

		buf_init(&out, 1000);
		assert_int_equal(note_take(&rest, &note), PARSE_DONE);
		assert_int_equal(note_format(&note, &out), OK);
		assert_text(buf_span(&out), rows[i].text);
		assert_int_equal(note_take(&rest, &note), PARSE_MORE);
		buf_fini(&out);
	}
}

static void
test_note_cut_short_h88(void **state)
{
	char bytes[NOTE_SIZE_MAX], value[200];
	struct note note;
	size_t len;

	(void)state;
	memset(value, 'x', sizeof(value));
	len = note_encode(bytes, NOTE_PLACE_INBOX, (struct span){ value, sizeof(value) },
		SPAN("b"));
	for (size_t cut = 1; cut < len; cut++) {
		struct span rest = at_page_edge((struct span){ bytes, cut });

		assert_int_equal(note_take(&rest, &note), PARSE_BAD);
	}
	{
		struct span rest = { bytes, len };

		assert_int_equal(note_take(&rest, &note), PARSE_DONE);
		assert_int_equal(note.found.len, NOTE_VALUE_MAX);
		assert_true(span_ends_nocase(note.found, SPAN("...")));
	}
}

static void
test_plan_notes_have_a_limit_h88(void **state)
{
	struct arena arena;
	struct plan plan;

	(void)state;
	arena_init(&arena, NULL);
	plan_init(&plan, &arena);
	for (int i = 0; i < 1000; i++)
		plan_note(&plan, NOTE_NAME_UNKNOWN, SPAN("somebody@example.org"), SPAN_NONE);
	assert_in_range(plan_notes(&plan).len, NOTES_MAX - NOTE_SIZE_MAX, NOTES_MAX);
	assert_true(plan.notes_dropped > 0);
	arena_reset(&arena);
}

static void
test_plan_one_copy_for_a_target_rte_15(void **state)
{
	struct arena arena;
	struct plan plan;
	char target[32];

	(void)state;
	arena_init(&arena, NULL);
	plan_init(&plan, &arena);
	for (int i = 0; i < 300; i++) {
		struct plan_copy copy = { .kind = COPY_FOLDER, .why = NOTE_PLACE_INBOX };

		snprintf(target, sizeof(target), i % 2 ? "u%d/INBOX" : "U%d/INBOX", i % 100);
		copy.target = span_of(target);
		assert_int_equal(plan_copy_add(&plan, &copy, 100), OK);
	}
	assert_int_equal(plan.copy_count, 100);
	assert_int_equal(plan_copy_add(&plan, &(struct plan_copy){ .target = SPAN("new") }, 100),
		ERR_LIMIT);
	arena_reset(&arena);
}

static struct mail *
mail_from(struct arena *arena, const char *from)
{
	static const char header[] = "Subject: x\r\n\r\n";
	static const struct mail_options none;
	struct mail *mail = ARENA_NEW(arena, struct mail);
	struct address sender;

	mail->arena = arena;
	mail->via = MAIL_VIA_MX;
	mail->service = "smtp";
	mail->hostname = SPAN("mail.example.org");
	snprintf(mail->peer.text, sizeof(mail->peer.text), "192.0.2.9");
	mail->peer.is_ipv4 = true;
	assert_int_equal(address_parse(arena, span_of(from), &sender), OK);
	envelope_init(&mail->envelope, arena, &sender, &none);
	mail->header = span_of(header);
	assert_int_equal(header_check(mail->header, NULL, &mail->facts), OK);
	return mail;
}

/* The whole pipeline over one message, as explain does it. */
static enum verdict
decide(struct site *site, struct arena *arena, const char *from, const char *to, struct plan *plan)
{
	struct pipeline_ask ask = { .conf = site->host.conf, .mail = mail_from(arena, from) };
	struct address recipient;
	enum verdict verdict;
	enum phase at;

	assert_int_equal(address_parse(arena, span_of(to), &recipient), OK);
	plan_init(plan, arena);
	assert_int_equal(snapshot_open(site->host.store, &ask.snap), OK);
	verdict = pipeline_run_all(&ask, &recipient, 1, NULL, plan, &at);
	snapshot_close(&ask.snap);
	return verdict;
}

static void
test_pipeline_decides_map_04_rte_01_smt_12(void **state)
{
	static const struct {
		const char *to;
		enum verdict want;
		size_t copies;
		unsigned code;
	} rows[] = {
		{ "anna@example.org", STAGE_NEXT, 1, 0 },
		{ "ANNA", STAGE_NEXT, 1, 0 },
		{ "both@example.org", STAGE_NEXT, 2, 0 },
		{ "nobody@example.org", STAGE_REJECT, 0, 550 },
		{ "x@example.com", STAGE_REJECT, 0, 550 },
		{ "anna%example.com@example.org", STAGE_REJECT, 0, 553 },
		{ "abuse@example.org", STAGE_NEXT, 1, 0 },
	};
	static struct site site;

	(void)state;
	site_open(&site, CONF);
	site_add_user(&site, "postmaster", NULL);
	site_add_user(&site, "anna", NULL);
	site_add_user(&site, "bert", NULL);
	site_add_mapping(&site, "both", "anna");
	site_add_mapping(&site, "b*@example.org", "bert");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena arena;
		struct plan plan;

		arena_init(&arena, NULL);
		assert_int_equal(
			decide(&site, &arena, "bo@example.net", rows[i].to, &plan), rows[i].want);
		assert_int_equal(plan.copy_count, rows[i].copies);
		assert_int_equal(plan.reply.code, rows[i].code);
		arena_reset(&arena);
	}
	site_close(&site);
}

/* The second of two large lists does not fit: nobody of it gets what will come once more. */
static void
test_pipeline_expands_all_of_a_recipient_or_nothing_h16(void **state)
{
	static struct site site;
	struct plan_reply replies[2];
	struct address to[2];
	struct pipeline_ask ask;
	struct arena arena;
	struct plan plan;
	enum phase at;

	(void)state;
	site_open(&site, CONF "limits: { expansion_recipients: 100 }\n");
	for (int i = 0; i < 120; i++) {
		char name[16];

		snprintf(name, sizeof(name), "u%d", i);
		site_add_user(&site, name, NULL);
		site_add_mapping(&site, i < 60 ? "first" : "second", name);
	}
	arena_init(&arena, NULL);
	plan_init(&plan, &arena);
	ask = (struct pipeline_ask){ .conf = site.host.conf, .mail = mail_from(&arena, "bo@example.net") };
	assert_int_equal(address_parse(&arena, SPAN("first@example.org"), &to[0]), OK);
	assert_int_equal(address_parse(&arena, SPAN("second@example.org"), &to[1]), OK);
	assert_int_equal(snapshot_open(site.host.store, &ask.snap), OK);
	assert_int_equal(pipeline_run_all(&ask, to, 2, replies, &plan, &at), STAGE_NEXT);
	snapshot_close(&ask.snap);
	assert_int_equal(replies[0].code, 0);
	assert_int_equal(replies[1].code, 452);
	assert_int_equal(plan.copy_count, 60);
	arena_reset(&arena);
	site_close(&site);
}

static void
test_refusals_make_no_commit_h88(void **state)
{
	static struct site site;
	struct store_stats before, after;
	struct mail mail = { .service = "smtp" };
	struct arena arena;
	struct plan plan;

	(void)state;
	site_open(&site, CONF);
	arena_init(&arena, NULL);
	plan_init(&plan, &arena);
	snprintf(mail.peer.text, sizeof(mail.peer.text), "192.0.2.9");
	plan_refuse(&plan, 550, "5.1.1", "No such user here");
	assert_int_equal(store_stats(site.host.store, &before), OK);
	for (int i = 0; i < 100000; i++)
		refusals_note(&site.host, &mail, &plan, SPAN("nobody@example.org"));
	assert_int_equal(refusals_waiting(site.host.refusals), 1);
	for (int i = 0; i < 2 * REFUSALS_WAITING_MAX; i++) {
		snprintf(mail.peer.text, sizeof(mail.peer.text), "192.0.2.%d", i);
		refusals_note(&site.host, &mail, &plan, SPAN_NONE);
	}
	assert_int_equal(refusals_waiting(site.host.refusals), REFUSALS_WAITING_MAX);
	assert_true(refusals_dropped(site.host.refusals) > 0);
	assert_int_equal(store_stats(site.host.store, &after), OK);
	assert_int_equal(before.commits, after.commits);
	arena_reset(&arena);
	site_close(&site);
}

static void
test_password_h58_h63(void **state)
{
	struct password_cost cost = { 8 * 1024 * 1024, 1 }, dearer = { 8 * 1024 * 1024, 2 };
	char hash[PASSWORD_HASH_SIZE], longest[PASSWORD_MAX + 1];

	(void)state;
	memset(longest, 'p', sizeof(longest));
	assert_int_equal(password_hash(SPAN_NONE, &cost, hash), ERR_LIMIT);
	assert_int_equal(
		password_hash((struct span){ longest, PASSWORD_MAX + 1 }, &cost, hash), ERR_LIMIT);
	assert_int_equal(
		password_hash((struct span){ longest, PASSWORD_MAX }, &cost, hash), OK);
	assert_int_equal(password_check(span_of(hash), (struct span){ longest, PASSWORD_MAX }, &cost),
		OK);
	/* one byte more is another password, though only the first 256 are looked at */
	assert_int_equal(
		password_check(span_of(hash), (struct span){ longest, PASSWORD_MAX + 1 }, &cost),
		ERR_DENIED);
	assert_int_equal(password_check(SPAN_NONE, SPAN("x"), &cost), ERR_DENIED);
	assert_int_equal(password_check(SPAN("plain"), SPAN("plain"), &cost), ERR_CORRUPT);
	assert_false(password_is_weak(span_of(hash), &cost));
	assert_true(password_is_weak(span_of(hash), &dearer));
}

/* ---- direction.h ---- */

static void
test_directions(void **state)
{
	static const struct {
		enum plan_standing standing;
		enum mail_via via;
		const char *sender, *route;
		enum copy_kind kind;
		unsigned want;
	} rows_of[] = {
		{ STANDING_USER, MAIL_VIA_SUBMISSION, "anna@example.org", "", COPY_FOLDER,
			DIRECTION_INTERNAL },
		{ STANDING_USER, MAIL_VIA_SUBMISSION, "anna@example.org", "", COPY_REMOTE,
			DIRECTION_OUTGOING },
		{ STANDING_USER, MAIL_VIA_SUBMISSION, "anna@example.org", "lan:h:25", COPY_REMOTE,
			DIRECTION_INTERNAL },
		{ STANDING_STRANGER, MAIL_VIA_MX, "anna@example.org", "", COPY_FOLDER,
			DIRECTION_INCOMING },
		{ STANDING_STRANGER, MAIL_VIA_MX, "x@example.net", "", COPY_REMOTE, DIRECTION_INCOMING },
		{ STANDING_STRANGER, MAIL_VIA_POP3, "x@example.net", "", COPY_FOLDER,
			DIRECTION_INCOMING },
		{ STANDING_RANGE, MAIL_VIA_MX, "x@example.net", "", COPY_REMOTE, DIRECTION_OUTGOING },
		{ STANDING_RANGE, MAIL_VIA_MX, "x@example.net", "", COPY_FOLDER, DIRECTION_INCOMING },
		{ STANDING_RANGE, MAIL_VIA_MX, "x@example.org", "", COPY_FOLDER, DIRECTION_INTERNAL },
		{ STANDING_STRANGER, MAIL_VIA_LOCAL, "", "", COPY_FOLDER, DIRECTION_INTERNAL },
		{ STANDING_STRANGER, MAIL_VIA_MX, "x@example.net", "", COPY_DISCARD, 0 },
		{ STANDING_STRANGER, MAIL_VIA_MX, "x@example.net", "snf:1", COPY_REMOTE, 0 },
	};
	struct site site;

	(void)state;
	site_open(&site, CONF);
	for (size_t i = 0; i < COUNT(rows_of); i++) {
		struct arena arena;
		struct mail mail = { .via = rows_of[i].via };
		struct pipeline_ask ask = { .conf = site.host.conf, .mail = &mail };
		struct address sender = { .flags = ADDRESS_NULL };
		struct mail_options options = { .body = BODY_UNSAID };
		struct plan_copy copy = { .kind = rows_of[i].kind, .target = SPAN("t@x"),
			.route = span_of(rows_of[i].route), .why = NOTE_PLACE_INBOX };
		struct plan plan;

		arena_init(&arena, NULL);
		plan_init(&plan, &arena);
		plan.standing = rows_of[i].standing;
		if (rows_of[i].sender[0])
			assert_int_equal(address_parse(&arena, span_of(rows_of[i].sender), &sender), OK);
		envelope_init(&mail.envelope, &arena, &sender, &options);
		assert_int_equal(plan_copy_add(&plan, &copy, 10), OK);
		copy.role = COPY_MONITOR; /* gives none */
		copy.route = SPAN_NONE;
		copy.kind = COPY_REMOTE;
		assert_int_equal(plan_copy_add(&plan, &copy, 10), OK);
		assert_int_equal(mail_direction(&ask, &plan), rows_of[i].want);
		arena_reset(&arena);
	}
	site_close(&site);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_note_round_trip_h88),
		cmocka_unit_test(test_note_cut_short_h88),
		cmocka_unit_test(test_plan_notes_have_a_limit_h88),
		cmocka_unit_test(test_plan_one_copy_for_a_target_rte_15),
		cmocka_unit_test(test_pipeline_decides_map_04_rte_01_smt_12),
		cmocka_unit_test(test_pipeline_expands_all_of_a_recipient_or_nothing_h16),
		cmocka_unit_test(test_refusals_make_no_commit_h88),
		cmocka_unit_test(test_password_h58_h63),
		cmocka_unit_test(test_directions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
