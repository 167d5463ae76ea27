/*
 * test_own_mail.c - messages that the server writes itself: whom they reach, what a full disk and too many of them
 * do; their form in test_own_mail_form.c.
 */
#include "tests/unit/test_own_mail.h"

#include <errno.h>
#include <lmdb.h>

#include "server/queue/derive_stored.h"
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

/* The store looks for room again after a while. */
static void
turn_until_room(struct site *site)
{
	struct store_stats stats = { .full = true };

	for (int i = 0; i < 40000 && stats.full; i++) {
		site_turn(site, 5);
		assert_int_equal(store_stats(site->host.store, &stats), OK);
	}
	assert_false(stats.full);
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
	for (int i = 0; i < 40000 && heard[ERR_BUSY] < 20; i++)
		site_turn(&site, 5);
	assert_int_equal(heard[ERR_BUSY], 20);
	assert_int_equal(own_mail_waiting(&site.host), 0);
	full_commits = 0;
	turn_until_room(&site); /* or they are given up, too */
	send_held(&site, 3);
	for (int i = 0; i < 40000 && heard[OK] < 3; i++)
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
	unsigned all = 0;

	(void)state;
	memset(heard, 0, sizeof(heard));
	site_open(&site, CONF);
	site_add_user(&site, "anna", NULL);
	send_held(&site, 30);
	turn_until_full(&site);
	send_held(&site, 1);
	own_mails_end(&site.host);
	assert_int_equal(own_mail_send(&site.host, &mail), ERR_BUSY);
	site_turn(&site, 0); /* one that the full store did not take is told so by its loop */
	site_close(&site);
	full_commits = 0;
	for (size_t i = 0; i < COUNT(heard); i++)
		all += heard[i];
	assert_int_equal(all, 31); /* of one in the writer's hand whatever came of it */
	assert_true(heard[ERR_BUSY] > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
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

	return cmocka_run_group_tests(tests, NULL, NULL) + test_own_mail_form();
}
