/*
 * test_archive.c - the archive in the store: its chain, words, retention, holds (ARC, Q-35).
 */
#include "tests/unit/directory_fixture.h"

#include <stdio.h>

#include "store/archive.h"
#include "store/bodies.h"
#include "store/lmdb_txn.h"
#include "store/rows.h"

/* Any function of its bytes will do here; the server brings SHA-256. */
static void
test_hash(struct span first, struct span second, unsigned char out[ARCHIVE_HASH_SIZE])
{
	for (unsigned i = 0; i < ARCHIVE_HASH_SIZE / 8; i++) {
		uint64_t hash = UINT64_C(0xcbf29ce484222325) + i;

		for (size_t n = 0; n < first.len; n++)
			hash = (hash ^ (unsigned char)first.ptr[n]) * UINT64_C(0x100000001b3);
		for (size_t n = 0; n < second.len; n++)
			hash = (hash ^ (unsigned char)second.ptr[n]) * UINT64_C(0x100000001b3);
		memcpy(out + 8 * i, &hash, 8);
	}
}

struct archive_arg {
	struct archive_message m;
	const char *from, *to;
	uint64_t id;
	uint64_t ids[ARCHIVE_REMOVE_MAX];
	size_t count, removed;
	const char *why;
	bool more;
};

static enum err
add(struct txn *txn, void *arg)
{
	struct archive_arg *a = arg;
	struct span text = SPAN("hello\r\n");
	struct content c = { .header = SPAN("Subject: x\r\n\r\n"), .body_size = text.len, .owners = 1 };
	uint32_t words[64];
	size_t n = archive_words_of(span_of(a->from), ARCHIVE_FROM, words, 0, COUNT(words));
	enum err err = body_add(txn, (struct body_source){ &text, 1 }, &c.body_id);

	n = archive_words_of(span_of(a->to), ARCHIVE_TO, words, n, COUNT(words));
	n = archive_words_sort(words, n);
	if (err == OK)
		err = content_add(txn, &c, false);
	a->m.content_id = c.content_id;
	a->m.size = c.header.len + c.body_size;
	a->m.from = span_of(a->from);
	a->m.recipients = (struct span){ a->to, strlen(a->to) + 1 };
	a->m.recipient_count = 1;
	return err == OK ? archive_add(txn, test_hash, &a->m, words, n, &a->id) : err;
}

static enum err
remove_some(struct txn *txn, void *arg)
{
	struct archive_arg *a = arg;

	return archive_remove(
		txn, test_hash, a->ids, a->count, span_of(a->why ? a->why : "keep_days"), &a->removed);
}

static uint64_t
archived(struct fixture *f, const char *from, const char *to, uint64_t time_ms)
{
	struct archive_arg a = { .from = from, .to = to,
		.m = { .time_ms = time_ms, .direction = ARCHIVE_INCOMING } };

	assert_int_equal(run(f, add, &a), OK);
	return a.id;
}

static size_t
removed(struct fixture *f, uint64_t first, uint64_t last)
{
	struct archive_arg a = { 0 };

	for (uint64_t id = first; id <= last; id++)
		a.ids[a.count++] = id;
	assert_int_equal(run(f, remove_some, &a), OK);
	return a.removed;
}

/* The id at which the chain is broken; 0: it holds. */
static uint64_t
broken_at(struct fixture *f)
{
	struct archive_verify v = { 0 };
	struct archive_row row;
	struct snapshot *snap = look(f);
	enum err err;

	while ((err = archive_verify_next(snap, test_hash, &v, &row)) == OK)
		;
	return err == ERR_NOT_FOUND ? 0 : v.fault_id;
}

static void
is_clean(struct fixture *f)
{
	unsigned lines;

	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
	fixture_open(f);
}

static void
fill(struct fixture *f, unsigned count)
{
	for (unsigned i = 1; i <= count; i++)
		assert_int_equal(archived(f, "anna@example.org", "bo@example.net", 1000 + i), i);
}

/* ARC-04 */
static void
arc_04_an_entry_is_kept_with_its_envelope(void **state)
{
	struct fixture *f = *state;
	struct archive_head head;
	struct archive_row row;

	fill(f, 3);
	assert_int_equal(archive_find(look(f), 2, &row), OK);
	assert_int_equal(row.kind, ARCHIVE_MESSAGE);
	assert_int_equal(row.message.direction, ARCHIVE_INCOMING);
	assert_int_equal(row.message.time_ms, 1002);
	assert_span_eq(row.message.from, "anna@example.org");
	assert_int_equal(row.message.recipients.len, sizeof("bo@example.net"));
	assert_int_equal(row.before_id, 1);
	assert_int_equal(archive_head_get(look(f), &head), OK);
	assert_int_equal(head.last_id, 3);
	assert_int_equal(head.messages, 3);
	assert_int_equal(archive_find(look(f), 4, &row), ERR_NOT_FOUND);
	assert_int_equal(broken_at(f), 0);
	is_clean(f);
}

static void
rows_are_found_by_time_and_content(void **state)
{
	struct fixture *f = *state;
	struct archive_row row;

	fill(f, 40);
	assert_int_equal(removed(f, 11, 20), 10);
	assert_int_equal(archive_find_time(look(f), 1005, &row), OK);
	assert_int_equal(row.archive_id, 5);
	assert_int_equal(archive_find_time(look(f), 1021, &row), OK);
	assert_int_equal(row.archive_id, 21);
	assert_int_equal(archive_find_time(look(f), FIXTURE_NOW + 100000, &row), ERR_NOT_FOUND);
	for (uint64_t id = 1; id <= 40; id++) {
		struct archive_row same;

		if (archive_find(look(f), id, &row) != OK || row.kind != ARCHIVE_MESSAGE)
			continue;
		assert_int_equal(
			archive_find_content(look(f), row.message.content_id, &same), OK);
		assert_int_equal(same.archive_id, id);
	}
	assert_int_equal(archive_find_content(look(f), 15, &row), ERR_NOT_FOUND);
}

static void
words_name_the_blocks(void **state)
{
	struct fixture *f = *state;
	uint32_t words[8];
	size_t n;
	bool has;

	fill(f, 2);
	archived(f, "Carl.Gross@example.com", "bo@example.net", 5000);
	n = archive_words_of(SPAN("carl.gross@EXAMPLE.com"), ARCHIVE_FROM, words, 0, COUNT(words));
	assert_int_equal(n, 4);
	n = archive_words_sort(words, n);
	assert_int_equal(archive_block_has(look(f), 0, words, n, &has), OK);
	assert_true(has);
	assert_int_equal(archive_block_has(look(f), 1, words, n, &has), OK);
	assert_false(has);
	n = archive_words_of(SPAN("carl"), ARCHIVE_TO, words, 0, COUNT(words));
	assert_int_equal(archive_block_has(look(f), 0, words, n, &has), OK);
	assert_false(has); /* he wrote, nobody wrote to him */
}

/* retention takes entries, and the chain still holds. */
static void
q_35_retention_leaves_a_chain_that_holds(void **state)
{
	struct fixture *f = *state;
	struct archive_head head;
	struct archive_row row;

	fill(f, 30);
	assert_int_equal(removed(f, 1, 5), 5);   /* the row 31 says so */
	assert_int_equal(removed(f, 8, 8), 1);   /* 32 */
	assert_int_equal(broken_at(f), 0);
	assert_int_equal(removed(f, 6, 7), 2);   /* 33: one gap from 1 to 8 */
	assert_int_equal(archive_find(look(f), 1, &row), OK);
	assert_int_equal(row.kind, ARCHIVE_GAP);
	assert_int_equal(row.run.last, 8);
	assert_int_equal(row.run.count, 8);
	assert_int_equal(row.removal_id, 33);
	assert_int_equal(removed(f, 1, 8), 0);
	assert_int_equal(broken_at(f), 0);
	assert_int_equal(archive_head_get(look(f), &head), OK);
	assert_int_equal(head.messages, 22);
	assert_int_equal(head.removed, 8);
	assert_int_equal(archived(f, "a@example.org", "b@example.org", 1), 34);
	assert_int_equal(broken_at(f), 0);
	assert_int_equal(removed(f, 9, 34), 23);
	assert_int_equal(broken_at(f), 0);
	is_clean(f);
}

static enum err
remove_without_counters(struct txn *txn, void *arg)
{
	txn->counters.last[COUNTER_archive] = 2;
	return remove_some(txn, arg);
}

/* A removal gets a number and a time behind the last row's, whatever became of the counters and the clock. */
static void
a_removal_is_never_before_the_last_row(void **state)
{
	struct fixture *f = *state;
	struct archive_arg a = { .ids = { 1, 2, 3, 4, 5 }, .count = 5 };
	struct archive_row row;

	fill(f, 10);
	assert_int_equal(archived(f, "anna@example.org", "bo@example.net", FIXTURE_NOW + 100000), 11);
	assert_int_equal(run(f, remove_without_counters, &a), OK);
	assert_int_equal(a.removed, 5);
	assert_int_equal(archive_find(look(f), 3, &row), ERR_NOT_FOUND); /* in the gap, and no removal */
	assert_int_equal(archive_find(look(f), 12, &row), OK);
	assert_int_equal(row.kind, ARCHIVE_REMOVAL);
	assert_int_equal(row.time_ms, FIXTURE_NOW + 100000);
	assert_int_equal(archived(f, "anna@example.org", "bo@example.net", FIXTURE_NOW), 13);
	assert_int_equal(broken_at(f), 0);
}

static enum err
hold_seven(struct txn *txn, void *arg)
{
	(void)arg;
	return archive_hold_put(txn, 7, &(struct archive_hold){ 5, SPAN("root"), SPAN("case 12") });
}

static void
a_held_entry_stays(void **state)
{
	struct fixture *f = *state;
	struct archive_hold hold;
	struct archive_row row;

	fill(f, 10);
	assert_int_equal(run(f, hold_seven, NULL), OK);
	assert_int_equal(removed(f, 1, 10), 9);
	assert_int_equal(archive_find(look(f), 7, &row), OK);
	assert_int_equal(row.kind, ARCHIVE_MESSAGE);
	assert_int_equal(archive_hold_find(look(f), 7, &hold), OK);
	assert_span_eq(hold.why, "case 12");
	assert_int_equal(broken_at(f), 0);
	is_clean(f);
}

/* ---- what is no retention ---- */

static enum err
delete_six(struct txn *txn, void *arg)
{
	struct key key;

	(void)arg;
	key_u64(&key, 6);
	return table_delete(txn, TABLE_archive, &key);
}

static void
a_deleted_entry_is_a_break(void **state)
{
	struct fixture *f = *state;

	fill(f, 10);
	assert_int_equal(run(f, delete_six, NULL), OK);
	assert_int_equal(broken_at(f), 6);
	/* retention does not cover it up */
	assert_int_equal(removed(f, 1, 5), 5);
	assert_int_equal(removed(f, 7, 10), 3); /* 7 is where the chain does not hold */
	assert_int_equal(broken_at(f), 6);
}

/* The row of 6 as row TO, with its checksum made right. */
static enum err
forge(struct txn *txn, uint64_t to, size_t at, char value)
{
	struct record_in in;
	struct record_out out;
	char room[1024];
	struct key key;
	enum err err;

	key_u64(&key, 6);
	err = table_get_record(txn_view(txn), TABLE_archive, &key, 1, &in);
	if (err != OK)
		return err;
	record_begin(&out, room, sizeof(room), 1);
	record_put_raw(&out, (struct span){ in.at, record_left(&in) });
	room[RECORD_HEAD + at] = value;
	key_u64(&key, to);
	return table_put_record(txn, TABLE_archive, &key, &out);
}

static enum err
change_six(struct txn *txn, void *arg)
{
	(void)arg;
	return forge(txn, 6, 90, 'X'); /* in the sender */
}

static enum err
forge_a_gap(struct txn *txn, void *arg)
{
	(void)arg;
	return forge(txn, 6, ARCHIVE_HASH_SIZE, ARCHIVE_GAP);
}

static void
a_changed_entry_is_a_break(void **state)
{
	struct fixture *f = *state;

	fill(f, 10);
	assert_int_equal(run(f, change_six, NULL), OK);
	assert_int_equal(broken_at(f), 6);
	assert_int_equal(removed(f, 6, 6), 0);
}

static void
a_gap_that_no_removal_names_is_a_break(void **state)
{
	struct fixture *f = *state;

	fill(f, 10);
	assert_int_equal(run(f, forge_a_gap, NULL), OK);
	assert_int_equal(broken_at(f), 6);
}

static enum err
delete_last(struct txn *txn, void *arg)
{
	struct key key;

	(void)arg;
	key_u64(&key, 10);
	return table_delete(txn, TABLE_archive, &key);
}

static void
a_deleted_end_is_a_break(void **state)
{
	struct fixture *f = *state;

	fill(f, 10);
	assert_int_equal(run(f, delete_last, NULL), OK);
	assert_int_equal(broken_at(f), 10);
}

static enum err
delete_head(struct txn *txn, void *arg)
{
	struct key key;

	(void)arg;
	key_u64(&key, 0);
	return table_delete(txn, TABLE_archive, &key);
}

static void
a_lost_head_stops_no_mail_and_is_mended(void **state)
{
	struct fixture *f = *state;
	struct archive_head head;
	unsigned lines;

	fill(f, 10);
	assert_int_equal(run(f, delete_head, NULL), OK);
	assert_int_equal(archived(f, "a@example.org", "b@example.org", 1), 11);
	assert_int_equal(broken_at(f), 0);
	fixture_close(f);
	assert_int_equal(fixture_check(f, true, &lines), 0);
	fixture_open(f);
	assert_int_equal(archive_head_get(look(f), &head), OK);
	assert_int_equal(head.messages, 11);
	is_clean(f);
}

static enum err
sweep(struct txn *txn, void *arg)
{
	return archive_words_sweep(txn, 100, &((struct archive_arg *)arg)->more);
}

static void
words_go_with_their_block(void **state)
{
	struct fixture *f = *state;
	struct archive_arg a = { 0 };
	uint64_t before, after;

	fill(f, ARCHIVE_BLOCK + 2);
	assert_int_equal(table_count(look(f), TABLE_archive_words, &before), OK);
	for (uint64_t id = 1; id < ARCHIVE_BLOCK; id += ARCHIVE_REMOVE_MAX)
		(void)removed(f, id, id + ARCHIVE_REMOVE_MAX - 1);
	assert_int_equal(run(f, sweep, &a), OK);
	assert_false(a.more);
	assert_int_equal(table_count(look(f), TABLE_archive_words, &after), OK);
	assert_true(after < before);
	assert_true(after > 0);
	assert_int_equal(broken_at(f), 0);
}

static void
address_is(struct fixture *f, enum archive_role role, struct span behind, const char *text,
	uint32_t first, uint32_t last)
{
	struct archive_address a;

	assert_int_equal(archive_address_next(look(f), role, behind, &a), text ? OK : ERR_NOT_FOUND);
	if (!text)
		return;
	assert_true(span_eq(a.text, span_of(text)));
	assert_int_equal(a.first, first);
	assert_int_equal(a.last, last);
}

static void
addresses_name_their_blocks_and_go_with_them(void **state)
{
	static char longer[ARCHIVE_ADDRESS_MAX + 20];
	struct fixture *f = *state;
	struct archive_address all;
	struct archive_arg a = { 0 };

	(void)archived(f, "Rare@hapax.test", "x@y.test", 1000);
	for (uint64_t i = 0; i < ARCHIVE_BLOCK + 2; i++)
		(void)archived(f, "anna@example.org", "bo@example.net", 1001 + i);
	(void)archived(f, "", "x@y.test", 900000);
	address_is(f, ARCHIVE_FROM, SPAN_NONE, "", 1, 1); /* the null sender */
	address_is(f, ARCHIVE_FROM, SPAN("r"), "rare@hapax.test", 0, 0);
	address_is(f, ARCHIVE_TO, SPAN("x"), "x@y.test", 0, 1);
	address_is(f, ARCHIVE_TO, SPAN("x@y.test"), NULL, 0, 0);
	assert_int_equal(archive_addresses_all(look(f), &all), OK);
	assert_true(all.is_none);
	memset(longer, 'l', sizeof(longer) - 1);
	(void)archived(f, longer, "x@y.test", 900001);
	assert_int_equal(archive_addresses_all(look(f), &all), OK);
	assert_false(all.is_none);
	assert_int_equal(all.first, 1);
	for (uint64_t id = 1; id < ARCHIVE_BLOCK; id += ARCHIVE_REMOVE_MAX)
		(void)removed(f, id, id + ARCHIVE_REMOVE_MAX - 1);
	do
		assert_int_equal(run(f, sweep, &a), OK);
	while (a.more);
	address_is(f, ARCHIVE_FROM, SPAN("r"), NULL, 0, 0);
	address_is(f, ARCHIVE_TO, SPAN("x"), "x@y.test", 0, 1);
	is_clean(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
test_archive(void)
{
	const struct CMUnitTest tests[] = {
		TEST(arc_04_an_entry_is_kept_with_its_envelope),
		TEST(rows_are_found_by_time_and_content),
		TEST(words_name_the_blocks),
		TEST(q_35_retention_leaves_a_chain_that_holds),
		TEST(a_removal_is_never_before_the_last_row),
		TEST(a_held_entry_stays),
		TEST(a_deleted_entry_is_a_break),
		TEST(a_changed_entry_is_a_break),
		TEST(a_gap_that_no_removal_names_is_a_break),
		TEST(a_deleted_end_is_a_break),
		TEST(a_lost_head_stops_no_mail_and_is_mended),
		TEST(words_go_with_their_block),
		TEST(addresses_name_their_blocks_and_go_with_them),
	};

	return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
