/*
 * test_own_mail.c - messages that the server writes itself: their form, whom they reach, what a full
 * disk and too many of them do.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lmdb.h>

#include "proto/mail/header.h"
#include "proto/mime/encoded_word.h"
#include "server/queue/derive_stored.h"
#include "server/queue/own_mail.h"
#include "store/commit.h"
#include "store/contents.h"
#include "tests/harness/page_edge.h"
#include "tests/harness/site.h"

#define CONF                                                                                       \
	"hostname: mail.example.org\n"                                                             \
	"domains: { default: example.org, local: [example.org] }\n"

/* ---- a disk that is full for a while ---- */

static int full_commits;
int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);

int
__wrap_mdb_txn_commit(MDB_txn *txn)
{
	if (full_commits == 0)
		return __real_mdb_txn_commit(txn);
	full_commits--;
	mdb_txn_abort(txn);
	return ENOSPC;
}

/* ---- helpers ---- */

struct outcome {
	unsigned ended;
	enum err last;
};

static void
on_done(void *arg, enum err result)
{
	struct outcome *o = arg;

	o->ended++;
	o->last = result;
}

static void
turn_until(struct site *site, const struct outcome *o, unsigned ended)
{
	for (int i = 0; i < 2000 && o->ended < ended; i++)
		site_turn(site, 5);
	assert_int_equal(o->ended, ended);
}

static enum err
send_to(struct site *site, struct outcome *o, const char *to)
{
	struct own_mail mail = { .to = span_of(to), .subject = SPAN("Welcome"),
		.text = SPAN("Hello\n"), .done = on_done, .arg = o };

	return own_mail_send(&site->host, &mail);
}

static bool
holds(struct buf *b, const char *text)
{
	return span_find_span(buf_span(b), span_of(text)) < buf_span(b).len;
}

/* ---- form ---- */

static void
put(struct buf *out, struct span subject, struct span text)
{
	struct own_mail mail = { .subject = subject, .text = text };
	struct own_mail_header header = { .from = SPAN("Mailer_Daemon@example.org"),
		.to = SPAN("anna@example.org"), .message_id = SPAN("1@mail.example.org"),
		.now_ms = 1700000000000, .zone_minutes = 60 };

	buf_init(out, 1 << 20);
	assert_int_equal(own_mail_put(out, &mail, &header), OK);
}

static void
test_form_loc_01(void **state)
{
	static const char want[] =
		"Date: Tue, 14 Nov 2023 23:13:20 +0100\r\n"
		"From: Mailer_Daemon@example.org\r\n"
		"To: anna@example.org\r\n"
		"Subject: Welcome\r\n"
		"Message-ID: <1@mail.example.org>\r\n"
		"Auto-Submitted: auto-generated\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: 7bit\r\n"
		"\r\n"
		"Hello\r\n"
		".\r\n"
		"\r\n"
		"..two\r\n";
	struct buf out;

	(void)state;
	put(&out, SPAN("Welcome"), at_page_edge(SPAN("Hello\n.\n\r\n..two")));
	assert_int_equal(buf_span(&out).len, strlen(want));
	assert_memory_equal(buf_span(&out).ptr, want, strlen(want));
	buf_fini(&out);
}

/* H11: whatever stands in a subject or a text, the header has the fields that we wrote. */
static void
test_hostile_text_h11(void **state)
{
	const struct span subjects[] = {
		SPAN("a\r\nBcc: eve@example.net"), SPAN("a\nX: y\n\nbody"),
		SPAN("\0\xff\x1b[2J"), SPAN("=?utf-8?B?DQo=?="), SPAN(""),
		SPAN("\xe2\x80\xaereversed"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(subjects); i++) {
		struct span subject;
		struct buf out, decoded;

		put(&out, at_page_edge(subjects[i]), SPAN("x\0y\r\rz\xff\n"));
		subject = header_find(buf_span(&out), SPAN("Subject"));
		assert_int_equal(header_count(buf_span(&out), SPAN("Bcc")), 0);
		assert_int_equal(header_count(buf_span(&out), SPAN("X")), 0);
		assert_true(holds(&out, "\r\n\r\nx?y??z?\r\n"));
		buf_init(&decoded, 4096);
		assert_int_equal(encoded_word_decode(&decoded, subject), OK);
		assert_false(span_has_control(buf_span(&decoded), SPAN_NONE));
		buf_fini(&decoded);
		buf_fini(&out);
	}
}

/* Subjects of any length and script come back as they were (RFC 2047), in lines of at most 76. */
static void
test_subject_round_trip(void **state)
{
	char letters[OWN_MAIL_SUBJECT_MAX];
	struct buf out, decoded;

	(void)state;
	for (size_t i = 0; i + 2 <= sizeof(letters); i += 2)
		memcpy(letters + i, "\xc3\xa9", 2);
	for (size_t len = 2; len <= sizeof(letters); len += 2) {
		struct span subject = { letters, len }, value, line, rest;

		put(&out, at_page_edge(subject), SPAN("x"));
		value = header_find(buf_span(&out), SPAN("Subject"));
		buf_init(&decoded, 4096);
		assert_int_equal(encoded_word_decode(&decoded, value), OK);
		assert_int_equal(buf_span(&decoded).len, len);
		assert_memory_equal(buf_span(&decoded).ptr, letters, len);
		for (rest = value; rest.len > 0;) {
			(void)span_cut(rest, '\n', &line, &rest);
			assert_in_range(line.len, 1, 77);
		}
		buf_fini(&decoded);
		buf_fini(&out);
	}
}

static void
test_long_lines(void **state)
{
	char text[5000];
	struct span rest, line;
	struct buf out;

	(void)state;
	for (size_t i = 0; i + 2 <= sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	put(&out, SPAN("long"), at_page_edge((struct span){ text, sizeof(text) }));
	for (rest = buf_span(&out); rest.len > 0;) {
		(void)span_cut(rest, '\n', &line, &rest);
		assert_in_range(line.len, 1, 999);
	}
	assert_true(holds(&out, "Content-Transfer-Encoding: 8bit"));
	buf_fini(&out);
}

/* ---- sending ---- */

static void
test_to_a_user(void **state)
{
	struct outcome o = { 0 };
	struct site site;
	struct buf message;

	(void)state;
	site_open(&site, CONF);
	site_add_user(&site, "anna", NULL);
	assert_int_equal(send_to(&site, &o, "anna"), OK);
	assert_int_equal(o.ended, 0); /* never at once */
	assert_int_equal(own_mail_waiting(&site.host), 1);
	turn_until(&site, &o, 1);
	assert_int_equal(o.last, OK);
	assert_int_equal(own_mail_waiting(&site.host), 0);
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 1);
	buf_init(&message, 1 << 16);
	assert_true(site_folder_read(&site, "anna", "INBOX", 1, &message));
	assert_true(holds(&message, "Return-Path: <>\r\n"));
	assert_true(holds(&message, "From: Mailer_Daemon@example.org\r\n"));
	assert_true(holds(&message, "To: anna@example.org\r\n"));
	buf_fini(&message);
	site_close(&site);
}

/* ---- the derived record (server/queue/intake_derive.h, derive_stored.h) ---- */

#define FIRST_CONTENT 1

static enum step
drop_apply(struct store_job *job, struct txn *txn)
{
	return step_of(job, content_set_derived(txn, FIRST_CONTENT, SPAN_NONE));
}

/* The record of the first content, in OUT. */
static void
read_record(struct site *site, struct buf *out)
{
	struct snapshot *snap;
	struct content c;

	buf_clear(out);
	assert_int_equal(snapshot_open(site->host.store, &snap), OK);
	assert_int_equal(content_get(snap, FIRST_CONTENT, &c), OK);
	assert_int_equal(buf_put(out, c.derived), OK);
	snapshot_close(&snap);
}

static void
turn_until_kept(struct site *site, struct buf *record)
{
	for (int i = 0; i < 2000; i++) {
		site_turn(site, 5);
		read_record(site, record);
		if (buf_span(record).len > 0)
			return;
	}
	fail_msg("nothing was kept");
}

static void
drop_record(struct site *site)
{
	struct store_job job = { .apply = drop_apply };

	assert_int_equal(store_run_job_now(site->host.store, &job), OK);
}

static void
on_derived(struct derive_work *w)
{
	assert_int_equal(w->err, OK);
	assert_true(w->record.len > 0);
}

/* Made at delivery; made again as it was, at once and by a worker, and written back. */
static void
test_derived_record(void **state)
{
	struct derive_work work = { .content_id = FIRST_CONTENT, .done = on_derived };
	struct outcome o = { 0 };
	struct mime_derived d;
	struct snapshot *snap;
	struct content c;
	struct arena arena;
	struct span made;
	struct buf first, again;
	struct site site;

	(void)state;
	buf_init(&first, 65536);
	buf_init(&again, 65536);
	arena_init(&arena, NULL);
	site_open(&site, CONF);
	site_add_user(&site, "anna", NULL);
	assert_int_equal(send_to(&site, &o, "anna"), OK);
	turn_until(&site, &o, 1);
	read_record(&site, &first);
	drop_record(&site);

	assert_int_equal(snapshot_open(site.host.store, &snap), OK);
	assert_int_equal(content_get(snap, FIRST_CONTENT, &c), OK);
	assert_int_equal(derived_of(snap, &c, 0, &arena, &d, &made), ERR_LIMIT);
	assert_int_equal(derived_of(snap, &c, DERIVE_AT_ONCE, &arena, &d, &made), OK);
	assert_true(span_eq(made, buf_span(&first)));
	assert_true(mime_derived_holds(&d, MIME_SUBJECT, SPAN("welcome")));
	snapshot_close(&snap);
	derive_keep(&site.host, FIRST_CONTENT, made);
	turn_until_kept(&site, &again);
	assert_true(span_eq(buf_span(&again), buf_span(&first)));

	drop_record(&site);
	assert_int_equal(derive_submit(&site.host, &work), OK);
	turn_until_kept(&site, &again);
	assert_true(span_eq(buf_span(&again), buf_span(&first)));
	site_close(&site);
	arena_reset(&arena);
	buf_fini(&first);
	buf_fini(&again);
}

/* A user's name means the user, whatever mappings say and although LOC-05 is off. */
static void
test_to_a_user_not_a_mapping_loc_05(void **state)
{
	struct outcome o = { 0 };
	struct site site;

	(void)state;
	site_open(&site, "hostname: mail.example.org\n"
			 "domains: { default: example.net, local: [example.org], "
			 "default_user_mapping: no }\n");
	site_add_user(&site, "anna", NULL);
	site_add_user(&site, "bert", NULL);
	site_add_mapping(&site, "anna", "bert");
	assert_int_equal(send_to(&site, &o, "anna"), OK);
	turn_until(&site, &o, 1);
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 1);
	assert_int_equal(site_folder_count(&site, "bert", "INBOX"), 0);
	assert_int_equal(send_to(&site, &o, "anna@example.org"), OK); /* an address is an address */
	turn_until(&site, &o, 2);
	assert_int_equal(site_folder_count(&site, "bert", "INBOX"), 1);
	assert_int_equal(send_to(&site, &o, "eve@example.com"), OK);
	turn_until(&site, &o, 3);
	assert_int_equal(site_queue_count(&site), 1);
	site_close(&site);
}

/* USR-47: of several names one is refused: the others have it, and who sent it hears that not all do. */
static void
test_to_some_of_several_usr_47(void **state)
{
	static const struct span also[] = { { "nobody", 6 }, { "bert", 4 } };
	struct outcome o = { 0 };
	struct own_mail mail = { .to = SPAN("anna"), .also = also, .also_count = 2,
		.from = SPAN("anna@example.org"), .subject = SPAN("a"), .text = SPAN("a\n"),
		.done = on_done, .arg = &o };
	struct site site;

	(void)state;
	site_open(&site, CONF);
	site_add_user(&site, "anna", NULL);
	site_add_user(&site, "bert", NULL);
	assert_int_equal(own_mail_send(&site.host, &mail), OK);
	turn_until(&site, &o, 1);
	assert_int_equal(o.last, ERR_DENIED);
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 1);
	assert_int_equal(site_folder_count(&site, "bert", "INBOX"), 1);
	site_close(&site);
}

static void
test_to_the_main_administrator_adm_01(void **state)
{
	struct outcome o = { 0 };
	struct site site;

	(void)state;
	site_open(&site, CONF "main_administrator: chief\n");
	assert_int_equal(send_to(&site, &o, ""), OK);
	turn_until(&site, &o, 1);
	assert_int_equal(o.last, ERR_NOT_FOUND); /* there is no administrator at all */
	site_add_user(&site, "anna", NULL);
	site_add_user(&site, "chief", NULL);
	site_set_user(&site, "anna", "admin", "yes");
	site_set_user(&site, "chief", "admin", "yes");
	assert_int_equal(send_to(&site, &o, ""), OK); /* USR-19: one of two */
	turn_until(&site, &o, 2);
	assert_int_equal(o.last, OK);
	assert_int_equal(site_folder_count(&site, "chief", "INBOX"), 1);
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 0);
	assert_int_equal(send_to(&site, &o, "nobody"), OK);
	turn_until(&site, &o, 3);
	assert_int_equal(o.last, ERR_NOT_FOUND);
	site_close(&site);
}

/* A full disk only puts it off (H43); two are not lost by it either. */
static void
test_full_disk_h43(void **state)
{
	struct outcome o = { 0 };
	struct site site;

	(void)state;
	site_open(&site, CONF);
	site_add_user(&site, "anna", NULL);
	full_commits = 1;
	assert_int_equal(send_to(&site, &o, "anna"), OK);
	assert_int_equal(send_to(&site, &o, "anna"), OK);
	for (int i = 0; i < 2000 && full_commits > 0; i++)
		site_turn(&site, 5);
	assert_int_equal(full_commits, 0);
	for (int i = 0; i < 2000 && o.ended < 2; i++) {
		loop_fake_advance(site.host.loop, OWN_MAIL_RETRY_MS);
		site_turn(&site, 5); /* the writer is a thread of its own */
	}
	assert_int_equal(o.ended, 2);
	assert_int_equal(o.last, OK);
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 2);
	site_close(&site);
}

static void
test_limits(void **state)
{
	static char text[OWN_MAIL_TEXT_MAX + 1];
	struct own_mail mail = { .to = SPAN("anna"), .text = { text, sizeof(text) } };
	struct outcome o = { 0 };
	struct site site;

	(void)state;
	site_open(&site, CONF);
	site_add_user(&site, "anna", NULL);
	assert_int_equal(own_mail_send(&site.host, &mail), ERR_LIMIT);
	for (size_t i = 0; i < OWN_MAIL_WAITING_MAX; i++)
		assert_int_equal(send_to(&site, &o, "anna"), OK);
	assert_int_equal(send_to(&site, &o, "anna"), ERR_BUSY);
	turn_until(&site, &o, OWN_MAIL_WAITING_MAX);
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), OWN_MAIL_WAITING_MAX);
	mail.text.len--;
	mail.done = on_done;
	mail.arg = &o;
	assert_int_equal(own_mail_send(&site.host, &mail), OK); /* NULs only: marks */
	turn_until(&site, &o, OWN_MAIL_WAITING_MAX + 1);
	assert_int_equal(o.last, OK);
	assert_int_equal(send_to(&site, &o, "anna"), OK); /* what still waits goes with the host */
	site_close(&site);
}

/* Who waits holds something until he hears. */
static unsigned heard[ERR_CORRUPT + 1];

static void
on_heard(void *arg, enum err result)
{
	heard[result]++;
	free(arg);
}

static void
send_held(struct site *site, unsigned count)
{
	struct own_mail mail = { .to = SPAN("anna"), .subject = SPAN("a"), .text = SPAN("a\n"), .done = on_heard };

	for (unsigned i = 0; i < count; i++) {
		mail.arg = malloc(8);
		assert_non_null(mail.arg);
		assert_int_equal(own_mail_send(&site->host, &mail), OK);
	}
}

static void
turn_until_full(struct site *site)
{
	full_commits = 1000000;
	for (int i = 0; i < 2000 && full_commits == 1000000; i++)
		site_turn(site, 5);
	assert_true(full_commits < 1000000);
}

/* A stop while there is no room: nobody waits for it, and what needs no room any more is still written. */
static void
test_stop_while_letters_wait_for_room_h43(void **state)
{
	struct site site;

	(void)state;
	memset(heard, 0, sizeof(heard));
	site_open(&site, CONF);
	site_add_user(&site, "anna", NULL);
	send_held(&site, 20);
	turn_until_full(&site);
	own_mails_hurry(&site.host);
	for (int i = 0; i < 2000 && heard[ERR_BUSY] < 20; i++)
		site_turn(&site, 5);
	assert_int_equal(heard[ERR_BUSY], 20);
	assert_int_equal(own_mail_waiting(&site.host), 0);
	full_commits = 0;
	send_held(&site, 3);
	for (int i = 0; i < 2000 && heard[OK] < 3; i++)
		site_turn(&site, 5);
	assert_int_equal(heard[OK], 3);
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 3);
	site_close(&site);
	assert_int_equal(heard[ERR_BUSY], 20);
}

static enum err
write_beside(void *arg, struct txn *txn)
{
	assert_non_null(txn);
	return *(const enum err *)arg;
}

static void
keep_result(void *arg, enum err result)
{
	*(enum err *)arg = result;
}

/* DLR-07: what is written beside a letter is on disk with it, or neither is. */
static void
test_what_is_written_beside_a_letter_dlr_07(void **state)
{
	static const enum err results[] = { ERR_LIMIT, OK };
	struct site site;

	(void)state;
	site_open(&site, CONF);
	site_add_user(&site, "anna", NULL);
	for (size_t i = 0; i < COUNT(results); i++) {
		enum err heard_of = results[i];
		struct own_mail mail = { .to = SPAN("anna"), .subject = SPAN("a"), .text = SPAN("a\n"), .beside = write_beside,
			.done = keep_result, .arg = &heard_of };

		assert_int_equal(own_mail_send(&site.host, &mail), OK);
		for (int j = 0; j < 2000 && own_mail_waiting(&site.host) > 0; j++)
			site_turn(&site, 5);
		assert_int_equal(heard_of, results[i]);
		assert_int_equal(site_folder_count(&site, "anna", "INBOX"), i);
	}
	site_close(&site);
}

/* The end, with letters that wait, and some in the hands of the writer: all hear of it, once; no more are taken. */
static void
test_end_while_letters_wait(void **state)
{
	struct own_mail mail = { .to = SPAN("anna"), .subject = SPAN("a"), .text = SPAN("a\n") };
	struct site site;

	(void)state;
	memset(heard, 0, sizeof(heard));
	site_open(&site, CONF);
	site_add_user(&site, "anna", NULL);
	send_held(&site, 30);
	turn_until_full(&site);
	send_held(&site, 1);
	own_mails_end(&site.host);
	assert_int_equal(own_mail_send(&site.host, &mail), ERR_BUSY);
	site_close(&site);
	full_commits = 0;
	assert_int_equal(heard[OK] + heard[ERR_BUSY], 31);
	assert_true(heard[ERR_BUSY] > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form_loc_01),
		cmocka_unit_test(test_hostile_text_h11),
		cmocka_unit_test(test_subject_round_trip),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_to_a_user),
		cmocka_unit_test(test_derived_record),
		cmocka_unit_test(test_to_a_user_not_a_mapping_loc_05),
		cmocka_unit_test(test_to_some_of_several_usr_47),
		cmocka_unit_test(test_to_the_main_administrator_adm_01),
		cmocka_unit_test(test_full_disk_h43),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_stop_while_letters_wait_for_room_h43),
		cmocka_unit_test(test_what_is_written_beside_a_letter_dlr_07),
		cmocka_unit_test(test_end_while_letters_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
